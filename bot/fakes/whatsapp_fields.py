"""Reading a request's JSON strictly: what is missing, of the wrong kind, too long or unknown is refused."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from bot.fakes.whatsapp_errors import GraphError
from bot.fakes.whatsapp_records import Json


def only(value: Json, allowed: Collection[str], where: str) -> None:
    """No key beside those allowed."""
    for key in value:
        if key not in allowed:
            raise GraphError(100, f'Unexpected key "{key}" on param "{where}"')


def an_object(parent: Json, key: str, where: str) -> Json:
    value = _present(parent, key, where)
    if not isinstance(value, dict):
        raise GraphError(100, f"Param {where}['{key}'] must be a JSON object")
    return value


def a_list(parent: Json, key: str, where: str, *, most: int, least: int = 1) -> list[Any]:
    value = _present(parent, key, where)
    if not isinstance(value, list):
        raise GraphError(100, f"Param {where}['{key}'] must be an array")
    if not least <= len(value) <= most:
        raise GraphError(131009, f"Invalid {key} count in {where}: {len(value)}. Min {least}, max {most}")
    return value


def objects(parent: Json, key: str, where: str, *, most: int, least: int = 1) -> list[Json]:
    values = a_list(parent, key, where, most=most, least=least)
    for value in values:
        if not isinstance(value, dict):
            raise GraphError(100, f"Param {where}['{key}'] must hold JSON objects")
    return values


def a_string(parent: Json, key: str, where: str, *, most: int, trimmed: bool = False, too_long: int = 131009) -> str:
    """A string of 1 to `most` characters that is not blank; `trimmed`: without space at either end."""
    value = _present(parent, key, where)
    if not isinstance(value, str):
        raise GraphError(100, f"Param {where}['{key}'] must be a string")
    if not value.strip():
        raise GraphError(131009, f"{where}['{key}'] is empty")
    if len(value) > most:
        raise GraphError(too_long, f"{where}['{key}'] has {len(value)} characters. Max {most}")
    if trimmed and value != value.strip():
        raise GraphError(131009, f"{where}['{key}'] begins or ends with a space")
    return value


def optional_string(parent: Json, key: str, where: str, *, most: int) -> str:
    """Empty when it is not there; when it is there it must be a fitting string, and not blank."""
    return a_string(parent, key, where, most=most) if key in parent else ""


def unique(values: list[str], what: str) -> None:
    if len(set(values)) < len(values):
        raise GraphError(131009, f"Duplicated {what}")


def a_link(parent: Json, key: str, where: str) -> str:
    value = a_string(parent, key, where, most=2000)
    if not value.startswith(("https://", "http://")) or any(sign.isspace() for sign in value):
        raise GraphError(131009, f"{where}['{key}'] is not a web address")
    return value


def _present(parent: Json, key: str, where: str) -> Any:
    if parent.get(key) is None:
        raise GraphError(131008, f"The parameter {where}['{key}'] is required")
    return parent[key]
