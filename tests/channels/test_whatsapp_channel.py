"""The WhatsApp channel against the fake Cloud API: what goes out, what comes of it, and files."""

from __future__ import annotations

import hashlib
import io
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from PIL import Image
from whatsapp_judge import judge
from whatsapp_world import MORNING

from bot.channels.base import Fetched, FetchError, SendError
from bot.channels.whatsapp.channel import WhatsAppChannel
from bot.channels.whatsapp.payloads import Reader
from bot.clock import ManualClock
from bot.config import WhatsAppSection
from bot.fakes.server import serving
from bot.fakes.whatsapp import FakeWhatsApp
from bot.fakes.whatsapp_app import InProcess
from bot.fakes.whatsapp_records import Accepted, Event, Fault, Template, User
from flows.model import Media
from storage.outbox import Button, Outgoing, Rendered

NEWS = Template(name="ada_kabar", body="Ada kabar untuk Bapak/Ibu. Balas pesan ini.", language="id")
PHONE = "6281200009001"
BSUID = "ID.90000000000000001"
BASE = "http://127.0.0.1:1"
"""Where the fake is when there is no network: nobody listens there."""


def picture(kind: str = "PNG", size: int = 20) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (size, size), "navy").save(out, kind)
    return out.getvalue()


def settings(fake: FakeWhatsApp, url: str = BASE, **more: Any) -> WhatsAppSection:
    account = fake.account
    return WhatsAppSection.model_validate(
        {
            "token": account.token,
            "app_secret": account.app_secret,
            "verify_token": "invented",
            "phone_number_id": account.phone_id,
            "api_base_url": f"{url}/v26.0",
            **more,
        }
    )


async def drawn(body: Rendered) -> bytes | None:
    return picture() if body.picture == "card" else None


