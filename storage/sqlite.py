"""SQLite: one writer thread that owns one connection, and two reader threads. One hop a transaction."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

from storage.database import Conflict, Counter, Database, Unavailable

T = TypeVar("T")

READERS = 2
TOGETHER = 64  # transactions that may share one commit
BUSY_TIMEOUT_MS = 5000
WRITE = "BEGIN IMMEDIATE"
READ = "BEGIN"

OUTAGES = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PROTOCOL,
}
UNIQUE_VIOLATIONS = {
    sqlite3.SQLITE_CONSTRAINT_UNIQUE,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
    sqlite3.SQLITE_CONSTRAINT_ROWID,
}


def translated(error: BaseException) -> Unavailable | Conflict | None:
    """What a driver error means to the caller, None when it is a mistake of ours."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(cause, sqlite3.Error):
        return None
    code: int = getattr(cause, "sqlite_errorcode", 0)
    if code & 0xFF in OUTAGES and "query_only" not in str(cause) and "readonly" not in str(cause):
        return Unavailable(str(cause))
    return Conflict(str(cause)) if code in UNIQUE_VIOLATIONS else None


def make_engine(path: Path, *, begin: str, read_only: bool) -> Engine:
    """An engine whose transactions open with `begin`; sqlite3's own transaction handling is switched off."""
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"check_same_thread": False, "timeout": 5},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA secure_delete=FAST")  # what is erased is overwritten
        if read_only:
            connection.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        raw: Any = connection.connection.dbapi_connection
        if not raw.in_transaction:  # a lane has begun it already
            raw.execute(begin)

    return engine


class _Job:
    """One transaction on its way through a lane, and what became of it."""

    __slots__ = ("failure", "fn", "future", "loop", "result")

    def __init__(self, fn: Callable[[Connection], Any]) -> None:
        self.fn = fn
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()
        self.result: Any = None
        self.failure: BaseException | None = None

    def run(self, connection: Connection) -> None:
        """Do the work; a failure is kept for the caller and raised."""
        try:
            self.result = self.fn(connection)
        except BaseException as error:
            self.fail(error)
            raise

    def fail(self, error: BaseException) -> None:
        """The caller gets `error`, in our words where it is the database's."""
        meaning = translated(error)
        if meaning is not None:
            meaning.__cause__ = error
        self.failure = meaning or error

    def settle(self) -> None:
        """Hand the outcome to the caller's event loop, from any thread."""
        try:
            self.loop.call_soon_threadsafe(self._settle)
        except RuntimeError:  # the loop has closed: nobody waits any more
            return

    def _settle(self) -> None:
        if self.future.done():
            return
        if self.failure is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.failure)


