"""People of the office in the conversation: taking it, answering, giving it back; and what cannot wait for them."""

from __future__ import annotations

from typing import Literal

from flows import broken_promises
from flows.asking import advance
from flows.copybook import CopyBook
from flows.model import (
    AddToTicket,
    AssignTicket,
    CancelTimer,
    ChangeOwner,
    Choice,
    Command,
    Contact,
    Content,
    Edited,
    FormAnswer,
    Location,
    Media,
    OpenHandover,
    OpenTicket,
    Safety,
    SetTicketStatus,
    SetTimer,
    StaffAction,
    StaffWord,
    Sticker,
    Text,
    TicketFacts,
    TimerDue,
    Unknown,
    ids_of,
)
from flows.private import delete_pressed, is_deletion
from flows.promises import Promise, same_day
from flows.wording import asks_to_wait, is_danger
from flows.work import Work

HAND_BACK = "hand_back"
_WRITES = frozenset({"take", "reply", "ask", "resolve", "close"})
"""What the person hears of, and may answer."""


def staff_acted(work: Work, action: StaffAction) -> None:
    """A staff member did something about this conversation's ticket."""
    if action.verb in _WRITES:
        work.staff_word = StaffWord(action.ticket, action.staff_name, work.turn.now, work.asked_count)
    match action.verb:
        case "take":
            _take(work, action)
        case "reply" | "ask":
            _reply(work, action)
        case "note":
            work.add([AddToTicket(action.ticket, action.text, author=action.staff, inner=True)])
        case "assign":
            work.add([AssignTicket(action.ticket, action.staff)])
        case "return":
            _give_back(work, "returned", "staff/returned", name=action.staff_name)
        case "resolve" | "close":
            _close(work, action)


def _take(work: Work, action: StaffAction) -> None:
    work.add(
        [
            AssignTicket(action.ticket, action.staff),
            ChangeOwner(action.staff, "taken"),
            _hand_back_timer(work),
        ]
    )
    work.awaits_staff = True
    work.say("staff/took", name=action.staff_name, code=action.ticket)


def _reply(work: Work, action: StaffAction) -> None:
    work.add([AddToTicket(action.ticket, action.text, author=action.staff)])
    if action.verb == "ask":
        work.add([SetTicketStatus(action.ticket, "waiting", by=action.staff)])
    if work.turn.owner != "bot":
        work.add([_hand_back_timer(work)])
    work.awaits_staff = asks_to_wait(action.text)
    work.say("staff/reply", text=action.text, name=action.staff_name)


def _close(work: Work, action: StaffAction) -> None:
    status: Literal["resolved", "closed"] = "resolved" if action.verb == "resolve" else "closed"
    if action.text:
        work.add([AddToTicket(action.ticket, action.text, author=action.staff)])
    work.add([SetTicketStatus(action.ticket, status, by=action.staff)])
    _stop_asking_about(work, action.ticket)
    if action.text:
        work.say(f"staff/{status}_with_word", code=action.ticket, text=action.text)
    else:
        work.say(f"staff/{status}", code=action.ticket)
    if work.turn.owner != "bot":
        _give_back(work, status, "staff/returned", name=action.staff_name)


def _stop_asking_about(work: Work, code: str) -> None:
    """Nobody is asked what to add to a report that has just been settled."""
    if work.tasks and work.tasks[-1].flow == "check_ticket" and work.text("ticket_code") == code:
        work.note("flow_completed", work.tasks.pop().flow)
        work.settle_question()


def _give_back(work: Work, reason: str, key: str, **args: str) -> None:
    if work.turn.owner != "bot":
        work.add([ChangeOwner("bot", reason), CancelTimer(HAND_BACK)])
    work.say(key, **args)
    if work.safety:
        return
    if work.asked:
        work.ask_again()
    elif work.tasks:
        advance(work)


def _hand_back_timer(work: Work) -> SetTimer:
    at = work.calendar.add_working_minutes(work.turn.now, work.settings.staff_silence_minutes)
    return SetTimer(HAND_BACK, at)


def timer_due(work: Work, timer: TimerDue) -> None:
    """A timer of this conversation came due."""
    if timer.kind in broken_promises.TIMERS:
        broken_promises.promised_day_passed(work, timer)
    elif timer.kind == HAND_BACK and work.turn.owner != "bot":
        work.add([ChangeOwner("bot", "staff_silent")])
        if not work.awaits_staff:
            return  # staff had the last word: nobody is told that they have not answered
        if work.safety:
            call_again(work, work.safety.code)
            work.say("safety/silent")
            return
        work.say("staff/silent")
        if work.asked:
            work.ask_again()


def heard_while_held(work: Work, content: Content) -> None:
    """A person holds the conversation: the bot says nothing, and what is said or sent reaches the ticket."""
    if isinstance(content, Choice) and is_deletion(content.payload):
        delete_pressed(work, content.payload)
        return
    text = told_to_staff(work.copy, content)
    media = ids_of(content) if isinstance(content, Media) else ()
    code = _held_for(work)
    if text and is_danger(text) and not (work.safety and work.safety.code == code):
        work.add([danger_ticket(work, text)[0]])
    if (text or media) and code:
        work.add([AddToTicket(code, text, media=media)])
    work.awaits_staff = work.awaits_staff or bool(text or media)
    work.note("note", "held_by_staff")


def _held_for(work: Work) -> str:
    """The code of the ticket that staff hold the conversation for, "" where none is known."""
    if work.staff_word:
        return work.staff_word.ticket
    handover = work.fact(OpenHandover())
    return handover.code if isinstance(handover, TicketFacts) else ""


def told_to_staff(copy: CopyBook, content: Content) -> str:
    """What staff read of a message; "" where there is nothing to read."""
    match content:
        case Text(text=words):
            return words
        case Edited(text=words):
            return copy.label("label/heard_edited", text=words)
        case Media(problem=problem, caption=caption) if problem:
            return f"{copy.label('label/heard_unreadable')} {caption}".rstrip()
        case Media(caption=caption):
            return caption
        case Choice(title=title):
            return title
        case Contact(phone=phone):
            return copy.label("label/heard_contact", phone=phone)
        case Location(latitude=latitude, longitude=longitude):
            return copy.label("label/heard_location", place=f"{latitude:.5f}, {longitude:.5f}")
        case Sticker(emoji=emoji):
            return emoji
        case FormAnswer(value=value):
            return value
        case Command(name=name):
            return f"/{name}"
        case Unknown():
            return copy.label("label/heard_unreadable")
        case _:
            return ""


def call_again(work: Work, code: str) -> None:
    """Puts a ticket that cannot wait before all staff again, whoever held it."""
    called = AddToTicket(code, work.copy.label("label/heard_unanswered"), author="bot", inner=True)
    work.add([called, AssignTicket(code, "")])


def danger_ticket(work: Work, text: str) -> tuple[OpenTicket, Promise]:
    """The urgent ticket of somebody in danger, who is kept company from here on, and the day it is read by."""
    promise = same_day(work)
    code = work.fresh_code()
    ticket = OpenTicket(
        code, "safety", text, priority="urgent", promised=promise.until, due=promise.day, restricted=True
    )
    work.safety = Safety(code)
    return ticket, promise
