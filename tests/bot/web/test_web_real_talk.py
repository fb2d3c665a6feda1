"""The page with the real conversation behind it, on either database."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from web_service import ORIGIN
from world import Phrasebook, World, flows

from bot.app import Program, open_program
from bot.channels.web import WebChannel
from bot.config import Config
from bot.web.app import build_web
from storage.database import open_database
from storage.keyring import Keyring

pytestmark = pytest.mark.asyncio

NIK = "3275014107909001"


class Talk:
    """A visitor who reads what the page would show."""

    def __init__(self, program: Program, client: httpx.AsyncClient) -> None:
        self.program = program
        self.client = client
        self.last = 0
        self.news: list[dict[str, Any]] = []

    async def say(self, text: str) -> None:
        await self._post({"text": text})

    async def press(self, title: str) -> None:
        """Presses a button of the newest answer."""
        payloads = {option["title"]: option["payload"] for option in self.news[-1]["options"]}
        await self._post({"payload": payloads[title], "title": title})

    async def _post(self, body: dict[str, str]) -> None:
        answer = await self.client.post("/messages", json={"id": str(uuid.uuid4()), **body})
        assert answer.status_code == 202
        await self.hear()

    async def hear(self) -> None:
        await self.program.settle()
        answer = (await self.client.get(f"/messages?after={self.last}")).json()
        self.last, self.news = answer["last"], answer["messages"]


@asynccontextmanager
async def talking(world: World) -> AsyncIterator[Talk]:
    keys = Keyring.from_keys({"k1": bytes(range(32))}, "k1", bytes(range(1, 33)))
    opened = open_program(
        Config(),
        keys=keys,
        database=open_database(world.url),
        channels=[WebChannel()],
        clock=world.clock,
        flows=flows(),
        understander=Phrasebook(),
    )
    async with opened as program:
        transport = httpx.ASGITransport(build_web(program))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"origin": ORIGIN}) as client:
            await client.get("/")
            yield Talk(program, client)


async def test_signing_up_as_far_as_the_secure_page(world: World) -> None:
    """Buttons lead through the first questions; the NIK goes through the one-field page once and comes back masked."""
    async with talking(world) as talk:
        await talk.say("mau daftar")
        await talk.press("Ya")
        await talk.press("Saya sendiri")
        await talk.press("Kerja sendiri")
        assert talk.news[-1]["form"] == "nik"
        offered = await talk.client.post("/isi", data={"message": str(talk.news[-1]["id"])})
        link = offered.headers["location"]
        fills = await asyncio.gather(*(talk.client.post(link, data={"value": NIK}) for _ in range(3)))
        assert sorted(answer.status_code for answer in fills) == [200, 410, 410]
        await talk.hear()
        assert "3275••••••••9001" in str(talk.news)
        assert NIK not in (await talk.client.get("/messages?all=1")).text


async def test_the_same_message_from_two_requests_is_one(world: World) -> None:
    """Sent again and again at the same moment, the first message of a visitor makes one person and one answer."""
    async with talking(world) as talk:
        body = {"id": str(uuid.uuid4()), "text": "halo"}
        answers = await asyncio.gather(*(talk.client.post("/messages", json=body) for _ in range(6)))
        assert {answer.status_code for answer in answers} == {202}
        await talk.hear()
        everything = (await talk.client.get("/messages?all=1")).json()["messages"]
        assert [message["text"] for message in everything if message["from"] == "me"] == ["halo"]
        assert len(everything) == 1 + len(talk.news) > 1


async def test_a_visit_ends_on_either_database(world: World) -> None:
    """Idle and forgotten visits open nothing, whatever stores them."""
    async with talking(world) as talk:
        await talk.say("halo")
        world.clock.advance(timedelta(minutes=Config().web.idle_minutes + 2))
        assert (await talk.client.get("/messages?all=1")).status_code == 401
        assert "Obrolan sudah ditutup" in (await talk.client.get("/")).text
        await talk.client.get("/")
        assert (await talk.client.get("/messages?all=1")).json()["messages"] == []
        await talk.client.post("/forget")
        assert (await talk.client.get("/messages?all=1")).status_code == 401
