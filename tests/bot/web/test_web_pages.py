"""The pages around the conversation: visits, their end, the demo's start screen, headers and files."""

from __future__ import annotations

import gzip
import re
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from web_service import ORIGIN, Service

import bot.web
from bot import demo
from bot.channels.web import WebChannel
from bot.demo import PERSONAS
from bot.web.site import load_assets
from bot.web.words import load_words
from storage import conversations

pytestmark = pytest.mark.asyncio


async def say(client: httpx.AsyncClient, text: str) -> httpx.Response:
    return await client.post("/messages", json={"id": str(uuid.uuid4()), "text": text})


async def test_first_visit_sets_a_cookie_that_scripts_cannot_read(service: Service) -> None:
    """The token is long, random, http-only and lax; on plain http it is not Secure."""
    answer = await service.client().get("/")
    cookie = answer.headers["set-cookie"]
    assert re.match(r"rangkul=[\w-]{43};", cookie)
    assert "httponly" in cookie.lower() and "samesite=lax" in cookie.lower() and "secure" not in cookie.lower()
    assert "expires" not in cookie.lower() and "max-age" not in cookie.lower()


async def test_over_https_the_cookie_is_bound_to_host_and_tls(make_service: Any) -> None:
    """With a public https address the cookie is Secure with the __Host- prefix, and browsers stay on TLS."""
    service = await make_service(public_url="https://tanya.example.org")
    answer = await service.client().get("/")
    assert re.match(r"__Host-rangkul=[\w-]{43};.*Path=/.*Secure", answer.headers["set-cookie"])
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    client = service.client(cookie=answer.headers["set-cookie"].split(";")[0])
    body = {"id": str(uuid.uuid4()), "text": "halo"}
    good = await client.post("/messages", json=body, headers={"origin": "https://tanya.example.org"})
    by_other_name = await client.post("/messages", json=body, headers={"origin": ORIGIN})
    assert (good.status_code, by_other_name.status_code) == (202, 403)


async def test_the_token_is_nowhere_in_the_database(service: Service) -> None:
    """Whoever reads the database file cannot act as a visitor."""
    client = await service.visitor()
    await say(client, "halo")
    token = client.cookies["rangkul"].encode()
    for suffix in ("", "-wal"):
        with open(service.program.db.url.removeprefix("sqlite:///") + suffix, "rb") as file:  # noqa: ASYNC230, PTH123
            assert token not in file.read()


async def test_coming_back_keeps_the_visit(service: Service) -> None:
    """Opening the page again gives no new cookie and no new visit."""
    client = await service.visitor()
    assert "set-cookie" not in (await client.get("/")).headers
    assert await service.rows("web_tokens") == 1


async def test_an_idle_visit_ends_kindly(service: Service) -> None:
    """After the idle time nothing can be read or sent; the page says why, and the next visit is a fresh one."""
    client = await service.visitor()
    await say(client, "rahasia")
    await service.program.settle()
    service.clock.ahead += timedelta(minutes=service.program.config.web.idle_minutes + 2)
    assert (await client.get("/messages?all=1")).status_code == 401
    assert (await say(client, "halo")).status_code == 401
    page = await client.get("/")
    assert "Obrolan sudah ditutup" in page.text and "rahasia" not in page.text
    assert "rangkul" not in client.cookies
    await client.get("/")
    assert (await client.get("/messages?all=1")).json() == {"messages": [], "last": 0}


async def test_old_visits_are_cleaned_away(service: Service) -> None:
    """Tokens that ended a day ago are deleted as new visitors come; live ones stay."""
    await service.visitor()
    service.clock.ahead += timedelta(days=2)
    await service.visitor()
    await service.visitor()
    assert await service.rows("web_tokens") == 2


async def test_talking_keeps_a_visit_alive(make_service: Any) -> None:
    """Each message begins the idle time anew, and so it stands after a restart too, within a minute."""
    service = await make_service(idle_minutes=10)
    client = await service.visitor()
    for _ in range(5):
        service.clock.ahead += timedelta(minutes=8)
        assert (await say(client, "masih di sini")).status_code == 202
    from bot.web.app import build_web

    service.app = build_web(service.program)  # nothing remembered
    service.clock.ahead += timedelta(minutes=8)
    again = service.client()
    again.cookies.update(client.cookies)
    assert (await again.get("/messages?all=1")).status_code == 200


async def test_forget_takes_the_talk_off_this_phone(service: Service) -> None:
    """The token ends at once, the cookie goes, and the old cookie put back opens nothing."""
    client = await service.visitor()
    await say(client, "rahasia")
    old = client.cookies["rangkul"]
    answer = await client.post("/forget")
    assert answer.status_code == 303
    assert "rangkul" not in client.cookies
    thief = service.client(cookie=f"rangkul={old}")
    assert (await thief.get("/messages?all=1")).status_code == 401
    page = await client.get(answer.headers["location"])
    assert "Obrolan sudah dihapus dari HP ini" in page.text
    assert (await client.get("/messages?all=1")).json()["messages"] == []


