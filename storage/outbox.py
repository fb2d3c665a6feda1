"""The outbox: replies written in the turn's own commit and sent after it, in order inside a conversation.

A row is `new` until it is `sent` or `parked`. A row can be claimed only when every earlier row of its
conversation has left `new`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal

import msgspec
from sqlalchemy import (
    BigInteger,
    Connection,
    Text,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    null,
    or_,
    select,
    text,
    update,
)

from storage.keyring import Keyring, KeyringError
from storage.prepared import Prepared
from storage.tables import NEW, Moment, Sealed, addresses, outbox

PAGE_ROWS = 200

_encoder = msgspec.json.Encoder()


class Button(msgspec.Struct, frozen=True):
    """One thing to press: what the person sees and what comes back."""

    title: str
    payload: str


class Part(msgspec.Struct, frozen=True):
    """One reply as it was said, before it was fitted into a message of the platform.

    `options` are all that were offered, where the message shows only a page of them.
    """

    key: str
    text: str
    options: tuple[Button, ...] = ()


class Rendered(msgspec.Struct, frozen=True):
    """One message in the person's language, not yet in a platform's shape. What is stored fits its channel.

    `key` is the reply key it was made from, '' for a person's own words; `author` is `bot` or a staff name.
    `form` is the slot that our one-field page is offered for, '' for none; `link` is that page, where the channel
    cannot offer it by itself. `wants` is what the person may share with a button of the platform: contact, location.
    `shown_as` says what the options are: buttons, a list of the platform, or nothing but lines of the text.
    `page` is which part of the options is shown, from 0. `picture` names a picture that shows the same. `delete` makes
    this no message: the platform is to delete the person's own message of that name.
    `parts` are the replies that this message holds where it was put together or cut; empty: it is one, as it stands.
    """

    key: str
    text: str
    options: tuple[Button, ...] = ()
    numbered: bool = True
    form: str = ""
    author: str = "bot"
    link: str = ""
    wants: str = ""
    shown_as: Literal["buttons", "list", "text"] = "buttons"
    page: int = 0
    picture: str = ""
    delete: str = ""
    parts: tuple[Part, ...] = ()


_decoder = msgspec.json.Decoder(Rendered)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A stored reply. `attempts` counts the failed tries; `status` is new, sent or parked."""

    id: int
    conversation: str
    channel: str
    address: str
    inbox_id: int
    n: int
    body: Rendered
    attempts: int
    status: str
    written_at: datetime
    phone: str | None = None
    """The person's number, E.164, where the channel vouches for it."""

    @property
    def key(self) -> str:
        """The reply key, '' for a person's own words."""
        return self.body.key

    @property
    def author(self) -> str:
        """`bot` or the name of the staff member who wrote it."""
        return self.body.author


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A claimed reply that cannot be opened, now or ever: its body or its address."""

    id: int
    conversation: str


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a reply on its platform. `reason` is why it waits or was given up, '' for none.

    `delivery` is what the platform told since: sent, delivered, read, failed, or '' for nothing.
    """

    reason: str = ""
    delivery: str = ""


MAX_COUNT = 1_000_000
"""No message is tried so often."""

