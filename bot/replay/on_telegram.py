"""A script on Telegram: its people are people of a fake Bot API, and every update goes through the real webhook."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import httpx
from telegram.request import HTTPXRequest

from bot.app import Program
from bot.channels.base import Channel
from bot.channels.opening import telegram_of
from bot.channels.telegram.payloads import NAME, Reader
from bot.clock import Clock
from bot.config import Config
from bot.fakes import telegram_faults as troubles
from bot.fakes.telegram import TOKEN, FakeTelegram
from bot.fakes.telegram_faults import Fault
from bot.fakes.telegram_world import Person as Account
from bot.replay.casting import Person
from bot.replay.platforms import Doing, Taking, Webhooked, as_seen
from bot.replay.script import (
    FillForm,
    PressButton,
    ProviderFault,
    SayText,
    SendMedia,
    SendSticker,
    ShareContact,
    ShareLocation,
)
from flows.model import Choice
from flows.work import Flows
from storage import senders
from storage.ids import Ids
from storage.inbox import Accepted
from storage.keyring import Keyring
from storage.outbox import Outgoing

SECRET: Final = "replay-secret-token"  # noqa: S105 - opens nothing but a script


class OnTelegram(Webhooked):
    """See `bot.replay.platforms.Platform`."""

    name = NAME

    def __init__(self, config: Config, keys: Keyring, flows: Flows, clock: Clock, ids: Ids) -> None:
        super().__init__(config.telegram.webhook_path)
        self.fake = FakeTelegram(now=clock.now, allow_loopback_webhook=True)
        self._config = on_telegram(config)
        self._keys, self._flows, self._clock, self._ids = keys, flows, clock, ids
        self._accounts: dict[str, Account] = {}
        self._telegram = self._adapter()

    @property
    def requests(self) -> list[Any]:
        """Every call of the Bot API."""
        return self.fake.requests

    def _adapter(self) -> Any:
        transport = httpx.ASGITransport(app=self.fake.app)
        request = HTTPXRequest(httpx_kwargs={"transport": transport})
        return telegram_of(self._config, self._keys, self._flows, self._clock, self._ids, request=request)

    def build(self) -> Channel:
        self._telegram = self._adapter()
        return self._watched(self._telegram.channel, self.fake.accepted, self._agrees)

    def connect(self, program: Program) -> None:
        self._taking = Taking(program)
        intake = self._telegram.connect(self._taking.take_in)
        bot = self.fake.world.bot
        intake.reader = Reader(bot["id"], bot["username"], self._telegram.links, self._ids.new)
        self._serve(self._telegram.routes())

    async def introduce(self, person: Person) -> None:
        account = self.fake.person(person.name or "Orang", phone=person.phone)
        person.address = str(account.id)
        self._accounts[person.address] = account
        if person.phone and self._taking is not None:
            # The script says that the channel vouches for the phone: as if they had shared it before.
            program = self._taking.program
            known = senders.Sender(NAME, person.address, person.phone)
            await program.db.transaction(
                lambda conn: senders.conversation_of(conn, self._keys, known, ids=self._ids, now=self._clock.now())
            )

    def pack(self, person: Person, doing: Doing) -> dict[str, Any]:
        updates, account = self.fake.updates, self._accounts[person.address]
        match doing.message:
            case SayText(text):
                return updates.text(account, text)
            case PressButton(title):
                assert isinstance(doing.content, Choice)
                return self._press(account, doing.content.payload, title)
            case SendMedia(kind, file, caption):
                if kind == "photo":
                    return updates.photo(account, doing.data, caption=caption)
                if kind == "voice":
                    return updates.voice(account, doing.data)
                return updates.document(account, doing.data, name=file, caption=caption)
            case ShareLocation(latitude, longitude):
                return updates.location(account, latitude, longitude)
            case ShareContact(phone, own):
                whose = replace(account, phone=phone) if own else self.fake.person("Orang lain", phone=phone)
                return updates.contact(account, of=whose)
            case SendSticker(emoji):
                return updates.sticker(account, emoji or "👍")
            case FillForm():
                raise AssertionError("the one-field page is not on this platform")

    async def deliver(self, parcel: Any) -> Accepted | None:
        headers = {"content-type": "application/json", "x-telegram-bot-api-secret-token": SECRET}
        return await self._post(json.dumps(parcel).encode(), headers)

    def refuse(self, fault: ProviderFault) -> None:
        for _ in range(fault.times):
            self.fake.fail(_trouble(fault), method="sendMessage")

    def _press(self, account: Account, payload: str, title: str) -> dict[str, Any]:
        """The newest button that carries this; one of the keyboard in place of the phone's is words."""
        chat = self.fake.world.chats[account.id]
        for message in sorted(chat.messages.values(), key=lambda one: -one["message_id"]):
            if payload in _payloads(message):
                return self.fake.updates.callback(account, payload, message=message)
        return self.fake.updates.text(account, title)

    def _agrees(self, row: Outgoing) -> str:
        if row.body.delete:
            return ""
        seen = self.fake.accepted[-1]
        chat = self.fake.world.chats[int(row.address)]
        keyboard = [button for line in (chat.keyboard or {}).get("keyboard", []) for button in line]
        titles = [title for title, _ in seen.buttons] + [
            button if isinstance(button, str) else button["text"] for button in keyboard
        ]
        return as_seen(row, seen.text or "", titles)


def on_telegram(config: Config) -> Config:
    """The settings with Telegram on, on a fake."""
    telegram = config.telegram.model_validate(
        {"token": TOKEN, "secret_token": SECRET, "mode": "webhook", "api_base_url": "http://127.0.0.1"}
    )
    return config.model_copy(update={"telegram": telegram})


def _payloads(message: Mapping[str, Any]) -> set[str]:
    rows = (message.get("reply_markup") or {}).get("inline_keyboard", [])
    return {button.get("callback_data", "") for row in rows for button in row}


def _trouble(fault: ProviderFault) -> Any:
    match fault.status:
        case 0:
            return Fault("drop_before")
        case 403:
            return troubles.BLOCKED
        case 429:
            seconds = int(fault.retry_after_s or 1)
            return troubles.refusal(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
        case status if status >= 500:
            return troubles.refusal(status, "Internal Server Error")
        case status:
            return troubles.refusal(status, "Bad Request: message text is empty")
