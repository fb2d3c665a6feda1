"""`rangkul run`: the service. Workers, senders and timers in the background, the chat page in front."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Final

import structlog
import uvicorn
import uvloop
from starlette.types import ASGIApp

from bot import demo
from bot.app import Program, open_program
from bot.channels.platforms import Platforms
from bot.channels.web import WebChannel
from bot.commands.opening import arm_faults, command_parser, settings_of
from bot.config import Config, page_address
from storage.keyring import Keyring

GRACE_S: Final = 5
"""Seconds that open pages get to be answered when the service stops."""

log = structlog.get_logger()


def main(arguments: Sequence[str]) -> int:
    """Serves until it is told to stop (SIGTERM or Ctrl-C). Raises ConfigError when it may not start."""
    parser = command_parser("run", __doc__ or "")
    parser.add_argument("--demo", action="store_true", help="invented personas, throw-away keys, own database")
    parser.add_argument("--database", metavar="URL")
    config, keys = settings_of(parser.parse_args(arguments), quiet=False, demo_when_bare=False)
    arm_faults()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(config, keys))
    return 0


async def _serve(config: Config, keys: Keyring) -> None:
    from bot.web.app import build_web

    web = WebChannel()
    platforms = Platforms.open(config, keys)
    async with open_program(
        config,
        keys=keys,
        channels=[web, *platforms.channels],
        clock=platforms.clock,
        ids=platforms.ids,
        flows=platforms.flows,
    ) as program:
        platforms.connect(program)
        server = Server(
            server_config(
                build_web(program, routes=platforms.routes(), stopped=platforms.stopped),
                host=config.web.host,
                port=config.web.port,
            ),
            web,
            announce=lambda port: _announce(program, port),
        )
        program.start()
        platforms.begin()
        try:
            await server.serve()
        finally:
            await program.stop()  # what is being sent still needs its way out
            await platforms.stop()


def server_config(app: ASGIApp, *, host: str, port: int) -> uvicorn.Config:
    """How an application is served, here and where it is measured. Nothing but our own logs is written."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http="httptools",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )


class Server(uvicorn.Server):
    """Stops in good order on SIGTERM and SIGINT, and leaves closing the program to whoever opened it."""

    def __init__(self, config: uvicorn.Config, web: WebChannel, *, announce: Callable[[int], None]) -> None:
        super().__init__(config)
        self._web = web
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Says where the page is, once it can be opened; with port 0 that is known only then."""
        await super().startup(sockets=sockets)
        if self.started:
            self._announce(self.servers[0].sockets[0].getsockname()[1])

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Open pages would keep the server waiting; they connect again by themselves."""
        self._web.close()
        super().handle_exit(sig, frame)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)


def _announce(program: Program, port: int) -> None:
    print(f"Halaman chat: {page_address(program.config.web, port)}", flush=True)
    if program.config.demo:
        print(f"Demo: {', '.join(sorted(demo.PERSONAS))} (rangkul chat --persona NAMA)", flush=True)
    print("Petugas: rangkul tickets; rangkul ticket KODE show|take|reply|return|resolve --staff NAMA", flush=True)
    log.info("service.started", port=port, workers=program.config.turn.workers)
