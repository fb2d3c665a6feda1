"""The real service is killed while people sign up and complain, with a photo, on Telegram and WhatsApp.

Short storms on platforms whose time runs fast; `tools/platform_storm.py` runs the long ones, whose figures stand in
`docs/proofs/platforms.md`.
"""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from crash_platforms.checks import judge
from crash_platforms.ground import FastClock, PlatformGround
from crash_platforms.on_telegram import OnTelegram
from crash_platforms.on_whatsapp import OnWhatsApp
from crash_platforms.platform import Platform
from crash_platforms.storm import rage
from storm.checks import Verdict
from storm.kills import Plan

from bot.faults import PLACES

SPEED = 20.0
SPEED_WITH_MINUTES = 30.0
"""On WhatsApp a minute is waited for a status, and by Meta for its next try."""

PLAN = Plan(visitors=2, points=1, randoms=2, last_passage=8)

pytestmark = pytest.mark.asyncio


async def _storm(platform: Platform, clock: FastClock, folder: Path, plan: Plan) -> Verdict:
    chance = random.Random(11)
    ground = PlatformGround.make(folder, f"sqlite:///{folder / 'storm.db'}", chance)
    verdict = await judge(await rage(platform, ground, clock, plan, chance))
    assert verdict.figures["people"] >= plan.visitors
    assert [row["kills"] for row in verdict.stretches] == [plan.points] * len(PLACES) + [plan.randoms, plan.stops]
    return verdict


@pytest.mark.parametrize("polling", [False, True], ids=["webhook", "polling"])
async def test_on_telegram(tmp_path: Path, polling: bool) -> None:
    """Killed at each crash point and at random: a reply may come twice, nothing else does, and nothing is lost."""
    clock = FastClock(SPEED)
    platform = OnTelegram(clock, polling=polling)
    verdict = await _storm(platform, clock, tmp_path, PLAN)
    assert verdict.violations == []
    assert verdict.figures["replies that came twice"] >= 1  # the one that was killed between acceptance and mark
    assert verdict.figures["buttons pressed"] > 0
    assert verdict.figures["files asked for"] >= verdict.figures["photos"]


async def test_on_whatsapp(tmp_path: Path) -> None:
    """The same; there a status that carries our id is waited for, and tells that nothing need be sent again."""
    clock = FastClock(SPEED_WITH_MINUTES)
    verdict = await _storm(OnWhatsApp(clock), clock, tmp_path, replace(PLAN, visitors=3, randoms=1))
    assert verdict.violations == []
    assert verdict.figures["messages with a status told"] > 0
