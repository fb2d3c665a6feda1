"""Folding of text before it is read: small letters, plain digits, and every position kept."""

import re
import unicodedata
from functools import lru_cache

#: Longest text a reader looks at, in characters. What people answer is far shorter; the rest is cut.
MAX_CHARS = 2000

_LONG_RUN = re.compile(r"([a-z])\1{2,}")
_TAKEN_BACK = re.compile(
    r"\b(?:eh+h?|ehh+|ralat|koreksi|maksud(?:nya|ku| saya| sy| gue| aku)|mksd(?:nya)?|sorry|sori|maaf salah|salah ketik"
    r"|salah deng|salah ding|salah|typo|bukan deng|bukan ding|harusnya|seharusnya|bukan [^,;]{1,40}?[ ,]+(?:tapi|tp|"
    r"melainkan))\b"
)


@lru_cache(maxsize=4096)
def _fold_char(char: str) -> str:
    plain = unicodedata.normalize("NFKC", char).lower()
    if len(plain) != 1:
        return char
    if not plain.isascii() and (value := unicodedata.decimal(plain, None)) is not None:
        return str(value)
    return {"’": "'", "‘": "'", "`": "'", "´": "'", "–": "-", "—": "-", "−": "-", "‑": "-", "⁄": "/", "×": "x"}.get(
        plain, plain
    )


def fold(text: str) -> str:
    """`text` in small letters with plain digits, quotes and dashes, as long as it was (cut at `MAX_CHARS`)."""
    text = text[:MAX_CHARS]
    if text.isascii():
        return text.lower()
    return "".join(map(_fold_char, text))


def unstretch(folded: str) -> str:
    """`folded` with letters held down made single ("iyaaa" is "iya"). Positions are not kept."""
    return _LONG_RUN.sub(r"\1", folded)


def after_retraction(folded: str) -> str | None:
    """What follows the last word that takes the foregoing back ("3 juta eh 4 juta"), or None if nothing does."""
    end = None
    for match in _TAKEN_BACK.finditer(folded):
        if match.start() > 0 or match.group().endswith(("tapi", "tp", "melainkan")):
            end = match.end()
    return folded[end:] if end is not None else None
