"""What a month of cover costs: the bracket table, and the discounts by the month covered.

Sources and marks: `flows/data/contributions.md`, `flows/data/discounts.yaml`. Money is whole rupiah.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final, Literal, cast, get_args

from flows.rules import packaged_data as data
from flows.rules.packaged_data import DataError

Sector = Literal["transport", "other", "employer"]
"""What decides the discount; `employer` is a BPU who is a *pemberi kerja*."""

PaidBy = Literal["self", "government", "donor"]
"""Whose money: the worker's or someone near, the state budget (APBN/APBD), or a giver (GN Lingkaran, CSR)."""

BASIC_PACKAGE: Final = frozenset({"JKK", "JKM"})
"""The least anyone can take: work accident and death together (sure)."""

FULL_PACKAGE: Final = BASIC_PACKAGE | {"JHT"}
"""The basic package with old-age savings."""


@dataclass(frozen=True, slots=True)
class Bracket:
    """One row of the contribution table; `income_max` is None in the last one."""

    no: int
    income_min: int
    income_max: int | None
    base: int
    jkk: int
    jkm: int
    jht: int


@dataclass(frozen=True, slots=True)
class Discount:
    """A dated rule that takes `share` percent off `programmes` in the months `first_month` to `last_month`.

    Months are their first day, both ends included. A rule whose mark is `unsure` is never applied.
    """

    key: str
    sector: Sector
    share: int
    programmes: frozenset[str]
    first_month: date
    last_month: date
    source: str
    mark: str
    not_when_paid_by: frozenset[str] = frozenset()
    unsure_when_paid_by: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Amount:
    """What one month costs, by programme (0 for one not taken), after the discount.

    `discount` is the rule that was applied. `discount_unsure`: a rule may apply to this month, which is not
    settled; the normal tariff is shown, and the discount may not be told as a fact.
    `normal_total` is the sum before any discount.
    """

    month: date
    jkk: int
    jkm: int
    jht: int
    total: int
    normal_total: int
    discount: Discount | None = None
    discount_unsure: bool = False


def bracket_for(income: int) -> Bracket:
    """The bracket of a declared monthly income: the row with the greatest `income_min` not above it.

    Below the lowest it is bracket 1. Between two printed rows it is the lower one (our decision).
    """
    brackets = load_brackets()
    position = bisect_right(brackets, income, key=lambda bracket: bracket.income_min)
    return brackets[max(position - 1, 0)]


def packages_for(sector: Sector) -> tuple[frozenset[str], ...]:
    """The packages open to a sector, smallest first. JHT is compulsory for an employer (one source)."""
    return (FULL_PACKAGE,) if sector == "employer" else (BASIC_PACKAGE, FULL_PACKAGE)


def monthly(
    bracket: Bracket, *, programmes: frozenset[str], sector: Sector, month: date, paid_by: PaidBy = "self"
) -> Amount:
    """What `month` costs in `bracket`; any day of the month may be given.

    Raises ValueError when `programmes` is not one of `packages_for(sector)`.
    """
    if programmes not in packages_for(sector):
        raise ValueError(f"{sector} cannot take {sorted(programmes)}")
    rule = _rule_for(sector, month)
    applied = rule if rule is not None and _applies(rule, paid_by) else None
    normal = {
        programme: amount
        for programme, amount in (("JKK", bracket.jkk), ("JKM", bracket.jkm), ("JHT", bracket.jht))
        if programme in programmes
    }
    due = {programme: amount - _reduction(amount, programme, applied) for programme, amount in normal.items()}
    return Amount(
        month=month.replace(day=1),
        jkk=due["JKK"],
        jkm=due["JKM"],
        jht=due.get("JHT", 0),
        total=sum(due.values()),
        normal_total=sum(normal.values()),
        discount=applied,
        discount_unsure=rule is not None and _is_unsure(rule, paid_by),
    )


def total_for_months(
    bracket: Bracket,
    *,
    programmes: frozenset[str],
    sector: Sector,
    first_month: date,
    months: int,
    paid_by: PaidBy = "self",
) -> tuple[int, tuple[Amount, ...]]:
    """The sum of `months` months in a row, and each month's amount: a discount may end on the way.

    Raises ValueError for fewer than one month, and as `monthly` does.
    """
    if months < 1:
        raise ValueError(f"cannot pay for {months} months")
    amounts = tuple(
        monthly(
            bracket,
            programmes=programmes,
            sector=sector,
            month=month_after(first_month, offset),
            paid_by=paid_by,
        )
        for offset in range(months)
    )
    return sum(amount.total for amount in amounts), amounts


