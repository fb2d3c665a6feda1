"""Kills the real service hundreds of times under load and checks that nothing is lost and nothing is doubled.

    python tools/crash_storm.py [--visitors 20] [--points 20] [--randoms 200] [--stops 20] [--seed 1] [--json FILE]
    python tools/crash_storm.py --database postgresql://postgres@127.0.0.1:5432 --processes 2

On SQLite the storm makes a file of its own in a throw-away folder. With `--database` it makes a database of its own
on that PostgreSQL server and drops it in the end. Everything stays on 127.0.0.1. Exit status 1 on any violation.
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
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "crash")]

from storm.around import own_database, tell  # noqa: E402
from storm.checks import Verdict, judge  # noqa: E402
from storm.kills import Plan, rage  # noqa: E402
from storm.service import Ground  # noqa: E402

SHARED_LEASE_S = 3.0
"""Nobody can tell a dead process's leases from a living one's where several share the work: they run out."""


def main() -> int:
    """Runs one storm."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--points", type=int, default=20, help="kills at each of the four crash points")
    parser.add_argument("--randoms", type=int, default=200, help="kills at random moments")
    parser.add_argument("--stops", type=int, default=20, help="orderly ends (SIGTERM) at random moments")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--database", default="", help="a PostgreSQL server: postgresql://user@host:port")
    parser.add_argument("--lease", type=float, help="turn.lease_s of the services")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pushed", action="store_true", help="send and mark each reply, as for a platform")
    parser.add_argument("--cold", action="store_true", help="start every process with an interpreter of its own")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--keep", type=Path, help="a folder to keep database, logs and notes in")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="crash-storm-") as throw_away:
        folder = given.keep or Path(throw_away)
        folder.mkdir(parents=True, exist_ok=True)
        verdict = asyncio.run(_run(given, folder))
    if given.json:
        given.json.write_text(json.dumps(asdict(verdict), indent=2) + "\n", "utf-8")
    tell(verdict, twice="handed_to_channel_twice", heading="handed to the channel twice")
    return 1 if verdict.violations else 0


async def _run(given: argparse.Namespace, folder: Path) -> Verdict:
    chance = random.Random(given.seed)
    plan = Plan(given.visitors, given.points, given.randoms, given.stops, given.processes)
    if not given.database:
        return await _storm(f"sqlite:///{folder / 'storm.db'}", given, plan, folder, chance, given.lease)
    async with own_database(given.database, "rangkul_storm") as url:
        lease_s = given.lease if given.lease is not None else SHARED_LEASE_S
        return await _storm(url, given, plan, folder, chance, lease_s)


async def _storm(
    url: str, given: argparse.Namespace, plan: Plan, folder: Path, chance: random.Random, lease_s: float | None
) -> Verdict:
    ground = Ground.make(folder, url, chance, lease_s=lease_s, pushed=given.pushed)
    storm = await rage(ground, plan, chance, cold=given.cold)
    return await judge(ground, storm)


if __name__ == "__main__":
    sys.exit(main())
