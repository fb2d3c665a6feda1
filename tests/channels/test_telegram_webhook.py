"""The webhook: nothing without the secret, nothing confirmed before it is stored, nothing that holds up the rest."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest
from starlette.applications import Starlette
from telegram_world import SECRET, World, in_process, row

from bot.channels.telegram.webhook import MAX_BODY_BYTES, Webhook
from bot.fakes.telegram_delivery import SECRET_HEADER
from flows.model import Choice, Text, Unknown
from storage.database import Conflict, Unavailable
from storage.outbox import Button, Rendered

pytestmark = pytest.mark.asyncio


@pytest.fixture
def world() -> World:
    return in_process(mode="webhook")


async def _post(world: World, body: bytes, headers: dict[str | bytes, str | bytes] | None = None) -> int:
    transport = httpx.ASGITransport(app=Starlette(routes=world.telegram.routes()))
    async with httpx.AsyncClient(transport=transport, base_url="http://us") as client:
        given = {SECRET_HEADER: SECRET} if headers is None else headers
        response = await client.post("/webhooks/telegram", content=body, headers=given)  # type: ignore[arg-type]
    return response.status_code


def _text(world: World, words: str = "halo") -> bytes:
    return json.dumps(world.fake.updates.text(world.fake.person("Budi"), words)).encode()


async def test_an_update_is_stored_and_then_confirmed(world: World) -> None:
    """With its own number, so that a repeat is known."""
    body = _text(world)
    assert await _post(world, body) == 200
    assert await _post(world, body) == 200
    (stored,) = world.store.contents
    assert isinstance(stored, Text)
    assert stored.text == "halo"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {SECRET_HEADER: ""},
        {SECRET_HEADER: SECRET[:-1]},
        {SECRET_HEADER: SECRET + "x"},
        {SECRET_HEADER.encode(): "kunci é".encode()},
        {SECRET_HEADER.encode(): b"\xff\xfe"},
    ],
)
async def test_without_the_secret_nothing_happens(world: World, headers: dict[str | bytes, str | bytes]) -> None:
    """Whatever bytes stand there instead."""
    assert await _post(world, _text(world), headers) == 403
    assert world.store.events == []


@pytest.mark.parametrize(
    "body",
    [
        b"", b"halo", b"[]", b"null", b"{}", b'{"message": {}}', b'{"update_id": "1"}', b'{"update_id": true}',
        b"\xff\xfe", b'{"update_id": 1' + b"0" * 5000 + b"}", b"[" * 100_000,
    ],
)  # fmt: skip
async def test_what_is_no_update_is_refused(world: World, body: bytes) -> None:
    """With a 400 and without an effect."""
    assert await _post(world, body) == 400
    assert world.store.events == []


async def test_a_body_that_is_too_long_is_not_read_to_its_end(world: World) -> None:
    """Updates are small."""
    assert await _post(world, b" " * (MAX_BODY_BYTES + 1)) == 413


@pytest.mark.parametrize("trouble", [Unavailable("away"), Conflict("twice")])
async def test_when_the_database_is_away_telegram_comes_again(world: World, trouble: Exception) -> None:
    """Nothing is confirmed."""
    world.store.troubles = [trouble]
    body = _text(world)
    assert await _post(world, body) == 503
    assert await _post(world, body) == 200
    assert len(world.store.contents) == 1


async def test_what_cannot_be_stored_is_confirmed_without_its_content(world: World) -> None:
    """Or Telegram would bring it for a day, and nothing else of that chat."""
    world.store.poison = "racun"
    assert await _post(world, _text(world, "racun")) == 200
    assert world.store.contents == [Unknown("message")]


async def test_what_cannot_be_stored_at_all_is_confirmed(world: World) -> None:
    """It is logged, and the chat goes on."""
    world.store.troubles = [LookupError("a"), LookupError("b")]
    assert await _post(world, _text(world)) == 200
    assert await _post(world, _text(world, "lagi")) == 200
    assert [content.text for content in world.store.contents] == ["lagi"]


async def test_a_pressed_button_is_stored_and_let_go(world: World) -> None:
    """One that Telegram no longer knows is as harmless as an outage."""
    budi = world.fake.person("Budi")
    asked = Rendered(key="k", text="Pilih", options=(Button("Daftar", "7.0"),))
    await world.telegram.channel.send(row(budi.id, asked))
    pressed = world.fake.updates.press(budi, "1. Daftar")
    stale = {**pressed, "update_id": 1, "callback_query": {**pressed["callback_query"], "id": "1"}}
    for update in (pressed, stale):
        assert await _post(world, json.dumps(update).encode()) == 200
    await asyncio.sleep(0.05)
    assert world.store.contents == [Choice("7.0", "1. Daftar"), Choice("7.0", "1. Daftar")]
    answers = [call.status for call in world.fake.requests if call.method == "answerCallbackQuery"]
    assert answers == [200, 400]
    await world.telegram.stop()


async def test_a_button_is_not_let_go_before_it_is_stored(world: World) -> None:
    """Else a person would believe that it counts."""
    world.store.troubles = [Unavailable("away")]
    update = world.fake.updates.callback(world.fake.person("Budi"), "7.0")
    assert await _post(world, json.dumps(update).encode()) == 503
    await asyncio.sleep(0.05)
    assert world.fake.requests == []


async def test_a_webhook_without_a_secret_is_not_made(world: World) -> None:
    """Anybody could speak for Telegram."""
    with pytest.raises(ValueError, match="secret"):
        Webhook(world.telegram.connect(world.store.take_in), "")
