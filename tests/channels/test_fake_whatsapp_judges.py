"""The fake Cloud API and a judge that shares nothing with it refuse the same requests."""

from __future__ import annotations

import ast
import copy
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.fakes import whatsapp
from bot.fakes.whatsapp import FakeWhatsApp
from bot.fakes.whatsapp_errors import GraphError
from bot.fakes.whatsapp_records import Template, User
from tests.channels.whatsapp_judge import LIMITS, Limit, judge, refused
from tests.channels.whatsapp_world import MORNING, send_over_http

Json = dict[str, Any]
PHONE = "6281200009001"


@pytest.fixture
def fake() -> FakeWhatsApp:
    return FakeWhatsApp(now=lambda: MORNING, templates=[Template(name="sapa", body="Halo {{1}}")])


@pytest.fixture
def siti(fake: FakeWhatsApp) -> User:
    user = fake.add_user("Siti Rahayu", phone=PHONE, user_id="ID.90000000000000001")
    fake.inbound.text(user, "halo")
    return user


def to_siti(kind: str, part: object, **more: object) -> Json:
    return {"messaging_product": "whatsapp", "to": PHONE, "type": kind, kind: part, **more}


def without(key: str, request: Json) -> Json:
    return {name: value for name, value in request.items() if name != key}


def reading(**parts: object) -> Json:
    return {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.x", **parts}


def reply(title: str = "Ya", payload: str = "a:1") -> Json:
    return {"type": "reply", "reply": {"id": payload, "title": title}}


def row(number: int, **more: str) -> Json:
    return {"id": f"r:{number}", "title": f"Baris {number}", **more}


def choices(kind: str, action: Json, **more: object) -> Json:
    return to_siti("interactive", {"type": kind, "body": {"text": "Pilih"}, "action": action, **more})


def listing(*sections: Json, button: str = "Lihat", **more: object) -> Json:
    return choices("list", {"button": button, "sections": list(sections)}, **more)


HEADER, FOOTER = {"type": "text", "text": "Cek"}, {"text": "3 dari 8"}
LINK = {"name": "cta_url", "parameters": {"display_text": "Buka", "url": "https://rangkul.example/f/1"}}
SOUND: dict[str, Json] = {
    "text": to_siti("text", {"body": "Halo", "preview_url": False}, biz_opaque_callback_data="outbox-1"),
    "text to an id": without("to", to_siti("text", {"body": "x"}, recipient="ID.90000000000000001")),
    "text to a written number": to_siti("text", {"body": "Halo"}) | {"to": "+62 812-0000-9001"},
    "an answer": to_siti("text", {"body": "Halo"}, context={"message_id": "wamid.x"}, recipient_type="individual"),
    "buttons": choices("button", {"buttons": [reply(), reply("Tidak", "a:2")]}, header=HEADER, footer=FOOTER),
    "rows": listing({"title": "Menu", "rows": [row(1, description="Saldo")]}, header=HEADER, footer=FOOTER),
    "rows without a title": listing({"rows": [row(1), row(2)]}),
    "two sections": listing({"title": "Satu", "rows": [row(1)]}, {"title": "Dua", "rows": [row(2)]}),
    "link": choices("cta_url", LINK, header=HEADER, footer=FOOTER),
    "place": choices("location_request_message", {"name": "send_location"}),
    "number": choices("request_contact_info", {"name": "request_contact_info"}),
    "image": to_siti("image", {"link": "https://rangkul.example/a.jpg", "caption": "Contoh"}),
    "video": to_siti("video", {"link": "https://rangkul.example/a.mp4", "caption": "Contoh"}),
    "document": to_siti("document", {"link": "https://rangkul.example/a.pdf", "filename": "a.pdf", "caption": "Surat"}),
    "audio": to_siti("audio", {"link": "https://rangkul.example/a.ogg", "voice": True}),
    "location": to_siti("location", {"latitude": -6.2, "longitude": 106.8, "name": "Kantor"}),
    "contact": to_siti("contacts", [{"name": {"formatted_name": "Call center", "first_name": "Call"}}]),
    "reaction": to_siti("reaction", {"message_id": "wamid.x", "emoji": "👍"}),
    "template": to_siti(
        "template",
        {
            "name": "sapa",
            "language": {"code": "id"},
            "components": [{"type": "body", "parameters": [{"type": "text", "text": "Siti"}]}],
        },
    ),
}  # fmt: skip

UNSOUND: dict[str, Json] = {
    "no product": without("messaging_product", SOUND["text"]),
    "another product": SOUND["text"] | {"messaging_product": "messenger"},
    "to nobody": without("to", SOUND["text"]),
    "to two": SOUND["text"] | {"recipient": "ID.90000000000000001"},
    "to a word": SOUND["text"] | {"to": "siti"},
    "to a number that is none": SOUND["text"] | {"to": int(PHONE)},
    "to a short number": SOUND["text"] | {"to": "12345"},
    "to a malformed id": SOUND["text to an id"] | {"recipient": "90000000000000001"},
    "to a group": SOUND["text"] | {"recipient_type": "group"},
    "unknown type": to_siti("hologram", {}),
    "no part": without("text", SOUND["text"]),
    "another type's part": SOUND["text"] | {"type": "image"},
    "unexpected key": SOUND["text"] | {"parse_mode": "HTML"},
    "unexpected key in text": to_siti("text", {"body": "Halo", "title": "x"}),
    "unexpected key in context": to_siti("text", {"body": "Halo"}, context={"message_id": "wamid.x", "from": "1"}),
    "blank text": to_siti("text", {"body": " \n"}),
    "text that is a number": to_siti("text", {"body": 5}),
    "no body": choices("button", {"buttons": [reply()]}, body={}),
    "same titles": choices("button", {"buttons": [reply(), reply("Ya", "a:2")]}),
    "same ids": choices("button", {"buttons": [reply(), reply("Tidak", "a:1")]}),
    "space around a title": choices("button", {"buttons": [reply(" Ya")]}),
    "space around an id": choices("button", {"buttons": [reply("Ya", "a:1 ")]}),
    "a button of another type": choices("button", {"buttons": [reply() | {"type": "url"}]}),
    "a button without id": choices("button", {"buttons": [{"type": "reply", "reply": {"title": "Ya"}}]}),
    "buttons and a list": choices("button", {"buttons": [reply()], "sections": []}),
    "an empty footer": choices("button", {"buttons": [reply()]}, footer={"text": ""}),
    "an unknown interactive": choices("carousel", {"buttons": [reply()]}),
    "11 rows in two sections": listing(
        {"title": "Satu", "rows": [row(n) for n in range(6)]}, {"title": "Dua", "rows": [row(n) for n in range(6, 11)]}
    ),
    "same row ids": listing({"title": "Menu", "rows": [row(1), row(1)]}),
    "a second section without title": listing({"title": "Satu", "rows": [row(1)]}, {"rows": [row(2)]}),
    "a list with a picture on top": listing({"rows": [row(1)]}, header={"type": "image", "image": {"id": "1"}}),
    "a list without an open-button": choices("list", {"sections": [{"rows": [row(1)]}]}),
    "an empty row description": listing({"rows": [row(1, description="")]}),
    "a link to nowhere": choices("cta_url", LINK | {"parameters": {"display_text": "Buka", "url": "rangkul"}}),
    "a link of another name": choices("cta_url", LINK | {"name": "url"}),
    "asking for a place with a footer": choices("location_request_message", {"name": "send_location"}, footer=FOOTER),
    "asking for a place by another name": choices("location_request_message", {"name": "location"}),
    "a picture from two places": to_siti("image", {"id": "1", "link": "https://rangkul.example/a.jpg"}),
    "a picture from nowhere": to_siti("image", {"caption": "Contoh"}),
    "a picture from a path": to_siti("image", {"link": "/a.jpg"}),
    "a voice with a caption": to_siti("audio", {"link": "https://rangkul.example/a.ogg", "caption": "x"}),
    "a picture with a file name": to_siti("image", {"link": "https://rangkul.example/a.jpg", "filename": "a.jpg"}),
    "a place off the globe": to_siti("location", {"latitude": 91, "longitude": 106.8}),
    "half a place": to_siti("location", {"latitude": -6.2}),
    "a reaction to nothing": to_siti("reaction", {"emoji": "👍"}),
    "a template without language": to_siti("template", {"name": "sapa"}),
    "a contact without a name": to_siti("contacts", [{"phones": [{"phone": "+62175"}]}]),
    "reading another status": reading(status="seen"),
    "reading nothing": without("message_id", reading()),
    "typing a picture": reading(typing_indicator={"type": "image"}),
}  # fmt: skip


@pytest.mark.parametrize("name", SOUND)
def test_both_take_what_is_sound(name: str, fake: FakeWhatsApp, siti: User) -> None:
    """Neither is stricter than the other on what may go out."""
    assert judge(SOUND[name]) == []
    assert fake.send(SOUND[name])["messages"][0]["id"] == fake.accepted[0].id


@pytest.mark.parametrize("name", UNSOUND)
def test_both_refuse_what_is_unsound(name: str, fake: FakeWhatsApp, siti: User) -> None:
    """Neither lets pass what the other would have caught."""
    assert judge(UNSOUND[name]) != []
    with pytest.raises(GraphError):
        fake.send(UNSOUND[name])
    assert fake.accepted == []


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.path)
def test_both_end_at_the_same_length(limit: Limit, fake: FakeWhatsApp, siti: User) -> None:
    """The longest that may be is taken by both; one more and one too few by neither."""
    for size, sound in ((limit.most, True), (limit.most + 1, False), (limit.least - 1, False)):
        request = of_size(limit, size)
        assert (judge(request) == []) is sound, size
        if sound:
            fake.send(request)
        else:
            with pytest.raises(GraphError):
                fake.send(request)


