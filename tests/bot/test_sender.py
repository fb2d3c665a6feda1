"""Sending: again when it helps, parked with a ticket when it does not, always in order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import pytest
from sqlalchemy import Connection
from world import START, World

from bot.channels.base import SendError
from bot.config import Config, SenderSection, TurnSection
from flows.model import Choice
from flows.private import deletion_of
from storage import outbox
from storage.database import Conflict

T = TypeVar("T")


@pytest.mark.asyncio
async def test_a_throttled_message_goes_when_the_platform_said(world: World) -> None:
    """The platform's own time is kept to: not sent before it, sent at the first look after it."""
    world.phone.trouble = [SendError("throttled", retry_at=START + timedelta(seconds=40))]
    async with world.program() as program:
        await world.say(program, "halo")
        world.clock.advance(timedelta(seconds=39))
        await program.settle()
        assert world.phone.keys == []
        world.clock.advance(timedelta(seconds=1))
        await program.settle()
        assert world.phone.keys == ["engine/greet"]


@pytest.mark.asyncio
async def test_a_long_flood_leaves_tries_for_an_ordinary_failure(world: World) -> None:
    """However often the platform said "later", one failure of another kind after it does not park the message."""
    floods = [SendError("throttled", retry_at=START + timedelta(seconds=second)) for second in range(1, 21)]
    world.phone.trouble = [*floods, SendError("timeout")]
    async with world.program() as program:
        await world.say(program, "halo")
        for _ in range(len(floods)):
            world.clock.advance(timedelta(seconds=1))
            await program.settle()
        assert world.phone.trouble == []
        world.clock.advance(timedelta(seconds=SenderSection().max_retry_s))
        await program.settle()
        assert world.phone.keys == ["engine/greet"]


@pytest.mark.asyncio
async def test_a_later_reply_never_overtakes_one_that_waits(world: World) -> None:
    """While the first reply waits for its second try, the replies after it wait too; then all come in order."""
    world.phone.trouble = [SendError("throttled", retry_at=START + timedelta(seconds=40))]
    async with world.program() as program:
        await world.say(program, "halo")
        await world.say(program, "mau daftar")
        assert world.phone.keys == []
        world.clock.advance(timedelta(seconds=40))
        await program.settle()
        ids = [row.id for row in world.phone.arrived]
        assert len(ids) > 1
        assert ids == sorted(ids)


@pytest.mark.asyncio
async def test_rows_behind_a_failed_one_of_the_same_turn_wait(world: World) -> None:
    """Two messages of one turn: the first fails, the second is not sent before it."""
    async with world.program() as program:
        await world.say(program, "halo")
        world.phone.trouble = [SendError("throttled", retry_at=START + timedelta(seconds=40))]
        accepted = await world.say(program, "mau daftar")
        written = [row.id for row in await world.outbox(program, accepted.conversation)]
        assert len(written) > 2
        assert len(world.phone.arrived) == 1
        tries = [row.attempts for row in await world.outbox(program, accepted.conversation)]
        assert tries[1:] == [1] + [0] * (len(written) - 2)
        world.clock.advance(timedelta(seconds=40))
        await program.settle()
        assert [row.id for row in world.phone.arrived] == written


@pytest.mark.asyncio
async def test_other_conversations_do_not_wait(world: World) -> None:
    """One person's throttled reply holds up nobody else's."""
    world.phone.trouble = [SendError("throttled", retry_at=START + timedelta(hours=1))]
    async with world.program() as program:
        await world.say(program, "halo", address="a")
        await world.say(program, "halo", address="b")
        assert [row.address for row in world.phone.arrived] == ["b"]


@pytest.mark.asyncio
async def test_a_message_that_cannot_be_sent_is_parked_and_staff_are_told(world: World) -> None:
    """A blocked sender: one ticket with the words, and the conversation's next reply is tried again."""
    world.phone.trouble = [SendError("blocked", permanent=True)]
    async with world.program() as program:
        accepted = await world.say(program, "halo")
        (ticket,) = await world.tickets(program)
        assert (ticket.kind, ticket.details["reason"]) == ("undelivered", "blocked")
        assert ticket.conversation == accepted.conversation
        assert [row.status for row in await world.outbox(program, accepted.conversation)] == ["parked"]
        await world.say(program, "halo")
        assert world.phone.keys == ["engine/greet_again"]


@pytest.mark.asyncio
async def test_a_refused_deletion_is_no_work_for_staff(world: World) -> None:
    """The person was told how to delete it themselves; nothing undelivered waits for anybody."""
    async with world.program() as program:
        await world.say(program, "halo")
        world.phone.trouble = [SendError("too_late", permanent=True)]
        accepted = await world.say(program, Choice(deletion_of("815", world.clock.now()), ""))
        assert [row.status for row in await world.outbox(program, accepted.conversation)][-2:] == ["parked", "sent"]
        assert await world.tickets(program) == []


@pytest.mark.asyncio
async def test_tries_end_and_grow_apart(world: World) -> None:
    """A broken channel is tried as often as the settings say, twice as far apart each time, then parked."""
    world.config = Config(
        turn=TurnSection(lease_s=0), sender=SenderSection(max_attempts=3, first_retry_s=10, max_retry_s=60)
    )
    world.phone.trouble = [RuntimeError("bug"), RuntimeError("bug"), RuntimeError("bug")]
    async with world.program() as program:
        accepted = await world.say(program, "halo")
        seen = []
        for _ in range(40):
            seen.append(3 - len(world.phone.trouble))
            world.clock.advance(timedelta(seconds=1))
            await program.settle()
        assert (seen.index(2), seen.index(3)) == (10, 30)
        assert [row.status for row in await world.outbox(program, accepted.conversation)] == ["parked"]


@pytest.mark.asyncio
async def test_a_mark_that_meets_another_transaction_is_made_again(world: World) -> None:
    """What was sent must not be sent twice because a report of another process was faster."""
    async with world.program() as program:
        transaction, met = program.db.transaction, 0

        async def meets_another(fn: Callable[[Connection], T]) -> T:
            nonlocal met
            if met < 2 and world.phone.arrived:
                met += 1
                raise Conflict("40P01")
            return await transaction(fn)

        program.db.transaction = meets_another  # type: ignore[method-assign]
        await world.say(program, "halo")
        await program.settle()
        assert met == 2
        assert len(world.phone.arrived) == 1
        assert await program.db.read(outbox.waiting) == (0, None)
