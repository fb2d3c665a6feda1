"""Telegram in this process: what it is made of, its set-up at the start, and its way in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from starlette.routing import Route
from telegram import Bot, BotCommand
from telegram.error import InvalidToken, RetryAfter, TelegramError
from telegram.request import BaseRequest

from bot.channels.base import Draw, TakeIn
from bot.channels.links import Links
from bot.channels.telegram.channel import TelegramChannel
from bot.channels.telegram.errors import wait_of
from bot.channels.telegram.http import HttpRequest
from bot.channels.telegram.intake import Intake
from bot.channels.telegram.payloads import ALLOWED_UPDATES, NAME, Reader
from bot.channels.telegram.polling import FIRST_WAIT_S, MAX_WAIT_S, Polling, Stopped
from bot.channels.telegram.webhook import Webhook
from bot.channels.telegram.words import load_words
from bot.clock import Clock, Ids
from bot.config import Config, revealed
from bot.logs import whereabouts
from flows.work import Flows
from storage.keyring import Keyring

STOP_WITHIN_S: Final = 2.0

Tell = Callable[[str, str], Awaitable[None]]
"""Tells staff that a channel, by its name, takes nothing in any more, and why, in one word."""

log = structlog.get_logger()


class Telegram:
    """`channel` goes to the program when that is opened; `begin` when it is. Loading this module loads the library.

    `draw` makes pictures. `request` and `updates_request` carry the calls; by default over HTTP.
    """

    def __init__(
        self,
        config: Config,
        keys: Keyring,
        flows: Flows,
        clock: Clock,
        ids: Ids,
        draw: Draw,
        *,
        request: BaseRequest | None = None,
        updates_request: BaseRequest | None = None,
    ) -> None:
        token = revealed(config.telegram.token)
        base = config.telegram.api_base_url
        self._settings = config.telegram
        self._webhook_url = f"{config.web.public_url}{config.telegram.webhook_path}"
        trust_env = config.telegram.proxy_from_environment
        self._updates_request = updates_request or HttpRequest(max_connections=1, trust_env=trust_env)
        self.bot = Bot(
            token,
            base_url=f"{base}/bot",
            base_file_url=f"{base}/file/bot",
            request=request or HttpRequest(trust_env=trust_env),
            get_updates_request=self._updates_request,
        )
        self.channel = TelegramChannel(self.bot, config.telegram, flows.copy, clock, draw)
        self.links = Links(keys, flows.by_name)
        self._clock = clock
        self._reader = Reader(int(token.partition(":")[0]), "", self.links, ids.new)
        self._intake: Intake | None = None
        self._tell: Tell | None = None
        self._task: asyncio.Task[None] | None = None
        self.stopped_by = ""
        """Why nothing comes in any more, in one word; '' as long as it does."""

    def connect(self, take_in: TakeIn, tell: Tell | None = None) -> Intake:
        """Says where updates go, and whom to tell when they cease to. Once, before `routes` and `begin`."""
        self._tell = tell
        self._intake = Intake(self.bot, self._reader, take_in, self._clock)
        return self._intake

    def routes(self) -> list[Route]:
        """The route of the webhook; none when we ask for updates ourselves."""
        if not self._settings.has_webhook:
            return []
        webhook = Webhook(self._connected(), revealed(self._settings.secret_token))
        return [Route(self._settings.webhook_path, webhook.receive, methods=["POST"])]

    def begin(self) -> None:
        """Sets the bot up and, without a webhook, asks for updates: in the background, until `stop`."""
        self._connected()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Ends promptly; what was not stored comes again. Safe to call twice."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task], timeout=STOP_WITHIN_S)
        if self._intake is not None:
            await self._intake.close()
        await asyncio.gather(self.bot.request.shutdown(), self._updates_request.shutdown())

    async def set_up(self) -> None:
        """Tells Telegram the menu of commands and the way in; learns the bot's name. Safe to repeat."""
        me = await self.bot.get_me()
        intake = self._connected()
        intake.reader = Reader(me.id, me.username or "", self.links, intake.reader.new_id)
        commands = [BotCommand(name, does) for name, does in load_words().commands.items()]
        await self.bot.set_my_commands(commands)
        if self._settings.has_webhook:
            secret = revealed(self._settings.secret_token)
            await self.bot.set_webhook(self._webhook_url, secret_token=secret, allowed_updates=list(ALLOWED_UPDATES))
        else:
            await self.bot.delete_webhook()

    def _connected(self) -> Intake:
        if self._intake is None:
            raise RuntimeError("not connected to the program yet")
        return self._intake

    async def _run(self) -> None:
        try:
            await self._set_up_in_the_end()
            log.info("telegram.ready", mode=self._settings.mode)
            if not self._settings.has_webhook:
                timeout_s = self._settings.poll_timeout_s
                await Polling(
                    self.bot, self._updates_request, self._connected(), self._clock, timeout_s=timeout_s
                ).run()
        except Stopped as error:
            await self._stopped(error.word)
        except InvalidToken:
            await self._stopped("bad_token")
        except Exception as error:
            log.error("telegram.broken", error=type(error).__name__, at=whereabouts(error))
            await self._stopped("broken")

    async def _stopped(self, word: str) -> None:
        self.stopped_by = word
        log.error("telegram.stopped", reason=word)
        if self._tell is not None:
            await self._tell(NAME, word)

    async def _set_up_in_the_end(self) -> None:
        """Later and later, until it goes through. Raises InvalidToken."""
        wait_s = FIRST_WAIT_S
        while True:
            try:
                await self.set_up()
                return
            except InvalidToken:
                raise
            except RetryAfter as error:
                await self._clock.sleep(wait_of(error).total_seconds())
            except TelegramError as error:
                log.warning("telegram.set_up_waits", error=type(error).__name__, seconds=wait_s)
                await self._clock.sleep(wait_s)
                wait_s = min(wait_s * 2, MAX_WAIT_S)
