"""Numbers as Indonesians write and say them: `2,5 jt`, `dua juta lima ratus`, `2jt500`, `limang ewu`, `gocap`.

Everything here works on folded text (see `folding.fold`), keeps positions, and knows nothing of rupiah, people or
months.
"""

# ruff: noqa: SIM905  word lists are read and edited as text

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

_TOKEN = re.compile(r"[0-9]+(?:[.,][0-9]+)*|[^\W\d_]+|[^\s\w]|_")

DIGITS: dict[str, int] = {
    "nol": 0, "kosong": 0, "zero": 0,
    "satu": 1, "siji": 1, "hiji": 1, "stu": 1, "satuh": 1, "one": 1,
    "dua": 2, "loro": 2, "duwa": 2, "duo": 2, "two": 2, "rong": 2, "ro": 2,
    "tiga": 3, "telu": 3, "tilu": 3, "tigo": 3, "telung": 3, "tga": 3, "three": 3,
    "empat": 4, "papat": 4, "opat": 4, "ampek": 4, "patang": 4, "ampat": 4, "mpat": 4, "four": 4,
    "lima": 5, "limo": 5, "limang": 5, "limah": 5, "five": 5,
    "enam": 6, "enem": 6, "genep": 6, "anam": 6, "nem": 6, "six": 6,
    "tujuh": 7, "pitu": 7, "pitung": 7, "tujoh": 7, "tuju": 7, "tujuah": 7, "seven": 7,
    "delapan": 8, "lapan": 8, "wolu": 8, "wolung": 8, "dalapan": 8, "dlapan": 8, "salapan_": 8, "eight": 8,
    "sembilan": 9, "songo": 9, "sanga": 9, "sangang": 9, "salapan": 9, "smbilan": 9, "sambilan": 9, "semilan": 9,
    "nine": 9,
}  # fmt: skip
#: Whole numbers below a hundred that are one word.
SMALL: dict[str, int] = {
    "sepuluh": 10, "sapuluh": 10, "spuluh": 10, "sedoso": 10, "sepulu": 10, "ten": 10, "sebelas": 11, "sewelas": 11,
        "sabelas": 11,
    "rolas": 12, "telulas": 13, "patbelas": 14, "limolas": 15, "nembelas": 16, "pitulas": 17, "wolulas": 18,
    "songolas": 19,
    "selawe": 25, "salawe": 25, "seket": 50, "sewidak": 60, "twelve": 12,
}  # fmt: skip
TEEN = frozenset({"belas", "bls", "welas", "blas"})
TENS = frozenset({"puluh", "puluhan", "pulu", "plh", "poloh"})
HUNDREDS = frozenset({"ratus", "ratusan", "rts", "atus", "ngatus", "rtus", "ratuh"})
ONE_HUNDRED = frozenset({"seratus", "saratus", "satus", "sratus", "seratusan", "saratuih"})
THOUSAND, MILLION, BILLION = 1_000, 1_000_000, 1_000_000_000
#: Word to factor. A final -an means "about".
UNITS: dict[str, int] = {
    **dict.fromkeys(
        ("rb", "ribu", "rebu", "rbu", "k", "ewu", "ribuh", "rebuh", "rbuan", "ceng", "rib", "ngewu", "ribo"), THOUSAND
    ),
    **dict.fromkeys(
        ("jt", "juta", "jeti", "yuta", "jutah", "jta", "jut", "tiao", "tiauw", "jtan", "yutan", "juto"), MILLION
    ),
    **dict.fromkeys(("miliar", "milyar", "m", "milyard", "miliyar", "mlyr"), BILLION),
}
ABOUT_UNITS: dict[str, int] = {
    "ribuan": THOUSAND, "rebuan": THOUSAND, "rban": THOUSAND, "rbuan": THOUSAND, "kan": THOUSAND,
    "jutaan": MILLION, "jtan": MILLION, "jetian": MILLION, "jtaan": MILLION, "miliaran": BILLION, "milyaran": BILLION,
}  # fmt: skip
ONE_UNIT: dict[str, int] = {
    "seribu": THOUSAND, "sewu": THOUSAND, "sarebu": THOUSAND, "serebu": THOUSAND, "sribu": THOUSAND, "sarewu": THOUSAND,
    "sejuta": MILLION, "sajuta": MILLION, "sakjuta": MILLION, "sejt": MILLION, "sejeti": MILLION, "sjuta": MILLION,
        "sayuta": MILLION,
    "semiliar": BILLION, "semilyar": BILLION,
}  # fmt: skip
ABOUT_ONE_UNIT: dict[str, int] = {"seribuan": THOUSAND, "sejutaan": MILLION}
#: Hokkien sums of the market, taken literally; in daily talk some mean thousands, which is the doubt "slang_sum".
SLANG: dict[str, int] = {
    "jigo": 25, "gocap": 50, "gocab": 50, "cepek": 100, "cepe": 100, "pekgo": 150, "nopek": 200, "sapek": 300,
    "gopek": 500,
        "gope": 500,
    "seceng": 1_000, "noceng": 2_000, "saceng": 3_000, "goceng": 5_000, "gocengan": 5_000, "ceban": 10_000,
    "cebanan": 10_000,
    "noban": 20_000, "saban": 30_000, "goban": 50_000, "gobanan": 50_000, "cetiao": 1_000_000, "cetiaw": 1_000_000,
    "notiao": 2_000_000, "gotiao": 5_000_000, "gotiaw": 5_000_000, "cepekceng": 100_000, "gopekceng": 500_000,
}  # fmt: skip
FRACTIONS: dict[str, Fraction] = {"setengah": Fraction(1, 2), "separuh": Fraction(1, 2), "separo": Fraction(1, 2),
    "stengah": Fraction(1, 2), "setenga": Fraction(1, 2), "sepertiga": Fraction(1, 3), "seperempat": Fraction(1, 4),
    "½": Fraction(1, 2), "¼": Fraction(1, 4), "¾": Fraction(3, 4)}  # fmt: skip
