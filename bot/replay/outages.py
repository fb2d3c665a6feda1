"""What the service leans on, made to fail when a script says so: the database and the intent engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

from sqlalchemy import Connection

from bot.clock import Clock
from nlu.understand import Understander
from nlu.understanding import Understanding
from storage.database import Database, Unavailable

T = TypeVar("T")


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
class Ears:
    """The intent engine of a script, and the one that answers when it is down."""

    engine: Understander
    fallback: Understander
    is_down: bool = False

    def parse(self, text: str, *, today: date) -> Understanding:
        return (self.fallback if self.is_down else self.engine).parse(text, today=today)
