"""Sums of money as people write and say them, in whole rupiah.

A period never multiplies: "75 ribu per hari" is 75000 with the doubt "per_day". Slang is literal (`gocap` is 50)
with the doubt
"slang_sum". What to ask back about a doubt is the flow's business.
"""

# ruff: noqa: SIM905  word lists are read and edited as text

import re
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from nlu.values.asking import is_question, is_unknown
from nlu.values.folding import after_retraction, fold
from nlu.values.numbers_in_words import NOUNS, Amount, Token, amounts_in, tokens_of
from nlu.values.reading import Reading, Refusal

#: Sums at or above this are not incomes or contributions of anybody: a typing slip.
MOST_RUPIAH = 1_000_000_000_000
#: Below this a sum of rupiah is doubtful: nobody earns or pays it, thousands may be meant.
SMALL_SUM = 1_000

_BEFORE = frozenset({"rp", "idr", "rupiah"})
_AFTER = frozenset({"rupiah", "perak", "rupih", "rp", "rupiahs", "idr", "rph", "ripis"})
_NOT_MONEY_BEFORE = frozenset(
    "umur usia umurnya usianya jam jm pukul tanggal tgl rt rw no nomor nmr kelas tahun thn bulan "
    "kelahiran lahir".split()
)
_JOINERS = frozenset(
    {"-", "sampai", "smp", "sampe", "ampe", "hingga", "sd", "s", "/", "d", "~", "to", "ke", "nyampe", "smpe"}
)
_PERIODS = tuple(
    (word, re.compile(pattern))
    for word, pattern in (
        ("per_day", r"\bper ?ha?r(?:i|inya)?\b|/ ?(?:hari|hr|h)\b|\bse ?hari(?:nya|an)?\b|\bhariannya\b|\bharian\b|"
                    r"\b(?:se)?tiap ?hari\b"
                    r"|\bsabe?n (?:hari|dino|dina)\b|\b(?:1|satu) hari\b|\bse ?di(?:no|na)\b|\bsapoe\b|\bsadinten\b|"
                    r"\bsehr\b|\bper day\b"),
        ("per_week", r"\bper ?(?:minggu|mgg|pekan)\b|/ ?(?:minggu|mgg|mg|pekan)\b|\bse ?(?:minggu|mgg|"
                     r"pekan)(?:nya)?\b|\bmingguan\b"
                     r"|\b(?:se)?tiap ?(?:minggu|pekan)\b|\b(?:1|satu) minggu\b|\bsaminggu\b"),
        ("per_year", r"\bper ?(?:tahun|thn|th)\b|/ ?(?:tahun|thn|th)\b|\bse ?ta?h?u?n(?:nya)?\b|\btahunan\b|"
                     r"\b(?:se)?tiap ?tahun\b|\b(?:1|satu) tahun\b"),
        ("per_hour", r"\bper ?jam\b|/ ?jam\b|\bse ?jam\b"),
        ("per_trip", r"\bper ?(?:order|orderan|trip|rit|narik|tarikan|antar|paket|panen|musim|proyek|job|borongan|"
                     r"acara|event)\b"
                     r"|\bsekali (?:narik|jalan|antar|panen|order|manggung|kerja|melaut|angkut|tarik)\b|/ ?(?:order|"
                     r"trip|rit|paket)\b|\bborongan\b"),
        ("per_person", r"\bper ?(?:orang|org|kepala|pekerja|jiwa)\b|/ ?(?:orang|org)\b|\bseorang(?:nya)?\b|\bmasing[- "
                       r"]?masing\b"),
    )
)  # fmt: skip
_ABOUT = re.compile(
    r"\b(?:sekitar(?:an)?|sktr|skitar|kira(?:-kira|2| kira|-2)|kurang lebih|kurleb|krg lbh|lebih kurang|sekira|"
    r"rata(?:-rata|2| rata)|"
    r"paling|hampir|hampiran|mendekati|lebih|lbh|kurang|mungkin|kayaknya|kayanya|sepertinya|ya[- ]?an|maksimal|max|"
    r"minimal|min|"
    r"kadang|kadang2|kadang-kadang|antara|about|around|nyaris|setidaknya|sampai|nggak nyampe|ga nyampe|gak sampe|"
    r"bawah|atas|naik turun)\b|±|~|\+-|\+/-"
)
_GROSS = re.compile(r"\b(?:kotor(?:nya)?|omzet|omset|gross|bruto)\b")
_NOTHING = re.compile(
    r"\b(?:ga|gak|gk|nggak|ngga|enggak|engga|tidak|tdk|tak|belum|blm|ndak|kagak|ora|teu) (?:ada|punya|dapat|dapet|"
    r"berpenghasilan|kerja|bekerja|duwe|boga)\b"
    r"|\b(?:nihil|nganggur|zonk|nol)\b"
)
_VAGUE = re.compile(
    r"\b(?:banyak|bnyk|lumayan|cukup(?:an)?|pas-?pasan|pas2an|dikit|sedikit|kecil|besar|gede|tergantung|trgantung|tgt|"
    r"seadanya|serabutan|umr|umk|ump|"
    r"secukupnya|seikhlasnya|sesuai|standar|macam-macam|macem2|variasi|naik turun|nggak seberapa|ga seberapa|gak "
    r"seberapa|tidak seberapa|gratis)\b"
)
_MONEY_WORD = re.compile(
    r"\d|\b(?:rp|rupiah|ribu|rebu|rb|juta|jt|perak|ratus|puluh|gaji|penghasilan|pendapatan|duit|uang|gratis|banyak|"
    r"umr|umk)\b"
)