COLLECTIONS: dict[str, int] = {"lusin": 12, "kodi": 20, "pasang": 2}
ONE_COLLECTION: dict[str, int] = {"selusin": 12, "sekodi": 20, "sepasang": 2, "sakodi": 20, "salusin": 12}
VAGUE_HEADS = frozenset(
    {"puluhan", "belasan", "ratusan", "ribuan", "jutaan", "jutan", "miliaran", "milyaran", "lusinan"}
)
#: Words that count a thing other than money: a number before one of these ends the number before it.
NOUNS = frozenset(
    "orang org oran anak pekerja karyawan pegawai buruh teman temen kawan anggota jiwa kepala driver ojol sopir "
    "petani nelayan kali x bulan bln semester "
    "hari hr minggu mgg tahun thn th taun jam menit mnt detik persen meter km kg liter ekor unit buah lembar biji rit "
    "trip order "
    "wulan sasi dina dinten taon poe tugas tempat warung toko motor mobil rumah kios tukang pembantu tetangga "
    "keluarga cucu "
    "kartu".split()
)

_PIECES = sorted({*DIGITS, *SMALL, *TEEN, *TENS, *HUNDREDS, *ONE_HUNDRED, *ONE_UNIT, "ribu", "rebu", "ewu", "juta",
    "miliar",
                  "jutaan", "ribuan", "rb", "jt", "setengah", "koma"}
                 - {"ro", "nem", "m", "one", "ten", "six", "two"}, key=len, reverse=True)  # fmt: skip
_GLUED = re.compile(f"(?:{'|'.join(_PIECES)}){{2,}}")
_PIECE = re.compile("|".join(_PIECES))
_ONE_BEFORE_UNIT = frozenset({"se", "sa", "sak", "sa'"})
_DECIMAL_WORDS = frozenset({"koma", "comma", "titik", "point"})

