"""Accidents and deaths told in plain words: heard whatever the engine makes of them, and never opened by a guess."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from flows.wording import ANSWERS, PLEASANTRIES, is_question, plain
from nlu.understanding import Understanding

MISFORTUNE: Final = {
    "report_accident": re.compile(
        r"kecelaka|celaka|jatuh|jatoh|tabrak|nabrak|luka|patah|kepleset|tertimpa|ketiban|kejepit|terluka|tibo|labuh|"
        r"kesetrum|terbakar|kebakar|putus|berdarah|masuk rs|ugd|accident|injured|hurt|fell|hit by|run over"
    ),
    "report_death": re.compile(
        r"meninggal|wafat|tiada|berpulang|almarhum|seda|maot|ngantunkeun|mati|died|passed away|is dead|killed"
    ),
}
"""The words without which a message tells no misfortune of that kind."""
_LEAST_CONFIDENCE: Final = 0.2
_DOUBTFUL: Final = 0.4
_INJURY: Final = re.compile(
    r"\b(ketabrak|tertabrak|keserempet|kesetrum|kejepit|ketiban|tertimpa|berdarah|pingsan|patah (tulang|kaki|tangan)|"
    r"jatuh dari|(kepala|tangan|kaki|jari)\w* .{0,12}(bocor|robek|putus|patah|luka)|"
    r"kena (besi|paku|mesin|gergaji|setrum|pisau|cangkul|air panas|minyak))\b"
)
_NO_MISFORTUNE: Final = re.compile(
    r"\b(usaha|dagangan|harga|omzet|cinta|tempo|miskin|pandemi|sinyal|aplikasi)\b|"
    r"\btahun (yang |yg )?(lalu|kemarin)\b.*\bdaftar"
)


def heed(understanding: Understanding) -> Understanding:
    """An accident or a death told in plain words is never outdone by a reading that is no request at all."""
    words = plain(understanding.text)
    if understanding.intent in MISFORTUNE and _NO_MISFORTUNE.search(words):
        return msgspec.structs.replace(understanding, confidence=min(understanding.confidence, _DOUBTFUL))
    if understanding.intent not in PLEASANTRIES | ANSWERS:
        return understanding
    if _INJURY.search(words) and not _NO_MISFORTUNE.search(words):
        return msgspec.structs.replace(understanding, intent="report_accident", confidence=1.0)
    for ranked in understanding.ranking[:3]:
        told = MISFORTUNE.get(ranked.name)
        if told and told.search(words) and ranked.confidence >= _LEAST_CONFIDENCE:
            return msgspec.structs.replace(understanding, intent=ranked.name, confidence=1.0)
    return understanding


def tells_injury(text: str) -> bool:
    """Whether plain words say that somebody came to harm, without asking what is paid for it."""
    words = plain(text)
    hurt = _INJURY.search(words) or re.search(r"\bkecelakaan\b", words)
    return bool(hurt) and not _NO_MISFORTUNE.search(words) and not is_question(text)


def tells(intent: str, text: str) -> bool:
    """Whether the words tell the misfortune that the intent names; True for every other intent."""
    words = MISFORTUNE.get(intent)
    return words is None or bool(words.search(plain(text)))
