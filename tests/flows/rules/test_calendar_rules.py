"""Working time: split days, weekends, holidays and three zones."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.rules.calendar import (
    WIB,
    WIT,
    WITA,
    Calendar,
    Period,
    calendar_for,
    known_years,
    packaged_office_hours,
    parse_office_hours,
    zone_label,
    zone_of_region,
)

SPLIT_DAY = ["08:00-12:00", "13:00-16:00"]
WORKWEEK = parse_office_hours(dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), SPLIT_DAY))
OFFICE = calendar_for(WIB, office_hours=WORKWEEK)
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 11, 30), timezones=st.just(UTC))


def wib(day: int, hour: int, minute: int = 0, *, month: int = 11, year: int = 2026) -> datetime:
    """An instant in Jakarta; 23 November 2026 is a Monday."""
    return datetime(year, month, day, hour, minute, tzinfo=ZoneInfo(WIB))


class TestOpening:
    """Whether somebody is there."""

    @pytest.mark.parametrize(
        ("at", "is_open"),
        [
            (wib(23, 7, 59), False),
            (wib(23, 8), True),
            (wib(23, 11, 59), True),
            (wib(23, 12), False),
            (wib(23, 13), True),
            (wib(23, 16), False),
            (wib(22, 10), False),
            (wib(25, 10, month=12), False),
            (wib(24, 10, month=12), False),
        ],
    )
    def test_is_open(self, at: datetime, is_open: bool) -> None:
        """Open from opening to just before closing; not at midday, on Sundays or at Christmas."""
        assert OFFICE.is_open(at) is is_open

    @pytest.mark.parametrize(
        ("at", "opening"),
        [
            (wib(23, 9, 30), wib(23, 9, 30)),
            (wib(23, 5), wib(23, 8)),
            (wib(23, 12, 10), wib(23, 13)),
            (wib(23, 16), wib(24, 8)),
            (wib(27, 17), wib(30, 8)),
            (wib(23, 16, month=12), wib(28, 8, month=12)),
        ],
    )
    def test_next_opening(self, at: datetime, opening: datetime) -> None:
        """Now if open, else after midday, tomorrow, Monday, or after Christmas and its collective leave."""
        assert OFFICE.next_opening(at) == opening

    def test_answers_in_the_zone_of_the_office(self) -> None:
        """One instant is open in Jayapura and too early in Jakarta, and the answer reads as a local clock."""
        at = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
        papua = calendar_for(WIT, office_hours=WORKWEEK)
        assert papua.is_open(at) and not OFFICE.is_open(at)
        assert (papua.next_opening(at).hour, OFFICE.next_opening(at).hour) == (9, 8)

    @given(INSTANTS)
    def test_next_opening_is_open_and_not_past(self, at: datetime) -> None:
        """Whenever it is asked, the answer is an open instant, and the same one when asked again."""
        opening = OFFICE.next_opening(at)
        assert opening >= at
        assert OFFICE.is_open(opening)
        assert OFFICE.next_opening(opening) == opening


class TestWorkingDays:
    """The last day of a promise."""

    @pytest.mark.parametrize(
        ("start", "days", "last"),
        [
            (wib(23, 9), 0, date(2026, 11, 23)),
            (wib(23, 5), 0, date(2026, 11, 23)),
            (wib(23, 16), 0, date(2026, 11, 24)),
            (wib(21, 9), 0, date(2026, 11, 23)),
            (wib(23, 9), 1, date(2026, 11, 24)),
            (wib(27, 20), 1, date(2026, 11, 30)),
            (wib(22, 9), 5, date(2026, 11, 27)),
            (wib(23, 9), 5, date(2026, 11, 30)),
            (wib(23, 9), 14, date(2026, 12, 11)),
            (wib(21, 9, month=12), 5, date(2026, 12, 30)),
            (wib(17, 9, month=3), 1, date(2026, 3, 25)),
        ],
    )
    def test_add_working_days(self, start: datetime, days: int, last: date) -> None:
        """The day it arrives does not count; weekends, holidays and collective leave do not either."""
        assert OFFICE.add_working_days(start, days) == last

    @pytest.mark.parametrize(
        ("day", "working_day"),
        [
            (date(2026, 12, 15), date(2026, 12, 15)),
            (date(2026, 11, 15), date(2026, 11, 16)),
            (date(2026, 12, 24), date(2026, 12, 28)),
        ],
    )
    def test_a_due_day_moves_to_the_next_working_day(self, day: date, working_day: date) -> None:
        """The 15th stays, unless it falls on a weekend, a holiday or collective leave."""
        assert OFFICE.on_or_after(day) == working_day

    def test_counts_from_the_local_day(self) -> None:
        """At 23.30 UTC on Sunday it is Monday morning in Indonesia, so one working day later is Tuesday."""
        assert OFFICE.add_working_days(datetime(2026, 11, 22, 23, 30, tzinfo=UTC), 1) == date(2026, 11, 24)

    def test_fewer_than_none_is_refused(self) -> None:
        """A promise never lies in the past."""
        with pytest.raises(ValueError, match="-1 working days"):
            OFFICE.add_working_days(wib(23, 9), -1)

    @given(INSTANTS, st.integers(min_value=1, max_value=60))
    def test_agrees_with_counting_by_hand(self, start: datetime, days: int) -> None:
        """Exactly that many working days lie after the day of arrival, up to the promised one."""
        last = OFFICE.add_working_days(start, days)
        first = start.astimezone(ZoneInfo(WIB)).date()
        between = [first + timedelta(days=n) for n in range(1, (last - first).days + 1)]
        worked = [day for day in between if day.weekday() < 5 and day not in OFFICE.holidays]
        assert len(worked) == days
        assert worked[-1] == last


class TestWorkingMinutes:
    """The instant of a promise."""

    @pytest.mark.parametrize(
        ("start", "minutes", "end"),
        [
            (wib(23, 9), 0, wib(23, 9)),
            (wib(23, 17), 0, wib(24, 8)),
            (wib(23, 9), 30, wib(23, 9, 30)),
            (wib(23, 11), 60, wib(23, 12)),
            (wib(23, 11), 61, wib(23, 13, 1)),
            (wib(23, 12, 30), 15, wib(23, 13, 15)),
            (wib(23, 15), 120, wib(24, 9)),
            (wib(27, 15, 30), 60, wib(30, 8, 30)),
            (wib(23, 8), 7 * 60, wib(23, 16)),
            (wib(23, 8), 35 * 60, wib(27, 16)),
            (wib(23, 15, month=12), 120, wib(28, 9, month=12)),
        ],
    )
    def test_add_working_minutes(self, start: datetime, minutes: int, end: datetime) -> None:
        """Only open time counts: not midday, nights, weekends or holidays."""
        assert OFFICE.add_working_minutes(start, minutes) == end

    def test_fewer_than_none_is_refused(self) -> None:
        """A promise never lies in the past."""
        with pytest.raises(ValueError, match="-5 working minutes"):
            OFFICE.add_working_minutes(wib(23, 9), -5)

    @given(INSTANTS, st.integers(min_value=1, max_value=3000), st.integers(min_value=1, max_value=3000))
    def test_two_waits_make_one(self, start: datetime, first: int, second: int) -> None:
        """Waiting twice ends where waiting for the sum ends."""
        in_two = OFFICE.add_working_minutes(OFFICE.add_working_minutes(start, first), second)
        assert in_two == OFFICE.add_working_minutes(start, first + second)


class TestMakingCalendars:
    """What a calendar accepts."""

    def test_an_instant_needs_a_zone(self) -> None:
        """A naive time would silently be read as the machine's."""
        with pytest.raises(ValueError, match="needs its zone"):
            OFFICE.is_open(datetime(2026, 11, 23, 9))

    @pytest.mark.parametrize(
        "periods",
        [
            (Period(time(8), time(12)), Period(time(11), time(16))),
            (Period(time(13), time(16)), Period(time(8), time(12))),
            (Period(time(8), time(8)),),
            (Period(time(16), time(8)),),
        ],
        ids=["overlapping", "out of order", "empty", "backwards"],
    )
    def test_periods_that_do_not_follow_each_other_are_refused(self, periods: tuple[Period, ...]) -> None:
        """Minutes counted twice or backwards would promise a wrong time."""
        with pytest.raises(ValueError, match="follow each other"):
            Calendar(office_hours=(periods, *[()] * 6))

    def test_an_office_that_never_opens_is_refused(self) -> None:
        """No promise could be counted on it."""
        with pytest.raises(ValueError, match="one of them open"):
            Calendar(office_hours=((),) * 7)

    def test_a_foreign_zone_is_refused(self) -> None:
        """Summer time would break the counting."""
        with pytest.raises(ValueError, match="Europe/Berlin"):
            calendar_for("Europe/Berlin")

    def test_a_year_without_data_is_refused(self) -> None:
        """Its promises would ignore holidays unseen."""
        with pytest.raises(ValueError, match="2040"):
            calendar_for(WIB, [2026, 2040])

    def test_only_the_years_asked_for(self) -> None:
        """A calendar of one year holds the holidays of that year alone."""
        assert {day.year for day in calendar_for(WIB, [2027]).holidays} == {2027}

    def test_holidays_everywhere_end_in_an_error(self) -> None:
        """A calendar gone wrong is reported, not searched for ever."""
        days = frozenset(date(2026, 1, 1) + timedelta(days=n) for n in range(5000))
        with pytest.raises(ValueError, match="no working time"):
            Calendar(office_hours=WORKWEEK, holidays=days).next_opening(wib(23, 9))

    @pytest.mark.parametrize(
        "hours",
        [{"senin": SPLIT_DAY}, {"monday": ["8-12"]}, {"monday": ["08:00-25:00"]}, {"monday": ["8:00-9:00"]}],
    )
    def test_malformed_hours_are_refused(self, hours: dict[str, list[str]]) -> None:
        """An operator's typing error shows at once."""
        with pytest.raises(ValueError, match=r"weekday|written|hour must be"):
            parse_office_hours(hours)


