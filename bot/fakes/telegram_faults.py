"""What can be made to go wrong with calls to the fake Bot API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.fakes.telegram_wire import Refused

Trouble = Literal["refuse", "hang", "drop_before", "drop_after", "delay"]
"""refuse: an error, nothing done. hang: done, and never answered. drop_before, drop_after: the connection breaks before
or after the work. delay: done and answered late."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One trouble. `method` and `chat_id` say which calls it waits for; None is any."""

    trouble: Trouble
    refused: Refused | None = None
    delay_s: float = 0.0
    method: str | None = None
    chat_id: int | None = None

    def meets(self, method: str, chat_id: str) -> bool:
        """Whether this call is one it waits for."""
        right_method = self.method is None or self.method.lower() == method.lower()
        return right_method and (self.chat_id is None or str(self.chat_id) == chat_id)


def refusal(status: int, description: str, *, retry_after: int | None = None, migrate_to: int | None = None) -> Refused:
    """Any error of the platform's."""
    return Refused(status, description, retry_after=retry_after, migrate_to=migrate_to)


BLOCKED = Refused(403, "Forbidden: bot was blocked by the user")
DEACTIVATED = Refused(403, "Forbidden: user is deactivated")
UNAUTHORIZED = Refused(401, "Unauthorized")
CONFLICT = Refused(
    409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
)
SERVER_ERROR = Refused(500, "Internal Server Error")
BAD_GATEWAY = Refused(502, "Bad Gateway")
