"""Timers that have come due enter the inbox as messages of their conversation."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from storage import jobs
from storage.keyring import Keyring

AT_ONCE: Final = 50
"""Timers that one look takes; the rest comes with the next look."""


def fire_due(conn: Connection, keys: Keyring, *, now: datetime) -> int:
    """Puts due timers into the inbox and forgets them, in one transaction.

    Returns how many fired. A timer that another process fired in the meantime counts for that process.
    """
    due = jobs.due(conn, now, AT_ONCE)
    return sum(jobs.fire(conn, keys, timer, now) is not None for timer in due)
