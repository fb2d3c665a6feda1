"""Messages waiting in this process: conversations side by side, the messages of one conversation in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from storage.inbox import Pending


class Worklist:
    """A queue that never gives two messages of one conversation out at the same time."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Pending]] = {}
        self._ready: asyncio.Queue[str] = asyncio.Queue()

    def put(self, pending: Pending) -> None:
        """Queues a message behind the earlier ones of its conversation."""
        waiting = self._waiting.get(pending.conversation)
        if waiting is None:
            self._waiting[pending.conversation] = deque([pending])
            self._ready.put_nowait(pending.conversation)
        else:
            waiting.append(pending)

    @property
    def has_ready(self) -> bool:
        """Whether a message could be worked on at once."""
        return not self._ready.empty()

    @property
    def conversations(self) -> int:
        """How many conversations wait or are worked on."""
        return len(self._waiting)

    async def work_on_next(self, handle: Callable[[Pending], Awaitable[object]]) -> None:
        """Waits for a message and has it handled; its conversation's next one is given out only then."""
        conversation = await self._ready.get()
        try:
            await handle(self._waiting[conversation].popleft())
        finally:
            if self._waiting[conversation]:
                self._ready.put_nowait(conversation)
            else:
                del self._waiting[conversation]
