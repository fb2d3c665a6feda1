"""Judges of what we exchange with Telegram, made by others: aiogram's models with teremok's limits for what goes out,
aiogram and python-telegram-bot for what comes in.

aiogram takes seconds to import: import this module once, at the top of a test module.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import telegram
from aiogram import Bot
from aiogram import methods as aiogram_methods
from aiogram.methods import TelegramMethod
from aiogram.types import BufferedInputFile, Update
from pydantic import BaseModel, ValidationError
from teremok.validation import ApiRuleViolation, validate_method

from bot.fakes.telegram import Call
from bot.fakes.telegram_wire import Upload

BOT = Bot("42:judge")
METHODS: dict[str, type[TelegramMethod[Any]]] = {
    found.__api_method__.lower(): found
    for found in vars(aiogram_methods).values()
    if isinstance(found, type) and issubclass(found, TelegramMethod) and found is not TelegramMethod
}


class Unsound(AssertionError):
    """A request that Telegram would refuse, or that says something it does not know."""


def judge(method: str, params: Mapping[str, Any], files: Mapping[str, Upload] | None = None) -> TelegramMethod[Any]:
    """The request as aiogram's method. Raises Unsound; the message says why.

    `params` are plain values (JSON text read), as in `Call.params`; `files` the uploads by field.
    """
    kind = METHODS.get(method.lower())
    if kind is None:
        raise Unsound(f"{method} is no method of the Bot API")
    uploads = {name: BufferedInputFile(upload.content, upload.name or "file") for name, upload in (files or {}).items()}
    try:
        made = kind.model_validate({**_attached(dict(params), uploads), **_direct(kind, uploads)})
    except ValidationError as error:
        raise Unsound(f"{method}: {error}") from error
    if unknown := sorted(_unknown(made, method)):
        raise Unsound(f"Bot API knows no {', '.join(unknown)}")
    try:
        validate_method(BOT, made)
    except ApiRuleViolation as error:
        raise Unsound(f"{method}: {error}") from error
    _check_beyond_teremok(method, params)
    return made


def judge_call(call: Call) -> TelegramMethod[Any]:
    """The same for a call that the fake has recorded."""
    return judge(call.method, call.params, call.files)


def judge_all(calls: Iterable[Call]) -> int:
    """Judges every call that the fake has recorded; how many there were. Raises Unsound at the first bad one."""
    return sum(1 for call in calls if judge_call(call))


def read_by_aiogram(update: Mapping[str, Any]) -> Update:
    """An update as aiogram reads it. Raises pydantic's ValidationError."""
    return Update.model_validate(dict(update), context={"bot": BOT})


def read_by_ptb(update: Mapping[str, Any]) -> telegram.Update:
    """An update as python-telegram-bot reads it."""
    return telegram.Update.de_json(dict(update), None)


def unknown_fields(model: BaseModel) -> set[str]:
    """Fields of an update that aiogram's models do not name."""
    return set(_unknown(model, type(model).__name__))


def _direct(kind: type[TelegramMethod[Any]], uploads: Mapping[str, BufferedInputFile]) -> dict[str, Any]:
    return {name: file for name, file in uploads.items() if name in kind.model_fields}


def _attached(value: Any, uploads: Mapping[str, BufferedInputFile]) -> Any:
    """Puts the uploads where `attach://name` stands for them."""
    if isinstance(value, str) and value.removeprefix("attach://") in uploads and value.startswith("attach://"):
        return uploads[value.removeprefix("attach://")]
    if isinstance(value, dict):
        return {key: _attached(inner, uploads) for key, inner in value.items()}
    if isinstance(value, list):
        return [_attached(inner, uploads) for inner in value]
    return value


def _unknown(value: Any, path: str) -> Iterable[str]:
    if isinstance(value, list | tuple):
        for inner in value:
            yield from _unknown(inner, path)
    elif isinstance(value, BaseModel):
        yield from (f"{path}.{name}" for name in (value.model_extra or {}))
        for name in type(value).model_fields:
            yield from _unknown(getattr(value, name), f"{path}.{name}")


def _check_beyond_teremok(method: str, params: Mapping[str, Any]) -> None:
    """Documented rules that neither aiogram nor teremok knows (core.telegram.org/bots/api)."""
    for entities in ("entities", "caption_entities"):
        if params.get(entities) and params.get("parse_mode"):
            raise Unsound(f"{method}: both parse_mode and {entities}")
        if any(entity["length"] < 1 for entity in params.get(entities) or ()):
            raise Unsound(f"{method}: an entity of no length")
    markup = params.get("reply_markup") or {}
    buttons = [button for row in markup.get("inline_keyboard") or markup.get("keyboard") or () for button in row]
    if not all(button["text"].strip() for button in buttons):
        raise Unsound(f"{method}: a button without a title")
    in_group = str(params.get("chat_id", "")).startswith(("-", "@"))
    if in_group and any(button.get("request_contact") or button.get("request_location") for button in buttons):
        raise Unsound(f"{method}: contact or location asked for in a group")
    if not 1 <= len(markup.get("input_field_placeholder") or "x") <= 64:
        raise Unsound(f"{method}: placeholder of more than 64 characters")
    if "topic" in method.lower() and not 1 <= len(params.get("name") or "x") <= 128:
        raise Unsound(f"{method}: topic name of more than 128 characters")
    if len(params.get("commands") or ()) > 100:
        raise Unsound(f"{method}: more than 100 commands")
