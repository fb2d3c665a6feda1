"""The conversation engine: `decide`, and who gets a word.

Order of precedence, first match wins: what staff do; a conversation that staff hold; danger; a pressed button;
exact command words; the open question; what was meant.
"""

from __future__ import annotations

from flows import broken_promises, correspondence, safety, staffing, voice_notes
from flows.asking import task_label
from flows.hearing import hear
from flows.meaning import commanded, pressed
from flows.model import (
    Choice,
    Command,
    Contact,
    Content,
    Decision,
    Edited,
    Facts,
    FormAnswer,
    InGroup,
    Location,
    Media,
    Need,
    Session,
    StaffAction,
    Sticker,
    Text,
    TimerDue,
    Turn,
    Unknown,
)
from flows.private import delete_pressed, deleted_as_asked, is_deletion, remember_private
from flows.things import (
    called_in_group,
    contact_came,
    form_answered,
    media_came,
    message_edited,
    place_came,
    stranger_thing_came,
)
from flows.work import Flows, Missing, Work


def decide(flows: Flows, session: Session, turn: Turn, facts: Facts) -> Decision | Need:
    """What the bot does about `turn`. Pure: no clock, no I/O, the same answer every time.

    Gives `Need` when a fact is missing; asked again with all facts so far it starts from the beginning.
    """
    work = Work(flows, session, turn, facts)
    try:
        _route(work)
        remember_private(work)
    except Missing as missing:
        return Need((missing.query,))
    work.add(broken_promises.watched(work, work.effects))
    return work.decision()


def _route(work: Work) -> None:
    content = work.turn.content
    match content:
        case StaffAction():
            staffing.staff_acted(work, content)
        case TimerDue():
            staffing.timer_due(work, content)
        case _ if work.turn.owner != "bot":
            staffing.heard_while_held(work, content)
        case _:
            _person_spoke(work)


def _person_spoke(work: Work) -> None:
    content = work.turn.content
    words = _words_of(content)
    if safety.kept_company(work, content, words):
        return
    _come_back(work)
    if correspondence.answered_staff(work, content):
        return
    match content:
        case Text(text=text) if deleted_as_asked(work, text):
            pass
        case Text(text=text):
            hear(work, text, work.turn.understanding)
        case Choice(payload=payload) if is_deletion(payload):
            delete_pressed(work, payload)
        case Choice():
            pressed(work, content)
        case FormAnswer(slot=slot, value=value):
            form_answered(work, slot, value)
        case Media(kind="voice") if words and content.media:
            said_before = len(work.effects)
            hear(work, words, work.turn.understanding)
            voice_notes.keep_recording(work, content, said_before)
        case Media():
            media_came(work, content)
        case Contact(phone=phone, own=own):
            contact_came(work, phone, own=own)
        case Command():
            commanded(work, content)
        case Edited(text=text, ref=ref):
            message_edited(work, text, ref)
        case InGroup():
            called_in_group(work, content)
        case Location():
            place_came(work, content)
        case Sticker():
            stranger_thing_came(work, "sticker")
        case Unknown():
            stranger_thing_came(work, "unknown")


def _words_of(content: Content) -> str:
    """What the person wrote, or what a speech recogniser wrote down of what they said."""
    match content:
        case Text(text=words) | Media(caption=words) | Edited(text=words):
            return words
        case _:
            return ""


def _come_back(work: Work) -> None:
    """After a long silence: forgets what is too old, and says where one was."""
    if work.has_expired(work.settings.session_max_age_days):
        work.forget_person()
    if work.has_expired(work.settings.session_max_age_days) and work.tasks:
        for task in work.tasks:
            work.note("flow_cancelled", task.flow)
        work.tasks.clear()
        work.settle_question()
        work.say("engine/expired")
    elif work.tasks and work.silent_for_hours(work.settings.resume_after_hours):
        work.say("engine/welcome_back", task=task_label(work, work.tasks[-1].flow))
