"""The conversation engine: `decide`, and who gets a word.

Order of precedence, first match wins: what staff do; a conversation that staff hold; danger; a pressed button;
exact command words; the open question; what was meant.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from flows import staffing
from flows.answering import (
    accept,
    answer_read_back,
    correct,
    edit,
    explain_question,
    go_back,
    refuse,
    send,
    skip,
)
from flows.asking import (
    acknowledge,
    advance,
    ask_step,
    cancel,
    fill_from_sentence,
    filled_by_refusal,
    go_on,
    is_read_back,
    keep,
    missed,
    start,
    task_label,
)
from flows.flow import Ask, Fill
from flows.model import (
    Choice,
    Contact,
    Decision,
    Facts,
    FormAnswer,
    Location,
    Media,
    Need,
    Option,
    Session,
    StaffAction,
    Sticker,
    Text,
    TimerDue,
    Turn,
)
from flows.reading import read_answer
from flows.wording import asks_to_wait, asks_why, command, is_danger, is_question, plain
from flows.work import Flows, Missing, Work
from nlu.understanding import Part, Understanding
from nlu.values import Reading, Refusal, read

MENU: Final = (
    "enroll",
    "check_balance",
    "pay_contribution",
    "calculate_contribution",
    "report_accident",
    "file_complaint",
    "check_ticket",
    "request_assistance",
    "talk_to_staff",
)
_PLEASANTRIES: Final = frozenset({"greet", "thank", "goodbye", "bot_challenge", "abuse", "out_of_scope"})
_ANSWERS: Final = frozenset({"affirm", "deny", "skip", "correct", "repeat", "go_back", "inform"})
_CONTROLS: Final = frozenset({"cancel", "go_back", "repeat", "skip", "help"})
_CHOSEN: Final = frozenset({"pick", "yes_no"})
_SHORT_WORDS: Final = 8
_CHOICE_WORDS: Final = 4
"""Longer words are a request of their own, though a label may stand in them."""
_WHY_WORDS: Final = 3
_TASK_WORDS: Final = 5
"""From this many words on, a sure reading is another task even where a number stands in it."""
_MISFORTUNE: Final = {
    "report_accident": re.compile(
        r"kecelaka|celaka|jatuh|jatoh|tabrak|nabrak|luka|patah|kepleset|tertimpa|ketiban|kejepit|terluka|tibo|labuh|"
        r"kesetrum|terbakar|kebakar|putus|berdarah|masuk rs|ugd"
    ),
    "report_death": re.compile(r"meninggal|wafat|tiada|berpulang|almarhum|seda|maot|ngantunkeun|mati"),
}
_LEAST_MISFORTUNE: Final = 0.2
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
_HAS_NONE: Final = re.compile(
    r"\b(hilang|ilang|kebuang|dibuang|(ga|gak|nggak|tidak|tdk|ndak) (ada|punya|disimp\w+)|lupa)\b"
)
_CALLS_FOR_HELP: Final = frozenset({"talk_to_staff", *_MISFORTUNE})
"""What outdoes a word of a label that stands in the same sentence ("orang")."""
_TOLD: Final = frozenset({"file_complaint", "abuse", *_MISFORTUNE})
_SCAM: Final = re.compile(r"hadiah|undian|pemenang|menang|bonus|klik|bit ly|\bpin\b|link")
_YES: Final = frozenset({"cancel_yes", "staff", "resume"})
_NO: Final = frozenset({"resume", "again", "menu"})


def decide(flows: Flows, session: Session, turn: Turn, facts: Facts) -> Decision | Need:
    """What the bot does about `turn`. Pure: no clock, no I/O, the same answer every time.

    Gives `Need` when a fact is missing; asked again with all facts so far it starts from the beginning.
    """
    work = Work(flows, session, turn, facts)
    try:
        _route(work)
    except Missing as missing:
        return Need((missing.query,))
    return work.decision()


def _route(work: Work) -> None:
    content = work.turn.content
    match content:
        case StaffAction():
            staffing.staff_acted(work, content)
        case TimerDue():
            staffing.timer_due(work, content)
        case _ if work.turn.owner != "bot":
            staffing.heard_while_held(work, content)
        case _:
            _person_spoke(work)


def _person_spoke(work: Work) -> None:
    content = work.turn.content
    if isinstance(content, Text) and is_danger(content.text):
        staffing.answer_danger(work, content.text)
        return
    _come_back(work)
    match content:
        case Text(text=text):
            _words(work, text, work.turn.understanding)
        case Choice():
            _pressed(work, content)
        case FormAnswer(slot=slot, value=value):
            _form_answered(work, slot, value)
        case Media():
            _media(work, content)
        case Contact(phone=phone, own=own):
            _contact(work, phone, own=own)
        case Location() | Sticker():
            _stranger_thing(work, "location" if isinstance(content, Location) else "sticker")


def _come_back(work: Work) -> None:
    """After a long silence: forgets what is too old, and says where one was."""
    if work.has_expired(work.settings.session_max_age_days) and work.tasks:
        for task in work.tasks:
            work.note("flow_cancelled", task.flow)
        work.tasks.clear()
        work.settle_question()
        work.say("engine/expired")
    elif work.tasks and work.silent_for_hours(work.settings.resume_after_hours):
        work.say("engine/welcome_back", task=task_label(work, work.tasks[-1].flow))


# ── words ────────────────────────────────────────────────────────────────────────────────────────


def _words(work: Work, text: str, understanding: Understanding | None) -> None:
    assert understanding, "a text comes with its understanding"
    understanding = _with_misfortune(understanding)
    if option := _option_named(work, text):
        _act(work, option.action)
    elif (intent := command(text)) and not (intent == "resume" and work.step and work.step.kind == "yes_no"):
        _control(work, intent)
    elif ask := work.step:
        _answer(work, ask, text, understanding)
    elif is_read_back(work):
        _answer_read_back(work, text, understanding)
    elif work.asked:
        _answer_offer(work, text, understanding)
    else:
        _open_talk(work, understanding)


def _with_misfortune(understanding: Understanding) -> Understanding:
    """An accident or a death told in plain words is never outdone by a reading that is no request at all."""
    words = plain(understanding.text)
    if understanding.intent in _MISFORTUNE and _NO_MISFORTUNE.search(words):
        return msgspec.structs.replace(understanding, confidence=min(understanding.confidence, _DOUBTFUL))
    if understanding.intent not in _PLEASANTRIES | _ANSWERS:
        return understanding
    if _INJURY.search(words) and not _NO_MISFORTUNE.search(words):
        return msgspec.structs.replace(understanding, intent="report_accident", confidence=1.0)
    for ranked in understanding.ranking[:3]:
        told = _MISFORTUNE.get(ranked.name)
        if told and told.search(words) and ranked.confidence >= _LEAST_MISFORTUNE:
            return msgspec.structs.replace(understanding, intent=ranked.name, confidence=1.0)
    return understanding


def _option_named(work: Work, text: str) -> Option | None:
    """The offered option that these words name exactly."""
    said = plain(text)
    if not work.asked or not said:
        return None
    return next((option for option in work.asked.options if plain(option.title) == said), None)


def _answer(work: Work, ask: Ask, text: str, understanding: Understanding) -> None:
    intent, confidence = understanding.intent, understanding.confidence
    settings = work.settings
    if _is_stuck(work) and (option := _option_agreed(work, text) or _option_chosen(work, text)):
        _act(work, option.action)
        return
    sure = confidence >= settings.digress_confidence
    if sure and is_question(text) and _is_topic(work, intent) and _may_interrupt(ask, text):
        _meant(work, understanding)
        return
    if asks_why(text) and (ask.kind != "free" or len(plain(text).split()) <= _WHY_WORDS):
        explain_question(work, ask)
        return
    if correct(work, text, sure=intent == "correct" and sure and ask.kind != "free"):
        return
    told = intent in _MISFORTUNE and confidence >= settings.guess_confidence
    leaves = (sure or told) and _is_topic(work, intent) and _is_meant(work, intent, text)
    words = len(plain(text).split())
    if leaves and ask.kind in _CHOSEN and words >= _CHOICE_WORDS and intent in _CALLS_FOR_HELP:
        _meant(work, understanding)
        return
    result = read_answer(work, ask, text)
    if not isinstance(result, Refusal):
        if ask.kind == "free" and _turns_away(work, intent, sure=sure, text=text):
            _meant(work, understanding)
            return
        accept(work, ask, result[0], result[1], understanding)
        return
    if not result.attempt and asks_to_wait(text):
        work.say("engine/waiting")
        return
    unread = not result.attempt or not any(sign.isdigit() for sign in text)
    if unread and (_HAS_NONE.search(plain(text)) or (ask.kind == "media" and read_no(work, text))):
        skip(work)
        return
    if leaves and words >= _TASK_WORDS:
        if not (_is_told(intent, text) and _keeps_words(work, text)):
            _meant(work, understanding)
        return
    if not result.attempt and (sure or (confidence >= settings.clear_confidence and intent in _CONTROLS)):
        if intent in _CONTROLS:
            _control(work, intent)
            return
        if intent == "deny" and ask.skippable:
            skip(work)
            return
        if _is_told(intent, text) and _keeps_words(work, text):
            return
        if leaves or intent in _PLEASANTRIES:
            _meant(work, understanding)
            return
    _otherwise(work, ask, text, result, understanding)


def _otherwise(work: Work, ask: Ask, text: str, refusal: Refusal, understanding: Understanding) -> None:
    """Words that are no answer may name an option shown (as `Lewati`), or answer a question yet to come."""
    if option := _option_chosen(work, text):
        _act(work, option.action)
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
    if not (flow and _kept(work, flow.add_words(work, text))):
        return False
    work.ask_again()
    return True


def read_no(work: Work, text: str) -> bool:
    """Whether few words plainly say no."""
    if len(plain(text).split()) > _CHOICE_WORDS:
        return False
    result = read("affirm_deny", text, today=work.today)
    return isinstance(result, Reading) and result.value == "no"


def _is_stuck(work: Work) -> bool:
    """Whether a human, another try or a pause were offered beside the open question."""
    return work.asked is not None and work.asked.key == "engine/three_misses"


def _is_topic(work: Work, intent: str) -> bool:
    return intent.startswith("faq/") or intent in work.flows.by_name


def _is_meant(work: Work, intent: str, text: str) -> bool:
    """Whether words in the middle of a form may begin this: a few words never report a misfortune by a guess."""
    if intent in _MISFORTUNE:
        return bool(_MISFORTUNE[intent].search(plain(text)))
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
    option = None if any(sign.isdigit() for sign in text) else _option_chosen(work, text)
    if option and option.action != "send":
        _act(work, option.action)
        return
    if answer_read_back(work, text):
        return
    sure = understanding.confidence >= work.settings.digress_confidence
    if correct(work, text, sure=understanding.intent == "correct"):
        return
    if sure and understanding.intent in _CONTROLS:
        _control(work, understanding.intent)
    elif sure and (_is_topic(work, understanding.intent) or understanding.intent in _PLEASANTRIES):
        _meant(work, understanding)
    elif missed(work) >= work.settings.misses_before_staff:
        work.reprompt("engine/read_back_staff")
    else:
        work.reprompt("engine/which_line")


def _answer_offer(work: Work, text: str, understanding: Understanding) -> None:
    """Words in answer to one of the engine's own questions: a choice, a yes or no, or something new."""
    assert work.asked
    if option := _option_agreed(work, text) or _option_chosen(work, text):
        _act(work, option.action)
        return
    if work.asked.key == "engine/confirm_cancel":
        # What somebody filled in is dropped on a plain yes alone.
        work.settle_question()
        advance(work)
        return
    if understanding.confidence >= work.settings.clear_confidence and understanding.intent != "inform":
        work.settle_question()
        _meant(work, understanding)
        return
    if work.asked.key == "engine/clarify" or missed(work) > 1:
        work.settle_question()
        _unclear(work, understanding)
    elif work.asked.key.startswith("engine/greet"):
        work.ask("engine/menu", options=work.asked.options)
    else:
        work.ask_again()


