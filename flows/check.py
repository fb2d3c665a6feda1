"""What `rangkul check` finds wrong with flows and copy: missing keys, dead ends, figures, clumsy sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Final

from flows.copybook import CopyBook, arguments_of
from flows.flow import Ask, Flow
from flows.menu import MENU
from flows.rules.facts import load_facts
from flows.work import Flows

BUTTON_CHARS: Final = 20
"""WhatsApp's reply button title, the shortest of all channels (channels.md 0, 2026-11)."""
OPTIONS_CHARS: Final = 1024
"""An interactive WhatsApp body (channels.md 0.10)."""
_SENTENCE_WORDS: Final = 14
"""Words a sentence may have on average; copy.md asks for about 12."""
_LONG: Final = "Siti Nurhaliza Kusumaningrum Rp1.008.000"
_NOT_BUTTONS: Final = (
    "label/task_", "label/status_", "label/kind_", "label/months_cost", "label/whose_", "label/identity_alert",
    "label/address_", "label/progress", "label/works_", "label/trial", "label/transit_abroad",
    "label/not_given", "label/no_date", "label/never_paid", "label/picture_", "label/heard_",
)  # fmt: skip
_SHUNNED: Final = (
    "Nomor Induk Kependudukan", "melakukan pembayaran", "kepesertaan Anda", "Anda", "menginput", "silakan melakukan",
    "terkait", "guna ", "apabila", "tidak valid", "error", "gagal", "sedang diproses", "pemohon",
    "yang bersangkutan", "ketidaknyamanan",
)  # fmt: skip
_KEY: Final = re.compile(r'"([a-z_]+/[a-z0-9_/]+)"')
_EXAMPLE: Final = re.compile(r"(Contoh( bentuknya| jawaban)?:|Ketik \d|ketik \d|kode Rp)[^\n]*|RK-\w{4}-\w{4}|08\b")
_NUMBER: Final = re.compile(r"\d[\d.]*")
_STRUCTURE: Final = frozenset({"0", "00", "0000", "1", "2", "4", "5", "8", "13", "31"})
"""Numbers about the message, the calendar or the shape of a NIK or phone, not about the programme."""


def problems(flows: Flows, intents: frozenset[str]) -> list[str]:
    """Everything wrong, each in one line; empty when all is well. `intents` are those that understanding knows."""
    found: list[str] = []
    for flow in flows.by_name.values():
        found += _flow_problems(flow, flows.copy, intents)
    found += [f"copy: label/menu_{name} is missing" for name in MENU if not flows.copy.has(f"label/menu_{name}")]
    found += _unknown_keys(flows.copy)
    topics = sorted(name for name in intents if name.startswith("faq/"))
    found += [f"copy: no answer for {topic}" for topic in topics if not flows.copy.has(topic)]
    for key, text in flows.copy.texts.items():
        found += [f"copy: {key}: {problem}" for problem in text_problems(key, text)]
    return [*found, *_figures(_raw_copy())]


def text_problems(key: str, text: str) -> Iterator[str]:
    """What is wrong with one text by itself."""
    if key.startswith("label/"):
        if is_button(key) and not arguments_of(text) and len(text) > BUTTON_CHARS:
            yield f"a button of {len(text)} characters, {BUTTON_CHARS} at most"
        return
    filled = re.sub(r"\{[a-z_]+\}", _LONG, text)
    if len(filled) > OPTIONS_CHARS:
        yield f"{len(filled)} characters with long names, {OPTIONS_CHARS} at most"
    if text.count("?") > 2 or len(re.findall(r"\?\s*$", text, re.MULTILINE)) > 1:
        yield "more than one question"
    yield from (f"says {word!r}" for word in _SHUNNED if word in text)
    sentences = [part.split() for part in re.split(r"[.?!:]\s|\n", text) if part.strip()]
    average = sum(map(len, sentences)) / max(len(sentences), 1)
    if average > _SENTENCE_WORDS:
        yield f"{average:.0f} words a sentence"


def is_button(key: str) -> bool:
    """Whether the label of this key may stand on a button or in a row of a list."""
    return key.startswith("label/") and not key.startswith(_NOT_BUTTONS)


def _flow_problems(flow: Flow, copy: CopyBook, intents: frozenset[str]) -> Iterator[str]:
    if flow.name not in intents:
        yield f"flow {flow.name}: no such intent"
    for key in (f"label/task_{flow.name}", f"label/choice_{flow.name}"):
        if not copy.has(key):
            yield f"flow {flow.name}: copy {key} is missing"
    if flow.read_back and not copy.has(f"{flow.name}/read_back"):
        yield f"flow {flow.name}: copy {flow.name}/read_back is missing"
    slots = [ask.slot for ask in flow.steps]
    for slot in {slot for slot in slots if slots.count(slot) > 1}:
        yield f"flow {flow.name}: two questions fill {slot}"
    for ask in flow.steps:
        yield from _ask_problems(flow, ask, copy)


def _ask_problems(flow: Flow, ask: Ask, copy: CopyBook) -> Iterator[str]:
    wanted = [ask.key or f"{flow.name}/ask_{ask.slot}", f"reject/{ask.kind}"]
    if ask.label:
        wanted.append(f"label/{ask.label}")
    yield from (f"flow {flow.name}: copy {key} is missing" for key in wanted if not copy.has(key))


def _unknown_keys(copy: CopyBook) -> Iterator[str]:
    """Reply keys named in the code that the copy does not have."""
    for source in files("flows").iterdir():
        if not source.name.endswith(".py") or source.name == "check.py":
            continue
        for key in sorted(set(_KEY.findall(source.read_text("utf-8")))):
            if not copy.has(key) and key.split("/")[0] in _sections(copy):
                yield f"{source.name}: copy {key} is missing"


def _sections(copy: CopyBook) -> frozenset[str]:
    return frozenset(key.split("/")[0] for key in copy.texts)


def _raw_copy() -> Mapping[str, str]:
    import yaml

    raw = yaml.safe_load(files("flows").joinpath("copy", "id.yaml").read_text("utf-8"))
    return {key: str(text) for key, text in raw.items()}


def _figures(raw: Mapping[str, str]) -> Iterator[str]:
    """Numbers in copy that are neither dated facts nor about the message itself."""
    known = {str(fact.value) for fact in load_facts().values() if fact.mark != "unsure"} | _STRUCTURE
    for key, text in raw.items():
        if key.startswith("label/"):
            continue
        plain = _EXAMPLE.sub("", re.sub(r"\{[^}]+\}", "", text))
        for number in _NUMBER.findall(plain):
            if number.rstrip(".") not in known:
                yield f"copy: {key}: the figure {number.rstrip('.')} stands in no dated data"
