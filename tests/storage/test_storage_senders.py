"""Who writes from where: names that come, go missing, change and pass to somebody else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, func, select
from storage_examples import LEASE, NOW, Apart, Desk, Numbered, arrival

from flows.model import Text
from storage import inbox, senders
from storage.conversations import Held
from storage.database import Conflict, Database
from storage.inbox import Accepted, Arrival
from storage.keyring import Keyring
from storage.tables import addresses, aliases, conversations, people

pytestmark = pytest.mark.asyncio

DAY = timedelta(days=1)
N1, N2 = "6281200009001", "6281200009002"
SITI, BUDI, SITI_AGAIN = "ID.90000000000000001", "ID.90000000000000002", "ID.90000000000000009"


def shown(external_id: str, *, bsuid: str = "", wa_id: str = "", at: datetime = NOW) -> Arrival:
    """A WhatsApp message with what the webhook shows of its sender."""
    names = tuple((kind, name) for kind, name in (("bsuid", bsuid), ("wa_id", wa_id)) if name)
    phone = f"+{wa_id}" if wa_id else None
    return Arrival("whatsapp", names[0][1], external_id, Text("halo"), phone, at, names, at + DAY)


@dataclass
class Platform:
    """What WhatsApp tells, one message after the other, a minute apart."""

    desk: Desk
    told: int = 0

    async def message(self, *, bsuid: str = "", wa_id: str = "", at: datetime | None = None) -> str:
        """The conversation that a new message came to."""
        self.told += 1
        when = at or NOW + timedelta(minutes=self.told)
        return (await self.again(f"wamid.{self.told}", bsuid=bsuid, wa_id=wa_id, at=when)).conversation

    async def again(self, external_id: str, *, bsuid: str = "", wa_id: str = "", at: datetime = NOW) -> Accepted:
        """A message under a name of its own: told twice it is a duplicate."""
        return await self.desk.accept(shown(external_id, bsuid=bsuid, wa_id=wa_id, at=at))

    async def renamed(
        self, old: tuple[str, str], new: tuple[str, str], *, phone: str | None = None, at: datetime | None = None
    ) -> str | None:
        """A notice of another name."""
        self.told += 1
        when = at or NOW + timedelta(minutes=self.told)

        def rename(conn: Connection) -> str | None:
            return senders.rename(
                conn, self.desk.keys, "whatsapp", old, new, phone=phone, now=when, window_until=when + DAY
            )

        return await self.desk.database.transaction(rename)

    async def stands(self, conversation: str) -> tuple[str, str | None, bool]:
        """Where a conversation's replies go: the address, the phone, and whether nothing reaches them."""
        held: Held = await self.desk.peek(conversation)
        return held.address, held.phone, held.unreachable

    async def count(self, *tables: str) -> list[int]:
        """How many rows."""
        by_name = {table.name: table for table in (people, conversations, addresses, aliases)}
        queries = [select(func.count()).select_from(by_name[name]) for name in tables]
        return await self.desk.database.read(lambda conn: [conn.execute(query).scalar_one() for query in queries])


@pytest.fixture
def platform(desk: Desk) -> Platform:
    """WhatsApp, before anything was told."""
    return Platform(desk)


# ── one sender ───────────────────────────────────────────────────────────────────────────────────


async def test_any_name_leads_to_the_same_conversation(platform: Platform) -> None:
    """With both names, the id alone and the number alone: one person, one conversation, one address."""
    first = await platform.message(bsuid=SITI, wa_id=N1)
    assert [await platform.message(bsuid=SITI), await platform.message(wa_id=N1)] == [first, first]
    assert await platform.stands(first) == (SITI, f"+{N1}", False)
    assert await platform.count("people", "conversations", "addresses", "aliases") == [1, 1, 1, 2]


async def test_an_id_that_comes_later_becomes_the_address(platform: Platform) -> None:
    """Known by the number at first; from the first message with an id on, replies go to the id."""
    first = await platform.message(wa_id=N1)
    assert await platform.stands(first) == (N1, f"+{N1}", False)
    assert await platform.message(bsuid=SITI, wa_id=N1) == first
    assert await platform.stands(first) == (SITI, f"+{N1}", False)
    assert await platform.message(wa_id=N1) == first
    assert (await platform.stands(first))[0] == SITI


