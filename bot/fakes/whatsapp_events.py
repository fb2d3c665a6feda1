"""Webhook payloads as Meta posts them, built from plain values. Shapes: Meta's webhook reference, copies of 2026."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Final, Literal

from bot.fakes.whatsapp_errors import in_webhook
from bot.fakes.whatsapp_records import Account, Event, Json, StatusName, User

MAX_UPDATES: Final = 1000
"""Updates in one POST (Meta's page on webhooks)."""

Grouping = Literal["apart", "messages", "changes", "entries"]
"""How many updates share a body: none; all in one change (messages and statuses never mix there); each in its own
change; each in its own entry."""


def wamid(phone: str, number: int, *, outgoing: bool) -> str:
    """A message id as WhatsApp makes them: base64 that holds the person's phone number in clear."""
    marks = b"\x15\x02\x00\x11\x18\x12" if outgoing else b"\x15\x02\x00\x12\x18\x14"
    raw = b"\x1c\x18" + bytes([len(phone)]) + phone.encode() + marks + f"{number:018X}".encode() + b"\x00"
    return "wamid." + base64.b64encode(raw).decode()


def contact_of(user: User, *, with_username: bool = True) -> Json:
    """The person beside a message or status: wa_id, user_id and username only where they exist and show."""
    profile: Json = {"name": user.name}
    if user.username and with_username:
        profile["username"] = user.username
    contact: Json = {"profile": profile}
    if user.wa_id:
        contact["wa_id"] = user.wa_id
    if user.user_id:
        contact["user_id"] = user.user_id
    return contact


def message(user: User, kind: str, part: object, *, id: str, at: datetime, context: Json | None = None) -> Event:
    """A message of this person; `part` goes under the name of its kind (None: there is none)."""
    body: Json = {"id": id, "timestamp": _seconds(at), "type": kind}
    if user.wa_id:
        body["from"] = user.wa_id
    if user.user_id:
        body["from_user_id"] = user.user_id
    if context:
        body["context"] = context
    if part is not None:
        body[kind] = part
    return Event("messages", body, contact_of(user))


def status(
    user: User | None,
    name: StatusName,
    *,
    id: str,
    at: datetime,
    address: str,
    tracker: str | None = None,
    code: int | None = None,
    category: str = "service",
) -> Event:
    """What became of our message. `failed` needs a code and comes without a contact, as Meta says it does.

    `user` None: nobody is known at the address. `tracker` comes back as biz_opaque_callback_data.
    """
    if (name == "failed") != (code is not None):
        raise ValueError("a failed status, and no other, has a code")
    body: Json = {"id": id, "status": name, "timestamp": _seconds(at)}
    body |= _recipient(user, address)
    if tracker is not None:
        body["biz_opaque_callback_data"] = tracker
    if code is not None:
        body["errors"] = [in_webhook(code)]
        return Event("statuses", body)
    if name in ("sent", "delivered"):
        body["pricing"] = {"billable": True, "pricing_model": "PMP", "category": category, "type": "regular"}
    return Event("statuses", body, contact_of(user, with_username=name != "sent") if user else None)


def payloads(
    account: Account, events: Sequence[Event], *, grouping: Grouping = "apart", contacts: bool = True
) -> list[Json]:
    """The bodies for these events, in order, at most 1000 updates in one; `contacts` False leaves contacts out."""
    if grouping == "apart":
        return [_payload(account, [[_value(account, [event], contacts)]]) for event in events]
    made = []
    for chunk in _chunks(events):
        each = [_value(account, [event], contacts) for event in chunk]
        match grouping:
            case "messages":
                runs = groupby(chunk, key=lambda event: event.part)
                made.append(_payload(account, [[_value(account, list(run), contacts) for _, run in runs]]))
            case "changes":
                made.append(_payload(account, [each]))
            case "entries":
                made.append(_payload(account, [[value] for value in each]))
    return made


def body_bytes(payload: Json, *, reordered: bool = False) -> bytes:
    """The bytes Meta would sign: no spaces, unicode and slashes escaped. `reordered`: same meaning, other bytes."""
    text = json.dumps(_backwards(payload) if reordered else payload, separators=(",", ":"), ensure_ascii=True)
    return text.replace("/", "\\/").encode("ascii")  # a slash occurs within strings alone


def _payload(account: Account, entries: Iterable[Iterable[Json]]) -> Json:
    return {
        "object": "whatsapp_business_account",
        "entry": [
            {"id": account.waba_id, "changes": [{"field": "messages", "value": value} for value in values]}
            for values in entries
        ],
    }


def _value(account: Account, events: Sequence[Event], with_contacts: bool) -> Json:
    value: Json = {
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": account.display_phone_number,
            "phone_number_id": account.phone_id,
        },
    }
    contacts: list[Json] = []
    for event in events:
        if event.contact is not None and event.contact not in contacts:
            contacts.append(event.contact)
    if contacts and with_contacts:
        value["contacts"] = contacts
    value[events[0].part] = [event.body for event in events]
    return value


def _recipient(user: User | None, address: str) -> Json:
    if user is None:
        return {"recipient_id": address}
    known = {"recipient_id": user.wa_id, "recipient_user_id": user.user_id}
    return {key: value for key, value in known.items() if value}


def _chunks(events: Sequence[Event]) -> Iterator[Sequence[Event]]:
    for start in range(0, len(events), MAX_UPDATES):
        yield events[start : start + MAX_UPDATES]


def _backwards(value: object) -> object:
    if isinstance(value, dict):
        return {key: _backwards(value[key]) for key in reversed(value)}
    return [_backwards(item) for item in value] if isinstance(value, list) else value


def _seconds(at: datetime) -> str:
    return str(int(at.timestamp()))
