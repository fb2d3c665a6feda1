"""What something cost: CPU of the whole process with all its threads, statements and commits."""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median
from typing import Final

from storage.database import Database

MS: Final = 1000.0


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one round: CPU in milliseconds, wall time in milliseconds, statements and commits, each per turn."""

    cpu_ms: float
    wall_ms: float
    statements: float = 0.0
    commits: float = 0.0


class Meter:
    """Reads the process's clocks and the database's counters at the begin and at the end of one round."""

    def __init__(self, *databases: Database) -> None:
        self._databases = databases
        self._cpu = time.process_time()
        self._wall = time.perf_counter()
        self._statements = self._count_statements()
        self._commits = self._count_commits()

    def read(self, turns: int) -> Cost:
        """What has been spent since the meter was made, shared among so many turns."""
        return Cost(
            (time.process_time() - self._cpu) * MS / turns,
            (time.perf_counter() - self._wall) * MS / turns,
            (self._count_statements() - self._statements) / turns,
            (self._count_commits() - self._commits) / turns,
        )

    def _count_statements(self) -> int:
        return sum(database.statements for database in self._databases)

    def _count_commits(self) -> int:
        return sum(database.commits for database in self._databases)


def middle(costs: list[Cost]) -> Cost:
    """The median of each figure: a neighbour on the machine disturbs single rounds."""
    return Cost(
        median(cost.cpu_ms for cost in costs),
        median(cost.wall_ms for cost in costs),
        median(cost.statements for cost in costs),
        median(cost.commits for cost in costs),
    )
