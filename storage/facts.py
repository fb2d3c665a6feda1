"""Answers to what a flow needs to know, from our own database alone."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import assert_never

from sqlalchemy import Connection

from flows.model import (
    Answer,
    IdentityCheck,
    MemberById,
    MyTickets,
    OpenHandover,
    Query,
    SenderIsMember,
    TicketByCode,
    TicketFacts,
    TicketNote,
    WrongCodes,
)
from storage import applications, identity, members, staff, tickets, wrong_codes
from storage.applications import Receipt
from storage.conversations import Held
from storage.keyring import Keyring
from storage.tickets import Ticket

WIB = timezone(timedelta(hours=7), "WIB")  # programme dates are WIB
HANDOVER = "handover"
APPLICATION = "application"
MOST_TICKETS = 10


def answer(conn: Connection, keys: Keyring, query: Query, *, held: Held, now: datetime) -> Answer:
    """The answer to one query about the person who holds this conversation.

    In `TicketFacts`, `owner` and the authors of notes are names of staff where they are staff.
    """
    match query:
        case IdentityCheck():
            return identity.check(conn, keys, query, person=held.person, now=now)
        case MemberById(member):
            return members.facts(conn, keys, member)
        case SenderIsMember(phone):
            return members.has_phone(conn, keys, phone)
        case TicketByCode(code):
            return _by_code(conn, keys, code, held)
        case MyTickets():
            return _mine(conn, keys, held)
        case WrongCodes():
            return wrong_codes.in_last_hour(conn, person=held.person, now=now)
        case OpenHandover():
            ticket = tickets.unsettled(conn, keys, held.conversation, HANDOVER)
            return None if ticket is None else _of_ticket(conn, keys, ticket, held)
        case _:
            assert_never(query)


def _by_code(conn: Connection, keys: Keyring, code: str, held: Held) -> TicketFacts | None:
    ticket = tickets.by_code(conn, keys, code)
    if ticket is not None:
        return _of_ticket(conn, keys, ticket, held)
    receipt = applications.by_code(conn, code)
    return None if receipt is None else _of_receipt(receipt, held)


def _mine(conn: Connection, keys: Keyring, held: Held) -> tuple[TicketFacts, ...]:
    filed = [
        _of_ticket(conn, keys, ticket, held)
        for ticket in tickets.of_person(conn, keys, held.person, held.conversation, limit=MOST_TICKETS)
    ]
    applied = [
        _of_receipt(receipt, held)
        for receipt in applications.of_person(conn, held.person, held.conversation, limit=MOST_TICKETS)
    ]
    newest_first = sorted(filed + applied, key=lambda fact: fact.opened, reverse=True)
    return tuple(newest_first[:MOST_TICKETS])


def _of_ticket(conn: Connection, keys: Keyring, ticket: Ticket, held: Held) -> TicketFacts:
    mine = tickets.is_of(ticket, held.person, held.conversation)
    history = tickets.notes(conn, keys, ticket.code, inner=False) if mine else []
    return TicketFacts(
        code=ticket.code,
        kind=ticket.kind,
        category=ticket.category,
        status=ticket.status,
        promised=ticket.promised.astimezone(WIB).date() if ticket.promised else None,
        opened=ticket.opened_at,
        mine=mine,
        due=ticket.due,
        owner=_name(conn, keys, ticket.owner) if mine else "",
        notes=tuple(
            TicketNote(note.at, _name(conn, keys, note.author), note.text) for note in history if note.what == "note"
        ),
    )


def _of_receipt(receipt: Receipt, held: Held) -> TicketFacts:
    return TicketFacts(
        code=receipt.code,
        kind=APPLICATION,
        category="",
        status=receipt.status,
        promised=None,
        opened=receipt.at,
        mine=receipt.person == held.person or receipt.conversation == held.conversation,
    )


def _name(conn: Connection, keys: Keyring, author: str) -> str:
    if author in ("", "person", "bot"):
        return author
    member = staff.by_id(conn, keys, author)
    return member.name if member is not None else author
