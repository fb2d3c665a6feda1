"""The inbox: what has come in, stored before the platform is told so, handled once and in order.

A row is `new`, then `done` or `parked`. A worker holds a `new` row by a lease; when the lease has run out,
anyone may take the row. Within a conversation only the first `new` row can be claimed.

A row that a worker never let go of was left by a process that died or hangs; whoever takes it counts that on the row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

import msgspec
from sqlalchemy import (
    Connection,
    Row,
    bindparam,
    exists,
    func,
    literal_column,
    null,
    or_,
    select,
    update,
)

from flows.model import Content
from storage import senders
from storage.dialects import PerDialect
from storage.ids import Ids
from storage.keyring import Keyring, KeyringError
from storage.prepared import Prepared
from storage.tables import NEW, inbox

PAGE_ROWS = 200

_encoder = msgspec.json.Encoder()
_content_decoder: msgspec.json.Decoder[Content] = msgspec.json.Decoder(Content)


class Erased(LookupError):
    """The row is known, but what it held has been erased."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message from a channel. `phone` is E.164 and only set when the channel vouches for it.

    `also` are other names of the same sender on the platform, as (kind, name), the surest first; `address` is one of
    them. `window_until` is until when the platform lets us write freely because of this message; None: it always does.
    """

    channel: str
    address: str
    external_id: str
    content: Content
    phone: str | None
    received_at: datetime
    also: tuple[tuple[str, str], ...] = ()
    window_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What a platform tells of a message of ours. `outbox_id` is 0 when it did not give our own name of it back.

    `status` is sent, delivered, read or failed. `platform_id` is its name there. `word` says why it failed, and
    `then` what helps: nothing, sending it again, or waiting until the person writes.
    """

    channel: str
    platform_id: str
    status: Literal["sent", "delivered", "read", "failed"]
    outbox_id: int = 0
    word: str = ""
    then: Literal["give_up", "again", "wait_for_person"] = "give_up"


@dataclass(frozen=True, slots=True)
class Blocked:
    """A person has shut the bot out on a platform, or (`blocked` False) let it in again."""

    channel: str
    address: str
    blocked: bool


@dataclass(frozen=True, slots=True)
class Renamed:
    """A sender goes by another name on the platform from now on, such as after a new phone number.

    `old` and `new` are (kind, name); `phone` is the new number, E.164. `window_until` is that of a message which came
    at the same moment: told late or again, it changes nothing that is newer.
    """

    channel: str
    old: tuple[str, str]
    new: tuple[str, str]
    phone: str | None
    window_until: datetime | None = None


Event: TypeAlias = Arrival | Report | Blocked | Renamed
"""Everything that a platform may tell us."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """Where an arrival stands; `duplicate` when it had come before and nothing was changed."""

    inbox_id: int
    conversation: str
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Pending:
    """A stored message to be handled; `attempts` counts the failed ones so far.

    `deaths` counts the processes that died or hung while they held this message.
    """

    inbox_id: int
    conversation: str
    content: Content
    attempts: int
    received_at: datetime
    deaths: int = 0


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A claimed message that cannot be opened, now or ever: erased, changed, or sealed under a key that is gone."""

    inbox_id: int
    conversation: str


@dataclass(frozen=True, slots=True)
class Received:
    """A stored message, for reading back; `content` is None once it was erased, and where it cannot be opened."""

    inbox_id: int
    conversation: str
    content: Content | None
    status: str
    attempts: int
    received_at: datetime
    handled_at: datetime | None


_ADD_ROW = Prepared(
    PerDialect(
        inbox,
        lambda statement: (
            statement.values(
                dedupe=bindparam("dedupe"),
                conversation=bindparam("conversation"),
                content=bindparam("content"),
                status=NEW,
                attempts=literal_column("0"),
                worker=bindparam("worker"),
                lease_until=bindparam("lease_until"),
                received_at=bindparam("received_at"),
            )
            .on_conflict_do_nothing(index_elements=["dedupe"])
            .returning(inbox.c.id)
        ),
    )
)
_FIND_ROW = select(inbox.c.id, inbox.c.conversation).where(inbox.c.dedupe == bindparam("dedupe"))

