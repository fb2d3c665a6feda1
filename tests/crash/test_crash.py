"""The real service is killed under load, again and again: nothing is lost, nothing is made twice.

A short storm; `tools/crash_storm.py` runs the long one, whose figures stand in `docs/proofs/crashes.md`.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from storm.checks import Verdict, judge
from storm.kills import WHERES, Plan, rage
from storm.service import Ground

from bot.faults import PLACES


async def _storm(ground: Ground, plan: Plan) -> Verdict:
    storm = await rage(ground, plan, random.Random(7))
    return await judge(ground, storm)


@pytest.mark.asyncio
async def test_one_process_alone_on_its_file(tmp_path: Path) -> None:
    """Killed twice at each crash point and six times at random, with the lease of the default settings."""
    ground = Ground.make(tmp_path, f"sqlite:///{tmp_path / 'storm.db'}", random.Random(7))
    verdict = await _storm(ground, Plan(visitors=6, points=2, randoms=6))
    assert verdict.violations == []
    assert {row["where"]: row["kills"] for row in verdict.stretches} == {**dict.fromkeys(PLACES, 2), "random": 6}
    assert verdict.figures["sign-ups"] >= 6
    assert verdict.figures["requests that met a dead process"] > 0


@pytest.mark.asyncio
async def test_two_processes_on_one_database(tmp_path: Path, postgres_url: str) -> None:
    """Either of two is killed while the other goes on; what the dead one held is taken over when its lease ends."""
    ground = Ground.make(tmp_path, postgres_url, random.Random(7), lease_s=1.0)
    verdict = await _storm(ground, Plan(visitors=4, points=1, randoms=4, processes=2))
    assert verdict.violations == []
    assert [row["where"] for row in verdict.stretches] == list(WHERES)
    assert verdict.figures["kills"] == 8
