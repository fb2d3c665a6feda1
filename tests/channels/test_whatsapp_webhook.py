"""The webhook of WhatsApp on a real program: proven, stored before the 200, answered through the fake Cloud API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import uvicorn
from sqlalchemy import func, select
from starlette.applications import Starlette
from whatsapp_judge import judge
from whatsapp_world import MORNING

from bot.app import Program, open_program
from bot.channels.whatsapp.intake import MAX_RECEIPTS, Intake
from bot.channels.whatsapp.service import WhatsApp
from bot.channels.whatsapp.webhook import MAX_BODY_BYTES
from bot.clock import CountedIds, ManualClock
from bot.config import Config, TurnSection, WhatsAppSection
from bot.fakes.server import serving
from bot.fakes.whatsapp import FakeWhatsApp
from bot.fakes.whatsapp_app import InProcess
from bot.fakes.whatsapp_delivery import MALFORMED, Courier, handshake, http_target, signed_headers
from bot.fakes.whatsapp_events import Grouping, body_bytes, payloads
from bot.fakes.whatsapp_records import Account, Fault, Template, User
from flows.catalogue import load_flows
from flows.model import StaffAction, Text, Unknown
from flows.work import Flows
from nlu.understanding import Ranked, Understanding
from storage import inbox, senders, tickets
from storage.database import Conflict, Unavailable, create_from_template
from storage.inbox import Accepted, Arrival, Event
from storage.keyring import Keyring
from storage.outbox import Rendered
from storage.tables import inbox as inbox_table
from storage.tables import outbox as outbox_table

PHONE = "6281200009001"
BSUID = "ID.90000000000000001"
VERIFY = "kata-rahasia é"
NO_OBJECTS = [MALFORMED[name] for name in ("empty", "not json", "not utf-8", "a list", "a string", "deeply nested")]


@cache
def flows() -> Flows:
    return load_flows(Config().flow_settings())


class Phrasebook:
    """An engine that knows two messages."""

    def parse(self, text: str, *, today: date) -> Understanding:
        intent = {"halo": "greet", "petugas": "talk_to_staff"}.get(text, "out_of_scope")
        return Understanding(text, intent, 0.95, (Ranked(intent, 0.95),), (Ranked("other", 0.9),), engine="recorded")


async def no_picture(_: Rendered) -> bytes | None:
    return None


@dataclass
class Place:
    """A program with WhatsApp on, its webhook, and the platform on the other side."""

    fake: FakeWhatsApp
    program: Program
    whatsapp: WhatsApp
    intake: Intake
    app: Starlette
    http: httpx.AsyncClient
    courier: Courier
    trouble: list[Exception] = field(default_factory=list)

    @property
    def path(self) -> str:
        return self.program.config.whatsapp.webhook_path

    async def take_in(self, events: Sequence[Event]) -> list[Accepted]:
        """The program's, after the trouble that a test orders."""
        if self.trouble:
            raise self.trouble.pop(0)
        return await self.program.take_in(events)

    async def contents(self) -> list[Any]:
        """What is stored of what came in, in order."""
        conversation = select(inbox_table.c.conversation).distinct()
        rows = await self.program.db.read(
            lambda conn: [
                row
                for (name,) in conn.execute(conversation)
                for row in inbox.whole_conversation(conn, self.program.keys, name)
            ]
        )
        return [row.content for row in sorted(rows, key=lambda row: row.inbox_id)]

    async def deliveries(self) -> list[str | None]:
        """What the platform told of each message of ours, in order."""
        told = select(outbox_table.c.delivery).order_by(outbox_table.c.id)
        return await self.program.db.read(lambda conn: [row[0] for row in conn.execute(told)])

    async def receipts_done(self) -> None:
        await asyncio.gather(*self.intake._receipts)


def config_of(fake: FakeWhatsApp, **more: Any) -> Config:
    account = fake.account
    settings = {
        "token": account.token,
        "app_secret": account.app_secret,
        "verify_token": VERIFY,
        "phone_number_id": account.phone_id,
        "api_base_url": "http://127.0.0.1:1/v26.0",
        **more,
    }
    return Config(turn=TurnSection(lease_s=0), whatsapp=WhatsAppSection.model_validate(settings))


