"""Fixtures of the running program."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres import empty, migrated_postgres
from world import World

from bot import faults
from storage.database import create_from_template

__all__ = ["migrated_postgres"]


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    """An empty, migrated database of either kind and everything around it."""
    if request.param == "sqlite":
        path = tmp_path / "rangkul.db"
        asyncio.run(create_from_template(path).close())
        return World(f"sqlite:///{path}")
    url: str = request.getfixturevalue("migrated_postgres")
    empty(url)
    return World(url)


@pytest.fixture(autouse=True)
def no_fault_is_left() -> Iterator[None]:
    """A crash that one test ordered does not come in the next."""
    yield
    faults.disarm()
