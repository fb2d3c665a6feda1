"""Words: what they are to the question that stands open, and to the talk when none does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import msgspec

from flows import additions
from flows.about_us import asks_who_we_are, send_news_again, tell_who_we_are, wants_news_again
from flows.answering import accept, answer_read_back, correct, explain_question, mend, refuse, skip
from flows.asking import (
    acknowledge,
    advance,
    fill_from_sentence,
    filled_by_refusal,
    is_read_back,
    leave,
    missed,
    start,
)
from flows.flow import Ask, Leave
from flows.meaning import (
    GREETS,
    act,
    act_on_meaning,
    back_to_question,
    code_named,
    control,
    is_topic,
    kept_by_flow,
    not_understood,
    open_talk,
)
from flows.misfortune import MISFORTUNE, heed, tells
from flows.model import Say
from flows.options import CHOICE_WORDS, option_agreed, option_chosen, option_named, says_no
from flows.reading import read_answer
from flows.voice_notes import OFFER
from flows.wishes import wish_in, with_wish
from flows.wording import CONTROLS, PLEASANTRIES, asks_to_wait, asks_why, command, is_question, plain
from flows.work import Work
from nlu.understanding import Understanding
from nlu.values import Refusal

_CHOSEN: Final = frozenset({"pick", "yes_no"})
_SHORT_WORDS: Final = 8
_WHY_WORDS: Final = 3
_PLAIN_WORDS: Final = 2
_TASK_WORDS: Final = 5
"""From this many words on, a sure reading is another task even where a number stands in it."""
_ONE_PAGE: Final = 9
"""Up to so many options stand on one page wherever there are pages (ten rows, one of which leads on)."""
_OTHER_PAGE: Final = re.compile(r"(lihat )?(halaman )?(berikut|berikutnya|selanjutnya)|(pilihan|yang|yg) lain(nya)?")
_DEAD_LINK: Final = re.compile(
    r"\b(link|linknya|tautan|tautannya|halamannya)\b|"
    r"^kok (ga|gak|nggak|tidak|tdk|g) (bisa|bs)( dibuka)?( ya| min| kak)*$|"
    r"^(ga|gak|nggak|tidak|tdk) (bisa|bs) (di)?buka\b"
)
_HAS_NONE: Final = re.compile(
    r"\b(hilang|ilang|kebuang|dibuang|(ga|gak|nggak|tidak|tdk|ndak) (ada|punya|disimp\w+)|lupa)\b"
)
_NAMES_PHONE: Final = re.compile(r"\b(no|nomor|nomer|nmr) ?(hp|telp|telepon|wa)?(nya)?\b|\bhp\b")
_KEEPS_PHONE: Final = re.compile(
    r"\b(ga|gak|nggak|enggak|tidak|tdk|ndak|ogah|gamau|males)\b.{0,12}\b(mau|kasih|ngasih|kirim|bersedia|berani)\b|"
    r"\b(gamau|ogah|keberatan|rahasia)\b"
)
_HAS_NO_PHONE: Final = re.compile(
    r"\b(ga|gak|nggak|enggak|tidak|tdk|ndak) (punya|ada|pegang|megang) (hp|hape|handphone|wa|no hp|nomor hp)\b"
)
_OF_PHONE: Final = frozenset({"same_phone", "other_told"})
_BESIDE: Final = frozenset({"engine/three_misses", OFFER})
_NO_STORY: Final = frozenset({"cancel", "talk_to_staff", "greet", "thank", "bot_challenge"})
"""Few words that surely mean this are not what was asked to be told."""
_CALLS_FOR_HELP: Final = frozenset({"talk_to_staff", *MISFORTUNE})
"""What outdoes a word of a label that stands in the same sentence ("orang")."""
_TOLD: Final = frozenset({"file_complaint", "abuse", *MISFORTUNE})
"""Intents that tell what happened, rather than ask for something."""


def hear(work: Work, text: str, understanding: Understanding | None) -> None:
    assert understanding, "a text comes with its understanding"
    understanding = _greeted(heed(with_wish(understanding)))
    if option := option_named(work, text):
        act(work, option.action)
    elif _says_something_of_us(work, text) or _wants_other_page(work, text) or _link_is_dead(work, text):
        pass
    elif (intent := command(text)) and not (intent == "resume" and _is_asked_yes_or_no(work)):
        control(work, intent)
    elif ask := work.step:
        _answer(work, ask, text, understanding)
    elif is_read_back(work):
        _answer_read_back(work, text, understanding)
    elif additions.added(work, text, understanding):
        pass
    elif work.asked:
        _answer_offer(work, text, understanding)
    else:
        open_talk(work, understanding)


def _greeted(understanding: Understanding) -> Understanding:
    """ "Halo lagi" is no farewell."""
    if understanding.intent == "goodbye" and GREETS.match(plain(understanding.text)):
        return msgspec.structs.replace(understanding, intent="greet", confidence=1.0)
    return understanding


def _says_something_of_us(work: Work, text: str) -> bool:
    """Whether it was about this service itself: who it is, or that its messages are wanted again."""
    if wants_news_again(text):
        send_news_again(work)
    elif asks_who_we_are(text) and not (work.step and work.step.kind == "free"):
        tell_who_we_are(work)
    else:
        return False
    back_to_question(work)
    return True


def _wants_other_page(work: Work, text: str) -> bool:
    """Whether the words ask for more of a long list; then the next page of it is shown."""
    if not (work.asked and len(work.asked.options) > _ONE_PAGE and _OTHER_PAGE.fullmatch(plain(text))):
        return False
    work.ask_again(page=work.asked.page + 1)
    return True


def _link_is_dead(work: Work, text: str) -> bool:
    """Whether the words, at a question that a link asks, are about the link; then there is a fresh one."""
    ask = work.step
    if not (ask and ask.form and len(plain(text).split()) <= _SHORT_WORDS and _DEAD_LINK.search(plain(text))):
        return False
    work.reprompt("engine/new_link")
    return True


@dataclass(frozen=True, slots=True)
class _Heard:
    """Words in answer to an open question, and how surely they are something else.

    `sure`: the reading is sure enough to leave the question for it. `leaves`: it is a task or a topic that these
    words may begin here.
    """

    ask: Ask
    text: str
    understanding: Understanding
    words: int
    sure: bool
    leaves: bool

    @property
    def intent(self) -> str:
        return self.understanding.intent


def _heard(work: Work, ask: Ask, text: str, understanding: Understanding) -> _Heard:
    intent, confidence = understanding.intent, understanding.confidence
    sure = confidence >= work.settings.digress_confidence
    told = intent in MISFORTUNE and confidence >= work.settings.guess_confidence
    leaves = (sure or told) and is_topic(work, intent) and _is_meant_here(work, intent, text)
    return _Heard(ask, text, understanding, len(plain(text).split()), sure, leaves)


def is_answer(work: Work, ask: Ask, text: str) -> bool:
    """Whether the words give a value that the question asks for; any words would do for an open question."""
    return ask.kind != "free" and not isinstance(read_answer(work, ask, text), Refusal)


def _is_asked_yes_or_no(work: Work) -> bool:
    return is_read_back(work) or (work.step is not None and work.step.kind == "yes_no")


def _answer(work: Work, ask: Ask, text: str, understanding: Understanding) -> None:
    heard = _heard(work, ask, text, understanding)
    if _comes_before_answer(work, heard):
        return
    result = read_answer(work, ask, text)
    if isinstance(result, Refusal):
        if not _is_instead_of_answer(work, heard, result):
            _otherwise(work, heard, result)
    elif ask.kind == "free" and _turns_away(work, heard):
        act_on_meaning(work, understanding)
    else:
        accept(work, ask, result[0], result[1], understanding)


def _comes_before_answer(work: Work, heard: _Heard) -> bool:
    """What is never read as an answer: a way out that was offered, a question, a why, a correction, a call for help."""
    ask, text = heard.ask, heard.text
    if _wishes_otherwise(work, text):
        act_on_meaning(work, heard.understanding)
    elif ask.kind != "ticket_code" and (code := code_named(heard.understanding)) and heard.words <= _SHORT_WORDS:
        start(work, "check_ticket", heard.understanding, {"ticket_code": code})
    elif _is_stuck(work) and (option := option_agreed(work, text) or option_chosen(work, text)):
        act(work, option.action)
    elif _asks_why_here(heard):
        explain_question(work, ask)
    elif heard.sure and is_question(text) and is_topic(work, heard.intent) and _may_interrupt(heard):
        act_on_meaning(work, heard.understanding)
    elif ask.kind == "yes_no" and ask.slot not in _OF_PHONE and _HAS_NO_PHONE.search(plain(text)):
        work.say("engine/no_phone_yet")
        work.ask_again()
    elif asks_why(text) and ask.kind != "free":
        explain_question(work, ask)
    elif correct(work, text, sure=heard.intent == "correct" and heard.sure and ask.kind != "free"):
        pass
    elif heard.leaves and ask.kind in _CHOSEN and heard.words >= CHOICE_WORDS and heard.intent in _CALLS_FOR_HELP:
        act_on_meaning(work, heard.understanding)
    else:
        return False
    return True


def _wishes_otherwise(work: Work, text: str) -> bool:
    """Whether the words plainly wish what the task at hand is not about. Whose data are to go changes none of them."""
    wish = wish_in(text)
    at_hand = work.tasks[-1].flow
    if not wish or wish == at_hand:
        return False
    if (at_hand, wish) == ("update_profile", "privacy_request"):
        work.note("flow_cancelled", work.tasks.pop().flow)
        work.settle_question()
    return True


def _asks_why_here(heard: _Heard) -> bool:
    """A short why, or "kok 61 ribu?": about the question that stands open, not a complaint."""
    if not asks_why(heard.text):
        return False
    if heard.ask.kind == "phone" and _NAMES_PHONE.search(plain(heard.text)):
        return True
    if heard.intent.startswith("faq/"):
        return False
    about_money = any(entity.entity == "money" for entity in heard.understanding.entities)
    return heard.words <= _WHY_WORDS or (about_money and heard.ask.kind != "free")


def _is_instead_of_answer(work: Work, heard: _Heard, refusal: Refusal) -> bool:
    """What words are that give no value: a moment asked for, nothing to give, another task, more of the story."""
    text = heard.text
    unread = not refusal.attempt or not any(sign.isdigit() for sign in text)
    has_none = _HAS_NONE.search(plain(text)) or (heard.ask.kind == "media" and says_no(work, text))
    if not refusal.attempt and asks_to_wait(text):
        work.say("engine/waiting")
    elif unread and heard.ask.slot == "own_phone" and _KEEPS_PHONE.search(plain(text)):
        leave(work, Leave((Say("identity/phone_kept"),)))
    elif unread and has_none:
        skip(work)
    elif heard.leaves and heard.words >= _TASK_WORDS:
        if not (_is_told(heard) and _keeps_words(work, text)):
            act_on_meaning(work, heard.understanding)
    elif heard.ask.kind == "media" and not is_question(text) and filled_by_refusal(work, heard.ask, refusal):
        advance(work)
    elif refusal.attempt or not _is_clear(work, heard):
        return False
    elif heard.intent in CONTROLS:
        control(work, heard.intent)
    elif heard.intent == "deny" and heard.ask.skippable:
        skip(work)
    elif (_is_told(heard) and _keeps_words(work, text)) or _told_early(work, heard):
        pass
    elif heard.leaves or heard.intent in PLEASANTRIES:
        act_on_meaning(work, heard.understanding)
    else:
        return False
    return True


def _is_clear(work: Work, heard: _Heard) -> bool:
    """Whether the meaning may be acted on; words that steer the conversation need less."""
    steers = heard.intent in CONTROLS and heard.understanding.confidence >= work.settings.clear_confidence
    return heard.sure or steers


def _otherwise(work: Work, heard: _Heard, refusal: Refusal) -> None:
    """Words that are no answer may name an option shown (as `Lewati`), or answer a question yet to come."""
    ask, text = heard.ask, heard.text
    if ask.kind in _CHOSEN and _mends_phone(work, heard):
        return
    option = option_chosen(work, text) if ask.kind != "yes_no" or heard.words <= _PLAIN_WORDS else None
    if option and (ask.kind in _CHOSEN or not option.action.startswith("answer:")):
        act(work, option.action)
    elif filled_by_refusal(work, ask, refusal):
        advance(work)
    elif not refusal.attempt and (filled := fill_from_sentence(work, heard.understanding, but=ask.slot)):
        acknowledge(work, filled)
        advance(work)
    elif refusal.attempt or not (_is_long_telling(heard) and _keeps_words(work, text)):
        refuse(work, ask, refusal)


def _told_early(work: Work, heard: _Heard) -> bool:
    """A name or a place alone is beside no question, but the answer to one yet to come."""
    beside = heard.intent == "out_of_scope"
    filled = fill_from_sentence(work, heard.understanding, but=heard.ask.slot) if beside else []
    if filled:
        acknowledge(work, filled)
        advance(work)
    return bool(filled)


def _mends_phone(work: Work, heard: _Heard) -> bool:
    """Another phone number at a question with choices: the one that was given before is replaced."""
    phones = {str(entity.value) for entity in heard.understanding.entities if entity.entity == "phone"}
    flow = work.flow
    asked = flow.step("phone") if flow else None
    if asked is None or len(phones) != 1 or not work.text("phone") or work.text("phone") in phones:
        return False
    return mend(work, asked, phones.pop())


def _is_told(heard: _Heard) -> bool:
    """Whether something that happened is told, rather than asked for."""
    return heard.intent in _TOLD and not is_question(heard.text)


def _is_long_telling(heard: _Heard) -> bool:
    return heard.words >= _TASK_WORDS and not is_question(heard.text)


def _keeps_words(work: Work, text: str) -> bool:
    """More of the story of the task at hand: kept there, and the question asked again."""
    flow = work.flow
    if not (flow and kept_by_flow(work, flow.add_words(work, text))):
        return False
    work.ask_again()
    return True


def _is_stuck(work: Work) -> bool:
    """Whether a human, another try or a pause were offered beside the open question."""
    return work.asked is not None and work.asked.key in _BESIDE


def _is_meant_here(work: Work, intent: str, text: str) -> bool:
    """Whether words in the middle of a form may begin this: a few words never report a misfortune by a guess."""
    if intent in MISFORTUNE:
        return tells(intent, text)
    return intent != work.tasks[-1].flow or len(plain(text).split()) >= _TASK_WORDS


def _may_interrupt(heard: _Heard) -> bool:
    """Long words in answer to an open question are the answer, whatever they ask on the way."""
    return heard.ask.kind != "free" or heard.words <= _SHORT_WORDS


def _turns_away(work: Work, heard: _Heard) -> bool:
    """Whether short words in answer to an open question surely ask for something else."""
    intent = heard.intent
    other = is_question(heard.text) and intent in work.flows.by_name and intent != work.tasks[-1].flow
    wanted = other or intent in _NO_STORY
    return heard.sure and heard.words <= _SHORT_WORDS // 2 and wanted


def _answer_read_back(work: Work, text: str, understanding: Understanding) -> None:
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
    if work.asked.key == "engine/which_stop" and understanding.intent in {"affirm", "deny"}:
        work.ask_again()  # a yes or no does not say which
        return
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
