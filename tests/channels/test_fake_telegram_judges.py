"""What the fake Bot API tells and refuses, held against aiogram, teremok and python-telegram-bot."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.fakes.telegram import TOKEN, FakeTelegram
from bot.fakes.telegram_updates import entities_in
from bot.fakes.telegram_wire import Json, Params, Upload
from bot.fakes.telegram_world import Person
from tests.channels.telegram_judge import Unsound, judge, judge_all, read_by_aiogram, read_by_ptb, unknown_fields

PAYLOADS = Path(__file__).parent / "payloads" / "telegram"
JPEG = b"\xff\xd8\xff\xe0" + b"picture" * 20
MORNING = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def platform() -> tuple[FakeTelegram, Person, Person]:
    """A fake whose clock stands still, with two invented people."""
    fake = FakeTelegram(now=lambda: MORNING)
    return fake, fake.person("Budi", last_name="Santoso", username="budi_ojek"), fake.person("Siti")


def _bold(offset: int, length: int) -> Json:
    return {"type": "bold", "offset": offset, "length": length}


def _keyed(button: Json) -> Json:
    return {"text": "halo", "reply_markup": {"inline_keyboard": [[button]]}}


async def called(fake: FakeTelegram, method: str, **values: Any) -> Json:
    return (await fake.call(TOKEN, method, Params(values))).answer


Scene = Callable[[FakeTelegram, Person, Person], Json]

GROUP_TITLE = "Meja petugas"
SCENES: dict[str, Scene] = {
    "text": lambda fake, budi, siti: fake.updates.text(budi, "halo min 😀 mau daftar"),
    "command": lambda fake, budi, siti: fake.updates.text(budi, "/bantuan@rangkul_bot tolong"),
    "start_with_payload": lambda fake, budi, siti: fake.updates.start(budi, "donasi-1"),
    "contact_own": lambda fake, budi, siti: fake.updates.contact(budi),
    "contact_of_other": lambda fake, budi, siti: fake.updates.contact(budi, of=siti),
    "contact_without_account": lambda fake, budi, siti: fake.updates.contact(budi, of=siti, registered=False),
    "location": lambda fake, budi, siti: fake.updates.location(budi, -6.2, 106.8),
    "photo": lambda fake, budi, siti: fake.updates.photo(budi, JPEG, caption="bukti bayar"),
    "album_second": lambda fake, budi, siti: fake.updates.album(budi, [JPEG, JPEG], caption="dua")[1],
    "document": lambda fake, budi, siti: fake.updates.document(budi, b"%PDF-", name="kk.pdf", mime="application/pdf"),
    "voice": lambda fake, budi, siti: fake.updates.voice(budi, b"OggS"),
    "audio": lambda fake, budi, siti: fake.updates.audio(budi, b"ID3"),
    "video": lambda fake, budi, siti: fake.updates.video(budi, b"mp4", caption="kejadian"),
    "video_note": lambda fake, budi, siti: fake.updates.video_note(budi, b"mp4"),
    "animation": lambda fake, budi, siti: fake.updates.animation(budi, b"mp4"),
    "sticker": lambda fake, budi, siti: fake.updates.sticker(budi),
    "poll": lambda fake, budi, siti: fake.updates.poll(budi),
    "dice": lambda fake, budi, siti: fake.updates.dice(budi),
    "forwarded": lambda fake, budi, siti: fake.updates.forwarded(budi, "promo", origin=siti),
    "edited_message": lambda fake, budi, siti: fake.updates.edited(
        budi, fake.updates.text(budi, "salah")["message"]["message_id"], "betul"
    ),
    "callback_on_old_message": lambda fake, budi, siti: fake.updates.callback(budi, "x:1"),
    "blocked": lambda fake, budi, siti: fake.updates.blocked(budi),
    "unblocked": lambda fake, budi, siti: fake.updates.unblocked(budi),
    "added_to_group": lambda fake, budi, siti: fake.updates.added(budi, fake.group(GROUP_TITLE, is_forum=True)),
    "removed_from_group": lambda fake, budi, siti: fake.updates.removed(budi, fake.group(GROUP_TITLE)),
    "group_mention": lambda fake, budi, siti: fake.updates.text(budi, "@rangkul_bot ini", chat=fake.group(GROUP_TITLE)),
    "group_migrates": lambda fake, budi, siti: fake.updates.migrated(budi, fake.group(GROUP_TITLE, kind="group"))[0][0],
    "supergroup_from_group": lambda fake, budi, siti: fake.updates.migrated(
        budi, fake.group(GROUP_TITLE, kind="group")
    )[0][1],
    "topic_created": lambda fake, budi, siti: fake.updates.topic_created(
        budi, fake.group(GROUP_TITLE, is_forum=True), "RK-7K3Q"
    ),
    "channel_post": lambda fake, budi, siti: fake.updates.channel_post(
        fake.group("Pengumuman", kind="channel"), "libur"
    ),
}
UNKNOWN: dict[str, Scene] = {
    "unknown_content": lambda fake, budi, siti: fake.updates.unknown_content(budi),
    "unknown_update": lambda fake, budi, siti: fake.updates.unknown_update(),
}


@pytest.mark.parametrize("name", SCENES)
def test_updates_read_the_same_in_two_libraries(name: str) -> None:
    """Nothing in a built update is unknown to aiogram, and both readers find what the builder put in."""
    update = SCENES[name](*platform())
    theirs, ours = read_by_aiogram(update), read_by_ptb(update)
    assert unknown_fields(theirs) == set()
    assert theirs.update_id == ours.update_id == update["update_id"]
    kind = theirs.event_type
    assert kind in update
    one, other = getattr(theirs, kind), getattr(ours, kind)
    assert _essence(one) == _essence(other) == _essence_of(update[kind])


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_kinds_are_unknown_to_the_libraries_too(name: str) -> None:
    assert unknown_fields(read_by_aiogram(UNKNOWN[name](*platform())))


@pytest.mark.parametrize("name", [*SCENES, *UNKNOWN])
def test_stored_examples_are_what_the_builders_make(name: str) -> None:
    """The files in payloads/ serve tests of readers; they follow the builders."""
    assert json.loads((PAYLOADS / f"{name}.json").read_text()) == (SCENES | UNKNOWN)[name](*platform())


def _essence(event: Any) -> tuple[Any, ...]:
    """Who, where, what: the same of either library's object."""
    sender = getattr(event, "from_user", None)
    chat = getattr(event, "chat", None)
    photo = getattr(event, "photo", None)
    contact = getattr(event, "contact", None)
    status = getattr(getattr(event, "new_chat_member", None), "status", None)
    return (
        sender.id if sender else None,
        chat.id if chat else None,
        getattr(event, "message_id", None),
        getattr(event, "text", None),
        getattr(event, "caption", None),
        getattr(event, "data", None),
        photo[-1].file_id if photo else None,
        (contact.phone_number, contact.user_id) if contact else None,
        str(getattr(status, "value", status)),
        getattr(event, "migrate_to_chat_id", None),
    )


