"""Running scripts as a tester does: a file in, an exit code and a report out."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import pytest

from bot.replay import main


class Runs:
    """Writes scripts into a folder and runs the command on them."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capsys = capsys

    def script(self, text: str, name: str = "script.yaml") -> Path:
        path = self.folder / name
        path.write_text(textwrap.dedent(text).lstrip("\n"), "utf-8")
        return path

    def __call__(self, *arguments: str | Path) -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        code = main([str(argument) for argument in arguments])
        said = self.capsys.readouterr()
        return code, said.out, said.err

    def json(self, *arguments: str | Path) -> tuple[int, dict[str, Any]]:
        code, out, _ = self(*arguments, "--json")
        return code, json.loads(out)
