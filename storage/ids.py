"""Where fresh ids come from: the caller brings them, so that a replay can make the same ones again."""

from __future__ import annotations

from typing import Protocol


class Ids(Protocol):
    """A supply of fresh identifiers."""

    def new(self) -> str:
        """An id for a record: 22 characters that cannot be guessed."""

    def code(self) -> str:
        """A record code that can be read aloud, such as RK-7K3Q-9XTM."""
