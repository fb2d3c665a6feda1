"""Sending and reading back over HTTP."""

from __future__ import annotations

import asyncio
import io
import uuid
from typing import Any

import httpx
import pytest
from PIL import Image
from web_service import ORIGIN, Service

from flows.model import Media, Text
from storage import media
from storage.database import Unavailable

pytestmark = pytest.mark.asyncio


def fresh() -> str:
    return str(uuid.uuid4())


async def say(client: httpx.AsyncClient, text: str, message_id: str = "") -> httpx.Response:
    return await client.post("/messages", json={"id": message_id or fresh(), "text": text})


async def talk(client: httpx.AsyncClient) -> list[tuple[str, str]]:
    answer = (await client.get("/messages?all=1")).json()
    return [(message["from"], message["text"]) for message in answer["messages"]]


def jpeg(size: tuple[int, int] = (80, 60)) -> bytes:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "SecretMaker"
    Image.effect_noise(size, 60).convert("RGB").save(out, "JPEG", exif=exif.tobytes())
    return out.getvalue()


async def send_photo(
    client: httpx.AsyncClient, data: bytes, message_id: str = "", caption: str = "", name: str = "foto.jpg"
) -> httpx.Response:
    return await client.post(
        "/messages",
        data={"id": message_id or fresh(), "caption": caption},
        files={"photo": (name, data, "image/jpeg")},
    )


async def test_a_message_is_stored_before_it_is_acknowledged(service: Service) -> None:
    """202 means on disk: the row is there before anything has worked on it."""
    client = await service.visitor()
    message_id = fresh()
    answer = await say(client, "halo", message_id)
    assert (answer.status_code, answer.json()) == (202, {"id": message_id})
    assert await service.rows("inbox") == 1
    assert service.bot.handled == []


async def test_the_same_id_again_changes_nothing(service: Service) -> None:
    """A page that did not hear our 202 sends again; it hears the same and nothing is doubled."""
    client = await service.visitor()
    message_id = fresh()
    first = await say(client, "halo", message_id)
    await service.program.settle()
    second = await say(client, "halo", message_id)
    await service.program.settle()
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert await service.rows("inbox") == 1
    assert await service.rows("outbox") == 1
    assert service.bot.handled == [Text("halo")]