def month_after(month: date, months: int) -> date:
    """The first day of the month that is `months` after the month of `month`."""
    year, index = divmod(month.year * 12 + month.month - 1 + months, 12)
    return date(year, index + 1, 1)


@cache
def load_brackets() -> tuple[Bracket, ...]:
    """All brackets, lowest first. Raises `DataError` when the table is not in order."""
    brackets = tuple(
        Bracket(
            no=int(row["no"]),
            income_min=int(row["income_min"]),
            income_max=int(row["income_max"]) if row["income_max"] else None,
            base=int(row["base"]),
            jkk=int(row["jkk"]),
            jkm=int(row["jkm"]),
            jht=int(row["jht"]),
        )
        for row in data.csv_rows("contributions.csv")
    )
    minimums = [bracket.income_min for bracket in brackets]
    if not brackets or minimums != sorted(set(minimums)):
        raise DataError("contributions.csv", ["income_min must rise from row to row"])
    return brackets


@cache
def load_discounts() -> tuple[Discount, ...]:
    """All discount rules. Raises `DataError` when one is malformed or two of a sector share a month."""
    rows = data.as_mappings(data.yaml_mapping("discounts.yaml").get("discounts"), "discounts.yaml")
    rules = tuple(_discount(row, f"discounts.yaml[{position}]") for position, row in enumerate(rows))
    refuse_overlaps(rules)
    return rules


def refuse_overlaps(rules: tuple[Discount, ...]) -> None:
    """Raises `DataError` when two rules claim the same month of a sector: which one holds would be chance."""
    problems = [
        f"{one.key} and {other.key} overlap"
        for position, one in enumerate(rules)
        for other in rules[position + 1 :]
        if one.sector == other.sector and one.first_month <= other.last_month and other.first_month <= one.last_month
    ]
    if problems:
        raise DataError("discounts.yaml", problems)


def _discount(row: data.Row, where: str) -> Discount:
    sector = data.text_of(row, "sector", where)
    share = data.whole_number_of(row, "share_percent", where)
    programmes = data.texts_of(row, "programmes", where)
    first_month, last_month = (
        data.month_of(row, "first_month", where),
        data.month_of(row, "last_month", where),
    )
    problems = [
        *([] if sector in get_args(Sector) else [f"unknown sector {sector!r}"]),
        *([] if 0 < share <= 100 else [f"share_percent {share} is not 1 to 100"]),
        *([] if programmes and programmes <= FULL_PACKAGE else [f"bad programmes {sorted(programmes)}"]),
        *([] if first_month <= last_month else ["last_month is before first_month"]),
    ]
    data.day_of(row, "as_of", where)
    if problems:
        raise DataError(where, problems)
    return Discount(
        key=data.text_of(row, "key", where),
        sector=cast(Sector, sector),
        share=share,
        programmes=programmes,
        first_month=first_month,
        last_month=last_month,
        source=data.text_of(row, "source", where),
        mark=data.mark_of(row, where),
        not_when_paid_by=_payers(row, "not_when_paid_by", where),
        unsure_when_paid_by=_payers(row, "unsure_when_paid_by", where),
    )


def _payers(row: data.Row, key: str, where: str) -> frozenset[str]:
    payers = data.texts_of(row, key, where)
    if not payers <= set(get_args(PaidBy)):
        raise DataError(where, [f"{key} names unknown payers {sorted(payers)}"])
    return payers


def _rule_for(sector: Sector, month: date) -> Discount | None:
    first_day = month.replace(day=1)
    return next(
        (
            rule
            for rule in load_discounts()
            if rule.sector == sector and rule.first_month <= first_day <= rule.last_month
        ),
        None,
    )


def _applies(rule: Discount, paid_by: PaidBy) -> bool:
    return paid_by not in rule.not_when_paid_by and not _is_unsure(rule, paid_by)


def _is_unsure(rule: Discount, paid_by: PaidBy) -> bool:
    if paid_by in rule.not_when_paid_by:
        return False
    return rule.mark == "unsure" or paid_by in rule.unsure_when_paid_by


def _reduction(amount: int, programme: str, rule: Discount | None) -> int:
    """Whole rupiah off `amount`, rounded down; today's shares divide every amount of the table exactly."""
    return amount * rule.share // 100 if rule is not None and programme in rule.programmes else 0
