"""Spans of whole months ("setahun", "satu semester"), and a month of the calendar ("okt 26", "bulan lalu")."""

import re
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import lru_cache

from nlu.values.asking import is_question, is_unknown
from nlu.values.folding import after_retraction, fold
from nlu.values.numbers_in_words import FRACTIONS, Amount, Token, amounts_in, tokens_of
from nlu.values.reading import Reading, Refusal

#: A span longer than this is a slip of typing.
MOST_MONTHS = 600

_SPANS: dict[str, int] = {
    **dict.fromkeys(("bulan", "bln", "bulanan", "bl", "wulan", "bulanku", "month", "months", "bulanya", "sasih", "sasi",
        "buln"), 1),
    **dict.fromkeys(("tahun", "thn", "th", "taun", "tahunan", "taon", "warsa", "year", "years", "thun"), 12),
    **dict.fromkeys(("semester", "smt", "smester"), 6),
    **dict.fromkeys(("triwulan", "kuartal", "kwartal", "trimester", "quarter"), 3),
    "caturwulan": 4, "cawu": 4, "dwiwulan": 2,
}  # fmt: skip
_ONE_SPAN: dict[str, int] = {
    "sebulan": 1, "sabulan": 1, "sewulan": 1, "sebln": 1, "sesasi": 1, "sasasih": 1, "sebulanan": 1, "setahun": 12,
        "setaun": 12, "sataun": 12, "setahunan": 12, "sethn": 12,
    "sesemester": 6, "semesteran": 6, "setriwulan": 3, "triwulanan": 3, "kuartalan": 3, "satahun": 12,
}  # fmt: skip
_SHORT = re.compile(r"\b(?:se)?(?:minggu|mingguan|mgg|pekan|hari|hr|jam|menit|windu|dekade|abad|dina|dino|poe)\b")
_JOINERS = frozenset({"-", "sampai", "smp", "sampe", "ampe", "hingga", "sd", "s", "/", "d", "~", "to", "atau", "ato"})
_PERIOD_BEFORE = frozenset({"per", "/", "tiap", "setiap", "saban", "saben"})
_AGE_BEFORE = frozenset({"umur", "usia", "umurnya", "usianya", "berumur", "berusia", "umurku", "umurr"})
_VAGUE = re.compile(
    r"\b(?:lama|selamanya|seterusnya|seumur hidup|beberapa|bbrp|sebentar|sampai|terus|selama|terserah|"
    r"bebas|secukupnya|rutin)\b"
)
_ABOUT = re.compile(
    r"\b(?:sekitar|sktr|kira(?:-kira|2)|kurang lebih|kurleb|paling|hampir|lebih|mungkin|kayaknya|"
    r"minimal|maksimal)\b|±|~"
)
_NEGATIVE = re.compile(r"(?:^|\s)-\s?\d|\b(?:minus|mines)\b")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time in a text, in months (a fraction for "satu setengah bulan"), with the token positions
    it covers.
    """

    months: Fraction | int
    first: int
    after: int
    start: int
    end: int
    about: bool = False
    sole_unit: bool = False


def _span_at(tokens: tuple[Token, ...], at: int, amounts: dict[int, Amount]) -> Span | None:
    """A single span beginning at token `at`: "3 bulan", "setahun", "setengah tahun", "tri wulan"."""
    word = tokens[at].text
    amount = amounts.get(at)
    if amount is not None and amount.after < len(tokens):
        unit = tokens[amount.after].text
        after = amount.after + 1
        if unit in {"tri", "catur"} and after < len(tokens) and tokens[after].text == "wulan":
            unit, after = unit + "wulan", after + 1
        value = amount.value
        if unit in FRACTIONS and after < len(tokens) and tokens[after].text in _SPANS:
            value, unit, after = value + FRACTIONS[unit], tokens[after].text, after + 1
        factor = _SPANS.get(unit)
        if factor is None or amount.slang or amount.vague:
            return None
        return Span(value * factor, at, after, tokens[at].start, tokens[after - 1].end, amount.about)
    if word in FRACTIONS and at + 1 < len(tokens) and tokens[at + 1].text in _SPANS:
        return Span(FRACTIONS[word] * _SPANS[tokens[at + 1].text], at, at + 2, tokens[at].start, tokens[at + 1].end)
    if word in {"tri", "catur"} and at + 1 < len(tokens) and tokens[at + 1].text == "wulan":
        return Span(3 if word == "tri" else 4, at, at + 2, tokens[at].start, tokens[at + 1].end, sole_unit=True)
    if word in _ONE_SPAN:
        return Span(_ONE_SPAN[word], at, at + 1, tokens[at].start, tokens[at].end)
    if (
        word in {"se", "sa"}
        and at + 1 < len(tokens)
        and tokens[at + 1].text in {"bulan", "bln", "tahun", "thn", "taun", "semester", "wulan"}
    ):
        return Span(_SPANS[tokens[at + 1].text], at, at + 2, tokens[at].start, tokens[at + 1].end)
    if _SPANS.get(word, 0) in {2, 3, 4, 6}:
        return Span(_SPANS[word], at, at + 1, tokens[at].start, tokens[at].end, sole_unit=True)
    return None


def spans_in(tokens: tuple[Token, ...], amounts: list[Amount]) -> list[Span]:
    """The stretches of months and years in a text; "1 tahun 3 bulan" and "setahun setengah" are one."""
    starts = {amount.first: amount for amount in amounts}
    spans: list[Span] = []
    at = 0
    while at < len(tokens):
        span = _span_at(tokens, at, starts)
        if span is None:
            at = starts[at].after if at in starts else at + 1
            continue
        at = span.after
        if (
            at < len(tokens)
            and tokens[at].text in FRACTIONS
            and (at + 1 >= len(tokens) or tokens[at + 1].text not in _SPANS)
        ):
            unit = _SPANS.get(tokens[at - 1].text) or _ONE_SPAN.get(tokens[at - 1].text, 1)
            span = Span(
                span.months + FRACTIONS[tokens[at].text] * unit,
                span.first,
                at + 1,
                span.start,
                tokens[at].end,
                span.about,
            )
            at += 1
        elif spans:
            last = spans[-1]
            between = [token.text for token in tokens[last.after : span.first]]
            if (
                between in ([], ["lebih"], ["dan"], ["plus"], ["tambah"])
                and last.months >= 12 > span.months
                and last.months % 12 == 0
            ):
                spans[-1] = Span(
                    last.months + span.months, last.first, span.after, last.start, span.end, last.about or span.about
                )
                continue
        spans.append(span)
    return [
        span for span in spans if not (span.sole_unit and span.first and tokens[span.first - 1].text in _PERIOD_BEFORE)
    ]


def _judged(months: Fraction | int, about: bool) -> Reading | Refusal:
    if months == 0:
        return Refusal("zero")
    if isinstance(months, Fraction) and months.denominator != 1:
        return Refusal("not_whole_months")
    if months > MOST_MONTHS:
        return Refusal("out_of_range", {"months": str(int(months))[:20]})
    return Reading(int(months), ("about",) if about else ())


def _read_duration(folded: str) -> Reading | Refusal:
    tokens = tokens_of(folded)
    amounts = amounts_in(tokens)
    if _NEGATIVE.search(folded):
        return Refusal("negative")
    spans = [s for s in spans_in(tokens, amounts) if not (s.first and tokens[s.first - 1].text in _AGE_BEFORE)]
    about = _ABOUT.search(folded) is not None
    if len(spans) > 1 and len({span.months for span in spans}) > 1:
        between = {token.text for token in tokens[spans[0].after : spans[1].first]}
        return Refusal("range" if between & _JOINERS - {"atau", "ato"} else "two_answers")
    if spans:
        span = spans[0]
        for amount in amounts:
            if amount.after <= span.first and {token.text for token in tokens[amount.after : span.first]} <= _JOINERS:
                close = amount.after == span.first
                if not close or amount.odd == "adjacent":
                    between = {token.text for token in tokens[amount.after : span.first]}
                    return Refusal(
                        "two_answers" if between & {"atau", "ato"} else "range",
                        {"low": str(amount.value), "high": str(span.months)},
                    )
        if _SHORT.search(folded[span.end :]) or _SHORT.search(folded[: span.start]):
            return Refusal("not_whole_months")
        return _judged(span.months, span.about or about)
    if _SHORT.search(folded):
        return Refusal("not_whole_months")
    bare = [a for a in amounts if not (a.first and tokens[a.first - 1].text in _AGE_BEFORE)]
    if len({a.value for a in bare}) > 1 or any(a.odd == "adjacent" for a in bare):
        between = {token.text for token in tokens[bare[0].after : bare[-1].first]}
        return Refusal("two_answers" if between & {"atau", "ato", "dan"} else "range")
    if bare:
        following = tokens[bare[0].after].text if bare[0].after < len(tokens) else ""
        if bare[0].unit or bare[0].slang or following in {"orang", "org", "rupiah", "persen", "%", "pekerja"}:
            return Refusal("wrong_unit")
        return _judged(bare[0].value, bare[0].about or about)
    if is_question(folded):
        return Refusal("question", attempt=False)
    if _VAGUE.search(folded):
        return Refusal("vague")
    return Refusal("unknown" if is_unknown(folded) else "not_a_number", attempt=False)


def read_duration_months(text: str) -> Reading | Refusal:
    """A number of whole months: "3 bulan", "setahun", "1,5 tahun", a bare "6". Weeks, days, fractions and
    ranges are refused.
    """
    folded = fold(text)
    if not folded.strip():
        return Refusal("empty", attempt=False)
    tail = after_retraction(folded)
    if tail is not None and tail.strip():
        later = _read_duration(tail)
        if isinstance(later, Reading):
            return later
    return _read_duration(folded)


# Months of the calendar

MONTHS: dict[str, int] = {
    name: number
    for number, names in enumerate(
        (
            "januari jan janu janua january janwari januwari jnuari janauri",
            "februari feb febr febru pebruari peb february febuari pebuari februwari febr feburari pebr pebru",
            "maret mar mart mare march maart mrt maretan",
            "april apr apri aprl apil",
            "mei may mey",
            "juni jun june juny",
            "juli jul july july jully",
            "agustus agu agus agst ags agt agust aug august agustu agustsus agustuss agts",
            "september sep sept septe setember sepetember septembr septemb",
            "oktober okt okto oct october oktobr octobr octber",
            "november nov nove nop nope nopember novembr novemver nofember",
            "desember des dese december dec desembr disember dsember",
        ),
        start=1,
    )
    for name in names.split()
}
_LONG_NAMES = [(name, number) for name, number in MONTHS.items() if len(name) >= 7]
_NOT_MONTHS = frozenset({"member", "kemarin", "kemaren", "sebentar", "membernya"})


def _one_slip(word: str, name: str) -> bool:
    """Whether `word` is `name` with one letter wrong, missing, too many or swapped with its neighbour."""
    if word == name or abs(len(word) - len(name)) > 1:
        return word == name
    i = 0
    while i < min(len(word), len(name)) and word[i] == name[i]:
        i += 1
    if len(word) == len(name):
        return word[i + 1 :] == name[i + 1 :] or (
            word[i : i + 2] == name[i : i + 2][::-1] and word[i + 2 :] == name[i + 2 :]
        )
    longer, shorter = (word, name) if len(word) > len(name) else (name, word)
    return longer[i + 1 :] == shorter[i:]


@lru_cache(maxsize=2048)
def month_number(word: str) -> int | None:
    """The month that `word` names (1 to 12), with one slip of typing forgiven in a long name; None for other words."""
    found = MONTHS.get(word)
    if found is not None or len(word) < 6 or word in _NOT_MONTHS:
        return found
    return next((number for name, number in _LONG_NAMES if _one_slip(word, name)), None)


_WORDS = re.compile(r"[^\W\d_]+|[0-9]+|[/.\-]")
_ISO_MONTH = re.compile(r"(?<![0-9])((?:19|20)[0-9]{2})[-/. ](0?[1-9]|1[0-2])(?![0-9])")
_NUMERIC_MONTH = re.compile(r"(?<![0-9/.\-])(0?[1-9]|1[0-2]) ?[-/. ] ?((?:19|20)[0-9]{2}|[0-9]{2})(?![0-9/])")
_MONTH_BY_NUMBER = re.compile(
    r"\b(?:bulan|bln)(?: ke)?[ -]?([0-9]{1,2})\b(?:(?: tahun| thn| th)? ?((?:19|"
    r"20)[0-9]{2}))?"
)
_THIS = re.compile(
    r"\b(?:bulan|bln) (?:ini|skrg|sekarang|skr|iki|ieu)\b|\b(?:hari ini|barusan|tadi|kemarin sore|baru "
    r"saja|baru aja)\b"
)
_LAST = re.compile(
    r"\b(?:bulan|bln|wulan) (?:lalu|kemarin|kemaren|kmrn|kmren|sebelumnya|kapungkur|kepungkur|wingi|"
    r"kamari|yang lalu|yg lalu|tukang|lepas)\b|\bsebulan (?:yang |yg )?lalu\b"
)
_AGO = re.compile(r"\b([0-9]{1,3}) (?:bulan|bln) (?:yang |yg )?(?:lalu|kemarin|kemaren|sebelumnya|silam)\b")
_NEXT = re.compile(r"\b(?:bulan|bln) (?:depan|dpn|besok|ngarep|hareup)\b")
_YEAR = re.compile(r"(?<![0-9])'?((?:19|20)[0-9]{2}|[0-9]{2})(?![0-9])")
_LAST_YEAR = re.compile(r"\b(?:tahun|thn|th|taun) (?:lalu|kemarin|kemaren|kmrn|sebelumnya|wingi|kamari)\b")
_THIS_YEAR = re.compile(r"\b(?:tahun|thn|th|taun) (?:ini|sekarang)\b")


def full_year(text: str, today: date) -> int:
    """A year of two or four digits as four: two digits above the present year's are 19xx."""
    year = int(text)
    if len(text) > 2:
        return year
    century = today.year // 100 * 100
    return century + year if year <= today.year % 100 else century - 100 + year


