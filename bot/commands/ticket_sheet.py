"""One ticket as a member of staff needs it: who it is, what was promised, its history, and what was said last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
from sqlalchemy import Connection

from bot.commands.times import office_time
from bot.transcript import Spoken, latest
from flows.format import mask_phone
from storage import conversations, media, people, staff, tickets
from storage.keyring import Keyring, KeyringError
from storage.media import MediaFacts
from storage.people import Address
from storage.tickets import Note, Ticket

LAST_SPOKEN: Final = 20
"""Messages of the conversation that are shown, of both sides together."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is shown of a ticket. An anonymous one has neither name nor addresses nor words of the conversation.

    `name` is the person's own, from the ticket or from the talk; `names` are staff by id; `holder` is who holds the
    conversation, '' when there is none; `files` are by media id.
    """

    ticket: Ticket
    name: str
    names: Mapping[str, str]
    history: tuple[Note, ...]
    addresses: tuple[Address, ...]
    holder: str
    spoken: tuple[Spoken, ...]
    files: Mapping[str, MediaFacts]


def read_sheet(conn: Connection, keys: Keyring, ticket: Ticket) -> Sheet:
    """Everything of a ticket in one reading."""
    history = tuple(tickets.notes(conn, keys, ticket.code))
    addresses: tuple[Address, ...] = ()
    spoken: tuple[Spoken, ...] = ()
    if ticket.person and not ticket.anonymous:
        addresses = _addresses(conn, keys, ticket.person, ticket.conversation)
    if ticket.conversation and not ticket.anonymous:
        spoken = tuple(latest(conn, keys, ticket.conversation, LAST_SPOKEN))
    wanted = {*ticket.media, *(file for note in history for file in note.media), *(one.media for one in spoken)} - {""}
    found = (media.facts(conn, one) for one in sorted(wanted))
    return Sheet(
        ticket=ticket,
        name="" if ticket.anonymous else ticket.name or _known_name(conn, keys, ticket.conversation),
        names={member.id: member.name for member in staff.list_staff(conn, keys)},
        history=history,
        addresses=addresses,
        holder=conversations.owner_of(conn, ticket.conversation) if ticket.conversation else "",
        spoken=spoken,
        files={facts.id: facts for facts in found if facts is not None},
    )


def _addresses(conn: Connection, keys: Keyring, person: str, conversation: str | None) -> tuple[Address, ...]:
    """None where they cannot be opened: such a ticket is set aside for staff and must be shown all the same."""
    try:
        everywhere = people.addresses_of(conn, keys, person)
    except KeyringError:
        return ()
    return tuple(one for one in everywhere if conversation in (None, one.conversation))


def _known_name(conn: Connection, keys: Keyring, conversation: str | None) -> str:
    """The name the person gave in the talk; "" when none is known, the talk was erased or it cannot be opened."""
    try:
        return conversations.peek(conn, keys, conversation).session.known.name if conversation else ""
    except (KeyError, KeyringError, msgspec.DecodeError):
        return ""


def lines_of(sheet: Sheet, zone: str) -> Iterator[str]:
    """The sheet in lines, instants on the clock of `zone`."""
    yield from _head(sheet, zone)
    if sheet.history:
        yield "history:"
    for note in sheet.history:
        inner = " (staff only)" if note.inner else ""
        who = sheet.names.get(note.author, note.author) or "-"
        yield f"  {office_time(note.at, zone)} {who}{inner}: {_of_note(sheet, note)}"
    if sheet.spoken:
        yield f"conversation, last {len(sheet.spoken)} messages:"
    for one in sheet.spoken:
        files = _files(sheet, (one.media,) if one.media else ())
        words = " ".join(part for part in (*files, one.text) if part)
        yield f"  {office_time(one.at, zone)} {one.who}: {_indented(words)}"


def _head(sheet: Sheet, zone: str) -> Iterator[str]:
    ticket = sheet.ticket
    flags = ("restricted",) if ticket.restricted else ()
    words = (ticket.code, ticket.kind, ticket.category, ticket.status, ticket.priority, *flags)
    yield "  ".join(word for word in words if word)
    yield f"opened: {office_time(ticket.opened_at, zone)}"
    yield f"promised: {office_time(ticket.promised, zone) if ticket.promised else '-'}"
    yield f"due: {ticket.due.isoformat() if ticket.due else '-'}"
    yield f"owner: {sheet.names.get(ticket.owner, ticket.owner) or '-'}"
    if sheet.holder:
        yield f"conversation held by: {sheet.names.get(sheet.holder, sheet.holder)}"
    if ticket.anonymous:
        yield "person: filed anonymously; who it is and the conversation are not shown, a reply reaches them"
    else:
        yield f"person: {sheet.name or 'no name given'}"
        for place in sheet.addresses:
            yield f"reached by: {place.channel}, {mask_phone(place.phone) if place.phone else 'no phone known'}"
    if ticket.text:
        yield f"text: {_indented(ticket.text)}"
    for name, value in sorted(ticket.details.items()):
        if value:
            yield f"{name}: {_indented(value)}"
    yield from _files(sheet, ticket.media)


def _of_note(sheet: Sheet, note: Note) -> str:
    if note.what != "note":
        return f"{note.what} → {sheet.names.get(note.value, note.value) or 'nobody'}"
    return " ".join(part for part in (*_files(sheet, note.media), _indented(note.text)) if part)


def _files(sheet: Sheet, ids: tuple[str, ...]) -> Iterator[str]:
    """`foto (ID, 51 kB)` for each file; what to give to `photo`."""
    for one in ids:
        facts = sheet.files.get(one)
        if facts is None or facts.is_erased:
            yield f"foto ({one}, erased)"
        else:
            word = "foto" if facts.mime.startswith("image/") else facts.mime
            yield f"{word} ({one}, {max(1, round(facts.size_bytes / 1000))} kB)"


def _indented(text: str) -> str:
    """Words of several lines, the later ones set in so that nobody can write a line of the sheet themselves."""
    return "\n    ".join(text.splitlines())
