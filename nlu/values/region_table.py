"""The table of regions, read once: provinces (`32`) and regencies and cities (`32.75`) with their names."""

import csv
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

_TABLES = Path(__file__).resolve().parent.parent / "data_tables"


def _load() -> tuple[Mapping[str, str], Mapping[str, str]]:
    with (_TABLES / "regions.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["code"], row["name"]) for row in csv.DictReader(file)]
    provinces = {code: name for code, name in rows if len(code) == 2}
    regencies = {code: name for code, name in rows if len(code) == 5}
    return MappingProxyType(provinces), MappingProxyType(regencies)


#: Code to name, of the 38 provinces and of the 514 regencies and cities.
PROVINCES, REGIONS = _load()
