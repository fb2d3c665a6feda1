"""What becomes of a reply that a platform did not take: it goes again, waits, or is given up and staff are told.

Everything here runs inside a transaction, and knows nothing of tasks and sending.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import Connection

from bot.channels.base import Channel, SendError
from bot.clock import Clock, Ids
from bot.config import SenderSection
from flows.model import OpenTicket
from storage import conversations, outbox, pacing, senders, tickets
from storage.keyring import Keyring
from storage.outbox import Outgoing
from storage.tickets import STOPPED, UNDELIVERED

TRIES_KEPT: Final = 2
"""Tries that a message has left after however long a flood: what comes then may be an ordinary failure."""

OUTAGE_PATIENCE: Final = timedelta(hours=24)
"""So long a platform in trouble is waited out before a reply is given up."""

WINDOW_CLOSED: Final = "window_closed"

log = structlog.get_logger()


@dataclass(slots=True)
class Failures:
    """Settles failed tries. `wake_at` asks for a look at the outbox at that moment.

    `stopped` are the channels that stand still as far as this process told staff.
    """

    keys: Keyring
    channels: Mapping[str, Channel]
    clock: Clock
    ids: Ids
    limits: SenderSection
    wake_at: Callable[[datetime], None]
    stopped: set[str] = field(default_factory=set)

    def settle_invitation(self, conn: Connection, row: Outgoing, failure: SendError | None) -> None:
        """The person was asked, is asked later, or cannot be and staff know; the row waits in any case."""
        now = self.clock.now()
        if failure is not None and failure.pauses is not None:
            self._pause(conn, row, failure, now + failure.pauses)
            return
        if failure is not None and not failure.permanent and not self._was_last_try(row):
            retry_at = failure.retry_at or now + self._backoff(row, failure)
            outbox.retry_later(conn, row.id, not_before=retry_at, error_word=failure.word)
            self.wake_at(retry_at)
            return
        senders.mark_invited(conn, row.conversation, now)
        outbox.give_back(conn, row.id)
        if failure is not None:
            log.warning("invite.failed", conversation=row.conversation, reason=failure.word)
            self.tell_staff(conn, row, WINDOW_CLOSED, now)

    def settle(self, conn: Connection, row: Outgoing, failure: SendError, now: datetime) -> None:
        """A message that was not taken waits for the person or the channel, goes again, or is parked."""
        if failure.unreachable:
            senders.shut(conn, row.conversation, now)
            outbox.give_back(conn, row.id)
            self.tell_staff(conn, row, failure.word, now)
        elif failure.waits_for_person:
            senders.shut_window(conn, row.conversation, now)
            outbox.give_back(conn, row.id)
        elif failure.pauses is not None:
            self._pause(conn, row, failure, now + failure.pauses)
        elif failure.permanent and row.body.delete:
            # The person was told how to delete it themselves; staff could do no more.
            outbox.park(conn, row.id, failure.word)
            log.info("send.not_deleted", conversation=row.conversation, outbox=row.id, reason=failure.word)
        elif failure.permanent or (not self._is_waited_out(row, failure, now) and self._was_last_try(row)):
            self.give_up(
                conn, row.id, row.conversation, channel=row.channel, text=row.body.text, word=failure.word, now=now
            )
        else:
            retry_at = failure.retry_at or now + self._backoff(row, failure)
            most = max(self.limits.max_attempts - TRIES_KEPT, 0) if self._is_waited_out(row, failure, now) else None
            outbox.retry_later(conn, row.id, not_before=retry_at, error_word=failure.word, count_to=most)
            self.wake_at(retry_at)
            log.info("send.again", conversation=row.conversation, outbox=row.id, reason=failure.word)

    def _is_waited_out(self, row: Outgoing, failure: SendError, now: datetime) -> bool:
        """Whether it uses up no tries: the platform said when to come back, or is itself in trouble, within a day."""
        return failure.retry_at is not None or (failure.outage and now - row.written_at < OUTAGE_PATIENCE)

    def _was_last_try(self, row: Outgoing) -> bool:
        return row.attempts + 1 >= self.limits.max_attempts

    def _pause(self, conn: Connection, row: Outgoing, failure: SendError, until: datetime) -> None:
        """The whole channel holds still; nothing that waits counts as tried, and somebody is told once."""
        outbox.give_back(conn, row.id, not_before=until)
        for pace in self.channels[row.channel].paces(row.address)[:1]:
            pacing.hold_back(conn, self.keys, pace, until)
        self.wake_at(until)
        if failure.alerts and self.is_news(row.channel):
            self.stopped.add(row.channel)
            self.tell_of_stop(conn, row.channel, failure.word)

    def is_news(self, channel: str) -> bool:
        """Whether staff do not know yet that this channel stands still."""
        return channel not in self.stopped

    def works_again(self, channel: str) -> None:
        """The next time that it stands still is told again."""
        self.stopped.discard(channel)

    def tell_of_stop(self, conn: Connection, channel: str, word: str) -> None:
        """A ticket that nothing goes or comes by this channel until somebody mends it."""
        log.error("channel.stopped", channel=channel, reason=word)
        details = {"channel": channel, "reason": word}
        ticket = OpenTicket(code=self.ids.code(), kind=STOPPED, text="", priority="urgent", details=details)
        tickets.open_ticket(conn, self.keys, ticket, person=None, conversation=None, now=self.clock.now())

    def give_up(
        self, conn: Connection, outbox_id: int, conversation: str, *, channel: str, text: str, word: str, now: datetime
    ) -> None:
        """Parks a reply and tells staff, in one commit."""
        outbox.park(conn, outbox_id, word)
        self.open_ticket(conn, outbox_id, conversation, channel, text, word, now)
        log.warning("send.parked", conversation=conversation, outbox=outbox_id, reason=word)

    def tell_staff(self, conn: Connection, row: Outgoing, word: str, now: datetime) -> None:
        """Somebody should know that this message waits, and for what."""
        self.open_ticket(conn, row.id, row.conversation, row.channel, row.body.text, word, now)

    def open_ticket(
        self, conn: Connection, outbox_id: int, conversation: str, channel: str, text: str, word: str, now: datetime
    ) -> None:
        """A ticket about a reply that did not reach its person, and why."""
        ticket = OpenTicket(
            code=self.ids.code(),
            kind=UNDELIVERED,
            text=text,
            details={"channel": channel, "reason": word, "outbox_id": str(outbox_id)},
        )
        person = conversations.person_of(conn, conversation)
        tickets.open_ticket(conn, self.keys, ticket, person=person, conversation=conversation, now=now)

    def _backoff(self, row: Outgoing, failure: SendError) -> timedelta:
        """Longer with every try; after one that ended in doubt, as long as the platform may still tell of it."""
        wait = timedelta(seconds=min(self.limits.first_retry_s * 2.0**row.attempts, self.limits.max_retry_s))
        return max(wait, self.channels[row.channel].confirms_within) if failure.uncertain else wait
