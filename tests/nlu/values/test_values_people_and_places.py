"""Names, occupations, regions, months and codes as people write them."""

from datetime import date

import pytest

from nlu.values import Reading, Refusal, read
from nlu.values.occupations import OCCUPATIONS
from nlu.values.regions import PROVINCES, REGIONS

TODAY = date(2026, 11, 22)

NAMES = (
    ("R. Ahmad Fauzi", "R. Ahmad Fauzi"),
    ("Anwar", "Anwar"),
    ("Syahrul Gunawan", "Syahrul Gunawan"),
    ("nama Nadia", "Nadia"),
    ("nama Eko Prasetyo", "Eko Prasetyo"),
    ("nama saya Isnaini", "Isnaini"),
    ("nama e Sri", "Sri"),
    ("Budi Santoso, 45 tahun", "Budi Santoso"),
    ("dewi sartika s.pd", "Dewi Sartika"),
    ("budi santoso", "Budi Santoso"),
    ("BUDI SANTOSO", "Budi Santoso"),
    ("nama saya Budi Santoso", "Budi Santoso"),
    ("suharto", "Suharto"),
    ("Pak Budi", "Budi"),
    ("H. Ahmad Dahlan", "Ahmad Dahlan"),
    ("Ir. Joko Susilo, S.T.", "Joko Susilo"),
    ("siti aminah binti ahmad", "Siti Aminah binti Ahmad"),
    ("Ahmad bin Abdullah", "Ahmad bin Abdullah"),
    ("i wayan sudarma", "I Wayan Sudarma"),
    ("Ni Luh Putu Ayu", "Ni Luh Putu Ayu"),
    ("ma'ruf amin", "Ma'ruf Amin"),
    ("Nur'aini", "Nur'aini"),
    ("M. Ridwan", "M. Ridwan"),
    ("namanya Sri Wahyuni", "Sri Wahyuni"),
    ("saya Andi", "Andi"),
    ("atas nama Dewi Lestari", "Dewi Lestari"),
    ("a.n. Dewi Lestari", "Dewi Lestari"),
    ("nama: Rina", "Rina"),
    ("budi santoso ya pak", "Budi Santoso"),
    ("nama lengkap saya Muhammad Rizki Pratama", "Muhammad Rizki Pratama"),
    ("salah, nama saya Budi", "Budi"),
    ("Hj. Siti Nurhaliza, S.Pd.", "Siti Nurhaliza"),
    ("togar simanjuntak", "Togar Simanjuntak"),
    ("abdul-rahman", "Abdul-Rahman"),
    ("perkenalkan nama saya Joko Widodo Putra", "Joko Widodo Putra"),
    ("Yohanes D'Silva", "Yohanes D'Silva"),
    ("Lim Swie King", "Lim Swie King"),
    ("Budi eh maksudnya Budi Santosa", "Budi Santosa"),
    ("Ono", "Ono"),
    ("Jaya", "Jaya"),
    ("drs. haji mulyono", "Mulyono"),
    ("Slamet Riyadi umur 40", "Slamet Riyadi"),
    ("aku udin", "Udin"),
    ("jenengku Paijo", "Paijo"),
    ("nami abdi Asep Sunandar", "Asep Sunandar"),
    ("Bagus", "Bagus"),
    ("Mulyadi bin Karto alias Yadi", "Mulyadi bin Karto Alias Yadi"),
    ("NUR HIDAYAH", "Nur Hidayah"),
)
NO_NAMES = (
    "saya sopir",
    "Jl. Merdeka No 5",
    "nama ibu kandung",
    "apa",
    "gak tau",
    "mau tanya dulu",
    "12345",
    "Budi123",
    "ya",
    "iya",
    "tidak",
    "berapa biayanya?",
    "bapak saya",
    "batal",
    "x",
    "saya mau daftar",
    "🙂",
    "ok",
    "kartu hilang",
)
REGION_ANSWERS = (
    ("sleman yogyakarta", "34.04"),
    ("denpasar bali", "51.71"),
    ("Bekasi, kota", "32.75"),
    ("kab. kediri", "35.06"),
    ("jkt", "province_only"),
    ("kota sorong", "96.71"),
    ("kota bekasi", "32.75"),
    ("bekasi", "twin"),
    ("Kab. Bekasi", "32.16"),
    ("bekasi kota", "32.75"),
    ("jogja", "34.71"),
    ("solo", "33.72"),
    ("jaksel", "31.74"),
    ("ujung pandang", "73.71"),
    ("DKI", "province_only"),
    ("jawa barat", "province_only"),
    ("NTT", "province_only"),
    ("cilacap jawa tengah", "33.01"),
    ("Bandung, Jawa Barat", "twin"),
    ("bandung barat", "32.17"),
    ("saya tinggal di surabaya", "35.78"),
    ("surabya", "35.78"),
    ("banyuwngi", "35.10"),
    ("tangsel", "36.74"),
    ("kulonprogo", "34.01"),
    ("tanjung pinang", "21.72"),
    ("pare-pare", "73.72"),
    ("semarang", "twin"),
    ("kabupaten semarang", "33.22"),
    ("purwokerto", "33.02"),
    ("cikarang", "32.16"),
    ("gak tau", "unknown"),
    ("jambi", "15.71"),
    ("malang", "twin"),
    ("kota malang", "35.73"),
    ("Jakarta", "province_only"),
    ("jakarta timur", "31.75"),
    ("palangka raya", "62.71"),
    ("medan", "12.71"),
    ("makassar", "73.71"),
    ("depok", "32.76"),
    ("32.75", "32.75"),
    ("wonogiri", "33.12"),
    ("padang sidempuan", "12.77"),
    ("batu", "35.79"),
    ("kota batu", "35.79"),
    ("bau bau", "74.72"),
    ("gorontalo", "twin"),
    ("kab bandung", "32.04"),
    ("bekasi timur", "32.75"),
    ("kota cianjur", "32.03"),
    ("sorong", "twin"),
)
OCCUPATION_ANSWERS = (
    ("bukan ojol, saya kurir", "courier"),
    ("buruh pabrik", "employee"),
    ("supir online", "taxi_driver"),
    ("tukang gali", "artisan_unclear"),
    ("ibu rumah tangga", "not_working"),
    ("ojol", "ojek"),
    ("tukang ojek", "ojek"),
    ("sopir", "driver"),
    ("supir truk", "truck_driver"),
    ("sopir angkot", "angkot_driver"),
    ("jualan gorengan", "food_seller"),
    ("saya jualan nasi goreng di pinggir jalan", "food_seller"),
    ("petani", "farmer"),
    ("petani sawit", "planter"),
    ("nelayan", "fisher"),
    ("ART", "domestic_worker"),
    ("kuli bangunan", "construction_worker"),
    ("tukang", "artisan_unclear"),
    ("penjahit", "tailor"),
    ("guru ngaji", "quran_teacher"),
    ("marbot", "mosque_keeper"),
    ("pemulung", "scavenger"),
    ("kurir paket", "courier"),
    ("shopee kurir", "courier"),
    ("buruh cuci", "launderer"),
    ("tukang parkir", "parking_attendant"),
    ("kerja serabutan", "odd_jobs"),
    ("pedgang sayur", "market_trader"),
    ("astronot", "not_in_list"),
    ("ojol dan jualan bakso", "two_answers"),
    ("dulu karyawan sekarang ojol", "ojek"),
    ("tukang bakso keliling", "food_seller"),
    ("driver grab", "ojek"),
    ("supir pribadi", "private_driver"),
    ("penyadap karet", "planter"),
    ("juru parkir", "parking_attendant"),
    ("asongan", "hawker"),
    ("nelyan", "fisher"),
)
CODES = (
    ("RK-7K3Q-9XTM", "RK-7K3Q-9XTM"),
    ("rk7k3q9xtm", "RK-7K3Q-9XTM"),
    ("tiket saya rk 7k3q 9xtm ya", "RK-7K3Q-9XTM"),
    ("7k3q-9xtm", "RK-7K3Q-9XTM"),
    ("RK-7K3O-9XTM", "bad_characters"),
    ("RK-7K3Q-9XT", "too_short"),
    ("lupa", "unclear"),
)
MONTHS = (
    ("oktober", "2026-10"),
    ("bulan lalu", "2026-10"),
    ("10/2026", "2026-10"),
    ("okt 26", "2026-10"),
    ("desember", "2025-12"),
    ("bulan ini", "2026-11"),
    ("agustus 2025", "2025-08"),
    ("2025-08", "2025-08"),
    ("agustus tahun lalu", "2025-08"),
    ("2 bulan lalu", "2026-09"),
    ("dua bulan yang lalu", "2026-09"),
    ("nopember", "2026-11"),
    ("bulan 9", "2026-09"),
    ("sept '25", "2025-09"),
    ("terakhir bayar bulan juli", "2026-07"),
    ("15 juli 2026", "2026-07"),
    ("lupa", "X"),
    ("1/26", "2026-01"),
    ("bulan kemarin", "2026-10"),
    ("12", "2025-12"),
    ("13", "X"),
    ("15/08/2026", "2026-08"),
)


