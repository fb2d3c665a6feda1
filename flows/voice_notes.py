"""Voice notes that the bot cannot hear: they go to a person who can, with the day by which they will be heard.

One whose words were written down by a speech recogniser is heard as if typed; its recording goes where those words go.
"""

from __future__ import annotations

from typing import Final

import msgspec

from flows.asking import RECORDINGS, recordings_of
from flows.flow import no_place_for_words
from flows.format import clock_time, long_date
from flows.misfortune import MISFORTUNE
from flows.model import AddToTicket, Media, MyTickets, OpenTicket, TicketFacts, ids_of
from flows.promises import Promise, first_word, same_day
from flows.work import Work

OFFER: Final = "engine/voice_offer"
KIND: Final = "voice_note"
_OPEN: Final = frozenset({"open", "waiting"})
_NOT_FOR_THESE: Final = frozenset({"application", "identity_alert"})
"""What has no place for a person's words, or is not for the person to know of."""
_AT_ONCE: Final = frozenset({*MISFORTUNE, "safety"})
_IDS: Final = "recordings"
_WHEN: Final = "sent"


def kept_with_story(work: Work, media: Media) -> bool:
    """Whether a report is being made that the recording can go with; it is then sent with the report."""
    flow = work.flow
    if flow is None or flow.add_words is no_place_for_words or work.text("ticket_code"):
        return False
    _keep_in_task(work, len(work.tasks) - 1, media)
    step = work.step
    # Who is asked to tell it is also asked to write it down: staff and the bot go on by what is written.
    work.say("engine/voice_kept" if step and step.kind == "free" else "engine/voice_kept_too")
    return True


def added_to_ticket(work: Work, media: Media) -> bool:
    """Whether the person has an open report that the recording went to; they are told who hears it by when."""
    ticket = _open_ticket(work)
    if ticket is None:
        return False
    promise = same_day(work) if ticket.kind in _AT_ONCE else first_word(work)
    work.add([AddToTicket(ticket.code, sent_when(work), media=ids_of(media))])
    work.say("engine/voice_to_ticket", code=ticket.code, day=promise.told)
    return True


def offer(work: Work, media: Media) -> None:
    """Asks whether staff shall hear it. The question of a form that stood open can still be answered instead."""
    asked = work.asked
    ids: tuple[str, ...] = ids_of(media)
    when = sent_when(work)
    if asked and asked.key == OFFER:
        ids, when = (*asked.args[_IDS].split(), *ids), asked.args[_WHEN]
    work.ask(
        OFFER,
        slot=asked.slot if asked else "",
        args={_IDS: " ".join(ids), _WHEN: when},
        options=(work.option("voice_forward", "listen"), work.option("no_need", "unheard")),
        misses=asked.misses if asked else 0,
    )


def pass_on(work: Work) -> None:
    """The person said yes to the offer: the recordings become a report of their own."""
    assert work.asked
    args = work.asked.args
    code, promise = work.fresh_code(), first_word(work)
    work.add([_ticket(code, args[_WHEN], tuple(args[_IDS].split()), promise)])
    work.say("engine/voice_passed_on", code=code, day=promise.told)


def keep_recording(work: Work, media: Media, said_before: int) -> None:
    """Keeps the recording where its words went: with the report they went to, or the task they are told in.

    `said_before` is how many effects there were before the words were heard.
    """
    for place, effect in enumerate(work.effects[said_before:], said_before):
        if isinstance(effect, OpenTicket | AddToTicket):
            work.effects[place] = msgspec.structs.replace(effect, media=(*effect.media, *ids_of(media)))
            return
    for at in reversed(range(len(work.tasks))):
        task = work.tasks[at]
        told = (task.opening, *task.slots.values())
        if any(isinstance(words, str) and media.caption.strip() in words for words in told):
            _keep_in_task(work, at, media)
            return


def sent_when(work: Work) -> str:
    """What a recording is called in a report: with day and hour, for it cannot be read."""
    moment = work.turn.now
    zone = work.settings.office_zone
    day = long_date(work.calendar.local_day(moment))
    return work.copy.label("label/voice_note", day=day, time=clock_time(moment, zone))


def _keep_in_task(work: Work, at: int, media: Media) -> None:
    task = work.tasks[at]
    kept = [*recordings_of(task.slots), *ids_of(media)]
    work.tasks[at] = msgspec.structs.replace(task, slots={**task.slots, RECORDINGS: kept})
    work.note("slot_set", RECORDINGS, kept)


def _open_ticket(work: Work) -> TicketFacts | None:
    """The report that is being looked at where that is open, else the newest open one of this person."""
    mine = work.fact(MyTickets())
    tickets = [ticket for ticket in mine if ticket.kind not in _NOT_FOR_THESE] if isinstance(mine, tuple) else []
    at_hand = [ticket for ticket in tickets if ticket.code == work.text("ticket_code")]
    return next((ticket for ticket in at_hand or tickets if ticket.status in _OPEN), None)


def _ticket(code: str, text: str, recordings: tuple[str, ...], promise: Promise) -> OpenTicket:
    return OpenTicket(code, KIND, text, promised=promise.until, due=promise.day, media=recordings)
