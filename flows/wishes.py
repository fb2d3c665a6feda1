"""Wishes told in plain words that no guess may miss: a victim of fraud, all data erased, a human, in English, too."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from flows.wording import is_question, plain
from nlu.understanding import Ranked, Understanding

FRAUD: Final = "extortion_or_fraud"
_CODE: Final = r"(otp|pin|password|sandi|kode(?! (laporan|tiket|bayar|billing|pos))|kodenya)\w*"
_GAVE: Final = r"(kirim|kasih|kasi|beri|sebut|share|bagi|setor|masukin)\w*"
_ALREADY: Final = r"(sudah|udah|udh|sdh|dah|terlanjur|telanjur|kadung|keburu|sempat|tadi)"
_GAVE_CODE: Final = re.compile(
    rf"\b{_ALREADY}\b.{{0,25}}\b{_GAVE}\b.{{0,25}}\b{_CODE}\b|"
    rf"\b{_CODE}\b.{{0,25}}\b{_ALREADY}\b.{{0,20}}\b{_GAVE}\b"
)
_NOT_GIVEN: Final = re.compile(r"\b(belum|blm|rangkul|laporan|tiket|jangan)\b")
_ERASE: Final = re.compile(
    r"\b(hapus|apus|hilangkan|delete)(kan|in)?( semua| seluruh| aja| saja)? (data|datanya|dataku|akun|akunku)"
    r"( pribadi)?( saya| sy| aku| gue| gw)?( semua| semuanya)?( dari (sistem|sini|rangkul))?"
    r"( ya| dong| min| kak| pak| bu| aja| saja| sekarang)*$"
)
_HUMAN: Final = re.compile(
    r"\b(talk|speak|chat|connect me|transfer me)\b.{0,15}\b(human|person|agent|someone|somebody|staff|officer)\b|"
    r"\b(human|live) agent\b|\breal person\b"
)
_DIED: Final = re.compile(r"\b(died|passed away|is dead|was killed)\b")
_HURT: Final = re.compile(
    r"\b(had|has|have|having|got in|got into|in) an? (work |traffic |road |motorcycle |motorbike )?accident\b|"
    r"\b(got|was|is|been) (badly |seriously )?(injured|hurt)\b|\bfell (from|off)\b|\b(hit|run over) by (a|the)\b"
)
_ASKS_IN_ENGLISH: Final = re.compile(r"^(what|how|if|when|which|is|are|do|does|can i get|will)\b")


def wish_in(text: str) -> str:
    """The task that the words plainly ask for or tell of; '' for all others."""
    words = plain(text)
    if _HUMAN.search(words):
        return "talk_to_staff"
    if _GAVE_CODE.search(words) and not _NOT_GIVEN.search(words):
        return "file_complaint"
    if _ERASE.search(words):
        return "privacy_request"
    if _ASKS_IN_ENGLISH.search(words) or is_question(text):
        return ""
    if _DIED.search(words):
        return "report_death"
    return "report_accident" if _HURT.search(words) else ""


def with_wish(understanding: Understanding) -> Understanding:
    """The understanding, sure of what the words plainly wish."""
    wish = wish_in(understanding.text)
    if not wish:
        return understanding
    categories = understanding.categories
    if wish == "file_complaint":
        categories = (Ranked(FRAUD, 1.0), *(ranked for ranked in categories if ranked.name != FRAUD))
    return msgspec.structs.replace(understanding, intent=wish, confidence=1.0, parts=(), categories=categories)