_before = outbox.alias("before")
_COLUMNS = (
    outbox.c.id,
    outbox.c.conversation,
    outbox.c.channel,
    addresses.c.lookup,
    addresses.c.address,
    outbox.c.inbox_id,
    outbox.c.n,
    outbox.c.body,
    outbox.c.attempts,
    outbox.c.status,
    outbox.c.written_at,
    addresses.c.phone,
)
_READ = select(*_COLUMNS).join_from(outbox, addresses, addresses.c.conversation == outbox.c.conversation)
_FIRST_UNSENT = ~exists().where(
    _before.c.conversation == outbox.c.conversation,
    _before.c.status == NEW,
    _before.c.id < outbox.c.id,
)
_FREE = or_(outbox.c.lease_until.is_(None), outbox.c.lease_until <= bindparam("now"))
# What somebody had in hand and never told of may be at the platform: it is left until the platform could have said so.
_NOT_IN_DOUBT = or_(
    outbox.c.worker.is_(None), outbox.c.tried_at.is_(None), outbox.c.tried_at <= bindparam("tried_before")
)
_REACHABLE = and_(
    addresses.c.unreachable_at.is_(None),
    or_(addresses.c.window_until.is_(None), addresses.c.window_until > bindparam("open_at")),
)
_CLAIMABLE = (
    _READ.where(
        outbox.c.status == NEW,
        _FREE,
        _FIRST_UNSENT,
        _NOT_IN_DOUBT,
        _REACHABLE,
    )
    .order_by(outbox.c.id)
    .limit(bindparam("count"))
    .with_for_update(of=outbox, skip_locked=True, key_share=True)
)
_CLAIMABLE_OF_ALL = Prepared(_CLAIMABLE)
_CLAIMABLE_OF_CHANNEL = Prepared(_CLAIMABLE.where(outbox.c.channel == bindparam("channel")))
_SHUT_OUT = (
    _READ.where(
        outbox.c.status == NEW,
        outbox.c.channel == bindparam("channel"),
        _FREE,
        _FIRST_UNSENT,
        _NOT_IN_DOUBT,
        addresses.c.unreachable_at.is_(None),
        addresses.c.window_until <= bindparam("open_at"),
        addresses.c.invited_at.is_(None),
    )
    .order_by(outbox.c.id)
    .limit(bindparam("count"))
    .with_for_update(of=outbox, skip_locked=True, key_share=True)
)
_TAKE = (
    update(outbox)
    .where(outbox.c.id.in_(bindparam("rows", expanding=True)), outbox.c.status == NEW, _FREE)
    .values(worker=bindparam("by"), lease_until=bindparam("until"), tried_at=bindparam("tried"))
    .returning(outbox.c.id)
)
_MARK_SENT = Prepared(
    update(outbox)
    .where(
        outbox.c.id == bindparam("row"),
        outbox.c.status == NEW,
        # Under this name the platform has told already that it failed: it waits for its next sending.
        or_(outbox.c.platform_id.is_(None), outbox.c.platform_id.is_distinct_from(bindparam("name"))),
    )
    .values(
        status=literal_column("'sent'"),
        sent_at=bindparam("now"),
        platform_id=bindparam("name"),
        worker=null(),
        lease_until=null(),
        error=null(),
    )
)
_RETRY = (
    update(outbox)
    .where(outbox.c.id == bindparam("row"), outbox.c.status == NEW)
    .values(
        attempts=case((outbox.c.attempts < bindparam("count_to"), outbox.c.attempts + 1), else_=outbox.c.attempts),
        worker=None,
        lease_until=bindparam("not_before"),
        error=bindparam("word"),
    )
)
_GIVE_BACK = (
    update(outbox)
    .where(outbox.c.id == bindparam("row"), outbox.c.status == NEW)
    .values(worker=None, lease_until=bindparam("not_before"), tried_at=None)
)
_PARK = (
    update(outbox)
    .where(outbox.c.id == bindparam("row"), outbox.c.status == NEW)
    .values(status="parked", worker=None, lease_until=None, error=bindparam("word"))
)
_SINCE = Prepared(
    _READ.where(
        outbox.c.conversation == bindparam("of"),
        outbox.c.id > bindparam("after"),
        outbox.c.body.is_not(None),
    )
    .order_by(outbox.c.id)
    .limit(bindparam("count"))
)
_LATEST = Prepared(
    _READ.where(outbox.c.conversation == bindparam("of"), outbox.c.body.is_not(None))
    .order_by(outbox.c.id.desc())
    .limit(bindparam("count"))
)
_NEXT_FREE = select(func.min(func.coalesce(outbox.c.lease_until, outbox.c.written_at))).where(
    outbox.c.status == NEW, _FIRST_UNSENT
)
_FATES = (
    select(
        outbox.c.id,
        outbox.c.status,
        outbox.c.error,
        outbox.c.delivery,
        addresses.c.unreachable_at,
        addresses.c.window_until,
    )
    .join_from(outbox, addresses, addresses.c.conversation == outbox.c.conversation)
    .where(outbox.c.conversation == bindparam("of"))
)
_CAN_BE_SENT = select(
    exists().where(outbox.c.status == NEW, addresses.c.conversation == outbox.c.conversation, _REACHABLE)
)
_WAITING = select(func.count(), func.min(outbox.c.written_at)).where(outbox.c.status == NEW)


def write(
    conn: Connection,
    keys: Keyring,
    *,
    conversation: str,
    channel: str,
    inbox_id: int,
    messages: Sequence[Rendered],
    worker: str | None,
    lease_until: datetime | None,
    now: datetime,
    by_storing: bool = False,
    claimed: int | None = None,
    not_before: datetime | None = None,
) -> list[int]:
    """Store the replies to one message, in order, claimed by `worker`; None leaves them to `claim_next`.

    `claimed`: only so many of them, from the first; None: all. The first that is left is left until `not_before`.
    `by_storing`: whoever they are for reads them from here, so they are sent with the commit and nobody claims them.
    The ids of the new rows, in order. Raises Conflict (through the database) when this message has its replies.
    """
    if not messages:
        return []
    mine = 0 if by_storing or worker is None else len(messages) if claimed is None else claimed
    given: dict[str, object] = {
        "conversation": conversation,
        "channel": channel,
        "inbox_id": inbox_id,
        "status": "sent" if by_storing else "new",
        "now": now,
        "sent_at": now if by_storing else None,
    }
    if mine:
        given |= {"worker": worker, "lease_until": lease_until}
    if mine < len(messages):
        given["not_before"] = not_before
    for n, message in enumerate(messages):
        given[f"body_{n}"] = keys.seal("outbox", "body", f"{inbox_id}/{n}", _encoder.encode(message))
    rows = _write_many(len(messages), mine).all(conn, **given)
    return sorted(row[0] for row in rows)  # RETURNING promises no order; ids grow with n


