"""Two clients nobody here wrote talk to the fake Cloud API over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import httpx
import pytest
import pytest_asyncio
from kapso_whatsapp import WhatsAppClient
from kapso_whatsapp.exceptions import WhatsAppAPIError
from pywa import errors
from pywa.types import Button, Section, SectionList, SectionRow, URLButton
from pywa.types.templates import TemplateLanguage
from pywa_async import WhatsApp

from bot.clock import ManualClock
from bot.fakes.server import serving
from bot.fakes.whatsapp import FakeWhatsApp
from bot.fakes.whatsapp_records import Template, User

MORNING = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
JPEG = b"\xff\xd8\xff\xe0 a photo of nothing"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(MORNING)


@pytest.fixture
def fake(clock: ManualClock) -> FakeWhatsApp:
    templates = [Template(name="iuran_jatuh_tempo", body="Halo {{1}}, iuran {{2}} belum masuk.")]
    return FakeWhatsApp(now=clock.now, templates=templates)


@pytest.fixture
def address(fake: FakeWhatsApp) -> Iterator[str]:
    with serving(fake.app) as url:
        yield url


@pytest.fixture
def siti(fake: FakeWhatsApp) -> User:
    user = fake.add_user("Siti Rahayu", phone="6281200009001", user_id="ID.90000000000000001")
    fake.inbound.text(user, "halo")
    return user


@pytest_asyncio.fixture
async def pywa(fake: FakeWhatsApp, address: str) -> AsyncIterator[WhatsApp]:
    async with httpx.AsyncClient(timeout=5) as session:
        client = WhatsApp(
            phone_id=fake.account.phone_id, token=fake.account.token, session=session, waba_id=fake.account.waba_id
        )
        session.base_url = httpx.URL(f"{address}/v26.0")
        yield client


@pytest_asyncio.fixture
async def kapso(fake: FakeWhatsApp, address: str) -> AsyncIterator[WhatsAppClient]:
    async with WhatsAppClient(access_token=fake.account.token, base_url=address, max_retries=0) as client:
        yield client


@pytest.mark.asyncio
async def test_pywa_sends_every_kind_of_choice(pywa: WhatsApp, fake: FakeWhatsApp, siti: User) -> None:
    """What pywa sends with buttons, rows and links is taken and read back as it was meant."""
    assert siti.phone
    sent = await pywa.send_message(to=siti.phone, text="Halo", tracker="outbox-1")
    await pywa.send_message(
        to=siti.phone,
        text="Benar?",
        header="Cek",
        footer="3 dari 8",
        buttons=[Button("Ya", "a:1"), Button("Ubah", "a:2")],
    )
    rows = [SectionRow("Cek saldo", "m:1", "Saldo JHT"), SectionRow("Iuran", "m:2")]
    await pywa.send_message(to=siti.phone, text="Pilih", buttons=SectionList("Lihat", [Section("Menu", rows)]))
    await pywa.send_message(to=siti.phone, text="Isi NIK", buttons=URLButton("Buka", "https://rangkul.example/f/1"))
    await pywa.request_location(to=siti.phone, text="Di mana?")

    assert [message.text for message in fake.accepted] == [
        "Halo",
        "Cek\nBenar?\n3 dari 8",
        "Pilih",
        "Isi NIK",
        "Di mana?",
    ]
    assert [message.buttons for message in fake.accepted[1:4]] == [
        [("Ya", "a:1"), ("Ubah", "a:2")],
        [("Cek saldo", "m:1"), ("Iuran", "m:2")],
        [("Buka", "https://rangkul.example/f/1")],
    ]
    assert (sent.id, fake.accepted[0].tracker) == (fake.accepted[0].id, "outbox-1")
    assert {message.to for message in fake.accepted} == {siti.key}


@pytest.mark.asyncio
async def test_pywa_reads_marks_and_files(pywa: WhatsApp, fake: FakeWhatsApp, siti: User) -> None:
    """A person's photo can be looked up and fetched; ours is uploaded and sent; reading and typing are noted."""
    assert siti.phone
    event = fake.inbound.image(siti, JPEG, caption="struk")
    found = await pywa.get_media_url(event.body["image"]["id"])
    assert await pywa.get_media_bytes(found.url) == JPEG
    assert (found.mime_type, found.sha256) == ("image/jpeg", event.body["image"]["sha256"])
    await pywa.send_image(to=siti.phone, image=JPEG, mime_type="image/jpeg", caption="Contoh")
    await pywa.mark_message_as_read(message_id=event.id)
    await pywa.indicate_typing(message_id=event.id)
    assert (fake.accepted[-1].kind, fake.accepted[-1].text) == ("image", "Contoh")
    assert (fake.read_marks, fake.typing_shown) == ([event.id, event.id], [event.id])


