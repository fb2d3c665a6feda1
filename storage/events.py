"""What happened in a conversation: a sealed record of every turn, change of owner and joining of two people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import Connection, Row, bindparam, insert, select

from flows.model import Trace
from storage.keyring import Keyring
from storage.prepared import Prepared
from storage.tables import events


class TurnRecord(msgspec.Struct, frozen=True, tag="turn"):
    """Why the bot did what it did. `effects` are names; `timings_ms` are milliseconds by stage."""

    intent: str = ""
    confidence: float = 0.0
    engine: str = ""
    step: str = ""
    traces: tuple[Trace, ...] = ()
    effects: tuple[str, ...] = ()
    timings_ms: dict[str, float] = {}


class OwnerChanged(msgspec.Struct, frozen=True, tag="owner"):
    """The conversation went from one owner to another: `bot` or a staff id."""

    before: str
    after: str
    reason: str


class PeopleJoined(msgspec.Struct, frozen=True, tag="joined"):
    """Two people of ours turned out to be one: all that was of `gone` is of `kept` from then on."""

    kept: str
    gone: str


Record: TypeAlias = TurnRecord | OwnerChanged | PeopleJoined

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)


@dataclass(frozen=True, slots=True)
class Event:
    """One record. `kind` is turn, parked, owner or joined; `record` is None once it was erased."""

    id: int
    conversation: str
    inbox_id: int
    kind: str
    at: datetime
    record: Record | None


_ADD = Prepared(
    insert(events)
    .values(
        conversation=bindparam("conversation"),
        inbox_id=bindparam("inbox_id"),
        kind=bindparam("kind"),
        at=bindparam("now"),
        record=bindparam("record"),
    )
    .inline()
)
_OF_CONVERSATION = select(events).where(events.c.conversation == bindparam("of")).order_by(events.c.id)
_BY_INBOX = select(events).where(events.c.inbox_id == bindparam("row")).order_by(events.c.id)


def add(
    conn: Connection,
    keys: Keyring,
    *,
    conversation: str,
    inbox_id: int,
    kind: str,
    record: Record,
    now: datetime,
) -> None:
    """Store one record."""
    _ADD.run(
        conn,
        conversation=conversation,
        inbox_id=inbox_id,
        kind=kind,
        now=now,
        record=keys.seal("events", "record", f"{inbox_id}/{kind}", _encoder.encode(record)),
    )


def of_conversation(conn: Connection, keys: Keyring, conversation: str) -> list[Event]:
    """Every record of a conversation, oldest first."""
    return _events(keys, conn.execute(_OF_CONVERSATION, {"of": conversation}))


def by_inbox(conn: Connection, keys: Keyring, inbox_id: int) -> list[Event]:
    """The records that one message caused, oldest first."""
    return _events(keys, conn.execute(_BY_INBOX, {"row": inbox_id}))


def _events(keys: Keyring, rows: Iterable[Row[*tuple[Any, ...]]]) -> list[Event]:
    return [
        Event(
            row.id,
            row.conversation,
            row.inbox_id,
            row.kind,
            row.at,
            _decoder.decode(keys.open("events", "record", f"{row.inbox_id}/{row.kind}", row.record))
            if row.record is not None
            else None,
        )
        for row in rows
    ]
