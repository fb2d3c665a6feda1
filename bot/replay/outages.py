"""What the service leans on, made to fail when a script says so: the database and the intent engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, TypeVar

from sqlalchemy import Connection

from bot.clock import Clock
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
    """A Rasa server that is gone when a script says so, and otherwise the real one."""

    real: Server
    is_down: bool = False
    lost: int = 0
    """Requests that the real one did not answer."""

    async def post(self, path: str, body: bytes) -> bytes:
        if self.is_down:
            raise NoAnswer("refused")
        try:
            return await self.real.post(path, body)
        except (NoAnswer, asyncio.CancelledError):
            self.lost += 1
            raise

    def close(self) -> None:
        self.real.close()


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

    async def understand(self, text: str, *, today: date) -> Understanding:
        self.server.is_down = self.is_down
        return await understood(self.engine, text, today=today)

    def begin(self, clock: Clock) -> None:
        self.is_down = False
        self.engine = RasaWithUnderstudy(self.rasa, clock)

    def close(self) -> None:
        """Lets go of connections. Raises EngineGone when the real server failed: the outcomes are not Rasa's."""
        self.server.close()
        if self.server.lost:
            raise EngineGone(f"the Rasa server left {self.server.lost} requests unanswered")


async def rasa_ears(url: str, embedded: Embedded) -> RasaEars:
    """Ears at the Rasa server of that address. Raises EngineGone when none answers there."""
    server = FailingServer(Loopback(url))
    rasa = Rasa(server, embedded, RASA_WITHIN_S)
    try:
        await rasa.ranking_of("halo")
    except (NoAnswer, BadAnswer) as failure:
        raise EngineGone(f"no Rasa server answers at {url} ({failure}); `make rasa` starts one") from failure
    return RasaEars(embedded, embedded, server=server, rasa=rasa)
