"""`rangkul bench`: what a turn costs, what it consists of, how soon the service answers and how much memory it takes.

Everything runs on files in a temporary folder, with the durability of the service, and is thrown away afterwards.
`rangkul bench nlu FILE…` measures the engines of understanding instead, on labelled messages; `rangkul bench channels`
what a turn costs on Telegram and WhatsApp, beside the bare libraries.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import uvloop

from bot.bench import engines
from bot.bench.report import Report, measure, table
from bot.bench.served import BenchError, NotDurable
from bot.commands.opening import command_parser
from bot.config import load_config
from nlu.embedded.train import TrainingFailed, ensure_trained
from nlu.evaluate import EvaluationFileError

ROUNDS: Final = 9


def main(arguments: Sequence[str]) -> int:
    """Measures and prints; 1 when something could not be measured."""
    if list(arguments[:1]) == ["nlu"]:
        return _engines(arguments[1:])
    if list(arguments[:1]) == ["channels"]:
        return _channels(arguments[1:])
    parser = command_parser("bench", __doc__ or "")
    parser.add_argument("--json", action="store_true", help="figures as JSON instead of a table")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help="walks a figure (default %(default)s)")
    parser.add_argument("--no-fresh", action="store_true", help="leave out start and memory of a fresh process")
    given = parser.parse_args(arguments)
    if given.rounds < 1:
        parser.error("--rounds must be at least 1")
    config = load_config(given.config)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="rangkul-bench-") as folder,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            report = runner.run(measure(config, Path(folder), rounds=given.rounds, fresh=not given.no_fresh))
    except (BenchError, NotDurable) as error:
        print(f"rangkul bench: {error}", file=sys.stderr)
        return 1
    print(_shown(report, as_json=given.json))
    return 0


def _engines(arguments: Sequence[str]) -> int:
    parser = command_parser("bench nlu", "Accuracy, median time and memory of the engines on the same messages.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="columns text and intent")
    parser.add_argument("--json", action="store_true", help="figures as JSON instead of a table")
    given = parser.parse_args(arguments)
    settings = load_config(given.config).nlu
    try:
        measured = engines.measure(given.files, cache_dir=settings.cache_dir, rasa_url=settings.rasa_url)
    except (BenchError, EvaluationFileError, TrainingFailed) as error:
        print(f"rangkul bench nlu: {error}", file=sys.stderr)
        return 1
    print(msgspec.json.encode(measured).decode() if given.json else engines.table(measured))
    return 0


def _channels(arguments: Sequence[str]) -> int:
    parser = command_parser("bench channels", "What one turn costs on each platform, beside its bare library's echo.")
    parser.add_argument("--json", action="store_true", help="figures as JSON instead of a table")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help="walks a figure (default %(default)s)")
    given = parser.parse_args(arguments)
    if given.rounds < 1:
        parser.error("--rounds must be at least 1")
    from bot.bench import channels  # loads both platforms' libraries

    config = load_config(given.config)
    ensure_trained(config.nlu.cache_dir)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="rangkul-bench-") as folder,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            report = runner.run(channels.measure(config, Path(folder), rounds=given.rounds))
    except (BenchError, NotDurable) as error:
        print(f"rangkul bench channels: {error}", file=sys.stderr)
        return 1
    as_json = msgspec.json.format(msgspec.json.encode(report), indent=2).decode()
    print(as_json if given.json else channels.table(report))
    return 0


def _shown(report: Report, *, as_json: bool) -> str:
    if as_json:
        return msgspec.json.format(msgspec.json.encode(report), indent=2).decode()
    return table(report)
