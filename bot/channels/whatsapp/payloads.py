"""What WhatsApp brings, as events of ours. Pure; whatever JSON comes in, nothing here raises.

A webhook is read from the plain dict, because pywa 4.5.0 sees only the first message of a batch and drops senders
without contacts. Of a message only `id`, `type` and somebody who sent it are required. Shapes: Meta's pages
"webhooks/reference/messages" and "business-scoped user IDs", read in copies of 2026.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from bot.channels.links import Links
from bot.channels.whatsapp import NAME
from bot.channels.whatsapp.errors import remedy_of
from flows.model import (
    Choice,
    Command,
    Contact,
    Content,
    Edited,
    Location,
    Media,
    Sticker,
    Text,
    Unknown,
)
from storage.inbox import Arrival, Event, Renamed, Report

OBJECT: Final = "whatsapp_business_account"
WINDOW: Final = timedelta(hours=24)
"""How long a message lets us write freely (Meta's page on messaging windows)."""

MAX_WORD: Final = 64
"""Characters of a platform's own word that are kept."""

_PHONE: Final = re.compile(r"[1-9][0-9]{6,14}")
"""Digits of a number with its country code (E.164: 15 at most)."""

_LINK_CODE: Final = re.compile(r"\[kode\s+([A-Za-z0-9_-]{1,64})\]", re.IGNORECASE)
_STATUSES: Final[Mapping[str, Literal["sent", "delivered", "read", "failed"]]] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "played": "read",
    "failed": "failed",
}
_MEDIA: Final[Mapping[str, Literal["photo", "voice", "document"]]] = {
    "image": "photo",
    "audio": "voice",
    "document": "document",
}

Json = Mapping[str, Any]
_NOTHING: Final[Json] = {}


