"""Which of the offered options was meant: by number, order, label, part of a label or a description that fits
one alone.
"""

# ruff: noqa: SIM905  word lists are read and edited as text

import re
from collections.abc import Iterable, Sequence
from datetime import date
from fractions import Fraction

from nlu.values.affirm import read_affirm_deny
from nlu.values.asking import is_question, is_unknown
from nlu.values.folding import after_retraction, fold, unstretch
from nlu.values.months import spans_in
from nlu.values.near_words import edit_distance
from nlu.values.numbers_in_words import amounts_in, tokens_of
from nlu.values.occupations import read_occupation
from nlu.values.reading import Reading, Refusal
from nlu.values.regions import find_regions

_WORD = re.compile(r"[^\W_]+")
_STOP = frozenset(
    "yang yg aja saja aj ajah deh dong donk sih kok lah pilih pilihan opsi milih mau itu ini saya sy aku gue gua pak "
    "bu min kak mas mbak bang nomor nomer no nmr "
    "ke di dari untuk buat ya iya yaa oke ok lebih paling kayaknya sepertinya mungkin kalau kalo dengan dgn dan atau "
    "eh oh hmm tolong minta ambil kepada pakai pake "
    "via lewat melalui program opsinya pilihannya kyknya ada adalah jawaban jawab tuh nih a the boleh bisa ingin "
    "pengen coba sama jadi dulu ku sing nu anu nan".split()
)
_ORDINALS: dict[str, int] = {
    "pertama": 1, "kesatu": 1, "first": 1, "kahiji": 1, "kapisan": 1, "kedua": 2, "second": 2, "kadua": 2, "kaping2": 2,
        "ketiga": 3, "third": 3, "katilu": 3, "katelu": 3, "keempat": 4,
    "kelima": 5, "keenam": 6, "ketujuh": 7, "kedelapan": 8, "kesembilan": 9, "kesepuluh": 10,
}  # fmt: skip
_CARDINALS: dict[str, int] = {
    "satu": 1, "siji": 1, "hiji": 1, "dua": 2, "loro": 2, "tiga": 3, "telu": 3, "tilu": 3, "empat": 4, "papat": 4,
        "opat": 4, "lima": 5, "limo": 5, "enam": 6,
    "enem": 6, "genep": 6, "tujuh": 7, "pitu": 7, "delapan": 8, "wolu": 8, "dalapan": 8, "sembilan": 9, "songo": 9,
        "sepuluh": 10, "sapuluh": 10, "sebelas": 11,
    "one": 1, "two": 2, "three": 3, "setunggal": 1, "kalih": 2, "sekawan": 4, "ciek": 1, "duo": 2, "tigo": 3,
        "ampek": 4,
}  # fmt: skip
_NUMBER_WORDS = "|".join(_CARDINALS)
_EXPLICIT = re.compile(
    rf"\b(?:nomor|nomer|no|nmr|number|pilihan|opsi|option|ke|poin|point|urutan|angka|pencet|"
    rf"tekan)[\s.\-:]*(?P<n>[0-9]{{1,3}}|{_NUMBER_WORDS})\b(?! ?(?:bulan|bln|tahun|thn|program|"
    rf"juta|ribu|rb|jt))"
)
_LETTER = re.compile(
    r"^(?:yang|yg|pilih|pilihan|opsi|jawab|jawaban|huruf|pilih yang|pilih "
    r"yg)?\s*\(?([a-h])\)?[.!]?(?:\s+(?:aja|saja|deh|ya|dong|pak|bu|min|kak))*$"
)
_BARE = re.compile(
    rf"^(?:(?:yang|yg|sing|nu|nan|anu|pilih|ambil|saya|mau|no|nomor|aku)\s+)*[(\[]?(?P<n>-?[0-9]{{1,4}}|"
    rf"{_NUMBER_WORDS})[)\].,!]*(?:\s+(?:aja|saja|aj|deh|ya|dong|pak|bu|min|kak|lah|sih|mas|mbak|bang|"
    rf"oke|ok))*[.!]*$"
)
_LAST = re.compile(
    r"\b(?:terakhir|terahir|trakhir|terakir|paling (?:akhir|bawah|ujung|belakang)|bawah sendiri|"
    r"terbawah|last|pungkasan|panungtung|yang bawah|yg bawah|bawah)\b"
)
_FIRST = re.compile(
    r"\b(?:paling (?:atas|awal|depan)|teratas|yang atas|yg atas|atas sendiri|paling pertama|yang "
    r"awal)\b"
)
_MIDDLE = re.compile(r"\b(?:tengah|tengah-tengah|tengahan)\b")
_BOTH = re.compile(
    r"\b(?:keduanya|dua-duanya|dua2nya|duanya|semua|semuanya|smua|semua2nya|kabeh|kabehan|sadayana|"
    r"ketiganya|both|all|terserah|bebas|mana aja|mana saja|apa aja)\b"
)
_EITHER = re.compile(r"\b(?:atau|ato|sama|dan|n|apa)\b|[,/&+]")
_NOT_THAT = re.compile(
    r"\b(?:bukan|bkn|selain|jangan|kecuali|jgn|dudu|sanes|ga mau|gak mau|nggak mau|tidak mau|"
    r"ogah)\b"
)
_LEAST = re.compile(
    r"\b(?:murah|termurah|murahan|kecil|terkecil|sedikit|dikit|tersedikit|pendek|terpendek|sebentar|"
    r"bentar|singkat|tersingkat|cepat|tercepat|cepet|rendah|terendah|ringan|teringan|hemat|irit|minim|"
    r"minimal|muda|termuda)\b"
)
_MOST = re.compile(
    r"\b(?:mahal|termahal|besar|terbesar|gede|banyak|terbanyak|lama|terlama|panjang|terpanjang|tinggi|"
    r"tertinggi|maksimal|tua|tertua)\b"
)
#: Says how much is in an option, never how big a sum or how long a time it is.
_WHOLE = re.compile(r"\b(?:lengkap|terlengkap|komplit|komplet|full)\b")
_HOW_MANY = re.compile(
    r"\b(?P<n>[2-9]|dua|loro|tiga|telu|tilu|empat|lima) (?:program|jaminan|perlindungan|macam|jenis)\b"
)
_PROGRAMME = re.compile(r"\b(?:jkk|jkm|jht|jp|jkp)\b")
#: "buat saya": the one who answers is meant, which is a label of its own where it is asked for whom.
_FOR_ME = re.compile(
    r"^(?:(?:untuk|utk|buat|bwt|bagi|kanggo|kangge|nggo|kagem|keur|pikeun|gawe)\s+)?(?:saya|sy|aku|gue|gua|gw|ane|kulo|kula|"
    r"abdi|awak|ambo|ulun|saya sendiri|aku dewe|awak dewe)(?:\s+(?:saja|aja|kok|pak|bu|min|kak|mas|mbak|ya))*$"
)

