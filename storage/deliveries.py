"""What a platform tells of messages it has taken: delivered, read, or failed after all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update

from storage import senders
from storage.inbox import Report
from storage.keyring import Keyring
from storage.tables import outbox

RANK: Final = {"sent": 1, "delivered": 2, "read": 3, "failed": 4}
"""What is told later never takes back what is higher here; `failed` is final."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A message that the platform had taken and could not deliver."""

    outbox_id: int
    conversation: str
    channel: str
    word: str


_COLUMNS = (outbox.c.id, outbox.c.conversation, outbox.c.channel, outbox.c.status, outbox.c.delivery, outbox.c.attempts)
_BY_ID = select(*_COLUMNS).where(outbox.c.id == bindparam("row"), outbox.c.channel == bindparam("of")).with_for_update()
_BY_NAME = select(*_COLUMNS).where(outbox.c.platform_id == bindparam("name")).with_for_update()
_SET = update(outbox).where(outbox.c.id == bindparam("row")).values(delivery=bindparam("told"))
_TAKEN = (
    update(outbox)
    .where(outbox.c.id == bindparam("row"))
    .values(
        status="sent",
        sent_at=bindparam("now"),
        platform_id=bindparam("name"),
        worker=None,
        lease_until=None,
        error=None,
    )
)
_AGAIN = (
    update(outbox)
    .where(outbox.c.id == bindparam("row"))
    .values(
        status="new",
        sent_at=None,
        delivery=None,
        platform_id=None,
        worker=None,
        tried_at=None,
        attempts=outbox.c.attempts + 1,
        lease_until=bindparam("not_before"),
        error=bindparam("word"),
    )
)


def platform_name(keys: Keyring, channel: str, platform_id: str) -> bytes:
    """The look-up of what a platform calls a message of ours."""
    return keys.lookup("platform", f"{channel}|{platform_id}")


def take_in(
    conn: Connection, keys: Keyring, report: Report, *, now: datetime, not_before: datetime, max_attempts: int
) -> Failed | None:
    """Keeps what a platform tells. Safe to call again, in any order.

    A message whose sending had ended in doubt is known to be sent now. One that failed is sent again from
    `not_before` on where that helps and it was not tried too often, or waits for the person; otherwise it is given
    back as `Failed`, once.
    """
    name = platform_name(keys, report.channel, report.platform_id)
    row = _find(conn, report, name)
    if row is None:
        return None
    outbox_id, conversation, channel, status, delivery, attempts = row
    if RANK[report.status] <= RANK.get(delivery or "", 0):
        return None
    if status == "new":
        conn.execute(_TAKEN, {"row": outbox_id, "now": now, "name": name})
    if report.status != "failed":
        conn.execute(_SET, {"row": outbox_id, "told": report.status})
        return None
    if report.then == "wait_for_person":
        senders.shut_window(conn, conversation, now)
        conn.execute(_AGAIN, {"row": outbox_id, "not_before": None, "word": report.word})
        return None
    if report.then == "again" and attempts + 1 < max_attempts:
        conn.execute(_AGAIN, {"row": outbox_id, "not_before": not_before, "word": report.word})
        return None
    conn.execute(_SET, {"row": outbox_id, "told": "failed"})
    return Failed(outbox_id, conversation, channel, report.word)


def _find(conn: Connection, report: Report, name: bytes) -> Any:
    """The message by our own name of it, which the platform gives back, or else by the platform's."""
    if report.outbox_id:
        return conn.execute(_BY_ID, {"row": report.outbox_id, "of": report.channel}).first()
    return conn.execute(_BY_NAME, {"name": name}).first()
