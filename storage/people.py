"""People and where they are reached; and two of them that are joined, because both proved to be the same member.

Nothing else joins people: not a shared phone, not a name, not what they write.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select, update

from storage.database import Conflict
from storage.keyring import Keyring
from storage.tables import Moment, addresses, conversations, metadata, people


@dataclass(frozen=True, slots=True)
class Address:
    """Where a person is reached, and the conversation that runs there. `phone` is vouched for by the channel."""

    conversation: str
    channel: str
    address: str
    phone: str | None


@dataclass(frozen=True, slots=True)
class Joined:
    """Two people that are one from now on: everything of `gone` went over to `kept`."""

    kept: str
    gone: str


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
_LINK = (
    update(people).where(people.c.id == bindparam("who"), people.c.member.is_(None)).values(member=bindparam("proved"))
)
_MEMBER_OF = select(people.c.member).where(people.c.id == bindparam("who"))
_LINKED = select(people.c.id).where(people.c.member == bindparam("proved"))
_BOTH = (
    select(people.c.id, people.c.created_at, people.c.opted_out_at, people.c.member)
    .where(people.c.id.in_((bindparam("one"), bindparam("other"))))
    .order_by(people.c.created_at, people.c.id)
)
_BOTH_LOCKED = _BOTH.with_for_update()
_KEEP = (
    update(people)
    .where(people.c.id == bindparam("who"))
    .values(
        member=bindparam("proved"),
        opted_out_at=func.coalesce(people.c.opted_out_at, bindparam("opted_out", type_=Moment())),
    )
)
_EMPTY = update(people).where(people.c.id == bindparam("who")).values(member=None, opted_out_at=None)
_MOVE_CONVERSATIONS = (
    update(conversations).where(conversations.c.person == bindparam("gone")).values(person=bindparam("kept"))
)
_MOVE_RECORDS = tuple(
    update(table).where(table.c.person == bindparam("gone")).values(person=bindparam("kept"))
    for table in metadata.sorted_tables
    if "person" in table.c and table is not conversations
)


def prove(conn: Connection, person: str, member: str) -> Joined | None:
    """Keeps that a person has proved to be this member; whoever proved it before is the same person from now on.

    The older of the two stays. None when nobody had to be joined, also where the person has proved to be another
    member before: then one phone serves two people, and nothing is kept of it. The caller holds the member's row
    (`identity.member_proved`), so that two proofs come one after the other. Raises Conflict when a person was changed
    meanwhile.
    """
    known: str | None = conn.execute(_MEMBER_OF, {"who": person}).scalar_one()
    if known is not None:
        return None
    other = conn.execute(_LINKED, {"proved": member}).scalar()
    if other is not None:
        return _join(conn, person, other, member)
    if conn.execute(_LINK, {"who": person, "proved": member}).rowcount != 1:
        raise Conflict("the person proved to be somebody at this moment")
    return None


def _join(conn: Connection, person: str, other: str, member: str) -> Joined:
    both = {"one": person, "other": other}
    kept, gone = (row.id for row in conn.execute(_BOTH, both))
    # Conversations first: that waits for turns that run in them, and whatever those write is moved with the rest.
    conn.execute(_MOVE_CONVERSATIONS, {"gone": gone, "kept": kept})
    rows = {row.id: row for row in conn.execute(_BOTH_LOCKED, both)}
    if (rows[person].member, rows[other].member) != (None, member):
        raise Conflict("one of the two was changed at this moment")
    for statement in _MOVE_RECORDS:
        conn.execute(statement, {"gone": gone, "kept": kept})
    conn.execute(_KEEP, {"who": kept, "proved": member, "opted_out": rows[gone].opted_out_at})
    conn.execute(_EMPTY, {"who": gone})  # the row stays, so that nothing that still names it fails
    return Joined(kept, gone)


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
