"""The killing: service processes under load die at the crash points and at random moments, and are started again."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final, Literal

import httpx

from bot.faults import PLACES
from storm.service import Ground, Life, Nursery, free_port, until_up
from storm.visitors import Visitor, World

Where = Literal["after_inbox", "before_commit", "after_commit", "after_send", "random", "stop"]
"""A crash point, a random moment, or (`stop`) a random moment with SIGTERM, the orderly end."""

WHERES: Final[tuple[Where, ...]] = (*PLACES, "random", "stop")

DIES_WITHIN_S: Final = 60.0
"""An ordered death that does not come so soon is a fault of the storm or of the crash point."""

LAST_PASSAGE: Final = 25
"""Crash points strike at the 1st to this passage after a start, if nothing else is said: different turns are hit."""

EARLY: Final = 10
"""Every so many random kills, one counts from the birth of the process: starting up must bear it too."""

STREAMING: Final = 4
"""One of so many visitors keeps a stream open; the others poll."""


class KillMissed(Exception):
    """A process did not die where it was told to."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything. `points` is for each of the four; `stops` are orderly ends."""

    visitors: int
    points: int
    randoms: int
    stops: int = 0
    processes: int = 1
    last_passage: int = LAST_PASSAGE


@dataclass(slots=True)
class Stretch:
    """The part of the storm in which kills are of one kind."""

    where: Where
    kills: int = 0
    restarts_s: list[float] = field(default_factory=list)
    sends_from: int = 0
    sends_to: int = 0


@dataclass(slots=True)
class Storm:
    """What happened."""

    stretches: list[Stretch]
    world: World
    took_s: float


async def rage(ground: Ground, plan: Plan, chance: random.Random, *, cold: bool = False) -> Storm:
    """The whole storm: visitors talk all the time, processes die by plan, and in the end everybody finishes."""
    began = time.monotonic()
    ports = [free_port() for _ in range(plan.processes)]
    async with AsyncExitStack() as stack:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=40)
        # Each visitor sends its own cookie: the client itself keeps none.
        no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=20.0, limits=limits, cookies=no_cookies))
        nursery = Nursery(ground, cold=cold)
        stack.push_async_callback(nursery.close)
        await nursery.open()
        world = World(client, ports, chance)
        first = [await nursery.start(port) for port in ports]
        for port, life in zip(ports, first, strict=True):
            await until_up(client, port, life)
        visitors = [
            Visitor(world, number, streams=number % STREAMING == STREAMING - 1) for number in range(plan.visitors)
        ]
        talking = [asyncio.create_task(visitor.live()) for visitor in visitors]
        killers = [Killer(ground, nursery, client, port, life, chance) for port, life in zip(ports, first, strict=True)]
        stretches = []
        try:
            for where in WHERES:
                stretches.append(await _stretch(ground, plan, where, killers))
            world.stop.set()
            await asyncio.gather(*talking)
        finally:
            for task in talking:
                task.cancel()
        await asyncio.sleep(0.5)  # the last replies are being marked as sent
    return Storm(stretches, world, time.monotonic() - began)


async def _stretch(ground: Ground, plan: Plan, where: Where, killers: Sequence[Killer]) -> Stretch:
    stretch = Stretch(where, sends_from=_size(ground))
    count = {"random": plan.randoms, "stop": plan.stops}.get(where, plan.points)
    shares = [count // len(killers) + (n < count % len(killers)) for n in range(len(killers))]
    await asyncio.gather(*(killer.kill(where, share, stretch) for killer, share in zip(killers, shares, strict=True)))
    stretch.sends_to = _size(ground)
    return stretch


def _size(ground: Ground) -> int:
    return ground.sends.stat().st_size if ground.sends.exists() else 0


@dataclass(slots=True)
class Killer:
    """Kills whatever runs on one port, again and again; leaves it running."""

    ground: Ground
    nursery: Nursery
    client: httpx.AsyncClient
    port: int
    life: Life
    random: random.Random
    last_passage: int = LAST_PASSAGE
    deaths: list[float] = field(default_factory=list)
    """When each death was seen, by the monotonic clock."""

    async def kill(self, where: Where, times: int, stretch: Stretch) -> None:
        """So many deaths of that kind, each followed by a start."""
        for number in range(times):
            match where:
                case "random":
                    await self._at_random(number, stretch, signal.SIGKILL)
                case "stop":
                    await self._at_random(number, stretch, signal.SIGTERM)
                case _:
                    await self._at_point(where, stretch)
            stretch.kills += 1
        if self.life.gone.done():
            await self._start("", stretch)

    async def _at_random(self, number: int, stretch: Stretch, by: signal.Signals) -> None:
        if self.life.gone.done():
            self.life = await self.nursery.start(self.port)
            if by == signal.SIGTERM or number % EARLY:
                await self._await_up(self.life, stretch)
        await asyncio.sleep(self.random.uniform(0.05, 0.6))
        self.life.kill(by)
        await self._died(self.life, 0 if by == signal.SIGTERM else -by)

    async def _at_point(self, where: Where, stretch: Stretch) -> None:
        if not self.life.gone.done():
            self.life.kill()  # it runs without an order; that it dies here as well is one more kill than asked for
            await self._died(self.life)
        await self._start(f"{where}:{self.random.randint(1, self.last_passage)}", stretch)
        await self._died(self.life)

    async def _start(self, fault: str, stretch: Stretch) -> None:
        self.life = await self.nursery.start(self.port, fault)
        await self._await_up(self.life, stretch)

    async def _await_up(self, life: Life, stretch: Stretch) -> None:
        if await until_up(self.client, self.port, life):
            stretch.restarts_s.append(time.monotonic() - life.born_at)

    async def _died(self, life: Life, expected: int = -signal.SIGKILL) -> None:
        try:
            status = await asyncio.wait_for(asyncio.shield(life.gone), DIES_WITHIN_S)
        except TimeoutError:
            raise KillMissed(f"process {life.pid} on port {self.port} lives on") from None
        if status != expected:
            raise KillMissed(f"process {life.pid} ended with status {status}, not {expected}; see its log")
        self.deaths.append(time.monotonic())
