"""The turn loop on a real database: what fails, what waits, what comes twice, what comes in order."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from world import START, Phone, World

from bot.app import Program
from bot.config import Config, TurnSection
from bot.turn import Outcome
from flows.model import Choice, Media, Sticker
from storage import conversations, events, inbox
from storage.database import Conflict, Unavailable
from storage.inbox import Pending


async def _records(world: World, program: Program, conversation: str) -> list[events.Event]:
    return await program.db.read(lambda conn: events.of_conversation(conn, world.keys, conversation))


@pytest.mark.asyncio
async def test_answers_a_message(world: World) -> None:
    """A greeting is answered, the answer is marked sent, and the record says why."""
    async with world.program() as program:
        accepted = await world.say(program, "halo")
        assert world.phone.keys == ["engine/greet"]
        assert [row.status for row in await world.outbox(program, accepted.conversation)] == ["sent"]
        (event,) = await _records(world, program, accepted.conversation)
        assert isinstance(event.record, events.TurnRecord)
        assert (event.record.intent, event.record.engine) == ("greet", "recorded")
        assert event.record.effects == ("say",)


@pytest.mark.asyncio
async def test_a_pressed_button_is_known_again(world: World) -> None:
    """What a button carries leads to what it was labelled with."""
    async with world.program() as program:
        await world.say(program, "halo")
        button = world.phone.arrived[-1].body.options[0]
        accepted = await world.say(program, Choice(button.payload, button.title))
        records = await _records(world, program, accepted.conversation)
        assert ("flow_started", "enroll") in [
            (trace.what, trace.name)
            for event in records
            if isinstance(event.record, events.TurnRecord)
            for trace in event.record.traces
        ]


@pytest.mark.asyncio
async def test_a_poisonous_message_is_parked_at_the_third_failure(world: World) -> None:
    """Three failures: set aside, the person told, a ticket opened with the words; the next message is answered."""
    world.engine.poison["racun"] = RuntimeError("boom")
    async with world.program() as program:
        accepted = await world.say(program, "racun")
        assert world.engine.heard == ["racun"] * 3
        assert await world.status(program, accepted) == "parked"
        assert world.phone.keys == ["engine/parked"]
        (ticket,) = await world.tickets(program)
        assert (ticket.kind, ticket.text, ticket.priority) == ("parked", "racun", "urgent")
        assert ticket.details["attempts"] == "3"
        await world.say(program, "halo")
        assert world.phone.keys == ["engine/parked", "engine/greet"]


@pytest.mark.asyncio
async def test_failures_are_counted_across_a_crash(world: World) -> None:
    """A message that failed twice before the process died is parked at its next failure."""
    world.engine.poison["racun"] = RuntimeError("boom")
    async with world.program() as program:
        accepted = await program.receive(world.arrival("racun"))
        for _ in range(2):
            await program.db.transaction(
                lambda conn: inbox.record_failure(conn, world.keys, accepted.inbox_id, now=START)
            )
    async with world.program() as program:
        await program.settle()
        assert world.engine.heard == ["racun"]
        assert await world.status(program, accepted) == "parked"


@pytest.mark.asyncio
async def test_a_turn_that_fails_half_way_leaves_nothing_behind(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a failing turn had stored before it failed is gone: the session stands as before, no reply was written."""
    async with world.program() as program:
        accepted = await world.say(program, "halo")
        before = await program.db.read(lambda conn: conversations.peek(conn, world.keys, accepted.conversation))
        save = conversations.save

        def saves_and_fails(*given: object, **more: object) -> None:
            save(*given, **more)  # type: ignore[arg-type]
            raise RuntimeError("half way")

        monkeypatch.setattr(conversations, "save", saves_and_fails)
        await world.say(program, "mau daftar")
        after = await program.db.read(lambda conn: conversations.peek(conn, world.keys, accepted.conversation))
        assert (after.session, after.version) == (before.session, before.version)
        assert world.phone.keys == ["engine/greet", "engine/parked"]


