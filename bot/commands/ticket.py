"""`rangkul ticket CODE VERB`: acts on a ticket as a member of staff.

What staff do enters the conversation's inbox and is a turn like any other. This command handles it at once; where
the service does so first, that is as good. `show` prints the ticket with the last words of its conversation, and
`photo MEDIA_ID FILE` saves a picture of it; both are written down in the audit, as is the sheet that `take` prints.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, get_args

from sqlalchemy import Connection

from bot.app import Program, open_program
from bot.commands.opening import command_parser, settings_of
from bot.commands.ticket_sheet import lines_of, read_sheet
from flows.format import code_groups
from flows.model import StaffAction
from storage import audit, conversations, inbox, media, staff, tickets
from storage.staff import StaffMember
from storage.tickets import Ticket

Verb = Literal["take", "reply", "note", "ask", "return", "resolve", "close", "assign"]
WITH_TEXT: Final = frozenset({"reply", "note", "ask"})
BOT: Final = "bot"


def main(arguments: Sequence[str]) -> int:
    """Carries out one act of staff. 0 done, 1 not possible."""
    parser = command_parser("ticket", __doc__ or "")
    parser.add_argument("code")
    parser.add_argument("verb", choices=("show", "photo", *get_args(Verb)))
    parser.add_argument(
        "text",
        nargs="*",
        help="the words of reply, note, ask; also resolve and close may have some; MEDIA_ID FILE for photo",
    )
    parser.add_argument("--staff", help="who acts; may be left out when there is one staff member")
    parser.add_argument("--anyway", action="store_true", help="speak although a colleague holds the conversation")
    given = parser.parse_intermixed_args(arguments)
    if given.verb == "photo" and len(given.text) != 2:
        parser.error("photo needs MEDIA_ID and FILE")
    if given.verb == "photo" and Path(given.text[1]).exists():
        return _refuse(f"{given.text[1]}: is there already")
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
            await _show(program, ticket, who)
            return 0
        if given.verb == "photo":
            return await _save_photo(program, ticket, who, given.text[0], Path(given.text[1]))
        names = {member.id: member.name for member in everybody}
        if hindrance := await _hindrance(program, ticket, who, given, names):
            return _refuse(f"{ticket.code}: {hindrance}")
        return await _act(program, ticket, who, given.verb, " ".join(given.text))


async def _hindrance(
    program: Program, ticket: Ticket, who: StaffMember, given: argparse.Namespace, names: Mapping[str, str]
) -> str:
    """Why this act would make no sense as the conversation is held now, "" when it does."""
    conversation = ticket.conversation
    if conversation is None or given.verb not in ("reply", "ask", "return"):
        return ""
    holder = await program.db.read(lambda conn: conversations.owner_of(conn, conversation))
    if given.verb == "return":
        return "nobody holds this conversation; there is nothing to return" if holder == BOT else ""
    if holder in (BOT, who.id) or given.anyway:
        return ""
    return (
        f"{names.get(holder, holder)} holds this conversation; with --anyway your words reach the person all the same"
    )


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
    if verb == "take":
        await _show(program, ticket, who)
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


async def _show(program: Program, ticket: Ticket, who: StaffMember) -> None:
    """Prints the ticket as it stands now."""

    def read(conn: Connection) -> list[str]:
        audit.record(conn, staff=who.id, action="ticket_shown", subject=ticket.code, now=program.clock.now())
        now_is = tickets.by_code(conn, program.keys, ticket.code) or ticket
        return list(lines_of(read_sheet(conn, program.keys, now_is), program.config.service.office_zone))

    print("\n".join(await program.db.transaction(read)))


async def _save_photo(program: Program, ticket: Ticket, who: StaffMember, media_id: str, path: Path) -> int:
    """Saves one of the files that the ticket's sheet shows, readable by its owner alone."""

    def read(conn: Connection) -> bytes | None:
        if media_id not in read_sheet(conn, program.keys, ticket).files:
            return None
        stored = media.load(conn, program.keys, media_id)
        if stored is None:
            return None
        subject = f"{ticket.code}/{media_id}"
        audit.record(conn, staff=who.id, action="photo_saved", subject=subject, now=program.clock.now())
        return stored.content

    content = await program.db.transaction(read)
    if content is None:
        return _refuse(f"{ticket.code}: has no picture {media_id!r}, or it was erased")
    try:
        _write_new(path, content)
    except OSError as error:
        return _refuse(f"{path}: {error.strerror}")
    print(f"{path}: {len(content)} bytes")
    return 0


def _write_new(path: Path, content: bytes) -> None:
    """Raises OSError; never writes over a file."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def _refuse(why: str) -> int:
    print(why, file=sys.stderr)
    return 1
