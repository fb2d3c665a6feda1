"""What remains doubtful about a value, and why a text gives none."""

from datetime import date

import pytest

from nlu.values import Reading, Refusal, nik_facts, read

TODAY = date(2026, 11, 22)

DOUBTS = (
    ("money", "75 ribu per hari", ("per_day",)),
    ("money", "850rb per minggu", ("per_week",)),
    ("money", "50 ribu sekali narik", ("per_trip",)),
    ("money", "30 juta setahun", ("per_year",)),
    ("money", "3 juta sebulan", ()),
    ("money", "gocap", ("slang_sum",)),
    ("money", "sekitar 2 juta", ("about",)),
    ("money", "2 jutaan", ("about",)),
    ("money", "1M", ("unit_m",)),
    ("money", "500", ("small_sum",)),
    ("money", "sekitar 100rb sehari", ("per_day", "about")),
    ("date", "kemarin", ("recently",)),
    ("date", "17 agustus", ("year_assumed",)),
    ("date", "17 agustus 1990", ()),
    ("date", "tanggal 15", ("month_assumed",)),
    ("date", "minggu lalu", ("about",)),
    ("month", "juli", ("year_assumed",)),
    ("count", "sekitar 20 orang", ("about",)),
    ("nik", "9271014502859002", ("region_prefix_unknown",)),
    ("nik", "3275011708909001", ()),
    ("kpj", "08123456789", ("looks_like_phone",)),
    ("phone", "+60123456789", ("foreign",)),
    ("affirm_deny", "iya tapi namanya salah", ("change",)),
    ("affirm_deny", "berapa?", ("question",)),
    ("affirm_deny", "kayaknya sih", ("hedged",)),
    ("occupation", "tukang", ("artisan_kind",)),
    ("region", "cikarang", ("district",)),
    ("region", "surabya", ("spelling",)),
    ("region", "kota cianjur", ("kind_mismatch",)),
)
REFUSALS = (
    ("money", "", "empty", False),
    ("money", "   ", "empty", False),
    ("money", "0", "zero", True),
    ("money", "tidak ada penghasilan", "zero", True),
    ("money", "-50000", "negative", True),
    ("money", "2-3 juta", "range", True),
    ("money", "1jt atau 2jt", "two_answers", True),
    ("money", "banyak", "vague", True),
    ("money", "berapa ya?", "question", False),
    ("money", "di Bekasi", "not_a_number", False),
    ("money", "2,5", "unclear", True),
    ("money", "99999999999999", "out_of_range", True),
    ("date", "31 februari 2020", "impossible_date", True),
    ("date", "agustus", "month_only", True),
    ("date", "1990", "year_only", True),
    ("date", "35 tahun", "age", True),
    ("date", "habis lebaran", "vague", True),
    ("date", "1 januari 1700", "out_of_range", True),
    ("count", "2,5", "not_whole", True),
    ("count", "3 hari", "wrong_unit", True),
    ("count", "5-10 orang", "range", True),
    ("duration_months", "2 minggu", "not_whole_months", True),
    ("duration_months", "3 atau 6 bulan", "two_answers", True),
    ("phone", "021 5551234", "landline", True),
    ("phone", "175", "short_code", True),
    ("phone", "081234567890 atau 081234567891", "two_answers", True),
    ("nik", "327501170890900", "too_short", True),
    ("nik", "32750117089090012", "too_long", True),
    ("nik", "3275011708900000", "bad_serial", True),
    ("nik", "0075011708909001", "bad_region", True),
    ("nik", "3275013202909001", "bad_date", True),
    ("nik", "apa itu nik", "not_a_number", False),
    ("nik", "3275011708909001 dan 3275011708909002", "two_answers", True),
    ("choice", "7", "out_of_range", True),
    ("choice", "1 atau 2", "two_answers", True),
    ("ticket_code", "RK-7K3O-9XTM", "bad_characters", True),
)


@pytest.mark.parametrize(("kind", "text", "doubts"), DOUBTS)
def test_value_carries_its_doubts(kind: str, text: str, doubts: tuple[str, ...]) -> None:
    """A flow can ask back about exactly what is doubtful."""
    result = read(kind, text, today=TODAY)
    assert isinstance(result, Reading)
    assert result.doubts == doubts


@pytest.mark.parametrize(("kind", "text", "reason", "attempt"), REFUSALS)
def test_refusal_says_why_and_whether_it_was_an_attempt(kind: str, text: str, reason: str, attempt: bool) -> None:
    """The copy can name the reason, and a remark about something else is not counted as a try."""
    result = read(kind, text, today=TODAY, options=("satu hal", "hal lain"))
    assert isinstance(result, Refusal)
    assert (result.reason, result.attempt) == (reason, attempt)


def test_too_short_nik_tells_how_many_digits_were_read() -> None:
    """The person is told the count, to find the missing digit."""
    result = read("nik", "3275 0117 0890 900", today=TODAY)
    assert isinstance(result, Refusal)
    assert result.detail["digits"] == "15"


def test_range_tells_both_ends() -> None:
    """The flow can offer the two ends to choose from."""
    result = read("money", "2-3 juta", today=TODAY)
    assert isinstance(result, Refusal)
    assert dict(result.detail) == {"low": "2000000", "high": "3000000"}


def test_nik_facts_of_a_woman() -> None:
    """Forty is taken off the day, and the century is the one that gives an age under 65."""
    facts = nik_facts("3275015708059001", today=TODAY)
    assert (facts.birth_date, facts.sex, facts.province_code, facts.age_years) == (
        date(2005, 8, 17),
        "female",
        "32",
        21,
    )


def test_nik_facts_never_place_a_birth_ahead() -> None:
    """A two-digit year that would lie ahead is of the last century."""
    assert nik_facts("3275012311269001", today=TODAY).birth_date == date(1926, 11, 23)
    assert nik_facts("3275012211269001", today=TODAY).birth_date == date(2026, 11, 22)


def test_nik_facts_refuse_what_is_no_nik() -> None:
    """Only a number that the reader gives may be asked about."""
    with pytest.raises(ValueError, match="NIK"):
        nik_facts("3275013202909001", today=TODAY)
