"""`rangkul replay PATH…`: runs conversation scripts. Exit code 0: all passed, 1: failures, 2: unusable input."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.config import load_config
from bot.replay.company import Order, flows_of, play, script_files, selected
from bot.replay.outages import EngineGone
from bot.replay.reading import CHANNELS, read_script
from bot.replay.recordings import RecordingError
from bot.replay.reports import Told, json_report, text_report, write_html, write_junit
from bot.replay.stage import HoldsData
from bot.replay.standing import all_steps
from bot.replay.vocabulary import vocabulary_of
from storage.database import Unavailable

PASSED, FAILED, UNUSABLE = 0, 1, 2
_REAL = frozenset({"RANGKUL_ENCRYPTION_KEYS", "RANGKUL_LOOKUP_KEY", "RANGKUL_DATABASE_URL", "RANGKUL_DEMO"})


def add_parser(subparsers: Any) -> None:
    """Adds `replay` to the commands of a parser."""
    add_arguments(subparsers.add_parser("replay", help="run conversation scripts", description=__doc__))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `replay` takes."""
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="scripts, or folders of scripts")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="also write a JUnit report")
    parser.add_argument("--html", type=Path, metavar="FILE", help="also write a page that shows every talk")
    parser.add_argument("--coverage", action="store_true", help="tell which steps of flows no script visited")
    parser.add_argument("--engine", choices=("embedded", "rasa", "recorded"), default="embedded")
    parser.add_argument("--kill-rasa", action="store_true", help="kill the Rasa server at the first `engine: down`")
    parser.add_argument("--record", action="store_true", help="keep what was understood, for --engine recorded")
    parser.add_argument("--channel", choices=CHANNELS, default="", help="instead of the scripts' own channels")
    parser.add_argument("-k", dest="name", default="", metavar="NAME", help="only cases whose name holds this")
    parser.add_argument("--fail-fast", action="store_true", help="stop at the first case that fails")
    parser.add_argument("-j", dest="processes", type=int, default=1, metavar="N", help="processes side by side")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    parser.add_argument("--database", default="", metavar="URL", help="an empty database to play on")
    parser.add_argument("--config", type=Path, help="another file of settings than config.yaml")


def main(arguments: Sequence[str]) -> int:
    """The command on its own."""
    parser = argparse.ArgumentParser(prog="rangkul replay", description=__doc__)
    add_arguments(parser)
    return run(parser.parse_args(arguments))


def run(args: argparse.Namespace) -> int:
    """Reads, plays and reports. Raises ConfigError for bad settings."""
    if refused := _refused(args):
        return _unusable(refused)
    config = load_config(args.config, environ=_without_secrets())
    flows = flows_of(config.flow_settings())
    vocabulary = vocabulary_of(flows)
    reads = [read_script(path, vocabulary, channel=args.channel) for path in script_files(args.paths)]
    if not reads:
        return _unusable("no scripts there")
    scripts = [selected(read.script, args.name) for read in reads if read.script is not None]
    problems = [problem for read in reads for problem in read.problems]
    if args.name and not problems and not any(script.cases for script in scripts):
        return _unusable(f"no case has {args.name!r} in its name")
    order = Order(config, args.engine, args.record, args.database, args.coverage, args.fail_fast, args.kill_rasa)
    try:
        played = play(scripts, order, processes=args.processes)
    except (RecordingError, EngineGone, HoldsData, Unavailable) as error:
        return _unusable(str(error))
    visited = {step for outcome in played.outcomes for step in outcome.visited}
    unvisited = [step for step in all_steps(flows) if step not in visited] if args.coverage else None
    told = Told(played, problems, unvisited, _extra(args))
    _write(told, args)
    if problems:
        return UNUSABLE
    return FAILED if played.failed else PASSED


def _refused(args: argparse.Namespace) -> str:
    """Why these arguments cannot be used together, "" when they can."""
    if args.record and (args.engine != "embedded" or args.processes > 1 or args.name):
        return "--record needs --engine embedded, -j 1 and whole files"
    if args.database and args.processes > 1:
        return "--database is one database; use it with -j 1"
    if args.kill_rasa and (args.engine != "rasa" or args.processes > 1):
        return "--kill-rasa needs --engine rasa and -j 1"
    if args.processes < 1:
        return "-j must be 1 or more"
    return ""


def _write(told: Told, args: argparse.Namespace) -> None:
    if args.junit:
        write_junit(told, args.junit)
    if args.html:
        write_html(told, args.html)
    sys.stdout.write((json_report(told) if args.json else text_report(told)) + "\n")


def _extra(args: argparse.Namespace) -> str:
    """What the command that plays a case again needs besides its name."""
    extra = f" --channel {args.channel}" if args.channel else ""
    return extra + (f" --engine {args.engine}" if args.engine != "embedded" else "")


def _unusable(reason: str) -> int:
    sys.stderr.write(f"rangkul replay: {reason}\n")
    return UNUSABLE


def _without_secrets() -> dict[str, str]:
    """The environment without keys and database: a replay brings its own and must never meet the real ones."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in _REAL and not name.startswith(("RANGKUL_KEYS__", "RANGKUL_DATABASE__"))
    }
