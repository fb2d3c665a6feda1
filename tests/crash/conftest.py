"""Databases of the storms: a SQLite file, and a PostgreSQL database that a test makes and drops."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

DEFAULT_POSTGRES = "postgresql://postgres@127.0.0.1:5432"
CONNECT_S = 3


async def _run(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url, timeout=CONNECT_S)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """An empty PostgreSQL database, dropped at the end."""
    given = os.environ.get("RANGKUL_TEST_POSTGRES")
    base = (given or DEFAULT_POSTGRES).rstrip("/")
    name = f"rangkul_crash_{secrets.token_hex(6)}"
    try:
        asyncio.run(_run(f"{base}/postgres", f"CREATE DATABASE {name}"))
    except (OSError, TimeoutError) as error:
        if given:
            raise
        pytest.skip(f"no PostgreSQL at {base}: {error}")
    yield f"{base}/{name}"
    asyncio.run(_run(f"{base}/postgres", f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(params=["sqlite", "postgresql"])
def shared_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'shared.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url
