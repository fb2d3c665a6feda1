"""Checks of a body of `POST /{phone_id}/messages` that need no knowledge of what came before."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from bot.fakes.whatsapp_errors import GraphError
from bot.fakes.whatsapp_fields import a_link, a_string, an_object, objects, only, optional_string
from bot.fakes.whatsapp_interactive import check_interactive, shown_text
from bot.fakes.whatsapp_records import Json, SentMedia, Tap

MAX_TEXT: Final = 4096
MAX_CAPTION: Final = 1024
MAX_TRACKER: Final = 512
MAX_CONTACTS: Final = 257
MAX_NAME: Final = 1000
USER_ID: Final = re.compile(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}")
PHONE: Final = re.compile(r"\+?[0-9][0-9 ()\-]{5,24}")
PHONE_DIGITS: Final = range(7, 16)

ENVELOPE: Final = frozenset(
    {
        "messaging_product", "recipient_type", "to", "recipient", "type", "context", "biz_opaque_callback_data",
        "recipient_identity_key_hash",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A sound message. `address`: the phone in digits, or the business-scoped id; `input`: as the caller wrote it."""

    kind: str
    address: str
    input: str
    by_user_id: bool
    part: Json
    text: str = ""
    taps: tuple[Tap, ...] = ()
    media: SentMedia | None = None
    tracker: str | None = None
    reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class _Content:
    text: str = ""
    taps: tuple[Tap, ...] = ()
    media: SentMedia | None = None


def check_product(params: Json) -> None:
    """Every body names its product. Raises GraphError."""
    if "messaging_product" not in params:
        raise GraphError(100, "The parameter messaging_product is required.")
    if params["messaging_product"] != "whatsapp":
        raise GraphError(100, "Param messaging_product must be one of {WHATSAPP}")


def check_message(params: Json) -> Outgoing:
    """Reads a message strictly. Raises GraphError with 100, 131008, 131009 or 131051."""
    check_product(params)
    kind = params.get("type", "text")
    check = _KINDS.get(kind) if isinstance(kind, str) else None
    if check is None:
        raise GraphError(131051, f"Message type {kind} is not supported")
    only(params, ENVELOPE | {kind}, "message")
    if params.get("recipient_type", "individual") != "individual":
        raise GraphError(131009, "recipient_type must be individual")
    address, written, by_user_id = _address(params)
    part = _part(params, kind)
    content = check(part)
    return Outgoing(
        kind=kind,
        address=address,
        input=written,
        by_user_id=by_user_id,
        part=part,
        text=content.text,
        taps=content.taps,
        media=content.media,
        tracker=optional_string(params, "biz_opaque_callback_data", "message", most=MAX_TRACKER) or None,
        reply_to=_reply_to(params),
    )


def check_read(params: Json) -> tuple[str, bool]:
    """A read mark: the wamid it is about, and whether typing is shown with it. Raises GraphError."""
    check_product(params)
    only(params, ("messaging_product", "status", "message_id", "typing_indicator"), "message")
    if params["status"] != "read":
        raise GraphError(131009, "status must be read")
    wamid = a_string(params, "message_id", "message", most=MAX_NAME)
    if "typing_indicator" not in params:
        return wamid, False
    typing = an_object(params, "typing_indicator", "message")
    only(typing, ("type",), "typing_indicator")
    if typing.get("type") != "text":
        raise GraphError(131009, "typing_indicator['type'] must be text")
    return wamid, True


def _address(params: Json) -> tuple[str, str, bool]:
    to, recipient = params.get("to"), params.get("recipient")
    if to is None and recipient is None:
        raise GraphError(131008, "The parameter to is required")
    if to is not None and recipient is not None:
        raise GraphError(100, "Give either to or recipient")
    if recipient is not None:
        if not isinstance(recipient, str) or not USER_ID.fullmatch(recipient):
            raise GraphError(131009, "recipient is not a business-scoped user id")
        return recipient, recipient, True
    digits = re.sub(r"\D", "", to) if isinstance(to, str) else ""
    if not isinstance(to, str) or not PHONE.fullmatch(to) or len(digits) not in PHONE_DIGITS:
        raise GraphError(131009, "Recipient phone number not valid")
    return digits, to, False


