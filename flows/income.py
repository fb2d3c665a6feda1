"""Asking what a person earns in a month, as people say it: by the day, in slang, about so much.

Shared by the sign-up and the calculator. Slots: `money` (whole rupiah a month) and, on the way to it,
`daily_money` (rupiah a day), `work_days` (days a month), `meant_money` (what slang probably meant) and
`small_money` (a sum too small for a month, its period not said).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from flows.flow import UNSET, Ask, Checked, Fill, Pick, Rejected, View, said
from flows.format import rupiah
from flows.model import Value
from nlu.values import Reading

_THOUSAND = 1_000
_MOST_DAYS = 31
_MONTHLY = re.compile(r"bulan|\bbln\b|/bl")
_LARGEST_INCOME = 1_000_000_000
_HARDLY_A_MONTH = 300_000
"""Below it, a bare sum is more likely a day's income; the person is asked."""


def _check_money(view: View, value: Value, reading: Reading | None) -> Checked:
    amount = value if isinstance(value, int) else 0
    doubts = reading.doubts if reading else ()
    if amount > _LARGEST_INCOME:
        return Rejected("reject/money/too_large")
    if amount < _THOUSAND:
        daily = {"meant_daily": True} if "per_day" in doubts else {}
        return Fill({"meant_money": amount * _THOUSAND, "money": UNSET, **daily})
    if "per_day" in doubts:
        return Fill({"daily_money": amount, "money": UNSET})
    if "per_week" in doubts or "per_year" in doubts:
        return Rejected("reject/money/not_monthly", {"amount": rupiah(amount)})
    if reading and amount < _HARDLY_A_MONTH and not _says_month(view):
        return Fill({"small_money": amount, "money": UNSET})
    return Fill({"money": amount})


def _says_month(view: View) -> bool:
    understanding = view.turn.understanding
    return understanding is not None and bool(_MONTHLY.search(understanding.text.lower()))


def _check_meant(view: View, value: Value, _: Reading | None) -> Checked:
    if value is not True:
        return Fill({"meant_money": UNSET, "money_meant_so": UNSET, "meant_daily": UNSET})
    meant = view.number("meant_money")
    if view.slots.get("meant_daily"):
        return Fill({"daily_money": meant, "money_meant_so": True})
    small = meant < _HARDLY_A_MONTH
    return Fill({"small_money" if small else "money": meant, "money_meant_so": True})


def _check_period(view: View, value: Value, _: Reading | None) -> Checked:
    amount = view.number("small_money")
    return Fill({"money_period": value, "daily_money" if value == "day" else "money": amount})


def _check_days(view: View, value: Value, _: Reading | None) -> Checked:
    days = value if isinstance(value, int) else 0
    if not 1 <= days <= _MOST_DAYS:
        return Rejected("reject/count/days")
    return Fill({"work_days": days, "money": view.number("daily_money") * days})


def _needs_days(view: View) -> bool:
    return "daily_money" in view.slots and "money" not in view.slots


def _needs_meaning(view: View) -> bool:
    return "meant_money" in view.slots and "money_meant_so" not in view.slots and "money" not in view.slots


def _needs_period(view: View) -> bool:
    return "small_money" in view.slots and "money" not in view.slots and "daily_money" not in view.slots


def _needs_income(view: View) -> bool:
    return not (_needs_days(view) or _needs_meaning(view) or _needs_period(view))


def _shown(slot: str) -> Callable[[View], Mapping[str, str]]:
    return lambda view: {"amount": rupiah(view.number(slot))}


def _show_income(_: View, value: Value) -> str:
    return f"{rupiah(value)} sebulan" if isinstance(value, int) else ""


_ON_THE_WAY = (
    "daily_money", "work_days", "meant_money", "meant_daily", "money_meant_so", "small_money", "money_period",
)  # fmt: skip
_PERIODS = (
    Pick("day", "period_day", said("sehari, harian, per hari, perhari, tiap hari")),
    Pick("month", "period_month", said("sebulan, bulanan, per bulan, perbulan")),
)


def income_steps(*, key: str = "") -> tuple[Ask, ...]:
    """The questions that end in `money`: the income of a month in whole rupiah."""
    return (
        Ask("money_meant_so", "yes_no", when=_needs_meaning, check=_check_meant, args=_shown("meant_money"),
            key="income/ask_meant", counted=False),
        Ask("money_period", "pick", when=_needs_period, picks=lambda _: _PERIODS, check=_check_period,
            args=_shown("small_money"), key="income/ask_period", counted=False),
        Ask("work_days", "days", when=_needs_days, check=_check_days, args=_shown("daily_money"),
            key="income/ask_work_days", counted=False),
        Ask("money", "money", when=_needs_income, check=_check_money, entity="money", show=_show_income,
            names=("penghasilan", "pendapatan", "gaji", "income", "hasil"), label="income", key=key,
            clears=(*_ON_THE_WAY, "programme")),
    )  # fmt: skip