@asynccontextmanager
async def opened(tmp_path: Path, fake: FakeWhatsApp, clock: ManualClock, **more: Any) -> AsyncIterator[Place]:
    keys = Keyring.from_keys({"t": bytes(range(32))}, "t", bytes(range(32, 64)))
    config, ids = config_of(fake, **more), CountedIds()
    over_network = "api_base_url" in more
    whatsapp = WhatsApp(
        config, keys, flows(), clock, ids, no_picture, transport=None if over_network else InProcess(fake)
    )
    async with open_program(
        config,
        keys=keys,
        database=create_from_template(tmp_path / "rangkul.db"),
        channels=[whatsapp.channel],
        clock=clock,
        ids=ids,
        flows=flows(),
        understander=Phrasebook(),
    ) as program:
        place = Place(fake, program, whatsapp, None, None, None, None)  # type: ignore[arg-type]
        place.intake = whatsapp.connect(place.take_in, program.db)
        place.app = Starlette(routes=whatsapp.routes())
        place.http = httpx.AsyncClient(transport=httpx.ASGITransport(place.app), base_url="http://ours.test")
        place.courier = Courier(fake, http_target(place.http, place.path))
        async with place.http:
            yield place
        await whatsapp.stop()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(MORNING)


@pytest.fixture
def fake(clock: ManualClock) -> FakeWhatsApp:
    news = Template(name="ada_kabar", body="Ada kabar untuk Bapak/Ibu. Balas pesan ini.")
    return FakeWhatsApp(now=clock.now, templates=[news])


@pytest.fixture
def siti(fake: FakeWhatsApp) -> User:
    return fake.add_user("Siti Rahayu", phone=PHONE, user_id=BSUID)


@pytest_asyncio.fixture
async def place(tmp_path: Path, fake: FakeWhatsApp, clock: ManualClock) -> AsyncIterator[Place]:
    async with opened(tmp_path, fake, clock) as place:
        yield place
    sent = [request for request in fake.requests if request.path.endswith("/messages")]
    assert [problem for request in sent for problem in judge(request.params)] == []


# ── who may speak for Meta ───────────────────────────────────────────────────────────────────────


@pytest.mark.asyncio
async def test_the_handshake_gives_the_challenge_back(place: Place) -> None:
    """As plain text, to whoever knows our word."""
    response = await place.http.get(place.path, params=handshake(VERIFY, "1158201444"))
    assert (response.status_code, response.text) == (200, "1158201444")
    assert response.headers["content-type"].startswith("text/plain")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "query", [handshake("kata-lain"), handshake(VERIFY, mode="unsubscribe"), handshake(""), handshake("é\ud83d"), {}]
)
async def test_the_handshake_is_for_nobody_else(place: Place, query: dict[str, str]) -> None:
    """Also the mode must be right, which pywa does not look at; and strange letters break nothing."""
    given = {key: value.encode("utf-8", "surrogatepass") for key, value in query.items()}
    assert (await place.http.get(place.path, params=given)).status_code == 403
    assert place.intake.counts["handshake"] == 1


@pytest.mark.asyncio
@pytest.mark.parametrize("signature", ["wrong", "missing", "malformed", "not_ascii"])
async def test_a_body_with_another_signature_is_refused_without_effect(
    place: Place, siti: User, signature: Any
) -> None:
    """401, counted; nothing is read of it."""
    assert await place.courier.send(place.fake.inbound.text(siti, "halo"), signature=signature) == [401]
    assert await place.contents() == []
    assert place.intake.counts["bad_signature"] == 1


@pytest.mark.asyncio
async def test_the_signature_is_of_the_raw_bytes(place: Place, siti: User) -> None:
    """The same JSON with other bytes is another body."""
    (payload,) = payloads(place.fake.account, [place.fake.inbound.text(siti, "halo é")])
    headers = signed_headers(body_bytes(payload), place.fake.account.app_secret)
    other = await place.http.post(place.path, content=body_bytes(payload) + b" ", headers=headers)
    assert other.status_code == 401
    same = await place.http.post(place.path, content=body_bytes(payload), headers=headers)
    assert same.status_code == 200


