"""`tools/rasa.py` where no Rasa is needed: a machine without Python 3.10, programs that fail or hang, its files."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

FILE = Path(__file__).resolve().parents[2] / "tools" / "rasa.py"
TOOL: dict[str, Any] = runpy.run_path(str(FILE))


def check(home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """`tools/rasa.py check` on a machine whose PATH, pyenv and uv hold nothing."""
    env = {name: value for name, value in os.environ.items() if name not in {"PYENV_ROOT", "XDG_DATA_HOME"}}
    env |= {"PATH": str(home), "HOME": str(home), **more}
    return subprocess.run([sys.executable, str(FILE), "check"], env=env, capture_output=True, text=True, timeout=60)


def test_without_python_3_10_it_passes_and_says_so(tmp_path: Path) -> None:
    """A machine that cannot run Rasa is no reason to fail, and is told how to become one that can."""
    ended = check(tmp_path)
    assert ended.returncode == 0
    assert "there is none here" in ended.stdout and "Nothing to check" in ended.stdout


def test_a_wrong_python_is_refused(tmp_path: Path) -> None:
    """Who names one means it: another version is not passed over in silence."""
    ended = check(tmp_path, RASA_PYTHON=sys.executable)
    assert ended.returncode == 1
    assert "is no Python 3.10" in ended.stderr


def test_what_a_failing_program_said_is_kept(tmp_path: Path) -> None:
    """Its words are in the log that the refusal names."""
    log = tmp_path / "said.log"
    with pytest.raises(TOOL["Refused"], match=r"ended with 3; see .*said\.log"):
        TOOL["_run"]([sys.executable, "-c", "print('no space'); raise SystemExit(3)"], TOOL["Bounds"](log=log))
    assert log.read_text("utf-8") == "no space\n"


def test_a_hanging_program_is_ended() -> None:
    """When the time is over, that is said."""
    with pytest.raises(TOOL["OutOfTime"]):
        TOOL["_run"]([sys.executable, "-c", "import time; time.sleep(60)"], TOOL["Bounds"](time.monotonic() + 0.1))


def test_epochs_are_those_asked_for() -> None:
    """Both parts that learn get them, and nothing else changes."""
    shipped, asked = TOOL["_pipeline"]("config.yml", None), TOOL["_pipeline"]("config.yml", 7)
    assert re.findall(r"epochs: (\d+)", asked) == ["7", "7"]
    assert re.sub(r"epochs: \d+", "", asked) == re.sub(r"epochs: \d+", "", shipped)


def test_a_model_belongs_to_its_content(tmp_path: Path) -> None:
    """The key changes with a byte of the data and with the pipeline, and with nothing else."""
    data = tmp_path / "nlu.yml"
    data.write_text("a", "utf-8")
    first = TOOL["_digest"]([data], "pipeline")
    os.utime(data, (0, 0))
    assert TOOL["_digest"]([data], "pipeline") == first
    assert TOOL["_digest"]([data], "another") != first
    data.write_text("b", "utf-8")
    assert TOOL["_digest"]([data], "pipeline") != first


def test_other_files_are_no_rows(tmp_path: Path) -> None:
    """A file of values is refused by name."""
    rows = tmp_path / "values.tsv"
    rows.write_text("kind\ttext\texpected\nmoney\t5rb\t5000\n", "utf-8")
    with pytest.raises(TOOL["Refused"], match=r"values\.tsv: its header"):
        TOOL["_by_intent"](rows)
