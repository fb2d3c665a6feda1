"""The fake's webhooks and the hand-written ones: two readers nobody here wrote accept and read them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from kapso_whatsapp.webhooks import normalize_webhook, verify_signature
from pywa.utils import webhook_updates_validator
from pywa_async import WhatsApp, handlers
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.clock import ManualClock
from bot.fakes.whatsapp import FakeWhatsApp
from bot.fakes.whatsapp_delivery import MALFORMED, Courier, handshake, http_target, signed_headers
from bot.fakes.whatsapp_events import body_bytes, payloads
from bot.fakes.whatsapp_records import Event, Template, User
from tests.channels.whatsapp_world import JPEG, MORNING, text_to

Json = dict[str, Any]
PAYLOADS = Path(__file__).parent / "payloads" / "whatsapp"
NAMES = sorted(path.stem for path in PAYLOADS.glob("*.json"))
PHONE, USER_ID = "6281200009001", "ID.90000000000000001"

READ_BY_PYWA = {
    "button": "CallbackButton",
    "interactive_button_reply": "CallbackButton",
    "interactive_list_reply": "CallbackSelection",
    "interactive_nfm_reply": "FlowCompletion",
    "system_user_changed_number": "PhoneNumberChange",
    "template_status_update": "TemplateStatusUpdate",
}
LOST_BY_PYWA = {"sender_phone_only", "sender_without_contacts", "status_failed", "account_error"}
"""Documented shapes that pywa 4.5.0 drops: it wants contacts with a user_id, and knows no errors of a value."""


@dataclass
class Inbox:
    """A webhook that keeps what kapso finds rightly signed; its answers can be ordered."""

    secret: str
    answers: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    turned_away: int = 0

    async def take(self, body: bytes, headers: Mapping[str, str]) -> int:
        signature = headers.get("x-hub-signature-256")
        if not verify_signature(app_secret=self.secret, raw_body=body, signature_header=signature):
            self.turned_away += 1
            return 401
        status = self.answers.pop(0) if self.answers else 200
        if status == 200:
            self.bodies.append(body)
        return status

    @property
    def texts(self) -> list[str]:
        found = [message for body in self.bodies for message in normalize_webhook(body.decode()).messages]
        return [message["text"]["body"] for message in found]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(MORNING)


@pytest.fixture
def fake(clock: ManualClock) -> FakeWhatsApp:
    return FakeWhatsApp(now=clock.now, templates=[Template(name="sapa", body="Halo", quick_replies=("Bayar",))])


@pytest.fixture
def siti(fake: FakeWhatsApp) -> User:
    return fake.add_user("Siti Rahayu", phone=PHONE, user_id=USER_ID)


@pytest.fixture
def inbox(fake: FakeWhatsApp) -> Inbox:
    return Inbox(fake.account.app_secret)


@pytest.fixture
def courier(fake: FakeWhatsApp, inbox: Inbox) -> Courier:
    return Courier(fake, inbox.take)


def written(name: str) -> Json:
    payload: Json = json.loads((PAYLOADS / f"{name}.json").read_text())
    return payload


def parts(payload: Json, part: str) -> list[Json]:
    values = [change["value"] for entry in payload["entry"] for change in entry["changes"]]
    return [item for value in values for item in value.get(part, [])]


def shape(value: Any) -> Any:
    """Keys and kinds of values, without the values; a list is the shape of its first item."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else type(value).__name__


async def seen_by_pywa(bodies: list[bytes]) -> list[str]:
    """The class of each update that pywa hands to its handlers."""
    seen: list[str] = []

    async def note(_: WhatsApp, update: object) -> None:
        seen.append(type(update).__name__)

    kinds = (
        handlers.MessageHandler,
        handlers.CallbackButtonHandler,
        handlers.CallbackSelectionHandler,
        handlers.FlowCompletionHandler,
        handlers.MessageStatusHandler,
        handlers.PhoneNumberChangeHandler,
        handlers.TemplateStatusUpdateHandler,
    )
    async with httpx.AsyncClient() as session:
        client = WhatsApp(phone_id="106540352242922", token="x", session=session, validate_updates=False)
        client.add_handlers(*(kind(note) for kind in kinds))
        for body in bodies:
            await client.webhook_update_handler(body)
    return seen


