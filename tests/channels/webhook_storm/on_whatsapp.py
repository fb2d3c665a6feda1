"""WhatsApp as the platform of a storm of webhooks: batches, statuses in any order, people with and without numbers."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from bot.fakes.whatsapp import FakeWhatsApp
from bot.fakes.whatsapp_delivery import MALFORMED, Signature, signed_headers
from bot.fakes.whatsapp_events import Grouping, body_bytes, payloads
from bot.fakes.whatsapp_records import Event, User
from webhook_storm.delivery import PHRASES, Delivery, cut, now

FIRST_USER: Final = 13_491_208_655_302_741_918
UNREADABLE: Final = ("empty", "not json", "not utf-8", "a list", "a string", "deeply nested")
HOLLOW: Final = tuple(name for name in MALFORMED if name not in UNREADABLE)
WRONG: Final[tuple[Signature, ...]] = ("wrong", "missing", "malformed", "not_ascii")
GROUPINGS: Final[tuple[Grouping, ...]] = ("messages", "changes", "entries")
UNDELIVERABLE: Final = 131026
STATUSES_AT_ONCE: Final = 6


class OnWhatsApp:
    """See `webhook_storm.delivery.Side`. Of each message of ours up to three statuses are told, in any order."""

    name = "whatsapp"
    path = "/webhooks/whatsapp"

    def __init__(self, people: int, chance: random.Random, *, limited: bool) -> None:
        self.fake = FakeWhatsApp(now=now)
        if not limited:
            self.fake.number.per_second = 100_000
        self.writers: set[str] = set()
        self._limited = limited
        self._chance = chance
        self._people = [self._join(number) for number in range(people)]
        self._forger = self.fake.add_user("Penyusup", phone="6281390000000")
        self._told_of = 0
        self._to_tell: list[Event] = []
        self._events: dict[bytes, tuple[Event, ...]] = {}

    @property
    def app(self) -> Any:
        return self.fake.app

    def settings(self, url: str) -> Mapping[str, str]:
        account = self.fake.account
        given = {
            "TOKEN": account.token,
            "APP_SECRET": account.app_secret,
            "VERIFY_TOKEN": "storm-verify-token",
            "PHONE_NUMBER_ID": account.phone_id,
            "WABA_ID": account.waba_id,
            "API_BASE_URL": f"{url}/v26.0",
        }
        fast = {"NUMBER_PER_SECOND": "1000", "NUMBER_BURST": "100"}
        return {f"RANGKUL_WHATSAPP__{name}": value for name, value in (given | ({} if self._limited else fast)).items()}

    def fresh(self) -> Delivery:
        self._look_for_statuses()
        if self._to_tell and self._chance.random() < 0.5:
            return self._packed([self._to_tell.pop() for _ in range(min(len(self._to_tell), self._some()))])
        count = 1 if self._chance.random() < 0.8 else self._chance.randint(2, 4)
        events = [self._done_by(self._chance.choice(self._people)) for _ in range(count)]
        if self._to_tell and self._chance.random() < 0.2:
            events.append(self._to_tell.pop())
        return self._packed(events)

    def again(self, delivery: Delivery) -> Delivery:
        way = self._chance.choice(("same body", "other body", "in a batch"))
        if way == "same body":
            return delivery
        if way == "other body":
            body = body_bytes(json.loads(delivery.body), reordered=True)
            self._events[body] = self._events[delivery.body]
            return replace(delivery, body=body, headers=signed_headers(body, self.fake.account.app_secret))
        new = self._done_by(self._chance.choice(self._people))
        events = [*self._events[delivery.body], new]
        self._chance.shuffle(events)
        return self._packed(events)

    def malformed(self) -> Delivery:
        (payload,) = payloads(self.fake.account, [self.fake.inbound.text(self._forger, "halo")])
        unreadable = [MALFORMED[name] for name in UNREADABLE]
        return self._signed(self._chance.choice([*unreadable, cut(body_bytes(payload), self._chance)]), 400)

    def hollow(self) -> Delivery:
        return self._signed(MALFORMED[self._chance.choice(HOLLOW)], 200)

    def forged(self) -> Delivery:
        (payload,) = payloads(self.fake.account, [self.fake.inbound.text(self._forger, "halo")])
        body = body_bytes(payload)
        if self._chance.random() < 0.3:  # a right signature, of other bytes
            return Delivery(body, self._signed(body + b" ", 200).headers, 401)
        headers = signed_headers(body, self.fake.account.app_secret, self._chance.choice(WRONG))
        return Delivery(body, headers, 401)

    def got(self) -> Mapping[str, list[str]]:
        found: defaultdict[str, list[str]] = defaultdict(list)
        for one in self.fake.accepted:
            found[one.to].append(one.id)
        return found

    @property
    def violations(self) -> list[Any]:
        return self.fake.violations

    @property
    def refusals(self) -> list[Any]:
        return [(one.kind, one.code, one.details) for one in self.fake.requests if one.code is not None]

    def _join(self, number: int) -> User:
        """With a phone alone, with an id of Meta's as well, with a username in place of the phone."""
        phone, user_id = f"62813{9_000_001 + number}", f"ID.{FIRST_USER + number}"
        match number % 3:
            case 0:
                return self.fake.add_user(f"Warga {number}", phone=phone)
            case 1:
                return self.fake.add_user(f"Warga {number}", phone=phone, user_id=user_id)
            case _:
                username = f"warga{number}"
                return self.fake.add_user(
                    f"Warga {number}", phone=phone, user_id=user_id, username=username, shows_phone=False
                )

    def _done_by(self, user: User) -> Event:
        self.writers.add(user.key)
        inbound, words = self.fake.inbound, self._chance.choice(PHRASES)
        if self._chance.random() > 0.35:
            return inbound.text(user, words)
        shown = [tap for one in self.fake.shown_to(user)[-1:] for tap in one.taps if tap.kind in ("button", "row")]
        match self._chance.randrange(5):
            case 0 if shown:
                return inbound.press(user, self._chance.choice(shown).title)
            case 1:
                return inbound.location(user, -6.2, 106.8)
            case 2:
                return inbound.unsupported(user)
            case 3:
                return inbound.any(user, "hologram", {"depth": 3})
            case _:
                return inbound.sticker(user, b"sticker")

    def _look_for_statuses(self) -> None:
        """Of each message the platform took since the last look: what will be told of it, at any time, in any order."""
        for message in self.fake.accepted[self._told_of :]:
            names = [name for name in ("sent", "delivered", "read") if self._chance.random() < 0.7]
            self._to_tell += [self.fake.status(message, name) for name in names]  # type: ignore[arg-type]
            if self._chance.random() < 0.03:
                self._to_tell.append(self.fake.status(message, "failed", code=UNDELIVERABLE))
        self._told_of = len(self.fake.accepted)
        self._chance.shuffle(self._to_tell)

    def _writer(self, event: Event) -> str:
        return str(event.body.get("from_user_id") or event.body["from"])

    def _some(self) -> int:
        return self._chance.randint(1, STATUSES_AT_ONCE)

    def _packed(self, events: Sequence[Event]) -> Delivery:
        grouping = self._chance.choice(GROUPINGS)
        contacts = self._chance.random() < 0.9
        (payload,) = payloads(self.fake.account, events, grouping=grouping, contacts=contacts)
        body = body_bytes(payload)
        self._events[body] = tuple(events)
        told = tuple((event.id, event.body["status"]) for event in events if event.part == "statuses")
        messages = tuple((self._writer(event), event.id) for event in events if event.part == "messages")
        return replace(self._signed(body, 200), messages=messages, told=told)

    def _signed(self, body: bytes, expected: int) -> Delivery:
        return Delivery(body, signed_headers(body, self.fake.account.app_secret), expected)
