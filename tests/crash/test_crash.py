"""The real service is killed under load, again and again: nothing is lost, nothing is made twice.

A short storm; `tools/crash_storm.py` runs the long one, whose figures stand in `docs/proofs/crashes.md`.
"""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import httpx
import pytest
from storm.checks import Verdict, judge
from storm.kills import WHERES, Plan, rage
from storm.service import Ground, Nursery, free_port, until_up

from bot.faults import PLACES


async def _storm(ground: Ground, plan: Plan) -> Verdict:
    storm = await rage(ground, plan, random.Random(7))
    return await judge(ground, storm)


@pytest.mark.asyncio
async def test_one_process_alone_on_its_file(tmp_path: Path) -> None:
    """Killed twice at each crash point and six times at random, stopped twice, with the lease of the defaults."""
    ground = Ground.make(tmp_path, f"sqlite:///{tmp_path / 'storm.db'}", random.Random(7))
    verdict = await _storm(ground, Plan(visitors=4, points=2, randoms=6, stops=2))
    assert verdict.violations == []
    assert {row["where"]: row["kills"] for row in verdict.stretches} == {
        **dict.fromkeys(PLACES, 2),
        "random": 6,
        "stop": 2,
    }
    assert verdict.figures["sign-ups"] >= 4
    assert verdict.figures["requests that met a dead process"] > 0


@pytest.mark.asyncio
async def test_replies_that_a_platform_must_be_sent(tmp_path: Path) -> None:
    """Marked one by one after sending: every reply reaches the channel at least once, whenever the sender dies."""
    ground = Ground.make(tmp_path, f"sqlite:///{tmp_path / 'storm.db'}", random.Random(8), pushed=True)
    verdict = await _storm(ground, Plan(visitors=3, points=1, randoms=2))
    assert verdict.violations == []
    assert sum(int(row["handed_to_channel_twice"]) for row in verdict.stretches if row["where"] == "after_send") > 0


@pytest.mark.asyncio
async def test_two_processes_on_one_database(tmp_path: Path, postgres_url: str) -> None:
    """Either of two is killed while the other goes on; what the dead one held is taken over when its lease ends."""
    ground = Ground.make(tmp_path, postgres_url, random.Random(7), lease_s=1.0, pushed=True)
    verdict = await _storm(ground, Plan(visitors=3, points=1, randoms=4, processes=2))
    assert verdict.violations == []
    assert [row["where"] for row in verdict.stretches] == list(WHERES)
    assert verdict.figures["kills"] == 8


@pytest.mark.asyncio
async def test_killed_while_it_makes_its_schema(tmp_path: Path, shared_url: str) -> None:
    """Whenever its very first starts are killed, the next one comes up on a database that is whole."""
    ground = Ground.make(tmp_path, shared_url, random.Random(7))
    nursery = Nursery(ground)
    await nursery.open()
    try:
        port = free_port()
        for delay_s in (0.03, 0.06, 0.09, 0.12, 0.15, 0.2):
            life = await nursery.start(port)
            await asyncio.sleep(delay_s)
            life.kill()
            await life.gone
        async with httpx.AsyncClient() as client:
            assert await until_up(client, port, await nursery.start(port))
            ready = await client.get(f"http://127.0.0.1:{port}/ready")
        assert (ready.status_code, ready.text) == (200, "ok")
    finally:
        await nursery.close()
