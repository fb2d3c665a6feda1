"""What a look at a channel found: one line each, with what to do about it, and never a secret."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final, Literal
from urllib.parse import quote, urlsplit

from pydantic import SecretStr

from bot.config import Config, secret_names

State = Literal["ok", "wrong", "note"]
"""note: not wrong, or not to be seen from here."""

HIDDEN: Final = "•••"


@dataclass(frozen=True, slots=True)
class Finding:
    """`what` was looked at, what it `says`, and what to do (`todo`, '' for nothing)."""

    state: State
    what: str
    says: str
    todo: str = ""


@dataclass(slots=True)
class Findings:
    """Everything found so far, in the order in which it was looked at."""

    found: list[Finding] = field(default_factory=list)

    def ok(self, what: str, says: str) -> None:
        """It is right."""
        self.found.append(Finding("ok", what, says))

    def note(self, what: str, says: str, todo: str = "") -> None:
        """Worth knowing."""
        self.found.append(Finding("note", what, says, todo))

    def wrong(self, what: str, says: str, todo: str) -> None:
        """Something must be done."""
        self.found.append(Finding("wrong", what, says, todo))


def without_secrets(found: Iterable[Finding], config: Config) -> list[Finding]:
    """The same without any secret of these settings: what a platform answers may quote one."""
    secrets = _secrets_of(config)

    def hidden(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, HIDDEN)
        return text

    return [replace(one, says=hidden(one.says), todo=hidden(one.todo)) for one in found]


def host_of(url: str) -> str:
    """The host of an address: what comes behind it may hold somebody's token."""
    try:
        return urlsplit(url).hostname or "an address without a host"
    except ValueError:
        return "an address that cannot be read"


def _secrets_of(config: Config) -> set[str]:
    """As they are and as they stand in an address."""
    values: set[str] = set()
    for section, name in secret_names():
        secret = getattr(getattr(config, section), name)
        if isinstance(secret, SecretStr) and secret.get_secret_value():
            values |= {secret.get_secret_value(), quote(secret.get_secret_value(), safe="")}
    return values
