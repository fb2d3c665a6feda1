"""What a message still lacks when it comes to its turn: files that the platform keeps, the rest of an album, speech.

No transaction is open here. Doing it again, after a crash or beside another process, changes nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeAlias

import msgspec
import structlog
from sqlalchemy import Connection

from bot.channels.base import Channel, Fetched, FetchError
from bot.clock import Clock
from bot.outage import waited_out
from flows.model import Media
from storage import conversations, inbox, media
from storage.database import Database
from storage.inbox import Pending
from storage.keyring import Keyring

ALBUM_WAIT: Final = timedelta(seconds=1)
"""Pictures of one album come as messages of their own; so long after the first one the others are there."""

ALBUM_PICTURES: Final = 10
"""Telegram's largest album (channels.md 1.2)."""

FETCHES: Final = 3
FIRST_PAUSE_S: Final = 1.0

Transcribe: TypeAlias = Callable[[bytes, str], Awaitable[str]]
"""From a recording and its MIME type to the words in it, "" when there are none to be had."""

log = structlog.get_logger()


class NotHere(Exception):
    """This process has no channel to fetch the file from; another one handles the message."""


class TooEarly(Exception):
    """The rest of the album may still be on its way."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """A file with all that belongs to it. `rows` are the messages that it stands for besides its own."""

    content: Media
    rows: tuple[int, ...] = ()


@dataclass(slots=True)
class Incoming:
    """Gets what messages of this process's channels lack."""

    db: Database
    keys: Keyring
    channels: Mapping[str, Channel]
    clock: Clock
    transcribe: Transcribe | None = None

    async def gathered(self, pending: Pending, content: Media) -> Gathered:
        """The message, complete. Raises NotHere and TooEarly."""
        if content.album and self.clock.now() < pending.received_at + ALBUM_WAIT:
            raise TooEarly
        first = await self._complete(pending.conversation, content)
        if not content.album:
            return Gathered(first)
        others = await self.db.read(lambda conn: self._rest_of_album(conn, pending, content.album))
        pictures = [(row, await self._complete(pending.conversation, part)) for row, part in others]
        return Gathered(_as_one([first, *(part for _, part in pictures)]), tuple(row for row, _ in pictures))

    def _rest_of_album(self, conn: Connection, pending: Pending, album: str) -> list[tuple[int, Media]]:
        waiting = inbox.unhandled_after(conn, self.keys, pending.conversation, pending.inbox_id)
        parts = [(row, part) for row, part in waiting if isinstance(part, Media) and part.album == album]
        return parts[: ALBUM_PICTURES - 1]

    async def _complete(self, conversation: str, content: Media) -> Media:
        """The file stored under its id, or why it cannot be used."""
        if not content.source or content.problem:
            return content
        known = await self.db.read(lambda conn: media.facts(conn, content.media))
        if known is not None:
            return _as_kept(content, known.mime)
        held = await self.db.read(lambda conn: conversations.peek(conn, self.keys, conversation))
        channel = self.channels.get(held.channel)
        if channel is None:
            raise NotHere(held.channel)
        fetched = await self._fetched(channel, content)
        if fetched.problem:
            return msgspec.structs.replace(content, media="", problem=fetched.problem)
        await waited_out(self.db, self.clock, lambda conn: self._save(conn, conversation, content.media, fetched))
        return await self._written_down(_as_kept(content, fetched.mime), fetched)

    async def _fetched(self, channel: Channel, content: Media) -> Fetched:
        """The file, tried for a few times; one that cannot be had is unreadable, and the person is asked again."""
        for again in range(FETCHES):
            try:
                return await channel.fetch(content)
            except FetchError as error:
                log.warning("fetch.failed", channel=channel.name, kind=content.kind, reason=str(error))
            await self.clock.sleep(FIRST_PAUSE_S * 2**again)
        return Fetched(problem="unreadable")

    def _save(self, conn: Connection, conversation: str, media_id: str, fetched: Fetched) -> None:
        if media.facts(conn, media_id) is None:
            media.save(
                conn,
                self.keys,
                media_id,
                conversation=conversation,
                mime=fetched.mime,
                content=fetched.data,
                now=self.clock.now(),
            )

    async def _written_down(self, content: Media, fetched: Fetched) -> Media:
        if content.kind != "voice" or self.transcribe is None or content.caption:
            return content
        return msgspec.structs.replace(content, caption=await self.transcribe(fetched.data, fetched.mime))


def _as_one(parts: Sequence[Media]) -> Media:
    """The parts of an album as one message, with the first caption there is; what could not be had is counted."""
    captioned = next((part for part in parts if part.caption), parts[0])
    whole = [part for part in parts if not part.problem]
    if not whole:
        return msgspec.structs.replace(parts[0], caption=captioned.caption, ref=captioned.ref)
    more = tuple(part.media for part in whole[1:])
    return msgspec.structs.replace(
        whole[0], caption=captioned.caption, more=more, missing=len(parts) - len(whole), ref=captioned.ref
    )


def _as_kept(content: Media, mime: str) -> Media:
    """A picture that was sent as a document is a picture."""
    is_picture = content.kind == "document" and mime.startswith("image/")
    return msgspec.structs.replace(content, kind="photo") if is_picture else content
