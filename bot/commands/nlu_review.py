"""`rangkul nlu review`: what people wrote that was not understood, to be labelled and learnt from.

Lists messages that were asked back about, missed, or read with little confidence. Names and numbers are replaced before
anybody sees them; what the readers do not know as a name stays, so whoever labels looks once more and rewrites.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final, TextIO

import msgspec
from sqlalchemy import Connection, select

from bot.commands.opening import Records, open_records, settings_of
from flows.model import Text
from nlu.adding import COMPLAINT, CannotAdd, add_row, known_texts, labels, same_as
from nlu.embedded.train import ensure_trained
from nlu.understand import Embedded, load_embedded
from nlu.values.sentences import read_in_sentence
from storage import events, inbox, tables
from storage.events import TurnRecord

_DONE, _SOME_LEFT_OUT = 0, 1
_STAND_INS: Final = {
    "person_name": "Fulan",
    "phone": "081200000000",
    "nik": "9999999999999999",
    "kpj": "99999999999",
    "ticket_code": "RK-2222-3333",
    "pledge_code": "RK-2222-3333",
    "bill_code": "RK-2222-3333",
}
_LONG_NUMBER = re.compile(r"\d(?:[ .\-/]?\d){4,}")
_WRITTEN_TO = re.compile(r"\S+@\S+|https?://\S+")
_GUESSES: Final = 5
_SCANNED_AT_MOST: Final = 50_000


class Unclear(msgspec.Struct, frozen=True):
    """A message that was not understood: its number in the inbox, its words with stand-ins, why it is here."""

    inbox_id: int
    text: str
    why: str
    intent: str
    confidence: float


def carry_out(given: argparse.Namespace) -> int:
    """0 done; 1 when rows of `--label` could not be added (each is said, the others are in)."""
    if given.label is not None:
        return _label_from(given.label, given.data)
    found, engine = asyncio.run(_unclear(given))
    if given.list:
        print("text\tlabel\twhy")
        for each in found:
            print(f"{each.text}\t\t{each.why}")
        return _DONE
    return ask(found, engine, given.data, sys.stdin)


# ── finding ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def _unclear(given: argparse.Namespace) -> tuple[list[Unclear], Embedded]:
    config, keys = settings_of(given)
    engine = load_embedded(ensure_trained(config.nlu.cache_dir))
    since = datetime.combine(given.since or date.min, datetime.min.time(), UTC)
    clear = config.flow_settings().clear_confidence
    known = known_texts(given.data)
    async with open_records(config, keys) as records:
        found = await records.db.read(
            lambda conn: list(_first(given.limit, not_understood(conn, records, since=since, clear=clear), known))
        )
    return found, engine


def not_understood(conn: Connection, records: Records, *, since: datetime, clear: float) -> Iterator[Unclear]:
    """Messages whose turn shows that they were not understood, newest first, without names and numbers."""
    turns = (
        select(tables.events.c.inbox_id)
        .where(tables.events.c.kind == "turn", tables.events.c.at >= since)
        .order_by(tables.events.c.id.desc())
        .limit(_SCANNED_AT_MOST)
    )
    for inbox_id in conn.execute(turns).scalars().all():
        for event in events.by_inbox(conn, records.keys, inbox_id):
            record = event.record
            if not isinstance(record, TurnRecord) or (why := reason(record, clear)) is None:
                continue
            try:
                content = inbox.load(conn, records.keys, inbox_id).content
            except (KeyError, inbox.Erased):
                continue
            if isinstance(content, Text) and content.text.strip():
                yield Unclear(inbox_id, masked(content.text), why, record.intent, record.confidence)


def reason(record: TurnRecord, clear: float) -> str | None:
    """Why a turn belongs on the list, or None: what filled a slot was understood, however unsure its intent was."""
    noted = {(trace.what, trace.name) for trace in record.traces}
    if ("note", "clarify") in noted:
        return "clarify"
    if any(what == "missed" for what, _ in noted):
        return "missed"
    understood = any(what in {"slot_set", "flow_started", "flow_completed", "flow_cancelled"} for what, _ in noted)
    if record.intent and record.confidence < clear and not understood:
        return "unsure"
    return None


def masked(text: str) -> str:
    """`text` in one line, with stand-ins for the names, numbers and addresses in it."""
    text = " ".join(text.split())
    for found in reversed(read_in_sentence(text, today=date(2026, 1, 1))):
        if found.entity in _STAND_INS:
            text = text[: found.start] + _STAND_INS[found.entity] + text[found.end :]
    text = _WRITTEN_TO.sub("contoh@example.org", text)
    stand_ins = set(_STAND_INS.values())
    return _LONG_NUMBER.sub(lambda m: m[0] if m[0] in stand_ins else re.sub(r"\d", "9", m[0]), text)


def _first(limit: int, found: Iterator[Unclear], known: frozenset[str]) -> Iterator[Unclear]:
    """The first few that say something new."""
    seen = set(known)
    for each in found:
        if limit <= 0:
            return
        if same_as(each.text) not in seen:
            seen.add(same_as(each.text))
            limit -= 1
            yield each


# ── labelling ─────────────────────────────────────────────────────────────────────────────────────────────────────


def ask(found: Sequence[Unclear], engine: Embedded, folder: Path, answers: TextIO) -> int:
    """Shows one after the other and takes a label for each from `answers`; a row is written as soon as it has one."""
    print(
        f"{len(found)} messages. For each: a number or a label; `{COMPLAINT}` before a complaint category;\n"
        "`e WORDS` writes it anew; empty leaves it out; `q` ends."
    )
    known = labels(folder)
    for number, each in enumerate(found, start=1):
        if not _ask_one(f"{number}/{len(found)}", each, engine, known, folder, answers):
            break
    return _DONE


def _ask_one(place: str, each: Unclear, engine: Embedded, known: frozenset[str], folder: Path, answers: TextIO) -> bool:
    """False when the person wants to stop."""
    text = each.text
    while True:
        guesses = [ranked.name for ranked in engine.parse(text, today=date(2026, 1, 1)).ranking][:_GUESSES]
        shown = "  ".join(f"{i} {name}" for i, name in enumerate(guesses, start=1))
        print(f"\n[{place}] {text}\n  was: {each.intent} ({each.confidence:.2f}), {each.why}\n  {shown}\n> ", end="")
        answer = answers.readline()
        if not answer or answer.strip() == "q":
            return False
        answer = answer.strip()
        if not answer:
            return True
        if answer.startswith("e "):
            text = answer[2:].strip()
            continue
        label = guesses[int(answer) - 1] if answer.isdecimal() and 1 <= int(answer) <= len(guesses) else answer
        if label not in known:
            print(f"  {label!r} is no label")
        elif _added(text, label, folder, print):
            return True


def _label_from(path: Path, folder: Path) -> int:
    """Adds the rows of a file of `text`, `label` and whatever else; rows without a label are left out."""
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    if header.split("\t")[:2] != ["text", "label"]:
        print(f"rangkul nlu review: {path}: the header must begin with text and label", file=sys.stderr)
        return _SOME_LEFT_OUT
    rows = [[*line.split("\t"), ""][:2] for line in lines if line.strip()]
    wanted = [(text, label.strip()) for text, label in rows if label.strip()]
    added = [_added(text, label, folder, lambda words: print(words, file=sys.stderr)) for text, label in wanted]
    print(f"{sum(added)} of {len(wanted)} labelled rows added; `rangkul nlu train` learns from them")
    return _DONE if all(added) else _SOME_LEFT_OUT


def _added(text: str, label: str, folder: Path, say: Callable[[str], None]) -> bool:
    try:
        path = add_row(text, label, folder)
    except CannotAdd as problem:
        say(f"  left out: {problem}")
        return False
    say(f"  {path.name}: {label}")
    return True
