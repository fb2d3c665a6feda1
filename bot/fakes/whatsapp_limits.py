"""How fast and how late messages may go, on a clock that is handed in."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

PAIR_BURST: Final = 45
PAIR_REFILL: Final = timedelta(seconds=6)
"""One message every six seconds to one person, 45 at once at most, borrowed from what follows (Meta's page
about-the-platform, read in a copy of 2026)."""

NUMBER_PER_SECOND: Final = 80
"""Messages of one number, in and out together (Meta's page on throughput)."""

WINDOW: Final = timedelta(hours=24)
"""How long after a person's message we may write freely."""


@dataclass(slots=True)
class PairBucket:
    """What may still be sent to one person."""

    tokens: float = PAIR_BURST
    filled_at: datetime | None = None

    def take(self, at: datetime) -> bool:
        """Whether one more message fits now; it is counted if so."""
        if self.filled_at is not None:
            self.tokens = min(PAIR_BURST, self.tokens + max(at - self.filled_at, timedelta(0)) / PAIR_REFILL)
        self.filled_at = at
        if self.tokens < 1 - 1e-9:  # sixths of a second do not add up to whole tokens exactly
            return False
        self.tokens -= 1
        return True


@dataclass(slots=True)
class NumberWindow:
    """Messages of the last second."""

    per_second: int = NUMBER_PER_SECOND
    _times: deque[datetime] = field(default_factory=deque)

    def has_room(self, at: datetime) -> bool:
        while self._times and at - self._times[0] >= timedelta(seconds=1):
            self._times.popleft()
        return len(self._times) < self.per_second

    def count(self, at: datetime) -> None:
        self._times.append(at)
