"""A running service whose platform has a pace: what must wait goes out at its moment."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from structlog.testing import capture_logs
from world import Phone, World, flows

from bot.app import open_program
from bot.clock import ManualClock, SystemClock
from bot.config import Config
from storage.database import open_database
from storage.outbox import Outgoing
from storage.pacing import Pace

INTERVAL = timedelta(seconds=0.3)
MESSAGES = 4


class PacedPhone(Phone):
    """Takes one message each interval. With a `clock`, a message is on its way for as long as `delay`."""

    def __init__(self) -> None:
        super().__init__()
        self.at: list[float] = []
        self.clock: ManualClock | None = None
        self.delay = timedelta(0)

    async def send(self, outgoing: Outgoing) -> str:
        self.at.append(asyncio.get_running_loop().time())
        if self.clock is not None:
            self.clock.advance(self.delay)
        return await super().send(outgoing)

    def paces(self, address: str) -> Sequence[Pace]:
        return (Pace("terminal", INTERVAL),)


@pytest.mark.asyncio
async def test_replies_that_wait_for_their_moment_go_out_at_it(world: World) -> None:
    """Several people at once: one reply after the other, and the look that finds one too early breaks nothing."""
    phone, clock = PacedPhone(), SystemClock()
    with capture_logs() as logged:
        async with open_program(
            Config(),
            keys=world.keys,
            database=open_database(world.url),
            channels=[phone],
            clock=clock,
            flows=flows(),
            understander=world.engine,
        ) as program:
            program.start()
            for number in range(MESSAGES):
                arrival = world.arrival("halo", address=f"person {number}")
                await program.receive(replace(arrival, received_at=clock.now()))
            async with asyncio.timeout(10):
                while len(phone.arrived) < MESSAGES:  # noqa: ASYNC110 - the phone has no way to tell
                    await asyncio.sleep(0.02)
    assert [line for line in logged if line["log_level"] == "error"] == []
    gaps = [later - earlier for earlier, later in pairwise(phone.at)]
    assert min(gaps) > INTERVAL.total_seconds() / 2


@pytest.mark.asyncio
async def test_a_slow_message_does_not_find_the_next_one_close_behind(world: World) -> None:
    """The pace counts from when the platform has taken a message, however long it was on its way."""
    phone = PacedPhone()
    async with world.program(phone) as program:
        await world.say(program, "halo")
        world.clock.advance(INTERVAL)
        phone.clock, phone.delay = world.clock, INTERVAL * 0.8
        await world.say(program, "halo")
        phone.delay = timedelta(0)
        arrived = world.clock.now()
        await world.say(program, "halo")
        while len(phone.arrived) < 3:
            world.clock.advance(INTERVAL / 10)
            await program.settle()
        assert world.clock.now() - arrived >= INTERVAL
