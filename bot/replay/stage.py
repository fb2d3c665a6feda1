"""The real program on a throw-away database, with clock, names and platform in the script's hands."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, delete, exists, func, literal, select, union_all

from bot import faults
from bot.app import Program, assemble
from bot.clock import CountedIds, ManualClock
from bot.config import Config
from bot.replay.casting import put_fixtures
from bot.replay.outages import Ears, FailingDatabase
from bot.replay.platforms import Platform, platform_of
from bot.replay.script import Fixture
from bot.replay.unthreaded import UnthreadedSqlite
from flows.work import Flows
from storage.database import Database, create_from_template, open_database, upgrade
from storage.keyring import Keyring
from storage.tables import NEW, inbox, metadata, outbox, timers

_KEY_BYTES: Final = 32
_TABLES: Final = tuple(reversed(metadata.sorted_tables))
_FULL: Final = union_all(
    *(select(literal(table.name)).where(exists(select(literal(1)).select_from(table))) for table in _TABLES)
)
"""The names of the tables that hold anything."""


class HoldsData(Exception):
    """The named database is not empty; a replay would delete what is in it."""


def _reopened(database: Database) -> Database:
    """Another way in, of the same kind, to the same data."""
    if isinstance(database, UnthreadedSqlite):
        return UnthreadedSqlite(database.path)
    return open_database(database.url)


def throw_away_keys() -> Keyring:
    """Keys for invented people alone; the same each time, so that a kept file can be looked into."""
    return Keyring.from_keys({"replay": b"r" * _KEY_BYTES}, "replay", b"l" * _KEY_BYTES)


@dataclass(slots=True)
class Stage:
    """Where cases are played, one after the other. Open it with `open_stage`."""

    config: Config
    flows: Flows
    ears: Ears
    keys: Keyring
    database: Database
    folder: tempfile.TemporaryDirectory[str] | None
    turns_before: int = 0
    clock: ManualClock = field(init=False)
    ids: CountedIds = field(init=False)
    platform: Platform = field(init=False)
    program: Program = field(init=False)
    outage: FailingDatabase = field(init=False)

    def set_up(self, *, now: datetime, channel: str) -> None:
        """A fresh program at that moment; `put` is to follow."""
        faults.disarm()
        self.clock = ManualClock(now)
        self.ids = CountedIds()
        self.platform = platform_of(channel, self.config, self.keys, self.flows, self.clock, self.ids)
        self.ears.begin(self.clock)
        self.turns_before = 0
        self._build()

    async def put(self, fixtures: Mapping[str, Fixture]) -> dict[str, str]:
        """Empties the records and puts the fixtures in; gives the id of each by its name. Raises BadFixture."""

        def prepare(conn: Connection) -> dict[str, str]:
            _clear(conn)
            return put_fixtures(conn, self.keys, fixtures, ids=self.ids, now=self.clock.now())

        return await self.database.transaction(prepare)

    def _build(self) -> None:
        self.outage = FailingDatabase(self.database, self.clock)
        self.program = assemble(
            self.config,
            self.keys,
            self.outage,
            [self.platform.build()],
            self.clock,
            self.ids,
            self.flows,
            self.ears,
        )
        self.platform.connect(self.program)

    @property
    def turns(self) -> int:
        """Messages handled since `set_up`."""
        return self.turns_before + self.program.turns.handled

    def crash(self) -> None:
        """The process is gone: nothing further is committed, and all that was held in memory is forgotten."""
        faults.disarm()
        self.turns_before = self.turns
        self.program.abandon()

    def rise(self) -> None:
        """A new process on the same file, after the hold of the dead one on its messages has run out."""
        self.database = _reopened(self.database)
        self.clock.advance(timedelta(seconds=self.config.turn.lease_s + 1))
        self._build()

    async def close(self) -> None:
        """Leaves nothing behind, in a named database either."""
        faults.disarm()
        if self.folder is None:
            await self.database.transaction(_clear)
        await self.database.close()
        if self.folder is not None:
            self.folder.cleanup()


async def open_stage(config: Config, flows: Flows, ears: Ears, *, url: str = "") -> Stage:
    """A stage on a SQLite file of its own, or on the named database, which must be empty.

    Raises HoldsData, `storage.database.Unavailable`, and ValueError for a URL of another kind.
    """
    keys = throw_away_keys()
    if not url:
        folder = tempfile.TemporaryDirectory(prefix="rangkul-replay-")
        path = Path(folder.name, "replay.db")
        await create_from_template(path).close()
        return Stage(config, flows, ears, keys, UnthreadedSqlite(path), folder)
    database = open_database(url)
    await upgrade(database)
    if await database.read(_rows):
        await database.close()
        raise HoldsData("the database holds data; a replay needs an empty one of its own")
    return Stage(config, flows, ears, keys, database, None)


def next_moment(conn: Connection, now: datetime) -> datetime | None:
    """The earliest moment after `now` at which something that waits can go on; None when nothing does."""
    timer = conn.execute(select(func.min(timers.c.at)).where(timers.c.at > now)).scalar()
    moments = (timer, next_lease_end(conn, now))
    return min((moment for moment in moments if moment is not None), default=None)


def next_lease_end(conn: Connection, now: datetime) -> datetime | None:
    """The earliest moment after `now` at which a message that somebody held can be taken; None when none is held."""
    moments = [
        conn.execute(
            select(func.min(table.c.lease_until)).where(table.c.status == NEW, table.c.lease_until > now)
        ).scalar()
        for table in (inbox, outbox)
    ]
    return min((moment for moment in moments if moment is not None), default=None)


def _rows(conn: Connection) -> int:
    return sum(conn.execute(select(func.count()).select_from(table)).scalar_one() for table in _TABLES)


def _clear(conn: Connection) -> None:
    """Empties every table. Deleting is cheap here, where a case leaves a few rows; TRUNCATE makes new files."""
    full = set(conn.execute(_FULL).scalars())
    for table in _TABLES:
        if table.name in full:
            conn.execute(delete(table))
    if full and conn.dialect.name == "sqlite":
        conn.exec_driver_sql("DELETE FROM sqlite_sequence")  # ids count from 1 in every case
