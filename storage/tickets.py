"""Tickets: work for staff, with a history that the person may read in part."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal

import msgspec
from sqlalchemy import Connection, Row, and_, bindparam, insert, or_, select, update

from flows.model import OpenTicket
from storage.ids import Ids
from storage.keyring import Keyring
from storage.tables import application_receipts, codes, ticket_notes, tickets

Status = Literal["open", "waiting", "resolved", "closed"]
UNSETTLED: tuple[Status, ...] = ("open", "waiting")
KEPT_APART: Final = "safety"
"""The kind of ticket that is seen only where it was opened: whom somebody fears may hold their other phone."""
UNDELIVERED: Final = "undelivered"
"""The kind of ticket that tells staff about a message that could not be sent."""
STOPPED: Final = "channel_stopped"
"""The kind of ticket that tells staff that a whole channel stands still until somebody mends it."""
OF_THE_HOUSE: Final = (UNDELIVERED, "identity_alert", STOPPED, "application_late")
"""Kinds that staff open among themselves about a person's conversation: no report of theirs, and not told to them."""


_DETAILS = msgspec.json.Decoder(dict[str, str])
_MEDIA = msgspec.json.Decoder(tuple[str, ...])
_json = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as staff see it. `person` is empty when it was filed anonymously; `owner` is a staff id or ''.

    `promised` is when a person is promised word, `due` when it must be solved.
    """

    code: str
    kind: str
    category: str
    status: Status
    priority: str
    owner: str
    person: str | None
    conversation: str | None
    promised: datetime | None
    due: date | None
    restricted: bool
    anonymous: bool
    opened_at: datetime
    updated_at: datetime
    text: str
    name: str
    details: dict[str, str]
    media: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """One line of a ticket's history: a note, or a change of status or owner (`value` is the new one).

    `author` is person, bot or a staff id; `inner` lines are for staff alone.
    """

    at: datetime
    what: Literal["note", "status", "owner"]
    value: str
    author: str
    inner: bool
    text: str
    media: tuple[str, ...]


_ADD_CODE = insert(codes)
_ADD = insert(tickets)
_ADD_NOTE = insert(ticket_notes)
_BY_CODE = select(tickets).where(tickets.c.code == bindparam("which"))
_CONVERSATION_OF_TICKET = select(tickets.c.conversation).where(tickets.c.code == bindparam("which"))
_CONVERSATION_OF_RECEIPT = select(application_receipts.c.conversation).where(
    application_receipts.c.code == bindparam("which")
)
_NOTES = select(ticket_notes).where(ticket_notes.c.ticket == bindparam("which")).order_by(ticket_notes.c.id)
_SET_STATUS = (
    update(tickets)
    .where(tickets.c.code == bindparam("which"), tickets.c.status != bindparam("becomes"))
    .values(status=bindparam("becomes"), updated_at=bindparam("now"))
)
_SET_OWNER = (
    update(tickets)
    .where(tickets.c.code == bindparam("which"), tickets.c.owner != bindparam("becomes"))
    .values(owner=bindparam("becomes"), updated_at=bindparam("now"))
)
_RENEW = (
    update(tickets)
    .where(tickets.c.code == bindparam("which"))
    .values(promised=bindparam("until"), priority="urgent", updated_at=bindparam("now"))
)
_TOUCH = update(tickets).where(tickets.c.code == bindparam("which")).values(updated_at=bindparam("now"))
_OF_PERSON = (
    select(tickets)
    .where(
        or_(
            and_(tickets.c.person == bindparam("who"), tickets.c.kind != KEPT_APART),
            tickets.c.conversation == bindparam("of"),
        ),
        tickets.c.kind.not_in(OF_THE_HOUSE),
    )
    .order_by(tickets.c.opened_at.desc(), tickets.c.code)
    .limit(bindparam("count"))
)
_LATEST_OF_KIND = (
    select(tickets)
    .where(
        tickets.c.conversation == bindparam("of"),
        tickets.c.kind == bindparam("sort"),
        tickets.c.status.in_(UNSETTLED),
    )
    .order_by(tickets.c.opened_at.desc(), tickets.c.code)
    .limit(1)
)


def open_ticket(
    conn: Connection,
    keys: Keyring,
    ticket: OpenTicket,
    *,
    person: str | None,
    conversation: str | None,
    now: datetime,
) -> None:
    """Open a ticket. An anonymous one keeps the conversation, so that it can be answered, and no person or name.

    Raises Conflict (through the database) when the code is taken.
    """
    code = ticket.code
    conn.execute(_ADD_CODE, {"code": code, "record": "ticket"})
    conn.execute(
        _ADD,
        {
            "code": code,
            "kind": ticket.kind,
            "category": ticket.category,
            "status": "open",
            "priority": ticket.priority,
            "owner": "",
            "person": None if ticket.anonymous else person,
            "conversation": conversation,
            "promised": ticket.promised,
            "due": ticket.due,
            "restricted": ticket.restricted,
            "anonymous": ticket.anonymous,
            "opened_at": now,
            "updated_at": now,
            "text": keys.seal_text("tickets", "text", code, ticket.text),
            "name": keys.seal_text("tickets", "name", code, "" if ticket.anonymous else ticket.name),
            "details": keys.seal("tickets", "details", code, _json.encode(ticket.details)),
            "media": _json.encode(ticket.media).decode(),
        },
    )


def add_note(
    conn: Connection,
    keys: Keyring,
    code: str,
    *,
    text: str,
    author: str,
    inner: bool = False,
    media: tuple[str, ...] = (),
    ids: Ids,
    now: datetime,
) -> None:
    """Add a line to a ticket's history. Raises KeyError when there is no such ticket."""
    if conn.execute(_TOUCH, {"which": code, "now": now}).rowcount != 1:
        raise KeyError(code)
    _add_line(conn, keys, code, "note", "", author, inner, text, media, ids, now)


