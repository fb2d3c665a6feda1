"""What a call to the fake Bot API carries, and how the Bot API says no."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Json = dict[str, Any]

JSON_PARAMETERS: Final = frozenset(
    {
        "allowed_updates",
        "caption_entities",
        "commands",
        "entities",
        "link_preview_options",
        "media",
        "message_ids",
        "reply_markup",
        "reply_parameters",
        "scope",
    }
)
"""Parameters whose value is an object or a list; in a form they arrive as JSON text."""

TRUE_WORDS: Final = frozenset({"true", "yes", "1"})


class Refused(Exception):
    """The Bot API answers `ok: false`. `description` is the platform's whole sentence."""

    def __init__(
        self, status: int, description: str, *, retry_after: int | None = None, migrate_to: int | None = None
    ) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.retry_after = retry_after
        self.migrate_to = migrate_to


def bad(reason: str) -> Refused:
    """A 400 in the platform's wording."""
    return Refused(400, f"Bad Request: {reason}")


@dataclass(frozen=True, slots=True)
class Upload:
    """One file part of a multipart body."""

    content: bytes
    name: str
    mime: str


@dataclass(frozen=True, slots=True)
class Params:
    """The parameters of one call. `values` holds text (from a query or a form) or what a JSON body held."""

    values: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Upload] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        """Whether there is something to read: an empty value counts as none, as on the platform."""
        return self.values.get(name) not in (None, "")

    def text(self, name: str) -> str:
        """The value as text; empty when it is missing."""
        value = self.values.get(name)
        if value is None:
            return ""
        return value if isinstance(value, str) else json.dumps(value)

    def integer(self, name: str, default: int = 0) -> int:
        """The value as a whole number; like the platform, `default` for what is none."""
        try:
            return int(self.values.get(name, default))
        except (TypeError, ValueError):
            return default

    def flag(self, name: str) -> bool:
        """Whether the value is a word for yes."""
        return self.text(name).lower() in TRUE_WORDS

    def json(self, name: str) -> Any:
        """The object or list, or None when it is missing. Refused when it is no JSON."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise bad(f"can't parse {name} JSON object") from None

    def plain(self) -> Json:
        """All parameters for the record: JSON text read, chat ids as numbers, everything else as it came."""
        return {name: _plain(name, value) for name, value in self.values.items()}


def _plain(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if name in JSON_PARAMETERS:
        try:
            return json.loads(value)
        except ValueError:
            return value
    if name in {"chat_id", "from_chat_id"} and value.lstrip("-").isdigit():
        return int(value)
    return value


def answer_of(refused: Refused) -> Json:
    """The body of a refusal."""
    body: Json = {"ok": False, "error_code": refused.status, "description": refused.description}
    parameters = {"retry_after": refused.retry_after, "migrate_to_chat_id": refused.migrate_to}
    if told := {name: value for name, value in parameters.items() if value is not None}:
        body["parameters"] = told
    return body
