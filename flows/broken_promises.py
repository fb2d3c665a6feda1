"""A promised day that passes without a word of staff: the person hears of it before they ask, and staff see it.

A promise is watched by a timer that comes due when the office next opens, by the person's own clock, after the
promised day. The first time a new day of the calendar is promised; the second time none is, for it might be broken
again. Staff see both at the report, which becomes urgent.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Final

from flows.format import day_and_date
from flows.model import (
    AddToTicket,
    Apply,
    CancelTimer,
    Effect,
    OpenTicket,
    RenewPromise,
    SetTimer,
    TicketByCode,
    TicketFacts,
    TimerDue,
)
from flows.promises import Promise, first_word
from flows.rules.calendar import calendar_for
from flows.work import Work

PROMISED: Final = "promised"
PROMISED_AGAIN: Final = "promised_again"
TIMERS: Final = frozenset({PROMISED, PROMISED_AGAIN})
APPLICATION: Final = "application"
LATE_APPLICATION: Final = "application_late"
"""The kind of ticket by which staff see that an application lies unread: an application itself has no history."""
_UNANSWERED: Final = frozenset({"open", "submitted"})
_NOT_STAFF: Final = frozenset({"person", "bot"})


def waits_for_word(ticket: TicketFacts) -> bool:
    """Whether nobody of the staff has written a word to it yet."""
    return ticket.status in _UNANSWERED and all(note.author in _NOT_STAFF for note in ticket.notes)


def is_broken(ticket: TicketFacts, today: date) -> bool:
    """Whether the day of the first word is past, and no word has come."""
    return ticket.promised is not None and ticket.promised < today and waits_for_word(ticket)


def watched(work: Work, effects: Iterable[Effect]) -> list[SetTimer]:
    """A timer for each promise of a human word among the effects of a decision."""
    return [
        _timer(work, PROMISED, effect.code, until)
        for effect in effects
        if isinstance(effect, OpenTicket | Apply) and (until := _promised(work, effect))
    ]


def _promised(work: Work, effect: OpenTicket | Apply) -> datetime | None:
    return effect.promised if isinstance(effect, OpenTicket) else first_word(work).until


def _timer(work: Work, kind: str, code: str, until: datetime) -> SetTimer:
    return SetTimer(kind, calendar_for(work.zone).next_opening(until), code)


def promised_day_passed(work: Work, timer: TimerDue) -> None:
    """Tells who waits, unless staff have written, hold the talk now, or the person wants no messages."""
    ticket = work.fact(TicketByCode(timer.ref))
    if not isinstance(ticket, TicketFacts) or not waits_for_word(ticket):
        return
    if not calendar_for(work.zone).is_open(work.turn.now):
        work.add([_timer(work, timer.kind, timer.ref, work.turn.now)])
        return
    speaks = work.turn.owner == "bot" and not work.opted_out
    if timer.kind == PROMISED:
        promise = renew(work, ticket)
        if speaks:
            kind = APPLICATION if ticket.kind == APPLICATION else "word"
            work.say(f"promise/broken_{kind}", code=ticket.code, day=promise.told)
        return
    if ticket.kind != APPLICATION:
        note = work.copy.label("label/promise_broken_again", missed=_missed(work, ticket))
        work.add([AddToTicket(ticket.code, note, author="bot")])
    if speaks:
        work.say("promise/broken_again", code=ticket.code)


def renew(work: Work, ticket: TicketFacts) -> Promise:
    """A new day for a broken promise; staff see both, and the report becomes urgent."""
    promise = first_word(work)
    work.add([_timer(work, PROMISED_AGAIN, ticket.code, promise.until), CancelTimer(PROMISED, ticket.code)])
    if ticket.kind == APPLICATION:
        note = work.copy.label("label/application_late", code=ticket.code)
        work.add([OpenTicket(work.fresh_code(), LATE_APPLICATION, note, priority="urgent", due=promise.day)])
        return promise
    note = work.copy.label("label/promise_broken", missed=_missed(work, ticket), day=promise.told)
    work.add([AddToTicket(ticket.code, note, author="bot"), RenewPromise(ticket.code, promise.until)])
    return promise


def _missed(work: Work, ticket: TicketFacts) -> str:
    return day_and_date(ticket.promised) if ticket.promised else work.copy.label("label/no_date")
