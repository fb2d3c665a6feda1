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

from bot.fitting import numbered_title
from flows.copybook import CopyBook
from storage.outbox import Button, Rendered

Markup: TypeAlias = InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove


def markup_of(body: Rendered, copy: CopyBook, *, private: bool) -> Markup | None:
    """The keyboard of a message.

    A button carries the number by which it can be answered. What only the person's own phone can share is asked for by
    a keyboard in place of the phone's, with the options beside it; those come back as words, and so have no number.
    It goes away with the next message that has no buttons of its own.
    """
    if not private:
        return None  # a keyboard in a group would stand before everybody
    if body.wants:
        return _sharing(body, copy)
    if body.options and body.shown_as != "text":
        return InlineKeyboardMarkup([[_button(option, body.numbered)] for option in body.options])
    return ReplyKeyboardRemove()


def _button(option: Button, numbered: bool) -> InlineKeyboardButton:
    return InlineKeyboardButton(numbered_title(option, numbered), callback_data=option.payload)


def _sharing(body: Rendered, copy: CopyBook) -> ReplyKeyboardMarkup:
    words = copy.label(f"label/share_{body.wants}")
    is_contact = body.wants == "contact"
    share = KeyboardButton(words, request_contact=is_contact or None, request_location=not is_contact or None)
    rows = [[share], *([KeyboardButton(option.title)] for option in body.options)]
    return ReplyKeyboardMarkup(rows, resize_keyboard=True, one_time_keyboard=True)
