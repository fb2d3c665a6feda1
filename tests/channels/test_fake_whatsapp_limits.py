"""The fake Cloud API's memory: who may be written to, how fast, with which files and templates, and its troubles."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from bot.clock import ManualClock
from bot.fakes.server import serving
from bot.fakes.whatsapp import FakeWhatsApp
from bot.fakes.whatsapp_errors import GraphError
from bot.fakes.whatsapp_records import Fault, Json, Template, User
from tests.channels.whatsapp_world import JPEG, MORNING, client_of, send_over_http, text_to

PHONE = "6281200009001"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(MORNING)


@pytest.fixture
def fake(clock: ManualClock) -> FakeWhatsApp:
    templates = [
        Template(name="jatuh_tempo", body="Halo {{1}}, iuran {{2}} belum masuk.", quick_replies=("Bayar",)),
        Template(name="jeda", body="Halo", status="PAUSED"),
        Template(name="mati", body="Halo", status="DISABLED"),
        Template(name="ditinjau", body="Halo", status="PENDING"),
        Template(name="tautan", body="Halo {{nama}}", url_buttons=(("Buka", "https://rangkul.example/f/{{1}}"),)),
        Template(name="kode", body="Kode {{1}}", category="AUTHENTICATION"),
    ]
    return FakeWhatsApp(now=clock.now, templates=templates)


@pytest.fixture
def siti(fake: FakeWhatsApp) -> User:
    user = fake.add_user("Siti Rahayu", phone=PHONE, user_id="ID.90000000000000001")
    fake.inbound.text(user, "halo")
    return user


def code_of(fake: FakeWhatsApp, params: Json) -> int | None:
    """Meta's code for a refusal, None when it was taken."""
    try:
        fake.send(params)
    except GraphError as refusal:
        return refusal.code
    return None


def template(name: str, *values: str, language: str = "id", **more: object) -> Json:
    components: list[Json] = []
    if values:
        components.append({"type": "body", "parameters": [{"type": "text", "text": value} for value in values]})
    part = {"name": name, "language": {"code": language}, "components": components, **more}
    return {"messaging_product": "whatsapp", "to": PHONE, "type": "template", "template": part}


def test_window_closes_after_a_day_and_opens_by_writing(fake: FakeWhatsApp, clock: ManualClock, siti: User) -> None:
    """To the second: free messages for 24 hours, then templates alone, until the person writes again."""
    clock.advance(timedelta(hours=24) - timedelta(seconds=1))
    assert code_of(fake, text_to(PHONE)) is None
    clock.advance(timedelta(seconds=1))
    assert code_of(fake, text_to(PHONE)) == 131047
    assert code_of(fake, template("jatuh_tempo", "Siti", "November")) is None
    assert [(violation.rule, violation.to) for violation in fake.violations] == [("window", siti.key)]
    fake.inbound.text(siti, "halo")
    assert code_of(fake, text_to(PHONE)) is None
    assert [message.text for message in fake.shown_to(siti)][1] == "Halo Siti, iuran November belum masuk."


def test_one_person_gets_45_at_once_then_one_every_six_seconds(
    fake: FakeWhatsApp, clock: ManualClock, siti: User
) -> None:
    """The pair's bucket, by phone and by id together; a refused message costs nothing."""
    by_id = text_to(PHONE) | {"recipient": siti.user_id}
    del by_id["to"]
    assert [code_of(fake, text_to(PHONE) if n % 2 else by_id) for n in range(46)] == [None] * 45 + [131056]
    clock.advance(timedelta(seconds=5.9))
    assert code_of(fake, text_to(PHONE)) == 131056
    clock.advance(timedelta(seconds=0.1))
    assert [code_of(fake, text_to(PHONE)) for _ in range(2)] == [None, 131056]
    clock.advance(timedelta(minutes=2))
    assert [code_of(fake, text_to(PHONE)) for _ in range(21)] == [None] * 20 + [131056]
    assert {violation.rule for violation in fake.violations} == {"pair"}


