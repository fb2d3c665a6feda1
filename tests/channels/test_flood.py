"""Floods: many people at once, and a platform that says "slow down". On a clock that is moved by hand.

The fakes judge: a call that comes too early, against a rate or against what the platform had said, is a violation.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest
from sqlalchemy import Connection, select
from starlette.applications import Starlette
from telegram.request import HTTPXRequest
from telegram_world import FLOWS, KEYS, MORNING, SECRET, draw, settings

from bot.app import Program, open_program
from bot.channels.telegram.service import Telegram
from bot.channels.whatsapp.service import WhatsApp
from bot.clock import CountedIds, ManualClock, SystemIds
from bot.config import Config
from bot.fakes.telegram import FakeTelegram
from bot.fakes.telegram_faults import refusal
from bot.fakes.whatsapp import FakeWhatsApp
from bot.fakes.whatsapp_app import InProcess
from bot.fakes.whatsapp_delivery import signed_headers
from bot.fakes.whatsapp_events import body_bytes, payloads
from bot.fakes.whatsapp_records import Event, Fault, User
from nlu.understanding import Ranked, Understanding
from storage import outbox
from storage.database import Database, create_from_template, open_database, upgrade
from storage.deliveries import platform_name
from storage.tables import addresses
from storage.tables import outbox as rows_of_outbox
from tests.postgres_server import empty_database

pytestmark = pytest.mark.asyncio

HANDS = 4
"""Messages that one program handles at the same time."""

LIMIT = timedelta(hours=2)
"""A sender that has not come to rest by then never will."""


STEP = timedelta(seconds=0.2)
"""No look at the outbox comes sooner after another."""


class Echo:
    """An engine that understands nothing: each message gets one answer."""

    def parse(self, text: str, *, today: date) -> Understanding:
        return Understanding(text, "greet", 0.95, (Ranked("greet", 0.95),), (Ranked("other", 0.9),), engine="recorded")


Write = Callable[[], Any]
"""Does what a person does, at that moment of the clock; what the platform brings us of it."""


@dataclass(frozen=True, slots=True)
class Got:
    """One message as a person got it. `name` is the platform's."""

    at: datetime
    name: str


class Side(Protocol):
    """One platform. `name` is our name of the channel, `config` our settings for it."""

    name: str
    config: Config

    def adapter(self) -> Any:
        """A channel of ours on this platform: what one process has of it."""

    def connect(self, adapter: Any, program: Program) -> None:
        """Brings what comes in to this program."""

    async def post(self, door: httpx.AsyncClient, parcel: Any) -> int:
        """Brings one thing that a person did; the status of the answer."""

    def got(self) -> Mapping[str, Sequence[Got]]:
        """What each person got, in order, by their address."""

    @property
    def violations(self) -> Sequence[Any]:
        """Calls that came too fast."""


class OnTelegram:
    """The fake Bot API with the rates that Telegram advises."""

    name = "telegram"

    def __init__(self, clock: ManualClock) -> None:
        self.fake = FakeTelegram(now=clock.now, allow_loopback_webhook=True)
        self.config = settings(mode="webhook", api_base_url="http://127.0.0.1:1")
        self._clock = clock

    def adapter(self) -> Telegram:
        transport = httpx.ASGITransport(app=self.fake.app)
        request = HTTPXRequest(connection_pool_size=64, httpx_kwargs={"transport": transport})
        ids = CountedIds()
        return Telegram(self.config, KEYS, FLOWS, self._clock, ids, draw, request=request, updates_request=request)

    def connect(self, adapter: Telegram, program: Program) -> None:
        adapter.connect(program.take_in)

    async def post(self, door: httpx.AsyncClient, parcel: Any) -> int:
        headers = {"x-telegram-bot-api-secret-token": SECRET}
        answer = await door.post("/webhooks/telegram", content=json.dumps(parcel).encode(), headers=headers)
        return answer.status_code

    def got(self) -> Mapping[str, Sequence[Got]]:
        found: defaultdict[str, list[Got]] = defaultdict(list)
        for one in self.fake.accepted:
            found[str(one.chat_id)].append(Got(one.at, str(one.message_id)))
        return found

    @property
    def violations(self) -> Sequence[Any]:
        return self.fake.violations


class OnWhatsApp:
    """The fake Cloud API with Meta's rates."""

    name = "whatsapp"

    def __init__(self, clock: ManualClock) -> None:
        self.fake = FakeWhatsApp(now=clock.now)
        account = self.fake.account
        given = {
            "token": account.token,
            "app_secret": account.app_secret,
            "verify_token": "verify",
            "phone_number_id": account.phone_id,
            "waba_id": account.waba_id,
            "api_base_url": "http://127.0.0.1/v26.0",
            "mark_read": False,
        }
        self.config = Config.model_validate({"whatsapp": given, "web": {"public_url": "https://tanya.example.org"}})
        self._clock = clock

    def adapter(self) -> WhatsApp:
        return WhatsApp(self.config, KEYS, FLOWS, self._clock, CountedIds(), draw, transport=InProcess(self.fake))

    def connect(self, adapter: WhatsApp, program: Program) -> None:
        adapter.connect(program.take_in, program.db)

    async def post(self, door: httpx.AsyncClient, parcel: Event) -> int:
        (payload,) = payloads(self.fake.account, [parcel])
        body = body_bytes(payload)
        headers = signed_headers(body, self.fake.account.app_secret)
        return (await door.post("/webhooks/whatsapp", content=body, headers=headers)).status_code

    def got(self) -> Mapping[str, Sequence[Got]]:
        found: defaultdict[str, list[Got]] = defaultdict(list)
        for one in self.fake.accepted:
            found[one.to].append(Got(one.at, one.id))
        return found

    @property
    def violations(self) -> Sequence[Any]:
        return self.fake.violations