def channel_of(fake: FakeWhatsApp, transport: httpx.AsyncBaseTransport | None, **more: Any) -> WhatsAppChannel:
    return WhatsAppChannel(
        settings(fake, **more),
        clock=ManualClock(fake.now()),
        open_list="Lihat pilihan",
        draw=drawn,
        transport=transport,
        jitter=lambda: 0.0,
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(MORNING)


@pytest.fixture
def fake(clock: ManualClock) -> FakeWhatsApp:
    return FakeWhatsApp(now=clock.now, templates=[NEWS])


@pytest.fixture
def siti(fake: FakeWhatsApp) -> User:
    user = fake.add_user("Siti Rahayu", phone=PHONE, user_id=BSUID)
    fake.inbound.text(user, "halo")
    return user


@pytest_asyncio.fixture
async def channel(fake: FakeWhatsApp) -> AsyncIterator[WhatsAppChannel]:
    channel = channel_of(fake, InProcess(fake), template_news="ada_kabar", media_max_bytes=10_000)
    yield channel
    await channel.close()


@pytest.fixture(autouse=True)
def what_went_out_is_judged(fake: FakeWhatsApp) -> Iterator[None]:
    """Every message that a test of this file sends must please the independent judge."""
    yield
    # A call with a bad token is refused unread: there is nothing to judge.
    sent = [request for request in fake.requests if request.path.endswith("/messages") and request.code != 190]
    assert [(problem, request.params) for request in sent for problem in judge(request.params)] == []


def row(text: str = "Halo", *, phone: str | None = f"+{PHONE}", attempts: int = 0, **body: Any) -> Outgoing:
    """A reply on its way to Siti."""
    return Outgoing(
        id=41,
        conversation="c1",
        channel="whatsapp",
        address=BSUID,
        inbox_id=1,
        n=0,
        body=Rendered("menu", text, **body),
        attempts=attempts,
        status="new",
        written_at=MORNING,
        phone=phone,
    )


async def got(channel: WhatsAppChannel, fake: FakeWhatsApp, outgoing: Outgoing) -> Accepted:
    """The message as Siti got it; its wamid is what sending gave."""
    wamid = await channel.send(outgoing)
    accepted = fake.accepted[-1]
    assert accepted.id == wamid
    return accepted


async def failure_of(channel: WhatsAppChannel, outgoing: Outgoing) -> SendError:
    with pytest.raises(SendError) as refused:
        await channel.send(outgoing)
    return refused.value


# ── what goes out ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.asyncio
async def test_words_go_out_with_our_name_for_them(channel: WhatsAppChannel, fake: FakeWhatsApp, siti: User) -> None:
    """The tracker comes back in every status; a link in the words is not opened by Meta's servers."""
    message = await got(channel, fake, row("Isi di sini: https://tanya.example.org/isi/abc"))
    assert (message.kind, message.tracker, message.to) == ("text", "41", siti.key)
    assert message.raw["text"]["preview_url"] is False


@pytest.mark.asyncio
@pytest.mark.parametrize("phone", [f"+{PHONE}", None])
async def test_the_phone_where_it_is_known_else_the_business_scoped_id(
    channel: WhatsAppChannel, fake: FakeWhatsApp, siti: User, phone: str | None
) -> None:
    """Either way the same person gets it."""
    message = await got(channel, fake, row(phone=phone))
    assert (message.raw.get("to"), message.raw.get("recipient")) == ((phone, None) if phone else (None, BSUID))
    assert message.to == siti.key


@pytest.mark.asyncio
@pytest.mark.parametrize(("address", "field"), [("ID.a1B2c3", "recipient"), (PHONE, "to")])
async def test_an_address_alone_is_taken_for_what_it_is(
    channel: WhatsAppChannel, fake: FakeWhatsApp, siti: User, address: str, field: str
) -> None:
    """A business-scoped id with letters is no group, which pywa's own methods take it for."""
    made = fake.add_user("Made", user_id="ID.a1B2c3")
    fake.inbound.text(made, "halo")
    message = await got(channel, fake, replace(row(phone=None), address=address))
    assert message.raw[field] == address
    assert message.to == (siti.key if address == PHONE else made.key)


@pytest.mark.asyncio
async def test_three_options_are_buttons(channel: WhatsAppChannel, fake: FakeWhatsApp, siti: User) -> None:
    """With the titles as they are: a reply button shows no number."""
    options = (Button("Ya", "7.0"), Button("Ubah nama", "7.1"), Button("Ubah yang lain", "7.2"))
    message = await got(channel, fake, row("Sudah benar?", options=options))
    assert (message.text, message.buttons) == (
        "Sudah benar?",
        [("Ya", "7.0"), ("Ubah nama", "7.1"), ("Ubah yang lain", "7.2")],
    )
    assert {tap.kind for tap in message.taps} == {"button"}


@pytest.mark.asyncio
async def test_ten_options_are_a_list_with_numbers(channel: WhatsAppChannel, fake: FakeWhatsApp, siti: User) -> None:
    """The number is that of the option, so that on a second page it goes on; the row that turns the page has none."""
    options = (*(Button(f"Pilihan yang ke {n:02d}xx", f"7.{n}") for n in range(9, 18)), Button("Lainnya", "7.more0"))
    message = await got(channel, fake, row("Pilih satu", options=options, shown_as="list"))
    assert message.buttons[0] == ("10. Pilihan yang ke 09xx", "7.9")
    assert message.buttons[-1] == ("Lainnya", "7.more0")
    assert len(message.buttons) == 10
    assert message.raw["interactive"]["action"]["button"] == "Lihat pilihan"


@pytest.mark.asyncio
async def test_a_row_without_room_for_its_number_goes_without(
    channel: WhatsAppChannel, fake: FakeWhatsApp, siti: User
) -> None:
    """A title is never cut; and where numbers mean nothing, there are none."""
    options = tuple(Button("x" * 22, f"7.{n}") for n in range(4))
    message = await got(channel, fake, row(options=options, shown_as="list"))
    assert message.buttons[0] == ("x" * 22, "7.0")
    options = tuple(Button(f"Kota {n}", f"7.{n}") for n in range(4))
    message = await got(channel, fake, row(options=options, shown_as="list", numbered=False))
    assert message.buttons[0] == ("Kota 0", "7.0")


@pytest.mark.asyncio
async def test_options_that_are_lines_of_the_text_are_sent_as_text(
    channel: WhatsAppChannel, fake: FakeWhatsApp, siti: User
) -> None:
    """They stand in the words already."""
    message = await got(channel, fake, row("Pilih\n1. Ya", options=(Button("Ya", "7.0"),), shown_as="text"))
    assert (message.kind, message.taps) == ("text", ())


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("wants", "phone", "kind"),
    [("location", "+6281200009001", "location"), ("contact", None, "contact"), ("contact", "+6281200009001", "")],
)
async def test_a_place_or_a_number_is_asked_for_with_a_button(
    channel: WhatsAppChannel, fake: FakeWhatsApp, siti: User, wants: str, phone: str | None, kind: str
) -> None:
    """The number only where WhatsApp hides it."""
    message = await got(channel, fake, row("Di mana?", wants=wants, phone=phone))
    assert [tap.kind for tap in message.taps] == ([kind] if kind else [])


