"""Acting on what was meant: tasks, questions, pleasantries, control words and pressed buttons."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from flows import voice_notes
from flows.answering import accept, edit, go_back, offer_ways_out, send, skip
from flows.asking import advance, ask_step, cancel, drop, go_on, is_read_back, keep, missed, start, task_label
from flows.flow import Fill
from flows.menu import greet, hail, menu_options, show_menu
from flows.model import Choice, Command, MyTickets, TicketFacts, Value
from flows.options import task_begun
from flows.wording import ANSWERS, CONTROLS, PLEASANTRIES, plain
from flows.work import Work
from nlu.understanding import Part, Understanding

_CODES: Final = frozenset({"ticket_code", "pledge_code", "bill_code"})
_SIGN_UP: Final = re.compile(r"\b(pen)?daftar(an|annya|nya)?\b")
_DONE: Final = frozenset({"closed", "resolved", "rejected"})
_PAGE: Final = re.compile(r"more(\d{1,3})")
"""What the button to another page of a long list carries behind the number of its question."""
GREETS: Final = re.compile(r"(halo|hallo|hai|hi|helo|ass?ala\w*|permisi|punten)\b")
_SCAM: Final = re.compile(r"hadiah|undian|pemenang|menang|bonus|klik|bit ly|\bpin\b|link")


def open_talk(work: Work, understanding: Understanding) -> None:
    """Nothing stands open: the words are a request of their own."""
    requests = [part for part in understanding.parts if is_topic(work, part.intent)]
    if len(requests) > 1:
        first, *later = requests
        work.waiting += [_understanding_of(part, understanding) for part in later[:2]]
        names = [_topic_label(work, part.intent) for part in requests[:3]]
        work.say("engine/one_by_one", first=names[0], then=" dan ".join(names[1:]))
        begin(work, first.intent, _understanding_of(first, understanding))
        return
    intent, confidence = understanding.intent, understanding.confidence
    if code := code_named(understanding):
        start(work, "check_ticket", understanding, {"ticket_code": code})
        return
    if not plain(understanding.text) or (intent in ANSWERS and not understanding.entities):
        work.ask("engine/anything", options=menu_options(work))
        return
    asks_something = is_topic(work, intent)
    turned_away = intent in {"out_of_scope", "abuse"}
    if confidence >= work.settings.clear_confidence or (
        not asks_something and not turned_away and confidence >= work.settings.guess_confidence
    ):
        act_on_meaning(work, understanding)
    elif confidence >= work.settings.guess_confidence:
        _clarify(work, understanding)
    else:
        not_understood(work, understanding)


def code_named(understanding: Understanding) -> str:
    """The one code of ours that stands in a message, '' when none or several do: it says what is asked about."""
    codes = {str(entity.value) for entity in understanding.entities if entity.entity in _CODES}
    return codes.pop() if len(codes) == 1 else ""


def answer_topic(work: Work, topic: str) -> None:
    """Answers a question, then goes back to the one that stood open; the rest of a long answer is a button."""
    work.unclear = 0
    if (work.asked and not work.asked.key.startswith("faq/")) or work.tasks:
        work.say(topic)
        back_to_question(work)
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


def act_on_meaning(work: Work, understanding: Understanding) -> None:
    """Acts on a meaning, then goes back to the question that stood open."""
    intent = understanding.intent
    if intent.startswith("faq/"):
        answer_topic(work, intent)
    elif intent in work.flows.by_name:
        begin(work, intent, understanding)
    elif intent in PLEASANTRIES:
        _pleasantry(work, intent, understanding.text)
    elif intent in CONTROLS:
        control(work, intent)
    else:
        not_understood(work, understanding)


def begin(work: Work, intent: str, understanding: Understanding | None) -> None:
    """Begins a task, or goes on with it when it is already under way; a question is answered."""
    if intent.startswith("faq/"):
        work.say(intent)
        go_on(work)
        return
    if intent == "check_pledge" and _waits_for_assistance(work):
        intent = "check_ticket"
    _drop_what_is_told_anew(work, intent)
    open_flows = [task.flow for task in work.tasks]
    if intent in open_flows and intent != "talk_to_staff":
        work.filed = None
        if intent == open_flows[-1] and work.asked and work.asked.key != "engine/offer_resume":
            _more_of_the_same(work, understanding)
            return
        work.tasks.append(work.tasks.pop(open_flows.index(intent)))
        work.say("engine/already_here", task=task_label(work, intent))
        advance(work)
        return
    start(work, intent, understanding, _story_told(work) if intent == "talk_to_staff" else None)


def _drop_what_is_told_anew(work: Work, intent: str) -> None:
    """A task that tells how things stand is begun anew when it is asked for again, unless its question stands open."""
    is_asked = work.step is not None and work.tasks[-1].flow == intent
    if is_asked or intent not in work.flows.by_name or not work.flows.by_name[intent].tells_anew:
        return
    for task in [task for task in work.tasks if task.flow == intent]:
        work.note("flow_cancelled", task.flow)
        work.tasks.remove(task)
        work.settle_question()


def _story_told(work: Work) -> dict[str, Value]:
    """What was told in the tasks under way, so that staff who are called need not ask for it again."""
    told = [str(task.slots[name]) for task in work.tasks for name in ("description", "details") if task.slots.get(name)]
    return {"story": "\n".join(told)} if told else {}


def _waits_for_assistance(work: Work) -> bool:
    """Whether this is somebody who asked for help, and never said they gave some."""
    mine = work.fact(MyTickets())
    kinds = {ticket.kind for ticket in mine if ticket.status not in _DONE} if isinstance(mine, tuple) else set()
    return "request_assistance" in kinds and "pledge" not in kinds


def _more_of_the_same(work: Work, understanding: Understanding | None) -> None:
    """Words about the task at hand that answer nothing: kept where the flow has a place for them."""
    flow = work.flow
    assert flow
    if flow.tells_anew and work.step:
        ask_step(work, work.step)
        return
    if not (understanding and kept_by_flow(work, flow.add_words(work, understanding.text))):
        work.say("engine/already_here", task=task_label(work, flow.name))
    work.ask_again()


def kept_by_flow(work: Work, kept: Fill | None) -> bool:
    """Whether the flow had a place for something that was no answer."""
    if kept is None:
        return False
    keep(work, kept)
    return True


def is_scam(text: str) -> bool:
    """Whether it reads like a prize or a link that somebody was sent."""
    return bool(_SCAM.search(plain(text)))


def _pleasantry(work: Work, intent: str, text: str) -> None:
    if intent == "greet" and not work.tasks:
        greet(work, text)
        return
    key = f"engine/{intent}"
    if intent == "out_of_scope" and is_scam(text):
        key = "engine/scam_text"
    elif intent == "out_of_scope" and (ask := work.step) and not missed(work) % work.settings.misses_before_staff:
        offer_ways_out(work, ask)
        return
    elif intent in {"out_of_scope", "abuse"} and not work.tasks:
        work.unclear += 1
        if work.unclear > 1:
            _offer_staff(work)
            return
    if intent == "goodbye" and work.tasks:
        work.say("engine/goodbye_kept", task=task_label(work, work.tasks[-1].flow))
        return
    short = work.tasks and work.copy.has(f"{key}_short")
    work.say(f"{key}_short" if short else key, hail=hail(work, text))
    if intent in {"thank", "goodbye"} and not work.tasks:
        return
    back_to_question(work, then_offer=intent in {"bot_challenge", "out_of_scope"})


def back_to_question(work: Work, *, then_offer: bool = False) -> None:
    if work.asked:
        work.ask_again()
    elif work.is_parked:
        return
    elif work.tasks:
        advance(work)
    elif then_offer and not any(_is_offer(effect) for effect in work.effects):
        go_on(work)


def _is_offer(effect: object) -> bool:
    return bool(getattr(effect, "options", ()))


def is_topic(work: Work, intent: str) -> bool:
    return intent.startswith("faq/") or intent in work.flows.by_name


def _topic_label(work: Work, intent: str) -> str:
    return work.copy.label(f"label/topic_{intent}" if intent.startswith("faq/") else f"label/task_{intent}")


def _clarify(work: Work, understanding: Understanding) -> None:
    """Asks which of the two likeliest readings was meant, before guessing."""
    likely = [ranked.name for ranked in understanding.ranking if is_topic(work, ranked.name)][:2]
    if not likely:
        not_understood(work, understanding)
        return
    options = tuple(
        work.option(f"choice_{name}" if not name.startswith("faq/") else f"topic_{name}", f"start:{name}")
        for name in likely
    )
    work.note("note", "clarify", ", ".join(likely))
    work.unclear_words = understanding
    work.ask("engine/clarify", options=(*options, work.option("neither", "menu")))


def _clarify_or_menu(work: Work, understanding: Understanding) -> None:
    if any(is_topic(work, ranked.name) for ranked in understanding.ranking[:3]):
        _clarify(work, understanding)
    else:
        work.ask("engine/unclear_menu", options=menu_options(work))


def not_understood(work: Work, understanding: Understanding) -> None:
    """Not understood: the likeliest readings, then the menu, then a human. Never a bare apology."""
    work.unclear += 1
    if work.asked or work.tasks:
        back_to_question(work)
    elif work.unclear >= work.settings.misses_before_staff:
        _offer_staff(work)
    elif work.unclear == 1 and understanding.confidence >= work.settings.guess_confidence / 2:
        _clarify_or_menu(work, understanding)
    else:
        work.ask("engine/unclear_menu", options=menu_options(work))


def _offer_staff(work: Work) -> None:
    work.ask("engine/offer_staff", options=(work.option("staff", "staff"), work.option("menu", "menu")))


# ── control ──────────────────────────────────────────────────────────────────────────────────────


def control(work: Work, intent: str) -> None:
    match intent:
        case "help":
            show_menu(work)
        case _ if intent in work.flows.by_name:
            begin(work, intent, work.turn.understanding)
        case "cancel":
            _cancel(work)
        case "stop":
            _stop(work)
        case "later" if work.tasks:
            act(work, "later")
        case "resume" if work.tasks:
            work.filed = None
            if work.step is None and not is_read_back(work):
                work.settle_question()
            back_to_question(work)
        case _ if not work.tasks:
            work.ask("engine/menu", options=menu_options(work))
        case "go_back":
            go_back(work)
        case "skip":
            skip(work)
        case "repeat":
            back_to_question(work)


def _cancel_what_was_sent(work: Work) -> None:
    """Nothing is being filled in; what was sent already can only be taken back by staff, and that is said."""
    sent = _sent(work)
    application = next((ticket for ticket in sent if ticket.kind == "application"), None)
    newest = application if application and _is_about_sign_up(work) else next(iter(sent), None)
    if newest is None:
        work.settle_question()
        work.say("engine/nothing_to_cancel")
    elif newest.kind == "application":
        options = (work.option("ask_withdrawal", f"withdraw:{newest.code}"), work.option("no_need", "menu"))
        work.ask("engine/already_sent", args={"code": newest.code}, options=options)
    else:
        start(work, "check_ticket", None, {"ticket_code": newest.code, "ticket_action": "close"})


def _sent(work: Work) -> list[TicketFacts]:
    """What this person sent and staff have not ended, newest first."""
    mine = work.fact(MyTickets())
    return [ticket for ticket in mine if ticket.status not in _DONE] if isinstance(mine, tuple) else []


def _is_about_sign_up(work: Work) -> bool:
    words = work.turn.understanding.text if work.turn.understanding else ""
    return bool(_SIGN_UP.search(plain(words)))


def _is_about_what_was_sent(work: Work) -> bool:
    """Whether a sign-up is to be taken back that was sent, while something else is being filled in."""
    if not _is_about_sign_up(work) or any(task.flow == "enroll" for task in work.tasks):
        return False
    return any(ticket.kind == "application" for ticket in _sent(work))


def _stop(work: Work) -> None:
    """ "Stop" means what is being filled in, or our messages; with nothing under way only those can be meant."""
    if not work.tasks:
        begin(work, "opt_out", None)
        return
    options = (work.option("stop_form", "stop_form"), work.option("stop_news", "stop_news"),
               work.option("go_on", "resume"))  # fmt: skip
    work.ask("engine/which_stop", args={"task": task_label(work, work.tasks[-1].flow)}, options=options)


def _cancel(work: Work) -> None:
    if not work.tasks or _is_about_what_was_sent(work):
        _cancel_what_was_sent(work)
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


def pressed(work: Work, choice: Choice) -> None:
    """A button carries the number of its question; one from an old message does no harm.

    `7.2` is the third option of question 7, `7.more1` shows the second page of its options, and `7.2.enroll` begins
    a task, however old the menu is that it stands in.
    """
    number, _, rest = choice.payload.partition(".")
    place, _, task = rest.partition(".")
    if not (work.asked and number == str(work.asked.number)):
        work.note("note", "old_button")
        if task in work.flows.by_name:
            begin(work, task, None)
        else:
            _old_button(work)
        return
    if page := _PAGE.fullmatch(place):
        work.ask_again(page=int(page[1]))
        return
    options = work.asked.options
    option = options[int(place)] if place.isdecimal() and int(place) < len(options) else None
    if option is None or task not in ("", task_begun(option)):
        work.ask_again()
        return
    act(work, option.action)


def _old_button(work: Work) -> None:
    """What stands open is shown again, and the menu where nothing does: nobody is left with a dead button."""
    work.say("engine/old_button")
    if work.asked or work.tasks:
        back_to_question(work)
    else:
        work.ask("engine/menu", options=menu_options(work))


def commanded(work: Work, command: Command) -> None:
    """A command of the platform's menu. One that we do not know shows the menu."""
    match command.name:
        case "start" if command.argument in work.flows.by_name:
            begin(work, command.argument, None)
        case "start":
            greet(work, "")
        case "batal" | "cancel":
            control(work, "cancel")
        case "petugas":
            begin(work, "talk_to_staff", None)
        case _:
            show_menu(work)


