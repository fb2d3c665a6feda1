"""PostgreSQL through asyncpg: a pool, and each transaction run on one of its connections."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar
from weakref import WeakSet

import asyncpg
from sqlalchemy import Connection, event, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from storage.database import Conflict, Database, Unavailable

T = TypeVar("T")

POOL_SIZE = 5
CONNECT_TIMEOUT_S = 10
COMMAND_TIMEOUT_S = 60

UNIQUE_VIOLATION = "23505"
RUN_AGAIN = {"40001", "40P01"}  # serialization failure, deadlock
OUTAGE_CLASSES = {"08", "53", "57"}  # connection, out of resources, operator intervention
LOCK_NOT_AVAILABLE = "55P03"
READ_ONLY = "25006"  # to a writer: the server has become a standby


def translated(error: BaseException, *, reading: bool = False) -> Unavailable | Conflict | None:
    """What a driver error means to the caller, None when it is a mistake of ours."""
    if isinstance(error, ConnectionError | TimeoutError | PoolTimeout):
        return Unavailable(str(error) or type(error).__name__)
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None) or ""
    if state in RUN_AGAIN or state == UNIQUE_VIOLATION:
        return Conflict(state)
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    refused = state == LOCK_NOT_AVAILABLE or (state == READ_ONLY and not reading)
    if lost or refused or state[:2] in OUTAGE_CLASSES:
        return Unavailable(str(cause))
    if isinstance(error, InterfaceError | asyncpg.InterfaceError) and "closed" in str(cause):
        return Unavailable(str(cause))
    return None


@contextmanager
def _translating(*, reading: bool = False) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        meaning = translated(error, reading=reading)
        if meaning is None:
            raise
        raise meaning from error


class PostgresDatabase(Database):
    """One PostgreSQL database, shared by any number of processes."""

    def __init__(self, url: str) -> None:
        super().__init__(url, "postgresql")
        self._engine: AsyncEngine = create_async_engine(
            make_url(url).set(drivername="postgresql+asyncpg"),
            pool_size=POOL_SIZE,
            max_overflow=POOL_SIZE,
            hide_parameters=True,
            connect_args={
                "timeout": CONNECT_TIMEOUT_S,
                "command_timeout": COMMAND_TIMEOUT_S,
                "server_settings": {"jit": "off", "application_name": "rangkul"},
            },
        )
        self._count_statements(self._engine.sync_engine)
        self._opened: WeakSet[asyncpg.Connection] = WeakSet()
        event.listen(self._engine.sync_engine, "connect", self._remember)

    async def transaction(self, fn: Callable[[Connection], T]) -> T:
        with _translating():
            async with self._connect() as conn, conn.begin():
                result = await conn.run_sync(fn)
        self._commits.add()
        return result

    async def read(self, fn: Callable[[Connection], T]) -> T:
        with _translating(reading=True):
            async with self._connect() as conn:
                await conn.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                return await conn.run_sync(fn)

    async def pragmas(self) -> dict[str, str]:
        names = ("synchronous_commit", "fsync", "transaction_isolation")
        return await self.transaction(
            lambda conn: {name: str(conn.exec_driver_sql(f"SHOW {name}").scalar_one()) for name in names}
        )

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[AsyncConnection]:
        try:
            conn = await self._engine.connect()
        except OSError as error:  # no such host, refused, unreachable: asyncpg lets these through as they are
            raise Unavailable(str(error)) from error
        try:
            yield conn
        except BaseException as error:
            if isinstance(translated(error), Unavailable):
                await conn.invalidate()  # the pool must not hand out a connection that failed
            raise
        finally:
            await conn.close()

    async def close(self) -> None:
        await self._engine.dispose()

    def abandon(self) -> None:
        for connection in list(self._opened):
            connection.terminate()
        self._engine.sync_engine.dispose(close=False)

    def _remember(self, connection: Any, _record: object) -> None:
        self._opened.add(connection.driver_connection)