def _option_chosen(work: Work, text: str) -> Option | None:
    """The option that the words choose by number, place or part of its label."""
    if not work.asked or not work.asked.options or len(plain(text).split()) > _CHOICE_WORDS:
        return None
    titles = [option.title for option in work.asked.options]
    result = read("choice", text, today=work.today, options=titles)
    if isinstance(result, Reading) and isinstance(result.value, int):
        return work.asked.options[result.value - 1]
    return None


def _option_agreed(work: Work, text: str) -> Option | None:
    """The option that a plain yes or no stands for, where the question can be answered so."""
    assert work.asked
    if len(plain(text).split()) > _CHOICE_WORDS:
        return None
    result = read("affirm_deny", text, today=work.today)
    if not isinstance(result, Reading) or result.value == "unclear" or work.asked.key.startswith("engine/menu"):
        return None
    wanted = _YES if result.value == "yes" else _NO
    options = work.asked.options if result.value == "yes" else tuple(reversed(work.asked.options))
    return next((option for option in options if option.action in wanted), None)


# ── meaning ──────────────────────────────────────────────────────────────────────────────────────


def _open_talk(work: Work, understanding: Understanding) -> None:
    """Nothing stands open: the words are a request of their own."""
    requests = [part for part in understanding.parts if _is_topic(work, part.intent)]
    if len(requests) > 1:
        first, *later = requests
        work.waiting += [_understanding_of(part, understanding) for part in later[:2]]
        names = [_topic_label(work, part.intent) for part in requests[:3]]
        work.say("engine/one_by_one", first=names[0], then=" dan ".join(names[1:]))
        _begin(work, first.intent, _understanding_of(first, understanding))
        return
    intent, confidence = understanding.intent, understanding.confidence
    if intent in _ANSWERS and not understanding.entities:
        work.ask("engine/anything", options=_menu_options(work))
        return
    asks_something = _is_topic(work, intent)
    turned_away = intent in {"out_of_scope", "abuse"}
    if confidence >= work.settings.clear_confidence or (
        not asks_something and not turned_away and confidence >= work.settings.guess_confidence
    ):
        _meant(work, understanding)
    elif confidence >= work.settings.guess_confidence:
        _clarify(work, understanding)
    else:
        _unclear(work, understanding)


