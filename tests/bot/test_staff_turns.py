"""Staff take a conversation, speak in it and give it back; every step is a turn like any other."""

from __future__ import annotations

from datetime import timedelta

import pytest
from world import World


@pytest.mark.asyncio
async def test_staff_take_answer_and_give_back(world: World) -> None:
    """While a person holds the conversation the bot is silent; the hand-back is said, and then it answers again."""
    async with world.program() as program:
        accepted = await world.say(program, "petugas")
        await world.staff(program, accepted, "take")
        assert world.phone.keys[-1] == "staff/took"

        before = len(world.phone.arrived)
        await world.say(program, "halo bu")
        assert len(world.phone.arrived) == before

        await world.staff(program, accepted, "reply", "sudah kami cek ya Pak")
        reply = world.phone.arrived[-1].body
        assert (reply.key, reply.author, reply.text) == ("staff/reply", "Rina", "sudah kami cek ya Pak")

        await world.staff(program, accepted, "return")
        assert "staff/returned" in world.phone.keys
        await world.say(program, "halo")
        assert world.phone.keys[-1].startswith("engine/greet")


@pytest.mark.asyncio
async def test_the_bot_takes_the_talk_back_when_staff_fall_silent(world: World) -> None:
    """After the working hour that the settings name, the timer fires and the person is told."""
    async with world.program() as program:
        accepted = await world.say(program, "petugas")
        await world.staff(program, accepted, "take")
        world.clock.advance(timedelta(minutes=59))
        await program.settle()
        assert "staff/silent" not in world.phone.keys
        world.clock.advance(timedelta(minutes=2))
        await program.settle()
        assert world.phone.keys.count("staff/silent") == 1
        world.clock.advance(timedelta(days=2))
        await program.settle()
        assert world.phone.keys.count("staff/silent") == 1


@pytest.mark.asyncio
async def test_a_timer_that_was_cancelled_does_not_fire(world: World) -> None:
    """Given back in time, the conversation hears nothing of a silence."""
    async with world.program() as program:
        accepted = await world.say(program, "petugas")
        await world.staff(program, accepted, "take")
        await world.staff(program, accepted, "return")
        world.clock.advance(timedelta(days=1))
        await program.settle()
        assert "staff/silent" not in world.phone.keys


@pytest.mark.asyncio
async def test_the_same_act_of_staff_counts_once(world: World) -> None:
    """An act stored twice under one key is one act."""
    async with world.program() as program:
        accepted = await world.say(program, "petugas")
        world.messages = 100
        await world.staff(program, accepted, "reply", "satu")
        world.messages = 100
        await world.staff(program, accepted, "reply", "satu")
        assert world.phone.keys.count("staff/reply") == 1
