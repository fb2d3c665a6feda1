"""Assertions and final records of a script, read from their nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, get_args

from yaml.nodes import Node

from bot.replay import nodes
from bot.replay.nodes import Unusable, line_of
from bot.replay.script import (
    Assertion,
    BotDidNotUtter,
    BotUttered,
    EffectCarriedOut,
    FinalCheck,
    FlowDid,
    IntentIs,
    IntentIsNot,
    RecordKind,
    RecordsAre,
    RecordWanted,
    SentIs,
    Silence,
    SlotWasNotSet,
    SlotWasSet,
    Utterance,
)
from bot.replay.vocabulary import Vocabulary

ASSERTIONS: Final = (
    "intent",
    "intent_not",
    "flow_started",
    "flow_completed",
    "flow_cancelled",
    "slot_was_set",
    "slot_was_not_set",
    "action_executed",
    "bot_uttered",
    "bot_did_not_utter",
    "silence",
)

FIELDS: Final[Mapping[RecordKind, tuple[str, ...]]] = {
    "tickets": (
        "code",
        "category",
        "kind",
        "status",
        "owner",
        "priority",
        "name",
        "anonymous",
        "restricted",
        "media",
        "promised",
        "due",
    ),
    "members": ("name", "nik", "phone", "status", "paid_until", "programmes", "jht_balance", "kpj", "sector"),
    "applications": (
        "name",
        "nik",
        "phone",
        "occupation",
        "region",
        "income",
        "programmes",
        "months",
        "status",
        "for_whom",
        "monthly_amount",
        "receipts",
    ),
    "bills": ("amount", "months", "status"),
    "payments": ("amount", "status"),
    "pledges": ("workers", "months", "amount", "status"),
    "assistance_requests": ("name", "nik", "phone", "status"),
    "outbox": ("key", "status", "channel", "author", "attempts"),
    "audit": ("staff", "action", "subject"),
}
"""Fields of each kind of record that a script may compare."""

PATTERN_FIELDS: Final[Mapping[RecordKind, tuple[str, ...]]] = {
    "tickets": ("text_matches",),
    "outbox": ("text_matches",),
}


def read_assertions(node: Node, vocabulary: Vocabulary) -> tuple[Assertion, ...]:
    """One entry of `assertions`; a list of slots makes several."""
    line = line_of(node)
    if not nodes.is_mapping(node):
        if nodes.text(node, "an assertion") != "silence":
            raise Unusable(line, f"no assertion {node.value!r}; there are {', '.join(ASSERTIONS)}")
        return (Silence(line),)
    name, value = nodes.single(node, "an assertion")
    match name:
        case "intent" | "intent_not":
            kind = IntentIs if name == "intent" else IntentIsNot
            return (kind(line, _named(value, vocabulary.intents, "intent")),)
        case "flow_started" | "flow_completed" | "flow_cancelled":
            return (FlowDid(line, name, _flow(value, vocabulary)),)
        case "slot_was_set" | "slot_was_not_set":
            which = SlotWasSet if name == "slot_was_set" else SlotWasNotSet
            entries = nodes.items(value, name) if nodes.is_list(value) else [value]
            return tuple(_slot(entry, which, vocabulary) for entry in entries)
        case "action_executed":
            effect = nodes.text(value, name)
            if effect not in vocabulary.effects:
                raise Unusable(line_of(value), f"there is no effect {effect!r}")
            return (EffectCarriedOut(line, vocabulary.effects[effect]),)
        case "bot_uttered":
            return (BotUttered(line, _utterance(value, vocabulary)),)
        case "bot_did_not_utter":
            return (BotDidNotUtter(line, _utterance(value, vocabulary)),)
        case "silence":
            if not nodes.flag(value, "silence"):
                raise Unusable(line, "silence stands alone; to expect words, use bot_uttered")
            return (Silence(line),)
        case _:
            raise Unusable(line, f"no assertion {name!r}; there are {', '.join(ASSERTIONS)}")


def _named(node: Node, known: frozenset[str], what: str) -> str:
    name = nodes.text(node, what)
    if name not in known:
        raise Unusable(line_of(node), f"there is no {what} {name!r}")
    return name


def _flow(node: Node, vocabulary: Vocabulary) -> str:
    """A flow's name, bare or in the form `{flow_id: name}`."""
    if nodes.is_mapping(node):
        parts = nodes.mapping(node, ("flow_id",), "a flow")
        if "flow_id" not in parts:
            raise Unusable(line_of(node), "a flow needs its flow_id")
        node = parts["flow_id"]
    return _named(node, vocabulary.flows, "flow")


