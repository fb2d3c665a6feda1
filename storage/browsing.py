"""SQLite for those who look through records: SQLAlchemy's async engine on aiosqlite, reading only.

It hops to its thread for every call, which a turn cannot afford (6 ms CPU against 2, measured 2026-11) and a person at
a desk does not notice; in return nothing of theirs stands in the queue of the conversations.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from storage.sqlite import BUSY_TIMEOUT_MS, READ


def make_async_engine(path: Path) -> AsyncEngine:
    """An engine of connections that cannot write; every transaction sees one unchanging view."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}", poolclass=NullPool, hide_parameters=True)

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(READ)

    return engine
