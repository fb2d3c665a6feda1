"""What is promised and asked for each complaint category. Source and marks: `flows/data/complaints.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from types import MappingProxyType
from typing import Literal, cast, get_args

from flows.rules import packaged_data as data
from flows.rules.calendar import Calendar
from flows.rules.packaged_data import DataError

Priority = Literal["normal", "urgent"]


@dataclass(frozen=True, slots=True)
class ComplaintRule:
    """How one category is handled.

    `working_days` are promised for the outcome, 0 being the same day; `restricted` complaints are read by
    few; `needs_identity` is true only where the case cannot be worked without knowing the member.
    """

    category: str
    working_days: int
    priority: Priority
    restricted: bool
    needs_identity: bool


@dataclass(frozen=True, slots=True)
class ComplaintRules:
    """The rule of every category, and the working days within which a human first answers."""

    categories: Mapping[str, ComplaintRule]
    first_response_working_days: int


def rule_for(category: str) -> ComplaintRule:
    """The rule of a category. Raises ValueError for a name that is none of the fixed thirteen."""
    rules = load_complaint_rules().categories
    if category not in rules:
        raise ValueError(f"unknown complaint category: {category!r}")
    return rules[category]


def promised_date(category: str, now: datetime, calendar: Calendar) -> date:
    """The last day for the outcome of a complaint that arrives at `now`.

    The same-day promise of an urgent one moves to the next working day once the office has closed.
    """
    return calendar.add_working_days(now, rule_for(category).working_days)


def first_response_date(category: str, now: datetime, calendar: Calendar) -> date:
    """The last day for a first human answer: at most one working day, and never after the promised date."""
    within = load_complaint_rules().first_response_working_days
    return calendar.add_working_days(now, min(within, rule_for(category).working_days))


@cache
def load_complaint_rules() -> ComplaintRules:
    """All rules. Raises `DataError` when the file is malformed."""
    file = "complaints.yaml"
    loaded = data.yaml_mapping(file)
    data.text_of(loaded, "source", file)
    data.mark_of(loaded, file)
    rows = data.as_mapping(loaded.get("categories"), file)
    return ComplaintRules(
        categories=MappingProxyType({name: _rule(name, data.as_mapping(row, name)) for name, row in rows.items()}),
        first_response_working_days=data.whole_number_of(loaded, "first_response_working_days", file),
    )


def _rule(category: str, row: data.Row) -> ComplaintRule:
    priority = data.text_of(row, "priority", category)
    working_days = data.whole_number_of(row, "working_days", category)
    if priority not in get_args(Priority) or working_days < 0:
        raise DataError("complaints.yaml", [f"{category}: bad priority or working_days"])
    return ComplaintRule(
        category=category,
        working_days=working_days,
        priority=cast(Priority, priority),
        restricted=data.truth_of(row, "restricted", category),
        needs_identity=data.truth_of(row, "needs_identity", category),
    )
