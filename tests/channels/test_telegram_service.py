"""Telegram in this process: its set-up, and asking for updates over real HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from itertools import pairwise

import pytest
from structlog.testing import capture_logs
from telegram_judge import judge_call
from telegram_world import SECRET, World, in_process, made, over_http, settings

from bot.channels.telegram.http import NotSent
from bot.channels.telegram.polling import MAX_WAIT_S, Polling
from bot.clock import SystemClock
from bot.fakes import telegram_faults as faults
from bot.fakes.telegram_faults import Fault, refusal
from flows.model import Text, Unknown
from storage.database import Unavailable

pytestmark = pytest.mark.asyncio


def _said(world: World) -> list[str]:
    return [content.text for content in world.store.contents if isinstance(content, Text)]


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - what is awaited happens in another thread
            await asyncio.sleep(0.01)


def _polling(world: World, timeout_s: int = 0) -> Polling:
    telegram = world.telegram
    request = telegram._updates_request
    return Polling(telegram.bot, request, telegram.connect(world.store.take_in), world.clock, timeout_s=timeout_s)


# ── set-up ───────────────────────────────────────────────────────────────────────────────────────


async def test_set_up_tells_telegram_the_menu_and_where_to_bring_updates() -> None:
    """Every request is one that strangers accept."""
    world = in_process(mode="webhook")
    await world.telegram.set_up()
    calls = {call.method: call.params for call in world.fake.requests}
    assert calls["setWebhook"]["url"] == "https://tanya.example.org/webhooks/telegram"
    assert calls["setWebhook"]["secret_token"] == SECRET
    assert calls["setWebhook"]["allowed_updates"] == ["message", "edited_message", "callback_query", "my_chat_member"]
    assert {one["command"] for one in calls["setMyCommands"]["commands"]} == {
        "start", "menu", "batal", "petugas", "help",
    }  # fmt: skip
    for call in world.fake.requests:
        judge_call(call)


async def test_set_up_learns_the_name_by_which_groups_call() -> None:
    """Before that only replies are known."""
    world = in_process(mode="webhook")
    budi, group = world.fake.person("Budi"), world.fake.group("Paguyuban")
    called = world.fake.updates.text(budi, "@rangkul_bot halo", chat=group)
    intake = world.telegram.connect(world.store.take_in)
    assert intake.reader.events_of(called, world.clock.now()) == ()
    await world.telegram.set_up()
    assert len(intake.reader.events_of(called, world.clock.now())) == 1


async def test_who_asks_takes_an_old_webhook_away() -> None:
    """Telegram refuses to answer beside one."""
    world = in_process()
    await world.telegram.set_up()
    assert world.fake.requests[-1].method == "deleteWebhook"
    assert world.telegram.routes() == []


async def test_the_way_leads_through_a_proxy_where_the_setting_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """For calls and for questions; else what the environment names is not looked at."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with over_http() as there:
        monkeypatch.setenv("http_proxy", there.telegram.bot.base_url.partition("/bot")[0])
        nowhere = {"api_base_url": "http://127.0.0.1:1"}
        for config, reaches in ((settings(**nowhere), False), (settings(**nowhere, proxy_from_environment=True), True)):
            world = made(there.fake, config, SystemClock())
            for ask in (world.telegram.set_up, lambda one=world: _polling(one).step(None)):
                if reaches:
                    await ask()
                else:
                    with pytest.raises(NotSent):
                        await ask()
            await world.telegram.stop()
        await there.telegram.stop()


# ── asking ───────────────────────────────────────────────────────────────────────────────────────


async def test_what_people_write_is_stored_in_order_until_the_service_stops() -> None:
    """Which it does at once, though a question hangs for half a minute."""
    with over_http() as world:
        budi = world.fake.person("Budi")
        world.telegram.begin()
        for number in range(5):
            world.fake.put(world.fake.updates.text(budi, str(number)))
            await _until(lambda count=number + 1: len(_said(world)) == count)  # type: ignore[misc]
        began = time.monotonic()
        await world.telegram.stop()
        assert time.monotonic() - began < 1
        assert _said(world) == ["0", "1", "2", "3", "4"]
        judge_call(next(call for call in world.fake.requests if call.method == "getUpdates"))


