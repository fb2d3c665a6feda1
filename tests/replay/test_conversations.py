"""Every conversation script of the product passes, and no script says what the engines were trained on."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.config import Config
from bot.replay.company import Order, flows_of, play
from bot.replay.lint import problems
from bot.replay.outcome import CaseOutcome
from bot.replay.reading import read_script
from bot.replay.reports import failure_lines
from bot.replay.vocabulary import vocabulary_of
from flows.settings import Settings

FOLDER = Path(__file__).resolve().parent.parent / "conversations"
FILES = sorted(FOLDER.rglob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(FOLDER)) for path in FILES])
def test_conversation(path: Path) -> None:
    """All cases of the file pass on the real program."""
    read = read_script(path, vocabulary_of(flows_of(Settings())))
    assert read.problems == []
    assert read.script is not None
    outcomes = play([read.script], Order(Config())).outcomes
    assert "\n".join(_told(outcome) for outcome in outcomes if not outcome.passed) == ""
    assert len(outcomes) == len(read.script.cases) > 0


def test_scripts_say_what_was_not_trained() -> None:
    """A sentence that is a training row proves nothing about understanding."""
    assert problems([FOLDER]) == []


def _told(outcome: CaseOutcome) -> str:
    return "\n".join(failure_lines(outcome))
