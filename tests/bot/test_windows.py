"""People whose window is closed get a template, are asked to write, or wait; staff know, and nothing is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from world import Phone, World

from bot.app import Program
from bot.channels.base import SendError
from flows.model import Text
from storage import outbox
from storage.inbox import Accepted, Arrival
from storage.outbox import Outgoing

pytestmark = pytest.mark.asyncio


class ShutPhone(Phone):
    """A channel with windows. `carries` are keys that fit its template; `invited` are who was asked to write."""

    has_windows = True
    invites = True

    def __init__(self, *, carries: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.carries = carries
        self.invited: list[Outgoing] = []
        self.refuses: list[SendError] = []

    def can_reach_shut_out(self, outgoing: Outgoing) -> bool:
        return outgoing.key in self.carries

    async def send_shut_out(self, outgoing: Outgoing) -> str:
        return await self.send(outgoing)

    async def invite(self, outgoing: Outgoing) -> str:
        if self.refuses:
            raise self.refuses.pop(0)
        self.invited.append(outgoing)
        return ""


async def writes(world: World, program: Program, words: str) -> Accepted:
    """A person writes, which opens their window for a day."""
    world.messages += 1
    now = world.clock.now()
    arrival = Arrival(
        "terminal", "budi", f"m{world.messages}", Text(words), None, now, window_until=now + timedelta(hours=24)
    )
    (accepted,) = await program.take_in([arrival])
    await program.settle()
    return accepted


async def waits(program: Program) -> int:
    return (await program.db.read(outbox.waiting))[0]


async def staff_reply_after(world: World, program: Program, accepted: Accepted, later: timedelta) -> None:
    world.clock.advance(later)
    await world.staff(program, accepted, "reply", "Sudah kami cek.")
    await program.settle()


async def test_within_the_window_nothing_is_asked(world: World) -> None:
    """A reply after an hour goes out as it is."""
    phone = ShutPhone()
    async with world.program(phone) as program:
        accepted = await writes(world, program, "petugas")
        await staff_reply_after(world, program, accepted, timedelta(hours=1))
        assert phone.keys[-1] == "staff/reply"
        assert phone.invited == []


async def test_the_last_minutes_of_a_window_count_as_closed(world: World) -> None:
    """The platform's clock is not ours."""
    phone = ShutPhone()
    async with world.program(phone) as program:
        accepted = await writes(world, program, "petugas")
        await staff_reply_after(world, program, accepted, timedelta(hours=23, minutes=56))
        assert "staff/reply" not in phone.keys
        assert len(phone.invited) == 1


async def test_words_alone_reach_them_within_a_template(world: World) -> None:
    """What fits the template goes out in it, in order, and nobody is asked to write."""
    phone = ShutPhone(carries=("staff/reply",))
    async with world.program(phone) as program:
        accepted = await writes(world, program, "petugas")
        await staff_reply_after(world, program, accepted, timedelta(hours=30))
        assert phone.keys[-1] == "staff/reply"
        assert phone.invited == []
        assert await waits(program) == 0


async def test_they_are_asked_once_and_get_what_waits_when_they_write(world: World) -> None:
    """Two replies wait; one invitation; when the person writes, both come first, in order, before the answer."""
    phone = ShutPhone()
    async with world.program(phone) as program:
        accepted = await writes(world, program, "petugas")
        await staff_reply_after(world, program, accepted, timedelta(hours=30))
        await staff_reply_after(world, program, accepted, timedelta(hours=1))
        assert len(phone.invited) == 1
        assert await waits(program) == 2
        before = len(phone.keys)
        await writes(world, program, "halo")
        assert phone.keys[before : before + 2] == ["staff/reply", "staff/reply"]
        assert await waits(program) == 0
        assert [ticket.kind for ticket in await world.tickets(program)] == ["handover"]


async def test_without_a_template_staff_are_told(world: World) -> None:
    """What cannot go out waits, and somebody knows."""
    phone = ShutPhone()
    phone.invites = False
    async with world.program(phone) as program:
        accepted = await writes(world, program, "petugas")
        await staff_reply_after(world, program, accepted, timedelta(hours=30))
        assert await waits(program) == 1
        undelivered = [ticket for ticket in await world.tickets(program) if ticket.kind == "undelivered"]
        assert [ticket.details["reason"] for ticket in undelivered] == ["window_closed"]


async def test_an_invitation_that_fails_for_a_moment_is_sent_again(world: World) -> None:
    """It is not lost, and not sent twice."""
    phone = ShutPhone()
    phone.refuses = [SendError("timeout", uncertain=True)]
    async with world.program(phone) as program:
        accepted = await writes(world, program, "petugas")
        await staff_reply_after(world, program, accepted, timedelta(hours=30))
        assert phone.invited == []
        world.clock.advance(timedelta(minutes=5))
        await program.settle()
        world.clock.advance(timedelta(minutes=5))
        await program.settle()
        assert len(phone.invited) == 1


async def test_an_invitation_that_is_refused_is_told_to_staff(world: World) -> None:
    """A template that was paused: the reply waits for the person, staff read why."""
    phone = ShutPhone()
    phone.refuses = [SendError("template_paused", permanent=True)]
    async with world.program(phone) as program:
        accepted = await writes(world, program, "petugas")
        await staff_reply_after(world, program, accepted, timedelta(hours=30))
        assert await waits(program) == 1
        assert "undelivered" in [ticket.kind for ticket in await world.tickets(program)]
        world.clock.advance(timedelta(days=1))
        await program.settle()
        assert phone.invited == []


async def test_staff_words_reach_those_who_want_no_news(world: World) -> None:
    """An answer to what somebody asked is no message of our own accord."""
    phone = ShutPhone(carries=("staff/reply",))
    async with world.program(phone) as program:
        await writes(world, program, "stop")
        accepted = await writes(world, program, "petugas")
        await staff_reply_after(world, program, accepted, timedelta(hours=30))
        assert phone.keys[-1] == "staff/reply"


async def test_nobody_is_asked_to_write_for_words_without_news(world: World) -> None:
    """That staff have given the talk back is told to those who are there, and to nobody a day later."""
    phone = ShutPhone()
    async with world.program(phone) as program:
        accepted = await writes(world, program, "petugas")
        await world.staff(program, accepted, "take", "")
        await program.settle()
        world.clock.advance(timedelta(hours=30))
        await world.staff(program, accepted, "return", "")
        await program.settle()
        assert phone.invited == []
        assert await waits(program) == 0
