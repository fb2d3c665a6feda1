"""The learner check: the engine learns a domain that is not ours, on a split that holds no row twice."""

import runpy
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from nlu.training_data import Example

FOLDER = Path(__file__).with_name("learner")
TOOLS = Path(__file__).resolve().parents[2] / "tools"
TOOL: dict[str, Any] = runpy.run_path(str(TOOLS / "learner_check.py"))
RASA_TOOL: dict[str, Any] = runpy.run_path(str(TOOLS / "rasa.py"))
examples: Callable[[Path], Sequence[Example]] = TOOL["examples"]


def test_split_is_balanced_and_apart() -> None:
    """Every intent has rows on both sides and no text stands on both."""
    learnt = examples(FOLDER / "train.tsv")
    asked = examples(FOLDER / "test.tsv")
    assert len(learnt) + len(asked) == 400
    assert set(Counter(row.label for row in learnt)) == set(Counter(row.label for row in asked))
    assert not {row.text.lower() for row in learnt} & {row.text.lower() for row in asked}


def test_engine_learns_a_domain_it_was_not_made_for() -> None:
    """With 17 examples an intent it is right far more often than the 1 in 16 of a guess."""
    learnt = examples(FOLDER / "train.tsv")
    asked = examples(FOLDER / "test.tsv")
    assert TOOL["check"](learnt, asked)["accuracy"] > 0.5


def test_rasa_gets_the_same_rows() -> None:
    """What is written for Rasa holds every row of the split once, under its intent."""
    learnt = examples(FOLDER / "train.tsv")
    blocks = yaml.safe_load(RASA_TOOL["_as_rasa_data"](RASA_TOOL["_by_intent"](FOLDER / "train.tsv")))["nlu"]
    rows = {(line[2:], block["intent"]) for block in blocks for line in block["examples"].splitlines()}
    assert rows == {(row.text, row.label) for row in learnt}
