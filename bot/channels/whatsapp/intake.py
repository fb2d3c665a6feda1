"""What a webhook brought, on its way into the inbox: stored first, then shown as read.

A message that cannot be stored must not hold up those beside it: Meta would bring the whole body again for a week.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Final

import structlog
from sqlalchemy import Connection

from bot.channels.base import SendError, TakeIn
from bot.channels.whatsapp.channel import WhatsAppChannel
from bot.logs import whereabouts
from flows.model import Unknown
from storage import conversations
from storage.database import Conflict, Database, Unavailable
from storage.inbox import Accepted, Arrival, Event

MAX_RECEIPTS: Final = 8
"""Read receipts under way at once; more are left out, for the answer itself shows that the message was read."""

BOT: Final = "bot"

log = structlog.get_logger()


class Intake:
    """Takes events in for one number. `counts` tells what became of them."""

    def __init__(self, channel: WhatsAppChannel, take_in: TakeIn, db: Database, *, mark_read: bool) -> None:
        self._channel = channel
        self._take_in = take_in
        self._db = db
        self._mark_read = mark_read
        self._receipts: set[asyncio.Task[None]] = set()
        self.counts: Counter[str] = Counter()

    async def take(self, events: Sequence[Event]) -> None:
        """When it returns, everything that can be stored is on disk. Safe to call again with the same events.

        Raises Unavailable and Conflict, when nothing is lost by trying again later; nothing else.
        """
        if not events:
            return
        try:
            accepted = await self._take_in(events)
        except (Unavailable, Conflict):
            raise
        except Exception as error:
            if len(events) == 1:
                await self._take_without_content(events[0], error)
                return
            for event in events:
                await self.take((event,))
            return
        self._show_read(events, accepted)

    async def close(self) -> None:
        """Drops the receipts under way. Safe to call twice."""
        for task in self._receipts:
            task.cancel()
        await asyncio.gather(*self._receipts, return_exceptions=True)

    async def _take_without_content(self, event: Event, error: Exception) -> None:
        """That something came is stored all the same, so that the person gets an answer."""
        log.error("whatsapp.unstorable", error=type(error).__name__, at=whereabouts(error))
        self.counts["unstorable"] += 1
        if not isinstance(event, Arrival):
            return
        try:
            await self._take_in((replace(event, content=Unknown("unstorable")),))
        except (Unavailable, Conflict):
            raise
        except Exception as again:
            log.error("whatsapp.dropped", error=type(again).__name__, at=whereabouts(again))

    # ── read receipts ────────────────────────────────────────────────────────────────────────────

    def _show_read(self, events: Sequence[Event], accepted: Sequence[Accepted]) -> None:
        """One receipt for each conversation with something new in it: it covers all messages before it, too."""
        if not self._mark_read:
            return
        arrivals = [event for event in events if isinstance(event, Arrival)]
        newest = {
            stored.conversation: arrival.external_id
            for arrival, stored in zip(arrivals, accepted, strict=True)
            if not stored.duplicate
        }
        for conversation, wamid in newest.items():
            if len(self._receipts) >= MAX_RECEIPTS:
                self.counts["receipts_left_out"] += 1
            else:
                self._start(self._receipt(conversation, wamid))

    async def _receipt(self, conversation: str, wamid: str) -> None:
        """Typing is promised only where the bot answers; a person at the desk may take hours."""

        def bot_answers(conn: Connection) -> bool:
            return conversations.owner_of(conn, conversation) == BOT

        try:
            if await self._db.read(bot_answers):
                await self._channel.show_typing(wamid)
                self.counts["receipts"] += 1
        except (SendError, Unavailable):
            # The message is stored and will be answered; a receipt more or less is not worth a second try.
            self.counts["receipts_failed"] += 1

    def _start(self, receipt: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(receipt)
        self._receipts.add(task)
        task.add_done_callback(self._receipts.discard)
