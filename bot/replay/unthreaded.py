"""The service's SQLite without its threads: the same connections, settings and transactions, run on the spot.

A script is one actor at a time, so a thread has nothing to do beside it, while every hop to one and back waits for
the scheduler: three transactions a turn make six hops.
"""

from __future__ import annotations

import asyncio
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
        return await self._writer.run_together(fn)

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


class _Job:
    """One transaction, and who waits for it."""

    __slots__ = ("fn", "future")

    def __init__(self, fn: Callable[[Connection], Any]) -> None:
        self.fn = fn
        self.future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()


class _Line:
    """One connection, opened at its first use."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._connection: Connection | None = None
        self._waiting: list[_Job] = []
        self._is_closed = False

    def run(self, fn: Callable[[Connection], T]) -> T:
        """One transaction, at once."""
        try:
            with self._open().begin():
                return fn(self._open())
        except Exception as error:
            raise _meant(error) from error

    async def run_together(self, fn: Callable[[Connection], T]) -> T:
        """One transaction, committed together with those that are asked for before the loop comes round.

        As in the service, each is told of success after the commit, and undone alone when it fails alone.
        """
        job = _Job(fn)
        self._waiting.append(job)
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._run_waiting)
        result: T = await job.future
        return result

    def close(self) -> None:
        self._is_closed = True
        if self._connection is not None:
            with contextlib.suppress(Exception):
                self._connection.close()
            self._connection = None

    def _open(self) -> Connection:
        if self._is_closed:
            raise Unavailable("the database is closed")
        if self._connection is None:
            self._connection = self.engine.connect()
        return self._connection

    def _run_waiting(self) -> None:
        jobs = [job for job in self._waiting if not job.future.done()]
        self._waiting = []
        results: list[tuple[_Job, Any]] = []
        try:
            with self._open().begin():
                for job in jobs:
                    self._run_one(job, results, alone=len(jobs) == 1)
        except BaseException as error:  # a crash, or a commit that failed: none of them happened
            for job in jobs:
                if not job.future.done():
                    job.future.set_exception(_meant(error))
            return
        for job, result in results:
            job.future.set_result(result)

    def _run_one(self, job: _Job, results: list[tuple[_Job, Any]], *, alone: bool) -> None:
        connection = self._open()
        if alone:
            results.append((job, job.fn(connection)))
            return
        raw: Any = connection.connection.dbapi_connection
        raw.execute("SAVEPOINT job")
        try:
            results.append((job, job.fn(connection)))
        except Exception as error:
            if not raw.in_transaction:  # a full or broken disk: SQLite has undone the others' work as well
                raise
            raw.execute("ROLLBACK TO job")
            job.future.set_exception(_meant(error))
        raw.execute("RELEASE job")


def _meant(error: BaseException) -> BaseException:
    """The error in the words of `storage.database`, or as it is."""
    meaning = translated(error)
    return error if meaning is None else meaning