def test_the_number_takes_80_a_second_in_and_out(fake: FakeWhatsApp, clock: ManualClock) -> None:
    """What people write counts towards the same 80."""
    people = [fake.add_user(f"Orang {n}", phone=f"62812000{n:05}") for n in range(41)]
    for user in people:
        fake.inbound.text(user, "halo")
    codes = [code_of(fake, text_to(user.phone or "")) for user in people]
    assert codes == [None] * 39 + [130429] * 2
    clock.advance(timedelta(seconds=1))
    assert code_of(fake, text_to(people[-1].phone or "")) is None


def test_nobody_there_is_told_later(fake: FakeWhatsApp) -> None:
    """A number without WhatsApp is answered with 200, and fails in a status."""
    assert code_of(fake, text_to("6281299999999", biz_opaque_callback_data="outbox-9")) is None
    (event,) = fake.due
    assert (event.part, event.body["status"], event.contact) == ("statuses", "failed", None)
    assert (event.body["errors"][0]["code"], event.body["biz_opaque_callback_data"]) == (131026, "outbox-9")
    assert (event.body["recipient_id"], fake.accepted) == ("6281299999999", [])


def test_a_closed_window_may_be_told_later(clock: ManualClock) -> None:
    """As Meta often does; the violation is noted all the same."""
    fake = FakeWhatsApp(now=clock.now, late_codes={131047})
    fake.add_user("Siti Rahayu", phone=PHONE)
    assert code_of(fake, text_to(PHONE)) is None
    assert [event.body["errors"][0]["code"] for event in fake.due] == [131047]
    assert ([violation.rule for violation in fake.violations], fake.accepted) == (["window"], [])


def test_statuses_follow_by_themselves_when_asked(clock: ManualClock) -> None:
    """Sent, delivered and read in order, with our own id and both of the person's."""
    fake = FakeWhatsApp(now=clock.now, automatic=("sent", "delivered", "read"))
    siti = fake.add_user("Siti Rahayu", phone=PHONE, user_id="ID.90000000000000001")
    fake.inbound.text(siti, "halo")
    fake.send(text_to(PHONE, biz_opaque_callback_data="outbox-1"))
    assert [event.body["status"] for event in fake.due] == ["sent", "delivered", "read"]
    assert {event.body["biz_opaque_callback_data"] for event in fake.due} == {"outbox-1"}
    assert {(event.body["recipient_id"], event.body["recipient_user_id"]) for event in fake.due} == {
        (PHONE, "ID.90000000000000001")
    }


@pytest.mark.parametrize(
    ("params", "code"),
    [
        (template("jatuh_tempo", "Siti", "November"), None),
        (template("jatuh_tempo", "Siti"), 132000),
        (template("jatuh_tempo", "Siti", "November", "2026"), 132000),
        (template("jatuh_tempo", "Siti", "November", language="en"), 132001),
        (template("tidak_ada"), 132001),
        (template("ditinjau"), 132001),
        (template("jeda"), 132015),
        (template("mati"), 132016),
        (template("jatuh_tempo", "Siti", "a\nb"), 100),
        (template("jatuh_tempo", "Siti", "x" * 1024), 132005),
        (template("tautan", components=[{"type": "body", "parameters": [{"type": "image"}]}]), 132012),
    ],
)
def test_templates_are_sent_as_approved(fake: FakeWhatsApp, siti: User, params: Json, code: int | None) -> None:
    """Name, language, state and parameters must fit."""
    assert code_of(fake, params) == code


