"""People and where they are reached."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from storage.keyring import Keyring
from storage.tables import addresses, conversations, people


@dataclass(frozen=True, slots=True)
class Address:
    """Where a person is reached, and the conversation that runs there. `phone` is vouched for by the channel."""

    conversation: str
    channel: str
    address: str
    phone: str | None


_ADDRESSES = (
    select(addresses)
    .join_from(addresses, conversations, conversations.c.id == addresses.c.conversation)
    .where(conversations.c.person == bindparam("who"))
    .order_by(conversations.c.created_at, conversations.c.id)
)
_CONVERSATION = select(addresses.c.conversation).where(addresses.c.lookup == bindparam("address"))
_WITH_PHONE = (
    select(conversations.c.person)
    .join_from(addresses, conversations, conversations.c.id == addresses.c.conversation)
    .where(addresses.c.phone_lookup == bindparam("phone"))
)
_SET_OPT_OUT = update(people).where(people.c.id == bindparam("who")).values(opted_out_at=bindparam("now"))
_OPTED_OUT = select(people.c.opted_out_at).where(people.c.id == bindparam("who"))


def addresses_of(conn: Connection, keys: Keyring, person: str) -> list[Address]:
    """Where a person is reached, the oldest first."""
    found = []
    for row in conn.execute(_ADDRESSES, {"who": person}):
        place = row.lookup.hex()
        phone = keys.open_text("addresses", "phone", place, row.phone) if row.phone is not None else None
        address = keys.open_text("addresses", "address", place, row.address)
        found.append(Address(row.conversation, row.channel, address, phone))
    return found


def conversation_at(conn: Connection, keys: Keyring, channel: str, address: str) -> str | None:
    """The conversation of a channel address, None when nobody has written from there."""
    lookup = keys.lookup("address", f"{channel}|{address}")
    return conn.execute(_CONVERSATION, {"address": lookup}).scalar()


def with_phone(conn: Connection, keys: Keyring, phone: str) -> list[str]:
    """Persons reached at this phone, E.164, as vouched for by a channel: one for each of its addresses."""
    return sorted(set(conn.execute(_WITH_PHONE, {"phone": keys.lookup("phone", phone)}).scalars()))


def opt_out(conn: Connection, person: str, *, now: datetime) -> None:
    """No more messages of our own accord. Safe to call twice."""
    conn.execute(_SET_OPT_OUT, {"who": person, "now": now})


def opt_in(conn: Connection, person: str) -> None:
    """The person wants our messages again."""
    conn.execute(_SET_OPT_OUT, {"who": person, "now": None})


def opted_out_at(conn: Connection, person: str) -> datetime | None:
    """Since when the person wants no messages of our own accord; None when they may be sent."""
    return conn.execute(_OPTED_OUT, {"who": person}).scalar()
