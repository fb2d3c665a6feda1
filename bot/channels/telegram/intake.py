"""Updates on their way into the inbox, whichever way they came: stored first, then the button is let go.

An update that cannot be stored must not hold up those behind it: Telegram would bring it again for a day, and every
message of that chat would wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog
from telegram import Bot
from telegram.error import TelegramError

from bot.channels.base import TakeIn
from bot.channels.telegram.payloads import Reader, callback_id_of
from bot.clock import Clock
from bot.logs import whereabouts
from storage.database import Conflict, Unavailable

MAX_ANSWERS: Final = 50
"""Pressed buttons that are let go at the same time; beyond that the person's app stops waiting by itself."""

log = structlog.get_logger()


class Intake:
    """Takes updates in for one bot. `reader` is replaced when the bot's name becomes known."""

    def __init__(self, bot: Bot, reader: Reader, take_in: TakeIn, clock: Clock) -> None:
        self.reader = reader
        self._bot = bot
        self._take_in = take_in
        self._clock = clock
        self._answers: set[asyncio.Task[None]] = set()

    async def take(self, updates: Sequence[object]) -> None:
        """When it returns, everything that can be stored is on disk. Safe to call again with the same updates.

        Raises Unavailable and Conflict, when nothing is lost by trying again later; nothing else.
        """
        now = self._clock.now()
        try:
            events = [event for update in updates for event in self.reader.events_of(update, now)]
            if events:
                await self._take_in(events)
        except (Unavailable, Conflict):
            raise
        except Exception as error:
            if len(updates) > 1:
                for update in updates:
                    await self.take([update])
                return
            await self._take_without_content(updates[0], error)
        for update in updates:
            self._let_go(callback_id_of(update))

    async def close(self) -> None:
        """Ends what is under way in the background."""
        for task in self._answers:
            task.cancel()
        await asyncio.gather(*self._answers, return_exceptions=True)

    async def _take_without_content(self, update: object, error: Exception) -> None:
        events = self.reader.fallback_of(update, self._clock.now())
        log.error("telegram.unstorable", error=type(error).__name__, at=whereabouts(error), lost=not events)
        try:
            if events:
                await self._take_in(events)
        except (Unavailable, Conflict):
            raise
        except Exception as again:
            log.error("telegram.dropped", error=type(again).__name__, at=whereabouts(again))

    def _let_go(self, callback: str) -> None:
        """Answers a pressed button in the background: until then the person's app shows it as busy."""
        if not callback or len(self._answers) >= MAX_ANSWERS:
            return
        task = asyncio.create_task(self._answer(callback))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _answer(self, callback: str) -> None:
        try:
            await self._bot.answer_callback_query(callback)
        except TelegramError as error:
            # Too old after 150 seconds, or the platform is away: the app has stopped waiting by itself.
            log.debug("telegram.callback_unanswered", error=type(error).__name__)
