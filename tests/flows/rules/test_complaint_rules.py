"""What each complaint category is promised."""

from datetime import UTC, date, datetime

import pytest

from flows.rules.calendar import WIB, calendar_for
from flows.rules.complaints import first_response_date, load_complaint_rules, promised_date, rule_for
from flows.rules.facts import load_facts

OFFICE = calendar_for(WIB)
MONDAY_MORNING = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
SATURDAY = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)

CLASSES = {
    "contribution_not_recorded": 5,
    "balance_mismatch": 14,
    "wrong_data": 5,
    "payment_failed": 5,
    "claim_delayed": 14,
    "claim_rejected": 14,
    "hospital_refused": 0,
    "app_problem": 5,
    "card_not_received": 5,
    "staff_service": 14,
    "company_not_registering": 60,
    "extortion_or_fraud": 60,
    "other": 14,
}


def test_every_category_has_its_class() -> None:
    """The thirteen fixed names, no more and no fewer, with the working days of the fact sheet."""
    rules = load_complaint_rules().categories
    assert {name: rule.working_days for name, rule in rules.items()} == CLASSES


def test_only_a_refusing_hospital_is_urgent() -> None:
    """Someone is lying ill; everything else can wait its turn."""
    assert [name for name in CLASSES if rule_for(name).priority == "urgent"] == ["hospital_refused"]


def test_only_wrongdoing_is_restricted() -> None:
    """Who reports extortion is read by few."""
    assert [name for name in CLASSES if rule_for(name).restricted] == ["extortion_or_fraud"]


def test_identity_is_asked_only_where_the_case_needs_it() -> None:
    """A complaint about service, an app or wrongdoing can be made without a name."""
    assert {name for name in CLASSES if rule_for(name).needs_identity} == {
        "contribution_not_recorded",
        "balance_mismatch",
        "wrong_data",
        "payment_failed",
        "claim_delayed",
        "claim_rejected",
        "card_not_received",
    }


@pytest.mark.parametrize(
    ("category", "now", "day"),
    [
        ("wrong_data", MONDAY_MORNING, date(2026, 11, 30)),
        ("claim_delayed", MONDAY_MORNING, date(2026, 12, 11)),
        ("extortion_or_fraud", MONDAY_MORNING, date(2027, 2, 22)),
        ("hospital_refused", MONDAY_MORNING, date(2026, 11, 23)),
        ("hospital_refused", SATURDAY, date(2026, 11, 30)),
    ],
)
def test_promised_date(category: str, now: datetime, day: date) -> None:
    """Counted in working days of the calendar; the same-day promise waits for the office to open."""
    assert promised_date(category, now, OFFICE) == day


@pytest.mark.parametrize("category", CLASSES)
@pytest.mark.parametrize("now", [MONDAY_MORNING, SATURDAY])
def test_a_human_answers_first_within_one_working_day(category: str, now: datetime) -> None:
    """And never later than the outcome is promised."""
    first = first_response_date(category, now, OFFICE)
    assert first <= OFFICE.add_working_days(now, 1)
    assert first <= promised_date(category, now, OFFICE)


def test_first_response_to_an_urgent_one_is_the_same_day() -> None:
    """A refusal at the hospital does not wait for tomorrow."""
    assert first_response_date("hospital_refused", MONDAY_MORNING, OFFICE) == date(2026, 11, 23)
    assert first_response_date("app_problem", MONDAY_MORNING, OFFICE) == date(2026, 11, 24)


def test_an_unknown_category_is_refused() -> None:
    """A name outside the vocabulary is a mistake of ours, never a promise."""
    with pytest.raises(ValueError, match="late_bus"):
        rule_for("late_bus")


def test_copy_tells_the_days_that_are_promised() -> None:
    """The facts that copy names about complaints equal the classes that tickets get."""
    facts = load_facts()
    told = {facts[f"complaint_{name}_days"].value for name in ("simple", "check", "exam")}
    assert told == set(CLASSES.values()) - {0}
    assert facts["complaint_first_answer_days"].value == load_complaint_rules().first_response_working_days