@pytest.mark.asyncio
@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
async def test_a_signed_body_that_holds_nothing_for_us_has_no_effect(place: Place, body: bytes) -> None:
    """400 for what is no JSON object, 200 for what is one: never a 5xx, for it would come again for a week."""
    status = await place.courier.send_body(body)
    assert (
        status == (200 if body.startswith(b'{"object"') or body == b"{}" else 400)
        or b"\xff" in body
        or len(body) > 99_999
    )
    assert status in (200, 400)
    assert await place.contents() == []


@pytest.mark.asyncio
async def test_people_of_another_number_are_left_alone(place: Place, siti: User) -> None:
    """200, because it is not Meta's mistake; counted, because it is somebody's."""
    (payload,) = payloads(Account(phone_id="999"), [place.fake.inbound.text(siti, "halo")])
    assert await place.courier.send_body(body_bytes(payload)) == 200
    assert (await place.contents(), place.intake.counts["foreign"]) == ([], 1)


@pytest.mark.asyncio
async def test_three_megabytes_are_read_and_more_than_four_are_not(place: Place, siti: User) -> None:
    """A thousand long messages in one body arrive whole."""
    words = "halo " * 600
    messages = [place.fake.inbound.text(siti, f"{n} {words}") for n in range(1000)]
    (payload,) = payloads(place.fake.account, messages, grouping="messages")
    body = body_bytes(payload)
    assert 3_000_000 < len(body) < MAX_BODY_BYTES
    assert await place.courier.send_body(body) == 200
    assert len(await place.contents()) == 1000
    assert await place.courier.send_body(bytes(MAX_BODY_BYTES + 1)) == 413


# ── what is stored ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.asyncio
@pytest.mark.parametrize("grouping", ["apart", "messages", "changes", "entries"])
async def test_every_message_of_a_batch_is_stored_once(place: Place, siti: User, grouping: Grouping) -> None:
    """However Meta packs them, and although it brings them twice, in the same bytes and in others."""
    made = place.fake.add_user("Made", user_id="ID.90000000000000002")
    first = [place.fake.inbound.text(user, text) for user, text in ((siti, "satu"), (made, "dua"), (siti, "tiga"))]
    for again in ("same body", "other body"):
        statuses = await place.courier.send(*first, grouping=grouping, again=again)  # type: ignore[arg-type]
        assert set(statuses) == {200}
    assert await place.contents() == [Text("satu"), Text("dua"), Text("tiga")]


@pytest.mark.asyncio
@pytest.mark.parametrize("error", [Unavailable("away"), Conflict("again")])
async def test_what_cannot_be_stored_now_is_brought_again(place: Place, siti: User, error: Exception) -> None:
    """503, and no 200 before it is on disk."""
    place.trouble = [error]
    assert await place.courier.send(place.fake.inbound.text(siti, "halo")) == [503]
    assert await place.contents() == []
    assert await place.courier.run() == [200]
    assert await place.contents() == [Text("halo")]


@pytest.mark.asyncio
async def test_one_message_that_cannot_be_stored_does_not_hold_up_the_others(place: Place, siti: User) -> None:
    """Of it, that something came is stored, so that the person is answered."""
    take_in = place.take_in

    async def picky(events: Sequence[Event]) -> list[Accepted]:
        if any(isinstance(event, Arrival) and event.content == Text("racun") for event in events):
            raise ValueError("cannot be stored")
        return await take_in(events)

    place.intake._take_in = picky
    texts = [place.fake.inbound.text(siti, text) for text in ("satu", "racun", "tiga")]
    assert await place.courier.send(*texts, grouping="messages") == [200]
    assert await place.contents() == [Text("satu"), Unknown("unstorable"), Text("tiga")]