@pytest.mark.asyncio
async def test_an_outage_is_waited_out_and_not_counted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that is away for half a minute delays the answer and counts as no failure."""
    async with world.program() as program:
        accepted = await program.receive(world.arrival("halo"))
        there = program.db.transaction

        async def away(work: object) -> object:
            if world.clock.now() < START + timedelta(seconds=30):
                raise Unavailable("away")
            return await there(work)  # type: ignore[arg-type]

        monkeypatch.setattr(program.db, "transaction", away)
        await program.settle()
        assert world.phone.keys == ["engine/greet"]
        assert world.clock.now() >= START + timedelta(seconds=30)
        rows = await program.db.read(lambda conn: inbox.of_conversation(conn, world.keys, accepted.conversation))
        assert [(row.status, row.attempts) for row in rows] == [("done", 0)]


@pytest.mark.asyncio
async def test_receiving_gives_up_when_its_patience_ends(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A channel that must answer its platform hears of the outage instead of waiting for ever."""
    async with world.program() as program:

        async def away(work: object) -> object:
            raise Unavailable("away")

        with monkeypatch.context() as patched:
            patched.setattr(program.db, "transaction", away)
            with pytest.raises(Unavailable):
                await program.receive(world.arrival("halo"), patience_s=3)
        assert timedelta(seconds=1) < world.clock.now() - START <= timedelta(seconds=3)


