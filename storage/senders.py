"""Who writes from where on a platform: from the names that a platform has for a sender to one conversation.

Most platforms have one name for a sender. WhatsApp has several (a business-scoped id, a phone number), of which any
may be missing, and a number may pass to somebody else: there the surest name that is known decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from flows.model import Session
from storage.database import Conflict
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
_FORGET_PHONE = (
    update(addresses)
    .where(
        addresses.c.channel == bindparam("on"),
        addresses.c.phone_lookup == bindparam("passed"),
        addresses.c.conversation != bindparam("of"),
    )
    .values(phone=None, phone_lookup=None)
)
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
_ALIAS = Prepared(select(aliases.c.conversation, aliases.c.kind).where(aliases.c.lookup == bindparam("name")))
_OF_KIND = Prepared(
    select(aliases.c.lookup).where(aliases.c.conversation == bindparam("of"), aliases.c.kind == bindparam("which"))
)
_ADD_ALIAS = insert(aliases)
_PASS_ALIAS = (
    update(aliases)
    .where(aliases.c.lookup == bindparam("name"), aliases.c.conversation == bindparam("was"))
    .values(conversation=bindparam("becomes"), kind=bindparam("which"))
)
_DROP_OTHERS = delete(aliases).where(
    aliases.c.conversation == bindparam("of"),
    aliases.c.kind == bindparam("which"),
    aliases.c.lookup != bindparam("name"),
)
_DROP_ALL = delete(aliases).where(aliases.c.conversation == bindparam("of"))


@dataclass(frozen=True, slots=True)
class Known:
    """A sender who has written before, by the address row."""

    conversation: str
    lookup: bytes
    phone_lookup: bytes | None
    window_until: datetime | None
    unreachable_at: datetime | None


Holders: TypeAlias = tuple[str | None, ...]
"""Who goes by each of a sender's names, in their order, as it was seen when the sender was recognised."""


def recognise(conn: Connection, keys: Keyring, sender: Sender) -> tuple[Known | None, Holders]:
    """The conversation with this sender: by their surest name, or by a less sure one that it does not contradict.

    None for somebody new, even if their number was another's before.
    """
    if not sender.also:
        row = _FIND.first(conn, address=_lookup(keys, sender.channel, sender.address))
        return (Known(*row) if row else None), ()
    holders = _holders(conn, keys, sender)
    surest_kind = sender.also[0][0]
    for place, holder in enumerate(holders):
        if holder is None:
            continue
        if place and _OF_KIND.first(conn, of=holder, which=surest_kind) is not None:
            break  # the number has passed to somebody else: that conversation has another surest name
        row = _OF_CONVERSATION.first(conn, of=holder)
        return (Known(*row) if row else None), holders
    return None, holders


def begin(conn: Connection, keys: Keyring, sender: Sender, holders: Holders, *, ids: Ids, now: datetime) -> str:
    """A person, a conversation and an address for a sender whom `recognise` does not know.

    Raises Conflict when the same sender is being stored by somebody else at this moment.
    """
    person, conversation = ids.new(), ids.new()
    session = keys.seal("conversations", "session", conversation, _FIRST_SESSION)
    conn.execute(_ADD_PERSON, {"id": person, "now": now})
    conn.execute(_ADD_CONVERSATION, {"id": conversation, "person": person, "session": session, "now": now})
    if sender.also:
        _take_names(conn, keys, sender, conversation, holders, now)
        _forget_phone_of_others(conn, keys, sender, conversation)
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


