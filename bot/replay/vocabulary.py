"""The names that a script may use: what flows, slots, utterances, intents and effects there are."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Final, get_args

import yaml

from flows.model import Effect
from flows.work import Flows

ENTITIES: Final = frozenset(
    {
        "nik",
        "kpj",
        "ticket_code",
        "pledge_code",
        "bill_code",
        "person_name",
        "phone",
        "date",
        "money",
        "count",
        "duration_months",
        "occupation",
        "region",
        "programme",
        "complaint_category",
    }
)
"""Slots that the product's vocabulary names, whether or not a flow asks for them."""

DERIVED: Final = frozenset(
    {"sector", "likely", "send_as", "proved_member", "meant_money", "money_meant_so", "daily_money", "work_days"}
)
"""Slots that a check fills beside the one that was asked."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Every name that scripts may use. `effects` maps both the class name and the tag to the tag."""

    flows: frozenset[str]
    slots: frozenset[str]
    utterances: frozenset[str]
    intents: frozenset[str]
    effects: dict[str, str]


def vocabulary_of(flows: Flows) -> Vocabulary:
    """The names of this program."""
    steps = [ask for flow in flows.by_name.values() for ask in flow.steps]
    slots = {ask.slot for ask in steps} | {name for ask in steps for name in ask.clears}
    keys = frozenset(flows.copy.texts)
    topics = {key for key in keys if key.startswith("faq/")}
    return Vocabulary(
        flows=frozenset(flows.by_name),
        slots=frozenset(slots) | ENTITIES | DERIVED,
        utterances=frozenset(key for key in keys if not key.startswith("label/")),
        intents=frozenset(topics) | _trained_intents() | frozenset(flows.by_name),
        effects=_effects(),
    )


def _trained_intents() -> frozenset[str]:
    domain = yaml.safe_load(files("nlu").joinpath("domain.yml").read_text("utf-8"))
    names = (next(iter(entry)) if isinstance(entry, dict) else str(entry) for entry in domain["intents"])
    return frozenset(names)


def _effects() -> dict[str, str]:
    names: dict[str, str] = {}
    for kind in get_args(Effect):
        tag = str(kind.__struct_config__.tag)
        names[kind.__name__] = tag
        names[tag] = tag
    return names
