"""Telegram as a channel: messages, pictures and deletions go out, files come in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from telegram import Bot, LinkPreviewOptions
from telegram.error import BadRequest, ChatMigrated, TelegramError

from bot.channels.base import Channel, Draw, Fetched, FetchError
from bot.channels.media import examined, require_whole
from bot.channels.telegram.errors import is_harmless, send_error
from bot.channels.telegram.http import AnswerTooLong
from bot.channels.telegram.payloads import NAME
from bot.channels.telegram.rendering import markup_of
from bot.clock import Clock
from bot.config import TelegramSection
from flows.copybook import CopyBook
from flows.model import Media
from storage.outbox import Outgoing, Rendered
from storage.pacing import Pace

NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True)


class TelegramChannel(Channel):
    """Sends through a bot. Which rates hold: core.telegram.org/bots/faq, "My bot is hitting limits"."""

    name = NAME

    def __init__(self, bot: Bot, settings: TelegramSection, copy: CopyBook, clock: Clock, draw: Draw) -> None:
        self._bot = bot
        self._copy = copy
        self._clock = clock
        self._draw = draw
        self._max_file_bytes = settings.max_file_bytes
        self._all = Pace(NAME, timedelta(seconds=1 / settings.messages_per_second), settings.messages_burst)
        self._chat_interval = timedelta(seconds=settings.chat_interval_s)
        self._group_interval = timedelta(seconds=settings.group_interval_s)
        self._group_burst = settings.group_burst

    async def send(self, outgoing: Outgoing) -> str:
        try:
            return await self._deliver(int(outgoing.address), outgoing.body)
        except TelegramError as error:
            if is_harmless(error):
                return ""
            raise send_error(error, self._clock.now()) from error

    async def fetch(self, media: Media) -> Fetched:
        """The address of a file holds the token: it goes nowhere but into the request."""
        try:
            file = await self._bot.get_file(media.source)
            if (file.file_size or 0) > self._max_file_bytes:
                return Fetched(problem="too_big")
            data = await self._bot.request.retrieve(file.file_path or "")
        except AnswerTooLong:
            return Fetched(problem="too_big")
        except BadRequest as error:
            if "file is too big" in error.message.lower():
                return Fetched(problem="too_big")
            raise FetchError("refused") from error
        except TelegramError as error:
            raise FetchError(type(error).__name__) from error
        require_whole(data, size=file.file_size)
        return await examined(data, media.kind, max_bytes=self._max_file_bytes)

    def paces(self, address: str) -> Sequence[Pace]:
        of_chat = Pace(f"{NAME}|{address}", self._chat_interval)
        if not _is_group(address):
            return (self._all, of_chat)
        return (self._all, of_chat, Pace(f"{NAME}|group|{address}", self._group_interval, self._group_burst))

    async def _deliver(self, chat: int, body: Rendered) -> str:
        try:
            return await self._call(chat, body)
        except ChatMigrated as moved:  # a group has become a supergroup; its own message tells us for the next time
            return await self._call(moved.new_chat_id, body)

    async def _call(self, chat: int, body: Rendered) -> str:
        if body.delete:
            await self._bot.delete_message(chat, int(body.delete))
            return ""
        markup = markup_of(body, self._copy, private=chat > 0)
        picture = await self._draw(body) if body.picture else None
        if picture is None:
            sent = await self._bot.send_message(chat, body.text, reply_markup=markup, link_preview_options=NO_PREVIEW)
        else:
            sent = await self._bot.send_photo(
                chat, picture, caption=body.text, reply_markup=markup, filename="rangkul.png"
            )
        return str(sent.message_id)


def _is_group(address: str) -> bool:
    """Groups have negative numbers (core.telegram.org/api/bots/ids)."""
    return address.startswith("-")