@pytest.mark.asyncio
async def test_a_conflict_runs_the_whole_turn_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """When another process wrote first, the decision is made anew on what it wrote, and counts as no failure."""
    async with world.program() as program:
        accepted = await world.say(program, "halo")
        save, seen = conversations.save, []

        def beaten_once(*given: object, **more: object) -> None:
            seen.append(given)
            if len(seen) == 1:
                raise Conflict("somebody was faster")
            save(*given, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(conversations, "save", beaten_once)
        await world.say(program, "mau daftar")
        assert len(seen) == 2
        rows = await program.db.read(lambda conn: inbox.of_conversation(conn, world.keys, accepted.conversation))
        assert [(row.status, row.attempts) for row in rows] == [("done", 0), ("done", 0)]


@pytest.mark.asyncio
async def test_a_conflict_without_end_reaches_its_limit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn that is beaten every time is a visible failure, not a loop."""
    async with world.program() as program:

        def always_beaten(*_: object, **__: object) -> None:
            raise Conflict("somebody was faster")

        monkeypatch.setattr(conversations, "save", always_beaten)
        accepted = await world.say(program, "halo")
        assert await world.status(program, accepted) == "parked"


@pytest.mark.asyncio
async def test_a_message_delivered_three_times_is_handled_once(world: World) -> None:
    """The platform's id makes a repeat a repeat, also hours later."""
    async with world.program() as program:
        first = await program.receive(world.arrival("halo", external_id="x"))
        second = await program.receive(world.arrival("halo", external_id="x"))
        await program.settle()
        world.clock.advance(timedelta(hours=26))
        third = await program.receive(world.arrival("halo", external_id="x"))
        await program.settle()
        assert [first.duplicate, second.duplicate, third.duplicate] == [False, True, True]
        assert first.inbox_id == second.inbox_id == third.inbox_id
        assert world.phone.keys == ["engine/greet"]


@pytest.mark.asyncio
async def test_a_row_handed_in_twice_is_handled_once(world: World) -> None:
    """Two workers that hold the same row do its work once: the row's state under the hold decides."""
    async with world.program() as program:
        accepted = await program.receive(world.arrival("halo"))
        pending = Pending(accepted.inbox_id, accepted.conversation, world.arrival("halo").content, 0, START)
        assert await program.turns.handle(pending) is Outcome.HANDLED
        assert await program.turns.handle(pending) is Outcome.ALREADY_DONE


@pytest.mark.asyncio
async def test_a_later_message_waits_for_the_earlier_one(world: World) -> None:
    """Handed in first, the second message of a conversation is given back and comes after the first."""
    async with world.program() as program:
        await program.receive(world.arrival("halo"))
        second = await program.receive(world.arrival("mau daftar"))
        pending = Pending(second.inbox_id, second.conversation, world.arrival("mau daftar").content, 0, START)
        assert await program.turns.handle(pending) is Outcome.NOT_YET
        assert world.phone.keys == []
        await program.settle()
        assert world.phone.keys[0] == "engine/greet"
        assert len(world.phone.keys) > 1


@pytest.mark.asyncio
async def test_forty_messages_of_many_people_come_back_in_order(world: World) -> None:
    """Four workers in the background keep the order inside each conversation."""
    world.config = Config(turn=TurnSection(lease_s=30, workers=4))
    async with world.program() as program:
        program.start()
        for n in range(8):
            for who in ("a", "b", "c", "d", "e"):
                await program.receive(world.arrival(f"pesan {n}", address=who))
        for _ in range(500):
            if len({row.inbox_id for row in world.phone.arrived}) == 40:
                break
            program.wake()
            await asyncio.sleep(0.02)
        for who in ("a", "b", "c", "d", "e"):
            mine = [row.inbox_id for row in world.phone.arrived if row.address == who]
            assert mine == sorted(mine)
            assert len(set(mine)) == 8


@pytest.mark.asyncio
async def test_rows_of_a_dead_process_are_taken_over_when_its_lease_ends(world: World) -> None:
    """What one process stored and never handled, the next one handles, but not before the lease is over."""
    world.config = Config(turn=TurnSection(lease_s=30))
    async with world.program() as program:
        await program.receive(world.arrival("halo"))
    async with world.program() as program:
        await program.settle()
        assert world.phone.keys == []
        world.clock.advance(timedelta(seconds=31))
        await program.settle()
        assert world.phone.keys == ["engine/greet"]


@pytest.mark.asyncio
async def test_a_long_message_is_cut_before_it_is_read(world: World) -> None:
    """No reader sees more characters than the limit."""
    async with world.program() as program:
        await world.say(program, "a" * 100_000)
        assert [len(text) for text in world.engine.heard] == [2000]


@pytest.mark.asyncio
async def test_words_under_a_photo_are_understood_and_a_sticker_has_none(world: World) -> None:
    """A caption is read like a message; what has no words is not."""
    async with world.program() as program:
        await world.say(program, Media("photo", "", "halo", problem="unreadable"))
        await world.say(program, Sticker("👍"))
        assert world.engine.heard == ["halo"]


@pytest.mark.asyncio
async def test_another_channel_s_replies_are_left_to_its_process(world: World) -> None:
    """A process without the channel writes the reply and leaves it; the one that has it sends it at once."""

    class Elsewhere(Phone):
        name = "elsewhere"

    async with world.program(Elsewhere()) as program:
        accepted = await world.say(program, "halo")
        assert [row.status for row in await world.outbox(program, accepted.conversation)] == ["new"]
    async with world.program() as program:
        await program.settle()
        assert world.phone.keys == ["engine/greet"]


@pytest.mark.asyncio
async def test_two_programs_share_the_work(world: World) -> None:
    """Messages of the same people taken in by two programs at once are each handled once, in order."""
    world.config = Config(turn=TurnSection(lease_s=30, workers=2))
    async with world.program() as one, world.program() as other:
        one.start()
        other.start()
        for n in range(6):
            for who in ("a", "b", "c"):
                program = one if (n + ord(who)) % 2 else other
                await program.receive(world.arrival(f"pesan {n}", address=who), patience_s=None)
        for _ in range(500):
            if len({row.inbox_id for row in world.phone.arrived}) == 18:
                break
            one.wake()
            other.wake()
            await asyncio.sleep(0.02)
        assert len({row.id for row in world.phone.arrived}) == len(world.phone.arrived)
        for who in ("a", "b", "c"):
            mine = [row.inbox_id for row in world.phone.arrived if row.address == who]
            assert mine == sorted(mine)
            assert len(set(mine)) == 6


@pytest.mark.asyncio
async def test_stopping_finishes_the_turn_under_way(world: World) -> None:
    """A message that a worker has begun with when the service is told to stop is still answered."""
    world.config = Config(turn=TurnSection(lease_s=30))
    async with world.program() as program:
        program.start()
        accepted = await program.receive(world.arrival("halo"))
        for _ in range(100):
            if not world.engine.heard:
                await asyncio.sleep(0)
        assert world.engine.heard == ["halo"]
    assert world.phone.keys == ["engine/greet"]
    async with world.program() as program:
        assert await world.status(program, accepted) == "done"


@pytest.mark.asyncio
async def test_one_conversation_is_taken_over_without_the_others(world: World) -> None:
    """A terminal takes up what was left in its own conversation, and leaves other people's messages alone."""
    async with world.program() as program:
        mine = await program.receive(world.arrival("halo", address="a"))
        others = await program.receive(world.arrival("halo", address="b"))
    async with world.program() as program:
        await program.take_over(mine.conversation)
        assert await world.status(program, mine) == "done"
        assert await world.status(program, others) == "new"
