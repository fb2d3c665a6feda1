"""What a platform tells of messages it has taken: delivered, read, or failed after all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, select, update

from storage import senders
from storage.inbox import Report
from storage.keyring import Keyring
from storage.prepared import Prepared
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


@dataclass(frozen=True, slots=True)
class Told:
    """What follows from a report. `frees`: something that waits may be sent now, or soon."""

    failed: Failed | None = None
    frees: bool = False


_COLUMNS = (
    outbox.c.id,
    outbox.c.conversation,
    outbox.c.channel,
    outbox.c.status,
    outbox.c.delivery,
    outbox.c.attempts,
    outbox.c.platform_id,
    outbox.c.tried_at,
    outbox.c.body.is_(None).label("erased"),
)


class _Row(NamedTuple):
    id: int
    conversation: str
    channel: str
    status: str
    delivery: str | None
    attempts: int
    platform_id: bytes | None
    tried_at: datetime | None
    erased: bool


_BY_ID = Prepared(
    select(*_COLUMNS).where(outbox.c.id == bindparam("row"), outbox.c.channel == bindparam("of")).with_for_update()
)
_BY_NAME = Prepared(select(*_COLUMNS).where(outbox.c.platform_id == bindparam("name")).with_for_update())
_SET = Prepared(update(outbox).where(outbox.c.id == bindparam("row")).values(delivery=bindparam("told")))
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
) -> Told:
    """Keeps what a platform tells. Safe to call again, in any order.

    A message whose sending had ended in doubt is known to be sent now. One that failed, and of which nothing better
    was told, is sent again from `not_before` on where that helps and it was not tried too often, or waits for the
    person; otherwise it is told as `failed`, once, unless staff were told when it was parked.
    """
    name = platform_name(keys, report.channel, report.platform_id)
    row = _find(conn, report, name)
    if row is None or _is_of_earlier_sending(row, name) or RANK[report.status] <= RANK.get(row.delivery or "", 0):
        return Told()
    waited = row.status == "new"  # and with it what stands behind it
    if waited:
        conn.execute(_TAKEN, {"row": row.id, "now": now, "name": name})
    if report.status == "failed" and _goes_again(row, report, max_attempts):
        waits = report.then == "wait_for_person"
        if waits:
            senders.shut_window(conn, row.conversation, now)
        conn.execute(_AGAIN, {"row": row.id, "not_before": None if waits else not_before, "word": report.word})
        return Told(frees=True)
    _SET.run(conn, row=row.id, told=report.status)
    if report.status != "failed" or row.status == "parked" or row.erased:
        return Told(frees=waited)
    return Told(Failed(row.id, row.conversation, row.channel, report.word), frees=waited)


def _is_of_earlier_sending(row: _Row, name: bytes) -> bool:
    """Whether the platform tells of a sending that failed before, while the message waits or was sent anew.

    Each sending has a name of its own there, and the row keeps the newest that is known.
    """
    if row.platform_id is None:
        return False
    if row.status == "new":
        return row.platform_id == name or row.tried_at is None
    return row.platform_id != name


def _goes_again(row: _Row, report: Report, max_attempts: int) -> bool:
    """Whether a failure leads to another sending: not of what was read or erased, or what was given up."""
    if row.delivery in ("delivered", "read") or row.status == "parked" or row.erased:
        return False
    return report.then == "wait_for_person" or (report.then == "again" and row.attempts + 1 < max_attempts)


def _find(conn: Connection, report: Report, name: bytes) -> _Row | None:
    """The message by our own name of it, which the platform gives back, or else by the platform's."""
    if report.outbox_id:
        found = _BY_ID.first(conn, row=report.outbox_id, of=report.channel)
    else:
        found = _BY_NAME.first(conn, name=name)
    return None if found is None else _Row(*found)
