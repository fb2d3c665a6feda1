"""Bears service processes: an interpreter that has imported everything forks one for each order.

Each is a process of its own that runs `rangkul run` from its first line and dies of a real SIGKILL; only the second
that Python takes to import is saved. Orders come as JSON lines on standard input; answers are `born PID` and
`gone PID STATUS`. When its input ends, it ends its own children.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeAlias

import bot.commands.run
import bot.web.app  # noqa: F401
import storage.migrate
import storage.postgres
import storage.sqlite  # noqa: F401
from bot.__main__ import main
from bot.channels.web import WebChannel
from storage.outbox import Outgoing

Serve: TypeAlias = Callable[[dict[str, str]], int]

SENDS = "STORM_SENDS"
"""The variable that names the file where a service notes what it handed to its channel."""


PUSHED = "STORM_PUSHED"
"""Set: replies are sent and marked one by one, as for a platform, though the page could read them by itself."""


def note_sends(path: str) -> None:
    """Every reply that the channel has taken is noted as `outbox-id pid`, before the service can mark it as sent."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    send = WebChannel.send

    async def noted(self: WebChannel, outgoing: Outgoing) -> None:
        await send(self, outgoing)
        os.write(file, b"%d %d\n" % (outgoing.id, os.getpid()))

    WebChannel.send = noted  # type: ignore[method-assign]


def serve(environ: dict[str, str]) -> int:
    """`rangkul run` in this very process."""
    os.environ.update(environ)
    note_sends(os.environ[SENDS])
    if os.environ.get(PUSHED):
        WebChannel.reads_outbox = False
    return main(["run"])


def _live(order: dict[str, object], run: Serve) -> NoReturn:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(str(order["log"]), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.closerange(3, 64)
    status = 1
    try:
        status = run({str(name): str(value) for name, value in dict(order["env"]).items()})  # type: ignore[call-overload]
    finally:
        sys.stdout.flush()
        os._exit(status)


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def _bury(children: set[int]) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        children.discard(pid)
        _say(f"gone {pid} {os.waitstatus_to_exitcode(status)}")


def tend(run: Serve = serve) -> None:
    """Until standard input ends; each child does `run` with the environment that it was ordered with."""
    children: set[int] = set()
    here, there = os.pipe()
    for end in (here, there):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(there)
    waiting = selectors.DefaultSelector()
    waiting.register(0, selectors.EVENT_READ)
    waiting.register(here, selectors.EVENT_READ)
    unread = b""
    while True:
        ready = [key.fd for key, _ in waiting.select()]
        if here in ready:
            os.read(here, 4096)
            _bury(children)
        if 0 not in ready:
            continue
        read = os.read(0, 65536)
        if not read:
            break
        *lines, unread = (unread + read).split(b"\n")
        for line in lines:
            pid = os.fork()
            if pid == 0:
                _live(json.loads(line), run)
            children.add(pid)
            _say(f"born {pid}")
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    if len(sys.argv) == 2 and sys.argv[1] == "--one":
        Path(os.environ[SENDS]).touch()
        sys.exit(serve({}))
    tend()
