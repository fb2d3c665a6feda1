"""What people do for a living, in their own words, as a code of our occupation list."""

# ruff: noqa: SIM905  word lists are read and edited as text

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from nlu.values.asking import is_question, is_unknown
from nlu.values.folding import after_retraction, fold, unstretch
from nlu.values.near_words import NearWords
from nlu.values.reading import Reading, Refusal

_TABLE = Path(__file__).resolve().parent.parent / "data_tables" / "occupations.csv"
_WORD = re.compile(r"[^\W_]+(?:[&'][^\W_]+)*")
_LONGEST = 5


@dataclass(frozen=True, slots=True)
class Occupation:
    """One entry of the list. `sector` is "transport" or "other"; `doubt` names what to ask back, or is empty."""

    code: str
    label: str
    group: str
    sector: str
    doubt: str


@dataclass(frozen=True, slots=True)
class OccupationFound:
    """An occupation named in a text; positions in the folded text. `general` marks a word that a nearer one
    outdoes ("sopir").
    """

    occupation: Occupation
    words: tuple[str, ...]
    start: int
    end: int

    @property
    def general(self) -> bool:
        """Whether the words are so general that another occupation beside them decides."""
        return self.words in _GENERAL


_SPELLINGS = {
    "supir": "sopir", "supirnya": "sopir", "sopirnya": "sopir", "driver": "driver", "drivernya": "driver", "pengemudi":
        "pengemudi", "tkg": "tukang", "tkng": "tukang", "tukng": "tukang",
    "jualin": "jualan", "jual": "jual", "ngojeg": "ngojek", "ojeknya": "ojek", "ojol2": "ojol", "pedagangnya":
        "pedagang", "dagangan": "dagang", "truck": "truk", "taxi": "taksi",
    "service": "servis", "hape": "hp", "handphone": "hp", "onlen": "online", "onlin": "online", "ol": "online", "bgnn":
        "bangunan", "bangunn": "bangunan",
    "serabutn": "serabutan", "jualannya": "jualan", "krywn": "karyawan", "kuli2": "kuli", "sopirin": "sopir", "sawahan":
        "sawah",
}  # fmt: skip


def _norm(text: str) -> tuple[str, ...]:
    return tuple(_SPELLINGS.get(word, word) for word in _WORD.findall(text.lower()))


#: What sellers call their work: the wares tell the occupation, whichever of these stands before them.
_SELLING = ("jualan", "jual", "dagang", "penjual", "pedagang", "berjualan", "berdagang", "dodolan", "bakul", "icalan")


def _load() -> tuple[dict[str, Occupation], dict[tuple[str, ...], str]]:
    entries: dict[str, Occupation] = {}
    synonyms: dict[tuple[str, ...], str] = {}
    with _TABLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            entry = Occupation(row["code"], row["label"], row["group"], row["sector"], row["doubt"])
            entries[entry.code] = entry
            for synonym in row["synonyms"].split("|"):
                synonyms.setdefault(_norm(synonym), entry.code)
    for entry in entries.values():
        synonyms.setdefault(_norm(entry.label), entry.code)
    for words, code in list(synonyms.items()):
        if len(words) > 1 and words[0] in _SELLING:
            for verb in _SELLING:
                synonyms.setdefault((verb, *words[1:]), code)
    return entries, synonyms


#: Code to entry, in the order of the list.
OCCUPATIONS, _SYNONYMS = _load()
_FIRST_WORDS = frozenset(words[0] for words in _SYNONYMS)
_NEAR = NearWords(("".join(words) for words in _SYNONYMS), least=5)
_BY_JOINED = {"".join(words): code for words, code in _SYNONYMS.items()}
_GENERAL: frozenset[tuple[str, ...]] = frozenset(
    _norm(word)
    for word in (
        "sopir driver pengemudi tukang buruh kuli pedagang dagang jualan berdagang penjual karyawan pegawai lain "
        "lainnya serabutan wiraswasta wirausaha staf staff "
        "petani tani guru narik las parkir kue perahu usaha teknisi pelayan dokter kaisar bos imam umkm kader".split()
    )
)
#: Words that mean an occupation only as an answer, or after "kerja saya": in a sentence they mostly mean something
#: else.
NEEDS_CUE = frozenset(
    _norm(word)
    for word in (
        "bos,imam,las,kue,urut,parkir,kaisar,band,kru,crew,mc,wo,eo,salon,rias,tambak,lapak,gerobak,bengkel,warung,"
        "perahu,asuransi,lain,lainnya,yang lain,lain-lain,lain lain,rt rw,"
        "pak rt,bu rt,ketua rt,ketua rw,dokter,perawat,bidan,polisi,tentara,pns,pegawai,staf,staff,karyawan,owner,"
        "guide,admin online,penulis,kader,relawan,magang,koki,kasir,sales,"
        "security,satpam,ob,abk,sado,kaki lima,imam masjid,suster,bibi,konstruksi,perdagangan,pelayan,agen bank,agen "
        "perisai,brilink,agen brilink,calo,broker,makelar,perantara,gojek,"
        "grab,maxim,refleksi,batik,tenun,barang bekas,rongsok,laundry,angkot,becak,perangkat desa,aparat desa,teknisi,"
        "ronda,wasit,coach,pasukan oranye,ternak,sound system,dekorasi,"
        "asisten rt,kantin,mebel,furniture,furnitur,butik,starling,nyari ikan,cari ikan,ojek,apa saja,kerja apa aja,"
        "kerja apa saja,ke sawah,art,prt,pkl,pijat,pijet,kolam ikan,"
        "guru,buruh,kuli,usaha sendiri,usaha kecil,pelajar,mahasiswa,pensiunan,kerja pabrik,majikan,juragan,pengusaha,"
        "pemilik usaha,pemberi kerja,pengacara,advokat,notaris,klotok,"
        "bajaj,tukang,nol,jahit,ukir,macul,sais,rider,gocar,grabcar,delivery,antar barang,kontraktor,pemborong,"
        "arsitek,wartawan,kerja proyek,kerja online,ngasuh anak,nganggur,karyawan toko,"
        "anak kandang,tidak bekerja,belum bekerja,tidak kerja,ga kerja,gak kerja,nggak kerja,belum kerja,irt,siswa,"
        "cukur,permak,tambal ban,rumah makan,kedai,wasap,potong rambut,event organizer,"
        "konsultan,usaha mandiri,jaga rumah,interpreter,dokter umum,dokter gigi,calo tiket,karyawan kontrak,karyawan "
        "swasta,imam mushola,pegawai negeri,guru agama,seniman,cuci motor".split(",")
    )
)