def claim_next(
    conn: Connection,
    keys: Keyring,
    *,
    channel: str | None,
    worker: str,
    now: datetime,
    lease_until: datetime,
    limit: int,
    doubt: timedelta = timedelta(0),
    margin: timedelta = timedelta(0),
) -> list[Outgoing | Unreadable]:
    """Take up to `limit` replies that may be sent now, one of a conversation at most. None: any channel.

    Left alone are those of people whom nothing reaches now, or whose window closes within `margin`, and those that a
    dead process may have sent less than `doubt` ago.
    One that cannot be opened is claimed too and told apart, so that the caller parks it and the others go on.
    """
    given: dict[str, object] = {"now": now, "count": limit, "tried_before": now - doubt, "open_at": now + margin}
    if channel is not None:
        given["channel"] = channel
    found = (_CLAIMABLE_OF_ALL if channel is None else _CLAIMABLE_OF_CHANNEL).all(conn, **given)
    if not found:
        return []
    ids = [row[0] for row in found]
    taken = take(conn, ids, worker=worker, now=now, lease_until=lease_until)
    return [_readable(keys, row) or Unreadable(row[0], row[1]) for row in found if row[0] in taken]


def take(conn: Connection, ids: Sequence[int], *, worker: str, now: datetime, lease_until: datetime) -> set[int]:
    """Claims these replies for `worker`, as far as nobody else has them. Which are now its own."""
    given = {"rows": list(ids), "now": now, "by": worker, "until": lease_until, "tried": now}
    return set(conn.execute(_TAKE, given).scalars())


def shut_out(
    conn: Connection,
    keys: Keyring,
    *,
    channel: str,
    now: datetime,
    limit: int,
    doubt: timedelta = timedelta(0),
    margin: timedelta = timedelta(0),
) -> list[Outgoing]:
    """The first waiting reply of each person whose window is closed and who was not yet asked to write. Not claimed.

    Also of people who want no messages of our own accord: what stands here answers what they asked or reported.
    `doubt` and `margin` as in `claim_next`.
    """
    given = {"channel": channel, "now": now, "open_at": now + margin, "tried_before": now - doubt, "count": limit}
    rows = conn.execute(_SHUT_OUT, given)
    return [readable for row in rows if (readable := _readable(keys, row)) is not None]


def mark_sent(
    conn: Connection, ids: Sequence[int], *, now: datetime, names: Mapping[int, bytes] = MappingProxyType({})
) -> None:
    """The platform has taken these. `names` are the look-ups of what it calls them. Safe to call twice."""
    for outbox_id in ids:
        _MARK_SENT.run(conn, row=outbox_id, now=now, name=names.get(outbox_id))


def give_back(conn: Connection, outbox_id: int, *, not_before: datetime | None = None) -> None:
    """Let go of a reply that was not tried; it comes out of `claim_next` when its turn comes, and not earlier."""
    conn.execute(_GIVE_BACK, {"row": outbox_id, "not_before": not_before})


def retry_later(
    conn: Connection, outbox_id: int, *, not_before: datetime, error_word: str, count_to: int | None = None
) -> None:
    """Count a failed try, up to `count_to` of them; nobody claims the row before `not_before`.

    `error_word` is stored in clear.
    """
    most = MAX_COUNT if count_to is None else count_to
    conn.execute(_RETRY, {"row": outbox_id, "not_before": not_before, "word": error_word, "count_to": most})


def park(conn: Connection, outbox_id: int, error_word: str) -> None:
    """Give up on a reply; the ones after it may go. `error_word` is stored in clear."""
    conn.execute(_PARK, {"row": outbox_id, "word": error_word})


def since(conn: Connection, keys: Keyring, conversation: str, after_id: int, limit: int) -> list[Outgoing]:
    """Replies of a conversation after `after_id`, sent or not, in order. Erased and unreadable ones are left out.

    Empty only when there are no more.
    """
    found: list[Outgoing] = []
    while not found and (rows := _SINCE.all(conn, of=conversation, after=after_id, count=limit)):
        found = [readable for row in rows if (readable := _readable(keys, row)) is not None]
        after_id = rows[-1][0]
    return found