def outcome(kind: str, text: str) -> str:
    """The value read, or the reason of the refusal."""
    result = read(kind, text, today=TODAY)
    return str(result.value) if isinstance(result, Reading) else result.reason


@pytest.mark.parametrize(("text", "name"), NAMES)
def test_name_is_read_as_on_the_card(text: str, name: str) -> None:
    """Introductions, titles and degrees are left off, particles and capitals are right."""
    assert outcome("person_name", text) == name


@pytest.mark.parametrize("text", NO_NAMES)
def test_what_is_no_name_is_refused(text: str) -> None:
    """Digits, questions, yes and no and plain sentences are never taken for a name."""
    assert isinstance(read("person_name", text, today=TODAY), Refusal)


@pytest.mark.parametrize(("text", "expected"), REGION_ANSWERS)
def test_region(text: str, expected: str) -> None:
    """A region is a code, a shared name is "twin", a province alone is "province_only"."""
    assert outcome("region", text) == expected


def test_twins_are_the_twenty_six_known_ones() -> None:
    """Each of the names that a city and a regency share offers exactly those two."""
    twins = [
        "Bandung",
        "Banjar",
        "Bekasi",
        "Bima",
        "Blitar",
        "Bogor",
        "Cirebon",
        "Gorontalo",
        "Jayapura",
        "Kediri",
        "Kupang",
        "Madiun",
        "Magelang",
        "Malang",
        "Mojokerto",
        "Pasuruan",
        "Pekalongan",
        "Probolinggo",
        "Semarang",
        "Serang",
        "Solok",
        "Sorong",
        "Sukabumi",
        "Tangerang",
        "Tasikmalaya",
        "Tegal",
    ]
    for name in twins:
        result = read("region", name, today=TODAY)
        assert isinstance(result, Refusal), name
        assert result.reason == "twin", name
        labels = result.detail["labels"].split("|")
        assert sorted(labels) == [f"Kabupaten {name}", f"Kota {name}"]
        assert [REGIONS[code] for code in result.detail["options"].split("|")] == labels


