"""Fixtures of the running program."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from world import World

from bot import faults


@pytest.fixture
def world(tmp_path: Path) -> World:
    """An empty, migrated database file and everything around it."""
    return World(tmp_path / "rangkul.db")


@pytest.fixture(autouse=True)
def no_fault_is_left() -> Iterator[None]:
    """A crash that one test ordered does not come in the next."""
    yield
    faults.disarm()
