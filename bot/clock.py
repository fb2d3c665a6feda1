"""Time and fresh names as ports: the system's own for the service, hand-driven ones for scripts and tests."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from storage.ids import Ids

__all__ = ["Clock", "CountedIds", "Ids", "ManualClock", "SystemClock", "SystemIds"]

CODE_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""32 signs that stay apart when read aloud or copied by hand: no 0 and O, no 1 and I."""

CODE_CHARS: Final = 8
_SIGN_OF_BYTE: Final = CODE_ALPHABET.encode("ascii") * (256 // len(CODE_ALPHABET))
ID_BYTES: Final = 16


class Clock(Protocol):
    """What time it is, and waiting."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Comes back when that time has passed on this clock."""
        ...


class SystemClock:
    """The machine's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class ManualClock:
    """Stands still until it is moved. Sleeping moves it: days pass in no time, and an outage is over when due."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("a clock needs an aware time")
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self.advance(timedelta(seconds=seconds))
        await asyncio.sleep(0)

    def advance(self, by: timedelta) -> None:
        """Moves forward; never back."""
        self._now += max(by, timedelta(0))

    def advance_to(self, moment: datetime) -> None:
        """Moves forward to an aware moment; one that has passed changes nothing."""
        self._now = max(self._now, moment.astimezone(UTC))


class SystemIds:
    """From the system's source of secrets."""

    def new(self) -> str:
        return secrets.token_urlsafe(ID_BYTES)

    def code(self) -> str:
        return _grouped(secrets.token_bytes(CODE_CHARS))


class CountedIds:
    """The same names in the same order for the same seed; for scripts and tests."""

    def __init__(self, seed: str = "") -> None:
        self._seed = seed
        self._count = 0

    def new(self) -> str:
        return hashlib.blake2b(self._next(), digest_size=11).hexdigest()

    def code(self) -> str:
        return _grouped(hashlib.blake2b(self._next(), digest_size=CODE_CHARS).digest())

    def _next(self) -> bytes:
        self._count += 1
        return f"{self._seed}:{self._count}".encode()


def _grouped(noise: bytes) -> str:
    signs = noise.translate(_SIGN_OF_BYTE).decode("ascii")
    return f"RK-{signs[:4]}-{signs[4:]}"
