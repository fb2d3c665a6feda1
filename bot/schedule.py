"""What happens by the clock: timers that have come due, and the daily erasure of what has been kept long enough."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from bot.clock import Clock
from bot.config import Retention
from bot.outage import waited_out
from storage import erase, jobs
from storage.database import Database
from storage.erase import Purged
from storage.keyring import Keyring

AT_ONCE: Final = 50
"""Timers that one look takes; the rest comes with the next look."""

PURGE_ROUNDS: Final = 10_000
"""Transactions that one daily erasure may take; what is left comes the next day."""


def fire_due(conn: Connection, keys: Keyring, *, now: datetime) -> int:
    """Puts due timers into the inbox and forgets them, in one transaction.

    Returns how many fired. A timer that another process fired in the meantime counts for that process.
    """
    due = jobs.due(conn, now, AT_ONCE)
    return sum(jobs.fire(conn, keys, timer, now) is not None for timer in due)


async def purge_old(db: Database, keys: Keyring, clock: Clock, retention: Retention) -> Purged:
    """Erases what is older than the settings allow, in short transactions. Safe beside other processes that do so."""
    now = clock.now()
    purged = Purged()
    for _ in range(PURGE_ROUNDS):
        found = await waited_out(
            db,
            clock,
            lambda conn: erase.purge(
                conn,
                keys,
                now=now,
                messages_kept=timedelta(days=retention.messages_days),
                media_kept=timedelta(days=retention.media_days),
            ),
        )
        if not found.rows:
            break
        purged += found
    return purged