async def test_two_sends_of_one_message_at_once_are_one(service: Service) -> None:
    """Even the very first message of a visitor, sent twice at the same moment, is one message of one person."""
    client = await service.visitor()
    message_id = fresh()
    answers = await asyncio.gather(*(say(client, "halo", message_id) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {202}
    assert (await service.rows("inbox"), await service.rows("people")) == (1, 1)


async def test_two_visitors_may_use_the_same_id(service: Service) -> None:
    """A message id counts within its visitor alone."""
    message_id = fresh()
    for _ in range(2):
        await say(await service.visitor(), "halo", message_id)
    assert await service.rows("inbox") == 2


async def test_reading_back_gives_both_sides_in_order(service: Service) -> None:
    """After a reload the page shows what was said by both, each answer under its message."""
    client = await service.visitor()
    for text in ("satu", "tiga", "diam"):
        await say(client, text)
    await service.program.settle()
    await client.post("/messages", json={"id": fresh(), "payload": "7:answer:1", "title": "Ya"})
    await service.program.settle()
    assert await talk(client) == [
        ("me", "satu"),
        ("bot", "Jawaban untuk: satu"),
        ("me", "tiga"),
        ("bot", "Bagian 1 dari 3."),
        ("bot", "Bagian 2 dari 3."),
        ("bot", "Bagian 3 dari 3."),
        ("me", "diam"),
        ("me", "Ya"),
        ("bot", "Dipilih: Ya (7:answer:1)"),
    ]


async def test_an_identity_number_is_not_shown_again_in_full(service: Service) -> None:
    """A NIK that was typed stands masked after a reload; phone numbers and sums stay as they were."""
    client = await service.visitor()
    await say(client, "NIK saya 3275 0141 0790 9001, HP 081200009001, bayar 16800")
    assert await talk(client) == [("me", "NIK saya 3275••••••••9001, HP 081200009001, bayar 16800")]


async def test_polling_gives_answers_after_a_position(service: Service) -> None:
    """A browser without a stream asks with the last id it has and gets the rest once."""
    client = await service.visitor()
    await say(client, "tiga")
    await service.program.settle()
    everything = (await client.get("/messages?after=0")).json()
    first = everything["messages"][0]["id"]
    rest = (await client.get(f"/messages?after={first}")).json()
    assert [message["text"] for message in rest["messages"]] == ["Bagian 2 dari 3.", "Bagian 3 dari 3."]
    assert (await client.get(f"/messages?after={rest['last']}")).json() == {"messages": [], "last": rest["last"]}


async def test_nobody_reads_another_talk(service: Service) -> None:
    """Another visitor sees an empty page, and a made-up or missing token opens nothing."""
    client = await service.visitor()
    await say(client, "rahasia")
    await service.program.settle()
    assert await talk(await service.visitor()) == []
    for cookies in ({}, {"rangkul": "x" * 43}, {"rangkul": "y" * 5000}):
        stranger = service.client()
        stranger.cookies.update(cookies)
        for path in ("/messages?all=1", "/events"):
            assert (await stranger.get(path)).status_code == 401
        assert (await say(stranger, "halo")).status_code == 401
    assert await service.rows("inbox") == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"id": "abcdef01", "text": "halo"}, 202),
        ({"id": "abcdef01", "text": "   "}, 400),
        ({"id": "abcdef01"}, 400),
        ({"id": "no", "text": "halo"}, 400),
        ({"id": "../../etc/passwd", "text": "halo"}, 400),
        ({"id": "abcdef01", "text": 5}, 400),
        ({"id": "abcdef01", "text": "halo", "phone": "+628"}, 400),
        ({"id": "abcdef01", "payload": "x" * 300}, 400),
        ({"text": "halo"}, 400),
        ([], 400),
        ({"id": "abcdef01", "text": "x" * 40_000}, 413),
    ],
)
async def test_bad_bodies_are_refused_kindly(service: Service, body: Any, status: int) -> None:
    """What is not a message gets a 4xx with Indonesian words and leaves nothing behind."""
    client = await service.visitor()
    answer = await client.post("/messages", json=body)
    assert answer.status_code == status
    if status != 202:
        assert answer.json()["error"].endswith((".", "ya."))
        assert await service.rows("inbox") == 0


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"id": "abcdef01", "text": "\xff"}'])
async def test_junk_is_refused(service: Service, body: bytes) -> None:
    """Bytes that are no JSON are a 400, never a 500."""
    client = await service.visitor()
    assert (await client.post("/messages", content=body)).status_code == 400


@pytest.mark.parametrize("text", [r"a\u0000b", r"\ud83d\ude00 ok", r"\u202e terbalik", r"\ud800"])
async def test_strange_characters_do_no_harm(service: Service, text: str) -> None:
    """Zero bytes, faces and marks of direction pass through; half a character is refused; nothing breaks."""
    client = await service.visitor()
    answer = await client.post("/messages", content=f'{{"id": "abcdef01", "text": "{text}"}}')
    assert answer.status_code == (400 if text == r"\ud800" else 202)
    await service.program.settle()
    assert (await client.get("/messages?all=1")).status_code == 200


async def test_a_body_without_a_length_is_bounded_too(service: Service) -> None:
    """A body sent in pieces cannot get around the limit."""
    client = await service.visitor()

    async def endless() -> Any:
        for _ in range(1000):
            yield b"x" * 1000

    assert (await client.post("/messages", content=endless())).status_code == 413


async def test_too_fast_is_told_with_a_time(make_service: Any) -> None:
    """Above the limit: 429, when to come again, kind words; and another visitor is not slowed."""
    service = await make_service(messages_per_minute=3)
    client = await service.visitor()
    answers = [await say(client, f"pesan {n}") for n in range(4)]
    assert [answer.status_code for answer in answers] == [202, 202, 202, 429]
    assert 1 <= int(answers[3].headers["retry-after"]) <= 20
    assert answers[3].json()["error"] == "Pesannya terlalu cepat. Tunggu sebentar, ya."
    assert (await say(await service.visitor(), "halo")).status_code == 202


async def test_one_address_is_limited_as_a_whole(make_service: Any) -> None:
    """Fresh visitors do not get around the limit: their common address has one of its own."""
    service = await make_service(messages_per_minute=1)
    statuses = [(await service.client().get("/")).status_code for _ in range(25)]
    assert statuses == [200] * 20 + [429] * 5


