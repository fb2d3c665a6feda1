"""What one turn costs on Telegram and WhatsApp, from the webhook to the call that sends the answer.

Beside it, in the same run and turn by turn with it, the bare library's echo. The platform and the person are processes
of their own (`far_platforms`), so that only this process's CPU time counts.
"""

from __future__ import annotations

import asyncio
import gc
import os
import platform
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Final

import msgspec
from starlette.types import ASGIApp

from bot.app import open_program
from bot.bench import bare_channels, far_platforms
from bot.bench.cost import Cost, Meter, middle
from bot.bench.far_platforms import SECRET, Walk, Walked
from bot.bench.report import logging_to
from bot.bench.served import TURNS_A_WALK, BenchError, assert_durable, serving
from bot.channels.platforms import Platforms
from bot.channels.web import WebChannel
from bot.config import Config
from bot.fakes.telegram import TOKEN
from bot.fakes.whatsapp_records import Account
from bot.web.app import build_web
from storage.database import Database, create_from_template
from storage.keyring import KEY_BYTES, Keyring

NAMES: Final = ("telegram", "whatsapp")
WARM_UP: Final = 1
"""Walks of each kind that are not counted."""


class ChannelCost(msgspec.Struct, frozen=True):
    """One channel, for one turn (median of the rounds). Milliseconds of CPU are of the whole service process.

    `waited_ms`: from the post of the webhook until the answer was at the platform, as the platform saw it.
    `bare_ms`: the bare library's echo. `statuses_ms`, `statuses`: what is added where the platform tells of the answer
    as sent, delivered and read, in CPU milliseconds and statements; None where no platform does.
    """

    turn_ms: float
    waited_ms: float
    statements: float
    commits: float
    answers: float
    bare_ms: float
    bare_waited_ms: float
    turn_to_bare: float
    statuses_ms: float | None = None
    statuses: float | None = None


class ChannelReport(msgspec.Struct, frozen=True):
    """Everything, measured at once."""

    at: str
    machine: str
    rounds: int
    turns_a_round: int
    telegram: ChannelCost
    whatsapp: ChannelCost


@dataclass(slots=True)
class _Way:
    """One thing to measure: orders to the far side, and what they cost here."""

    far: _Far
    url: str
    echo: bool = False
    statuses: bool = False
    costs: list[Cost] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    async def walk(self, number: int, database: Database, *, counts: bool) -> None:
        """One round."""
        gc.collect()
        meter = Meter(database)
        walked = await self.far.do(Walk(self.url, number, signs_up=not self.echo, statuses=self.statuses))
        if counts:
            self.costs.append(meter.read(TURNS_A_WALK))
            self.waited += walked.waited_ms
            self.answers.append(walked.answers)

    @property
    def cost(self) -> Cost:
        return middle(self.costs)