@pytest.mark.asyncio
async def test_captured_requests_are_judged(fake: FakeWhatsApp, siti: User) -> None:
    """What came over HTTP is judged as it came: sends and read marks, good and bad."""
    read = {"messaging_product": "whatsapp", "status": "read", "message_id": fake.inbound.text(siti, "ya").id}
    for request in (SOUND["buttons"], read, UNSOUND["same ids"]):
        await send_over_http(fake, request)
    assert [params for params, _ in refused(fake.requests)] == [UNSOUND["same ids"]]
    assert [request.code for request in fake.requests] == [None, None, 131009]


def test_the_fake_knows_nothing_of_our_house() -> None:
    """A fake that shared code with the adapter would share its mistakes."""
    allowed = {"bot.fakes", "starlette", "httpx", "uvicorn", *sys.stdlib_module_names}
    for file in Path(whatsapp.__file__).parent.glob("whatsapp*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {
                ".".join(name.split(".")[:2]) if name[:4] == "bot." else name.split(".")[0] for name in names
            } <= allowed


SAMPLES = ("text", "image", "video", "document", "buttons", "rows", "link")


def of_size(limit: Limit, size: int) -> Json:
    """A request, sound otherwise, with something of that size at the limit's path."""
    name = next(name for name in SAMPLES if limit.path.split(".")[0] in SOUND[name] and has(SOUND[name], limit.path))
    request = copy.deepcopy(SOUND["two sections"] if limit.path.endswith("sections[].title") else SOUND[name])
    if limit.path.endswith("sections[]"):
        request["interactive"]["action"]["sections"] = [{"title": f"S{n}", "rows": [row(n)]} for n in range(size)]
    elif limit.path.endswith("rows[]"):
        request["interactive"]["action"]["sections"][0]["rows"] = [row(n) for n in range(size)]
    elif limit.path.endswith("buttons[]"):
        request["interactive"]["action"]["buttons"] = [reply(f"B{n}", f"a:{n}") for n in range(size)]
    else:
        parent, key = holder(request, limit.path)
        parent[key] = "x" * size
    return request


def holder(request: Json, path: str) -> tuple[Json, str]:
    """The object that holds the value at a path, going through the first item of every list."""
    *steps, last = path.split(".")
    value: Any = request
    for step in steps:
        value = value[step.removesuffix("[]")]
        value = value[0] if isinstance(value, list) else value
    return value, last


def has(request: Json, path: str) -> bool:
    try:
        parent, key = holder(request, path)
    except (KeyError, TypeError):
        return False
    return key.removesuffix("[]") in parent
