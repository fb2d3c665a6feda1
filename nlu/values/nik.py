"""The NIK, number of the identity card: sixteen digits with a place, a birth date and a serial in them.

Structure after the civil registry: two digits province, two regency or city, two district of first registration,
then the birth date
as DDMMYY (40 is added to the day of women), then a serial from 0001. There is no check digit.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from nlu.values.digit_runs import DigitRun, digit_runs
from nlu.values.folding import after_retraction, fold
from nlu.values.reading import Reading, Refusal
from nlu.values.region_table import REGIONS

NIK_DIGITS = 16
_WOMENS_DAYS = 40


@dataclass(frozen=True, slots=True)
class NikFacts:
    """What a NIK says by itself. `age_years` is the age on the day given; a card never changes, so a date may
    differ from the truth.
    """

    birth_date: date
    sex: Literal["female", "male"]
    province_code: str
    age_years: int


def _age(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _birth_date(nik: str, today: date) -> date | None:
    """The birth date within a NIK, or None if there is no such day. A year that would lie ahead is of the last
    century.
    """
    day, month, year = int(nik[6:8]), int(nik[8:10]), int(nik[10:12])
    if day > _WOMENS_DAYS:
        day -= _WOMENS_DAYS
    for century in (today.year // 100 * 100, today.year // 100 * 100 - 100):
        try:
            born = date(century + year, month, day)
        except ValueError:
            continue
        if born <= today:
            return born
    return None


def nik_facts(nik: str, *, today: date) -> NikFacts:
    """Birth date, sex, province and age within a well-formed NIK.

    The century is the later one that does not lie ahead of `today`: it is the reading under 65 whenever there is one.
    Raises ValueError for a text that `read_nik` would not give.
    """
    born = _birth_date(nik, today) if len(nik) == NIK_DIGITS and nik.isascii() and nik.isdigit() else None
    if born is None:
        raise ValueError("not a well-formed NIK")
    sex: Literal["female", "male"] = "female" if int(nik[6:8]) > _WOMENS_DAYS else "male"
    return NikFacts(born, sex, nik[:2], _age(born, today))


def check_nik(digits: str, *, today: date) -> Reading | Refusal:
    """Whether sixteen digits can be a NIK. An unknown region prefix is a doubt only: old cards keep codes
    since replaced.
    """
    if len(digits) != NIK_DIGITS:
        return Refusal("too_short" if len(digits) < NIK_DIGITS else "too_long", {"digits": str(len(digits))})
    if digits.startswith("00"):
        return Refusal("bad_region", {"digits": "16"})
    if _birth_date(digits, today) is None:
        return Refusal("bad_date", {"digits": "16"})
    if digits.endswith("0000"):
        return Refusal("bad_serial", {"digits": "16"})
    known = f"{digits[:2]}.{digits[2:4]}" in REGIONS
    return Reading(digits, () if known else ("region_prefix_unknown",))


def pick_run(runs: list[DigitRun], wanted: int) -> DigitRun | Refusal | None:
    """The run to judge: the one with `wanted` digits, else the longest. None for no runs, a refusal for two
    different ones.
    """
    right = [run for run in runs if len(run.digits) == wanted and not run.spoiled]
    if len({run.digits for run in right}) > 1:
        return Refusal("two_answers")
    return right[0] if right else max(runs, key=lambda run: len(run.digits), default=None)


def read_nik(text: str, *, today: date) -> Reading | Refusal:
    """A NIK anywhere in `text`; O is read as 0, l and I as 1, other letters are not corrected."""
    folded = fold(text)
    if not folded.strip():
        return Refusal("empty", attempt=False)
    tail = after_retraction(folded)
    if tail is not None and any(len(run.digits) == NIK_DIGITS for run in digit_runs(tail)):
        folded = tail
    run = pick_run(digit_runs(folded, least=4), NIK_DIGITS)
    if isinstance(run, Refusal):
        return run
    if run is None:
        return Refusal("not_a_number", attempt=any(c.isdigit() for c in folded))
    if run.spoiled:
        return Refusal("bad_characters", {"digits": str(sum(c.isdigit() for c in run.digits))})
    return check_nik(run.digits, today=today)
