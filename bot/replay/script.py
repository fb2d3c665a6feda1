"""A conversation script as values. `line` is the line of the file, counted from 1, where a thing is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal, TypeAlias

from bot.faults import Place
from flows.model import Value

DEFAULT_NOW: Final = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
"""Monday, 23 November 2026, 09.00 WIB: a working morning."""

LATEST_TICKET: Final = "latest_ticket"
"""Stands for the code of the ticket opened last; in what a person types it is written `{latest_ticket}`."""

RecordKind: TypeAlias = Literal[
    "tickets",
    "members",
    "applications",
    "bills",
    "payments",
    "pledges",
    "assistance_requests",
    "outbox",
    "audit",
]
MediaKind: TypeAlias = Literal["photo", "voice", "document"]
Verb: TypeAlias = Literal["take", "reply", "note", "ask", "resolve", "return", "close", "assign"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A value as written in the script: `raw` as typed, `value` as YAML reads it."""

    raw: str
    value: Value

    def meets(self, got: Value) -> bool:
        """Whether `got` is this value. A number written without quotes also meets the same digits as text."""
        if isinstance(got, bool) or isinstance(self.value, bool):
            return got is self.value or (isinstance(got, str) and got == self.raw)
        return got == self.value or (got is not None and not isinstance(got, list) and str(got) == self.raw)


# ── who takes part ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class MemberFixture:
    """A member on record before the conversation begins. `paid_until` is the last paid month, as `2026-11`."""

    line: int
    given: Mapping[str, Wanted]

    def text(self, name: str, default: str = "") -> str:
        wanted = self.given.get(name)
        return wanted.raw if wanted is not None else default


@dataclass(frozen=True, slots=True)
class StaffFixture:
    """A staff member of the desk."""

    line: int
    name: str
    role: str


Fixture: TypeAlias = MemberFixture | StaffFixture


# ── what is done ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class SayText:
    text: str


@dataclass(frozen=True, slots=True)
class PressButton:
    title: str


@dataclass(frozen=True, slots=True)
class SendMedia:
    kind: MediaKind
    file: str
    caption: str = ""


@dataclass(frozen=True, slots=True)
class ShareLocation:
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class ShareContact:
    phone: str
    own: bool = False


@dataclass(frozen=True, slots=True)
class SendSticker:
    emoji: str


@dataclass(frozen=True, slots=True)
class FillForm:
    slot: str
    value: str


Message: TypeAlias = SayText | PressButton | SendMedia | ShareLocation | ShareContact | SendSticker | FillForm


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the platform delivers a message: so many times, again after a while, or before the one sent earlier."""

    times: int = 1
    after: timedelta = timedelta(0)
    before_previous: bool = False


@dataclass(frozen=True, slots=True)
class ProviderFault:
    """The channel refuses the next sends: an HTTP status, or 0 for no answer within the time limit."""

    status: int
    retry_after_s: float | None
    times: int


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong during a step. The database goes away after so many transactions of the step."""

    delivery: Delivery = Delivery()
    crash: Place | None = None
    provider: ProviderFault | None = None
    database_down: timedelta = timedelta(0)
    database_after: int = 0
    engine_down: bool = False


@dataclass(frozen=True, slots=True)
class UserStep:
    """A person sends something. `who` is the name of `as:`, "" for the sender of the case."""

    line: int
    message: Message
    who: str = ""
    faults: Faults = Faults()
    assertions: tuple[Assertion, ...] = ()


@dataclass(frozen=True, slots=True)
class WaitStep:
    """The clock moves, `until` a moment or `by` a span."""

    line: int
    by: timedelta | None
    until: datetime | None = None
    faults: Faults = Faults()
    assertions: tuple[Assertion, ...] = ()


@dataclass(frozen=True, slots=True)
class StaffStep:
    """A staff member does something with a ticket: its code, or LATEST_TICKET; "" means the one they took last."""

    line: int
    staff: str
    verb: Verb
    ticket: str = ""
    text: str = ""
    to: str = ""
    faults: Faults = Faults()
    assertions: tuple[Assertion, ...] = ()


@dataclass(frozen=True, slots=True)
class BotStep:
    """One message since the last step that somebody took equals `text`, or was made from `key`."""

    line: int
    text: str = ""
    key: str = ""
    who: str = ""


Act: TypeAlias = UserStep | WaitStep | StaffStep
Step: TypeAlias = Act | BotStep


# ── what is expected ─────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class IntentIs:
    line: int
    intent: str


@dataclass(frozen=True, slots=True)
class IntentIsNot:
    line: int
    intent: str


@dataclass(frozen=True, slots=True)
class FlowDid:
    """A task began, ended with success or was dropped."""

    line: int
    what: Literal["flow_started", "flow_completed", "flow_cancelled"]
    flow: str


@dataclass(frozen=True, slots=True)
class SlotWasSet:
    line: int
    slot: str
    wanted: Wanted | None


@dataclass(frozen=True, slots=True)
class SlotWasNotSet:
    line: int
    slot: str
    wanted: Wanted | None


@dataclass(frozen=True, slots=True)
class EffectCarriedOut:
    """`effect` is the tag of an effect, such as `open_ticket`."""

    line: int
    effect: str


@dataclass(frozen=True, slots=True)
class Utterance:
    """What one message must be like, in all keys that are given."""

    key: str | None = None
    pattern: re.Pattern[str] | None = None
    buttons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BotUttered:
    line: int
    utterance: Utterance


@dataclass(frozen=True, slots=True)
class BotDidNotUtter:
    line: int
    utterance: Utterance


@dataclass(frozen=True, slots=True)
class Silence:
    line: int


Assertion: TypeAlias = (
    IntentIs
    | IntentIsNot
    | FlowDid
    | SlotWasSet
    | SlotWasNotSet
    | EffectCarriedOut
    | BotUttered
    | BotDidNotUtter
    | Silence
)


@dataclass(frozen=True, slots=True)
class RecordWanted:
    """One record that must exist, on the fields it names. `patterns` are searched, the others compared."""

    line: int
    fields: Mapping[str, Wanted]
    patterns: Mapping[str, re.Pattern[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecordsAre:
    """These records exist and nothing besides; or, with `count`, so many."""

    line: int
    kind: RecordKind
    records: tuple[RecordWanted, ...] = ()
    count: int | None = None


@dataclass(frozen=True, slots=True)
class SentIs:
    """Over all messages that went out: how many, and how long the longest may be, in characters."""

    line: int
    count: int | None = None
    max_chars: int | None = None


FinalCheck: TypeAlias = RecordsAre | SentIs


# ── the whole ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Case:
    """One conversation. `sender` is the vouched phone of whoever speaks without `as:`, "" for none."""

    name: str
    line: int
    channel: str
    sender: str
    fixtures: Mapping[str, Fixture]
    steps: tuple[Step, ...]
    final: tuple[FinalCheck, ...] = ()


@dataclass(frozen=True, slots=True)
class Script:
    """A file of cases that share a clock and fixtures."""

    path: Path
    now: datetime
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a script, or one case of it, cannot be used. `case` is "" when it concerns the file."""

    path: Path
    line: int
    text: str
    case: str = ""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"
