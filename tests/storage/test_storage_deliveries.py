"""What becomes of a message that a platform has taken, in whatever order it is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import permutations, product
from typing import Any, Literal

import pytest
import pytest_asyncio
from sqlalchemy import Connection, select
from storage_examples import LEASE, NOW, Desk, arrival, rendered

from storage import deliveries, erase, outbox, senders
from storage.deliveries import Failed
from storage.inbox import Report
from storage.outbox import Outgoing
from storage.tables import outbox as outbox_table

pytestmark = pytest.mark.asyncio

Status = Literal["sent", "delivered", "read", "failed"]
Then = Literal["give_up", "again", "wait_for_person"]
RETRY = NOW + timedelta(seconds=30)
MOST = 4


@dataclass
class Sent:
    """One reply, and what the platform tells of it."""

    desk: Desk
    outbox_id: int
    conversation: str

    async def told(
        self, status: Status, *, name: str = "wamid.1", by_us: bool = True, then: Then = "give_up"
    ) -> Failed | None:
        """A report; `by_us`: it gives our own name of the message back."""
        report = Report("whatsapp", name, status, self.outbox_id if by_us else 0, "undeliverable", then)
        return await self.desk.database.transaction(
            lambda conn: (
                deliveries.take_in(conn, self.desk.keys, report, now=NOW, not_before=RETRY, max_attempts=MOST).failed
            )
        )

    async def mark_sent(self, name: str = "wamid.1") -> None:
        """The platform has taken it and told its name, and we note it down."""
        named = {self.outbox_id: deliveries.platform_name(self.desk.keys, "whatsapp", name)} if name else {}
        await self.desk.database.transaction(
            lambda conn: outbox.mark_sent(conn, [self.outbox_id], now=NOW, names=named)
        )

    async def row(self) -> Any:
        """The row as it stands."""
        query = select(outbox_table).where(outbox_table.c.id == self.outbox_id)
        return await self.desk.database.read(lambda conn: conn.execute(query).one())

    async def stands(self) -> tuple[str, str | None]:
        """Status and what was told."""
        row = await self.row()
        return row.status, row.delivery

    async def claim(self, at: datetime, *, doubt: timedelta = timedelta(0)) -> list[int]:
        """What a sender takes at that moment."""

        def take(conn: Connection) -> list[int]:
            found = outbox.claim_next(
                conn,
                self.desk.keys,
                channel="whatsapp",
                worker="w2",
                now=at,
                lease_until=at + timedelta(minutes=1),
                limit=5,
                doubt=doubt,
            )
            return [row.id for row in found if isinstance(row, Outgoing)]

        return await self.desk.database.transaction(take)


@pytest_asyncio.fixture
async def sent(desk: Desk) -> Sent:
    """A reply that was just given to the platform; nobody has heard what came of it."""
    accepted = await desk.accept(arrival("m1", channel="whatsapp", address="ID.9"))
    (outbox_id,) = await desk.finish(accepted, replies=rendered("halo"))
    return Sent(desk, outbox_id, accepted.conversation)


@pytest.mark.parametrize("order", list(permutations(("sent", "delivered", "read"))), ids="-".join)
async def test_the_most_that_was_told_holds(sent: Sent, order: tuple[Status, ...]) -> None:
    """In every order, with every report twice: what stands is the maximum of what was told so far."""
    await sent.mark_sent()
    most = 0
    for status in (one for one in order for _ in range(2)):
        assert await sent.told(status) is None
        most = max(most, deliveries.RANK[status])
        assert await sent.stands() == ("sent", {rank: name for name, rank in deliveries.RANK.items()}[most])


@pytest.mark.parametrize(("before", "after"), list(product(("", "sent", "delivered", "read"), repeat=2)))
async def test_failed_is_final_and_told_once(sent: Sent, before: Status, after: Status) -> None:
    """Whatever came before and comes after, staff get it once, and it stays."""
    await sent.mark_sent()
    if before:
        await sent.told(before)
    failed = Failed(sent.outbox_id, sent.conversation, "whatsapp", "undeliverable")
    assert await sent.told("failed") == failed
    assert await sent.told("failed") is None
    if after:
        assert await sent.told(after) is None
    assert await sent.stands() == ("sent", "failed")


async def test_found_by_the_platforms_name_alone(sent: Sent) -> None:
    """A report without our own name of it still finds the message, one of a stranger's message finds nothing."""
    await sent.mark_sent()
    assert await sent.told("delivered", by_us=False) is None
    assert await sent.stands() == ("sent", "delivered")
    assert await sent.told("failed", name="wamid.other", by_us=False) is None
    assert await sent.stands() == ("sent", "delivered")


