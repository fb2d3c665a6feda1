"""What an operator may set about the conversation, as the pure floors see it. Read from config in `bot/config.py`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Named limits and names. Confidences are 0 to 1; every limit reached is a visible outcome."""

    operator: str = "Rangkul"
    trial: bool = True
    office_zone: str = "Asia/Jakarta"
    clear_confidence: float = 0.6
    """At or above: the reading is acted on."""
    guess_confidence: float = 0.3
    """Between this and `clear_confidence`: "maksudnya … atau …?". Below: the menu and a human."""
    digress_confidence: float = 0.7
    """How sure a reading must be to leave an open question for it."""
    resume_after_hours: int = 12
    """A longer silence in the middle of a task is answered with a reminder of where one was."""
    additions_hours: int = 6
    """For so long after a report was sent, what is told besides is added to it."""
    session_max_age_days: int = 30
    """Answers of an unfinished task older than this are forgotten."""
    staff_silence_minutes: int = 60
    """Working minutes without a staff word after which the bot takes the talk back."""
    staff_word_days: int = 7
    """For so long after a staff member wrote, what the person says next is meant for staff."""
    first_response_days: int = 1
    """Working days within which a person is promised a human word (domain.md 6.2, product choice)."""
    proof_minutes: int = 15
    max_tasks: int = 3
    max_steps: int = 40
    max_text_chars: int = 2000
    cancel_confirm_slots: int = 3
    misses_before_staff: int = 3
    own_failures: int = 3
    """Failed proofs of identity by one sender on one NIK in 24 hours that lock that sender out of it."""
    many_failures: int = 10
    """Failed proofs on one NIK by anybody in 24 hours that alert staff."""
    wrong_codes_an_hour: int = 5