async def test_a_number_that_comes_later_is_kept(platform: Platform) -> None:
    """A person with a username shows the number once: from then on either name is theirs."""
    first = await platform.message(bsuid=SITI)
    assert await platform.stands(first) == (SITI, None, False)
    assert await platform.message(bsuid=SITI, wa_id=N1) == first
    assert await platform.message(wa_id=N1) == first
    assert await platform.stands(first) == (SITI, f"+{N1}", False)


async def test_telegram_needs_no_other_names(desk: Desk, platform: Platform) -> None:
    """One name, no alias; a shared contact vouches for a number later."""
    first = await desk.accept(arrival("1", channel="telegram", address="77"))
    again = await desk.accept(arrival("2", channel="telegram", address="77", phone=f"+{N1}"))
    other = await desk.accept(arrival("3", channel="telegram", address="78"))
    assert first.conversation == again.conversation != other.conversation
    assert await platform.count("people", "aliases") == [2, 0]
    assert (await desk.peek(first.conversation)).phone == f"+{N1}"


async def test_who_writes_can_be_written_to(desk: Desk, platform: Platform) -> None:
    """A message ends a block and opens the window anew; a report of a closed window closes it."""
    first = await platform.message(bsuid=SITI, wa_id=N1)
    await desk.database.transaction(lambda conn: senders.shut(conn, first, NOW))
    assert (await desk.peek(first)).unreachable
    later = NOW + timedelta(hours=5)
    await platform.message(bsuid=SITI, at=later)
    held = await desk.peek(first)
    assert (held.unreachable, held.window_until) == (False, later + DAY)
    await desk.database.transaction(lambda conn: senders.shut_window(conn, first, later))
    assert (await desk.peek(first)).window_until == later
    await platform.message(bsuid=SITI, at=later + timedelta(seconds=1))
    assert (await desk.peek(first)).window_until == later + DAY + timedelta(seconds=1)


# ── a number passes to somebody else ─────────────────────────────────────────────────────────────


async def test_a_number_with_another_id_is_another_person(platform: Platform) -> None:
    """The new owner of a number begins anew, and the number vouches for the one who had it no longer."""
    siti = await platform.message(bsuid=SITI, wa_id=N1)
    budi = await platform.message(bsuid=BUDI, wa_id=N1)
    assert budi != siti
    assert await platform.stands(budi) == (BUDI, f"+{N1}", False)
    assert await platform.stands(siti) == (SITI, None, False)
    assert await platform.message(wa_id=N1) == budi
    assert await platform.message(bsuid=SITI, wa_id=N2) == siti
    assert await platform.stands(siti) == (SITI, f"+{N2}", False)


async def test_a_number_seen_without_its_id_first_passes_all_the_same(platform: Platform) -> None:
    """Siti was first known by the number alone: her replies do not go to whoever has the number later."""
    siti = await platform.message(wa_id=N1)
    assert await platform.message(bsuid=SITI, wa_id=N1) == siti
    budi = await platform.message(bsuid=BUDI, wa_id=N1)
    assert budi != siti
    assert await platform.stands(siti) == (SITI, None, False)


async def test_an_old_number_left_without_a_notice_is_free(platform: Platform) -> None:
    """Siti writes from a new number: whoever comes with the old one, even without an id, is somebody else."""
    siti = await platform.message(bsuid=SITI, wa_id=N1)
    assert await platform.message(bsuid=SITI, wa_id=N2) == siti
    stranger = await platform.message(wa_id=N1)
    assert stranger != siti
    assert await platform.stands(siti) == (SITI, f"+{N2}", False)
    assert await platform.stands(stranger) == (N1, f"+{N1}", False)


