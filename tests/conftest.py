"""What holds for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """A command that a test runs sets up its logs; the next test begins with those of a fresh process."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
