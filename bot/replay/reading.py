"""From a YAML file to a `Script`. Every problem of a file is found at once; a case with a problem is left out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TypeVar, cast, get_args

from yaml.nodes import Node

from bot.faults import PLACES
from bot.replay import nodes
from bot.replay.expectations import read_assertions, read_final
from bot.replay.nodes import Unusable, line_of
from bot.replay.script import (
    DEFAULT_NOW,
    LATEST_TICKET,
    BotStep,
    Case,
    Delivery,
    Faults,
    FillForm,
    FinalCheck,
    Fixture,
    MediaKind,
    MemberFixture,
    Message,
    PressButton,
    Problem,
    ProviderFault,
    SayText,
    Script,
    SendMedia,
    SendSticker,
    ShareContact,
    ShareLocation,
    StaffFixture,
    StaffStep,
    Step,
    UserStep,
    Verb,
    WaitStep,
)
from bot.replay.vocabulary import Vocabulary

CHANNELS: Final = ("terminal", "web", "telegram", "whatsapp")
"""Channels whose payloads we can make and read today."""

_ROOT_KEYS: Final = ("now", "fixtures", "test_cases")
_CASE_KEYS: Final = ("test_case", "fixtures", "channel", "sender", "steps", "finally")
_FAULT_KEYS: Final = ("deliver", "crash", "provider", "database", "engine")
_STEP_KEYS: Final = ("user", "as", "wait", "staff", "does", "bot", "utter", "assertions", *_FAULT_KEYS)
_MEMBER_KEYS: Final = (
    "name",
    "nik",
    "kpj",
    "phone",
    "birth_date",
    "sex",
    "status",
    "paid_until",
    "jht_balance",
    "sector",
    "programmes",
    "contributions",
)
_MESSAGE_KEYS: Final = (
    "text",
    "choice",
    "photo",
    "voice",
    "document",
    "location",
    "contact",
    "sticker",
    "form",
)
_VERBS: Final = get_args(Verb)
_OUTAGE_AFTER: Final[Mapping[str, int]] = {"inbox": 0, "turn": 1, "send": 2}
"""After how many transactions of a step the database goes away: storing the message, the turn, marking it sent."""

_SPEAKING_VERBS: Final = ("reply", "note", "ask")
_CODE: Final = re.compile(r"RK-?[2-9A-Z]{4}-?[2-9A-Z]{4}", re.IGNORECASE)

T = TypeVar("T")


@dataclass(slots=True)
class Read:
    """What came of reading a file: its usable cases, and what is wrong with the others."""

    script: Script | None
    problems: list[Problem] = field(default_factory=list)


def read_script(path: Path, vocabulary: Vocabulary, *, channel: str = "") -> Read:
    """Reads one file. `channel` takes the place of the script's own channels.

    Never raises for what is in the file; a file that cannot be read is a problem too.
    """
    return _Reader(path, vocabulary, channel).read()


@dataclass(slots=True)
class _Reader:
    path: Path
    vocabulary: Vocabulary
    channel: str
    problems: list[Problem] = field(default_factory=list)
    case: str = ""

    def read(self) -> Read:
        try:
            root = nodes.compose(self.path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            self._problem(1, f"cannot be read: {error.__class__.__name__}")
            return Read(None, self.problems)
        except Unusable as bad:
            self._problem(bad.line, bad.text)
            return Read(None, self.problems)
        if root is None:
            self._problem(1, "holds no script")
            return Read(None, self.problems)
        try:
            script = self._script(root)
        except Unusable as bad:
            self._problem(bad.line, bad.text)
            return Read(None, self.problems)
        return Read(script, self.problems)

    def _problem(self, line: int, text: str) -> None:
        self.problems.append(Problem(self.path, line, text, self.case))

    def _each(self, found: list[Node], read: Callable[[Node], T]) -> list[T]:
        """What can be read of a list; the rest becomes problems."""
        good = []
        for node in found:
            try:
                good.append(read(node))
            except Unusable as bad:
                self._problem(bad.line, bad.text)
        return good

    def _script(self, root: Node) -> Script:
        parts = nodes.mapping(root, _ROOT_KEYS, "a script")
        if "test_cases" not in parts:
            raise Unusable(line_of(root), "a script needs test_cases")
        now = nodes.moment(parts["now"], "now") if "now" in parts else DEFAULT_NOW
        fixtures = dict(pair for pair in self._each(_entries(parts.get("fixtures"), "fixtures"), read_fixture))
        broken = bool(self.problems)
        cases: list[Case] = []
        names: set[str] = set()
        for node in _entries(parts["test_cases"], "test_cases"):
            before = len(self.problems)
            try:
                case = self._case(node, fixtures, names)
            except Unusable as bad:
                self._problem(bad.line, bad.text)
                continue
            finally:
                self.case = ""
            if len(self.problems) == before and not broken:
                cases.append(case)
        if not cases and not self.problems:
            raise Unusable(line_of(root), "a script needs at least one test case")
        return Script(self.path, now, tuple(cases))

    def _case(self, node: Node, fixtures: Mapping[str, Fixture], names: set[str]) -> Case:
        parts = nodes.mapping(node, _CASE_KEYS, "a test case")
        if "test_case" not in parts or "steps" not in parts:
            raise Unusable(line_of(node), "a test case needs test_case (its name) and steps")
        self.case = name = nodes.text(parts["test_case"], "test_case")
        if name in names:
            raise Unusable(line_of(parts["test_case"]), f"there is another case named {name!r} in this file")
        names.add(name)
        used = self._each(_entries(parts.get("fixtures"), "fixtures"), lambda one: _used(one, fixtures))
        steps = self._each(_entries(parts["steps"], "steps"), lambda one: self._step(one, dict(used)))
        if not steps and not self.problems:
            raise Unusable(line_of(parts["steps"]), "a test case needs at least one step")
        _check_order(steps)
        return Case(
            name=name,
            line=line_of(node),
            channel=self._channel(parts.get("channel")),
            sender=nodes.text(parts["sender"], "sender") if "sender" in parts else "",
            fixtures=dict(used),
            steps=tuple(steps),
            final=tuple(self._final(parts.get("finally"))),
        )

    def _final(self, node: Node | None) -> list[FinalCheck]:
        return self._each(_entries(node, "finally"), read_final)

    def _channel(self, node: Node | None) -> str:
        name = self.channel or (nodes.text(node, "channel") if node is not None else "terminal")
        line = line_of(node) if node is not None else 1
        if name not in CHANNELS:
            raise Unusable(line, f"no channel {name!r}; there are {', '.join(CHANNELS)}")
        return name

    # ── steps ────────────────────────────────────────────────────────────────────────────────────

    def _step(self, node: Node, fixtures: Mapping[str, Fixture]) -> Step:
        parts = nodes.mapping(node, _STEP_KEYS, "a step")
        kinds = [name for name in ("user", "wait", "staff", "bot", "utter") if name in parts]
        if len(kinds) != 1:
            raise Unusable(line_of(node), "a step is one of user, wait, staff, bot")
        step = _read_step(kinds[0], parts, line_of(node), fixtures, self.vocabulary)
        if isinstance(step, BotStep):
            return step
        assertions = parts.get("assertions")
        if assertions is None:
            return step
        found = self._each(_entries(assertions, "assertions"), lambda one: read_assertions(one, self.vocabulary))
        return replace(step, assertions=tuple(assertion for several in found for assertion in several))


def _read_step(
    kind: str, parts: Mapping[str, Node], line: int, fixtures: Mapping[str, Fixture], vocabulary: Vocabulary
) -> Step:
    _refuse_keys_of_others(kind, parts, line)
    who = nodes.text(parts["as"], "as") if "as" in parts else ""
    match kind:
        case "user":
            return UserStep(line, read_message(parts["user"], vocabulary), who, read_faults(parts))
        case "wait":
            return _read_wait(parts["wait"], line, read_faults(parts))
        case "staff":
            return _read_staff(parts, line, fixtures)
        case "bot":
            return BotStep(line, text=nodes.text(parts["bot"], "bot"), who=who)
        case _:
            key = nodes.text(parts["utter"], "utter")
            if key not in vocabulary.utterances:
                raise Unusable(line, f"there is no utterance {key!r}")
            return BotStep(line, key=key, who=who)


def _refuse_keys_of_others(kind: str, parts: Mapping[str, Node], line: int) -> None:
    allowed = {
        "user": {"user", "as", "assertions", *_FAULT_KEYS},
        "wait": {"wait", "assertions", "provider", "database", "crash"},
        "staff": {"staff", "does", "assertions", *_FAULT_KEYS},
        "bot": {"bot", "as"},
        "utter": {"utter", "as"},
    }[kind]
    if wrong := [name for name in parts if name not in allowed]:
        raise Unusable(line_of(parts[wrong[0]]), f"a {kind} step has no {wrong[0]!r}")


def read_message(node: Node, vocabulary: Vocabulary) -> Message:
    """What a person sends: words, or one of the other kinds."""
    if not nodes.is_mapping(node):
        return SayText(nodes.text(node, "user"))
    parts = nodes.mapping(node, (*_MESSAGE_KEYS, "caption", "own"), "user")
    kinds = [name for name in parts if name in _MESSAGE_KEYS]
    if len(kinds) != 1:
        raise Unusable(line_of(node), f"user must be a text or one of {', '.join(_MESSAGE_KEYS)}")
    kind, value = kinds[0], parts[kinds[0]]
    if "caption" in parts and kind not in get_args(MediaKind):
        raise Unusable(line_of(parts["caption"]), f"a {kind} has no caption")
    if "own" in parts and kind != "contact":
        raise Unusable(line_of(parts["own"]), f"a {kind} has no own")
    match kind:
        case "text":
            return SayText(nodes.text(value, "text"))
        case "choice":
            return PressButton(nodes.text(value, "choice"))
        case "photo" | "voice" | "document":
            caption = nodes.text(parts["caption"], "caption") if "caption" in parts else ""
            return SendMedia(kind, nodes.text(value, kind), caption)
        case "location":
            return _read_location(value)
        case "contact":
            own = nodes.flag(parts["own"], "own") if "own" in parts else False
            return ShareContact(nodes.text(value, "contact"), own)
        case "sticker":
            return SendSticker(nodes.text(value, "sticker"))
        case _:
            slot, given = nodes.single(value, "form")
            if slot not in vocabulary.slots:
                raise Unusable(line_of(value), f"there is no slot {slot!r}")
            return FillForm(slot, nodes.text(given, slot))


def _read_location(node: Node) -> ShareLocation:
    degrees = [nodes.decimal(one, "location") for one in nodes.items(node, "location")]
    if len(degrees) != 2 or abs(degrees[0]) > 90 or abs(degrees[1]) > 180:
        raise Unusable(line_of(node), "location must be [latitude, longitude] in degrees")
    return ShareLocation(degrees[0], degrees[1])


def _read_wait(node: Node, line: int, faults: Faults) -> WaitStep:
    raw = nodes.text(node, "wait")
    if "T" in raw or raw.count("-") == 2:
        return WaitStep(line, None, nodes.moment(node, "wait"), faults)
    return WaitStep(line, nodes.span(node, "wait"), None, faults)


def _read_staff(parts: Mapping[str, Node], line: int, fixtures: Mapping[str, Fixture]) -> StaffStep:
    who = nodes.text(parts["staff"], "staff")
    if not isinstance(fixtures.get(who), StaffFixture):
        raise Unusable(line_of(parts["staff"]), f"{who!r} is no staff fixture of this case")
    if "does" not in parts:
        raise Unusable(line, "a staff step needs does")
    done = nodes.mapping(parts["does"], (*_VERBS, "ticket", "text", "to"), "does")
    verbs = [name for name in done if name in _VERBS]
    if len(verbs) != 1:
        raise Unusable(line_of(parts["does"]), f"does must be one of {', '.join(_VERBS)}")
    verb = cast(Verb, verbs[0])
    ticket = nodes.text(done["ticket"], "ticket") if "ticket" in done else ""
    words = nodes.text(done["text"], "text") if "text" in done else ""
    to = nodes.text(done["to"], "to") if "to" in done else ""
    if to and not isinstance(fixtures.get(to), StaffFixture):
        raise Unusable(line_of(done["to"]), f"{to!r} is no staff fixture of this case")
    given = nodes.text(done[verb], verb)
    if given == LATEST_TICKET or _CODE.fullmatch(given):
        ticket = ticket or given
    elif verb == "assign" and isinstance(fixtures.get(given), StaffFixture):
        to = to or given
    elif verb in ("take", "assign"):
        raise Unusable(line_of(done[verb]), f"{verb} needs {LATEST_TICKET} or a ticket's code")
    else:
        words = words or given
    if verb in _SPEAKING_VERBS and not words:
        raise Unusable(line_of(done[verb]), f"{verb} needs words")
    return StaffStep(line, who, verb, ticket, words, to, read_faults(parts))


# ── faults ───────────────────────────────────────────────────────────────────────────────────────


def read_faults(parts: Mapping[str, Node]) -> Faults:
    """What goes wrong during a step."""
    crash = nodes.text(parts["crash"], "crash") if "crash" in parts else None
    place = next((place for place in PLACES if place == crash), None)
    if crash is not None and place is None:
        raise Unusable(line_of(parts["crash"]), f"crash is one of {', '.join(PLACES)}")
    if "engine" in parts and nodes.text(parts["engine"], "engine") != "down":
        raise Unusable(line_of(parts["engine"]), "engine can only be down")
    database = nodes.mapping(parts["database"], ("down", "at"), "database") if "database" in parts else {}
    if "database" in parts and "down" not in database:
        raise Unusable(line_of(parts["database"]), "database needs down: a span of time")
    at = nodes.text(database["at"], "at") if "at" in database else "inbox"
    if at not in _OUTAGE_AFTER:
        raise Unusable(line_of(database["at"]), f"at is one of {', '.join(_OUTAGE_AFTER)}")
    return Faults(
        delivery=_read_delivery(parts["deliver"]) if "deliver" in parts else Delivery(),
        crash=place,
        provider=_read_provider(parts["provider"]) if "provider" in parts else None,
        database_down=nodes.span(database["down"], "down") if "down" in database else Faults().database_down,
        database_after=_OUTAGE_AFTER[at],
        engine_down="engine" in parts,
    )


def _read_delivery(node: Node) -> Delivery:
    parts = nodes.mapping(node, ("times", "after", "before_previous"), "deliver")
    after = nodes.span(parts["after"], "after") if "after" in parts else Delivery().after
    default = 2 if after else 1
    times = nodes.whole(parts["times"], "times", least=1) if "times" in parts else default
    if after and times < 2:
        raise Unusable(line_of(node), "after says when it is delivered again, so times must be 2 or more")
    early = "before_previous" in parts and nodes.flag(parts["before_previous"], "before_previous")
    return Delivery(times, after, early)


def _read_provider(node: Node) -> ProviderFault:
    parts = nodes.mapping(node, ("status", "retry_after", "times"), "provider")
    if "status" not in parts:
        raise Unusable(line_of(node), "provider needs a status")
    raw = nodes.text(parts["status"], "status")
    status = 0 if raw == "timeout" else nodes.whole(parts["status"], "status", least=100)
    if status and not 400 <= status <= 599:
        raise Unusable(line_of(parts["status"]), "status must be an HTTP error (400 to 599) or timeout")
    retry = nodes.decimal(parts["retry_after"], "retry_after") if "retry_after" in parts else None
    return ProviderFault(status, retry, nodes.whole(parts["times"], "times", least=1) if "times" in parts else 1)


# ── fixtures ─────────────────────────────────────────────────────────────────────────────────────


def read_fixture(node: Node) -> tuple[str, Fixture]:
    """A named fixture: `- budi: [{member: {…}}]`, or without the list."""
    name, value = nodes.single(node, "a fixture")
    inner = nodes.items(value, name) if nodes.is_list(value) else [value]
    if len(inner) != 1:
        raise Unusable(line_of(value), f"the fixture {name!r} must hold one member or one staff")
    kind, fields = nodes.single(inner[0], f"the fixture {name!r}")
    match kind:
        case "member":
            given = nodes.wanted_fields(nodes.mapping(fields, _MEMBER_KEYS, "member"))
            for needed in ("name", "nik"):
                if needed not in given:
                    raise Unusable(line_of(inner[0]), f"the member {name!r} needs a {needed}")
            return name, MemberFixture(line_of(inner[0]), given)
        case "staff":
            parts = nodes.mapping(fields, ("name", "role"), "staff")
            if "name" not in parts:
                raise Unusable(line_of(inner[0]), f"the staff {name!r} needs a name")
            role = nodes.text(parts["role"], "role") if "role" in parts else "agent"
            return name, StaffFixture(line_of(inner[0]), nodes.text(parts["name"], "name"), role)
        case _:
            raise Unusable(line_of(inner[0]), f"no fixture of kind {kind!r}; there are member and staff")


def _used(node: Node, fixtures: Mapping[str, Fixture]) -> tuple[str, Fixture]:
    name = nodes.text(node, "fixtures")
    if name not in fixtures:
        raise Unusable(line_of(node), f"there is no fixture {name!r} in this file")
    return name, fixtures[name]


def _entries(node: Node | None, what: str) -> list[Node]:
    return nodes.items(node, what) if node is not None else []


def _check_order(steps: list[Step]) -> None:
    """Steps that need an earlier one of their kind have it."""
    before: Step | None = None
    for step in steps:
        if isinstance(step, BotStep) and before is None:
            raise Unusable(step.line, "bot needs a step before it that somebody took")
        early = isinstance(step, UserStep) and step.faults.delivery.before_previous
        if early and not isinstance(before, UserStep):
            raise Unusable(step.line, "before_previous needs a user step right before it")
        before = step
