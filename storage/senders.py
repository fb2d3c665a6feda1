"""Who writes from where on a platform: from the names that a platform has for a sender to one conversation.

Most platforms have one name for a sender. WhatsApp has several (a business-scoped id, a phone number), of which any
may be missing, and a number may pass to somebody else: there the surest name that is known decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from flows.model import Session
from storage.dialects import Insert, PerDialect
from storage.ids import Ids
from storage.keyring import Keyring
from storage.prepared import Prepared
from storage.tables import addresses, aliases, conversations, people

WINDOW_STEP: Final = timedelta(minutes=5)
"""A window is not written anew for less: it then is believed to be shorter than it is, never longer."""

_FIRST_SESSION: Final = msgspec.json.encode(Session())


@dataclass(frozen=True, slots=True)
class Sender:
    """A sender as a message shows them. `also` are all their names as (kind, name), the surest first."""

    channel: str
    address: str
    phone: str | None
    also: tuple[tuple[str, str], ...] = ()
    window_until: datetime | None = None


_KNOWN = (
    addresses.c.conversation,
    addresses.c.lookup,
    addresses.c.phone_lookup,
    addresses.c.window_until,
    addresses.c.unreachable_at,
)
_FIND = Prepared(select(*_KNOWN).where(addresses.c.lookup == bindparam("address")))
_OF_CONVERSATION = Prepared(select(*_KNOWN).where(addresses.c.conversation == bindparam("of")))
_ADD_PERSON = insert(people).values(id=bindparam("id"), created_at=bindparam("now"))
_ADD_CONVERSATION = insert(conversations).values(
    id=bindparam("id"),
    person=bindparam("person"),
    owner="bot",
    version=0,
    session=bindparam("session"),
    created_at=bindparam("now"),
    updated_at=bindparam("now"),
)
_ADD_ADDRESS = insert(addresses)
_SET_PHONE = (
    update(addresses)
    .where(addresses.c.lookup == bindparam("found"))
    .values(phone=bindparam("new_phone"), phone_lookup=bindparam("new_phone_lookup"))
)
_MOVE = (
    update(addresses)
    .where(addresses.c.lookup == bindparam("found"))
    .values(lookup=bindparam("moved"), address=bindparam("sealed"), phone=None, phone_lookup=None)
)
_OPEN = Prepared(
    update(addresses)
    .where(addresses.c.lookup == bindparam("found"))
    .values(window_until=bindparam("until"), unreachable_at=None, invited_at=None)
)
_SHUT = update(addresses).where(addresses.c.conversation == bindparam("of")).values(unreachable_at=bindparam("since"))
_SHUT_WINDOW = (
    update(addresses).where(addresses.c.conversation == bindparam("of")).values(window_until=bindparam("until"))
)
_INVITED = update(addresses).where(addresses.c.conversation == bindparam("of")).values(invited_at=bindparam("at"))
_ALIAS = Prepared(select(aliases.c.conversation).where(aliases.c.lookup == bindparam("name")))
_KINDS = Prepared(
    select(aliases.c.lookup).where(aliases.c.conversation == bindparam("of"), aliases.c.kind == bindparam("which"))
)
_DROP_ALIAS = delete(aliases).where(aliases.c.lookup == bindparam("name"))


def _put(statement: Insert) -> Insert:
    return statement.values(
        lookup=bindparam("name"), conversation=bindparam("of"), kind=bindparam("which")
    ).on_conflict_do_update(
        index_elements=["lookup"],
        set_={"conversation": statement.excluded.conversation, "kind": statement.excluded.kind},
    )


_PUT_ALIAS = Prepared(PerDialect(aliases, _put))


def conversation_of(conn: Connection, keys: Keyring, sender: Sender, *, ids: Ids, now: datetime) -> str:
    """The conversation with this sender, begun when nobody has written from there; what is new about them is kept.

    Who writes can be written to again: a block or a closed window is over. Raises Conflict (through the database)
    when the same new sender is being stored by somebody else at this moment.
    """
    known = _known(conn, keys, sender)
    if known is None:
        conversation = _first_contact(conn, keys, sender, ids, now)
    else:
        conversation = known[0]
        _refresh(conn, keys, sender, known)
    if sender.also:
        _keep_names(conn, keys, sender, conversation)
    return conversation


def find(conn: Connection, keys: Keyring, channel: str, name: str) -> str | None:
    """The conversation with whoever goes by this name on a platform, None when nobody has written under it."""
    alias = _ALIAS.first(conn, name=_lookup(keys, channel, name))
    known = alias or _FIND.first(conn, address=_lookup(keys, channel, name))
    return known[0] if known else None


def rename(
    conn: Connection,
    keys: Keyring,
    channel: str,
    old: tuple[str, str],
    new: tuple[str, str],
    *,
    phone: str | None,
) -> str | None:
    """A sender goes by another name from now on; the old one is free for somebody else. The conversation, if any."""
    conversation = find(conn, keys, channel, old[1])
    if conversation is None:
        return None
    conn.execute(_DROP_ALIAS, {"name": _lookup(keys, channel, old[1])})
    _PUT_ALIAS.run(conn, name=_lookup(keys, channel, new[1]), of=conversation, which=new[0])
    known = _OF_CONVERSATION.first(conn, of=conversation)
    if known is not None:
        lookup = known[1]
        if lookup == _lookup(keys, channel, old[1]):
            lookup = _move(conn, keys, lookup, channel, new[1])
        if phone:
            _set_phone(conn, keys, lookup, phone)
    return conversation


def shut(conn: Connection, conversation: str, since: datetime | None) -> None:
    """Nothing reaches this person since then; None: they can be reached again."""
    conn.execute(_SHUT, {"of": conversation, "since": since})


def shut_window(conn: Connection, conversation: str, now: datetime) -> None:
    """The platform says that free messages may not be sent to this person now."""
    conn.execute(_SHUT_WINDOW, {"of": conversation, "until": now})


def mark_invited(conn: Connection, conversation: str, now: datetime) -> None:
    """The person was asked to write, because something waits for them."""
    conn.execute(_INVITED, {"of": conversation, "at": now})


def _lookup(keys: Keyring, channel: str, name: str) -> bytes:
    return keys.lookup("address", f"{channel}|{name}")


def _known(conn: Connection, keys: Keyring, sender: Sender) -> tuple[Any, ...] | None:
    """Their address row: by their surest name, or by a less sure one that it does not contradict."""
    if not sender.also:
        return _FIND.first(conn, address=_lookup(keys, sender.channel, sender.address))
    surest_kind = sender.also[0][0]
    for place, (_, name) in enumerate(sender.also):
        found = _ALIAS.first(conn, name=_lookup(keys, sender.channel, name))
        if found is None:
            continue
        if place and _KINDS.first(conn, of=found[0], which=surest_kind) is not None:
            return None  # the number has passed to somebody else: that conversation has another surest name
        return _OF_CONVERSATION.first(conn, of=found[0])
    return None


def _refresh(conn: Connection, keys: Keyring, sender: Sender, known: tuple[Any, ...]) -> None:
    _, lookup, known_phone, window_until, unreachable_at = known
    if sender.phone and known_phone != keys.lookup("phone", sender.phone):
        _set_phone(conn, keys, lookup, sender.phone)
    later = sender.window_until is not None and (
        window_until is None or sender.window_until - window_until > WINDOW_STEP
    )
    if later or unreachable_at is not None:
        _OPEN.run(conn, found=lookup, until=sender.window_until if later else window_until)


def _move(conn: Connection, keys: Keyring, lookup: bytes, channel: str, address: str) -> bytes:
    """Gives an address row another name; the phone that belonged to the old one is forgotten."""
    moved = _lookup(keys, channel, address)
    sealed = keys.seal_text("addresses", "address", moved.hex(), address)
    conn.execute(_MOVE, {"found": lookup, "moved": moved, "sealed": sealed})
    return moved


def _set_phone(conn: Connection, keys: Keyring, lookup: bytes, phone: str) -> None:
    sealed = keys.seal_text("addresses", "phone", lookup.hex(), phone)
    conn.execute(_SET_PHONE, {"found": lookup, "new_phone": sealed, "new_phone_lookup": keys.lookup("phone", phone)})


def _keep_names(conn: Connection, keys: Keyring, sender: Sender, conversation: str) -> None:
    for kind, name in sender.also:
        lookup = _lookup(keys, sender.channel, name)
        found = _ALIAS.first(conn, name=lookup)
        if found is None or found[0] != conversation:
            _PUT_ALIAS.run(conn, name=lookup, of=conversation, which=kind)


def _first_contact(conn: Connection, keys: Keyring, sender: Sender, ids: Ids, now: datetime) -> str:
    person, conversation = ids.new(), ids.new()
    session = keys.seal("conversations", "session", conversation, _FIRST_SESSION)
    conn.execute(_ADD_PERSON, {"id": person, "now": now})
    conn.execute(_ADD_CONVERSATION, {"id": conversation, "person": person, "session": session, "now": now})
    lookup = _lookup(keys, sender.channel, sender.address)
    row = lookup.hex()
    conn.execute(
        _ADD_ADDRESS,
        {
            "lookup": lookup,
            "conversation": conversation,
            "channel": sender.channel,
            "address": keys.seal_text("addresses", "address", row, sender.address),
            "phone": keys.seal_text("addresses", "phone", row, sender.phone) if sender.phone else None,
            "phone_lookup": keys.lookup("phone", sender.phone) if sender.phone else None,
            "window_until": sender.window_until,
        },
    )
    return conversation
