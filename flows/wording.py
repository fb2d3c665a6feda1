"""Fixed words of the conversation: commands that are never a guess, danger, questions, corrections.

Exact words come before statistics: "batal" in the middle of a form must work whatever the engine thinks of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

PLEASANTRIES: Final = frozenset({"greet", "thank", "goodbye", "bot_challenge", "abuse", "out_of_scope"})
"""Intents that ask for nothing that is done here."""
ANSWERS: Final = frozenset({"affirm", "deny", "skip", "correct", "repeat", "go_back", "inform"})
"""Intents that mean something only to an open question."""
CONTROLS: Final = frozenset({"cancel", "go_back", "repeat", "skip", "help"})
"""Intents that steer the conversation."""
_NOT_WORDS: Final = re.compile(r"[^a-z0-9 ]+")
_POLITE: Final = frozenset((
    "min", "kak", "bang", "pak", "bu", "mas", "mbak", "mba", "bos", "gan", "dong", "deh", "ya", "yah", "aja", "saja",
    "sih", "nih", "tolong", "mohon", "mau", "saya", "sy", "dulu", "please", "plis", "yaudah", "ydh", "oke", "ok",
    "kalo", "kalau", "gitu", "ah", "lah", "kok",
))  # fmt: skip

_COMMANDS: Final[dict[str, tuple[str, ...]]] = {
    "cancel": (
        "batal", "batalkan", "batalin", "cancel", "gak jadi", "ga jadi", "gajadi", "nggak jadi", "tidak jadi",
        "ndak jadi", "ora sido", "teu jadi", "udahan", "sudahi", "keluar",
    ),
    "stop": ("stop", "berhenti", "setop", "stop dulu", "berhenti dulu"),
    "later": (
        "nanti", "nanti aja", "nanti dulu", "lanjut nanti", "ntar", "ntar aja", "ntar dulu", "besok aja", "besok lagi",
    ),
    "resume": ("lanjut", "lanjutkan", "lanjutin", "terusin", "teruskan", "lanjut lagi", "gas"),
    "go_back": ("kembali", "balik", "back", "mundur", "sebelumnya", "pertanyaan sebelumnya", "balik lagi"),
    "skip": ("lewati", "lewat", "lewatin", "skip", "lompati", "kosongkan", "kosongin", "next"),
    "repeat": ("ulangi", "ulang", "ulangin", "ulang lagi", "apa tadi", "tadi apa", "gimana tadi", "repeat", "apa"),
    "file_complaint": ("lapor", "komplain", "complain", "ngadu", "mengadu", "pengaduan", "keluhan", "mau lapor"),
    "enroll": ("daftar", "mau daftar", "dftr"),
    "pay_contribution": ("bayar", "bayar iuran"),
    "check_ticket": ("cek laporan", "cek tiket", "laporan saya"),
    "help": (
        "menu", "start", "mulai", "bantuan", "help", "menu utama", "bisa apa", "bisa apa aja", "pilihan",
    ),
    "talk_to_staff": (
        "petugas", "cs", "admin", "operator", "manusia", "staf", "staff", "customer service",
        "bicara petugas", "hubungi petugas", "ngomong sama orang", "sambungkan petugas", "ke petugas",
        "panggil petugas", "minta petugas",
    ),
}  # fmt: skip
_PUTS_OFF: Final = re.compile(
    r"^(nanti|ntar|besok)( (nanti|lagi|masih|aku|lg))* (sibuk|repot|kerja|narik|nyetir|cape|capek|ngantuk|di jalan)$|"
    r"^(lagi |masih |lg )?(sibuk|repot)( (nanti|ntar|besok))( lagi)?$"
)
"""A later with its reason."""
_BY_WORDS: Final = {words: intent for intent, all_words in _COMMANDS.items() for words in all_words}

_DANGER: Final = re.compile(
    r"\b(bunuh diri|bundir|mau mati (aja|saja)|pengen mati|pingin mati|ingin mati|pgn mati|mengakhiri hidup|"
    r"akhiri hidup|gak mau hidup|ga mau hidup|tidak mau hidup|nggak mau hidup|capek hidup|cape hidup|gantung diri|"
    r"loncat dari jembatan|diancam (mau )?(dibunuh|bunuh)|mau dibunuh|ancam(an)? bunuh|saya disekap|"
    r"(gak|ga|nggak|tidak|udah ga|udah gak) kuat (lagi )?hidup|dipukul\w*|kdrt|"
    r"(suami|bapak|majikan|bos|pacar|mandor) .{0,20}(mukul|pukul|nyiksa|menyiksa|aniaya)\w*( saya| aku| sy)?)\b"
)
_QUESTION: Final = re.compile(
    r"\?|^(apa|apakah|gimana|gmn|bagaimana|berapa|brp|kapan|kpn|kenapa|knp|mengapa|siapa|dimana|dmn|pie|piye|"
    r"kumaha|bisa ga|bisa gak|boleh ga|boleh gak)\b|"
    r"\b(gimana|gmn|bagaimana|berapa|brp|dimana|di mana|dmn|kapan|kenapa|apakah|apa sih)\b"
)
_WHY: Final = re.compile(
    r"^(emang |memang )?(kenapa|knp|buat apa|untuk apa|utk apa|ngapain|kok)\b.{0,60}$|"
    r"\b(buat|untuk|utk) apa( sih| ya| min| kak)?$|^(apa itu|apa) maksud(nya)?$|"
    r"^maksud(nya)? (apa|gimana|gmn)$|^(apa )?beda(nya)?( apa)?$|^takut\b.{0,20}$|"
    r"^bukti apa|^(emang|memang|harus) (perlu|harus|wajib)|"
    r"^(emang|memang|emangnya)\b.*\b(kenapa|buat apa|untuk apa|utk apa)\b"
)
_THUMBS: Final = ("👍", "👌", "✅", "🆗")
_FILLER: Final = frozenset(
    {
        "semua",
        "semuanya",
        "dong",
        "aja",
        "saja",
        "kak",
        "min",
        "pak",
        "bu",
        "deh",
        "cepet",
        "segera",
        "kok",
        "lah",
        "ah",
    }
)
_AGREEING: Final = _FILLER | frozenset((
    "y", "ya", "yaa", "iya", "iyaa", "iyo", "yes", "yoi", "yup", "ok", "oke", "okay", "okeh", "sip", "siap", "betul",
    "benar", "bener", "sudah", "udah", "sdh", "udh", "kirim", "kirimkan", "kirimin", "lanjut", "lanjutkan", "gas",
    "gaskeun", "setuju", "nggih", "enggih", "njih", "enya", "muhun", "leres", "mantap", "pas", "cocok", "boleh",
))  # fmt: skip
_A_MOMENT: Final = 6
_WAIT: Final = re.compile(r"^(o iya |oh iya |iya |ya )?(bentar|sebentar|bntr|sbntr|tunggu|wait|sek|sik|antosan)\b")
_CORRECTION: Final = re.compile(
    r"^\s*(eh|eits|ehh|aduh|waduh|maaf|sori|sorry|maap|ralat|bukan|oh)?[\s,.!]*(eh|maaf|sori|sorry)?[\s,.!]*"
    r"(salah( ketik| tulis)?|keliru|ralat|koreksi|maksud(nya)?( saya| sy| aku)?|harusnya|seharusnya|"
    r"yang benar|yg benar|ganti|ubah|rubah|betulkan|betulin|perbaiki)\b[\s,.:!]*",
    re.IGNORECASE,
)
_MENDS: Final = re.compile(
    r"^\s*bukan\b[\s,]|\b(harusnya|seharusnya|yang (benar|bener)|yg (benar|bener)|salah (ketik|tulis)|ralat)\b",
    re.IGNORECASE,
)
_LINKS: Final = re.compile(
    r"^[\s,:=]*((saya|sy|aku|gue|gw|ku|nya|yang|yg|benar|bener|harusnya|seharusnya|jadi|adalah|itu|tadi|ganti|di|ke|"
    r"ubah|salah|maksudnya)\b[\s,:]*)*",
    re.IGNORECASE,
)
"""Words between the name of an answer and its value."""
_BEFORE_LINKS: Final = re.compile(
    r"[\s,]*\b(yang|yg|bener|benar|itu|harusnya|seharusnya|sebenarnya)\b.*$", re.IGNORECASE
)
_APOLOGY: Final = re.compile(r"^\s*(eh+|ralat|maaf|sori|sorry|aduh)\b[\s,.!]+(?=\S)", re.IGNORECASE)


def plain(text: str) -> str:
    """Lower case, letters and digits only, single spaces."""
    return " ".join(_NOT_WORDS.sub(" ", text.lower()).split())


def command(text: str) -> str:
    """The control intent that these exact words are, '' if none. Polite filler around them is forgiven."""
    words = plain(text)
    if words in _BY_WORDS:
        return _BY_WORDS[words]
    kept = [word for word in words.split() if word not in _POLITE]
    if _PUTS_OFF.match(" ".join(kept)):
        return "later"
    return _BY_WORDS.get(" ".join(kept), "") if len(kept) <= 3 else ""


def is_danger(text: str) -> bool:
    """Words of self-harm or of a threat to the person's safety."""
    return bool(_DANGER.search(plain(text)))