def _answer_topic(work: Work, topic: str) -> None:
    """Answers a question, then goes back to the one that stood open; the rest of a long answer is a button."""
    work.unclear = 0
    if (work.asked and not work.asked.key.startswith("faq/")) or work.tasks:
        work.say(topic)
        _back_to_question(work)
    elif work.copy.has(f"{topic}/more"):
        work.ask(topic, options=(work.option("more", f"more:{topic}/more"), work.option("menu", "menu")))
    else:
        work.settle_question()
        work.say(topic)


def _understanding_of(part: Part, whole: Understanding) -> Understanding:
    """One request of several, with the values that stand in its words."""
    return msgspec.structs.replace(
        whole,
        text=part.text,
        intent=part.intent,
        confidence=part.confidence,
        parts=(),
        entities=tuple(entity for entity in whole.entities if entity.text in part.text),
    )


def _meant(work: Work, understanding: Understanding) -> None:
    """Acts on a meaning, then goes back to the question that stood open."""
    intent = understanding.intent
    if intent.startswith("faq/"):
        _answer_topic(work, intent)
    elif intent in work.flows.by_name:
        _begin(work, intent, understanding)
    elif intent in {"greet", "thank", "goodbye", "bot_challenge", "abuse", "out_of_scope"}:
        _pleasantry(work, intent, understanding.text)
    elif intent in _CONTROLS:
        _control(work, intent)
    elif codes := [entity for entity in understanding.entities if entity.entity == "ticket_code"]:
        start(work, "check_ticket", slots={"ticket_code": codes[0].value})
    else:
        _unclear(work, understanding)


