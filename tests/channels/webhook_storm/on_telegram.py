"""Telegram as the platform of a storm of webhooks."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, Final

from bot.fakes.telegram import TOKEN, FakeTelegram
from bot.fakes.telegram_delivery import SECRET_HEADER
from bot.fakes.telegram_limits import Limits
from bot.fakes.telegram_world import Person
from webhook_storm.delivery import PHRASES, Delivery, cut, now

SECRET: Final = "storm-secret-token-1234567890"
UNLIMITED: Final = Limits(chat_burst=10_000, group_per_minute=10_000, overall_per_second=10_000)
OLD_PRESS: Final = "0.0"

MALFORMED: Final = (
    b"",
    b"{",
    b'{"update_id":\xff\xfe}',
    b"[]",
    b'"update"',
    b"null",
    b"{}",
    b'{"update_id":"7"}',
    b'{"message":{"text":"halo"}}',
    b'{"update_id":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
)


class OnTelegram:
    """See `webhook_storm.delivery.Side`."""

    name = "telegram"
    path = "/webhooks/telegram"

    def __init__(self, people: int, chance: random.Random, *, limited: bool) -> None:
        self.fake = FakeTelegram(
            now=now, networked=True, allow_loopback_webhook=True, limits=None if limited else UNLIMITED
        )
        self.writers: set[str] = set()
        self._chance = chance
        self._limited = limited
        self._people = [self.fake.person(f"Warga {number}") for number in range(people)]
        self._forger = self.fake.person("Penyusup")

    @property
    def app(self) -> Any:
        return self.fake.app

    def settings(self, url: str) -> Mapping[str, str]:
        fast = {"CHAT_INTERVAL_S": "0.01", "MESSAGES_PER_SECOND": "1000", "MESSAGES_BURST": "100"}
        given = {"TOKEN": TOKEN, "SECRET_TOKEN": SECRET, "MODE": "webhook", "API_BASE_URL": url}
        return {f"RANGKUL_TELEGRAM__{name}": value for name, value in (given | ({} if self._limited else fast)).items()}

    def fresh(self) -> Delivery:
        person = self._chance.choice(self._people)
        self.writers.add(str(person.id))
        update = self._done_by(person)
        return self._signed(json.dumps(update).encode(), messages=((str(person.id), str(update["update_id"])),))

    def again(self, delivery: Delivery) -> Delivery:
        if self._chance.random() < 0.5:
            return delivery
        update = json.loads(delivery.body)
        other = json.dumps(dict(reversed(update.items())), ensure_ascii=False, indent=1).encode()
        return self._signed(other, messages=delivery.messages)

    def malformed(self) -> Delivery:
        update = self.fake.updates.text(self._forger, "halo")
        body = self._chance.choice((*MALFORMED, cut(json.dumps(update).encode(), self._chance)))
        return self._signed(body, expected=400)

    def hollow(self) -> Delivery:
        number = self.fake.updates.update("message", None)["update_id"]
        bodies: tuple[Any, ...] = ({}, {"message": None}, {"message": {"text": "halo"}}, {"telepathy": {"id": 1}})
        return self._signed(json.dumps({"update_id": number, **self._chance.choice(bodies)}).encode())

    def forged(self) -> Delivery:
        update = self.fake.updates.text(self._forger, "halo")
        wrong = ({}, {SECRET_HEADER: "x" * len(SECRET)}, {SECRET_HEADER: SECRET[:-1]}, {SECRET_HEADER: f"é{SECRET}"})
        return Delivery(json.dumps(update).encode(), self._chance.choice(wrong), expected=403)

    def got(self) -> Mapping[str, list[str]]:
        found: defaultdict[str, list[str]] = defaultdict(list)
        for one in self.fake.accepted:
            found[str(one.chat_id)].append(str(one.message_id))
        return found

    @property
    def violations(self) -> list[Any]:
        return self.fake.violations

    @property
    def refusals(self) -> list[Any]:
        """An update that comes again has its button let go again: by then nobody waits for that."""
        return [
            (call.method, call.answer)
            for call in self.fake.refusals
            if call.method != "answerCallbackQuery" or "query is too old" not in str(call.answer)
        ]

    def _signed(self, body: bytes, *, expected: int = 200, messages: tuple[tuple[str, str], ...] = ()) -> Delivery:
        return Delivery(body, {SECRET_HEADER: SECRET}, expected, messages)

    def _done_by(self, person: Person) -> dict[str, Any]:
        updates = self.fake.updates
        words = self._chance.choice(PHRASES)
        other: list[Callable[[], dict[str, Any]]] = [
            lambda: updates.sticker(person),
            lambda: updates.location(person, -6.2, 106.8),
            lambda: updates.start(person),
            lambda: updates.unknown_content(person),
            lambda: updates.callback(person, OLD_PRESS),
            lambda: self._pressed(person) or updates.text(person, words),
            lambda: self._edited(person, words) or updates.text(person, words),
        ]
        return self._chance.choice(other)() if self._chance.random() < 0.35 else updates.text(person, words)

    def _pressed(self, person: Person) -> dict[str, Any] | None:
        shown = self.fake.said_to(person.id)
        titles = [title for title, _ in shown[-1].buttons] if shown else []
        return self.fake.updates.press(person, self._chance.choice(titles)) if titles else None

    def _edited(self, person: Person, words: str) -> dict[str, Any] | None:
        messages = self.fake.world.chats[person.id].messages.values()
        own = [one["message_id"] for one in messages if one["from"]["id"] == person.id and "text" in one]
        return self.fake.updates.edited(person, self._chance.choice(own), words) if own else None