@pytest.mark.asyncio
async def test_a_picture_carries_the_words_and_the_buttons(
    channel: WhatsAppChannel, fake: FakeWhatsApp, siti: User
) -> None:
    """One message, not two; a list has no place for a picture and says the same in words."""
    message = await got(channel, fake, row("Kartu Ibu Siti", picture="card"))
    assert (message.kind, message.text) == ("image", "Kartu Ibu Siti")
    assert message.media is not None and message.media.id is not None
    stored = fake.media.get(message.media.id)
    assert stored is not None and (stored.data, stored.mime_type) == (picture(), "image/png")
    message = await got(channel, fake, row("Simpan?", picture="card", options=(Button("Ya", "7.0"),)))
    assert (message.kind, message.buttons) == ("interactive", [("Ya", "7.0")])
    assert message.media is not None
    uploads = calls_of(fake, "media")
    message = await got(channel, fake, row(picture="card", options=(Button("Ya", "7.0"),), shown_as="list"))
    assert message.media is None
    message = await got(channel, fake, row("Kartu Ibu Siti", picture="of nothing"))
    assert (message.kind, message.text) == ("text", "Kartu Ibu Siti")
    assert calls_of(fake, "media") == uploads


@pytest.mark.asyncio
async def test_an_invitation_is_the_template_and_no_delivery_of_what_waits(
    channel: WhatsAppChannel, fake: FakeWhatsApp, clock: ManualClock, siti: User
) -> None:
    """It reaches a person whose window is closed, and its statuses do not carry the name of the waiting message."""
    clock.advance(timedelta(hours=25))
    assert (await failure_of(channel, row())).waits_for_person
    wamid = await channel.invite(row())
    assert (fake.accepted[-1].id, fake.accepted[-1].template) == (wamid, "ada_kabar")
    assert fake.accepted[-1].tracker == "invite:41"


@pytest.mark.asyncio
async def test_without_a_template_nobody_is_invited(fake: FakeWhatsApp, siti: User) -> None:
    """The channel says so, and what waits goes on waiting."""
    channel = channel_of(fake, InProcess(fake))
    assert not channel.invites
    with pytest.raises(SendError) as refused:
        await channel.invite(row())
    assert refused.value.waits_for_person
    await channel.close()


def test_its_paces_are_those_of_the_number_and_of_the_pair(fake: FakeWhatsApp) -> None:
    """The number's first, so that everybody takes them in the same order."""
    number, pair = channel_of(fake, InProcess(fake)).paces(BSUID)
    assert (number.interval, number.burst) == (timedelta(seconds=1 / 40), 10)
    assert (pair.interval, pair.burst) == (timedelta(seconds=6), 40)
    assert number.key != pair.key and pair.key.endswith(BSUID)


@pytest.mark.asyncio
async def test_typing_is_shown_and_the_message_marked_read(
    channel: WhatsAppChannel, fake: FakeWhatsApp, siti: User
) -> None:
    """In one call."""
    wamid = str(fake.inbound.text(siti, "halo").body["id"])
    await channel.show_typing(wamid)
    assert (fake.read_marks, fake.typing_shown) == ([wamid], [wamid])
    with pytest.raises(SendError):
        await channel.show_typing("wamid.of-nobody")


