"""A PostgreSQL database for the tests of this folder, made and dropped by this run; without a server they skip."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from storage.database import open_database, upgrade
from storage.tables import metadata
from tests.postgres_server import empty_database, run


def empty(url: str) -> None:
    """Removes every row; the children go first."""
    asyncio.run(run(url, ";".join(str(table.delete()) for table in reversed(metadata.sorted_tables))))


@pytest.fixture(scope="session")
def migrated_postgres() -> Iterator[str]:
    """The URL of an empty database with the newest schema."""

    async def migrate(url: str) -> None:
        database = open_database(url)
        await upgrade(database)
        await database.close()

    with empty_database("rangkul_bot") as url:
        asyncio.run(migrate(url))
        yield url
