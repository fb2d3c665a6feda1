"""`rangkul applications`: sign-ups on their way to the institution's registry."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from bot.commands.backup import refuse
from bot.commands.opening import Records, command_parser, open_records, settings_of
from bot.commands.tables import table
from bot.commands.ticket import acting, named
from bot.commands.times import office_time
from flows.format import code_groups
from storage import applications, audit, staff
from storage.applications import Application

STATES: Final = ("submitted", "verified", "registered", "active", "refused", "withdrawn")


def main(arguments: Sequence[str]) -> int:
    """`applications list [--status STATE]` or `applications advance CODE STATE --staff NAME`."""
    parser = command_parser("applications", __doc__ or "")
    verbs = parser.add_subparsers(dest="verb", required=True)
    listing = verbs.add_parser("list", help="sign-ups, oldest first")
    listing.add_argument("--status", choices=STATES)
    listing.add_argument("--staff", help="who looks, for the audit")
    advance = verbs.add_parser("advance", help="move a sign-up on")
    advance.add_argument("code")
    advance.add_argument("state", choices=STATES)
    advance.add_argument("--staff")
    return asyncio.run(_run(parser.parse_args(arguments)))


async def _run(given: argparse.Namespace) -> int:
    async with open_records(*settings_of(given)) as records:
        if given.verb == "advance":
            return await _advance(records, given)
        wanted = (given.status,) if given.status else ()
        everybody = await records.db.browse(lambda conn: staff.list_staff(conn, records.keys))
        who = named(everybody, given.staff)
        if isinstance(who, str):
            return refuse(who)

        def look(conn: Connection) -> list[Application]:
            audit.record(
                conn, staff=who.id if who else "", action="applications_listed", subject="", now=records.clock.now()
            )
            return applications.list_applications(conn, records.keys, status=wanted)

        found = await records.db.transaction(look)
    rows = [
        (
            ", ".join(one.codes),
            one.status,
            one.form.name if one.form else "-",
            one.form.region if one.form else "-",
            office_time(one.created_at, records.config.service.office_zone),
        )
        for one in found
    ]
    print(table(("CODES", "STATUS", "NAME", "REGION", "SENT"), rows))
    return 0


async def _advance(records: Records, given: argparse.Namespace) -> int:
    code = code_groups(given.code)
    everybody = await records.db.browse(lambda conn: staff.list_staff(conn, records.keys))
    who = acting(everybody, given.staff)
    if isinstance(who, str):
        return refuse(who)
    try:
        moved = await records.db.transaction(
            lambda conn: applications.advance(conn, code, given.state, by=who.id, now=records.clock.now())
        )
    except KeyError:
        return refuse(f"{given.code}: no such sign-up")
    print(f"{given.code}: {given.state}" if moved else f"{given.code}: nothing to change")
    return 0
