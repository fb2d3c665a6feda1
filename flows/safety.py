"""Somebody who told of danger is kept company: short warm words and a human, until staff have seen to it.

Nothing is asked, offered or guessed meanwhile; everything that is sent goes into the ticket. Only the person's own
"menu" or a press of a button leads out of it.
"""

from __future__ import annotations

from typing import Final

import msgspec

from flows.model import (
    AddToTicket,
    Choice,
    Command,
    Content,
    FormAnswer,
    InGroup,
    Media,
    Safety,
    Text,
    TicketByCode,
    TicketFacts,
    ids_of,
)
from flows.private import is_deletion
from flows.promises import Promise, by_end_of, office_is_away, same_day
from flows.staffing import call_again, danger_ticket, told_to_staff
from flows.wording import command, is_danger, plain
from flows.work import Work

_OPEN: Final = frozenset({"open", "waiting"})
_WAYS_OUT: Final = frozenset({"menu", "menu utama"})
_ANSWERS: Final = 3
"""How many ways there are to say that one is still there (`safety/with_you_1` and so on)."""


def kept_company(work: Work, content: Content, words: str) -> bool:
    """Whether this was said in danger, or by somebody whose ticket about it is still open; it is answered then."""
    if isinstance(content, InGroup) or (isinstance(content, Choice) and is_deletion(content.payload)):
        return False
    ticket = _open_ticket(work)
    if ticket is None:
        if not is_danger(words):
            return False
        _open(work, content, words)
        return True
    if is_danger(words):
        _add(work, ticket, content)
        call_again(work, ticket.code)
        _say_danger(work, ticket.code, _promise(work, ticket))
    elif _leads_out(content):
        work.safety = None
        return False
    else:
        _add(work, ticket, content)
        _answer(work, ticket, content)
    return True


def _open(work: Work, content: Content, words: str) -> None:
    ticket, promise = danger_ticket(work, words)
    media = ids_of(content) if isinstance(content, Media) else ()
    work.add([msgspec.structs.replace(ticket, media=media)])
    _say_danger(work, ticket.code, promise)


def _say_danger(work: Work, code: str, promise: Promise) -> None:
    work.say("safety/danger_closed" if office_is_away(work) else "safety/danger", code=code, day=promise.told)


def _open_ticket(work: Work) -> TicketFacts | None:
    if work.safety is None:
        return None
    ticket = work.fact(TicketByCode(work.safety.code))
    if isinstance(ticket, TicketFacts) and ticket.status in _OPEN:
        return ticket
    work.safety = None
    return None


def _leads_out(content: Content) -> bool:
    match content:
        case Text(text=text):
            return plain(text) in _WAYS_OUT
        case Command(name=name):
            return name != "petugas"
        case Choice() | FormAnswer():
            return True
        case _:
            return False


def _add(work: Work, ticket: TicketFacts, content: Content) -> None:
    words = told_to_staff(work.copy, content)
    media = ids_of(content) if isinstance(content, Media) else ()
    if words or media:
        work.add([AddToTicket(ticket.code, words, media=media)])


def _answer(work: Work, ticket: TicketFacts, content: Content) -> None:
    assert work.safety
    if _calls_staff(work, content):
        call_again(work, ticket.code)
        key = "safety/staff_called_closed" if office_is_away(work) else "safety/staff_called"
        work.say(key, code=ticket.code, day=_promise(work, ticket).told)
        return
    answers = work.safety.answers
    work.safety = Safety(work.safety.code, answers + 1)
    work.say(f"safety/with_you_{answers % _ANSWERS + 1}")


def _calls_staff(work: Work, content: Content) -> bool:
    if isinstance(content, Command):
        return True
    understanding = work.turn.understanding
    named = isinstance(content, Text) and command(content.text) == "talk_to_staff"
    return named or (
        understanding is not None
        and understanding.intent == "talk_to_staff"
        and understanding.confidence >= work.settings.clear_confidence
    )


def _promise(work: Work, ticket: TicketFacts) -> Promise:
    """The day that was promised, or the next one on which the office works when that has passed."""
    day = ticket.promised
    return by_end_of(work, day) if day and day >= work.today else same_day(work)
