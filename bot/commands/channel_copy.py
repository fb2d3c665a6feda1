"""What `rangkul check` asks of the copy for each platform: that every message fits, with the longest names and sums,
and that no full identity number is asked for in a chat where that is forbidden.

The messages are made and fitted by the very functions that make and fit them in service.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final

from bot.channels.base import Traits
from bot.config import Config
from bot.fitting import fitted, length, limit_of
from bot.render import BY_LINK, messages_of
from flows.check import BUTTON_CHARS, is_button
from flows.copybook import CopyBook, arguments_of
from flows.flow import Ask, Flow
from flows.format import rupiah_long
from flows.model import Decision, Option, Say, Session, Text
from flows.work import Flows
from nlu.values.region_table import REGIONS
from storage.outbox import Rendered

ROW_CHARS: Final = 24
"""Title of a row in a WhatsApp list, with the number it can be answered by (channels.md 0, 2026-11)."""
_MOST_OPTIONS: Final = 99
_FULL_NUMBERS: Final = frozenset({"nik", "kpj"})
"""Kinds of answers that are whole identity or account numbers."""
_PICTURED: Final = ("calculate_contribution/cost", "check_membership/active", "check_membership/inactive")
_ASKS_IN_CHAT: Final = re.compile(
    r"\b(ketik\w*|tulis\w*|(di)?kirim\w*|sebut\w*|balas|jawab)\b[^.?!\n]*"
    r"\b(nomor\w*|angka\w*|nik|ktp|kpj|spasi)\b",
    re.IGNORECASE,
)
_NAME: Final = "Siti Nurhaliza Kusumaningrum Wulandari Puspitasari"
_SUM: Final = rupiah_long(777_777_777_777)
_DAY: Final = "Rabu, 30 September 2026"
_LINK: Final = f"https://{'layanan-' * 7}rangkul.example.go.id/isi/{'x' * 48}"
_TICKET_LINE: Final = "• RK-7K3Q-9XTM – permintaan bicara petugas, permohonan diterima, belum terdaftar\n"
_LONGEST: Final[Mapping[str, str]] = {
    "sapa": "Bu Kusumaningrumwulandari",
    "text": "Kami sudah cek ke kantor cabang dan bank. " * 100,
    "code": "RK-7K3Q-9XTM",
    "ticket": "RK-7K3Q-9XTM",
    "link": _LINK,
    "nik": "3275••••••••9001",
    "progress": "(12 dari 14)",
    "hail": "Waalaikumsalam",
    "items": "; ".join([_NAME] * 8),
    "transit": "Pesan di sini melewati server milik penyedia aplikasi di luar negeri.\n",
    **dict.fromkeys(("day", "first", "due", "promised", "birth", "until"), _DAY),
    **dict.fromkeys(("amount", "balance", "income", "value"), _SUM),
    **dict.fromkeys(("two", "three", "two_normal", "three_normal", "jkk", "jkm", "jht"), "Rp777.777.777"),
}
"""The longest that each argument gets; for one not named here, `_NAME`."""
_LONGEST_LINES: Final[Mapping[str, str]] = {
    "check_ticket/yours": _TICKET_LINE * 5,
    "check_ticket/history": f"• {_DAY}: {'kata dari warga, ' * 120}\n" * 3,
    "check_membership/payments": f"• September 2026: {_SUM}\n" * 3,
}
_READ_BACK_LINES: Final = "".join(f"{place}. Penghasilan sebulan: {_SUM}\n" for place in range(1, 15))
_UNBOUNDED: Final = frozenset({"text", "lines", "items"})
"""Arguments that hold as much as somebody wrote; their messages may be cut into several."""


def problems(flows: Flows, by_channel: Mapping[str, Traits]) -> Iterator[str]:
    """Everything that does not fit a channel or its rules, each in one line; nothing when all is well."""
    copy = flows.copy
    for key in copy.texts:
        if key.startswith("label/"):
            yield from _label_problems(copy, key)
        elif BY_LINK in key:
            yield from _variant_problems(copy, key)
    yield from _region_problems()
    for flow in flows.by_name.values():
        yield from _form_problems(flow)
    asked = _asked_by_form(flows)
    for name, traits in by_channel.items():
        for key in copy.texts:
            if not key.startswith("label/") and BY_LINK not in key:
                found = _unfit(copy, key, asked.get(key, ""), traits)
                yield from (f"{name}: copy: {key}: {problem}" for problem in found)


def platforms(config: Config) -> Mapping[str, Traits]:
    """The platforms of the program, as they are under these settings."""
    from bot.channels.traits import traits_of

    return {name: traits_of(name, config) for name in ("telegram", "whatsapp")}


# ── labels and variants ──────────────────────────────────────────────────────────────────────────


def _label_problems(copy: CopyBook, key: str) -> Iterator[str]:
    if not is_button(key) or arguments_of(copy.texts[key]):
        return
    title = copy.texts[key]
    if length(title) > BUTTON_CHARS:
        yield f"copy: {key}: a button of {length(title)} characters, {BUTTON_CHARS} at most"
    row = f"{_MOST_OPTIONS}. {title}"
    if length(row) > ROW_CHARS:
        yield f"copy: {key}: a list row of {length(row)} characters with its number, {ROW_CHARS} at most"


def _variant_problems(copy: CopyBook, key: str) -> Iterator[str]:
    """Words for a link say the same as those that they stand for, and name the link."""
    stem, _, rest = key.partition(BY_LINK)
    if rest or not copy.has(stem):
        yield f"copy: {key}: there is no {stem} that it could stand for"
        return
    own, other = arguments_of(copy.texts[key]), arguments_of(copy.texts[stem])
    if "link" not in own:
        yield f"copy: {key}: has no {{link}}"
    if own - {"link"} != other:
        yield f"copy: {key}: has not the placeholders of {stem}: {', '.join(sorted((own - {'link'}) ^ other))}"


def _region_problems() -> Iterator[str]:
    """Places of one name are offered as buttons under their own names."""
    names: dict[str, list[str]] = {}
    for region in REGIONS.values():
        title = region.replace("Kabupaten ", "Kab. ")
        names.setdefault(title.partition(" ")[2], []).append(title)
    twins = (title for titles in names.values() for pair in combinations(titles, 2) for title in pair)
    yield from (f"region {title!r}: too long for a button" for title in twins if length(title) > BUTTON_CHARS)


# ── identity numbers ─────────────────────────────────────────────────────────────────────────────


def _asked_by_form(flows: Flows) -> dict[str, str]:
    """The slot of every key that can be said while a question stands open that the one-field page can take."""
    asks = [(flow, ask) for flow in flows.by_name.values() for ask in flow.steps if ask.form]
    return {key: ask.slot for flow, ask in asks for key in _said(flows.copy, flow, ask)}


def _form_problems(flow: Flow) -> Iterator[str]:
    for ask in flow.steps:
        if ask.kind in _FULL_NUMBERS and not ask.form:
            yield f"flow {flow.name}: {ask.slot} is a whole number of identity and has no one-field page"


def _said(copy: CopyBook, flow: Flow, ask: Ask) -> list[str]:
    """Every key that can be said while this question stands open, in place of it."""
    question = ask.key or f"{flow.name}/ask_{ask.slot}"
    rejects = [key for key in copy.texts if key == f"reject/{ask.kind}" or key.startswith(f"reject/{ask.kind}/")]
    keys = [question, f"{question}/2", *rejects, "engine/second_miss", "engine/still_stuck"]
    return [key for key in keys if copy.has(key) and BY_LINK not in key]


# ── messages ─────────────────────────────────────────────────────────────────────────────────────


def _unfit(copy: CopyBook, key: str, form: str, traits: Traits) -> Iterator[str]:
    """What is wrong with one message on a channel: as it stands, and with the longest list to choose from."""
    unbounded = bool(_UNBOUNDED & arguments_of(copy.texts[key]))
    message = _message(copy, key, form, traits, ())
    if form and traits.ids_by_link:
        yield from _chat_problems(message)
    yield from _too_long(message, fitted((message,), traits, copy), traits, several=unbounded)
    if unbounded and not key.endswith("/read_back"):
        return
    asking = _message(copy, key, form, traits, _options(copy))
    pieces = fitted((asking,), traits, copy)
    yield from _too_long(asking, pieces, traits, several=unbounded)
    question = asking.text.rpartition("\n")[2]
    if question not in pieces[-1].text:
        yield f"its question of {length(question)} characters is cut away from what there is to press"


def _message(copy: CopyBook, key: str, form: str, traits: Traits, options: tuple[Option, ...]) -> Rendered:
    say = Say(key, _arguments(copy, key), options=options, number=_MOST_OPTIONS, form=form, picture=_picture(key))
    link_for = (lambda _slot, _number: _LINK) if traits.ids_by_link else None
    (message,) = messages_of(copy, Decision(Session(), (say,)), Text(""), link_for=link_for)
    return message


def _too_long(message: Rendered, pieces: Sequence[Rendered], traits: Traits, *, several: bool) -> Iterator[str]:
    if len(pieces) > 1 and not several:
        asking = " with options" if message.options else ""
        yield f"{length(message.text)} characters{asking} with the longest names: more than one message"
    for piece in pieces:
        if length(piece.text) > limit_of(piece, traits):
            yield f"a message of {length(piece.text)} characters, {limit_of(piece, traits)} at most"


def _chat_problems(message: Rendered) -> Iterator[str]:
    if _LINK not in message.text:
        yield "asks for a whole identity number without the link to our page"
    sentences = re.split(r"(?<=[.?!])\s|\n", message.text)
    yield from (
        f"asks to type an identity number in the chat: {sentence!r}"
        for sentence in sentences
        if _ASKS_IN_CHAT.search(sentence) and "halaman" not in sentence
    )


def _picture(key: str) -> str:
    return "a picture" if key.startswith(_PICTURED) else ""


def _options(copy: CopyBook) -> tuple[Option, ...]:
    """A question's longest list."""
    titles = sorted(copy.texts[key] for key in copy.texts if key.startswith("label/category_"))
    return tuple(Option(title, f"answer:{place}") for place, title in enumerate(titles))


def _arguments(copy: CopyBook, key: str) -> dict[str, str]:
    lines = _LONGEST_LINES.get(key, _READ_BACK_LINES).rstrip("\n")
    wanted = arguments_of(copy.texts[key]) | arguments_of(copy.texts.get(f"{key}{BY_LINK}", ""))
    given = {name: _LONGEST.get(name, _NAME) for name in wanted}
    if "lines" in given:
        given["lines"] = lines
    return {**given, "progress": _LONGEST["progress"]}
