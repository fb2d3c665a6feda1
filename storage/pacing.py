"""How fast a platform may be sent to: token buckets in the database, so that all processes together keep to them.

A bucket is one instant, when it will be full again. Taking a token moves it forward by `interval`; a token is there
as long as that stays within `burst` intervals of now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import Connection, bindparam, delete, func, select, text, update

from storage.keyring import Keyring
from storage.prepared import Prepared
from storage.tables import Lookup, Moment, paces


@dataclass(frozen=True, slots=True)
class Pace:
    """At most `burst` at once, and one every `interval` in the long run. `key` names what is limited."""

    key: str
    interval: timedelta
    burst: int = 1


_LOOK = Prepared(select(paces.c.full_at).where(paces.c.lookup == bindparam("pace")))
_COUNT_FROM = Prepared(
    update(paces)
    .where(paces.c.lookup == bindparam("pace"), paces.c.full_at < bindparam("at"))
    .values(full_at=bindparam("at"))
)
_FORGET = delete(paces).where(paces.c.full_at < bindparam("before"))
_COUNT = select(func.count()).select_from(paces)


def take(conn: Connection, keys: Keyring, wanted: Sequence[Pace], now: datetime) -> datetime | None:
    """One token of each bucket: None when they were there, else from when on it is worth asking again.

    Takes all or none. Every caller names shared buckets first and in the same order, or two would wait for each other.
    """
    _, later = take_some(conn, keys, wanted, now, 1)
    return later


def take_some(
    conn: Connection, keys: Keyring, wanted: Sequence[Pace], now: datetime, most: int
) -> tuple[int, datetime | None]:
    """As many tokens of each bucket as all of them have, `most` at most, as `take` takes one.

    How many were taken of each; when that is less than `most`, from when on it is worth asking for another.
    """
    if not wanted:
        return most, None
    lookups = [keys.lookup("pace", pace.key) for pace in wanted]
    full = [max(at, now) for at in _full_at(conn, lookups, now)]
    count = min(most, *(_tokens(at, pace, now) for at, pace in zip(full, wanted, strict=True)))
    if count:
        _set(conn, lookups, [at + count * pace.interval for at, pace in zip(full, wanted, strict=True)])
    if count == most:
        return count, None
    return count, max(_ready(at + count * pace.interval, pace) for at, pace in zip(full, wanted, strict=True))


def room(conn: Connection, keys: Keyring, pace: Pace, now: datetime) -> tuple[int, datetime | None]:
    """How many tokens a bucket has, and when it has none, from when on it has one. Takes nothing and holds nobody up:
    somebody may be faster."""
    row = _LOOK.first(conn, pace=keys.lookup("pace", pace.key))
    full = now if row is None else max(row[0], now)
    count = _tokens(full, pace, now)
    return count, None if count else _ready(full, pace)


def hold_back(conn: Connection, keys: Keyring, pace: Pace, until: datetime) -> None:
    """Nobody gets a token of this bucket before `until`: the platform said so."""
    lookups = [keys.lookup("pace", pace.key)]
    empty = until - pace.interval + pace.interval * pace.burst
    _set(conn, lookups, [max(*_full_at(conn, lookups, empty), empty)])


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


def _tokens(full: datetime, pace: Pace, now: datetime) -> int:
    """How many tokens a bucket has that will be full then."""
    return max(0, (now + pace.interval * pace.burst - full) // pace.interval)


def _ready(full: datetime, pace: Pace) -> datetime:
    """From when on a bucket has a token that will be full then."""
    return full + pace.interval - pace.interval * pace.burst


def _full_at(conn: Connection, lookups: Sequence[bytes], now: datetime) -> list[datetime]:
    """When each bucket is full, their rows locked in this order until the transaction ends; a new one is full `now`."""
    statements, given = _of(len(lookups)), _named("pace", lookups)
    found = dict(statements.read.all(conn, **given))
    if len(found) < len(lookups):
        statements.add.run(conn, at=now, **given)
        found = dict(statements.read.all(conn, **given))
    return [found[lookup] for lookup in lookups]


def _set(conn: Connection, lookups: Sequence[bytes], moments: Sequence[datetime]) -> None:
    _of(len(lookups)).set.run(conn, **_named("pace", lookups), **_named("at", moments))


def _named(name: str, values: Sequence[object]) -> dict[str, object]:
    return {f"{name}_{place}": value for place, value in enumerate(values)}


@dataclass(frozen=True, slots=True)
class _Statements:
    """What is done with so many buckets at once. `add` leaves those alone that are there."""

    read: Prepared
    add: Prepared
    set: Prepared


@cache
def _of(count: int) -> _Statements:
    names = [f"pace_{place}" for place in range(count)]
    binds = [bindparam(name, type_=Lookup()) for name in names]
    read = select(paces.c.lookup, paces.c.full_at).where(paces.c.lookup.in_(binds))
    # Locked in the order in which they were named, not in that of their look-ups: shared ones first.
    in_order = read.order_by(*(paces.c.lookup != bind for bind in binds)).with_for_update()
    return _Statements(
        Prepared(in_order),
        _insert(names, ["at"] * count, "DO NOTHING"),
        _insert(names, [f"at_{place}" for place in range(count)], "DO UPDATE SET full_at = excluded.full_at"),
    )


def _insert(names: Sequence[str], moments: Sequence[str], on_conflict: str) -> Prepared:
    """One INSERT of several rows. As text, because a value may recur in every row."""
    rows = ", ".join(f"(:{name}, :{moment})" for name, moment in zip(names, moments, strict=True))
    head = "INSERT INTO paces (lookup, full_at) VALUES"
    statement = f"{head} {rows} ON CONFLICT (lookup) {on_conflict}"
    return Prepared(
        text(statement).bindparams(
            *(bindparam(name, type_=Lookup()) for name in names),
            *(bindparam(moment, type_=Moment()) for moment in dict.fromkeys(moments)),
        )
    )
