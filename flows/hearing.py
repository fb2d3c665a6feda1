"""Words: what they are to the question that stands open, and to the talk when none does."""

from __future__ import annotations

import re
from typing import Final

from flows.answering import accept, answer_read_back, correct, explain_question, refuse, skip
from flows.asking import (
    acknowledge,
    advance,
    fill_from_sentence,
    filled_by_refusal,
    is_read_back,
    missed,
)
from flows.flow import Ask
from flows.meaning import act, act_on_meaning, control, is_topic, kept_by_flow, not_understood, open_talk
from flows.misfortune import MISFORTUNE, heed, tells
from flows.options import CHOICE_WORDS, option_agreed, option_chosen, option_named, says_no
from flows.reading import read_answer
from flows.wording import CONTROLS, PLEASANTRIES, asks_to_wait, asks_why, command, is_question, plain
from flows.work import Work
from nlu.understanding import Understanding
from nlu.values import Refusal

_CHOSEN: Final = frozenset({"pick", "yes_no"})
_SHORT_WORDS: Final = 8
_WHY_WORDS: Final = 3
_TASK_WORDS: Final = 5
"""From this many words on, a sure reading is another task even where a number stands in it."""
_HAS_NONE: Final = re.compile(
    r"\b(hilang|ilang|kebuang|dibuang|(ga|gak|nggak|tidak|tdk|ndak) (ada|punya|disimp\w+)|lupa)\b"
)
_CALLS_FOR_HELP: Final = frozenset({"talk_to_staff", *MISFORTUNE})
"""What outdoes a word of a label that stands in the same sentence ("orang")."""
_TOLD: Final = frozenset({"file_complaint", "abuse", *MISFORTUNE})
"""Intents that tell what happened, rather than ask for something."""


def hear(work: Work, text: str, understanding: Understanding | None) -> None:
    assert understanding, "a text comes with its understanding"
    understanding = heed(understanding)
    if option := option_named(work, text):
        act(work, option.action)
    elif (intent := command(text)) and not (intent == "resume" and work.step and work.step.kind == "yes_no"):
        control(work, intent)
    elif ask := work.step:
        _answer(work, ask, text, understanding)
    elif is_read_back(work):
        _answer_read_back(work, text, understanding)
    elif work.asked:
        _answer_offer(work, text, understanding)
    else:
        open_talk(work, understanding)


def _answer(work: Work, ask: Ask, text: str, understanding: Understanding) -> None:
    intent, confidence = understanding.intent, understanding.confidence
    settings = work.settings
    if _is_stuck(work) and (option := option_agreed(work, text) or option_chosen(work, text)):
        act(work, option.action)
        return
    sure = confidence >= settings.digress_confidence
    if sure and is_question(text) and is_topic(work, intent) and _may_interrupt(ask, text):
        act_on_meaning(work, understanding)
        return
    if asks_why(text) and (ask.kind != "free" or len(plain(text).split()) <= _WHY_WORDS):
        explain_question(work, ask)
        return
    if correct(work, text, sure=intent == "correct" and sure and ask.kind != "free"):
        return
    told = intent in MISFORTUNE and confidence >= settings.guess_confidence
    leaves = (sure or told) and is_topic(work, intent) and _is_meant_here(work, intent, text)
    words = len(plain(text).split())
    if leaves and ask.kind in _CHOSEN and words >= CHOICE_WORDS and intent in _CALLS_FOR_HELP:
        act_on_meaning(work, understanding)
        return
    result = read_answer(work, ask, text)
    if not isinstance(result, Refusal):
        if ask.kind == "free" and _turns_away(work, intent, sure=sure, text=text):
            act_on_meaning(work, understanding)
            return
        accept(work, ask, result[0], result[1], understanding)
        return
    if not result.attempt and asks_to_wait(text):
        work.say("engine/waiting")
        return
    unread = not result.attempt or not any(sign.isdigit() for sign in text)
    if unread and (_HAS_NONE.search(plain(text)) or (ask.kind == "media" and says_no(work, text))):
        skip(work)
        return
    if leaves and words >= _TASK_WORDS:
        if not (_is_told(intent, text) and _keeps_words(work, text)):
            act_on_meaning(work, understanding)
        return
    if not result.attempt and (sure or (confidence >= settings.clear_confidence and intent in CONTROLS)):
        if intent in CONTROLS:
            control(work, intent)
            return
        if intent == "deny" and ask.skippable:
            skip(work)
            return
        if _is_told(intent, text) and _keeps_words(work, text):
            return
        if leaves or intent in PLEASANTRIES:
            act_on_meaning(work, understanding)
            return
    _otherwise(work, ask, text, result, understanding)


