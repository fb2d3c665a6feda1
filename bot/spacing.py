"""Messages of one process leave it as far apart as their platform wants, also after the process has stood still.

A token of the shared bucket is taken when a message is claimed. Where the process is held up between that and the
sending, the messages of a second would leave in a heap, and the platform counts what reaches it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.clock import Clock
from storage.pacing import Pace


@dataclass(slots=True)
class Spacing:
    """The channel's own bucket once more, in this process alone and counted at the sending."""

    clock: Clock
    _full_at: dict[str, datetime] = field(default_factory=dict)

    async def turn(self, paces: Sequence[Pace]) -> None:
        """Comes back when one more message may leave; in the order of the calls. `paces` as `Channel.paces` names them.

        At once, unless messages were held up after their tokens were taken.
        """
        for pace in paces[:1]:
            now = self.clock.now()
            full = max(self._full_at.get(pace.key, now), now) + pace.interval
            self._full_at[pace.key] = full
            wait = full - pace.interval * pace.burst - now
            if wait.total_seconds() > 0:
                await self.clock.sleep(wait.total_seconds())
