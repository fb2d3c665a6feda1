"""Token buckets: never more than the platform takes, whoever asks, and no less in the long run."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection
from storage_examples import NOW

from storage import pacing
from storage.database import Database, create_from_template
from storage.keyring import Keyring
from storage.pacing import Pace

SECOND = timedelta(seconds=1)
PAIR = Pace("whatsapp|1|2", 6 * SECOND, 45)
NUMBER = Pace("whatsapp|1", SECOND / 80, 80)
CHAT = Pace("telegram|7", SECOND)
GROUP = Pace("telegram|group|7", 3 * SECOND, 20)


def most_within(taken: list[datetime], window: timedelta) -> int:
    """The most instants that lie in any window of that length, its ends included."""
    taken = sorted(taken)
    most = first = 0
    for last, moment in enumerate(taken):
        while moment - taken[first] > window:
            first += 1
        most = max(most, last - first + 1)
    return most


def fits(taken: list[datetime], pace: Pace) -> bool:
    """Whether instants keep to a bucket: in any window, no more than its burst and what flowed in meanwhile."""
    windows = {later - earlier for earlier in taken for later in taken if later > earlier}
    return all(most_within(taken, window) <= pace.burst + window / pace.interval for window in windows)


async def take(database: Database, keys: Keyring, wanted: tuple[Pace, ...], now: datetime) -> datetime | None:
    """One token of each, in a transaction of its own."""
    return await database.transaction(lambda conn: pacing.take(conn, keys, wanted, now))


@pytest.mark.asyncio
async def test_a_burst_and_then_one_an_interval(database: Database, keys: Keyring) -> None:
    """45 at once, the next after six seconds, as `channels.md` 2.4 says of one pair of numbers."""
    assert [await take(database, keys, (PAIR,), NOW) for _ in range(45)] == [None] * 45
    assert await take(database, keys, (PAIR,), NOW) == NOW + 6 * SECOND
    assert await take(database, keys, (PAIR,), NOW + 5.9 * SECOND) == NOW + 6 * SECOND
    assert await take(database, keys, (PAIR,), NOW + 6 * SECOND) is None
    assert await take(database, keys, (PAIR,), NOW + 6 * SECOND) == NOW + 12 * SECOND


@pytest.mark.asyncio
async def test_all_or_none(database: Database, keys: Keyring) -> None:
    """A full bucket gives nothing away while the other one is empty; the later of the two moments is told."""
    assert await take(database, keys, (CHAT,), NOW) is None
    for _ in range(30):
        assert await take(database, keys, (GROUP, CHAT), NOW) == NOW + SECOND
    assert [await take(database, keys, (GROUP,), NOW) for _ in range(20)] == [None] * 20
    assert await take(database, keys, (GROUP, CHAT), NOW) == NOW + 3 * SECOND


@pytest.mark.asyncio
async def test_nothing_wanted_is_always_there(database: Database, keys: Keyring) -> None:
    """A channel without limits is never held up."""
    assert await take(database, keys, (), NOW) is None


@pytest.mark.asyncio
async def test_holding_back(database: Database, keys: Keyring) -> None:
    """Nobody gets a token before the platform's moment; a shorter word does not shorten it, a burst is not lost."""
    until = NOW + 40 * SECOND
    for moment in (until, NOW + 5 * SECOND):
        await database.transaction(lambda conn, moment=moment: pacing.hold_back(conn, keys, GROUP, moment))
    assert await take(database, keys, (GROUP,), NOW) == until
    assert await take(database, keys, (GROUP,), until - timedelta(microseconds=1)) == until
    assert await take(database, keys, (GROUP,), until) is None
    assert await take(database, keys, (GROUP,), until) == until + 3 * SECOND


@pytest.mark.asyncio
async def test_full_buckets_are_forgotten_and_counts_as_full(database: Database, keys: Keyring) -> None:
    """Rows do not pile up, and a forgotten bucket gives no more than a full one."""
    await take(database, keys, (NUMBER, PAIR), NOW)
    await take(database, keys, (PAIR,), NOW)
    assert await database.transaction(lambda conn: pacing.forget_full(conn, NOW + 2 * SECOND)) == 1
    assert await database.read(pacing.count) == 1
    assert await database.transaction(lambda conn: pacing.forget_full(conn, NOW + 13 * SECOND)) == 1
    assert [await take(database, keys, (PAIR,), NOW + 13 * SECOND) for _ in range(46)].count(None) == 45


