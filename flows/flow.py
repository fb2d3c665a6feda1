"""How a flow is written down: a table of questions and a few small functions over what is known.

A flow never speaks, stores or waits. Its functions take a `View` and return values; the engine asks the
questions in order, skips what is known, and carries the person back and forth between them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol, TypeAlias
from zoneinfo import ZoneInfo

from flows.model import Answer, Effect, Known, Proof, Query, Say, Turn, Value
from flows.rules.calendar import Calendar
from flows.settings import Settings
from nlu.understanding import Understanding
from nlu.values import Reading, Refusal


class Copy(Protocol):
    """The words a flow may name: labels for read-backs and buttons."""

    def label(self, key: str, **args: str) -> str: ...
    def has(self, key: str) -> bool: ...


class View(Protocol):
    """What a flow may look at. Reading a fact that is not there yet ends the decision with a `Need`."""

    @property
    def slots(self) -> Mapping[str, Value]: ...
    @property
    def turn(self) -> Turn: ...
    @property
    def known(self) -> Known: ...
    @property
    def proof(self) -> Proof | None: ...
    @property
    def consents(self) -> Mapping[str, str]: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def copy(self) -> Copy: ...
    @property
    def calendar(self) -> Calendar: ...
    @property
    def opening(self) -> str: ...
    @property
    def today(self) -> date: ...
    @property
    def under_way(self) -> frozenset[str]: ...
    def fact(self, query: Query) -> Answer: ...
    def fresh_code(self) -> str: ...
    def text(self, slot: str) -> str: ...
    def number(self, slot: str) -> int: ...


# ── what an answer comes to ──────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Fill:
    """The answer is good: these slots are set. Slots mapped to `Unset` are cleared and asked (again)."""

    values: Mapping[str, Value | Unset]
    effects: tuple[Effect, ...] = ()


class Unset:
    """Marks a slot to be cleared."""


UNSET = Unset()


@dataclass(frozen=True, slots=True)
class Rejected:
    """A wrong answer costs one more question, never the conversation. `key` says what is wrong and how to do it."""

    key: str
    args: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Leave:
    """The task ends here, before its last question: said, done, and perhaps another task begun."""

    says: tuple[Say, ...]
    effects: tuple[Effect, ...] = ()
    then: str = ""
    then_slots: Mapping[str, Value] = field(default_factory=dict)
    completed: bool = False


Checked: TypeAlias = Fill | Rejected | Leave


@dataclass(frozen=True, slots=True)
class Outcome:
    """What finishing a task comes to: said and done in order, and what is known of the person from now on."""

    effects: tuple[Effect, ...]
    known: Known | None = None
    proof: Proof | None = None
    then: str = ""


# ── questions ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Pick:
    """One answer of a choice: its value, the key of its label (or a title as it stands), words people use for it."""

    value: Value
    label: str
    words: tuple[str, ...] = ()
    title: str = ""


def said(words: str) -> tuple[str, ...]:
    """Words people use for an answer, from a list with commas."""
    return tuple(words.split(", "))


def always(_: View) -> bool:
    """The question applies to everybody."""
    return True


def no_picks(_: View) -> tuple[Pick, ...]:
    return ()


def no_other_key(_: View) -> str:
    return ""


def stays_refused(_: View, __: Refusal) -> Fill | None:
    return None


def no_args(_: View) -> Mapping[str, str]:
    return {}


def no_says(_: View) -> tuple[Say, ...]:
    return ()


def begins_with_nothing(_: View) -> tuple[Mapping[str, Value], tuple[Effect, ...]]:
    return {}, ()


@dataclass(frozen=True, slots=True)
class Ask:
    """One question and how its answer is read.

    `kind` is a reader of `nlu.values` or one of: `free` (words as typed), `pick` (one of `picks`), `yes_no`,
    `days` (days worked in a month), `media` (a photo or document). `entity` is what fills the slot from a whole
    sentence. `names` are the words by which a person corrects it. A question with a `label` stands in the read-back.
    `clears` are slots that hang on this one and are asked again when it changes. `refused` may make something of an
    answer that could not be read; `other_key` may ask in other words because of it. A `fresh` question is asked
    whatever the person told before.
    """

    slot: str
    kind: str
    when: Callable[[View], bool] = always
    picks: Callable[[View], tuple[Pick, ...]] = no_picks
    check: Callable[[View, Value, Reading | None], Checked] | None = None
    args: Callable[[View], Mapping[str, str]] = no_args
    before: Callable[[View], tuple[Say, ...]] = no_says
    show: Callable[[View, Value], str] | None = None
    entity: str = ""
    skippable: bool = False
    names: tuple[str, ...] = ()
    label: str = ""
    clears: tuple[str, ...] = ()
    form: bool = False
    fresh: bool = False
    counted: bool = True
    key: str = ""
    other_key: Callable[[View], str] = no_other_key
    refused: Callable[[View, Refusal], Fill | None] = stays_refused


def nothing_known(_: View, __: Understanding) -> Mapping[str, Value]:
    return {}


def stay(_: View) -> Leave | None:
    return None


def no_place_for_words(_: View, __: str) -> Fill | None:
    return None


def no_place_for_media(_: View, __: tuple[str, ...], ___: str) -> Fill | None:
    return None


@dataclass(frozen=True, slots=True)
class Flow:
    """A task: the table of its questions, and what finishing it does.

    `enter` may end it before the first question; `begin` is said and done before it, and may set slots;
    `prefill` takes what the opening message already tells; `opened` is said after that, before the first question;
    `add_words` keeps words about the task that answer no question, `add_media` pictures (our ids and the caption);
    `add_place` a shared place, in words for staff; `followed` when what is told for some hours after it was sent is
    added to it;
    `whose` names the slot that says whether the task is for the person (`self`) or somebody else;
    `tells_anew` when asking for it once more tells what stands before its question once more;
    `read_back` shows everything for correction before `finish`; `send_picks` adds ways of sending to it.
    """

    name: str
    steps: tuple[Ask, ...]
    finish: Callable[[View], Outcome]
    enter: Callable[[View], Leave | None] = stay
    prefill: Callable[[View, Understanding], Mapping[str, Value]] = nothing_known
    read_back: bool = False
    send_picks: Callable[[View], tuple[Pick, ...]] = no_picks
    begin: Callable[[View], tuple[Mapping[str, Value], tuple[Effect, ...]]] = begins_with_nothing
    opened: Callable[[View], tuple[Say, ...]] = no_says
    whose: str = ""
    tells_anew: bool = False
    add_words: Callable[[View, str], Fill | None] = no_place_for_words
    add_media: Callable[[View, tuple[str, ...], str], Fill | None] = no_place_for_media
    add_place: Callable[[View, str], Fill | None] = no_place_for_words
    followed: bool = False

    def step(self, slot: str) -> Ask | None:
        """The question that fills this slot, or None."""
        return next((ask for ask in self.steps if ask.slot == slot), None)


def local_day(moment: datetime, zone: str) -> date:
    """The calendar day of an aware moment in a zone."""
    return moment.astimezone(ZoneInfo(zone)).date()
