"""Whether an assertion holds for what happened since the last step. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.replay.outcome import Failure
from bot.replay.script import (
    Assertion,
    BotDidNotUtter,
    BotStep,
    BotUttered,
    EffectCarriedOut,
    FlowDid,
    IntentIs,
    IntentIsNot,
    Silence,
    SlotWasNotSet,
    SlotWasSet,
    Utterance,
    Wanted,
)
from flows.model import Trace, Value
from storage.events import TurnRecord
from storage.outbox import Outgoing
from storage.turns import BOT

_MAX_SHOWN = 160


@dataclass(frozen=True, slots=True)
class Happened:
    """Since the last step: the messages that went out, and the records of the turns."""

    messages: tuple[Outgoing, ...] = ()
    records: tuple[TurnRecord, ...] = ()

    def traces(self, *kinds: str) -> list[Trace]:
        return [trace for record in self.records for trace in record.traces if trace.what in kinds]


def needs_records(assertion: Assertion) -> bool:
    """Whether the records of the turns must be read to judge it."""
    return not isinstance(assertion, BotUttered | BotDidNotUtter | Silence)


def judge(assertion: Assertion, happened: Happened) -> Failure | None:
    """None when it holds."""
    match assertion:
        case IntentIs(line, intent):
            return _unless(intent in _intents(happened), line, f"intent {intent}", _intents_told(happened))
        case IntentIsNot(line, intent):
            return _unless(intent not in _intents(happened), line, f"not intent {intent}", _intents_told(happened))
        case FlowDid(line, what, flow):
            holds = any(trace.name == flow for trace in happened.traces(what))
            return _unless(holds, line, f"{what} {flow}", _flows_told(happened))
        case SlotWasSet(line, slot, wanted):
            holds = any(_is_set(trace, slot, wanted) for trace in happened.traces("slot_set"))
            return _unless(holds, line, f"slot {slot} set{_to(wanted)}", _slots_told(happened))
        case SlotWasNotSet(line, slot, wanted):
            holds = not any(_is_set(trace, slot, wanted) for trace in happened.traces("slot_set"))
            return _unless(holds, line, f"slot {slot} not set{_to(wanted)}", _slots_told(happened))
        case EffectCarriedOut(line, effect):
            effects = [name for record in happened.records for name in record.effects]
            return _unless(effect in effects, line, f"effect {effect}", ", ".join(effects) or "no effects")
        case BotUttered(line, utterance):
            holds = any(_fits(utterance, message) for message in happened.messages)
            return _unless(holds, line, f"a message with {_told(utterance)}", told(happened.messages))
        case BotDidNotUtter(line, utterance):
            found = [message for message in happened.messages if _fits(utterance, message)]
            return _unless(not found, line, f"no message with {_told(utterance)}", told(found))
        case Silence(line):
            return _unless(not happened.messages, line, "silence", told(happened.messages))


def judge_bot_step(step: BotStep, messages: Sequence[Outgoing]) -> Failure | None:
    """One of the messages equals the text of a `bot:` step, or was made from the key of an `utter:` step."""
    if step.key:
        holds = any(message.key == step.key for message in messages)
        return _unless(holds, step.line, f"a message from {step.key}", told(messages))
    holds = any(message.body.text == step.text for message in messages)
    return _unless(holds, step.line, f"a message that is {step.text!r}", told(messages))


def told(messages: Sequence[Outgoing]) -> str:
    """Messages as a person reads them in a report, one a line."""
    return "\n".join(_one(message) for message in messages) or "silence"


def _one(message: Outgoing) -> str:
    text = message.body.text.replace("\n", " / ")
    cut = text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
    buttons = "".join(f" [{button.title}]" for button in message.body.options)
    author = "" if message.author == BOT else f" ({message.author})"
    return f"{message.key}{author}: {cut}{buttons}"


def _unless(holds: bool, line: int, expected: str, got: str) -> Failure | None:
    return None if holds else Failure(line, expected, got)


def _fits(utterance: Utterance, message: Outgoing) -> bool:
    if utterance.key is not None and message.key != utterance.key:
        return False
    if utterance.pattern is not None and not utterance.pattern.search(message.body.text):
        return False
    titles = {button.title for button in message.body.options}
    return titles.issuperset(utterance.buttons)


def _told(utterance: Utterance) -> str:
    parts = []
    if utterance.key is not None:
        parts.append(f"utter_name {utterance.key}")
    if utterance.pattern is not None:
        parts.append(f"text matching {utterance.pattern.pattern!r}")
    if utterance.buttons:
        parts.append("buttons " + ", ".join(utterance.buttons))
    return " and ".join(parts)


def _is_set(trace: Trace, slot: str, wanted: Wanted | None) -> bool:
    return trace.name == slot and (wanted is None or wanted.meets(trace.value))


def _to(wanted: Wanted | None) -> str:
    return "" if wanted is None else f" to {wanted.raw or 'nothing'}"


def _intents(happened: Happened) -> list[str]:
    return [record.intent for record in happened.records if record.intent]


def _intents_told(happened: Happened) -> str:
    found = [f"{record.intent} ({record.confidence:.2f})" for record in happened.records if record.intent]
    return ", ".join(found) or "nothing was understood: no words came in"


def _flows_told(happened: Happened) -> str:
    return _listed(
        happened.traces("flow_started", "flow_completed", "flow_cancelled"), lambda one: f"{one.what} {one.name}"
    )


def _slots_told(happened: Happened) -> str:
    return _listed(happened.traces("slot_set"), lambda one: f"{one.name}={_value(one.value)}")


def _listed(traces: Sequence[Trace], tell: Callable[[Trace], str]) -> str:
    return ", ".join(tell(trace) for trace in traces) or "none"


def _value(value: Value) -> str:
    return "null" if value is None else str(value)
