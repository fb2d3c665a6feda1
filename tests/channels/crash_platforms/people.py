"""People on a platform: each signs up and complains with a photo, then another one comes.

A person answers what the newest message asks, by a button or in words, and knows afterwards what was said to whom.
"""

from __future__ import annotations

import asyncio
import io
import random
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from PIL import Image
from storm.visitors import CODE, MAX_ANSWERS, Stuck, answer_to

from crash_platforms.platform import Heard, Platform

SLOW_S: Final = 60.0
"""Seconds of ours that people wait besides: this machine may be busy."""

TRIES: Final = 5
SETTLED_S: Final = 0.05
LOOK_EVERY_S: Final = 0.03
PRESSES: Final = 0.7
"""The share of choices that are pressed and not typed."""

FORM: Final = re.compile(r"https?://\S+?(/isi/\S+)")
NUMBER: Final = re.compile(r"^\d+\. ")
"""Before the words of a button: by what it can be answered, too."""

BY_FORM: Final = 0.5
"""The share of identity numbers that are filled in on the page that is offered; the others are typed all the same."""

FIRST_SERIAL: Final = 9001
SERIALS: Final = 999


@dataclass(slots=True)
class Journey:
    """One person from the first word to the last. `sent` are the names of messages, `codes` what each code was for."""

    account: Any
    number: int
    nik: str
    photo: bytes
    sent: list[str] = field(default_factory=list)
    codes: dict[str, str] = field(default_factory=dict)
    photos: int = 0
    asked_again: int = 0
    finished: bool = False
    trouble: str = ""


@dataclass(slots=True)
class Street:
    """What all people share."""

    platform: Platform
    client: httpx.AsyncClient
    ports: Sequence[int]
    speed: float
    random: random.Random
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    journeys: list[Journey] = field(default_factory=list)

    def next_journey(self) -> Journey:
        """Somebody new, with a NIK and a photo of their own."""
        number = len(self.journeys)
        year, serial = divmod(number, SERIALS)
        nik = f"3275011203{70 + year:02d}{FIRST_SERIAL + serial}"
        account = self.platform.join(f"Warga {number + 1}")
        journey = Journey(account, number, nik, photo_of(number))
        self.journeys.append(journey)
        return journey


class Resident:
    """A place in the street where one person after the other lives, until told to stop; the one begun always ends."""

    def __init__(self, street: Street) -> None:
        self._street = street
        self._platform = street.platform
        self._random = random.Random(street.random.random())
        self._journey = street.next_journey()

    async def live(self) -> None:
        """At least one journey."""
        while True:
            try:
                await self._travel()
            except Stuck as reason:
                self._journey.trouble = str(reason)
                return
            self._journey.finished = True
            if self._street.stop.is_set():
                return
            self._journey = self._street.next_journey()

    async def _travel(self) -> None:
        await self._say(lambda: self._platform.greet(self._journey.account))
        await self._task("sign-up", "saya mau daftar bpjs")
        await self._task("complaint", "saya mau mengadu")

    async def _task(self, name: str, opening: str) -> None:
        """Until a code is told that was not told before."""
        await self._write(opening)
        for _ in range(MAX_ANSWERS):
            fresh = self._fresh_codes()
            if fresh:
                self._journey.codes.update(dict.fromkeys(fresh, name))
                return
            await self._answer(name)
        raise Stuck(f"{name}: no code after {MAX_ANSWERS} answers; last asked: {self._newest.text[:80]!r}")

    def _fresh_codes(self) -> list[str]:
        told = {code for one in self._heard() for code in CODE.findall(one.text)}
        return sorted(told - self._journey.codes.keys())

    async def _answer(self, task: str) -> None:
        question, journey = self._newest, self._journey
        if "kirim fotonya" in question.text and not journey.photos:
            journey.photos += 1
            await self._say(lambda: self._platform.show(journey.account, journey.photo), repeatable=False)
            return
        form = FORM.search(question.text)
        if form and self._random.random() < BY_FORM:
            await self._fill(form[1])
            return
        titles = {NUMBER.sub("", title.lower()): title for title in question.options}
        answer = answer_to(question.text, tuple(titles), task, journey.nik, journey.number)
        if answer in titles and self._random.random() < PRESSES:
            await self._say(lambda: self._platform.press(journey.account, titles[answer]))
        else:
            await self._write(answer)

    async def _write(self, text: str) -> None:
        await self._say(lambda: self._platform.write(self._journey.account, text))

    async def _say(self, act: Any, *, repeatable: bool = True) -> None:
        """Does it and waits for what the bot says to it; asks again when nothing comes for long."""
        before = len(self._heard())
        last = self._newest if before else None
        for n in range(TRIES):
            if n == 0 or repeatable:
                self._journey.asked_again += n > 0
                self._journey.sent.append(act())
            if await self._replied(before, last):
                return
        raise Stuck(f"unanswered; last asked: {last.text[:80] if last else ''!r}")

    async def _fill(self, path: str) -> None:
        """The one-field page, until some process takes it."""
        before, last = len(self._heard()), self._newest
        headers = {"sec-fetch-site": "same-origin"}
        for _ in range(200):
            port = self._random.choice(self._street.ports)
            try:
                answer = await self._street.client.post(
                    f"http://127.0.0.1:{port}{path}", data={"value": self._journey.nik}, headers=headers
                )
            except httpx.TransportError:
                await asyncio.sleep(0.1)
                continue
            if answer.status_code < 500:
                break
            await asyncio.sleep(0.2)
        if not await self._replied(before, last):
            await self._write(self._journey.nik)

    async def _replied(self, before: int, last: Heard | None) -> bool:
        """Whether something new came in time. The same again is no answer: that may still be on its way."""
        deadline = time.monotonic() + self._platform.patience_s / self._street.speed + SLOW_S
        while len(self._heard()) == before or (last is not None and self._newest.text == last.text):
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(LOOK_EVERY_S)
        await asyncio.sleep(SETTLED_S)
        return True

    def _heard(self) -> Sequence[Heard]:
        return self._platform.heard(self._journey.account)

    @property
    def _newest(self) -> Heard:
        return self._heard()[-1]


def colour_of(number: int) -> tuple[int, int, int]:
    """A colour for each of the first 4096 people, far enough apart to be told after JPEG."""
    return tuple(16 * (number >> shift & 15) + 8 for shift in (0, 4, 8))  # type: ignore[return-value]


def photo_of(number: int) -> bytes:
    """A photo that only this person has."""
    out = io.BytesIO()
    Image.new("RGB", (320, 240), colour_of(number)).save(out, "JPEG", quality=90)
    return out.getvalue()


def shown_in(photo: bytes) -> int:
    """Whose photo it is."""
    with Image.open(io.BytesIO(photo)) as picture:
        red, green, blue = picture.convert("RGB").getpixel((160, 120))  # type: ignore[misc]
    return red // 16 | green // 16 << 4 | blue // 16 << 8