def act(work: Work, action: str) -> None:
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
            answer_topic(work, argument)
        case "more":
            work.settle_question()
            work.say(argument)
        case "start":
            begin(work, argument, work.before.unclear_words)
        case "send":
            send(work, argument)
        case "edit":
            edit(work, argument)
        case "cancel":
            _cancel(work)
        case "stop_news":
            begin(work, "opt_out", None)
        case "cancel_yes" | "stop_form":
            cancel(work)
        case "again" if ask:
            ask_step(work, ask)
        case "resume":
            work.settle_question()
            advance(work)
        case "drop":
            drop(work)
        case "later":
            if ask:
                ask_step(work, ask, aloud=False)
            work.say("engine/later", task=task_label(work, work.tasks[-1].flow))
        case "listen":
            voice_notes.pass_on(work)
            _after_offer(work)
        case "unheard":
            work.say("engine/voice_left")
            _after_offer(work)
        case "withdraw":
            start(work, "check_ticket", None, {"ticket_code": argument, "ticket_action": "withdraw"})
        case "staff":
            begin(work, "talk_to_staff", work.before.unclear_words)
        case "menu":
            work.ask("engine/menu", options=menu_options(work))
        case _:
            raise ValueError(f"unknown action {action!r}")


def _after_offer(work: Work) -> None:
    """What was offered beside an open question is settled: the question is asked again."""
    if ask := work.step:
        ask_step(work, ask)
        return
    work.settle_question()
    if work.tasks:
        advance(work)
