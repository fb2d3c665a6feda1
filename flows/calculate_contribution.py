"""calculate_contribution: what a month costs, both packages, with the discount of that sector and month."""

from __future__ import annotations

from datetime import date
from typing import cast

from flows.flow import Flow, Outcome, View
from flows.format import month_year, rupiah
from flows.income import income_steps
from flows.model import Say
from flows.pictures import contribution_table, name_of
from flows.rules.contributions import (
    BASIC_PACKAGE,
    FULL_PACKAGE,
    Amount,
    Bracket,
    Sector,
    bracket_for,
    monthly,
)
from flows.work_kinds import occupation_step


def amounts(bracket: Bracket, sector: str, month: date) -> tuple[Amount, Amount]:
    """What the month costs with two programmes and with three. Whole rupiah."""
    kind = cast(Sector, sector)
    basic = monthly(bracket, programmes=BASIC_PACKAGE, sector="other" if kind == "employer" else kind, month=month)
    return basic, monthly(bracket, programmes=FULL_PACKAGE, sector=kind, month=month)


def cost_lines(view: View, income: int, sector: str) -> Say:
    """Both packages as lines that read well in a chat bubble, and as a picture where a channel shows pictures."""
    bracket = bracket_for(income)
    two, three = amounts(bracket, sector, view.today)
    args = {
        "income": rupiah(income),
        "month": month_year(view.today),
        "two": rupiah(two.total),
        "three": rupiah(three.total),
        "jkk": rupiah(three.jkk),
        "jkm": rupiah(three.jkm),
        "jht": rupiah(three.jht),
    }
    table = contribution_table(view.copy, income=income, month=view.today, two=two, three=three)
    if three.discount is None:
        return Say("calculate_contribution/cost", args, picture=name_of(table))
    normal = {"two_normal": rupiah(two.normal_total), "three_normal": rupiah(three.normal_total)}
    until = {"until": month_year(three.discount.last_month), "share": str(three.discount.share)}
    return Say("calculate_contribution/cost_discounted", {**args, **normal, **until}, picture=name_of(table))


def finish(view: View) -> Outcome:
    sector = view.text("sector") or "other"
    cost = cost_lines(view, view.number("money"), sector)
    return Outcome((cost,) if "enroll" in view.under_way else (cost, Say("calculate_contribution/what_next")))


CALCULATE_CONTRIBUTION = Flow(
    name="calculate_contribution",
    steps=(*income_steps(), occupation_step(skippable=True)),
    finish=finish,
)
