"""One turn as people cause it: a real server on loopback, a visitor in another process, a file with FULL commits."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Final

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from bot.app import Program
from bot.bench import visitors, walk
from bot.bench.cost import Cost, Meter, middle
from bot.bench.visitors import Insert, Open, Order, Walk
from bot.channels.web import WebChannel
from bot.commands.run import Server, server_config
from bot.web.app import build_web

WARM_UP: Final = 2
"""Walks that are not counted: code is loaded and caches fill."""

TURNS_A_WALK: Final = len(walk.messages(0))

FULL: Final = "2"
"""`PRAGMA synchronous` as SQLite tells FULL."""


class NotDurable(Exception):
    """The database does not write through: what would be measured here would be worth nothing."""


class BenchError(Exception):
    """The visitor in the other process failed."""


class _Visitor:
    """The other process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def do(self, order: Order) -> tuple[float, ...]:
        """Gives an order and waits until it is carried out; the milliseconds that each answer took."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(msgspec.json.encode(order) + b"\n")
        line = await self._process.stdout.readline()
        if not line:
            raise BenchError("the visitor gave up; its reason stands above")
        return visitors.answers.decode(line).waited_ms


async def turns_on_the_page(program: Program, web: WebChannel, *, rounds: int) -> tuple[Cost, float]:
    """One turn with everything a page causes, and the median milliseconds a person waits for the answer.

    Raises NotDurable, BenchError.
    """
    await assert_durable(program)
    costs: list[Cost] = []
    waited: list[float] = []
    program.start()
    async with serving(build_web(program), web) as port, _visiting(port) as visitor:
        for number in range(WARM_UP + rounds):
            await visitor.do(Open())
            gc.collect()
            meter = Meter(program.db)
            waited_ms = await visitor.do(Walk(number))
            if number >= WARM_UP:
                costs.append(meter.read(TURNS_A_WALK))
                waited += waited_ms
    return middle(costs), median(waited)


async def bare_inserts(folder: Path, *, rounds: int) -> tuple[Cost, float]:
    """The yardstick: a Starlette route that stores one row durably and does nothing else, on the same server."""
    table = _BareTable(folder / "bare.db")
    app = Starlette(routes=[Route("/insert", table.insert, methods=["POST"])])
    costs: list[Cost] = []
    waited: list[float] = []
    try:
        async with serving(app, WebChannel()) as port, _visiting(port) as visitor:
            for number in range(WARM_UP + rounds):
                gc.collect()
                meter = Meter()
                waited_ms = await visitor.do(Insert(TURNS_A_WALK))
                if number >= WARM_UP:
                    costs.append(meter.read(TURNS_A_WALK))
                    waited += waited_ms
    finally:
        table.close()
    return middle(costs), median(waited)


async def assert_durable(program: Program) -> None:
    """Asks the writing connection itself. Raises NotDurable."""
    pragmas = await program.db.pragmas()
    if pragmas["synchronous"] != FULL or pragmas["journal_mode"] != "wal":
        raise NotDurable(str(pragmas))


class _BareTable:
    """One table in a file of its own, written by one thread with the driver alone."""

    def __init__(self, path: Path) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._rows = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._rows.execute("PRAGMA journal_mode=WAL")
        self._rows.execute("PRAGMA synchronous=FULL")
        self._rows.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")

    async def insert(self, request: Request) -> Response:
        """Stores the body, then says 202."""
        body = await request.body()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._insert, body)
        return Response(b'{"ok":true}', 202, media_type="application/json")

    def _insert(self, body: bytes) -> None:
        self._rows.execute("INSERT INTO rows (body) VALUES (?)", (body,))  # commits by itself

    def close(self) -> None:
        self._thread.shutdown()
        self._rows.close()


@asynccontextmanager
async def serving(app: ASGIApp, web: WebChannel) -> AsyncIterator[int]:
    """The application on a free port, served as `rangkul run` serves it."""
    announced: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    config: uvicorn.Config = server_config(app, host="127.0.0.1", port=0)
    server = Server(config, web, announce=announced.set_result)
    serving = asyncio.create_task(server.serve())
    try:
        yield await announced
    finally:
        web.close()
        server.should_exit = True
        await serving


@asynccontextmanager
async def _visiting(port: int) -> AsyncIterator[_Visitor]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        visitors.__name__,
        str(port),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield _Visitor(process)
    finally:
        assert process.stdin
        process.stdin.close()
        await process.wait()