@pytest.mark.parametrize("wrote_before", [False, True])
async def test_a_shared_number_vouches_for_its_newest_sender_alone(
    desk: Desk, platform: Platform, wrote_before: bool
) -> None:
    """A number that came by a contact card has no alias; it still passes with the sender that shows it now."""
    siti = await platform.message(bsuid=SITI)
    if wrote_before:
        await platform.message(bsuid=BUDI)
    card = shown("card", bsuid=SITI, at=NOW + timedelta(minutes=9))
    await desk.accept(Arrival(**{**{name: getattr(card, name) for name in card.__slots__}, "phone": f"+{N1}"}))
    assert (await platform.stands(siti))[1] == f"+{N1}"
    budi = await platform.message(bsuid=BUDI, wa_id=N1)
    assert [(await platform.stands(one))[1] for one in (siti, budi)] == [None, f"+{N1}"]


# ── notices of another name ──────────────────────────────────────────────────────────────────────


async def test_a_new_number_keeps_the_conversation(platform: Platform) -> None:
    """Renamed by number: the talk goes on, and the old number is free for somebody else."""
    siti = await platform.message(wa_id=N1)
    assert await platform.renamed(("wa_id", N1), ("wa_id", N2), phone=f"+{N2}") == siti
    assert await platform.stands(siti) == (N2, f"+{N2}", False)
    assert await platform.message(wa_id=N2) == siti
    assert await platform.message(wa_id=N1) != siti


async def test_a_new_number_does_not_replace_the_id(platform: Platform) -> None:
    """Whoever is known by an id stays there; the number is the new one."""
    siti = await platform.message(bsuid=SITI, wa_id=N1)
    assert await platform.renamed(("wa_id", N1), ("wa_id", N2), phone=f"+{N2}") == siti
    assert await platform.stands(siti) == (SITI, f"+{N2}", False)
    assert await platform.message(wa_id=N1) != siti


async def test_a_new_number_brings_a_new_id(platform: Platform) -> None:
    """Both change, in two notices: either leads to the same talk afterwards, neither old name does."""
    siti = await platform.message(bsuid=SITI, wa_id=N1)
    await platform.renamed(("wa_id", N1), ("wa_id", N2), phone=f"+{N2}")
    assert await platform.renamed(("bsuid", SITI), ("bsuid", SITI_AGAIN), phone=f"+{N2}") == siti
    assert await platform.stands(siti) == (SITI_AGAIN, f"+{N2}", False)
    assert [await platform.message(bsuid=SITI_AGAIN), await platform.message(wa_id=N2)] == [siti, siti]
    assert siti not in [await platform.message(bsuid=SITI), await platform.message(wa_id=N1)]


async def test_a_name_of_another_kind_is_one_more(platform: Platform) -> None:
    """An id for somebody known by the number alone: the number stays theirs."""
    siti = await platform.message(wa_id=N1)
    assert await platform.renamed(("wa_id", N1), ("bsuid", SITI)) == siti
    assert [await platform.message(bsuid=SITI), await platform.message(wa_id=N1)] == [siti, siti]


async def test_a_notice_told_again_changes_nothing(platform: Platform) -> None:
    """Days later the old number is Budi's; the same notice, delivered again, does not give him Siti's."""
    siti = await platform.message(wa_id=N1)
    told = NOW + timedelta(hours=1)
    await platform.renamed(("wa_id", N1), ("wa_id", N2), phone=f"+{N2}", at=told)
    assert await platform.message(wa_id=N2, at=told + timedelta(hours=1)) == siti
    budi = await platform.message(wa_id=N1, at=told + timedelta(days=3))
    await platform.renamed(("wa_id", N1), ("wa_id", N2), phone=f"+{N2}", at=told)
    assert await platform.stands(siti) == (N2, f"+{N2}", False)
    assert await platform.stands(budi) == (N1, f"+{N1}", False)


async def test_a_notice_that_comes_after_the_new_name_has_written(platform: Platform) -> None:
    """Where the person has begun anew, that goes on; the old talk reaches nobody, and nobody is joined unproved."""
    old = await platform.message(bsuid=SITI, wa_id=N1)
    changed = NOW + timedelta(hours=1)
    new = await platform.message(bsuid=SITI_AGAIN, wa_id=N2, at=changed + timedelta(minutes=1))
    assert new != old
    await platform.renamed(("wa_id", N1), ("wa_id", N2), phone=f"+{N2}", at=changed)
    await platform.renamed(("bsuid", SITI), ("bsuid", SITI_AGAIN), phone=f"+{N2}", at=changed)
    assert await platform.stands(new) == (SITI_AGAIN, f"+{N2}", False)
    address, phone, unreachable = await platform.stands(old)
    assert (address.startswith("gone|"), phone, unreachable) == (True, None, True)
    for names in ({"bsuid": SITI_AGAIN}, {"wa_id": N2}):
        assert await platform.message(**names, at=changed + timedelta(hours=2)) == new
    assert await platform.message(wa_id=N1, at=changed + timedelta(hours=2)) not in (old, new)


