"""What is kept about a person, opened and in one piece: for the person who asks to see it."""

from __future__ import annotations

from datetime import date, datetime

import msgspec
from sqlalchemy import Connection, bindparam, select

from flows.model import Apply, Content, Session, StaffAction, TimerDue
from storage import consents, conversations, inbox, outbox, people, tickets
from storage.keyring import Keyring
from storage.tables import application_receipts, applications, identity_tries, members
from storage.tables import conversations as conversation_table
from storage.tables import media as media_table
from storage.tables import outbox as outbox_table
from storage.tables import people as people_table
from storage.tables import tickets as ticket_table


class Said(msgspec.Struct, frozen=True):
    """One message of a talk. `author` is person, bot or a staff name.

    What came in has a `content`, None once erased; what went out has a `text`, and `delivery` is what the platform told
    of it: sent, delivered, read or failed.
    """

    at: datetime
    author: str
    content: Content | None = None
    text: str = ""
    delivery: str = ""


class Talk(msgspec.Struct, frozen=True):
    """One conversation: where it is held, what was said, in order, and the answers it is in the middle of."""

    channel: str
    address: str
    phone: str | None
    said: tuple[Said, ...]
    session: Session


class FiledTicket(msgspec.Struct, frozen=True):
    """A ticket the person filed under their name, with the part of its history that they may read."""

    code: str
    kind: str
    category: str
    status: str
    opened_at: datetime
    due: date | None
    text: str
    name: str
    details: dict[str, str]
    notes: tuple[str, ...]


class Application(msgspec.Struct, frozen=True):
    """A sign-up as declared; `form` is None once erased."""

    code: str
    status: str
    at: datetime
    form: Apply | None


class File(msgspec.Struct, frozen=True):
    """A photo or document; its bytes become base64 in JSON, None once erased."""

    id: str
    mime: str
    at: datetime
    content: bytes | None


class Consent(msgspec.Struct, frozen=True):
    """What was agreed to, or not, in which version of the words."""

    purpose: str
    version: str
    given: bool
    at: datetime


class Person(msgspec.Struct, frozen=True):
    """Everything kept about one person, except tickets filed anonymously: those name nobody, here neither.

    `member` is our id of the member they have proved to be.
    """

    id: str
    since: datetime
    opted_out_at: datetime | None
    member: str | None
    talks: tuple[Talk, ...]
    tickets: tuple[FiledTicket, ...]
    applications: tuple[Application, ...]
    files: tuple[File, ...]
    consents: tuple[Consent, ...]


_decode_form = msgspec.json.Decoder(Apply).decode

_PERSON = select(people_table.c.created_at, people_table.c.opted_out_at, people_table.c.member).where(
    people_table.c.id == bindparam("who")
)
_DELIVERIES = select(outbox_table.c.id, outbox_table.c.delivery).where(
    outbox_table.c.conversation == bindparam("of"), outbox_table.c.delivery.is_not(None)
)
_CODES = select(ticket_table.c.code).where(ticket_table.c.person == bindparam("who")).order_by(ticket_table.c.opened_at)
_APPLICATIONS = (
    select(
        application_receipts.c.code,
        applications.c.status,
        application_receipts.c.at,
        application_receipts.c.form,
    )
    .join_from(application_receipts, applications, applications.c.id == application_receipts.c.application)
    .where(application_receipts.c.person == bindparam("who"))
    .order_by(application_receipts.c.at)
)
_FILES = (
    select(media_table)
    .join_from(media_table, conversation_table, conversation_table.c.id == media_table.c.conversation)
    .where(conversation_table.c.person == bindparam("who"))
    .order_by(media_table.c.at, media_table.c.id)
)
_OF_TICKET = select(ticket_table.c.person).where(ticket_table.c.code == bindparam("code"))
_OF_RECEIPT = select(application_receipts.c.person).where(application_receipts.c.code == bindparam("code"))
_OF_NIK = (
    select(application_receipts.c.person)
    .join_from(application_receipts, applications, applications.c.id == application_receipts.c.application)
    .where(applications.c.nik_lookup == bindparam("nik"))
)
_PROVED = select(identity_tries.c.person).where(
    identity_tries.c.nik_lookup == bindparam("nik"), identity_tries.c.proved.is_(True)
)