# ── what comes of it ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.asyncio
async def test_a_refusal_is_told_by_its_code(channel: WhatsAppChannel, fake: FakeWhatsApp, siti: User) -> None:
    """Through pywa's errors, whatever the HTTP status; nothing was sent."""
    fake.fail(Fault(code=131056))
    failure = await failure_of(channel, row(attempts=2))
    assert (failure.word, failure.retry_at) == ("pair_limit", MORNING + timedelta(seconds=16))
    fake.token_expired = True
    failure = await failure_of(channel, row())
    assert (failure.word, failure.alerts, failure.permanent) == ("token", True, False)
    assert fake.accepted == []


@pytest.mark.asyncio
async def test_a_wrong_phone_number_id_stops_the_channel(fake: FakeWhatsApp, siti: User) -> None:
    """Instead of parking every message."""
    channel = channel_of(fake, InProcess(fake), phone_number_id="999")
    failure = await failure_of(channel, row())
    assert (failure.word, failure.pauses is not None) == ("phone_number_id", True)
    await channel.close()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("fault", "accepted"),
    [
        (Fault(silent=True), 1),
        (Fault(dropped=True, accepts=True), 1),
        (Fault(dropped=True), 0),
        (Fault(http_status=502), 0),
    ],
    ids=["silent", "dropped after", "dropped before", "gateway"],
)
async def test_no_answer_leaves_it_open(
    channel: WhatsAppChannel, fake: FakeWhatsApp, siti: User, fault: Fault, accepted: int
) -> None:
    """From here all four look alike: it may have been taken."""
    fake.fail(fault)
    failure = await failure_of(channel, row())
    assert (failure.uncertain, failure.permanent) == (True, False)
    assert len(fake.accepted) == accepted


@pytest.mark.asyncio
@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"messages":[]}', b"[]", b"null", b'{"messages":[{"id":7}]}'])
async def test_an_answer_of_another_shape_leaves_it_open(fake: FakeWhatsApp, body: bytes) -> None:
    """HTTP 200 means that something was taken; a name that is a number still is a name."""
    channel = channel_of(fake, httpx.MockTransport(lambda _: httpx.Response(200, content=body)))
    if b"7" in body:
        assert await channel.send(row()) == "7"
    else:
        assert (await failure_of(channel, row())).uncertain
    await channel.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("body", [b'{"error":{}}', b'{"error":"no"}', b'{"error":{"code":"x","message":1}}', b"[]"])
async def test_an_error_of_another_shape_is_no_bug_of_ours(fake: FakeWhatsApp, body: bytes) -> None:
    """pywa raises KeyError and the like for these; the sender gets a SendError all the same."""
    channel = channel_of(fake, httpx.MockTransport(lambda _: httpx.Response(500, content=body)))
    assert (await failure_of(channel, row())).uncertain
    await channel.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("fault", [Fault(silent=True, kind="media"), Fault(http_status=502, kind="media")])
async def test_a_picture_that_does_not_get_there_leaves_nothing_open(
    channel: WhatsAppChannel, fake: FakeWhatsApp, siti: User, fault: Fault
) -> None:
    """The message itself was not sent."""
    fake.fail(fault)
    failure = await failure_of(channel, row(picture="card"))
    assert (failure.uncertain, failure.permanent) == (False, False)
    assert fake.accepted == []


@pytest.mark.asyncio
async def test_over_a_real_connection(fake: FakeWhatsApp, siti: User) -> None:
    """The same channel, another base address: sends, is refused, finds nobody, hears nothing, fetches."""
    with serving(fake.app) as url:
        channel = channel_of(fake, None, url=url)
        assert (await got(channel, fake, row())).to == siti.key
        fake.fail(Fault(code=130429))
        assert (await failure_of(channel, row())).word == "throttled"
        fake.fail(Fault(dropped=True, accepts=True))
        assert (await failure_of(channel, row())).uncertain
        data = picture()
        assert (await channel.fetch(media_in(fake.inbound.image(siti, data)))).mime == "image/jpeg"
    failure = await failure_of(channel, row())
    assert (failure.word, failure.uncertain, failure.pauses is not None) == ("network", False, True)
    await channel.close()


