"""How fast a bot may send (core.telegram.org/bots/faq): a message a second to one chat, 20 a minute to one group,
30 a second in all. The platform's real limits are not published; these are what it advises to keep."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

MINUTE: Final = timedelta(minutes=1)
SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Limits:
    """The rates that hold. `chat_burst` messages may come at once to one chat after a quiet time, then one a second.

    Edits in groups are counted by themselves (third-party figure).
    """

    chat_burst: int = 1
    group_per_minute: int = 20
    group_edits_per_minute: int = 20
    overall_per_second: int = 30


@dataclass(frozen=True, slots=True)
class Violation:
    """A call that went over a rate. `rule`: chat, group, group_edits, overall, or retry_after (it did not wait)."""

    at: datetime
    rule: str
    chat_id: int
    retry_after_s: int


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: datetime


class Rates:
    """What has been sent lately. Only what is admitted counts."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._buckets: dict[int, _Bucket] = {}
        self._groups: defaultdict[int, deque[datetime]] = defaultdict(deque)
        self._edits: defaultdict[int, deque[datetime]] = defaultdict(deque)
        self._overall: deque[datetime] = deque()
        self._blocked: dict[int, datetime] = {}

    def block(self, chat_id: int, until: datetime) -> None:
        """Nothing may be sent to this chat until then: it was told to wait."""
        self._blocked[chat_id] = until

    def admit(self, now: datetime, chat_id: int, *, group: bool, messages: int = 1) -> Violation | None:
        """Counts messages to a chat, all or none of them; the violation if they come too fast."""
        waits = {
            "retry_after": self._blocked.get(chat_id, now) - now,
            "chat": self._chat_wait(now, chat_id, messages),
            "overall": _window_wait(self._overall, now, SECOND, self._limits.overall_per_second, messages),
        }
        if group:
            waits["group"] = _window_wait(self._groups[chat_id], now, MINUTE, self._limits.group_per_minute, messages)
        if violation := _worst(now, chat_id, waits):
            return violation
        self._buckets[chat_id].tokens -= messages
        self._overall.extend([now] * messages)
        if group:
            self._groups[chat_id].extend([now] * messages)
        return None

    def admit_edit(self, now: datetime, chat_id: int, *, group: bool) -> Violation | None:
        """Counts an edit; the violation if it comes too fast."""
        waits = {"retry_after": self._blocked.get(chat_id, now) - now}
        if group:
            limit = self._limits.group_edits_per_minute
            waits["group_edits"] = _window_wait(self._edits[chat_id], now, MINUTE, limit, 1)
        if violation := _worst(now, chat_id, waits):
            return violation
        self._edits[chat_id].append(now)
        return None

    def _chat_wait(self, now: datetime, chat_id: int, messages: int) -> timedelta:
        """An album counts as its messages, but a full bucket always lets one album go."""
        burst = float(self._limits.chat_burst)
        bucket = self._buckets.setdefault(chat_id, _Bucket(burst, now))
        bucket.tokens = min(burst, bucket.tokens + (now - bucket.at) / SECOND)
        bucket.at = now
        return timedelta(seconds=max(min(messages, burst) - bucket.tokens, 0.0))


def _window_wait(window: deque[datetime], now: datetime, width: timedelta, limit: int, messages: int) -> timedelta:
    while window and window[0] <= now - width:
        window.popleft()
    excess = len(window) + messages - limit
    if excess <= 0:
        return timedelta(0)
    return window[min(excess, len(window)) - 1] + width - now if window else width


def _worst(now: datetime, chat_id: int, waits: dict[str, timedelta]) -> Violation | None:
    rule, wait = max(waits.items(), key=lambda item: item[1])
    if wait <= timedelta(0):
        return None
    return Violation(now, rule, chat_id, max(1, math.ceil(wait / SECOND)))