class TestPackagedData:
    """The committed holidays, collective leave and hours."""

    @pytest.mark.parametrize("year", [2026, 2027, 2028])
    def test_every_known_year_has_the_fixed_holidays(self, year: int) -> None:
        """New Year, Labour Day, Pancasila Day, Independence Day and Christmas stand in each year."""
        assert year in known_years()
        for month, day in [(1, 1), (5, 1), (6, 1), (8, 17), (12, 25)]:
            assert date(year, month, day) in OFFICE.holidays

    def test_collective_leave_is_on_weekdays_beside_the_public_holidays(self) -> None:
        """All eight days of each decree are in, and none of them is a weekend day by mistake."""
        leave_2026 = [(2, 16), (3, 18), (3, 20), (3, 23), (3, 24), (5, 15), (5, 28), (12, 24)]
        leave_2027 = [(2, 5), (3, 9), (3, 12), (3, 15), (3, 25), (5, 18), (5, 19), (12, 24)]
        days = [date(2026, *day) for day in leave_2026] + [date(2027, *day) for day in leave_2027]
        assert set(days) <= OFFICE.holidays
        assert all(day.weekday() < 5 for day in days)

    def test_the_packaged_table_is_what_the_tool_writes(self) -> None:
        """The committed public holidays of the decided year agree with the package they were made from."""
        made = set(holidays.country_holidays("ID", years=[2026], categories=("public",)))
        assert made <= OFFICE.holidays

    def test_packaged_hours_leave_the_weekend_free(self) -> None:
        """Five days with a midday break, two without work."""
        hours = packaged_office_hours()
        assert [len(periods) for periods in hours] == [2, 2, 2, 2, 2, 0, 0]


class TestZones:
    """Which clock a region goes by."""

    @pytest.mark.parametrize(
        ("region", "zone"),
        [
            ("3273", WIB),
            ("11", WIB),
            ("61.71", WIB),
            ("62", WIB),
            ("5171", WITA),
            ("63", WITA),
            ("64", WITA),
            ("65", WITA),
            ("73.71", WITA),
            ("76", WITA),
            ("8171", WIT),
            ("82", WIT),
            ("9171", WIT),
            ("96", WIT),
            ("", WIB),
            ("99", WIB),
            (None, WIB),
        ],
    )
    def test_zone_of_region(self, region: str | None, zone: str) -> None:
        """The province decides; what is not known is WIB."""
        assert zone_of_region(region) == zone

    def test_labels(self) -> None:
        """Zones are named as people say them."""
        assert [zone_label(zone) for zone in (WIB, WITA, WIT)] == ["WIB", "WITA", "WIT"]