paces = st.builds(
    Pace, st.just("any"), st.integers(1, 5_000).map(lambda ms: timedelta(milliseconds=ms)), st.integers(1, 12)
)
steps = st.lists(st.integers(0, 9_000).map(lambda ms: timedelta(milliseconds=ms)), min_size=1, max_size=40)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pace=paces, waits=steps)
def test_any_asking_at_any_time(tmp_path_factory: pytest.TempPathFactory, pace: Pace, waits: list[timedelta]) -> None:
    """Asked at any moments: never more than the bucket allows; and a refusal names the very moment it ends."""
    keys = Keyring.from_keys({"k1": b"\x01" * 32}, "k1", b"\x02" * 32)
    database = create_from_template(tmp_path_factory.mktemp("paces") / "store.db")

    async def ask() -> None:
        now, taken = NOW, []
        for wait in waits:
            now += wait
            again = await take(database, keys, (pace,), now)
            if again is not None:
                assert again > now
                assert not fits([*taken, again - timedelta(microseconds=1)], pace), "it could have been sooner"
                now = again
                assert await take(database, keys, (pace,), now) is None
            taken.append(now)
            assert fits(taken, pace)
        await database.close()

    asyncio.run(ask())


@pytest.mark.asyncio
async def test_several_processes_together_never_exceed_a_bucket(another: Callable[[], Database], keys: Keyring) -> None:
    """Four senders ask for the same two buckets at once, each with what its clock shows: all is kept, none starves."""
    number = Pace("number", SECOND / 4, 6)
    chats = [Pace(f"chat|{n}", SECOND, 2) for n in range(3)]
    taken: list[tuple[datetime, Pace]] = []
    clock = NOW
    choose = random.Random(7)

    async def one_sender(database: Database, tries: int) -> None:
        for _ in range(tries):
            now, chat = clock, choose.choice(chats)
            if await take(database, keys, (number, chat), now) is None:
                taken.append((now, chat))

    processes = [another() for _ in range(4)]
    for _ in range(25):
        await asyncio.gather(*(one_sender(database, 2) for database in processes))
        clock += timedelta(milliseconds=choose.randrange(0, 600))
    moments = [moment for moment, _ in taken]
    assert fits(moments, number)
    for chat in chats:
        assert fits([moment for moment, of in taken if of is chat], chat)
    assert len(taken) > 20
    assert most_within(moments, timedelta(0)) == 6


@pytest.mark.asyncio
async def test_a_new_bucket_asked_for_by_all_at_once(another: Callable[[], Database], keys: Keyring) -> None:
    """The very first token of a bucket, wanted by four processes at the same moment, is given once."""
    processes = [another() for _ in range(4)]
    for number in range(10):
        pace = Pace(f"chat|{number}", SECOND)
        given_out = await asyncio.gather(*(take(database, keys, (pace,), NOW) for database in processes))
        assert given_out.count(None) == 1, number


@pytest.mark.asyncio
async def test_taking_and_holding_back_at_once(another: Callable[[], Database], keys: Keyring) -> None:
    """While one process takes, another is told to wait: afterwards nobody gets a token before the platform's moment."""
    one, other = another(), another()
    for number in range(6):
        pace, until = Pace(f"chat|{number}", SECOND, 3), NOW + 60 * SECOND

        def hold(conn: Connection, pace: Pace = pace, until: datetime = until) -> None:
            pacing.hold_back(conn, keys, pace, until)

        await asyncio.gather(take(one, keys, (pace,), NOW), other.transaction(hold), take(one, keys, (pace,), NOW))
        told = await take(other, keys, (pace,), NOW)
        assert told is not None
        assert told >= until


@pytest.mark.asyncio
async def test_a_token_counts_from_when_it_reached_the_platform(database: Database, keys: Keyring) -> None:
    """One that was long on its way moves the next one back; one that was quick, or told of late, changes nothing."""

    async def reached(at: datetime) -> None:
        await database.transaction(lambda conn: pacing.count_from(conn, keys, CHAT, at))

    assert await take(database, keys, (CHAT,), NOW) is None
    await reached(NOW + SECOND / 2)
    assert await take(database, keys, (CHAT,), NOW + SECOND) == NOW + 1.5 * SECOND
    assert await take(database, keys, (CHAT,), NOW + 1.5 * SECOND) is None
    await reached(NOW + SECOND)
    assert await take(database, keys, (CHAT,), NOW + 2 * SECOND) == NOW + 2.5 * SECOND
