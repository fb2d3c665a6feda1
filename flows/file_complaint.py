"""file_complaint: the trouble in the person's own words first; everything else only where the case needs it.

Name optional and identity kept confidential (Perpres 76/2013, domain.md 6.2); classes and days of domain.md 6.4.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

from flows.flow import Ask, Checked, Fill, Flow, Leave, Outcome, Pick, Rejected, View, said
from flows.format import day_and_date, long_date, mask_nik
from flows.model import AddToTicket, Effect, MyTickets, OpenTicket, Say, SenderIsMember, TicketFacts, Value
from flows.promises import by_end_of
from flows.rules.complaints import first_response_date, promised_date, rule_for
from flows.wishes import FRAUD, wish_in
from flows.wording import plain
from nlu.understanding import Understanding
from nlu.values import Reading, Refusal

CATEGORIES: Final = (
    "contribution_not_recorded", "balance_mismatch", "wrong_data", "payment_failed", "claim_delayed",
    "claim_rejected", "hospital_refused", "app_problem", "card_not_received", "staff_service",
    "company_not_registering", "extortion_or_fraud", "other",
)  # fmt: skip
_NONE_OF_THESE: Final = said("bukan, tidak, gak ada, ga ada, nggak ada, tidak ada, lainnya, yang lain, beda")
_NAMELESS: Final = said(
    "tanpa nama, jangan pake nama, jangan pakai nama, gak usah pake nama, tidak usah pakai nama, anonim, "
    "rahasiakan nama"
)
RECEIPTS: Final = frozenset({"contribution_not_recorded", "payment_failed"})
"""A picture of the receipt tells when it happened."""
_TELLING_WORDS: Final = 4
_FOLLOWS: Final = re.compile(r"\b(nanti|menyusul|nyusul|besok|di rumah|dirumah|belum sempat|cari dulu)\b")
_DETAILS: Final = frozenset({"date", "money"})
_ABOUT: Final = frozenset({"month_only", "year_only", "vague"})
_MORE_WORDS: Final = 3
_SURELY_TELLING: Final = 7
_LIKELY: Final = 0.45
_SURE: Final = 0.6
_ANONYMOUS: Final = "anonymous"
_ONE_OF_ITS_KIND: Final = frozenset({"other", "hospital_refused"})
"""Kinds of which one under way says nothing about the next: anything at all, and what cannot wait for a question."""
_UNDER_WAY: Final = frozenset({"open", "waiting"})
_SAME: Final = (
    Pick(True, "yes", said("tambahkan, tambahin, tambah aja, gabung, gabungin, gabungkan, yang itu, itu aja, sama")),
    Pick(False, "no", said("laporan baru, bikin baru, buat baru, baru aja, yang baru, beda, beda lagi, lain")),
)


def _prefill(view: View, understanding: Understanding) -> Mapping[str, Value]:
    """An opening message that tells the trouble is its description."""
    words = len(plain(understanding.text).split())
    if words < _TELLING_WORDS or (words < _SURELY_TELLING and understanding.categories[0].confidence < _LIKELY):
        return {}
    return {"description": understanding.text, **_guessed(view, understanding)}


def _guessed(view: View, understanding: Understanding | None) -> Mapping[str, Value]:
    """The category when it is sure; otherwise the two likeliest, to be offered."""
    if understanding is None or "complaint_category" in view.slots:
        return {}
    best = understanding.categories[0]
    if best.confidence >= _SURE:
        return {"complaint_category": best.name}
    return {"likely": [ranked.name for ranked in understanding.categories if ranked.name != "other"][:2]}


def _heard(view: View) -> tuple[Say, ...]:
    """The trouble is named before anything is asked."""
    if not view.text("description"):
        return ()
    own = f"file_complaint/heard_{view.text('complaint_category')}"
    return (Say(own if view.copy.has(own) else "file_complaint/heard"),)


def _add_to_description(view: View, words: str) -> Fill | None:
    """More of the story in the middle of the questions belongs to the story."""
    told = view.text("description")
    if _rule_needs_identity(view) and any(word in plain(words) for word in _NAMELESS):
        return Fill({}, (Say("file_complaint/name_needed"),))
    if not told or len(plain(words).split()) < _MORE_WORDS:
        return None
    more: dict[str, Value] = {"description": f"{told}\n{words}"}
    if wish_in(words) == FILE_COMPLAINT.name and view.text("complaint_category") != FRAUD:
        return Fill({**more, "complaint_category": FRAUD}, (Say(f"file_complaint/heard_{FRAUD}"),))
    return Fill(more, (Say("engine/more_noted"),))


def _check_description(view: View, value: Value, _: Reading | None) -> Checked:
    if not isinstance(value, str) or len(plain(value).split()) < 2:
        return Rejected("file_complaint/too_short")
    guessed = _guessed(view, view.turn.understanding)
    return Fill({"description": value, **guessed}, () if value == view.opening else _after_telling(guessed))


def _keep_photo(view: View, media: tuple[str, ...], _: str) -> Fill:
    """A receipt may come before the story."""
    evidence = view.slots.get("evidence")
    kept = evidence if isinstance(evidence, list) else []
    return Fill({"evidence": [*kept, *media]}, (Say("engine/photo_kept"),))


def _after_telling(guessed: Mapping[str, Value]) -> tuple[Say, ...]:
    """Where help cannot wait for the form, it is said at once."""
    urgent = guessed.get("complaint_category") == "hospital_refused"
    return (Say("file_complaint/heard_hospital_refused"),) if urgent else ()


def _is_not_urgent(view: View) -> bool:
    return view.text("complaint_category") != "hospital_refused"


def _likely(view: View) -> tuple[Pick, ...]:
    """The two likeliest first; all of them once the first two were refused."""
    likely = view.slots.get("likely")
    if isinstance(likely, list):
        return (*(Pick(name, f"category_{name}") for name in likely), Pick("", "category_none", _NONE_OF_THESE))
    return tuple(Pick(name, f"category_{name}") for name in CATEGORIES)


def _check_category(_: View, value: Value, __: Reading | None) -> Checked:
    if value == "":
        return Fill({"likely": None})
    return Fill({"complaint_category": value})


def _open_one(view: View) -> TicketFacts | None:
    """The newest complaint of this kind that the person has under way, on whatever channel they filed it."""
    category = view.text("complaint_category")
    if not category or category in _ONE_OF_ITS_KIND:
        return None
    mine = view.fact(MyTickets())
    filed = mine if isinstance(mine, tuple) else ()
    same = (ticket for ticket in filed if (ticket.kind, ticket.category) == ("complaint", category))
    return next((ticket for ticket in same if ticket.status in _UNDER_WAY), None)


def _has_open_one(view: View) -> bool:
    return _open_one(view) is not None


def _open_one_args(view: View) -> Mapping[str, str]:
    ticket = _open_one(view)
    assert ticket
    return {"code": ticket.code, "what": view.copy.label(f"label/category_{ticket.category}")}


def _check_same(view: View, value: Value, _: Reading | None) -> Checked:
    """The words and pictures join the complaint that is under way, or this becomes one of its own."""
    ticket = _open_one(view)
    if value is not True or ticket is None:
        return Fill({"same_report": False})
    added = AddToTicket(ticket.code, view.text("description"), media=_evidence(view))
    return Leave((Say("file_complaint/added_to_open", {"code": ticket.code}),), (added,), completed=True)


def _evidence(view: View) -> tuple[str, ...]:
    evidence = view.slots.get("evidence")
    return tuple(evidence) if isinstance(evidence, list) else ()


def _rule_needs_identity(view: View) -> bool:
    return rule_for(view.text("complaint_category") or "other").needs_identity


def _needs_nik(view: View) -> bool:
    """Only where the case cannot be worked without, and the sender's phone does not already tell."""
    if not _rule_needs_identity(view):
        return False
    phone = view.turn.sender.phone
    return not (phone and view.fact(SenderIsMember(phone)) is True)


