"""A real program on a real database whose answers are known beforehand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import pytest_asyncio
from web_service import KnownAnswers, MovableClock, Service

from bot.app import assemble
from bot.channels.web import WebChannel
from bot.clock import SystemIds
from bot.config import Config, Web
from bot.web.app import build_web
from storage.database import create_from_template
from storage.keyring import Keyring

MakeService = Callable[..., Awaitable[Service]]


@pytest_asyncio.fixture
async def make_service(tmp_path: Path) -> AsyncIterator[MakeService]:
    """Builds services with settings of one's own; all are closed in the end."""
    made: list[Service] = []

    async def make(*, demo: bool = False, **web: Any) -> Service:
        config = Config(demo=demo, web=Web(**web))
        clock, channel = MovableClock(), WebChannel()
        keys = Keyring.from_keys({"k1": bytes(range(32))}, "k1", bytes(range(1, 33)))
        database = create_from_template(tmp_path / f"web{len(made)}.db")
        nothing = cast(Any, None)
        program = assemble(config, keys, database, (channel,), clock, SystemIds(), nothing, nothing)
        bot = KnownAnswers(program)
        program.turns = cast(Any, bot)
        made.append(Service(program, channel, build_web(program), clock, bot))
        return made[-1]

    yield make
    for service in made:
        service.channel.close()
        await service.program.stop()
        await service.program.db.close()


@pytest_asyncio.fixture
async def service(make_service: MakeService) -> Service:
    """A service with the settings as they come."""
    return await make_service()
