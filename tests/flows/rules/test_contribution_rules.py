"""The contribution table, and what a month costs under the dated discounts."""

import csv
from dataclasses import replace
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.rules.contributions import (
    BASIC_PACKAGE,
    FULL_PACKAGE,
    Amount,
    Bracket,
    PaidBy,
    Sector,
    bracket_for,
    load_brackets,
    load_discounts,
    month_after,
    monthly,
    packages_for,
    refuse_overlaps,
    total_for_months,
)
from flows.rules.packaged_data import DATA_DIR, DataError

with (DATA_DIR / "contributions.csv").open(encoding="utf-8", newline="") as lines:
    PRINTED_ROWS = list(csv.DictReader(lines))

BRACKETS = st.sampled_from(load_brackets())
MONTHS = st.dates(min_value=date(2025, 1, 1), max_value=date(2028, 12, 31))
SECTORS = st.sampled_from(["transport", "other", "employer"])
PAYERS = st.sampled_from(["self", "government", "donor"])


def cost(
    month: date,
    *,
    sector: Sector = "other",
    programmes: frozenset[str] = BASIC_PACKAGE,
    paid_by: PaidBy = "self",
    bracket: Bracket | None = None,
) -> Amount:
    """What a month costs in the lowest bracket, unless another is given."""
    return monthly(bracket or bracket_for(0), programmes=programmes, sector=sector, month=month, paid_by=paid_by)