def _asks_name(view: View) -> bool:
    """Staff can answer in the chat: a name is asked only where nobody stands behind the message."""
    return view.turn.sender.phone is None


def _asks_when(view: View) -> bool:
    receipt = view.slots.get("evidence") and view.text("complaint_category") in RECEIPTS
    return not receipt and _is_not_urgent(view)


def _check_date(view: View, value: Value, _: Reading | None) -> Checked:
    if isinstance(value, str) and date.fromisoformat(value) > view.today:
        return Rejected("reject/date/future")
    return Fill({"date": value})


def _about_when(view: View, refusal: Refusal) -> Fill | None:
    """A month or "awal bulan" is all that many remember: it joins the story, and no day is needed."""
    understanding = view.turn.understanding
    if refusal.reason not in _ABOUT or understanding is None:
        return None
    return Fill({"date": None, "description": f"{view.text('description')}\n{understanding.text}"})


def _later(view: View, _: Refusal) -> Fill | None:
    """Evidence may follow later, with the code; how much and when it was belongs to the story."""
    understanding = view.turn.understanding
    if understanding is None:
        return None
    if _FOLLOWS.search(plain(understanding.text)):
        return Fill({"evidence": None}, (Say("file_complaint/evidence_later"),))
    told = [entity for entity in understanding.entities if entity.entity in _DETAILS]
    if not told or not view.text("description"):
        return None
    story: dict[str, Value] = {"description": f"{view.text('description')}\n{understanding.text}"}
    days = [str(entity.value) for entity in told if entity.entity == "date"]
    if len(days) == 1 and date.fromisoformat(days[0]) <= view.today:
        story["date"] = days[0]
    return Fill(story, (Say("engine/more_noted"),))


