"""Names of people inside a sentence: told by the words that introduce them, or by their capitals."""

# ruff: noqa: SIM905  word lists are read and edited as text

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from nlu.values.folding import fold
from nlu.values.names import name_in
from nlu.values.occupations import find_occupations
from nlu.values.reading import Reading
from nlu.values.regions import find_regions


@dataclass(frozen=True, slots=True)
class NameFound:
    """A name and where it stands in the text. `rank` decides between values that overlap, the lower first."""

    value: str
    start: int
    end: int
    rank: int
    doubts: tuple[str, ...] = ()


def _known_names() -> frozenset[str]:
    table = Path(__file__).resolve().parent.parent / "data_tables" / "given_names.csv"
    with table.open(encoding="utf-8", newline="") as file:
        return frozenset(row["name"] for row in csv.DictReader(file))


#: Words that people bear as a name and that mean nothing else, in small letters.
_KNOWN = _known_names()

_NAME_CUE = re.compile(
    r"\b(?:nama(?:nya|ku)?(?: (?:lengkap(?:nya|ku)?|asli|baru|yang benar|yg benar|yang bener|di ktp|sesuai ktp|"
    r"pekerja(?:nya)?|korban|ibu|bapak|suami|istri|anak|almarhum))?"
    r"(?: (?:saya|sy|aku|gue|gua|gw|ane|kulo|abdi|beliau|dia|suami|istri|anak|bapak|ibu))?(?: (?:adalah|yaitu|ialah|"
    r"itu|yang benar|yg benar|harusnya|seharusnya|jadi|menjadi|dari))?\s*:?"
    r"|bernama|atas nama|a\.n\.?|perkenalkan(?: saya)?|kenalkan(?: saya)?|jeneng(?:e|ku)?(?: kulo)?|"
    r"ngaran(?: abdi)?|nami(?: abdi| kulo)?|panggil(?: saja| aja)?(?: saya)?)\s+"
)
_NAME_HINT = re.compile(r"nama|nami|atas|a\.n|kenal|jeneng|ngaran|panggil")
_I_AM = re.compile(
    r"(?:^|[.,!?]\s*|\b(?:halo|hai|pagi|siang|sore|malam|min|pak|bu|kak|horas|punten|tabik|om swastiastu)\s+)"
    r"(?:saya|sy|aku|aq|gue|gua|gw|kulo|kula|abdi|awak|ambo|ulun|unda|beta|tiang|titiang|hamba|den|ini)\s+"
    r"(?=(?:pak |bu |mas |mbak )?[^\W\d_]+)"
)
_KIN = (
    r"anak buah|suami|suamiku|istri|istriku|isteri|bojo|laki|anak|anakku|adik|adek|adikku|kakak|kakakku|abang|mas|mbak|"
    r"bapak|bapakku|ayah|ayahku|ibu|ibuku|emak|mamak|mama|papa|paman|bibi|om|tante|pakde|bude|kakek|nenek|mertua|ipar|"
    r"menantu|keponakan|ponakan|sepupu|cucu|saudara|tetangga|teman|temen|kawan|rekan|sopir|supir|pembantu|art|asisten|"
    r"tukang kebun|satpam|karyawan|pegawai|pekerja|buruh|korban|almarhum|almarhumah|alm|ahli waris|peserta|"
    r"anggota|mitra|warga"
)
#: "suami saya Bambang", "kakak ipar saya, yohanes": whose name follows, with a capital or known.
_KIN_CUE = re.compile(
    rf"\b(?:{_KIN})(?: (?:ipar|mertua|angkat|tiri|kandung|sepupu|perempuan|laki-laki|pertama|kedua|ketiga|bungsu|"
    rf"sulung|kantor|kerja|rumah tangga))?(?: (?:saya|sy|aku|gue|gua|kami|kita|kulo|abdi|awak|ulun|beliau|bernama|"
    rf"itu))?,?\s+(?=(?:pak |bu |mas |mbak |bang |kang |mbah )?[^\W\d_]{{2,}})"
)
#: "Bu Siti, mohon dibantu": somebody spoken to.
_SPOKEN_TO = re.compile(r"^\W*(?:pak|bapak|bu|ibu|mas|mbak|bang|abang|kang|om|tante|kak|kakak)\s+$")
#: "Pak Hartono dari RT 5 mau bantu": somebody spoken of, told from somebody spoken to by what follows.
_TITLED = re.compile(
    r"^\W*(?:pak|bapak|bu|ibu|mas|mbak|bang|kang|mbah|haji|hj?\.)\s+(?P<name>[^\W\d_]{3,}(?: [^\W\d_]{3,})?)"
    r"(?= (?:dari|umur|usia|tukang|meninggal|wafat|kecelakaan|jatuh|"
    r"mau(?! tanya| nanya| daftar| cek| bayar)|ingin|yang|tetangga|pemilik|ketua|sopir|pedagang|"
    r"petani|nelayan|penjual|kemarin|tadi)\b)"
)
_OPENING_NAME = re.compile(r"^\W*(?P<name>[^\W\d_]+(?:['.][^\W\d_]*)?(?: [^\W\d_]+(?:['.][^\W\d_]*)?){1,4})\s*,")
_ONE_MORE = re.compile(
    r"\s*(?:,|&|\bdan|\bsama|\bserta|\bkaro|\bjeung|\blan)\s+(?:(?:pak|bu|mas|mbak|bang|kang)\s+)?(?=[^\W\d_]{3,})"
)
#: For whom something is, or whose: "bayarkan buat siti aminah". Only known names are taken.
_FOR_CUE = re.compile(
    r"\b(?:buat|bwt|untuk|utk|kanggo|kangge|punya|milik|si|sdr|sdri|saudara|saudari|a/n|an)\.?\s+"
    r"(?:(?:pak|bu|mas|mbak|bang|kang|mbah)\s+)?(?P<word>[^\W\d_]+)"
)
#: "Joko Susilo": two words or more with capitals.
_FULL_NAME = re.compile(r"\b([A-Z][a-z]+)(?: [A-Z][a-z]+)+")
#: What is called after people: streets, schools, firms.
_NAMED_AFTER = re.compile(
    r"\b(?:jl|jln|jalan|gang|gg|rs|rsu|rsud|rsia|sakit|klinik|puskesmas|apotek|apotik|pt|cv|ud|pd|po|toko|tk|warung|rm|sd|sdn|"
    r"smp|sma|smk|mts|sekolah|kampus|universitas|masjid|mushola|musholla|gereja|pura|pasar|terminal|bandara|stasiun|"
    r"stadion|perumahan|perum|desa|dusun|kampung|kelurahan|kecamatan|yayasan|koperasi|bank|pelabuhan|pondok|pesantren|"
    r"hotel|gedung|makam|taman|patung)\.?\s+$"
)
_WORD = re.compile(r"[a-z]+")
_NAME_WORD = re.compile(r"[^\W\d_]+(?:['.\-][^\W\d_]+)*\.?")
_LINKS = frozenset({"bin", "binti", "bt", "bte", "van", "der", "de", "al"})

