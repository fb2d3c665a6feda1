"""Transactions: durable, whole, one after another, and plain about outages."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from storage_examples import NOW

from storage.database import Conflict, Database, Unavailable, create_from_template, open_database
from storage.sqlite import translated
from storage.tables import codes, people, timers

pytestmark = pytest.mark.asyncio


def add_code(code: str) -> Callable[[Connection], None]:
    """Work that writes one row."""
    return lambda conn: conn.execute(insert(codes), {"code": code, "record": "ticket"}).close()


def count_codes(conn: Connection) -> int:
    """How many rows there are."""
    return conn.execute(select(func.count()).select_from(codes)).scalar_one()


async def test_writes_durably(database: Database) -> None:
    """The connection that writes waits for the disk and keeps foreign keys, by its own word."""
    pragmas = await database.pragmas()
    if database.dialect == "sqlite":
        assert pragmas == {
            "journal_mode": "wal",
            "synchronous": "2",
            "foreign_keys": "1",
            "busy_timeout": "5000",
        }
    else:
        assert pragmas["synchronous_commit"] == "on"
        assert pragmas["transaction_isolation"] == "read committed"


async def test_others_see_what_was_committed(database: Database, another: Callable[[], Database]) -> None:
    """What a transaction wrote is there for other processes when it returns."""
    await database.transaction(add_code("A"))
    assert await another().read(count_codes) == 1


async def test_rolls_back_on_any_error(database: Database) -> None:
    """A failure of the work undoes it and comes through as it is."""

    def work(conn: Connection) -> None:
        add_code("A")(conn)
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        await database.transaction(work)
    assert await database.read(count_codes) == 0


async def test_a_unique_violation_is_a_conflict(database: Database) -> None:
    """The second of two equal keys is told to run again, with the driver's error as the cause."""
    await database.transaction(add_code("A"))
    with pytest.raises(Conflict) as caught:
        await database.transaction(add_code("A"))
    assert isinstance(caught.value.__cause__, IntegrityError)


async def test_a_missing_parent_is_our_mistake(database: Database) -> None:
    """A broken foreign key is a bug, so nobody tries it again; and foreign keys are on."""
    orphan = {"conversation": "nobody", "kind": "k", "ref": "", "at": NOW}
    with pytest.raises(IntegrityError):
        await database.transaction(lambda conn: conn.execute(insert(timers), orphan).close())


async def test_reading_cannot_write(database: Database) -> None:
    """The reading way refuses to write, and that is neither an outage nor a conflict."""
    with pytest.raises(DBAPIError):
        await database.read(add_code("A"))
    assert await database.read(count_codes) == 0


async def test_one_failure_among_many_at_once_is_its_own(database: Database) -> None:
    """Transactions that wait together may share a commit, never a failure."""
    names = ["A", "B", "A", "C", "D", "B"]
    outcomes = await asyncio.gather(*(database.transaction(add_code(name)) for name in names), return_exceptions=True)
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 2
    assert [outcome for outcome in outcomes if outcome is not None and not isinstance(outcome, Conflict)] == []
    assert await database.read(count_codes) == 4


async def test_refuses_an_instant_without_zone(database: Database) -> None:
    """A naive instant would be stored as another instant, so it is refused."""
    naive = {"id": "p", "created_at": NOW.replace(tzinfo=None)}
    with pytest.raises(Exception, match="aware"):
        await database.transaction(lambda conn: conn.execute(insert(people), naive).close())


async def test_instants_keep_their_microseconds(database: Database) -> None:
    """An instant comes back the same, aware and in UTC."""
    exact = NOW.replace(microsecond=123457)
    await database.transaction(lambda conn: conn.execute(insert(people), {"id": "p", "created_at": exact}).close())
    stored = await database.read(lambda conn: conn.execute(select(people.c.created_at)).scalar_one())
    assert stored == exact
    assert stored.utcoffset().total_seconds() == 0


async def test_counts_statements(database: Database) -> None:
    """The benchmark's figure counts statements, not the transaction's own words."""
    before = database.statements
    await database.transaction(add_code("A"))
    assert database.statements == before + 1


async def test_a_closed_database_is_unavailable(database_url: str) -> None:
    """Closing twice does no harm; asking a closed SQLite database says so."""
    database = open_database(database_url)
    await database.read(count_codes)
    await database.close()
    await database.close()
    if database.dialect == "sqlite":
        with pytest.raises(Unavailable):
            await database.read(count_codes)


