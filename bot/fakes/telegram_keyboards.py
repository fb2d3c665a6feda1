"""Keyboards as the Bot API accepts them."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from bot.fakes.telegram_formatting import utf16_length
from bot.fakes.telegram_wire import Json, bad

MAX_CALLBACK_BYTES: Final = 64
MAX_PLACEHOLDER: Final = 64
MAX_BUTTONS: Final = 100
"""Commonly known, not in the reference: a keyboard with more is answered REPLY_MARKUP_TOO_LONG."""

INLINE_ACTIONS: Final = frozenset(
    [
        "url",
        "callback_data",
        "web_app",
        "login_url",
        "switch_inline_query",
        "switch_inline_query_current_chat",
        "switch_inline_query_chosen_chat",
        "copy_text",
        "callback_game",
        "pay",
    ]
)
REPLY_REQUESTS: Final = {
    "request_contact": "phone number can be requested in private chats only",
    "request_location": "location can be requested in private chats only",
    "request_poll": "poll can be requested in private chats only",
    "request_users": "users can be requested in private chats only",
    "request_chat": "chats can be requested in private chats only",
    "web_app": "Web App buttons can be used in private chats only",
}
KINDS: Final = ("inline_keyboard", "keyboard", "remove_keyboard", "force_reply")


def checked_markup(markup: Any, *, private: bool) -> Json | None:
    """The markup if people may see it, None if there is none. Refused otherwise."""
    if markup is None:
        return None
    if not isinstance(markup, dict):
        raise bad("object expected as reply markup")
    present = [kind for kind in KINDS if kind in markup]
    if len(present) != 1:
        raise bad("reply markup must be exactly one of an inline keyboard, a keyboard, its removal, a forced reply")
    if "inline_keyboard" in markup:
        _check_inline(_buttons(markup["inline_keyboard"], "inline keyboard"))
        return markup if any(markup["inline_keyboard"]) else None
    if "keyboard" in markup:
        _check_reply(_buttons(markup["keyboard"], "reply keyboard"), private=private)
    elif markup[present[0]] is not True:
        raise bad(f"field {present[0]} of the reply markup must be true")
    placeholder = markup.get("input_field_placeholder")
    if placeholder is not None and not 1 <= utf16_length(str(placeholder)) <= MAX_PLACEHOLDER:
        raise bad("the input field placeholder must have 1 to 64 characters")
    return markup


def checked_inline(markup: Any) -> Json | None:
    """The same for edits, where only an inline keyboard may be given."""
    if isinstance(markup, dict) and "inline_keyboard" not in markup:
        raise bad("inline keyboard expected")
    return checked_markup(markup, private=True)


def button_pairs(markup: Json | None) -> tuple[tuple[str, str], ...]:
    """(title, payload) of every button, row by row.

    The payload is the callback data or the address; for a reply keyboard what it asks for, or nothing.
    """
    if markup is None:
        return ()
    rows = markup.get("inline_keyboard") or markup.get("keyboard") or []
    return tuple(_pair(button) for row in rows for button in row)


def _pair(button: Any) -> tuple[str, str]:
    if isinstance(button, str):
        return button, ""
    payload = button.get("callback_data") or button.get("url")
    if payload is None:
        payload = next((name for name in REPLY_REQUESTS if button.get(name)), "")
    return str(button["text"]), str(payload)


def _buttons(rows: Any, what: str) -> list[Any]:
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad(f"can't parse {what}: an array of arrays is expected")
    buttons = [button for row in rows for button in row]
    if len(buttons) > MAX_BUTTONS:
        raise bad("REPLY_MARKUP_TOO_LONG")
    return buttons


def _check_inline(buttons: list[Any]) -> None:
    for button in buttons:
        if not isinstance(button, dict):
            raise bad("can't parse inline keyboard button: an object is expected")
        _check_title(button, "inline keyboard button")
        actions = [action for action in INLINE_ACTIONS if button.get(action) is not None]
        if not actions:
            raise bad("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
        if len(actions) > 1:
            raise bad("can't parse inline keyboard button: exactly one action must be used")
        if "callback_data" in actions:
            data = button["callback_data"]
            if not isinstance(data, str) or not 1 <= len(data.encode()) <= MAX_CALLBACK_BYTES:
                raise bad("BUTTON_DATA_INVALID")
        if "url" in actions:
            _check_address(str(button["url"]))


def _check_address(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https", "tg"} or not parts.netloc or " " in address:
        raise bad(f"inline keyboard button URL '{address}' is invalid: Wrong HTTP URL")
    if parts.scheme != "tg" and "." not in (parts.hostname or ""):
        raise bad(f"inline keyboard button URL '{address}' is invalid: Wrong HTTP URL")


def _check_reply(buttons: list[Any], *, private: bool) -> None:
    if not buttons:
        raise bad("REPLY_MARKUP_INVALID")
    for button in buttons:
        if isinstance(button, str):
            button = {"text": button}
        if not isinstance(button, dict):
            raise bad("can't parse keyboard button: KeyboardButton must be a String or an Object")
        _check_title(button, "keyboard button")
        requests = [name for name in REPLY_REQUESTS if button.get(name)]
        if len(requests) > 1:
            raise bad("can't parse keyboard button: at most one request must be used")
        if requests and not private:
            raise bad(REPLY_REQUESTS[requests[0]])


def _check_title(button: Json, what: str) -> None:
    title = button.get("text")
    if not isinstance(title, str) or not title.strip():
        raise bad(f"can't parse {what}: the text must be non-empty")