#: Words that people use for one another; each line is one meaning.
_SAME = (
    "laki lelaki pria cowok cowo lanang jaler male lakilaki",
    "perempuan wanita cewek cewe wedok awewe istri_ female",
    "whatsapp wa wasap whatsap watsap",
    "telegram tele tg telegr",
    "telepon telpon telp tlp hp nelpon ponsel handphone telfon hape",
    "petugas orang manusia cs admin operator staf staff pegawai_bpjs",
    "ubah ganti edit koreksi perbaiki rubah benerin betulkan benarkan ngubah ngganti",
    "kirim krim send kirimkan submit ajukan",
    "batal cancel batalkan gajadi urung batalin",
    "lewati lewat_ skip lewatin lompati",
    "nanti ntar kapan2 besok",
    "sekarang skrg skarang langsung saiki ayeuna",
    "bayar byr membayar mbayar mayar pembayaran",
    "daftar ndaftar mendaftar pendaftaran register daptar",
    "keluhan komplain pengaduan aduan lapor ngadu komplen laporan",
    "saldo tabungan jht duit",
    "kecelakaan celaka jkk cilaka kcelakaan",
    "kematian meninggal jkm wafat mati",
    "ojek ojol gojek grab opang maxim",
    "sopir supir driver pengemudi",
    "pedagang dagang jualan jual warung",
    "petani tani",
    "rumah omah imah",
    "alamat almt",
    "kantor cabang",
    "ibu ibuk emak mamak mama umak",
    "istri bojo suami pasangan",
    "anak putra putri",
    "tahunan tahun thn setahun",
    "bulan bln bulanan",
    "foto poto gambar photo",
    "data datanya",
    "nama nm namanya",
    "kembali balik mundur",
    "lanjut lanjutkan terus next lanjutin",
    "benar betul bener",
    "salah keliru",
    "pekerja karyawan buruh",
    "perusahaan pt cv kantor_ company instansi",
    "pribadi perorangan perseorangan individu sendiri",
    "motor sepeda_motor",
    "donasi sumbang nyumbang menyumbang",
    "kartu kpj",
    "ktp nik",
    "kabupaten kab kabup kabupten",
    "lainnya lain",
)  # fmt: skip
_CANON: dict[str, str] = {word: line.split()[0] for line in _SAME for word in line.split()}


