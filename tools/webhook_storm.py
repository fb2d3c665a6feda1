"""Delivers thousands of webhooks to the real service, good and bad, and counts what came of each.

    python tools/webhook_storm.py [--channel telegram|whatsapp] [--deliveries 5000] [--seed 1] [--people 200]
                                  [--rate 45] [--json FILE]

The platform is the fake of this repository on 127.0.0.1, strict, with its rates; without `--channel` first Telegram,
then WhatsApp. A fifth of the deliveries are repeats, a tenth comes out of order, one in twenty is malformed, one in
fifty is not proved. Exit status 1 when anything is not as it must be.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "channels")]

from webhook_storm.delivery import Side  # noqa: E402
from webhook_storm.on_telegram import OnTelegram  # noqa: E402
from webhook_storm.on_whatsapp import OnWhatsApp  # noqa: E402
from webhook_storm.storm import Verdict, rage  # noqa: E402

from bot.config import load_config  # noqa: E402

CHANNELS = {"telegram": OnTelegram, "whatsapp": OnWhatsApp}
SHOWN = 20


def main() -> int:
    """Runs the storms."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--channel", choices=tuple(CHANNELS))
    parser.add_argument("--deliveries", type=int, default=5000)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=45.0, help="deliveries a second at most")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    given = parser.parse_args()
    names = [given.channel] if given.channel else list(CHANNELS)
    verdicts = {name: _storm(name, given) for name in names}
    if given.json:
        figures = {name: {**verdict.figures, "wrong": verdict.wrong} for name, verdict in verdicts.items()}
        given.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    for name, verdict in verdicts.items():
        _tell(name, verdict)
    return 1 if any(verdict.wrong for verdict in verdicts.values()) else 0


def _storm(name: str, given: argparse.Namespace) -> Verdict:
    chance = random.Random(given.seed)
    side: Side = CHANNELS[name](given.people, chance, limited=True)
    with tempfile.TemporaryDirectory(prefix="webhook-storm-") as folder:
        storm = rage(
            side,
            Path(folder),
            deliveries=given.deliveries,
            each_second=given.rate,
            chance=chance,
            cache_dir=load_config().nlu.cache_dir,
        )
        return asyncio.run(storm)


def _tell(name: str, verdict: Verdict) -> None:
    print(name)
    for what, figure in verdict.figures.items():
        print(f"  {what:<36}{figure:>8}")
    for wrong in verdict.wrong[:SHOWN]:
        print(f"  WRONG: {wrong}")
    print(f"  {len(verdict.wrong)} things wrong\n")


if __name__ == "__main__":
    sys.exit(main())