#: Ranks: names after "nama" and its like, and names told by how they are written.
_INTRODUCED, _BY_ITS_LOOKS = 3, 6
_MOST_JOINED = 5
#: Longest name in characters, with what introduces it.
_LONGEST = 70

_CALLED = frozenset("pak bu mas mbak bang kang teh mbah om tante kak sdr sdri saudara saudari hj haji".split())
_NAME_STOP = re.compile(
    r"\s*(?:[,.;:!?\n(0-9\"]|$|-\s|\b(?:umur|usia|alamat|nik|ktp|kpj|tinggal|kerja|bekerja|pekerjaan|pekerja|lahir|"
    r"tempat|dari|di|ke|nomor|nomer|no|hp|wa|tukang|yang|yg|mau|ingin|pengen|dan|sudah|udah|belum|"
    r"sopir|supir|ojek|ojol|driver|petani|nelayan|pedagang|kurir|buruh|penjahit|jualan|bukan|tapi|tp|jadi|menjadi|"
    r"salah|eh|ya|pak|bu|min|kak|mas|mbak|minta|tolong|mohon|bisa|"
    r"daftar|punya|dengan|sebagai|seorang|tanggal|tgl|asal|gaji|penghasilan|kok|kenapa|gimana|untuk|buat|sekarang|"
    r"kemarin|tadi|itu|ini|ada|nggak|gak|ga|tidak|harusnya|seharusnya|"
    r"di ktp|kena|ganti|diganti|dgn|dg|sama|telp|telepon|cek|lapor|meninggal|kecelakaan|jatuh|ketabrak|mengalami|"
    r"wafat|warga|usaha|kelas|sekolah|kuliah|masih|sakit|luka|tewas|juga|lagi|nih|istri|suami|anak|bapak|ibu|agama|"
    r"penghasilan|tetangga|kepala|ketua|anggota|penjual|pemilik|guru|rt|kota|kab|kabupaten|adalah|terus|trus|lalu|karena|sejak)\b)"
)