#: Said before a label or a part of it, these turn it round ("gak ada bukti" is not "Ada bukti").
_NOT = re.compile(
    r"\b(?:tdk|tak|gak|ga|gk|nggak|ngga|enggak|engga|ndak|indak|kagak|kaga|ora|mboten|teu|henteu|kada)\b(?= ?[a-z])"
)


def _canon(word: str) -> str:
    known = _CANON.get(word)
    return known if known is not None else _CANON.get(_POSSESSED.sub("", word), word)


#: Who answers, where only the sex is asked.
_WOMAN = re.compile(r"\b(?:ibu|ibuk|bu|emak|mamak|nenek|nona|gadis|janda|mbak|ibu-ibu|emak-emak)\b")
_MAN = re.compile(r"\b(?:bapak|bpk|pak|ayah|kakek|bujang|duda|mas|bapak-bapak)\b")
_SEXES = (frozenset({"laki"}), frozenset({"perempuan"}))
_APOSTROPHE = re.compile(r"(?<=[a-z])'(?=[a-z])")


_POSSESSED = re.compile(r"(?<=[a-z]{3})(?:nya|ku|mu)$")
_BEFORE_ROOT = (
    "di",
    "ke",
    "se",
    "ter",
    "ber",
    "per",
    "pe",
    "pem",
    "pen",
    "peng",
    "pel",
    "mem",
    "men",
    "meng",
    "me",
    "ng",
)
_AFTER_ROOT = ("kan", "an", "i", "nya", "ku")
_SHORTEST_ROOT = 4


def _roots(word: str) -> frozenset[str]:
    """What `word` may be made from, itself among them: "perdagangan" from "dagang", "ditelpon" from "telpon"."""
    roots = {word}
    for _ in range(2):
        roots |= {root.removesuffix(ending) for root in roots for ending in _AFTER_ROOT}
    roots |= {root.removeprefix(beginning) for root in roots for beginning in _BEFORE_ROOT}
    return frozenset(_canon(root) for root in roots if len(root) >= _SHORTEST_ROOT) | {_canon(word)}


def _label_words(label: str) -> frozenset[str]:
    return frozenset(_canon(word) for word in _WORD.findall(label))


def _close(word: str, other: str) -> bool:
    """Whether two words are the same but for slips: one in a word of 5 letters, two in a word of 9, or a clear
    beginning.
    """
    if word == other:
        return True
    shorter = min(len(word), len(other))
    if (len(word) >= 4 and other.startswith(word)) or (
        len(other) >= 4 and word.startswith(other) and len(word) - len(other) <= 3
    ):
        return not word.isdigit()
    if shorter < 5 or word.isdigit() or abs(len(word) - len(other)) > 2:
        return False
    return edit_distance(word, other, 2 if shorter >= 9 else 1) is not None


def _normal(text: str) -> str:
    return " ".join(_WORD.findall(text))


def _months_in(folded: str) -> Fraction | int | None:
    tokens = tokens_of(folded)
    spans = spans_in(tokens, amounts_in(tokens))
    return spans[0].months if len(spans) == 1 else None