class _Lane:
    """Threads that each own a connection and take whole transactions from one queue.

    A thread that finds several waiting runs them one after another, each in a savepoint of its own, and commits them
    together: a commit costs a wait for the disk, and nobody is told of success before it.

    The driver is told when to begin and to end; SQLAlchemy's own transaction stays open on the connection for as long
    as it lives. Its begin and commit cost more than either of the statements they stand for.
    """

    def __init__(self, engine: Engine, name: str, *, begin: str, threads: int, together: int, commits: Counter) -> None:
        self._engine = engine
        self._begin = begin
        self._commits = commits
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._abandoned = False
        self._closed = False
        self._name = name
        self._size = threads
        self._together = together
        self._threads: list[threading.Thread] = []

    async def run(self, fn: Callable[[Connection], T]) -> T:
        """One transaction, in the order of asking."""
        if self._closed:
            raise Unavailable("the database is closed")
        if not self._threads:
            self._start()
        job = _Job(fn)
        self._queue.put(job)
        result: T = await job.future
        return result

    def stop(self, *, abandon: bool) -> None:
        """End the threads: after the queue is done, or at once and without any further commit."""
        self._abandoned = self._abandoned or abandon
        self._closed = True
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()
        self._threads = []

    def _start(self) -> None:
        for number in range(self._size):
            thread = threading.Thread(target=self._work, name=f"{self._name}-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        connection: Connection | None = None
        stopping = False
        while not stopping:
            jobs, stopping = self._take()
            try:
                if connection is None:
                    connection = self._engine.connect()
                self._transact(connection, jobs)
            except BaseException as error:
                for job in jobs:
                    if job.failure is None:
                        job.fail(error)
            if connection is not None and any(isinstance(job.failure, Unavailable) for job in jobs):
                connection.close()  # a connection that failed once is not trusted again
                connection = None
            for job in jobs:
                job.settle()
            jobs.clear()  # results may be large; the thread must not keep them while it waits
        if connection is not None:
            connection.close()

    def _take(self) -> tuple[list[_Job], bool]:
        """What to run next, and whether it is the last. A transaction whose caller has gone does not begin."""
        jobs = []
        job = self._queue.get()
        while job is not None:
            if not job.future.cancelled():
                jobs.append(job)
            if len(jobs) == self._together:
                return jobs, False
            try:
                job = self._queue.get_nowait()
            except Empty:
                return jobs, False
        return jobs, True

    def _transact(self, connection: Connection, jobs: list[_Job]) -> None:
        if not jobs:
            return
        if self._abandoned:
            raise Unavailable("the database was abandoned")
        raw: Any = connection.connection.dbapi_connection
        raw.execute(self._begin)
        try:
            if not connection.in_transaction():
                connection.begin()
            if len(jobs) == 1:
                jobs[0].run(connection)
            else:
                self._run_apart(connection, jobs)
            if self._abandoned:
                raise Unavailable("the database was abandoned")
            raw.execute("COMMIT")
            self._commits.add()
        except BaseException:
            if raw.in_transaction:
                raw.execute("ROLLBACK")
            raise

    def _run_apart(self, connection: Connection, jobs: list[_Job]) -> None:
        raw: Any = connection.connection.dbapi_connection
        for job in jobs:
            raw.execute("SAVEPOINT job")
            try:
                job.run(connection)
            except BaseException:
                if not raw.in_transaction:  # a full or broken disk: SQLite has undone the others' work as well
                    raise
                raw.execute("ROLLBACK TO job")
            raw.execute("RELEASE job")


class SqliteDatabase(Database):
    """One SQLite file: WAL, `synchronous=FULL`, foreign keys, `BEGIN IMMEDIATE`."""

    def __init__(self, url: str, path: Path, *, create: bool) -> None:
        super().__init__(url, "sqlite")
        if not path.exists():
            if not create:
                raise FileNotFoundError(path)
            path.touch(mode=0o600)
        self.path = path
        writer = make_engine(path, begin=WRITE, read_only=False)
        reader = make_engine(path, begin=READ, read_only=True)
        self._count_statements(writer)
        self._count_statements(reader)
        self._writer = _Lane(writer, "sqlite-writer", begin=WRITE, threads=1, together=TOGETHER, commits=self._commits)
        self._pages: AsyncEngine | None = None
        self._reader = _Lane(reader, "sqlite-reader", begin=READ, threads=READERS, together=1, commits=Counter())

    async def transaction(self, fn: Callable[[Connection], T]) -> T:
        return await self._writer.run(fn)

    async def read(self, fn: Callable[[Connection], T]) -> T:
        return await self._reader.run(fn)

    async def browse(self, fn: Callable[[Connection], T]) -> T:
        if self._pages is None:
            # Loaded by those who browse: the service's own turns never need it.
            from storage.browsing import make_async_engine

            self._pages = make_async_engine(self.path)
            self._count_statements(self._pages.sync_engine)
        try:
            async with self._pages.connect() as conn:
                return await conn.run_sync(fn)
        except DBAPIError as error:
            raise translated(error) or error from error

    async def pragmas(self) -> dict[str, str]:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        return await self._writer.run(
            lambda conn: {name: str(conn.exec_driver_sql(f"PRAGMA {name}").scalar_one()) for name in names}
        )

    async def close(self) -> None:
        await asyncio.to_thread(self._stop, abandon=False)

    def abandon(self) -> None:
        self._stop(abandon=True)

    def _stop(self, *, abandon: bool) -> None:
        self._reader.stop(abandon=abandon)
        self._writer.stop(abandon=abandon)
