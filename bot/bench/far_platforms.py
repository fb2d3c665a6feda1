"""The far side of the channel benchmark: a fake platform and its person, in a process of their own.

`python -m bot.bench.far_platforms telegram|whatsapp` prints the address of the fake's API, then takes orders on
standard input and answers each with one line of JSON. What it costs is nobody's figure.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import httpx
import msgspec
import uvicorn

from bot.bench import walk
from bot.bench.page import PageError
from bot.fakes.telegram import FakeTelegram
from bot.fakes.telegram_delivery import SECRET_HEADER
from bot.fakes.telegram_limits import Limits
from bot.fakes.whatsapp import FakeWhatsApp
from bot.fakes.whatsapp_delivery import signed_headers
from bot.fakes.whatsapp_events import body_bytes, payloads
from bot.fakes.whatsapp_records import StatusName

SECRET: Final = "bench-secret-token-1234567890"  # noqa: S105 - opens nothing but the benchmark
PAUSE_S: Final = 0.02
"""After an answer; what follows it, such as marking it as sent, belongs to its turn."""

LOOK_EVERY_S: Final = 0.0005
ANSWER_WITHIN_S: Final = 30.0
UNLIMITED: Final = Limits(chat_burst=1_000_000, group_per_minute=1_000_000, overall_per_second=1_000_000)
STATUSES: Final[tuple[StatusName, ...]] = ("sent", "delivered", "read")


class Walk(msgspec.Struct, frozen=True):
    """Say all that person `number` says in a walk, to the webhook at `url`, and wait for each answer.

    `signs_up`: a receipt must come in the end. `statuses`: then all statuses of each answer are told, one a body.
    """

    url: str
    number: int
    signs_up: bool = True
    statuses: bool = False


class Walked(msgspec.Struct, frozen=True):
    """Milliseconds from each message to its answer, and how many messages came in all."""

    waited_ms: tuple[float, ...] = ()
    answers: int = 0


orders = msgspec.json.Decoder(Walk)
answers = msgspec.json.Decoder(Walked)


class Far(Protocol):
    """A fake as the walk needs it."""

    @property
    def app(self) -> Any: ...

    def join(self, number: int) -> Any:
        """A new person."""

    def packed(self, person: Any, text: str) -> tuple[bytes, dict[str, str]]:
        """What the platform posts of a text: body and headers."""

    def shown(self, person: Any) -> Sequence[Any]:
        """What the person got."""

    def statuses_of(self, shown: Sequence[Any]) -> list[tuple[bytes, dict[str, str]]]:
        """What the platform posts of its fate."""


class FarTelegram:
    def __init__(self) -> None:
        self._fake = FakeTelegram(now=_now, networked=True, allow_loopback_webhook=True, limits=UNLIMITED)
        self.app = self._fake.app

    def join(self, number: int) -> Any:
        return self._fake.person(f"Warga {number}")

    def packed(self, person: Any, text: str) -> tuple[bytes, dict[str, str]]:
        return json.dumps(self._fake.updates.text(person, text)).encode(), {SECRET_HEADER: SECRET}

    def shown(self, person: Any) -> Sequence[Any]:
        return self._fake.said_to(person.id)

    def statuses_of(self, shown: Sequence[Any]) -> list[tuple[bytes, dict[str, str]]]:
        return []


class FarWhatsApp:
    def __init__(self) -> None:
        self._fake = FakeWhatsApp(now=_now)
        self._fake.number.per_second = 1_000_000
        self.app = self._fake.app

    def join(self, number: int) -> Any:
        user_id = f"ID.{13_491_208_655_302_741_918 + number}"
        return self._fake.add_user(f"Warga {number}", phone=f"62813{9_000_000 + number}", user_id=user_id)

    def packed(self, person: Any, text: str) -> tuple[bytes, dict[str, str]]:
        return self._posted(self._fake.inbound.text(person, text))

    def shown(self, person: Any) -> Sequence[Any]:
        return self._fake.shown_to(person)

    def statuses_of(self, shown: Sequence[Any]) -> list[tuple[bytes, dict[str, str]]]:
        return [self._posted(self._fake.status(message, name)) for message in shown for name in STATUSES]

    def _posted(self, event: Any) -> tuple[bytes, dict[str, str]]:
        (payload,) = payloads(self._fake.account, [event])
        body = body_bytes(payload)
        return body, signed_headers(body, self._fake.account.app_secret)


def _now() -> datetime:
    return datetime.now(UTC)


async def walked(far: Far, client: httpx.AsyncClient, order: Walk) -> Walked:
    """Carries out an order. Raises PageError when an answer or the receipt does not come."""
    person, waited = far.join(order.number), []
    for text in walk.messages(order.number):
        before = len(far.shown(person))
        body, headers = far.packed(person, text)
        began = time.perf_counter()
        await _post(client, order.url, body, headers)
        while len(far.shown(person)) == before:
            if time.perf_counter() - began > ANSWER_WITHIN_S:
                raise PageError(f"no answer to {text!r}")
            await asyncio.sleep(LOOK_EVERY_S)
        waited.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(PAUSE_S)
        if order.statuses:
            for told, its_headers in far.statuses_of(far.shown(person)[before:]):
                await _post(client, order.url, told, its_headers)
    shown = far.shown(person)
    if order.signs_up and not any(walk.RECEIPT in one.text for one in shown):
        raise PageError("nobody was signed up")
    return Walked(tuple(waited), len(shown))


async def _post(client: httpx.AsyncClient, url: str, body: bytes, headers: dict[str, str]) -> None:
    answer = await client.post(url, content=body, headers=headers)
    if answer.status_code != 200:
        raise PageError(f"{url}: {answer.status_code}")


@asynccontextmanager
async def _served(app: Any) -> AsyncIterator[str]:
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells it by this flag alone
        await asyncio.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


async def main() -> None:
    """Serves orders until standard input ends."""
    far: Far = FarTelegram() if sys.argv[1] == "telegram" else FarWhatsApp()
    async with _served(far.app) as url, httpx.AsyncClient(timeout=ANSWER_WITHIN_S, trust_env=False) as client:
        _say(msgspec.json.encode(url))
        while line := await asyncio.to_thread(sys.stdin.readline):
            _say(msgspec.json.encode(await walked(far, client, orders.decode(line))))


def _say(line: bytes) -> None:
    sys.stdout.write(line.decode() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