@pytest.mark.asyncio
async def test_a_change_of_number_keeps_the_conversation(place: Place, siti: User) -> None:
    """The old number may pass to a stranger, who then is one."""
    await place.courier.send(place.fake.inbound.text(siti, "halo"))
    event, moved = place.fake.inbound.changed_number(siti, "6281200009009")
    assert await place.courier.send(event) == [200]
    await place.courier.send(place.fake.inbound.text(moved, "ini nomor baru saya"))
    await place.courier.send(place.fake.inbound.text(place.fake.add_user("Budi", phone=PHONE), "siapa ini"))
    keys = place.program.keys

    def found(name: str) -> Any:
        return place.program.db.read(lambda conn: senders.find(conn, keys, "whatsapp", name))

    assert await found(BSUID) == await found("6281200009009") != await found(PHONE)


# ── the whole way ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.asyncio
async def test_a_greeting_is_answered_and_the_answer_followed(place: Place, siti: User) -> None:
    """In and out through the platform; what it tells of the answer is kept, whatever order it tells it in."""
    await place.courier.send(place.fake.inbound.text(siti, "halo"))
    await place.program.settle()
    (answer,) = place.fake.shown_to(siti)
    assert answer.raw["to"] == f"+{PHONE}"
    assert answer.buttons
    read, delivered = (place.fake.status(answer, name) for name in ("read", "delivered"))
    assert await place.courier.send(read, delivered) == [200, 200]
    assert await place.deliveries() == ["read"]
    await place.courier.send(place.fake.inbound.press(siti, answer.buttons[0][0], on=answer))
    await place.program.settle()
    assert len(place.fake.shown_to(siti)) == 2


@pytest.mark.asyncio
async def test_somebody_without_a_number_is_answered_by_their_id(place: Place) -> None:
    """Usernames hide numbers."""
    made = place.fake.add_user("Made", user_id="ID.90000000000000002", username="made.sujana", shows_phone=False)
    await place.courier.send(place.fake.inbound.text(made, "halo"))
    await place.program.settle()
    (answer,) = place.fake.shown_to(made)
    assert answer.raw["recipient"] == "ID.90000000000000002"


@pytest.mark.asyncio
async def test_a_message_in_doubt_is_cleared_up_by_its_status(place: Place, siti: User, clock: ManualClock) -> None:
    """Accepted, but never answered: the status carries our id, so nothing is sent twice."""
    place.fake.fail(Fault(silent=True, kind="interactive"))
    await place.courier.send(place.fake.inbound.text(siti, "halo"))
    await place.program.settle()
    (answer,) = place.fake.shown_to(siti)
    await place.courier.send(place.fake.status(answer, "delivered"))
    clock.advance(timedelta(minutes=5))
    await place.program.settle()
    assert place.fake.shown_to(siti) == [answer]
    assert await place.deliveries() == ["delivered"]


@pytest.mark.asyncio
async def test_without_a_status_it_is_sent_again_after_a_minute(place: Place, siti: User, clock: ManualClock) -> None:
    """And not before: WhatsApp tells within that time of nearly all it has taken."""
    place.fake.fail(Fault(dropped=True, kind="interactive"))
    await place.courier.send(place.fake.inbound.text(siti, "halo"))
    await place.program.settle()
    clock.advance(timedelta(seconds=50))
    await place.program.settle()
    assert place.fake.shown_to(siti) == []
    clock.advance(timedelta(seconds=20))
    await place.program.settle()
    assert len(place.fake.shown_to(siti)) == 1


@pytest.mark.asyncio
async def test_over_real_connections(tmp_path: Path, fake: FakeWhatsApp, clock: ManualClock, siti: User) -> None:
    """Meta's side and ours each on a port: handshake, a signed message, the answer, a badly signed one."""
    with serving(fake.app) as url:
        async with opened(tmp_path, fake, clock, api_base_url=f"{url}/v26.0") as place, listening(place.app) as ours:
            async with httpx.AsyncClient(base_url=ours) as meta:
                proven = await meta.get(place.path, params=handshake(VERIFY, "7"))
                assert (proven.status_code, proven.text) == (200, "7")
                courier = Courier(fake, http_target(meta, f"{ours}{place.path}"))
                assert await courier.send(fake.inbound.text(siti, "halo")) == [200]
                assert await courier.send(fake.inbound.text(siti, "halo"), signature="not_ascii") == [401]
            await place.program.settle()
            await place.receipts_done()
            assert len(fake.shown_to(siti)) == 1
            assert len(fake.typing_shown) == 1


