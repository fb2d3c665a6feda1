"""`rangkul run --demo` as a process of its own: how soon it answers, and how much memory it takes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
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
    """Starts the service on an empty database in `folder`, its engine trained in `cache_dir`. Raises BenchError."""
    began = time.perf_counter()
    with (folder / "run.log").open("wb") as logs:
        service = subprocess.Popen(
            [sys.executable, "-m", "bot", "run", "--demo"],
            stdout=subprocess.PIPE,
            stderr=logs,
            text=True,
            env=_environment(folder, cache_dir),
        )
    try:
        port = _port_of(service)
        with Page(port, persona=GUEST) as page:
            page.say(walk.messages(0)[0])
        first_answer_s = time.perf_counter() - began
        start_cpu_s = _cpu_s(service.pid)
        for number in range(TURNS // TURNS_A_WALK + 1):
            with Page(port, persona=GUEST) as page:
                for text in walk.messages(number):
                    page.say(text)
        return Fresh(first_answer_s, start_cpu_s, _memory_mb(service.pid, "VmRSS"), _memory_mb(service.pid, "VmHWM"))
    finally:
        service.terminate()
        service.wait(STOP_WITHIN_S)


def _environment(folder: Path, cache_dir: Path) -> Mapping[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("RANGKUL_")}
    return ours | {
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
