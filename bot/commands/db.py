"""`rangkul db upgrade`: brings the schema up to date. The service does so itself when it starts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bot.commands.opening import command_parser, settings_of
from bot.config import Config
from bot.demo import shown_url
from storage.database import open_database, upgrade


def main(arguments: Sequence[str]) -> int:
    """Upgrades the configured database."""
    parser = command_parser("db", __doc__ or "")
    parser.add_argument("verb", choices=("upgrade",))
    parser.add_argument("--database", metavar="URL")
    config, _ = settings_of(parser.parse_args(arguments))
    asyncio.run(_upgrade(config))
    print(f"{shown_url(config.database.url)}: up to date")
    return 0


async def _upgrade(config: Config) -> None:
    db = open_database(config.database.url)
    try:
        await upgrade(db)
    finally:
        await db.close()
