"""What the services of one platform storm share: database, keys, and a platform that stands on this machine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import uvicorn
from storm.service import Ground

STARTS_WITHIN_S: Final = 10.0


class FastClock:
    """The platform's time: begins now and runs `speed` times as fast as ours."""

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self._began_at = datetime.now(UTC)
        self._began = time.monotonic()

    def now(self) -> datetime:
        """Aware, UTC."""
        return self.at(time.monotonic())

    def at(self, monotonic: float) -> datetime:
        """The platform's time at a moment of our monotonic clock."""
        return self._began_at + timedelta(seconds=(monotonic - self._began) * self.speed)


@dataclass(frozen=True, slots=True)
class PlatformGround(Ground):
    """`settings` turn the platform on: the same variables for each process."""

    settings: Mapping[str, str] = field(default_factory=dict)

    def environ(self, port: int, fault: str = "") -> dict[str, str]:
        return {**Ground.environ(self, port, fault), **self.settings}


class _Server(uvicorn.Server):
    """Leaves the signals of this process alone."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def served_here(app: Any) -> AsyncIterator[str]:
    """The address of an application that is served in this very loop, so that nobody else changes its state meanwhile.

    Raises TimeoutError when it does not start.
    """
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_level="critical", lifespan="off", timeout_graceful_shutdown=1
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(STARTS_WITHIN_S):
            while not server.started:  # noqa: ASYNC110 - uvicorn tells it by this flag alone
                await asyncio.sleep(0.005)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
