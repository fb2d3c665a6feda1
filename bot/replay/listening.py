"""What the program reports while a script runs: kept for the report of a failure, printed nowhere."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

import structlog

_UNSAID: Final = frozenset({"event", "conversation", "inbox", "outbox"})


class LogKeeper:
    """Keeps the warnings and errors of the program, one line each."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def install(self) -> None:
        """From now on in this process."""
        structlog.configure(
            processors=[self._keep],
            wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
            cache_logger_on_first_use=False,
        )

    def _keep(self, _: object, __: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
        facts = (f"{name}={_told(value)}" for name, value in event.items() if name not in _UNSAID)
        self.lines.append(" ".join((str(event["event"]), *facts)))
        raise structlog.DropEvent


def _told(value: object) -> str:
    if isinstance(value, Iterable) and not isinstance(value, str):
        return " < ".join(str(one) for one in reversed(list(value)))
    return str(value)
