"""What a person's words do to the open question: an answer, a correction, a step back, a skip, a miss."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flows.asking import (
    advance,
    ask_read_back,
    ask_step,
    fill,
    is_read_back,
    keep,
    leave,
    missed,
    question_key,
    read_back_lines,
    remember_answered,
    show,
    take_remembered,
    take_told,
)
from flows.flow import Ask, Flow, Leave, Rejected
from flows.model import Value
from flows.reading import named_pick, read_answer
from flows.wording import after_name, agrees, before_name, correction, names_any, plain
from flows.work import Work
from nlu.understanding import Understanding
from nlu.values import Reading, Refusal, read

_MENDING_WORDS = 4
_ADDS = re.compile(r"^(tambah\w*|nambah\w*|jangan|tanpa|anonim|rahasiakan|gak usah|kirim tanpa|tidak usah)\b")
"""Words that say something about the report before it is sent, and are no agreement."""
_NAMELESS = re.compile(
    r"\b(ga|gak|g|nggak|enggak|ngga|tidak|tdk|ndak|jangan|jgn|gausah|gamau)\b.{0,16}\b(sebut|sebutin|nyebut|kasih|tulis|pakai|pake|"
    r"mencantumkan|cantumkan|cantumin|ketahuan|ketauan)\b.{0,8}\bnama"
)
_WRONG = re.compile(r"\b(salah|keliru|ubah|ganti|koreksi|betulin|benerin)\b")
_NO_VALUE = frozenset((
    "kurang", "salah", "keliru", "belum", "bukan", "beda", "lain", "itu", "tadi", "nya", "lengkap", "komplit", "typo",
    "deh", "kak", "min", "dong", "sih", "bu", "pak", "ibu", "bapak", "mas", "mbak", "td", "ya",
))  # fmt: skip
"""Words that say that an answer is wrong, and are none themselves."""
_SENTENCE_WORDS = 4
"""From this many words on, a message is looked through for more than the answer asked for."""


def accept(
    work: Work, ask: Ask, value: Value, reading: Reading | None, understanding: Understanding | None = None
) -> None:
    """Takes an answer and goes on, or says what is wrong with it."""
    refused = fill(work, ask, value, reading)
    if isinstance(refused, Leave):
        leave(work, refused)
    elif isinstance(refused, Rejected):
        miss(work, ask, refused.key, refused.args)
    else:
        if ask.slot in work.slots:
            remember_answered(work, ask.slot)
        if understanding and len(plain(understanding.text).split()) >= _SENTENCE_WORDS and ask.kind != "free":
            take_told(work, understanding, but=ask.slot)
        if work.flow and work.flow.whose == ask.slot:
            take_remembered(work)
        advance(work)


def refuse(work: Work, ask: Ask, refusal: Refusal) -> None:
    """Says why an answer cannot be taken."""
    key = f"reject/{ask.kind}/{refusal.reason}"
    miss(work, ask, key if work.copy.has(key) else f"reject/{ask.kind}", refusal.detail)


def miss(work: Work, ask: Ask, key: str, args: Mapping[str, str]) -> None:
    """One miss more: the reason, then other words with an example, then a human; never twice the same in a row."""
    flow = work.flow
    assert flow
    count = missed(work)
    second = f"{question_key(flow, ask)}/2"
    turn = count % work.settings.misses_before_staff
    if turn == 0:
        offer_ways_out(work, ask)
    elif turn == 1 and count > work.settings.misses_before_staff:
        work.reprompt("engine/still_stuck")
    elif turn == 1:
        work.reprompt(key, **dict(args))
    elif work.copy.has(f"{key}/2"):
        work.reprompt(f"{key}/2", **dict(args))
    elif work.copy.has(second):
        work.reprompt(second, **dict(ask.args(work)))
    else:
        work.reprompt(f"reject/{ask.kind}/2" if work.copy.has(f"reject/{ask.kind}/2") else "engine/second_miss")


def offer_ways_out(work: Work, ask: Ask) -> None:
    """A human, another try or a pause, beside the open question."""
    assert work.asked
    options = (
        work.option("staff", "staff"), work.option("try_again", "again"), work.option("later", "later"),
    )  # fmt: skip
    work.ask("engine/three_misses", slot=ask.slot, options=options, misses=work.asked.misses)


def skip(work: Work) -> None:
    """Leaves the open question without an answer, where that is possible."""
    ask = work.step
    if work.asked is None:
        advance(work)
    elif ask is None:
        work.ask_again()
    elif ask.skippable:
        work.set_slots({ask.slot: None})
        remember_answered(work, ask.slot)
        advance(work)
    else:
        _say_cannot_skip(work, ask)
        work.ask_again()


def _say_cannot_skip(work: Work, ask: Ask) -> None:
    """Why this one is needed, and the way out; the second time only the way out."""
    key = f"engine/without_{ask.slot}"
    if work.copy.has(key) and work.asked and not work.asked.misses:
        missed(work)
        work.say(key)
    else:
        _say_why(work, ask, fallback="engine/cannot_skip")


def explain_question(work: Work, ask: Ask) -> None:
    """Says what the open question is for, and asks it again."""
    _say_why(work, ask, fallback="engine/why")
    work.ask_again()


def _say_why(work: Work, ask: Ask, *, fallback: str) -> None:
    flow = work.flow
    assert flow
    keys = (f"{flow.name}/why_{ask.slot}", ask.key.replace("/ask_", "/why_"), fallback)
    work.say(next(key for key in keys if key and work.copy.has(key)))


def go_back(work: Work) -> None:
    """Asks the question before this one again."""
    flow = work.flow
    assert flow
    trail = list(work.tasks[-1].trail)
    while trail:
        ask = flow.step(trail.pop())
        if ask and ask.slot in work.slots:
            work.change_task(trail=tuple(trail))
            work.clear_slots((ask.slot, *ask.clears))
            if ask.when(work):
                ask_step(work, ask)
                return
    work.say("engine/cannot_go_back")
    work.ask_again()


def edit(work: Work, slot: str) -> None:
    """Asks one earlier answer again; the read-back comes back after it."""
    flow = work.flow
    ask = flow.step(slot) if flow else None
    assert ask
    work.clear_slots((slot, *ask.clears))
    ask_step(work, ask)


# ── corrections ──────────────────────────────────────────────────────────────────────────────────


def correct(work: Work, text: str, *, sure: bool) -> bool:
    """Mends an earlier answer if the words say so; False when they turn out to say no such thing.

    `sure` when something else already says that this is a correction (the engine, the read-back).
    """
    announced = correction(text)
    if announced is None and not sure:
        return False
    flow = work.flow
    assert flow
    rest = announced.rest if announced else text
    firm = sure or (announced is not None and announced.firm)
    if named := _named_answer(work, flow, rest or text):
        ask, said = named
        return ask is not work.step and mend(work, ask, said)
    if firm and (at := _task_naming(work, rest or text)) is not None:
        work.tasks.append(work.tasks.pop(at))
        work.settle_question()
        return correct(work, text, sure=sure)
    if not firm:
        return False
    if previous := last_answer(work, flow):
        if not rest:
            go_back(work)
            return True
        result = read_answer(work, previous, rest)
        step_reads = work.step and not isinstance(read_answer(work, work.step, rest), Refusal)
        short = len(plain(rest).split()) <= _MENDING_WORDS
        if not isinstance(result, Refusal) and not step_reads and previous.kind != "free" and short:
            return mend(work, previous, rest)
    return False


def _named_answer(work: Work, flow: Flow, text: str) -> tuple[Ask, str] | None:
    """A question named in the text by which it can be mended, and what is said of it."""
    for ask in flow.steps:
        known = ask.slot in work.slots or (ask.label and ask.when(work))
        if known and ask.names and (match := names_any(text, ask.names)):
            said = after_name(text, match)
            return ask, said if not _NO_VALUE.issuperset(plain(said).split()) else before_name(text, match)
    return None


def _task_naming(work: Work, text: str) -> int | None:
    """Which of the tasks left for this one has an answer named in the text."""
    for at, task in enumerate(work.tasks[:-1]):
        flow = work.flows.by_name[task.flow]
        if any(ask.slot in task.slots and ask.names and names_any(text, ask.names) for ask in flow.steps):
            return at
    return None


def last_answer(work: Work, flow: Flow) -> Ask | None:
    """The question that was answered last, None when none was."""
    trail = work.tasks[-1].trail
    return flow.step(trail[-1]) if trail else None


def mend(work: Work, ask: Ask, said: str) -> bool:
    """Answers an earlier question anew; asks it again where the words are no answer. Always True."""
    if _NO_VALUE.issuperset(plain(said).split()):
        said = ""
    result = read_answer(work, ask, said) if said else Refusal("empty", attempt=False)
    if isinstance(result, Refusal):
        edit(work, ask.slot)
        return True
    refused = fill(work, ask, *result)
    if isinstance(refused, Leave):
        leave(work, refused)
    elif isinstance(refused, Rejected):
        edit(work, ask.slot)
    else:
        if ask.slot in work.slots and ask.label:
            label = work.copy.label(f"label/{ask.label}")
            work.say("engine/corrected", label=label, value=show(work, ask))
        advance(work)
    return True


# ── the read-back ────────────────────────────────────────────────────────────────────────────────


def answer_read_back(work: Work, text: str) -> bool:
    """Reads an answer to the read-back; False when it is none."""
    flow = work.flow
    assert flow
    assert is_read_back(work)
    if line := _line_named(work, flow, text):
        edit(work, line.slot)
        return True
    if _NAMELESS.search(plain(text)) and (ways := flow.send_picks(work)) and not named_pick(ways, text):
        work.set_slots({"send_as": ways[0].value, "person_name": None})
        work.say(f"{flow.name}/nameless")
        ask_read_back(work, flow)
        return True
    if named := _named_answer(work, flow, text):
        return mend(work, *named)
    if way := named_pick(flow.send_picks(work), text):
        send(work, str(way.value))
        return True
    if agrees(text):
        send(work)
        return True
    if _ADDS.match(plain(text)) and (kept := flow.add_words(work, text)):
        keep(work, kept)
        ask_read_back(work, flow)
        return True
    denied = read("affirm_deny", text, today=work.today)
    if _WRONG.search(plain(text)) or (isinstance(denied, Reading) and denied.value == "no"):
        missed(work)
        work.reprompt("engine/which_line")
        return True
    return False


def _line_named(work: Work, flow: Flow, text: str) -> Ask | None:
    """The line of the read-back that few words name by its number or its place ("yang kedua salah")."""
    words = plain(text).split()
    if len(words) > _MENDING_WORDS:
        return None
    lines = read_back_lines(work, flow)
    labels = [work.copy.label(f"label/{line.label}") for line in lines]
    said = " ".join(word for word in words if not _WRONG.fullmatch(word))
    place = read("choice", said, today=work.today, options=labels)
    return lines[place.value - 1] if isinstance(place, Reading) and isinstance(place.value, int) else None


def send(work: Work, way: str = "") -> None:
    """The person agreed to the read-back: the task is finished. `way` is how, where there are several."""
    if way:
        work.set_slots({"send_as": way})
    work.change_task(confirmed=True)
    advance(work)
