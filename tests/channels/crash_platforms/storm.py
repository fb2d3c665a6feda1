"""The killing: a service that people write to on a platform dies at the crash points and at random moments."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace

import httpx
from sqlalchemy import Connection
from storm.kills import WHERES, Killer, Plan, Stretch
from storm.service import Nursery, free_port, until_up

from crash_platforms import CRASH
from crash_platforms.ground import FastClock, PlatformGround, served_here
from crash_platforms.people import Journey, Resident, Street
from crash_platforms.platform import Platform
from storage import inbox, outbox
from storage.database import open_database

DOUBT_S = 60.0
"""Seconds, of the platform's time, that WhatsApp's channel waits for a status (docs: what is promised)."""

QUIET_WITHIN_S = 300.0
LINGER_S = 0.5


@dataclass(slots=True)
class PlatformStorm:
    """What happened. `deaths` are moments of the monotonic clock; `quiet`: all was handled and sent in the end."""

    platform: Platform
    ground: PlatformGround
    clock: FastClock
    journeys: list[Journey]
    stretches: list[Stretch] = field(default_factory=list)
    deaths: list[float] = field(default_factory=list)
    marks: list[tuple[str, float]] = field(default_factory=list)
    """When each stretch began."""
    quiet: bool = False
    took_s: float = 0.0


async def rage(
    platform: Platform, ground: PlatformGround, clock: FastClock, plan: Plan, chance: random.Random
) -> PlatformStorm:
    """People write all the time, processes die by plan, and in the end everybody comes to the end of their journey.

    `plan.visitors` live in the street at a time.
    """
    began = time.monotonic()
    ports = [free_port() for _ in range(plan.processes)]
    async with AsyncExitStack() as stack:
        platform.open(await stack.enter_async_context(served_here(platform.app)), ports, chance)
        settings = {**platform.settings, "STORM_DOUBT_S": str(DOUBT_S / clock.speed)}
        ground = replace(ground, settings=settings)
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=20.0, trust_env=False))
        nursery = Nursery(ground, module="crash_platforms.nursery", beside=[CRASH.parent / "channels"])
        stack.push_async_callback(nursery.close)
        await nursery.open()
        lives = [await nursery.start(port) for port in ports]
        for port, life in zip(ports, lives, strict=True):
            await until_up(client, port, life)
        killers = [
            Killer(ground, nursery, client, port, life, chance, plan.last_passage)
            for port, life in zip(ports, lives, strict=True)
        ]
        street = Street(platform, client, ports, clock.speed, chance)
        storm = PlatformStorm(platform, ground, clock, street.journeys)
        carrying = asyncio.create_task(platform.carry())
        talking = [asyncio.create_task(Resident(street).live()) for _ in range(plan.visitors)]
        try:
            for where in WHERES:
                storm.marks.append((where, time.monotonic()))
                storm.stretches.append(await _stretch(plan, where, killers))
            street.stop.set()
            await asyncio.gather(*talking)
            storm.quiet = await _quiet(platform, ground)
        finally:
            for task in (*talking, carrying):
                task.cancel()
            await asyncio.gather(*talking, carrying, return_exceptions=True)
        storm.deaths = sorted(death for killer in killers for death in killer.deaths)
    storm.took_s = time.monotonic() - began
    return storm


async def _stretch(plan: Plan, where: str, killers: Sequence[Killer]) -> Stretch:
    stretch = Stretch(where)  # type: ignore[arg-type]
    count = {"random": plan.randoms, "stop": plan.stops}.get(where, plan.points)
    shares = [count // len(killers) + (n < count % len(killers)) for n in range(len(killers))]
    await asyncio.gather(*(killer.kill(stretch.where, n, stretch) for killer, n in zip(killers, shares, strict=True)))
    return stretch


async def _quiet(platform: Platform, ground: PlatformGround) -> bool:
    """Waits until nothing is on its way, to be handled or to be sent. False when that takes too long."""
    deadline = time.monotonic() + QUIET_WITHIN_S
    database = open_database(ground.database_url, create=False)
    try:
        while time.monotonic() < deadline:
            if platform.is_idle() and not await database.read(_waiting):
                await asyncio.sleep(LINGER_S)  # what was just sent is being told of
                if platform.is_idle():
                    return True
            await asyncio.sleep(0.2)
    finally:
        await database.close()
    return False


def _waiting(conn: Connection) -> int:
    return inbox.waiting(conn)[0] + outbox.waiting(conn)[0]
