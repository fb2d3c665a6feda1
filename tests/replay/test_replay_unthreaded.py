"""The database of a replay keeps the service's promises, without its threads."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import Connection

from bot.faults import SimulatedCrash
from bot.replay.unthreaded import UnthreadedSqlite
from storage.database import Conflict, Unavailable, create_from_template


@pytest_asyncio.fixture
async def file(tmp_path: Path) -> Path:
    """A SQLite file with our schema."""
    path = tmp_path / "replay.db"
    await create_from_template(path).close()
    return path


def person(name: str, conn: Connection) -> None:
    conn.exec_driver_sql("INSERT INTO people (id, created_at) VALUES (?, 0)", (name,))


def people(conn: Connection) -> list[str]:
    return list(conn.exec_driver_sql("SELECT id FROM people ORDER BY id").scalars())


@pytest.mark.asyncio
async def test_is_as_durable_as_the_service(file: Path, tmp_path: Path) -> None:
    """The writing connection answers for itself, and says what the service's own says."""
    service = create_from_template(tmp_path / "service.db")
    ours = UnthreadedSqlite(file)
    assert await ours.pragmas() == await service.pragmas()
    assert (await ours.pragmas())["synchronous"] == "2"
    await service.close()
    await ours.close()


@pytest.mark.asyncio
async def test_transactions_asked_for_together_fail_alone(file: Path) -> None:
    """Two that share a commit: the one that breaks a rule is undone, the other stands."""
    database = UnthreadedSqlite(file)
    await database.transaction(lambda conn: person("a", conn))
    results = await asyncio.gather(
        database.transaction(lambda conn: (person("b", conn), person("a", conn))),
        database.transaction(lambda conn: person("c", conn)),
        return_exceptions=True,
    )
    assert isinstance(results[0], Conflict)
    assert results[1] is None
    assert await database.read(people) == ["a", "c"]
    await database.close()


@pytest.mark.asyncio
async def test_a_crash_undoes_all_that_was_not_committed(file: Path) -> None:
    """Who dies before the commit takes along whatever shared it, as a kill does."""
    database = UnthreadedSqlite(file)

    def dies(conn: Connection) -> None:
        person("b", conn)
        raise SimulatedCrash("before_commit")

    results = await asyncio.gather(
        database.transaction(lambda conn: person("a", conn)), database.transaction(dies), return_exceptions=True
    )
    assert [type(result) for result in results] == [SimulatedCrash, SimulatedCrash]
    database.abandon()
    assert await UnthreadedSqlite(file).read(people) == []


@pytest.mark.asyncio
async def test_a_read_cannot_write(file: Path) -> None:
    """Reading is refused to change anything, as in the service."""
    database = UnthreadedSqlite(file)
    with pytest.raises(Exception, match="readonly"):
        await database.read(lambda conn: person("a", conn))
    await database.close()


@pytest.mark.asyncio
async def test_nothing_happens_after_it_was_abandoned(file: Path) -> None:
    """The dead write no more."""
    database = UnthreadedSqlite(file)
    database.abandon()
    with pytest.raises(Unavailable):
        await database.transaction(lambda conn: person("a", conn))
    assert await UnthreadedSqlite(file).read(people) == []