def _essence_of(body: Json) -> tuple[Any, ...]:
    contact = body.get("contact")
    return (
        body.get("from", {}).get("id"),
        body.get("chat", {}).get("id"),
        body.get("message_id"),
        body.get("text"),
        body.get("caption"),
        body.get("data"),
        body["photo"][-1]["file_id"] if "photo" in body else None,
        (contact["phone_number"], contact.get("user_id")) if contact else None,
        str(body.get("new_chat_member", {}).get("status")),
        body.get("migrate_to_chat_id"),
    )


LONG = "a" * 5000
BUTTON = {"text": "Ya", "callback_data": "y"}
BAD_REQUESTS: dict[str, tuple[str, Json]] = {
    "empty_text": ("sendMessage", {"text": ""}),
    "5000_characters": ("sendMessage", {"text": LONG}),
    "2049_emoji": ("sendMessage", {"text": "😀" * 2049}),
    "entity_past_the_end": ("sendMessage", {"text": "halo", "entities": [_bold(2, 3)]}),
    "one_of_four_entities_wrong": (
        "sendMessage",
        {"text": "satu dua", "entities": [_bold(0, 1), _bold(1, 1), _bold(2, 1), _bold(8, 1)]},
    ),
    "entity_of_no_length": ("sendMessage", {"text": "halo", "entities": [_bold(0, 0)]}),
    "entity_of_no_kind": ("sendMessage", {"text": "halo", "entities": [{"offset": 0, "length": 1}]}),
    "html_left_open": ("sendMessage", {"text": "<b>halo", "parse_mode": "HTML"}),
    "html_ampersand": ("sendMessage", {"text": "A & B", "parse_mode": "HTML"}),
    "html_unknown_tag": ("sendMessage", {"text": "<p>halo</p>", "parse_mode": "HTML"}),
    "markdown_unescaped": ("sendMessage", {"text": "1. halo", "parse_mode": "MarkdownV2"}),
    "markdown_left_open": ("sendMessage", {"text": "*halo", "parse_mode": "MarkdownV2"}),
    "70_byte_callback_data": ("sendMessage", _keyed({"text": "Ya", "callback_data": "x" * 70})),
    "66_byte_callback_data_of_22_signs": ("sendMessage", _keyed({"text": "Ya", "callback_data": "€" * 22})),
    "empty_callback_data": ("sendMessage", _keyed({"text": "Ya", "callback_data": ""})),
    "button_without_action": ("sendMessage", _keyed({"text": "Ya"})),
    "button_with_two_actions": ("sendMessage", _keyed({**BUTTON, "url": "https://contoh.id/"})),
    "button_without_title": ("sendMessage", _keyed({"text": " ", "callback_data": "y"})),
    "keyboard_of_one_dimension": ("sendMessage", {"text": "halo", "reply_markup": {"inline_keyboard": [BUTTON]}}),
    "long_placeholder": (
        "sendMessage",
        {"text": "halo", "reply_markup": {"keyboard": [[{"text": "a"}]], "input_field_placeholder": "a" * 65}},
    ),
    "1025_caption": ("sendDocument", {"caption": "a" * 1025}),
    "201_toast": ("answerCallbackQuery", {"callback_query_id": "1", "text": "a" * 201}),
    "101_commands": ("setMyCommands", {"commands": [{"command": "a", "description": "b"}] * 101}),
    "text_missing": ("sendMessage", {}),
    "no_such_method": ("sendTelepathy", {"text": "halo"}),
}


