"""A reply as Telegram shows it: which keyboard comes with it. The text is sent as it is, without any markup."""

from __future__ import annotations

from typing import TypeAlias

from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)

from flows.copybook import CopyBook
from storage.outbox import Rendered

Markup: TypeAlias = InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove


def markup_of(body: Rendered, copy: CopyBook, *, private: bool) -> Markup | None:
    """The keyboard of a message.

    What only the person's own phone can share is asked for by a keyboard in place of the phone's, with the options
    beside it; those then come back as words. It goes away with the next message that has no buttons of its own.
    """
    if not private:
        return None  # a keyboard in a group would stand before everybody
    if body.wants:
        return _sharing(body, copy)
    if body.options and body.shown_as != "text":
        rows = [[InlineKeyboardButton(option.title, callback_data=option.payload)] for option in body.options]
        return InlineKeyboardMarkup(rows)
    return ReplyKeyboardRemove()


def _sharing(body: Rendered, copy: CopyBook) -> ReplyKeyboardMarkup:
    words = copy.label(f"label/share_{body.wants}")
    is_contact = body.wants == "contact"
    share = KeyboardButton(words, request_contact=is_contact or None, request_location=not is_contact or None)
    rows = [[share], *([KeyboardButton(option.title)] for option in body.options)]
    return ReplyKeyboardMarkup(rows, resize_keyboard=True, one_time_keyboard=True)