class Listening(uvicorn.Server):
    """Says when it can be reached."""

    def __init__(self, app: Starlette) -> None:
        super().__init__(uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="off", log_config=None))
        self.is_up = asyncio.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.is_up.set()


@asynccontextmanager
async def listening(app: Starlette) -> AsyncIterator[str]:
    """The address of an application that is served in this very loop."""
    server = Listening(app)
    serve = asyncio.create_task(server.serve())
    await server.is_up.wait()
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serve


# ── read receipts ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.asyncio
async def test_what_was_stored_is_shown_as_read_once_a_conversation(place: Place, siti: User) -> None:
    """The newest message of a batch covers those before it; what comes a second time is not news."""
    texts = [place.fake.inbound.text(siti, text) for text in ("satu", "dua")]
    await place.courier.send(*texts, grouping="messages")
    await place.receipts_done()
    await place.courier.send(*texts, grouping="messages")
    await place.receipts_done()
    assert place.fake.typing_shown == [texts[1].body["id"]]
    assert place.intake.counts["receipts"] == 1


@pytest.mark.asyncio
async def test_typing_is_not_shown_where_a_person_answers(place: Place, siti: User) -> None:
    """Somebody at the desk has taken the talk: their answer may take hours."""
    await place.courier.send(place.fake.inbound.text(siti, "petugas"))
    await place.program.settle()
    await place.receipts_done()
    (ticket,) = await place.program.db.read(lambda conn: tickets.list_tickets(conn, place.program.keys))
    conversation = await place.program.db.read(lambda conn: tickets.conversation_of(conn, ticket.code))
    take = StaffAction("take", ticket.code, "rina-id", "Rina")
    await place.program.receive_internal(conversation=conversation or "", key="k1", content=take)
    await place.program.settle()
    assert len(place.fake.typing_shown) == 1
    await place.courier.send(place.fake.inbound.text(siti, "halo"))
    await place.receipts_done()
    assert len(place.fake.typing_shown) == 1


@pytest.mark.asyncio
async def test_a_receipt_that_fails_harms_nothing(place: Place, siti: User) -> None:
    """It is counted; the answer goes out."""
    place.fake.fail(Fault(code=131016, kind="typing"))
    assert await place.courier.send(place.fake.inbound.text(siti, "halo")) == [200]
    await place.receipts_done()
    await place.program.settle()
    assert place.intake.counts["receipts_failed"] == 1
    assert len(place.fake.shown_to(siti)) == 1


@pytest.mark.asyncio
async def test_receipts_are_bounded(place: Place) -> None:
    """A storm of messages does not become a storm of calls."""
    people = [place.fake.add_user(f"Orang {n}", phone=f"62812000{n:05d}") for n in range(50)]
    await place.courier.send(*(place.fake.inbound.text(user, "halo") for user in people), grouping="messages")
    await place.receipts_done()
    assert len(place.fake.typing_shown) == MAX_RECEIPTS
    assert place.intake.counts["receipts_left_out"] == 50 - MAX_RECEIPTS


@pytest.mark.asyncio
async def test_receipts_can_be_turned_off(tmp_path: Path, fake: FakeWhatsApp, clock: ManualClock, siti: User) -> None:
    """Then nothing is said before the answer."""
    async with opened(tmp_path, fake, clock, mark_read=False) as place:
        await place.courier.send(fake.inbound.text(siti, "halo"))
        await place.receipts_done()
        count = await place.program.db.read(
            lambda conn: conn.execute(select(func.count()).select_from(inbox_table)).scalar_one()
        )
    assert (count, fake.read_marks) == (1, [])
