"""Names of people inside a sentence: told by the words that introduce them, or by their capitals."""

# ruff: noqa: SIM905  word lists are read and edited as text

import re
from dataclasses import dataclass

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
    r"(?:saya|aku|gue|gua|kulo|kula|abdi|awak|ambo|ulun|unda|beta|tiang|titiang|hamba|den|ini)\s+"
    r"(?=(?:pak |bu |mas |mbak )?[^\W\d_]+)"
)
_KIN = (
    r"anak buah|suami|suamiku|istri|istriku|isteri|bojo|laki|anak|anakku|adik|adek|adikku|kakak|kakakku|abang|mas|mbak|"
    r"bapak|bapakku|ayah|ayahku|ibu|ibuku|emak|mamak|mama|papa|paman|bibi|om|tante|pakde|bude|kakek|nenek|mertua|ipar|"
    r"menantu|keponakan|ponakan|sepupu|cucu|saudara|tetangga|teman|temen|kawan|rekan|sopir|supir|pembantu|art|asisten|"
    r"tukang kebun|satpam|karyawan|pegawai|pekerja|buruh|korban|almarhum|almarhumah|alm"
)
#: "suami saya Bambang", "kakak ipar saya, Yohanes": whose name follows. Only names with a capital are taken.
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
_ONE_MORE = re.compile(r"\s*(?:,|&|\bdan|\bsama|\bserta|\bkaro|\bjeung|\blan)\s+(?=[^\W\d_]{3,})")
_CALLED = frozenset("pak bu mas mbak bang kang teh mbah om tante kak".split())
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
    """Names that are introduced: after "nama saya" and its like, or "saya Budi Santoso" with capitals.

    `folded` is `text` folded and as long as it; the same name may be found twice, by different signs.
    """
    names: list[NameFound] = []
    for match in _NAME_CUE.finditer(folded) if _NAME_HINT.search(folded) else ():
        denied = re.match(r"bukan [^,;]{2,40}?[ ,]+(?:tapi|tp|melainkan|tetapi)\s+", folded[match.end() :])
        if denied is not None:
            _name_from(text, folded, match.end() + denied.end(), 3, names)
            continue
        _name_from(text, folded, match.end(), 3, names)
        for new in re.finditer(
            r"\s(?:jadi|menjadi|ke|harusnya|seharusnya|bukan|yang benar|yg benar|yang bener)\s+",
            folded[match.end() : match.end() + 90],
        ):
            _name_from(text, folded, match.end() + new.end(), 4, names)
    if text == folded:  # the names below are told by their capitals alone
        return names
    for match in _I_AM.finditer(folded):
        if _capital_at(text, match.end()):
            _name_from(text, folded, match.end(), 6, names)
    for match in _KIN_CUE.finditer(folded):
        if _capital_at(text, match.end()) and not _SPOKEN_TO.match(folded[: match.end()]):
            _names_from(text, folded, match.end(), names)
    titled = _TITLED.match(folded)
    if titled is not None and _capital_at(text, titled.start("name")):
        _name_from(text, folded, titled.start("name"), 6, names)
    opening = _OPENING_NAME.match(folded)
    if opening is not None and all(_is_name_word(word) for word in text[slice(*opening.span("name"))].split()):
        _name_from(text, folded, opening.start("name"), 6, names)
    return names


def _capital_at(text: str, at: int) -> bool:
    """Whether a word written like a name begins there: a capital, then small letters; a title before it is passed."""
    word = re.match(r"(?:(?:[Pp]ak|[Bb]u|[Mm]as|[Mm]bak|[Bb]ang|[Kk]ang|[Mm]bah) )?([^\W\d_]+)", text[at:])
    return word is not None and _is_name_word(word.group(1)) and word.group(1).lower() not in _CALLED


def _is_name_word(word: str) -> bool:
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
    "nusa bali maluku kota kabupaten provinsi bpjs jamsostek sebagai yang dan".split()
)


def _names_from(text: str, folded: str, start: int, names: list[NameFound]) -> None:
    """The name at `start` and those joined to it: "Udin dan Jamal"."""
    for _ in range(_MOST_JOINED):
        end = _name_from(text, folded, start, 6, names)
        more = _ONE_MORE.match(folded, end) if end is not None else None
        if more is None or not _capital_at(text, more.end()):
            return
        start = more.end()


_MOST_JOINED = 5


def _name_from(text: str, folded: str, start: int, rank: int, names: list[NameFound]) -> int | None:
    """Adds the name at `start`, if there is one, and says where it ends."""
    rest = folded[start : start + 70]
    stop = _NAME_STOP.search(rest, 2)
    initial = re.match(r"[a-z]\.\s?", rest)
    if initial is not None:
        stop = _NAME_STOP.search(rest, initial.end() + 1)
    end = start + (stop.start() if stop else len(rest))
    read = name_in(text[start:end], folded[start:end])
    if isinstance(read, Reading):
        words = str(read.value).split()
        if words[0].lower() in _NOBODY:
            return None
        if rank == 6 and (find_regions(words[0].lower()) or find_occupations(" ".join(words).lower())):
            return None
        at = folded.find(words[0].lower(), start, end)
        names.append(NameFound(str(read.value), at if at >= 0 else start, end, rank, read.doubts))
        return end
    return None