@dataclass(frozen=True, slots=True)
class MoneySpan:
    """An amount that can be money: where it stands, and whether a unit, a mark or its form says that it is money."""

    amount: Amount
    start: int
    end: int
    marked: bool
    negative: bool = False


def money_spans(tokens: tuple[Token, ...], amounts: list[Amount]) -> list[MoneySpan]:
    """The amounts among `amounts` that can be money: no ages, hours, counted things."""
    spans = []
    for amount in amounts:
        before = amount.first - 1
        start, end = amount.start, amount.end
        negative = rupiah = False
        if before >= 0 and tokens[before].text == "." and before >= 1 and tokens[before - 1].text in _BEFORE:
            before -= 1
        if before >= 0 and tokens[before].text == "-" and _is_minus(tokens, before):
            negative = True
            before -= 1
        if before >= 0 and tokens[before].text in _BEFORE:
            rupiah, start = True, tokens[before].start
            before -= 1
        if before >= 0 and (
            tokens[before].text in {"minus", "mines"} or (tokens[before].text == "-" and _is_minus(tokens, before))
        ):
            negative = True
        after = amount.after
        following = tokens[after].text if after < len(tokens) else ""
        if (
            following in {",", "."}
            and after + 1 < len(tokens)
            and tokens[after + 1].text == "-"
            and tokens[after].glued
        ):
            after, end = after + 2, tokens[after + 1].end
            rupiah = True
            following = tokens[after].text if after < len(tokens) else ""
        if following in _AFTER:
            rupiah, end = True, tokens[after].end
        elif (
            (
                following in NOUNS
                and not rupiah
                and not (following == "x" or (amount.unit and following not in _COUNTED))
            )
            or following == "%"
            or following == "persen"
        ):
            continue
        marked = rupiah or amount.unit or amount.slang or amount.vague or (amount.grouped and amount.value >= 1000)
        if before >= 0 and tokens[before].text in _NOT_MONEY_BEFORE and not marked:
            continue
        spans.append(MoneySpan(amount, start, end, marked, negative))
    return spans


_COUNTED = frozenset({"orang", "org", "pekerja", "karyawan", "kali", "km", "kg", "meter", "jiwa", "ekor", "butir"})


def _is_minus(tokens: tuple[Token, ...], at: int) -> bool:
    """Whether the dash at `at` is a minus: nothing to the left that it could join, and a number right behind it."""
    if at + 1 >= len(tokens) or not tokens[at + 1].glued:
        return False
    return at == 0 or (not tokens[at].glued and not tokens[at - 1].numeral) or tokens[at - 1].text in _BEFORE


