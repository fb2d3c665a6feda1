"""The one-field page: single use, fifteen minutes, bound to its conversation."""

from __future__ import annotations

import asyncio
import re
import uuid
from datetime import date, timedelta

import httpx
import pytest
from web_service import Service

from bot.web.form_page import KINDS_OF_SLOTS
from bot.web.words import load_words
from flows.catalogue import ALL_FLOWS
from flows.model import FormAnswer
from nlu.values import KINDS, Refusal, read

pytestmark = pytest.mark.asyncio

NIK = "3275014107909001"


async def offered(service: Service, client: httpx.AsyncClient) -> int:
    """Talks until a message offers the page; gives that message's id."""
    await client.post("/messages", json={"id": str(uuid.uuid4()), "text": "isi"})
    await service.program.settle()
    (message,) = (await client.get("/messages?after=0")).json()["messages"]
    assert message["form"] == "nik"
    return int(message["id"])


async def link_of(service: Service, client: httpx.AsyncClient) -> str:
    answer = await client.post("/isi", data={"message": str(await offered(service, client))})
    assert answer.status_code == 303
    assert re.fullmatch(r"/isi/[\w-]{20,}", answer.headers["location"])
    return answer.headers["location"]


async def test_the_answer_enters_the_conversation(service: Service) -> None:
    """What is filled in is answered in the talk; the talk itself shows no number."""
    client = await service.visitor()
    link = await link_of(service, client)
    page = await client.get(link)
    assert "Nomor KTP (NIK), 16 angka" in page.text and 'inputmode="numeric"' in page.text
    done = await client.post(link, data={"value": f" {NIK} "})
    assert done.status_code == 200 and "Sudah diterima" in done.text and NIK not in done.text
    await service.program.settle()
    assert service.bot.handled[-1] == FormAnswer("nik", NIK)
    talk = await client.get("/messages?all=1")
    assert [(one["from"], one["text"], one.get("label")) for one in talk.json()["messages"]][2:] == [
        ("me", "", "form_answer"),
        ("bot", "Diterima: nik dengan 16 angka.", None),
    ]
    assert NIK not in talk.text


async def test_a_link_works_once(service: Service) -> None:
    """The second use says so plainly and changes nothing, also when both come at the same moment."""
    client = await service.visitor()
    link = await link_of(service, client)
    answers = await asyncio.gather(*(client.post(link, data={"value": NIK}) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 410, 410, 410]
    await service.program.settle()
    assert service.bot.handled.count(FormAnswer("nik", NIK)) == 1
    again = await client.get(link)
    assert again.status_code == 410 and "sudah tidak berlaku" in again.text


async def test_a_link_expires(service: Service) -> None:
    """After fifteen minutes the page is gone, for looking and for filling in."""
    client = await service.visitor()
    link = await link_of(service, client)
    service.clock.ahead += timedelta(minutes=14, seconds=50)
    assert (await client.get(link)).status_code == 200
    service.clock.ahead += timedelta(seconds=15)
    assert (await client.get(link)).status_code == 410
    assert (await client.post(link, data={"value": NIK})).status_code == 410
    await service.program.settle()
    assert len(service.bot.handled) == 1


async def test_an_invented_link_opens_nothing(service: Service) -> None:
    """A guessed address is the same as a used one."""
    client = await service.visitor()
    for token in ("x" * 43, "1", "%00", "x" * 3000):
        assert (await client.get(f"/isi/{token}")).status_code == 410
        assert (await client.post(f"/isi/{token}", data={"value": NIK})).status_code == 410


@pytest.mark.parametrize("value", ["", "   ", "9" * 201, "9" * 9000])
async def test_a_slip_does_not_use_up_the_link(service: Service, value: str) -> None:
    """An empty or endless value is asked again, on the same link."""
    client = await service.visitor()
    link = await link_of(service, client)
    answer = await client.post(link, data={"value": value})
    assert answer.status_code == 400 and 'role="alert"' in answer.text
    assert (await client.post(link, data={"value": NIK})).status_code == 200


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("32750141079090", "Yang diisi baru 14 angka."),
        ("3275 0141 0790 9001 12", "Yang diisi 18 angka."),
        ("3275013113909001", "tidak ada di kalender"),
        ("3275 0117 0890 0000", "tidak mungkin 0000"),
        ("belum hafal", "Nomor KTP ada 16 angka."),
    ],
)
async def test_a_wrong_number_is_told_on_the_page(service: Service, value: str, said: str) -> None:
    """The page says what is wrong and keeps what was typed; the link still takes the right number, once."""
    client = await service.visitor()
    link = await link_of(service, client)
    for _ in range(2):
        answer = await client.post(link, data={"value": value})
        assert answer.status_code == 400 and said in answer.text and f'value="{value}"' in answer.text
    await service.program.settle()
    assert len(service.bot.handled) == 1  # the word that asked for the page
    assert (await client.post(link, data={"value": "3275 0141 0790 9001"})).status_code == 200
    assert (await client.post(link, data={"value": NIK})).status_code == 410
    await service.program.settle()
    assert service.bot.handled[1:] == [FormAnswer("nik", "3275 0141 0790 9001")]