_earlier = inbox.alias("earlier")
EARLIER_PENDING = exists().where(
    _earlier.c.conversation == inbox.c.conversation,
    _earlier.c.status == NEW,
    _earlier.c.id < inbox.c.id,
)
_FREE = or_(inbox.c.lease_until.is_(None), inbox.c.lease_until <= bindparam("now"))
_CLAIMABLE = Prepared(
    select(
        inbox.c.id,
        inbox.c.dedupe,
        inbox.c.conversation,
        inbox.c.content,
        inbox.c.attempts,
        inbox.c.received_at,
        inbox.c.worker,
        inbox.c.deaths,
    )
    .where(inbox.c.status == NEW, _FREE, ~EARLIER_PENDING)
    .order_by(inbox.c.id)
    .limit(1)
    .with_for_update(of=inbox, skip_locked=True)
)
_TAKE = (
    update(inbox)
    .where(inbox.c.id == bindparam("row"), inbox.c.status == NEW, _FREE)
    .values(worker=bindparam("by"), lease_until=bindparam("until"), deaths=bindparam("died"))
)
_LOAD = select(
    inbox.c.id, inbox.c.dedupe, inbox.c.conversation, inbox.c.content, inbox.c.attempts, inbox.c.received_at
).where(inbox.c.id == bindparam("row"))
_FAIL = (
    update(inbox)
    .where(inbox.c.id == bindparam("row"), inbox.c.status == NEW)
    .values(attempts=inbox.c.attempts + 1, worker=None, lease_until=bindparam("not_before"), deaths=0)
    .returning(inbox.c.attempts)
)
_RELEASE = (
    update(inbox)
    .where(inbox.c.id == bindparam("row"), inbox.c.status == NEW)
    .values(worker=None, lease_until=bindparam("not_before"), deaths=0)
)
_UNHANDLED_AFTER = (
    select(inbox.c.id, inbox.c.dedupe, inbox.c.content)
    .where(inbox.c.conversation == bindparam("of"), inbox.c.id > bindparam("after"), inbox.c.status == NEW)
    .order_by(inbox.c.id)
)
_CLOSE = Prepared(
    update(inbox)
    .where(inbox.c.id == bindparam("row"), inbox.c.status == NEW)
    .values(status=bindparam("outcome"), handled_at=bindparam("now"), worker=null(), lease_until=null())
)
_OF_CONVERSATION = (
    select(inbox)
    .where(inbox.c.conversation == bindparam("of"), inbox.c.id > bindparam("after"))
    .order_by(inbox.c.id)
    .limit(bindparam("count"))
)
_LATEST = (
    select(inbox).where(inbox.c.conversation == bindparam("of")).order_by(inbox.c.id.desc()).limit(bindparam("count"))
)
_NEXT_FREE = select(func.min(func.coalesce(inbox.c.lease_until, inbox.c.received_at))).where(
    inbox.c.status == NEW, ~EARLIER_PENDING
)
_WAITING = select(func.count(), func.min(inbox.c.received_at)).where(inbox.c.status == NEW)


def accept(
    conn: Connection, keys: Keyring, arrival: Arrival, *, ids: Ids, worker: str, lease_until: datetime
) -> Accepted:
    """Store what a channel brought, already claimed by `worker`. Safe to call again with the same message.

    A sender never seen before becomes a person with an address and a conversation. Raises Conflict (through the
    database) when the same new sender is being stored by somebody else at this moment.
    """
    sender, now = _sender_of(arrival), arrival.received_at
    dedupe = keys.lookup("message", f"{arrival.channel}|{arrival.external_id}")
    known, holders = senders.recognise(conn, keys, sender)
    if known is None:
        # Before anybody is made of it: a message may come again when its sender goes by another name.
        if (stored := conn.execute(_FIND_ROW, {"dedupe": dedupe}).first()) is not None:
            return Accepted(stored.id, stored.conversation, duplicate=True)
        conversation = senders.begin(conn, keys, sender, holders, ids=ids, now=now)
    else:
        conversation = known.conversation
    accepted = _store(conn, keys, dedupe, conversation, arrival.content, now, worker, lease_until)
    if known is not None and not accepted.duplicate:
        senders.refresh(conn, keys, sender, known, holders, now=now)
    return accepted


def accept_internal(
    conn: Connection,
    keys: Keyring,
    *,
    conversation: str,
    key: str,
    content: Content,
    now: datetime,
    worker: str | None = None,
    lease_until: datetime | None = None,
) -> Accepted:
    """Store what did not come from the person: a timer, a staff action. `key` is what makes a repeat a duplicate."""
    dedupe = keys.lookup("internal", f"{conversation}|{key}")
    return _store(conn, keys, dedupe, conversation, content, now, worker, lease_until)


def claim_next(
    conn: Connection, keys: Keyring, *, worker: str, now: datetime, lease_until: datetime
) -> Pending | Unreadable | None:
    """Take the oldest message that nobody holds and that is the first unhandled one of its conversation.

    One that cannot be opened is claimed too and told apart, so that the caller sets it aside and the others go on.
    """
    row = _CLAIMABLE.first(conn, now=now)
    if row is None:
        return None
    inbox_id, dedupe, conversation, sealed, attempts, received_at, last_worker, deaths = row
    deaths += 1 if last_worker not in (None, worker) else 0
    taken = conn.execute(_TAKE, {"row": inbox_id, "now": now, "by": worker, "until": lease_until, "died": deaths})
    if taken.rowcount != 1:
        return None
    content = _readable(keys, dedupe, sealed)
    if content is None:
        return Unreadable(inbox_id, conversation)
    return Pending(inbox_id, conversation, content, attempts, received_at, deaths)


