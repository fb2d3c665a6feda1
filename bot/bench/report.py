"""The whole benchmark in one run, and how its figures are shown."""

from __future__ import annotations

import os
import platform
import secrets
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
import structlog

from bot.app import Program, open_program
from bot.bench import parts, served
from bot.bench.cost import Cost
from bot.bench.fresh import TURNS as FRESH_TURNS
from bot.bench.fresh import Fresh
from bot.bench.fresh import measure as start_fresh
from bot.channels.web import WebChannel
from bot.config import Config, Logs
from bot.logs import set_up_logs
from nlu.embedded.train import ensure_trained
from storage.database import create_from_template
from storage.keyring import KEY_BYTES, Keyring

UNHINDERED: Final = 1_000_000
"""Messages a minute: one visitor of the benchmark writes faster than people may."""

FIRST_BY_HAND: Final = 500
"""Numbers of walks from here on are taken without a server; below, they come over the page."""


class Split(msgspec.Struct, frozen=True):
    """CPU milliseconds of one turn by what they went to.

    `http` is what the server and the page's stream add to the same turn without them; `understanding`, `deciding`,
    `database` and `log` are measured alone on the same messages; `rest` is what they leave of the turn without server.
    """

    http: float
    understanding: float
    deciding: float
    database: float
    log: float
    rest: float


class Report(msgspec.Struct, frozen=True):
    """Milliseconds are CPU of the whole service process, all threads, for one turn (median of the rounds).

    `waited` are milliseconds from sending a message to its answer on the stream, as the visitor's process saw them.
    """

    at: str
    machine: str
    rounds: int
    turns_a_round: int
    turn_ms: float
    turn_waited_ms: float
    turn_statements: float
    turn_commits: float
    turn_without_server_ms: float
    turn_without_server_statements: float
    turn_without_server_commits: float
    split_ms: Split
    bare_insert_ms: float
    bare_insert_waited_ms: float
    turn_to_bare_insert: float
    fresh: Fresh | None = None


async def measure(config: Config, folder: Path, *, rounds: int, fresh: bool) -> Report:
    """Everything, one after the other, on this machine as it is now. Raises BenchError, NotDurable."""
    model = ensure_trained(config.nlu.cache_dir)
    started = start_fresh(folder, model.parent) if fresh else None
    with logging_to(folder / "service.log"):
        (bare, bare_waited), (turn, turn_waited) = await _over_http(config, folder, rounds)
        by_hand, split = await _by_hand(config, folder, rounds, turn)
    return Report(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        rounds=rounds,
        turns_a_round=served.TURNS_A_WALK,
        turn_ms=_short(turn.cpu_ms),
        turn_waited_ms=_short(turn_waited),
        turn_statements=_short(turn.statements),
        turn_commits=_short(turn.commits),
        turn_without_server_ms=_short(by_hand.cpu_ms),
        turn_without_server_statements=_short(by_hand.statements),
        turn_without_server_commits=_short(by_hand.commits),
        split_ms=split,
        bare_insert_ms=_short(bare.cpu_ms),
        bare_insert_waited_ms=_short(bare_waited),
        turn_to_bare_insert=_short(turn.cpu_ms / bare.cpu_ms),
        fresh=started,
    )


@contextmanager
def logging_to(path: Path) -> Iterator[None]:
    """The service's own log, written to a file for as long as this lasts."""
    before = structlog.get_config()
    try:
        with path.open("w", encoding="utf-8") as file:
            set_up_logs(Logs(level="info", format="json"), file)
            yield
    finally:
        structlog.configure(**before)


async def _over_http(config: Config, folder: Path, rounds: int) -> tuple[tuple[Cost, float], tuple[Cost, float]]:
    """The bare insert and the turn, one right after the other."""
    web = WebChannel()
    async with _program(config, folder / "page.db", web) as program:
        bare = await served.bare_inserts(folder, rounds=rounds)
        return bare, await served.turns_on_the_page(program, web, rounds=rounds)


async def _by_hand(config: Config, folder: Path, rounds: int, turn: Cost) -> tuple[Cost, Split]:
    storing = create_from_template(folder / "storing.db")
    async with _program(config, folder / "by_hand.db", WebChannel()) as program:
        await served.assert_durable(program)
        by_hand = await parts.turns_without_server(program, rounds=rounds, first=FIRST_BY_HAND)
        first = FIRST_BY_HAND + served.WARM_UP + rounds
        walks = [await parts.decided_turns(program, first + number) for number in range(served.WARM_UP + rounds)]
        try:
            database = (await parts.storing(program, storing, walks)).cpu_ms
        finally:
            await storing.close()
        understanding = parts.understanding_ms(program, walks[0])
        deciding, log = parts.deciding_ms(program, walks[0]), parts.logging_ms(walks[0])
    return by_hand, Split(
        http=_short(turn.cpu_ms - by_hand.cpu_ms),
        understanding=_short(understanding),
        deciding=_short(deciding),
        database=_short(database),
        log=_short(log),
        rest=_short(by_hand.cpu_ms - understanding - deciding - database - log),
    )


def _program(config: Config, path: Path, web: WebChannel) -> AbstractAsyncContextManager[Program]:
    """The program as the service opens it, on an empty file, with a visitor's limit out of the way."""
    keys = Keyring.from_keys({"bench": secrets.token_bytes(KEY_BYTES)}, "bench", secrets.token_bytes(KEY_BYTES))
    unhindered = config.model_copy(
        update={"demo": False, "web": config.web.model_copy(update={"messages_per_minute": UNHINDERED})}
    )
    return open_program(unhindered, keys=keys, database=create_from_template(path), channels=[web])


def _short(figure: float) -> float:
    return round(figure, 3)


def table(report: Report) -> str:
    """The figures for people."""
    split = report.split_ms
    lines = [
        f"{report.at}  {report.machine}  {report.rounds} rounds of {report.turns_a_round} turns, median",
        "",
        _row("one turn on the web page", report.turn_ms, "ms CPU"),
        _row("  http and stream", split.http, "ms"),
        _row("  understanding", split.understanding, "ms"),
        _row("  deciding and wording", split.deciding, "ms"),
        _row("  database", split.database, "ms"),
        _row("  log", split.log, "ms"),
        _row("  rest", split.rest, "ms"),
        _row("  statements", report.turn_statements),
        _row("  commits", report.turn_commits),
        _row("  the person waits", report.turn_waited_ms, "ms"),
        _row("the same turn without server", report.turn_without_server_ms, "ms CPU"),
        _row("  statements", report.turn_without_server_statements),
        _row("  commits", report.turn_without_server_commits),
        _row("a bare route with one durable insert", report.bare_insert_ms, "ms CPU"),
        _row("  its caller waits", report.bare_insert_waited_ms, "ms"),
        _row("  a turn costs as much as", report.turn_to_bare_insert, "of these"),
    ]
    if (fresh := report.fresh) is not None:
        lines += [
            _row("from the command to the first answer", fresh.first_answer_s, "s"),
            _row("  CPU of it", fresh.start_cpu_s, "s"),
            _row(f"memory after {FRESH_TURNS} turns", fresh.resident_mb, "MB"),
            _row("  at most", fresh.peak_mb, "MB"),
        ]
    return "\n".join(lines)


def _row(name: str, figure: float | None, unit: str = "") -> str:
    return f"{name:<38} {'-' if figure is None else f'{figure:.2f}':>9} {unit}".rstrip()
