"""What waits in one process: one conversation in order and one at a time, others meanwhile."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from bot.clock import CODE_ALPHABET, CountedIds, Ids, ManualClock, SystemIds
from bot.worklist import Worklist
from flows.model import Text
from storage.inbox import Pending

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def _pending(number: int, conversation: str) -> Pending:
    return Pending(number, conversation, Text(""), 0, NOW)


@pytest.mark.asyncio
async def test_one_conversation_keeps_its_order_and_others_go_on() -> None:
    """While the first message of a conversation is handled, its second waits and another conversation's does not."""
    worklist, handled, gate = Worklist(), [], asyncio.Event()
    for number, conversation in enumerate("aaab", 1):
        worklist.put(_pending(number, conversation))

    async def handle(pending: Pending) -> None:
        if pending.inbox_id == 1:
            await gate.wait()
        handled.append(pending.inbox_id)

    workers = [asyncio.create_task(worklist.work_on_next(handle)) for _ in range(4)]
    await asyncio.sleep(0.01)
    assert handled == [4]
    gate.set()
    await asyncio.gather(*workers)
    assert handled == [4, 1, 2, 3]
    assert (worklist.has_ready, worklist.conversations) == (False, 0)


@pytest.mark.asyncio
async def test_a_message_that_raises_does_not_hold_up_the_next() -> None:
    """The exception reaches the worker, and the conversation goes on."""
    worklist, handled = Worklist(), []

    async def handle(pending: Pending) -> None:
        if pending.inbox_id == 1:
            raise RuntimeError("boom")
        handled.append(pending.inbox_id)

    worklist.put(_pending(1, "a"))
    worklist.put(_pending(2, "a"))
    with pytest.raises(RuntimeError):
        await worklist.work_on_next(handle)
    await worklist.work_on_next(handle)
    assert handled == [2]


@pytest.mark.parametrize("ids", [SystemIds(), CountedIds("x")])
def test_ids_and_codes_have_their_shape_and_differ(ids: Ids) -> None:
    """22 characters for ids; eight signs that are not mistaken for each other, in groups, for codes."""
    made = {ids.new() for _ in range(500)}
    codes = {ids.code() for _ in range(500)}
    assert (len(made), len(codes)) == (500, 500)
    assert {len(one) for one in made} == {22}
    for code in codes:
        prefix, first, second = code.split("-")
        assert (prefix, len(first), len(second)) == ("RK", 4, 4)
        assert set(first + second) <= set(CODE_ALPHABET)
    assert not set("01IO") & set(CODE_ALPHABET)


def test_counted_ids_come_again() -> None:
    """The same seed gives the same names, another seed others."""
    assert [CountedIds("a").code() for _ in range(2)] == [CountedIds("a").code()] * 2
    assert CountedIds("a").new() != CountedIds("b").new()


@pytest.mark.asyncio
async def test_the_manual_clock_moves_by_sleeping_and_never_back() -> None:
    """Sleeping takes no time of ours; a moment that has passed changes nothing."""
    clock = ManualClock(NOW)
    await clock.sleep(90)
    assert (clock.now() - NOW).total_seconds() == 90
    clock.advance_to(NOW)
    assert (clock.now() - NOW).total_seconds() == 90
    with pytest.raises(ValueError, match="aware"):
        ManualClock(datetime(2026, 1, 1))