def _range(tokens: tuple[Token, ...], first: MoneySpan, second: MoneySpan, folded: str) -> Refusal | None:
    """The refusal when two neighbouring sums are the ends of one range, or two alternatives."""
    between = tokens[first.amount.after : second.amount.first]
    words = {token.text for token in between} - {".", "rp", ",", "rupiah"}
    low, high = first.amount, second.amount
    joined = bool(words) and words <= _JOINERS and len(between) <= 5
    if words == {"dan"} and "antara" in folded:
        joined = True
    if not words and not low.unit and (low.odd == "adjacent" or (low.value < 10 and not low.worded)) and high.unit:
        joined = True
    if joined:
        scale = 1
        if not low.unit and high.unit and low.value < high.value:
            for unit in (1_000_000_000, 1_000_000, 1_000):
                if high.value >= unit:
                    scale = unit
                    break
        return Refusal("range", {"low": str(int(low.value * scale)), "high": str(int(high.value))})
    if words and words <= {"atau", "ato", "apa", "/", "or", "kadang", "kadang2", "bisa"}:
        return Refusal("two_answers")
    return None


def period_doubts(folded: str) -> tuple[str, ...]:
    """Which periods other than a month the text names for its sum ("per_day", "per_week" ...)."""
    return tuple(word for word, pattern in _PERIODS if pattern.search(folded))


def _without_amount(folded: str) -> Refusal:
    if is_question(folded):
        return Refusal("question", attempt=False)
    if _NOTHING.search(folded):
        return Refusal("zero")
    if _VAGUE.search(folded):
        return Refusal("vague")
    if is_unknown(folded):
        return Refusal("unknown", attempt=False)
    return Refusal("not_a_number", attempt=_MONEY_WORD.search(folded) is not None)


def _judged(span: MoneySpan, folded: str) -> Reading | Refusal:
    amount = span.amount
    if span.negative:
        return Refusal("negative")
    if amount.vague:
        return Refusal("vague")
    if amount.odd in {"leading_zero", "adjacent"}:
        return Refusal("unclear")
    text = folded[amount.start : amount.end]
    if text[0] == "0" and len(text) > 1 and text.isdigit() and int(text):
        return Refusal("unclear", {"digits": str(len(text))})
    if amount.value == 0:
        return Refusal("zero")
    if amount.value >= MOST_RUPIAH:
        return Refusal("out_of_range", {"digits": str(len(str(int(amount.value))))})
    doubts = list(amount.doubts)
    value = amount.value
    if isinstance(value, Fraction):
        if not amount.unit:
            return Refusal("unclear")
        value = round(value)
        doubts.append("rounded")
    if amount.slang:
        doubts.append("slang_sum")
    elif value < SMALL_SUM:
        doubts.append("small_sum")
    rest = folded[: span.start] + " " + folded[span.end :]
    doubts.extend(period_doubts(rest if "saban" in folded else folded))
    if amount.about or _ABOUT.search(rest):
        doubts.append("about")
    if _GROSS.search(rest):
        doubts.append("gross")
    return Reading(int(value), tuple(dict.fromkeys(doubts)))


def read_money(text: str) -> Reading | Refusal:
    """A sum in whole rupiah. Ranges, zero, negatives and vague words are refused with that reason."""
    folded = fold(text)
    if not folded.strip():
        return Refusal("empty", attempt=False)
    tail = after_retraction(folded)
    if tail is not None and tail.strip():
        later = _read(tail)
        if isinstance(later, Reading):
            return later
    return _read(folded)


_NOW = re.compile(r"\b(?:sekarang|skrg|skarang|skr|saiki|ayeuna|jadi(?:nya)?|menjadi|ke)\b")


def _read(folded: str) -> Reading | Refusal:
    tokens = tokens_of(folded)
    spans = money_spans(tokens, amounts_in(tokens))
    if not spans:
        return _without_amount(folded)
    for first, second in pairwise(spans):
        refusal = _range(tokens, first, second, folded)
        if refusal is not None:
            return refusal
    chosen = [span for span in spans if span.marked] or spans
    if len({span.amount.value for span in chosen}) > 1:
        last = chosen[-1]
        if _NOW.search(folded, chosen[-2].end, last.start):
            return _judged(last, folded)
        return Refusal("two_answers")
    if is_question(folded) and not chosen[0].marked:
        return Refusal("question", attempt=False)
    return _judged(chosen[0], folded)