def _begin(work: Work, intent: str, understanding: Understanding | None) -> None:
    """Begins a task, or goes on with it when it is already under way; a question is answered."""
    if intent.startswith("faq/"):
        work.say(intent)
        go_on(work)
        return
    open_flows = [task.flow for task in work.tasks]
    if intent in open_flows and intent != "talk_to_staff":
        if intent == open_flows[-1] and work.asked:
            _more_of_the_same(work, understanding)
            return
        work.tasks.append(work.tasks.pop(open_flows.index(intent)))
        work.say("engine/already_here", task=task_label(work, intent))
        advance(work)
        return
    start(work, intent, understanding)


def _more_of_the_same(work: Work, understanding: Understanding | None) -> None:
    """Words about the task at hand that answer nothing: kept where the flow has a place for them."""
    flow = work.flow
    assert flow
    if not (understanding and _kept(work, flow.add_words(work, understanding.text))):
        work.say("engine/already_here", task=task_label(work, flow.name))
    work.ask_again()


def _kept(work: Work, kept: Fill | None) -> bool:
    """Whether the flow had a place for something that was no answer."""
    if kept is None:
        return False
    keep(work, kept)
    return True


def _pleasantry(work: Work, intent: str, text: str) -> None:
    if intent == "greet" and not work.tasks:
        _greet(work, text)
        return
    key = f"engine/{intent}"
    if intent == "out_of_scope" and _SCAM.search(plain(text)):
        key = "engine/scam_text"
    elif intent in {"out_of_scope", "abuse"} and not work.tasks:
        work.unclear += 1
        if work.unclear > 1:
            _offer_staff(work)
            return
    if intent == "goodbye" and work.tasks:
        work.say("engine/goodbye_kept", task=task_label(work, work.tasks[-1].flow))
        return
    short = work.tasks and work.copy.has(f"{key}_short")
    work.say(f"{key}_short" if short else key, hail=_hail(work, text))
    if intent in {"thank", "goodbye"} and not work.tasks:
        return
    _back_to_question(work, then_offer=intent in {"bot_challenge", "out_of_scope"})


