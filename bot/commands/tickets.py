"""`rangkul tickets`: what waits for staff, urgent first."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from typing import Final

from bot.commands.opening import command_parser, open_records, settings_of
from bot.commands.tables import table
from bot.commands.times import office_time
from storage import staff, tickets
from storage.tickets import UNSETTLED, Ticket

HEAD: Final = ("CODE", "KIND", "CATEGORY", "STATUS", "PRIORITY", "OWNER", "OPENED", "PROMISED", "DUE")


def main(arguments: Sequence[str]) -> int:
    """Open and waiting tickets, or all of them."""
    parser = command_parser("tickets", __doc__ or "")
    parser.add_argument("--all", action="store_true", help="resolved and closed ones too")
    parser.add_argument("--limit", type=int, default=100)
    return asyncio.run(_run(parser.parse_args(arguments)))


async def _run(given: argparse.Namespace) -> int:
    config, keys = settings_of(given)
    async with open_records(config, keys) as records:
        status = () if given.all else UNSETTLED
        found, everybody = await records.db.browse(
            lambda conn: (
                tickets.list_tickets(conn, keys, status=status, limit=given.limit),
                staff.list_staff(conn, keys),
            )
        )
    names = {member.id: member.name for member in everybody}
    zone = config.service.office_zone
    print(table(HEAD, [_row(ticket, names, zone) for ticket in found]))
    return 0


def _row(ticket: Ticket, names: dict[str, str], zone: str) -> tuple[str, ...]:
    return (
        ticket.code,
        ticket.kind,
        ticket.category,
        ticket.status,
        ticket.priority,
        names.get(ticket.owner, ticket.owner) or "-",
        office_time(ticket.opened_at, zone),
        office_time(ticket.promised, zone) if ticket.promised else "",
        ticket.due.isoformat() if ticket.due else "",
    )