def _slot(
    node: Node, kind: type[SlotWasSet] | type[SlotWasNotSet], vocabulary: Vocabulary
) -> SlotWasSet | SlotWasNotSet:
    if not nodes.is_mapping(node):
        return kind(line_of(node), _named(node, vocabulary.slots, "slot"), None)
    parts = nodes.mapping(node, ("name", "value"), "a slot")
    if "name" not in parts:
        raise Unusable(line_of(node), "a slot needs its name")
    slot = _named(parts["name"], vocabulary.slots, "slot")
    return kind(line_of(node), slot, nodes.wanted(parts["value"], "value") if "value" in parts else None)


def _utterance(node: Node, vocabulary: Vocabulary) -> Utterance:
    parts = nodes.mapping(node, ("utter_name", "text_matches", "buttons"), "an utterance")
    if not parts:
        raise Unusable(line_of(node), "an utterance needs utter_name, text_matches or buttons")
    key = _named(parts["utter_name"], vocabulary.utterances, "utterance") if "utter_name" in parts else None
    pattern = nodes.pattern(parts["text_matches"], "text_matches") if "text_matches" in parts else None
    buttons = nodes.items(parts["buttons"], "buttons") if "buttons" in parts else []
    return Utterance(key, pattern, tuple(_title(button) for button in buttons))


def _title(node: Node) -> str:
    if not nodes.is_mapping(node):
        return nodes.text(node, "a button")
    parts = nodes.mapping(node, ("title",), "a button")
    if "title" not in parts:
        raise Unusable(line_of(node), "a button needs its title")
    return nodes.text(parts["title"], "title")


# ── what stands in the end ───────────────────────────────────────────────────────────────────────


def read_final(node: Node) -> FinalCheck:
    """One entry of `finally`."""
    name, value = nodes.single(node, "an entry of finally")
    if name == "sent":
        parts = nodes.mapping(value, ("count", "max_chars"), "sent")
        if not parts:
            raise Unusable(line_of(value), "sent needs count or max_chars")
        count = nodes.whole(parts["count"], "count") if "count" in parts else None
        chars = nodes.whole(parts["max_chars"], "max_chars", least=1) if "max_chars" in parts else None
        return SentIs(line_of(node), count, chars)
    kind = next((kind for kind in get_args(RecordKind) if kind == name), None)
    if kind is None:
        raise Unusable(line_of(node), f"no records {name!r}; there are {', '.join((*get_args(RecordKind), 'sent'))}")
    if nodes.is_mapping(value):
        parts = nodes.mapping(value, ("count",), name)
        if "count" not in parts:
            raise Unusable(line_of(value), f"{name} must be a list of records or {{count: N}}")
        return RecordsAre(line_of(node), kind, count=nodes.whole(parts["count"], "count"))
    return RecordsAre(line_of(node), kind, tuple(_record(entry, kind) for entry in nodes.items(value, name)))


def _record(node: Node, kind: RecordKind) -> RecordWanted:
    patterns = PATTERN_FIELDS.get(kind, ())
    fields = nodes.mapping(node, (*FIELDS[kind], *patterns), f"one of {kind}")
    return RecordWanted(
        line_of(node),
        {name: nodes.wanted(value, name) for name, value in fields.items() if name not in patterns},
        {name: nodes.pattern(value, name) for name, value in fields.items() if name in patterns},
    )
