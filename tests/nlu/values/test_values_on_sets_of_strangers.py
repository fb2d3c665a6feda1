"""The readers on files written by people who knew the conventions and nothing of the code."""

from datetime import date
from pathlib import Path

import pytest

from nlu.evaluate import EntityReport, ValueReport, evaluate, read_table
from nlu.understand import Understander

TODAY = date(2026, 11, 22)
SETS = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("file", ["values_blind.tsv", "values_blind_2.tsv"])
def test_answers_are_read_as_strangers_meant_them(engine: Understander, file: str) -> None:
    """At least 98.5 answers in a hundred are read, or refused, as the file says."""
    report, wrong = evaluate(read_table(SETS / file), engine, today=TODAY)
    assert isinstance(report, ValueReport)
    assert report.accuracy >= 0.985, wrong


@pytest.mark.parametrize("file", ["entities_blind.tsv", "entities_blind_2.tsv"])
def test_sentences_hold_what_strangers_put_into_them(engine: Understander, file: str) -> None:
    """Values of whole sentences are found, and none invented, to an F1 of 0.95."""
    report, wrong = evaluate(read_table(SETS / file), engine, today=TODAY)
    assert isinstance(report, EntityReport)
    assert report.f1 >= 0.95, wrong
