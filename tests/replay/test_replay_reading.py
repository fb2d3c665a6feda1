"""Whatever cannot be used in a script is named with its line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.replay.reading import Read, read_script
from bot.replay.script import SayText, UserStep, WaitStep
from bot.replay.vocabulary import Vocabulary, vocabulary_of
from flows.catalogue import load_flows
from flows.settings import Settings

HEAD = """\
fixtures:
  - rina:
      - staff: {name: Rina}
test_cases:
  - test_case: satu
    fixtures: [rina]
    steps:
"""
FIRST = HEAD.count("\n") + 1
"""The line of the first step below HEAD."""


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    """The names of the real flows."""
    return vocabulary_of(load_flows(Settings()))


def read(folder: Path, text: str, vocabulary: Vocabulary, channel: str = "") -> Read:
    path = folder / "script.yaml"
    path.write_text(text, "utf-8")
    return read_script(path, vocabulary, channel=channel)


STEPS = [
    ("- usr: halo", 0, "no key 'usr'"),
    ("- user: halo\n  wait: 3h", 0, "one of user, wait, staff, bot"),
    ("- user:", 0, "user must be a text"),
    ("- user: {chioce: Kirim}", 0, "no key 'chioce'"),
    ("- user: {photo: a.jpg, choice: Kirim}", 0, "one of text"),
    ("- user: {choice: Kirim, caption: x}", 0, "has no caption"),
    ("- user: {location: [91, 0]}", 0, "latitude"),
    ('- user: {form: {shoe_size: "43"}}', 0, "no slot 'shoe_size'"),
    ("- user: halo\n  crash: sometime", 1, "crash is one of"),
    ("- user: halo\n  deliver: {tmes: 2}", 1, "no key 'tmes'"),
    ("- user: halo\n  deliver: {times: 0}", 1, "whole number from 1"),
    ("- user: halo\n  deliver: {times: 1, after: 26h}", 1, "times must be 2 or more"),
    ("- user: halo\n  deliver: {before_previous: true}", 0, "user step right before"),
    ("- user: halo\n  provider: {status: 200}", 1, "HTTP error"),
    ("- user: halo\n  provider: {times: 2}", 1, "needs a status"),
    ("- user: halo\n  database: {down: often}", 1, "span of time"),
    ("- user: halo\n  database: {at: turn}", 1, "needs down"),
    ("- user: halo\n  engine: slow", 1, "only be down"),
    ("- wait: soon", 0, "span of time"),
    ("- wait: 2026-11-24T09:00", 0, "with its zone"),
    ("- wait: 3h\n  deliver: {times: 2}", 1, "a wait step has no 'deliver'"),
    ("- bot: halo", 0, "bot needs a step before it"),
    ("- user: halo\n- utter: engine/helo", 1, "no utterance 'engine/helo'"),
    ("- staff: budi\n  does: {take: latest_ticket}", 0, "'budi' is no staff fixture"),
    ("- staff: rina", 0, "needs does"),
    ("- staff: rina\n  does: {steal: latest_ticket}", 1, "no key 'steal'"),
    ("- staff: rina\n  does: {take: something}", 1, "take needs latest_ticket or a ticket's code"),
    ("- staff: rina\n  does: {reply: latest_ticket}", 1, "reply needs words"),
    ("- user: halo\n  assertions:\n    - flow_begun: enroll", 2, "no assertion 'flow_begun'"),
    ("- user: halo\n  assertions:\n    - flow_started: enrol", 2, "no flow 'enrol'"),
    ("- user: halo\n  assertions:\n    - intent: hello", 2, "no intent 'hello'"),
    ("- user: halo\n  assertions:\n    - slot_was_set: [{name: shoe_size}]", 2, "no slot 'shoe_size'"),
    ("- user: halo\n  assertions:\n    - slot_was_set: [{nme: nik}]", 2, "no key 'nme'"),
    ("- user: halo\n  assertions:\n    - action_executed: Fly", 2, "no effect 'Fly'"),
    ("- user: halo\n  assertions:\n    - bot_uttered: {utter_name: a/b}", 2, "no utterance 'a/b'"),
    ("- user: halo\n  assertions:\n    - bot_uttered: {}", 2, "needs utter_name"),
    ('- user: halo\n  assertions:\n    - bot_uttered: {text_matches: "("}', 2, "no regular expression"),
    ("- user: halo\n  assertions:\n    - silent", 2, "no assertion 'silent'"),
    ("- user: halo\n  assertions:\n    - silence\n    - intent: hello", 3, "no intent 'hello'"),
]


@pytest.mark.parametrize(("step", "line", "why"), STEPS, ids=[why for _, _, why in STEPS])
def test_names_the_line_of_a_bad_step(step: str, line: int, why: str, tmp_path: Path, vocabulary: Vocabulary) -> None:
    """The problem says what is wrong, on the line where it stands, and the case is not played."""
    indented = "".join(f"      {one}\n" for one in step.splitlines())
    found = read(tmp_path, HEAD + indented, vocabulary)
    assert [(problem.line, why in problem.text) for problem in found.problems] == [(FIRST + line, True)]
    assert found.script is not None
    assert found.script.cases == ()
    assert found.problems[0].case == "satu"


FILES = [
    ("", 1, "holds no script"),
    ("test_cases: [}", 1, "not valid YAML"),
    ("tests: []", 1, "no key 'tests'"),
    ("now: 2026-11-23T09:00+07:00", 1, "needs test_cases"),
    ("now: today\ntest_cases: []", 1, "moment with its zone"),
    ("test_cases: []", 1, "at least one test case"),
    ("test_cases:\n  - steps: []", 2, "needs test_case"),
    ("test_cases:\n  - test_case: satu\n    steps: []", 3, "at least one step"),
    ("test_cases:\n  - test_case: satu\n    color: red\n    steps: [user: a]", 3, "no key 'color'"),
    ("test_cases:\n  - test_case: satu\n    fixtures: [budi]\n    steps: [user: a]", 3, "no fixture 'budi'"),
    ("test_cases:\n  - test_case: satu\n    channel: fax\n    steps: [user: a]", 3, "no channel 'fax'"),
    ("fixtures:\n  - budi:\n      - member: {name: Budi}\ntest_cases: []", 3, "needs a nik"),
    ("fixtures:\n  - budi:\n      - boat: {name: Budi}\ntest_cases: []", 3, "no fixture of kind 'boat'"),
    (
        "test_cases:\n  - test_case: satu\n    steps: [user: a]\n    finally:\n      - boats: []",
        5,
        "no records 'boats'",
    ),
    (
        "test_cases:\n  - test_case: satu\n    steps: [user: a]\n    finally:\n      - tickets: [{colour: red}]",
        5,
        "no key 'colour'",
    ),
    (
        "test_cases:\n  - test_case: satu\n    steps: [user: a]\n  - test_case: satu\n    steps: [user: b]",
        4,
        "another case named 'satu'",
    ),
]


@pytest.mark.parametrize(("text", "line", "why"), FILES, ids=[why for _, _, why in FILES])
def test_names_the_line_of_a_bad_file(text: str, line: int, why: str, tmp_path: Path, vocabulary: Vocabulary) -> None:
    """Problems of a whole file, a case or a fixture have their line too."""
    found = read(tmp_path, text, vocabulary)
    assert [(problem.line, why in problem.text) for problem in found.problems] == [(line, True)]


def test_finds_every_problem_at_once(tmp_path: Path, vocabulary: Vocabulary) -> None:
    """A tester mends a file in one go; good cases beside bad ones are still played."""
    text = (
        "test_cases:\n"
        "  - test_case: buruk\n    steps:\n      - usr: a\n      - wait: soon\n"
        "  - test_case: baik\n    steps:\n      - user: a\n"
    )
    found = read(tmp_path, text, vocabulary)
    assert [problem.line for problem in found.problems] == [4, 5]
    assert found.script is not None
    assert [case.name for case in found.script.cases] == ["baik"]


def test_a_channel_that_is_not_built_can_be_replaced(tmp_path: Path, vocabulary: Vocabulary) -> None:
    """A script written for WhatsApp runs elsewhere when told to."""
    text = "test_cases:\n  - test_case: satu\n    channel: whatsapp\n    steps: [user: a]\n"
    found = read(tmp_path, text, vocabulary, channel="web")
    assert found.problems == []
    assert found.script is not None
    assert found.script.cases[0].channel == "web"


def test_what_people_type_stays_as_typed(tmp_path: Path, vocabulary: Vocabulary) -> None:
    """YAML would make `ya` a truth and `0812` a number; here they are words."""
    text = (
        HEAD + "      - user: ya\n      - user: yes\n      - user: 08123\n      - user: 2026-11-23\n      - user: 1e3\n"
    )
    found = read(tmp_path, text, vocabulary)
    assert found.script is not None
    said = [step.message for step in found.script.cases[0].steps if isinstance(step, UserStep)]
    assert said == [SayText("ya"), SayText("yes"), SayText("08123"), SayText("2026-11-23"), SayText("1e3")]


def test_reads_spans_and_moments(tmp_path: Path, vocabulary: Vocabulary) -> None:
    """A wait is a span or a moment; the clock starts where the script says."""
    text = "now: 2026-12-01T08:00+07:00\n" + HEAD
    text += "      - wait: 1h30m\n      - wait: 3d\n      - wait: 2026-12-24T09:00+07:00\n"
    found = read(tmp_path, text, vocabulary)
    assert found.script is not None
    assert found.script.now == datetime(2026, 12, 1, 1, 0, tzinfo=UTC)
    waits = [step for step in found.script.cases[0].steps if isinstance(step, WaitStep)]
    assert [wait.by for wait in waits] == [timedelta(minutes=90), timedelta(days=3), None]
    assert waits[2].until == datetime(2026, 12, 24, 2, 0, tzinfo=UTC)
