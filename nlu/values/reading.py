"""What a reader of values gives back: a `Reading`, or a `Refusal` that says why not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Reading:
    """A value that was read, and what remains doubtful about it.

    `value` has the type of its kind: rupiah, counts, months and option numbers are `int`; everything else is `str`.
    `doubts` are fixed words ("per_day", "about", "slang_sum", "year_assumed" ...), in the order they were noticed.
    `detail` names further facts about the value (the label of a region, the group of an occupation).
    """

    value: str | int | bool
    doubts: tuple[str, ...] = ()
    detail: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a text gives no value: a fixed word, facts for the copy, and whether it looked like an attempt at all."""

    reason: str
    detail: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    attempt: bool = True