async def test_only_what_changes_who_may_go_next_sets_something_free(sent: Sent) -> None:
    """Delivered and read of what is known to be sent change nothing for what waits; all else may."""

    async def frees(status: Status, then: Then = "give_up") -> bool:
        report = Report("whatsapp", "wamid.1", status, sent.outbox_id, "service", then)
        told = await sent.desk.database.transaction(
            lambda conn: deliveries.take_in(conn, sent.desk.keys, report, now=NOW, not_before=RETRY, max_attempts=MOST)
        )
        return told.frees

    assert await frees("sent"), "it was in doubt, and the next waits behind it"
    assert not await frees("sent")
    assert await frees("failed", "again")
    await sent.mark_sent()
    assert not await frees("delivered")
    assert not await frees("read")


async def test_a_report_of_another_channel_finds_nothing(sent: Sent) -> None:
    """Our number of a message means nothing on a channel it was not sent on."""
    report = Report("telegram", "wamid.1", "failed", sent.outbox_id)
    given = await sent.desk.database.transaction(
        lambda conn: deliveries.take_in(conn, sent.desk.keys, report, now=NOW, not_before=RETRY, max_attempts=MOST)
    )
    assert (given, await sent.stands()) == (deliveries.Told(), ("new", None))


# ── a sending that ended in doubt ────────────────────────────────────────────────────────────────


async def test_a_report_ends_the_doubt(sent: Sent) -> None:
    """After a time-out nobody sends it again for a while; the platform's word settles that it was sent."""
    minute = timedelta(seconds=60)
    assert await sent.claim(LEASE - timedelta(seconds=1), doubt=minute) == []
    assert await sent.told("sent") is None
    assert await sent.stands() == ("sent", "sent")
    await sent.mark_sent()
    assert await sent.claim(LEASE + 2 * minute, doubt=minute) == []


async def test_without_a_report_it_is_sent_again(sent: Sent) -> None:
    """Nothing was told in time: the next sender takes it."""
    assert await sent.claim(NOW + timedelta(seconds=60), doubt=timedelta(seconds=60)) == [sent.outbox_id]


@pytest.mark.parametrize("status", ["delivered", "read"])
async def test_even_the_first_word_may_be_the_last(sent: Sent, status: Status) -> None:
    """A message in doubt that was read was sent."""
    await sent.told(status)
    assert await sent.stands() == ("sent", status)


# ── what is sent again ───────────────────────────────────────────────────────────────────────────


async def test_a_passing_failure_is_sent_again(sent: Sent) -> None:
    """From the given moment on, as a try that counts; what is told of the first sending then changes nothing."""
    await sent.mark_sent()
    assert await sent.told("failed", then="again") is None
    for status in ("sent", "failed", "delivered"):
        assert await sent.told(status, then="again") is None
        row = await sent.row()
        assert (row.status, row.delivery, row.attempts) == ("new", None, 1)
    assert await sent.claim(RETRY - timedelta(seconds=1)) == []
    assert await sent.claim(RETRY) == [sent.outbox_id]
    for status in ("sent", "failed"):
        assert await sent.told(status, then="again") is None
    assert await sent.stands() == ("new", None)
    await sent.mark_sent("wamid.2")
    assert await sent.told("failed", then="again") is None
    assert await sent.stands() == ("sent", None)
    assert await sent.told("read", name="wamid.2") is None
    assert await sent.stands() == ("sent", "read")


