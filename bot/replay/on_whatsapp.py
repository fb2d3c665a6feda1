"""A script on WhatsApp: its people are users of a fake Cloud API, and every event goes through the real webhook."""

from __future__ import annotations

from typing import Any, Final

from bot.app import Program
from bot.channels.base import Channel
from bot.channels.opening import whatsapp_of
from bot.channels.whatsapp import NAME
from bot.channels.whatsapp.service import WhatsApp
from bot.clock import Clock
from bot.config import Config
from bot.fakes.whatsapp import FakeWhatsApp
from bot.fakes.whatsapp_app import InProcess
from bot.fakes.whatsapp_delivery import signed_headers
from bot.fakes.whatsapp_events import body_bytes, payloads
from bot.fakes.whatsapp_records import Event as Happening
from bot.fakes.whatsapp_records import Fault, Template, User
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
from storage.ids import Ids
from storage.inbox import Accepted
from storage.keyring import Keyring
from storage.outbox import Outgoing

VERIFY: Final = "replay-verify-token"
NEWS: Final = Template(name="ada_kabar", body="Ada kabar untuk Bapak/Ibu. Balas pesan ini untuk membacanya.")
WORDS: Final = Template(
    name="kabar_laporan", body="Kabar dari layanan Rangkul: {{1}} Balas pesan ini kalau ada pertanyaan."
)
FIRST_USER: Final = 13_491_208_655_302_741_918


class OnWhatsApp(Webhooked):
    """See `bot.replay.platforms.Platform`."""

    name = NAME

    def __init__(self, config: Config, keys: Keyring, flows: Flows, clock: Clock, ids: Ids) -> None:
        super().__init__(config.whatsapp.webhook_path)
        self.fake = FakeWhatsApp(now=clock.now, templates=[NEWS, WORDS])
        self._config = on_whatsapp(config, self.fake)
        self._keys, self._flows, self._clock, self._ids = keys, flows, clock, ids
        self._users: dict[str, User] = {}
        self._whatsapp = self._adapter()

    @property
    def requests(self) -> list[Any]:
        """Every call of the Cloud API."""
        return self.fake.requests

    def _adapter(self) -> WhatsApp:
        transport = InProcess(self.fake)
        return whatsapp_of(self._config, self._keys, self._flows, self._clock, self._ids, transport=transport)

    def build(self) -> Channel:
        self._whatsapp = self._adapter()
        return self._watched(self._whatsapp.channel, self.fake.accepted, self._agrees)

    def connect(self, program: Program) -> None:
        self._taking = Taking(program)
        self._whatsapp.connect(self._taking.take_in, program.db)
        self._serve(self._whatsapp.routes())

    async def introduce(self, person: Person) -> None:
        phone = person.phone.lstrip("+") if person.phone else None
        user_id = f"ID.{FIRST_USER + len(self._users)}"
        user = self.fake.add_user(person.name or "Orang", phone=phone, user_id=user_id)
        person.address = user_id
        self._users[person.address] = user

    def pack(self, person: Person, doing: Doing) -> Happening:
        inbound, user = self.fake.inbound, self._users[person.address]
        match doing.message:
            case SayText(text):
                return inbound.text(user, text)
            case PressButton(title):
                assert isinstance(doing.content, Choice)
                return self._press(user, doing.content.payload, title)
            case SendMedia(kind, file, caption):
                if kind == "photo":
                    return inbound.image(user, doing.data, caption=caption)
                if kind == "voice":
                    return inbound.voice(user, doing.data)
                return inbound.document(user, doing.data, filename=file, caption=caption)
            case ShareLocation(latitude, longitude):
                return inbound.location(user, latitude, longitude)
            case ShareContact(phone, own):
                digits = (user.phone if own and user.phone else phone).lstrip("+")
                return inbound.contacts(user, (user.name if own else "Orang lain", digits))
            case SendSticker():
                return inbound.sticker(user, b"sticker")
            case FillForm():
                raise AssertionError("the one-field page is not on this platform")

    async def deliver(self, parcel: Any) -> Accepted | None:
        (payload,) = payloads(self.fake.account, [parcel], grouping="apart")
        body = body_bytes(payload)
        return await self._post(body, signed_headers(body, self.fake.account.app_secret))

    def refuse(self, fault: ProviderFault) -> None:
        self.fake.fail(_trouble(fault))

    def _press(self, user: User, payload: str, title: str) -> Happening:
        """The newest thing to press that carries this; where there is none, the person types it."""
        for shown in reversed(self.fake.shown_to(user)):
            for tap in shown.taps:
                if tap.payload == payload:
                    return self.fake.inbound.press(user, tap.title, on=shown)
        return self.fake.inbound.text(user, title)

    def _agrees(self, row: Outgoing) -> str:
        seen = self.fake.accepted[-1]
        return as_seen(row, seen.text, [title for title, _ in seen.buttons])


def on_whatsapp(config: Config, fake: FakeWhatsApp) -> Config:
    """The settings with WhatsApp on, on a fake, and a page that links can lead to."""
    account = fake.account
    whatsapp = config.whatsapp.model_validate(
        {
            "token": account.token,
            "app_secret": account.app_secret,
            "verify_token": VERIFY,
            "phone_number_id": account.phone_id,
            "waba_id": account.waba_id,
            "template_news": NEWS.name,
            "template_message": WORDS.name,
            "api_base_url": "http://127.0.0.1/v26.0",
            "ask_ids_in_chat": config.whatsapp.ask_ids_in_chat,
            "mark_read": False,
        }
    )
    return config.model_copy(update={"whatsapp": whatsapp})


def _trouble(fault: ProviderFault) -> Fault:
    match fault.status:
        case 0:
            return Fault(dropped=True, times=fault.times)
        case 403:
            return Fault(code=131026, times=fault.times)
        case 429:
            return Fault(code=131056, times=fault.times)
        case status if status >= 500:
            return Fault(code=131016, times=fault.times)
        case _:
            return Fault(code=131009, times=fault.times)
