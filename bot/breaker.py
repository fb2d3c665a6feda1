"""A circuit breaker: what fails again and again is left alone for a while, then tried by one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

FAILURES_TO_OPEN: Final = 3
"""Failures in a row after which nobody waits for it any more."""

PAUSE: Final = timedelta(seconds=10)
"""How long it is left alone before somebody tries again."""


@dataclass(slots=True)
class Breaker:
    """Closed at first: everything goes through."""

    failures: int = 0
    _try_again_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self._try_again_at is not None

    def lets_through(self, now: datetime) -> bool:
        """Whether to try. While it is open, one in a pause is let through to see."""
        if self._try_again_at is None:
            return True
        if now < self._try_again_at:
            return False
        self._try_again_at = now + PAUSE
        return True

    def failed(self, now: datetime, *, for_sure: bool = False) -> bool:
        """True when this failure opened it; `for_sure` is one that leaves no doubt, and opens it at once."""
        self.failures += 1
        if self._try_again_at is not None:
            self._try_again_at = now + PAUSE
            return False
        if not for_sure and self.failures < FAILURES_TO_OPEN:
            return False
        self._try_again_at = now + PAUSE
        return True

    def worked(self) -> bool:
        """True when this success closed it."""
        was_open = self.is_open
        self.failures = 0
        self._try_again_at = None
        return was_open
