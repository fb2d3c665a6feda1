"""A smaller storm of webhooks on the real service; the large one is `tools/webhook_storm.py`."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
from webhook_storm.on_telegram import OnTelegram
from webhook_storm.on_whatsapp import OnWhatsApp
from webhook_storm.storm import rage

from bot.config import load_config

DELIVERIES = 200
PEOPLE = 20


@pytest.mark.parametrize("platform", [OnTelegram, OnWhatsApp])
def test_every_delivery_has_the_effect_it_must_have(platform: type[OnTelegram | OnWhatsApp], tmp_path: Path) -> None:
    """Each message stored and answered once, the bad ones refused, statuses at their highest. Rates: `test_flood`."""
    chance = random.Random(20_261_122)
    side = platform(PEOPLE, chance, limited=False)
    cache_dir = load_config().nlu.cache_dir
    verdict = asyncio.run(
        rage(side, tmp_path, deliveries=DELIVERIES, each_second=120, chance=chance, cache_dir=cache_dir)
    )
    assert verdict.wrong == [], (tmp_path / "service.log").read_text("utf-8")[-2000:]
    assert verdict.figures["deliveries"] == DELIVERIES
    assert verdict.figures["answered 400"] == DELIVERIES * 0.05
    assert verdict.figures["messages that came again"] > DELIVERIES * 0.08
