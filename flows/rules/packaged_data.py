"""Reads the dated data files that ship in `flows/data/`."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final, TypeAlias

import yaml

DATA_DIR: Final = Path(__file__).resolve().parent.parent / "data"

# The compiled loader reads the facts in a tenth of the time; a PyYAML built without libyaml lacks it.
_SAFE_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Row: TypeAlias = Mapping[str, object]
"""A record as YAML gives it, not yet checked."""

MARKS: Final = frozenset({"sure", "derived", "one_source", "unsure", "product"})
"""How sure a fact is; `product` is a choice of ours that no source decides."""


class DataError(ValueError):
    """A packaged data file does not say what the rules need; the message lists every problem found."""

    def __init__(self, file: str, problems: list[str]) -> None:
        super().__init__(f"{file}: " + "; ".join(problems))
        self.file = file
        self.problems = tuple(problems)


def csv_rows(name: str) -> list[dict[str, str]]:
    """The rows of a CSV data file, by column name."""
    with (DATA_DIR / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def yaml_mapping(name: str) -> Row:
    """The top level of a YAML data file, which must be a mapping with text keys."""
    return as_mapping(yaml_content(name), name)


def yaml_content(name: str) -> object:
    """What a YAML data file holds, unchecked."""
    content: object = yaml.load((DATA_DIR / name).read_text(encoding="utf-8"), Loader=_SAFE_LOADER)  # noqa: S506 - it is a safe one
    return content


def as_mapping(value: object, where: str) -> Row:
    """`value` if it is a mapping with text keys; raises `DataError` otherwise."""
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise DataError(where, ["expected a mapping with text keys"])
    return value


def as_mappings(value: object, where: str) -> list[Row]:
    """`value` if it is a list of mappings; raises `DataError` otherwise."""
    if not isinstance(value, list):
        raise DataError(where, ["expected a list"])
    return [as_mapping(item, f"{where}[{position}]") for position, item in enumerate(value)]


def text_of(row: Row, key: str, where: str) -> str:
    """A non-empty text under `key`."""
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        raise DataError(where, [f"{key} must be a text, not {value!r}"])
    return value.strip()


def mark_of(row: Row, where: str) -> str:
    """The mark of a record, one of `MARKS`; "one source" is read as `one_source`."""
    mark = text_of(row, "mark", where).replace(" ", "_")
    if mark not in MARKS:
        raise DataError(where, [f"mark must be one of {sorted(MARKS)}, not {mark!r}"])
    return mark


def text_list_of(row: Row, key: str, where: str) -> list[str]:
    """A list of texts under `key`, in order; empty when the key is absent."""
    value = row.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise DataError(where, [f"{key} must be a list of texts, not {value!r}"])
    return value


def texts_of(row: Row, key: str, where: str) -> frozenset[str]:
    """A set of texts under `key`; empty when the key is absent."""
    return frozenset(text_list_of(row, key, where))


def days_of(row: Row, key: str, where: str) -> list[date]:
    """A list of days under `key`."""
    value = row.get(key)
    if not isinstance(value, list) or not all(type(item) is date for item in value):
        raise DataError(where, [f"{key} must be a list of days, not {value!r}"])
    return value


def whole_number_of(row: Row, key: str, where: str) -> int:
    """A whole number under `key`."""
    value = row.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise DataError(where, [f"{key} must be a whole number, not {value!r}"])
    return value


def truth_of(row: Row, key: str, where: str) -> bool:
    """A true or false under `key`."""
    value = row.get(key)
    if not isinstance(value, bool):
        raise DataError(where, [f"{key} must be true or false, not {value!r}"])
    return value


def day_of(row: Row, key: str, where: str) -> date:
    """A day, written 2026-11-22, under `key`."""
    value = row.get(key)
    if type(value) is not date:
        raise DataError(where, [f"{key} must be a day such as 2026-11-22, not {value!r}"])
    return value


def month_of(row: Row, key: str, where: str) -> date:
    """The first day of a month, written 2026-11, under `key`."""
    value = row.get(key)
    try:
        return date.fromisoformat(f"{value}-01")
    except ValueError as error:
        raise DataError(where, [f"{key} must be a month such as 2026-11, not {value!r}"]) from error
