"""Values found in whole sentences."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.values.sentences import MOST_NUMBERS, read_in_sentence

TODAY = date(2026, 11, 22)

SENTENCES = (
    ("saya mau nyumbang buat 20 tukang becak selama 6 bulan", "count=20 occupation=pedicab_driver duration_months=6"),
    ("penghasilan 50 ribu sehari kerja 25 hari sebulan", "money=50000"),
    ("nomor saya ganti dari 0812-3456-7890 jadi 0857 1234 5678", "phone=+6281234567890 phone=+6285712345678"),
    ("nama saya salah harusnya Siti Aminah bukan Siti Amina", "person_name=Siti Aminah"),
    ("mau ubah alamat dari Solo ke Kota Semarang", "region=33.72 region=33.74"),
    ("batu saya di ginjal", ""),
    ("jam kerja 8 jam sehari", ""),
    ("telepon 021-5551234", ""),
    ("diskon 50% itu apa", ""),
    ("bukan ojol tapi kurir", "occupation=courier"),
    ("dari 5 orang jadi 8 orang", "count=5 count=8"),
    ("bapak saya meninggal hari senin kemarin karena sakit", "date=2026-11-16"),
    ("saya sudah bayar tgl 15 oktober 2026 sebesar Rp 16.800 lewat dana", "date=2026-10-15 money=16800"),
    ("KPJ 21012345678 atas nama Dewi Lestari", "kpj=21012345678 person_name=Dewi Lestari"),
    ("kode tagihan RK-7K3Q-9XTM sudah dibayar", "bill_code=RK-7K3Q-9XTM"),
    ("tukang ojek di Bekasi penghasilan 3jt sebulan mau daftar", "occupation=ojek region=32.16|32.75 money=3000000"),
    ("nama saya Budi Santoso nik 3275011708909001", "person_name=Budi Santoso nik=3275011708909001"),
    ("saya mau bayar 3 bulan", "duration_months=3"),
    ("saya mau donasi untuk 5 orang pekerja selama setahun", "count=5 duration_months=12"),
    ("umur saya 45 tahun kerja jadi petani di Kota Malang", "occupation=farmer region=35.73"),
    ("gaji 100rb per hari", "money=100000"),
    ("kecelakaan kemarin jam 2 siang di Surabaya", "date=2026-11-21 region=35.78"),
    ("ganti nomor hp dari 081234567890 ke 081298765432", "phone=+6281234567890 phone=+6281298765432"),
    ("pindah dari Surabaya ke Depok", "region=35.78 region=32.76"),
    ("penghasilan saya 2 juta eh 3 juta", "money=3000000"),
    ("tiket RK-7K3Q-9XTM gimana", "ticket_code=RK-7K3Q-9XTM"),
    ("kode donasi rk 7k3q 9xtm", "pledge_code=RK-7K3Q-9XTM"),
    ("no kpj saya 12345678901", "kpj=12345678901"),
    ("mau ikut JKK sama JHT", "programme=JKK programme=JHT"),
    ("bayar iuran 16.800 buat setahun", "money=16800 duration_months=12"),
    ("sudah nunggak 3 bulan", "duration_months=3"),
    ("lahir 17 agustus 1990", "date=1990-08-17"),
    ("halo saya Siti Aminah mau daftar", "person_name=Siti Aminah"),
    ("saya ojol", "occupation=ojek"),
    ("saya mau daftar", ""),
    ("bapak saya meninggal tanggal 3 november 2026", "date=2026-11-03"),
    ("namanya bukan Budi Santosa tapi Budi Santoso", "person_name=Budi Santoso"),
    ("bukan 2 juta tapi 3 juta", "money=3000000"),
    ("iuran bulan agustus belum masuk", ""),
    ("selamat pagi", ""),
    ("berapa iuran kalau gaji 5 juta sebulan", "money=5000000"),
    ("3 hari yang lalu saya jatuh dari motor", "date=2026-11-19"),
    ("bayar 6 bulan sekaligus 100.800", "duration_months=6 money=100800"),
    ("10 pekerja x 6 bulan", "count=10 duration_months=6"),
    ("saya sopir truk di kab. bogor", "occupation=truck_driver region=32.01"),
    ("alamat saya di jl malang no 5 kota batu", "region=35.79"),
    ("sepuluh orang tetangga saya mau didaftarkan", "count=10"),
    ("penghasilan dua juta lima ratus ribu sebulan", "money=2500000"),
    (
        "nik saya tiga dua tujuh lima nol satu satu tujuh nol delapan sembilan nol sembilan nol nol satu",
        "nik=3275011708909001",
    ),
    ("anak saya 2", ""),
    ("sudah 5 tahun jadi ojol", "duration_months=60 occupation=ojek"),
    ("setahun yang lalu saya daftar", "date=2025-11-22"),
    ("istri saya Marni jatuh dari tangga pasar tadi sore", "person_name=Marni date=2026-11-22"),
    ("dua anak buah saya, Rojak dan Sukri, belum terdaftar", "count=2 person_name=Rojak person_name=Sukri"),
    ("Ibu Tuti, mohon dibantu", ""),
    ("Adik Saya Jatuh Dari Motor", ""),
    ("Mbah Sarno dari Wonogiri mau ikut", "person_name=Sarno region=33.12"),
    ("Lilis Suryani, penjual jamu, Kota Cirebon", "person_name=Lilis Suryani occupation=food_seller region=32.74"),
    ("Jawa Timur, kuli bangunan", "occupation=construction_worker"),
    ("ambo Zulkifli di Kota Solok", "person_name=Zulkifli region=13.72"),
    ("keponakan namanya Bagas Saputra kelas 2 SMP", "person_name=Bagas Saputra"),
    ("kuartal dulu aja bu", "duration_months=3"),
    ("kuartal ini iuran belum masuk", ""),
    ("40 bapak-bapak ojek di Kota Tegal", "count=40 occupation=ojek region=33.76"),
    ("kuli panggul Medan", "occupation=porter region=12.71"),
    ("bapak dagang cimol di Ciledug, Kota Tangerang", "occupation=food_seller region=36.71"),
    ("ganti nama ahli waris", ""),
    ("suami saya agus ketabrak motor", "person_name=Agus"),
    ("aku titin, mau lihat saldo", "person_name=Titin"),
    ("daftarin suami saya anton tukang las di kota kediri", "person_name=Anton occupation=welder region=35.71"),
    ("bayarin buat pak slamet sama bu tuminem", "person_name=Slamet person_name=Tuminem"),
    ("anaknya pak rahman", ""),
    ("Hormat kami, Sulaiman Hakim", "person_name=Sulaiman Hakim"),
    ("peserta atas nama Wagimin tersambar petir di sawah", "person_name=Wagimin"),
    ("tukang kebun kami, Sdr. Karim, tersengat lebah", "occupation=gardener person_name=Karim"),
    ("klaim kakak saya Usman Hadi ditolak", "person_name=Usman Hadi"),
    ("iuran atas nama Wardi dan Parman tertukar", "person_name=Wardi person_name=Parman"),
    ("nama saya keliru satu huruf", ""),
    ("rekeningnya harus atas nama sendiri?", ""),
    ("sebelah masjid Ahmad Dahlan", ""),
    ("rs siti khodijah nolak saya", ""),
    ("Ibu Siti Aminah, mohon dibantu", ""),
    ("kami berlima mau ikut", "count=5"),
    ("jatuhnya jam setengah delapan orang pada pulang", ""),
    ("jualan bakso 150 ribu sehari di Cilacap", "occupation=food_seller money=150000 region=33.01"),
)


@pytest.mark.parametrize(("text", "expected"), SENTENCES)
def test_sentence_gives_exactly_these_values(text: str, expected: str) -> None:
    """Nothing is missed and nothing is invented."""
    assert " ".join(f"{f.entity}={f.value}" for f in read_in_sentence(text, today=TODAY)) == expected


def test_found_text_is_the_piece_it_names() -> None:
    """Positions are those of the sentence as written, so that a value can be masked there."""
    text = "Halo, nama saya Budi Santoso, NIK 3275 0117 0890 9001, HP +62 812-3456-7890"
    found = read_in_sentence(text, today=TODAY)
    assert [f.text for f in found] == ["Budi Santoso", "3275 0117 0890 9001", "+62 812-3456-7890"]
    assert all(text[f.start : f.end] == f.text for f in found)


def test_twin_in_a_sentence_gives_both_codes_and_the_doubt() -> None:
    """A shared name is never guessed."""
    (region,) = [f for f in read_in_sentence("saya tinggal di Bekasi", today=TODAY) if f.entity == "region"]
    assert (region.value, region.doubts) == ("32.16|32.75", ("twin",))


def test_number_words_keep_their_place_in_the_sentence() -> None:
    """A date in words is cut out of the sentence as it was said."""
    (found,) = read_in_sentence("kejadiannya tujuh belas agustus dua ribu dua puluh lima di jalan", today=TODAY)
    assert (found.value, found.text) == ("2025-08-17", "tujuh belas agustus dua ribu dua puluh lima")


@given(st.text(max_size=120))
def test_never_raises_and_never_overlaps(text: str) -> None:
    """Any text at all gives values in order, none overlapping, each a true piece of it."""
    found = read_in_sentence(text, today=TODAY)
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert all(text[f.start : f.end] == f.text for f in found)


def test_a_flood_of_numbers_is_cut_off() -> None:
    """Hundreds of sums in one message are read up to the named limit, so that nobody can stall a turn."""
    found = read_in_sentence(" ".join(f"{n}jt," for n in range(1, 300)), today=TODAY)
    assert [f.value for f in found] == [n * 1_000_000 for n in range(1, MOST_NUMBERS + 1)]
