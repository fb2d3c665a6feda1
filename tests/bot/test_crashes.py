"""Killed at any of the four points: a new program on the same file finishes the work, exactly once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from world import World

from bot import faults
from bot.config import Config, TurnSection
from bot.faults import SimulatedCrash


async def _die(world: World, place: faults.Place, *said: str) -> None:
    faults.arm(place)
    with pytest.raises(SimulatedCrash):
        async with world.program() as program:
            for text in said:
                await world.say(program, text)
    assert not faults.is_armed()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("place", "arrivals"),
    [("after_inbox", 1), ("before_commit", 1), ("after_commit", 1), ("after_send", 2)],
)
async def test_the_work_is_finished_once(world: World, place: faults.Place, arrivals: int) -> None:
    """One reply stored and one turn recorded; only a kill between sending and marking shows the reply twice."""
    await _die(world, place, "halo")
    async with world.program() as program:
        await program.settle()
        again = await program.receive(world.arrival("halo", external_id="m1"))
        await program.settle()
        assert again.duplicate
        assert world.phone.keys == ["engine/greet"] * arrivals
        rows = await world.outbox(program, again.conversation)
        assert [(row.key, row.status) for row in rows] == [("engine/greet", "sent")]
        assert {row.id for row in world.phone.arrived} == {rows[0].id}


@pytest.mark.asyncio
@pytest.mark.parametrize("place", faults.PLACES)
async def test_a_ticket_is_opened_once(world: World, place: faults.Place) -> None:
    """A turn with a record of its own, killed at any point, leaves one record."""
    async with world.program() as program:
        await world.say(program, "halo")
    await _die(world, place, "petugas")
    async with world.program() as program:
        await program.settle()
        assert [ticket.kind for ticket in await world.tickets(program)] == ["handover"]
        assert len({row.id for row in world.phone.arrived if row.key == "talk_to_staff/opened"}) == 1


@pytest.mark.asyncio
async def test_a_crash_comes_at_the_ordered_passage(world: World) -> None:
    """Armed for the second passage, the first message goes through."""
    faults.arm("before_commit", passage=2)
    async with world.program() as program:
        await world.say(program, "halo", address="a")
        with pytest.raises(SimulatedCrash):
            await world.say(program, "halo", address="b")
        assert [row.address for row in world.phone.arrived] == ["a"]
        program.abandon()


def test_the_environment_orders_a_real_kill() -> None:
    """RANGKUL_FAULT=after_send:2 ends a real process by SIGKILL at the second passage, and not at the first."""
    script = (
        "from bot import faults\n"
        "faults.arm_from_environment()\n"
        "for n in range(5):\n"
        "    print(n, flush=True)\n"
        "    faults.point('after_send')\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "RANGKUL_FAULT": "after_send:2"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout.split()) == (-signal.SIGKILL, ["0", "1"])


@pytest.mark.parametrize("order", ["nowhere:1", "after_send:0", "after_send:x"])
def test_an_order_that_names_no_place_is_refused(order: str) -> None:
    """A mistyped crash is a mistake to be told, not a run without a crash."""
    with pytest.raises(ValueError, match="RANGKUL_FAULT"):
        faults.arm_from_environment({"RANGKUL_FAULT": order})


async def _starts_and_dies(world: World) -> None:
    """A process that takes over what is there and is killed while deciding on the first message."""
    faults.arm("before_commit")
    with pytest.raises(SimulatedCrash):
        async with world.program() as program:
            await program.settle()
    assert not faults.is_armed()


@pytest.mark.asyncio
async def test_a_message_that_kills_is_parked(world: World) -> None:
    """In hand at three deaths it is parked, and the person is told; until then it is tried again."""
    world.config = Config(turn=TurnSection(lease_s=30, max_deaths=4))
    async with world.program() as program:
        accepted = await program.receive(world.arrival("racun"))
    for _ in range(3):
        world.clock.advance(timedelta(seconds=31))
        await _starts_and_dies(world)
    world.clock.advance(timedelta(seconds=31))
    async with world.program() as program:
        assert await world.status(program, accepted) == "new"
        await program.settle()
        assert world.engine.heard == ["racun"] * 3
        assert await world.status(program, accepted) == "parked"
        assert world.phone.keys == ["engine/parked"]
