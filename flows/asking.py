"""Going on with a task: its next question, its read-back, its end, and the task behind it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import msgspec

from flows.flow import Ask, Fill, Flow, Leave, Rejected, Unset
from flows.misfortune import MISFORTUNE
from flows.model import AddToTicket, Edited, Effect, Filed, OpenTicket, Option, Task, Text, Value
from flows.reading import pick_title, read_from_entities, twins_in
from flows.work import Work
from nlu.understanding import Understanding
from nlu.values import Reading, Refusal

_LEAST_COUNTED = 5
_READ_BACK = "read_back"
REMEMBERED: Final = ("nik", "person_name", "region", "occupation", "money")
"""Answers about oneself that one task may take over from another."""


_LOOKS_ONLY: Final = frozenset({"check_ticket"})
"""What may be done beside a report that was just sent, without ending what is added to it."""
RECORDINGS: Final = "recordings"
"""The slot of a task that holds voice notes about it (our ids); they go with the report that it becomes."""


class TooManyStepsError(Exception):
    """A flow went round and round: a bug of ours, parked with its message."""


# ── beginning and ending tasks ───────────────────────────────────────────────────────────────────


def start(
    work: Work,
    intent: str,
    understanding: Understanding | None = None,
    slots: Mapping[str, Value] | None = None,
) -> None:
    """Begins a task on top of whatever is at hand, with what the opening message already tells."""
    drop_oldest(work)
    opening = understanding.text if understanding else ""
    work.tasks.append(Task(intent, opening=opening))
    work.note("flow_started", intent)
    work.unclear = 0
    work.settle_question()
    flow = work.flows.by_name[intent]
    if flow.steps and intent not in _LOOKS_ONLY:
        work.filed = None
    if leaving := flow.enter(work):
        leave(work, leaving)
        return
    begun, effects = flow.begin(work)
    work.set_slots(begun)
    work.add(effects)
    prefilled = flow.prefill(work, understanding) if understanding else {}
    if _take_given(work, flow, {**prefilled, **(slots or {})}):
        if understanding:
            acknowledge(work, fill_from_sentence(work, understanding))
        take_remembered(work)
        work.add(flow.opened(work))
        advance(work)


def take_remembered(work: Work) -> None:
    """Fills what the person told in another task, so that nobody is asked for a thing they already gave.

    Only about the person themselves: a task that may be for somebody else waits until that is known.
    """
    flow = work.flow
    assert flow
    if flow.whose and work.slots.get(flow.whose) != "self":
        return
    told: dict[str, Value] = dict(work.remembered)
    for task in work.tasks[:-1]:
        if task.slots.get("for_whom") != "other":
            told |= {name: task.slots[name] for name in REMEMBERED if task.slots.get(name) is not None}
    filled = []
    for ask in flow.steps:
        if ask.slot in told and ask.slot not in work.slots and not ask.fresh and ask.when(work):
            fill(work, ask, told[ask.slot], None)
            filled.append(ask)
    acknowledge(work, [ask for ask in filled if ask.slot in work.slots])


def _remember(work: Work) -> None:
    if work.slots.get("for_whom") != "other":
        work.remembered |= {name: work.slots[name] for name in REMEMBERED if work.slots.get(name) is not None}


def drop_oldest(work: Work) -> None:
    """Keeps the stack of tasks within its limit; the one left longest ago goes."""
    while len(work.tasks) >= work.settings.max_tasks:
        dropped = work.tasks.pop(0).flow
        work.note("flow_cancelled", dropped)
        work.say("engine/dropped", task=task_label(work, dropped))


def leave(work: Work, leaving: Leave) -> None:
    """Ends the task at hand before its last question."""
    work.add(leaving.says)
    work.add(_with_recordings(work, leaving.effects))
    work.note("flow_completed" if leaving.completed else "flow_cancelled", work.tasks.pop().flow)
    work.settle_question()
    if leaving.then:
        start(work, leaving.then, slots=leaving.then_slots)
    else:
        go_on(work)


def cancel(work: Work) -> None:
    """Drops the task at hand, as the person asked."""
    flow = work.tasks.pop().flow
    work.settle_question()
    work.note("flow_cancelled", flow)
    work.say("engine/cancelled", task=task_label(work, flow))
    go_on(work)


def go_on(work: Work) -> None:
    """After a task: the next request of the same message, or the task that was left for this one."""
    if work.waiting:
        request = work.waiting.pop(0)
        if request.intent.startswith("faq/"):
            work.say(request.intent)
            go_on(work)
        else:
            start(work, request.intent, request)
    elif work.tasks and work.tasks[-1].trail:
        work.say("engine/back_to", task=task_label(work, work.tasks[-1].flow))
        advance(work)
    elif work.tasks:
        # Nothing was answered there yet: it is offered, and does not take over what comes next.
        label = task_label(work, work.tasks[-1].flow)
        options = (work.option("go_on", "resume"), work.option("no_need", "drop"))
        work.ask("engine/offer_resume", args={"task": label}, options=options)


def drop(work: Work) -> None:
    """Forgets the task at hand, of which nothing was answered."""
    work.settle_question()
    work.note("flow_cancelled", work.tasks.pop().flow)
    if work.tasks:
        go_on(work)
    else:
        work.say("engine/dropped_quietly")


def task_label(work: Work, flow: str) -> str:
    """What a task is called when one speaks of it."""
    return work.copy.label(f"label/task_{flow}")


# ── the next question ────────────────────────────────────────────────────────────────────────────


def advance(work: Work) -> None:
    """Asks what is not known yet; reads back; finishes."""
    work.steps_taken += 1
    if work.steps_taken > work.settings.max_steps:
        raise TooManyStepsError(work.tasks[-1].flow)
    flow = work.flow
    assert flow
    if ask := next_question(work, flow):
        ask_step(work, ask)
    elif flow.read_back and not work.tasks[-1].confirmed:
        ask_read_back(work, flow)
    else:
        _finish(work, flow)


def next_question(work: Work, flow: Flow) -> Ask | None:
    """The first question that applies and has no answer."""
    return next((ask for ask in flow.steps if ask.slot not in work.slots and ask.when(work)), None)


def question_key(flow: Flow, ask: Ask) -> str:
    """The reply key of a question: `flow/ask_slot`."""
    return ask.key or f"{flow.name}/ask_{ask.slot}"


def ask_step(work: Work, ask: Ask, *, aloud: bool = True) -> None:
    """Asks one question of the task at hand, afresh; not aloud, it only stands open for what comes next."""
    flow = work.flow
    assert flow
    if aloud:
        work.add(ask.before(work))
    args = dict(ask.args(work))
    if progress := _progress(work, flow, ask):
        args["progress"] = progress
    work.ask(
        ask.other_key(work) or question_key(flow, ask),
        slot=ask.slot,
        args=args,
        options=_options(work, ask),
        form=ask.form,
        aloud=aloud,
    )


def _options(work: Work, ask: Ask) -> tuple[Option, ...]:
    options = [Option(pick_title(work, pick), f"answer:{number}") for number, pick in enumerate(ask.picks(work))]
    if ask.kind == "yes_no":
        options = [work.option("yes", "yes"), work.option("no", "no")]
    if ask.skippable:
        options.append(work.option("skip", "skip"))
    return tuple(options)


def _progress(work: Work, flow: Flow, ask: Ask) -> str:
    trail = work.tasks[-1].trail
    counted = [other.slot for other in flow.steps if other.counted and (other.slot in trail or other.when(work))]
    if len(counted) < _LEAST_COUNTED or ask.slot not in counted:
        return ""
    return work.copy.label("label/progress", at=str(counted.index(ask.slot) + 1), of=str(len(counted)))


# ── the read-back ────────────────────────────────────────────────────────────────────────────────


def is_read_back(work: Work) -> bool:
    """Whether the read-back is what stands open."""
    return work.asked is not None and work.asked.key.endswith(f"/{_READ_BACK}")


def read_back_lines(work: Work, flow: Flow) -> list[Ask]:
    """The answers shown in the read-back, in order; line 1 is the first."""
    return [ask for ask in flow.steps if ask.label and ask.slot in work.slots]


def show(work: Work, ask: Ask) -> str:
    """An answer as it is shown to the person."""
    value = work.slots.get(ask.slot)
    if value is None:
        return work.copy.label("label/not_given")
    if ask.show:
        return ask.show(work, value)
    for pick in ask.picks(work):
        if pick.value == value:
            return pick_title(work, pick)
    if isinstance(value, bool):
        return work.copy.label("label/yes" if value else "label/no")
    return str(value)


def ask_read_back(work: Work, flow: Flow) -> None:
    """Shows all answers, each correctable by its number, and asks whether to send."""
    lines = [
        f"{number}. {work.copy.label(f'label/{ask.label}')}: {show(work, ask)}"
        for number, ask in enumerate(read_back_lines(work, flow), start=1)
    ]
    sends = tuple(work.option(pick.label, f"send:{pick.value}") for pick in flow.send_picks(work))
    options = (work.option("send", "send"), *sends, work.option("cancel", "cancel"))
    work.ask(f"{flow.name}/{_READ_BACK}", args={"lines": "\n".join(lines)}, options=options, numbered=False)


def _finish(work: Work, flow: Flow) -> None:
    outcome = flow.finish(work)
    _remember(work)
    work.known = outcome.known or work.known
    work.proof = outcome.proof or work.proof
    work.add(_with_recordings(work, outcome.effects))
    work.tasks.pop()
    work.settle_question()
    work.note("flow_completed", flow.name)
    _follow(work, flow, outcome.effects)
    if outcome.then:
        start(work, outcome.then)
    elif work.tasks and flow.name in MISFORTUNE:
        # Nobody in need is handed a form; they say when they want to go on with it.
        work.say("engine/parked_task", task=task_label(work, work.tasks[-1].flow))
    else:
        go_on(work)


def _follow(work: Work, flow: Flow, effects: tuple[Effect, ...]) -> None:
    """Remembers the report that was just sent, so that what is told besides can be added to it."""
    told = next((effect for effect in effects if isinstance(effect, OpenTicket | AddToTicket)), None)
    if flow.followed and told:
        work.filed = Filed(told.code, flow.name, work.turn.now + timedelta(hours=work.settings.additions_hours))


def recordings_of(slots: Mapping[str, Value]) -> tuple[str, ...]:
    """The voice notes kept with a task, as our ids."""
    kept = slots.get(RECORDINGS)
    return tuple(kept) if isinstance(kept, list) else ()


def _with_recordings(work: Work, effects: tuple[Effect, ...]) -> tuple[Effect, ...]:
    """The effects; what becomes of the task for staff holds the voice notes that were kept with it."""
    recordings = recordings_of(work.slots)
    told = next((effect for effect in effects if isinstance(effect, OpenTicket | AddToTicket)), None)
    if not (recordings and told):
        return effects
    with_them = msgspec.structs.replace(told, media=(*told.media, *recordings))
    return tuple(with_them if effect is told else effect for effect in effects)


# ── filling ──────────────────────────────────────────────────────────────────────────────────────


def fill(work: Work, ask: Ask, value: Value, reading: Reading | None) -> Rejected | Leave | None:
    """Sets what an answer comes to; None when it was taken."""
    checked = ask.check(work, value, reading) if ask.check else Fill({ask.slot: value})
    if not isinstance(checked, Fill):
        return checked
    if ask.slot in work.slots:
        work.clear_slots((ask.slot, *ask.clears))
    kept = {name: given for name, given in checked.values.items() if not isinstance(given, Unset)}
    work.clear_slots(name for name, given in checked.values.items() if isinstance(given, Unset))
    work.set_slots(kept)
    work.add(checked.effects)
    return None


def fill_from_sentence(work: Work, understanding: Understanding, *, but: str = "") -> list[Ask]:
    """Fills what else a sentence tells of the task at hand; gives back the questions it answered, in part at least."""
    flow = work.flow
    assert flow
    filled = []
    for ask in flow.steps:
        if ask.slot in work.slots or ask.slot == but or not ask.when(work):
            continue
        if twins := twins_in(ask, understanding):
            filled_by_refusal(work, ask, twins)
        before = work.slots
        found = read_from_entities(ask, understanding)
        if found and fill(work, ask, *found) is None and work.slots != before:
            filled.append(ask)
    return filled


def filled_by_refusal(work: Work, ask: Ask, refusal: Refusal) -> bool:
    """Whether the question makes something of an answer that could not be read (a name that two places share)."""
    made = ask.refused(work, refusal)
    if made is None:
        return False
    keep(work, made)
    return True


def acknowledge(work: Work, asks: list[Ask]) -> None:
    """Says what was noted from a sentence, so that nothing is taken silently."""
    shown = [
        f"{work.copy.label(f'label/{ask.label}')} {show(work, ask)}"
        for ask in asks
        if ask.label and ask.slot in work.slots
    ]
    if shown:
        work.say("engine/noted", items=", ".join(shown))


def _take_given(work: Work, flow: Flow, given: Mapping[str, Value]) -> bool:
    """Fills what is already told, by the checks of its questions; False when that ended the task."""
    for slot, value in given.items():
        ask = flow.step(slot)
        if ask is None:
            work.set_slots({slot: value})
        elif isinstance(refused := fill(work, ask, value, None), Leave):
            leave(work, refused)
            return False
    return True


def take_told(work: Work, understanding: Understanding, *, but: str = "") -> None:
    """Takes what a longer answer tells beside what was asked, and says so."""
    flow = work.flow
    assert flow
    for slot, value in flow.prefill(work, understanding).items():
        ask = flow.step(slot)
        if ask and slot != but and slot not in work.slots and ask.when(work):
            fill(work, ask, value, None)
    acknowledge(work, fill_from_sentence(work, understanding, but=but))


def keep(work: Work, kept: Fill) -> None:
    """Sets and does what a flow made of something that was no answer."""
    work.set_slots({name: value for name, value in kept.values.items() if not isinstance(value, Unset)})
    work.add(kept.effects)


def remember_answered(work: Work, slot: str) -> None:
    """Puts an answered question at the end of the trail that `kembali` walks back; keeps which message answered."""
    trail = tuple(name for name in work.tasks[-1].trail if name != slot)
    content = work.turn.content
    work.change_task(trail=(*trail, slot), answered_by=content.ref if isinstance(content, Text | Edited) else "")


def missed(work: Work) -> int:
    """Counts one more miss on the open question; gives the count."""
    assert work.asked
    work.asked = msgspec.structs.replace(work.asked, misses=work.asked.misses + 1)
    work.note("missed", work.asked.slot or work.asked.key, work.asked.misses)
    return work.asked.misses