def _shifted(today: date, months: int) -> str:
    index = today.year * 12 + today.month - 1 + months
    return f"{index // 12:04d}-{index % 12 + 1:02d}"


def _month_result(year: int, month: int, doubts: tuple[str, ...] = ()) -> Reading | Refusal:
    if not 1 <= month <= 12:
        return Refusal("impossible_date")
    if not 1950 <= year <= 2100:
        return Refusal("out_of_range", {"year": str(year)})
    return Reading(f"{year:04d}-{month:02d}", doubts)


def with_numerals(folded: str) -> str:
    """`folded` with numbers in words written as digits ("tujuh belas agustus" is "17 agustus"). Positions are
    not kept.
    """
    tokens = tokens_of(folded)
    amounts = [a for a in amounts_in(tokens) if a.worded and not a.vague and not a.slang and isinstance(a.value, int)]
    if not amounts:
        return folded
    parts, at = [], 0
    for amount in amounts:
        parts.append(folded[at : amount.start])
        parts.append(str(amount.value))
        at = amount.end
    parts.append(folded[at:])
    return "".join(parts)


def _read_month(folded: str, today: date) -> Reading | Refusal:
    text = with_numerals(folded)
    names = [(m.start(), m.end(), n) for m in _WORDS.finditer(text) if (n := month_number(m.group())) is not None]
    if len({number for _, _, number in names}) > 1:
        return Refusal("two_answers")
    if names:
        start, end, month = names[0]
        if _LAST_YEAR.search(text):
            return _month_result(today.year - 1, month)
        if _THIS_YEAR.search(text):
            return _month_result(today.year, month)
        after = _YEAR.search(text, end)
        if after is not None and (len(after.group(1)) == 4 or after.start() - end <= 8):
            return _month_result(full_year(after.group(1), today), month)
        before = re.search(r"(?:19|20)[0-9]{2}", text[:start])
        if before is not None:
            return _month_result(int(before.group()), month)
        return _month_result(today.year if month <= today.month else today.year - 1, month, ("year_assumed",))
    for pattern, order in ((_ISO_MONTH, (1, 2)), (_NUMERIC_MONTH, (2, 1))):
        match = pattern.search(text)
        if match is not None:
            return _month_result(full_year(match.group(order[0]), today), int(match.group(order[1])))
    dated = re.search(r"(?<![0-9])[0-3]?[0-9][-/.]([01]?[0-9])[-/.]((?:19|20)?[0-9]{2})(?![0-9])", text)
    if dated is not None:
        return _month_result(full_year(dated.group(2), today), int(dated.group(1)))
    ago = _AGO.search(text)
    if ago is not None:
        return Reading(_shifted(today, -int(ago.group(1))))
    if _LAST.search(text):
        return Reading(_shifted(today, -1))
    if _THIS.search(text):
        return Reading(_shifted(today, 0))
    if _NEXT.search(text):
        return Reading(_shifted(today, 1))
    numbered = _MONTH_BY_NUMBER.search(text) or re.fullmatch(r"\s*([0-9]{1,2})()\s*", text)
    if numbered is not None:
        month = int(numbered.group(1))
        if not 1 <= month <= 12:
            return Refusal("out_of_range", {"month": str(month)})
        if numbered.group(2):
            return _month_result(int(numbered.group(2)), month)
        return _month_result(today.year if month <= today.month else today.year - 1, month, ("year_assumed",))
    if is_question(text):
        return Refusal("question", attempt=False)
    attempt = any(char.isdigit() for char in text) or "bulan" in text or "tahun" in text
    return Refusal("unknown" if is_unknown(text) else "vague" if attempt else "unclear", attempt=attempt)


def read_month(text: str, *, today: date) -> Reading | Refusal:
    """A month as `YYYY-MM`: "oktober", "okt 26", "10/2026", "bulan lalu". Without a year it is the nearest one
    not ahead.
    """
    folded = fold(text)
    if not folded.strip():
        return Refusal("empty", attempt=False)
    tail = after_retraction(folded)
    if tail is not None and tail.strip():
        later = _read_month(tail, today)
        if isinstance(later, Reading):
            return later
    return _read_month(folded, today)
