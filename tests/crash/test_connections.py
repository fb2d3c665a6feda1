"""What the service's own connections say about durability. Asked of them, because each connection has its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from shared import one_program
from sqlalchemy import Connection, text

SYNCHRONOUS_FULL = "2"


@pytest.mark.asyncio
async def test_the_sqlite_connection_that_writes(tmp_path: Path) -> None:
    """It has a write-ahead log, waits for the disk at every commit, and keeps references whole."""
    async with one_program(f"sqlite:///{tmp_path / 'service.db'}") as program:
        before = await program.db.pragmas()
        await program.db.transaction(lambda conn: conn.execute(text("SELECT 1")).scalar())
        after = await program.db.pragmas()
    for pragmas in (before, after):
        assert pragmas["journal_mode"] == "wal"
        assert pragmas["synchronous"] == SYNCHRONOUS_FULL
        assert pragmas["foreign_keys"] == "1"
        assert int(pragmas["busy_timeout"]) >= 1000


@pytest.mark.asyncio
async def test_the_sqlite_connections_that_read(tmp_path: Path) -> None:
    """They are set up alike, and refuse to write."""

    def ask(conn: Connection) -> dict[str, str]:
        names = ("journal_mode", "synchronous", "foreign_keys", "query_only")
        return {name: str(conn.exec_driver_sql(f"PRAGMA {name}").scalar_one()) for name in names}

    async with one_program(f"sqlite:///{tmp_path / 'service.db'}") as program:
        told = await program.db.read(ask)
    assert told == {"journal_mode": "wal", "synchronous": SYNCHRONOUS_FULL, "foreign_keys": "1", "query_only": "1"}


@pytest.mark.asyncio
async def test_the_postgresql_connections(postgres_url: str) -> None:
    """A commit is on disk before it is answered."""
    async with one_program(postgres_url) as program:
        told = await program.db.pragmas()
    assert told["synchronous_commit"] in ("on", "remote_apply")
    assert told["fsync"] == "on"
