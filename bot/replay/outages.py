"""What the service leans on, made to fail when a script says so: the database and the intent engine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, TypeVar
from urllib.parse import urlsplit

from sqlalchemy import Connection

from bot.clock import Clock
from bot.listener import listening_socket, pid_of_listener
from bot.loopback import Loopback, NoAnswer
from bot.rasa import Rasa, RasaWithUnderstudy, Server
from bot.understanding import Elsewhere, understood
from nlu.rasa_answer import BadAnswer
from nlu.understand import Embedded, Understander
from nlu.understanding import Understanding
from storage.database import Database, Unavailable

T = TypeVar("T")

RASA_WITHIN_S: Final = 5.0
"""A script waits longer for Rasa than a person would: it is about what is answered, on a machine that may be busy."""

DIES_WITHIN_S: Final = 5.0
"""How long the system may take to close the port of a killed process."""


class EngineGone(Exception):
    """The engine that scripts were to be played with does not answer."""


class FailingDatabase(Database):
    """A database that is away until a moment of the script's clock, and otherwise the real one."""

    def __init__(self, real: Database, clock: Clock) -> None:
        super().__init__(real.url, real.dialect)
        self._real = real
        self._clock = clock
        self._back_at: datetime | None = None
        self._span: timedelta | None = None
        self._transactions_left = 0

    def go_down(self, span: timedelta, *, after: int = 0) -> None:
        """Away for so long, from now on or once so many transactions have gone through."""
        self._span = span
        self._transactions_left = after

    @property
    def is_down(self) -> bool:
        return self._back_at is not None and self._clock.now() < self._back_at

    async def transaction(self, fn: Callable[[Connection], T]) -> T:
        if self._span is not None:
            self._count_down(self._span)
        self._refuse_when_down()
        return await self._real.transaction(fn)

    async def read(self, fn: Callable[[Connection], T]) -> T:
        self._refuse_when_down()
        return await self._real.read(fn)

    async def pragmas(self) -> dict[str, str]:
        return await self._real.pragmas()

    async def close(self) -> None:
        await self._real.close()

    def abandon(self) -> None:
        self._real.abandon()

    def _count_down(self, span: timedelta) -> None:
        if self._transactions_left == 0:
            self._back_at = self._clock.now() + span
            self._span = None
        self._transactions_left -= 1

    def _refuse_when_down(self) -> None:
        if self.is_down:
            raise Unavailable("the script says the database is down")


@dataclass(slots=True)
class FailingServer(Server):
    """A Rasa server that is gone when a script says so, and otherwise the real one.

    With `kill`, what the script says becomes true: the first message of a step that has no engine kills the real one,
    and is sent to it. Otherwise the real one lives on, and is not asked.
    """

    real: Server
    kill: Callable[[], None] | None = None
    is_down: bool = False
    lost: int = 0
    """Requests that the real one did not answer, though the script did not say so."""

    async def post(self, path: str, body: bytes) -> bytes:
        if self.is_down:
            return await self._refused(path, body)
        try:
            return await self.real.post(path, body)
        except (NoAnswer, asyncio.CancelledError):
            self.lost += 1
            raise

    async def _refused(self, path: str, body: bytes) -> bytes:
        if self.kill is None:
            raise NoAnswer("refused")
        kill, self.kill = self.kill, _dead_already
        kill()
        return await self.real.post(path, body)

    def close(self) -> None:
        self.real.close()


def _dead_already() -> None:
    """A server is killed once."""


@dataclass(slots=True)
class Ears(Elsewhere):
    """The intent engine of a script, and the one that answers when it is down."""

    engine: Understander
    fallback: Understander
    is_down: bool = False

    async def understand(self, text: str, *, today: date) -> Understanding:
        if self.is_down:
            return self.fallback.parse(text, today=today)
        return await understood(self.engine, text, today=today)

    def parse(self, text: str, *, today: date) -> Understanding:
        return (self.fallback if self.is_down else self.engine).parse(text, today=today)

    def begin(self, clock: Clock) -> None:
        """Before every case: what earlier ones broke is whole again."""
        self.is_down = False

    def close(self) -> None:
        """Nothing is held."""


@dataclass(slots=True)
class RasaEars(Ears):
    """Rasa with its understudy, as the service has them. When it is down, it is its server that is gone."""

    server: FailingServer = field(kw_only=True)
    rasa: Rasa = field(kw_only=True)
    counts: Counter[str] = field(kw_only=True, default_factory=Counter)
    """As those of `RasaWithUnderstudy`, over all cases."""

    async def understand(self, text: str, *, today: date) -> Understanding:
        self.server.is_down = self.is_down
        return await understood(self.engine, text, today=today)

    def begin(self, clock: Clock) -> None:
        self.is_down = False
        self.engine = RasaWithUnderstudy(self.rasa, clock, counts=self.counts)

    def close(self) -> None:
        """Lets go of connections. Raises EngineGone when the real server failed: the outcomes are not Rasa's."""
        self.server.close()
        if self.server.lost:
            raise EngineGone(f"the Rasa server left {self.server.lost} requests unanswered")


async def rasa_ears(url: str, embedded: Embedded, *, kill: Callable[[], None] | None = None) -> RasaEars:
    """Ears at the Rasa server of that address; `kill` as in `FailingServer`. Raises EngineGone when none answers."""
    server = FailingServer(Loopback(url), kill)
    rasa = Rasa(server, embedded, RASA_WITHIN_S)
    try:
        await rasa.ranking_of("halo")
    except (NoAnswer, BadAnswer) as failure:
        raise EngineGone(f"no Rasa server answers at {url} ({failure}); `make rasa` starts one") from failure
    return RasaEars(embedded, embedded, server=server, rasa=rasa)


def killer_of(url: str) -> Callable[[], None]:
    """What kills the process that listens at that address of this machine, and waits until its port is free.

    Raises EngineGone when that process cannot be found.
    """
    port = urlsplit(url).port or 0
    pid = pid_of_listener(port)
    if pid is None:
        raise EngineGone(f"no process was found that listens at {url}, so none can be killed")

    def kill() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + DIES_WITHIN_S
        while listening_socket(port) and time.monotonic() < deadline:
            time.sleep(0.01)

    return kill
