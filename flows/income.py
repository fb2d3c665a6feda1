"""Asking what a person earns in a month, as people say it: by the day, in slang, about so much.

Shared by the sign-up and the calculator. Slots: `money` (whole rupiah a month) and, on the way to it,
`daily_money` (rupiah a day), `work_days` (days a month) and `meant_money` (what slang probably meant).
"""

from __future__ import annotations

from collections.abc import Mapping

from flows.flow import UNSET, Ask, Checked, Fill, Rejected, View
from flows.format import rupiah, rupiah_long
from flows.model import Value
from nlu.values import Reading

_THOUSAND = 1_000
_MOST_DAYS = 31
_LARGEST_INCOME = 1_000_000_000


def _check_money(view: View, value: Value, reading: Reading | None) -> Checked:
    amount = value if isinstance(value, int) else 0
    doubts = reading.doubts if reading else ()
    if amount > _LARGEST_INCOME:
        return Rejected("reject/money/too_large")
    if "slang_sum" in doubts or amount < _THOUSAND:
        return Fill({"meant_money": amount * _THOUSAND, "money": UNSET})
    if "per_day" in doubts:
        return Fill({"daily_money": amount, "money": UNSET})
    if "per_week" in doubts or "per_year" in doubts:
        return Rejected("reject/money/not_monthly", {"amount": rupiah(amount)})
    return Fill({"money": amount})


def _check_meant(view: View, value: Value, _: Reading | None) -> Checked:
    if value is True:
        return Fill({"money": view.number("meant_money"), "money_meant_so": True})
    return Fill({"meant_money": UNSET, "money_meant_so": UNSET})


def _check_days(view: View, value: Value, _: Reading | None) -> Checked:
    days = value if isinstance(value, int) else 0
    if not 1 <= days <= _MOST_DAYS:
        return Rejected("reject/count/days")
    return Fill({"work_days": days, "money": view.number("daily_money") * days})


def _needs_days(view: View) -> bool:
    return "daily_money" in view.slots and "money" not in view.slots


def _needs_meaning(view: View) -> bool:
    return "meant_money" in view.slots and "money" not in view.slots


def _shown_meant(view: View) -> Mapping[str, str]:
    return {"amount": rupiah_long(view.number("meant_money"))}


def _shown_daily(view: View) -> Mapping[str, str]:
    return {"amount": rupiah(view.number("daily_money"))}


def _shown_income(_: View, value: Value) -> str:
    return f"{rupiah(value)} sebulan" if isinstance(value, int) else ""


def income_steps(*, key: str = "") -> tuple[Ask, ...]:
    """The questions that end in `money`: the income of a month in whole rupiah."""
    return (
        Ask("money_meant_so", "yes_no", when=_needs_meaning, check=_check_meant, args=_shown_meant,
            key="income/ask_meant", counted=False),
        Ask("work_days", "count", when=_needs_days, check=_check_days, args=_shown_daily,
            key="income/ask_work_days", counted=False),
        Ask("money", "money", when=_needs_income, check=_check_money, entity="money", show=_shown_income,
            names=("penghasilan", "pendapatan", "gaji", "income", "hasil"), label="income", key=key,
            clears=("daily_money", "work_days", "meant_money", "money_meant_so", "programme")),
    )  # fmt: skip


def _needs_income(view: View) -> bool:
    return not (_needs_days(view) or _needs_meaning(view))
