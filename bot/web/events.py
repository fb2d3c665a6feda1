"""The stream of news to an open page (Server-Sent Events): what was missed first, then what comes.

The stream listens before it reads, and reads the outbox itself at every piece of news. So nothing falls
between catching up and live, and rows written by another process are found at the next look.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection
from starlette.responses import StreamingResponse
from starlette.types import Send

from bot.channels.web import Listener, WebChannel
from bot.web import wire
from bot.web.history import is_unhandled
from bot.web.visits import Gone, Visit, Visits
from storage import conversations, outbox
from storage.database import Database, Unavailable
from storage.keyring import Keyring
from storage.outbox import Outgoing

POLL_S: Final = 2.0
"""How often the outbox is looked at without news, for rows of other processes."""

HEARTBEAT_S: Final = 15.0
"""A comment this often keeps proxies and mobile networks from closing a quiet connection."""

AT_ONCE: Final = 100
"""Rows read at one look."""

RECONNECT_MS: Final = 2000

RETURN_SLOWLY: Final = b"retry: 20000\n\n"
"""A page whose stream was displaced may come back, but four open tabs shall not push each other out all the time."""

TYPING_ON: Final = b"event: typing\ndata: on\n\n"
TYPING_OFF: Final = b"event: typing\ndata: off\n\n"
HEARTBEAT: Final = b": still here\n\n"


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at the database found. `is_bots`: no person of the office holds the conversation."""

    answers: tuple[Outgoing, ...]
    is_being_answered: bool
    is_bots: bool


class Streams:
    """Makes the byte stream of one page."""

    def __init__(self, channel: WebChannel, visits: Visits, db: Database, keys: Keyring) -> None:
        self._channel = channel
        self._visits = visits
        self._db = db
        self._keys = keys

    async def of(self, address: str, token: str, after: int) -> AsyncGenerator[bytes]:
        """Ends when the visit ends, the server shuts down, or newer streams of the visitor take its place."""
        listener = self._channel.listen(address)
        try:
            async with aclosing(self._news(listener, token, after)) as news:
                async for chunk in news:
                    yield chunk
        finally:
            self._channel.leave(listener)

    async def _news(self, listener: Listener, token: str, after: int) -> AsyncGenerator[bytes]:
        yield f"retry: {RECONNECT_MS}\n\n".encode()
        spoke_at = time.monotonic()
        was_typing = False
        answered = 0
        is_bots = True
        while not listener.is_closed:
            pieces: list[bytes] = []
            awaited = listener.awaited
            is_typing = is_bots and awaited > answered
            if listener.must_look:
                listener.must_look = False
                try:
                    visit = await self._visits.of(token)
                    if isinstance(visit, Gone):
                        yield b"event: ended\ndata: " + visit.value.encode() + b"\n\n"
                        return
                    look = await self._look(visit, after, awaited)
                except Unavailable:
                    # Waited out: the page keeps its connection and hears of it at the next look.
                    listener.must_look = True
                    await listener.wait(POLL_S)
                    continue
                is_bots = look.is_bots
                is_typing = is_bots and look.is_being_answered
                answered = answered if look.is_being_answered else max(answered, awaited)
                pieces = [_event(row) for row in look.answers]
                after = look.answers[-1].id if look.answers else after
                listener.must_look = listener.must_look or len(look.answers) == AT_ONCE
            if is_typing != was_typing:
                was_typing = is_typing
                pieces.append(TYPING_ON if was_typing else TYPING_OFF)
            if not pieces and time.monotonic() - spoke_at >= HEARTBEAT_S:
                pieces.append(HEARTBEAT)
            if pieces:
                spoke_at = time.monotonic()
                yield b"".join(pieces)
            if not listener.must_look:
                await listener.wait(POLL_S)
        if listener.is_displaced:
            yield RETURN_SLOWLY

    async def _look(self, visit: Visit, after: int, awaited: int) -> Look:
        conversation = visit.conversation
        if not conversation:
            return Look((), False, True)
        return await self._db.read(lambda conn: self._read(conn, conversation, after, awaited))

    def _read(self, conn: Connection, conversation: str, after: int, awaited: int) -> Look:
        answers = tuple(outbox.since(conn, self._keys, conversation, after, AT_ONCE))
        is_bots = conversations.owner_of(conn, conversation) == "bot"
        # Messages are handled in their order, so an answer to this one or to a later one tells that it is done.
        if not awaited or any(row.inbox_id >= awaited for row in answers):
            return Look(answers, False, is_bots)
        return Look(answers, is_unhandled(conn, self._keys, conversation, awaited), is_bots)


class EventStream(StreamingResponse):
    """Closes its generator at once when the page goes away, so that the listener is left without delay."""

    def __init__(self, chunks: AsyncGenerator[bytes]) -> None:
        # Nginx holds a stream back unless told; no-transform keeps proxies from packing it.
        headers = {"cache-control": "no-store, no-transform", "x-accel-buffering": "no"}
        super().__init__(chunks, media_type="text/event-stream", headers=headers)
        self._chunks = chunks

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self._chunks):
            await super().stream_response(send)


def _event(row: Outgoing) -> bytes:
    return b"id: %d\ndata: %b\n\n" % (row.id, wire.encode(wire.from_bot(row)))
