"""What is told right after a report was sent belongs to it: words, pictures and places that ask for nothing else."""

from __future__ import annotations

import re
from typing import Final

from flows.meaning import is_scam, is_topic
from flows.misfortune import MISFORTUNE
from flows.model import AddToTicket, Filed
from flows.options import option_agreed, option_chosen
from flows.wording import ANSWERS, CONTROLS, PLEASANTRIES, is_question, plain
from flows.work import Work
from nlu.understanding import Understanding

_ADDS: Final = re.compile(r"^(mau |saya |minta |tolong )*(tambah\w*|nambah\w*|ralat|koreksi|keterangan)\b")
_ASKS_FOR: Final = re.compile(
    r"\b(mau|pengen|pengin|pingin|ingin|minta|cara|caranya|cek|daftar|hitung|bayarin|klaim)\b"
)
_FORMAL: Final = re.compile(r"\b(lapor\w*|komplain|keluhan|ngadu|mengadu|pengaduan)\b")
_ANEW: Final = re.compile(r"\b(lagi|baru|lain|beda|mau|pengen|pengin|pingin|ingin)\b")
_FEW_WORDS: Final = 2
_TELLING_WORDS: Final = 5
_SUMS: Final = frozenset({"faq/program_jkm", "faq/program_jkk"})
"""Answers with sums of one cause of death: after a death was told, only staff may say which cause it was."""


def added(work: Work, text: str, understanding: Understanding) -> bool:
    """Whether the words belong to the report that was just sent: then they are in it, and the person is told so."""
    filed = work.filed_now
    if filed is None or (work.asked and (option_agreed(work, text) or option_chosen(work, text))):
        return False
    if filed.task == "report_death" and understanding.intent in _SUMS:
        work.settle_question()
        work.add([AddToTicket(filed.code, text)])
        work.say("report_death/which_benefit", code=filed.code)
    elif _says_nothing(filed, text, understanding):
        work.settle_question()
        work.say("engine/report_stands", code=filed.code)
    elif _is_something_else(work, filed, text, understanding):
        return False
    else:
        _say_what_it_means(work, filed, understanding)
        _add(work, filed, text, asked=is_question(text))
    return True


def added_thing(work: Work, words: str, media: tuple[str, ...] = ()) -> bool:
    """The same for a picture, a place or a contact, in words for staff and with our ids of the files."""
    filed = work.filed_now
    if filed is None or work.step is not None:
        return False
    _add(work, filed, words, media)
    return True


def _add(work: Work, filed: Filed, words: str, media: tuple[str, ...] = (), *, asked: bool = False) -> None:
    work.unclear = 0
    work.settle_question()
    work.add([AddToTicket(filed.code, words, media=media)])
    if asked:
        work.say("engine/question_added", code=filed.code)
    else:
        work.say("engine/added_in_need" if filed.task in MISFORTUNE else "engine/added", code=filed.code)


def _say_what_it_means(work: Work, filed: Filed, understanding: Understanding) -> None:
    """What cannot wait is answered, without another form: a death after an accident, a hospital that refuses."""
    if filed.task == "report_accident" and _sure(work, filed, understanding):
        if understanding.intent == "report_death":
            work.say("report_death/intro")
        elif understanding.intent == "file_complaint" and understanding.categories[0].name == "hospital_refused":
            work.say("file_complaint/heard_hospital_refused")


def _says_nothing(filed: Filed, text: str, understanding: Understanding) -> bool:
    """A bare "iya" or "ga tau" after the report, and a greeting of somebody who waits for help."""
    words = plain(text)
    if any(sign.isdigit() for sign in words) or len(words.split()) > _FEW_WORDS or is_question(text):
        return False
    intent = understanding.intent
    return not words or intent in ANSWERS - {"inform"} or (intent == "greet" and filed.task in MISFORTUNE)


def _is_something_else(work: Work, filed: Filed, text: str, understanding: Understanding) -> bool:
    """Whether another request, a way out or a pleasantry is plainly meant."""
    intent, words = understanding.intent, plain(text)
    if _ADDS.match(words):
        return False
    sure = _sure(work, filed, understanding)
    if intent == "out_of_scope":
        return is_question(text) or is_scam(text)
    if intent in PLEASANTRIES or intent in CONTROLS:
        return sure
    if len([part for part in understanding.parts if is_topic(work, part.intent)]) > 1:
        return filed.task not in MISFORTUNE
    if not is_topic(work, intent):
        return False
    if not sure:
        return filed.task not in MISFORTUNE and (is_question(text) or bool(_ASKS_FOR.search(words)))
    return not _is_more_of(filed, intent, text)


def _is_more_of(filed: Filed, intent: str, text: str) -> bool:
    """Whether a sure reading tells more of the same rather than asks for something."""
    words = plain(text)
    if is_question(text):
        return False
    if filed.task in MISFORTUNE:
        return intent in MISFORTUNE or (intent == "file_complaint" and not _FORMAL.search(words))
    few = len(words.split()) < _TELLING_WORDS and not _ASKS_FOR.search(words)
    if filed.task == "file_complaint":
        return intent == "file_complaint" and few
    return (intent == filed.task and not _ANEW.search(words)) or (intent == "file_complaint" and few)


def _sure(work: Work, filed: Filed, understanding: Understanding) -> bool:
    """Somebody in need is taken to tell more of it unless the reading is sure enough to leave a question for it."""
    limits = work.settings
    least = limits.digress_confidence if filed.task in MISFORTUNE else limits.clear_confidence
    return understanding.confidence >= least
