"""What somebody works as: the occupation and the sector that decides the discount.

Slots: `occupation` (code of our list), `sector` (`transport` or `other`). Source: domain.md 10.
"""

from __future__ import annotations

from flows.flow import Ask, Checked, Fill, Rejected, View
from flows.model import Value
from nlu.values import Reading
from nlu.values.occupations import OCCUPATIONS

_ASKED_BACK = ("not_working", "artisan_kind", "driver_kind", "employment_kind")
"""Doubts of the reader that decide who may join or what is paid."""


def _check_occupation(_: View, value: Value, reading: Reading | None) -> Checked:
    code = str(value)
    for doubt in reading.doubts if reading else ():
        if doubt in _ASKED_BACK:
            return Rejected(f"reject/occupation/{doubt}")
    return Fill({"occupation": code, "sector": OCCUPATIONS[code].sector})


def show_occupation(_: View, value: Value) -> str:
    """The label of an occupation code."""
    return OCCUPATIONS[str(value)].label


def occupation_step(*, key: str = "", skippable: bool = False) -> Ask:
    """The question that ends in `occupation` and `sector`."""
    return Ask("occupation", "occupation", check=_check_occupation, entity="occupation", show=show_occupation,
               names=("pekerjaan", "kerjaan", "kerja", "profesi"), label="occupation", key=key,
               skippable=skippable)  # fmt: skip