def find_occupations(folded: str) -> list[OccupationFound]:
    """Occupations named in `folded`, in order; the longest name at each place."""
    words = [(_SPELLINGS.get(m.group(), m.group()), m.start(), m.end()) for m in _WORD.finditer(folded)]
    found: list[OccupationFound] = []
    i = 0
    while i < len(words):
        best = 0
        if words[i][0] in _FIRST_WORDS:
            run: tuple[str, ...] = ()
            for j in range(i, min(i + _LONGEST, len(words))):
                run = (*run, words[j][0])
                if run in _SYNONYMS:
                    best = j + 1 - i
        if best:
            run = tuple(word for word, _, _ in words[i : i + best])
            found.append(OccupationFound(OCCUPATIONS[_SYNONYMS[run]], run, words[i][1], words[i + best - 1][2]))
            i += best
        else:
            i += 1
    return found


def decisive(found: list[OccupationFound]) -> list[OccupationFound]:
    """`found` without general words that a nearer one beside them outdoes."""
    specific = [item for item in found if not item.general]
    return specific or found


def _reading(occupation: Occupation, *doubts: str) -> Reading:
    all_doubts = ((occupation.doubt,) if occupation.doubt else ()) + doubts
    return Reading(
        occupation.code, all_doubts, {"label": occupation.label, "group": occupation.group, "sector": occupation.sector}
    )


_STOP = frozenset(
    "saya sy aku gue gua kerja kerjaan pekerjaan kerjanya kerjaannya pekerjaannya sebagai jadi sbg profesi seorang "
    "cuma hanya pak bu min kak ya iya mas mbak sehari hari harinya "
    "di aja saja sih dong lah adalah nya itu sekarang".split()
)
_DENIED = re.compile(r"\b(?:bukan|bkn|dudu|sanes|bukannya)\s+$")
_NOW = re.compile(r"\b(?:sekarang|skrg|skarang|kini|saiki|ayeuna)\b")


def read_occupation(text: str) -> Reading | Refusal:
    """An occupation as its code, with label, group and sector in the detail. Ambiguous ones carry their doubt."""
    folded = unstretch(fold(text))
    if not folded.strip():
        return Refusal("empty", attempt=False)
    tail = after_retraction(folded)
    for part in (tail, folded):
        if part is None or not part.strip():
            continue
        result = _read(part)
        if isinstance(result, Reading) or part is folded:
            return result
    return Refusal("unclear", attempt=False)


def _read(folded: str) -> Reading | Refusal:
    words = _norm(folded)
    if len(words) == 1 and words[0] in OCCUPATIONS:
        return _reading(OCCUPATIONS[words[0]])
    if words in _SYNONYMS:
        return _reading(OCCUPATIONS[_SYNONYMS[words]])
    found = decisive([item for item in find_occupations(folded) if not _DENIED.search(folded[: item.start])])
    now = _NOW.search(folded)
    if now is not None and len(found) > 1:
        found = [item for item in found if item.start > now.end()][:1] or found
    codes = {item.occupation.code: item.occupation for item in found}
    if len(codes) > 1:
        return Refusal(
            "two_answers", {"options": "|".join(codes), "labels": "|".join(entry.label for entry in codes.values())}
        )
    if found:
        if is_question(folded) and len(words) > 4:
            return Refusal("question", attempt=False)
        return _reading(found[0].occupation)
    joined = "".join(word for word in words if word not in _STOP)
    near = {_BY_JOINED[name] for name in _NEAR.nearest(joined)}
    if len(near) == 1:
        return _reading(OCCUPATIONS[near.pop()], "spelling")
    for word in words:
        close = {_BY_JOINED[name] for name in _NEAR.nearest(word)} if len(word) >= 6 else set()
        if len(close) == 1:
            return _reading(OCCUPATIONS[close.pop()], "spelling")
    if is_question(folded):
        return Refusal("question", attempt=False)
    if is_unknown(folded):
        return Refusal("unknown", attempt=False)
    return Refusal(
        "not_in_list", attempt=any(word in {"kerja", "tukang", "pekerjaan", "usaha", "bekerja"} for word in words)
    )