def refresh(conn: Connection, keys: Keyring, sender: Sender, known: Known, holders: Holders, *, now: datetime) -> None:
    """Keeps what a message newly shows of its sender. Who writes can be written to: a block or closed window is over.

    A message that is older than what is known, because it came late, shows nothing. Raises Conflict as `begin`.
    """
    if _is_older(sender.window_until, known.window_until):
        return
    lookup, phone_lookup = known.lookup, known.phone_lookup
    if sender.also:
        _take_names(conn, keys, sender, known.conversation, holders, now)
        if lookup != _lookup(keys, sender.channel, sender.address) and _names_worse(conn, sender, known):
            lookup, phone_lookup = _move(conn, keys, lookup, sender.channel, sender.address), None
    if sender.phone and phone_lookup != keys.lookup("phone", sender.phone):
        if sender.also:
            _forget_phone_of_others(conn, keys, sender, known.conversation)
        _set_phone(conn, keys, lookup, sender.phone)
    later = sender.window_until is not None and (
        known.window_until is None or sender.window_until - known.window_until > WINDOW_STEP
    )
    if later or known.unreachable_at is not None:
        _OPEN.run(conn, found=lookup, until=sender.window_until if later else known.window_until)


def conversation_of(conn: Connection, keys: Keyring, sender: Sender, *, ids: Ids, now: datetime) -> str:
    """The conversation with this sender, begun when nobody has written from there; what is new about them is kept.

    Raises Conflict as `begin`.
    """
    known, holders = recognise(conn, keys, sender)
    if known is None:
        return begin(conn, keys, sender, holders, ids=ids, now=now)
    refresh(conn, keys, sender, known, holders, now=now)
    return known.conversation


def find(conn: Connection, keys: Keyring, channel: str, name: str) -> str | None:
    """The conversation with whoever goes by this name on a platform, None when nobody has written under it."""
    lookup = _lookup(keys, channel, name)
    found = _ALIAS.first(conn, name=lookup) or _FIND.first(conn, address=lookup)
    return found[0] if found else None


def rename(
    conn: Connection,
    keys: Keyring,
    channel: str,
    old: tuple[str, str],
    new: tuple[str, str],
    *,
    phone: str | None,
    now: datetime,
    window_until: datetime | None = None,
) -> str | None:
    """A sender goes by another name of that kind from now on; the old one is free for somebody else.

    The conversation that goes on with them, if any. `window_until` is that of a message sent when the platform told
    this: told late or again, it changes nothing where somebody has written since under the old name. Who has written
    since under the new one goes on in that conversation; the old conversation then reaches nobody.
    """
    conversation = find(conn, keys, channel, old[1])
    row = _OF_CONVERSATION.first(conn, of=conversation) if conversation else None
    if conversation is None or row is None:
        return None
    known = Known(*row)
    if _is_older(window_until, known.window_until):
        return conversation
    name = _lookup(keys, channel, new[1])
    holder = find(conn, keys, channel, new[1])
    if holder is not None and holder != conversation:
        if not _wrote_before(conn, holder, window_until):
            _retire(conn, keys, channel, conversation, now)
            return holder
        _lose(conn, keys, channel, holder, name, now)
    _take_name(conn, name, new[0], conversation, holder)
    lookup = known.lookup
    if lookup != name and not _is_theirs(conn, lookup, conversation):
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


def _holders(conn: Connection, keys: Keyring, sender: Sender) -> Holders:
    """Who goes by each of the sender's names."""
    found = [_ALIAS.first(conn, name=_lookup(keys, sender.channel, name)) for _, name in sender.also]
    return tuple(row[0] if row else None for row in found)


def _is_older(shown: datetime | None, known: datetime | None) -> bool:
    """Whether one thing told by a platform is older than another, by the windows that they opened."""
    return shown is not None and known is not None and shown < known


def _wrote_before(conn: Connection, conversation: str, window_until: datetime | None) -> bool:
    """Whether the last word of that conversation is surely older than what this window belongs to."""
    row = _OF_CONVERSATION.first(conn, of=conversation)
    return row is not None and _is_older(Known(*row).window_until, window_until)


