"""Messages whose intent needs no statistics: nothing but signs, laughter, or one bare value."""

# ruff: noqa: SIM905  word lists are read and edited as text

import re
from typing import Final

from nlu.normalise import MAX_CHARS, lowered

_LETTER_OR_DIGIT = re.compile(r"[^\W_]")
_LAUGHTER = re.compile(r"(?:(?:w+k+)+w*|(?:h+[aeio]+)+h*|(?:x+i+)+|lo+l|lma+o|ngaka+k|a?wok(?:wok)*)(?:\W|\Z)+")
_LONGEST_LAUGH_WORDS: Final = 6

_NUMBER_WORDS: Final = (
    "nol|satu|dua|tiga|empat|lima|enam|tujuh|delapan|sembilan|sepuluh|sebelas|seratus|seribu|sejuta|belas|puluh|ratus"
    "|ribu|rebu|rb|juta|jt|jeti|setengah|seperempat|koma"
    "|seceng|ceceng|noceng|goceng|ceban|noban|goban|cepek|cepe|gopek|nopek|gocap|jigo|pekgo|cetiao|gotiao"
)
_MONTHS: Final = (
    "januari|februari|pebruari|maret|april|mei|juni|juli|agustus|september|oktober|november|nopember|desember"
    "|jan|feb|mar|apr|jun|jul|agu|ags|sep|sept|okt|nov|nop|des"
)
_UNITS: Final = "rp|rupiah|perak|orang|org|pekerja|bulan|bln|bulanan|tahun|thn|tgl|tanggal|per|nomor|no|nik|kpj|hp|wa"

# One value: at least one number, and around it nothing but number words, units and punctuation.
_NUMBER = re.compile(rf"[+]?\d[\d.,/: -]*|\b(?:{_NUMBER_WORDS})\b")
_VALUE_WORD = re.compile(rf"(?:{_NUMBER_WORDS}|{_MONTHS}|{_UNITS}|k)(?:an)?")
_WORD = re.compile(r"[^\W\d_]+")
_LONGEST_VALUE_WORDS: Final = 12

# A code of ours and, besides courtesies, nothing but words that ask how it stands. Codes are of one kind; which record
# it names is found by looking it up.
_CODE = re.compile(r"\brk[\s\-_.]{0,2}[0-9a-z]{4}[\s\-_.]{0,2}[0-9a-z]{4}\b")
_HOW_IT_STANDS = re.compile(
    r"status(?:nya|e)?|kabar(?:nya|e)?|progres(?:s|nya)?|perkembangan(?:nya)?|kelanjutan(?:nya)?|gimana|gmn|gmna|bagaimana"
    r"|piye|pripun|kumaha|baa|cek|cekin|cekkan|hasil(?:nya)?|diproses|ditangani|selesai|kelar|beres|tiket|ticket|aduan"
    r"|laporan|pengaduan|keluhan|komplain|mana"
)
_BESIDE_A_CODE = frozenset(
    "apa ya yah dong deh sih nih tuh kak pak bu min mas mbak bang kok itu ini yang yg saya sy aku halo hai tolong mohon"
    " sudah udah udh dah sampai sampe sekarang skrg nomor no kode dengan untuk belum blm atau apakah".split()
)


def sure_intent(text: str) -> str | None:
    """The intent of a text that leaves no doubt, or None when the engine has to say.

    Signs, emoji or laughter alone are `out_of_scope`; a form that asked a question reads them itself. A number, date,
    amount or phone number alone is `inform`. A code of ours with a question how it stands is `check_ticket`.
    """
    plain = lowered(text)
    if not _LETTER_OR_DIGIT.search(plain):
        return "out_of_scope"
    if _is_laughter(plain):
        return "out_of_scope"
    if _is_bare_value(plain):
        return "inform"
    if _asks_about_a_code(plain):
        return "check_ticket"
    return None


def _asks_about_a_code(plain: str) -> bool:
    code = _CODE.search(plain)
    if code is None:
        return False
    words = _WORD.findall(f"{plain[: code.start()]} {plain[code.end() :]}")
    asking = [word for word in words if _HOW_IT_STANDS.fullmatch(word)]
    return bool(asking) and all(word in _BESIDE_A_CODE for word in words if word not in asking)


def _is_laughter(plain: str) -> bool:
    words = _WORD.findall(plain)
    if not 0 < len(words) <= _LONGEST_LAUGH_WORDS or any(map(str.isdigit, plain)):
        return False
    return all(len(word) > 3 and _LAUGHTER.fullmatch(word) for word in words)


def _is_bare_value(plain: str) -> bool:
    if len(plain) >= MAX_CHARS or not _NUMBER.search(plain):
        return False
    words = _WORD.findall(plain)
    return len(words) <= _LONGEST_VALUE_WORDS and all(map(_VALUE_WORD.fullmatch, words))
