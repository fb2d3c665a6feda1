"""Promises of a human word: never a day that the calendar has not given, never a promise without its ticket."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from flows.flow import View
from flows.format import day_and_date
from flows.rules.calendar import Calendar
from flows.settings import Settings

_A_BREAK: Final = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Promise:
    """By when a person is answered: the day as told, and its last instant in the office's zone."""

    day: date
    until: datetime

    @property
    def told(self) -> str:
        """`Selasa, 24 November 2026`."""
        return day_and_date(self.day)


def by_end_of(view: View, day: date) -> Promise:
    """A promise for a day of the calendar."""
    return _until_end_of(day, view.settings)


def first_word(view: View) -> Promise:
    """The first human word: within `first_response_days` working days."""
    return first_word_after(view.turn.now, view.settings, view.calendar)


def first_word_after(now: datetime, settings: Settings, calendar: Calendar) -> Promise:
    """The same, where no turn is being decided: for a message that had to be set aside."""
    return _until_end_of(calendar.add_working_days(now, settings.first_response_days), settings)


def same_day(view: View) -> Promise:
    """For what is urgent: today while the office is open or has yet to open, else the next working day."""
    return by_end_of(view, view.calendar.add_working_days(view.turn.now, 0))


def office_is_away(view: View) -> bool:
    """Whether nobody will read for hours: at night, on a weekend or a holiday, and not over lunch."""
    return view.calendar.next_opening(view.turn.now) - view.turn.now > _A_BREAK


def _until_end_of(day: date, settings: Settings) -> Promise:
    return Promise(day, datetime.combine(day, time(23, 59), ZoneInfo(settings.office_zone)))
