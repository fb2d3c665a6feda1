"""The way into the database: one function, one whole transaction, on SQLite or PostgreSQL alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, event, make_url

from storage.migrations import is_newest

T = TypeVar("T")
Work = Callable[[Connection], T]


class Unavailable(Exception):
    """The database cannot be reached or is busy. Nothing was committed by us knowingly; wait and try again."""


class Conflict(Exception):
    """Somebody else wrote first: rolled back. Run the whole thing again from its start."""


class Counter:
    """Counts statements or commits; `storage.prepared` finds that of the statements in the connection's `info`."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0

    def add(self) -> None:
        """One more."""
        self.count += 1


class Database(ABC):
    """One database. Work is a plain function of a connection; it never commits."""

    def __init__(self, url: str, dialect: str) -> None:
        self.url = url
        self.dialect = dialect
        self._counter = Counter()
        self._commits = Counter()

    @property
    def statements(self) -> int:
        """How many statements have been run, those that open and end transactions not counted."""
        return self._counter.count

    @property
    def commits(self) -> int:
        """How many commits have gone to disk; transactions that waited together share one."""
        return self._commits.count

    @abstractmethod
    async def transaction(self, fn: Work[T]) -> T:
        """Run `fn` in one transaction and commit; when this returns, the commit is on disk.

        Raises Unavailable or Conflict; any other exception of `fn` rolls back and comes through. A caller that is
        cancelled cannot know whether the commit happened.
        """

    @abstractmethod
    async def read(self, fn: Work[T]) -> T:
        """Run `fn` on one unchanging view of the data; writing is refused. Raises Unavailable."""

    async def browse(self, fn: Work[T]) -> T:
        """Run `fn` on one unchanging view, for people who look through records: pages and commands, not turns.

        It never waits behind the work of the conversation, and what it costs is not the conversation's.
        """
        return await self.read(fn)

    @abstractmethod
    async def pragmas(self) -> dict[str, str]:
        """How durable the writing connection is, as that very connection answers."""

    @abstractmethod
    async def close(self) -> None:
        """Finish what runs and close. Safe to call twice."""

    @abstractmethod
    def abandon(self) -> None:
        """Let go without committing, as if the process had been killed here."""

    def _count_statements(self, engine: Engine) -> None:
        def hand_over(_connection: Any, record: Any) -> None:
            record.info["statements"] = self._counter

        def count(*_: Any) -> None:
            self._counter.add()

        event.listen(engine, "connect", hand_over)
        event.listen(engine, "before_cursor_execute", count)


def open_database(url: str, *, create: bool = True) -> Database:
    """Open `sqlite:///path` or `postgresql://…`. Connects at first use.

    Without `create`, a SQLite file that is not there raises FileNotFoundError. Raises ValueError for other kinds.
    """
    parsed = make_url(url)
    kind = parsed.get_backend_name()
    if kind == "sqlite":
        from storage.sqlite import SqliteDatabase  # the other driver is never loaded

        if not parsed.database or parsed.database == ":memory:":
            raise ValueError("a SQLite database needs a file")
        return SqliteDatabase(url, Path(parsed.database), create=create)
    if kind == "postgresql":
        from storage.postgres import PostgresDatabase

        return PostgresDatabase(url)
    raise ValueError(f"neither sqlite nor postgresql: {kind}")


async def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the schema up to `revision`. Several processes may do it at once; one does the work."""
    if revision == "head" and await database.read(is_newest):
        return
    from storage import migrate  # Alembic is loaded only by those who migrate: it takes longer than the service's look

    await database.transaction(lambda conn: migrate.upgrade(conn, revision))


async def downgrade(database: Database, revision: str) -> None:
    """Bring the schema back to `revision`; `base` removes every table."""
    from storage import migrate

    await database.transaction(lambda conn: migrate.downgrade(conn, revision))


def create_from_template(path: Path) -> Database:
    """A new SQLite database at `path` with the schema in place, copied from one migrated once a process.

    Raises FileExistsError rather than overwrite.
    """
    from storage import migrate

    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(migrate.template())
    return open_database(f"sqlite:///{path}")