class TestTable:
    """The 33 printed rows against the rule they follow."""

    def test_has_all_brackets_in_order(self) -> None:
        """A row lost or swapped would charge people for a bracket they did not declare."""
        assert [bracket.no for bracket in load_brackets()] == list(range(1, 34))

    @pytest.mark.parametrize("row", PRINTED_ROWS, ids=lambda row: f"bracket {row['no']}")
    def test_every_row_follows_the_rule(self, row: dict[str, str]) -> None:
        """JKK is 1% of the base within 10,000 and 207,000, JHT 2% within 20,000 and 414,000, JKM 6,800."""
        base = int(row["base"])
        jkk = min(max(base // 100, 10_000), 207_000)
        jht = min(max(base * 2 // 100, 20_000), 414_000)
        assert base % 100 == 0
        assert (int(row["jkk"]), int(row["jkm"]), int(row["jht"])) == (jkk, 6_800, jht)
        assert int(row["total2"]) == jkk + 6_800
        assert int(row["total3"]) == jkk + 6_800 + jht

    @pytest.mark.parametrize("row", PRINTED_ROWS, ids=lambda row: f"bracket {row['no']}")
    def test_every_discounted_column_is_what_we_compute(self, row: dict[str, str]) -> None:
        """The printed sums with the discount equal ours in a month when it is in force."""
        bracket = load_brackets()[int(row["no"]) - 1]
        basic = cost(date(2026, 11, 1), bracket=bracket)
        full = cost(date(2026, 11, 1), bracket=bracket, programmes=FULL_PACKAGE)
        assert (basic.jkk, basic.jkm) == (int(row["jkk_d"]), int(row["jkm_d"]))
        assert (basic.total, full.total) == (int(row["total2_d"]), int(row["total3_d"]))
        assert basic.jkk * 2 == int(row["jkk"])

    @pytest.mark.parametrize("row", PRINTED_ROWS, ids=lambda row: f"bracket {row['no']}")
    def test_every_normal_total_is_what_we_compute(self, row: dict[str, str]) -> None:
        """The printed sums without discount equal ours after the rules have ended."""
        bracket = load_brackets()[int(row["no"]) - 1]
        assert cost(date(2028, 1, 1), bracket=bracket).total == int(row["total2"])
        full = cost(date(2028, 1, 1), bracket=bracket, programmes=FULL_PACKAGE)
        assert full.total == int(row["total3"])

    def test_each_base_is_the_middle_of_its_bracket(self) -> None:
        """From the second row to the last but one the series is regular, so a typing error would show."""
        brackets = load_brackets()
        for bracket, above in pairwise(brackets[1:]):
            assert bracket.base * 2 == bracket.income_min + above.income_min
            assert bracket.income_max == above.income_min - 1_000


class TestBracketFor:
    """Which row a declared income belongs to."""

    @pytest.mark.parametrize(
        ("income", "number"),
        [
            (-1, 1),
            (0, 1),
            (600_000, 1),
            (1_000_000, 1),
            (1_099_000, 1),
            (1_099_999, 1),
            (1_100_000, 2),
            (3_000_000, 10),
            (20_199_999, 32),
            (20_200_000, 33),
            (900_000_000, 33),
        ],
    )
    def test_edges_and_gaps(self, income: int, number: int) -> None:
        """The row with the greatest minimum not above the income, also in the gaps between printed limits."""
        assert bracket_for(income).no == number

    @given(st.integers(min_value=0, max_value=10**9))
    def test_is_the_greatest_minimum_not_above(self, income: int) -> None:
        """No other row fits an income better."""
        found = bracket_for(income)
        assert found.income_min == max(b.income_min for b in load_brackets() if b.income_min <= income)


class TestDiscount:
    """PP 50/2025 by sector, month and payer."""

    @pytest.mark.parametrize(
        ("sector", "month", "total"),
        [
            ("transport", date(2025, 12, 31), 16_800),
            ("transport", date(2026, 1, 1), 8_400),
            ("transport", date(2027, 3, 31), 8_400),
            ("transport", date(2027, 4, 1), 16_800),
            ("other", date(2026, 3, 31), 16_800),
            ("other", date(2026, 4, 1), 8_400),
            ("other", date(2026, 12, 31), 8_400),
            ("other", date(2027, 1, 1), 16_800),
        ],
    )
    def test_holds_in_its_months_only(self, sector: Sector, month: date, total: int) -> None:
        """The first and last month count whole; one day outside the normal tariff stands."""
        amount = cost(month, sector=sector)
        assert amount.total == total
        assert (amount.discount is not None) == (total == 8_400)
        assert amount.normal_total == 16_800

    def test_names_the_rule_it_comes_from(self) -> None:
        """A reader can be told why it is cheaper, and since when."""
        discount = cost(date(2026, 11, 22), sector="transport").discount
        assert discount is not None
        assert (discount.sector, discount.share, discount.mark) == ("transport", 50, "sure")
        assert (discount.first_month, discount.last_month) == (date(2026, 1, 1), date(2027, 3, 1))
        assert "PP 50/2025" in discount.source

    def test_leaves_savings_alone(self) -> None:
        """JHT has no discount: its contribution is the person's own money."""
        amount = cost(date(2026, 11, 1), programmes=FULL_PACKAGE)
        assert (amount.jkk, amount.jkm, amount.jht, amount.total) == (5_000, 3_400, 20_000, 28_400)

    def test_is_not_for_money_of_the_state(self) -> None:
        """Contributions from APBN or APBD are outside the rule, and that is sure."""
        for sector in ("transport", "other", "employer"):
            amount = cost(date(2026, 11, 1), sector=sector, programmes=FULL_PACKAGE, paid_by="government")
            assert (amount.total, amount.discount, amount.discount_unsure) == (36_800, None, False)

    def test_is_unsure_for_a_donor(self) -> None:
        """Whether donated months are halved is not settled: the normal tariff, flagged."""
        amount = cost(date(2026, 11, 1), paid_by="donor")
        assert (amount.total, amount.discount, amount.discount_unsure) == (16_800, None, True)

    def test_is_unsure_for_an_employer(self) -> None:
        """Whether a pemberi kerja is meant is not settled: the normal tariff, flagged."""
        amount = cost(date(2026, 11, 1), sector="employer", programmes=FULL_PACKAGE)
        assert (amount.total, amount.discount, amount.discount_unsure) == (36_800, None, True)

    @pytest.mark.parametrize(("sector", "paid_by"), [("employer", "self"), ("other", "donor")])
    def test_nothing_is_unsure_after_the_rule_has_ended(self, sector: Sector, paid_by: PaidBy) -> None:
        """A doubt about a rule ends with the rule."""
        amount = cost(date(2027, 1, 1), sector=sector, programmes=FULL_PACKAGE, paid_by=paid_by)
        assert (amount.total, amount.discount_unsure) == (36_800, False)

    @given(BRACKETS, MONTHS, SECTORS, PAYERS)
    def test_parts_make_the_total(self, bracket: Bracket, month: date, sector: Sector, paid_by: PaidBy) -> None:
        """The parts add up, a discount is never applied and doubted at once, and never costs more."""
        amount = cost(month, bracket=bracket, sector=sector, programmes=FULL_PACKAGE, paid_by=paid_by)
        assert amount.jkk + amount.jkm + amount.jht == amount.total <= amount.normal_total
        assert (amount.total < amount.normal_total) == (amount.discount is not None)
        assert not (amount.discount and amount.discount_unsure)

    def test_rules_of_a_sector_may_not_overlap(self) -> None:
        """A new rule that shares a month with an old one is refused when the data is read."""
        rule = load_discounts()[0]
        later = replace(rule, key="later", first_month=rule.last_month, last_month=date(2027, 12, 1))
        with pytest.raises(DataError, match="pp50_transport and later overlap"):
            refuse_overlaps((rule, later))
        with pytest.raises(DataError, match="later and pp50_transport overlap"):
            refuse_overlaps((later, rule))
        refuse_overlaps((rule, replace(later, first_month=month_after(rule.last_month, 1))))


class TestPackages:
    """Which programmes may be taken together."""

    def test_savings_are_a_choice_for_workers(self) -> None:
        """An independent worker takes two programmes or three."""
        assert packages_for("other") == packages_for("transport") == (BASIC_PACKAGE, FULL_PACKAGE)

    def test_savings_are_compulsory_for_employers(self) -> None:
        """An employer has one package, and a price without savings is refused rather than made up."""
        assert packages_for("employer") == (FULL_PACKAGE,)
        with pytest.raises(ValueError, match="employer cannot take"):
            cost(date(2026, 11, 1), sector="employer", programmes=BASIC_PACKAGE)

    @pytest.mark.parametrize("programmes", [{"JKK"}, {"JHT"}, {"JKK", "JKM", "JP"}, set()])
    def test_other_combinations_are_refused(self, programmes: set[str]) -> None:
        """JKK and JKM come together; pension is for wage earners."""
        with pytest.raises(ValueError, match="cannot take"):
            cost(date(2026, 11, 1), programmes=frozenset(programmes))


class TestTotalForMonths:
    """Several months paid at once."""

    def test_discount_ends_on_the_way(self) -> None:
        """Two months at half and four at the full tariff, because the rule goes by the month covered."""
        total, amounts = total_for_months(
            bracket_for(1_000_000),
            programmes=BASIC_PACKAGE,
            sector="other",
            first_month=date(2026, 11, 22),
            months=6,
        )
        assert [amount.total for amount in amounts] == [8_400, 8_400, 16_800, 16_800, 16_800, 16_800]
        assert total == 84_000
        assert [amount.month for amount in amounts][:3] == [
            date(2026, 11, 1),
            date(2026, 12, 1),
            date(2027, 1, 1),
        ]

    def test_ten_workers_for_six_months_of_a_donor(self) -> None:
        """The donation example of the fact sheet: Rp1,008,000."""
        total, amounts = total_for_months(
            bracket_for(0),
            programmes=BASIC_PACKAGE,
            sector="other",
            first_month=date(2026, 11, 1),
            months=6,
            paid_by="donor",
        )
        assert total * 10 == 1_008_000
        assert [amount.discount_unsure for amount in amounts] == [True, True, False, False, False, False]

    def test_fewer_than_one_month_is_refused(self) -> None:
        """Nobody is billed nothing."""
        with pytest.raises(ValueError, match="0 months"):
            total_for_months(
                bracket_for(0),
                programmes=BASIC_PACKAGE,
                sector="other",
                first_month=date(2026, 11, 1),
                months=0,
            )

    @given(MONTHS, st.integers(min_value=1, max_value=24), SECTORS)
    def test_is_the_sum_of_its_months(self, first_month: date, months: int, sector: Sector) -> None:
        """Paying at once costs what paying month by month costs."""
        total, amounts = total_for_months(
            bracket_for(3_000_000),
            programmes=FULL_PACKAGE,
            sector=sector,
            first_month=first_month,
            months=months,
        )
        singles = [
            cost(
                month_after(first_month, i),
                bracket=bracket_for(3_000_000),
                sector=sector,
                programmes=FULL_PACKAGE,
            )
            for i in range(months)
        ]
        assert list(amounts) == singles
        assert total == sum(amount.total for amount in singles)


def test_month_after_crosses_years() -> None:
    """Months are counted across December, backwards too."""
    assert month_after(date(2026, 11, 30), 2) == date(2027, 1, 1)
    assert month_after(date(2026, 12, 1), 12) == date(2027, 12, 1)
    assert month_after(date(2026, 1, 31), -1) == date(2025, 12, 1)