async def test_a_wrong_number_does_not_prolong_the_link(service: Service) -> None:
    """Fifteen minutes after it was made the link is gone, whatever was tried on it."""
    client = await service.visitor()
    link = await link_of(service, client)
    service.clock.ahead += timedelta(minutes=14)
    assert (await client.post(link, data={"value": "123456"})).status_code == 400
    service.clock.ahead += timedelta(minutes=2)
    assert (await client.post(link, data={"value": "123456"})).status_code == 410


async def test_every_slot_that_has_a_page_has_its_reader_there() -> None:
    """What any flow offers the page for is checked by the kind that the flow itself reads it by."""
    offered_slots = {ask.slot: ask.kind for flow in ALL_FLOWS for ask in flow.steps if ask.form}
    assert offered_slots
    assert dict(KINDS_OF_SLOTS) == offered_slots
    assert set(offered_slots) <= set(load_words().form.slots)


async def test_no_example_on_the_page_could_be_somebodys() -> None:
    """The hint shows the form of an answer by one that its own reader refuses."""
    for slot, kind in KINDS_OF_SLOTS.items():
        assert kind in KINDS
        assert isinstance(read(kind, load_words().form.of_slot(slot).hint, today=date(2026, 11, 23)), Refusal)


async def test_only_ones_own_messages_give_links(service: Service) -> None:
    """A link cannot be had for another visitor's message, or for one that offers no page."""
    client, other = await service.visitor(), await service.visitor()
    message = await offered(service, client)
    await other.post("/messages", json={"id": str(uuid.uuid4()), "text": "halo"})
    await service.program.settle()
    own = (await other.get("/messages?after=0")).json()["messages"][0]["id"]
    for visitor, asked in ((other, message), (other, own), (other, 0), (service.client(), message)):
        answer = await visitor.post("/isi", data={"message": str(asked)})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert await service.rows("forms") == 0


async def test_the_answer_goes_to_the_conversation_of_the_link(service: Service) -> None:
    """Whoever opens the link, its answer belongs to the talk that it was made for."""
    client, other = await service.visitor(), await service.visitor()
    link = await link_of(service, client)
    await other.post("/messages", json={"id": str(uuid.uuid4()), "text": "halo"})
    assert (await other.post(link, data={"value": NIK})).status_code == 200
    await service.program.settle()
    assert "Diterima: nik" in (await client.get("/messages?all=1")).text
    assert "Diterima" not in (await other.get("/messages?all=1")).text


async def test_an_old_browser_may_fill_in_without_an_origin(service: Service) -> None:
    """Browsers before 2020 send the origin "null" from this page: the link is the secret. Other sites may not."""
    client = await service.visitor()
    link = await link_of(service, client)
    refused = await client.post(link, data={"value": NIK}, headers={"origin": "https://evil.example"})
    assert refused.status_code == 403
    cross = await client.post(link, data={"value": NIK}, headers={"origin": "null", "sec-fetch-site": "cross-site"})
    assert cross.status_code == 403
    assert (await client.post(link, data={"value": NIK}, headers={"origin": "null"})).status_code == 200


async def test_what_was_filled_in_is_escaped(service: Service) -> None:
    """No page repeats a visitor's own characters as markup."""
    client = await service.visitor()
    link = await link_of(service, client)
    answer = await client.post(link, data={"value": "<script>alert(1)</script>"})
    assert "<script>alert" not in answer.text