# ── files ────────────────────────────────────────────────────────────────────────────────────────


def media_in(event: Event) -> Media:
    """The content that our parser makes of a message with a file."""
    payload = {
        "object": "whatsapp_business_account",
        "entry": [{"changes": [{"field": "messages", "value": {"messages": [event.body]}}]}],
    }
    reader = Reader("", links=None, new_id=lambda: "m1")  # type: ignore[arg-type]
    (arrival,) = reader.events_of(payload, MORNING)
    content = arrival.content  # type: ignore[union-attr]
    assert isinstance(content, Media)
    return content


def calls_of(fake: FakeWhatsApp, kind: str) -> int:
    return sum(request.kind == kind for request in fake.requests)


@pytest.mark.asyncio
async def test_files_are_fetched_and_kept_as_what_they_are(
    channel: WhatsAppChannel, fake: FakeWhatsApp, siti: User
) -> None:
    """A photo made clean, a voice note and a PDF as they came, a picture sent as a document as a photo."""
    voice, pdf = b"OggS\x00\x02" + bytes(20) + b"OpusHead", b"%PDF-1.7 kartu keluarga"
    assert (await channel.fetch(media_in(fake.inbound.image(siti, picture("JPEG"))))).mime == "image/jpeg"
    assert await channel.fetch(media_in(fake.inbound.voice(siti, voice))) == Fetched(voice, "audio/ogg")
    document = fake.inbound.document(siti, pdf, filename="kk.pdf")
    assert await channel.fetch(media_in(document)) == Fetched(pdf, "application/pdf")
    document = fake.inbound.document(siti, picture(), filename="kk.png", mime_type="image/png")
    assert (await channel.fetch(media_in(document))).mime == "image/jpeg"


@pytest.mark.asyncio
async def test_what_is_too_big_is_not_even_fetched(channel: WhatsAppChannel, fake: FakeWhatsApp, siti: User) -> None:
    """The platform tells the size before; 10,000 bytes are the limit here."""
    big = media_in(fake.inbound.document(siti, b"%PDF-" + bytes(10_000), filename="kk.pdf"))
    assert await channel.fetch(big) == Fetched(problem="too_big")
    assert (calls_of(fake, "media_info"), calls_of(fake, "fetch")) == (1, 0)


@pytest.mark.asyncio
async def test_a_file_that_is_gone_is_not_asked_for_again(
    channel: WhatsAppChannel, fake: FakeWhatsApp, clock: ManualClock, siti: User
) -> None:
    """After seven days the platform has it no longer."""
    photo = media_in(fake.inbound.image(siti, picture()))
    clock.advance(timedelta(days=8))
    assert await channel.fetch(photo) == Fetched(problem="unreadable")
    assert len([request for request in fake.requests if request.method == "GET"]) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize("fault", [Fault(code=131016), Fault(code=190), Fault(http_status=502), Fault(dropped=True)])
async def test_trouble_of_the_platform_is_another_try_later(
    channel: WhatsAppChannel, fake: FakeWhatsApp, siti: User, fault: Fault
) -> None:
    """Not at once, and not for the person to mend."""
    photo = media_in(fake.inbound.image(siti, picture()))
    fake.fail(fault)
    with pytest.raises(FetchError):
        await channel.fetch(photo)
    assert (await channel.fetch(photo)).mime == "image/jpeg"


