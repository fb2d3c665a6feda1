"""Outages of the database are waited out: the same transaction again, later and later, until it goes through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import structlog
from sqlalchemy import Connection

from bot.clock import Clock
from storage.database import Database, Unavailable

FIRST_WAIT_S: Final = 0.1
MAX_WAIT_S: Final = 5.0

Result = TypeVar("Result")

log = structlog.get_logger()


async def waited_out(
    db: Database, clock: Clock, work: Callable[[Connection], Result], *, patience_s: float | None = None
) -> Result:
    """The result of one whole transaction, however long the database is away.

    With `patience_s` it gives up after that many seconds and raises Unavailable. Every other exception of the
    transaction comes through at once.
    """
    waited_s = 0.0
    wait_s = FIRST_WAIT_S
    while True:
        try:
            result = await db.transaction(work)
        except Unavailable:
            if patience_s is not None and waited_s + wait_s > patience_s:
                raise
            log.warning("database.away", waited_s=round(waited_s, 1))
        else:
            if waited_s:
                log.info("database.back", waited_s=round(waited_s, 1))
            return result
        await clock.sleep(wait_s)
        waited_s += wait_s
        wait_s = min(wait_s * 2, MAX_WAIT_S)
