"""Age rules of BPU membership; the limit and its source are the fact `age_limit`."""

from __future__ import annotations

from datetime import date
from typing import Final

from flows.rules.facts import load_facts

ADULT_AGE: Final = 18
"""Below it the data is a child's (UU PDP Art. 25-26) and staff look at the case. It is no age limit of the
programme: none was found."""


def full_years(born: date, on: date) -> int:
    """Age in completed years on a day. A birthday of 29 February falls on 1 March in a common year.

    Raises ValueError when `on` is before the birth.
    """
    if on < born:
        raise ValueError(f"born {born}, after {on}")
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def age_limit() -> int:
    """The age, in years, at which registration is closed. Raises KeyError when the fact is missing."""
    limit = load_facts()["age_limit"].value
    if not isinstance(limit, int):
        raise TypeError(f"the age limit is not a whole number: {limit!r}")
    return limit


def is_young_enough_to_register(born: date, on: date) -> bool:
    """True until the day before the 65th birthday."""
    return full_years(born, on) < age_limit()


def is_under_18(born: date, on: date) -> bool:
    """True until the day before the 18th birthday."""
    return full_years(born, on) < ADULT_AGE
