"""How many: whole numbers above zero, as people count people and things."""

# ruff: noqa: SIM905  word lists are read and edited as text

import re
from itertools import pairwise

from nlu.values.asking import is_question, is_unknown
from nlu.values.folding import after_retraction, fold
from nlu.values.numbers_in_words import Amount, Token, amounts_in, tokens_of
from nlu.values.reading import Reading, Refusal

#: More than this is a slip of typing, not a number of people.
MOST = 10_000_000

#: What a person or thing to be helped is called after a number.
COUNTED = frozenset(
    "orang org oran anak pekerja karyawan pegawai buruh teman temen kawan anggota jiwa kepala driver ojol sopir "
    "petani nelayan tukang tetangga keluarga "
    "unit buah ekor peserta paket penerima kuli asisten art warga pedagang relawan wong jalma urang pemulung "
    "pembantu penjahit marbot "
    "guru staf staff tenaga "
    "ibu bapak emak mamak perempuan wanita pemuda remaja santri janda lansia nenek kakek "
    "kurir mitra saudara orangan biji lembar kartu".split()
)
_TIMES = frozenset(
    "hari hr minggu mgg pekan bulan bln bulanan tahun thn th taun wulan jam menit mnt detik dina dino tanggal rupiah "
    "perak rp persen % km kg meter rt rw".split()
)
_NOT_BEFORE = frozenset("umur usia umurnya usianya jam pukul tanggal tgl rp idr rt rw tahun thn anak".split()) - {
    "anak"
}
#: How many people act, in one word.
TOGETHER = {
    "sendiri": 1, "sendirian": 1, "seorang": 1, "sorangan": 1, "dewe": 1, "dewean": 1, "berdua": 2, "duaan": 2,
        "bertiga": 3, "tigaan": 3,
    "berempat": 4, "berlima": 5, "limaan": 5, "berenam": 6, "bertujuh": 7, "berdelapan": 8, "bersembilan": 9,
        "bersepuluh": 10, "wong_loro": 2,
}  # fmt: skip
_OR = frozenset({"atau", "ato", "atw", "utawa", "atawa", "opo"})
_JOINERS = frozenset({"-", "sampai", "smp", "sampe", "ampe", "hingga", "sd", "s", "/", "d", "~", "to"})
_ABOUT = re.compile(
    r"\b(?:sekitar|sktr|kira(?:-kira|2)|kurang lebih|kurleb|rata(?:-rata|2)|paling|hampir|lebih|"
    r"mungkin|kayaknya|sepertinya|minimal|maksimal)\b|±|~"
)
_VAGUE = re.compile(
    r"\b(?:banyak|beberapa|bbrp|sedikit|dikit|semua|seluruh|rame|ramai|lumayan|sebanyak-banyaknya|"
    r"seadanya|bebas|terserah|tergantung|sebagian)\b"
)
_NONE = re.compile(r"\b(?:tidak|ga|gak|nggak|enggak|ngga|belum|gk|tdk|ora) (?:ada|punya|ono)\b|\bnihil\b")
_NEGATIVE = re.compile(r"(?:^|\s)-\s?\d|\b(?:minus|mines)\b")


def count_noun(tokens: tuple[Token, ...], amount: Amount) -> Token | None:
    """The counted noun right after `amount`, or None."""
    if amount.after < len(tokens) and tokens[amount.after].text in COUNTED:
        return tokens[amount.after]
    return None


def _usable(tokens: tuple[Token, ...], amounts: list[Amount]) -> list[Amount]:
    """Amounts that can count: not ages, hours, days or money."""
    usable = []
    for amount in amounts:
        following = tokens[amount.after].text if amount.after < len(tokens) else ""
        before = tokens[amount.first - 1].text if amount.first else ""
        if following in _TIMES or before in _NOT_BEFORE or amount.slang:
            continue
        usable.append(amount)
    return usable


def _judged(amount: Amount, folded: str) -> Reading | Refusal:
    if amount.vague:
        return Refusal("vague")
    if not amount.whole:
        return Refusal("not_whole")
    value = int(amount.value)
    if value == 0:
        return Refusal("zero")
    if amount.odd == "adjacent":
        return Refusal("range")
    if value > MOST:
        return Refusal("out_of_range", {"digits": str(len(str(value)))})
    return Reading(value, ("about",) if amount.about or _ABOUT.search(folded) else ())


def _read(folded: str) -> Reading | Refusal:
    tokens = tokens_of(folded)
    amounts = amounts_in(tokens)
    usable = _usable(tokens, amounts)
    if _NEGATIVE.search(folded):
        return Refusal("negative")
    for first, second in pairwise(usable):
        between = {token.text for token in tokens[first.after : second.first]} - COUNTED
        if (between and between <= _JOINERS | _OR) or (not between and first.odd == "adjacent"):
            return Refusal("range", {"low": str(first.value), "high": str(second.value)})
    named = [amount for amount in usable if count_noun(tokens, amount)] or usable
    if len({amount.value for amount in named}) > 1:
        return Refusal("two_answers")
    if named:
        return _judged(named[0], folded)
    if amounts:
        return Refusal("wrong_unit")
    for token in tokens:
        if token.text in TOGETHER and not is_question(folded):
            return Reading(TOGETHER[token.text])
    if is_question(folded):
        return Refusal("question", attempt=False)
    if _NONE.search(folded):
        return Refusal("zero")
    if _VAGUE.search(folded):
        return Refusal("vague")
    return Refusal("unknown" if is_unknown(folded) else "not_a_number", attempt=False)


def read_count(text: str) -> Reading | Refusal:
    """A whole number above zero. Ranges, fractions, spans of time and vague words are refused with that reason."""
    folded = fold(text)
    if not folded.strip():
        return Refusal("empty", attempt=False)
    tail = after_retraction(folded)
    if tail is not None and tail.strip():
        later = _read(tail)
        if isinstance(later, Reading):
            return later
    return _read(folded)
