"""PostgreSQL databases for tests: made and dropped by this run; where no server answers, the test is skipped."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import pytest

DEFAULT = "postgresql://postgres@127.0.0.1:5432"
CONNECT_S = 3


async def run(url: str, statement: str) -> None:
    """Runs statements on a connection of their own."""
    connection = await asyncpg.connect(url, timeout=CONNECT_S)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@contextmanager
def empty_database(prefix: str) -> Iterator[str]:
    """The URL of a database without tables. A server named by RANGKUL_TEST_POSTGRES must answer."""
    given = os.environ.get("RANGKUL_TEST_POSTGRES")
    base = (given or DEFAULT).rstrip("/")
    name = f"{prefix}_{secrets.token_hex(6)}"
    try:
        asyncio.run(run(f"{base}/postgres", f"CREATE DATABASE {name}"))
    except (OSError, TimeoutError) as error:
        if given:
            raise
        pytest.skip(f"no PostgreSQL at {base}: {error}")
    yield f"{base}/{name}"
    asyncio.run(run(f"{base}/postgres", f"DROP DATABASE {name} WITH (FORCE)"))
