"""The audit: what staff looked at and what was done outside a conversation. Only added to, never changed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select

from storage.tables import audit


def record(conn: Connection, *, staff: str, action: str, subject: str, now: datetime) -> None:
    """Adds an entry. `staff` is a staff id, '' for the program itself; `subject` a code or id, never a name."""
    conn.execute(insert(audit).values(at=now, staff=staff, action=action, subject=subject))


def has(conn: Connection, action: str) -> bool:
    """Whether such an entry was ever made."""
    return conn.execute(select(audit.c.id).where(audit.c.action == action).limit(1)).first() is not None