async def test_nothing_is_confirmed_before_it_is_stored() -> None:
    """The same batch comes again until the database is back; the offset is where it was."""
    with over_http() as world:
        budi = world.fake.person("Budi")
        world.fake.put(*(world.fake.updates.text(budi, str(number)) for number in range(3)))
        world.store.troubles = [Unavailable("away")]
        polling = _polling(world)
        with pytest.raises(Unavailable):
            await polling.step(None)
        assert len(world.fake.queue.pending) == 3
        await asyncio.sleep(0.6)  # asked sooner with the same offset, Telegram gives one update only
        offset = await polling.step(None)
        assert len(world.fake.queue.pending) == 3
        assert await polling.step(offset) is None
        assert world.fake.queue.pending == []
        assert _said(world) == ["0", "1", "2"]
        await world.telegram.stop()


async def test_one_update_that_cannot_be_stored_holds_up_no_other() -> None:
    """It is kept without its content."""
    world = in_process()
    budi = world.fake.person("Budi")
    world.fake.put(*(world.fake.updates.text(budi, words) for words in ("satu", "racun", "tiga")))
    world.fake.put(world.fake.updates.unknown_update(), world.fake.updates.unknown_content(budi))
    world.store.poison = "racun"
    polling = _polling(world)
    offset = await polling.step(None)
    assert await polling.step(offset) is None
    assert _said(world) == ["satu", "tiga"]
    assert next(content for content in world.store.contents if isinstance(content, Unknown)) == Unknown("message")
    assert world.fake.queue.pending == []


@pytest.mark.parametrize(("fault", "word"), [(faults.CONFLICT, "conflict"), (faults.UNAUTHORIZED, "bad_token")])
async def test_a_second_asker_and_a_dead_token_end_the_asking_aloud(fault: faults.Refused, word: str) -> None:
    """Asking on would only throw the other one out."""
    world = in_process()
    world.fake.fail(fault, method="getUpdates")
    with capture_logs() as logs:
        world.telegram.begin()
        await _until(lambda: world.telegram.stopped_by != "")
    assert world.telegram.stopped_by == word
    assert {"event": "telegram.stopped", "reason": word, "log_level": "error"} in logs
    await world.telegram.stop()


async def test_outages_are_waited_out_longer_and_longer() -> None:
    """Also a flood, for as long as Telegram says, and an answer that is none."""
    world = in_process()
    budi = world.fake.person("Budi")
    world.fake.put(world.fake.updates.text(budi, "halo"))
    slow_down = refusal(429, "Too Many Requests: retry after 90", retry_after=90)
    world.fake.fail(*[faults.SERVER_ERROR] * 8, slow_down, Fault("drop_before"), method="getUpdates")
    began = world.clock.now()
    asking = asyncio.create_task(_polling(world).run())
    await _until(lambda: _said(world) == ["halo"])
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    asked = [call.at for call in world.fake.requests if call.method == "getUpdates"]
    waits = [(later - earlier).total_seconds() for earlier, later in pairwise(asked)]
    assert asked[0] == began
    assert waits[:10] == [1, 2, 4, 8, 16, 32, MAX_WAIT_S, MAX_WAIT_S, 90, MAX_WAIT_S]


async def test_the_start_outlives_an_outage_of_the_platform() -> None:
    """The set-up is tried again until it goes through."""
    with over_http() as world:
        world.fake.fail(faults.BAD_GATEWAY, method="getMe")
        world.fake.put(world.fake.updates.text(world.fake.person("Budi"), "halo"))
        world.telegram.begin()
        await _until(lambda: _said(world) == ["halo"])
        await world.telegram.stop()
        assert [call.status for call in world.fake.requests if call.method == "getMe"] == [502, 200]


async def test_no_line_of_the_log_holds_the_token_or_what_people_wrote() -> None:
    """Whatever goes wrong."""
    world = in_process()
    world.fake.put(world.fake.updates.text(world.fake.person("Budi"), "racun NIK 3201234567899001"))
    world.fake.fail(faults.SERVER_ERROR, faults.UNAUTHORIZED, method="getMe")
    world.store.poison = "racun"
    with capture_logs() as logs:
        await _polling(world).step(None)
        world.telegram.begin()
        await _until(lambda: world.telegram.stopped_by != "")
    assert len(logs) >= 3
    assert world.fake.token not in str(logs)
    assert "racun" not in str(logs)
    await world.telegram.stop()
