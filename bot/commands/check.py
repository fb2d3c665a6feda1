"""`rangkul check`: every problem in settings, flows, copy, training data and conversation scripts, all at once."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from bot.commands.channel_copy import platforms
from bot.commands.channel_copy import problems as channel_problems
from bot.commands.opening import command_parser
from bot.config import Config, ConfigError, has_secrets, load_config, require_secrets
from flows.catalogue import load_flows
from flows.check import problems as flow_problems
from flows.copybook import CopyError
from flows.work import Flows
from nlu.training_data import TrainingDataError, read_training_data

SCRIPTS: Final = Path(__file__).resolve().parents[2] / "tests" / "conversations"


def main(arguments: Sequence[str]) -> int:
    """Prints what is wrong, one line each. 0 nothing, 1 something."""
    parser = command_parser("check", __doc__ or "")
    parser.add_argument("scripts", nargs="*", type=Path, help="scripts or folders of them (tests/conversations)")
    found = list(all_problems(parser.parse_args(arguments)))
    for problem in found:
        print(problem)
    print(f"{len(found)} problem{'' if len(found) == 1 else 's'}", file=sys.stderr)
    return 1 if found else 0


def all_problems(given: argparse.Namespace) -> Iterator[str]:
    """Every problem, in the order in which they had better be mended."""
    config = Config()
    try:
        config = load_config(given.config)
        if has_secrets(config) and not config.demo:
            require_secrets(config)
    except ConfigError as error:
        yield from (f"settings: {problem}" for problem in error.problems)
    intents: frozenset[str] = frozenset()
    try:
        intents = frozenset(example.label for example in read_training_data().intents)
    except TrainingDataError as error:
        yield f"training data: {error}"
    try:
        flows = load_flows(config.flow_settings())
    except CopyError as error:
        yield from (f"copy: {problem}" for problem in error.problems)
        return
    yield from flow_problems(flows, intents)
    yield from channel_problems(flows, platforms(config))
    yield from script_problems(flows, given.scripts or [SCRIPTS])


def script_problems(flows: Flows, paths: Sequence[Path]) -> Iterator[str]:
    """Why scripts, or cases of them, could not be run, and which of their sentences were trained on."""
    from bot.replay.lint import problems

    for path in paths:
        if path.exists():
            yield from problems([path], flows)
        elif path != SCRIPTS:  # an installed program comes without the scripts of its tests
            yield f"{path}: no such file"
