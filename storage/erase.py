"""Erasure: what a person asked us to forget, and what has been kept long enough. Dedupe keys stay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, Update, bindparam, delete, func, or_, select, update

from flows.model import Session
from storage import pacing, web_tokens
from storage.keyring import Keyring
from storage.tables import (
    addresses,
    aliases,
    application_receipts,
    applications,
    conversations,
    events,
    forms,
    identity_tries,
    inbox,
    media,
    outbox,
    people,
    ticket_notes,
    tickets,
    timers,
    wrong_codes,
)

_FIRST_SESSION = msgspec.json.encode(Session())
FORMS_KEPT = timedelta(days=1)
AT_ONCE = 1000
TRIES_KEPT = timedelta(days=2)  # the longest window that counts them is a day


@dataclass(frozen=True, slots=True)
class Purged:
    """How many rows lost their contents."""

    inbox: int = 0
    outbox: int = 0
    events: int = 0
    media: int = 0
    sessions: int = 0

    @property
    def rows(self) -> int:
        """All of them."""
        return self.inbox + self.outbox + self.events + self.media + self.sessions

    def __add__(self, more: Purged) -> Purged:
        return Purged(
            self.inbox + more.inbox,
            self.outbox + more.outbox,
            self.events + more.events,
            self.media + more.media,
            self.sessions + more.sessions,
        )


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was erased of a person, and what is under way and therefore stays, address included."""

    conversations: int
    tickets: int
    applications: int
    tickets_under_way: int
    applications_under_way: int


_CONVERSATIONS = select(conversations.c.id).where(conversations.c.person == bindparam("who"))
_OWN_TICKETS = or_(tickets.c.person == bindparam("who"), tickets.c.conversation.in_(_CONVERSATIONS.scalar_subquery()))
_SETTLED = tickets.c.status.in_(("resolved", "closed"))
_BLANK_NOTES = (
    update(ticket_notes)
    .where(ticket_notes.c.ticket.in_(select(tickets.c.code).where(_OWN_TICKETS, _SETTLED)))
    .values(text=None)
)
_BLANK_TICKETS = (
    update(tickets)
    .where(_OWN_TICKETS, _SETTLED, tickets.c.text.is_not(None))
    .values(text=None, name=None, details=None)
)
_TICKETS_UNDER_WAY = select(func.count()).select_from(tickets).where(_OWN_TICKETS, ~_SETTLED)
_OWN_APPLICATIONS = applications.c.id.in_(
    select(application_receipts.c.application).where(application_receipts.c.person == bindparam("who"))
)
_ENDED = applications.c.live_nik.is_(None)
_BLANK_RECEIPTS = (
    update(application_receipts)
    .where(
        application_receipts.c.person == bindparam("who"),
        application_receipts.c.application.in_(select(applications.c.id).where(_ENDED)),
    )
    .values(form=None)
)
_BLANK_APPLICATIONS = (
    update(applications)
    .where(applications.c.person == bindparam("who"), _ENDED, applications.c.form.is_not(None))
    .values(form=None)
)
_APPLICATIONS_UNDER_WAY = select(func.count()).select_from(applications).where(_OWN_APPLICATIONS, ~_ENDED)
_DROP_ADDRESSES = (
    delete(aliases).where(aliases.c.conversation.in_(_CONVERSATIONS.scalar_subquery())),
    delete(addresses).where(addresses.c.conversation.in_(_CONVERSATIONS.scalar_subquery())),
)
_UNLINK = update(people).where(people.c.id == bindparam("who")).values(member=None)
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
    update(outbox).where(outbox.c.conversation == bindparam("of")).values(body=None, platform_id=None, delivery=None),
    update(events).where(events.c.conversation == bindparam("of")).values(record=None),
    update(media).where(media.c.conversation == bindparam("of")).values(content=None),
    delete(timers).where(timers.c.conversation == bindparam("of")),
    delete(forms).where(forms.c.conversation == bindparam("of")),
)


def _blank_old(table: Table, column: str, *old: ColumnElement[bool]) -> Update:
    """Empties a column of the first rows that are old and still hold something."""
    first = select(table.c.id).where(*old, table.c[column].is_not(None)).order_by(table.c.id).limit(bindparam("most"))
    return update(table).where(table.c.id.in_(first.scalar_subquery())).values({column: None})


