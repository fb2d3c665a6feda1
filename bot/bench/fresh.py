"""`rangkul run --demo` as a process of its own: how soon it answers, and how much memory it takes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from bot.bench import walk
from bot.bench.page import Page
from bot.bench.served import TURNS_A_WALK, BenchError
from bot.web.personas import GUEST

TURNS: Final = 200
STOP_WITHIN_S: Final = 15
_PORT: Final = re.compile(r"http://127\.0\.0\.1:(\d+)")


class Fresh(msgspec.Struct, frozen=True):
    """Seconds from the command to the first answer on the page, and the process's memory after `TURNS` turns.

    Memory is None where the system has no `/proc`. `start_cpu_s` is the CPU that the start took.
    """

    first_answer_s: float
    start_cpu_s: float | None
    resident_mb: float | None
    peak_mb: float | None


def measure(folder: Path, cache_dir: Path) -> Fresh:
    """Starts the service on an empty database in `folder`, its engine trained in `cache_dir`. Raises BenchError.

    It is started once before, uncounted: from its second start on an installed program has its bytecode.
    """
    with _service(folder / "first", cache_dir, bytecode=folder) as (_, port):
        _say_hello(port)
    began = time.perf_counter()
    with _service(folder / "second", cache_dir, bytecode=folder) as (pid, port):
        _say_hello(port)
        first_answer_s = time.perf_counter() - began
        start_cpu_s = _cpu_s(pid)
        for number in range(TURNS // TURNS_A_WALK + 1):
            with Page(port, persona=GUEST) as page:
                for text in walk.messages(number):
                    page.say(text)
        return Fresh(first_answer_s, start_cpu_s, _memory_mb(pid, "VmRSS"), _memory_mb(pid, "VmHWM"))


def _say_hello(port: int) -> None:
    with Page(port, persona=GUEST) as page:
        page.say(walk.messages(0)[0])


@contextmanager
def _service(folder: Path, cache_dir: Path, *, bytecode: Path) -> Iterator[tuple[int, int]]:
    """The service as a process; its id and its port."""
    folder.mkdir()
    with (folder / "run.log").open("wb") as logs:
        service = subprocess.Popen(
            [sys.executable, "-m", "bot", "run", "--demo"],
            stdout=subprocess.PIPE,
            stderr=logs,
            text=True,
            env=_environment(folder, cache_dir, bytecode),
        )
    try:
        yield service.pid, _port_of(service)
    finally:
        service.terminate()
        service.wait(STOP_WITHIN_S)


def _environment(folder: Path, cache_dir: Path, bytecode: Path) -> Mapping[str, str]:
    theirs = ("RANGKUL_", "PYTHONDONTWRITEBYTECODE")
    ours = {name: value for name, value in os.environ.items() if not name.startswith(theirs)}
    return ours | {
        "PYTHONPYCACHEPREFIX": str(bytecode / "bytecode"),
        "RANGKUL_PORT": "0",
        "RANGKUL_DATABASE_URL": f"sqlite:///{folder / 'fresh.db'}",
        "RANGKUL_KEYS__DEMO_FILE": str(folder / "keys.json"),
        "RANGKUL_NLU__CACHE_DIR": str(cache_dir),
        "RANGKUL_WEB__MESSAGES_PER_MINUTE": "6000",
    }


def _port_of(service: subprocess.Popen[str]) -> int:
    assert service.stdout
    for line in service.stdout:
        if found := _PORT.search(line):
            return int(found[1])
    raise BenchError("the service did not start")


def _memory_mb(pid: int, field: str) -> float | None:
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return None
    found = re.search(rf"^{field}:\s+(\d+) kB$", status.read_text("ascii"), re.MULTILINE)
    return int(found[1]) / 1024 if found else None


def _cpu_s(pid: int) -> float | None:
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return None
    fields = stat.read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
