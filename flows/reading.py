"""How the answer to one question is read: by what was asked, never by guessing."""

from __future__ import annotations

import re
from functools import lru_cache

from flows.flow import Ask, Pick
from flows.model import Value
from flows.wording import is_question, plain
from flows.work import Work
from nlu.normalise import normalise
from nlu.understanding import Understanding
from nlu.values import Reading, Refusal, read

_MIN_FREE_CHARS = 2
_DAYS_OF_A_MONTH = 30
_EVERY_DAY = re.compile(r"\b(tiap|setiap|saben|unggal)\b")
_DAY_WORDS = re.compile(r"\b(hari|hr|dino|dinten|sebulan|perbulan|per bulan|kira|kira2|sekitar)\b|-")
_OR_PICKED = frozenset({"region", "ticket_code"})
"""Kinds whose values may also be picked from what is offered; a number of months is never a place in a list."""
_BOTH = re.compile(r"^(ya |iya |mau )?(dua duanya|dua2nya|keduanya|kedua duanya)( aja| saja)?$")
_NO = re.compile(r"(gak|ga|nggak|enggak|tidak|tdk|tanpa|bukan|ndak|jangan|ora)\b")
_BEHIND_NO = re.compile(rf"\b{_NO.pattern}( (usah|mau|pake|pakai|perlu|lagi|sedang|ikut|punya))* \w+")
_ONCE = "dulu"
_TAG_WORDS = 2
"""From the third word on, a "ga" at the end asks ("masih nyambung ga") and denies nothing."""
_PICK_WORDS = 7
"""Longer words are no plain choice, whatever words of one stand in them."""
_PLAIN_NO = frozenset(
    {"belum", "belom", "blm", "durung", "tidak", "tdk", "nggak", "enggak", "gak", "ga", "ndak", "ora", "tapi"}
)
_PLAIN_YES = frozenset({"ya", "iya", "iyo", "ada", "punya", "sudah", "udah", "sdh", "udh", "boleh", "setuju", "betul"})


def read_answer(work: Work, ask: Ask, text: str) -> tuple[Value, Reading | None] | Refusal:
    """The value that `text` gives as an answer to `ask`, with the reading it came from."""
    if ask.kind == "free":
        return _read_free(text)
    if ask.kind == "pick":
        return _read_pick(work, ask.picks(work), text)
    if ask.kind == "yes_no":
        return _read_yes_no(work, ask.picks(work), text)
    if ask.kind == "days":
        return _read_days(work, text)
    if ask.kind == "media":
        return Refusal("not_media", attempt=False)
    result = read(ask.kind, text, today=work.today)
    if isinstance(result, Reading):
        return result.value, result
    picks = ask.picks(work)
    if picks and ask.kind in _OR_PICKED:
        picked = _read_pick(work, picks, text)
        return result if isinstance(picked, Refusal) else picked
    named = named_pick(picks, text)
    return result if named is None else (named.value, None)


def read_from_entities(ask: Ask, understanding: Understanding) -> tuple[Value, Reading] | None:
    """The value of `ask` found inside a sentence, when exactly one stands there."""
    if not ask.entity:
        return None
    found = [entity for entity in understanding.entities if entity.entity == ask.entity]
    if len(found) != 1 or "twin" in found[0].doubts:
        return None
    return found[0].value, Reading(found[0].value, found[0].doubts)


def twins_in(ask: Ask, understanding: Understanding) -> Refusal | None:
    """A place in a sentence whose name a city and a regency share, as the reader of one answer would refuse it."""
    for entity in understanding.entities:
        if entity.entity == ask.entity and "twin" in entity.doubts:
            return Refusal("twin", {"options": str(entity.value)})
    return None


def pick_title(work: Work, pick: Pick) -> str:
    """What the person sees of an answer of a choice."""
    return pick.title or work.copy.label(f"label/{pick.label}")


def _read_free(text: str) -> tuple[Value, None] | Refusal:
    words = " ".join(text.split())
    if len(plain(words)) < _MIN_FREE_CHARS:
        return Refusal("too_short", attempt=False)
    return text.strip(), None


def _read_days(work: Work, text: str) -> tuple[Value, Reading] | Refusal:
    """Days worked in a month: "25", "25 hari", "tiap hari"."""
    if _EVERY_DAY.search(text.lower()):
        return _DAYS_OF_A_MONTH, Reading(_DAYS_OF_A_MONTH, ("about",))
    result = read("count", _DAY_WORDS.sub(" ", text.lower()), today=work.today)
    return result if isinstance(result, Refusal) else (result.value, result)


def _read_yes_no(work: Work, picks: tuple[Pick, ...], text: str) -> tuple[Value, Reading] | Refusal:
    if named := named_pick(picks, text):
        return named.value, Reading("yes" if named.value else "no")
    words = plain(text).split()
    if (
        _ONCE in words
        or words == ["kirim"]
        or (len(words) > _TAG_WORDS and words[-1] in _PLAIN_NO and words[0] not in _PLAIN_NO)
    ):
        return Refusal("unclear", attempt=False)
    result = read("affirm_deny", text, today=work.today)
    if isinstance(result, Reading) and result.value != "unclear":
        return result.value == "yes", result
    if words and len(words) <= _PICK_WORDS and not is_question(text):
        if words[0] in _PLAIN_NO:
            return False, Reading("no")
        if words[0] in _PLAIN_YES and not _PLAIN_NO.intersection(words):
            return True, Reading("yes")
    return Refusal("unclear", attempt=False)


def _read_pick(work: Work, picks: tuple[Pick, ...], text: str) -> tuple[Value, Reading | None] | Refusal:
    said = plain(text)
    if len(said.split()) > _PICK_WORDS or _BOTH.match(said):
        return Refusal("unclear", attempt=False)
    if named := named_pick(picks, text):
        return named.value, None
    titles = [pick_title(work, pick) for pick in picks]
    result = read("choice", text, today=work.today, options=titles)
    if isinstance(result, Reading) and isinstance(result.value, int):
        return picks[result.value - 1].value, result
    if isinstance(result, Refusal):
        return Refusal(result.reason, result.detail, attempt=result.attempt and bool(re.search(r"\d", said)))
    return Refusal("unclear", attempt=False)


def named_pick(picks: tuple[Pick, ...], text: str) -> Pick | None:
    """The one pick of which a word stands in a short text; the longest word wins, and none behind a "tidak"."""
    said = plain(text)
    if len(said.split()) > _PICK_WORDS:
        return None
    said = f"{said} | {normalise(text)}"
    agreed = _BEHIND_NO.sub(" ", said)
    lengths = {place: _longest_word(pick, said, agreed) for place, pick in enumerate(picks)}
    longest = max(lengths.values(), default=0)
    best = [picks[place] for place, length in lengths.items() if length == longest]
    return best[0] if longest and len(best) == 1 else None


def _longest_word(pick: Pick, said: str, agreed: str) -> int:
    """How many characters the longest of a pick's words in the text has: "bukan saya" outdoes "saya"."""
    return max(
        (len(word) for word in pick.words if _stands_in(word, said if _NO.match(word) else agreed)),
        default=0,
    )


def _stands_in(word: str, said: str) -> bool:
    return word in said and _as_word(word).search(said) is not None


@lru_cache(maxsize=4096)
def _as_word(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(word)}\b")
