"""Facts of the programme that may be told: each with its mark, source and date (`flows/data/facts.yaml`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import Final, Literal

from flows.format import grouped, rupiah, rupiah_long
from flows.rules import packaged_data as data
from flows.rules.packaged_data import DataError

Telling = Literal["plainly", "with_check", "ask_staff"]
"""How a fact may be told: with its month; with where to check it; not at all, staff are offered instead."""

_NUMBER_UNITS: Final = {
    "rupiah": "",
    "years": " tahun",
    "months": " bulan",
    "days": " hari",
    "working_days": " hari kerja",
    "hours": " jam",
    "percent": "%",
    "times": " kali",
    "people": " orang",
}
_TEXT_UNITS: Final = frozenset({"phone", "email", "text"})
UNITS: Final = frozenset(_NUMBER_UNITS) | _TEXT_UNITS


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact: `value` in `unit`; a number for every unit but phone, email and text. Money is whole rupiah.

    `as_of` is the day of the last check, or the first of its month.
    """

    key: str
    value: int | float | str
    unit: str
    mark: str
    source: str
    as_of: date
    note: str = ""


def telling(fact: Fact) -> Telling:
    """How the fact may be told, by its mark. Our own choices (`product`) are told plainly."""
    if fact.mark == "unsure":
        return "ask_staff"
    return "with_check" if fact.mark == "one_source" else "plainly"


def render(fact: Fact, *, in_words: bool = True) -> str:
    """The value as a reader sees it: `Rp42.000.000 (empat puluh dua juta rupiah)`, `3 bulan`, `50%`.

    Without `in_words` money has figures alone. An unsure fact is rendered too; ask `telling` before showing.
    """
    if isinstance(fact.value, str):
        return fact.value
    if fact.unit == "rupiah" and isinstance(fact.value, int):
        return rupiah_long(fact.value) if in_words else rupiah(fact.value)
    return f"{_number(fact.value)}{_NUMBER_UNITS[fact.unit]}"


@cache
def load_facts() -> Mapping[str, Fact]:
    """All facts by key. Raises `DataError` that lists every bad row."""
    return facts_from(data.yaml_content("facts.yaml"))


def facts_from(content: object) -> Mapping[str, Fact]:
    """Facts from a list of rows, or from a mapping that has the list under `facts`.

    Raises `DataError` that lists every bad row.
    """
    rows = content.get("facts") if isinstance(content, dict) else content
    facts: dict[str, Fact] = {}
    problems: list[str] = []
    for position, row in enumerate(data.as_mappings(rows, "facts.yaml")):
        try:
            fact = _fact(row, f"facts[{position}] {row.get('key', '')}".strip())
        except DataError as error:
            problems.append(str(error))
            continue
        if fact.key in facts:
            problems.append(f"{fact.key} stands twice")
        facts[fact.key] = fact
    if problems:
        raise DataError("facts.yaml", problems)
    return MappingProxyType(facts)


def _fact(row: data.Row, where: str) -> Fact:
    unit = data.text_of(row, "unit", where)
    if unit not in UNITS:
        raise DataError(where, [f"unknown unit {unit!r}"])
    return Fact(
        key=data.text_of(row, "key", where),
        value=_value(row.get("value"), unit, where),
        unit=unit,
        mark=data.mark_of(row, where),
        source=_source(row, where),
        as_of=_as_of(row, where),
        note=data.text_of(row, "note", where) if row.get("note") else "",
    )


def _source(row: data.Row, where: str) -> str:
    """A text, or a list of source keys joined by commas."""
    if isinstance(row.get("source"), str):
        return data.text_of(row, "source", where)
    keys = data.text_list_of(row, "source", where)
    if not keys:
        raise DataError(where, ["source is missing"])
    return ", ".join(keys)


def _as_of(row: data.Row, where: str) -> date:
    """A day, or the first day of a month written 2026-11."""
    return data.month_of(row, "as_of", where) if isinstance(row.get("as_of"), str) else data.day_of(row, "as_of", where)


def _value(value: object, unit: str, where: str) -> int | float | str:
    if unit in _TEXT_UNITS:
        # A short number such as 175 is a whole number to YAML.
        if (isinstance(value, str) and value.strip()) or type(value) is int:
            return str(value).strip()
        raise DataError(where, [f"a {unit} must be a text, not {value!r}"])
    if type(value) is int and value >= 0:
        return value
    if type(value) is float and value >= 0 and unit != "rupiah":
        return value
    raise DataError(where, [f"{value!r} is not a number of {unit}"])


def _number(number: int | float) -> str:
    """`1.000`, `0,5`: a dot between thousands, a comma before decimals."""
    if isinstance(number, int) or number.is_integer():
        return grouped(int(number))
    return f"{number:g}".replace(".", ",")
