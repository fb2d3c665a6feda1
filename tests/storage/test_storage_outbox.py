"""What goes out: in order inside a conversation, once, and never lost."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection
from storage_examples import LEASE, NOW, Desk, arrival, rendered

from flows.model import Content, Text
from storage import deliveries, inbox, outbox, senders
from storage.inbox import Report
from storage.outbox import Button, Fate, Outgoing, Rendered

pytestmark = pytest.mark.asyncio

LATER = LEASE + timedelta(seconds=1)


async def claim(desk: Desk, *, now: datetime = NOW, channel: str | None = None, limit: int = 10) -> list[Outgoing]:
    """Take replies as this worker."""
    return await desk.database.transaction(
        lambda conn: outbox.claim_next(
            conn,
            desk.keys,
            channel=channel,
            worker=desk.worker,
            now=now,
            lease_until=now + timedelta(minutes=1),
            limit=limit,
        )
    )


async def sent(desk: Desk, *outbox_ids: int) -> None:
    """The platform has taken these."""
    await desk.database.transaction(lambda conn: outbox.mark_sent(conn, outbox_ids, now=NOW))


async def replies(desk: Desk, conversation: str, after_id: int = 0) -> list[Outgoing]:
    """Every stored reply."""
    return await desk.database.read(lambda conn: outbox.since(conn, desk.keys, conversation, after_id, 100))


async def test_gives_back_what_was_written(desk: Desk) -> None:
    """A reply with its buttons comes back equal, with where it goes."""
    body = Rendered("enroll/ask", "Siapa?", (Button("Saya", "a:1"), Button("Anak", "a:2")), False, "nik", "Rina")
    accepted = await desk.accept(arrival("m1", channel="telegram", address="777"))
    ids = await desk.finish(accepted, replies=(body,))
    (reply,) = await replies(desk, accepted.conversation)
    assert reply.id == ids[0]
    assert (reply.channel, reply.address, reply.inbox_id, reply.n) == (
        "telegram",
        "777",
        accepted.inbox_id,
        0,
    )
    assert (reply.body, reply.key, reply.author) == (body, "enroll/ask", "Rina")
    assert (reply.status, reply.attempts, reply.written_at) == ("new", 0, NOW)


async def test_many_replies_keep_their_order(desk: Desk) -> None:
    """The ids of one turn's replies grow in the order they were said, and are the worker's to send."""
    accepted = await desk.accept(arrival("m1"))
    ids = await desk.finish(accepted, replies=rendered(*"abcdefg"))
    assert [reply.body.text for reply in await replies(desk, accepted.conversation)] == list("abcdefg")
    assert ids == sorted(ids)
    assert await claim(desk) == []


async def test_a_lost_worker_leaves_its_replies_to_others(desk: Desk, other_desk: Desk) -> None:
    """When the lease has run out, another worker sends the replies, the first one first."""
    accepted = await desk.accept(arrival("m1"))
    ids = await desk.finish(accepted, replies=rendered("a", "b"))
    taken = await claim(other_desk, now=LATER)
    assert [reply.id for reply in taken] == ids[:1]
    assert await claim(desk, now=LATER) == []
    await sent(other_desk, ids[0])
    assert [reply.id for reply in await claim(other_desk, now=LATER)] == ids[1:]


async def test_a_new_reply_waits_for_an_earlier_one(desk: Desk) -> None:
    """While a reply is unsent the next turn's replies are nobody's; they come when it is sent."""
    accepted = await desk.accept(arrival("m1"))
    (first,) = await desk.finish(accepted, replies=rendered("a"))
    following = await desk.accept(arrival("m2"))
    assert await desk.finish(following, replies=rendered("b")) == []
    assert await claim(desk) == []
    await sent(desk, first)
    assert [reply.body.text for reply in await claim(desk)] == ["b"]


async def test_a_retry_holds_the_later_ones_back(desk: Desk) -> None:
    """A reply to be tried again is not claimed before its time, and neither is anything after it."""
    accepted = await desk.accept(arrival("m1"))
    first, second = await desk.finish(accepted, replies=rendered("a", "b"))
    at = LATER + timedelta(seconds=40)
    await desk.database.transaction(lambda conn: outbox.retry_later(conn, first, not_before=at, error_word="throttled"))
    assert await claim(desk, now=LATER) == []
    (again,) = await claim(desk, now=at)
    assert (again.id, again.attempts) == (first, 1)
    await sent(desk, first)
    assert [reply.id for reply in await claim(desk, now=at)] == [second]


async def test_a_parked_reply_lets_the_others_go(desk: Desk) -> None:
    """What cannot be sent at all does not block the conversation."""
    accepted = await desk.accept(arrival("m1"))
    first, second = await desk.finish(accepted, replies=rendered("a", "b"))
    await desk.database.transaction(lambda conn: outbox.park(conn, first, "blocked"))
    assert [reply.id for reply in await claim(desk, now=LATER)] == [second]
    statuses = [reply.status for reply in await replies(desk, accepted.conversation)]
    assert statuses == ["parked", "new"]


async def test_what_is_sent_stays_sent(desk: Desk) -> None:
    """A late retry or park of a reply that was sent changes nothing; marking many at once works."""
    accepted = await desk.accept(arrival("m1"))
    ids = await desk.finish(accepted, replies=rendered("a", "b", "c"))
    await sent(desk, *ids)
    await sent(desk, *ids)
    await sent(desk)
    await desk.database.transaction(lambda conn: outbox.park(conn, ids[0], "late"))
    await desk.database.transaction(lambda conn: outbox.retry_later(conn, ids[1], not_before=NOW, error_word="late"))
    assert {reply.status for reply in await replies(desk, accepted.conversation)} == {"sent"}
    assert await desk.database.read(outbox.waiting) == (0, None)


async def test_a_sender_takes_only_its_channel(desk: Desk) -> None:
    """Each channel drains its own replies, oldest first, as many as it asks for."""
    for number, channel in enumerate(("web", "telegram", "web", "telegram")):
        accepted = await desk.accept(arrival(f"m{number}", channel=channel, address=str(number)))
        await desk.finish(accepted, replies=rendered(str(number)))
    taken = await claim(desk, now=LATER, channel="telegram")
    assert [reply.body.text for reply in taken] == ["1", "3"]
    assert [reply.body.text for reply in await claim(desk, now=LATER, limit=1)] == ["0"]
    assert [reply.body.text for reply in await claim(desk, now=LATER)] == ["2"]


async def test_two_senders_never_take_the_same(desk: Desk, other_desk: Desk) -> None:
    """Two processes that drain the outbox at the same time send everything, each once and in order."""
    for number in range(8):
        accepted = await desk.accept(arrival(f"m{number}", address=f"visitor-{number}"))
        await desk.finish(accepted, replies=rendered("a", "b", "c"))

    async def drain(one: Desk) -> list[Outgoing]:
        taken: list[Outgoing] = []
        for _ in range(40):
            batch = await claim(one, now=LATER, limit=3)
            taken += batch
            await sent(one, *(reply.id for reply in batch))
            await asyncio.sleep(0)
        return taken

    shares = await asyncio.gather(*(drain(one) for one in (desk, other_desk)))
    everything = [reply.id for share in shares for reply in share]
    assert sorted(everything) == list(range(min(everything), min(everything) + 24))


async def test_a_page_resumes_where_it_was(desk: Desk) -> None:
    """After a reload the page gets what came after the last one it showed, sent or not."""
    accepted = await desk.accept(arrival("m1"))
    first, second, third = await desk.finish(accepted, replies=rendered("a", "b", "c"))
    await sent(desk, second)
    assert [reply.id for reply in await replies(desk, accepted.conversation, first)] == [second, third]


async def test_says_when_to_look_again(desk: Desk) -> None:
    """The sender can sleep until the next reply may be claimed; one that waits behind another does not wake it."""
    assert await desk.database.read(outbox.next_free) is None
    accepted = await desk.accept(arrival("m1"))
    await desk.finish(accepted, replies=rendered("a"))
    following = await desk.accept(arrival("m2"))
    await desk.finish(following, replies=rendered("b"))
    assert await desk.database.read(outbox.next_free) == LEASE


async def test_the_latest_are_the_newest_in_their_order(desk: Desk) -> None:
    """Of one conversation, both what came in and what was said: the end of it, oldest first."""
    for number in range(4):
        accepted = await desk.accept(arrival(f"m{number}", content=Text(f"tanya {number}")))
        await desk.finish(accepted, replies=rendered(f"jawab {number}"))
    other = await desk.accept(arrival("m9", address="visitor-2", content=Text("lain")))
    await desk.finish(other, replies=rendered("untuk yang lain"))

    def newest(conn: Connection) -> tuple[list[str], list[Content | None]]:
        said = [row.body.text for row in outbox.latest(conn, desk.keys, accepted.conversation, 2)]
        came = [row.content for row in inbox.latest(conn, desk.keys, accepted.conversation, 2)]
        return said, came

    assert await desk.database.read(newest) == (["jawab 2", "jawab 3"], [Text("tanya 2"), Text("tanya 3")])


async def test_tells_what_a_reply_waits_for_and_what_became_of_it(desk: Desk) -> None:
    """Blocked, outside the window, sent and read: each is told by its word."""
    shut = await desk.accept(arrival("m1", channel="whatsapp", address="ID.1"))
    (blocked,) = await desk.finish(shut, replies=rendered("a"))
    late = await desk.accept(arrival("m2", channel="whatsapp", address="ID.2"))
    (closed,) = await desk.finish(late, replies=rendered("b"))
    heard = await desk.accept(arrival("m3", channel="whatsapp", address="ID.3"))
    (read,) = await desk.finish(heard, replies=rendered("c"))

    def happens(conn: Connection) -> None:
        senders.shut(conn, shut.conversation, NOW)
        senders.shut_window(conn, late.conversation, NOW)
        report = Report("whatsapp", "wamid.1", "read", outbox_id=read)
        deliveries.take_in(conn, desk.keys, report, now=NOW, not_before=NOW, max_attempts=8)

    await desk.database.transaction(happens)

    async def fate(conversation: str, outbox_id: int) -> Fate:
        return (await desk.database.read(lambda conn: outbox.fates(conn, conversation, NOW)))[outbox_id]

    assert await fate(shut.conversation, blocked) == Fate(reason="unreachable")
    assert await fate(late.conversation, closed) == Fate(reason="window_closed")
    assert await fate(heard.conversation, read) == Fate(delivery="read")