async def test_another_process_forgetting_counts_here_too(service: Service) -> None:
    """A visit ended elsewhere is believed here for half a minute at most."""
    from bot.web.app import build_web

    client = await service.visitor()
    elsewhere = httpx.AsyncClient(
        transport=httpx.ASGITransport(build_web(service.program)), base_url=ORIGIN, headers={"origin": ORIGIN}
    )
    elsewhere.cookies.update(client.cookies)
    await elsewhere.post("/forget")
    service.clock.ahead += timedelta(seconds=31)
    assert (await client.get("/messages?all=1")).status_code == 401


# ── the demo ─────────────────────────────────────────────────────────────────────────────────────


async def test_the_start_screen_offers_every_persona_and_a_guest(make_service: Any) -> None:
    """The demo asks whom to be before anything is stored; its cards are the demo's people."""
    service = await make_service(demo=True)
    page = await service.client().get("/")
    assert set(re.findall(r'name="persona" value="(\w+)"', page.text)) == {*PERSONAS, "tamu"}
    assert "set-cookie" not in page.headers
    assert set(load_words().start.personas) == {*PERSONAS, "tamu"}


async def test_the_start_screen_tells_the_numbers_to_try(make_service: Any) -> None:
    """For every persona what the talk may ask them, as it stands in the demo's records, called invented."""
    service = await make_service(demo=True)
    program = service.program
    await demo.prepare(program.db, program.keys, program.ids, datetime(2026, 3, 5, tzinfo=UTC))
    page = (await service.client().get("/")).text
    cards = page.split('<div class="persona">')[1:]
    told = {card.split('value="')[1].split('"')[0]: re.findall(r"<dd>(.*?)</dd>", card) for card in cards}
    assert told == {
        "wati": ["3275 0155 0581 9003"],
        "budi": ["3275 0117 0890 9001", "0901", "April 2026"],
        "siti": ["3578 0152 0385 9002", "0902", "September 2025"],
        "tamu": [],
    }
    assert page.count("Nomor karangan untuk mencoba") == 3
    assert "Semua nama dan nomor di halaman ini karangan" in page


@pytest.mark.parametrize("persona", [*PERSONAS, "tamu"])
async def test_a_persona_talks_with_their_phone(make_service: Any, persona: str) -> None:
    """Whoever is chosen starts a fresh conversation with the persona's phone vouched for; the guest has none."""
    service = await make_service(demo=True)
    client = service.client()
    assert (await client.post("/persona", data={"persona": persona})).status_code == 303
    await say(client, "halo")
    conversation = await service.program.db.read(
        lambda conn: conn.exec_driver_sql("SELECT id FROM conversations").scalar_one()
    )
    held = await service.program.db.read(lambda conn: conversations.peek(conn, service.program.keys, conversation))
    assert held.phone == (PERSONAS[persona].phone if persona in PERSONAS else None)


async def test_choosing_again_is_a_fresh_conversation(make_service: Any) -> None:
    """The second choice does not see the first one's talk."""
    service = await make_service(demo=True)
    client = service.client()
    for persona in ("wati", "budi"):
        await client.post("/persona", data={"persona": persona})
        assert (await client.get("/messages?all=1")).json()["messages"] == []
        await say(client, "halo")
    assert await service.rows("conversations") == 2


@pytest.mark.parametrize(("demo", "persona"), [(False, "wati"), (True, "nobody"), (True, "")])
async def test_no_persona_outside_the_demo(make_service: Any, demo: bool, persona: str) -> None:
    """A real service lets nobody claim a phone, and the demo knows only its own people."""
    service = await make_service(demo=demo)
    client = service.client()
    assert (await client.post("/persona", data={"persona": persona})).status_code == 400
    assert await service.rows("web_tokens") == 0


