"""How values are written for a reader: money, dates, times, codes and masked numbers, in Indonesian.

Pure functions; the forms are those of the copy guide. Dates and clock times are written as given: turn an
instant into the reader's zone first.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import Final

from flows.rules.zones import zone_info, zone_label

WORDS_ABOVE: Final = 100_000
"""Rupiah above which a sum is also written in words: more than a day's income."""

DAY_NAMES: Final = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
MONTH_NAMES: Final = (
    "Januari",
    "Februari",
    "Maret",
    "April",
    "Mei",
    "Juni",
    "Juli",
    "Agustus",
    "September",
    "Oktober",
    "November",
    "Desember",
)
_DIGIT_NAMES: Final = (
    "nol",
    "satu",
    "dua",
    "tiga",
    "empat",
    "lima",
    "enam",
    "tujuh",
    "delapan",
    "sembilan",
    "sepuluh",
    "sebelas",
)
_SCALES: Final = ((10**12, "triliun"), (10**9, "miliar"), (10**6, "juta"))
_LARGEST_IN_WORDS: Final = 10**15 - 1
_BULLET: Final = "•"


def rupiah(amount: int) -> str:
    """`16800` as `Rp16.800`; a negative amount as `-Rp16.800`."""
    return f"{'-' if amount < 0 else ''}Rp{grouped(abs(amount))}"


def rupiah_in_words(amount: int) -> str:
    """`1008000` as `satu juta delapan ribu rupiah`. Raises ValueError at 10^15 and above."""
    return f"{number_in_words(amount)} rupiah"


def rupiah_long(amount: int) -> str:
    """`Rp16.800`; above a day's income with the words: `Rp1.008.000 (satu juta delapan ribu rupiah)`."""
    figures = rupiah(amount)
    return f"{figures} ({rupiah_in_words(amount)})" if abs(amount) > WORDS_ABOVE else figures


def grouped(number: int) -> str:
    """A whole number with a dot between thousands: `1.008.000`."""
    return f"{number:,}".replace(",", ".")


def number_in_words(number: int) -> str:
    """A whole number in words: `seribu seratus sebelas`. Raises ValueError from 10^15 on, either sign."""
    if abs(number) > _LARGEST_IN_WORDS:
        raise ValueError(f"too large for words: {number}")
    if number < 0:
        return f"minus {_words(-number)}"
    return _words(number)


def long_date(day: date) -> str:
    """`15 Desember 2026`."""
    return f"{_plain_date(day).day} {month_year(day)}"


def day_and_date(day: date) -> str:
    """`Selasa, 15 Desember 2026`."""
    return f"{DAY_NAMES[day.weekday()]}, {long_date(day)}"


def month_year(day: date) -> str:
    """`Desember 2026`."""
    return f"{MONTH_NAMES[_plain_date(day).month - 1]} {day.year}"


def clock_time(at: time | datetime, zone: str | None = None) -> str:
    """`14.30` as given; with a zone, an aware instant moved into it and labelled: `14.30 WITA`.

    Raises ValueError when a zone is asked for and `at` is not an aware datetime.
    """
    if zone is None:
        return f"{at:%H.%M}"
    if not isinstance(at, datetime) or at.tzinfo is None:
        raise ValueError("only an aware datetime can be moved into a zone")
    return f"{at.astimezone(zone_info(zone)):%H.%M} {zone_label(zone)}"


def mask_nik(nik: str) -> str:
    """First and last four digits: `3275••••••••9001`. Anything that is not 16 digits is hidden whole."""
    digits = _digits(nik)
    return _masked(digits, head=4, tail=4) if len(digits) == 16 else _BULLET * len(digits)


def mask_phone(phone: str) -> str:
    """First four and last three digits of the national form: `+6281234567890` as `0812•••••890`."""
    digits = _digits(phone)
    national = f"0{digits[2:]}" if digits.startswith("62") else digits
    return _masked(national, head=4, tail=3)


def mask_kpj(kpj: str) -> str:
    """The last four digits of a membership number: `•••••••9001`."""
    return _masked(_digits(kpj), head=0, tail=4)


def mask_account(account: str) -> str:
    """The last four digits of a bank account number: `••••••9001`."""
    return _masked(_digits(account), head=0, tail=4)


def code_groups(code: str) -> str:
    """A code in groups to read aloud: `rk7k3q9xtm` as `RK-7K3Q-9XTM`, `7K3Q9XTM` as `7K3Q-9XTM`.

    Groups have four characters, counted from the end; what is left over, such as the prefix, stands in front.
    """
    characters = re.sub(r"[^0-9A-Z]", "", code.upper())
    first = len(characters) % 4
    groups = [characters[start : start + 4] for start in range(first, len(characters), 4)]
    return "-".join(([characters[:first]] if first else []) + groups)


def _plain_date(day: date) -> date:
    """Refuses a datetime: its day depends on a zone, and UTC has the wrong one until 07.00 in Jakarta."""
    if isinstance(day, datetime):
        raise TypeError("give the date in the reader's zone, not a datetime")
    return day


def _words(number: int) -> str:
    for scale, name in _SCALES:
        if number >= scale:
            return _joined(f"{_words(number // scale)} {name}", number % scale)
    if number >= 2000:
        return _joined(f"{_words(number // 1000)} ribu", number % 1000)
    if number >= 1000:
        return _joined("seribu", number - 1000)
    if number >= 200:
        return _joined(f"{_words(number // 100)} ratus", number % 100)
    if number >= 100:
        return _joined("seratus", number - 100)
    if number >= 20:
        return _joined(f"{_words(number // 10)} puluh", number % 10)
    if number >= 12:
        return f"{_DIGIT_NAMES[number - 10]} belas"
    return _DIGIT_NAMES[number]


def _joined(words: str, rest: int) -> str:
    return f"{words} {_words(rest)}" if rest else words


def _digits(number: str) -> str:
    return re.sub(r"[^0-9]", "", number)


def _masked(digits: str, *, head: int, tail: int) -> str:
    """Shows `head` and `tail` digits, and hides everything when fewer than four digits would stay hidden."""
    hidden = len(digits) - head - tail
    if hidden < 4:
        return _BULLET * len(digits)
    return f"{digits[:head]}{_BULLET * hidden}{digits[-tail:]}"