async def test_a_database_that_is_away_is_a_503_to_try_again(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """When nothing can be stored the page is told to try again, and then it goes through once."""
    client = await service.visitor()
    message_id = fresh()

    async def away(*_: object) -> None:
        raise Unavailable

    with monkeypatch.context() as patch:
        patch.setattr(service.program.db, "transaction", away)
        refused = await say(client, "halo", message_id)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "3")
        patch.setattr(service.program.db, "read", away)
        assert (await client.get("/ready")).status_code == 503
    assert (await say(client, "halo", message_id)).status_code == 202
    assert (await client.get("/ready")).status_code == 200
    assert await service.rows("inbox") == 1


# ── photos ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_photo_is_kept_clean_and_sealed(service: Service) -> None:
    """A photo arrives with its caption, is stored without metadata, and nothing of it lies in the file in clear."""
    client = await service.visitor()
    assert (await send_photo(client, jpeg(), caption=" kuitansi ")).status_code == 202
    await service.program.settle()
    (content,) = service.bot.handled
    assert isinstance(content, Media) and (content.kind, content.caption, content.problem) == (
        "photo",
        "kuitansi",
        "",
    )
    kept = await service.program.db.read(lambda conn: media.load(conn, service.program.keys, content.media))
    assert kept is not None
    assert kept.mime == "image/jpeg"
    assert kept.content[:3] == b"\xff\xd8\xff" and b"SecretMaker" not in kept.content
    file = await asyncio.to_thread(open, service.program.db.url.removeprefix("sqlite:///"), "rb")
    with file:
        assert kept.content[:200] not in file.read()
    assert await talk(client) == [("me", "kuitansi"), ("bot", "Foto diterima. kuitansi")]


async def test_a_photo_sent_again_is_one_photo(service: Service) -> None:
    """The upload whose answer was lost comes again: one message, one picture kept."""
    client = await service.visitor()
    data, message_id = jpeg(), fresh()
    for _ in range(2):
        assert (await send_photo(client, data, message_id)).status_code == 202
        await service.program.settle()
    assert (await service.rows("inbox"), await service.rows("media")) == (1, 1)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"%PDF-1.7 not a picture", "unsupported"),
        (b"", "unsupported"),
        (jpeg()[:600], "unreadable"),
        (bytes(300_000), "too_big"),
    ],
    ids=["pdf", "empty", "cut", "big"],
)
async def test_an_unusable_file_is_still_a_message(make_service: Any, data: bytes, problem: str) -> None:
    """A file that cannot be a photo reaches the conversation, which answers kindly; its name proves nothing."""
    service = await make_service(upload_max_bytes=100_000)
    client = await service.visitor()
    assert (await send_photo(client, data, name="foto.jpg")).status_code == 202
    await service.program.settle()
    assert service.bot.handled == [Media("photo", "", problem=problem)]
    assert await service.rows("media") == 0


async def test_a_photo_far_beyond_the_limit_is_not_read_on(make_service: Any) -> None:
    """Sending megabytes on end is cut off."""
    service = await make_service(upload_max_bytes=10_000)
    client = await service.visitor()
    answer = await send_photo(client, bytes(200_000))
    assert answer.status_code == 413
    assert "foto" in answer.json()["error"].lower()
    assert await service.rows("inbox") == 0


async def test_an_upload_without_photo_or_id_is_refused(service: Service) -> None:
    """An upload that is not of our page is a 400."""
    client = await service.visitor()
    no_id = await client.post("/messages", files={"photo": ("a.jpg", jpeg(), "image/jpeg")})
    no_photo = await client.post("/messages", files={"id": (None, fresh().encode())})
    assert (no_id.status_code, no_photo.status_code) == (400, 400)


# ── only from our own page ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"origin": ORIGIN}, True),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": ORIGIN + ".evil.example"}, False),
        ({"origin": ORIGIN.replace("http:", "https:")}, False),
        ({}, False),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "same-site", "origin": ORIGIN}, False),
        ({"sec-fetch-site": "cross-site", "origin": ORIGIN}, False),
        ({"sec-fetch-site": "none"}, False),
    ],
)
@pytest.mark.parametrize("path", ["/messages", "/persona", "/forget", "/isi"])
async def test_posts_of_other_sites_are_refused(
    service: Service, path: str, headers: dict[str, str], allowed: bool
) -> None:
    """Another site cannot make a visitor's browser write, end or fill in anything here."""
    client = await service.visitor()
    del client.headers["origin"]
    answer = await client.post(path, json={"id": fresh(), "text": "halo"}, headers=headers)
    assert (answer.status_code != 403) is allowed
    if not allowed:
        assert await service.rows("inbox") == 0
        assert await service.rows("web_tokens") == 1
