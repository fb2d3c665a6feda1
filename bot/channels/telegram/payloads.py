"""What Telegram brings, as events of ours. Pure; whatever JSON comes in, nothing here raises.

An update is read from the plain dict: a type that checks all of Telegram's fields costs ten times as much and refuses
what Telegram adds tomorrow. Only `update_id` is required. Shapes: core.telegram.org/bots/api, sections "Update" and
"Message".
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from bot.channels.links import Links
from flows.misfortune import tells_injury
from flows.model import (
    Choice,
    Command,
    Contact,
    Content,
    Edited,
    InGroup,
    Location,
    Media,
    Sticker,
    Text,
    Unknown,
)
from storage.inbox import Arrival, Blocked, Event, Renamed

NAME: Final = "telegram"

ALLOWED_UPDATES: Final = ("message", "edited_message", "callback_query", "my_chat_member")
"""The kinds we ask for. Always named: when they are left out, Telegram keeps those of before."""

MAX_FILE_BYTES: Final = 20 << 20
"""Bots are given no larger file (core.telegram.org/bots/api#getfile)."""

MAX_CALLBACK_BYTES: Final = 64

PHONE_DIGITS: Final = range(8, 16)
"""How many digits a number with its country code has (E.164: 15 at most)."""

_COMMAND: Final = re.compile(r"/([A-Za-z][A-Za-z0-9_]{0,31})(?:@([A-Za-z0-9_]{1,32}))?(?:\s+(.*))?\s*", re.DOTALL)
_OURS: Final = frozenset({"start", "menu", "help", "batal", "petugas"})
"""Commands that mean us in a group also without our name; any other may be another bot's."""
_OUR_KEY: Final = re.compile(r"[a-z_]{1,40}")

_ABOUT_ANY_MESSAGE: Final = frozenset(
    {
        "author_signature", "business_connection_id", "caption", "caption_entities", "chat", "date",
        "direct_messages_topic", "edit_date", "effect_id", "entities", "external_reply", "forward_date", "forward_from",
        "forward_from_chat", "forward_from_message_id", "forward_origin", "forward_sender_name", "forward_signature",
        "from", "has_media_spoiler", "has_protected_content", "is_automatic_forward", "is_from_offline",
        "is_paid_post", "is_topic_message", "link_preview_options", "media_group_id", "message_id",
        "message_thread_id", "paid_star_count", "quote", "reply_markup", "reply_to_checklist_task_id",
        "reply_to_message", "reply_to_story", "sender_boost_count", "sender_business_bot", "sender_chat",
        "sender_tag", "show_caption_above_media", "suggested_post_info", "via_bot",
    }
)  # fmt: skip
"""Fields that say nothing about what kind of message it is."""

_NOT_SAID_TO_US: Final = frozenset(
    {
        "boost_added", "chat_background_set", "forum_topic_closed", "forum_topic_created", "forum_topic_edited",
        "forum_topic_reopened", "message_auto_delete_timer_changed", "pinned_message", "proximity_alert_triggered",
        "write_access_allowed",
    }
)  # fmt: skip
"""What Telegram itself writes into a private chat: nobody waits for an answer."""

_HANDLED_UPDATES: Final = frozenset({"message", "edited_message", "callback_query", "my_chat_member"})

Json = Mapping[str, Any]
_NOTHING: Final[Json] = {}


def update_id_of(update: object) -> int | None:
    """The number of an update; None for what is no update at all."""
    return _int(update, "update_id")


def callback_id_of(update: object) -> str:
    """The pressed button that waits for `answerCallbackQuery`; '' when none does."""
    return _str(_dict(update, "callback_query"), "id")


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads updates for one bot. `username` is '' until it is known: a group then reaches the bot by a reply alone.

    `new_id` gives our names of files.
    """

    bot_id: int
    username: str
    links: Links
    new_id: Callable[[], str]

    def events_of(self, update: object, now: datetime) -> tuple[Event, ...]:
        """What an update tells us: one event or none. `now` is when it came."""
        key = self._key_of(update)
        if not key:
            return ()
        if message := _dict(update, "message"):
            return self._of_message(message, key, now)
        if edited := _dict(update, "edited_message"):
            return self._of_edited(edited, key, now)
        if pressed := _dict(update, "callback_query"):
            return _of_callback(pressed, key, now)
        if membership := _dict(update, "my_chat_member"):
            return _of_membership(membership)
        return _of_unknown(update, key, now)

    def fallback_of(self, update: object, now: datetime) -> tuple[Event, ...]:
        """The same update where what it holds cannot be stored: that something came from a person to us alone."""
        key = self._key_of(update)
        if not key:
            return ()
        for kind in ("message", "edited_message"):
            message = _dict(update, kind)
            if message and _is_private(message) and _is_from_person(message):
                return _arrived(_chat_id(message), key, Unknown(kind), now)
        return _arrived(_chat_of_press(_dict(update, "callback_query")), key, Unknown("callback_query"), now)

    def _key_of(self, update: object) -> str:
        """What an update is known by when it comes again, '' for what is none; another bot counts for itself."""
        number = update_id_of(update)
        return "" if number is None else f"{self.bot_id}:{number}"

    # ── messages ─────────────────────────────────────────────────────────────────────────────────

    def _of_message(self, message: Json, key: str, now: datetime) -> tuple[Event, ...]:
        chat = _chat_id(message)
        if chat is None:
            return ()
        if not _is_private(message):
            return self._of_group(message, chat, key, now)
        if not _is_from_person(message):
            return ()
        content = self._content(message)
        if content is None:
            return ()
        phone = content.phone if isinstance(content, Contact) and content.own else None
        return _arrived(chat, key, content, now, phone)

    def _of_edited(self, message: Json, key: str, now: datetime) -> tuple[Event, ...]:
        """Changed words. A live location changes every few seconds and is no news."""
        chat = _chat_id(message)
        words = _str(message, "text") or _str(message, "caption")
        if chat is None or not words or not _is_private(message) or not _is_from_person(message):
            return ()
        return _arrived(chat, key, Edited(words, ref=_name(message, "message_id")), now)

    def _content(self, message: Json) -> Content | None:
        if text := _str(message, "text"):
            return self._command(text) or Text(text, ref=_name(message, "message_id"))
        if contact := _dict(message, "contact"):
            return _contact(contact, sender=_int(_dict(message, "from"), "id"))
        if location := _dict(message, "location"):
            return _location(location)
        if sticker := _dict(message, "sticker"):
            return Sticker(_str(sticker, "emoji"))
        return self._media(message) or _unknown(message)

    def _command(self, text: str) -> Command | None:
        match = _COMMAND.fullmatch(text)
        if match is None or (match[2] and not self._is_me(match[2])):
            return None
        name, argument = match[1].lower(), (match[3] or "").strip()
        return Command(name, self.links.flow_of(argument) if name == "start" else argument)

    def _media(self, message: Json) -> Media | None:
        if photo := _largest(message.get("photo")):
            return self._file(message, "photo", photo)
        for kind in ("voice", "audio"):
            if sound := _dict(message, kind):
                return self._file(message, "voice", sound)
        for kind in ("animation", "video", "video_note"):  # an animation comes as a document as well
            if _dict(message, kind):
                ref = _name(message, "message_id")
                return Media("document", "", caption=_str(message, "caption"), problem="unsupported", ref=ref)
        if document := _dict(message, "document"):
            return self._file(message, "document", document)
        return None

    def _file(self, message: Json, kind: Literal["photo", "voice", "document"], file: Json) -> Media:
        caption, source, size = _str(message, "caption"), _str(file, "file_id"), _int(file, "file_size")
        ref = _name(message, "message_id")
        if not source:
            return Media(kind, "", caption=caption, problem="unreadable", ref=ref)
        if size is not None and size > MAX_FILE_BYTES:
            return Media(kind, "", caption=caption, problem="too_big", ref=ref)
        return Media(
            kind, self.new_id(), caption=caption, source=source, album=_str(message, "media_group_id"), ref=ref
        )

    # ── groups ───────────────────────────────────────────────────────────────────────────────────

    def _of_group(self, message: Json, chat: int, key: str, now: datetime) -> tuple[Event, ...]:
        moved_to = _int(message, "migrate_to_chat_id")
        if moved_to is not None:
            return (Renamed(NAME, ("chat", str(chat)), ("chat", str(moved_to)), None),)
        if _is_from_person(message) and self._is_addressed(message):
            words = _str(message, "text") or _str(message, "caption")
            return _arrived(chat, key, InGroup(urgent=tells_injury(words)), now)
        return ()

    def _is_addressed(self, message: Json) -> bool:
        """Called by a command, by its name, or by a reply to what it said."""
        if _int(_dict(_dict(message, "reply_to_message"), "from"), "id") == self.bot_id:
            return True
        words = _str(message, "text") or _str(message, "caption")
        command = _COMMAND.fullmatch(words)
        if command is not None:
            return self._is_me(command[2]) if command[2] else command[1].lower() in _OURS
        return any(self._is_me(name) for name in re.findall(r"(?<![\w@])@(\w{1,32})(?!\w)", words))

    def _is_me(self, name: str) -> bool:
        return bool(self.username) and name.lower() == self.username.lower()


# ── other updates ────────────────────────────────────────────────────────────────────────────────


def _of_callback(pressed: Json, key: str, now: datetime) -> tuple[Event, ...]:
    chat, payload = _chat_of_press(pressed), _str(pressed, "data")
    if not payload or len(payload.encode()) > MAX_CALLBACK_BYTES:
        return _arrived(chat, key, Unknown("callback_query"), now)
    return _arrived(chat, key, Choice(payload, _title_of(payload, _dict(pressed, "message"))), now)


def _chat_of_press(pressed: Json) -> int | None:
    """The private chat in which a button was pressed. Its message may be too old to be shown to us."""
    message = _dict(pressed, "message")
    if _bool(_dict(pressed, "from"), "is_bot") or (message and not _is_private(message)):
        return None
    return _chat_id(message) if message else _int(_dict(pressed, "from"), "id")


def _title_of(payload: str, message: Json) -> str:
    """What stood on the button; '' when the message is not shown to us any more."""
    for row in _list(_dict(message, "reply_markup"), "inline_keyboard"):
        for button in row if isinstance(row, list) else ():
            if _str(button, "callback_data") == payload:
                return _str(button, "text")
    return ""


def _of_membership(membership: Json) -> tuple[Event, ...]:
    """In a private chat: the person has shut the bot out, or let it in again."""
    chat = _chat_id(membership)
    status = _str(_dict(membership, "new_chat_member"), "status")
    if chat is None or not _is_private(membership) or status not in ("kicked", "member"):
        return ()
    return (Blocked(NAME, str(chat), status == "kicked"),)


def _of_unknown(update: object, key: str, now: datetime) -> tuple[Event, ...]:
    """A kind of update that we did not ask for: kept as such when it comes from a private chat."""
    for kind, value in _as_dict(update).items():
        chat = _chat_id(value)
        if kind not in _HANDLED_UPDATES and chat is not None and _is_private(value) and _is_from_person(value):
            return _arrived(chat, key, Unknown(_known_word(kind)), now)
    return ()


def _arrived(
    chat: int | None, key: str, content: Content, now: datetime, phone: str | None = None
) -> tuple[Event, ...]:
    if chat is None:
        return ()
    return (Arrival(NAME, str(chat), key, content, phone, now),)


# ── contents ─────────────────────────────────────────────────────────────────────────────────────


def _contact(contact: Json, *, sender: int | None) -> Content:
    """A shared number. Theirs only if Telegram says that the card is the sender's: anybody can send any card."""
    digits = re.sub(r"[^0-9]", "", _str(contact, "phone_number"))
    plausible = len(digits) in PHONE_DIGITS and not digits.startswith("0")
    own = plausible and sender is not None and _int(contact, "user_id") == sender
    return Contact(f"+{digits}" if plausible else digits, own=own)


def _location(location: Json) -> Content:
    latitude, longitude = _degrees(location, "latitude", 90), _degrees(location, "longitude", 180)
    return Unknown("location") if latitude is None or longitude is None else Location(latitude, longitude)


def _largest(sizes: object) -> Json:
    """The largest size of a photo that may be fetched; of none that may, the smallest."""
    found = [size for size in sizes if isinstance(size, dict)] if isinstance(sizes, list) else []
    fetchable = [size for size in found if (_int(size, "file_size") or 0) <= MAX_FILE_BYTES]
    if fetchable:
        return max(fetchable, key=_area)
    return min(found, key=_area, default=_NOTHING)


def _area(size: Json) -> int:
    return (_int(size, "width") or 0) * (_int(size, "height") or 0)


def _unknown(message: Json) -> Content | None:
    """A kind of message that we do not know, by Telegram's word for it; None for what nobody said to us."""
    kinds = [kind for kind in message if kind not in _ABOUT_ANY_MESSAGE]
    if kinds and all(kind in _NOT_SAID_TO_US for kind in kinds):
        return None
    return Unknown(_known_word(kinds[0]) if kinds else "message")


def _known_word(kind: object) -> str:
    """Telegram's word if it looks like one of theirs: it is counted and logged."""
    return kind if isinstance(kind, str) and _OUR_KEY.fullmatch(kind) else "unknown"


# ── fields, whatever is in them ──────────────────────────────────────────────────────────────────


def _as_dict(value: object) -> Json:
    return value if isinstance(value, dict) else _NOTHING


def _dict(value: object, key: str) -> Json:
    return _as_dict(_as_dict(value).get(key))


def _list(value: object, key: str) -> list[Any]:
    found = _as_dict(value).get(key)
    return found if isinstance(found, list) else []


def _str(value: object, key: str) -> str:
    """A text; half a surrogate pair, which JSON can carry and nothing can store, becomes a replacement sign."""
    found = _as_dict(value).get(key)
    if not isinstance(found, str):
        return ""
    if found.isascii():
        return found
    return found.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _int(value: object, key: str) -> int | None:
    found = _as_dict(value).get(key)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _bool(value: object, key: str) -> bool:
    return _as_dict(value).get(key) is True


def _name(value: object, key: str) -> str:
    found = _int(value, key)
    return "" if found is None else str(found)


def _degrees(value: object, key: str, limit: int) -> float | None:
    found = _as_dict(value).get(key)
    if not isinstance(found, int | float) or isinstance(found, bool):
        return None
    return float(found) if abs(found) <= limit and math.isfinite(found) else None


def _chat_id(value: object) -> int | None:
    return _int(_dict(value, "chat"), "id")


def _is_private(value: object) -> bool:
    """By the type of the chat; where that is missing, by the sign of its number: groups have negative ones."""
    chat = _dict(value, "chat")
    return _str(chat, "type") == "private" if "type" in chat else (_int(chat, "id") or 0) > 0


def _is_from_person(value: object) -> bool:
    """Neither a bot nor a channel speaks."""
    return not _bool(_dict(value, "from"), "is_bot") and _str(_dict(value, "chat"), "type") != "channel"