async def test_a_notice_takes_a_number_from_who_left_it(platform: Platform) -> None:
    """Long ago the number was Budi's. What is his goes nowhere rather than to Siti, and she is not taken for him."""
    budi = await platform.message(wa_id=N2)
    siti = await platform.message(wa_id=N1, at=NOW + timedelta(days=300))
    notice = NOW + timedelta(days=301)
    assert await platform.renamed(("wa_id", N1), ("wa_id", N2), phone=f"+{N2}", at=notice) == siti
    assert await platform.stands(siti) == (N2, f"+{N2}", False)
    assert (await platform.stands(budi))[1:] == (None, True)
    assert await platform.message(wa_id=N2, at=notice + timedelta(hours=1)) == siti


async def test_a_group_that_moves_keeps_its_conversation(desk: Desk) -> None:
    """Telegram gives a group a new id: no alias is known, the address row moves."""
    first = await desk.accept(arrival("1", channel="telegram", address="-77"))

    def rename(conn: Connection) -> str | None:
        return senders.rename(
            conn, desk.keys, "telegram", ("chat", "-77"), ("chat", "-100999"), phone=None, now=NOW, window_until=None
        )

    assert await desk.database.transaction(rename) == first.conversation
    assert await desk.database.transaction(rename) is None
    again = await desk.accept(arrival("2", channel="telegram", address="-100999"))
    assert again.conversation == first.conversation


async def test_nobody_is_renamed(platform: Platform) -> None:
    """A notice about somebody who never wrote leaves nothing behind."""
    assert await platform.renamed(("wa_id", N1), ("wa_id", N2), phone=f"+{N2}") is None
    assert await platform.count("people", "aliases") == [0, 0]


# ── what comes twice, or late ────────────────────────────────────────────────────────────────────


async def test_a_redelivery_gives_no_number_back(platform: Platform) -> None:
    """Siti's old message comes again after the number became Budi's: nothing moves, and it is known as a duplicate."""
    siti = await platform.again("old", bsuid=SITI, wa_id=N1)
    budi = await platform.message(bsuid=BUDI, wa_id=N1)
    repeated = await platform.again("old", bsuid=SITI, wa_id=N1)
    assert (repeated.duplicate, repeated.inbox_id) == (True, siti.inbox_id)
    assert await platform.stands(siti.conversation) == (SITI, None, False)
    assert await platform.message(wa_id=N1) == budi


async def test_a_redelivery_under_a_name_that_is_gone_makes_nobody(platform: Platform) -> None:
    """The first message of a number that was changed since: no person is made of its repeat."""
    first = await platform.again("old", wa_id=N1)
    await platform.renamed(("wa_id", N1), ("wa_id", N2), phone=f"+{N2}")
    repeated = await platform.again("old", wa_id=N1)
    assert (repeated.duplicate, repeated.conversation) == (True, first.conversation)
    assert await platform.count("people", "aliases") == [1, 1]


async def test_a_late_message_does_not_take_a_number_back(platform: Platform) -> None:
    """A message that Siti sent before she changed her number, delivered after: stored, and nothing else."""
    siti = await platform.message(bsuid=SITI, wa_id=N1)
    await platform.message(bsuid=SITI, wa_id=N2, at=NOW + timedelta(hours=2))
    budi = await platform.message(bsuid=BUDI, wa_id=N1, at=NOW + timedelta(hours=3))
    assert await platform.message(bsuid=SITI, wa_id=N1, at=NOW + timedelta(hours=1)) == siti
    assert await platform.stands(siti) == (SITI, f"+{N2}", False)
    assert await platform.stands(budi) == (BUDI, f"+{N1}", False)


