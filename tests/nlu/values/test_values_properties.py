"""Laws that hold for every text and every value."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from nlu.values import KINDS, Reading, Refusal, nik_facts, read

TODAY = date(2026, 11, 22)
MONTHS = [
    "januari",
    "februari",
    "maret",
    "april",
    "mei",
    "juni",
    "juli",
    "agustus",
    "september",
    "oktober",
    "november",
    "desember",
]
WORDS = [
    "juta",
    "ribu",
    "dua",
    "setengah",
    "seratus",
    "jt",
    "rb",
    "2",
    "500",
    "1.500",
    ",",
    "-",
    "per",
    "hari",
    "bulan",
    "lalu",
    "senin",
    "kemarin",
    "eh",
    "bukan",
    "tapi",
    "ya",
    "tidak",
    "nama",
    "saya",
    "kota",
    "bekasi",
    "sampai",
    "RK",
    "0812",
    "½",
    "²",
    "İ",
    "٣",
]
days = st.dates(min_value=date(1930, 1, 1), max_value=date(2060, 12, 31))


def value(kind: str, text: str) -> str | int | bool | None:
    """The value read, or None when refused."""
    result = read(kind, text, today=TODAY)
    return result.value if isinstance(result, Reading) else None


@given(
    st.sampled_from(sorted(KINDS)),
    st.one_of(st.text(max_size=80), st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)),
)
def test_no_text_raises(kind: str, text: str) -> None:
    """Whatever is typed gives a reading or a refusal, the same each time."""
    result = read(kind, text, today=TODAY, options=("Ya, kirim", "Ubah", "Batal"))
    assert isinstance(result, Reading | Refusal)
    assert read(kind, text, today=TODAY, options=("Ya, kirim", "Ubah", "Batal")) == result


@given(st.integers(min_value=1, max_value=999_999_999))
def test_money_survives_every_way_of_writing_it(rupiah: int) -> None:
    """A sum printed with dots, with commas, bare or with Rp is read back."""
    dotted = f"{rupiah:,}".replace(",", ".")
    for text in (
        str(rupiah),
        dotted,
        f"Rp {dotted}",
        f"Rp{dotted},-",
        f"{dotted},00",
        f"IDR {rupiah:,}",
        f"{dotted} rupiah",
    ):
        assert value("money", text) == rupiah, text


@given(st.integers(min_value=1, max_value=9999))
def test_hundredths_of_a_million_are_read(hundredths: int) -> None:
    """Two digits after a comma before "juta" are a decimal."""
    assert value("money", f"{hundredths // 100},{hundredths % 100:02d} juta") == hundredths * 10_000


UNITS = ["", "satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "sembilan"]


def spelled(number: int) -> str:
    """`number` (1 to 999,999,999) in Indonesian words."""
    if number < 10:
        return UNITS[number]
    if number < 20:
        return {10: "sepuluh", 11: "sebelas"}.get(number, f"{UNITS[number - 10]} belas")
    for size, word, one in (
        (1_000_000, "juta", "satu juta"),
        (1_000, "ribu", "seribu"),
        (100, "ratus", "seratus"),
        (10, "puluh", ""),
    ):
        if number >= size:
            head = one if number // size == 1 else f"{spelled(number // size)} {word}"
            return f"{head} {spelled(number % size)}".strip() if number % size else head
    raise AssertionError(number)


@given(st.integers(min_value=1, max_value=999_999))
def test_numbers_in_words_are_read_back(number: int) -> None:
    """Any whole number below a million, spelled out, is itself."""
    assert value("count", spelled(number)) == number


@given(st.integers(min_value=1, max_value=999), st.integers(min_value=1, max_value=999))
def test_millions_and_thousands_in_words_are_read_back(millions: int, thousands: int) -> None:
    """A sum said with juta and ribu is itself."""
    assert value("money", spelled(millions * 1_000_000 + thousands * 1_000)) == millions * 1_000_000 + thousands * 1_000


@given(days)
def test_date_survives_every_way_of_writing_it(day: date) -> None:
    """Day first, with marks, with the month's name, or as ISO."""
    month = MONTHS[day.month - 1]
    for text in (
        f"{day.day}/{day.month}/{day.year}",
        f"{day:%d-%m-%Y}",
        f"{day:%d.%m.%Y}",
        day.isoformat(),
        f"{day.day} {month} {day.year}",
        f"tgl {day.day} {month[:3]} {day.year}",
        f"{day:%d%m%Y}",
    ):
        assert value("date", text) == day.isoformat(), text


@given(days)
def test_two_digit_years_are_past_or_present(day: date) -> None:
    """A two-digit year is never a year ahead of the present one."""
    read_day = value("date", f"{day:%d/%m/%y}")
    if read_day is not None:
        assert str(read_day)[2:4] == f"{day:%y}"
        assert int(str(read_day)[:4]) <= TODAY.year


@given(st.integers(min_value=0, max_value=2000))
def test_days_ago_are_counted(count: int) -> None:
    """ "N hari yang lalu" is that many days before today."""
    assert value("date", f"{count} hari yang lalu") == (TODAY - timedelta(days=count)).isoformat()


@given(
    st.sampled_from(["3275", "3174", "1271", "9471", "7371"]),
    st.integers(1, 99),
    st.dates(date(1930, 1, 1), date(2020, 12, 31)),
    st.booleans(),
    st.integers(9001, 9999),
)
def test_nik_round_trip(place: str, district: int, born: date, woman: bool, serial: int) -> None:
    """A NIK built from facts is read, and gives the facts back."""
    nik = f"{place}{district:02d}{born.day + 40 * woman:02d}{born:%m%y}{serial}"
    for text in (nik, f"{nik[:4]} {nik[4:8]} {nik[8:12]} {nik[12:]}", f"NIK: {nik}", nik.replace("0", "O")):
        assert value("nik", text) == nik, text
    facts = nik_facts(nik, today=TODAY)
    assert (facts.birth_date, facts.sex) == (
        born if born.year >= 1927 else facts.birth_date,
        "female" if woman else "male",
    )


@given(st.sampled_from(["811", "812", "821", "838", "857", "878", "881", "896"]), st.integers(100_000, 999_999_999))
def test_mobile_is_read_in_every_form_and_stays_itself(operator: str, rest: int) -> None:
    """0, 62, +62, 0062 and nothing before it are the same phone, and E.164 reads as itself."""
    national = f"{operator}{rest}"
    expected = "+62" + national
    for text in (
        f"0{national}",
        f"62{national}",
        f"+62 {national}",
        f"0062{national}",
        f"0{national[:3]}-{national[3:7]}-{national[7:]}",
        expected,
    ):
        assert value("phone", text) == expected, text


@given(
    st.sampled_from(
        [
            "Budi Santoso",
            "Siti Aminah",
            "Suharto",
            "I Wayan Sudarma",
            "Ahmad bin Abdullah",
            "Ma'ruf",
            "Togar Simanjuntak",
        ]
    )
)
def test_name_reads_as_itself_however_it_is_typed(name: str) -> None:
    """A name as printed is unchanged, and capitals do not matter."""
    assert (
        value("person_name", name)
        == value("person_name", name.upper())
        == value("person_name", f"nama saya {name.lower()}")
        == name
    )
