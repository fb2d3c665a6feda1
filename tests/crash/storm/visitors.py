"""Simulated visitors of the chat page: each signs up, complains, asks, and calls staff, over real HTTP.

A visitor answers what it is asked, sends a message again under the same id until the service says 202, and keeps
account of what it was promised: every message that was taken, every reply it saw, every code it was told.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import msgspec

CODE: Final = re.compile(r"RK-[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}")

PATIENCE_S: Final = 90.0
"""Without an answer for so long, a visitor counts as stuck."""

MAX_ANSWERS: Final = 45
"""Messages after which one task that has not ended counts as stuck."""

QUESTIONS: Final = ("apa itu JKK", "apa itu JKM", "apa itu JHT", "menu")
"""Asked in between; none of them begins a task."""

REPEATED: Final = 0.1
"""The share of messages that are delivered once more after they were taken."""

SAME_NIK: Final = 0.15
"""The share of sign-ups for a NIK that somebody signs up as well."""

FIRST_SERIAL: Final = 9001
SERIALS: Final = 999


class Stuck(Exception):
    """A conversation that does not go on."""


@dataclass(slots=True)
class Journey:
    """One conversation from its first word to its last, as the client knows it."""

    token: str
    nik: str
    taken: list[str] = field(default_factory=list)
    seen: dict[int, str] = field(default_factory=dict)
    shown_twice: int = 0
    codes: dict[str, str] = field(default_factory=dict)
    finished: bool = False
    trouble: str = ""
    redelivered: int = 0


@dataclass(slots=True)
class World:
    """What all visitors share: where the service is, who has which NIK, and when to come to an end."""

    client: httpx.AsyncClient
    ports: Sequence[int]
    random: random.Random
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    journeys: list[Journey] = field(default_factory=list)
    refused_connections: int = 0
    _people: int = 0

    def next_nik(self) -> str:
        """An invented NIK; now and then one that somebody else signs up too."""
        if self._people and self.random.random() < SAME_NIK:
            return self._nik(self.random.randrange(max(0, self._people - 10), self._people))
        self._people += 1
        return self._nik(self._people - 1)

    @staticmethod
    def _nik(number: int) -> str:
        year, serial = divmod(number, SERIALS)
        return f"3275011203{70 + year:02d}{FIRST_SERIAL + serial}"

    async def request(self, method: str, path: str, **given: Any) -> httpx.Response:
        """The answer of whichever process gives one; dead and busy ones are tried again."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            port = self.random.choice(self.ports)
            try:
                answer = await self.client.request(method, f"http://127.0.0.1:{port}{path}", **given)
            except httpx.TransportError:
                self.refused_connections += 1
                await asyncio.sleep(self.random.uniform(0.02, 0.15))
                continue
            if answer.status_code not in (429, 503):
                return answer
            await asyncio.sleep(0.2)
        raise Stuck(f"{method} {path}: no answer for {PATIENCE_S:.0f} s")


def answer_to(question: str, options: Sequence[str], task: str, nik: str, number: int) -> str:
    """What visitor `number` says to a question, `options` in small letters."""
    asked = question.lower()
    if "kirim" in options:
        return "kirim"
    for sign, answer in (
        ("(nik)", nik),
        ("nama lengkap", f"asep sunandar {'abcdefghij'[number % 10]}wi"),
        ("kota atau kabupaten", "Kota Bekasi"),
        ("pekerjaannya apa", "ojek online"),
        ("penghasilan", "2 juta"),
        ("berapa bulan", "3 bulan"),
        ("nomor hp", f"0812900{number:05d}"),
        ("ceritakan", "kartu saya belum jadi padahal sudah bayar dua bulan lalu di kantor cabang"),
        ("kapan kejadian", "kemarin"),
        ("digaji sendiri", "tidak"),
    ):
        if sign in asked and not ("ya" in options and sign == "nomor hp"):
            return answer
    for option in ("lewati", "ya", "saya sendiri", "kerja sendiri"):
        if option in options:
            return option
    if options:
        return options[0]
    return "lewati" if task == "complaint" else "ya"


