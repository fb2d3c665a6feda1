"""The command as testers script it: exit codes, selection, reports, engines."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from replay_runs import Runs

PASSES = """
test_cases:
  - test_case: menu saja
    steps:
      - user: menu
        assertions:
          - bot_uttered: {utter_name: engine/menu}
"""
MIXED = """
fixtures:
  - budi:
      - member: {name: Budi Santoso, nik: "3275011708909001", phone: "+6281200000001"}
test_cases:
  - test_case: yang salah & <aneh>
    fixtures: [budi]
    steps:
      - user: menu
        as: budi
      - user: {choice: "Cek saldo JHT"}
        as: budi
      - user: {form: {nik: "3275011708909001"}}
        as: budi
        assertions:
          - bot_uttered: {text_matches: "tidak akan pernah"}
  - test_case: yang benar
    steps:
      - user: menu
"""
UNUSABLE = """
test_cases:
  - test_case: tidak bisa
    steps:
      - usr: menu
"""


def test_passes(runs: Runs) -> None:
    """Exit code 0, and the last line counts."""
    code, out, _ = runs(runs.script(PASSES))
    assert code == 0
    assert re.fullmatch(r"1 passed, 0 failed, 1 turns, \d+ turns/s", out.strip().splitlines()[-1])


def test_failures_are_told_so_that_they_can_be_mended(runs: Runs) -> None:
    """Exit code 1, with the line, expected, got, where it stood (masked) and the command for this case alone."""
    path = runs.script(MIXED)
    code, out, _ = runs(path)
    assert code == 1
    assert f"FAILED {path}:5 yang salah & <aneh>" in out
    assert "line 15" in out
    assert "expected: a message with text matching 'tidak akan pernah'" in out
    assert re.search(r"got: +\S+/\S+: ", out)
    assert "flow check_balance (nik=••••9001" in out
    assert f"again:    rangkul replay {path} -k 'yang salah & <aneh>'" in out
    assert out.strip().splitlines()[-1].startswith("1 passed, 1 failed, 4 turns")


def test_the_command_of_a_failure_plays_just_that_case(runs: Runs) -> None:
    """-k with the name of a case plays it alone."""
    code, report = runs.json(runs.script(MIXED), "-k", "yang salah & <aneh>")
    assert code == 1
    assert [case["case"] for case in report["cases"]] == ["yang salah & <aneh>"]


def test_unusable_scripts(runs: Runs) -> None:
    """Exit code 2 with file and line; what is usable is played all the same."""
    bad = runs.script(UNUSABLE, "buruk.yaml")
    good = runs.script(PASSES, "baik.yaml")
    code, out, _ = runs(bad, good)
    assert code == 2
    assert f"UNUSABLE {bad}:4:" in out
    assert "1 unusable, 1 passed, 0 failed" in out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--engine", "recorded", "--record"], "--record needs"),
        (["--engine", "recorded"], "make it with --record"),
        (["-k", "tidak ada namanya"], "no case has"),
        (["--database", "sqlite:////tmp/x.db", "-j", "2"], "-j 1"),
        (["-j", "0"], "1 or more"),
    ],
)
def test_unusable_arguments(arguments: list[str], reason: str, runs: Runs) -> None:
    """Exit code 2 and one plain sentence."""
    code, _, errors = runs(runs.script(PASSES), *arguments)
    assert code == 2
    assert reason in errors


def test_a_path_that_is_not_there(runs: Runs) -> None:
    """Exit code 2: a typing error in a path never passes for success."""
    code, out, _ = runs(runs.folder / "nothing.yaml")
    assert code == 2
    assert "cannot be read" in out


def test_a_folder_without_scripts(runs: Runs) -> None:
    """Exit code 2: nothing played is no success."""
    assert runs(runs.folder)[0] == 2


def test_junit(runs: Runs) -> None:
    """A report that machines read: counts, names and the reasons."""
    report = runs.folder / "junit.xml"
    runs(runs.script(MIXED), runs.script(UNUSABLE, "buruk.yaml"), "--junit", report)
    suites = ElementTree.parse(report).getroot().findall("testsuite")  # noqa: S314 - a report of our own
    assert [(suite.get("tests"), suite.get("failures"), suite.get("errors")) for suite in suites] == [
        ("2", "1", "0"),
        ("1", "0", "1"),
    ]
    failed = suites[0].findall("testcase")[0]
    failure = failed.find("failure")
    assert failed.get("name") == "yang salah & <aneh>"
    assert failure is not None
    assert "rangkul replay" in (failure.text or "")
    error = suites[1].find("testcase/error")
    assert error is not None
    assert "buruk.yaml:4" in (error.get("message") or "")


class _Page(HTMLParser):
    """What stands in a page: its words, and whatever it would load from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.loads: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [f"{tag} {name}" for name, _ in attrs if name in ("src", "href")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_html(runs: Runs) -> None:
    """One well-formed page that loads nothing: the talks, the failure, names escaped."""
    path = runs.folder / "report.html"
    runs(runs.script(MIXED), "--html", path, "--coverage")
    page = _Page()
    page.feed(path.read_text("utf-8"))
    words = " ".join(page.words)
    assert page.open == []
    assert page.loads == []
    assert "yang salah & <aneh>" in words
    assert "tidak akan pernah" in words
    assert "Hitung iuran" in words
    assert "enroll/nik" in words


def test_coverage(runs: Runs) -> None:
    """Steps that were asked are not listed; the others are."""
    code, report = runs.json(runs.script(MIXED), "--coverage")
    assert code == 1
    assert "check_balance/nik" not in report["unvisited"]
    assert "enroll/person_name" in report["unvisited"]


def test_fail_fast(runs: Runs) -> None:
    """The first failure ends the run."""
    code, report = runs.json(runs.script(MIXED), "--fail-fast")
    assert code == 1
    assert (report["passed"], report["failed"]) == (0, 1)


def test_side_by_side(runs: Runs) -> None:
    """Several processes give the same verdicts in the same order."""
    first, second = runs.script(MIXED), runs.script(PASSES, "z.yaml")
    alone = runs.json(first, second)
    several = runs.json(first, second, "-j", "2")
    verdicts = [
        (code, [(case["case"], case["passed"], case["turns"]) for case in report["cases"]])
        for code, report in (alone, several)
    ]
    assert verdicts[0] == verdicts[1]


def test_recorded(runs: Runs) -> None:
    """What was recorded is played back; a sentence that was not is named."""
    path = runs.script(PASSES)
    assert runs(path, "--record")[0] == 0
    recorded = json.loads((runs.folder / "script.nlu.json").read_text("utf-8"))
    assert [entry["understanding"]["text"] for entry in recorded] == ["menu"]
    assert runs(path, "--engine", "recorded")[0] == 0
    path.write_text(path.read_text("utf-8").replace("user: menu", "user: halo menu"), "utf-8")
    code, out, _ = runs(path, "--engine", "recorded")
    assert code == 1
    assert "none for 'halo menu'" in out


def test_recorded_understandings_decide(runs: Runs) -> None:
    """The recording is what is acted on: another intent in it is what the script sees."""
    path = runs.script(PASSES.replace("bot_uttered: {utter_name: engine/menu}", "intent: enroll"))
    assert runs(path, "--record")[0] == 1
    side = runs.folder / "script.nlu.json"
    entries = json.loads(side.read_text("utf-8"))
    entries[0]["understanding"]["intent"] = "enroll"
    side.write_text(json.dumps(entries), "utf-8")
    assert runs(path, "--engine", "recorded")[0] == 0


def test_another_channel(runs: Runs) -> None:
    """--channel takes the place of the scripts' own, and is what the records tell."""
    path = runs.script(
        "test_cases:\n  - test_case: satu\n    channel: whatsapp\n    steps:\n      - user: menu\n"
        "    finally:\n      - outbox: [{channel: whatsapp}]\n"
    )
    assert runs(path)[0] == 0
    assert runs(path, "--channel", "telegram")[0] == 1


def test_a_named_database_is_used_and_left_empty(runs: Runs) -> None:
    """It is brought up to date, played on, and holds nothing afterwards, so that the next run may use it."""
    url = f"sqlite:///{runs.folder / 'named.db'}"
    path = runs.script(PASSES)
    assert runs(path, "--database", url)[0] == 0
    assert (runs.folder / "named.db").stat().st_size > 0
    assert runs(path, "--database", url)[0] == 0


def test_a_database_with_data_is_refused(runs: Runs, tmp_path: Path) -> None:
    """A replay empties its database; it must never be somebody's records."""
    import sqlite3

    url = f"sqlite:///{runs.folder / 'full.db'}"
    path = runs.script(PASSES)
    runs(path, "--database", url)
    with sqlite3.connect(runs.folder / "full.db") as records:
        records.execute("INSERT INTO people (id, created_at) VALUES ('p', 0)")
    records.close()
    code, _, errors = runs(path, "--database", url)
    assert code == 2
    assert "holds data" in errors
    with sqlite3.connect(runs.folder / "full.db") as records:
        assert records.execute("SELECT count(*) FROM people").fetchone() == (1,)
    records.close()