def _greet(work: Work, text: str) -> None:
    key = "engine/greet_again" if work.greeted else "engine/greet"
    work.greeted = True
    work.ask(key, args={"hail": _hail(work, text), "who": _introduction(work)}, options=_menu_options(work))


def _hail(work: Work, text: str) -> str:
    """A salam is returned as a salam."""
    said = plain(text)
    salam = any(word in said for word in ("assalam", "asalam", "samlekum", "samlikum", "aslkm", "askum"))
    return work.copy.label("label/salam" if salam else "label/hello")


def _introduction(work: Work) -> str:
    """Who runs the service; a trial says that it is one, and not the institution."""
    if work.settings.trial:
        return work.copy.label("label/trial")
    return work.copy.label("label/run_by", operator=work.settings.operator)


def _back_to_question(work: Work, *, then_offer: bool = False) -> None:
    if work.asked:
        work.ask_again()
    elif work.tasks:
        advance(work)
    elif then_offer and not any(_is_offer(effect) for effect in work.effects):
        go_on(work)


def _is_offer(effect: object) -> bool:
    return bool(getattr(effect, "options", ()))


def _menu(work: Work) -> None:
    """All that can be done here; an open task is kept and can be gone on with."""
    options = _menu_options(work)
    if work.tasks:
        options = (work.option("go_on", "resume"), *options[:-1], options[-1])
    work.ask("engine/menu", options=options)


def _menu_options(work: Work) -> tuple[Option, ...]:
    return tuple(work.option(f"menu_{intent}", f"start:{intent}") for intent in MENU)


def _topic_label(work: Work, intent: str) -> str:
    return work.copy.label(f"label/topic_{intent}" if intent.startswith("faq/") else f"label/task_{intent}")


def _clarify(work: Work, understanding: Understanding) -> None:
    """Asks which of the two likeliest readings was meant, before guessing."""
    likely = [ranked.name for ranked in understanding.ranking if _is_topic(work, ranked.name)][:2]
    if not likely:
        _unclear(work, understanding)
        return
    options = tuple(
        work.option(f"choice_{name}" if not name.startswith("faq/") else f"topic_{name}", f"start:{name}")
        for name in likely
    )
    work.note("note", "clarify", ", ".join(likely))
    work.unclear_words = understanding
    work.ask("engine/clarify", options=(*options, work.option("neither", "menu")))


def _unclear(work: Work, understanding: Understanding) -> None:
    """Not understood: the likeliest readings, then the menu, then a human. Never a bare apology."""
    work.unclear += 1
    if work.asked or work.tasks:
        _back_to_question(work)
    elif work.unclear >= work.settings.misses_before_staff:
        _offer_staff(work)
    elif work.unclear == 1 and understanding.confidence >= work.settings.guess_confidence / 2:
        _clarify_or_menu(work, understanding)
    else:
        work.ask("engine/unclear_menu", options=_menu_options(work))


def _offer_staff(work: Work) -> None:
    work.ask("engine/offer_staff", options=(work.option("staff", "staff"), work.option("menu", "menu")))


def _clarify_or_menu(work: Work, understanding: Understanding) -> None:
    if any(_is_topic(work, ranked.name) for ranked in understanding.ranking[:3]):
        _clarify(work, understanding)
    else:
        work.ask("engine/unclear_menu", options=_menu_options(work))


# ── control ──────────────────────────────────────────────────────────────────────────────────────


def _control(work: Work, intent: str) -> None:
    match intent:
        case "help":
            _menu(work)
        case _ if intent in work.flows.by_name:
            _begin(work, intent, work.turn.understanding)
        case "cancel":
            _cancel(work)
        case "later" if work.tasks:
            _act(work, "later")
        case "resume" if work.tasks:
            if work.step is None and not is_read_back(work):
                work.settle_question()
            _back_to_question(work)
        case _ if not work.tasks:
            work.ask("engine/menu", options=_menu_options(work))
        case "go_back":
            go_back(work)
        case "skip":
            skip(work)
        case "repeat":
            _back_to_question(work)


