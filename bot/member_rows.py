"""One row of a file of members: every value checked, every problem of the row told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final, Literal

from nlu.values import Reading, nik_facts, read
from storage.members import MemberRow

COLUMNS: Final = (
    "name",
    "nik",
    "kpj",
    "phone",
    "birth_date",
    "sex",
    "status",
    "paid_until",
    "jht_balance",
    "sector",
    "programmes",
)
"""`paid_until` is a month (2026-11); `programmes` are separated by spaces; `birth_date` is an ISO date."""

STATES: Final = ("active", "inactive")
PROGRAMMES: Final = ("JKK", "JKM", "JHT")


class BadRow(ValueError):
    """A row that cannot be taken, with all its problems; values themselves are not repeated in them."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def member_row(record: Mapping[str, str | None], *, today: date) -> MemberRow:
    """The member of one row. Empty cells are not known; birth date and sex then follow from the NIK. Raises BadRow."""
    cells = {name: (record.get(name) or "").strip() for name in COLUMNS}
    problems: list[str] = []
    if not cells["name"]:
        problems.append("name: empty")
    nik = _read("nik", cells["nik"], today, problems)
    kpj = _read("kpj", cells["kpj"], today, problems)
    phone = _read("phone", cells["phone"], today, problems) if cells["phone"] else None
    born = _date(cells["birth_date"], problems)
    paid_until = _month(cells["paid_until"], problems)
    balance = _balance(cells["jht_balance"], problems)
    status = cells["status"] or "active"
    if status not in STATES:
        problems.append(f"status: one of {', '.join(STATES)}")
    sex = _sex(cells["sex"], problems)
    programmes = tuple(cells["programmes"].upper().split()) or ("JKK", "JKM")
    if set(programmes) - set(PROGRAMMES):
        problems.append(f"programmes: of {' '.join(PROGRAMMES)}")
    if len(record) > len(COLUMNS) or None in record:
        problems.append("more cells than columns")
    if problems:
        raise BadRow(problems)
    facts = nik_facts(nik, today=today)
    return MemberRow(
        name=cells["name"],
        nik=nik,
        kpj=kpj,
        phone=phone,
        birth_date=born or facts.birth_date,
        sex=sex or facts.sex,
        status=status,
        paid_until=paid_until,
        jht_balance=balance,
        sector=cells["sector"],
        programmes=programmes,
    )


def _read(kind: str, text: str, today: date, problems: list[str]) -> str:
    result = read(kind, text, today=today)
    if isinstance(result, Reading):
        return str(result.value)
    problems.append(f"{kind}: {result.reason}")
    return ""


def _date(text: str, problems: list[str]) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        problems.append("birth_date: not a date as 1990-08-17")
        return None


def _month(text: str, problems: list[str]) -> date | None:
    try:
        return date.fromisoformat(f"{text[:7]}-01") if text else None
    except ValueError:
        problems.append("paid_until: not a month as 2026-11")
        return None


def _balance(text: str, problems: list[str]) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()):
        problems.append("jht_balance: not whole rupiah in digits")
        return 0
    return int(text)


def _sex(text: str, problems: list[str]) -> Literal["", "male", "female"]:
    match text:
        case "" | "male" | "female":
            return text
        case _:
            problems.append("sex: male or female")
            return ""