class Visitor:
    """Makes one journey after the other until told to stop, and always finishes the one begun."""

    def __init__(self, world: World, number: int, *, streams: bool) -> None:
        self._world = world
        self._number = number
        self._streams = streams
        self._random = random.Random(world.random.random())
        self._news = asyncio.Event()
        self._options: tuple[str, ...] = ()
        self._question = ""
        self._last = 0
        self._journey = Journey("", "")

    async def live(self) -> None:
        """At least one journey."""
        while True:
            await self._travel()
            if self._world.stop.is_set() or self._journey.trouble:
                return

    async def _travel(self) -> None:
        self._journey = Journey(await self._open(), self._world.next_nik())
        self._world.journeys.append(self._journey)
        self._last = 0
        listening = asyncio.create_task(self._listen()) if self._streams else None
        try:
            await self._task("sign-up", "saya mau daftar bpjs")
            await self._ask_at_once(self._random.sample(QUESTIONS, 3))
            await self._task("complaint", "saya mau mengadu")
            await self._task("handover", "petugas")
            await self._hang_up(listening)
            await self._catch_up()
            self._journey.finished = True
        except Stuck as reason:
            self._journey.trouble = str(reason)
        finally:
            await self._hang_up(listening)

    @staticmethod
    async def _hang_up(listening: asyncio.Task[None] | None) -> None:
        if listening is not None:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening

    async def _open(self) -> str:
        answer = await self._world.request("GET", "/")
        return answer.cookies["rangkul"]

    # ── talking ──────────────────────────────────────────────────────────────────────────────────

    async def _task(self, name: str, opening: str) -> None:
        """Until a code is told that was not told before."""
        await self._say(opening)
        for _ in range(MAX_ANSWERS):
            fresh = self._fresh_codes()
            if fresh:
                self._journey.codes.update(dict.fromkeys(fresh, name))
                return
            await self._say(answer_to(self._question, self._options, name, self._journey.nik, self._number))
        raise Stuck(f"{name}: no code after {MAX_ANSWERS} answers; last asked: {self._question[:80]!r}")

    def _fresh_codes(self) -> list[str]:
        told = {code for text in self._journey.seen.values() for code in CODE.findall(text)}
        return sorted(told - self._journey.codes.keys())

    async def _ask_at_once(self, questions: Sequence[str]) -> None:
        """Several messages without waiting for the answers in between."""
        before = len(self._journey.seen)
        for question in questions:
            await self._deliver(question)
        await self._wait_for(before + len(questions))

    async def _say(self, text: str) -> None:
        before = len(self._journey.seen)
        await asyncio.sleep(self._random.uniform(0, 0.03))
        await self._deliver(text)
        await self._wait_for(before + 1)

    async def _deliver(self, text: str) -> None:
        """Until 202; now and then once more, as a network does."""
        message = {"id": str(uuid.UUID(int=self._random.getrandbits(128))), "text": text}
        await self._post(message)
        self._journey.taken.append(message["id"])
        if self._random.random() < REPEATED:
            await self._post(message)
            self._journey.redelivered += 1

    async def _post(self, message: dict[str, str]) -> None:
        answer = await self._world.request("POST", "/messages", json=message, headers=self._headers(posting=True))
        if answer.status_code != 202:
            raise Stuck(f"POST /messages: {answer.status_code} {answer.text[:80]}")

    def _headers(self, *, posting: bool = False) -> dict[str, str]:
        cookie = {"cookie": f"rangkul={self._journey.token}"}
        return {**cookie, "sec-fetch-site": "same-origin"} if posting else cookie

    # ── hearing ──────────────────────────────────────────────────────────────────────────────────

    async def _wait_for(self, replies: int) -> None:
        deadline = time.monotonic() + PATIENCE_S
        pause = 0.03
        while len(self._journey.seen) < replies:
            if time.monotonic() > deadline:
                raise Stuck(f"unanswered for {PATIENCE_S:.0f} s")
            if self._streams:
                self._news.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), 0.5)
            else:
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, 0.4)
                await self._fetch()

    async def _catch_up(self) -> None:
        """Reads until nothing new comes: a turn's replies appear together."""
        count = -1
        while count != len(self._journey.seen):
            count = len(self._journey.seen)
            await asyncio.sleep(0.2)
            await self._fetch()

    async def _fetch(self) -> None:
        answer = await self._world.request("GET", f"/messages?after={self._last}", headers=self._headers())
        if answer.status_code != 200:
            raise Stuck(f"GET /messages: {answer.status_code}")
        self._take(msgspec.json.decode(answer.content)["messages"])

    async def _listen(self) -> None:
        """The page's stream, opened again from the last row whenever it breaks."""
        while True:
            port = self._random.choice(list(self._world.ports))
            url = f"http://127.0.0.1:{port}/events?after={self._last}"
            try:
                async with self._world.client.stream("GET", url, headers=self._headers(), timeout=20) as stream:
                    async for line in stream.aiter_lines():
                        if line.startswith("data: {"):
                            self._take([msgspec.json.decode(line[6:])])
            except httpx.TransportError:
                self._world.refused_connections += 1
            await asyncio.sleep(self._random.uniform(0.02, 0.15))

    def _take(self, rows: Sequence[dict[str, Any]]) -> None:
        for row in rows:
            if row["id"] in self._journey.seen:
                self._journey.shown_twice += 1
                continue
            self._journey.seen[row["id"]] = row["text"]
            self._question = row["text"]
            self._options = tuple(option["title"].lower() for option in row["options"])
            self._last = max(self._last, row["id"])
        if rows:
            self._news.set()