def _part(params: Json, kind: str) -> Json:
    if kind == "contacts":
        return {"contacts": objects(params, "contacts", "message", most=MAX_CONTACTS)}
    return an_object(params, kind, "message")


def _reply_to(params: Json) -> str | None:
    if "context" not in params:
        return None
    context = an_object(params, "context", "message")
    only(context, ("message_id",), "context")
    return a_string(context, "message_id", "context", most=MAX_NAME)


def _text(part: Json) -> _Content:
    only(part, ("body", "preview_url"), "text")
    if not isinstance(part.get("preview_url", False), bool):
        raise GraphError(100, "Param text['preview_url'] must be a boolean")
    return _Content(a_string(part, "body", "text", most=MAX_TEXT, too_long=100))


def _interactive(part: Json) -> _Content:
    taps = check_interactive(part)
    return _Content(shown_text(part), taps, _header_media(part))


def _header_media(part: Json) -> SentMedia | None:
    header = part.get("header", {})
    kind = header.get("type")
    if kind in (None, "text"):
        return None
    media = header[kind]
    return SentMedia(kind, media.get("id"), media.get("link"), media.get("filename"))


def _media(kind: str, *extra: str) -> Callable[[Json], _Content]:
    def check(part: Json) -> _Content:
        only(part, ("id", "link", *extra), kind)
        if ("id" in part) == ("link" in part):
            raise GraphError(100 if "id" in part else 131008, f"{kind} needs either id or link")
        media_id = a_string(part, "id", kind, most=MAX_NAME) if "id" in part else None
        link = a_link(part, "link", kind) if "link" in part else None
        caption = optional_string(part, "caption", kind, most=MAX_CAPTION)
        filename = optional_string(part, "filename", kind, most=MAX_NAME) or None
        voice = part.get("voice", False)
        if not isinstance(voice, bool):
            raise GraphError(100, f"Param {kind}['voice'] must be a boolean")
        return _Content(caption, media=SentMedia(kind, media_id, link, filename, voice))

    return check


def _location(part: Json) -> _Content:
    only(part, ("latitude", "longitude", "name", "address"), "location")
    for key, most in (("latitude", 90), ("longitude", 180)):
        if abs(_degrees(part.get(key), key)) > most:
            raise GraphError(131009, f"location['{key}'] is out of range")
    names = [optional_string(part, key, "location", most=MAX_NAME) for key in ("name", "address")]
    return _Content("\n".join(name for name in names if name))


def _degrees(value: Any, key: str) -> float:
    if value is None:
        raise GraphError(131008, f"The parameter location['{key}'] is required")
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise GraphError(100, f"Param location['{key}'] must be a number")
    try:
        return float(value)
    except ValueError as error:
        raise GraphError(100, f"Param location['{key}'] must be a number") from error


def _contacts(part: Json) -> _Content:
    names = []
    for contact in part["contacts"]:
        name = an_object(contact, "name", "contacts")
        names.append(a_string(name, "formatted_name", "name", most=MAX_NAME))
        if len([value for value in name.values() if value]) < 2:
            raise GraphError(131008, "A contact's name needs one more part than formatted_name")
    return _Content("\n".join(names))


def _reaction(part: Json) -> _Content:
    only(part, ("message_id", "emoji"), "reaction")
    a_string(part, "message_id", "reaction", most=MAX_NAME)
    emoji = part.get("emoji")
    if not isinstance(emoji, str):
        raise GraphError(131008, "The parameter reaction['emoji'] is required")
    return _Content(emoji)


def _template(part: Json) -> _Content:
    only(part, ("name", "language", "components"), "template")
    a_string(part, "name", "template", most=512)
    language = an_object(part, "language", "template")
    only(language, ("code", "policy"), "language")
    a_string(language, "code", "language", most=20)
    if language.get("policy", "deterministic") != "deterministic":
        raise GraphError(131009, "language['policy'] must be deterministic")
    return _Content()


_KINDS: Final[dict[str, Callable[[Json], _Content]]] = {
    "text": _text,
    "image": _media("image", "caption"),
    "video": _media("video", "caption"),
    "document": _media("document", "caption", "filename"),
    "audio": _media("audio", "voice"),
    "sticker": _media("sticker"),
    "location": _location,
    "contacts": _contacts,
    "reaction": _reaction,
    "interactive": _interactive,
    "template": _template,
}