class _Far:
    """The other process of one platform. `url` is where its API is."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self._process = process
        self.url = url

    async def do(self, order: Walk) -> Walked:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(msgspec.json.encode(order) + b"\n")
        line = await self._process.stdout.readline()
        if not line:
            raise BenchError("the platform gave up; its reason stands above")
        return far_platforms.answers.decode(line)


async def measure(config: Config, folder: Path, *, rounds: int) -> ChannelReport:
    """Both channels and both echoes, taking turns. Raises BenchError, NotDurable."""
    async with AsyncExitStack() as stack:
        fars = {name: await stack.enter_async_context(_far(name)) for name in NAMES}
        stack.enter_context(logging_to(folder / "service.log"))
        service, database = await stack.enter_async_context(_service(_configured(config, fars), folder))
        ways: dict[str, _Way] = {}
        for name, echo in (("telegram", bare_channels.telegram_echo), ("whatsapp", bare_channels.whatsapp_echo)):
            bare = await stack.enter_async_context(serving(echo(fars[name].url), WebChannel()))
            ways[name] = _Way(fars[name], f"http://127.0.0.1:{service}/webhooks/{name}")
            ways[f"bare {name}"] = _Way(fars[name], f"http://127.0.0.1:{bare}/echo", echo=True)
        ways["statuses"] = _Way(fars["whatsapp"], ways["whatsapp"].url, statuses=True)
        for number in range(WARM_UP + rounds):
            for place, way in enumerate(ways.values()):
                await way.walk(len(ways) * number + place, database, counts=number >= WARM_UP)
    return ChannelReport(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        rounds=rounds,
        turns_a_round=TURNS_A_WALK,
        telegram=_channel_cost(ways["telegram"], ways["bare telegram"]),
        whatsapp=_channel_cost(ways["whatsapp"], ways["bare whatsapp"], ways["statuses"]),
    )


def table(report: ChannelReport) -> str:
    """The figures for people."""
    lines = [
        f"{report.at}  {report.machine}  {report.rounds} rounds of {report.turns_a_round} turns, median",
        "",
        f"{'one turn':<44}{'telegram':>10}{'whatsapp':>10}",
    ]
    names = {
        "turn_ms": "webhook to sent answer, ms CPU",
        "statements": "  statements",
        "commits": "  commits",
        "answers": "  messages sent",
        "waited_ms": "  the person waits, ms",
        "bare_ms": "the bare library's echo, ms CPU",
        "bare_waited_ms": "  the person waits, ms",
        "turn_to_bare": "a turn costs as much as so many echoes",
        "statuses_ms": "three statuses of the answer more, ms CPU",
        "statuses": "  statements more",
    }
    for figure, name in names.items():
        figures = [getattr(cost, figure) for cost in (report.telegram, report.whatsapp)]
        lines.append(f"{name:<44}" + "".join(f"{'-' if one is None else f'{one:.2f}':>10}" for one in figures))
    return "\n".join(lines)


def _channel_cost(turn: _Way, bare: _Way, told: _Way | None = None) -> ChannelCost:
    cost = turn.cost
    return ChannelCost(
        turn_ms=round(cost.cpu_ms, 3),
        waited_ms=round(median(turn.waited), 3),
        statements=round(cost.statements, 3),
        commits=round(cost.commits, 3),
        answers=round(median(turn.answers) / TURNS_A_WALK, 3),
        bare_ms=round(bare.cost.cpu_ms, 3),
        bare_waited_ms=round(median(bare.waited), 3),
        turn_to_bare=round(cost.cpu_ms / bare.cost.cpu_ms, 3),
        statuses_ms=round(told.cost.cpu_ms - cost.cpu_ms, 3) if told else None,
        statuses=round(told.cost.statements - cost.statements, 3) if told else None,
    )


def _configured(config: Config, fars: dict[str, _Far]) -> Config:
    """Both channels on, at the fakes, with limits that one person does not reach: they are kept all the same."""
    account = Account()
    telegram = {
        "token": TOKEN,
        "secret_token": SECRET,
        "mode": "webhook",
        "api_base_url": fars["telegram"].url,
        "messages_per_second": 1000,
        "messages_burst": 1000,
        "chat_interval_s": 0.001,
    }
    whatsapp = {
        "token": account.token,
        "app_secret": account.app_secret,
        "verify_token": "bench-verify-token",
        "phone_number_id": account.phone_id,
        "waba_id": account.waba_id,
        "api_base_url": f"{fars['whatsapp'].url}/v26.0",
        "number_per_second": 1000,
        "number_burst": 1000,
        "pair_interval_s": 0.001,
    }
    update: dict[str, Any] = {
        "demo": False,
        "web": config.web.model_copy(update={"public_url": "https://bench.invalid"}),
        "telegram": config.telegram.model_validate(telegram),
        "whatsapp": config.whatsapp.model_validate(whatsapp),
    }
    return config.model_copy(update=update)


@asynccontextmanager
async def _service(config: Config, folder: Path) -> AsyncIterator[tuple[int, Database]]:
    """The program with both channels, served as `rangkul run` serves it: its port, and its database."""
    keys = Keyring.from_keys({"bench": secrets.token_bytes(KEY_BYTES)}, "bench", secrets.token_bytes(KEY_BYTES))
    platforms, web = Platforms.open(config, keys), WebChannel()
    async with open_program(
        config,
        keys=keys,
        database=create_from_template(folder / "channels.db"),
        channels=[web, *platforms.channels],
        clock=platforms.clock,
        ids=platforms.ids,
        flows=platforms.flows,
    ) as program:
        platforms.connect(program)
        await assert_durable(program)
        app: ASGIApp = build_web(program, routes=platforms.routes())
        program.start()
        platforms.begin()
        try:
            async with serving(app, web) as port:
                yield port, program.db
        finally:
            await program.stop()
            await platforms.stop()


@asynccontextmanager
async def _far(name: str) -> AsyncIterator[_Far]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", far_platforms.__name__, name),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin and process.stdout
    try:
        yield _Far(process, msgspec.json.decode(await process.stdout.readline(), type=str))
    finally:
        process.stdin.close()
        await process.wait()
