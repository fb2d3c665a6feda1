"""Wrong record codes: how often a person guessed, for the hourly limit."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, func, insert, select

from storage.tables import wrong_codes

WINDOW = timedelta(hours=1)

_ADD = insert(wrong_codes)
_COUNT = select(func.count()).where(wrong_codes.c.person == bindparam("who"), wrong_codes.c.at > bindparam("since"))


def record(conn: Connection, *, person: str, now: datetime) -> None:
    """One wrong code."""
    conn.execute(_ADD, {"person": person, "at": now})


def in_last_hour(conn: Connection, *, person: str, now: datetime) -> int:
    """How many wrong codes this person gave in the hour before `now`."""
    return conn.execute(_COUNT, {"who": person, "since": now - WINDOW}).scalar_one()
