"""What must be true when a storm is over, checked in the database itself and against what the visitors know."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select

from storage import conversations as conversation_store
from storage.database import open_database
from storage.keyring import Keyring
from storage.tables import (
    application_receipts,
    applications,
    codes,
    consents,
    conversations,
    events,
    inbox,
    outbox,
    tickets,
)
from storm.kills import Storm
from storm.service import Ground
from storm.visitors import Journey

SHOWN = 20
"""Violations that are told in full."""


@dataclass(slots=True)
class Verdict:
    """The figures of one storm and everything that was wrong."""

    figures: dict[str, int] = field(default_factory=dict)
    stretches: list[dict[str, float | int | str]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def demand(self, holds: bool, violation: str) -> None:
        """Something that must hold."""
        if not holds:
            self.violations.append(violation)


async def judge(ground: Ground, storm: Storm) -> Verdict:
    """Reads the database that the storm has left."""
    verdict = Verdict()
    journeys = storm.world.journeys
    database = open_database(ground.database_url, create=False)
    try:
        await database.read(lambda conn: _judge(conn, ground, journeys, verdict))
        if database.dialect == "sqlite":
            await database.read(lambda conn: sound_file(conn, verdict))
    finally:
        await database.close()
    unbroken(ground, verdict)
    twice = _handed_over_twice(ground, storm)
    for stretch in storm.stretches:
        restarts = sorted(stretch.restarts_s)
        verdict.stretches.append(
            {
                "where": stretch.where,
                "kills": stretch.kills,
                "restart_median_s": round(restarts[len(restarts) // 2], 2) if restarts else 0.0,
                "handed_to_channel_twice": twice[stretch.where],
            }
        )
    figures = verdict.figures
    figures["seconds"] = round(storm.took_s)
    figures["kills"] = sum(stretch.kills for stretch in storm.stretches)
    figures["requests that met a dead process"] = storm.world.refused_connections
    figures["replies shown twice on a page"] = sum(journey.shown_twice for journey in journeys)
    verdict.demand(figures["replies shown twice on a page"] == 0, "a page was given a reply twice")
    return verdict


def _judge(conn: Connection, ground: Ground, journeys: Sequence[Journey], verdict: Verdict) -> None:
    keys = ground.keys
    rows = rows_of(conn, select(inbox))
    by_dedupe = {row.dedupe: row for row in rows}
    replies = rows_of(conn, select(outbox).order_by(outbox.c.id))
    of_message = defaultdict(list)
    for reply in replies:
        of_message[reply.inbox_id].append(reply)
    talks = _talks(keys, journeys, by_dedupe, verdict)
    _messages(rows, journeys, verdict)
    _replies(rows, of_message, talks, verdict)
    handled_once(conn, keys, rows, of_message, verdict)
    _records(conn, journeys, talks, verdict)
    verdict.figures["journeys"] = len(journeys)
    verdict.figures["messages taken (202)"] = sum(len(journey.taken) for journey in journeys)
    verdict.figures["redeliveries after 202"] = sum(journey.redelivered for journey in journeys)
    verdict.figures["inbox rows"] = len(rows)
    verdict.figures["replies"] = len(replies)
    if ground.pushed:
        handed_over = {int(line.split()[0]) for line in ground.sends.read_bytes().splitlines()}
        lost = len({reply.id for reply in replies} - handed_over)
        verdict.demand(lost == 0, f"{lost} replies marked as sent were never handed to the channel")


def _talks(
    keys: Keyring, journeys: Sequence[Journey], by_dedupe: dict[bytes, Any], verdict: Verdict
) -> dict[str, Journey]:
    """Which journey is which conversation; every accepted message is found, in one conversation a journey."""
    talks: dict[str, Journey] = {}
    for number, journey in enumerate(journeys):
        visit = keys.lookup("web_visit", journey.token).hex()
        found = [by_dedupe.get(keys.lookup("message", f"web|{visit}:{message}")) for message in journey.taken]
        lost = sum(row is None for row in found)
        verdict.demand(lost == 0, f"journey {number}: {lost} accepted messages are not in the inbox")
        held_in = {row.conversation for row in found if row is not None}
        verdict.demand(len(held_in) <= 1, f"journey {number}: spread over {len(held_in)} conversations")
        order = [row.id for row in found if row is not None]
        verdict.demand(order == sorted(order), f"journey {number}: messages stored out of order")
        verdict.demand(journey.finished, f"journey {number}: stuck: {journey.trouble}")
        for conversation in held_in:
            verdict.demand(conversation not in talks, f"conversation {conversation} is of two journeys")
            talks[conversation] = journey
    return talks


def _messages(rows: Sequence[Any], journeys: Sequence[Journey], verdict: Verdict) -> None:
    taken = sum(len(journey.taken) for journey in journeys)
    verdict.demand(len(rows) == taken, f"{len(rows)} inbox rows for {taken} accepted messages")
    states = Counter(row.status for row in rows)
    verdict.demand(set(states) == {"done"}, f"inbox rows by state: {dict(states)}")
    # A message may be in hand at several deaths; it must not be given up for that.
    verdict.figures["messages in hand at two deaths or more"] = sum(row.deaths > 1 for row in rows)
    leased = sum(row.lease_until is not None for row in rows)
    verdict.demand(leased == 0, f"{leased} handled messages are still held")


def _replies(
    rows: Sequence[Any], of_message: dict[int, list[Any]], talks: dict[str, Journey], verdict: Verdict
) -> None:
    unanswered = [row.id for row in rows if not of_message[row.id]]
    verdict.demand(not unanswered, f"{len(unanswered)} messages without a reply: {unanswered[:5]}")
    every = [reply for replies in of_message.values() for reply in replies]
    states = Counter(reply.status for reply in every)
    verdict.demand(set(states) == {"sent"}, f"replies by state: {dict(states)}")
    retried = sum(reply.attempts > 0 for reply in every)
    verdict.demand(retried == 0, f"{retried} replies were counted as failed")
    for inbox_id, replies in of_message.items():
        numbers = sorted(reply.n for reply in replies)
        verdict.demand(numbers == list(range(len(replies))), f"message {inbox_id}: replies numbered {numbers}")
    stored = defaultdict(list)
    for reply in sorted(every, key=lambda reply: reply.id):
        stored[reply.conversation].append(reply)
    for conversation, journey in talks.items():
        ids = {reply.id for reply in stored[conversation]}
        verdict.demand(
            ids == journey.seen.keys(),
            f"conversation {conversation}: {len(ids)} replies stored, {len(journey.seen)} seen by its page",
        )
        order = [(reply.inbox_id, reply.n) for reply in stored[conversation]]
        verdict.demand(order == sorted(order), f"conversation {conversation}: replies out of order")


def handled_once(
    conn: Connection, keys: Keyring, rows: Sequence[Any], of_message: dict[int, list[Any]], verdict: Verdict
) -> None:
    """Every message has had one turn, and every session opens."""
    turns = Counter(row.inbox_id for row in rows_of(conn, select(events.c.inbox_id).where(events.c.kind == "turn")))
    doubled = [inbox_id for inbox_id, count in turns.items() if count != 1]
    verdict.demand(not doubled, f"messages with more than one turn: {doubled[:5]}")
    verdict.demand(len(turns) == len(rows), f"{len(turns)} turns for {len(rows)} messages")
    handled = Counter(row.conversation for row in rows)
    for row in rows_of(conn, select(conversations.c.id, conversations.c.version)):
        verdict.demand(
            row.version == handled[row.id],
            f"conversation {row.id}: version {row.version} after {handled[row.id]} messages",
        )
        conversation_store.peek(conn, keys, row.id)  # raises when the session cannot be opened and read


def _records(conn: Connection, journeys: Sequence[Journey], talks: dict[str, Journey], verdict: Verdict) -> None:
    told = Counter(code for journey in journeys for code in journey.codes)
    verdict.demand(all(count == 1 for count in told.values()), "one code was told in two conversations")
    stored = {row.code: row.record for row in rows_of(conn, select(codes))}
    verdict.demand(
        stored.keys() == told.keys(), f"{len(stored)} records stored, {len(told)} told: {_apart(stored, told)}"
    )
    opened = {row.code: row for row in rows_of(conn, select(tickets.c.code, tickets.c.kind, tickets.c.conversation))}
    receipts = {row.code: row for row in rows_of(conn, select(application_receipts))}
    verdict.demand(opened.keys() | receipts.keys() == stored.keys(), "a code without its record")
    for conversation, journey in talks.items():
        kinds = sorted(row.kind for row in opened.values() if row.conversation == conversation)
        verdict.demand(kinds == ["complaint", "handover"], f"conversation {conversation}: tickets {kinds}")
        signed = sum(row.conversation == conversation for row in receipts.values())
        verdict.demand(signed == 1, f"conversation {conversation}: {signed} sign-ups")
        wrong = [code for code, task in journey.codes.items() if (code in receipts) != (task == "sign-up")]
        verdict.demand(not wrong, f"conversation {conversation}: told {wrong} for something else")
    live = conn.execute(select(func.count()).select_from(applications)).scalar_one()
    people = len({journey.nik for journey in journeys if "sign-up" in journey.codes.values()})
    verdict.demand(live == people, f"{live} applications for {people} NIKs")
    given = Counter(row.conversation for row in rows_of(conn, select(consents.c.conversation)))
    verdict.demand(set(given.values()) <= {1}, f"consents recorded more than once: {given.most_common(3)}")
    verdict.figures |= {"applications": live, "sign-ups": len(receipts), "tickets": len(opened)}


def unbroken(ground: Ground, verdict: Verdict) -> None:
    """A turn, a send or a loop that failed by itself has nothing to do with being killed."""
    failures: Counter[str] = Counter()
    for path in sorted(ground.folder.glob("service-*.log")):
        for line in path.read_text("utf-8").splitlines():
            if line.startswith("{"):
                told = msgspec.json.decode(line)
                failures[told["event"]] += told["level"] == "error"
            failures["Traceback"] += line.startswith("Traceback")
    for event, count in (+failures).items():
        verdict.demand(False, f"{count} times {event} in the logs of the service")


def sound_file(conn: Connection, verdict: Verdict) -> None:
    """The SQLite file is whole."""
    sound = conn.exec_driver_sql("PRAGMA integrity_check").scalars().all()
    verdict.demand(sound == ["ok"], f"integrity_check: {sound[:3]}")
    orphans = conn.exec_driver_sql("PRAGMA foreign_key_check").all()
    verdict.demand(not orphans, f"foreign_key_check: {len(orphans)} rows")


def _handed_over_twice(ground: Ground, storm: Storm) -> Counter[str]:
    """Replies that a channel was given again, by the kind of kill during which they were given first."""
    data = ground.sends.read_bytes()
    first: dict[int, str] = {}
    twice: Counter[str] = Counter()
    position = 0
    for line in data.splitlines(keepends=True):
        where = next((one.where for one in storm.stretches if position < one.sends_to), "random")
        row = int(line.split()[0])
        if row in first:
            twice[first[row]] += 1
        first.setdefault(row, where)
        position += len(line)
    return twice


def rows_of(conn: Connection, statement: Any) -> Sequence[Any]:
    """All rows."""
    return conn.execute(statement).all()


def _apart(stored: Iterable[str], told: Iterable[str]) -> str:
    return ", ".join(sorted(set(stored) ^ set(told))[:SHOWN])
