"""Days of the calendar: written out, in figures, or told from today. Day first; whole days in the person's calendar.

A day that lies ahead is a value (refusing it is the flow's business). A month or a year alone, an age and a day
that does not exist
are refused.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from nlu.values.asking import is_question, is_unknown
from nlu.values.folding import after_retraction, fold
from nlu.values.months import MONTHS, full_year, month_number
from nlu.values.numbers_in_words import Amount, amounts_in, tokens_of
from nlu.values.reading import Reading, Refusal

_FIRST_YEAR, _LAST_YEAR = 1900, 2100

_WEEKDAYS: dict[str, int] = {
    **dict.fromkeys(("senin", "senen", "snin", "sen", "monday"), 0),
    **dict.fromkeys(("selasa", "slasa", "salasa", "tuesday"), 1),
    **dict.fromkeys(("rabu", "rebo", "rabo", "rebu", "wednesday"), 2),
    **dict.fromkeys(("kamis", "kemis", "thursday"), 3),
    **dict.fromkeys(("jumat", "jum'at", "jumaat", "jemuah", "jumuah", "friday"), 4),
    **dict.fromkeys(("sabtu", "saptu", "setu", "saturday"), 5),
    **dict.fromkeys(("minggu", "ahad", "akad", "sunday"), 6),
}
_DAY_WORDS = "|".join(sorted(_WEEKDAYS, key=len, reverse=True))
_PAST = (
    r"(?:yang lalu|yg lalu|yang kemarin|yg kemarin|lalu|lalau|kemarin|kemaren|kmrn|kmren|wingi|kamari|"
    r"kapungkur|kepungkur|silam|last|lepas|tukang)"
)
_FUTURE = r"(?:depan|dpn|besok|bsk|ngarep|hareup|nanti|mendatang|yang akan datang|yad)"

_NUMERIC = re.compile(
    r"(?<![0-9])(?P<d>[0-3]?[0-9]) ?[/.\- ] ?(?P<m>[0-9]{1,2}) ?[/.\- ,] ?'?(?P<y>(?:[0-9]{4}|"
    r"[0-9]{2}))(?![0-9])"
)
_ISO = re.compile(
    r"(?<![0-9])(?P<y>(?:19|20)[0-9]{2}) ?[/.\- ] ?(?P<m>[0-9]{1,2}) ?[/.\- ] ?(?P<d>[0-9]{1,"
    r"2})(?![0-9])"
)
_NUMERIC_NO_YEAR = re.compile(
    r"(?<![0-9/.,\-])(?P<d>[0-3]?[0-9]) ?[/\-] ?(?P<m>[0-1]?[0-9])(?![0-9/.,\-]|\s*(?:juta|"
    r"jt|rb|ribu|orang|bulan|bln|hari|tahun|thn))"
)
_SOLID = re.compile(r"(?<![0-9])(?P<d>[0-3][0-9])(?P<m>[0-1][0-9])(?P<y>(?:19|20)[0-9]{2})(?![0-9])")
_SOLID_SHORT = re.compile(r"(?<![0-9])(?P<d>[0-3][0-9])(?P<m>[0-1][0-9])(?P<y>[0-9]{2})(?![0-9])")
_BY_NAME = re.compile(
    r"(?<![0-9.,])(?P<d>[0-9]{1,2})(?:st|nd|rd|th)?[\s\-/.,]{0,3}(?:(?:bulan|bln)\s)?(?P<name>[a-z]{3,12})(?:[\s\-/.,"
    r"]{0,3}(?:(?:tahun|thn|th)\.?\s?)?'?(?P<y>[0-9]{4}|[0-9]{2}(?: [0-9]{2})?))?(?![0-9])"
)
_NAME_FIRST = re.compile(
    r"\b(?P<name>[a-z]{3,12})\s?(?P<d>[0-9]{1,2})(?:st|nd|rd|th)?(?:,\s*|\s+)(?P<y>(?:19|"
    r"20)[0-9]{2})(?![0-9])"
)
_BY_NUMBERED_MONTH = re.compile(
    r"(?<![0-9])(?P<d>[0-9]{1,2}) ?(?:bulan|bln)(?: ke)? ?-?(?P<m>[0-9]{1,2})(?![0-9])(?:[\s,]*(?:tahun|thn|th)?\.? "
    r"?'?(?P<y>(?:19|20)[0-9]{2}|[0-9]{2})(?![0-9]))?"
)
_DAY_OF_MONTH = re.compile(
    r"\b(?:tanggal|tgl|tggl|tnggl|tangal|tgl\.)\s?(?P<d>[0-9]{1,2})(?![0-9])(?:\s+(?P<which>(?:bulan|bln) (?:ini|lalu|"
    r"kemarin|kemaren|kmrn|depan|dpn|yang lalu|yg lalu)|kemarin|kemaren|kmrn|lalu|besok|nanti))?"
)
#: Only "this month": "2 bulan lalu" without "tanggal" is two months ago.
_DAY_THIS_MONTH = re.compile(r"(?<![0-9])(?P<d>[0-9]{1,2})\s+(?P<which>(?:bulan|bln) ini)")
_NAME_THEN_DAY = re.compile(
    r"\b(?P<name>[a-z]{3,12})\s+(?:tanggal|tgl)\s?(?P<d>[0-9]{1,2})[\s,]+(?:(?:tahun|thn|th)\s)?(?P<y>(?:19|20)[0-9]{2})(?![0-9])"
)
_AGO = re.compile(
    r"(?<![0-9,.])(?:(?P<n>[0-9]{1,4})\s?|(?P<one>se|sa))(?P<unit>hari|hr|minggu|mgg|pekan|bulan|bln|tahun|thn|dina|"
    r"dino|poe|wulan|taun|dinten)\s*(?:an\s+)?(?:ya?n?g\s+)?"
    r"(?P<way>lalu|lalau|kemarin|kemaren|silam|sebelumnya|kepungkur|kapungkur|katukang|yl|ago|lepas|wingi|lagi|"
    r"kedepan|ke depan|mendatang|days ago)\b"
)
_WEEKDAY_MATCH = re.compile(
    rf"\b(?P<hari>hari |malam |dinten |dino |poe )?(?P<day>{_DAY_WORDS})\b(?:\s+(?:pagi|siang|sore|malam|"
    rf"subuh))?(?:\s+(?:(?P<week>(?:minggu|mgg|pekan) )?(?P<way>{_PAST}|{_FUTURE}|ini|iki|ieu|tadi)))?(?![a-z])"
)
_RELATIVE: tuple[tuple[re.Pattern[str], int, tuple[str, ...]], ...] = (
    (
        re.compile(
            r"\b(?:kemarin|kemaren|kmrn|kmren|kamari)[ -]?(?:lusa|dulu|dulunya)\b|\blusa (?:kemarin|kemaren|kmrn|"
            r"lalu)\b|\b(?:2|dua) hari kemarin\b|\bmangkemarin\b|\bwingenane\b|\bmangkamari\b"
        ),
        -2,
        (),
    ),
    (
        re.compile(r"\bbesok (?:lusa|lagi)\b|\blusa\b|\bsuk ?ben\b|\bpageto\b|\bpagetona\b|\bisukan deui\b|\bemben\b"),
        2,
        (),
    ),
    (
        re.compile(
            r"\b(?:tadi malam|tadi malem|tdi malam|td malam|semalam|semalem|mau bengi|mambengi|peuting tadi|tadi "
            r"peuting|malam tadi|malem tadi|malam kemarin)\b"
        ),
        -1,
        ("night",),
    ),
    (re.compile(r"\b(?:besok|bsk|besuk|bsok|sesuk|isukan|isuk|enjing|enjang|tomorrow|esok)\b"), 1, ()),
    (
        re.compile(r"\b(?:kemarin|kemaren|kmrn|kmren|kemrin|kmarin|kmaren|wingi|kamari|yesterday|kemari|kemarinan)\b"),
        -1,
        ("recently",),
    ),
    (
        re.compile(
            r"\b(?:hari ini|hr ini|hri ini|hariini|dino iki|dina iki|dinten ieu|dinten meniko|poe ieu|saiki|today|"
            r"sekarang|skrg|skarang|barusan|baru saja|baru aja|brusan|"
            r"mau esuk|mau isuk|(?:tadi|td|tdi) (?:pagi|siang|sore|subuh|pg|sor)|(?:pagi|siang|sore|subuh) tadi|tadi|"
            r"td|tdi|pagi ini|siang ini|sore ini|malam ini|ayeuna)\b"
        ),
        0,
        (),
    ),
)
_DIGIT = re.compile(r"[0-9]")
#: Pieces of which at least one stands in any text that tells a day without figures; others are passed over quickly.
_RELATIVE_HINT = re.compile(
    r"k[e]?m[a]?r[ei]?n|kmren|kamari|lusa|wing|suk|besok|bsk|bsok|isuk|esok|enj|emben|malam|malem|bengi|"
    r"peuting|ini|iki|ieu|inten|"
    r"today|tomorrow|yesterday|saiki|skarang|sekarang|skrg|barus|brusan|baru |tadi|td|ayeuna|pageto|kemari|kmar"
)
_DAY_HINT = re.compile(rf"{_RELATIVE_HINT.pattern}|lalu|minggu|mgg|pekan|hari|silam|ago|{_DAY_WORDS}")
_LAST_WEEK = re.compile(rf"\b(?:minggu|mgg|pekan) {_PAST}\b")
_NEXT_WEEK = re.compile(rf"\b(?:minggu|mgg|pekan) {_FUTURE}\b")
_HOLIDAY = re.compile(
    r"\b(?:lebaran|idul ?fitri|idul ?adha|puasa|ramadhan|ramadan|natal|tahun baru|imlek|nyepi|17-?an|agustusan|maulid|"
    r"isra|panen|awal|akhir|pertengahan|tengah|"
    r"dulu|lama|sebelum|sesudah|habis|abis|pas|waktu)\b"
)
_AGE = re.compile(r"\b(?:umur|usia|umurku|umurnya|berumur|berusia)\b|(?<![0-9])[0-9]{1,3} ?(?:tahun|thn|th|taun)\b")
_YEAR_ALONE = re.compile(r"(?<![0-9])(?:19|20)[0-9]{2}(?![0-9])")
_AHEAD = re.compile(r"\b(?:nanti|akan|besok|depan|mendatang|rencana|bakal|ntar)\b")
_ATTEMPT = re.compile(r"\d|\b(?:tanggal|tgl|bulan|bln|tahun|thn|hari|minggu|kemarin|besok|tadi|lusa)\b")


@dataclass(frozen=True, slots=True)
class DateFound:
    """A date in a text, or the refusal of what looked like one, and where it stands (positions in the text
    with numerals).
    """

    result: Reading | Refusal
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Spelled:
    """A text whose number words are written as digits, with the way back from its positions to those of the
    folded text.
    """

    text: str
    steps: tuple[tuple[int, int, int, int], ...] = ()

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Where the piece from `start` to `end` stood in the folded text."""
        return self._back(start, False), self._back(end, True)

    def _back(self, at: int, is_end: bool) -> int:
        shift = 0
        for new_start, new_end, old_start, old_end in self.steps:
            if at <= new_start and not (is_end and at == new_end):
                break
            if at < new_end or (is_end and at == new_end):
                return old_end if is_end else old_start
            shift = old_end - new_end
        return at + shift