@pytest.mark.parametrize("name", NAMES)
def test_kapso_reads_every_written_payload(name: str) -> None:
    """Each message and status in a file is found, with its id, batches and failures without contacts included."""
    payload = written(name)
    read = normalize_webhook(body_bytes(payload).decode())
    assert [message["id"] for message in read.messages] == [message["id"] for message in parts(payload, "messages")]
    assert [status.id for status in read.statuses] == [status["id"] for status in parts(payload, "statuses")]
    assert read.messages or read.statuses or name in ("account_error", "template_status_update")


@pytest.mark.filterwarnings("ignore:Unknown MessageType")
@pytest.mark.parametrize("name", [name for name in NAMES if name != "batch"])
@pytest.mark.asyncio
async def test_pywa_reads_the_written_payloads(name: str) -> None:
    """pywa sees in each file what it is about, but for shapes that it is known to drop."""
    expected = READ_BY_PYWA.get(name, "MessageStatus" if name.startswith("status") else "Message")
    assert await seen_by_pywa([body_bytes(written(name))]) == ([] if name in LOST_BY_PYWA else [expected])


def built_like(name: str, fake: FakeWhatsApp, siti: User) -> Event:
    """What the fake builds for the event a file shows."""
    inbound = fake.inbound
    inbound.text(siti, "halo")
    buttons = {"buttons": [{"type": "reply", "reply": {"id": "a:1", "title": "Ya"}}]}
    rows = {"button": "Lihat", "sections": [{"rows": [{"id": "r", "title": "Saldo", "description": "JHT"}]}]}
    for kind, action in (("button", buttons), ("list", rows)):
        part = {"type": kind, "body": {"text": "?"}, "action": action}
        fake.send({"messaging_product": "whatsapp", "to": PHONE, "type": "interactive", "interactive": part})
    sapa = {"name": "sapa", "language": {"code": "id"}}
    fake.send({"messaging_product": "whatsapp", "to": PHONE, "type": "template", "template": sapa})
    fake.send(text_to(PHONE, biz_opaque_callback_data="outbox-1"))
    ours = fake.accepted[-1]
    if name == "image_with_url":
        fake.file_host = "https://lookaside.example"
    elif name == "sender_phone_only":
        siti = fake.add_user("Siti Rahayu", phone=PHONE)
    elif name == "sender_username_only":
        siti = fake.add_user("Made", user_id="ID.90000000000000002", username="made.sujana")
    builders = {
        "text": lambda: inbound.text(siti, "halo"),
        "text_answering": lambda: inbound.text(siti, "ya", answers=ours),
        "text_forwarded": lambda: inbound.text(siti, "INFO", forwarded=True),
        "image": lambda: inbound.image(siti, JPEG, caption="struk"),
        "image_with_url": lambda: inbound.image(siti, JPEG),
        "voice": lambda: inbound.voice(siti, b"OggS"),
        "audio": lambda: inbound.audio(siti, b"ID3"),
        "video": lambda: inbound.video(siti, b"mp4", caption="tadi pagi"),
        "sticker": lambda: inbound.sticker(siti, b"RIFF"),
        "document": lambda: inbound.document(siti, b"%PDF", filename="kk.pdf", caption="KK"),
        "location": lambda: inbound.location(siti, -6.2, 106.8),
        "interactive_button_reply": lambda: inbound.press(siti, "Ya"),
        "interactive_list_reply": lambda: inbound.press(siti, "Saldo"),
        "interactive_nfm_reply": lambda: inbound.flow_reply(siti, {"pekerjaan": "ojek"}, to=ours),
        "button": lambda: inbound.press(siti, "Bayar"),
        "reaction": lambda: inbound.reaction(siti, ours, "👍"),
        "reaction_removed": lambda: inbound.reaction(siti, ours, None),
        "order": lambda: inbound.order(siti, "iuran", text="untuk tiga bulan"),
        "system_user_changed_number": lambda: inbound.changed_number(siti, "6281200009009")[0],
        "unknown_type": lambda: inbound.any(siti, "hologram", {"id": "1", "depth": 3}),
        "sender_username_only": lambda: inbound.text(siti, "halo"),
        "sender_phone_only": lambda: inbound.text(siti, "halo"),
        "status_sent": lambda: fake.status(ours, "sent"),
        "status_delivered": lambda: fake.status(ours, "delivered"),
        "status_read": lambda: fake.status(ours, "read"),
        "status_failed": lambda: fake.status(ours, "failed", code=131047),
    }
    return builders[name]()