@dataclass
class Office:
    """Programs of ours on one database, and the platform that brings them messages by turns."""

    side: Side
    clock: ManualClock
    programs: list[Program]
    doors: list[httpx.AsyncClient]
    brought: int = 0
    moments: list[datetime] = field(default_factory=list)
    """At which the senders want to look again."""

    def __post_init__(self) -> None:
        for program in self.programs:
            program.sender.wake_at = self.moments.append

    async def bring(self, writes: Sequence[Write]) -> None:
        """Everything at this moment, each to the next process. Nothing of it is handled yet."""
        for write in writes:
            assert await self.side.post(self.doors[self.brought % len(self.doors)], write()) == 200
            self.brought += 1

    async def come_to_rest(self) -> None:
        """Works, and lets time pass to the moment at which a sender wants to look again, until all is sent."""
        until = self.clock.now() + LIMIT
        while await self.programs[0].db.read(outbox.next_free) is not None or self.programs[0].worklist.has_ready:
            await asyncio.gather(*(_work(program) for program in self.programs))
            self.moments[:] = [moment for moment in self.moments if moment > self.clock.now()]
            if self.moments:
                self.clock.advance_to(max(min(self.moments), self.clock.now() + STEP))
            assert self.clock.now() < until, "it comes to rest in the end"
        assert not any(program.worklist.has_ready for program in self.programs)

    async def check(self, people: int) -> int:
        """Nothing lost, nothing twice, each conversation in its order, no rate exceeded. How much was sent."""
        rows = await self.programs[0].db.read(_written)
        assert {status for _, _, status in rows} == {"sent"}
        expected: defaultdict[str, list[bytes]] = defaultdict(list)
        for address, name, _ in rows:
            expected[address].append(name)
        assert len(expected) == people
        got = self.side.got()
        for address, names in expected.items():
            assert [platform_name(KEYS, self.side.name, one.name) for one in got[address]] == names
        assert sum(map(len, got.values())) == len(rows)
        assert list(self.side.violations) == []
        return len(rows)


async def _work(program: Program) -> None:
    async def hand() -> None:
        while program.worklist.has_ready:
            await program.worklist.work_on_next(program.turns.handle)

    await asyncio.gather(*(hand() for _ in range(HANDS)))
    await program.settle()


def _written(conn: Connection) -> list[tuple[str, bytes, str]]:
    """Address, the look-up of the platform's name, and status of every reply, in order."""
    asked = (
        select(addresses.c.lookup, addresses.c.address, rows_of_outbox.c.platform_id, rows_of_outbox.c.status)
        .join_from(rows_of_outbox, addresses, addresses.c.conversation == rows_of_outbox.c.conversation)
        .order_by(rows_of_outbox.c.id)
    )
    return [
        (KEYS.open_text("addresses", "address", lookup.hex(), address), name, status)
        for lookup, address, name, status in conn.execute(asked)
    ]


@asynccontextmanager
async def _office(side: Side, clock: ManualClock, databases: Sequence[Database]) -> AsyncIterator[Office]:
    async with AsyncExitStack() as stack:
        programs, doors = [], []
        for database in databases:
            adapter = side.adapter()
            program = await stack.enter_async_context(
                open_program(
                    side.config,
                    keys=KEYS,
                    database=database,
                    channels=[adapter.channel],
                    clock=clock,
                    ids=SystemIds(),
                    flows=FLOWS,
                    understander=Echo(),
                )
            )
            side.connect(adapter, program)
            stack.push_async_callback(adapter.stop)
            transport = httpx.ASGITransport(app=Starlette(routes=adapter.routes()))
            doors.append(
                await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://us.test"))
            )
            programs.append(program)
        yield Office(side, clock, programs, doors)


@pytest.fixture(params=["one process", "two processes"])
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Database]]:
    """One program on SQLite, or two that share a PostgreSQL database, and with it the buckets."""
    if request.param == "one process":
        yield [create_from_template(tmp_path / "flood.db")]
        return

    async def migrate(url: str) -> None:
        database = open_database(url)
        await upgrade(database)
        await database.close()

    with empty_database("rangkul_flood") as url:
        asyncio.run(migrate(url))
        yield [open_database(url), open_database(url)]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(MORNING)


# ── Telegram ─────────────────────────────────────────────────────────────────────────────────────


