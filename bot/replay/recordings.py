"""Understandings kept in a file beside a script, so that it can be played without any engine.

`greeting.yaml` has `greeting.nlu.json`: what each sentence was taken to mean, by day and text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import msgspec

from nlu.understand import Understander
from nlu.understanding import Ranked, Understanding

_NOT_UNDERSTOOD = "out_of_scope"


class RecordingError(Exception):
    """A file of understandings is missing or cannot be read; recording it anew is the cure."""


class _Entry(msgspec.Struct, frozen=True):
    today: date
    understanding: Understanding


def file_of(script: Path) -> Path:
    """Where the understandings of a script are kept."""
    return script.with_suffix(".nlu.json")


@dataclass(slots=True)
class Recorder:
    """Passes on what an engine says and keeps it."""

    engine: Understander
    _kept: dict[tuple[date, str], Understanding] = field(default_factory=dict)

    def parse(self, text: str, *, today: date) -> Understanding:
        understanding = self.engine.parse(text, today=today)
        self._kept[today, text] = understanding
        return understanding

    def write(self, path: Path) -> None:
        """Writes everything kept so far, in the order it was said."""
        entries = [_Entry(today, understanding) for (today, _), understanding in self._kept.items()]
        path.write_bytes(msgspec.json.format(msgspec.json.encode(entries), indent=1) + b"\n")


@dataclass(slots=True)
class Recorded:
    """Answers from a file. `missing` holds the sentences that it did not know."""

    _kept: dict[tuple[date, str], Understanding]
    missing: list[str] = field(default_factory=list)

    def parse(self, text: str, *, today: date) -> Understanding:
        found = self._kept.get((today, text))
        if found is not None:
            return found
        self.missing.append(text)
        nothing = (Ranked(_NOT_UNDERSTOOD, 0.0),)
        return Understanding(text, _NOT_UNDERSTOOD, 0.0, nothing, nothing, engine="recorded")


def load(path: Path) -> Recorded:
    """The understandings of a file. Raises RecordingError."""
    try:
        entries = msgspec.json.decode(path.read_bytes(), type=list[_Entry])
    except FileNotFoundError:
        raise RecordingError(f"{path} is missing; make it with --record") from None
    except (OSError, msgspec.MsgspecError) as error:
        raise RecordingError(f"{path} cannot be read: {error}") from error
    return Recorded({(entry.today, entry.understanding.text): entry.understanding for entry in entries})