def _cancel(work: Work) -> None:
    if not work.tasks:
        work.settle_question()
        work.say("engine/nothing_to_cancel")
        return
    filled = sum(value is not None for value in work.slots.values())
    asked_already = work.asked is not None and work.asked.key == "engine/confirm_cancel"
    if asked_already or filled < work.settings.cancel_confirm_slots:
        cancel(work)
        return
    label = task_label(work, work.tasks[-1].flow)
    options = (work.option("cancel_yes", "cancel_yes"), work.option("go_on", "resume"))
    work.ask("engine/confirm_cancel", args={"task": label}, options=options)


# ── buttons ──────────────────────────────────────────────────────────────────────────────────────


def _pressed(work: Work, choice: Choice) -> None:
    """A button carries the number of its question; one from an old message does no harm."""
    number, _, place = choice.payload.partition(".")
    if not (work.asked and number == str(work.asked.number)):
        work.note("note", "old_button")
        work.say("engine/old_button")
        _back_to_question(work)
        return
    if not place.isdecimal() or int(place) >= len(work.asked.options):
        work.ask_again()
        return
    _act(work, work.asked.options[int(place)].action)


def _act(work: Work, action: str) -> None:
    """Does what an option stands for."""
    verb, _, argument = action.partition(":")
    ask = work.step
    match verb:
        case "answer" if ask:
            accept(work, ask, ask.picks(work)[int(argument)].value, None)
        case "yes" | "no" if ask:
            accept(work, ask, verb == "yes", None)
        case "skip":
            skip(work)
        case "start" if argument.startswith("faq/"):
            work.settle_question()
            _answer_topic(work, argument)
        case "more":
            work.settle_question()
            work.say(argument)
        case "start":
            _begin(work, argument, work.before.unclear_words)
        case "send":
            send(work, argument)
        case "edit":
            edit(work, argument)
        case "cancel":
            _cancel(work)
        case "cancel_yes":
            cancel(work)
        case "again" if ask:
            ask_step(work, ask)
        case "resume":
            work.settle_question()
            advance(work)
        case "later":
            if ask:
                ask_step(work, ask, aloud=False)
            work.say("engine/later", task=task_label(work, work.tasks[-1].flow))
        case "staff":
            _begin(work, "talk_to_staff", None)
        case "menu":
            work.ask("engine/menu", options=_menu_options(work))
        case _:
            raise ValueError(f"unknown action {action!r}")


# ── things that are not words ────────────────────────────────────────────────────────────────────


def _form_answered(work: Work, slot: str, value: str) -> None:
    """The one-field page was filled in: the answer counts if its question still stands open."""
    ask = work.step
    if ask is None or ask.slot != slot:
        work.say("engine/old_form")
        _back_to_question(work)
        return
    result = read_answer(work, ask, value)
    if isinstance(result, Refusal):
        refuse(work, ask, result)
    else:
        accept(work, ask, *result)


def _media(work: Work, media: Media) -> None:
    ask = work.step
    if media.problem:
        work.say(f"engine/media_{media.problem}")
        _back_to_question(work)
    elif ask and ask.kind == "media" and media.kind != "voice":
        work.note("note", "media", media.media)
        accept(work, ask, [media.media], None)
    elif (
        work.flow
        and media.media
        and media.kind != "voice"
        and _kept(work, work.flow.add_media(work, media.media, media.caption))
    ):
        if ask and ask.slot in work.slots:
            advance(work)
        else:
            _back_to_question(work)
    else:
        work.say(f"engine/{media.kind}_not_now")
        _back_to_question(work)


def _contact(work: Work, phone: str, *, own: bool) -> None:
    ask = work.step
    if ask and ask.kind == "phone":
        result = read_answer(work, ask, phone)
        if not isinstance(result, Refusal):
            accept(work, ask, *result)
            return
    _stranger_thing(work, "contact" if not own else "contact_own")


def _stranger_thing(work: Work, kind: str) -> None:
    work.say(f"engine/{kind}_not_now")
    if not work.asked and not work.tasks:
        work.ask("engine/menu", options=_menu_options(work))
    else:
        _back_to_question(work)
