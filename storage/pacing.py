"""How fast a platform may be sent to: token buckets in the database, so that all processes together keep to them.

A bucket is one instant, when it will be full again. Taking a token moves it forward by `interval`; a token is there
as long as that stays within `burst` intervals of now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, func, select, update

from storage.dialects import Insert, PerDialect
from storage.keyring import Keyring
from storage.prepared import Prepared
from storage.tables import paces


@dataclass(frozen=True, slots=True)
class Pace:
    """At most `burst` at once, and one every `interval` in the long run. `key` names what is limited."""

    key: str
    interval: timedelta
    burst: int = 1


def _add_missing(statement: Insert) -> Insert:
    return statement.values(lookup=bindparam("pace"), full_at=bindparam("at")).on_conflict_do_nothing(
        index_elements=["lookup"]
    )


def _move(statement: Insert) -> Insert:
    return statement.values(lookup=bindparam("pace"), full_at=bindparam("at")).on_conflict_do_update(
        index_elements=["lookup"], set_={"full_at": statement.excluded.full_at}
    )


_READ = Prepared(select(paces.c.full_at).where(paces.c.lookup == bindparam("pace")).with_for_update())
_ADD = Prepared(PerDialect(paces, _add_missing))
_SET = Prepared(PerDialect(paces, _move))
_COUNT_FROM = Prepared(
    update(paces)
    .where(paces.c.lookup == bindparam("pace"), paces.c.full_at < bindparam("at"))
    .values(full_at=bindparam("at"))
)
_FORGET = delete(paces).where(paces.c.full_at < bindparam("before"))
_COUNT = select(func.count()).select_from(paces)


def take(conn: Connection, keys: Keyring, wanted: Sequence[Pace], now: datetime) -> datetime | None:
    """One token of each bucket: None when they were there, else from when on it is worth asking again.

    Takes all or none. Every caller names shared buckets in the same order, or two would wait for each other.
    """
    found = [(keys.lookup("pace", pace.key), pace) for pace in wanted]
    full = [max(_full_at(conn, lookup, now), now) for lookup, _ in found]
    ready = [at + pace.interval - pace.interval * pace.burst for at, (_, pace) in zip(full, found, strict=True)]
    latest = max(ready, default=now)
    if latest > now:
        return latest
    for at, (lookup, pace) in zip(full, found, strict=True):
        _SET.run(conn, pace=lookup, at=at + pace.interval)
    return None


def hold_back(conn: Connection, keys: Keyring, pace: Pace, until: datetime) -> None:
    """Nobody gets a token of this bucket before `until`: the platform said so."""
    lookup = keys.lookup("pace", pace.key)
    empty = until - pace.interval + pace.interval * pace.burst
    _SET.run(conn, pace=lookup, at=max(_full_at(conn, lookup, empty), empty))


def count_from(conn: Connection, keys: Keyring, pace: Pace, at: datetime) -> None:
    """The token that was taken last counts from `at`, later than it was taken: the platform counts what reaches it.

    For buckets of one token; with more, only the last one of a burst would move.
    """
    _COUNT_FROM.run(conn, pace=keys.lookup("pace", pace.key), at=at + pace.interval)


def forget_full(conn: Connection, now: datetime) -> int:
    """Drops buckets that are full, which is what one that is not there counts as. How many."""
    return conn.execute(_FORGET, {"before": now}).rowcount


def count(conn: Connection) -> int:
    """How many buckets are kept."""
    return conn.execute(_COUNT).scalar_one()


def _full_at(conn: Connection, lookup: bytes, now: datetime) -> datetime:
    """When the bucket is full, its row locked until the transaction ends; a new bucket is full `now`."""
    row = _READ.first(conn, pace=lookup)
    if row is None:
        _ADD.run(conn, pace=lookup, at=now)
        row = _READ.first(conn, pace=lookup)
    assert row is not None, "it was added in this transaction"
    return row[0]  # type: ignore[no-any-return]
