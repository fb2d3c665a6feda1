"""From what a decision says to the neutral message that is stored and sent: words from the copy, options as buttons."""

from __future__ import annotations

from typing import Final

from flows.copybook import CopyBook
from flows.model import Content, Decision, Say, StaffAction
from storage.outbox import Button, Rendered

STAFF_REPLY: Final = "staff/reply"


def messages_of(copy: CopyBook, decision: Decision, content: Content) -> tuple[Rendered, ...]:
    """The messages of a decision in order, each with its author: the bot, or the staff member who wrote it.

    Raises `flows.copybook.MissingCopy` for a key or an argument that the copy lacks.
    """
    return tuple(
        staff_words(effect, content)
        if isinstance(content, StaffAction) and effect.key == STAFF_REPLY
        else rendered(copy, effect)
        for effect in decision.effects
        if isinstance(effect, Say)
    )


def staff_words(say: Say, action: StaffAction) -> Rendered:
    """A staff member's own words, exactly as written; whose they are stands beside them, for the channel to show."""
    return Rendered(key=say.key, text=action.text, numbered=False, author=action.staff_name)


def rendered(copy: CopyBook, say: Say) -> Rendered:
    """One message with its words. A button's payload carries the number of its question, so an old press is known."""
    return Rendered(
        key=say.key,
        text=copy.render(say),
        options=tuple(Button(option.title, payload_of(say.number, place)) for place, option in enumerate(say.options)),
        numbered=say.numbered,
        form=say.form,
    )


def payload_of(number: int, place: int) -> str:
    """What a button carries: `7.0` is the first option of question 7. Short enough for every channel."""
    return f"{number}.{place}"
