"""Alembic migrations of the store; run by `storage.migrate`."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, inspect, text

NEWEST: Final = "0003"
"""The revision of the last migration under `versions/`."""


def is_newest(conn: Connection) -> bool:
    """Whether there is nothing to migrate. Costs two statements, and Alembic is not loaded."""
    if not inspect(conn).has_table("alembic_version"):
        return False
    return conn.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [NEWEST]
