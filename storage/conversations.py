"""Conversations: the session, its version and its owner. One writer at a time, by row lock and version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, bindparam, exists, false, literal_column, select, update

from flows.model import Session
from storage.database import Conflict
from storage.inbox import EARLIER_PENDING
from storage.keyring import Keyring, KeyringError
from storage.prepared import Prepared
from storage.tables import NEW, addresses, conversations, inbox, outbox

SAMPLES = 20

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Session)


@dataclass(frozen=True, slots=True)
class Held:
    """A conversation as it stands, and the state of the message at hand.

    `unsent` says that an earlier reply of this conversation has not been sent yet. After `peek` the last four are
    empty: they belong to a message.
    """

    conversation: str
    person: str
    channel: str
    address: str
    phone: str | None
    owner: str
    version: int
    session: Session
    is_first_pending: bool
    inbox_status: str
    attempts: int
    unsent: bool
    window_until: datetime | None = None
    """Until when the platform takes free messages for this person; None: always."""
    unreachable: bool = False
    """Nothing reaches this person now."""


_COLUMNS = (
    conversations.c.id,
    conversations.c.person,
    addresses.c.channel,
    addresses.c.lookup,
    addresses.c.address,
    addresses.c.phone,
    conversations.c.owner,
    conversations.c.version,
    conversations.c.session,
    addresses.c.window_until,
    addresses.c.unreachable_at,
)
_PEEK = Prepared(
    select(
        *_COLUMNS,
        false(),
        literal_column("''"),
        literal_column("0"),
        false(),
    )
    .join_from(conversations, addresses, addresses.c.conversation == conversations.c.id)
    .where(conversations.c.id == bindparam("conversation"))
)
_PERSON = select(conversations.c.person).where(conversations.c.id == bindparam("which"))
_OWNER = Prepared(select(conversations.c.owner).where(conversations.c.id == bindparam("which")))
_SAMPLES = (
    select(conversations.c.id, conversations.c.session, addresses.c.lookup, addresses.c.channel, addresses.c.address)
    .join_from(inbox, conversations, conversations.c.id == inbox.c.conversation)
    .join(addresses, addresses.c.conversation == conversations.c.id)
    .order_by(inbox.c.id.desc())
    .limit(SAMPLES)
)
_UNSENT = exists().where(outbox.c.conversation == conversations.c.id, outbox.c.status == NEW)
# Both rows are locked, so that PostgreSQL gives the status as it is after any waiting, not as it was before.
_HOLD = Prepared(
    select(*_COLUMNS, EARLIER_PENDING, inbox.c.status, inbox.c.attempts, _UNSENT)
    .join_from(conversations, addresses, addresses.c.conversation == conversations.c.id)
    .join(inbox, inbox.c.conversation == conversations.c.id)
    .where(conversations.c.id == bindparam("conversation"), inbox.c.id == bindparam("row"))
    .with_for_update(of=[conversations, inbox], key_share=True)
)
_SAVE = Prepared(
    update(conversations)
    .where(conversations.c.id == bindparam("conversation"), conversations.c.version == bindparam("was"))
    .values(
        session=bindparam("new_session"),
        owner=bindparam("new_owner"),
        version=bindparam("becomes"),
        updated_at=bindparam("now"),
    )
)


def person_of(conn: Connection, conversation: str) -> str:
    """Whose conversation it is, in our own id; nothing has to be opened for it. Raises KeyError when there is none."""
    person: str | None = conn.execute(_PERSON, {"which": conversation}).scalar()
    if person is None:
        raise KeyError(conversation)
    return person


def owner_of(conn: Connection, conversation: str) -> str:
    """Who holds it: `bot` or a staff id; nothing has to be opened for it. Raises KeyError when there is none."""
    row = _OWNER.first(conn, which=conversation)
    if row is None:
        raise KeyError(conversation)
    owner: str = row[0]
    return owner


def opens_with(conn: Connection, keys: Keyring) -> bool:
    """Whether any of the conversations that were active last can be opened and found again; True when there are none.

    Looks at several, for one damaged row says nothing about the keys.
    """
    rows = conn.execute(_SAMPLES).all()
    return not rows or any(_opens(keys, row) for row in rows)


def _opens(keys: Keyring, row: Row[*tuple[Any, ...]]) -> bool:
    try:
        address = keys.open_text("addresses", "address", row.lookup.hex(), row.address)
        keys.open("conversations", "session", row.id, row.session)
    except KeyringError:
        return False
    return bool(keys.lookup("address", f"{row.channel}|{address}") == row.lookup)


def peek(conn: Connection, keys: Keyring, conversation: str) -> Held:
    """The conversation without a lock, for understanding. Raises KeyError when there is none."""
    row = _PEEK.first(conn, conversation=conversation)
    if row is None:
        raise KeyError(conversation)
    return _held(keys, row)


def hold(conn: Connection, keys: Keyring, conversation: str, inbox_id: int) -> Held:
    """The conversation, locked until this transaction ends, with the state of one of its messages.

    Raises KeyError when there is no such message in this conversation.
    """
    row = _HOLD.first(conn, conversation=conversation, row=inbox_id)
    if row is None:
        raise KeyError(inbox_id)
    return _held(keys, row)


def save(conn: Connection, keys: Keyring, held: Held, session: Session, *, owner: str, now: datetime) -> None:
    """Store the next session. Raises Conflict when somebody has written since `held`."""
    sealed = keys.seal("conversations", "session", held.conversation, _encoder.encode(session))
    saved = _SAVE.run(
        conn,
        conversation=held.conversation,
        was=held.version,
        becomes=held.version + 1,
        new_session=sealed,
        new_owner=owner,
        now=now,
    )
    if saved != 1:
        raise Conflict(f"conversation {held.conversation} is past version {held.version}")


def _held(keys: Keyring, row: tuple[Any, ...]) -> Held:
    (
        conversation,
        person,
        channel,
        lookup,
        address,
        phone,
        owner,
        version,
        session,
        window_until,
        unreachable_at,
        earlier,
        status,
        attempts,
        unsent,
    ) = row
    place = lookup.hex()
    return Held(
        conversation=conversation,
        person=person,
        channel=channel,
        address=keys.open_text("addresses", "address", place, address),
        phone=keys.open_text("addresses", "phone", place, phone) if phone is not None else None,
        owner=owner,
        version=version,
        session=_decoder.decode(keys.open("conversations", "session", conversation, session)),
        is_first_pending=bool(status) and not earlier,
        inbox_status=status,
        attempts=attempts,
        unsent=bool(unsent),
        window_until=window_until,
        unreachable=unreachable_at is not None,
    )
