"""Both engines of understanding on the same labelled messages: how often right, how fast, how much memory.

The embedded engine runs in a process of its own. Rasa is asked as the service asks it; its memory is that of the
process that listens on its port, and unknown where the system has no `/proc`.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from bot.bench.engine_alone import DAY, Engine, labelled, measured, memory_mb
from bot.bench.served import BenchError
from bot.listener import pid_of_listener
from bot.loopback import Loopback, NoAnswer
from bot.rasa import Rasa
from nlu.embedded.train import ensure_trained
from nlu.rasa_answer import BadAnswer
from nlu.understand import load_embedded

RASA_WITHIN_S: Final = 10.0


def measure(files: Sequence[Path], *, cache_dir: Path, rasa_url: str) -> list[Engine]:
    """The embedded engine, then Rasa if a server answers. Raises BenchError, EvaluationFileError."""
    asked = labelled(files)
    model = ensure_trained(cache_dir)
    engines = [_in_own_process(model, files)]
    rasa = _rasa(asked, model, rasa_url)
    return engines if rasa is None else [*engines, rasa]


def table(engines: Sequence[Engine]) -> str:
    """The figures for people."""
    lines = [f"{'engine':<10} {'right':>7} {'median':>10} {'memory':>9}   of {engines[0].rows} messages"]
    for each in engines:
        memory = "-" if each.memory_mb is None else f"{each.memory_mb:.0f} MB"
        lines.append(f"{each.name:<10} {each.accuracy:>7.1%} {each.median_ms:>7.2f} ms {memory:>9}")
    if len(engines) == 1:
        lines.append("rasa: no server answers; `make rasa` starts one")
    return "\n".join(lines)


def _in_own_process(model: Path, files: Sequence[Path]) -> Engine:
    ended = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "bot.bench.engine_alone", str(model), *map(str, files)],
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode != 0:
        raise BenchError(ended.stderr.strip().rpartition("\n")[2] or "the embedded engine did not run")
    return msgspec.json.decode(ended.stdout, type=Engine)


def _rasa(asked: Sequence[tuple[str, str]], model: Path, url: str) -> Engine | None:
    server = Loopback(url)
    rasa = Rasa(server, load_embedded(model), RASA_WITHIN_S)
    with asyncio.Runner() as runner:
        try:
            return measured(
                "rasa",
                asked,
                lambda text: runner.run(rasa.understand(text, today=DAY)),
                lambda: _memory_of_listener(urlsplit(url).port),
            )
        except NoAnswer as failure:
            if failure.trouble == "refused":
                return None
            raise BenchError(f"Rasa at {url} gave no answer: {failure}") from failure
        except BadAnswer as failure:
            raise BenchError(f"Rasa at {url} answered nonsense: {failure}") from failure
        finally:
            server.close()


def _memory_of_listener(port: int | None) -> float | None:
    """The memory of the process that listens on a port of this machine; None when it cannot be told."""
    pid = None if port is None else pid_of_listener(port)
    return None if pid is None else memory_mb(str(pid))()
