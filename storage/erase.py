"""Erasure: what a person asked us to forget, and what has been kept long enough. Dedupe keys stay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection, bindparam, delete, select, update

from flows.model import Session
from storage import web_tokens
from storage.keyring import Keyring
from storage.tables import (
    addresses,
    conversations,
    events,
    forms,
    identity_tries,
    inbox,
    media,
    outbox,
    timers,
    wrong_codes,
)

_FIRST_SESSION = msgspec.json.encode(Session())
FORMS_KEPT = timedelta(days=1)
TRIES_KEPT = timedelta(days=2)  # the longest window that counts them is a day


@dataclass(frozen=True, slots=True)
class Purged:
    """How many rows lost their contents."""

    inbox: int
    outbox: int
    events: int
    media: int


_ADDRESS = select(addresses.c.lookup, addresses.c.channel, addresses.c.address).where(
    addresses.c.conversation == bindparam("of")
)
_BLANK_SESSION = (
    update(conversations)
    .where(conversations.c.id == bindparam("of"))
    .values(
        session=bindparam("new_session"),
        version=conversations.c.version + 1,
        owner="bot",
        updated_at=bindparam("now"),
    )
)
_END_PENDING = (
    update(inbox)
    .where(inbox.c.conversation == bindparam("of"), inbox.c.status == "new")
    .values(status="done", handled_at=bindparam("now"), worker=None, lease_until=None)
)
_END_UNSENT = (
    update(outbox)
    .where(outbox.c.conversation == bindparam("of"), outbox.c.status == "new")
    .values(status="parked", error="erased", worker=None, lease_until=None)
)
_BLANK_CONVERSATION = (
    update(inbox).where(inbox.c.conversation == bindparam("of")).values(content=None),
    update(outbox).where(outbox.c.conversation == bindparam("of")).values(body=None),
    update(events).where(events.c.conversation == bindparam("of")).values(record=None),
    update(media).where(media.c.conversation == bindparam("of")).values(content=None),
    delete(timers).where(timers.c.conversation == bindparam("of")),
    delete(forms).where(forms.c.conversation == bindparam("of")),
)
_BLANK_OLD_INBOX = (
    update(inbox)
    .where(
        inbox.c.status.in_(("done", "parked")),
        inbox.c.handled_at < bindparam("before"),
        inbox.c.content.is_not(None),
    )
    .values(content=None)
)
_BLANK_OLD_OUTBOX = (
    update(outbox)
    .where(
        outbox.c.status.in_(("sent", "parked")),
        outbox.c.written_at < bindparam("before"),
        outbox.c.body.is_not(None),
    )
    .values(body=None)
)
_BLANK_OLD_EVENTS = (
    update(events).where(events.c.at < bindparam("before"), events.c.record.is_not(None)).values(record=None)
)
_BLANK_OLD_MEDIA = (
    update(media).where(media.c.at < bindparam("before"), media.c.content.is_not(None)).values(content=None)
)
_DROP_OLD_FORMS = delete(forms).where(forms.c.expires_at < bindparam("before"))
_DROP_OLD_TRIES = (
    delete(identity_tries).where(identity_tries.c.at < bindparam("before")),
    delete(wrong_codes).where(wrong_codes.c.at < bindparam("before")),
)


def forget_conversation(conn: Connection, keys: Keyring, conversation: str, *, now: datetime) -> None:
    """Erase what was said in a conversation and end the link that leads back to it. Safe to call twice.

    Tickets and applications stay: they are the institution's records. What was not sent is not sent any more. A web
    visitor's token leads nowhere; other channels still reach the conversation, which begins anew.
    """
    row = conn.execute(_ADDRESS, {"of": conversation}).first()
    if row is None:
        raise KeyError(conversation)
    if row.channel == "web":
        address = keys.open_text("addresses", "address", row.lookup.hex(), row.address)
        web_tokens.forget_address(conn, keys, address)
    session = keys.seal("conversations", "session", conversation, _FIRST_SESSION)
    conn.execute(_BLANK_SESSION, {"of": conversation, "new_session": session, "now": now})
    conn.execute(_END_PENDING, {"of": conversation, "now": now})
    conn.execute(_END_UNSENT, {"of": conversation})
    for statement in _BLANK_CONVERSATION:
        conn.execute(statement, {"of": conversation})


def purge(conn: Connection, *, now: datetime, messages_kept: timedelta, media_kept: timedelta) -> Purged:
    """Blank messages, replies and events that are handled and older than `messages_kept`, and old media.

    The rows stay with their ids and dedupe keys, so that a late redelivery is still known.
    """
    before = {"before": now - messages_kept}
    conn.execute(_DROP_OLD_FORMS, {"before": now - FORMS_KEPT})
    for statement in _DROP_OLD_TRIES:
        conn.execute(statement, {"before": now - TRIES_KEPT})
    return Purged(
        inbox=conn.execute(_BLANK_OLD_INBOX, before).rowcount,
        outbox=conn.execute(_BLANK_OLD_OUTBOX, before).rowcount,
        events=conn.execute(_BLANK_OLD_EVENTS, before).rowcount,
        media=conn.execute(_BLANK_OLD_MEDIA, {"before": now - media_kept}).rowcount,
    )
