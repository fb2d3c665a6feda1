"""One delivery, and what a platform is to the storm."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

PHRASES: Final = (
    "halo",
    "JKK itu apa kak?",
    "syarat daftar apa aja",
    "iuran per bulan berapa",
    "kantor buka jam berapa",
    "kalau kecelakaan pas narik ditanggung ga?",
    "makasih ya",
    "😀🙏",
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One POST. `expected` is the status it must be answered with.

    `messages` must be stored: (the sender's address, the platform's name). `told` are statuses of messages of ours:
    (the platform's name, status).
    """

    body: bytes
    headers: Mapping[str, str]
    expected: int = 200
    messages: tuple[tuple[str, str], ...] = ()
    told: tuple[tuple[str, str], ...] = ()


class Side(Protocol):
    """One platform, with its people. `name` is our name of the channel, `path` that of its webhook."""

    name: str
    path: str

    @property
    def app(self) -> Any:
        """The platform's own service."""

    def settings(self, url: str) -> Mapping[str, str]:
        """The environment of a service on this platform, which is at that address."""

    def fresh(self) -> Delivery:
        """Something new."""

    def again(self, delivery: Delivery) -> Delivery:
        """The same once more: byte for byte, in other bytes, or beside something new."""

    def malformed(self) -> Delivery:
        """A body that is none, from the platform itself."""

    def hollow(self) -> Delivery:
        """A sound body with nothing for us in it."""

    def forged(self) -> Delivery:
        """What somebody else sends in the platform's name: as good as the real thing, but for the proof."""

    def got(self) -> Mapping[str, list[str]]:
        """The platform's names of the messages that each person got, in order, by their address."""

    @property
    def writers(self) -> set[str]:
        """The addresses of people who wrote."""

    @property
    def violations(self) -> list[Any]:
        """Calls of ours over a limit."""

    @property
    def refusals(self) -> list[Any]:
        """Calls of ours that the platform refused."""


def now() -> datetime:
    """The platform's time."""
    return datetime.now(UTC)


def cut(body: bytes, chance: random.Random) -> bytes:
    """The begin of a body."""
    return body[: chance.randrange(1, len(body) - 1)]
