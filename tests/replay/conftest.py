"""Gives `runs`, the command as a tester uses it."""

from __future__ import annotations

from pathlib import Path

import pytest
from replay_runs import Runs


@pytest.fixture
def runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Runs:
    """Runs scripts written into a folder of their own."""
    return Runs(tmp_path, capsys)
