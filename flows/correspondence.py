"""What staff wrote to a person is answered to staff: the next words and pictures go into that ticket, for some days."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

import msgspec

from flows.about_us import asks_who_we_are, wants_news_again
from flows.hearing import is_answer
from flows.meaning import GREETS, answer_topic, back_to_question, is_topic
from flows.misfortune import MISFORTUNE, tells
from flows.model import (
    AddToTicket,
    Contact,
    Content,
    Location,
    Media,
    SetTicketStatus,
    StaffWord,
    Text,
    TicketByCode,
    TicketFacts,
    ids_of,
)
from flows.options import option_agreed, option_chosen, option_named
from flows.staffing import told_to_staff
from flows.wording import command, is_question, plain
from flows.work import Work
from nlu.understanding import Understanding

_CLOSED: Final = frozenset({"resolved", "closed"})
_TO_STAFF: Final = frozenset({"talk_to_staff", "file_complaint"})
"""Readings of words that staff are told anyhow, once they have written."""
_FAREWELLS: Final = frozenset({"thank", "goodbye"})
_GREETING_WORDS: Final = 4
_REQUEST: Final = re.compile(
    r"\b(mau|pengen|pingin|ingin|minta|tolong|cara|caranya|daftar\w*|bayar|cek|lapor\w*|komplain|ngadu|mengadu|"
    r"keluhan|berhenti|stop|hapus|menu|saldo|langganan)\b"
)
_NOT_DONE: Final = re.compile(r"\b(belum|blm|belom|masih|tetap|tetep|durung)\b")


def answered_staff(work: Work, content: Content) -> bool:
    """Whether this was meant for the staff member who wrote: then it is in the ticket, and the person is told so."""
    word = work.staff_word
    if word is None or work.turn.now - word.at > timedelta(days=work.settings.staff_word_days):
        return False
    if not _may_be_for_staff(work, content, word):
        return False
    ticket = work.fact(TicketByCode(word.ticket))
    if not (isinstance(ticket, TicketFacts) and ticket.mine):
        return False
    understanding = work.turn.understanding
    if isinstance(content, Text) and understanding and _is_farewell(work, understanding):
        work.add([AddToTicket(ticket.code, understanding.text)])
        return False
    words = told_to_staff(work.copy, content)
    if ticket.status in _CLOSED and words and not _NOT_DONE.search(plain(words)):
        return False
    _pass_on(work, word, ticket, content)
    topic = understanding.intent if understanding and _sure(work, understanding) else ""
    if topic.startswith("faq/"):
        answer_topic(work, topic)
    elif work.tasks:
        back_to_question(work)
    return True


def _pass_on(work: Work, word: StaffWord, ticket: TicketFacts, content: Content) -> None:
    media = ids_of(content) if isinstance(content, Media) else ()
    words = told_to_staff(work.copy, content) or work.copy.label("label/attached", count=str(len(media)))
    work.add([AddToTicket(ticket.code, words, media=media)])
    if ticket.status != "open":
        work.add([SetTicketStatus(ticket.code, "open")])
    work.staff_word = msgspec.structs.replace(word, answered=True)
    key = "staff/passed_on_reopened" if ticket.status in _CLOSED else "staff/passed_on"
    work.say(key, name=word.name, code=ticket.code)


def _may_be_for_staff(work: Work, content: Content, word: StaffWord) -> bool:
    """Whether nothing else is plainly meant: an answer to the open question, a command, another request."""
    if work.tasks and (word.answered or work.asked_count > word.asked):
        return False
    match content:
        case Text(text=text):
            return not _is_something_else(work, text, word)
        case Media(kind="voice", media=media, caption=words) if media and words:
            return not _is_something_else(work, words, word)
        case Media(media=media, problem=problem):
            return bool(media) and not problem
        case Contact() | Location():
            return not work.tasks
        case _:
            return False


def _is_something_else(work: Work, text: str, word: StaffWord) -> bool:
    if option_named(work, text) or command(text) or _answers_question(work, text):
        return True
    if wants_news_again(text) or asks_who_we_are(text):
        return True
    if GREETS.match(plain(text)) and len(plain(text).split()) < _GREETING_WORDS:
        return True
    understanding = work.turn.understanding
    if understanding is None:
        return False
    intent = understanding.intent
    if intent in {"greet", "bot_challenge"}:
        return _sure(work, understanding) and len(plain(text).split()) <= _GREETING_WORDS
    if intent.startswith("faq/"):
        return word.answered and _sure(work, understanding)
    if intent in MISFORTUNE:
        return _sure(work, understanding) and tells(intent, text) and _starts_anew(work, intent)
    if not (_sure(work, understanding) and is_topic(work, intent)):
        return False
    asks = is_question(text) or bool(_REQUEST.search(plain(text)))
    return asks if not word.answered or intent in _TO_STAFF else True


def _answers_question(work: Work, text: str) -> bool:
    if not work.asked:
        return False
    if work.tasks and work.step is not None:
        return is_answer(work, work.step, text)
    return bool(option_agreed(work, text) or option_chosen(work, text))


def _starts_anew(work: Work, intent: str) -> bool:
    """A misfortune that staff have not written about already."""
    ticket = work.fact(TicketByCode(work.staff_word.ticket)) if work.staff_word else None
    return not (isinstance(ticket, TicketFacts) and ticket.kind == intent)


def _is_farewell(work: Work, understanding: Understanding) -> bool:
    return understanding.intent in _FAREWELLS and understanding.confidence >= work.settings.clear_confidence


def _sure(work: Work, understanding: Understanding) -> bool:
    return understanding.confidence >= work.settings.digress_confidence
