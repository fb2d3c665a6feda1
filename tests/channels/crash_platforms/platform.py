"""What a platform is to the people of a storm, and what each of them is told about what it got."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Heard:
    """One message as a person got it. `name` is the platform's; `row` our own name of it where it travels along."""

    name: str
    text: str
    options: tuple[str, ...]
    at: datetime
    row: int | None = None


class Platform(Protocol):
    """A fake with real HTTP on both sides. `channel` is our name of it.

    `patience_s`: after so long without an answer, in its own time, a person says the same again.
    """

    channel: str
    patience_s: float

    @property
    def settings(self) -> Mapping[str, str]:
        """Environment of a service on this platform."""

    @property
    def app(self) -> Any:
        """The platform's own service."""

    def open(self, url: str, ports: Sequence[int], chance: random.Random) -> None:
        """Where the platform is, and where its webhooks go."""

    def join(self, name: str) -> Any:
        """A new person."""

    def address(self, account: Any) -> str:
        """The address that our records have for this person."""

    def greet(self, account: Any) -> str:
        """The first word to the bot; our name of the message, as of all the others."""

    def write(self, account: Any, text: str) -> str:
        """Types something."""

    def press(self, account: Any, title: str) -> str:
        """Presses what has this title. Raises LookupError when there is nothing to press."""

    def show(self, account: Any, photo: bytes) -> str:
        """Sends a photo."""

    def heard(self, account: Any) -> Sequence[Heard]:
        """All that this person got, in order; the sequence grows."""

    async def carry(self) -> None:
        """Brings updates to the webhooks until it is cancelled; returns at once where the service asks for them."""

    def lane(self, name: str) -> str:
        """Messages of one person that share a lane come in the order in which they were sent."""

    def given_up(self) -> set[str]:
        """What people sent and the platform dropped before any service took it."""

    def is_idle(self) -> bool:
        """Whether nothing is on its way to the service any more."""