BUILT = (
    "text", "text_answering", "text_forwarded", "image", "image_with_url", "voice", "audio", "video", "sticker",
    "document", "location", "interactive_button_reply", "interactive_list_reply", "interactive_nfm_reply", "button",
    "reaction", "reaction_removed", "order", "system_user_changed_number", "unknown_type", "sender_username_only",
    "sender_phone_only", "status_sent", "status_delivered", "status_read", "status_failed",
)  # fmt: skip


@pytest.mark.parametrize("name", BUILT)
def test_the_fake_builds_what_is_published(name: str, fake: FakeWhatsApp, siti: User) -> None:
    """Every key of the hand-written file is in the built webhook, and no other."""
    (payload,) = payloads(fake.account, [built_like(name, fake, siti)])
    assert shape(payload) == shape(written(name))


def test_what_is_not_built_alike_is_still_read(fake: FakeWhatsApp, siti: User) -> None:
    """Contact cards, and what WhatsApp cannot hand on, reach kapso whole."""
    cards = fake.inbound.contacts(siti, ("Made Sujana", "6281200009002"))
    lost = fake.inbound.unsupported(siti)
    read = normalize_webhook(payloads(fake.account, [cards, lost], grouping="messages")[0])
    assert read.messages[0]["contacts"][0]["phones"][0]["waId"] == "6281200009002"
    assert (read.messages[1]["type"], read.messages[1]["errors"][0]["code"]) == ("unsupported", 131051)


def test_bodies_are_escaped_and_signed_as_they_are(fake: FakeWhatsApp, siti: User) -> None:
    """Unicode and slashes travel escaped; both readers take the signature of those very bytes and no other."""
    body = body_bytes(payloads(fake.account, [fake.inbound.text(siti, "terima kasih 🙏 1/2")])[0])
    secret = fake.account.app_secret
    assert b"\\ud83d\\ude4f 1\\/2" in body
    for kind, good in (("right", True), ("wrong", False), ("missing", False), ("malformed", False)):
        signature = signed_headers(body, secret, kind).get("x-hub-signature-256")
        assert verify_signature(app_secret=secret, raw_body=body, signature_header=signature) is good
        if signature is not None and kind != "malformed":  # pywa forgives a missing "sha256="
            assert webhook_updates_validator(app_secret=secret, request_body=body, x_hub_signature=signature) is good
    assert not verify_signature(
        app_secret=secret, raw_body=body + b" ", signature_header=signed_headers(body, secret)["x-hub-signature-256"]
    )


@pytest.mark.parametrize(("grouping", "count"), [("apart", 4), ("messages", 1), ("changes", 1), ("entries", 1)])
@pytest.mark.asyncio
async def test_batches_hold_everything_in_order(
    grouping: Any, count: int, fake: FakeWhatsApp, siti: User, courier: Courier, inbox: Inbox
) -> None:
    """However updates are grouped, kapso finds them all, and messages never share a value with statuses."""
    first = fake.inbound.text(siti, "satu")
    fake.send(text_to(PHONE))
    read, failed = (
        fake.status(fake.accepted[0], "read"),
        fake.status(fake.accepted[0], "failed", code=131026),
    )
    assert await courier.send(first, read, failed, fake.inbound.text(siti, "dua"), grouping=grouping) == [200] * count
    found = [normalize_webhook(body.decode()) for body in inbox.bodies]
    assert inbox.texts == ["satu", "dua"]
    assert [status.status for result in found for status in result.statuses] == ["read", "failed"]
    values = [
        change["value"] for body in inbox.bodies for entry in json.loads(body)["entry"] for change in entry["changes"]
    ]
    assert all(("messages" in value) != ("statuses" in value) for value in values)


