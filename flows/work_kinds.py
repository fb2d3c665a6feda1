"""What somebody works as: the occupation and the sector that decides the discount.

Slots: `occupation` (code of our list), `sector` (`transport` or `other`). Source: domain.md 10.
"""

from __future__ import annotations

from flows.flow import Ask, Checked, Fill, View
from flows.model import Value
from nlu.values import Reading
from nlu.values.occupations import OCCUPATIONS


def _check_occupation(_: View, value: Value, __: Reading | None) -> Checked:
    code = str(value)
    return Fill({"occupation": code, "sector": OCCUPATIONS[code].sector})


def show_occupation(_: View, value: Value) -> str:
    """The label of an occupation code."""
    return OCCUPATIONS[str(value)].label


def occupation_step(*, key: str = "", skippable: bool = False) -> Ask:
    """The question that ends in `occupation` and `sector`."""
    return Ask("occupation", "occupation", check=_check_occupation, entity="occupation", show=show_occupation,
               names=("pekerjaan", "kerjaan", "kerja", "profesi"), label="occupation", key=key,
               skippable=skippable)  # fmt: skip