def test_template_buttons_are_filled_and_pressed(fake: FakeWhatsApp, siti: User) -> None:
    """A quick reply carries our payload back; a link takes its last piece; a code goes to phones alone."""
    press = {"type": "button", "sub_type": "quick_reply", "index": "0"}
    params = template("jatuh_tempo", "Siti", "November")
    params["template"]["components"].append({**press, "parameters": [{"type": "payload", "payload": "BAYAR"}]})
    assert code_of(fake, params) is None
    event = fake.inbound.press(siti, "Bayar")
    assert (event.body["type"], event.body["button"]) == ("button", {"payload": "BAYAR", "text": "Bayar"})
    named = [{"type": "text", "text": "Siti", "parameter_name": "nama"}]
    link = {"type": "button", "sub_type": "url", "index": 0, "parameters": [{"type": "text", "text": "abc"}]}
    components = [{"type": "body", "parameters": named}, link]
    assert code_of(fake, template("tautan", components=components)) is None
    assert fake.accepted[-1].buttons == [("Buka", "https://rangkul.example/f/abc")]
    by_id = template("kode", "123456") | {"recipient": siti.user_id}
    del by_id["to"]
    assert code_of(fake, by_id) == 131062


@pytest.mark.asyncio
async def test_files_need_the_token_and_are_there_for_five_minutes(
    fake: FakeWhatsApp, clock: ManualClock, siti: User
) -> None:
    """An address of a file is short-lived; the file itself lives seven days."""
    media_id = fake.inbound.image(siti, JPEG).body["image"]["id"]
    async with client_of(fake) as client, client_of(fake, token="another") as stranger:
        described = (await client.get(f"/{media_id}")).json()
        assert (described["mime_type"], described["file_size"]) == ("image/jpeg", len(JPEG))
        assert (await stranger.get(described["url"])).status_code == 401
        assert (await client.get(described["url"].replace("hash=", "hash=0"))).status_code == 404
        clock.advance(timedelta(minutes=5) - timedelta(seconds=1))
        assert (await client.get(described["url"])).content == JPEG
        clock.advance(timedelta(seconds=1))
        assert (await client.get(described["url"])).status_code == 404
        assert (await client.get((await client.get(f"/{media_id}")).json()["url"])).content == JPEG
        clock.advance(timedelta(days=7))
        assert (await client.get(f"/{media_id}")).json()["error"]["code"] == 100


@pytest.mark.asyncio
async def test_uploads_are_checked_and_sent_as_what_they_are(fake: FakeWhatsApp, siti: User) -> None:
    """Kind and size are checked when a file comes in, its kind again when it goes out."""
    upload = {"messaging_product": "whatsapp", "type": "image/jpeg"}
    async with client_of(fake) as client:
        address = f"/{fake.account.phone_id}/media"
        good = await client.post(address, data=upload, files={"file": ("a.jpg", JPEG, "image/jpeg")})
        large = await client.post(address, data=upload, files={"file": ("a.jpg", b"x" * 5_242_881, "image/jpeg")})
        odd = await client.post(address, data=upload, files={"file": ("a.gif", b"GIF89a", "image/gif")})
    assert (large.json()["error"]["code"], odd.json()["error"]["code"]) == (131053, 100)
    image = {"messaging_product": "whatsapp", "to": PHONE, "type": "image", "image": {"id": good.json()["id"]}}
    document = {**image, "type": "document", "document": image["image"]}
    del document["image"]
    missing = {**image, "image": {"id": "1"}}
    assert [code_of(fake, params) for params in (image, document, missing)] == [None, 131053, 131009]


@pytest.mark.asyncio
async def test_tokens_and_addresses(fake: FakeWhatsApp, siti: User) -> None:
    """No token, another's, one that ran out; another number, another path."""
    async with client_of(fake) as client:
        nobody = await client.post(
            f"/{fake.account.phone_id}/messages", json=text_to(PHONE), headers={"authorization": ""}
        )
        elsewhere = await client.post("/1/messages", json=text_to(PHONE))
        unversioned = await client.post(f"http://graph.test/x/{fake.account.phone_id}/messages", json=text_to(PHONE))
        no_json = await client.post(f"/{fake.account.phone_id}/messages", data=text_to(PHONE))
        checked = await client.get("/debug_token", params={"input_token": fake.account.token})
        apps = await client.get(f"/{fake.account.waba_id}/subscribed_apps")
    another = await send_over_http(fake, text_to(PHONE), token="another")
    fake.token_expired = True
    expired = await send_over_http(fake, text_to(PHONE))
    answers = (nobody, elsewhere, unversioned, no_json, another, expired)
    assert [answer.json()["error"]["code"] for answer in answers] == [0, 100, 2500, 100, 190, 190]
    assert [nobody.status_code, another.status_code, expired.status_code] == [401, 401, 401]
    assert (expired.json()["error"]["error_subcode"], fake.accepted) == (463, [])
    assert checked.json()["data"]["is_valid"] is True
    assert apps.json()["data"][0]["whatsapp_business_api_data"]["id"] == fake.account.app_id


