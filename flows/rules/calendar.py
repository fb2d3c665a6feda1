"""Working time: office hours in split days, weekends, public holidays and collective leave, in one zone.

Sources: `flows/data/calendar.yaml` (hours, collective leave), `flows/data/holidays.csv` (public holidays).
Every instant given must be aware; every instant returned stands in the calendar's zone. There is no summer
time in Indonesia.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Final

from flows.rules import packaged_data as data
from flows.rules.packaged_data import DataError
from flows.rules.zones import WIB, WIT, WITA, zone_info, zone_label, zone_of_region

__all__ = [
    "WIB",
    "WIT",
    "WITA",
    "Calendar",
    "Period",
    "calendar_for",
    "known_years",
    "packaged_office_hours",
    "parse_office_hours",
    "zone_label",
    "zone_of_region",
]

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

MAX_DAYS_AHEAD: Final = 3660
"""How far a count may look, in days; reaching it means that the calendar is wrong, and is an error."""

_PERIOD: Final = re.compile(r"(\d{2}:\d{2})-(\d{2}:\d{2})")


@dataclass(frozen=True, slots=True)
class Period:
    """Open from `opens` until just before `closes`, on one day."""

    opens: time
    closes: time


OfficeHours = tuple[tuple[Period, ...], ...]
"""Seven days, Monday first; the periods of a day in order, none on a day off."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """When an office works. A day without a period, and a holiday, is no working day.

    Raises ValueError when made with periods that are empty or overlap, with no open day at all, or with a
    zone outside Indonesia.
    """

    office_hours: OfficeHours
    zone: str = WIB
    holidays: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        zone_label(self.zone)
        if len(self.office_hours) != 7 or not any(self.office_hours):
            raise ValueError("office hours need seven days, one of them open at least")
        for periods in self.office_hours:
            edges = [edge for period in periods for edge in (period.opens, period.closes)]
            if edges != sorted(set(edges)):
                raise ValueError(f"the periods of a day must follow each other: {periods}")

    def local_day(self, at: datetime) -> date:
        """The date at that instant in the office's zone."""
        return self._local(at).date()

    def is_working_day(self, day: date) -> bool:
        """True unless a day off or a holiday."""
        return bool(self._periods_on(day))

    def on_or_after(self, day: date) -> date:
        """`day` if it is a working day, else the next one: how a due date that falls on a holiday moves."""
        return day if self.is_working_day(day) else self._next_working_day(day)

    def is_open(self, at: datetime) -> bool:
        """True within a period; the opening instant is open, the closing one is not."""
        local = self._local(at)
        return any(opens <= local < closes for opens, closes in self._spans_on(local.date()))

    def next_opening(self, at: datetime) -> datetime:
        """The first instant from `at` on at which the office is open: `at` itself while it is."""
        local = self._local(at)
        return max(local, next(self._spans_from(local))[0])

    def add_working_days(self, start: datetime, days: int) -> date:
        """The last day of a promise of `days` working days: the day of `start` does not count.

        With 0 it is that same day while the office is open or has yet to open on it, else the next working
        day. Raises ValueError for fewer than 0 days.
        """
        if days < 0:
            raise ValueError(f"cannot count {days} working days")
        if days == 0:
            return self.next_opening(start).date()
        last = self.local_day(start)
        for _ in range(days):
            last = self._next_working_day(last)
        return last

    def add_working_minutes(self, start: datetime, minutes: int) -> datetime:
        """The instant after `minutes` of open time; a sum that ends with a period ends at its closing.

        With 0 it is the next opening. Raises ValueError for fewer than 0 minutes.
        """
        if minutes < 0:
            raise ValueError(f"cannot count {minutes} working minutes")
        local = self._local(start)
        left = timedelta(minutes=minutes)
        for opens, closes in self._spans_from(local):
            begins = max(opens, local)
            if left <= closes - begins:
                return begins + left
            left -= closes - begins
        raise AssertionError("unreachable: the search for working time ends by raising")

    def _next_working_day(self, day: date) -> date:
        for ahead in range(1, MAX_DAYS_AHEAD):
            later = day + timedelta(days=ahead)
            if self.is_working_day(later):
                return later
        raise ValueError(f"no working day found within {MAX_DAYS_AHEAD} days of {day}")

    def _spans_from(self, local: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The periods that have not closed by `local`, in order."""
        for ahead in range(MAX_DAYS_AHEAD):
            for opens, closes in self._spans_on(local.date() + timedelta(days=ahead)):
                if closes > local:
                    yield opens, closes
        raise ValueError(f"no working time found within {MAX_DAYS_AHEAD} days of {local}")

    def _spans_on(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        clock = zone_info(self.zone)
        for period in self._periods_on(day):
            yield datetime.combine(day, period.opens, clock), datetime.combine(day, period.closes, clock)

    def _periods_on(self, day: date) -> tuple[Period, ...]:
        return () if day in self.holidays else self.office_hours[day.weekday()]

    def _local(self, at: datetime) -> datetime:
        if at.tzinfo is None:
            raise ValueError(f"an instant needs its zone: {at}")
        return at.astimezone(zone_info(self.zone))


def calendar_for(zone: str, years: Iterable[int] | None = None, *, office_hours: OfficeHours | None = None) -> Calendar:
    """A calendar of the packaged holidays and collective leave of `years`, all `known_years()` when None.

    `office_hours` replaces the packaged hours. After the last year only weekends are known. Raises ValueError
    for a year that the data does not cover: its promises would ignore holidays.
    """
    wanted = known_years() if years is None else frozenset(years)
    if not wanted <= known_years():
        raise ValueError(f"no holidays are known for {sorted(wanted - known_years())}")
    return Calendar(
        office_hours=packaged_office_hours() if office_hours is None else office_hours,
        zone=zone,
        holidays=frozenset(day for day in _days_off() if day.year in wanted),
    )


def parse_office_hours(days: Mapping[str, Iterable[str]]) -> OfficeHours:
    """Hours from text: `{"monday": ["08:00-12:00", "13:00-16:00"]}`; a day left out is off.

    Raises ValueError for an unknown day, a malformed period or a clock time that does not exist.
    """
    unknown = set(days) - set(WEEKDAYS)
    if unknown:
        raise ValueError(f"not a weekday: {sorted(unknown)}")
    return tuple(tuple(_period(text) for text in days.get(weekday, ())) for weekday in WEEKDAYS)


@cache
def packaged_office_hours() -> OfficeHours:
    """The hours of `calendar.yaml`: a choice of the product."""
    hours = data.as_mapping(data.yaml_mapping("calendar.yaml").get("office_hours"), "office_hours")
    days = data.as_mapping(hours.get("days"), "office_hours.days")
    written = {day: data.text_list_of(days, day, "office_hours.days") for day in days}
    try:
        return parse_office_hours(written)
    except ValueError as error:
        raise DataError("calendar.yaml", [str(error)]) from error


@cache
def known_years() -> frozenset[int]:
    """The years whose holidays and collective leave were looked at."""
    years = data.yaml_mapping("calendar.yaml").get("known_years")
    if not isinstance(years, list) or not all(isinstance(year, int) for year in years):
        raise DataError("calendar.yaml", ["known_years must be a list of years"])
    return frozenset(years)


@cache
def _days_off() -> frozenset[date]:
    """Public holidays and collective leave together."""
    public = {date.fromisoformat(row["date"]) for row in data.csv_rows("holidays.csv")}
    leave: set[date] = set()
    decrees = data.as_mappings(data.yaml_mapping("calendar.yaml").get("collective_leave"), "collective_leave")
    for position, decree in enumerate(decrees):
        where = f"collective_leave[{position}]"
        data.text_of(decree, "source", where)
        data.mark_of(decree, where)
        leave.update(data.days_of(decree, "days", where))
    outside = sorted(day for day in public | leave if day.year not in known_years())
    if outside:
        raise DataError("calendar.yaml", [f"{day} lies outside known_years" for day in outside])
    return frozenset(public | leave)


def _period(text: str) -> Period:
    written = _PERIOD.fullmatch(text)
    if written is None:
        raise ValueError(f"a period is written 08:00-12:00, not {text!r}")
    return Period(opens=time.fromisoformat(written[1]), closes=time.fromisoformat(written[2]))
