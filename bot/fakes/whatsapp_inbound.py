"""What people do in WhatsApp: every kind of message, and pressing what we showed them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from bot.fakes.whatsapp_errors import in_webhook
from bot.fakes.whatsapp_events import message
from bot.fakes.whatsapp_records import Accepted, Event, Json, Tap, User

if TYPE_CHECKING:
    from bot.fakes.whatsapp import FakeWhatsApp

VOICE_TYPE: Final = "audio/ogg; codecs=opus"


class Inbound:
    """Builds the webhook event of each thing a person does, with a fresh wamid, at the fake's time.

    Building is doing: it opens the person's 24 hours and counts towards the number's messages a second. `answers` is
    the message (or its id) that is quoted. Nothing is posted; hand the events to a Courier.
    """

    def __init__(self, fake: FakeWhatsApp) -> None:
        self._fake = fake

    def text(self, user: User, body: str, *, answers: Accepted | str | None = None, forwarded: bool = False) -> Event:
        """A typed message."""
        context = self._context(answers)
        if forwarded:
            context = {**(context or {}), "forwarded": True}
        return self.any(user, "text", {"body": body}, context=context)

    def image(self, user: User, data: bytes, *, caption: str = "", mime_type: str = "image/jpeg") -> Event:
        """A photo, kept by the fake for fetching."""
        return self._media(user, "image", data, mime_type, {"caption": caption} if caption else {})

    def voice(self, user: User, data: bytes) -> Event:
        """A voice note."""
        return self._media(user, "audio", data, VOICE_TYPE, {"voice": True})

    def audio(self, user: User, data: bytes, *, mime_type: str = "audio/mpeg") -> Event:
        """A sound file, not recorded on the spot."""
        return self._media(user, "audio", data, mime_type, {"voice": False})

    def video(self, user: User, data: bytes, *, caption: str = "", mime_type: str = "video/mp4") -> Event:
        return self._media(user, "video", data, mime_type, {"caption": caption} if caption else {})

    def sticker(self, user: User, data: bytes, *, animated: bool = False) -> Event:
        return self._media(user, "sticker", data, "image/webp", {"animated": animated})

    def document(
        self, user: User, data: bytes, *, filename: str, mime_type: str = "application/pdf", caption: str = ""
    ) -> Event:
        extra = {"filename": filename} | ({"caption": caption} if caption else {})
        return self._media(user, "document", data, mime_type, extra)

    def location(
        self,
        user: User,
        latitude: float,
        longitude: float,
        *,
        name: str = "",
        address: str = "",
        answers: Accepted | str | None = None,
    ) -> Event:
        """A place; `name` and `address` only when one was chosen from the map's list."""
        part: Json = {"latitude": latitude, "longitude": longitude}
        part |= {key: value for key, value in (("name", name), ("address", address)) if value}
        return self.any(user, "location", part, context=self._context(answers))

    def contacts(self, user: User, *cards: tuple[str, str]) -> Event:
        """Shared contact cards, each (name, phone in digits)."""
        part = [
            {
                "name": {"formatted_name": name, "first_name": name.split()[0]},
                "phones": [{"phone": f"+{phone}", "wa_id": phone, "type": "CELL"}],
            }
            for name, phone in cards
        ]
        return self.any(user, "contacts", part)

    def press(self, user: User, title: str, *, on: Accepted | None = None) -> Event:
        """Presses a reply button, list row or template button by its title: on this message, else the newest with it.

        Raises LookupError when the person was shown nothing of that name.
        """
        for shown in [on] if on else reversed(self._fake.shown_to(user)):
            for tap in shown.taps:
                if tap.title == title and tap.kind in ("button", "row", "quick_reply"):
                    return self._pressed(user, shown, tap)
        titles = [tap.title for shown in self._fake.shown_to(user) for tap in shown.taps]
        raise LookupError(f"{user.name} was not shown {title!r} but {titles}")

    def flow_reply(self, user: User, answers: Json, *, to: Accepted | str | None = None, name: str = "flow") -> Event:
        """A form of a WhatsApp Flow, filled in: its answers are JSON in a string."""
        reply = {"name": name, "body": "Sent", "response_json": json.dumps(answers)}
        part = {"type": "nfm_reply", "nfm_reply": reply}
        return self.any(user, "interactive", part, context=self._context(to))

    def reaction(self, user: User, to: Accepted | str, emoji: str | None) -> Event:
        """An emoji put on a message; None takes it away."""
        part = {"message_id": _id_of(to)} | ({"emoji": emoji} if emoji else {})
        return self.any(user, "reaction", part)

    def order(self, user: User, product: str, *, quantity: int = 1, price: int = 16_800, text: str = "") -> Event:
        """Something ordered from a catalogue."""
        item = {"product_retailer_id": product, "quantity": quantity, "item_price": price, "currency": "IDR"}
        part: Json = {"catalog_id": "194836987003835", "product_items": [item]} | ({"text": text} if text else {})
        return self.any(user, "order", part)

    def changed_number(self, user: User, new_phone: str) -> tuple[Event, User]:
        """Somebody moved to another number: the system message, which has no contacts, and the person as they are now.

        Opens no window, because nobody wrote. As published it names the old number alone, no business-scoped id.
        """
        moved = self._fake.replace_user(user, phone=new_phone)
        body = f"User {user.name} changed from {user.phone} to {new_phone}"
        part = {"body": body, "wa_id": new_phone, "type": "user_changed_number"}
        event = message(user, "system", part, id=self._fake.new_inbound_id(user), at=self._fake.now())
        event.body.pop("from_user_id", None)
        return Event("messages", event.body), moved

    def unsupported(self, user: User, what: str = "edit") -> Event:
        """Something WhatsApp itself cannot hand on; the reason is in `errors`."""
        event = self.any(user, "unsupported", {"type": what})
        event.body["errors"] = [in_webhook(131051, "Message type is currently not supported.")]
        return event

    def any(self, user: User, kind: str, part: object, *, context: Json | None = None) -> Event:
        """A message of whatever kind, one that nobody knows yet too."""
        event = message(user, kind, part, id=self._fake.new_inbound_id(user), at=self._fake.now(), context=context)
        self._fake.heard(user, event.id)
        return event

    def _media(self, user: User, kind: str, data: bytes, mime_type: str, extra: Json) -> Event:
        file = self._fake.media.receive(data, mime_type)
        part = {"id": file.id, "mime_type": mime_type, "sha256": file.sha256, **extra}
        if self._fake.file_host:
            part["url"] = self._fake.media.address(file, self._fake.file_host)
        return self.any(user, kind, part)

    def _pressed(self, user: User, shown: Accepted, tap: Tap) -> Event:
        context = self._context(shown)
        if tap.kind == "quick_reply":
            return self.any(user, "button", {"payload": tap.payload, "text": tap.title}, context=context)
        if tap.kind == "button":
            part = {"type": "button_reply", "button_reply": {"id": tap.payload, "title": tap.title}}
            return self.any(user, "interactive", part, context=context)
        row = {"id": tap.payload, "title": tap.title} | ({"description": tap.description} if tap.description else {})
        return self.any(user, "interactive", {"type": "list_reply", "list_reply": row}, context=context)

    def _context(self, answers: Accepted | str | None) -> Json | None:
        if answers is None:
            return None
        return {"from": self._fake.account.display_phone_number, "id": _id_of(answers)}


def _id_of(answered: Accepted | str) -> str:
    return answered if isinstance(answered, str) else answered.id
