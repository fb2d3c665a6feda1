"""What came of playing a case."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class Failure:
    """One expectation that did not hold: what was expected, what there was instead."""

    line: int
    expected: str
    got: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """One line of the talk, for the report. `key` is the reply key of what the bot said."""

    side: Literal["person", "bot", "staff", "clock"]
    who: str
    text: str
    key: str = ""
    buttons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """How a case went. `stood` says where the conversation was when it failed; `log` what the program reported."""

    path: Path
    name: str
    line: int
    turns: int
    seconds: float
    failures: tuple[Failure, ...] = ()
    stood: str = ""
    log: tuple[str, ...] = ()
    talk: tuple[Spoken, ...] = ()
    visited: frozenset[str] = frozenset()

    @property
    def passed(self) -> bool:
        return not self.failures


def rerun(case: CaseOutcome, extra: str = "") -> str:
    """The command that plays just this case again."""
    return f"rangkul replay {shlex.quote(str(case.path))} -k {shlex.quote(case.name)}{extra}"
