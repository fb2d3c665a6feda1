"""What was held up inside the process does not leave it in a heap."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from world import START

from bot.clock import ManualClock
from bot.spacing import Spacing
from storage.pacing import Pace

ALL = Pace("all", timedelta(seconds=0.04), 3)
CHAT = Pace("chat", timedelta(seconds=100))


@pytest.mark.asyncio
async def test_what_comes_at_its_pace_never_waits() -> None:
    """A burst at first, then one an interval: the shared bucket gives out no more than that."""
    clock = ManualClock(START)
    spacing = Spacing(clock)
    for _ in range(ALL.burst):
        await spacing.turn((ALL, CHAT))
    for number in range(1, 50):
        clock.advance(ALL.interval)
        await spacing.turn((ALL, CHAT))
        assert clock.now() == START + number * ALL.interval


@pytest.mark.asyncio
async def test_a_heap_is_taken_apart() -> None:
    """Twenty messages whose tokens were taken over a second, and which all come at its end."""
    clock = ManualClock(START)
    spacing = Spacing(clock)
    left = []
    for _ in range(20):
        await spacing.turn((ALL,))
        left.append(clock.now())
    assert left[: ALL.burst] == [START] * ALL.burst
    assert [at - START for at in left[ALL.burst :]] == [ALL.interval * number for number in range(1, 18)]


@pytest.mark.asyncio
async def test_those_that_wait_leave_in_their_order() -> None:
    """Also when all of them ask at the same moment."""
    clock, order = ManualClock(START), []
    spacing = Spacing(clock)

    async def leave(number: int) -> None:
        await spacing.turn((ALL,))
        order.append(number)

    await asyncio.gather(*(leave(number) for number in range(8)))
    assert order == list(range(8))


@pytest.mark.asyncio
async def test_without_a_pace_nothing_waits() -> None:
    """A channel of our own."""
    clock = ManualClock(START)
    for _ in range(100):
        await Spacing(clock).turn(())
    assert clock.now() == START