@pytest.mark.asyncio
async def test_pywa_knows_our_errors(pywa: WhatsApp, fake: FakeWhatsApp, siti: User) -> None:
    """Each refusal arrives as pywa's own class for the code."""
    assert siti.phone
    with pytest.raises(errors.InvalidParameter):
        await pywa.send_message(to=siti.phone, text="Pilih", buttons=[Button(str(n), str(n)) for n in range(4)])
    stranger = fake.add_user("Made Sujana", phone="6281200009002")
    assert stranger.phone
    with pytest.raises(errors.ReEngagementMessage):
        await pywa.send_message(to=stranger.phone, text="Halo")
    with pytest.raises(errors.TemplateNotExists):
        await pywa.send_template(to=siti.phone, name="tidak_ada", language=TemplateLanguage.INDONESIAN, params=[])
    fake.token_expired = True
    with pytest.raises(errors.ExpiredAccessToken):
        await pywa.send_message(to=siti.phone, text="Halo")
    assert [request.code for request in fake.requests] == [131009, 131047, 132001, 190]
    assert fake.accepted == []


@pytest.mark.asyncio
async def test_pywa_looks_at_number_and_templates(pywa: WhatsApp, fake: FakeWhatsApp) -> None:
    """What an operator's check would ask is answered in shapes that pywa reads."""
    number = await pywa.get_business_phone_number()
    assert (number.id, number.platform_type, number.quality_rating) == (fake.account.phone_id, "CLOUD_API", "GREEN")
    templates = await pywa.get_templates()
    assert [(template.name, template.status.value) for template in templates] == [("iuran_jatuh_tempo", "APPROVED")]


@pytest.mark.asyncio
async def test_kapso_sends_and_fetches(kapso: WhatsAppClient, fake: FakeWhatsApp, siti: User) -> None:
    """Another SDK is answered as well as pywa."""
    assert siti.phone
    number = fake.account.phone_id
    sent = await kapso.messages.send_text(phone_number_id=number, to=f"+{siti.phone}", body="Halo")
    await kapso.messages.send_interactive_buttons(
        phone_number_id=number, to=siti.phone, body_text="Benar?", buttons=[{"id": "a:1", "title": "Ya"}]
    )
    sections = [{"title": "Menu", "rows": [{"id": "m:1", "title": "Cek saldo", "description": "Saldo JHT"}]}]
    await kapso.messages.send_interactive_list(
        phone_number_id=number, to=siti.phone, body_text="Pilih", button_text="Lihat", sections=sections
    )
    event = fake.inbound.voice(siti, b"OggS")
    await kapso.messages.mark_read(phone_number_id=number, message_id=event.id)
    assert await kapso.media.download(media_id=event.body["audio"]["id"]) == b"OggS"
    uploaded = await kapso.media.upload(phone_number_id=number, file=JPEG, type="image/jpeg", filename="a.jpg")
    await kapso.messages.send_image(phone_number_id=number, to=siti.phone, image={"id": uploaded.id})
    assert sent.message_id == fake.accepted[0].id
    assert [message.kind for message in fake.accepted] == ["text", "interactive", "interactive", "image"]
    assert fake.read_marks == [event.id]
    with pytest.raises(WhatsAppAPIError) as refused:
        await kapso.messages.send_interactive_buttons(
            phone_number_id=number, to=siti.phone, body_text="a" * 1025, buttons=[{"id": "a:1", "title": "Ya"}]
        )
    assert refused.value.error_code == 131009