def _sum_in(folded: str) -> Fraction | int | None:
    amounts = [a for a in amounts_in(tokens_of(folded)) if not a.vague]
    values = {a.value for a in amounts}
    return values.pop() if len(values) == 1 else None


def _by_number(folded: str, count: int) -> tuple[int | Refusal | None, bool]:
    """An option number said as such, and whether it was said beyond doubt ("nomor 3", "yang ketiga")."""
    explicit = {m["n"] for m in _EXPLICIT.finditer(folded)}
    numbers = {int(n) if n.isdigit() else _CARDINALS[n] for n in explicit}
    numbers |= {_ORDINALS[word] for word in _WORD.findall(folded) if word in _ORDINALS}
    sure = bool(numbers)
    if not numbers:
        bare = _BARE.match(folded)
        if bare is not None:
            text = bare["n"]
            numbers = {int(text) if text.lstrip("-").isdigit() else _CARDINALS[text]}
        else:
            letter = _LETTER.match(folded)
            if letter is not None and ord(letter.group(1)) - 96 <= max(count, 2):
                numbers, sure = {ord(letter.group(1)) - 96}, True
    if not numbers and _LAST.search(folded):
        numbers, sure = {count}, True
    if not numbers and _FIRST.search(folded):
        numbers, sure = {1}, True
    if not numbers and _MIDDLE.search(folded) and count % 2 == 1:
        numbers, sure = {count // 2 + 1}, True
    if len(numbers) > 1:
        return Refusal("two_answers"), True
    if not numbers:
        return None, False
    number = numbers.pop()
    if not 1 <= number <= count:
        return Refusal("out_of_range", {"number": str(number), "options": str(count)}), sure
    return number, sure


def _unique(numbers: Iterable[int]) -> int | Refusal | None:
    found = set(numbers)
    return None if not found else found.pop() if len(found) == 1 else Refusal("two_answers")


def _by_label(folded: str, labels: Sequence[str]) -> int | Refusal | None:
    """The option whose label the reply gives, in whole, in part, or as the same span of time or sum of money."""
    normal = _normal(folded)
    exact = [i for i, label in enumerate(labels, start=1) if _normal(label) == normal]
    if exact:
        return _unique(exact)
    padded = f" {normal} "
    inside = [
        i
        for i, label in enumerate(labels, start=1)
        if _normal(label) and f" {_normal(label)} " in padded and f" tidak {_normal(label)} " not in padded
    ]
    if inside:
        if _EITHER.search(folded) and _each_names_one(folded, labels):
            return Refusal("two_answers")
        longest = max(len(_normal(labels[i - 1])) for i in inside)
        best = [i for i in inside if len(_normal(labels[i - 1])) == longest]
        rest = [i for i in inside if _normal(labels[i - 1]) not in _normal(labels[best[0] - 1])]
        return _unique(best) if not rest else Refusal("two_answers")
    months = _months_in(folded)
    if months is not None:
        same = [i for i, label in enumerate(labels, start=1) if _months_in(label) == months]
        if same:
            return _unique(same)
        if any(_months_in(label) is not None for label in labels):
            return Refusal("out_of_range", {"options": str(len(labels))})
    words = [_canon(word) for word in _WORD.findall(folded) if word not in _STOP]
    if not words:
        return None
    scores: list[int] = []
    for label in labels:
        own = _label_words(label)
        scores.append(
            sum(1 for word in words if word in own or any(_close(word, other) for other in own if other not in _STOP))
        )
    best_score = max(scores)
    if best_score:
        best = [i for i, score in enumerate(scores, start=1) if score == best_score]
        if len(best) == 1:
            spread = sum(1 for score in scores if score)
            if best_score == len(words) or spread == 1 or best_score - sorted(scores)[-2] >= 1:
                if spread > 1 and _EITHER.search(folded) and _each_names_one(folded, labels):
                    return Refusal("two_answers")
                return best[0]
        exactly = [i for i in best if _label_words(labels[i - 1]) == frozenset(words)]
        if len(exactly) == 1:
            return exactly[0]
        amount = _sum_in(folded)
        same = [i for i in best if amount is not None and _sum_in(labels[i - 1]) == amount]
        return same[0] if len(same) == 1 else Refusal("two_answers")
    amount = _sum_in(folded)
    if amount is not None:
        return _unique(i for i, label in enumerate(labels, start=1) if _sum_in(label) == amount)
    return _by_root(folded, labels)


def _by_root(folded: str, labels: Sequence[str]) -> int | Refusal | None:
    """The option that has a word made from the same root ("dagang" is "Perdagangan")."""
    said: set[str] = set().union(*(_roots(word) for word in _WORD.findall(folded) if word not in _STOP))
    return _unique(
        i
        for i, label in enumerate(labels, start=1)
        if any(_roots(word) & said for word in _WORD.findall(label) if word not in _STOP)
    )


def _each_names_one(folded: str, labels: Sequence[str]) -> bool:
    """Whether the parts around an "atau" or "dan" each name a different label."""
    parts = [part for part in _EITHER.split(folded) if part.strip()]
    named = set()
    for part in parts:
        words = [_canon(word) for word in _WORD.findall(part) if word not in _STOP]
        hits = [
            i
            for i, label in enumerate(labels)
            if words and all(any(_close(w, o) for o in _label_words(label)) for w in words)
        ]
        if len(hits) == 1:
            named.add(hits[0])
    return len(named) > 1


def _label_size(label: str) -> Fraction | int | None:
    months = _months_in(label)
    if months is not None:
        return months
    amounts = [a.value for a in amounts_in(tokens_of(label)) if not a.vague]
    return max(amounts) if amounts else None


def _by_description(folded: str, labels: Sequence[str]) -> int | Refusal | None:
    """ "yang paling murah", "yang lebih lama", "iya" for a label that says yes."""
    least, most = _LEAST.search(folded), _MOST.search(folded)
    if bool(least) != bool(most):
        sizes = [_label_size(label) for label in labels]
        known = [size for size in sizes if size is not None]
        if len(known) == len(labels) and len(set(known)) == len(known):
            return sizes.index(min(known) if least else max(known)) + 1
        lengths = [len(_label_words(label)) for label in labels]
        full = re.search(r"\b(?:banyak|terbanyak|sedikit|dikit)\b", folded)
        if full and all("+" in label or "," in label for label in labels) and len(set(lengths)) == len(lengths):
            return lengths.index(min(lengths) if least else max(lengths)) + 1
    programmes = [len(_PROGRAMME.findall(label)) for label in labels]
    if all(programmes):
        if _WHOLE.search(folded) and programmes.count(max(programmes)) == 1:
            return programmes.index(max(programmes)) + 1
        several = _HOW_MANY.search(folded)
        if several is not None:
            number = int(several["n"]) if several["n"].isdigit() else _CARDINALS[several["n"]]
            return _unique(i for i, count in enumerate(programmes, start=1) if count == number)
    if _FOR_ME.match(_normal(folded)):
        return _unique(i for i, label in enumerate(labels, start=1) if re.search(r"\b(?:sendiri|saya|aku)\b", label))
    answer = read_affirm_deny(folded)
    if isinstance(answer, Reading) and answer.value in {"yes", "no"}:
        kinds = [read_affirm_deny(label) for label in labels]
        same = [i for i, kind in enumerate(kinds, start=1) if isinstance(kind, Reading) and kind.value == answer.value]
        opposite = [kind for kind in kinds if isinstance(kind, Reading) and kind.value not in {answer.value, "unclear"}]
        if len(same) == 1 and (opposite or len(labels) > 2):
            return same[0]
    return None


def _by_value(folded: str, labels: Sequence[str]) -> int | Refusal | None:
    """The option that names the same region or occupation in other words ("sby" is Surabaya, "PRT" a servant)."""
    for named in (_region_in, _occupation_in):
        said = named(folded)
        if said is not None:
            same = [i for i, label in enumerate(labels, start=1) if named(label) == said]
            if same:
                return _unique(same)
    return None


def _region_in(text: str) -> tuple[str, ...] | None:
    found = {region.codes for region in find_regions(text)}
    return found.pop() if len(found) == 1 else None


def _occupation_in(text: str) -> str | None:
    read = read_occupation(text)
    return str(read.value) if isinstance(read, Reading) else None


def _by_sex(folded: str, labels: Sequence[str]) -> int | None:
    """ "saya ibu-ibu" where only man or woman is asked."""
    kinds = [frozenset(_label_words(label)) for label in labels]
    if sorted(kinds, key=min) != sorted(_SEXES, key=min):
        return None
    woman, man = _WOMAN.search(folded), _MAN.search(folded)
    if bool(woman) == bool(man):
        return None
    return kinds.index(_SEXES[1] if woman else _SEXES[0]) + 1


def _excluded(folded: str, labels: Sequence[str]) -> int | Refusal | None:
    """With two options, the one left when the other is refused ("bukan yang pertama")."""
    match = _NOT_THAT.search(folded)
    if match is None or len(labels) != 2:
        return None
    refused = _pick(folded[match.end() :], labels)
    return 3 - refused if isinstance(refused, int) else None


def _pick(folded: str, labels: Sequence[str]) -> int | Refusal | None:
    number, sure = _by_number(folded, len(labels))
    if sure:
        labelled = _by_label(folded, labels) if isinstance(number, Refusal) else None
        return labelled if isinstance(labelled, int) else number
    label = _by_label(folded, labels)
    if isinstance(number, int):
        if isinstance(label, int) and label != number:
            return Refusal("two_answers")
        return number
    if isinstance(label, int):
        return label
    if number is not None and label is None:
        return number
    described = _by_description(folded, labels)
    if isinstance(described, int):
        return described
    if label is None and number is None:
        return _by_sex(folded, labels) or _by_value(folded, labels)
    return label if label is not None else number


def read_choice(text: str, options: Sequence[str], *, today: date | None = None) -> Reading | Refusal:
    """The number (from 1) of the option meant. Out of range, two answers, or two labels that fit are refused
    with that reason.
    """
    folded = unstretch(fold(text)).replace("\ufe0f", "").replace("\u20e3", "").strip()
    folded = _APOSTROPHE.sub("", _NOT.sub("tidak", folded))
    if not folded:
        return Refusal("empty", attempt=False)
    if not options:
        return Refusal("unclear", attempt=False)
    labels = [_APOSTROPHE.sub("", _NOT.sub("tidak", unstretch(fold(option)))) for option in options]
    normal = _normal(folded)
    exact = [i for i, label in enumerate(labels, start=1) if _normal(label) == normal and normal]
    if len(exact) == 1 and not normal.isdigit():
        return Reading(exact[0])
    tail = after_retraction(folded)
    if tail is not None and tail.strip(" ,."):
        later = _pick(tail.strip(" ,."), labels)
        if isinstance(later, int):
            return Reading(later)
    if _NOT_THAT.search(folded) and not any(_NOT_THAT.search(label) for label in labels):
        other = _excluded(folded, labels)
        return Reading(other) if isinstance(other, int) else Refusal("unclear")
    several = re.match(
        rf"^\s*(?:(?:yang|yg|no|nomor|pilih)\s+)?([0-9]{{1,2}}|{_NUMBER_WORDS})\s*(?:,|&|\+|/|-|dan|"
        rf"atau|ato|sama|n|apa)\s*(?:(?:yang|yg|no|nomor)\s+)?([0-9]{{1,2}}|{_NUMBER_WORDS})\b(?! "
        rf"?(?:bulan|bln|tahun|juta|ribu))",
        folded,
    )
    if several is not None:
        return Refusal("two_answers")
    picked = _pick(folded, labels)
    if isinstance(picked, int):
        if is_question(folded) and len(folded.split()) > 2 and _normal(labels[picked - 1]) != normal:
            return Refusal("question", attempt=False)
        return Reading(picked)
    if isinstance(picked, Refusal):
        return picked
    if _BOTH.search(folded):
        return Refusal("two_answers")
    if is_question(folded):
        return Refusal("question", attempt=False)
    return Refusal("unknown" if is_unknown(folded) else "unclear", attempt=False)
