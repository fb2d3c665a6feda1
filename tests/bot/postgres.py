"""A PostgreSQL database for the tests of this folder, made and dropped by this run; without a server they skip."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Iterator

import asyncpg
import pytest

from storage.database import open_database, upgrade
from storage.tables import metadata

DEFAULT = "postgresql://postgres@127.0.0.1:5432"
CONNECT_S = 3


async def run(url: str, statement: str) -> None:
    """Runs statements on a connection of their own."""
    connection = await asyncpg.connect(url, timeout=CONNECT_S)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def empty(url: str) -> None:
    """Removes every row; the children go first."""
    asyncio.run(run(url, ";".join(str(table.delete()) for table in reversed(metadata.sorted_tables))))


@pytest.fixture(scope="session")
def migrated_postgres() -> Iterator[str]:
    """The URL of an empty database with the newest schema."""
    given = os.environ.get("RANGKUL_TEST_POSTGRES")
    base = (given or DEFAULT).rstrip("/")
    name = f"rangkul_bot_{secrets.token_hex(6)}"
    try:
        asyncio.run(run(f"{base}/postgres", f"CREATE DATABASE {name}"))
    except (OSError, TimeoutError) as error:
        if given:
            raise
        pytest.skip(f"no PostgreSQL at {base}: {error}")
    url = f"{base}/{name}"

    async def migrate() -> None:
        database = open_database(url)
        await upgrade(database)
        await database.close()

    asyncio.run(migrate())
    yield url
    asyncio.run(run(f"{base}/postgres", f"DROP DATABASE {name} WITH (FORCE)"))
