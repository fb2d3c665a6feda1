"""Sending: what a turn wrote goes out through its channel, in order, again when that helps, until it is marked.

A row is sent by whoever claimed it. Rows of a turn are claimed by the process that wrote them and handed over
without being read again; rows that a dead process left are claimed when its lease runs out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import Connection

from bot import faults
from bot.channels.base import Channel, SendError
from bot.clock import Clock, Ids
from bot.config import SenderSection
from bot.failures import WINDOW_CLOSED, Failures
from bot.fitting import said_in
from bot.logs import whereabouts
from bot.outage import waited_out
from bot.spacing import Spacing
from storage import deliveries, outbox, pacing, senders
from storage.conversations import Held
from storage.database import Conflict, Database
from storage.inbox import Report
from storage.keyring import Keyring
from storage.outbox import Outgoing, Unreadable
from storage.turns import Handing

CLAIM_AT_ONCE: Final = 20
"""Rows that one look at the outbox takes."""

UNREADABLE: Final = "unreadable"
"""The reason of such a ticket when the message could not even be opened."""

log = structlog.get_logger()


RERUNS: Final = 5
"""How often marking is done again because another transaction stood in the way."""

NO_NEWS: Final = frozenset({"staff/returned", "staff/silent"})
"""What only says that the bot answers again: nobody is written to for it when the talk has long been quiet."""

WINDOW_MARGIN: Final = timedelta(minutes=5)
"""Nothing is sent into a window that closes within this: the platform's clock and the way there are not ours."""


