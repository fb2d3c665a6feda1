"""The stand-in for the conversation, and ways to reach the page of a service."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import uvicorn
from sqlalchemy import Connection
from starlette.applications import Starlette

from bot.app import Program
from bot.channels.web import WebChannel
from bot.turn import Outcome
from flows.model import Choice, Content, Decision, FormAnswer, Media, Text
from storage import conversations, turns
from storage.events import TurnRecord
from storage.inbox import Pending
from storage.outbox import Button, Rendered

ORIGIN = "http://127.0.0.1:8080"


class MovableClock:
    """The machine's time, moved forward by hand."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def answers_to(content: Content) -> tuple[Rendered, ...]:
    """What the stand-in for the conversation says."""
    match content:
        case Text(text="pilih"):
            options = (Button("Ya", "7:answer:1"), Button("Tidak", "7:answer:2"))
            return (Rendered(key="pilih", text="Apakah Bapak/Ibu sudah punya KTP?", options=options),)
        case Text(text="isi"):
            return (Rendered(key="isi", text="Nomor KTP (NIK) dipakai untuk mendaftar.", form="nik"),)
        case Text(text="tiga"):
            return tuple(Rendered(key="tiga", text=f"Bagian {n} dari 3.") for n in (1, 2, 3))
        case Text(text="petugas"):
            return (Rendered(key="", text="Selamat siang, ada yang bisa saya bantu?", author="Rina"),)
        case Text(text="diam"):
            return ()
        case Text(text=text):
            return (Rendered(key="ulang", text=f"Jawaban untuk: {text}"),)
        case Choice(payload=payload, title=title):
            return (Rendered(key="pilihan", text=f"Dipilih: {title} ({payload})"),)
        case Media(problem="", caption=caption):
            return (Rendered(key="foto", text=f"Foto diterima. {caption}".strip()),)
        case Media(problem=problem):
            return (Rendered(key="foto", text=f"Fotonya belum bisa dipakai: {problem}"),)
        case FormAnswer(slot=slot, value=value):
            return (Rendered(key="isian", text=f"Diterima: {slot} dengan {len(value)} angka."),)
        case _:
            return (Rendered(key="lain", text="?"),)


@dataclass
class KnownAnswers:
    """Takes turns as the real ones do, except that what is said is a plain function of what was sent."""

    program: Program
    pause_s: float = 0.0
    handled: list[Content] = field(default_factory=list)

    async def handle(self, pending: Pending) -> Outcome:
        if self.pause_s:
            await asyncio.sleep(self.pause_s)
        await self.program.db.transaction(lambda conn: self._store(conn, pending))
        self.handled.append(pending.content)
        self.program.wake()  # the rows are free for the program's own sender
        return Outcome.HANDLED

    def _store(self, conn: Connection, pending: Pending) -> None:
        program, now = self.program, self.program.clock.now()
        held = conversations.hold(conn, program.keys, pending.conversation, pending.inbox_id)
        turns.finish(
            conn,
            program.keys,
            held,
            pending,
            Decision(held.session, ()),
            answers_to(pending.content),
            ids=program.ids,
            now=now,
            handing=turns.Handing(program.worker, now),
            record=TurnRecord(),
        )


@dataclass
class Service:
    """The program, its page as an application, and the clock to move."""

    program: Program
    channel: WebChannel
    app: Starlette
    clock: MovableClock
    bot: KnownAnswers

    def client(self, **headers: str) -> httpx.AsyncClient:
        """A browser that has visited nothing yet."""
        transport = httpx.ASGITransport(self.app, client=("10.1.2.3", 5000))
        return httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"origin": ORIGIN, **headers})

    async def visitor(self) -> httpx.AsyncClient:
        """A browser that has opened the page."""
        client = self.client()
        assert (await client.get("/")).status_code == 200
        return client

    async def rows(self, table: str) -> int:
        """How many rows a table has."""
        from sqlalchemy import text

        return await self.program.db.read(
            lambda conn: int(conn.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608
        )


@asynccontextmanager
async def served(service: Service, *, port: int = 0) -> AsyncIterator[str]:
    """The service on a real port, with its background work running; gives its address."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    server = uvicorn.Server(uvicorn.Config(service.app, log_level="error", lifespan="off", timeout_graceful_shutdown=2))
    service.program.start()
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    await until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        service.channel.close()
        server.should_exit = True
        await serving
        await service.program.stop()
        listener.close()


async def until(found: Callable[[], bool], *, within_s: float = 5.0) -> None:
    """Waits until something is so; fails when it never is."""
    for _ in range(int(within_s / 0.01)):
        if found():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it did not happen in time")
