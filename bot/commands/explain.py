"""`rangkul explain MESSAGE`: why the bot said that, from the record of the turn.

MESSAGE is the number of a message in the inbox (as in the logs), or the code of a ticket or a sign-up: then every
turn of that conversation is told.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TypeAlias

import msgspec
from sqlalchemy import Connection

from bot.commands.opening import Records, command_parser, open_records, settings_of
from bot.commands.times import office_time
from flows.format import code_groups
from flows.model import Trace
from storage import events, outbox, tickets
from storage.events import Event, OwnerChanged, PeopleJoined, Record, TurnRecord
from storage.outbox import Fate, Outgoing

MASK: Final = "••••"


def main(arguments: Sequence[str]) -> int:
    """Prints what happened, oldest first. 1 when there is no such message."""
    parser = command_parser("explain", __doc__ or "")
    parser.add_argument("message", help="number in the inbox, or a code")
    parser.add_argument("--json", action="store_true")
    return asyncio.run(_run(parser.parse_args(arguments)))


async def _run(given: argparse.Namespace) -> int:
    async with open_records(*settings_of(given)) as records:
        found, sent, fates = await records.db.browse(lambda conn: _find(conn, records, given.message))
    if not found:
        print(f"{given.message}: nothing is recorded under this number or code", file=sys.stderr)
        return 1
    for event in found:
        replies = [row for row in sent if row.inbox_id == event.inbox_id]
        zone = records.config.service.office_zone
        print(as_json(event, replies, fates) if given.json else as_text(event, replies, fates, zone))
    return 0


Fates: TypeAlias = Mapping[int, Fate]
"""What became of replies on their platform, by their ids."""


def _find(conn: Connection, records: Records, message: str) -> tuple[list[Event], list[Outgoing], Fates]:
    if message.isdecimal():
        found = events.by_inbox(conn, records.keys, int(message))
    else:
        conversation = tickets.conversation_of(conn, code_groups(message))
        found = events.of_conversation(conn, records.keys, conversation) if conversation else []
    if not found:
        return [], [], {}
    conversation = found[0].conversation
    replies = list(outbox.whole_conversation(conn, records.keys, conversation))
    return found, replies, outbox.fates(conn, conversation, datetime.now(UTC))


def as_text(event: Event, replies: Sequence[Outgoing], fates: Fates, zone: str) -> str:
    """One event in lines, without the words of the person; its time on the clock of `zone`."""
    lines = [f"#{event.inbox_id}  {office_time(event.at, zone, seconds=True)}  {event.kind}"]
    match event.record:
        case TurnRecord() as turn:
            if turn.intent:
                lines.append(f"  meant: {turn.intent} ({turn.confidence:.2f}, {turn.engine})")
            lines.append(f"  asked before: {turn.step or '-'}")
            for trace in turn.traces:
                value = "" if trace.value is None else f" = {_masked(trace).value}"
                lines.append(f"  {trace.what}: {trace.name}{value}")
            lines.append(f"  effects: {', '.join(turn.effects) or '-'}")
            if turn.timings_ms:
                lines.append("  ms: " + ", ".join(f"{name} {ms:.2f}" for name, ms in turn.timings_ms.items()))
        case OwnerChanged() as change:
            lines.append(f"  owner: {change.before} → {change.after} ({change.reason})")
        case PeopleJoined() as joined:
            lines.append(f"  one person: {joined.gone} is {joined.kept}")
        case None:
            lines.append("  erased")
    if event.kind not in ("owner", "joined"):
        lines += [f"  said: {row.key} [{_fate_of(row, fates)}]" for row in replies]
    return "\n".join(lines)


def _fate_of(row: Outgoing, fates: Fates) -> str:
    fate = fates.get(row.id, Fate())
    told = (row.status, fate.delivery, fate.reason, f"failed tries {row.attempts}")
    return ", ".join(part for part in told if part)


def _masked(trace: Trace) -> Trace:
    """What a person answered is not for whoever looks after the program: yes and no are shown, all else is hidden."""
    if trace.what != "slot_set" or isinstance(trace.value, bool):
        return trace
    return msgspec.structs.replace(trace, value=MASK)


def _without_values(record: Record | None) -> Record | None:
    if not isinstance(record, TurnRecord):
        return record
    return msgspec.structs.replace(record, traces=tuple(_masked(trace) for trace in record.traces))


def as_json(event: Event, replies: Sequence[Outgoing], fates: Fates) -> str:
    """One event as one line of JSON."""
    return json.dumps(
        {
            "inbox_id": event.inbox_id,
            "at": event.at.isoformat(),
            "kind": event.kind,
            "record": msgspec.to_builtins(_without_values(event.record)),
            "said": [
                {
                    "key": row.key,
                    "status": row.status,
                    "failed_tries": row.attempts,
                    "author": row.author,
                    "delivery": fates.get(row.id, Fate()).delivery,
                    "reason": fates.get(row.id, Fate()).reason,
                }
                for row in replies
            ],
        },
        ensure_ascii=False,
    )
