"""The table `tests/nlu/values.tsv`: one answer a row and what it means, dates read as of 22 November 2026."""

from datetime import date
from pathlib import Path

import pytest

from nlu.values import KINDS, Reading, read

TODAY = date(2026, 11, 22)
_LINES = (Path(__file__).parent.parent / "values.tsv").read_text(encoding="utf-8").splitlines()
ROWS = [tuple(line.split("\t")) for line in _LINES[1:]]


@pytest.mark.parametrize(("kind", "text", "expected"), ROWS)
def test_row_is_read_as_the_table_says(kind: str, text: str, expected: str) -> None:
    """Each answer gives its value, or is refused where the table says INVALID."""
    options: list[str] = []
    if kind == "choice":
        labels, text = text.removeprefix("OPTIONS=").split(" ;; ", 1)
        options = labels.split("|")
    result = read(kind, text, today=TODAY, options=options)
    assert (str(result.value) if isinstance(result, Reading) else "INVALID") == expected


def test_table_is_large_and_covers_every_kind_it_can_hold() -> None:
    """At least three hundred rows, at least ten of each kind, none twice."""
    kinds = {"money", "date", "count", "duration_months", "phone", "nik", "kpj", "affirm_deny", "choice"}
    assert len(ROWS) >= 300
    assert len(set(ROWS)) == len(ROWS)
    assert {row[0] for row in ROWS} == kinds <= KINDS
    assert all(sum(row[0] == kind for row in ROWS) >= 10 for kind in kinds)


def test_unknown_kind_is_an_error_of_the_caller() -> None:
    """A kind that does not exist is a slip in our code, not an answer."""
    with pytest.raises(ValueError, match="colour"):
        read("colour", "merah", today=TODAY)
