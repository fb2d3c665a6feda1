"""check_ticket: how a report stands. Who filed it reads, adds, closes and reopens; with the code alone from
elsewhere only state and promised date are told, and after too many wrong codes it stops looking."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from flows.broken_promises import is_broken, waits_for_word
from flows.flow import Ask, Checked, Fill, Flow, Leave, Outcome, Pick, Rejected, View, said
from flows.format import code_groups, day_and_date, long_date
from flows.model import (
    AddToTicket,
    Effect,
    MyTickets,
    OpenTicket,
    RecordWrongCode,
    Say,
    SetTicketStatus,
    TicketByCode,
    TicketFacts,
    Value,
    WrongCodes,
)
from flows.promises import first_word
from flows.wording import is_question, plain
from nlu.understanding import Understanding
from nlu.values import Reading, Refusal

_SHOWN_TICKETS: Final = 5
_TELLING_WORDS: Final = 5
_WORD_TO_STAFF: Final = 3
_SHOWN_NOTES: Final = 3
_ENOUGH: Final = said("selesai, cukup, sudah, udah, tidak, gak, oke, ok, makasih, terima kasih, suwun, nuhun, thanks")
_REOPENS: Final = re.compile(r"\bbuka (lagi|lg|kembali|ulang)\b")
_CLOSED: Final = frozenset({"closed", "resolved"})


def _mine(view: View) -> tuple[TicketFacts, ...]:
    mine = view.fact(MyTickets())
    return mine[:_SHOWN_TICKETS] if isinstance(mine, tuple) else ()


def _ticket(view: View) -> TicketFacts:
    ticket = view.fact(TicketByCode(view.text("ticket_code")))
    assert isinstance(ticket, TicketFacts)
    return ticket


def _prefill(view: View, understanding: Understanding) -> Mapping[str, Value]:
    """The code in the message, or the only report this person has."""
    codes = [str(entity.value) for entity in understanding.entities if entity.entity == "ticket_code"]
    given: dict[str, Value] = {"ticket_code": codes[0]} if codes else dict(_only_one(view))
    if given and _REOPENS.search(plain(understanding.text)):
        return {**given, "ticket_action": "reopen"}
    return given


def _only_one(view: View) -> Mapping[str, Value]:
    mine = _mine(view)
    return {"ticket_code": mine[0].code} if len(mine) == 1 else {}


def _my_codes(view: View) -> tuple[Pick, ...]:
    return tuple(Pick(ticket.code, "", title=ticket.code) for ticket in _mine(view))


def _list_mine(view: View) -> tuple[Say, ...]:
    mine = _mine(view)
    if not mine:
        return ()
    lines = "\n".join(f"• {ticket.code} – {_what(view, ticket)}, {_status(view, ticket)}" for ticket in mine)
    return (Say("check_ticket/yours", {"lines": lines}),)


def _what(view: View, ticket: TicketFacts) -> str:
    if ticket.category:
        return view.copy.label(f"label/category_{ticket.category}")
    key = f"label/kind_{ticket.kind}"
    return view.copy.label(key if view.copy.has(key) else "label/kind_other")


def _check_code(view: View, value: Value, _: Reading | None) -> Checked:
    tries = view.fact(WrongCodes())
    if isinstance(tries, int) and tries >= view.settings.wrong_codes_an_hour:
        return Leave((Say("check_ticket/too_many"),))
    code = code_groups(str(value))
    found = view.fact(TicketByCode(code))
    if not isinstance(found, TicketFacts):
        return Leave((Say("check_ticket/unknown", {"code": code}),), (RecordWrongCode(),))
    if not found.mine:
        return Leave((_state(view, found, "check_ticket/state_only"),), completed=True)
    return Fill({"ticket_code": code})


def _state(view: View, ticket: TicketFacts, key: str) -> Say:
    """How it stands, with the days that are still ahead: a past one is no promise any more."""
    args = {"code": ticket.code, "what": _what(view, ticket), "status": _status(view, ticket)}
    day = _promised(view, ticket)
    if day is None:
        return Say(f"{key}_undated", args)
    return Say(key, {**args, "promised": day_and_date(day)})


def _answered_by(view: View, ticket: TicketFacts) -> date | None:
    """The day of the first word, where that is still to come and nearer than the end."""
    first, last = ticket.promised, _promised(view, ticket)
    ahead = first and last and view.today <= first < last and waits_for_word(ticket)
    return first if ahead else None


def _is_late(view: View, ticket: TicketFacts) -> bool:
    """Whether a day that was told is past, and the person still waits for what it promised."""
    solved_by = _solved_by(view, ticket)
    unsolved = ticket.status in {"open", "submitted"} and solved_by is not None and solved_by < view.today
    return is_broken(ticket, view.today) or (unsolved and _promised(view, ticket) is None)


def _status(view: View, ticket: TicketFacts) -> str:
    """Nobody's yet, or in somebody's hands: only what is so."""
    waiting = ticket.status == "open" and ticket.mine and not ticket.owner
    return view.copy.label("label/status_untaken" if waiting else f"label/status_{ticket.status}")


def _solved_by(view: View, ticket: TicketFacts) -> date | None:
    """The day by which it must be solved; a fresh application was promised its first word."""
    if ticket.kind == "application" and ticket.status == "submitted":
        return view.calendar.add_working_days(ticket.opened, view.settings.first_response_days)
    return ticket.due or ticket.promised


def _promised(view: View, ticket: TicketFacts) -> date | None:
    """What is promised from today on: when it is solved, else when staff answer; None when neither lies ahead."""
    days = (_solved_by(view, ticket), ticket.promised)
    return next((day for day in days if day and day >= view.today), None)


def _tell(view: View) -> tuple[Say, ...]:
    ticket = _ticket(view)
    says = [_state(view, ticket, "check_ticket/state")]
    if first := _answered_by(view, ticket):
        says.append(Say("check_ticket/first_word", {"day": day_and_date(first)}))
    if _is_late(view, ticket):
        says.append(Say("check_ticket/late"))
    if notes := ticket.notes[-_SHOWN_NOTES:]:
        zone = ZoneInfo(view.settings.office_zone)
        lines = "\n".join(f"• {long_date(note.at.astimezone(zone).date())}: {note.text}" for note in notes)
        says.append(Say("check_ticket/history", {"lines": lines}))
    return tuple(says)


def _actions(view: View) -> tuple[Pick, ...]:
    ticket = _ticket(view)
    add = Pick("add", "ticket_add", said("tambah, tambahin, keterangan, nambah, nambahin, tambahan"))
    done = Pick("done", "ticket_done", _ENOUGH)
    if ticket.kind == "application":
        return (Pick("withdraw", "ticket_withdraw", said("batal, batalin, batalkan, gak jadi, ga jadi, tarik")), done)
    if ticket.status in _CLOSED:
        return (Pick("reopen", "ticket_reopen", ("buka", "buka lagi")), add, done)
    return (add, Pick("close", "ticket_close", ("tutup", "tutup aja")), done)


def _check_action(view: View, value: Value, _: Reading | None) -> Checked:
    """ "Mau nambahin, kejadiannya di loket 3" says what to do and what to add."""
    words = view.turn.understanding.text if view.turn.understanding else ""
    if value not in [pick.value for pick in _actions(view)]:
        return Rejected("reject/pick")
    if value == "add" and len(plain(words).split()) >= _TELLING_WORDS:
        return Fill({"ticket_action": value, "ticket_note": words})
    return Fill({"ticket_action": value})


def _heard_at_action(view: View, _: Refusal) -> Fill | None:
    """ "Kapan selesainya" is told the state again; "belum beres juga" is kept as a word to staff."""
    words = view.turn.understanding.text if view.turn.understanding else ""
    if is_question(words):
        return Fill({})
    if len(plain(words).split()) < _WORD_TO_STAFF or _ticket(view).kind == "application":
        return None
    return Fill({}, (AddToTicket(view.text("ticket_code"), words), Say("engine/more_noted")))


def _closes(view: View) -> bool:
    return view.slots.get("ticket_action") == "close"


def _check_sure(_: View, value: Value, __: Reading | None) -> Checked:
    if value is True:
        return Fill({"close_sure": True})
    return Leave((Say("check_ticket/done"),), completed=True)


def _adds(view: View) -> bool:
    return view.slots.get("ticket_action") == "add"


def _code_args(view: View) -> Mapping[str, str]:
    return {"code": view.text("ticket_code")}


def _withdraw(view: View, code: str) -> tuple[Effect, ...]:
    """A sign-up that was sent is taken back by staff alone; nothing else may promise it."""
    promise = first_word(view)
    asked = OpenTicket(
        view.fresh_code(),
        "withdraw_application",
        code,
        promised=promise.until,
        due=promise.day,
        details={"application": code},
    )
    return (asked, Say("check_ticket/withdrawing", {"code": code, "ticket": asked.code, "day": promise.told}))


def _photo_note(view: View, media: tuple[str, ...], caption: str) -> Fill | None:
    """A picture may be what is added to a report."""
    if not _adds(view):
        return None
    attached = view.copy.label("label/attached", count=str(len(media)))
    return Fill({"ticket_note": caption or attached, "note_media": list(media)})


def _note_media(view: View) -> tuple[str, ...]:
    media = view.slots.get("note_media")
    return tuple(media) if isinstance(media, list) else ()


def finish(view: View) -> Outcome:
    """Does what was chosen for the person's own report."""
    code, action = view.text("ticket_code"), view.text("ticket_action")
    if action == "withdraw":
        return Outcome(_withdraw(view, code))
    effects: dict[str, tuple[Effect, ...]] = {
        "add": (
            AddToTicket(code, view.text("ticket_note"), media=_note_media(view)),
            Say("check_ticket/added", {"code": code}),
        ),
        "close": (SetTicketStatus(code, "closed"), Say("check_ticket/closed", {"code": code})),
        "reopen": (SetTicketStatus(code, "open"), Say("check_ticket/reopened", {"code": code})),
        "done": (Say("check_ticket/done"),),
    }
    return Outcome(effects[action])


CHECK_TICKET = Flow(
    name="check_ticket",
    tells_anew=True,
    followed=True,
    prefill=_prefill,
    add_media=_photo_note,
    finish=finish,
    steps=(
        Ask("ticket_code", "ticket_code", check=_check_code, entity="ticket_code", before=_list_mine, picks=_my_codes,
            clears=("ticket_action",)),
        Ask("ticket_action", "pick", picks=_actions, check=_check_action, refused=_heard_at_action, before=_tell),
        Ask("ticket_note", "free", when=_adds),
        Ask("close_sure", "yes_no", when=_closes, check=_check_sure, args=_code_args),
    ),
)  # fmt: skip