def find_names(text: str, folded: str) -> list[NameFound]:
    """Names that are introduced: after "nama saya" and its like, or after "saya" and "suami saya" when written with
    capitals or known as names; and known names in full, with capitals, wherever they stand.

    `folded` is `text` folded and as long as it; the same name may be found twice, by different signs.
    """
    names: list[NameFound] = []
    for match in _NAME_CUE.finditer(folded) if _NAME_HINT.search(folded) else ():
        denied = re.match(r"bukan [^,;]{2,40}?[ ,]+(?:tapi|tp|melainkan|tetapi)\s+", folded[match.end() :])
        if denied is not None:
            _name_from(text, folded, match.end() + denied.end(), _INTRODUCED, names)
            continue
        _names_from(text, folded, match.end(), _INTRODUCED, names)
        for new in re.finditer(
            r"\s(?:jadi|menjadi|ke|harusnya|seharusnya|bukan|yang benar|yg benar|yang bener)\s+",
            folded[match.end() : match.end() + 90],
        ):
            _name_from(text, folded, match.end() + new.end(), _INTRODUCED + 1, names)
    known = not _KNOWN.isdisjoint(_WORD.findall(folded))
    if known or text != folded:  # the names below are told by their capitals, or known
        _spoken_of(text, folded, names)
    if known:
        _known_in(text, folded, names)
    return names


def _spoken_of(text: str, folded: str, names: list[NameFound]) -> None:
    for match in _I_AM.finditer(folded):
        if _is_written_as_name(text, match.end()):
            _name_from(text, folded, match.end(), _BY_ITS_LOOKS, names)
    for match in _KIN_CUE.finditer(folded):
        if _is_written_as_name(text, match.end()) and not _SPOKEN_TO.match(folded[: match.end()]):
            _names_from(text, folded, match.end(), _BY_ITS_LOOKS, names)
    titled = _TITLED.match(folded)
    if titled is not None and _is_written_as_name(text, titled.start("name")):
        _name_from(text, folded, titled.start("name"), _BY_ITS_LOOKS, names)
    opening = _OPENING_NAME.match(folded)
    if opening is not None and all(_is_capital(word) for word in text[slice(*opening.span("name"))].split()):
        _name_from(text, folded, opening.start("name"), _BY_ITS_LOOKS, names)


def _known_in(text: str, folded: str, names: list[NameFound]) -> None:
    """Known names for whom something is, and known names in full; nobody spoken to, no street or firm."""
    for match in _FOR_CUE.finditer(folded):
        if match["word"] in _KNOWN:
            _names_from(text, folded, match.start("word"), _BY_ITS_LOOKS, names)
    for match in _FULL_NAME.finditer(text):
        before = folded[: match.start()]
        if match[1].lower() in _KNOWN and not (_SPOKEN_TO.match(before) or _NAMED_AFTER.search(before)):
            _name_from(text, folded, match.start(), _BY_ITS_LOOKS + 1, names)


def _is_written_as_name(text: str, at: int) -> bool:
    """Whether a word begins there that looks like a name, by a capital and small letters, or is known as one; a title
    before it is passed.
    """
    word = re.match(r"(?:(?:[Pp]ak|[Bb]u|[Mm]as|[Mm]bak|[Bb]ang|[Kk]ang|[Mm]bah) )?([^\W\d_]+)", text[at:])
    if word is None:
        return False
    return word[1].lower() in _KNOWN or (_is_capital(word[1]) and word[1].lower() not in _CALLED)


def _is_capital(word: str) -> bool:
    return word[:1].isupper() and (len(word) == 1 or not word.isupper()) and fold(word) not in _OPENERS