def is_question(text: str) -> bool:
    """Whether it asks something, going by its words."""
    lowered = text.lower().strip()
    return bool(_QUESTION.search(lowered))


def asks_why(text: str) -> bool:
    """Whether it asks what a question is for."""
    return bool(_WHY.match(plain(text)))


def agrees(text: str) -> bool:
    """A plain yes and nothing else: what sends a form must leave no doubt."""
    words = plain(text).split()
    if not words:
        return any(sign in text for sign in _THUMBS)
    return _AGREEING.issuperset(words) and not _FILLER.issuperset(words)


def asks_to_wait(text: str) -> bool:
    """Whether the person only needs a moment."""
    words = plain(text).split()
    return bool(words) and len(words) <= _A_MOMENT and bool(_WAIT.search(" ".join(words)))


@dataclass(frozen=True, slots=True)
class Correction:
    """That an earlier answer was wrong; `rest` is what follows the words that say so."""

    rest: str
    firm: bool


def correction(text: str) -> Correction | None:
    """A correction announced by its words ("eh salah, nama saya …"), or None.

    `firm` when the words themselves say that something was wrong; a mere "eh, …" is not firm.
    """
    if match := _CORRECTION.match(text):
        return Correction(text[match.end() :].strip(), firm=True)
    if match := _APOLOGY.match(text):
        return Correction(text[match.end() :].strip(), firm=False)
    return Correction(text.strip(), firm=False) if _MENDS.search(text) else None


def names_any(text: str, names: tuple[str, ...]) -> re.Match[str] | None:
    """Where one of these words stands in the text, the longest first."""
    for name in sorted(names, key=len, reverse=True):
        if match := re.search(rf"\b{re.escape(name)}(nya|ku|mu)?\b", text, re.IGNORECASE):
            return match
    return None


def before_name(text: str, match: re.Match[str]) -> str:
    """What stands before a named answer: "Wati Kurniasih yg bener namanya bu" → "Wati Kurniasih"."""
    before = _APOLOGY.sub("", text[: match.start()])
    return _BEFORE_LINKS.sub("", before).strip(" ,.")


def after_name(text: str, match: re.Match[str]) -> str:
    """What is said of a named answer: "nama saya harusnya Budi" → "Budi"."""
    rest = text[match.end() :]
    return _LINKS.sub("", rest).strip()