def spelled(folded: str, all_amounts: list[Amount] | None = None) -> Spelled:
    """`folded` with whole numbers in words turned into digits; "sembilan belas sembilan puluh" becomes "19 90"."""
    if all_amounts is None:
        all_amounts = amounts_in(tokens_of(folded))
    amounts = [
        a
        for a in all_amounts
        if a.worded and not a.vague and not a.slang and isinstance(a.value, int) and a.odd != "adjacent"
    ]
    if not amounts:
        return Spelled(folded)
    parts: list[str] = []
    steps: list[tuple[int, int, int, int]] = []
    at = length = 0
    for amount in amounts:
        kept = folded[at : amount.start]
        digits = str(amount.value)
        parts += (kept, digits)
        length += len(kept)
        steps.append((length, length + len(digits), amount.start, amount.end))
        length += len(digits)
        at = amount.end
    parts.append(folded[at:])
    return Spelled("".join(parts), tuple(steps))


def _made(year: int, month: int, day: int, doubts: tuple[str, ...] = ()) -> Reading | Refusal:
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        return Refusal("out_of_range", {"year": str(year)})
    try:
        return Reading(date(year, month, day).isoformat(), doubts)
    except ValueError:
        return Refusal("impossible_date", {"day": str(day), "month": str(month), "year": str(year)})


