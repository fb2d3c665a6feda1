"""Service processes from the outside: started, awaited, killed."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import random
import signal
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from storage.keyring import Keyring

ROOT: Final = Path(__file__).parents[3]
HERE: Final = Path(__file__).parents[1]

UP_WITHIN_S: Final = 60.0
LOOK_EVERY_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Ground:
    """What every process of one storm shares: the database, throw-away keys, a folder for logs.

    `pushed`: replies are sent and marked one by one, as for a platform, though the page could read them by itself.
    """

    folder: Path
    database_url: str
    encryption: bytes
    lookup: bytes
    lease_s: float | None = None
    pushed: bool = False

    @classmethod
    def make(
        cls,
        folder: Path,
        database_url: str,
        chance: random.Random,
        *,
        lease_s: float | None = None,
        pushed: bool = False,
    ) -> Ground:
        """Keys come from the storm's seed: they guard nothing."""
        return cls(folder, database_url, chance.randbytes(32), chance.randbytes(32), lease_s, pushed)

    @property
    def keys(self) -> Keyring:
        """The keys of these processes, for looking into their database."""
        return Keyring.from_keys({"storm": self.encryption}, "storm", self.lookup)

    @property
    def sends(self) -> Path:
        """Where the processes note what they handed to their channel."""
        return self.folder / "sends"

    def environ(self, port: int, fault: str = "") -> dict[str, str]:
        """The whole configuration of one process."""
        environ = {
            "RANGKUL_DATABASE_URL": self.database_url,
            "RANGKUL_PORT": str(port),
            "RANGKUL_ENCRYPTION_KEYS": f"storm:{base64.b64encode(self.encryption).decode()}",
            "RANGKUL_LOOKUP_KEY": base64.b64encode(self.lookup).decode(),
            "RANGKUL_WEB__MESSAGES_PER_MINUTE": "10000",
            "RANGKUL_LOGS__LEVEL": "warning",
            "RANGKUL_FAULT": fault,
            "STORM_SENDS": str(self.sends),
            "STORM_PUSHED": "1" if self.pushed else "",
        }
        if self.lease_s is not None:
            environ["RANGKUL_TURN__LEASE_S"] = str(self.lease_s)
        return environ


@dataclass(slots=True)
class Life:
    """One process. `gone` holds its exit status when it has ended, negative for a signal."""

    pid: int
    gone: asyncio.Future[int]
    born_at: float = field(default_factory=time.monotonic)

    def kill(self, by: signal.Signals = signal.SIGKILL) -> None:
        """Sends the signal, unless it is dead already."""
        if not self.gone.done():
            os.kill(self.pid, by)


class Nursery:
    """Starts service processes: forked from a warm interpreter, or `cold`, each with an interpreter of its own."""

    def __init__(
        self, ground: Ground, *, cold: bool = False, module: str = "storm.nursery", beside: Sequence[Path] = ()
    ) -> None:
        """`module` is what bears them, found in one of the folders `beside` this one."""
        self._ground = ground
        self._cold = cold
        self._module = module
        self._folders = [str(folder) for folder in (ROOT, HERE, *beside)]
        self._keeper: Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._births: asyncio.Queue[int] = asyncio.Queue()
        self._lives: dict[int, Life] = {}
        self._one_at_a_time = asyncio.Lock()

    async def open(self) -> None:
        """Warms the interpreter up."""
        if self._cold:
            return
        self._keeper = await asyncio.create_subprocess_exec(
            sys.executable, "-m", self._module, stdin=PIPE, stdout=PIPE, cwd=ROOT, env=self._environ({})
        )
        self._reader = asyncio.create_task(self._read(self._keeper))

    async def close(self) -> None:
        """Ends every process that was started here."""
        for life in self._lives.values():
            life.kill()
        if self._keeper is not None and self._keeper.stdin is not None:
            self._keeper.stdin.close()
            await self._keeper.wait()
        if self._reader is not None:
            await self._reader

    async def start(self, port: int, fault: str = "") -> Life:
        """A new service process on that port; it may not answer yet."""
        environ = self._ground.environ(port, fault)
        log = self._ground.folder / f"service-{port}.log"
        async with self._one_at_a_time:
            if self._keeper is None:
                return await self._start_cold(environ, log)
            assert self._keeper.stdin is not None
            order = {"env": environ, "log": str(log)}
            self._keeper.stdin.write(json.dumps(order).encode() + b"\n")
            pid = await self._births.get()
            if not pid:
                raise ChildProcessError("the nursery has died; what it said stands above")
            return self._lives[pid]

    async def _start_cold(self, environ: dict[str, str], log: Path) -> Life:
        with log.open("ab") as file:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", self._module, "--one"),
                cwd=ROOT,
                env=self._environ(environ),
                stdout=file,
                stderr=file,
            )
        life = Life(process.pid, asyncio.ensure_future(process.wait()))
        self._lives[process.pid] = life
        return life

    async def _read(self, keeper: Process) -> None:
        assert keeper.stdout is not None
        async for line in keeper.stdout:
            what, number, *status = line.decode().split()
            pid = int(number)
            if what == "born":
                self._lives[pid] = Life(pid, asyncio.get_running_loop().create_future())
                self._births.put_nowait(pid)
            else:
                self._lives.pop(pid).gone.set_result(int(status[0]))
        self._births.put_nowait(0)  # whoever waits for a birth learns that there will be none

    def _environ(self, more: dict[str, str]) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("RANGKUL_")}
        return {**ours, "PYTHONPATH": os.pathsep.join(self._folders), "OPENBLAS_NUM_THREADS": "1", **more}


async def until_up(client: httpx.AsyncClient, port: int, life: Life) -> bool:
    """True when the process answers, False when it died before. Raises TimeoutError when it does neither."""
    deadline = time.monotonic() + UP_WITHIN_S
    while time.monotonic() < deadline:
        if life.gone.done():
            return False
        try:
            answer = await client.get(f"http://127.0.0.1:{port}/health", timeout=2.0)
        except httpx.TransportError:
            await asyncio.sleep(LOOK_EVERY_S)
            continue
        if answer.status_code == 200:
            return True
    raise TimeoutError(f"no service on port {port}")


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