async def test_telegram_when_everybody_writes_at_once(databases: list[Database], clock: ManualClock) -> None:
    """One a second to each, 30 a second to all, 20 a minute to a group: all get all, as fast as that goes."""
    side = OnTelegram(clock)
    updates = side.fake.updates
    async with _office(side, clock, databases) as office:
        people = [side.fake.person(f"Warga {number}") for number in range(60)]
        group = side.fake.group("Paguyuban ojek")
        writes: list[Write] = [lambda person=person: updates.text(person, "halo") for person in people * 2]
        writes += [lambda person=person: updates.text(person, "/help", chat=group) for person in people[:25]]
        await office.bring(writes)
        began = clock.now()
        await office.come_to_rest()
        sent = await office.check(len(people) + 1)
        assert sent >= 2 * len(people)
        assert len(side.got()[str(group.id)]) == 1  # whoever calls: a group is told once in an hour
        rate = side.config.telegram.messages_per_second
        # On this clock a look comes each second, and the last two replies to one person are a look apart.
        assert clock.now() - began < timedelta(seconds=sent / rate) * 1.2 + timedelta(seconds=2)


async def test_telegram_says_slow_down(databases: list[Database], clock: ManualClock) -> None:
    """Each chat waits for as long as it was told, again and again; nobody else waits, and no try is used up."""
    side = OnTelegram(clock)
    updates = side.fake.updates
    async with _office(side, clock, databases) as office:
        people = [side.fake.person(f"Warga {number}") for number in range(24)]
        told = {person.id: 3 + number for number, person in enumerate(people[:8])}
        for chat_id, seconds in told.items():
            for _ in range(12):  # more often than a message is tried that the platform said nothing about
                trouble = refusal(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
                side.fake.fail(trouble, method="sendMessage", chat_id=chat_id)
        await office.bring([lambda person=person: updates.text(person, "halo") for person in people * 2])
        began = clock.now()
        await office.come_to_rest()
        await office.check(len(people))
        got = side.got()
        for chat_id, seconds in told.items():
            waited = got[str(chat_id)][0].at - began
            assert timedelta(seconds=12 * seconds) <= waited < timedelta(seconds=12 * (seconds + 2))
        assert max(got[str(person.id)][0].at for person in people[8:]) - began < timedelta(seconds=5)


# ── WhatsApp ─────────────────────────────────────────────────────────────────────────────────────


async def _at_a_pace(office: Office, writes: Sequence[Write], each_second: int) -> None:
    """What people write counts towards the number's 80 a second, too: they do not all write within one."""
    for place in range(0, len(writes), each_second):
        await office.bring(writes[place : place + each_second])
        office.clock.advance(timedelta(seconds=1))


def _people(side: OnWhatsApp, count: int) -> list[User]:
    return [
        side.fake.add_user(f"Warga {number}", phone=f"62813{9_000_000 + number}", user_id=f"ID.9000000000{number:04}")
        for number in range(count)
    ]


async def test_whatsapp_when_everybody_writes_at_once(databases: list[Database], clock: ManualClock) -> None:
    """80 a second for the number, 45 and then one each six seconds to a person: all get all."""
    side = OnWhatsApp(clock)
    inbound = side.fake.inbound
    async with _office(side, clock, databases) as office:
        people = _people(side, 60)
        writes: list[Write] = [lambda user=user: inbound.text(user, "halo") for user in people * 2]
        writes += [lambda: inbound.text(people[0], "halo")] * 50
        await _at_a_pace(office, writes, 40)
        began = clock.now()
        await office.come_to_rest()
        sent = await office.check(len(people))
        assert sent >= len(writes)
        of_one = len(side.got()[people[0].key])
        assert clock.now() - began < timedelta(seconds=sent / 40 + 6 * (of_one - 40) + 12)


async def test_whatsapp_says_slow_down(databases: list[Database], clock: ManualClock) -> None:
    """After 130429 the number rests, after 131056 one person waits 1, 4, 16 … seconds."""
    side = OnWhatsApp(clock)
    inbound = side.fake.inbound
    async with _office(side, clock, databases) as office:
        people = _people(side, 30)
        slow, others = people[0], people[1:]
        side.fake.fail(Fault(code=131056, kind="interactive", to=slow.key, times=4))
        await _at_a_pace(office, [lambda user=user: inbound.text(user, "halo") for user in people * 2], 40)
        began = clock.now()
        await office.come_to_rest()
        tries = [request.at - began for request in side.fake.requests if request.code == 131056]
        waits = [later - earlier for earlier, later in pairwise([*tries, side.got()[slow.key][0].at - began])]
        assert [round(wait / timedelta(seconds=1)) for wait in waits] == [1, 4, 16, 64]
        assert max(side.got()[user.key][-1].at for user in others) - began < timedelta(seconds=10)

        side.fake.fail(Fault(code=130429, times=3, retry_after_s=5))
        await office.bring([lambda user=user: inbound.text(user, "halo") for user in people])
        before = len(side.fake.requests)
        await office.come_to_rest()
        rested = [request.at for request in side.fake.requests[before:]]
        refused = [request.at for request in side.fake.requests if request.code == 130429]
        assert len(refused) == 3
        assert not [at for at in rested for told in refused if told < at < told + timedelta(seconds=5)]
        await office.check(len(people))