_IS_MEMBER = (
    select(people_table.c.id)
    .join(members, members.c.id == people_table.c.member)
    .where(members.c.nik_lookup == bindparam("nik"))
)


def who_has_code(conn: Connection, code: str) -> list[str]:
    """The person of a ticket or sign-up, one at most; nobody for a ticket that was filed anonymously."""
    found = {*conn.execute(_OF_TICKET, {"code": code}).scalars(), *conn.execute(_OF_RECEIPT, {"code": code}).scalars()}
    return sorted(found - {None})


def who_gave_nik(conn: Connection, keys: Keyring, nik: str) -> list[str]:
    """Persons who signed somebody up with this NIK, or proved to be the member."""
    lookup = {"nik": keys.lookup("nik", nik)}
    return sorted(
        {person for query in (_OF_NIK, _PROVED, _IS_MEMBER) for person in conn.execute(query, lookup).scalars()}
    )


def of_person(conn: Connection, keys: Keyring, person: str) -> Person:
    """All of it. Raises KeyError when there is no such person."""
    row = conn.execute(_PERSON, {"who": person}).first()
    if row is None:
        raise KeyError(person)
    who = {"who": person}
    return Person(
        id=person,
        since=row.created_at,
        opted_out_at=row.opted_out_at,
        member=row.member,
        talks=tuple(_talk(conn, keys, place) for place in people.addresses_of(conn, keys, person)),
        tickets=tuple(_ticket(conn, keys, code) for code in conn.execute(_CODES, who).scalars().all()),
        applications=tuple(
            Application(
                code,
                status,
                at,
                _decode_form(keys.open("application_receipts", "form", code, form)) if form is not None else None,
            )
            for code, status, at, form in conn.execute(_APPLICATIONS, who).all()
        ),
        files=tuple(
            File(
                one.id,
                one.mime,
                one.at,
                keys.open("media", "content", one.id, one.content) if one.content is not None else None,
            )
            for one in conn.execute(_FILES, who)
        ),
        consents=tuple(
            Consent(one.purpose, one.version, one.given, one.at) for one in consents.of_person(conn, person)
        ),
    )


def _talk(conn: Connection, keys: Keyring, place: people.Address) -> Talk:
    came = inbox.whole_conversation(conn, keys, place.conversation)
    went = outbox.whole_conversation(conn, keys, place.conversation)
    deliveries = {row.id: row.delivery for row in conn.execute(_DELIVERIES, {"of": place.conversation})}
    placed = [
        *(
            ((row.inbox_id, -1), Said(row.received_at, "person", content=row.content))
            for row in came
            if not isinstance(row.content, StaffAction | TimerDue)
        ),
        *(
            (
                (row.inbox_id, row.n),
                Said(row.written_at, row.author, text=row.body.text, delivery=deliveries.get(row.id, "")),
            )
            for row in went
        ),
    ]
    placed.sort(key=lambda one: one[0])
    session = conversations.peek(conn, keys, place.conversation).session
    return Talk(place.channel, place.address, place.phone, tuple(said for _, said in placed), session)


def _ticket(conn: Connection, keys: Keyring, code: str) -> FiledTicket:
    ticket = tickets.by_code(conn, keys, code)
    if ticket is None:
        raise KeyError(code)
    return FiledTicket(
        code=code,
        kind=ticket.kind,
        category=ticket.category,
        status=ticket.status,
        opened_at=ticket.opened_at,
        due=ticket.due,
        text=ticket.text,
        name=ticket.name,
        details=ticket.details,
        notes=tuple(note.text for note in tickets.notes(conn, keys, code, inner=False) if note.what == "note"),
    )
