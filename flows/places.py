"""Where somebody lives: a regency or city, and which of two that share a name.

Slots: `region` (code such as `32.75`) and, on the way to it, `region_twins` (two codes).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flows.flow import Ask, Fill, Pick, View
from flows.model import Value
from nlu.values import Refusal
from nlu.values.region_table import REGIONS


def region_name(code: str) -> str:
    """`Kota Bekasi`."""
    return REGIONS[code]


def _twins(view: View) -> tuple[Pick, ...]:
    codes = view.text("region_twins").split("|") if view.text("region_twins") else []
    return tuple(Pick(code, "", title=region_name(code).replace("Kabupaten ", "Kab. ")) for code in codes)


def _made_of_twins(_: View, refusal: Refusal) -> Fill | None:
    return Fill({"region_twins": refusal.detail["options"]}) if refusal.reason == "twin" else None


def _which(view: View) -> str:
    return "places/ask_which" if view.text("region_twins") else ""


def _show(_: View, value: Value) -> str:
    return region_name(str(value))


def region_step(args: Callable[[View], Mapping[str, str]]) -> Ask:
    """The question that ends in `region`; two places of one name are offered as a choice, and cost no miss."""
    return Ask("region", "region", entity="region", show=_show, label="region", args=args, picks=_twins,
               refused=_made_of_twins, other_key=_which, clears=("region_twins",),
               names=("kota", "kabupaten", "alamat", "tinggal", "daerah", "domisili", "wilayah"))  # fmt: skip
