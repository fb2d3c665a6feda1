"""Age on a day, and who may register."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.rules.ages import full_years, is_under_18, is_young_enough_to_register


@pytest.mark.parametrize(
    ("born", "on", "age"),
    [
        (date(1990, 8, 17), date(2026, 8, 16), 35),
        (date(1990, 8, 17), date(2026, 8, 17), 36),
        (date(2026, 11, 22), date(2026, 11, 22), 0),
        (date(1988, 2, 29), date(2027, 2, 28), 38),
        (date(1988, 2, 29), date(2027, 3, 1), 39),
        (date(1988, 2, 29), date(2028, 2, 29), 40),
    ],
)
def test_full_years(born: date, on: date, age: int) -> None:
    """A year is added on the birthday, one of 29 February counting on 1 March in a common year."""
    assert full_years(born, on) == age


def test_a_birth_in_the_future_is_refused() -> None:
    """A mistyped year must not give a negative age."""
    with pytest.raises(ValueError, match="after"):
        full_years(date(2027, 1, 1), date(2026, 11, 22))


@given(st.dates(date(1930, 1, 1), date(2020, 1, 1)), st.integers(min_value=0, max_value=36_500))
def test_age_never_falls(born: date, days: int) -> None:
    """The next day a person is as old or one year older."""
    on = born + timedelta(days=days)
    assert full_years(born, on + timedelta(days=1)) - full_years(born, on) in (0, 1)


def test_registration_ends_with_the_65th_birthday() -> None:
    """The day before is still in time, the birthday is not."""
    assert is_young_enough_to_register(date(1961, 11, 23), date(2026, 11, 22))
    assert not is_young_enough_to_register(date(1961, 11, 22), date(2026, 11, 22))


def test_a_child_is_one_until_the_18th_birthday() -> None:
    """The day before the birthday is still a child's."""
    assert is_under_18(date(2008, 11, 23), date(2026, 11, 22))
    assert not is_under_18(date(2008, 11, 22), date(2026, 11, 22))
