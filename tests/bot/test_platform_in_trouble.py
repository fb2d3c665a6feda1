"""A platform that fails for hours: waited out, not given up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from world import World

from bot.channels.base import SendError


@pytest.mark.asyncio
async def test_a_day_of_trouble_at_the_platform_gives_nothing_up(world: World) -> None:
    """Hours of its own failures: the reply goes out when the platform is well again; after a day staff are told."""
    trouble = SendError("platform", uncertain=True, outage=True)
    async with world.program() as program:
        world.phone.trouble = [trouble] * 60
        await world.say(program, "halo")
        for _ in range(60):
            world.clock.advance(timedelta(minutes=10))
            await program.settle()
        assert world.phone.keys == ["engine/greet"]
        world.phone.trouble = [trouble] * 1000
        await world.say(program, "menu")
        for hours in range(30):
            assert bool(await world.tickets(program)) is (hours > 24)
            world.clock.advance(timedelta(hours=1))
            await program.settle()
        (ticket,) = await world.tickets(program)
        assert (ticket.kind, ticket.details["reason"]) == ("undelivered", "platform")
