"""`rangkul ticket CODE VERB`: acts on a ticket as a member of staff.

What staff do enters the conversation's inbox and is a turn like any other. This command handles it at once; where
the service does so first, that is as good.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import Final, Literal, get_args

from sqlalchemy import Connection

from bot.app import Program, open_program
from bot.commands.opening import command_parser, settings_of
from flows.format import code_groups
from flows.model import StaffAction
from storage import audit, inbox, staff, tickets
from storage.staff import StaffMember
from storage.tickets import Ticket

Verb = Literal["take", "reply", "note", "ask", "return", "resolve", "close", "assign"]
WITH_TEXT: Final = frozenset({"reply", "note", "ask"})


def main(arguments: Sequence[str]) -> int:
    """Carries out one act of staff. 0 done, 1 not possible."""
    parser = command_parser("ticket", __doc__ or "")
    parser.add_argument("code")
    parser.add_argument("verb", choices=("show", *get_args(Verb)))
    parser.add_argument("text", nargs="*", help="the words of reply, note, ask; also resolve and close may have some")
    parser.add_argument("--staff", help="who acts; may be left out when there is one staff member")
    given = parser.parse_args(arguments)
    if given.verb in WITH_TEXT and not given.text:
        parser.error(f"{given.verb} needs its words")
    return asyncio.run(_run(given))


async def _run(given: argparse.Namespace) -> int:
    config, keys = settings_of(given)
    async with open_program(config, keys=keys) as program:
        ticket, everybody = await program.db.read(
            lambda conn: (tickets.by_code(conn, keys, code_groups(given.code)), staff.list_staff(conn, keys))
        )
        who = acting(everybody, given.staff)
        if ticket is None:
            return _refuse(f"{given.code}: no such ticket")
        if isinstance(who, str):
            return _refuse(who)
        if given.verb == "show":
            await _show(program, ticket, who, everybody)
            return 0
        return await _act(program, ticket, who, given.verb, " ".join(given.text))


def named(everybody: Sequence[StaffMember], name: str | None) -> StaffMember | str | None:
    """Who looks, None when no name was given, or why the name will not do: for what an operator may do namelessly."""
    return acting(everybody, name) if name is not None else None


def acting(everybody: Sequence[StaffMember], name: str | None) -> StaffMember | str:
    """Who acts, or why that is not known."""
    if name is not None:
        wanted = " ".join(name.split()).casefold()
        named = (member for member in everybody if member.name.casefold() == wanted)
        return next(named, f"--staff: nobody is called {name!r}; see `rangkul staff list`")
    if len(everybody) == 1:
        return everybody[0]
    return "--staff: say who acts" if everybody else "nobody is staff yet; see `rangkul staff add`"


async def _act(program: Program, ticket: Ticket, who: StaffMember, verb: Verb, text: str) -> int:
    if ticket.conversation is None:
        return await _act_alone(program, ticket, who, verb, text)
    conversation = ticket.conversation
    action = StaffAction(verb, ticket.code, who.id, who.name, text)
    # Each call of this command is an act of its own; repeats inside one call cannot happen.
    accepted = await program.receive_internal(
        conversation=conversation, key=f"staff/{program.ids.new()}", content=action
    )
    await program.settle_received()
    before = accepted.inbox_id - 1
    rows = await program.db.read(
        lambda conn: inbox.of_conversation(conn, program.keys, conversation, after_id=before, limit=1)
    )
    if rows[0].status == "parked":
        return _refuse(f"{ticket.code}: {verb} failed and was set aside; see `rangkul tickets`")
    print(f"{ticket.code}: {verb}" if rows[0].status == "done" else f"{ticket.code}: {verb} waits for its turn")
    return 0


async def _act_alone(program: Program, ticket: Ticket, who: StaffMember, verb: Verb, text: str) -> int:
    """A ticket of no conversation, such as an alert: nobody is there to be spoken to."""
    if verb in ("reply", "ask", "return"):
        return _refuse(f"{ticket.code}: belongs to no conversation, nobody would read it")

    def act(conn: Connection) -> None:
        code, ids, now = ticket.code, program.ids, program.clock.now()
        if text:
            tickets.add_note(conn, program.keys, code, text=text, author=who.id, inner=verb == "note", ids=ids, now=now)
        if verb in ("take", "assign"):
            tickets.assign(conn, program.keys, code, who.id, by=who.id, ids=ids, now=now)
        if verb in ("resolve", "close"):
            status: Literal["resolved", "closed"] = "resolved" if verb == "resolve" else "closed"
            tickets.set_status(conn, program.keys, code, status, by=who.id, ids=ids, now=now)

    await program.db.transaction(act)
    print(f"{ticket.code}: {verb}")
    return 0


async def _show(program: Program, ticket: Ticket, who: StaffMember, everybody: Sequence[StaffMember]) -> None:
    names = {member.id: member.name for member in everybody}

    def read(conn: Connection) -> list[tickets.Note]:
        audit.record(conn, staff=who.id, action="ticket_shown", subject=ticket.code, now=program.clock.now())
        return tickets.notes(conn, program.keys, ticket.code)

    history = await program.db.transaction(read)
    print(f"{ticket.code}  {ticket.kind}  {ticket.category}  {ticket.status}  {ticket.priority}")
    print(f"owner: {names.get(ticket.owner, '-')}")
    for name, value in (("name", ticket.name), ("text", ticket.text), *sorted(ticket.details.items())):
        if value:
            print(f"{name}: {value}")
    for note in history:
        author = names.get(note.author, note.author)
        what = note.text if note.what == "note" else f"{note.what} → {names.get(note.value, note.value)}"
        print(f"{note.at:%Y-%m-%d %H:%M} {author}{' (staff only)' if note.inner else ''}: {what}")


def _refuse(why: str) -> int:
    print(why, file=sys.stderr)
    return 1
