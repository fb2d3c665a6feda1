"""Two clients nobody here wrote talk to the fake Bot API over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import aiogram
import aiogram.exceptions
import httpx
import pytest
import pytest_asyncio
import telegram
import telegram.error
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.types import BufferedInputFile, FSInputFile, InlineKeyboardButton, InlineKeyboardMarkup, InputMediaPhoto
from telegram.request import HTTPXRequest

from bot.clock import ManualClock
from bot.fakes import telegram_faults as faults
from bot.fakes.server import serving
from bot.fakes.telegram import TOKEN, FakeTelegram
from bot.fakes.telegram_faults import Fault, refusal
from bot.fakes.telegram_world import Person
from tests.channels.telegram_judge import judge_all

pytestmark = pytest.mark.asyncio

MORNING = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n" + b"picture" * 20
ALL_KINDS = ["message", "edited_message", "callback_query", "my_chat_member"]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(MORNING)


@pytest.fixture
def fake(clock: ManualClock) -> FakeTelegram:
    return FakeTelegram(now=clock.now, networked=True)


@pytest.fixture
def budi(fake: FakeTelegram) -> Person:
    return fake.person("Budi")


@pytest.fixture
def address(fake: FakeTelegram) -> Iterator[str]:
    with serving(fake.app) as url:
        yield url


@pytest_asyncio.fixture
async def ptb(address: str) -> AsyncIterator[telegram.Bot]:
    request = HTTPXRequest(read_timeout=0.5)
    bot = telegram.Bot(TOKEN, f"{address}/bot", f"{address}/file/bot", request=request)
    async with bot:
        yield bot


@pytest_asyncio.fixture
async def aio(address: str) -> AsyncIterator[aiogram.Bot]:
    async with aiogram.Bot(TOKEN, AiohttpSession(api=TelegramAPIServer.from_base(address))) as bot:
        yield bot


async def test_python_telegram_bot_talks(
    ptb: telegram.Bot, fake: FakeTelegram, budi: Person, clock: ManualClock
) -> None:
    fake.put(fake.updates.start(budi), fake.updates.photo(budi, PNG, caption="bukti"))
    start, photo = await ptb.get_updates(allowed_updates=ALL_KINDS)
    assert start.message is not None and photo.message is not None
    assert start.message.text == "/start"
    file = await ptb.get_file(photo.message.photo[-1].file_id)
    assert bytes(await file.download_as_bytearray()) == PNG
    rows = [[telegram.InlineKeyboardButton("Ya", callback_data="y:1")]]
    sent = await ptb.send_message(budi.id, "Betul?", reply_markup=telegram.InlineKeyboardMarkup(rows))
    fake.put(fake.updates.press(budi, "Ya"))
    (pressed,) = await ptb.get_updates(offset=photo.update_id + 1)
    assert pressed.callback_query is not None
    assert await ptb.answer_callback_query(pressed.callback_query.id, "Baik")
    await ptb.edit_message_text("Betul. Ya.", budi.id, sent.message_id)
    for content in (PNG, fake.said_to(budi.id)[-1].file_id):
        clock.advance(timedelta(seconds=1))
        await ptb.send_photo(budi.id, content or PNG, caption="kartu")
    clock.advance(timedelta(seconds=1))
    await ptb.send_document(budi.id, b"%PDF-", filename="surat.pdf")
    await ptb.send_chat_action(budi.id, "typing")
    assert await ptb.delete_message(budi.id, sent.message_id)
    assert [(one.kind, one.text, one.media) for one in fake.said_to(budi.id)] == [
        ("message", "Betul?", None),
        ("edit", "Betul. Ya.", None),
        ("message", "kartu", "photo"),
        ("message", "kartu", "photo"),
        ("message", "", "document"),
    ]
    assert (fake.refusals, fake.violations) == ([], [])
    assert judge_all(fake.requests) == len(fake.requests)


async def test_python_telegram_bot_learns_what_went_wrong(
    ptb: telegram.Bot, fake: FakeTelegram, budi: Person, clock: ManualClock
) -> None:
    await ptb.send_message(budi.id, "satu")
    with pytest.raises(telegram.error.RetryAfter):
        await ptb.send_message(budi.id, "dua")
    clock.advance(timedelta(seconds=1))
    with pytest.raises(telegram.error.BadRequest, match="too long"):
        await ptb.send_message(budi.id, "a" * 4097)
    with pytest.raises(telegram.error.BadRequest, match="Chat not found"):
        await ptb.send_message(99, "halo")
    group = fake.group("Meja petugas", kind="group")
    _, new = fake.updates.migrated(budi, group)
    with pytest.raises(telegram.error.ChatMigrated) as migrated:
        await ptb.send_message(group.id, "halo")
    assert migrated.value.new_chat_id == new.id
    fake.fail(faults.BLOCKED, faults.BAD_GATEWAY, Fault("hang"), Fault("drop_before"), faults.UNAUTHORIZED)
    expected = (
        telegram.error.Forbidden,
        telegram.error.NetworkError,
        telegram.error.TimedOut,
        telegram.error.NetworkError,
        telegram.error.InvalidToken,
    )
    for kind in expected:
        with pytest.raises(kind):
            await ptb.send_message(budi.id, "tiga")
    assert await ptb.set_webhook("https://contoh.id/t", secret_token="rahasia")
    assert (await ptb.get_webhook_info()).url == "https://contoh.id/t"
    with pytest.raises(telegram.error.Conflict):
        await ptb.get_updates()
    assert [one.text for one in fake.said_to(budi.id)] == ["satu", "tiga"]


async def test_aiogram_talks(aio: aiogram.Bot, fake: FakeTelegram, budi: Person, clock: ManualClock) -> None:
    assert (await aio.get_me()).username == "rangkul_bot"
    fake.put(fake.updates.contact(budi), fake.updates.voice(budi, b"OggS"))
    contact, voice = await aio.get_updates(timeout=1, allowed_updates=ALL_KINDS)
    assert contact.message and contact.message.contact and contact.message.contact.user_id == budi.id
    assert voice.message and voice.message.voice
    downloaded = await aio.download(voice.message.voice.file_id)
    assert downloaded is not None and downloaded.read() == b"OggS"
    rows = [[InlineKeyboardButton(text="Ya", callback_data="y:1")]]
    await aio.send_message(
        budi.id, "<b>Betul</b>?", parse_mode="HTML", reply_markup=InlineKeyboardMarkup(inline_keyboard=rows)
    )
    fake.put(fake.updates.press(budi, "Ya"))
    (pressed,) = await aio.get_updates(offset=voice.update_id + 1, timeout=1)
    assert pressed.callback_query and await aio.answer_callback_query(pressed.callback_query.id)
    clock.advance(timedelta(seconds=1))
    await aio.send_photo(budi.id, BufferedInputFile(PNG, "kartu.png"), caption="kartu")
    clock.advance(timedelta(seconds=1))
    album = [InputMediaPhoto(media=BufferedInputFile(PNG, "a.png")), InputMediaPhoto(media=FSInputFile(__file__))]
    with pytest.raises(aiogram.exceptions.TelegramBadRequest, match="IMAGE_PROCESS_FAILED"):
        await aio.send_media_group(budi.id, album)  # type: ignore[arg-type]
    await aio.send_media_group(budi.id, album[:1] * 2)  # type: ignore[arg-type]
    group = fake.group("Meja petugas", is_forum=True)
    topic = await aio.create_forum_topic(group.id, "RK-7K3Q")
    clock.advance(timedelta(seconds=1))
    await aio.send_message(group.id, "Ada tiket", message_thread_id=topic.message_thread_id)
    assert [one.thread_id for one in fake.said_to(group.id)] == [topic.message_thread_id]
    assert [one.media for one in fake.said_to(budi.id)] == [None, "photo", "photo", "photo"]
    assert len(fake.refusals) == 1
    assert judge_all(fake.requests) == len(fake.requests)


async def test_aiogram_learns_what_went_wrong(
    aio: aiogram.Bot, fake: FakeTelegram, budi: Person, clock: ManualClock
) -> None:
    fake.fail(refusal(429, "Too Many Requests: retry after 7", retry_after=7), faults.BLOCKED, faults.SERVER_ERROR)
    with pytest.raises(aiogram.exceptions.TelegramRetryAfter) as slow:
        await aio.send_message(budi.id, "satu")
    assert slow.value.retry_after == 7
    clock.advance(timedelta(seconds=7))
    with pytest.raises(aiogram.exceptions.TelegramForbiddenError):
        await aio.send_message(budi.id, "dua")
    with pytest.raises(aiogram.exceptions.TelegramServerError):
        await aio.send_message(budi.id, "tiga")
    await aio.set_webhook("https://contoh.id/t")
    with pytest.raises(aiogram.exceptions.TelegramConflictError):
        await aio.get_updates()


async def test_any_body_is_read(address: str, fake: FakeTelegram, budi: Person, clock: ManualClock) -> None:
    url = f"{address}/bot{TOKEN}/sendMessage"
    values = {"chat_id": str(budi.id), "text": "halo"}
    async with httpx.AsyncClient(trust_env=False) as client:
        for ways in ({"params": values}, {"data": values}, {"json": values}, {"data": values, "files": {"x": b"y"}}):
            assert (await client.post(url, **ways)).json()["ok"]  # type: ignore[arg-type]
            clock.advance(timedelta(seconds=1))
        assert (await client.get(url, params=values)).json()["ok"]
        broken = await client.post(url, content=b"{", headers={"content-type": "application/json"})
        slow = await client.post(url, json=values)
    assert (broken.status_code, slow.status_code, slow.headers["retry-after"]) == (400, 429, "1")
    assert [one.text for one in fake.said_to(budi.id)] == ["halo"] * 5