_KNOWN_WORDS = frozenset(
    {
        *DIGITS,
        *SMALL,
        *ONE_HUNDRED,
        *ONE_UNIT,
        *ABOUT_ONE_UNIT,
        *SLANG,
        *FRACTIONS,
        *ONE_COLLECTION,
        *VAGUE_HEADS,
        *_ONE_BEFORE_UNIT,
    }
)


@dataclass(frozen=True, slots=True)
class Token:
    """One word, numeral or sign of a folded text. `glued`: no space stands between it and the token before."""

    text: str
    start: int
    end: int
    glued: bool
    numeral: bool


@dataclass(frozen=True, slots=True)
class Amount:
    """A number in a text. `first` and `after` are token positions. `value` is exact and may be a fraction."""

    value: Fraction | int
    first: int
    after: int
    start: int
    end: int
    unit: bool = False
    about: bool = False
    slang: bool = False
    grouped: bool = False
    worded: bool = False
    vague: bool = False
    odd: str = ""
    doubts: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether the number has no fraction."""
        return isinstance(self.value, int) or self.value.denominator == 1


_GLUED_OH = re.compile(r"(?<=[0-9])o+(?=[0-9\s.,]|rb|jt|k\b|$)")


@lru_cache(maxsize=64)
def tokens_of(folded: str) -> tuple[Token, ...]:
    """The tokens of `folded`. Number words written as one ("limaratus") are taken apart, "kira2" is one word."""
    if "o" in folded:
        folded = _GLUED_OH.sub(lambda m: "0" * len(m.group()), folded)
    tokens: list[Token] = []
    last_end = -1
    for match in _TOKEN.finditer(folded):
        text, start, end = match.group(), match.start(), match.end()
        glued = start == last_end
        last_end = end
        first = text[0]
        if first.isdigit():
            if text == "2" and glued and tokens and _doubled(tokens[-1], folded, end):
                before = tokens.pop()
                tokens.append(Token(before.text + "2", before.start, end, before.glued, False))
                continue
            tokens.append(Token(text, start, end, glued, first.isascii()))
        elif len(text) >= 6 and text not in _KNOWN_WORDS and _GLUED.fullmatch(text):
            for piece in _PIECE.finditer(text):
                tokens.append(
                    Token(piece.group(), start + piece.start(), start + piece.end(), glued or piece.start() > 0, False)
                )
        else:
            tokens.append(Token(text, start, end, glued, False))
    return tuple(tokens)


def _doubled(word: Token, folded: str, end: int) -> bool:
    """Whether a 2 after `word` doubles it ("kira2"), which no unit, mark or month does."""
    return (
        not word.numeral and len(word.text) >= 3 and word.text.isalpha() and word.text not in UNITS
        and word.text not in {"rp", "idr", "nomor", "opsi", "pilihan", "tgl", "tanggal", "jan", "feb", "mar", "apr",
            "mei", "jun",
                              "jul", "agu", "sep", "okt", "nov", "des"}
        and not (end < len(folded) and (folded[end].isdigit() or (folded[end].isalpha() and folded[end] not in "n")))
    )  # fmt: skip


def numeral(text: str, unit_after: int = 1) -> tuple[Fraction | int, bool, str] | None:
    """The value of a numeral with dots and commas, whether it had thousands marks, and what is odd about it.

    A mark before exactly three digits parts thousands; one or two digits before a unit are a decimal. None when it
    is malformed.
    """
    if text.isdigit():
        return (int(text), False, "") if len(text) <= 18 else None
    if len(text) > 24:
        return None
    head, *groups = re.split(r"[.,]", text)
    marks = re.findall(r"[.,]", text)
    cents = False
    if len(groups) > 1 and len(groups[-1]) in (1, 2) and marks[-1] != marks[-2]:
        if unit_after == 1 and set(groups[-1]) != {"0"}:
            return None
        if unit_after == 1:
            cents = True
            groups, marks = groups[:-1], marks[:-1]
        else:
            decimal = groups.pop()
            return (
                Fraction(int(head + "".join(groups)) * 10 ** len(decimal) + int(decimal), 10 ** len(decimal)),
                True,
                "",
            )
    if all(len(group) == 3 for group in groups) and len(head) <= 3:
        if len(groups) == 1 and unit_after >= MILLION and len(head) <= 2:
            return Fraction(int(head + groups[0]), 1000), False, "decimal_assumed"
        if head.strip("0") == "":
            return Fraction(int(groups[0]), 1000) if len(groups) == 1 else 0, False, "leading_zero"
        if len(set(marks)) > 1:
            return None
        return int(head + "".join(groups)), True, ""
    if len(groups) == 1 and len(groups[0]) in (1, 2):
        if unit_after == 1 and marks[0] == "," and groups[0] == "00" and not cents:
            return int(head), len(head) > 3, ""
        return Fraction(int(head + groups[0]), 10 ** len(groups[0])), False, "decimal"
    return None


def _small_words(tokens: tuple[Token, ...], at: int) -> tuple[int, int, bool] | None:
    """A number below a thousand in words from `at`: value, position after it, whether two digits stood side by side."""
    total, j, ceiling, read = 0, at, 1000, False
    while j < len(tokens):
        word = tokens[j].text
        following = tokens[j + 1].text if j + 1 < len(tokens) else ""
        if word in ONE_HUNDRED:
            value, step, level = 100, 1, 100
        elif word in SMALL:
            value, step, level = SMALL[word], 1, 10 if SMALL[word] in (50, 60) else 1
        elif word in DIGITS:
            digit = DIGITS[word]
            if word == "ro" and following not in HUNDREDS and following not in TENS:
                break
            if following in TEEN:
                value, step, level = 10 + digit, 2, 1
            elif following in TENS:
                value, step, level = digit * 10, 2, 10
            elif following in HUNDREDS:
                value, step, level = digit * 100, 2, 100
            else:
                value, step, level = digit, 1, 1
        else:
            break
        if value >= ceiling:
            return (total, j, True) if read else None
        total += value
        j += step
        read = True
        ceiling = level
        if level == 1:
            adjacent = value < 10 and j < len(tokens) and tokens[j].text in DIGITS and tokens[j].text != "ro"
            return total, j, adjacent
    return (total, j, False) if read else None


def _quantity(tokens: tuple[Token, ...], at: int) -> tuple[Fraction | int, int, bool, bool, str] | None:
    """A number before any unit: value, position after, whether in words, whether grouped by thousands, what is odd."""
    token = tokens[at]
    if token.numeral:
        j = at + 1
        spaced = token.text
        while (
            j < len(tokens) and tokens[j].numeral and not tokens[j].glued and len(tokens[j].text) == 3 and
            tokens[j].text.isdigit()
            and (spaced.isdigit() and len(spaced) <= 3 if j == at + 1 else True) and spaced[0] != "0"
            and tokens[j].start - tokens[j - 1].end == 1
        ):  # fmt: skip
            spaced += tokens[j].text
            j += 1
        if j > at + 1:
            return int(spaced), j, False, True, ""
        following = tokens[j].text if j < len(tokens) else ""
        factor = UNITS.get(following) or ABOUT_UNITS.get(following) or 1
        read = numeral(token.text, factor)
        if read is None:
            return None
        value, grouped, odd = read
        if following in {"/", ":"} and j + 1 < len(tokens) and tokens[j + 1].numeral and following == "/":
            over = tokens[j + 1].text
            if token.text.isdigit() and over.isdigit() and 0 < int(token.text) < int(over) <= 4 and len(over) == 1:
                after = tokens[j + 2].text if j + 2 < len(tokens) else ""
                if after in UNITS or after in {"tahun", "thn", "th", "bulan", "bln", "lusin", "taun"}:
                    return Fraction(int(token.text), int(over)), j + 2, False, False, ""
        if (
            following in _DECIMAL_WORDS
            and j + 1 < len(tokens)
            and tokens[j + 1].text.isdigit()
            and len(tokens[j + 1].text) <= 2
        ):
            text = tokens[j + 1].text
            return (
                Fraction(int(token.text) * 10 ** len(text) + int(text), 10 ** len(text))
                if token.text.isdigit()
                else value,
                j + 2,
                False,
                False,
                "decimal",
            )
        if following in HUNDREDS or following in TENS:
            value = value * (100 if following in HUNDREDS else 10)
            j += 1
            rest = _small_words(tokens, j) if j < len(tokens) else None
            if rest and rest[0] < 100 and following in HUNDREDS:
                return value + rest[0], rest[1], True, False, ""
            return value, j, True, False, ""
        return value, j, False, grouped, odd
    word = token.text
    if word in _ONE_BEFORE_UNIT:
        following = tokens[at + 1].text if at + 1 < len(tokens) else ""
        return (1, at + 1, True, False, "") if following in UNITS and len(following) > 1 else None
    if word in FRACTIONS:
        following = tokens[at + 1].text if at + 1 < len(tokens) else ""
        if following in UNITS or following in {"tahun", "thn", "th", "bulan", "bln", "lusin", "kodi", "taun", "wulan"}:
            return FRACTIONS[word], at + 1, True, False, ""
        return None
    small = _small_words(tokens, at)
    if small is None:
        return None
    value, j, adjacent = small
    odd = "adjacent" if adjacent else ""
    following = tokens[j].text if j < len(tokens) else ""
    if following in _DECIMAL_WORDS and j + 1 < len(tokens):
        part = tokens[j + 1].text
        digits = str(DIGITS[part]) if part in DIGITS else part if part.isdigit() and len(part) <= 2 else None
        if digits is not None:
            j += 2
            if part in DIGITS and j < len(tokens) and tokens[j].text in DIGITS:
                digits += str(DIGITS[tokens[j].text])
                j += 1
            return Fraction(value * 10 ** len(digits) + int(digits), 10 ** len(digits)), j, True, False, "decimal"
    if following == "perempat" and value in (1, 3):
        return Fraction(value, 4), j + 1, True, False, ""
    return value, j, True, False, odd


def amount_at(tokens: tuple[Token, ...], at: int) -> Amount | None:
    """The longest number that begins at token `at`, or None."""
    word = tokens[at].text
    if not tokens[at].numeral and word not in _KNOWN_WORDS:
        return None
    total: Fraction | int = 0
    last_unit = 0
    j = at
    about = slang = grouped = worded = vague = False
    odd = ""
    doubts: list[str] = []
    count = len(tokens)
    if word in VAGUE_HEADS:
        while j + 1 < count and (tokens[j + 1].text in UNITS or tokens[j + 1].text in ABOUT_UNITS):
            j += 1
        return Amount(0, at, j + 1, tokens[at].start, tokens[j].end, unit=True, vague=True)
    while j < count:
        word = tokens[j].text
        unit = 0
        value: Fraction | int
        if word in ONE_UNIT or word in ABOUT_ONE_UNIT:
            value, unit, after = 1, ONE_UNIT.get(word) or ABOUT_ONE_UNIT[word], j + 1
            about = about or word in ABOUT_ONE_UNIT
            worded = True
        elif word in ONE_COLLECTION:
            value, after, worded = ONE_COLLECTION[word], j + 1, True
        elif word in SLANG:
            if last_unit and last_unit <= SLANG[word]:
                break
            if word == "saban" and j + 1 < count and tokens[j + 1].text in NOUNS:
                break
            value, after, slang, worded = SLANG[word], j + 1, True, True
            if after < count and tokens[after].text in UNITS:
                value *= UNITS[tokens[after].text]
                after += 1
            if last_unit:
                total += value
            else:
                total = value
            last_unit = 1_000 if value >= 1_000 else 1
            j = after
            if last_unit == 1:
                break
            continue
        else:
            quantity = _quantity(tokens, j)
            if quantity is None:
                break
            value, after, in_words, in_groups, strange = quantity
            mixed_half = False
            if (
                after < count
                and tokens[after].text in FRACTIONS
                and after + 1 < count
                and tokens[after + 1].text in UNITS
            ):
                value += FRACTIONS[tokens[after].text]
                after += 1
                mixed_half = True
            if after < count and tokens[after].text == "an" and tokens[after].glued:
                about = True
                after += 1
            if after < count:
                following = tokens[after].text
                if following in UNITS and not (
                    following in {"m", "k"} and not tokens[after].glued and not tokens[after - 1].numeral
                ):
                    unit = UNITS[following]
                    after += 1
                    if following == "m":
                        doubts.append("unit_m")
                elif following in ABOUT_UNITS:
                    unit, about = ABOUT_UNITS[following], True
                    after += 1
                elif following in COLLECTIONS:
                    value *= COLLECTIONS[following]
                    after += 1
            if (unit == THOUSAND and in_groups and value >= 10_000) or (
                unit == MILLION and in_groups and value >= MILLION
            ):
                unit = 1
                doubts.append("redundant_unit")
            if not unit and last_unit:
                taken = _tail_of(tokens, j, after, value, last_unit, in_words)
                if taken is None:
                    break
                total += taken
                worded = worded or in_words
                if taken != value and value < 10:
                    doubts.append("short_sum")
                j = after
                break
            if unit and last_unit and unit >= last_unit:
                break
            worded, grouped, odd = (
                worded or in_words,
                grouped or in_groups,
                odd or (strange if not unit or strange == "adjacent" else ""),
            )
            if strange == "decimal_assumed":
                doubts.append(strange)
            if mixed_half and not unit:
                break
        if unit:
            total += value * unit
            last_unit = unit
            j = after
            if j + 1 < count and tokens[j].text == "-" and tokens[j + 1].text == "an":
                about, j = True, j + 2
            if j < count and tokens[j].text == "an" and tokens[j].glued:
                about, j = True, j + 1
            if j < count and tokens[j].text in FRACTIONS and tokens[j].text != "sepertiga":
                beyond = tokens[j + 1].text if j + 1 < count else ""
                if beyond not in NOUNS and beyond not in UNITS:
                    total += FRACTIONS[tokens[j].text] * unit
                    j += 1
                    break
            continue
        if last_unit == 0:
            total, j = value, after
            if (
                worded
                and j < count
                and tokens[j].text in FRACTIONS
                and (j + 1 == count or tokens[j + 1].text not in NOUNS)
            ):
                total, j = total + FRACTIONS[tokens[j].text], j + 1
            if j + 1 < count and tokens[j].text == "-" and tokens[j + 1].text == "an":
                about, j = True, j + 2
        break
    if j == at:
        return None
    if isinstance(total, Fraction) and total.denominator == 1:
        total = int(total)
    return Amount(
        total, at, j, tokens[at].start, tokens[j - 1].end, unit=(last_unit >= THOUSAND and not slang) or
            "redundant_unit" in doubts,
        about=about, slang=slang, grouped=grouped, worded=worded, vague=vague, odd=odd, doubts=tuple(doubts),
    )  # fmt: skip


def _tail_of(
    tokens: tuple[Token, ...], at: int, after: int, value: Fraction | int, last_unit: int, in_words: bool
) -> Fraction | int | None:
    """What a number without a unit adds after one with a unit ("2jt500", "sejuta dua ratus"), or None if it
    stands by itself.
    """
    if after < len(tokens) and (tokens[after].text in NOUNS or tokens[after].text in FRACTIONS):
        return None
    if not isinstance(value, int) or not 0 < value < 1000:
        return None
    if tokens[at].numeral and after == at + 1 and not tokens[at].glued and (value < 100 or len(tokens[at].text) != 3):
        return None
    if last_unit >= MILLION:
        if value < 10:
            return value * last_unit // 10
        return value * last_unit // 1000
    return value * 100 if tokens[at].glued and value < 10 else value


def amounts_in(tokens: tuple[Token, ...]) -> list[Amount]:
    """Every number in the text, in order, the longest reading of each."""
    found: list[Amount] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        amount = amount_at(tokens, at) if token.numeral or token.text in _KNOWN_WORDS else None
        if amount is None:
            at += 1
        else:
            found.append(amount)
            at = amount.after
    return found
