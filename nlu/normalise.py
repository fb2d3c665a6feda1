"""One spelling for what people type many ways. For the classifier only: values are read from the text as typed."""

import csv
import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

SLANG_FILE: Final = Path(__file__).resolve().parent / "data_tables" / "slang.csv"

#: Longest text that is looked at, in characters; the rest of a longer one is cut.
MAX_CHARS: Final = 1000

_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
_DOUBLED = re.compile(r"\b([^\W\d_]{2,})(?:2|²)(?=\b|nya\b|an\b)")
_APOSTROPHES = re.compile("[’‘`´']")
_TOKEN = re.compile(r"[^\W_]+|[?!]")

# Order matters: the more particular shape first.
_NUMBER_SHAPES: Final = tuple(
    (re.compile(pattern), token)
    for pattern, token in (
        (r"\b(?:https?://\S+|www\.\S+|\S+\.(?:com|ly|id|me|net|org)\b\S*)", " urltoken "),
        (r"\b(?:rk|gn|by|bl|pl)[- ]?[0-9a-z]{4}[- ]?[0-9a-z]{4}\b", " kodetoken "),
        (r"\b\d{4} ?\d{4} ?\d{4} ?\d{4}\b|\b\d{6}[ .-]\d{6}[ .-]\d{4}\b", " niktoken "),
        (r"(?:\+62|\b62|\b0)[ -]?8[\d -]{7,14}\d\b", " hptoken "),
        (r"\b\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}\b|\b\d{4}-\d{2}-\d{2}\b", " tgltoken "),
        (r"\brp\.? ?\d[\d.,]*(?: ?(?:rb|ribu|rebu|k|jt|juta))?\b", " uangtoken "),
        (r"\b\d[\d.,]* ?(?:rban|rb|ribuan|ribu|rebu|jt|jtan|jutaan|juta|k)\b", " uangtoken "),
        (r"\b\d{1,3}(?:\.\d{3})+\b", " uangtoken "),
        (r"\d+(?:[.,]\d+)?", " angkatoken "),
    )
)


@lru_cache(maxsize=1)
def slang() -> Mapping[str, str]:
    """Our list of spellings: what is typed (one to three words) to the word that stands for it."""
    with SLANG_FILE.open(encoding="utf-8", newline="") as lines:
        return {row["typed"]: row["meaning"] for row in csv.DictReader(lines)}


def lowered(text: str) -> str:
    """The text in small letters, one space between words, compatibility forms resolved, cut at `MAX_CHARS`."""
    return " ".join(unicodedata.normalize("NFKC", text[:MAX_CHARS]).lower().split())


def normalise(text: str) -> str:
    """`text` as the classifier reads it: slang resolved, held-down letters single, numbers replaced by their kind.

    Of punctuation only `?` and `!` are kept, as words of their own. Empty when nothing else was there.
    """
    plain = _APOSTROPHES.sub("", lowered(text))
    plain = _DOUBLED.sub(r"\1 \1", plain)
    if "." in plain or any(map(str.isdigit, plain)):
        for shape, token in _NUMBER_SHAPES:
            plain = shape.sub(token, plain)
    return " ".join(_with_slang_resolved(_TOKEN.findall(_STRETCHED.sub(r"\1", plain))))


def _with_slang_resolved(words: list[str]) -> list[str]:
    """Each stretch of words that the list knows is replaced, the longest first (three words at most)."""
    known = slang()
    resolved: list[str] = []
    position = 0
    while position < len(words):
        for length in (3, 2, 1):
            typed = " ".join(words[position : position + length])
            if typed in known:
                resolved.append(known[typed])
                position += length
                break
        else:
            resolved.append(words[position])
            position += 1
    return resolved