def test_every_region_is_read_from_its_own_full_name() -> None:
    """All 514 names lead to their own code, in capitals and in small letters."""
    for code, name in REGIONS.items():
        for text in (name, name.lower(), name.upper(), f"saya tinggal di {name}"):
            assert outcome("region", text) == code, text


def test_every_province_alone_is_refused_as_such_or_is_a_city() -> None:
    """A province name asks for the city, save where a city or a twin bears the same name."""
    others = {
        code: outcome("region", name) for code, name in PROVINCES.items() if outcome("region", name) != "province_only"
    }
    assert others == {"15": "15.71", "17": "17.71", "75": "twin"}


@pytest.mark.parametrize(("text", "expected"), OCCUPATION_ANSWERS)
def test_occupation(text: str, expected: str) -> None:
    """What people call their work leads to the code of the list."""
    assert outcome("occupation", text) == expected


def test_occupation_tells_sector_and_doubt() -> None:
    """The sector decides the discount, and "sopir" alone leaves a question open."""
    driver = read("occupation", "supir", today=TODAY)
    assert isinstance(driver, Reading)
    assert driver.detail is not None
    assert (driver.detail["sector"], driver.doubts) == ("transport", ("driver_kind",))
    seller = read("occupation", "jualan bakso", today=TODAY)
    assert isinstance(seller, Reading)
    assert seller.detail is not None
    assert (seller.detail["sector"], seller.doubts) == ("other", ())


def test_every_label_of_the_list_is_read_as_its_entry() -> None:
    """A label shown on a button and typed back gives the same entry."""
    for occupation in OCCUPATIONS.values():
        assert outcome("occupation", occupation.label) == occupation.code


def test_only_the_transport_group_is_of_the_transport_sector() -> None:
    """The sector column agrees with the groups of the domain facts."""
    assert {o.group for o in OCCUPATIONS.values() if o.sector == "transport"} == {"transport"}
    assert {o.sector for o in OCCUPATIONS.values()} == {"transport", "other"}


@pytest.mark.parametrize(("text", "expected"), CODES)
def test_ticket_code(text: str, expected: str) -> None:
    """Case and separators are forgiven, look-alike letters are not guessed."""
    assert outcome("ticket_code", text) == expected


@pytest.mark.parametrize(("text", "expected"), MONTHS)
def test_month(text: str, expected: str) -> None:
    """A month without a year is the nearest one not ahead."""
    assert (
        outcome("month", text) if expected != "X" else not isinstance(read("month", text, today=TODAY), Reading)
    ) == (expected if expected != "X" else True)