class Files:
    """A platform that describes one file and gives it out, with whatever is wrong in a test."""

    def __init__(
        self, data: bytes, *, url: str = "http://127.0.0.1:1/file", missing: int = 0, **described: Any
    ) -> None:
        self.data = data
        self.url = url
        self.missing = missing
        self.described = {"file_size": len(data), "sha256": hashlib.sha256(data).hexdigest(), **described}
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        if "/v26.0/" in str(request.url):
            return httpx.Response(200, json={"id": "5", "url": self.url, "mime_type": "image/png", **self.described})
        assert request.headers["authorization"].startswith("Bearer ")
        if self.missing:
            self.missing -= 1
            return httpx.Response(404)
        return httpx.Response(200, content=self.data)

    async def fetched(self, fake: FakeWhatsApp, source: str = "5") -> Fetched:
        channel = channel_of(fake, httpx.MockTransport(self), media_max_bytes=10_000)
        try:
            return await channel.fetch(Media("photo", "m1", source=source))
        finally:
            await channel.close()


@pytest.mark.asyncio
async def test_an_address_that_is_too_old_is_asked_for_once_more(fake: FakeWhatsApp) -> None:
    """And no more than once: the platform shuts out those who ask in a loop."""
    files = Files(picture(), missing=1)
    assert (await files.fetched(fake)).mime == "image/jpeg"
    assert len(files.asked) == 4
    files = Files(picture(), missing=9)
    with pytest.raises(FetchError):
        await files.fetched(fake)
    assert len(files.asked) == 4


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "url",
    [
        "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=5",
        "https://lookaside.fbsbx.com:443/x",
        f"{BASE}/x",
    ],
)
async def test_files_are_fetched_from_the_hosts_we_expect(fake: FakeWhatsApp, url: str) -> None:
    """Meta's for files, and the one that the API is on."""
    assert (await Files(picture(), url=url).fetched(fake)).mime == "image/jpeg"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "url",
    [
        "https://lookaside.fbsbx.com.example.org/x",
        "https://example.org/?lookaside.fbsbx.com",
        "http://lookaside.fbsbx.com/x",
        "https://lookaside.fbsbx.com:8443/x",
        "https://lookaside.fbsbx.com@example.org/x",
        "http://127.0.0.1:2/x",
        "http://169.254.169.254/latest",
        "http://[/x",
        "",
        "file:///etc/passwd",
    ],
)
async def test_the_token_goes_nowhere_else(fake: FakeWhatsApp, url: str) -> None:
    """Whoever could make the platform say another address would have our token."""
    files = Files(picture(), url=url)
    with pytest.raises(FetchError):
        await files.fetched(fake)
    assert len(files.asked) == 1


@pytest.mark.asyncio
async def test_a_redirect_is_not_followed(fake: FakeWhatsApp) -> None:
    """Not even by a host that we expect."""

    def redirecting(request: httpx.Request) -> httpx.Response:
        assert request.url.host != "example.org"
        if "/v26.0/" in str(request.url):
            return httpx.Response(200, json={"url": f"{BASE}/file"})
        return httpx.Response(302, headers={"location": "https://example.org/file"})

    channel = channel_of(fake, httpx.MockTransport(redirecting))
    with pytest.raises(FetchError):
        await channel.fetch(Media("photo", "m1", source="5"))
    await channel.close()


@pytest.mark.asyncio
async def test_other_bytes_than_were_announced_are_not_kept(fake: FakeWhatsApp) -> None:
    """By the size, by the hash of the platform's description, by that of the message itself."""
    data = picture()
    for wrong in (Files(data, file_size=len(data) + 1), Files(data, sha256="0" * 64)):
        with pytest.raises(FetchError):
            await wrong.fetched(fake)
    with pytest.raises(FetchError):
        await Files(data).fetched(fake, f"5|{'0' * 64}")
    assert (await Files(data).fetched(fake, f"5|{hashlib.sha256(data).hexdigest()}")).mime == "image/jpeg"
    assert (await Files(data, sha256=None, file_size=None).fetched(fake)).mime == "image/jpeg"


@pytest.mark.asyncio
async def test_a_file_larger_than_it_was_said_to_be_is_cut_off(fake: FakeWhatsApp) -> None:
    """No more is read than the limit, whatever comes."""
    assert await Files(bytes(50_000), file_size=100).fetched(fake) == Fetched(problem="too_big")
