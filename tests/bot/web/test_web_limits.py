"""Token buckets: how often somebody may knock."""

from __future__ import annotations

import pytest

from bot.web import limits
from bot.web.limits import Buckets


class Hand:
    """A clock moved by hand, in seconds."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


def test_a_burst_then_an_even_flow() -> None:
    """The full minute's worth may come at once; afterwards one every two seconds at thirty a minute."""
    clock = Hand()
    buckets = Buckets(30, clock)
    assert [buckets.take("a") for _ in range(30)] == [0.0] * 30
    assert buckets.take("a") == pytest.approx(2.0)
    clock.s += 1.9
    assert buckets.take("a") > 0
    clock.s += 0.2
    assert buckets.take("a") == 0.0
    assert buckets.take("a") > 0


def test_keys_do_not_share() -> None:
    """One visitor's haste does not slow another."""
    buckets = Buckets(1, Hand())
    assert buckets.take("a") == 0.0
    assert buckets.take("a") > 0
    assert buckets.take("b") == 0.0


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many addresses cannot fill the memory: the one unused longest is forgotten."""
    monkeypatch.setattr(limits, "MAX_BUCKETS", 10)
    buckets = Buckets(5, Hand())
    for number in range(100):
        buckets.take(number)
    assert len(buckets) == 10
