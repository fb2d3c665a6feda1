"""Timers: what a conversation has asked to be told later. A due timer enters the inbox as a message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, func, select

from flows.model import TimerDue
from storage import inbox
from storage.dialects import Insert, PerDialect
from storage.inbox import Accepted
from storage.keyring import Keyring
from storage.prepared import Prepared
from storage.tables import timers


@dataclass(frozen=True, slots=True)
class DueTimer:
    """A timer whose time has come and that has not fired yet."""

    id: int
    conversation: str
    kind: str
    ref: str


def _upsert(statement: Insert) -> Insert:
    return statement.values(
        conversation=bindparam("conversation"),
        kind=bindparam("kind"),
        ref=bindparam("ref"),
        at=bindparam("at"),
    ).on_conflict_do_update(index_elements=["conversation", "kind", "ref"], set_={"at": statement.excluded.at})


_SET = Prepared(PerDialect(timers, _upsert))
_CANCEL = Prepared(
    delete(timers).where(
        timers.c.conversation == bindparam("of"),
        timers.c.kind == bindparam("which"),
        timers.c.ref == bindparam("about"),
    )
)
_DUE = Prepared(
    select(timers.c.id, timers.c.conversation, timers.c.kind, timers.c.ref)
    .where(timers.c.at <= bindparam("now"))
    .order_by(timers.c.at, timers.c.id)
    .limit(bindparam("count"))
)
_TAKE = delete(timers).where(timers.c.id == bindparam("row"), timers.c.at <= bindparam("now"))
_NEXT = select(func.min(timers.c.at))


def set_timer(conn: Connection, *, conversation: str, kind: str, ref: str, at: datetime) -> None:
    """Set or replace the timer of this kind and ref in this conversation."""
    _SET.run(conn, conversation=conversation, kind=kind, ref=ref, at=at)


def cancel_timer(conn: Connection, *, conversation: str, kind: str, ref: str) -> None:
    """Forget a timer; nothing happens when there is none."""
    _CANCEL.run(conn, of=conversation, which=kind, about=ref)


def due(conn: Connection, now: datetime, limit: int) -> list[DueTimer]:
    """Timers whose time has come, the longest overdue first."""
    return [DueTimer(*row) for row in _DUE.all(conn, now=now, count=limit)]


def fire(
    conn: Connection,
    keys: Keyring,
    timer: DueTimer,
    now: datetime,
    *,
    worker: str | None = None,
    lease_until: datetime | None = None,
) -> Accepted | None:
    """Turn a due timer into a message of its conversation; None when it was fired, moved or cancelled meanwhile."""
    if conn.execute(_TAKE, {"row": timer.id, "now": now}).rowcount != 1:
        return None
    return inbox.accept_internal(
        conn,
        keys,
        conversation=timer.conversation,
        key=f"timer/{timer.id}",
        content=TimerDue(timer.kind, timer.ref),
        now=now,
        worker=worker,
        lease_until=lease_until,
    )


def next_due(conn: Connection) -> datetime | None:
    """When the earliest timer comes due; None when there is none."""
    return conn.execute(_NEXT).scalar()