@pytest.mark.asyncio
async def test_at_most_a_thousand_updates_share_a_body(
    fake: FakeWhatsApp, siti: User, courier: Courier, inbox: Inbox
) -> None:
    """The rest goes into another body."""
    events = [fake.inbound.text(siti, str(n)) for n in range(1001)]
    assert await courier.send(*events, grouping="messages") == [200, 200]
    assert [len(parts(json.loads(body), "messages")) for body in inbox.bodies] == [1000, 1]
    assert inbox.texts == [str(n) for n in range(1001)]


@pytest.mark.asyncio
async def test_the_same_message_comes_twice_in_two_ways(
    fake: FakeWhatsApp, siti: User, courier: Courier, inbox: Inbox
) -> None:
    """Byte for byte, or with the same wamid in a body that hashes otherwise; and without contacts."""
    event = fake.inbound.text(siti, "halo")
    await courier.send(event, again="same body")
    await courier.send(event, again="other body")
    await courier.send(event, contacts=False)
    one, two, three, four, bare = inbox.bodies
    assert one == two == three != four
    assert json.loads(three) == json.loads(four)
    assert "contacts" not in json.loads(bare)["entry"][0]["changes"][0]["value"]


@pytest.mark.asyncio
async def test_meta_tries_again_until_200(
    fake: FakeWhatsApp, clock: ManualClock, siti: User, courier: Courier, inbox: Inbox
) -> None:
    """At once, then ever later; other 2xx do not count; later messages overtake the one that waits."""
    inbox.answers = [500, 202]
    assert await courier.send(fake.inbound.text(siti, "satu")) == [500]
    assert courier.next_at == clock.now()
    assert await courier.run() == [202]
    assert courier.next_at == clock.now() + timedelta(minutes=1)
    assert await courier.send(fake.inbound.text(siti, "dua")) == [200]
    clock.advance_to(courier.next_at)
    assert await courier.run() == [200]
    assert (inbox.texts, courier.next_at, courier.delivered) == (["dua", "satu"], None, 2)


@pytest.mark.asyncio
async def test_meta_gives_up_after_seven_days(fake: FakeWhatsApp, clock: ManualClock, siti: User) -> None:
    """A webhook that is away for a week has lost what was for it."""

    async def nobody(body: bytes, headers: Mapping[str, str]) -> int:
        raise httpx.ConnectError("nobody listens")

    courier = Courier(fake, nobody)
    assert await courier.send(fake.inbound.text(siti, "halo")) == [None]
    while courier.next_at is not None:
        clock.advance_to(courier.next_at)
        await courier.run()
    assert timedelta(days=6, hours=12) < clock.now() - MORNING <= timedelta(days=7)
    assert ([parcel.status for parcel in courier.lost], courier.waiting) == ([None], [])


@pytest.mark.asyncio
async def test_what_is_held_back_is_overtaken(
    fake: FakeWhatsApp, clock: ManualClock, siti: User, courier: Courier, inbox: Inbox
) -> None:
    """Delay is a matter of the clock."""
    assert await courier.send(fake.inbound.text(siti, "satu"), after=timedelta(seconds=30)) == []
    await courier.send(fake.inbound.text(siti, "dua"))
    clock.advance(timedelta(seconds=30))
    await courier.run()
    assert inbox.texts == ["dua", "satu"]


@pytest.mark.parametrize("name", MALFORMED)
@pytest.mark.asyncio
async def test_malformed_bodies_can_be_rightly_signed(name: str, courier: Courier, inbox: Inbox) -> None:
    """They get past the signature, and hold no message that has an id."""
    assert await courier.send_body(MALFORMED[name]) == 200
    assert await courier.send_body(MALFORMED[name], signature="wrong") == 401
    try:
        messages = normalize_webhook(json.loads(inbox.bodies[0])).messages
    except (ValueError, RecursionError, TypeError):  # unreadable; kapso stumbles over a list that is none
        return
    assert not any("id" in message for message in messages)


