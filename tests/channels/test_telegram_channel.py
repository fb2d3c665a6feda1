"""What goes out to Telegram: over real HTTP to the fake, judged by strangers, and what its refusals mean to us."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from telegram.error import (
    BadRequest,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram_judge import judge_call
from telegram_world import PICTURE, World, in_process, over_http, row

from bot.channels.base import FetchError, SendError
from bot.channels.telegram.errors import send_error
from bot.channels.telegram.http import NotSent
from bot.fakes import telegram_faults as faults
from bot.fakes.telegram_faults import Fault, refusal
from flows.model import Media
from storage.outbox import Button, Rendered

pytestmark = pytest.mark.asyncio

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
OPTIONS = (Button("Daftar", "7.0"), Button("Bayar iuran", "7.1"))


@pytest.fixture
def world() -> Iterator[World]:
    with over_http() as world:
        yield world


async def _send(world: World, address: int, **body: Any) -> str:
    try:
        return await world.telegram.channel.send(row(address, Rendered(**{"key": "k", "text": "Halo", **body})))
    finally:
        await world.telegram.stop()


async def test_words_go_out_as_they_are(world: World) -> None:
    """No markup is read in them and no link is shown in large; an earlier keyboard goes away."""
    budi = world.fake.person("Budi")
    name = await _send(world, budi.id, text="Iuran <b>Rp16.800</b> *ya*_ & https://contoh.example 😀")
    (got,) = world.fake.said_to(budi.id)
    assert got.text == "Iuran <b>Rp16.800</b> *ya*_ & https://contoh.example 😀"
    assert (name, got.keyboard) == (str(got.message_id), "remove")
    (call,) = world.fake.requests
    assert call.params["link_preview_options"] == {"is_disabled": True}
    assert "parse_mode" not in call.params
    judge_call(call)


async def test_options_are_buttons_below_the_message_one_a_row(world: World) -> None:
    """Each carries its payload and the number that says the same; options that are lines of the text are no buttons."""
    budi = world.fake.person("Budi")
    await _send(world, budi.id, options=OPTIONS)
    await _send(world, budi.id, options=OPTIONS, shown_as="text")
    first, second = world.fake.said_to(budi.id)
    assert first.buttons == (("1. Daftar", "7.0"), ("2. Bayar iuran", "7.1"))
    assert [len(rows) for rows in world.fake.requests[0].params["reply_markup"]["inline_keyboard"]] == [1, 1]
    assert (second.buttons, second.keyboard) == ((), "remove")
    for call in world.fake.requests:
        judge_call(call)


async def test_only_what_can_be_answered_by_a_number_carries_one(world: World) -> None:
    """That of the option, also on a later page; not what turns the page or takes a message away, nor a read-back."""
    budi = world.fake.person("Budi")
    page = (Button("Kota Malang", "7.9"), Button("Pilihan lain", "7.more0"), Button("3 bulan", "7.10"))
    await _send(world, budi.id, options=page)
    await _send(world, budi.id, options=OPTIONS, numbered=False)
    first, second = world.fake.said_to(budi.id)
    assert [title for title, _ in first.buttons] == ["10. Kota Malang", "Pilihan lain", "3 bulan"]
    assert [title for title, _ in second.buttons] == ["Daftar", "Bayar iuran"]


@pytest.mark.parametrize("wants", ["contact", "location"])
async def test_what_a_phone_can_share_is_asked_for_by_a_keyboard_of_its_own(world: World, wants: str) -> None:
    """With the options beside it; what is pressed comes back as words or as the thing itself."""
    budi = world.fake.person("Budi")
    await _send(world, budi.id, wants=wants, options=(Button("Nanti", "8.0"),))
    (call,) = world.fake.requests
    judge_call(call)
    rows = call.params["reply_markup"]["keyboard"]
    assert [set(button) - {"text"} for keys in rows for button in keys] == [{f"request_{wants}"}, set()]
    assert world.fake.updates.press(budi, "Nanti")["message"]["text"] == "Nanti"


async def test_a_group_gets_words_without_any_keyboard(world: World) -> None:
    """It would stand before everybody."""
    group = world.fake.group("Paguyuban")
    await _send(world, group.id, options=OPTIONS)
    (got,) = world.fake.said_to(group.id)
    assert (got.buttons, got.keyboard) == ((), None)


async def test_a_picture_goes_out_with_its_words_below(world: World) -> None:
    """One that cannot be drawn leaves the words."""
    budi = world.fake.person("Budi")
    await _send(world, budi.id, picture="contribution", options=OPTIONS)
    await _send(world, budi.id, picture="lost")
    shown, told = world.fake.said_to(budi.id)
    assert (shown.media, shown.text, shown.buttons[0]) == ("photo", "Halo", ("1. Daftar", "7.0"))
    assert [upload.content for upload in world.fake.requests[0].files.values()] == [PICTURE]
    assert (told.media, told.text) == (None, "Halo")
    for call in world.fake.requests:
        judge_call(call)


async def test_what_the_person_wrote_can_be_taken_out_of_the_chat(world: World) -> None:
    """Once; a second time there is nothing to do."""
    budi = world.fake.person("Budi")
    written = world.fake.updates.text(budi, "NIK saya 3201234567899001")["message"]["message_id"]
    assert await _send(world, budi.id, delete=str(written)) == ""
    assert await _send(world, budi.id, delete=str(written)) == ""
    assert [call.method for call in world.fake.requests] == ["deleteMessage", "deleteMessage"]
    assert [call.status for call in world.fake.requests] == [200, 400]


async def test_a_group_that_has_moved_gets_its_message_at_the_new_place(world: World) -> None:
    """The refusal names the place."""
    group = world.fake.group("Paguyuban", kind="group")
    _, new = world.fake.updates.migrated(world.fake.person("Budi"), group)
    await _send(world, group.id)
    assert [got.text for got in world.fake.said_to(new.id)] == ["Halo"]


# ── refusals ─────────────────────────────────────────────────────────────────────────────────────

_FACTS = ("permanent", "uncertain", "unreachable", "alerts", "pauses", "retry_at")


def _facts(error: SendError) -> tuple[str, set[str]]:
    return error.word, {name for name in _FACTS if getattr(error, name)}


async def _refused(world: World, fault: Any) -> SendError:
    world.fake.fail(fault)
    with pytest.raises(SendError) as refused:
        await _send(world, world.fake.person("Budi").id)
    return refused.value


@pytest.mark.parametrize(
    ("fault", "word", "facts"),
    [
        (faults.UNAUTHORIZED, "bad_token", {"pauses", "alerts"}),
        (faults.BLOCKED, "blocked", {"unreachable"}),
        (faults.DEACTIVATED, "blocked", {"unreachable"}),
        (refusal(403, "Forbidden: bot was kicked from the supergroup chat"), "blocked", {"unreachable"}),
        (refusal(400, "Bad Request: chat not found"), "no_chat", {"unreachable"}),
        (refusal(400, "Bad Request: private chat not found"), "no_chat", {"unreachable"}),
        (refusal(400, "Bad Request: message text is empty"), "refused", {"permanent"}),
        (refusal(400, "Bad Request: message thread not found"), "refused", {"permanent"}),
        (refusal(400, "Bad Request: message can't be deleted"), "too_late", {"permanent"}),
        (refusal(413, "Request Entity Too Large"), "too_large", {"permanent"}),
        (refusal(429, "Too Many Requests: retry after 17", retry_after=17), "throttled", {"retry_at"}),
        (faults.SERVER_ERROR, "platform", {"uncertain"}),
        (faults.BAD_GATEWAY, "platform", {"uncertain"}),
        (Fault("drop_before"), "platform", {"uncertain"}),
        (Fault("drop_after"), "platform", {"uncertain"}),
    ],
)
async def test_each_refusal_says_what_may_help(world: World, fault: Any, word: str, facts: set[str]) -> None:
    """By the table of `channels.md`: try again, wait, tell somebody, or wait for the person."""
    assert _facts(await _refused(world, fault)) == (word, facts)


async def test_a_flood_is_over_when_telegram_says() -> None:
    """Not a moment earlier."""
    world = in_process()
    refused = await _refused(world, refusal(429, "Too Many Requests: retry after 17", retry_after=17))
    assert refused.retry_at == world.clock.now() + timedelta(seconds=17)


@pytest.mark.parametrize("said", ["message is not modified", "query is too old and response timeout expired"])
async def test_harmless_refusals_are_none(world: World, said: str) -> None:
    """What was asked for stands already."""
    world.fake.fail(refusal(400, f"Bad Request: {said}"))
    assert await _send(world, world.fake.person("Budi").id) == ""


@pytest.mark.parametrize(
    ("error", "word", "facts"),
    [
        (NotSent("ConnectionRefusedError"), "network", {"pauses"}),
        (TimedOut(), "timeout", {"uncertain"}),
        (NetworkError("broke"), "platform", {"uncertain"}),
        (InvalidToken("Not Found"), "bad_token", {"pauses", "alerts"}),
        (Forbidden("Forbidden: bot is not a member of the channel chat"), "blocked", {"unreachable"}),
        (BadRequest("USER_IS_DEACTIVATED?"), "refused", {"permanent"}),
        (TelegramError("Invalid server response"), "unknown", {"uncertain"}),
    ],
)
async def test_errors_of_the_way_there(error: TelegramError, word: str, facts: set[str]) -> None:
    """Only where nothing can have arrived there is no doubt."""
    assert _facts(send_error(error, NOW)) == (word, facts)


async def test_a_wait_may_be_told_as_a_span_too() -> None:
    """The library is going to change its mind about it."""
    assert send_error(RetryAfter(timedelta(seconds=9)), NOW).retry_at == NOW + timedelta(seconds=9)


# ── files ────────────────────────────────────────────────────────────────────────────────────────


def _jpeg() -> bytes:
    out = BytesIO()
    Image.new("RGB", (40, 30), "teal").save(out, "JPEG")
    return out.getvalue()


async def _fetched(world: World, source: str, kind: Any = "photo") -> Any:
    try:
        return await world.telegram.channel.fetch(Media(kind, "m1", source=source))
    finally:
        await world.telegram.stop()


async def test_a_file_is_fetched_and_known_by_its_bytes(world: World) -> None:
    """Whatever it is called."""
    photo = world.fake.put_file(_jpeg(), name="surat.pdf", mime="application/pdf")
    fetched = await _fetched(world, photo.file_id)
    assert (fetched.problem, fetched.mime) == ("", "image/jpeg")
    assert Image.open(BytesIO(fetched.data)).size == (40, 30)
    sound = world.fake.put_file(b"OggS" + bytes(60))
    assert (await _fetched(world, sound.file_id, "voice")).mime == "audio/ogg"


@pytest.mark.parametrize("size", [16_000_001, 21 << 20])
async def test_a_file_that_is_too_big_is_not_fetched(world: World, size: int) -> None:
    """By our limit it is not asked for; by Telegram's it is not given out."""
    large = world.fake.put_file(_jpeg(), size=size)
    assert (await _fetched(world, large.file_id)).problem == "too_big"


