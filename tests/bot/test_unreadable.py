"""Rows that cannot be opened: set aside with a ticket for staff, while everybody else is served."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection, update
from world import START, World

from bot.app import Program
from bot.channels.base import SendError
from storage import outbox as outbox_store
from storage import tickets
from storage.tables import conversations, inbox, outbox

END_OF_TUESDAY = START.replace(day=24, hour=16, minute=59)
"""23:59 in Jakarta on the next working day, which is what people are promised."""


async def _set(program: Program, table: object, row: object, **values: object) -> None:
    def change(conn: Connection) -> None:
        assert conn.execute(update(table).where(table.c.id == row).values(**values)).rowcount == 1  # type: ignore[attr-defined, arg-type]

    await program.db.transaction(change)


@pytest.mark.asyncio
@pytest.mark.parametrize("content", [None, b"", b"\x01t" + bytes(40)])
async def test_a_message_that_cannot_be_opened_holds_up_nobody(world: World, content: bytes | None) -> None:
    """Erased, empty or changed on disk: one ticket with its day, and the next messages of all are answered."""
    async with world.program() as program:
        broken = await program.receive(world.arrival("halo", address="a"))
        await program.receive(world.arrival("halo", address="a"))
        await program.receive(world.arrival("halo", address="b"))
        await _set(program, inbox, broken.inbox_id, content=content)
    async with world.program() as program:
        await program.settle()
        assert await world.status(program, broken) == "parked"
        assert [(row.address, row.key) for row in world.phone.arrived] == [("a", "engine/greet"), ("b", "engine/greet")]
        (ticket,) = await world.tickets(program)
        assert (ticket.kind, ticket.priority, ticket.conversation) == ("parked", "urgent", broken.conversation)
        assert ticket.details == {"inbox_id": str(broken.inbox_id), "reason": "unreadable"}
        assert ticket.promised == END_OF_TUESDAY


@pytest.mark.asyncio
async def test_a_session_that_cannot_be_opened_gives_its_messages_to_staff(world: World) -> None:
    """Neither deciding nor telling the person works without it: the message leaves the inbox with a ticket."""
    async with world.program() as program:
        accepted = await world.say(program, "halo")
        await _set(program, conversations, accepted.conversation, session=b"\x01t" + bytes(40))
        lost = await world.say(program, "petugas")
        assert await world.status(program, lost) == "parked"
        (ticket,) = await world.tickets(program)
        assert (ticket.kind, ticket.details["reason"]) == ("parked", "KeyringError")
        assert ticket.promised == END_OF_TUESDAY
        await world.say(program, "halo", address="b")
        assert [row.address for row in world.phone.arrived] == ["budi", "b"]


@pytest.mark.asyncio
async def test_a_reply_that_cannot_be_opened_holds_up_nobody(world: World) -> None:
    """It is parked and staff are told; the reply behind it and those of others go out."""
    world.phone.trouble = [SendError("throttled", retry_at=START + timedelta(seconds=5)) for _ in range(2)]
    async with world.program() as program:
        accepted = await world.say(program, "halo", address="a")
        await world.say(program, "halo", address="a")
        await world.say(program, "halo", address="b")
        first, second = await world.outbox(program, accepted.conversation)
        await _set(program, outbox, first.id, body=b"\x01t" + bytes(40))
        shown = await program.db.read(lambda conn: outbox_store.since(conn, world.keys, accepted.conversation, 0, 1))
        assert [row.id for row in shown] == [second.id]  # a page of nothing but unreadable ones is not the end
        world.clock.advance(timedelta(seconds=6))
        await program.settle()
        assert sorted(row.address for row in world.phone.arrived) == ["a", "b"]
        assert [row.id for row in await world.outbox(program, accepted.conversation)] == [second.id]
        (ticket,) = await world.tickets(program)
        assert (ticket.kind, ticket.details["reason"]) == ("undelivered", "unreadable")
        assert ticket.details["outbox_id"] == str(first.id)


@pytest.mark.asyncio
async def test_a_parked_message_s_ticket_carries_the_day_that_was_told(world: World) -> None:
    """What the person reads and what staff see is the same promise."""
    world.engine.poison["racun"] = RuntimeError("boom")
    async with world.program() as program:
        await world.say(program, "racun")
        (ticket,) = await program.db.read(lambda conn: tickets.list_tickets(conn, world.keys))
        assert ticket.promised == END_OF_TUESDAY
        assert "24 November 2026" in world.phone.arrived[-1].body.text
