"""YAML as nodes that know their line, taken apart into what a script may hold."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from bot.replay.script import Wanted
from flows.model import Value

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT: Final = re.compile(r"-?(0|[1-9][0-9]*)")
_SPAN_PART: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|jam|d|hari|w)")
_SECONDS: Final = {"s": 1, "m": 60, "min": 60, "h": 3600, "jam": 3600, "d": 86400, "hari": 86400, "w": 604800}


class Unusable(Exception):
    """Something in a script that cannot be used, and its line."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line
        self.text = text


def compose(text: str) -> Node | None:
    """The root of a YAML document, None when it is empty. Raises Unusable."""
    try:
        root: Node | None = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise Unusable(mark.line + 1 if mark else 1, f"not valid YAML: {reason}") from error
    return root


def line_of(node: Node) -> int:
    """The line a node begins on, from 1."""
    return int(node.start_mark.line) + 1


def mapping(node: Node, known: Collection[str] | None, what: str) -> dict[str, Node]:
    """The values of a mapping by key. Raises Unusable for another shape, a key twice, or one that is not known."""
    if not isinstance(node, MappingNode):
        raise Unusable(line_of(node), f"{what} must be a mapping of keys")
    found: dict[str, Node] = {}
    for key, value in node.value:
        name = str(key.value) if isinstance(key, ScalarNode) else ""
        if known is not None and name not in known:
            raise Unusable(line_of(key), f"{what} has no key {name!r}; it knows {', '.join(sorted(known))}")
        if name in found:
            raise Unusable(line_of(key), f"{what} has the key {name!r} twice")
        found[name] = value
    return found


def single(node: Node, what: str) -> tuple[str, Node]:
    """The one key of a mapping and its value."""
    found = mapping(node, None, what)
    if len(found) != 1:
        raise Unusable(line_of(node), f"{what} must have exactly one key")
    return next(iter(found.items()))


def items(node: Node, what: str) -> list[Node]:
    """The entries of a list."""
    if not isinstance(node, SequenceNode):
        raise Unusable(line_of(node), f"{what} must be a list")
    return list(node.value)


def is_list(node: Node) -> bool:
    return isinstance(node, SequenceNode)


def is_mapping(node: Node) -> bool:
    return isinstance(node, MappingNode)


def text(node: Node, what: str) -> str:
    """A scalar exactly as typed: `ya`, `007` and `2026-11` stay what they are. Raises Unusable when it is nothing."""
    if not isinstance(node, ScalarNode) or node.tag == "tag:yaml.org,2002:null":
        raise Unusable(line_of(node), f"{what} must be a text")
    return str(node.value)


def whole(node: Node, what: str, *, least: int = 0) -> int:
    """A whole number not below `least`."""
    raw = text(node, what)
    if not _INT.fullmatch(raw) or int(raw) < least:
        raise Unusable(line_of(node), f"{what} must be a whole number from {least}")
    return int(raw)


def flag(node: Node, what: str) -> bool:
    raw = text(node, what)
    if raw not in ("true", "false"):
        raise Unusable(line_of(node), f"{what} must be true or false")
    return raw == "true"


def decimal(node: Node, what: str) -> float:
    try:
        return float(text(node, what))
    except ValueError:
        raise Unusable(line_of(node), f"{what} must be a number") from None


def pattern(node: Node, what: str) -> re.Pattern[str]:
    """A regular expression."""
    raw = text(node, what)
    try:
        return re.compile(raw)
    except re.error as error:
        raise Unusable(line_of(node), f"{what} is no regular expression: {error}") from None


def moment(node: Node, what: str) -> datetime:
    """A moment with its zone, as aware UTC."""
    raw = text(node, what)
    try:
        found = datetime.fromisoformat(raw)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Unusable(line_of(node), f"{what} must be a moment with its zone, as 2026-11-23T09:00+07:00")
    return found.astimezone(UTC)


def span(node: Node, what: str) -> timedelta:
    """A span of time: `30s`, `26h`, `3d`, `1h30m`."""
    raw = text(node, what).replace(" ", "")
    parts = _SPAN_PART.findall(raw)
    if not parts or "".join(number + unit for number, unit in parts) != raw:
        raise Unusable(line_of(node), f"{what} must be a span of time, as 30s, 45m, 26h, 3d or 1h30m")
    return timedelta(seconds=sum(float(number) * _SECONDS[unit] for number, unit in parts))


def wanted(node: Node, what: str) -> Wanted:
    """A value to compare with: a scalar, null, or a list of texts."""
    if isinstance(node, SequenceNode):
        values = [text(item, what) for item in node.value]
        return Wanted(", ".join(values), values)
    if not isinstance(node, ScalarNode):
        raise Unusable(line_of(node), f"{what} must be a single value or a list of them")
    return Wanted(str(node.value), _value(node))


def wanted_fields(fields: Mapping[str, Node]) -> dict[str, Wanted]:
    return {name: wanted(node, name) for name, node in fields.items()}


def _value(node: ScalarNode) -> Value:
    raw = str(node.value)
    kind = str(node.tag).removeprefix("tag:yaml.org,2002:")
    if kind == "null":
        return None
    if kind == "bool":
        return raw.lower() in ("true", "yes", "on")
    if kind == "int" and _INT.fullmatch(raw):
        return int(raw)
    return raw