async def test_a_file_that_cannot_be_had_now_is_worth_another_try(world: World) -> None:
    """An id that Telegram does not know, an outage, a file that came in part."""
    photo = world.fake.put_file(_jpeg())
    short = world.fake.put_file(_jpeg(), size=5)
    with pytest.raises(FetchError):
        await _fetched(world, "nobody")
    with pytest.raises(FetchError):
        await _fetched(world, short.file_id)
    world.fake.fail(faults.SERVER_ERROR, method="getFile")
    with pytest.raises(FetchError) as failed:
        await _fetched(world, photo.file_id)
    assert world.fake.token not in f"{failed.value!r} {failed.value.__cause__!r}"


# ── rates ────────────────────────────────────────────────────────────────────────────────────────


async def test_rates_are_those_of_the_settings() -> None:
    """The whole channel first, then the chat; a group has one more."""
    channel = in_process(messages_per_second=20, messages_burst=5, chat_interval_s=1.5).telegram.channel
    everyone, chat = channel.paces("5551")
    assert (everyone.interval, everyone.burst) == (timedelta(milliseconds=50), 5)
    assert (chat.interval, chat.burst) == (timedelta(seconds=1.5), 1)
    everyone_too, group_chat, group = channel.paces("-1005551")
    assert everyone_too == everyone
    assert (group.interval, group.burst) == (timedelta(seconds=3.5), 2)
    assert len({everyone.key, chat.key, group_chat.key, group.key}) == 4
