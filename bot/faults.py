"""Crash points: places where a test may kill the program, to prove that nothing is lost or done twice.

`point(...)` costs one comparison and does nothing unless armed.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

Place = Literal["after_inbox", "before_commit", "after_commit", "after_send"]
"""after_inbox: stored, not worked on. before_commit: decided, not stored. after_commit: stored, nothing sent
yet. after_send: sent, not marked as sent."""

PLACES: Final[tuple[Place, ...]] = get_args(Place)


class SimulatedCrash(BaseException):
    """Ends everything in this process as a kill would; a BaseException so that nothing that works on catches it."""


@dataclass(slots=True)
class _Armed:
    place: Place
    passages_left: int
    kills: bool


_armed: _Armed | None = None
_lock = threading.Lock()  # before_commit is passed in the database's writer thread


def point(place: Place) -> None:
    """Dies here if armed for this place and this passage."""
    if _armed is not None and _armed.place == place:
        _pass(place)


def arm(place: Place, *, passage: int = 1) -> None:
    """Raises SimulatedCrash at the nth passage of the place, once."""
    _set(_Armed(place, passage, kills=False))


def disarm() -> None:
    """No crash is to come."""
    _set(None)


def is_armed() -> bool:
    """Whether an ordered crash has not come yet."""
    return _armed is not None


def arm_from_environment(environ: Mapping[str, str] = os.environ) -> None:
    """`RANGKUL_FAULT=before_commit:7` kills this very process (SIGKILL) at the seventh passage.

    Raises ValueError when it names no place.
    """
    order = environ.get("RANGKUL_FAULT", "")
    if not order:
        return
    name, _, passage = order.partition(":")
    place = next((place for place in PLACES if place == name), None)
    if place is None or not (passage or "1").isdigit() or int(passage or "1") < 1:
        raise ValueError(f"RANGKUL_FAULT: one of {', '.join(PLACES)}, then :n, not {order!r}")
    _set(_Armed(place, int(passage or "1"), kills=True))


def _set(armed: _Armed | None) -> None:
    global _armed
    _armed = armed


def _pass(place: Place) -> None:
    with _lock:
        armed = _armed
        if armed is None or armed.place != place:
            return
        armed.passages_left -= 1
        if armed.passages_left > 0:
            return
        _set(None)
    if armed.kills:
        os.kill(os.getpid(), signal.SIGKILL)
    raise SimulatedCrash(place)
