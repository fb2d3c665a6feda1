"""How often one visitor or one address may knock: token buckets in memory, bounded in number."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable

MAX_BUCKETS = 20_000
"""Buckets kept at once; the one unused longest goes first. About 4 MB."""

ADDRESS_SHARE = 20
"""An address may do this many times what one visitor may: mobile networks put many phones behind one."""


class Buckets:
    """Token buckets that refill evenly: `per_minute` in a minute, and as many at once after a rest."""

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        """`clock` gives seconds that only grow (`time.monotonic`)."""
        self._capacity = float(per_minute)
        self._per_second = per_minute / 60.0
        self._clock = clock
        self._levels: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, key: Hashable) -> float:
        """Takes one token for `key`. 0.0 when there was one, else the seconds until there will be."""
        now = self._clock()
        level, since = self._levels.pop(key, (self._capacity, now))
        level = min(self._capacity, level + (now - since) * self._per_second)
        allowed = level >= 1.0
        self._levels[key] = (level - 1.0 if allowed else level, now)
        if len(self._levels) > MAX_BUCKETS:
            self._levels.popitem(last=False)
        return 0.0 if allowed else (1.0 - level) / self._per_second

    def __len__(self) -> int:
        return len(self._levels)
