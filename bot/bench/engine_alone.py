"""The embedded engine in a process that holds nothing else, so that its memory is its own.

`python -m bot.bench.engine_alone MODEL FILE…` prints one `Engine` as JSON.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from statistics import median
from typing import Final

import msgspec

from nlu.evaluate import EvaluationFileError, read_table
from nlu.understand import load_embedded
from nlu.understanding import Understanding

DAY: Final = date(2026, 11, 22)
"""Relative dates are read from it; it decides no intent."""

MS: Final = 1000.0
WARM_UP: Final = 20


class Engine(msgspec.Struct, frozen=True):
    """One engine: share of intents right, median milliseconds a message (wall clock), resident memory."""

    name: str
    rows: int
    accuracy: float
    median_ms: float
    memory_mb: float | None


def labelled(files: Sequence[Path]) -> list[tuple[str, str]]:
    """The messages of evaluation files with the intents they mean. Raises EvaluationFileError."""
    tables = [read_table(path) for path in files]
    if any(not {"text", "intent"} <= set(table.columns) for table in tables):
        raise EvaluationFileError("each file must have the columns text and intent")
    return [(row.cells["text"], row.cells["intent"].strip()) for table in tables for row in table.rows]


def embedded(model: Path, files: Sequence[Path]) -> Engine:
    """The figures of the embedded engine in this process. Raises EvaluationFileError."""
    engine = load_embedded(model)
    return measured("embedded", labelled(files), lambda text: engine.parse(text, today=DAY), memory_mb("self"))


def measured(
    name: str,
    asked: Sequence[tuple[str, str]],
    understand: Callable[[str], Understanding],
    memory_mb: Callable[[], float | None],
) -> Engine:
    """One engine asked about every message, after a few uncounted ones."""
    for text, _ in asked[:WARM_UP]:
        understand(text)
    right, took = 0, []
    for text, meant in asked:
        began = time.perf_counter()
        taken = understand(text).intent
        took.append((time.perf_counter() - began) * MS)
        right += taken == meant
    memory = memory_mb()
    return Engine(
        name,
        len(asked),
        round(right / len(asked), 4),
        round(median(took), 3),
        None if memory is None else round(memory, 1),
    )


def memory_mb(pid: str) -> Callable[[], float | None]:
    """Reads the resident memory of a process; None where the system has no `/proc`."""

    def read() -> float | None:
        status = Path(f"/proc/{pid}/status")
        if not status.exists():
            return None
        found = re.search(r"^VmRSS:\s+(\d+) kB$", status.read_text("utf-8"), re.MULTILINE)
        return int(found[1]) / 1024 if found else None

    return read


if __name__ == "__main__":
    told = embedded(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
    sys.stdout.write(msgspec.json.encode(told).decode())
