"""The stream of news: nothing lost, nothing doubled, and everything cleaned up."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from web_service import Service, served, until

from bot.channels.web import MAX_STREAMS, WebChannel
from bot.web import events

pytestmark = pytest.mark.asyncio


class Page:
    """A page that listens: collects what the stream brings."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.texts: list[str] = []
        self.others: list[tuple[str, str]] = []
        self.retries: list[str] = []
        self.comments = 0
        self.is_over = False

    async def read(self, lines: AsyncIterator[str]) -> None:
        fields: dict[str, str] = {}
        async for line in lines:
            if line.startswith(":"):
                self.comments += 1
            elif line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif fields:
                self._take(fields)
                fields = {}
        self.is_over = True

    def _take(self, fields: dict[str, str]) -> None:
        if "retry" in fields:
            self.retries.append(fields["retry"])
        elif "event" in fields:
            self.others.append((fields["event"], fields["data"]))
        elif "data" in fields:
            message = json.loads(fields["data"])
            assert int(fields["id"]) == message["id"]
            self.ids.append(message["id"])
            self.texts.append(message["text"])


@asynccontextmanager
async def listening(client: httpx.AsyncClient, after: int = 0, **headers: str) -> AsyncIterator[Page]:
    page = Page()
    async with client.stream("GET", f"/events?after={after}", headers=headers, timeout=None) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        reading = asyncio.create_task(page.read(answer.aiter_lines()))
        yield page
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


@asynccontextmanager
async def browser(url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url, headers={"origin": url}) as client:
        await client.get("/")
        yield client


async def say(client: httpx.AsyncClient, text: str) -> None:
    answer = await client.post("/messages", json={"id": str(uuid.uuid4()), "text": text})
    assert answer.status_code == 202


async def test_answers_come_while_the_page_listens(service: Service) -> None:
    """A page that was open before the first message hears every answer, in order."""
    async with served(service) as url, browser(url) as client, listening(client) as page:
        await say(client, "tiga")
        await say(client, "halo")
        await until(lambda: len(page.texts) == 4)
        assert page.texts == ["Bagian 1 dari 3.", "Bagian 2 dari 3.", "Bagian 3 dari 3.", "Jawaban untuk: halo"]


@pytest.mark.parametrize("by_header", [False, True])
async def test_a_page_that_was_away_gets_what_it_missed_once(service: Service, by_header: bool) -> None:
    """Resuming after an id, by address or by the browser's own header, gives exactly the rest."""
    async with served(service) as url, browser(url) as client:
        async with listening(client) as page:
            await say(client, "tiga")
            await until(lambda: len(page.ids) == 3)
        await say(client, "saat pergi")
        second = page.ids[1]
        position = {"headers": {"last-event-id": str(second)}, "after": 0} if by_header else {"after": second}
        async with listening(client, position["after"], **position.get("headers", {})) as again:
            await until(lambda: len(again.texts) == 2)
            assert again.texts == ["Bagian 3 dari 3.", "Jawaban untuk: saat pergi"]


async def test_nothing_is_lost_or_doubled_under_fire(service: Service) -> None:
    """Pages that come and go while answers are written together see every answer exactly once, in order."""
    async with served(service) as url, browser(url) as client:
        seen: list[int] = []

        async def comings_and_goings() -> None:
            while len(seen) < 25:
                async with listening(client, seen[-1] if seen else 0) as page:
                    await asyncio.sleep(0.05)
                seen.extend(page.ids)

        coming = asyncio.create_task(comings_and_goings())
        for number in range(25):
            await say(client, f"pesan {number}")
            await asyncio.sleep(0.012)
        await asyncio.wait_for(coming, 10)
        everything = (await client.get("/messages?after=0")).json()["messages"]
        assert seen == [message["id"] for message in everything]
        assert [message["text"] for message in everything] == [f"Jawaban untuk: pesan {n}" for n in range(25)]


