"""`rangkul privacy`: what a person may ask for, a copy of what is kept or its erasure; and the end of what is old.

WHO is the code of a ticket or a sign-up, a phone number or a NIK; `-` reads it from standard input, so that it does not
stay in the shell's history. Every export and erasure is recorded with the staff member who did it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from bot.commands.backup import refuse
from bot.commands.opening import Records, command_parser, open_records, settings_of
from bot.commands.ticket import acting
from bot.schedule import purge_old
from flows.format import code_groups
from nlu.values import Reading, read
from storage import audit, erase, export, people, staff
from storage.erase import Forgotten


def main(arguments: Sequence[str]) -> int:
    """`privacy export WHO`, `privacy erase WHO` or `privacy purge`. 0 done, 1 nobody found or not possible."""
    parser = command_parser("privacy", __doc__ or "")
    verbs = parser.add_subparsers(dest="verb", required=True)
    exporting = verbs.add_parser("export", help="everything kept about a person, as JSON")
    erasing = verbs.add_parser("erase", help="erase a person, keeping what is under way")
    erasing.add_argument("--all", action="store_true", help="everybody found, where a phone or NIK finds several")
    for verb in (exporting, erasing):
        verb.add_argument("who", help="code, phone or NIK; - reads it from standard input")
        verb.add_argument("--staff", help="who acts; may be left out when there is one staff member")
    verbs.add_parser("purge", help="erase what is older than the settings allow; the service does so daily")
    return asyncio.run(_run(parser.parse_args(arguments)))


async def _run(given: argparse.Namespace) -> int:
    config, keys = settings_of(given)
    async with open_records(config, keys) as records:
        if given.verb == "purge":
            purged = await purge_old(records.db, keys, records.clock, config.retention)
            print(f"{purged.rows} rows emptied")
            return 0
        everybody = await records.db.browse(lambda conn: staff.list_staff(conn, keys))
        who = acting(everybody, given.staff)
        if isinstance(who, str):
            return refuse(who)
        sought = sys.stdin.readline().strip() if given.who == "-" else given.who
        found = await records.db.browse(lambda conn: _find(conn, records, sought))
        if not found:
            return refuse("nobody is found under this code, phone or NIK")
        if given.verb == "export":
            return await _export(records, found, who.id)
        if len(found) > 1 and not given.all:
            return refuse(f"{len(found)} people are found; --all erases them all, a code finds one")
        return await _erase(records, found, who.id)


def _find(conn: Connection, records: Records, sought: str) -> list[str]:
    if with_code := export.who_has_code(conn, code_groups(sought)):
        return with_code
    today = records.clock.now().date()
    nik = read("nik", sought, today=today)
    if isinstance(nik, Reading):
        return export.who_gave_nik(conn, records.keys, str(nik.value))
    phone = read("phone", sought, today=today)
    return people.with_phone(conn, records.keys, str(phone.value)) if isinstance(phone, Reading) else []


async def _export(records: Records, found: Sequence[str], staff_id: str) -> int:
    def export_all(conn: Connection) -> list[export.Person]:
        for person in found:
            audit.record(conn, staff=staff_id, action="person_exported", subject=person, now=records.clock.now())
        return [export.of_person(conn, records.keys, person) for person in found]

    exported = await records.db.transaction(export_all)
    print(msgspec.json.format(msgspec.json.encode(exported)).decode())
    return 0


async def _erase(records: Records, found: Sequence[str], staff_id: str) -> int:
    def erase_all(conn: Connection) -> list[Forgotten]:
        now = records.clock.now()
        for person in found:
            audit.record(conn, staff=staff_id, action="person_erased", subject=person, now=now)
        return [erase.forget_person(conn, records.keys, person, now=now) for person in found]

    for one in await records.db.transaction(erase_all):
        print(f"erased: {one.conversations} conversations, {one.tickets} tickets, {one.applications} sign-ups")
        if one.tickets_under_way or one.applications_under_way:
            print(
                f"kept until they end: {one.tickets_under_way} tickets, {one.applications_under_way} sign-ups;"
                " then run this again"
            )
    return 0