def load(conn: Connection, keys: Keyring, inbox_id: int) -> Pending:
    """The stored message, whatever its status. Raises KeyError when there is none, Erased when it was erased."""
    row = conn.execute(_LOAD, {"row": inbox_id}).first()
    if row is None:
        raise KeyError(inbox_id)
    return _pending(keys, *row)


def record_failure(
    conn: Connection, keys: Keyring, inbox_id: int, *, now: datetime, not_before: datetime | None = None
) -> int:
    """Count a failed try and drop the lease; nobody claims the row before `not_before`.

    The number of failed tries, this one included; 0 when the row is no longer waiting.
    """
    attempts = conn.execute(_FAIL, {"row": inbox_id, "not_before": not_before}).scalar()
    return attempts or 0


def release(conn: Connection, inbox_id: int, *, not_before: datetime | None = None) -> None:
    """Drop the lease, so that anybody may claim the row when its turn comes, and not before that moment."""
    conn.execute(_RELEASE, {"row": inbox_id, "not_before": not_before})


def unhandled_after(conn: Connection, keys: Keyring, conversation: str, inbox_id: int) -> list[tuple[int, Content]]:
    """The messages of a conversation that came after this one and still wait, in order; unreadable ones left out."""
    rows = conn.execute(_UNHANDLED_AFTER, {"of": conversation, "after": inbox_id})
    return [(row.id, found) for row in rows if (found := _readable(keys, row.dedupe, row.content)) is not None]


def close(conn: Connection, inbox_id: int, *, outcome: str, now: datetime) -> bool:
    """Mark the row `done` or `parked`; False when it already was."""
    return _CLOSE.run(conn, row=inbox_id, outcome=outcome, now=now) == 1


def of_conversation(
    conn: Connection, keys: Keyring, conversation: str, *, after_id: int = 0, limit: int = 100
) -> list[Received]:
    """What came in, oldest first."""
    rows = conn.execute(_OF_CONVERSATION, {"of": conversation, "after": after_id, "count": limit})
    return [_received(keys, row) for row in rows]


def latest(conn: Connection, keys: Keyring, conversation: str, limit: int) -> list[Received]:
    """The newest `limit` of what came in, oldest first."""
    rows = conn.execute(_LATEST, {"of": conversation, "count": limit})
    return [_received(keys, row) for row in rows][::-1]


def whole_conversation(conn: Connection, keys: Keyring, conversation: str) -> Iterator[Received]:
    """Everything that came in, oldest first, read page by page."""
    after = 0
    while rows := of_conversation(conn, keys, conversation, after_id=after, limit=PAGE_ROWS):
        yield from rows
        after = rows[-1].inbox_id


def next_free(conn: Connection) -> datetime | None:
    """From when on a waiting message can be claimed, past or future; None when all are handled."""
    return conn.execute(_NEXT_FREE).scalar()


def waiting(conn: Connection) -> tuple[int, datetime | None]:
    """How many messages are not handled, and since when the oldest has waited."""
    count, oldest = conn.execute(_WAITING).one()
    return count, oldest


def _sender_of(arrival: Arrival) -> senders.Sender:
    return senders.Sender(
        arrival.channel, arrival.address, arrival.phone, also=arrival.also, window_until=arrival.window_until
    )


def _store(
    conn: Connection,
    keys: Keyring,
    dedupe: bytes,
    conversation: str,
    content: Content,
    received_at: datetime,
    worker: str | None,
    lease_until: datetime | None,
) -> Accepted:
    sealed = keys.seal("inbox", "content", dedupe.hex(), _encoder.encode(content))
    added = _ADD_ROW.first(
        conn,
        dedupe=dedupe,
        conversation=conversation,
        content=sealed,
        worker=worker,
        lease_until=lease_until,
        received_at=received_at,
    )
    if added is not None:
        return Accepted(added[0], conversation, duplicate=False)
    known = conn.execute(_FIND_ROW, {"dedupe": dedupe}).one()
    return Accepted(known.id, known.conversation, duplicate=True)


def _received(keys: Keyring, row: Row[*tuple[Any, ...]]) -> Received:
    return Received(
        row.id,
        row.conversation,
        _readable(keys, row.dedupe, row.content),
        row.status,
        row.attempts,
        row.received_at,
        row.handled_at,
    )


def _open(keys: Keyring, dedupe: bytes, sealed: bytes) -> Content:
    return _content_decoder.decode(keys.open("inbox", "content", dedupe.hex(), sealed))


def _readable(keys: Keyring, dedupe: bytes, sealed: bytes | None) -> Content | None:
    """None for what was erased or cannot be opened or read."""
    if sealed is None:
        return None
    try:
        return _open(keys, dedupe, sealed)
    except (KeyringError, msgspec.DecodeError):
        return None


def _pending(
    keys: Keyring,
    inbox_id: int,
    dedupe: bytes,
    conversation: str,
    sealed: bytes | None,
    attempts: int,
    received_at: datetime,
) -> Pending:
    if sealed is None:
        raise Erased(inbox_id)
    return Pending(inbox_id, conversation, _open(keys, dedupe, sealed), attempts, received_at)