def latest(conn: Connection, keys: Keyring, conversation: str, limit: int) -> list[Outgoing]:
    """The newest `limit` replies, oldest first. Erased and unreadable ones are left out."""
    rows = _LATEST.all(conn, of=conversation, count=limit)
    return [readable for row in reversed(rows) if (readable := _readable(keys, row)) is not None]


def whole_conversation(conn: Connection, keys: Keyring, conversation: str) -> Iterator[Outgoing]:
    """Every reply that can still be read, in order, read page by page."""
    after = 0
    while rows := since(conn, keys, conversation, after, PAGE_ROWS):
        yield from rows
        after = rows[-1].id


def next_free(conn: Connection) -> datetime | None:
    """From when on a waiting reply can be claimed; None when all are sent or parked."""
    return conn.execute(_NEXT_FREE).scalar()


def fates(conn: Connection, conversation: str, now: datetime) -> dict[int, Fate]:
    """What became of every reply of a conversation, by its id."""
    found: dict[int, Fate] = {}
    for outbox_id, status, error, delivery, unreachable_at, window_until in conn.execute(_FATES, {"of": conversation}):
        reason = error or ""
        if status == "new" and unreachable_at is not None:
            reason = "unreachable"
        elif status == "new" and window_until is not None and window_until <= now:
            reason = "window_closed"
        found[outbox_id] = Fate(reason, delivery or "")
    return found


def can_be_sent(conn: Connection, now: datetime, margin: timedelta = timedelta(0)) -> bool:
    """Whether a reply waits that does not wait for the person: sooner or later it can be claimed."""
    return bool(conn.execute(_CAN_BE_SENT, {"open_at": now + margin}).scalar())


def waiting(conn: Connection) -> tuple[int, datetime | None]:
    """How many replies are not sent, and since when the oldest has waited."""
    count, oldest = conn.execute(_WAITING).one()
    return count, oldest


@lru_cache(maxsize=64)
def _write_many(count: int, claimed: int) -> Prepared:
    """One INSERT of `count` rows, the first of them `claimed`. As text, because the values recur in every row."""
    rows = ", ".join(
        f"(:conversation, :channel, :inbox_id, {n}, :body_{n}, :status, 0, {_claim(n, claimed)}, :now, :sent_at)"
        for n in range(count)
    )
    columns = (
        "conversation, channel, inbox_id, n, body, status, attempts, worker, lease_until, tried_at, written_at, sent_at"
    )
    insert = f"INSERT INTO outbox ({columns}) VALUES {rows} RETURNING id"  # noqa: S608 - holds no value
    names = {bind for bind in ("worker", "lease_until", "not_before") if f":{bind}" in rows}
    return Prepared(
        text(insert).bindparams(
            *(bindparam(name, type_=Text()) for name in ("conversation", "channel", "status")),
            *(bindparam(name, type_=Text()) for name in names & {"worker"}),
            *(bindparam(name, type_=Moment()) for name in ("now", "sent_at")),
            *(bindparam(name, type_=Moment()) for name in names - {"worker"}),
            bindparam("inbox_id", type_=BigInteger()),
            *(bindparam(f"body_{n}", type_=Sealed()) for n in range(count)),
        )
    )


def _claim(n: int, claimed: int) -> str:
    """Worker, lease and time of trying of one row: those of its sender, or free from a moment on, or simply free."""
    if n < claimed:
        return ":worker, :lease_until, :now"
    return "NULL, :not_before, NULL" if n == claimed else "NULL, NULL, NULL"


def _readable(keys: Keyring, row: Sequence[Any]) -> Outgoing | None:
    """None for what was erased or cannot be opened or read."""
    try:
        return _outgoing(keys, row)
    except (KeyringError, msgspec.DecodeError):
        return None


def _outgoing(keys: Keyring, row: Sequence[Any]) -> Outgoing:
    outbox_id, conversation, channel, lookup, address, inbox_id, n, body, attempts, status, written_at, phone = row
    if body is None:
        raise KeyringError(f"outbox.body of {outbox_id} was erased")
    place = lookup.hex()
    return Outgoing(
        id=outbox_id,
        conversation=conversation,
        channel=channel,
        address=keys.open_text("addresses", "address", place, address),
        inbox_id=inbox_id,
        n=n,
        body=_decoder.decode(keys.open("outbox", "body", f"{inbox_id}/{n}", body)),
        attempts=attempts,
        status=status,
        written_at=written_at,
        phone=keys.open_text("addresses", "phone", place, phone) if phone is not None else None,
    )
