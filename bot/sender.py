"""Sending: what a turn wrote goes out through its channel, in order, again when that helps, until it is marked.

A row is sent by whoever claimed it. Rows of a turn are claimed by the process that wrote them and handed over
without being read again; rows that a dead process left are claimed when its lease runs out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog
from sqlalchemy import Connection

from bot import faults
from bot.clock import Clock, Ids
from bot.config import SenderSection
from bot.logs import whereabouts
from bot.outage import waited_out
from flows.model import OpenTicket
from storage import conversations, outbox, tickets
from storage.conversations import Held
from storage.database import Database
from storage.keyring import Keyring
from storage.outbox import Outgoing

CLAIM_AT_ONCE: Final = 20
"""Rows that one look at the outbox takes."""

UNDELIVERED: Final = "undelivered"
"""The kind of ticket that tells staff about a message that could not be sent."""

UNREADABLE: Final = "unreadable"
"""The reason of such a ticket when the message could not even be opened."""

log = structlog.get_logger()


class SendError(Exception):
    """A channel could not send. `word` says why in one word for the record, such as `throttled` or `blocked`.

    `permanent`: trying again cannot help. `retry_at`: not before this moment, as the platform said; None when it
    did not say. A row that cannot be sent is parked and staff are told.
    """

    def __init__(self, word: str, *, permanent: bool = False, retry_at: datetime | None = None) -> None:
        super().__init__(word)
        self.word = word
        self.permanent = permanent
        self.retry_at = retry_at


class Channel(Protocol):
    """Where people are reached. `send` returns when the platform has taken the message, and raises SendError when not.

    It may be called again with the same row (its `id` stays) after a crash between the two.
    """

    @property
    def name(self) -> str: ...

    async def send(self, outgoing: Outgoing) -> None: ...


@dataclass(slots=True)
class Sender:
    """Drains the outbox into the channels of this process.

    A turn's rows are sent by a task of their own, so that a slow channel holds up nobody else. While a row of a
    conversation is unsent, its later rows stay in the outbox until the earlier one has left.
    """

    db: Database
    keys: Keyring
    channels: Mapping[str, Channel]
    clock: Clock
    ids: Ids
    worker: str
    lease: timedelta
    limits: SenderSection
    read_outbox: frozenset[str] = frozenset()
    """Channels of this process whose far end reads the outbox itself: what is stored is sent, and they are told."""
    wake: Callable[[], None] = lambda: None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _behind: set[str] = field(default_factory=set)
    _crash: faults.SimulatedCrash | None = None

    # ── rows of turns of this process ────────────────────────────────────────────────────────────

    def may_go_straight(self, held: Held) -> bool:
        """Whether a turn's rows may be sent by this process at once: it has the channel, and nothing earlier waits."""
        return held.channel in self.channels and (not held.unsent or self.sends_by_storing(held))

    def sends_by_storing(self, held: Held) -> bool:
        """Whether a turn's rows are sent by their very commit, without anything to mark afterwards."""
        return held.channel in self.read_outbox

    def take_over(self, rows: Sequence[Outgoing], *, conversation: str, straight: bool) -> None:
        """Takes what a turn wrote, after its commit: to be sent at once, or left for when its turn comes."""
        if straight and rows:
            told = rows[0].channel in self.read_outbox
            self._start(self._tell(rows) if told else self._send_in_order(rows))
        elif not straight:
            self._behind.add(conversation)

    async def finish_started(self) -> None:
        """Waits until every send that was begun has ended. Raises SimulatedCrash if one of them did."""
        while self._tasks and self._crash is None:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        if self._crash is not None:
            raise self._crash

    def stop(self) -> None:
        """Drops every send that was begun; their rows are claimed by somebody later."""
        for task in self._tasks:
            task.cancel()

    # ── rows that were left ──────────────────────────────────────────────────────────────────────

    def claim(self, conn: Connection) -> tuple[list[Outgoing], int]:
        """Rows ready to be sent by the channels of this process, now its own, and how many had to be parked unread.

        Runs inside a transaction.
        """
        now = self.clock.now()
        claimed: list[Outgoing] = []
        parked = 0
        for name in self.channels:
            for row in outbox.claim_next(
                conn,
                self.keys,
                channel=name,
                worker=self.worker,
                now=now,
                lease_until=now + self.lease,
                limit=CLAIM_AT_ONCE,
            ):
                if isinstance(row, Outgoing):
                    claimed.append(row)
                else:
                    self._give_up(conn, row.id, row.conversation, channel=name, text="", word=UNREADABLE, now=now)
                    parked += 1
        return claimed, parked

    def send_claimed(self, rows: Sequence[Outgoing]) -> None:
        """Begins to send claimed rows, each conversation in its order."""
        by_conversation: dict[str, list[Outgoing]] = {}
        for row in rows:
            by_conversation.setdefault(row.conversation, []).append(row)
        for conversation, its_rows in by_conversation.items():
            self._behind.add(conversation)  # only its first waiting row could be claimed
            self._start(self._send_in_order(its_rows))

    # ── one conversation ─────────────────────────────────────────────────────────────────────────

    async def _send_in_order(self, rows: Sequence[Outgoing]) -> None:
        """Sends rows of one conversation until done or until one fails; what stands behind that one is given back."""
        sent: list[int] = []
        failure: SendError | None = None
        for row in rows:
            failure = await self._send(row)
            if failure is not None:
                break
            sent.append(row.id)
            faults.point("after_send")
        rest = rows[len(sent) :]
        await waited_out(self.db, self.clock, lambda conn: self._mark(conn, sent, rest, failure))
        if rows[0].conversation in self._behind:
            self._behind.discard(rows[0].conversation)
            self.wake()

    async def _tell(self, rows: Sequence[Outgoing]) -> None:
        """Rows that are sent already: if telling fails, the far end finds them at its next look."""
        for row in rows:
            await self._send(row)
            faults.point("after_send")

    async def _send(self, row: Outgoing) -> SendError | None:
        try:
            await self.channels[row.channel].send(row)
        except SendError as error:
            return error
        except Exception as error:
            # A bug in a channel must not stop the others: it is told, and the row is tried again.
            log.error("send.broken", channel=row.channel, error=type(error).__name__, at=whereabouts(error))
            return SendError("broken")
        return None

    def _mark(self, conn: Connection, sent: Sequence[int], rest: Sequence[Outgoing], failure: SendError | None) -> None:
        now = self.clock.now()
        if sent:
            outbox.mark_sent(conn, sent, now=now)
        if failure is not None:
            self._give_up_or_wait(conn, rest[0], failure, now)
            rest = rest[1:]
        for row in rest:
            outbox.give_back(conn, row.id)

    def _give_up_or_wait(self, conn: Connection, row: Outgoing, failure: SendError, now: datetime) -> None:
        if failure.permanent or row.attempts + 1 >= self.limits.max_attempts:
            self._give_up(
                conn, row.id, row.conversation, channel=row.channel, text=row.body.text, word=failure.word, now=now
            )
            return
        retry_at = failure.retry_at or now + self._backoff(row.attempts)
        outbox.retry_later(conn, row.id, not_before=retry_at, error_word=failure.word)
        log.info("send.again", conversation=row.conversation, outbox=row.id, reason=failure.word)

    def _give_up(
        self, conn: Connection, outbox_id: int, conversation: str, *, channel: str, text: str, word: str, now: datetime
    ) -> None:
        """Parks a reply and tells staff, in one commit."""
        outbox.park(conn, outbox_id, word)
        ticket = OpenTicket(
            code=self.ids.code(),
            kind=UNDELIVERED,
            text=text,
            details={"channel": channel, "reason": word, "outbox_id": str(outbox_id)},
        )
        person = conversations.person_of(conn, conversation)
        tickets.open_ticket(conn, self.keys, ticket, person=person, conversation=conversation, now=now)
        log.warning("send.parked", conversation=conversation, outbox=outbox_id, reason=word)

    def _backoff(self, attempts: int) -> timedelta:
        return timedelta(seconds=min(self.limits.first_retry_s * 2.0**attempts, self.limits.max_retry_s))

    def _start(self, sending: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(sending)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, faults.SimulatedCrash):
            self._crash = error
        elif error is not None:
            # The rows stay claimed and are taken over when the lease runs out.
            log.error("send.failed", error=type(error).__name__, at=whereabouts(error))