@dataclass(frozen=True, slots=True)
class _Who:
    """A sender by what the webhook shows of them; '' for what it does not."""

    bsuid: str
    wa_id: str

    @property
    def names(self) -> tuple[tuple[str, str], ...]:
        """As (kind, name), the surest first. A number may pass to somebody else; a business-scoped id does not."""
        return tuple((kind, name) for kind, name in (("bsuid", self.bsuid), ("wa_id", self.wa_id)) if name)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads webhooks for one number of ours. `new_id` gives our names of files."""

    phone_number_id: str
    links: Links
    new_id: Callable[[], str]

    def events_of(self, payload: object, now: datetime) -> tuple[Event, ...]:
        """Everything that a webhook tells us, in its order: every entry, change, message and status. `now`: it came."""
        return tuple(self._events(payload, now))

    def foreign_in(self, payload: object) -> int:
        """How many changes are not about our number: another number, another kind of account, another subject."""
        if not _is_ours(payload):
            return 1
        return sum(1 for _ in _changes(payload)) - sum(1 for _ in self._values(payload))

    def troubles_in(self, payload: object) -> tuple[int, ...]:
        """Codes of errors that are about our number as a whole and no message."""
        return tuple(_error_code(value) for value in self._values(payload) if _list(value, "errors"))

    def _values(self, payload: object) -> Iterator[Json]:
        if not _is_ours(payload):
            return
        for change in _changes(payload):
            value = _dict(change, "value")
            number = _name(_dict(value, "metadata"), "phone_number_id")
            if _str(change, "field") == "messages" and number in ("", self.phone_number_id):
                yield value

    def _events(self, payload: object, now: datetime) -> Iterator[Event]:
        for value in self._values(payload):
            contacts = [contact for contact in _list(value, "contacts") if isinstance(contact, Mapping)]
            for message in _list(value, "messages"):
                yield from self._of_message(message, contacts, now)
            for status in _list(value, "statuses"):
                yield from _of_status(status)

    # ── messages ─────────────────────────────────────────────────────────────────────────────────

    def _of_message(self, message: object, contacts: list[Json], now: datetime) -> Iterator[Event]:
        wamid, who = _name(message, "id"), _sender(message, contacts)
        window_until = min(_moment(message, "timestamp") or now, now) + WINDOW
        if _str(message, "type") == "system":
            yield from _of_system(_dict(message, "system"), who, window_until)
            return
        content = self._content(message, who) if wamid and who.names else None
        if content is None:
            return
        yield Arrival(
            channel=NAME,
            address=who.names[0][1],
            external_id=wamid,
            content=content,
            phone=_phone(who.wa_id),
            received_at=now,
            also=who.names,
            window_until=window_until,
        )

    def _content(self, message: object, who: _Who) -> Content | None:
        """What the message says; None when it says nothing: a reaction, a message deleted."""
        kind = _str(message, "type")
        part = _dict(message, kind)
        match kind:
            case "text":
                return self._words(_str(part, "body"))
            case "image" | "audio" | "document":
                return self._media(_MEDIA[kind], part)
            case "video":
                return Media("document", "", _str(part, "caption"), problem="unsupported")
            case "sticker":
                return Sticker()
            case "reaction":
                return None  # a sign on a message of ours answers nothing, and an answer to it would be a nuisance
            case "location":
                return _place(part)
            case "contacts":
                return _card(message, who)
            case "interactive":
                return _pressed(part)
            case "button":
                return Choice(_str(part, "payload") or _str(part, "text"), _str(part, "text"))
            case "edit":
                return _changed(_dict(part, "message"))
            case "revoke":
                return None
            case _:
                return Unknown(kind[:MAX_WORD] or "unknown")

    def _words(self, text: str) -> Content:
        if not text:
            return Unknown("text")
        code = _LINK_CODE.search(text)
        flow = self.links.flow_of(code[1]) if code else ""
        return Command("start", flow) if flow else Text(text)  # "[kode pos 40111]" is what somebody tells us

    def _media(self, kind: Literal["photo", "voice", "document"], part: Json) -> Media:
        name, sha256 = _name(part, "id"), _str(part, "sha256")
        if not name:
            return Media(kind, "", _str(part, "caption"), problem="unreadable")
        return Media(kind, self.new_id(), _str(part, "caption"), source=f"{name}|{sha256}" if sha256 else name)


def _pressed(part: Json) -> Content:
    kind = _str(part, "type")
    reply = _dict(part, kind)
    payload = _str(reply, "id")
    if kind in ("button_reply", "list_reply") and payload:
        return Choice(payload, _str(reply, "title"))
    return Unknown(kind[:MAX_WORD] or "interactive")


def _changed(message: Json) -> Content:
    """The words of a changed message as they now stand."""
    words = _str(_dict(message, "text"), "body") or _str(_dict(message, _str(message, "type")), "caption")
    return Edited(words) if words else Unknown("edit")


def _place(part: Json) -> Content:
    latitude, longitude = _degrees(part, "latitude", 90), _degrees(part, "longitude", 180)
    if latitude is None or longitude is None:
        return Unknown("location")
    return Location(latitude, longitude)


def _card(message: object, who: _Who) -> Content:
    """The first number of the shared cards, the sender's own only when it is the one they write from."""
    for card in _list(message, "contacts"):
        for entry in _list(card, "phones"):
            phone = _phone(_name(entry, "wa_id")) or _phone(re.sub(r"\D", "", _str(entry, "phone")))
            if phone:
                return Contact(phone, own=phone == _phone(who.wa_id))
    return Unknown("contacts")


# ── who ──────────────────────────────────────────────────────────────────────────────────────────


def _sender(message: object, contacts: list[Json]) -> _Who:
    """From the message itself, then from the contact that travels beside it, which any webhook may lack."""
    bsuid, wa_id = _name(message, "from_user_id"), _name(message, "from")
    for contact in contacts:
        its_bsuid, its_wa_id = _name(contact, "user_id"), _name(contact, "wa_id")
        alone = len(contacts) == 1 and not bsuid and not wa_id
        if alone or (bsuid and bsuid == its_bsuid) or (wa_id and wa_id == its_wa_id):
            return _Who(bsuid or its_bsuid, wa_id or its_wa_id)
    return _Who(bsuid, wa_id)