def _take_names(
    conn: Connection,
    keys: Keyring,
    sender: Sender,
    conversation: str,
    holders: Holders,
    now: datetime,
) -> None:
    """Gives a conversation every name that its sender shows, also where somebody else had it before."""
    for (kind, shown), holder in zip(sender.also, holders, strict=True):
        if holder != conversation:
            name = _lookup(keys, sender.channel, shown)
            if holder is not None:
                _lose(conn, keys, sender.channel, holder, name, now)
            _take_name(conn, name, kind, conversation, holder)


def _take_name(conn: Connection, name: bytes, kind: str, conversation: str, holder: str | None) -> None:
    """One name of a kind: the one before it, if any, is free for somebody else.

    Raises Conflict when it is no longer as it was seen: somebody else takes the same name at this moment.
    """
    if holder is None:
        conn.execute(_ADD_ALIAS, {"lookup": name, "conversation": conversation, "kind": kind})
    elif holder != conversation:
        passed = conn.execute(_PASS_ALIAS, {"name": name, "was": holder, "becomes": conversation, "which": kind})
        if passed.rowcount != 1:
            raise Conflict("a name passed to somebody else at this moment")
    conn.execute(_DROP_OTHERS, {"of": conversation, "which": kind, "name": name})


def _lose(conn: Connection, keys: Keyring, channel: str, holder: str, name: bytes, now: datetime) -> None:
    """A name has passed from `holder` to somebody else: nothing of theirs may be sent there any more."""
    row = _OF_CONVERSATION.first(conn, of=holder)
    if row is None:
        return
    known = Known(*row)
    if known.lookup == name:
        _leave_address(conn, keys, known, channel, now)
    else:
        conn.execute(_SET_PHONE, {"found": known.lookup, "new_phone": None, "new_phone_lookup": None})


def _retire(conn: Connection, keys: Keyring, channel: str, conversation: str, now: datetime) -> None:
    """This conversation reaches nobody any more; its names are free."""
    row = _OF_CONVERSATION.first(conn, of=conversation)
    conn.execute(_DROP_ALL, {"of": conversation})
    if row is not None:
        _leave_address(conn, keys, Known(*row), channel, now)


def _leave_address(conn: Connection, keys: Keyring, known: Known, channel: str, now: datetime) -> None:
    """The row stays for the conversation's sake, under a name that no platform gives."""
    _move(conn, keys, known.lookup, channel, f"gone|{known.conversation}")
    shut(conn, known.conversation, now)


def _is_theirs(conn: Connection, name: bytes, conversation: str) -> bool:
    """Whether this is still a name of the conversation's sender."""
    found = _ALIAS.first(conn, name=name)
    return found is not None and found[0] == conversation


def _names_worse(conn: Connection, sender: Sender, known: Known) -> bool:
    """Whether the address row goes by a name that is no longer theirs, or less sure than the one shown now."""
    found = _ALIAS.first(conn, name=known.lookup)
    return found is None or found[0] != known.conversation or found[1] in [kind for kind, _ in sender.also]


def _move(conn: Connection, keys: Keyring, lookup: bytes, channel: str, address: str) -> bytes:
    """Gives an address row another name; the phone that belonged to the old one is forgotten."""
    moved = _lookup(keys, channel, address)
    sealed = keys.seal_text("addresses", "address", moved.hex(), address)
    conn.execute(_MOVE, {"found": lookup, "moved": moved, "sealed": sealed})
    return moved


def _set_phone(conn: Connection, keys: Keyring, lookup: bytes, phone: str) -> None:
    sealed = keys.seal_text("addresses", "phone", lookup.hex(), phone)
    conn.execute(_SET_PHONE, {"found": lookup, "new_phone": sealed, "new_phone_lookup": keys.lookup("phone", phone)})


def _forget_phone_of_others(conn: Connection, keys: Keyring, sender: Sender, conversation: str) -> None:
    """A number belongs to one sender of a platform at a time: it proves nothing any more for whoever had it before."""
    if sender.phone:
        passed = keys.lookup("phone", sender.phone)
        conn.execute(_FORGET_PHONE, {"on": sender.channel, "passed": passed, "of": conversation})