async def test_a_second_sending_in_doubt_is_settled_by_its_own_report(sent: Sent) -> None:
    """The row knows the name of the first sending; a new name is that of the second."""
    await sent.mark_sent()
    await sent.told("failed", then="again")
    assert await sent.claim(RETRY) == [sent.outbox_id]
    assert await sent.told("delivered", name="wamid.2") is None
    assert await sent.stands() == ("sent", "delivered")


async def test_a_failure_told_before_we_noted_the_sending(sent: Sent) -> None:
    """The platform is faster than our own mark: the mark must not hide that it has to go again."""
    assert await sent.told("failed", then="again") is None
    await sent.mark_sent()
    assert await sent.stands() == ("new", None)
    assert await sent.claim(RETRY) == [sent.outbox_id]
    await sent.mark_sent("wamid.2")
    assert await sent.stands() == ("sent", None)


async def test_a_second_sending_without_a_name_is_marked(sent: Sent) -> None:
    """A platform that names one sending and not the next does not get the message for ever."""
    await sent.mark_sent()
    await sent.told("failed", then="again")
    await sent.mark_sent("")
    assert await sent.stands() == ("sent", None)


async def test_not_again_for_ever(sent: Sent) -> None:
    """After the most tries staff get it."""
    for number in range(1, MOST):
        await sent.mark_sent(f"wamid.{number}")
        assert await sent.told("failed", name=f"wamid.{number}", then="again") is None
    await sent.mark_sent("wamid.last")
    given = await sent.told("failed", name="wamid.last", then="again")
    assert given == Failed(sent.outbox_id, sent.conversation, "whatsapp", "undeliverable")
    assert await sent.stands() == ("sent", "failed")


@pytest.mark.parametrize("then", ["again", "wait_for_person"])
@pytest.mark.parametrize("before", ["delivered", "read"])
async def test_what_was_seen_is_not_sent_again(sent: Sent, before: Status, then: Then) -> None:
    """A failure told of a message that has arrived goes to staff, not to the person a second time."""
    await sent.mark_sent()
    await sent.told(before)
    assert await sent.told("failed", then=then) is not None
    assert await sent.stands() == ("sent", "failed")


async def test_a_closed_window_waits_for_the_person(sent: Sent) -> None:
    """It waits however long, and goes as soon as they have written; a repeat of the report counts no second try."""
    await sent.desk.database.transaction(
        lambda conn: senders.shut_window(conn, sent.conversation, NOW + timedelta(hours=9))
    )
    await sent.mark_sent()
    for _ in range(2):
        assert await sent.told("failed", then="wait_for_person") is None
    row = await sent.row()
    assert (row.status, row.attempts) == ("new", 1)
    assert (await sent.desk.peek(sent.conversation)).window_until == NOW
    assert await sent.claim(NOW + timedelta(days=9)) == []
    later = NOW + timedelta(days=9)
    who = senders.Sender("whatsapp", "ID.9", None, window_until=later + timedelta(days=1))
    await sent.desk.database.transaction(
        lambda conn: senders.conversation_of(conn, sent.desk.keys, who, ids=sent.desk.ids, now=later)
    )
    assert await sent.claim(later) == [sent.outbox_id]


# ── what was given up, and what was erased ───────────────────────────────────────────────────────


async def test_a_parked_message_is_not_told_twice(sent: Sent) -> None:
    """Staff have its ticket; a late failure opens no other and starts nothing."""
    await sent.mark_sent()
    await sent.told("failed", then="again")
    await sent.desk.database.transaction(lambda conn: outbox.park(conn, sent.outbox_id, "broken"))
    assert await sent.told("failed", then="again") is None
    assert (await sent.row()).status == "parked"


@pytest.mark.parametrize("then", ["give_up", "again", "wait_for_person"])
async def test_an_erased_message_fails_in_silence(sent: Sent, then: Then) -> None:
    """Nothing is left to send or to tell staff, and the platform's name of it is gone."""
    await sent.mark_sent()
    await sent.desk.database.transaction(
        lambda conn: erase.forget_conversation(conn, sent.desk.keys, sent.conversation, now=NOW)
    )
    assert (await sent.row()).platform_id is None
    assert await sent.told("failed", then=then) is None
    assert (await sent.row()).status == "sent"
