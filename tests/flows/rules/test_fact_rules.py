"""Reading, marking and writing out the programme's facts."""

from datetime import date
from typing import Any

import pytest

from flows.rules.facts import Fact, facts_from, load_facts, render, telling
from flows.rules.packaged_data import DataError


def row(**changes: Any) -> dict[str, Any]:
    """A good row of a facts file, with changes."""
    good = {
        "key": "hotline",
        "value": 3,
        "unit": "months",
        "mark": "sure",
        "source": ["P3"],
        "as_of": "2026-11",
        "note": "A note.",
    }
    return good | changes


def fact(value: int | float | str, unit: str, mark: str = "sure") -> Fact:
    """A fact of that value."""
    return Fact(key="a", value=value, unit=unit, mark=mark, source="P3", as_of=date(2026, 11, 1))


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (16_800, "rupiah", "Rp16.800"),
        (42_000_000, "rupiah", "Rp42.000.000 (empat puluh dua juta rupiah)"),
        (65, "years", "65 tahun"),
        (3, "months", "3 bulan"),
        (30, "days", "30 hari"),
        (5, "working_days", "5 hari kerja"),
        (48, "hours", "48 jam"),
        (50, "percent", "50%"),
        (5.7, "percent", "5,7%"),
        (2.0, "percent", "2%"),
        (48, "times", "48 kali"),
        (20_000, "people", "20.000 orang"),
        ("175", "phone", "175"),
        ("care@example.org", "email", "care@example.org"),
        ("1, 3, 6, atau 12 bulan", "text", "1, 3, 6, atau 12 bulan"),
    ],
)
def test_render(value: int | float | str, unit: str, text: str) -> None:
    """Each unit is written as a reader expects it."""
    assert render(fact(value, unit)) == text


def test_render_without_words() -> None:
    """Where many sums stand together the figures are enough."""
    assert render(fact(42_000_000, "rupiah"), in_words=False) == "Rp42.000.000"


@pytest.mark.parametrize(
    ("mark", "how"),
    [
        ("sure", "plainly"),
        ("derived", "plainly"),
        ("product", "plainly"),
        ("one_source", "with_check"),
        ("unsure", "ask_staff"),
    ],
)
def test_telling_follows_the_mark(mark: str, how: str) -> None:
    """What one source says comes with where to check it, and what is unsure is not told."""
    assert telling(fact(3, "months", mark)) == how


def test_reads_a_row() -> None:
    """A month becomes its first day, source keys one text, and `one source` the mark `one_source`."""
    facts = facts_from([row(source=["P3", "P4"], mark="one source")])
    assert facts["hotline"] == Fact(
        key="hotline",
        value=3,
        unit="months",
        mark="one_source",
        source="P3, P4",
        as_of=date(2026, 11, 1),
        note="A note.",
    )


def test_reads_a_list_under_a_key_too() -> None:
    """Both shapes of the file are the same facts, a full day and a plain source included."""
    facts = facts_from({"facts": [row(as_of=date(2026, 11, 22), source="PP 50/2025")]})
    assert (facts["hotline"].as_of, facts["hotline"].source) == (date(2026, 11, 22), "PP 50/2025")


def test_a_short_number_stays_a_text() -> None:
    """YAML reads 175 as a whole number; a phone is a text."""
    assert facts_from([row(value=175, unit="phone")])["hotline"].value == "175"


@pytest.mark.parametrize(
    "changes",
    [
        {"unit": "furlongs"},
        {"mark": "rumour"},
        {"value": "three"},
        {"value": True},
        {"value": -1},
        {"value": 16_800.5, "unit": "rupiah"},
        {"value": "", "unit": "text"},
        {"source": []},
        {"source": None},
        {"as_of": "November"},
        {"as_of": None},
        {"key": ""},
    ],
    ids=str,
)
def test_a_bad_row_is_refused(changes: dict[str, Any]) -> None:
    """A fact without a value that fits, a mark, a source or a date cannot be told."""
    with pytest.raises(DataError):
        facts_from([row(**changes)])


def test_all_problems_are_reported_at_once() -> None:
    """Whoever enters facts sees every mistake, not the first."""
    with pytest.raises(DataError) as caught:
        facts_from([row(), row(), row(key="a", unit="furlongs"), row(key="b", mark="rumour")])
    assert len(caught.value.problems) == 3


def test_every_packaged_fact_can_be_written() -> None:
    """No fact of the file renders to nothing."""
    assert load_facts()
    assert all(render(each).strip() for each in load_facts().values())