async def test_rows_of_another_process_are_found(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that another process sent is there at the next look, without any news."""
    monkeypatch.setattr(events, "POLL_S", 0.2)
    async with served(service) as url, browser(url) as client, listening(client) as page:
        await say(client, "halo")
        await until(lambda: len(page.texts) == 1)
        monkeypatch.setattr(WebChannel, "send", _nothing)
        monkeypatch.setattr(WebChannel, "taken_in", lambda *_: None)
        await say(client, "dari proses lain")
        await until(lambda: len(page.texts) == 2)


async def _nothing(*_: Any) -> None:
    return None


async def test_typing_is_shown_while_a_turn_is_in_work(service: Service) -> None:
    """Typing goes on when the message is taken in and off with its answer, also when the answer is silence."""
    service.bot.pause_s = 0.3
    async with served(service) as url, browser(url) as client, listening(client) as page:
        await say(client, "halo")
        await until(lambda: ("typing", "on") in page.others)
        assert page.texts == []
        await until(lambda: page.others == [("typing", "on"), ("typing", "off")])
        assert page.texts == ["Jawaban untuk: halo"]
        await say(client, "diam")
        await until(lambda: page.others == [("typing", "on"), ("typing", "off")] * 2)


async def test_nobody_types_while_staff_hold_the_talk(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bot is silent then, so the page does not say that it writes; given back, it does again."""
    monkeypatch.setattr(events, "POLL_S", 0.05)
    service.bot.pause_s = 0.2

    async def held_by(owner: str) -> None:
        change = f"UPDATE conversations SET owner = '{owner}'"  # noqa: S608 - a word of this test
        await service.program.db.transaction(lambda conn: conn.exec_driver_sql(change))
        await asyncio.sleep(0.2)

    async with served(service) as url, browser(url) as client:
        await say(client, "halo")
        await until(lambda: len(service.bot.handled) == 1)
        async with listening(client) as page:
            await held_by("rina-id")
            await say(client, "diam")
            await until(lambda: len(service.bot.handled) == 2)
            await asyncio.sleep(0.2)
            assert page.others == []
            await held_by("bot")
            await say(client, "halo")
            await until(lambda: page.others == [("typing", "on"), ("typing", "off")])


async def test_a_quiet_stream_is_kept_warm(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Comments keep networks from closing a connection on which nothing is said."""
    monkeypatch.setattr(events, "POLL_S", 0.05)
    monkeypatch.setattr(events, "HEARTBEAT_S", 0.1)
    async with served(service) as url, browser(url) as client, listening(client) as page:
        await until(lambda: page.comments >= 3)


async def test_the_end_of_a_visit_reaches_open_pages(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forgetting in one tab closes the talk in the other at once; an idle end does it at the next look."""
    async with served(service) as url:
        async with browser(url) as client, listening(client) as page:
            await client.post("/forget")
            await until(lambda: page.is_over)
            assert page.others == [("ended", "unknown")]
        monkeypatch.setattr(events, "POLL_S", 0.1)
        async with browser(url) as client, listening(client) as page:
            service.clock.ahead += timedelta(days=1)
            await until(lambda: page.is_over)
            assert page.others == [("ended", "idle")]


async def test_streams_are_bounded_and_given_back(service: Service) -> None:
    """A visitor holds three streams at most: a fourth takes the oldest one's place, and none is left over."""
    async with served(service) as url, browser(url) as client:
        async with listening(client) as first, listening(client) as second, listening(client):
            await until(lambda: service.channel.open_streams() == MAX_STREAMS)
            async with listening(client) as fourth:
                await until(lambda: first.is_over)
                assert first.retries == ["2000", "20000"]
                assert service.channel.open_streams() == MAX_STREAMS
                await say(client, "halo")
                await until(lambda: fourth.texts == second.texts == ["Jawaban untuk: halo"])
                assert first.texts == []
            await until(lambda: service.channel.open_streams() == 2)
        await until(lambda: service.channel.open_streams() == 0)


async def test_the_server_can_shut_down_with_pages_open(service: Service) -> None:
    """Closing the channel ends every stream, so that a deploy does not wait for phones."""
    async with served(service) as url, browser(url) as client, listening(client) as page:
        service.channel.close()
        await until(lambda: page.is_over, within_s=1.0)
        assert service.channel.open_streams() == 0