@pytest.mark.asyncio
async def test_written_payloads_become_part_of_the_world(fake: FakeWhatsApp, courier: Courier) -> None:
    """Whoever wrote in a hand-written payload may be answered, and their message marked as read."""
    for name in NAMES:
        assert await courier.send_payload(written(name)) == 200
    wamid = parts(written("text"), "messages")[0]["id"]
    fake.send(text_to(PHONE))
    fake.send({"messaging_product": "whatsapp", "status": "read", "message_id": wamid})
    made = {
        "messaging_product": "whatsapp",
        "recipient": "ID.90000000000000002",
        "type": "text",
        "text": {"body": "Halo"},
    }
    fake.send(made)
    assert [message.to for message in fake.accepted] == [USER_ID, "ID.90000000000000002"]


def test_pressing_finds_the_newest_and_says_what_was_shown(fake: FakeWhatsApp, siti: User) -> None:
    """The reply carries the id and context of the message pressed on; a title that was not shown is a mistake."""
    fake.inbound.text(siti, "halo")
    for number in (1, 2):
        buttons = [{"type": "reply", "reply": {"id": f"{number}:ya", "title": "Ya"}}]
        part = {"type": "button", "body": {"text": "Benar?"}, "action": {"buttons": buttons}}
        fake.send({"messaging_product": "whatsapp", "to": PHONE, "type": "interactive", "interactive": part})
    older, newer = fake.accepted
    newest = fake.inbound.press(siti, "Ya").body
    assert newest["interactive"] == {"type": "button_reply", "button_reply": {"id": "2:ya", "title": "Ya"}}
    assert newest["context"] == {"from": fake.account.display_phone_number, "id": newer.id}
    assert fake.inbound.press(siti, "Ya", on=older).body["context"]["id"] == older.id
    with pytest.raises(LookupError, match="Ya"):
        fake.inbound.press(siti, "Tidak")


def test_a_number_that_changed_is_left_behind(fake: FakeWhatsApp, siti: User) -> None:
    """The old number reaches nobody, the new one the same person."""
    fake.inbound.text(siti, "halo")
    _, moved = fake.inbound.changed_number(siti, "6281200009009")
    fake.send(text_to("6281200009009"))
    fake.send(text_to(PHONE))
    assert [message.to for message in fake.accepted] == [USER_ID]
    assert (fake.user_at(PHONE), fake.user_at("6281200009009")) == (None, moved)


@pytest.mark.asyncio
async def test_posts_over_http_with_any_signature(fake: FakeWhatsApp, siti: User, inbox: Inbox) -> None:
    """Bytes and headers arrive as they were made, a signature that is not ASCII too; the handshake is a plain query."""

    async def webhook(request: Request) -> Response:
        if request.method == "GET":
            return Response(request.query_params["hub.challenge"])
        return Response(status_code=await inbox.take(await request.body(), request.headers))

    app = Starlette(routes=[Route("/hook", webhook, methods=["GET", "POST"])])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://rangkul.test") as client:
        courier = Courier(fake, http_target(client, "/hook"))
        event = fake.inbound.text(siti, "halo 🙏")
        statuses = [
            await courier.send_body(body_bytes(payloads(fake.account, [event])[0]), signature=kind)
            for kind in ("right", "wrong", "not_ascii")
        ]
        answer = await client.get("/hook", params=handshake("rahasia", "778899"))
    assert (statuses, inbox.texts, inbox.turned_away) == ([200, 401, 401], ["halo 🙏"], 2)
    assert answer.text == "778899"


@pytest.mark.asyncio
async def test_statuses_that_wait_are_posted_on_demand(
    fake: FakeWhatsApp, siti: User, courier: Courier, inbox: Inbox
) -> None:
    """What the fake owes after a send goes out in one body, and only once."""
    fake.automatic = ("sent", "delivered")
    fake.inbound.text(siti, "halo")
    fake.send(text_to(PHONE, biz_opaque_callback_data="outbox-1"))
    assert await courier.send_due(grouping="messages") == [200]
    assert await courier.send_due() == []
    statuses = parts(json.loads(inbox.bodies[0]), "statuses")
    assert [(status["status"], status["biz_opaque_callback_data"]) for status in statuses] == [
        ("sent", "outbox-1"),
        ("delivered", "outbox-1"),
    ]