async def test_an_abandoned_transaction_is_not_committed(database_url: str, another: Callable[[], Database]) -> None:
    """After a crash nothing of an unfinished transaction is there, and the file is free for the next process."""
    doomed = open_database(database_url)
    started = threading.Event()

    def work(conn: Connection) -> None:
        add_code("A")(conn)
        started.set()
        if doomed.dialect == "sqlite":
            time.sleep(0.2)
        else:
            conn.execute(text("SELECT pg_sleep(5)"))

    task = asyncio.create_task(doomed.transaction(work))
    await asyncio.to_thread(started.wait)
    doomed.abandon()
    with pytest.raises(Unavailable):
        await task
    next_one = another()
    await next_one.transaction(add_code("A"))
    assert await next_one.read(count_codes) == 1


async def test_the_way_back_after_an_outage(database: Database, another: Callable[[], Database]) -> None:
    """A connection the server has ended is an outage; the next transaction gets a new one."""
    if database.dialect == "sqlite":
        return await _sqlite_comes_back(database)
    pid = await database.transaction(lambda conn: conn.execute(text("SELECT pg_backend_pid()")).scalar_one())
    kill = text("SELECT pg_terminate_backend(:pid)")
    await another().transaction(lambda conn: conn.execute(kill, {"pid": pid}).close())
    with pytest.raises(Unavailable):
        await database.transaction(add_code("A"))
    await database.transaction(add_code("A"))
    assert await database.read(count_codes) == 1
    return None


async def _sqlite_comes_back(database: Database) -> None:
    def broken_disk(conn: Connection) -> None:
        add_code("A")(conn)
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        raise error

    with pytest.raises(Unavailable):
        await database.transaction(broken_disk)
    await database.transaction(add_code("A"))
    assert await database.read(count_codes) == 1


async def test_nobody_there_is_unavailable(tmp_path: Path) -> None:
    """A server that does not answer and a file that cannot be opened are outages, not bugs."""
    with pytest.raises(Unavailable):
        await open_database("postgresql://postgres@127.0.0.1:1/none").read(count_codes)
    folder = tmp_path / "folder.db"
    folder.mkdir()
    database = open_database(f"sqlite:///{folder}")
    with pytest.raises(Unavailable):
        await database.transaction(add_code("A"))
    await database.close()


async def test_a_locked_file_is_an_outage(tmp_path: Path) -> None:
    """What SQLite says when somebody else holds the lock too long means: wait and try again."""
    first, second = (sqlite3.connect(tmp_path / "locked.db", timeout=0, isolation_level=None) for _ in range(2))
    first.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError) as caught:
        second.execute("BEGIN IMMEDIATE")
    assert isinstance(translated(caught.value), Unavailable)
    first.close()
    second.close()


async def test_refuses_what_it_cannot_open(tmp_path: Path) -> None:
    """Other kinds of database, memory and missing files are refused by name."""
    with pytest.raises(ValueError, match="neither"):
        open_database("mysql://localhost/x")
    with pytest.raises(ValueError, match="file"):
        open_database("sqlite://")
    with pytest.raises(FileNotFoundError):
        open_database(f"sqlite:///{tmp_path / 'none.db'}", create=False)


async def test_a_broken_disk_is_told_to_everybody_it_hit(tmp_path: Path) -> None:
    """When SQLite undoes a shared commit, nobody in it is told of success, and the next transaction works."""
    database = create_from_template(tmp_path / "store.db")

    def full_disk(conn: Connection) -> None:
        conn.connection.dbapi_connection.execute("ROLLBACK")  # as SQLite does by itself on such errors
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    first = asyncio.create_task(database.transaction(lambda _conn: time.sleep(0.1)))
    await asyncio.sleep(0.02)  # the writer is busy, so that the next three wait together
    outcomes = await asyncio.gather(
        *(database.transaction(work) for work in (add_code("A"), full_disk, add_code("B"))),
        return_exceptions=True,
    )
    await first
    assert [type(outcome) for outcome in outcomes] == [Unavailable] * 3
    await database.transaction(add_code("A"))
    assert await database.read(count_codes) == 1
    await database.close()


async def test_who_has_gone_is_not_served(tmp_path: Path) -> None:
    """A transaction whose caller was cancelled before it began does not begin."""
    database = create_from_template(tmp_path / "store.db")
    first = asyncio.create_task(database.transaction(lambda _conn: time.sleep(0.1)))
    await asyncio.sleep(0.02)
    second = asyncio.create_task(database.transaction(add_code("A")))
    await asyncio.sleep(0)
    second.cancel()
    await first
    with pytest.raises(asyncio.CancelledError):
        await second
    assert await database.transaction(count_codes) == 0
    await database.close()
