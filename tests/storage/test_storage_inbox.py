"""What comes in: stored once, claimed by one, handled in order."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update
from storage_examples import LEASE, NOW, PHONE, Desk, arrival

from flows.model import (
    Choice,
    Contact,
    Content,
    FormAnswer,
    Location,
    Media,
    StaffAction,
    Sticker,
    Text,
    TimerDue,
)
from storage import conversations, inbox
from storage.database import Conflict
from storage.inbox import Accepted, Erased, Pending, Unreadable
from storage.tables import inbox as inbox_table
from storage.tables import people

pytestmark = pytest.mark.asyncio

LATER = LEASE + timedelta(seconds=1)


async def claim(desk: Desk, *, now: datetime = NOW) -> Pending | Unreadable | None:
    """Take the next message as this worker."""
    return await desk.database.transaction(
        lambda conn: inbox.claim_next(
            conn, desk.keys, worker=desk.worker, now=now, lease_until=now + timedelta(minutes=1)
        )
    )


async def let_go(desk: Desk, *inbox_ids: int) -> None:
    """Drop the leases."""
    for inbox_id in inbox_ids:
        await desk.database.transaction(lambda conn, row=inbox_id: inbox.release(conn, row))


@pytest.mark.parametrize(
    "content",
    [
        Text("min saya udah bayar 😀"),
        Choice("answer:1", "Ya"),
        Media("photo", "m1", "ini"),
        Location(-6.2, 106.8),
        Contact(PHONE, own=True),
        Sticker("👍"),
        FormAnswer("nik", "3174051209909001"),
        TimerDue("idle", "RK-1"),
        StaffAction("reply", "RK-1", "s1", "Rina", "Sudah dicek"),
    ],
)
async def test_gives_back_what_came_in(desk: Desk, content: Content) -> None:
    """Every kind of content is stored and comes back equal."""
    accepted = await desk.accept(arrival("m1", content=content))
    stored = await desk.database.read(lambda conn: inbox.load(conn, desk.keys, accepted.inbox_id))
    assert stored == Pending(accepted.inbox_id, accepted.conversation, content, 0, NOW)


async def test_a_redelivery_changes_nothing(desk: Desk) -> None:
    """The same platform message, days later and with other words, is known and keeps its first content."""
    first = await desk.accept(arrival("m1"))
    again = await desk.accept(arrival("m1", content=Text("lain"), at=NOW + timedelta(days=7)))
    assert not first.duplicate
    assert again.duplicate
    assert (again.inbox_id, again.conversation) == (first.inbox_id, first.conversation)
    stored = await desk.database.read(lambda conn: inbox.load(conn, desk.keys, first.inbox_id))
    assert stored.content == Text("halo")


async def test_the_same_id_on_another_channel_is_another_message(desk: Desk) -> None:
    """Platforms number their messages without asking each other."""
    await desk.accept(arrival("m1", channel="telegram"))
    assert not (await desk.accept(arrival("m1", channel="web"))).duplicate


async def test_two_processes_store_a_redelivery_once(desk: Desk, other_desk: Desk) -> None:
    """Of many deliveries at the same time to two processes exactly one is new."""
    await desk.accept(arrival("hello"))
    accepted = await asyncio.gather(*((desk, other_desk)[n % 2].accept(arrival("m1")) for n in range(10)))
    assert [one.duplicate for one in accepted].count(False) == 1
    assert len({one.inbox_id for one in accepted}) == 1


async def test_two_processes_meet_a_newcomer_once(desk: Desk, other_desk: Desk) -> None:
    """First messages of one sender at two processes: who loses tries again and finds the same conversation."""
    for number in range(5):
        messages = [arrival(f"{number}-{n}", address=f"newcomer-{number}") for n in range(2)]
        outcomes = await asyncio.gather(
            *(one.accept(message) for one, message in zip((desk, other_desk), messages, strict=True)),
            return_exceptions=True,
        )
        assert all(isinstance(outcome, Accepted | Conflict) for outcome in outcomes)
        assert any(isinstance(outcome, Accepted) for outcome in outcomes)
        again = [await one.accept(message) for one, message in zip((desk, other_desk), messages, strict=True)]
        assert again[0].conversation == again[1].conversation
        assert [one.duplicate for one in again] == [isinstance(outcome, Accepted) for outcome in outcomes]


async def test_one_address_is_one_conversation(desk: Desk) -> None:
    """Who has written before is met again; who has not becomes a person of their own."""
    first = await desk.accept(arrival("m1"))
    second = await desk.accept(arrival("m2"))
    stranger = await desk.accept(arrival("m3", address="visitor-2"))
    assert first.conversation == second.conversation != stranger.conversation
    count = await desk.database.read(lambda conn: conn.execute(select(func.count()).select_from(people)).scalar_one())
    assert count == 2


async def test_remembers_the_phone_a_channel_vouches_for(desk: Desk) -> None:
    """A vouched phone is kept, replaced by a newer one, and not lost by a message without it."""
    accepted = await desk.accept(arrival("m1"))
    assert (await desk.peek(accepted.conversation)).phone is None
    for external_id, phone in (("m2", PHONE), ("m3", None), ("m4", "+6281234509002"), ("m5", None)):
        await desk.accept(arrival(external_id, phone=phone))
        held = await desk.peek(accepted.conversation)
        assert held.phone == (PHONE if external_id in ("m2", "m3") else "+6281234509002")
    assert (held.channel, held.address) == ("web", "visitor-1")


async def test_a_known_sender_costs_two_statements(desk: Desk) -> None:
    """The first thing that happens to every message stays cheap."""
    await desk.accept(arrival("m1", phone=PHONE))
    before = desk.database.statements
    await desk.accept(arrival("m2", phone=PHONE))
    assert desk.database.statements - before == 2


async def test_what_a_worker_accepts_is_its_own(desk: Desk, other_desk: Desk) -> None:
    """The new row is claimed as it is stored; after the lease anybody may take it."""
    accepted = await desk.accept(arrival("m1"))
    assert await claim(other_desk) is None
    taken = await claim(other_desk, now=LATER)
    assert taken is not None
    assert taken.inbox_id == accepted.inbox_id
    assert await claim(desk, now=LATER) is None


async def test_claims_in_order_inside_a_conversation(desk: Desk, other_desk: Desk) -> None:
    """The second message of a conversation waits until the first is handled; other conversations do not."""
    first = await desk.accept(arrival("m1"))
    second = await desk.accept(arrival("m2"))
    third = await desk.accept(arrival("m3", address="visitor-2"))
    await let_go(desk, first.inbox_id, second.inbox_id, third.inbox_id)
    taken = [await claim(one) for one in (desk, other_desk, desk)]
    assert [one and one.inbox_id for one in taken] == [first.inbox_id, third.inbox_id, None]
    await desk.finish(first)
    following = await claim(other_desk)
    assert following is not None
    assert following.inbox_id == second.inbox_id


async def test_two_workers_never_claim_the_same(desk: Desk, other_desk: Desk) -> None:
    """Two processes that drain the inbox at the same time share it out without overlap or rest."""
    stored = [await desk.accept(arrival(f"m{n}", address=f"visitor-{n}")) for n in range(30)]
    await let_go(desk, *(one.inbox_id for one in stored))

    async def drain(one: Desk) -> list[int]:
        taken = []
        while (pending := await claim(one)) is not None:
            taken.append(pending.inbox_id)
        return taken

    shares = await asyncio.gather(*(drain(one) for one in (desk, other_desk) for _ in range(3)))
    assert sorted(inbox_id for share in shares for inbox_id in share) == sorted(one.inbox_id for one in stored)


async def test_counts_failures_and_waits_between_them(desk: Desk) -> None:
    """A failed try is counted, frees the row, and keeps it back until the time given."""
    accepted = await desk.accept(arrival("m1"))
    soon = NOW + timedelta(seconds=5)
    for expected in (1, 2, 3):
        counted = await desk.database.transaction(
            lambda conn: inbox.record_failure(conn, desk.keys, accepted.inbox_id, now=NOW, not_before=soon)
        )
        assert counted == expected
    assert await claim(desk) is None
    taken = await claim(desk, now=soon)
    assert taken is not None
    assert taken.attempts == 3
    await desk.finish(accepted)
    counted = await desk.database.transaction(
        lambda conn: inbox.record_failure(conn, desk.keys, accepted.inbox_id, now=NOW)
    )
    assert counted == 0


async def test_our_own_messages_enter_once(desk: Desk) -> None:
    """A staff action or timer enters under its key; a repeat of the key is a duplicate."""
    accepted = await desk.accept(arrival("m1"))
    await desk.finish(accepted)

    async def enter(key: str) -> inbox.Accepted:
        return await desk.database.transaction(
            lambda conn: inbox.accept_internal(
                conn,
                desk.keys,
                conversation=accepted.conversation,
                key=key,
                content=TimerDue("idle"),
                now=NOW,
            )
        )

    first, repeat, other = await enter("a"), await enter("a"), await enter("b")
    assert [first.duplicate, repeat.duplicate, other.duplicate] == [False, True, False]
    taken = await claim(desk)
    assert taken is not None
    assert (taken.inbox_id, taken.content) == (first.inbox_id, TimerDue("idle"))


async def test_knows_which_message_is_first(desk: Desk) -> None:
    """Holding a conversation tells whether an earlier message still waits, and how the message stands."""
    first = await desk.accept(arrival("m1"))
    second = await desk.accept(arrival("m2"))

    async def hold(inbox_id: int) -> conversations.Held:
        return await desk.database.transaction(
            lambda conn: conversations.hold(conn, desk.keys, first.conversation, inbox_id)
        )

    assert (await hold(first.inbox_id)).is_first_pending
    assert not (await hold(second.inbox_id)).is_first_pending
    await desk.finish(first)
    held = await hold(second.inbox_id)
    assert (held.is_first_pending, held.inbox_status, held.attempts) == (True, "new", 0)
    assert (await hold(first.inbox_id)).inbox_status == "done"


async def test_says_when_there_is_nothing_to_load(desk: Desk) -> None:
    """An unknown row and an erased one are told apart."""
    accepted = await desk.accept(arrival("m1"))
    with pytest.raises(KeyError):
        await desk.database.read(lambda conn: inbox.load(conn, desk.keys, accepted.inbox_id + 1))
    await desk.database.transaction(lambda conn: conn.execute(update(inbox_table).values(content=None)).close())
    with pytest.raises(Erased):
        await desk.database.read(lambda conn: inbox.load(conn, desk.keys, accepted.inbox_id))
    history = await desk.database.read(lambda conn: inbox.of_conversation(conn, desk.keys, accepted.conversation))
    assert [one.content for one in history] == [None]


async def test_reads_a_conversation_back(desk: Desk) -> None:
    """What came in is read back in order, from any row on, with what became of it."""
    first = await desk.turn("m1", content=Text("satu"))
    second = await desk.accept(arrival("m2", content=Text("dua")))
    read = await desk.database.read(lambda conn: inbox.of_conversation(conn, desk.keys, first.conversation))
    assert [(one.content, one.status) for one in read] == [(Text("satu"), "done"), (Text("dua"), "new")]
    rest = await desk.database.read(
        lambda conn: inbox.of_conversation(conn, desk.keys, first.conversation, after_id=first.inbox_id)
    )
    assert [one.inbox_id for one in rest] == [second.inbox_id]
    assert await desk.database.read(inbox.waiting) == (1, NOW)


async def test_says_when_to_look_again(desk: Desk) -> None:
    """The worker can sleep until the next message may be claimed; one behind another does not wake it."""
    assert await desk.database.read(inbox.next_free) is None
    await desk.accept(arrival("m1"))
    second = await desk.accept(arrival("m2"))
    await let_go(desk, second.inbox_id)
    assert await desk.database.read(inbox.next_free) == LEASE


async def test_counts_the_workers_that_left_a_message(desk: Desk, other_desk: Desk) -> None:
    """Taking over from another counts a death; coming back to one's own, or taking what was given back, does not."""
    accepted = await desk.accept(arrival("m1"))

    async def deaths(worker: Desk, minutes: int) -> int:
        found = await claim(worker, now=LATER + timedelta(minutes=minutes))
        assert isinstance(found, Pending)
        return found.deaths

    assert await deaths(other_desk, 0) == 1
    assert await deaths(other_desk, 2) == 1
    assert await deaths(desk, 4) == 2
    await desk.database.transaction(lambda conn: inbox.release(conn, accepted.inbox_id))
    assert await deaths(other_desk, 6) == 0
