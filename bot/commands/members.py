"""`rangkul members`: the registry's members, imported from a file.

An import is all or nothing: every bad row is told by its line, and nothing changes unless all are good.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import sys
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from bot.commands.backup import refuse
from bot.commands.opening import Records, command_parser, open_records, settings_of
from bot.commands.tables import table
from bot.commands.ticket import named
from bot.config import Config
from bot.member_rows import COLUMNS, BadRow, member_row
from flows.format import mask_nik, mask_phone
from storage import audit, members, staff
from storage.database import Conflict
from storage.keyring import Keyring
from storage.members import Member, MemberRow

REQUIRED: Final = frozenset({"name", "nik", "kpj"})


def main(arguments: Sequence[str]) -> int:
    """`members import FILE.csv` or `members list`."""
    parser = command_parser("members", __doc__ or "")
    verbs = parser.add_subparsers(dest="verb", required=True)
    importing = verbs.add_parser("import", help=f"a CSV file with a header row of: {', '.join(COLUMNS)}")
    importing.add_argument("file", type=Path)
    listing = verbs.add_parser("list", help="members in the order they were added")
    listing.add_argument("--limit", type=int, default=100)
    listing.add_argument("--staff", help="who looks, for the audit")
    given = parser.parse_args(arguments)
    if given.verb == "import":
        return _import(given)
    return asyncio.run(_list(given))


def read_rows(lines: Iterable[str], *, today: date) -> tuple[list[MemberRow], list[str]]:
    """The rows of a CSV file and every problem in it, each with its line."""
    reader = csv.DictReader(lines)
    head = set(reader.fieldnames or ())
    if missing := REQUIRED - head:
        return [], [f"line 1: no column {', '.join(sorted(missing))}"]
    if unknown := head - set(COLUMNS):
        return [], [f"line 1: no such column: {', '.join(sorted(unknown))}"]
    rows: list[MemberRow] = []
    problems: list[str] = []
    lines_of: dict[str, int] = {}
    for record in reader:
        try:
            row = member_row(record, today=today)
        except BadRow as error:
            problems += [f"line {reader.line_num}: {problem}" for problem in error.problems]
            continue
        for value in (row.nik, row.kpj):
            if value in lines_of:
                problems.append(f"line {reader.line_num}: NIK or KPJ stands on line {lines_of[value]} too")
            lines_of[value] = reader.line_num
        rows.append(row)
    return rows, problems


def _import(given: argparse.Namespace) -> int:
    config, keys = settings_of(given)
    try:
        text = given.file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        print(f"{given.file}: cannot be read ({type(error).__name__})", file=sys.stderr)
        return 2
    return asyncio.run(_store(config, keys, text))


async def _store(config: Config, keys: Keyring, text: str) -> int:
    async with open_records(config, keys) as records:
        rows, problems = read_rows(text.splitlines(keepends=True), today=records.clock.now().date())
        if not problems:
            problems = await records.db.browse(lambda conn: _known(conn, records, rows))
        if not problems:
            try:
                await records.db.transaction(lambda conn: _add(conn, records, rows))
            except Conflict:
                problems = ["a NIK or KPJ was added by somebody else meanwhile"]
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        print("nothing was imported", file=sys.stderr)
        return 1
    print(f"{len(rows)} imported")
    return 0


def _known(conn: Connection, records: Records, rows: Sequence[MemberRow]) -> list[str]:
    return [
        f"row {number}: this NIK is a member already"
        for number, row in enumerate(rows, 1)
        if members.by_nik(conn, records.keys, row.nik)
    ]


def _add(conn: Connection, records: Records, rows: Sequence[MemberRow]) -> None:
    for row in rows:
        members.add(conn, records.keys, row, member=records.ids.new(), now=records.clock.now())


async def _list(given: argparse.Namespace) -> int:
    async with open_records(*settings_of(given)) as records:
        everybody = await records.db.browse(lambda conn: staff.list_staff(conn, records.keys))
        who = named(everybody, given.staff)
        if isinstance(who, str):
            return refuse(who)

        def look(conn: Connection) -> list[Member]:
            audit.record(
                conn, staff=who.id if who else "", action="members_listed", subject="", now=records.clock.now()
            )
            return members.list_members(conn, records.keys, limit=given.limit)

        found = await records.db.transaction(look)
    print(
        table(
            ("NAME", "NIK", "PHONE", "STATUS", "PAID UNTIL"),
            [
                (
                    member.row.name,
                    mask_nik(member.row.nik),
                    mask_phone(member.row.phone) if member.row.phone else "-",
                    member.row.status,
                    f"{member.row.paid_until:%Y-%m}" if member.row.paid_until else "-",
                )
                for member in found
            ],
        )
    )
    return 0
