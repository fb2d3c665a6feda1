"""Asking Telegram for updates, for a service that has no address of its own."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final
from urllib.parse import urlencode

import structlog
from telegram import Bot
from telegram.error import Conflict as AskedTwice
from telegram.error import InvalidToken, RetryAfter, TelegramError
from telegram.request import BaseRequest

from bot.channels.telegram.errors import wait_of
from bot.channels.telegram.intake import Intake
from bot.channels.telegram.payloads import ALLOWED_UPDATES, update_id_of
from bot.clock import Clock
from bot.logs import whereabouts
from storage.database import Conflict, Unavailable

FIRST_WAIT_S: Final = 1.0
MAX_WAIT_S: Final = 60.0
ANSWER_WITHIN_S: Final = 15.0
"""Seconds that an answer may take beyond those for which Telegram was asked to wait."""

log = structlog.get_logger()


class Stopped(Exception):
    """Asking again cannot help; somebody must mend it. `word` says what: bad_token, or conflict (asked by another)."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


class Polling:
    """Asks for updates one batch after the other. Telegram forgets a batch when the next one is asked for, and that is
    never before it is stored."""

    def __init__(self, bot: Bot, request: BaseRequest, intake: Intake, clock: Clock, *, timeout_s: int) -> None:
        """`request` is a way of its own: a question hangs in it most of the time."""
        self._bot = bot
        self._request = request
        self._intake = intake
        self._clock = clock
        self._timeout_s = timeout_s
        self._wait_s = 0.0

    async def run(self) -> None:
        """Goes on until it is cancelled, at any moment and at once. Raises Stopped."""
        offset: int | None = None
        while True:
            await asyncio.sleep(0)  # an answer that is there at once keeps nothing else from its turn
            try:
                offset = await self.step(offset)
            except (InvalidToken, AskedTwice) as error:
                raise Stopped("bad_token" if isinstance(error, InvalidToken) else "conflict") from error
            except RetryAfter as error:
                await self._clock.sleep(wait_of(error).total_seconds())
            except (TelegramError, Unavailable, Conflict) as error:
                log.warning("telegram.polling_waits", error=type(error).__name__)
                await self._rest()
            except Exception as error:
                log.error("telegram.polling_broke", error=type(error).__name__, at=whereabouts(error))
                await self._rest()

    async def step(self, offset: int | None) -> int | None:
        """Asks once and stores what came; the offset to ask with next.

        None after an empty answer: what was confirmed is forgotten by then, and after a week of silence Telegram
        counts from anywhere, also from below.
        """
        updates = await self._ask(offset)
        await self._intake.take(updates)
        numbers = [number for update in updates if (number := update_id_of(update)) is not None]
        if updates and not numbers:
            raise TelegramError("updates without numbers")  # they cannot be confirmed: not to be asked for at once
        self._wait_s = 0.0
        return max(numbers) + 1 if numbers else None

    async def _ask(self, offset: int | None) -> list[Any]:
        """The updates as they are: python-telegram-bot's own call refuses a whole batch for one that it cannot read."""
        parameters = {"timeout": self._timeout_s, "allowed_updates": json.dumps(ALLOWED_UPDATES)}
        if offset is not None:
            parameters["offset"] = offset
        answer: Any = await self._request.post(
            f"{self._bot.base_url}/getUpdates?{urlencode(parameters)}",
            read_timeout=self._timeout_s + ANSWER_WITHIN_S,
        )
        if not isinstance(answer, list):
            raise TelegramError("no list of updates")
        return answer

    async def _rest(self) -> None:
        self._wait_s = min(max(self._wait_s * 2, FIRST_WAIT_S), MAX_WAIT_S)
        await self._clock.sleep(self._wait_s)
