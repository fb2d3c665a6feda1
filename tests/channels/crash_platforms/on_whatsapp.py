"""The fake Cloud API as the platform of a storm. It tells of most messages that were sent and delivered, not of all."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx

from bot.fakes.whatsapp import FakeWhatsApp
from bot.fakes.whatsapp_delivery import Courier
from bot.fakes.whatsapp_records import Event, User
from crash_platforms.ground import FastClock
from crash_platforms.platform import Heard

PATH: Final = "/webhooks/whatsapp"
VERIFY: Final = "storm-verify-token"
SILENT: Final = 0.25
"""The share of messages of which no status ever comes."""

AGAIN: Final = 0.08
"""The share of deliveries that come twice: byte for byte, or the same in a body of other bytes."""

ANSWER_LIMIT_S: Final = 20.0
IDLE_S: Final = 0.01
FIRST_USER: Final = 13_491_208_655_302_741_918


class OnWhatsApp:
    """See `crash_platforms.platform.Platform`.

    `told` is when a status of each of our messages was first taken by a living service, by our name of the message.
    `answers` holds the HTTP status of every delivery, 0 where nobody answered.
    """

    channel = "whatsapp"
    patience_s = 7200.0  # after each failure in a row Meta waits twice as long, and loses nothing for a week

    def __init__(self, clock: FastClock) -> None:
        self.clock = clock
        self.fake = FakeWhatsApp(now=clock.now, automatic=("sent", "delivered"))
        self.told: dict[int, float] = {}
        self.answers: list[int] = []
        self.courier: Courier | None = None
        self._url = ""
        self._ports: Sequence[int] = ()
        self._chance = random.Random(0)
        self._queue: list[Event] = []
        self._silent: dict[str, bool] = {}
        self._people = 0
        self._read = 0
        self._heard: defaultdict[str, list[Heard]] = defaultdict(list)

    @property
    def app(self) -> Any:
        return self.fake.app

    @property
    def settings(self) -> Mapping[str, str]:
        account, speed = self.fake.account, self.clock.speed
        return {
            "RANGKUL_WHATSAPP__TOKEN": account.token,
            "RANGKUL_WHATSAPP__APP_SECRET": account.app_secret,
            "RANGKUL_WHATSAPP__VERIFY_TOKEN": VERIFY,
            "RANGKUL_WHATSAPP__PHONE_NUMBER_ID": account.phone_id,
            "RANGKUL_WHATSAPP__WABA_ID": account.waba_id,
            "RANGKUL_WHATSAPP__API_BASE_URL": f"{self._url}/v26.0",
            "RANGKUL_WHATSAPP__NUMBER_PER_SECOND": str(min(40 * speed, 1000)),
            "RANGKUL_WHATSAPP__PAIR_INTERVAL_S": str(6 / speed),
            "RANGKUL_WEB__PUBLIC_URL": f"http://127.0.0.1:{self._ports[0]}",
        }

    def open(self, url: str, ports: Sequence[int], chance: random.Random) -> None:
        self._url, self._ports, self._chance = url, ports, chance

    def join(self, name: str) -> User:
        """Four kinds of people: with a phone, with an id of Meta's as well, with that alone, with a username."""
        self._people += 1
        phone, user_id = f"62813{9_000_000 + self._people}", f"ID.{FIRST_USER + self._people}"
        match self._people % 4:
            case 0:
                return self.fake.add_user(name, phone=phone)
            case 1 | 2:
                return self.fake.add_user(name, phone=phone, user_id=user_id)
            case _:
                username = f"warga{self._people}"
                return self.fake.add_user(name, phone=phone, user_id=user_id, username=username, shows_phone=False)

    def address(self, account: User) -> str:
        return account.user_id or account.phone or ""

    def greet(self, account: User) -> str:
        return self.write(account, "halo")

    def write(self, account: User, text: str) -> str:
        return self._put(self.fake.inbound.text(account, text))

    def press(self, account: User, title: str) -> str:
        return self._put(self.fake.inbound.press(account, title))

    def show(self, account: User, photo: bytes) -> str:
        return self._put(self.fake.inbound.image(account, photo))

    def heard(self, account: User) -> Sequence[Heard]:
        for one in self.fake.accepted[self._read :]:
            titles = tuple(tap.title for tap in one.taps if tap.kind in ("button", "row"))
            row = int(one.tracker) if one.tracker and one.tracker.isdigit() else None
            self._heard[one.to].append(Heard(one.id, one.text, titles, one.at, row))
        self._read = len(self.fake.accepted)
        return self._heard[account.key]

    async def carry(self) -> None:
        async with httpx.AsyncClient(timeout=ANSWER_LIMIT_S, trust_env=False) as client:

            async def post(body: bytes, headers: Mapping[str, str]) -> int:
                url = f"http://127.0.0.1:{self._chance.choice(self._ports)}{PATH}"
                try:
                    answer = await client.post(url, content=body, headers=dict(headers))
                except httpx.TransportError:
                    self.answers.append(0)
                    raise
                self.answers.append(answer.status_code)
                if answer.status_code == 200:
                    self._note(body)
                return answer.status_code

            self.courier = Courier(self.fake, post)
            while True:
                if not await self._carry_once(self.courier):
                    await asyncio.sleep(IDLE_S)

    def lane(self, name: str) -> str:
        return name  # Meta promises no order

    def given_up(self) -> set[str]:
        return set()  # Meta tries for a week

    def is_idle(self) -> bool:
        return not (self._queue or self.fake.due or (self.courier and self.courier.waiting))

    async def _carry_once(self, courier: Courier) -> bool:
        """What people did in one body or several, and the statuses that are due; True when there was something."""
        said, self._queue = self._queue, []
        statuses = [event for event in self._due() if not self._is_silent(event)]
        if not said and not statuses:
            return bool(await courier.run())
        events = [*said, *statuses]
        self._chance.shuffle(events)
        grouping = self._chance.choice(("apart", "messages", "changes", "entries"))
        again = self._chance.choice(("same body", "other body")) if self._chance.random() < AGAIN else None
        await courier.send(*events, grouping=grouping, again=again)
        return True

    def _due(self) -> list[Event]:
        return [self.fake.due.popleft() for _ in range(len(self.fake.due))]

    def _is_silent(self, event: Event) -> bool:
        return self._silent.setdefault(event.id, self._chance.random() < SILENT)

    def _note(self, body: bytes) -> None:
        for entry in json.loads(body)["entry"]:
            for change in entry["changes"]:
                for status in change["value"].get("statuses", []):
                    tracker = status.get("biz_opaque_callback_data", "")
                    if tracker.isdigit():
                        self.told.setdefault(int(tracker), time.monotonic())

    def _put(self, event: Event) -> str:
        self._queue.append(event)
        return event.id