def set_status(conn: Connection, keys: Keyring, code: str, status: Status, *, by: str, ids: Ids, now: datetime) -> None:
    """Set the status and record who did it; nothing is recorded when it stood so already."""
    if conn.execute(_SET_STATUS, {"which": code, "becomes": status, "now": now}).rowcount:
        _add_line(conn, keys, code, "status", status, by, False, "", (), ids, now)


def renew_promise(conn: Connection, code: str, *, promised: datetime, now: datetime) -> None:
    """Promise word by another instant, and make the ticket urgent."""
    conn.execute(_RENEW, {"which": code, "until": promised, "now": now})


def assign(conn: Connection, keys: Keyring, code: str, staff: str, *, by: str, ids: Ids, now: datetime) -> None:
    """Give the ticket to a staff member, '' to nobody; nothing is recorded when it stood so already."""
    if conn.execute(_SET_OWNER, {"which": code, "becomes": staff, "now": now}).rowcount:
        _add_line(conn, keys, code, "owner", staff, by, False, "", (), ids, now)


def by_code(conn: Connection, keys: Keyring, code: str) -> Ticket | None:
    """The ticket with this code."""
    row = conn.execute(_BY_CODE, {"which": code}).first()
    return None if row is None else _ticket(keys, row)


def conversation_of(conn: Connection, code: str) -> str | None:
    """The conversation that a ticket or an application receipt belongs to."""
    found = conn.execute(_CONVERSATION_OF_TICKET, {"which": code}).scalar()
    return found or conn.execute(_CONVERSATION_OF_RECEIPT, {"which": code}).scalar()


def is_of(ticket: Ticket, person: str, conversation: str) -> bool:
    """Whether who holds this conversation may read the ticket: filed by this person, or from here."""
    if ticket.kind in OF_THE_HOUSE:
        return False
    return ticket.conversation == conversation or (ticket.person == person and ticket.kind != KEPT_APART)


def of_person(conn: Connection, keys: Keyring, person: str, conversation: str, *, limit: int = 10) -> list[Ticket]:
    """Tickets filed by this person or from this conversation, as `is_of` says, newest first."""
    rows = conn.execute(_OF_PERSON, {"who": person, "of": conversation, "count": limit})
    return [_ticket(keys, row) for row in rows]


def unsettled(conn: Connection, keys: Keyring, conversation: str, kind: str) -> Ticket | None:
    """The newest open or waiting ticket of one kind in a conversation."""
    row = conn.execute(_LATEST_OF_KIND, {"of": conversation, "sort": kind}).first()
    return None if row is None else _ticket(keys, row)


def list_tickets(
    conn: Connection,
    keys: Keyring,
    *,
    status: tuple[Status, ...] = (),
    kind: str | None = None,
    category: str | None = None,
    owner: str | None = None,
    priority: str | None = None,
    restricted: bool | None = None,
    limit: int = 100,
    offset: int = 0,
) -> list[Ticket]:
    """Tickets that match every filter given: urgent ones first, then the longest open."""
    query = select(tickets)
    if status:
        query = query.where(tickets.c.status.in_(status))
    for column, wanted in (
        (tickets.c.kind, kind),
        (tickets.c.category, category),
        (tickets.c.owner, owner),
        (tickets.c.priority, priority),
        (tickets.c.restricted, restricted),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    ordered = query.order_by((tickets.c.priority == "urgent").desc(), tickets.c.opened_at, tickets.c.code)
    return [_ticket(keys, row) for row in conn.execute(ordered.limit(limit).offset(offset))]


def notes(conn: Connection, keys: Keyring, code: str, *, inner: bool = True) -> list[Note]:
    """The history of a ticket, oldest first; without `inner`, only what the person may read."""
    lines = []
    for row in conn.execute(_NOTES, {"which": code}):
        if inner or not row.inner:
            text = _opened(keys, "ticket_notes", "text", row.row, row.text)
            lines.append(Note(row.at, row.what, row.value, row.author, row.inner, text, _MEDIA.decode(row.media)))
    return lines


def _add_line(
    conn: Connection,
    keys: Keyring,
    code: str,
    what: str,
    value: str,
    author: str,
    inner: bool,
    text: str,
    media: tuple[str, ...],
    ids: Ids,
    now: datetime,
) -> None:
    place = ids.new()
    conn.execute(
        _ADD_NOTE,
        {
            "row": place,
            "ticket": code,
            "at": now,
            "what": what,
            "value": value,
            "author": author,
            "inner": inner,
            "text": keys.seal_text("ticket_notes", "text", place, text),
            "media": _json.encode(media).decode(),
        },
    )


def _opened(keys: Keyring, table: str, column: str, row: str, sealed: bytes | None) -> str:
    return "" if sealed is None else keys.open_text(table, column, row, sealed)


def _ticket(keys: Keyring, row: Row[*tuple[Any, ...]]) -> Ticket:
    code = row.code
    details = _opened(keys, "tickets", "details", code, row.details)
    return Ticket(
        code=code,
        kind=row.kind,
        category=row.category,
        status=row.status,
        priority=row.priority,
        owner=row.owner,
        person=row.person,
        conversation=row.conversation,
        promised=row.promised,
        due=row.due,
        restricted=row.restricted,
        anonymous=row.anonymous,
        opened_at=row.opened_at,
        updated_at=row.updated_at,
        text=_opened(keys, "tickets", "text", code, row.text),
        name=_opened(keys, "tickets", "name", code, row.name),
        details=_DETAILS.decode(details) if details else {},
        media=_MEDIA.decode(row.media),
    )