# ── headers and files ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["/", "/messages", "/health", "/isi/none", "/nowhere", "/static/chat.js"])
async def test_every_answer_carries_the_headers(service: Service, path: str) -> None:
    """The strict policy, no sniffing, no referrer, and nothing kept in caches but files."""
    answer = await service.client().get(path)
    policy = answer.headers["content-security-policy"].split("; ")
    assert policy == [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    expected = "public, max-age=31536000, immutable" if "static" in path else "no-store"
    assert answer.headers["cache-control"] == expected


async def test_the_page_names_no_other_host_and_holds_no_inline_code(service: Service) -> None:
    """Everything comes from us: no other address, no inline script or style, no handler attributes."""
    html = (await service.client().get("/")).text
    urls = re.findall(r'(?:src|href|action)="([^"]+)"', html)
    assert urls and all(url == "#text" or (url.startswith("/") and not url.startswith("//")) for url in urls)
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", html)
    for asset in load_assets().values():
        code = re.sub(rb"http://www\.w3\.org/2000/svg", b"", asset.data)
        assert b"://" not in code.replace(rb"https?:\/\/", b"")
    script = load_assets()["chat.js"].data
    for forbidden in (b"innerHTML", b"outerHTML", b"insertAdjacent", b"localStorage", b"sessionStorage", b"eval("):
        assert forbidden not in script


async def test_the_page_weighs_little(service: Service) -> None:
    """Page, style, script and mark together stay under 40 kB unpacked and 15 kB on the line."""
    client = service.client()
    total = packed = 0
    page = await client.get("/")
    for path in ("/", *re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)):
        answer = await client.get(path)
        total += len(answer.content)
        packed += int(answer.headers["content-length"])
    assert total < 40_000
    assert packed < 15_000


async def test_files_are_the_same_packed_or_not(service: Service) -> None:
    """A browser without gzip gets the same script, and an unknown file is a 404."""
    plain = await service.client(**{"accept-encoding": "identity"}).get("/static/chat.js")
    packed = await service.client(**{"accept-encoding": "gzip"}).get("/static/chat.js")
    assert "content-encoding" not in plain.headers and packed.headers["content-encoding"] == "gzip"
    assert plain.content == packed.content == gzip.decompress(load_assets()["chat.js"].packed)
    assert (await service.client().get("/static/..%2fapp.py")).status_code == 404


def template_sources() -> str:
    return "".join(path.read_text() for path in Path(bot.web.__path__[0], "templates").iterdir())


async def test_no_word_of_the_page_is_left_unused(service: Service) -> None:
    """Every word sent to the browser is said somewhere."""
    script = load_assets()["chat.js"].data.decode()
    html = template_sources()
    unused = {
        name
        for name in load_words().page.__struct_fields__
        if f"words.{name}" not in script and f"words.page.{name}" not in html
    } - {"photo_sent", "form_answer"}
    assert unused == set()


async def test_a_failure_of_ours_is_told_kindly(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake in our code is a 500 with the same headers, kind words, and a time to try again."""

    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a mistake")

    client = await service.visitor()
    monkeypatch.setattr(type(service.program), "receive", broken)
    transport = httpx.ASGITransport(service.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"origin": ORIGIN}) as again:
        again.cookies.update(client.cookies)
        answer = await say(again, "halo")
    assert (answer.status_code, answer.headers["retry-after"]) == (500, "3")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "sedang sibuk" in answer.json()["error"]


async def test_a_long_talk_is_packed(service: Service) -> None:
    """Reading a long talk back costs a fraction of its size on the line."""
    client = await service.visitor()
    for _ in range(20):
        await say(client, "tiga")
    await service.program.settle()
    answer = await client.get("/messages?all=1", headers={"accept-encoding": "gzip"})
    assert len(answer.json()["messages"]) == 80
    assert int(answer.headers["content-length"]) * 5 < len(answer.content)


@pytest.mark.parametrize(
    ("trial", "line"),
    [(True, "Layanan uji coba, bukan BPJS Ketenagakerjaan"), (False, "Dijalankan oleh Rangkul")],
)
async def test_the_page_says_who_runs_it(make_service: Any, trial: bool, line: str) -> None:
    """A trial says that it is one; otherwise the operator is named."""
    service = await make_service()
    config = service.program.config
    service.program.config = config.model_copy(update={"service": config.service.model_copy(update={"trial": trial})})
    from bot.web.app import build_web

    service.app = build_web(service.program)
    assert line in (await service.client().get("/")).text


async def test_health_and_ready(service: Service) -> None:
    """Both say ok while the database answers."""
    client = service.client()
    assert [(await client.get(path)).status_code for path in ("/health", "/ready")] == [200, 200]


async def test_ready_names_a_channel_that_has_stopped(service: Service) -> None:
    """Visitors are served all the same; somebody has to mend the other one."""
    from bot.web.app import build_web

    stopped: dict[str, str] = {}
    service.app = build_web(service.program, stopped=lambda: stopped)
    assert (await service.client().get("/ready")).text == "ok"
    stopped["telegram"] = "conflict"
    answer = await service.client().get("/ready")
    assert (answer.status_code, answer.text) == (200, "ok\ntelegram stopped: conflict")


async def test_a_program_without_the_channel_is_refused(service: Service) -> None:
    """A page whose answers could never be announced is a mistake told at once."""
    from bot.web.app import build_web

    channels = service.program.sender.channels
    assert isinstance(channels["web"], WebChannel)
    service.program.sender.channels = {}
    with pytest.raises(ValueError, match="web channel"):
        build_web(service.program)
    service.program.sender.channels = channels
