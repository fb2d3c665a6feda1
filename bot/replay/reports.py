"""What is told of a replay: lines in the terminal, JUnit XML, one HTML page, one JSON object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import msgspec
from jinja2 import Environment, PackageLoader, select_autoescape

from bot.replay.company import Played
from bot.replay.outcome import CaseOutcome, rerun
from bot.replay.script import Problem

_ILLEGAL_IN_XML = dict.fromkeys([*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0xFFFE, 0xFFFF])


@dataclass(frozen=True, slots=True)
class Told:
    """A replay ready to be told: what was played, what could not be, and which steps no script visited."""

    played: Played
    problems: Sequence[Problem]
    unvisited: Sequence[str] | None = None
    extra: str = ""


def last_line(told: Told) -> str:
    """`N passed, M failed, T turns, R turns/s`, and what was unusable."""
    played = told.played
    speed = played.turns / played.seconds if played.seconds else 0.0
    passed = len(played.outcomes) - played.failed
    unusable = f"{len(told.problems)} unusable, " if told.problems else ""
    return f"{unusable}{passed} passed, {played.failed} failed, {played.turns} turns, {speed:.0f} turns/s"


def failure_lines(case: CaseOutcome, extra: str = "") -> list[str]:
    """Everything needed to see why a case failed and to play it again."""
    lines = [f"FAILED {case.path}:{case.line} {case.name}"]
    for failure in case.failures:
        lines += [f"  line {failure.line}", *_field("expected", failure.expected), *_field("got", failure.got)]
    lines += _field("stood", case.stood)
    for line in case.log:
        lines += _field("log", line)
    return [*lines, f"  again:    {rerun(case, extra)}"]


def _field(name: str, text: str) -> list[str]:
    first, *rest = text.splitlines() or [""]
    return [f"  {name + ':':<10}{first}", *(f"  {'':<10}{line}" for line in rest)]


def text_report(told: Told) -> str:
    """The whole report for a terminal."""
    lines = [f"UNUSABLE {problem}" for problem in told.problems]
    for case in told.played.outcomes:
        if not case.passed:
            lines += failure_lines(case, told.extra)
    if told.unvisited is not None:
        lines += [f"not visited: {step}" for step in told.unvisited]
        lines.append(f"{len(told.unvisited)} steps not visited")
    if told.played.rasa:
        lines.append(f"rasa: {', '.join(f'{name} {count}' for name, count in told.played.rasa.items())}")
    return "\n".join([*lines, last_line(told)])


def json_report(told: Told) -> str:
    """One object: `passed`, `failed`, `unusable`, `turns`, `turns_per_s`, `cases`, `problems`, `unvisited`, `rasa`."""
    played = told.played
    report: dict[str, Any] = {
        "passed": len(played.outcomes) - played.failed,
        "failed": played.failed,
        "unusable": len(told.problems),
        "turns": played.turns,
        "turns_per_s": round(played.turns / played.seconds, 1) if played.seconds else 0.0,
        "cases": [_case_object(case, told.extra) for case in played.outcomes],
        "problems": [
            {"file": str(problem.path), "line": problem.line, "case": problem.case, "problem": problem.text}
            for problem in told.problems
        ],
    }
    if told.unvisited is not None:
        report["unvisited"] = list(told.unvisited)
    if played.rasa:
        report["rasa"] = dict(played.rasa)
    return msgspec.json.encode(report).decode()


def _case_object(case: CaseOutcome, extra: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "file": str(case.path),
        "line": case.line,
        "case": case.name,
        "passed": case.passed,
        "turns": case.turns,
        "seconds": round(case.seconds, 4),
    }
    if case.log:
        found["log"] = list(case.log)
    if not case.passed:
        found["failures"] = [{"line": one.line, "expected": one.expected, "got": one.got} for one in case.failures]
        found |= {"stood": case.stood, "again": rerun(case, extra)}
    return found


def write_junit(told: Told, path: Path) -> None:
    """JUnit XML: a suite a file; an unusable case is an error."""
    played = told.played
    root = Xml.Element("testsuites", name="rangkul replay", time=f"{played.seconds:.3f}")
    files = dict.fromkeys([*(case.path for case in played.outcomes), *(one.path for one in told.problems)])
    for file in files:
        cases = [case for case in played.outcomes if case.path == file]
        bad = [problem for problem in told.problems if problem.path == file]
        suite = Xml.SubElement(
            root,
            "testsuite",
            name=str(file),
            tests=str(len(cases) + len(bad)),
            failures=str(sum(not case.passed for case in cases)),
            errors=str(len(bad)),
            time=f"{sum(case.seconds for case in cases):.3f}",
        )
        for case in cases:
            entry = _entry(suite, case.name, file)
            entry.set("time", f"{case.seconds:.3f}")
            if not case.passed:
                first = case.failures[0]
                message = _legal(f"line {first.line}: expected {first.expected}")
                failure = Xml.SubElement(entry, "failure", message=message)
                failure.text = _legal("\n".join(failure_lines(case, told.extra)))
        for problem in bad:
            entry = _entry(suite, problem.case or str(file), file)
            Xml.SubElement(entry, "error", message=_legal(str(problem)))
    tree = Xml.ElementTree(root)
    Xml.indent(tree)
    tree.write(path, encoding="utf-8", xml_declaration=True)


def _entry(suite: Xml.Element, name: str, file: Path) -> Xml.Element:
    return Xml.SubElement(suite, "testcase", name=_legal(name), classname=str(file))


def _legal(text: str) -> str:
    return text.translate(_ILLEGAL_IN_XML)


def write_html(told: Told, path: Path) -> None:
    """One page that needs nothing else: the talks as bubbles, failures first."""
    page = Environment(
        loader=PackageLoader("bot.replay"), autoescape=select_autoescape(), trim_blocks=True, lstrip_blocks=True
    ).get_template("report.html")
    cases = sorted(told.played.outcomes, key=lambda case: case.passed)
    path.write_text(
        page.render(
            summary=last_line(told),
            cases=cases,
            problems=told.problems,
            unvisited=told.unvisited,
            again=lambda case: rerun(case, told.extra),
        ),
        "utf-8",
    )