def _of_system(part: Json, who: _Who, window_until: datetime) -> Iterator[Renamed]:
    """A new number brings a new business-scoped id; either may come alone. Other notices of the system say nothing.

    `wa_id` and `user_id` are the new names (`new_wa_id` and `customer` in webhooks of older versions).
    """
    kind = _str(part, "type")
    changed_number = kind in ("user_changed_number", "customer_changed_number")
    if not changed_number and kind != "user_changed_user_id":
        return
    old_bsuid = _name(part, "previous_user_id") or who.bsuid
    old_wa_id = who.wa_id or _name(part, "customer")
    new_wa_id = (_name(part, "wa_id") or _name(part, "new_wa_id")) if changed_number else ""
    new_bsuid = _name(part, "user_id")
    olds = _Who(old_bsuid, old_wa_id).names
    if not olds:
        return
    surest, least = olds[0], olds[-1]
    if new_wa_id and new_wa_id != old_wa_id:
        yield Renamed(NAME, least, ("wa_id", new_wa_id), _phone(new_wa_id), window_until)
        surest = surest if surest != least else ("wa_id", new_wa_id)
    if new_bsuid and new_bsuid != old_bsuid:
        yield Renamed(NAME, surest, ("bsuid", new_bsuid), _phone(new_wa_id), window_until)


# ── statuses ─────────────────────────────────────────────────────────────────────────────────────


def _of_status(status: object) -> Iterator[Report]:
    wamid, told = _name(status, "id"), _STATUSES.get(_str(status, "status"))
    if not wamid or told is None:
        return
    tracker = _str(status, "biz_opaque_callback_data")
    outbox_id = int(tracker) if re.fullmatch(r"[1-9][0-9]{0,17}", tracker) else 0
    if told != "failed":
        yield Report(NAME, wamid, told, outbox_id)
        return
    remedy = remedy_of(_error_code(status))
    yield Report(NAME, wamid, told, outbox_id, remedy.word, remedy.then)


def _error_code(part: object) -> int:
    """The code of the first error; 0 would mean a bad token, so -1 stands for none."""
    first = next(iter(_list(part, "errors")), None)
    return code if (code := _int(first, "code")) is not None else -1


# ── parts of JSON that may be anything ───────────────────────────────────────────────────────────


def _is_ours(payload: object) -> bool:
    return _str(payload, "object") == OBJECT


def _changes(payload: object) -> Iterator[object]:
    for entry in _list(payload, "entry"):
        yield from _list(entry, "changes")


def _get(part: object, key: str) -> Any:
    return part.get(key) if isinstance(part, Mapping) else None


def _dict(part: object, key: str) -> Json:
    value = _get(part, key)
    return value if isinstance(value, Mapping) else _NOTHING


def _list(part: object, key: str) -> list[Any]:
    value = _get(part, key)
    return value if isinstance(value, list) else []


def _str(part: object, key: str) -> str:
    """Text that can be stored: JSON may escape half of a surrogate pair, which no UTF-8 can hold."""
    value = _get(part, key)
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else ""


def _name(part: object, key: str) -> str:
    """An id: text, or a number where somebody forgot the quotes."""
    value = _get(part, key)
    return (
        str(value)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 128
        else _str(part, key)
    )


def _int(part: object, key: str) -> int | None:
    text = _name(part, key)
    return int(text) if re.fullmatch(r"[0-9]{1,15}", text) else None


def _moment(part: object, key: str) -> datetime | None:
    """Seconds since 1970; None for what is none, or lies beyond what a date can be."""
    seconds = _int(part, key)
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None and seconds < 1 << 35 else None


def _degrees(part: Json, key: str, most: int) -> float | None:
    value = part.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        degrees = float(value)
    except (ValueError, OverflowError):
        return None
    return degrees if math.isfinite(degrees) and abs(degrees) <= most else None


def _phone(digits: str) -> str | None:
    """E.164, where the digits can be a number."""
    return f"+{digits}" if _PHONE.fullmatch(digits) else None
