"""The service's SQLite without its threads: the same connections, settings and transactions, run on the spot.

A script is one actor at a time, so a thread has nothing to do beside it, while every hop to one and back waits for
the scheduler: three transactions a turn make six hops.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from storage.database import Database, Unavailable
from storage.sqlite import make_engine, translated

T = TypeVar("T")


class UnthreadedSqlite(Database):
    """One SQLite file: WAL, `synchronous=FULL`, foreign keys, `BEGIN IMMEDIATE`; no transaction beside another."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"sqlite:///{path}", "sqlite")
        self.path = path
        self._writer = _Line(make_engine(path, begin="BEGIN IMMEDIATE", read_only=False))
        self._reader = _Line(make_engine(path, begin="BEGIN", read_only=True))
        self._count_statements(self._writer.engine)
        self._count_statements(self._reader.engine)

    async def transaction(self, fn: Callable[[Connection], T]) -> T:
        return self._writer.run(fn)

    async def read(self, fn: Callable[[Connection], T]) -> T:
        return self._reader.run(fn)

    async def pragmas(self) -> dict[str, str]:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        return self._writer.run(
            lambda conn: {name: str(conn.exec_driver_sql(f"PRAGMA {name}").scalar_one()) for name in names}
        )

    async def close(self) -> None:
        self.abandon()

    def abandon(self) -> None:
        """Nothing can be half done here: what was asked for is committed or rolled back."""
        self._reader.close()
        self._writer.close()


class _Line:
    """One connection, opened at its first use."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._connection: Connection | None = None
        self._is_closed = False

    def run(self, fn: Callable[[Connection], T]) -> T:
        if self._is_closed:
            raise Unavailable("the database is closed")
        try:
            if self._connection is None:
                self._connection = self.engine.connect()
            with self._connection.begin():
                return fn(self._connection)
        except Exception as error:
            meaning: Any = translated(error)
            if meaning is None:
                raise
            raise meaning from error

    def close(self) -> None:
        self._is_closed = True
        if self._connection is not None:
            with contextlib.suppress(Exception):
                self._connection.close()
            self._connection = None
