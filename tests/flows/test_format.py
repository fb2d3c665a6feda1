"""How money, dates, codes and masked numbers are written."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.format import (
    clock_time,
    code_groups,
    day_and_date,
    long_date,
    mask_account,
    mask_kpj,
    mask_nik,
    mask_phone,
    month_year,
    number_in_words,
    rupiah,
    rupiah_in_words,
    rupiah_long,
)
from flows.rules.zones import WIB, WIT, WITA

WORD_VALUES = {
    word: value
    for value, word in enumerate(
        "nol satu dua tiga empat lima enam tujuh delapan sembilan sepuluh sebelas".split()  # noqa: SIM905
    )
}
SCALES = {"ribu": 10**3, "juta": 10**6, "miliar": 10**9, "triliun": 10**12}


def read_words(words: str) -> int:
    """The number that Indonesian words name, read from left to right."""
    total = group = unit = 0
    for word in words.replace("seratus", "satu ratus").replace("seribu", "satu ribu").split():
        if word in SCALES:
            total, group, unit = total + (group + unit) * SCALES[word], 0, 0
        elif word == "ratus":
            group, unit = group + unit * 100, 0
        elif word == "puluh":
            group, unit = group + unit * 10, 0
        elif word == "belas":
            group, unit = group + unit + 10, 0
        else:
            unit = WORD_VALUES[word]
    return total + group + unit


class TestMoney:
    """Rupiah in figures and words."""

    @pytest.mark.parametrize(
        ("amount", "text"),
        [
            (0, "Rp0"),
            (500, "Rp500"),
            (16_800, "Rp16.800"),
            (1_008_000, "Rp1.008.000"),
            (-16_800, "-Rp16.800"),
        ],
    )
    def test_figures(self, amount: int, text: str) -> None:
        """A dot between thousands, no space, no decimals."""
        assert rupiah(amount) == text

    @pytest.mark.parametrize(
        ("amount", "words"),
        [
            (0, "nol"),
            (10, "sepuluh"),
            (11, "sebelas"),
            (12, "dua belas"),
            (19, "sembilan belas"),
            (20, "dua puluh"),
            (21, "dua puluh satu"),
            (100, "seratus"),
            (111, "seratus sebelas"),
            (200, "dua ratus"),
            (1_000, "seribu"),
            (1_100, "seribu seratus"),
            (2_000, "dua ribu"),
            (11_000, "sebelas ribu"),
            (16_800, "enam belas ribu delapan ratus"),
            (100_000, "seratus ribu"),
            (101_000, "seratus satu ribu"),
            (1_000_000, "satu juta"),
            (1_001_000, "satu juta seribu"),
            (1_008_000, "satu juta delapan ribu"),
            (174_000_000, "seratus tujuh puluh empat juta"),
            (1_000_000_000, "satu miliar"),
            (2_000_000_000_001, "dua triliun satu"),
            (-5_000, "minus lima ribu"),
        ],
    )
    def test_words(self, amount: int, words: str) -> None:
        """Words as people write them: sepuluh, sebelas, seratus and seribu, but satu juta."""
        assert rupiah_in_words(amount) == f"{words} rupiah"

    @given(st.integers(min_value=0, max_value=10**15 - 1))
    def test_words_read_back(self, amount: int) -> None:
        """The words name the very sum, whatever it is."""
        assert read_words(number_in_words(amount)) == amount

    @given(st.integers(min_value=-(10**15), max_value=10**15))
    def test_figures_read_back(self, amount: int) -> None:
        """Nothing but dots is added between the digits."""
        assert int(rupiah(amount).replace("Rp", "").replace(".", "")) == amount

    def test_words_stop_at_a_thousand_trillion(self) -> None:
        """A sum nobody means is refused rather than misread."""
        with pytest.raises(ValueError, match="too large"):
            number_in_words(10**15)

    def test_long_adds_words_above_a_days_income(self) -> None:
        """Up to Rp100.000 the figures do; above it the words stand in brackets."""
        assert rupiah_long(16_800) == "Rp16.800"
        assert rupiah_long(100_000) == "Rp100.000"
        assert rupiah_long(100_001) == "Rp100.001 (seratus ribu satu rupiah)"
        assert rupiah_long(1_008_000) == "Rp1.008.000 (satu juta delapan ribu rupiah)"


class TestDates:
    """Days, months and clocks."""

    def test_dates(self) -> None:
        """Months and days by their Indonesian names, no leading zero."""
        assert long_date(date(2026, 12, 15)) == "15 Desember 2026"
        assert long_date(date(2026, 8, 1)) == "1 Agustus 2026"
        assert day_and_date(date(2026, 12, 15)) == "Selasa, 15 Desember 2026"
        assert day_and_date(date(2026, 11, 22)) == "Minggu, 22 November 2026"
        assert month_year(date(2027, 3, 31)) == "Maret 2027"

    @pytest.mark.parametrize("write", [long_date, day_and_date, month_year])
    def test_a_datetime_is_refused(self, write: Callable[[date], str]) -> None:
        """The day of an instant depends on the zone; writing the one of UTC would be a day off at night."""
        with pytest.raises(TypeError, match="zone"):
            write(datetime(2026, 11, 22, 20, tzinfo=UTC))

    def test_clock_time(self) -> None:
        """A dot between hours and minutes, as Indonesians write it."""
        assert clock_time(time(8, 5)) == "08.05"
        assert clock_time(datetime(2026, 11, 22, 14, 30, tzinfo=UTC)) == "14.30"

    def test_clock_time_in_a_zone(self) -> None:
        """An instant reads differently in the three zones."""
        at = datetime(2026, 11, 22, 20, 30, tzinfo=UTC)
        assert [clock_time(at, zone) for zone in (WIB, WITA, WIT)] == ["03.30 WIB", "04.30 WITA", "05.30 WIT"]

    @pytest.mark.parametrize("at", [time(8), datetime(2026, 11, 22, 8)])
    def test_a_zone_needs_an_instant(self, at: time | datetime) -> None:
        """A bare clock time cannot be moved between zones."""
        with pytest.raises(ValueError, match="aware"):
            clock_time(at, WIB)


class TestMasks:
    """Numbers that must not be read over a shoulder."""

    @pytest.mark.parametrize(
        ("masked", "text"),
        [
            (mask_nik("3275014508909001"), "3275••••••••9001"),
            (mask_nik("3275 0145 0890 9001"), "3275••••••••9001"),
            (mask_nik("327501450890900"), "•" * 15),
            (mask_nik(""), ""),
            (mask_phone("+6281234567890"), "0812•••••890"),
            (mask_phone("0812-3456-7890"), "0812•••••890"),
            (mask_phone("175"), "•••"),
            (mask_kpj("12345679001"), "•••••••9001"),
            (mask_account("0123 4567 89"), "••••••6789"),
            (mask_account("6789"), "••••"),
        ],
    )
    def test_masks(self, masked: str, text: str) -> None:
        """Enough is shown to recognise one's own, too little to use; what is too short is hidden whole."""
        assert masked == text

    @given(st.text(alphabet="0123456789", max_size=25))
    def test_at_least_four_digits_stay_hidden(self, digits: str) -> None:
        """No mask ever shows a number, or all but three digits of it."""
        for mask in (mask_nik, mask_phone, mask_kpj, mask_account):
            masked = mask(digits)
            assert masked.count("•") >= min(4, len(masked))
            assert not re.search(r"\d{5}", masked)


class TestCodes:
    """Codes to read aloud."""

    @pytest.mark.parametrize(
        ("code", "text"),
        [
            ("RK7K3Q9XTM", "RK-7K3Q-9XTM"),
            ("rk-7k3q 9xtm", "RK-7K3Q-9XTM"),
            ("7K3Q9XTM", "7K3Q-9XTM"),
            ("RK", "RK"),
            ("", ""),
        ],
    )
    def test_code_groups(self, code: str, text: str) -> None:
        """The prefix, then fours, in capitals."""
        assert code_groups(code) == text

    @given(st.text(alphabet="ABCDEFGHJKLMNPQRSTUVWXYZ23456789- ", max_size=20))
    def test_grouping_twice_changes_nothing(self, code: str) -> None:
        """A code that is already in groups stays as it is, and loses no character."""
        grouped = code_groups(code)
        assert code_groups(grouped) == grouped
        assert grouped.replace("-", "") == re.sub(r"[- ]", "", code)
