"""The dated figures of `flows/data/facts.yaml`, and the copy that names them."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

FLOWS = Path(__file__).parents[2] / "flows"
FACTS_FILE = FLOWS / "data" / "facts.yaml"
COPY_FILE = FLOWS / "copy" / "id.yaml"

FIELDS = {"key", "value", "unit", "mark", "source", "as_of", "note"}
MARKS = {"sure", "derived", "product", "one_source", "unsure"}
WHOLE_NUMBER_UNITS = {
    "rupiah", "years", "months", "days", "working_days", "hours", "percent", "times", "people",
}  # fmt: skip
TEXT_UNITS = {"phone", "email", "text"}
MONTHS = [
    "Januari", "Februari", "Maret", "April", "Mei", "Juni",
    "Juli", "Agustus", "September", "Oktober", "November", "Desember",
]  # fmt: skip

FACTS: list[dict[str, Any]] = yaml.safe_load(FACTS_FILE.read_text(encoding="utf-8"))
BY_KEY = {fact["key"]: fact for fact in FACTS}


def copy_texts() -> dict[str, str]:
    """The Indonesian copy by reply key; a list or mapping under a key counts as one text."""
    copy = yaml.safe_load(COPY_FILE.read_text(encoding="utf-8"))
    return {key: str(text) for key, text in copy.items()}


def facts_named_in(copy: str) -> set[str]:
    """Keys of all `{fact:key}` placeholders in a text."""
    return set(re.findall(r"\{fact:([^}]*)\}", copy))


def not_to_be_told(copy: str) -> set[str]:
    """Facts named in a text that do not exist or are unsure."""
    tellable = {key for key, fact in BY_KEY.items() if fact["mark"] != "unsure"}
    return facts_named_in(copy) - tellable


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact["key"])
class TestEachFact:
    """What holds for every single fact."""

    def test_has_all_fields_and_no_other(self, fact: dict[str, Any]) -> None:
        """A fact without its mark, date or source could be told with the wrong certainty."""
        assert set(fact) == FIELDS

    def test_has_a_known_mark_and_unit(self, fact: dict[str, Any]) -> None:
        """Marks decide how a fact is told and units how it is written."""
        assert fact["mark"] in MARKS
        assert fact["unit"] in WHOLE_NUMBER_UNITS | TEXT_UNITS

    def test_value_fits_its_unit(self, fact: dict[str, Any]) -> None:
        """Amounts and counts are whole positive numbers, everything else is text that is not empty."""
        if fact["unit"] in WHOLE_NUMBER_UNITS:
            assert type(fact["value"]) is int and fact["value"] > 0
        else:
            assert isinstance(fact["value"], str) and fact["value"].strip()

    def test_names_its_source_and_month(self, fact: dict[str, Any]) -> None:
        """A figure can be traced to where it was read and to when."""
        legend = re.findall(r"^#   (P\d+|own) ", FACTS_FILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert fact["source"] and set(fact["source"]) <= set(legend)
        assert re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", fact["as_of"])
        assert fact["note"].strip()


def test_keys_are_unique_and_plain() -> None:
    """Two facts under one key would let the later one win unseen."""
    keys = [fact["key"] for fact in FACTS]
    assert len(keys) == len(set(keys))
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", key) for key in keys)


def test_the_month_told_to_people_is_the_month_of_the_oldest_check() -> None:
    """Copy says "per November 2026", which must not be newer than any fact it is said of."""
    year, month = min(fact["as_of"] for fact in FACTS).split("-")
    assert BY_KEY["facts_month"]["value"] == f"{MONTHS[int(month) - 1]} {year}"


def test_sums_agree_with_their_parts() -> None:
    """Death benefit, scholarship and worked examples add up from the figures they are made of."""
    value = {key: fact["value"] for key, fact in BY_KEY.items()}
    assert value["jkm_total"] == value["jkm_death"] + value["jkm_periodic"] + value["jkm_funeral"]
    levels = ("kindergarten", "primary", "junior", "senior", "higher")
    child = sum(value[f"scholarship_{level}"] * value[f"scholarship_{level}_years"] for level in levels)
    assert value["scholarship_child"] == child
    assert value["scholarship_total"] == child * value["scholarship_children"]
    assert value["jkk_death_example"] == value["jkk_death_times"] * value["minimum_income_base"]
    assert value["jkk_disability_example"] == value["jkk_disability_times"] * value["minimum_income_base"]


def test_a_figure_that_may_not_be_told_is_noticed() -> None:
    """The check below finds a fact that is unsure and one that nobody has entered."""
    assert not_to_be_told("{fact:official_whatsapp}, {fact:no_such_fact}, {fact:jkm_total}") == {
        "official_whatsapp",
        "no_such_fact",
    }


def test_copy_names_only_facts_that_exist_and_may_be_told() -> None:
    """A figure that is missing or unsure never reaches a person."""
    wrong = {key: not_to_be_told(text) for key, text in copy_texts().items()}
    assert {key: facts for key, facts in wrong.items() if facts} == {}


def test_copy_tells_the_month_of_what_rests_on_one_source() -> None:
    """A text with a figure from one source alone says as of which month it holds."""
    one_source = {key for key, fact in BY_KEY.items() if fact["mark"] == "one_source"}
    careless = [
        key
        for key, text in copy_texts().items()
        if facts_named_in(text) & one_source and "facts_month" not in facts_named_in(text)
    ]
    assert careless == []


def test_copy_names_facts() -> None:
    """The checks on copy look at something: the commonest figures are named by their keys."""
    named = facts_named_in(" ".join(copy_texts().values()))
    assert {"hotline", "jkm_total", "age_limit", "due_day"} <= named
