"""Timers: set, replaced, cancelled, and fired once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from storage_examples import NOW, Desk

from flows.model import CancelTimer, SetTimer, TimerDue
from storage import inbox, jobs

pytestmark = pytest.mark.asyncio

HOUR = timedelta(hours=1)


async def due(desk: Desk, hours: int) -> list[jobs.DueTimer]:
    """What is due some hours on."""
    return await desk.database.read(lambda conn: jobs.due(conn, NOW + hours * HOUR, 10))


async def fire(desk: Desk, timer: jobs.DueTimer, hours: int) -> inbox.Accepted | None:
    """Fire a timer some hours on."""
    return await desk.database.transaction(lambda conn: jobs.fire(conn, desk.keys, timer, NOW + hours * HOUR))


async def test_a_timer_comes_back_as_a_message(desk: Desk) -> None:
    """A due timer enters the inbox of its conversation with its kind and ref, and is gone."""
    accepted = await desk.turn("m1", SetTimer("promise", NOW + HOUR, "RK-1"))
    assert await desk.database.read(jobs.next_due) == NOW + HOUR
    assert await due(desk, 0) == []
    (timer,) = await due(desk, 1)
    fired = await fire(desk, timer, 1)
    assert fired is not None
    pending = await desk.database.read(lambda conn: inbox.load(conn, desk.keys, fired.inbox_id))
    assert (pending.content, pending.conversation) == (TimerDue("promise", "RK-1"), accepted.conversation)
    assert await due(desk, 9) == []
    assert await desk.database.read(jobs.next_due) is None


async def test_fires_once(desk: Desk, other_desk: Desk) -> None:
    """Two processes that see the same due timer make one message."""
    await desk.turn("m1", SetTimer("idle", NOW + HOUR))
    (timer,) = await due(desk, 1)
    fired = await asyncio.gather(*(fire(one, timer, 1) for one in (desk, other_desk, desk)))
    assert len([one for one in fired if one is not None]) == 1


async def test_a_timer_of_one_kind_and_ref_is_replaced(desk: Desk) -> None:
    """Setting it again moves it; another ref or conversation is another timer."""
    await desk.turn("m1", SetTimer("idle", NOW + HOUR), SetTimer("idle", NOW + HOUR, "x"))
    (timer, _) = await due(desk, 1)
    await desk.turn("m2", SetTimer("idle", NOW + 3 * HOUR))
    await desk.turn("m3", SetTimer("idle", NOW + HOUR), address="visitor-2")
    assert {one.ref for one in await due(desk, 1)} == {"x", ""}
    assert len(await due(desk, 1)) == 2
    assert len(await due(desk, 3)) == 3
    assert await fire(desk, timer, 1) is None


async def test_a_cancelled_timer_does_not_fire(desk: Desk) -> None:
    """Cancelling forgets it, even after somebody has seen it due; set anew, it fires anew."""
    await desk.turn("m1", SetTimer("idle", NOW + HOUR))
    (timer,) = await due(desk, 1)
    await desk.turn("m2", CancelTimer("idle"), CancelTimer("never-set"))
    assert await fire(desk, timer, 1) is None
    for hours in (1, 2):
        await desk.turn(f"set-{hours}", SetTimer("idle", NOW + hours * HOUR))
        (again,) = await due(desk, hours)
        fired = await fire(desk, again, hours)
        assert fired is not None
        assert not fired.duplicate
        await desk.finish(fired)