@pytest.mark.asyncio
async def test_faults_are_used_up_in_order_for_whom_they_are_meant(fake: FakeWhatsApp, siti: User) -> None:
    """An error, an answer that is no JSON, then all is well; others are not touched."""
    made = fake.add_user("Made Sujana", phone="6281200009002")
    fake.inbound.text(made, "halo")
    fake.fail(Fault(code=131000, to=siti.key, retry_after_s=3))
    fake.fail(Fault(http_status=502, kind="text", to=PHONE))
    assert (await send_over_http(fake, text_to("6281200009002"))).status_code == 200
    first = await send_over_http(fake, text_to(PHONE))
    assert (first.json()["error"]["code"], first.headers["retry-after"]) == (131000, "3")
    assert (await send_over_http(fake, text_to(PHONE))).status_code == 502
    assert (await send_over_http(fake, text_to(PHONE))).status_code == 200
    assert [(request.status, request.code) for request in fake.requests] == [
        (200, None),
        (500, 131000),
        (502, None),
        (200, None),
    ]
    assert [message.to for message in fake.accepted] == [made.key, siti.key]


@pytest.mark.asyncio
async def test_silence_and_breaks_look_alike_in_process_and_on_the_wire(fake: FakeWhatsApp, siti: User) -> None:
    """Accepted and never answered is a time-out; a break is one whether the message was taken before or not."""

    def order() -> None:
        fake.fail(Fault(silent=True))
        fake.fail(Fault(dropped=True))
        fake.fail(Fault(dropped=True, accepts=True))

    async def send_three(client: httpx.AsyncClient) -> None:
        for number, failure in enumerate([httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.RemoteProtocolError]):
            with pytest.raises(failure):
                await client.post(f"/{fake.account.phone_id}/messages", json=text_to(PHONE, str(number)))

    order()
    async with client_of(fake) as client:
        await send_three(client)
    order()
    bearer = {"authorization": f"Bearer {fake.account.token}"}
    with serving(fake.app) as url:
        async with httpx.AsyncClient(base_url=f"{url}/v26.0", headers=bearer, timeout=0.5) as client:
            await send_three(client)
    assert [message.text for message in fake.accepted] == ["0", "2", "0", "2"]
    assert [request.status for request in fake.requests] == [None] * 6


@pytest.mark.asyncio
async def test_a_late_failure_is_answered_as_success(fake: FakeWhatsApp, siti: User) -> None:
    """200 with an id, then a failed status for that id, and nobody got anything."""
    fake.fail(Fault(late_code=131049))
    answer = await send_over_http(fake, text_to(PHONE))
    (event,) = fake.due
    assert (event.id, event.body["status"]) == (answer.json()["messages"][0]["id"], "failed")
    assert fake.accepted == []


def test_a_read_mark_needs_a_message_of_the_last_30_days(fake: FakeWhatsApp, clock: ManualClock, siti: User) -> None:
    """An id that nobody sent, and one that is too old, are refused."""
    event = fake.inbound.text(siti, "halo")
    read = {"messaging_product": "whatsapp", "status": "read", "message_id": event.id}
    assert code_of(fake, read | {"message_id": "wamid.x"}) == 131009
    clock.advance(timedelta(days=30))
    assert code_of(fake, read) is None
    clock.advance(timedelta(seconds=1))
    assert code_of(fake, read) == 131009
    assert fake.read_marks == [event.id]