@dataclass(slots=True)
class Claimed:
    """What one look at the outbox brought.

    `rows` are to be sent, `shut_out` to people whose window is closed; `invitations` are for people to be asked to
    write. `done` is how much was done on the spot.
    """

    rows: list[Outgoing] = field(default_factory=list)
    shut_out: list[Outgoing] = field(default_factory=list)
    invitations: list[Outgoing] = field(default_factory=list)
    done: int = 0

    def __bool__(self) -> bool:
        return bool(self.rows or self.shut_out or self.invitations or self.done)


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
    wake_at: Callable[[datetime], None] = lambda _moment: None
    failures: Failures = field(init=False)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _behind: set[str] = field(default_factory=set)
    _spacing: Spacing = field(init=False)
    _crash: faults.SimulatedCrash | None = None

    def __post_init__(self) -> None:
        self._spacing = Spacing(self.clock)
        # A call of ours, because the program names another way to be woken once it runs.
        wake_at: Callable[[datetime], None] = lambda moment: self.wake_at(moment)  # noqa: E731
        self.failures = Failures(self.keys, self.channels, self.clock, self.ids, self.limits, wake_at)

    # ── rows of turns of this process ────────────────────────────────────────────────────────────

    def handing(self, conn: Connection, held: Held, count: int) -> Handing:
        """Who sends the replies of a turn, decided in its transaction: this process at once, as far as it may.

        It has the channel, nothing earlier waits, the person can be reached, and the platform's pace allows it.
        """
        now = self.clock.now()
        if self.sends_by_storing(held):
            return Handing(by_storing=True)
        channel = self.channels.get(held.channel)
        if channel is None or held.unsent or not _is_open(held, now):
            return Handing()
        ready, later = (
            pacing.take_some(conn, self.keys, channel.paces(held.address), now, count) if count else (0, None)
        )
        return Handing(self.worker, now + self.lease, ready, later)

    @property
    def paces_itself(self) -> bool:
        """Whether a reply may have to wait for the pace of a platform."""
        return any(channel.paces("") for channel in self.channels.values())

    @property
    def rest(self) -> timedelta:
        """How far apart the slowest platform of ours wants messages to one person who gets them one at a time."""
        paces = [pace for channel in self.channels.values() for pace in channel.paces("")]
        return max((pace.interval for pace in paces if pace.burst == 1), default=timedelta(0))

    def sends_by_storing(self, held: Held) -> bool:
        """Whether a turn's rows are sent by their very commit, without anything to mark afterwards."""
        return held.channel in self.read_outbox

    def take_over(self, rows: Sequence[Outgoing], *, conversation: str, left: bool) -> None:
        """Takes what a turn wrote, after its commit, to be sent at once; `left`: more of it waits in the outbox."""
        if left:
            self._behind.add(conversation)
        if rows:
            told = rows[0].channel in self.read_outbox
            self._start(self._tell(rows) if told else self._send_in_order(rows))
        elif left:
            self.wake()

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

    def claim(self, conn: Connection) -> Claimed:
        """What may be sent now by the channels of this process, now its own. Runs inside a transaction."""
        claimed = Claimed()
        for channel in self.channels.values():
            self._claim_rows(conn, channel, claimed)
            if channel.has_windows:
                self._claim_shut_out(conn, channel, claimed)
        return claimed

    def _claim_rows(self, conn: Connection, channel: Channel, claimed: Claimed) -> None:
        """As many rows as the platform's pace has room for; those that must wait for a pace of their own make way."""
        now = self.clock.now()
        room = self._room(conn, channel, now)
        mine: set[int] = set()
        for _ in range(CLAIM_AT_ONCE):
            if room <= 0:
                return
            rows = [row for row in self._claim_next(conn, channel, room, now) if row.id not in mine]
            ready = {row.id for row in rows if self._claim_row(conn, channel, row, claimed, now)}
            if len(ready) == len(rows):
                return
            mine |= ready
            room -= len(ready)
        claimed.done += 1
        self.wake_at(now)  # behind so many that wait there may be others that need not

    def _claim_next(self, conn: Connection, channel: Channel, limit: int, now: datetime) -> list[Outgoing | Unreadable]:
        return outbox.claim_next(
            conn,
            self.keys,
            channel=channel.name,
            worker=self.worker,
            now=now,
            lease_until=now + self.lease,
            limit=limit,
            doubt=channel.confirms_within,
            margin=WINDOW_MARGIN,
        )

    def _claim_row(
        self, conn: Connection, channel: Channel, row: Outgoing | Unreadable, claimed: Claimed, now: datetime
    ) -> bool:
        """Whether there is nothing to wait for: it is to be sent now, or can never be."""
        if isinstance(row, Unreadable):
            self.failures.give_up(
                conn, row.id, row.conversation, channel=channel.name, text="", word=UNREADABLE, now=now
            )
            claimed.done += 1
            return True
        later = pacing.take(conn, self.keys, channel.paces(row.address), now)
        if later is None:
            claimed.rows.append(row)
            return True
        outbox.give_back(conn, row.id, not_before=later)
        self.wake_at(later)
        return False

    def _room(self, conn: Connection, channel: Channel, now: datetime) -> int:
        """How many rows are worth claiming: in a flood there is room for one or two, and thousands wait."""
        shared = channel.paces("")[:1]
        if not shared:
            return CLAIM_AT_ONCE
        count, later = pacing.room(conn, self.keys, shared[0], now)
        if later is not None:
            self.wake_at(later)
        return min(count, CLAIM_AT_ONCE)

    def _claim_shut_out(self, conn: Connection, channel: Channel, claimed: Claimed) -> None:
        """What waits for people whose window is closed goes out in a template, or they are asked to write, once.

        Where the platform allows neither, staff are told. Words that only give the talk back to the bot are dropped.
        """
        now = self.clock.now()
        for row in outbox.shut_out(
            conn,
            self.keys,
            channel=channel.name,
            now=now,
            limit=CLAIM_AT_ONCE,
            doubt=channel.confirms_within,
            margin=WINDOW_MARGIN,
        ):
            if said_in(row.body)[0].key in NO_NEWS:
                outbox.park(conn, row.id, WINDOW_CLOSED)
                claimed.done += 1
                continue
            if channel.can_reach_shut_out(row):
                self._claim_with_token(conn, channel, row, claimed.shut_out)
                continue
            if channel.invites:
                self._claim_with_token(conn, channel, row, claimed.invitations)
                continue
            senders.mark_invited(conn, row.conversation, now)
            self.failures.tell_staff(conn, row, WINDOW_CLOSED, now)
            claimed.done += 1

    def _claim_with_token(self, conn: Connection, channel: Channel, row: Outgoing, mine: list[Outgoing]) -> None:
        now = self.clock.now()
        later = pacing.take(conn, self.keys, channel.paces(row.address), now)
        if later is not None:
            outbox.give_back(conn, row.id, not_before=later)
            self.wake_at(later)
        elif outbox.take(conn, [row.id], worker=self.worker, now=now, lease_until=now + self.lease):
            mine.append(row)

    def begin(self, claimed: Claimed) -> None:
        """Begins to send what was claimed, each conversation in its order."""
        by_conversation: dict[str, list[Outgoing]] = {}
        for row in claimed.rows:
            by_conversation.setdefault(row.conversation, []).append(row)
        for conversation, its_rows in by_conversation.items():
            self._behind.add(conversation)  # only its first waiting row could be claimed
            self._start(self._send_in_order(its_rows))
        for row in claimed.shut_out:
            self._behind.add(row.conversation)
            self._start(self._send_in_order([row], shut_out=True))
        for row in claimed.invitations:
            self._start(self._invite(row))

    def take_in(self, conn: Connection, report: Report) -> bool:
        """Keeps what a platform tells of a message of ours. Runs inside a transaction.

        Whether something may go out because of it: mostly a platform tells of what is sent and settled.
        """
        now = self.clock.now()
        told = deliveries.take_in(
            conn,
            self.keys,
            report,
            now=now,
            not_before=now + timedelta(seconds=self.limits.first_retry_s),
            max_attempts=self.limits.max_attempts,
        )
        failed = told.failed
        if failed is not None:
            rows = outbox.since(conn, self.keys, failed.conversation, failed.outbox_id - 1, 1)
            text = rows[0].body.text if rows and rows[0].id == failed.outbox_id else ""
            self.failures.open_ticket(
                conn, failed.outbox_id, failed.conversation, failed.channel, text, failed.word, now
            )
        return told.frees

    async def tell_of_stop(self, channel: str, word: str) -> None:
        """Tells staff that nothing comes in by a channel until somebody mends it. Once, also if sending stops, too."""
        if self.failures.is_news(channel):
            await self._stored(lambda conn: self.failures.tell_of_stop(conn, channel, word))
            self.failures.stopped.add(channel)

    # ── one conversation ─────────────────────────────────────────────────────────────────────────

    async def _send_in_order(self, rows: Sequence[Outgoing], *, shut_out: bool = False) -> None:
        """Sends rows of one conversation until done or until one fails; what stands behind that one is given back."""
        sent: dict[int, str] = {}
        failure: SendError | None = None
        for row in rows:
            result = await self._send(row, shut_out=shut_out)
            if isinstance(result, SendError):
                failure = result
                break
            sent[row.id] = result
            faults.point("after_send")
        rest = rows[len(sent) :]
        await self._stored(lambda conn: self._mark(conn, rows[0], sent, rest, failure))
        if rows[0].conversation in self._behind:
            self._behind.discard(rows[0].conversation)
            self.wake()

    async def _tell(self, rows: Sequence[Outgoing]) -> None:
        """Rows that are sent already: if telling fails, the far end finds them at its next look."""
        for row in rows:
            await self._send(row)
            faults.point("after_send")

    async def _send(self, row: Outgoing, *, shut_out: bool = False) -> str | SendError:
        """What the platform calls the message, or why it was not taken."""
        channel = self.channels[row.channel]
        await self._spacing.turn(channel.paces(row.address))
        try:
            name = await (channel.send_shut_out(row) if shut_out else channel.send(row))
        except SendError as error:
            return error
        except Exception as error:
            # A bug in a channel must not stop the others: it is told, and the row is tried again.
            log.error("send.broken", channel=row.channel, error=type(error).__name__, at=whereabouts(error))
            return SendError("broken")
        self.failures.works_again(row.channel)
        return name

    async def _invite(self, row: Outgoing) -> None:
        """Asks a person to write, for whom this row waits."""
        failure: SendError | None = None
        try:
            await self.channels[row.channel].invite(row)
        except SendError as error:
            failure = error
        except Exception as error:
            log.error("send.broken", channel=row.channel, error=type(error).__name__, at=whereabouts(error))
            failure = SendError("broken", permanent=True)
        await self._stored(lambda conn: self.failures.settle_invitation(conn, row, failure))

    async def _stored(self, work: Callable[[Connection], None]) -> None:
        """Carries out what must not be lost: what was sent and is not marked is sent once more."""
        for _ in range(RERUNS - 1):
            try:
                await waited_out(self.db, self.clock, work)
            except Conflict:
                continue  # a delivery report of another process stood in the way
            return
        await waited_out(self.db, self.clock, work)

    def _mark(
        self,
        conn: Connection,
        first: Outgoing,
        sent: Mapping[int, str],
        rest: Sequence[Outgoing],
        failure: SendError | None,
    ) -> None:
        now = self.clock.now()
        if sent:
            channel = first.channel
            names = {row: deliveries.platform_name(self.keys, channel, name) for row, name in sent.items() if name}
            outbox.mark_sent(conn, list(sent), now=now, names=names)
            for pace in self.channels[channel].paces(first.address):
                if pace.burst == 1:  # a message that was long on its way must not find the next one close behind
                    pacing.count_from(conn, self.keys, pace, now)
        if failure is not None:
            self.failures.settle(conn, rest[0], failure, now)
            rest = rest[1:]
        for row in rest:
            outbox.give_back(conn, row.id)

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


def _is_open(held: Held, now: datetime) -> bool:
    """Whether the platform takes a free message for this person now."""
    window = held.window_until
    return not held.unreachable and (window is None or window > now + WINDOW_MARGIN)