# ── at the same moment ───────────────────────────────────────────────────────────────────────────


async def stored(database: Database, keys: Keyring, ids: Numbered, message: Arrival) -> tuple[Accepted, int]:
    """A message stored as the program does, run again after a Conflict; and how often it had to be."""

    def accept(conn: Connection) -> Accepted:
        return inbox.accept(conn, keys, message, ids=ids, worker="w", lease_until=LEASE)

    for conflicts in range(20):
        try:
            return await database.transaction(accept), conflicts
        except Conflict:
            continue
    raise AssertionError("never stored")


class Third(Apart):
    """Ids of a third process."""

    def new(self) -> str:
        """The next id."""
        return f"th{super().new()[2:]}"


async def test_first_messages_at_the_same_moment_make_one_person(
    another: Callable[[], Database], keys: Keyring, platform: Platform
) -> None:
    """Three processes store three first messages, one with both names, one with each: one person in the end."""
    processes = [(another(), ids) for ids in (Numbered(), Apart(), Third())]
    for round_ in range(12):
        bsuid, wa_id = f"ID.9{round_:016d}", f"62812000091{round_:02d}"
        both = shown(f"{round_}a", bsuid=bsuid, wa_id=wa_id)
        # The number alone, and the id alone, can be told to be one sender only after the message that shows both.
        results = await asyncio.gather(
            *(
                stored(database, keys, ids, message)
                for (database, ids), message in zip(
                    processes,
                    (both, shown(f"{round_}b", bsuid=bsuid, wa_id=wa_id), shown(f"{round_}c", bsuid=bsuid)),
                    strict=True,
                )
            )
        )
        assert len({accepted.conversation for accepted, _ in results}) == 1, round_
    assert await platform.count("people", "addresses", "aliases") == [12, 12, 24]


async def test_two_new_owners_of_one_number_at_the_same_moment(
    another: Callable[[], Database], keys: Keyring, platform: Platform
) -> None:
    """A number ends with one of them, and vouches for nobody else, whoever was faster."""
    await platform.message(bsuid=SITI, wa_id=N1)
    one, other = another(), another()
    for round_ in range(4):
        at = NOW + timedelta(days=round_ + 1)
        pair = [shown(f"{round_}{n}", bsuid=f"ID.8{round_:08d}{n}", wa_id=N1, at=at) for n in range(2)]
        results = await asyncio.gather(
            stored(one, keys, Apart(made=round_ * 100), pair[0]),
            stored(other, keys, Third(made=round_ * 100), pair[1]),
        )
        held = [await platform.desk.peek(accepted.conversation) for accepted, _ in results]
        assert sorted([one_held.phone or "" for one_held in held]) == ["", f"+{N1}"]
    vouched = select(func.count(addresses.c.phone_lookup))
    assert await platform.desk.database.read(lambda conn: conn.execute(vouched).scalar_one()) == 1


async def test_batches_that_name_two_senders_crosswise_both_end(another: Callable[[], Database], keys: Keyring) -> None:
    """Two webhooks with the same two people in opposite order at the same moment: each is stored, none twice."""
    one, other = another(), another()
    ids = {id(one): Apart(), id(other): Third()}

    async def batch(database: Database, messages: list[Arrival]) -> int:
        def store_all(conn: Connection) -> None:
            for message in messages:
                inbox.accept(conn, keys, message, ids=ids[id(database)], worker="w", lease_until=LEASE)

        for conflicts in range(20):
            try:
                await database.transaction(store_all)
                return conflicts
            except Conflict:
                continue
        raise AssertionError("never stored")

    for round_ in range(3):
        at = NOW + timedelta(hours=round_)
        first = [shown(f"{round_}-1-{n}", bsuid=name, at=at) for n, name in enumerate((SITI, BUDI))]
        second = [shown(f"{round_}-2-{n}", bsuid=name, at=at) for n, name in enumerate((BUDI, SITI))]
        await asyncio.gather(batch(one, first), batch(other, second))
    count = select(func.count()).select_from(people)
    assert await one.read(lambda conn: conn.execute(count).scalar_one()) == 2
