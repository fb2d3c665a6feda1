"""The web chat page as a channel: news for the pages that are open in this process.

The outbox itself is what a page reads. Sending only says "look now" to the streams of that address, so a
page that is away loses nothing: it reads what it missed when it comes back.
"""

from __future__ import annotations

import asyncio
from typing import Final

from bot.channels.base import Channel
from storage.outbox import Outgoing

NAME: Final = "web"

MAX_STREAMS: Final = 3
"""Streams that one visitor may hold: the page, a second tab, and one that the network has not given up yet."""


class Listener:
    """One open stream. `awaited` is the inbox id of the last message whose answer is being made, 0 for none.

    `must_look` says that the outbox may hold what this stream has not read; `is_displaced` that it was closed for a
    newer one of the same visitor.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.awaited = 0
        self.must_look = True
        self.is_closed = False
        self.is_displaced = False
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Something may have changed."""
        self.must_look = True
        self._news.set()

    def taken_in(self, inbox_id: int) -> None:
        """A message is stored and will be answered: known without a look."""
        self.awaited = inbox_id
        self._news.set()

    async def wait(self, timeout_s: float) -> None:
        """Until the next news since the last wait; after `timeout_s` without any, for a look."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._news.wait()
        except TimeoutError:
            self.must_look = True
        finally:
            self._news.clear()


class WebChannel(Channel):
    """Tells open pages about their rows. One a process; other processes' rows are found by the pages' own polling."""

    name = NAME

    reads_outbox = True
    """A page reads its rows from the outbox: they are delivered once they are stored."""

    def __init__(self) -> None:
        self._listeners: dict[str, list[Listener]] = {}
        self._is_closed = False

    async def send(self, outgoing: Outgoing) -> str:
        """Never fails: the row is stored, and a page that is not open now reads it later."""
        for listener in self._listeners.get(outgoing.address, ()):
            listener.wake()
        return ""

    def listen(self, address: str) -> Listener:
        """A listener for a new stream. Above `MAX_STREAMS` the visitor's oldest one is closed for it.

        The oldest, because it is most likely dead: a phone that lost its network cannot tell us so.
        """
        listeners = self._listeners.setdefault(address, [])
        while len(listeners) >= MAX_STREAMS:
            oldest = listeners.pop(0)
            oldest.is_displaced = oldest.is_closed = True
            oldest.wake()
        listener = Listener(address)
        listener.is_closed = self._is_closed
        listeners.append(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """The stream is over. Safe to call twice."""
        listeners = self._listeners.get(listener.address, [])
        if listener in listeners:
            listeners.remove(listener)
        if not listeners:
            self._listeners.pop(listener.address, None)

    def taken_in(self, address: str, inbox_id: int) -> None:
        """A message of this visitor is stored and will be answered."""
        for listener in self._listeners.get(address, ()):
            listener.taken_in(inbox_id)

    def wake(self, address: str) -> None:
        """Something about this visitor changed, such as the end of the visit."""
        for listener in self._listeners.get(address, ()):
            listener.wake()

    def open_streams(self) -> int:
        """How many pages listen to this process."""
        return sum(len(listeners) for listeners in self._listeners.values())

    def close(self) -> None:
        """Ends every stream, so that a server can shut down; pages connect again by themselves. Safe to call twice."""
        self._is_closed = True
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.is_closed = True
                listener.wake()
