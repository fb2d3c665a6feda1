"""Kills the real service under people who write on Telegram or WhatsApp, and checks what the platform and they got.

    python tools/platform_storm.py --channel telegram [--kills 300] [--people 20] [--seed 1] [--speed 1] [--json FILE]
    python tools/platform_storm.py --channel telegram-polling
    python tools/platform_storm.py --channel whatsapp
    python tools/platform_storm.py --channel telegram --database postgresql://postgres@127.0.0.1:5432

The platform is the fake of this repository on 127.0.0.1, with its rates, its repeats and its own time (`--speed`). On
SQLite one process serves; with `--database` two do, on a database of their own that is dropped in the end, and webhooks
go to either. Exit status 1 on any violation.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "channels")]

from crash_platforms.checks import judge  # noqa: E402
from crash_platforms.ground import FastClock, PlatformGround  # noqa: E402
from crash_platforms.on_telegram import OnTelegram  # noqa: E402
from crash_platforms.on_whatsapp import OnWhatsApp  # noqa: E402
from crash_platforms.platform import Platform  # noqa: E402
from crash_platforms.storm import rage  # noqa: E402
from storm.around import own_database, tell  # noqa: E402
from storm.checks import Verdict  # noqa: E402
from storm.kills import Plan  # noqa: E402

POINTS = 4
AT_POINTS = 0.4
"""The share of the kills that come at the crash points, alike at each; the others come at random."""

SHARED_LEASE_S = 5.0
"""Where several processes share the work, a dead one's leases run out by themselves."""


def main() -> int:
    """Runs one storm."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--channel", choices=("telegram", "telegram-polling", "whatsapp"), required=True)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--stops", type=int, default=10, help="orderly ends (SIGTERM) after the kills")
    parser.add_argument("--people", type=int, default=20, help="who write at the same time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", type=float, default=1.0, help="how fast the platform's time runs")
    parser.add_argument("--database", default="", help="a PostgreSQL server for two processes: postgresql://user@host")
    parser.add_argument("--lease", type=float, help="turn.lease_s of the services")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--keep", type=Path, help="a folder to keep database and logs in")
    given = parser.parse_args()
    if given.database and given.channel == "telegram-polling":
        parser.error("one process alone may ask Telegram for updates")
    with tempfile.TemporaryDirectory(prefix="platform-storm-") as throw_away:
        folder = given.keep or Path(throw_away)
        folder.mkdir(parents=True, exist_ok=True)
        verdict = asyncio.run(_run(given, folder))
    if given.json:
        given.json.write_text(json.dumps(asdict(verdict), indent=2) + "\n", "utf-8")
    tell(verdict, twice="got_twice", heading="came to the person twice")
    return 1 if verdict.violations else 0


async def _run(given: argparse.Namespace, folder: Path) -> Verdict:
    if not given.database:
        return await _storm(given, folder, f"sqlite:///{folder / 'storm.db'}", 1, given.lease)
    async with own_database(given.database, "rangkul_platforms") as url:
        lease_s = given.lease if given.lease is not None else SHARED_LEASE_S
        return await _storm(given, folder, url, 2, lease_s)


async def _storm(given: argparse.Namespace, folder: Path, url: str, processes: int, lease_s: float | None) -> Verdict:
    chance = random.Random(given.seed)
    clock = FastClock(given.speed)
    platform: Platform = OnWhatsApp(clock)
    if given.channel != "whatsapp":
        platform = OnTelegram(clock, polling=given.channel == "telegram-polling")
    points = round(given.kills * AT_POINTS / POINTS)
    plan = Plan(given.people, points, given.kills - POINTS * points, given.stops, processes)
    ground = PlatformGround.make(folder, url, chance, lease_s=lease_s)
    return await judge(await rage(platform, ground, clock, plan, chance))


if __name__ == "__main__":
    sys.exit(main())
