"""The platform of a script: takes what is sent and remembers it, or refuses as it was told to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from bot.channels.base import Channel, SendError
from bot.clock import Clock
from bot.replay.script import ProviderFault
from storage.outbox import Outgoing

_WORDS: Final = {0: "timeout", 403: "blocked", 408: "timeout", 429: "throttled"}
_WORTH_ANOTHER_TRY: Final = frozenset({0, 408, 425, 429})


@dataclass(slots=True)
class ScriptedChannel(Channel):
    """One channel of a script. `taken` holds every message that the platform accepted, repeats included, in order."""

    name: str
    clock: Clock
    taken: list[Outgoing] = field(default_factory=list)
    refused: int = 0
    _fault: ProviderFault | None = None
    _refusals_left: int = 0

    async def send(self, outgoing: Outgoing) -> str:
        """Takes the message, or raises SendError while a fault lasts."""
        if self._fault is not None and self._refusals_left > 0:
            self._refusals_left -= 1
            self.refused += 1
            raise self._error(self._fault)
        self.taken.append(outgoing)
        return ""

    def refuse(self, fault: ProviderFault) -> None:
        """The next sends fail."""
        self._fault = fault
        self._refusals_left = fault.times

    def shown(self) -> list[Outgoing]:
        """What people saw: the web page drops a repeat by its outbox id, other channels show it twice."""
        if self.name != "web":
            return list(self.taken)
        return list({row.id: row for row in self.taken}.values())

    def _error(self, fault: ProviderFault) -> SendError:
        word = _WORDS.get(fault.status, "refused" if fault.status < 500 else "unavailable")
        retry_at = None
        if fault.retry_after_s is not None:
            retry_at = self.clock.now() + timedelta(seconds=fault.retry_after_s)
        permanent = fault.status < 500 and fault.status not in _WORTH_ANOTHER_TRY
        return SendError(word, permanent=permanent, retry_at=retry_at)
