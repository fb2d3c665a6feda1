"""The leases of dead processes: given back at once where one service works alone on its SQLite file.

On PostgreSQL several processes share the work, and nobody can tell a dead one's lease from a living one's: there a
lease runs out.
"""

from __future__ import annotations

import fcntl
import os
from datetime import datetime

from sqlalchemy import Connection, bindparam, make_url, update

from storage.database import Database
from storage.tables import NEW, Moment, inbox, outbox

# The worker's name stays: it tells that a row was left and not given back.
_FREE_MESSAGES, _FREE_REPLIES = (
    update(table)
    .where(table.c.status == NEW, table.c.worker.is_not(None), table.c.worker != bindparam("mine"))
    .values(lease_until=until)
    for table, until in ((inbox, None), (outbox, bindparam("from_then", type_=Moment())))
)


class Presence:
    """Shows that a service works on a database, for as long as its process lives: a lock that a kill lets go of.

    `alone` tells whether no other service was there when this one came. Never true on PostgreSQL.
    """

    def __init__(self, database: Database) -> None:
        self.alone = False
        self._file: int | None = None
        if database.dialect != "sqlite":
            return
        # A file of its own: closing any handle of the database file would drop SQLite's locks on it.
        self._file = os.open(f"{make_url(database.url).database}-service", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.alone = True
        except BlockingIOError:
            pass
        fcntl.flock(self._file, fcntl.LOCK_SH)

    def leave(self) -> None:
        """The service is gone. Safe to call twice."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def free_others(conn: Connection, worker: str, *, replies_from: datetime) -> int:
    """End every lease that is not `worker`'s: how many messages anybody may take now, and replies from then on.

    Such a reply may have reached its platform a moment ago, which must not get it again sooner than its pace allows.
    Only for a service that is alone on its database. What waits for a later try keeps waiting.
    """
    messages = conn.execute(_FREE_MESSAGES, {"mine": worker}).rowcount
    return messages + conn.execute(_FREE_REPLIES, {"mine": worker, "from_then": replies_from}).rowcount
