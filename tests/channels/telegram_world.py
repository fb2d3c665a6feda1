"""A bot of ours beside the fake Bot API: over real sockets, or in process on a clock moved by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from telegram.request import BaseRequest, HTTPXRequest

from bot.channels.telegram.service import Telegram
from bot.clock import Clock, CountedIds, ManualClock, SystemClock
from bot.config import Config
from bot.fakes.server import serving
from bot.fakes.telegram import TOKEN, FakeTelegram
from bot.fakes.telegram_limits import Limits
from flows.catalogue import load_flows
from storage.inbox import Accepted, Arrival, Event
from storage.keyring import Keyring
from storage.outbox import Outgoing, Rendered

SECRET = "a-word-of-our-own-1234567890"
MORNING = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
KEYS = Keyring.from_keys({"a": bytes([1]) * 32}, "a", bytes([2]) * 32)
FLOWS = load_flows(Config().flow_settings())
PICTURE = b"\x89PNG\r\n\x1a\n" + b"a table" * 20


@dataclass
class Store:
    """An inbox that forgets nothing. `troubles` are raised, one a call, instead of storing."""

    events: list[Event] = field(default_factory=list)
    troubles: list[Exception] = field(default_factory=list)
    poison: str = ""
    """What no arrival may hold, or it cannot be stored."""

    async def take_in(self, events: Sequence[Event]) -> list[Accepted]:
        """As `Program.take_in` does."""
        if self.troubles:
            raise self.troubles.pop(0)
        if self.poison and any(self.poison in repr(event) for event in events):
            raise LookupError("poison")
        self.events += [event for event in events if event not in self.events]
        return []

    @property
    def contents(self) -> list[Any]:
        """What has come from people, in order."""
        return [event.content for event in self.events if isinstance(event, Arrival)]


@dataclass
class World:
    """A fake, a bot of ours beside it, and what it stored."""

    fake: FakeTelegram
    telegram: Telegram
    store: Store
    clock: Clock


def settings(**telegram: Any) -> Config:
    """Settings with Telegram on."""
    given = {"token": TOKEN, "secret_token": SECRET, **telegram}
    return Config.model_validate({"telegram": given, "web": {"public_url": "https://tanya.example.org"}})


async def draw(body: Rendered) -> bytes | None:
    """A picture for every name but one."""
    return None if body.picture == "lost" else PICTURE


def made(
    fake: FakeTelegram, config: Config, clock: Clock, request: BaseRequest | None = None, asking: Any = None
) -> World:
    """A bot of ours for this fake."""
    store = Store()
    telegram = Telegram(
        config, KEYS, FLOWS, clock, CountedIds(), draw, request=request, updates_request=asking or request
    )
    telegram.connect(store.take_in)
    return World(fake, telegram, store, clock)


def in_process(limits: Limits | None = None, **telegram: Any) -> World:
    """Without sockets, on a clock moved by hand."""
    clock = ManualClock(MORNING)
    fake = FakeTelegram(now=clock.now, limits=limits)
    config = settings(api_base_url="http://127.0.0.1:1", **telegram)
    transport = httpx.ASGITransport(app=fake.app)
    return made(fake, config, clock, HTTPXRequest(httpx_kwargs={"transport": transport}))


@contextmanager
def over_http(limits: Limits | None = None, **telegram: Any) -> Iterator[World]:
    """Over real sockets and on the machine's clock."""
    fake = FakeTelegram(
        now=SystemClock().now, networked=True, allow_loopback_webhook=True, limits=limits or Limits(chat_burst=100)
    )
    with serving(fake.app) as url:
        yield made(fake, settings(api_base_url=url, **telegram), SystemClock())


def row(address: int, body: Rendered) -> Outgoing:
    """A stored reply for somebody."""
    return Outgoing(1, "c", "telegram", str(address), 1, 0, body, 0, "new", MORNING)
