"""A talk through everything that is real: updates over HTTP, the program on its database, replies over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import pytest
from telegram_judge import judge_call
from telegram_world import FLOWS, KEYS, World, over_http

from bot.app import Program, open_program
from bot.clock import SystemClock, SystemIds
from bot.config import Config
from bot.fakes.telegram_faults import UNAUTHORIZED
from bot.fakes.telegram_limits import Limits
from bot.fakes.telegram_world import Accepted
from nlu.understanding import Ranked, Understanding
from storage import tickets
from storage.database import create_from_template
from storage.tickets import STOPPED

pytestmark = pytest.mark.asyncio


class Knows:
    """An engine that knows one sentence."""

    def parse(self, text: str, *, today: date) -> Understanding:
        intent = "enroll" if text == "mau daftar" else "out_of_scope"
        return Understanding(text, intent, 0.95, (Ranked(intent, 0.95),), (Ranked("other", 0.9),), engine="recorded")


@asynccontextmanager
async def _service(world: World, database: Path) -> AsyncIterator[Program]:
    async with open_program(
        Config(),
        keys=KEYS,
        database=create_from_template(database),
        channels=[world.telegram.channel],
        clock=SystemClock(),
        ids=SystemIds(),
        flows=FLOWS,
        understander=Knows(),
    ) as program:
        world.telegram.connect(program.take_in, program.sender.tell_of_stop)
        program.start()
        world.telegram.begin()
        try:
            yield program
        finally:
            await world.telegram.stop()


async def _reply(world: World, chat: int, count: int) -> Accepted:
    """The newest reply once there are so many."""
    async with asyncio.timeout(20):
        while len(world.fake.said_to(chat)) < count:  # noqa: ASYNC110 - it happens in another thread
            await asyncio.sleep(0.02)
    return world.fake.said_to(chat)[count - 1]


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - it happens in another thread
            await asyncio.sleep(0.02)


async def test_a_talk_by_asking_for_updates(tmp_path: Path) -> None:
    """A link opens a task, a button answers, the platform's rates hold, and strangers find nothing wrong."""
    with over_http(limits=Limits()) as world:
        budi, updates = world.fake.person("Budi"), world.fake.updates
        async with _service(world, tmp_path / "a.db"):
            world.fake.put(updates.start(budi))
            menu = await _reply(world, budi.id, 1)
            titles = [title for title, _ in menu.buttons]
            assert "1. Daftar" in titles
            world.fake.put(updates.press(budi, "1. Daftar"))
            await _until(lambda: len(world.fake.said_to(budi.id)) >= 2)
            wati = world.fake.person("Wati")
            world.fake.put(updates.start(wati, world.telegram.links.payload_of("enroll")))
            opened = await _reply(world, wati.id, 1)
            assert opened.text
            assert opened.text != menu.text
            await _until(lambda: any(call.method == "answerCallbackQuery" for call in world.fake.requests))
        assert world.fake.refusals == []
        assert world.fake.violations == []
        for call in world.fake.requests:
            if call.method != "getUpdates":
                judge_call(call)


@pytest.mark.parametrize("is_told", [True, False])
async def test_who_blocks_the_bot_is_written_to_again_when_they_come_back(tmp_path: Path, is_told: bool) -> None:
    """What was for them waits, whether Telegram told us of the block or refused a message."""
    with over_http() as world:
        budi, updates = world.fake.person("Budi"), world.fake.updates
        async with _service(world, tmp_path / "a.db"):
            text, blocked = updates.text(budi, "mau daftar"), updates.blocked(budi)
            world.fake.put(text, *([blocked] if is_told else []))
            await _until(lambda: not world.fake.queue.pending)
            if not is_told:
                await _until(lambda: any(call.status == 403 for call in world.fake.requests))
            assert world.fake.said_to(budi.id) == []
            world.fake.put(updates.unblocked(budi))
            first = await _reply(world, budi.id, 1)
        assert first.text
        assert len([call for call in world.fake.requests if call.status == 403]) == (0 if is_told else 1)


async def test_in_a_group_the_bot_points_to_the_private_chat(tmp_path: Path) -> None:
    """Once for whoever calls it, and without a word of what was written there."""
    with over_http() as world:
        budi, group = world.fake.person("Budi"), world.fake.group("Paguyuban")
        async with _service(world, tmp_path / "a.db"):
            await _until(lambda: any(call.method == "deleteWebhook" for call in world.fake.requests))
            world.fake.put(world.fake.updates.text(budi, "NIK saya 3201234567899001", chat=group))
            world.fake.put(world.fake.updates.text(budi, "@rangkul_bot NIK saya 3201234567899001", chat=group))
            got = await _reply(world, group.id, 1)
        assert "chat pribadi" in got.text
        assert len(world.fake.said_to(group.id)) == 1


@pytest.mark.parametrize("sends", [False, True])
async def test_staff_are_told_once_when_nothing_comes_in_any_more(tmp_path: Path, sends: bool) -> None:
    """Also when the token was refused on the way out before: it is one trouble."""
    with over_http() as world:
        async with _service(world, tmp_path / "a.db") as program:

            async def told() -> list[tuple[str, str]]:
                found = await program.db.read(lambda conn: tickets.list_tickets(conn, KEYS, kind=STOPPED))
                return [(one.priority, str(one.details)) for one in found]

            if sends:
                world.fake.fail(UNAUTHORIZED, method="sendMessage")
                world.fake.put(world.fake.updates.start(world.fake.person("Budi")))
                await _until(lambda: any(call.status == 401 for call in world.fake.requests))
                await program.sender.finish_started()
                assert len(await told()) == 1
            asking = world.telegram._task
            assert asking is not None
            world.fake.fail(UNAUTHORIZED, method="getUpdates")
            world.fake.put(world.fake.updates.start(world.fake.person("Wati")))
            await asyncio.wait_for(asking, 20)
            assert world.telegram.stopped_by == "bad_token"
            assert await told() == [("urgent", str({"channel": "telegram", "reason": "bad_token"}))]