@pytest.mark.asyncio
@pytest.mark.parametrize("name", BAD_REQUESTS)
async def test_judge_and_fake_refuse_the_same(name: str) -> None:
    method, values = BAD_REQUESTS[name]
    fake, budi, _ = platform()
    if method == "sendDocument":
        values = {**values, "document": fake.put_file(b"pdf").file_id}
    if method not in {"answerCallbackQuery", "setMyCommands"}:
        values = {"chat_id": budi.id, **values}
    with pytest.raises(Unsound):
        judge(method, values)
    answer = await called(fake, method, **values)
    assert answer["error_code"] == (404 if name == "no_such_method" else 400)
    assert fake.accepted == []
    assert [call.method for call in fake.refusals] == [method]


@pytest.mark.asyncio
async def test_contact_is_asked_for_in_private_chats_only() -> None:
    fake, budi, _ = platform()
    group = fake.group(GROUP_TITLE)
    values = {"text": "nomor?", "reply_markup": {"keyboard": [[{"text": "Kirim", "request_contact": True}]]}}
    with pytest.raises(Unsound):
        judge("sendMessage", {"chat_id": group.id, **values})
    assert judge("sendMessage", {"chat_id": budi.id, **values})
    refused = await called(fake, "sendMessage", chat_id=group.id, **values)
    assert refused["description"] == "Bad Request: phone number can be requested in private chats only"
    assert (await called(fake, "sendMessage", chat_id=budi.id, **values))["ok"]


def test_the_judge_knows_every_field_by_name() -> None:
    with pytest.raises(Unsound, match=r"reply_markup\.inline_keyboard\.colour"):
        judge("sendMessage", {"chat_id": 1, **_keyed({**BUTTON, "colour": "red"})})
    with pytest.raises(Unsound, match=r"sendMessage\.buttons"):
        judge("sendMessage", {"chat_id": 1, "text": "halo", "buttons": []})


@pytest.mark.asyncio
async def test_sound_requests_pass_both() -> None:
    """Forms carry everything as text; the judge reads what the fake recorded."""
    fake, budi, siti = platform()
    group = fake.group(GROUP_TITLE, is_forum=True)
    topic = await called(fake, "createForumTopic", chat_id=str(group.id), name="RK-7K3Q-9XTM")
    thread_id = topic["result"]["message_thread_id"]
    press = fake.updates.callback(budi, "y")["callback_query"]["id"]
    upload = {"chat_id": str(siti.id), "photo": "attach://p", "caption": "kartu <b>baru</b>", "parse_mode": "HTML"}
    rows = json.dumps({"inline_keyboard": [[{"text": "Ya", "callback_data": "€" * 21}]]})
    answers = [
        await called(fake, "sendMessage", chat_id=str(budi.id), text="😀" * 2048, reply_markup=rows),
        await called(fake, "answerCallbackQuery", callback_query_id=press, text="a" * 200),
        (await fake.call(TOKEN, "sendPhoto", Params(upload, {"p": Upload(JPEG, "p.jpg", "image/jpeg")}))).answer,
        await called(fake, "sendChatAction", chat_id=str(budi.id), action="typing"),
        await called(fake, "closeForumTopic", chat_id=str(group.id), message_thread_id=str(thread_id)),
        await called(fake, "setMyCommands", commands=json.dumps([{"command": "bantuan", "description": "Bantuan"}])),
    ]
    assert [answer["ok"] for answer in answers] == [True] * 6
    assert judge_all(fake.requests) == 7
    assert fake.refusals == []


@pytest.mark.parametrize("text", ["halo", "/start", "cek /saldo ya", "lihat https://contoh.id/a?b=1 atau a@contoh.id"])
def test_marks_lie_on_what_they_mark(text: str) -> None:
    for emoji in ("", "😀 "):
        message = {"text": emoji + text, "entities": entities_in(emoji + text)}
        for entity in message["entities"]:
            units = message["text"].encode("utf-16-le")
            marked = units[2 * entity["offset"] : 2 * (entity["offset"] + entity["length"])].decode("utf-16-le")
            assert marked in text.split()
