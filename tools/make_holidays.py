"""Writes flows/data/holidays.csv: the public holidays of Indonesia, for 2026 2027 2028 or the years given.

The table is committed because the `holidays` package would cost the service 19 MB (measured: 11 MB for the
import, 8 MB for three years). Run this once a year when the joint decree of the three ministers is out, read
the difference, and enter the collective leave (cuti bersama) in flows/data/calendar.yaml with its source.
"""

from __future__ import annotations

import csv
import sys
from importlib.metadata import version
from pathlib import Path

import holidays

TABLE = Path(__file__).resolve().parent.parent / "flows" / "data" / "holidays.csv"
ESTIMATED = " (perkiraan)"


def main(years: list[int]) -> None:
    """Replaces the whole table."""
    days = holidays.country_holidays("ID", years=years, language="id", categories=("public",))
    with TABLE.open("w", encoding="utf-8", newline="") as target:
        rows = csv.writer(target, lineterminator="\n")
        rows.writerow(["date", "name", "estimated", "source"])
        for day, name in sorted(days.items()):
            estimated = "yes" if ESTIMATED in name else "no"
            rows.writerow([day, name.replace(ESTIMATED, ""), estimated, f"holidays {version('holidays')}"])


if __name__ == "__main__":
    main([int(year) for year in sys.argv[1:]] or [2026, 2027, 2028])
