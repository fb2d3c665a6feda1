"""The fake Bot API as the platform of a storm, by webhook or asked for updates."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx

from bot.fakes.telegram import TOKEN, FakeTelegram
from bot.fakes.telegram_delivery import ANSWER_LIMIT_S, Answer, Deliverer, Trouble
from bot.fakes.telegram_queue import lane_of
from bot.fakes.telegram_world import Person
from crash_platforms.ground import FastClock
from crash_platforms.platform import Heard

SECRET: Final = "storm-secret-token-1234567890"
PATH: Final = "/webhooks/telegram"
TROUBLES: Final[Mapping[Trouble, float]] = {"duplicate": 0.05, "lost_answer": 0.03, "hold": 0.05}
"""How often, by steps of the deliverer, an update comes once more, its 200 is lost, or others overtake it."""

IDLE_S: Final = 0.01


class OnTelegram:
    """See `crash_platforms.platform.Platform`. The rates are those of the platform's own advice, on its clock."""

    channel = "telegram"
    patience_s = 300.0  # pressed buttons are given up after 150 s

    def __init__(self, clock: FastClock, *, polling: bool) -> None:
        self.clock = clock
        self.polling = polling
        self.fake = FakeTelegram(now=clock.now, networked=True, allow_loopback_webhook=True)
        self.deliverer: Deliverer | None = None
        self._url = ""
        self._ports: Sequence[int] = ()
        self._chance = random.Random(0)
        self._lanes: dict[str, str] = {}
        self._read = 0
        self._heard: defaultdict[int, list[Heard]] = defaultdict(list)

    @property
    def app(self) -> Any:
        return self.fake.app

    @property
    def settings(self) -> Mapping[str, str]:
        speed = self.clock.speed
        return {
            "RANGKUL_TELEGRAM__TOKEN": TOKEN,
            "RANGKUL_TELEGRAM__SECRET_TOKEN": SECRET,
            "RANGKUL_TELEGRAM__MODE": "polling" if self.polling else "webhook",
            "RANGKUL_TELEGRAM__API_BASE_URL": self._url,
            "RANGKUL_TELEGRAM__CHAT_INTERVAL_S": str(1.1 / speed),
            "RANGKUL_TELEGRAM__MESSAGES_PER_SECOND": str(25 * speed),
            "RANGKUL_WEB__PUBLIC_URL": f"http://127.0.0.1:{self._ports[0]}",
        }

    def open(self, url: str, ports: Sequence[int], chance: random.Random) -> None:
        self._url, self._ports, self._chance = url, ports, chance

    def join(self, name: str) -> Person:
        return self.fake.person(name)

    def address(self, account: Person) -> str:
        return str(account.id)

    def greet(self, account: Person) -> str:
        return self._put(self.fake.updates.start(account))

    def write(self, account: Person, text: str) -> str:
        return self._put(self.fake.updates.text(account, text))

    def press(self, account: Person, title: str) -> str:
        return self._put(self.fake.updates.press(account, title))

    def show(self, account: Person, photo: bytes) -> str:
        return self._put(self.fake.updates.photo(account, photo))

    def heard(self, account: Person) -> Sequence[Heard]:
        for one in self.fake.accepted[self._read :]:
            titles = tuple(title for title, _ in one.buttons)
            self._heard[one.chat_id].append(Heard(str(one.message_id), one.text, titles, one.at))
        self._read = len(self.fake.accepted)
        return self._heard[account.id]

    async def carry(self) -> None:
        if self.polling:
            return
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
        async with httpx.AsyncClient(timeout=ANSWER_LIMIT_S, trust_env=False, limits=limits) as client:

            async def post(body: bytes, headers: Mapping[str, str]) -> Answer:
                port = self._chance.choice(self._ports)
                answer = await client.post(f"http://127.0.0.1:{port}{PATH}", content=body, headers=dict(headers))
                told = answer.headers.get("retry-after", "")
                return Answer(answer.status_code, float(told) if told.isdigit() else None)

            self.deliverer = Deliverer(self.fake, post, seed=self._chance.randrange(1 << 30), shuffled=True)
            while True:
                trouble = self._trouble()
                if trouble and self.fake.queue.pending and not self.deliverer.troubles:
                    self.deliverer.troubles.append(trouble)
                if not await self.deliverer.step():
                    await asyncio.sleep(IDLE_S)

    def lane(self, name: str) -> str:
        return "all" if self.polling else self._lanes[name]

    def given_up(self) -> set[str]:
        """Pressed buttons that met dead processes for 150 s; the person presses again."""
        if self.deliverer is None:
            return set()
        taken = {self._name(posted.update_id) for posted in self.deliverer.posted if posted.status == 200}
        waiting = {self._name(one.id) for one in self.fake.queue.pending}
        return {name for name, lane in self._lanes.items() if lane.startswith("callback_query")} - taken - waiting

    def is_idle(self) -> bool:
        return not self.fake.queue.pending

    def _name(self, update_id: int | None) -> str:
        """How our records know an update: another bot's updates count from anywhere, too."""
        return f"{self.fake.world.bot['id']}:{update_id}"

    def _trouble(self) -> Trouble | None:
        return next((trouble for trouble, share in TROUBLES.items() if self._chance.random() < share), None)

    def _put(self, update: Mapping[str, Any]) -> str:
        self.fake.put(dict(update))
        name = self._name(update["update_id"])
        self._lanes[name] = lane_of(dict(update))
        return name
