"""A store of each kind: a SQLite file, and a PostgreSQL database that this run makes and drops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from storage_examples import Apart, Desk, Numbered

from storage.database import Database, create_from_template, open_database, upgrade
from storage.keyring import Keyring
from storage.tables import metadata
from tests.postgres_server import empty_database, run


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """An empty PostgreSQL database of this run's own; dropped at the end."""
    with empty_database("rangkul_test") as url:
        yield url


@pytest.fixture(scope="session")
def migrated_postgres_url(postgres_url: str) -> str:
    """The same database with the newest schema."""

    async def migrate() -> None:
        database = open_database(postgres_url)
        await upgrade(database)
        await database.close()

    asyncio.run(migrate())
    return postgres_url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated database with nothing in it."""
    if request.param == "sqlite":
        path = tmp_path / "store.db"
        asyncio.run(create_from_template(path).close())
        return f"sqlite:///{path}"
    url: str = request.getfixturevalue("migrated_postgres_url")
    children_first = reversed(metadata.sorted_tables)  # deleting few rows is much faster than TRUNCATE
    asyncio.run(run(url, ";".join(str(table.delete()) for table in children_first)))
    return url


Opener = Callable[[], Database]


@pytest_asyncio.fixture
async def another(database_url: str) -> AsyncIterator[Opener]:
    """Opens the database once more, as another process would."""
    opened: list[Database] = []

    def open_one() -> Database:
        opened.append(open_database(database_url))
        return opened[-1]

    yield open_one
    for one in opened:
        await one.close()


@pytest_asyncio.fixture
async def database(another: Opener) -> Database:
    """One open database, of each kind in turn."""
    return another()


@pytest.fixture
def keys() -> Keyring:
    """Invented keys."""
    return Keyring.from_keys({"k1": b"\x01" * 32}, "k1", b"\x02" * 32)


@pytest.fixture
def ids() -> Numbered:
    """Ids that count up."""
    return Numbered()


@pytest_asyncio.fixture
async def desk(database: Database, keys: Keyring, ids: Numbered) -> Desk:
    """One worker that runs turns."""
    return Desk(database, keys, ids)


@pytest_asyncio.fixture
async def other_desk(another: Opener, keys: Keyring) -> Desk:
    """A worker of another process on the same database."""
    return Desk(another(), keys, Apart(), worker="w2")
