"""Who of the staff looked at what: every view of a person's data leaves a line. Only added to, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select

from storage.tables import audit


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `staff` is a staff id, '' for the program or an operator who gave no name; `subject` an id or code."""

    at: datetime
    staff: str
    action: str
    subject: str


_ADD = insert(audit)
_LIST = (
    select(audit.c.at, audit.c.staff, audit.c.action, audit.c.subject)
    .order_by(audit.c.id.desc())
    .limit(bindparam("count"))
)
_FIND = select(audit.c.id).where(audit.c.action == bindparam("done")).limit(1)
_OF_SUBJECT = _LIST.where(audit.c.subject == bindparam("about"))


def record(conn: Connection, *, staff: str, action: str, subject: str, now: datetime) -> None:
    """Add a line; stored in clear, so no name or number of a person belongs in it."""
    conn.execute(_ADD, {"at": now, "staff": staff, "action": action, "subject": subject})


def has(conn: Connection, action: str) -> bool:
    """Whether such a line was ever added."""
    return conn.execute(_FIND, {"done": action}).first() is not None


def lines(conn: Connection, *, subject: str | None = None, limit: int = 100) -> list[Line]:
    """The newest lines first, of one subject or of all."""
    if subject is None:
        return [Line(*row) for row in conn.execute(_LIST, {"count": limit})]
    return [Line(*row) for row in conn.execute(_OF_SUBJECT, {"count": limit, "about": subject})]