def _otherwise(work: Work, ask: Ask, text: str, refusal: Refusal, understanding: Understanding) -> None:
    """Words that are no answer may name an option shown (as `Lewati`), or answer a question yet to come."""
    if option := option_chosen(work, text):
        act(work, option.action)
    elif filled_by_refusal(work, ask, refusal):
        advance(work)
    elif not refusal.attempt and (filled := fill_from_sentence(work, understanding, but=ask.slot)):
        acknowledge(work, filled)
        advance(work)
    elif not refusal.attempt and _is_long_telling(text) and _keeps_words(work, text):
        return
    else:
        refuse(work, ask, refusal)


def _is_told(intent: str, text: str) -> bool:
    """Whether something that happened is told, rather than asked for."""
    return intent in _TOLD and not is_question(text)


def _is_long_telling(text: str) -> bool:
    return len(plain(text).split()) >= _TASK_WORDS and not is_question(text)


def _keeps_words(work: Work, text: str) -> bool:
    """More of the story of the task at hand: kept there, and the question asked again."""
    flow = work.flow
    if not (flow and kept_by_flow(work, flow.add_words(work, text))):
        return False
    work.ask_again()
    return True


def _is_stuck(work: Work) -> bool:
    """Whether a human, another try or a pause were offered beside the open question."""
    return work.asked is not None and work.asked.key == "engine/three_misses"


def _is_meant_here(work: Work, intent: str, text: str) -> bool:
    """Whether words in the middle of a form may begin this: a few words never report a misfortune by a guess."""
    if intent in MISFORTUNE:
        return tells(intent, text)
    return intent != work.tasks[-1].flow or len(plain(text).split()) >= _TASK_WORDS


def _may_interrupt(ask: Ask, text: str) -> bool:
    """Long words in answer to an open question are the answer, whatever they ask on the way."""
    return ask.kind != "free" or len(plain(text).split()) <= _SHORT_WORDS


def _turns_away(work: Work, intent: str, *, sure: bool, text: str) -> bool:
    """Whether short words in answer to an open question surely ask for something else."""
    short = len(plain(text).split()) <= _SHORT_WORDS // 2
    other = is_question(text) and intent in work.flows.by_name and intent != work.tasks[-1].flow
    return sure and short and (other or intent in {"cancel", "talk_to_staff"})


def _answer_read_back(work: Work, text: str, understanding: Understanding) -> None:
    option = None if any(sign.isdigit() for sign in text) else option_chosen(work, text)
    if option and option.action != "send":
        act(work, option.action)
        return
    if answer_read_back(work, text):
        return
    sure = understanding.confidence >= work.settings.digress_confidence
    if correct(work, text, sure=understanding.intent == "correct"):
        return
    if sure and understanding.intent in CONTROLS:
        control(work, understanding.intent)
    elif sure and (is_topic(work, understanding.intent) or understanding.intent in PLEASANTRIES):
        act_on_meaning(work, understanding)
    elif missed(work) >= work.settings.misses_before_staff:
        work.reprompt("engine/read_back_staff")
    else:
        work.reprompt("engine/which_line")


def _answer_offer(work: Work, text: str, understanding: Understanding) -> None:
    """Words in answer to one of the engine's own questions: a choice, a yes or no, or something new."""
    assert work.asked
    if option := option_agreed(work, text) or option_chosen(work, text):
        act(work, option.action)
        return
    if work.asked.key == "engine/confirm_cancel":
        # What somebody filled in is dropped on a plain yes alone.
        work.settle_question()
        advance(work)
        return
    if understanding.confidence >= work.settings.clear_confidence and understanding.intent != "inform":
        work.settle_question()
        act_on_meaning(work, understanding)
        return
    if work.asked.key == "engine/clarify" or missed(work) > 1:
        work.settle_question()
        not_understood(work, understanding)
    elif work.asked.key.startswith("engine/greet"):
        work.ask("engine/menu", options=work.asked.options)
    else:
        work.ask_again()
