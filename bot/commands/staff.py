"""`rangkul staff`: who answers at the desk."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from typing import Final

from bot.commands.opening import Records, command_parser, open_records, settings_of
from bot.commands.tables import table
from storage import staff
from storage.database import Conflict

ROLES: Final = ("agent", "supervisor", "admin")


def main(arguments: Sequence[str]) -> int:
    """`staff add NAME [--role ROLE]` or `staff list`."""
    parser = command_parser("staff", __doc__ or "")
    verbs = parser.add_subparsers(dest="verb", required=True)
    add = verbs.add_parser("add", help="a new staff member")
    add.add_argument("name")
    add.add_argument("--role", choices=ROLES, default="agent")
    verbs.add_parser("list", help="everybody")
    given = parser.parse_args(arguments)
    return asyncio.run(_run(given))


async def _run(given: argparse.Namespace) -> int:
    async with open_records(*settings_of(given)) as records:
        if given.verb == "add":
            return await _add(records, given.name, given.role)
        everybody = await records.db.browse(lambda conn: staff.list_staff(conn, records.keys))
        print(table(("NAME", "ROLE", "ID"), [(member.name, member.role, member.id) for member in everybody]))
        return 0


async def _add(records: Records, name: str, role: str) -> int:
    try:
        await records.db.transaction(
            lambda conn: staff.add(
                conn, records.keys, staff_id=records.ids.new(), name=name, role=role, now=records.clock.now()
            )
        )
    except Conflict:
        print(f"{name}: there is a staff member of this name")
        return 1
    print(f"{name}: added as {role}")
    return 0
