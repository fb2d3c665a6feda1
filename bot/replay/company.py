"""Playing many cases: one stage a process, in order, or several processes side by side."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Final, Literal

from bot.config import Config
from bot.replay import recordings
from bot.replay.listening import LogKeeper
from bot.replay.outages import Ears, RasaEars, killer_of, rasa_ears
from bot.replay.outcome import CaseOutcome
from bot.replay.platforms import Platform
from bot.replay.player import Play
from bot.replay.recordings import Recorder
from bot.replay.script import Case, Script
from bot.replay.stage import Stage, open_stage
from flows.catalogue import load_flows
from flows.settings import Settings
from flows.work import Flows
from nlu.embedded.train import ensure_trained
from nlu.understand import Embedded, Understander, load_embedded

EngineName = Literal["embedded", "rasa", "recorded"]

CHUNKS_A_PROCESS: Final = 4
"""Into how many parts the work of one process is cut, so that a long part does not keep the others waiting."""


@dataclass(frozen=True, slots=True)
class Order:
    """How cases are played. `url` is "" for a throw-away database; `kill_rasa` as the option of that name says."""

    config: Config
    engine: EngineName = "embedded"
    record: bool = False
    url: str = ""
    covers: bool = False
    fail_fast: bool = False
    kill_rasa: bool = False
    watch: Callable[[str, Platform], None] | None = None


@dataclass(slots=True)
class Played:
    """What came of it; `seconds` is the time spent playing, without starting up.

    `rasa` is the count that `RasaWithUnderstudy` keeps, over all cases; empty without Rasa.
    """

    outcomes: list[CaseOutcome] = field(default_factory=list)
    seconds: float = 0.0
    rasa: Counter[str] = field(default_factory=Counter)

    @property
    def turns(self) -> int:
        return sum(outcome.turns for outcome in self.outcomes)

    @property
    def failed(self) -> int:
        return sum(not outcome.passed for outcome in self.outcomes)


def play(scripts: Sequence[Script], order: Order, *, processes: int = 1) -> Played:
    """Plays every case of every script, each in a world of its own. Outcomes come in the order of the scripts.

    Raises `RecordingError`, `EngineGone`, `storage.database.Unavailable` and `HoldsData`.
    """
    if processes <= 1:
        return asyncio.run(_play_all(scripts, order))
    return _play_side_by_side(scripts, order, processes)


async def _play_all(scripts: Sequence[Script], order: Order) -> Played:
    flows = flows_of(order.config.flow_settings())
    embedded = _embedded(order.config.nlu.cache_dir)
    log = LogKeeper()
    log.install()
    ears = await _ears(order, embedded)
    stage = await open_stage(order.config, flows, ears, url=order.url)
    played = Played()
    try:
        for script in scripts:
            if not await _play_script(script, order, stage, embedded, log, played):
                break
    finally:
        await stage.close()
        ears.close()
    if isinstance(ears, RasaEars):
        played.rasa += ears.counts
    return played


async def _ears(order: Order, embedded: Embedded) -> Ears:
    if order.engine != "rasa":
        return Ears(embedded, embedded)
    url = order.config.nlu.rasa_url
    return await rasa_ears(url, embedded, kill=killer_of(url) if order.kill_rasa else None)


async def _play_script(
    script: Script, order: Order, stage: Stage, embedded: Understander, log: LogKeeper, played: Played
) -> bool:
    """Plays one file. False when a case failed and that ends the whole."""
    file = recordings.file_of(script.path)
    recorded = recordings.load(file) if order.engine == "recorded" else None
    recorder = Recorder(embedded) if order.record else None
    if order.engine != "rasa":
        stage.ears.engine = recorded or recorder or embedded
    for case in script.cases:
        log.lines.clear()
        began = perf_counter()
        play = Play(stage, script, case, recorded=recorded, covers=order.covers, log=log.lines)
        outcome = await play.run()
        if order.watch is not None:
            order.watch(case.name, stage.platform)
        played.seconds += perf_counter() - began
        played.outcomes.append(outcome)
        if order.fail_fast and not outcome.passed:
            return False
    if recorder is not None:
        recorder.write(file)
    return True


def _play_side_by_side(scripts: Sequence[Script], order: Order, processes: int) -> Played:
    parts = list(_parts(scripts, processes * CHUNKS_A_PROCESS))
    began = perf_counter()
    played = Played()
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        running = [pool.submit(_play_part, part, order) for part in parts]
        for future in running:
            done = future.result()
            played.outcomes += done.outcomes
            played.rasa += done.rasa
            if order.fail_fast and done.failed:
                pool.shutdown(cancel_futures=True)
                break
    played.seconds = perf_counter() - began
    return played


def _play_part(part: Script, order: Order) -> Played:
    return asyncio.run(_play_all([part], order))


def _parts(scripts: Sequence[Script], wanted: int) -> Iterator[Script]:
    """The scripts, long ones cut, so that about so many parts come out."""
    cases = sum(len(script.cases) for script in scripts)
    size = max(1, -(-cases // wanted))
    for script in scripts:
        for first in range(0, len(script.cases), size):
            yield Script(script.path, script.now, script.cases[first : first + size])


def selected(script: Script, name: str) -> Script:
    """The cases whose name holds `name`, whatever its case."""
    kept: tuple[Case, ...] = tuple(case for case in script.cases if name.casefold() in case.name.casefold())
    return Script(script.path, script.now, kept)


def script_files(paths: Sequence[Path]) -> list[Path]:
    """The scripts under these paths: files as named, `*.yaml` and `*.yml` of folders and those below, in order."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(one for one in path.rglob("*") if one.suffix in (".yaml", ".yml"))
        else:
            found.append(path)
    return list(dict.fromkeys(found))


@lru_cache(maxsize=4)
def flows_of(settings: Settings) -> Flows:
    """The flows under these settings, loaded once a process. Raises CopyError."""
    return load_flows(settings)


@lru_cache(maxsize=4)
def _embedded(cache_dir: Path) -> Embedded:
    return load_embedded(ensure_trained(cache_dir))