_BLANK_OLD_INBOX = _blank_old(
    inbox, "content", inbox.c.status.in_(("done", "parked")), inbox.c.handled_at < bindparam("before")
)
_BLANK_OLD_OUTBOX = _blank_old(
    outbox, "body", outbox.c.status.in_(("sent", "parked")), outbox.c.written_at < bindparam("before")
)
_BLANK_OLD_EVENTS = _blank_old(events, "record", events.c.at < bindparam("before"))
_BLANK_OLD_MEDIA = _blank_old(media, "content", media.c.at < bindparam("before"))
_SILENT = select(conversations.c.id).where(conversations.c.updated_at < bindparam("before")).limit(bindparam("most"))
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
    _blank_session(conn, keys, conversation, now)
    conn.execute(_END_PENDING, {"of": conversation, "now": now})
    conn.execute(_END_UNSENT, {"of": conversation})
    for statement in _BLANK_CONVERSATION:
        conn.execute(statement, {"of": conversation})


def forget_person(conn: Connection, keys: Keyring, person: str, *, now: datetime) -> Forgotten:
    """Erase a person: conversations, settled tickets, ended applications and, if nothing is under way, addresses.

    What is under way stays readable and answerable, and is counted in the result; consents stay, without words. That
    this person has proved to be a member is forgotten in any case. Who writes again after the addresses are gone is a
    new person. Safe to call twice.
    """
    held = conn.execute(_CONVERSATIONS, {"who": person}).scalars().all()
    reached = [one for one in held if conn.execute(_ADDRESS, {"of": one}).first() is not None]
    for conversation in reached:
        forget_conversation(conn, keys, conversation, now=now)
    who = {"who": person}
    conn.execute(_UNLINK, who)
    conn.execute(_BLANK_NOTES, who)
    conn.execute(_BLANK_RECEIPTS, who)
    forgotten = Forgotten(
        conversations=len(reached),
        tickets=conn.execute(_BLANK_TICKETS, who).rowcount,
        applications=conn.execute(_BLANK_APPLICATIONS, who).rowcount,
        tickets_under_way=conn.execute(_TICKETS_UNDER_WAY, who).scalar_one(),
        applications_under_way=conn.execute(_APPLICATIONS_UNDER_WAY, who).scalar_one(),
    )
    if not forgotten.tickets_under_way and not forgotten.applications_under_way:
        for statement in _DROP_ADDRESSES:
            conn.execute(statement, who)
    return forgotten


def purge(
    conn: Connection,
    keys: Keyring,
    *,
    now: datetime,
    messages_kept: timedelta,
    media_kept: timedelta,
    limit: int = AT_ONCE,
) -> Purged:
    """Blank messages, replies and events that are handled and older than `messages_kept`, old media, silent sessions.

    The rows stay with their ids and dedupe keys, so that a late redelivery is still known. `limit` rows of each kind
    at most, so that no transaction is long: run it again until it finds none.
    """
    before = {"before": now - messages_kept, "most": limit}
    conn.execute(_DROP_OLD_FORMS, {"before": now - FORMS_KEPT})
    pacing.forget_full(conn, now)  # one is kept for every chat that was written to
    for statement in _DROP_OLD_TRIES:
        conn.execute(statement, {"before": now - TRIES_KEPT})
    silent = conn.execute(_SILENT, before).scalars().all()
    for conversation in silent:
        _blank_session(conn, keys, conversation, now)
    return Purged(
        inbox=conn.execute(_BLANK_OLD_INBOX, before).rowcount,
        outbox=conn.execute(_BLANK_OLD_OUTBOX, before).rowcount,
        events=conn.execute(_BLANK_OLD_EVENTS, before).rowcount,
        media=conn.execute(_BLANK_OLD_MEDIA, {"before": now - media_kept, "most": limit}).rowcount,
        sessions=len(silent),
    )


def _blank_session(conn: Connection, keys: Keyring, conversation: str, now: datetime) -> None:
    session = keys.seal("conversations", "session", conversation, _FIRST_SESSION)
    conn.execute(_BLANK_SESSION, {"of": conversation, "new_session": session, "now": now})
