"""Every other task: kind words, the person's own words kept, a ticket of the right priority.

Accident and death are told to staff with the first words, before any question: somebody who reports one may
not come back to the phone. A privacy request has a clock of 72 hours (UU 27/2022, domain.md 8).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from flows.flow import Ask, Checked, Fill, Flow, Outcome, Pick, View, said
from flows.format import clock_time
from flows.model import AddToTicket, Effect, OpenTicket, OptOut, Say, Value
from flows.promises import Promise, first_word, office_is_away, same_day
from flows.wording import plain
from nlu.understanding import Understanding
from nlu.values import Reading

PRIVACY_HOURS: Final = 72
_TELLING_WORDS: Final = 8
_MORE_WORDS: Final = 3


@dataclass(frozen=True, slots=True)
class Request:
    """How one task is taken in until it has a flow of its own.

    `at_once` opens the ticket with the first words; `questions` are asked after it, in order. `opening_suffices`
    when a whole sentence needs no further details.
    """

    name: str
    promise: Callable[[View], Promise]
    priority: Literal["normal", "urgent"] = "normal"
    at_once: bool = False
    questions: tuple[Ask, ...] = ()
    restricted: bool = False
    opening_suffices: bool = False


def _within_privacy_hours(view: View) -> Promise:
    until = view.turn.now + timedelta(hours=PRIVACY_HOURS)
    return Promise(view.calendar.local_day(until), until)


def flow_of(request: Request) -> Flow:
    """The flow that takes in a request."""

    def begin(view: View) -> tuple[Mapping[str, Value], tuple[Effect, ...]]:
        hello = Say(f"{request.name}/intro")
        if not (request.at_once and view.opening):
            return {}, (hello,)
        code = view.fresh_code()
        return {"ticket_code": code}, (_ticket(view, request, code, view.opening), hello)

    def prefill(view: View, understanding: Understanding) -> Mapping[str, Value]:
        told = len(plain(understanding.text).split()) >= _TELLING_WORDS
        return {"details": understanding.text} if told and request.opening_suffices else {}

    def finish(view: View) -> Outcome:
        promise = request.promise(view)
        code = view.text("ticket_code")
        if code:
            effects: tuple[Effect, ...] = (AddToTicket(code, _words(view, request)),)
        else:
            code = view.fresh_code()
            effects = (_ticket(view, request, code, _words(view, request)),)
        told = Say(f"{request.name}/filed", {"code": code, "day": promise.told, "time": _time(view, promise)})
        if request.at_once and office_is_away(view):
            return Outcome((*effects, told, Say(f"{request.name}/nobody_reads", {"day": promise.told})))
        return Outcome((*effects, told))

    def add_words(view: View, words: str) -> Fill | None:
        if not view.text("ticket_code") or len(plain(words).split()) < _MORE_WORDS:
            return None
        code = view.text("ticket_code")
        return Fill({}, (AddToTicket(code, words), Say("engine/more_noted")))

    def add_media(view: View, media: tuple[str, ...], caption: str) -> Fill:
        kept = Say("engine/photo_kept")
        if code := view.text("ticket_code"):
            return Fill({}, (AddToTicket(code, caption, media=media), kept))
        return Fill({"photos": [*_photos(view), *media]}, (kept,))

    def add_place(view: View, place: str) -> Fill:
        kept = Say("engine/place_kept")
        if code := view.text("ticket_code"):
            return Fill({}, (AddToTicket(code, place), kept))
        return Fill({"place": place}, (kept,))

    return Flow(
        name=request.name,
        followed=True,
        add_place=add_place,
        steps=request.questions,
        begin=begin,
        prefill=prefill,
        add_words=add_words,
        add_media=add_media,
        finish=finish,
    )


def _photos(view: View) -> tuple[str, ...]:
    photos = view.slots.get("photos")
    return tuple(photos) if isinstance(photos, list) else ()


def _time(view: View, promise: Promise) -> str:
    return clock_time(promise.until, view.settings.office_zone)


def _ticket(view: View, request: Request, code: str, words: str) -> OpenTicket:
    promise = request.promise(view)
    return OpenTicket(
        code,
        request.name,
        words,
        priority=request.priority,
        promised=promise.until,
        due=promise.day,
        media=_photos(view),
        restricted=request.restricted,
    )


def _words(view: View, request: Request) -> str:
    """All that the person said about it, in order, each answer with the name of its question."""
    answers = [
        f"{view.copy.label(f'label/answer_{ask.slot}')}: {_word(view, ask)}"
        for ask in request.questions
        if ask.slot != "details" and view.slots.get(ask.slot) is not None
    ]
    details = view.text("details")
    kept_already = view.opening == details or bool(view.text("ticket_code"))
    opening = "" if kept_already else view.opening
    return "\n".join(part for part in (opening, details, view.text("place"), *answers) if part) or view.copy.label(
        f"label/task_{request.name}"
    )


def _word(view: View, ask: Ask) -> str:
    value = view.slots[ask.slot]
    picked = next((pick.label for pick in ask.picks(view) if pick.value == value), "")
    return view.copy.label(f"label/{picked}") if picked else str(value)


def _details(*, skippable: bool = True) -> Ask:
    return Ask("details", "free", skippable=skippable)


_SAFE: Final = (
    Pick(True, "safe_yes", said("aman, sudah, udah, iya, ya, selamat, di rs, di rumah sakit, di puskesmas, di klinik")),
    Pick(False, "safe_no", said(
        "belum, tidak, enggak, gak, nggak, tolong, tidak aman, gak aman, parah, butuh, berdarah, sakit banget, "
        "sakit sekali, pingsan, ditolak, nolak, masih di jalan, cepet")),
)  # fmt: skip


def _check_safe(view: View, value: Value, _: Reading | None) -> Checked:
    """Help comes before any further question, and what was said beside the answer is kept."""
    words = view.turn.understanding.text if view.turn.understanding else ""
    code = view.text("ticket_code")
    kept: tuple[Effect, ...] = ()
    if code and len(plain(words).split()) >= _MORE_WORDS:
        kept = (AddToTicket(code, words),)
    return Fill({"safe": value}, kept if value else (*kept, Say("report_accident/get_help")))


REQUESTS: Final = (
    Request("report_accident", same_day, "urgent", at_once=True, restricted=True,
            questions=(Ask("safe", "pick", picks=lambda _: _SAFE, check=_check_safe), _details())),
    Request("report_death", same_day, "urgent", at_once=True, restricted=True, questions=(_details(),)),
    Request("pay_contribution", first_word, questions=(_details(),)),
    Request("pledge", first_word, questions=(_details(),)),
    Request("check_pledge", first_word, questions=(_details(),)),
    Request("request_assistance", first_word, questions=(_details(),)),
    Request("update_profile", first_word, questions=(_details(skippable=False),), opening_suffices=True),
    Request("find_office", first_word, questions=(_details(skippable=False),), opening_suffices=True),
    Request("privacy_request", _within_privacy_hours, restricted=True, questions=(_details(skippable=False),),
            opening_suffices=True),
)  # fmt: skip


def _opted_out(_: View) -> Outcome:
    return Outcome((OptOut(), Say("opt_out/done")))


OPT_OUT: Final = Flow(name="opt_out", steps=(), finish=_opted_out)
REQUEST_FLOWS: Final = (*(flow_of(request) for request in REQUESTS), OPT_OUT)