#: Words that open a message with a capital and are no name.
_OPENERS = frozenset(
    "halo hai hello hi selamat assalamualaikum mohon tolong maaf permisi saya kami nama pak bu kak mas mbak min admin "
    "siang sore pagi malam untuk kepada yth bapak ibu bila jika kalau bpjs ketenagakerjaan kesehatan jamsostek di ke "
    "dari dengan salam sejahtera terima kasih kecelakaan aku gue kulo abdi awak ambo ulun unda beta tiang horas punten "
    "ini itu".split()
)
#: What follows "pekerja", "anak saya" or "nama" and begins like a name, but names nobody.
_NOBODY = frozenset(
    "ahli rentan informal mandiri formal lepas harian migran penerima bukan jatuh sekolah meninggal sakit kecelakaan "
    "wafat kerja bekerja ikut daftar sudah belum mau kandung pertama kedua jawa sumatera kalimantan sulawesi papua "
    "nusa bali maluku kota kabupaten provinsi bpjs jamsostek sebagai yang dan ibu ayah bapak mbak mas pak bu ibunya "
    "bapaknya supervisor orangnya orang depan belakang sendiri keluarga perusahaan toko pt cv donatur donaturnya hamba "
    "kampung desa peserta lepat kleru klentu pakai beda gang jalan udah ud sdh si nenek kakek panggilan gelar huruf "
    "kandung program petugas lengkap salah".split()
)


#: A title before a name, as letters and lists write it.
_TITLE = re.compile(r"(?:(?:sdri?|saudara|saudari|hj?|ir|drs|dra|dr|almh?|bpk|tn|ny|nn)\.?\s+)+(?=[^\W\d_]{3})")
#: What happened to somebody, right after the name: "Hasan ditolak", "Wagimin tersambar".
_VERB = re.compile(r"(?:di|ke|ter|ber|me[mnlr]|pe[mn])[a-z]{4,}")


def _is_verb(word: str) -> bool:
    return word.islower() and word not in _KNOWN and _VERB.fullmatch(word) is not None


def _names_from(text: str, folded: str, start: int, rank: int, names: list[NameFound]) -> None:
    """The name at `start` and those joined to it: "Udin dan Jamal"."""
    for _ in range(_MOST_JOINED):
        end = _name_from(text, folded, start, rank, names)
        more = _ONE_MORE.match(folded, end) if end is not None else None
        if more is None or not _is_written_as_name(text, more.end()):
            return
        start, rank = more.end(), max(rank, _BY_ITS_LOOKS)


def _name_from(text: str, folded: str, start: int, rank: int, names: list[NameFound]) -> int | None:
    """Adds the name at `start`, if there is one, and says where it ends."""
    title = _TITLE.match(folded, start)
    start = title.end() if title is not None else start
    rest = folded[start : start + _LONGEST]
    initial = re.match(r"[a-z]\.\s?", rest)
    stop = _NAME_STOP.search(rest, initial.end() + 1 if initial is not None else 2)
    end = start + (stop.start() if stop else len(rest))
    verb = next((word for word in _NAME_WORD.finditer(text, start, end) if _is_verb(word[0])), None)
    if verb is not None:
        end = verb.start()
    if rank >= _BY_ITS_LOOKS:
        end = _end_of_looks(text, start, end)
    read = name_in(text[start:end], folded[start:end])
    if not isinstance(read, Reading):
        return None
    words = str(read.value).split()
    if words[0].lower() in _NOBODY:
        return None
    if rank >= _BY_ITS_LOOKS and (find_regions(words[0].lower()) or find_occupations(" ".join(words).lower())):
        return None
    at = folded.find(words[0].lower(), start, end)
    names.append(NameFound(str(read.value), at if at >= 0 else start, end, rank, read.doubts))
    return end


def _end_of_looks(text: str, start: int, end: int) -> int:
    """Where the words end that look like the first: capitals or known names after a capital, else known names."""
    last = start
    capital = False
    for word in _NAME_WORD.finditer(text, start, end):
        plain = word[0].lower()
        if plain in _CALLED and last == start:
            continue
        capital = capital or (last == start and word[0][:1].isupper())
        if not (plain in _KNOWN or plain in _LINKS or (capital and word[0][:1].isupper())):
            break
        last = word.end()
    return last if last > start else end
