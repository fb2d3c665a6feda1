"""What is not words: pictures, voice notes, contacts, places, stickers, and the one-field page."""

from __future__ import annotations

from typing import Final

from flows import additions, voice_notes
from flows.answering import accept, last_answer, mend, refuse
from flows.asking import advance, leave
from flows.flow import Leave
from flows.meaning import back_to_question, kept_by_flow
from flows.menu import menu_options
from flows.misfortune import MISFORTUNE
from flows.model import InGroup, Location, Media, ids_of
from flows.reading import read_answer
from flows.work import Work
from nlu.values import Refusal

GROUP_HOURS: Final = 1
"""A group that was told to write in private is not told again for so long."""


def form_answered(work: Work, slot: str, value: str) -> None:
    """The one-field page was filled in: the answer counts if its question still stands open."""
    ask = work.step
    if ask is None or ask.slot != slot:
        work.say("engine/old_form")
        back_to_question(work)
        return
    result = read_answer(work, ask, value)
    if isinstance(result, Refusal):
        refuse(work, ask, result)
    else:
        accept(work, ask, *result)


def media_came(work: Work, media: Media) -> None:
    """A file, or several sent together. One that could not be taken is asked for in another way."""
    if media.problem:
        own = f"engine/{media.kind}_{media.problem}"
        work.say(own if work.copy.has(own) else f"engine/media_{media.problem}")
        back_to_question(work)
    elif not media.media:
        work.say(f"engine/{media.kind}_not_now")
        back_to_question(work)
    elif media.kind == "voice":
        _voice_came(work, media)
    else:
        _pictures_came(work, media)


def _pictures_came(work: Work, media: Media) -> None:
    if media.missing:
        work.say("engine/album_incomplete", count=str(media.missing))
    ask = work.step
    pictures = ids_of(media)
    if ask and ask.kind == "media":
        for picture in pictures:
            work.note("note", "media", picture)
        accept(work, ask, list(pictures), None)
    elif additions.added_thing(work, media.caption, pictures):
        return
    elif work.flow and kept_by_flow(work, work.flow.add_media(work, pictures, media.caption)):
        if ask and ask.slot in work.slots:
            advance(work)
        else:
            _ask_on(work, media)
    else:
        work.say(f"engine/{media.kind}_not_now")
        back_to_question(work)


def _voice_came(work: Work, media: Media) -> None:
    """A voice note without its words: with the report being made, to an open one, or offered to staff."""
    ask = work.step
    if voice_notes.kept_with_story(work, media):
        back_to_question(work)
    elif not voice_notes.added_to_ticket(work, media):
        voice_notes.offer(work, media)
    elif ask and ask.slot == "ticket_note":
        leave(work, Leave((), completed=True))  # what was to be added has been added
    else:
        back_to_question(work)


def _ask_on(work: Work, media: Media) -> None:
    """The open question again, but not to somebody in need whose pictures took a while to be gathered."""
    if not (media.more and work.flow and work.flow.name in MISFORTUNE):
        back_to_question(work)


def place_came(work: Work, place: Location) -> None:
    """A shared place: kept where the task at hand or the report just sent has room for it."""
    words = work.copy.label("label/heard_location", place=f"{place.latitude:.5f}, {place.longitude:.5f}")
    flow = work.flow if work.step else None
    if flow and kept_by_flow(work, flow.add_place(work, words)):
        back_to_question(work)
    elif not additions.added_thing(work, words):
        location_came(work)


def message_edited(work: Work, text: str, ref: str) -> None:
    """A message was changed after it was sent: the answer that it gave is mended, if it is the newest one."""
    flow = work.flow
    last = last_answer(work, flow) if flow and ref and work.tasks[-1].answered_by == ref else None
    if last is not None and not isinstance(read_answer(work, last, text), Refusal):
        mend(work, last, text)
        return
    if additions.added_thing(work, work.copy.label("label/heard_edited", text=text)):
        return
    work.say("engine/edited")
    back_to_question(work)


def contact_came(work: Work, phone: str, *, own: bool) -> None:
    ask = work.step
    if ask and ask.kind == "phone":
        result = read_answer(work, ask, phone)
        if not isinstance(result, Refusal):
            accept(work, ask, *result)
            return
    if additions.added_thing(work, work.copy.label("label/heard_contact", phone=phone)):
        return
    stranger_thing_came(work, "contact" if not own else "contact_own")


def called_in_group(work: Work, call: InGroup) -> None:
    """A group is told once in a while to write in private; where somebody came to harm, at once and how."""
    if call.urgent:
        work.say("engine/in_group_urgent")
    elif work.before.last_seen is None or work.silent_for_hours(GROUP_HOURS):
        work.say("engine/in_group")
    else:
        work.passes_unseen = True


def location_came(work: Work) -> None:
    """A place cannot be read; where one is asked for, its name is wanted, and nowhere else."""
    step, flow = work.step, work.flow
    wanted = step is not None and (step.slot == "region" or (flow is not None and flow.name == "find_office"))
    stranger_thing_came(work, "location" if wanted else "location_unasked")


def stranger_thing_came(work: Work, kind: str) -> None:
    work.say(f"engine/{kind}_not_now")
    if not work.asked and not work.tasks:
        work.ask("engine/menu", options=menu_options(work))
    else:
        back_to_question(work)