def _show_media(view: View, value: Value) -> str:
    return view.copy.label("label/attached", count=str(len(value))) if isinstance(value, list) else ""


def _show_description(_: View, value: Value) -> str:
    words = " ".join(str(value).split())
    return words if len(words) <= _SHOWN_CHARS else f"{words[:_SHOWN_CHARS].rsplit(' ', 1)[0]} …"


_SHOWN_CHARS: Final = 160


def _ways(view: View) -> tuple[Pick, ...]:
    """Sending without a name is offered wherever the case can be worked so."""
    return () if _rule_needs_identity(view) else (Pick(_ANONYMOUS, "send_anonymous", _NAMELESS),)


def finish(view: View) -> Outcome:
    """Opens the ticket and says by which working day what will happen."""
    category = view.text("complaint_category")
    rule = rule_for(category)
    code = view.fresh_code()
    due = promised_date(category, view.turn.now, view.calendar)
    first = first_response_date(category, view.turn.now, view.calendar)
    anonymous = view.text("send_as") == _ANONYMOUS
    details = {"happened": view.text("date"), "nik": view.text("nik")}
    ticket = OpenTicket(
        code,
        "complaint",
        view.text("description"),
        category=category,
        priority=rule.priority,
        promised=by_end_of(view, first).until,
        due=due,
        name="" if anonymous else view.text("person_name"),
        details={} if anonymous else {key: value for key, value in details.items() if value},
        media=_evidence(view),
        restricted=rule.restricted,
        anonymous=anonymous,
    )
    args = {"code": code, "first": day_and_date(first), "due": day_and_date(due)}
    key = "filed_urgent" if rule.priority == "urgent" else "filed"
    says: tuple[Effect, ...] = (Say(f"file_complaint/{key}", args),)
    if view.turn.sender.phone is None:
        says = (*says, Say("file_complaint/keep_code"))
    if view.copy.has(f"file_complaint/after_{category}"):
        says = (*says, Say(f"file_complaint/after_{category}"))
    return Outcome((ticket, *says))


FILE_COMPLAINT = Flow(
    name="file_complaint",
    followed=True,
    read_back=True,
    prefill=_prefill,
    opened=_heard,
    add_words=_add_to_description,
    add_media=_keep_photo,
    send_picks=_ways,
    finish=finish,
    steps=(
        Ask("description", "free", check=_check_description, show=_show_description, label="description",
            names=("cerita", "masalah", "keluhan", "kejadiannya")),
        Ask("complaint_category", "pick", picks=_likely, check=_check_category, label="category",
            names=("jenis", "kategori"), clears=("same_report",)),
        Ask("same_report", "yes_no", when=_has_open_one, picks=lambda _: _SAME, check=_check_same, args=_open_one_args,
            counted=False),
        Ask("nik", "nik", when=_needs_nik, entity="nik", show=lambda _, nik: mask_nik(str(nik)), form=True,
            skippable=True, names=("nik", "ktp", "nomor ktp"), label="nik"),
        Ask("evidence", "media", when=_is_not_urgent, refused=_later, skippable=True, show=_show_media,
            label="evidence", names=("bukti", "foto")),
        Ask("date", "date", when=_asks_when, check=_check_date, refused=_about_when, skippable=True, entity="date",
            label="happened", show=lambda _, day: long_date(date.fromisoformat(str(day))),
            names=("tanggal", "kapan", "hari")),
        Ask("person_name", "person_name", when=_asks_name, skippable=True, fresh=True, entity="person_name",
            label="name", names=("nama",)),
    ),
)  # fmt: skip
