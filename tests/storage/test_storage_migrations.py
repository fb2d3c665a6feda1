"""Migrations: up, down and up again on both databases, and equal to the tables in code."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from storage.database import Database, create_from_template, downgrade, open_database, upgrade
from storage.migrate import SCRIPTS
from storage.migrations import NEWEST
from storage.tables import metadata

pytestmark = pytest.mark.asyncio


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without any table of ours."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    url: str = request.getfixturevalue("migrated_postgres_url")
    database = open_database(url)

    async def empty() -> None:
        await downgrade(database, "base")
        await database.close()

    asyncio.run(empty())
    return url


def differences(conn: Connection) -> list[object]:
    """What the migrated schema lacks or has too much of."""
    context = MigrationContext.configure(conn, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, metadata))


def tables(conn: Connection) -> set[str]:
    """The tables that are there."""
    return set(inspect(conn).get_table_names())


async def test_up_down_and_up_again(empty_url: str) -> None:
    """The newest schema is the tables in code; the way back leaves nothing; the way up works again."""
    database = open_database(empty_url)
    expected = {table.name for table in metadata.sorted_tables} | {"alembic_version"}
    await upgrade(database)
    assert await database.transaction(differences) == []
    assert await database.read(tables) == expected
    await downgrade(database, "base")
    assert await database.read(tables) == {"alembic_version"}
    await upgrade(database)
    await upgrade(database)
    assert await database.transaction(differences) == []
    await database.close()


async def test_several_processes_may_migrate_at_once(empty_url: str) -> None:
    """Whoever comes second finds the work done."""
    databases: list[Database] = [open_database(empty_url) for _ in range(3)]
    await asyncio.gather(*(upgrade(database) for database in databases))
    assert await databases[0].transaction(differences) == []
    for database in databases:
        await database.close()


async def test_the_template_is_a_migrated_database(tmp_path: Path) -> None:
    """A copied database has the newest schema, is readable by its owner alone, and never overwrites."""
    path = tmp_path / "copy.db"
    database = create_from_template(path)
    assert await database.transaction(differences) == []
    await database.close()
    assert path.stat().st_mode & 0o077 == 0
    with pytest.raises(FileExistsError):
        create_from_template(path)


async def test_the_newest_migration_is_named_without_loading_alembic() -> None:
    """A start that finds the newest revision skips Alembic, so the name must be that of the last migration."""
    scripts = ScriptDirectory(str(SCRIPTS))
    assert scripts.get_current_head() == NEWEST
