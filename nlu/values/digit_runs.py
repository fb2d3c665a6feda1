"""Long numbers as people type or dictate them: spaced, dotted, with O for 0, or in words."""

import re
from dataclasses import dataclass

_TOKEN = re.compile(r"[^\W_]+")
_LETTERS_FIRST = re.compile(r"[a-z]{2,}(?=[0-9])")
_LETTERS_LAST = re.compile(r"(?<=[0-9])[a-z]{2,}$")
_LOOKALIKES = str.maketrans({"o": "0", "i": "1", "l": "1"})
_LOOKALIKE_TOKEN = re.compile(r"[0-9oil]+")
_GAP = re.compile(r"[\s.\-/_()|:,+]{0,3}")

SPOKEN_DIGITS = {
    "nol": "0", "nul": "0", "kosong": "0", "zero": "0", "satu": "1", "siji": "1", "hiji": "1", "dua": "2",
        "loro": "2", "tiga": "3", "telu": "3",
    "tilu": "3", "empat": "4", "papat": "4", "opat": "4", "lima": "5", "limo": "5", "enam": "6", "enem": "6", "genep":
        "6",
    "tujuh": "7", "pitu": "7", "delapan": "8", "lapan": "8", "wolu": "8", "dalapan": "8", "sembilan": "9", "songo": "9",
        "salapan": "9", "ciek": "1", "duo": "2", "tigo": "3", "ampek": "4", "anam": "6", "tujuah": "7", "sambilan": "9",
        "sanga": "9", "setunggal": "1", "kalih": "2", "sekawan": "4", "gangsal": "5",
}  # fmt: skip
_REPEATS = {"dobel": 2, "double": 2, "triple": 3, "tripel": 3}


@dataclass(frozen=True, slots=True)
class DigitRun:
    """One long number: its digits, where it stands, whether `+` stood before it, and whether foreign letters
    stood in it.
    """

    digits: str
    start: int
    end: int
    plus: bool
    spoiled: bool = False


def _digits_of(token: str) -> str | None:
    """The digits a token stands for, or None when it is no part of a number."""
    if token.isdigit() and token.isascii():
        return token
    if token in SPOKEN_DIGITS:
        return SPOKEN_DIGITS[token]
    if _LOOKALIKE_TOKEN.fullmatch(token) and (
        any(c.isdigit() for c in token) or (len(token) > 1 and set(token) == {"o"})
    ):
        return token.translate(_LOOKALIKES)
    return None


def digit_runs(folded: str, *, least: int = 3) -> list[DigitRun]:
    """The numbers of `folded` with `least` digits or more, in order; neighbouring groups of digits are one number."""
    runs: list[DigitRun] = []
    digits, start, end, repeat = "", 0, -1, 1
    spoiled = False

    def close() -> None:
        nonlocal digits, spoiled
        if len(digits) >= least:
            before = folded[max(0, start - 2) : start]
            runs.append(DigitRun(digits, start, end, "+" in before, spoiled))
        digits, spoiled = "", False

    for match in _TOKEN.finditer(folded):
        token, at, to = match.group(), match.start(), match.end()
        if token in _REPEATS and digits:
            repeat = _REPEATS[token]
            end = to
            continue
        part = _digits_of(token)
        cut_last = False
        if part is None and any(c.isdigit() for c in token):
            lead = _LETTERS_FIRST.match(token)
            if lead:
                close()
                at += lead.end()
                token = token[lead.end() :]
            tail = _LETTERS_LAST.search(token)
            if tail:
                to = at + tail.start()
                token = token[: tail.start()]
                cut_last = True
            part = _digits_of(token)
            if part is None and sum(c.isdigit() for c in token) >= 9:
                part = token
                spoiled_token = True
            else:
                spoiled_token = False
        else:
            spoiled_token = False
        if part is None:
            close()
            repeat = 1
            continue
        if (
            (digits and not _GAP.fullmatch(folded, end, at))
            or (digits and "+" in folded[end:at])
            or (digits and "," in folded[end:at] and len(digits) >= 9)
        ):
            close()
        if not digits:
            start = at
        digits += part * repeat
        repeat = 1
        spoiled = spoiled or spoiled_token
        end = to
        if cut_last:
            close()
    close()
    return runs
