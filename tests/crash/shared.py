"""Programs that share one database, as several processes would: each with its own connections, worker and queue."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

from bot.app import Program, open_program
from bot.channels.web import NAME, WebChannel
from bot.config import Config, DatabaseSection, load_config
from flows.model import Content, Text
from storage import inbox, outbox
from storage.inbox import Accepted, Arrival
from storage.keyring import Keyring
from storage.outbox import Outgoing

KEYS = Keyring.from_keys({"t": bytes(range(32))}, "t", bytes(range(32, 64)))
WITHIN_S = 30.0


def config_of(url: str) -> Config:
    """The default settings, on this database, with the trained engine of this checkout."""
    return load_config(None).model_copy(update={"database": DatabaseSection(url=url)})


@asynccontextmanager
async def one_program(url: str) -> AsyncIterator[Program]:
    """A program as the service opens it, working in the background."""
    async with open_program(config_of(url), keys=KEYS, channels=[WebChannel()]) as program:
        program.start()
        yield program


@asynccontextmanager
async def two_programs(url: str) -> AsyncIterator[tuple[Program, Program]]:
    """Two at once."""
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(one_program(url))
        second = await stack.enter_async_context(one_program(url))
        yield first, second


def arrival(address: str, external_id: str, content: Content | str) -> Arrival:
    """A message from a web visitor."""
    spoken = Text(content) if isinstance(content, str) else content
    return Arrival(NAME, address, external_id, spoken, None, datetime.now(UTC))


async def until(holds: Callable[[], object]) -> None:
    """Waits for something to become true. Raises TimeoutError."""
    deadline = time.monotonic() + WITHIN_S
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("it never became true")
        await asyncio.sleep(0.02)


async def quiet(program: Program) -> None:
    """Until no message waits to be handled and no reply to be sent."""
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        waiting = await program.db.read(lambda conn: inbox.waiting(conn)[0] + outbox.waiting(conn)[0])
        if not waiting:
            return
        await asyncio.sleep(0.05)
    raise TimeoutError(f"{waiting} rows still wait")


async def replies(program: Program, conversation: str) -> list[Outgoing]:
    """Everything said in a conversation, in its order."""
    return await program.db.read(lambda conn: outbox.since(conn, program.keys, conversation, 0, 1000))


async def say(program: Program, address: str, external_id: str, text: str) -> tuple[Accepted, list[Outgoing]]:
    """Says something and waits until all is quiet: what was answered to it."""
    accepted = await program.receive(arrival(address, external_id, text))
    await quiet(program)
    rows = await replies(program, accepted.conversation)
    return accepted, [row for row in rows if row.inbox_id == accepted.inbox_id]