def _without_year(day: int, month: int, today: date, ahead: bool) -> Reading | Refusal:
    """The nearest past such day (today counts), or the nearest one ahead when the text speaks of the future."""
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return Refusal("impossible_date", {"day": str(day), "month": str(month)})
    for distance in range(9):
        try:
            found = date(today.year + (distance if ahead else -distance), month, day)
        except ValueError:
            continue
        if found >= today if ahead else found <= today:
            return Reading(found.isoformat(), ("year_assumed",))
    return Refusal("impossible_date", {"day": str(day), "month": str(month)})


def _year_of(text: str, today: date) -> int:
    if " " in text:
        return int(text.replace(" ", ""))
    return full_year(text, today)


def _months_away(today: date, months: int) -> date:
    index = today.year * 12 + today.month - 1 + months
    year, month = index // 12, index % 12 + 1
    for day in range(today.day, 27, -1):
        try:
            return date(year, month, day)
        except ValueError:
            continue
    return date(year, month, min(today.day, 28))


def _in_month(match: re.Match[str], today: date) -> Reading | Refusal:
    """ "tanggal 15", "tanggal 15 bulan lalu": the day of the month named, else the latest such day."""
    day, which = int(match["d"]), match["which"] or ""
    if not 1 <= day <= 31:
        return Refusal("impossible_date", {"day": str(day)})
    if which.startswith(("bulan", "bln")):
        away = 0 if which.endswith("ini") else 1 if which.endswith(("depan", "dpn")) else -1
        index = today.year * 12 + today.month - 1 + away
        return _made(index // 12, index % 12 + 1, day)
    ahead = which in {"besok", "nanti"}
    index = today.year * 12 + today.month - 1
    for distance in range(4):
        at = index + (distance if ahead else -distance)
        try:
            found = date(at // 12, at % 12 + 1, day)
        except ValueError:
            continue
        if found >= today if ahead else found <= today:
            return Reading(found.isoformat(), ("month_assumed",))
    return Refusal("impossible_date", {"day": str(day)})


def _ago(match: re.Match[str], today: date) -> Reading | Refusal:
    count = int(match["n"]) if match["n"] else 1
    unit = match["unit"]
    sign = 1 if match["way"] in {"lagi", "kedepan", "ke depan", "mendatang"} else -1
    if count > 2000:
        return Refusal("out_of_range", {"count": str(count)})
    try:
        if unit in {"hari", "hr", "dina", "dino", "poe", "dinten"}:
            return Reading((today + timedelta(days=sign * count)).isoformat())
        if unit in {"minggu", "mgg", "pekan"}:
            return Reading((today + timedelta(days=sign * 7 * count)).isoformat(), ("about",))
        months = count * (12 if unit in {"tahun", "thn", "taun"} else 1)
        found = _months_away(today, sign * months)
    except (OverflowError, ValueError):
        return Refusal("out_of_range", {"count": str(count)})
    if found.year < _FIRST_YEAR:
        return Refusal("out_of_range", {"year": str(found.year)})
    return Reading(found.isoformat(), ("about",))


def _weekday(match: re.Match[str], today: date) -> Reading | None:
    way, day = match["way"] or "", _WEEKDAYS[match["day"]]
    if match["day"] in {"minggu"} and not match["hari"]:
        return None
    if match["day"] in {"rebu", "setu", "sen", "akad"} and not match["hari"]:
        return None
    if match["hari"] == "malam ":
        day = (day - 1) % 7  # "malam minggu" is the evening before Sunday
    behind = (today.weekday() - day) % 7
    if match["week"]:
        sunday = today - timedelta(days=(today.weekday() + 1) % 7)
        away = 7 if re.fullmatch(_FUTURE, way) else 0 if way in {"ini", "iki", "ieu"} else -7
        return Reading((sunday + timedelta(days=away + (day + 1) % 7)).isoformat(), ("week_assumed",))
    if re.fullmatch(_FUTURE, way):
        return Reading((today + timedelta(days=7 - behind)).isoformat())
    if way in {"tadi", "ini", "iki", "ieu"}:
        return Reading((today - timedelta(days=behind)).isoformat(), () if behind == 0 else ("weekday_assumed",))
    if way:
        return Reading((today - timedelta(days=behind or 7)).isoformat())
    return Reading((today - timedelta(days=behind)).isoformat(), ("weekday_assumed",))


def _calendar_dates(text: str, today: date, ahead: bool) -> list[DateFound]:
    """Dates with day and month in them, whatever the form, in order of preference of the forms; pieces never
    overlap.
    """
    found: list[DateFound] = []
    taken: list[tuple[int, int]] = []

    def add(match: re.Match[str], result: Reading | Refusal) -> None:
        start, end = match.span()
        if all(end <= a or start >= b for a, b in taken):
            taken.append((start, end))
            found.append(DateFound(result, start, end))

    for match in _ISO.finditer(text):
        add(match, _made(int(match["y"]), int(match["m"]), int(match["d"])))
    for match in _BY_NAME.finditer(text):
        month = month_number(match["name"])
        if month is None:
            continue
        if match["y"]:
            add(match, _made(_year_of(match["y"], today), month, int(match["d"])))
        else:
            year = _said_year(text, match.end(), today)
            add(
                match,
                _made(year, month, int(match["d"])) if year else _without_year(int(match["d"]), month, today, ahead),
            )
    for pattern in (_NAME_FIRST, _NAME_THEN_DAY):
        for match in pattern.finditer(text):
            month = MONTHS.get(match["name"])
            if month is not None:
                add(match, _made(int(match["y"]), month, int(match["d"])))
    for match in _BY_NUMBERED_MONTH.finditer(text):
        if match["y"]:
            add(match, _made(_year_of(match["y"], today), int(match["m"]), int(match["d"])))
        else:
            add(match, _without_year(int(match["d"]), int(match["m"]), today, ahead))
    for pattern in (_NUMERIC, _SOLID):
        for match in pattern.finditer(text):
            add(match, _made(_year_of(match["y"], today), int(match["m"]), int(match["d"])))
    return found


def _said_year(text: str, end: int, today: date) -> int | None:
    """The year of "tahun lalu" or "tahun ini" right after a day and month."""
    match = re.match(rf"\s*(?:(?:tahun|thn|th|taun) ({_PAST}|ini))\b", text[end : end + 30])
    if match is None:
        return None
    return today.year if match.group(1) == "ini" else today.year - 1


def find_dates(text: str, today: date) -> list[DateFound]:
    """The dates in a text whose numbers are digits, calendar ones and relative ones, in order of place."""
    has_digit = _DIGIT.search(text) is not None
    if not has_digit and _DAY_HINT.search(text) is None:
        return []
    ahead = _AHEAD.search(text) is not None
    found = _calendar_dates(text, today, ahead) if has_digit else []
    taken = [(item.start, item.end) for item in found]

    def free(match: re.Match[str]) -> bool:
        return all(match.end() <= a or match.start() >= b for a, b in taken)

    def add(match: re.Match[str], result: Reading | Refusal) -> None:
        taken.append(match.span())
        found.append(DateFound(result, match.start(), match.end()))

    for pattern in (_DAY_OF_MONTH, _DAY_THIS_MONTH) if has_digit else ():
        for match in pattern.finditer(text):
            if free(match):
                add(match, _in_month(match, today))
    for match in _AGO.finditer(text):
        if free(match):
            add(match, _ago(match, today))
    for match in _WEEKDAY_MATCH.finditer(text):
        if free(match) and (result := _weekday(match, today)) is not None:
            add(match, result)
    for match in _LAST_WEEK.finditer(text):
        if free(match):
            add(match, Reading((today - timedelta(days=7)).isoformat(), ("about",)))
    for match in _NEXT_WEEK.finditer(text):
        if free(match):
            add(match, Reading((today + timedelta(days=7)).isoformat(), ("about",)))
    for pattern, days, doubts in _RELATIVE if _RELATIVE_HINT.search(text) else ():
        for match in pattern.finditer(text):
            if free(match) and not _of_something_else(text, match):
                add(match, Reading((today + timedelta(days=days)).isoformat(), doubts))
    return sorted(found, key=lambda item: item.start)


_OTHER_UNIT_BEFORE = re.compile(r"(?:bulan|bln|tahun|thn|taun|wulan|minggu|puasa|lebaran|natal) $")


def _of_something_else(text: str, match: re.Match[str]) -> bool:
    """Whether a "kemarin" belongs to a month, year or feast before it, or a "tadi" to no day at all ("yang tadi")."""
    before = text[max(0, match.start() - 9) : match.start()]
    return _OTHER_UNIT_BEFORE.search(before) is not None or (
        match.group() in {"tadi", "td", "tdi"} and before.endswith(("yang ", "yg "))
    )


def _refused(text: str) -> Refusal:
    if is_question(text):
        return Refusal("question", attempt=False)
    if _HOLIDAY.search(text) and not _YEAR_ALONE.search(text):
        return Refusal("vague")
    if _AGE.search(text):
        return Refusal("age")
    if any(month_number(word) is not None for word in re.findall(r"[a-z]{3,12}", text)):
        return Refusal("month_only")
    if _YEAR_ALONE.search(text):
        return Refusal("year_only")
    if is_unknown(text):
        return Refusal("unknown", attempt=False)
    attempt = _ATTEMPT.search(text) is not None
    return Refusal("vague" if attempt and not any(c.isdigit() for c in text) else "unclear", attempt=attempt)


def _read(folded: str, today: date) -> Reading | Refusal:
    text = spelled(folded).text
    found = find_dates(text, today)
    if not found and (match := _SOLID_SHORT.search(text)) is not None:
        return _made(_year_of(match["y"], today), int(match["m"]), int(match["d"]))
    if not found:
        match = _NUMERIC_NO_YEAR.search(text)
        if match is not None:
            return _without_year(int(match["d"]), int(match["m"]), today, _AHEAD.search(text) is not None)
        return _refused(text)
    dated = [item for item in found if any(char.isdigit() for char in text[item.start : item.end])]
    weekdays = [item for item in found if item not in dated]
    chosen = dated or weekdays
    if not dated and len(chosen) > 1:
        chosen = [
            i
            for i in chosen
            if isinstance(i.result, Reading)
            and "weekday_assumed" not in i.result.doubts
            and "recently" not in i.result.doubts
        ] or chosen
    if len({item.result.value for item in chosen if isinstance(item.result, Reading)}) > 1:
        return Refusal("two_answers")
    good = [item.result for item in chosen if isinstance(item.result, Reading)]
    if (
        _HOLIDAY.search(text)
        and not dated
        and re.search(
            r"\b(?:awal|akhir|pertengahan|tengah|sebelum|sesudah|habis|"
            r"abis) (?:bulan|minggu|tahun|lebaran|puasa|natal)\b",
            text,
        )
    ):
        return Refusal("vague")
    return good[0] if good else chosen[0].result


def read_date(text: str, *, today: date) -> Reading | Refusal:
    """A day as an ISO date. "kemarin" carries the doubt "recently", a day and month without a year the doubt
    "year_assumed".
    """
    folded = fold(text)
    if not folded.strip():
        return Refusal("empty", attempt=False)
    tail = after_retraction(folded)
    if tail is not None and tail.strip():
        later = _read(tail, today)
        if isinstance(later, Reading):
            return later
    return _read(folded, today)
