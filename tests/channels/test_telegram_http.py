"""Our connections to the Bot API, against servers that behave well and badly on real sockets."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.parser import BytesParser
from ipaddress import IPv4Address
from pathlib import Path
from traceback import format_exception
from typing import cast
from urllib.parse import parse_qs

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from telegram import Bot, InputFile
from telegram.error import BadRequest, NetworkError, RetryAfter, TimedOut

from bot.channels.telegram import http
from bot.channels.telegram.http import AnswerTooLong, HttpRequest, NotSent

Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]

OK = b'{"ok":true,"result":true}'


def _http(body: bytes, status: str = "200 OK", more: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


class Server:
    """Hands every request (head and body) to `answer`; counts connections."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.requests: list[bytes] = []
        self.connections = 0
        self.url = ""
        self.asked = asyncio.Event()
        self.left = asyncio.Event()
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        self.writers.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:")), 0)
                self.requests.append(head + await reader.readexactly(size))
                self.asked.set()
                await self.answer(self.requests[-1], writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
        self.left.set()


@asynccontextmanager
async def _server(answer: Answer, context: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server(answer)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context)
    server.url = f"{'https' if context else 'http'}://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listening.close()
        for writer in server.writers:
            writer.close()
        await asyncio.sleep(0.01)  # lets their readers come to an end


@dataclass
class Parsed:
    """A request as a server's library reads it; `pieces` of a form of several parts."""

    path: str
    kind: str
    body: bytes
    pieces: list[Message]


def _parsed(request: bytes) -> Parsed:
    line, _, rest = request.partition(b"\r\n")
    message = BytesParser().parsebytes(rest)
    body = rest.partition(b"\r\n\r\n")[2]
    pieces = message.get_payload() if message.is_multipart() else []
    return Parsed(line.split()[1].decode(), message.get_content_type(), body, cast(list[Message], pieces))


async def _ok(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(_http(OK))


@pytest.mark.asyncio
async def test_one_connection_carries_one_request_after_the_other() -> None:
    """And several at once where there are several."""
    async with _server(_ok) as server, HttpRequest() as request:
        for _ in range(3):
            assert await request.post(f"{server.url}/bot1:x/getMe") is True
        assert server.connections == 1
        await asyncio.gather(*(request.post(f"{server.url}/bot1:x/getMe") for _ in range(20)))
        assert 1 < server.connections <= 8


@pytest.mark.asyncio
async def test_a_call_is_a_form_and_a_file_makes_it_one_of_several_parts() -> None:
    """As the library's own way sends them."""
    async with _server(_ok) as server:
        bot = Bot("1:x", base_url=f"{server.url}/bot", request=HttpRequest(), get_updates_request=HttpRequest())
        await bot.set_my_description("Tanya & jawab é")
        await bot.set_chat_photo(5, InputFile(b"\x89PNG\r\n\x1a\n\x00", filename="a.png"))
        await bot.request.shutdown()
    form, parts = (_parsed(got) for got in server.requests)
    assert (form.path, form.kind) == ("/bot1:x/setMyDescription", "application/x-www-form-urlencoded")
    assert parse_qs(form.body.decode()) == {"description": ["Tanya & jawab é"]}
    assert (parts.path, parts.kind) == ("/bot1:x/setChatPhoto", "multipart/form-data")
    photo, chat = sorted(parts.pieces, key=lambda piece: piece.get_filename() is None)
    assert (chat.get_param("name", header="content-disposition"), chat.get_payload(decode=True)) == ("chat_id", b"5")
    assert (photo.get_filename(), photo.get_payload(decode=True)) == ("a.png", b"\x89PNG\r\n\x1a\n\x00")
    assert photo.get_content_type() == "image/png"


@pytest.mark.asyncio
async def test_an_answer_may_come_in_chunks_and_in_crumbs() -> None:
    """Bytes arrive as the network likes."""

    async def crumbs(_: bytes, writer: asyncio.StreamWriter) -> None:
        answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n" + OK[:5] + b"\r\n14\r\n" + OK[5:]
        for place in range(0, len(answer), 7):
            writer.write(answer[place : place + 7])
            await writer.drain()
            await asyncio.sleep(0)
        writer.write(b"\r\n0\r\n\r\n")

    async with _server(crumbs) as server, HttpRequest() as request:
        assert await request.post(f"{server.url}/x") is True


@pytest.mark.asyncio
async def test_where_nobody_listens_nothing_was_sent() -> None:
    """So that a send may be tried again without any doubt."""
    async with _server(_ok) as server:
        pass
    async with HttpRequest() as request:
        with pytest.raises(NotSent):
            await request.post(f"{server.url}/x")


@pytest.mark.asyncio
async def test_a_server_that_takes_a_request_and_says_nothing_leaves_a_doubt() -> None:
    """The connection is not used again."""

    async def silent(_: bytes, __: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0)

    async with _server(silent) as server, HttpRequest(read_timeout_s=0.1) as request:
        with pytest.raises(TimedOut):
            await request.post(f"{server.url}/x")
        server.answer = _ok
        assert await request.post(f"{server.url}/x") is True
        assert server.connections == 2


@pytest.mark.asyncio
@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", b"junk\r\n\r\n"])
async def test_a_connection_that_breaks_in_mid_answer_leaves_a_doubt(begun: bytes) -> None:
    """So does an answer that is none."""

    async def breaking(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(begun)
        writer.close()

    async with _server(breaking) as server, HttpRequest() as request:
        with pytest.raises(NetworkError) as broken:
            await request.post(f"{server.url}/x")
        assert not isinstance(broken.value, NotSent | TimedOut)


@pytest.mark.asyncio
async def test_a_call_on_a_kept_connection_that_breaks_is_in_doubt_and_not_sent_again() -> None:
    """Whether the server read it before it closed cannot be known: a reply would come twice."""

    async def second_breaks(request: bytes, writer: asyncio.StreamWriter) -> None:
        if len(server.requests) == 1:
            await _ok(request, writer)
        else:
            writer.close()

    async with _server(second_breaks) as server, HttpRequest() as request:
        assert await request.post(f"{server.url}/x") is True
        with pytest.raises(NetworkError) as broken:
            await request.post(f"{server.url}/x")
        assert not isinstance(broken.value, NotSent | TimedOut)
        assert (server.connections, len(server.requests)) == (1, 2)


@pytest.mark.asyncio
async def test_a_server_that_does_not_read_holds_up_nobody_for_ever() -> None:
    """A picture is more than what a socket takes unread."""
    stuck = asyncio.Event()

    async def unread(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await stuck.wait()
        writer.transport.abort()

    listening = await asyncio.start_server(unread, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    async with HttpRequest(connect_timeout_s=0.2, read_timeout_s=0.2) as request:
        bot = Bot("1:x", base_url=f"{url}/bot", request=request, get_updates_request=HttpRequest())
        async with asyncio.timeout(5):
            with pytest.raises(TimedOut):
                await bot.send_photo(5, bytes(20_000_000))
    stuck.set()
    listening.close()


@pytest.mark.asyncio
async def test_who_waits_for_room_too_long_has_sent_nothing() -> None:
    """All connections are taken."""

    async def silent(_: bytes, __: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0)

    async with _server(silent) as server, HttpRequest(max_connections=1, connect_timeout_s=0.1) as request:
        asking = asyncio.create_task(request.post(f"{server.url}/x"))
        await server.asked.wait()
        with pytest.raises(NotSent):
            await request.post(f"{server.url}/y")
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert len(server.requests) == 1


@pytest.mark.asyncio
async def test_nobody_is_sent_elsewhere() -> None:
    """The token stands in the address: it goes where we were told, and nowhere else."""

    async def elsewhere(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(_http(b"", "307 Temporary Redirect", f"Location: {other.url}/there\r\n"))

    async with _server(_ok) as other, _server(elsewhere) as server, HttpRequest() as request:
        with pytest.raises(NetworkError):
            await request.post(f"{server.url}/x")
        with pytest.raises(NetworkError):
            await request.retrieve(f"{server.url}/file")
        assert other.requests == []


@pytest.mark.asyncio
async def test_no_error_shows_the_address() -> None:
    """Nor what led to it: the token stands there."""

    async def silent(_: bytes, __: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0)

    async def breaking(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def told(address: str) -> str:
        with pytest.raises(NetworkError) as error:
            await request.post(address, read_timeout=0.1)
        return "".join(format_exception(error.value))

    async with _server(breaking) as server, HttpRequest(max_connections=1, connect_timeout_s=0.1) as request:
        address = f"{server.url}/bot1:s" + "ecret/getMe"
        shown = [await told(address)]
        server.answer = silent
        shown.append(await told(address))
        asking = asyncio.create_task(request.post(address, read_timeout=5))
        await asyncio.sleep(0.02)
        shown.append(await told(address))
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    assert [words.strip().rpartition("\n")[2].partition(":")[0].rpartition(".")[2] for words in shown] == [
        "NetworkError", "TimedOut", "NotSent",
    ]  # fmt: skip
    assert "secret" not in "".join(shown)


@pytest.mark.asyncio
async def test_a_proxy_of_the_environment_is_used_where_that_is_wished(monkeypatch: pytest.MonkeyPatch) -> None:
    """And only there."""
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with _server(_ok) as server, _server(_ok) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        async with HttpRequest() as request:
            await request.post(f"{server.url}/direct")
        async with HttpRequest(trust_env=True) as request:
            await request.post(f"{server.url}/through")
    assert [_parsed(got).path for got in server.requests] == ["/direct"]
    assert [_parsed(got).path for got in proxy.requests] == [f"{server.url}/through"]


@pytest.mark.asyncio
async def test_a_proxy_that_refuses_lets_nothing_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for a way to the platform first, and the call is sent on that way."""

    async def refusing(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(_http(b"", "403 Forbidden"))

    async with _server(refusing) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        async with HttpRequest(trust_env=True) as request:
            with pytest.raises(NotSent):
                await request.post("https://platform.test/bot1:x/getMe")
        (asked,) = proxy.requests
        assert asked.startswith(b"CONNECT platform.test:443 ")


@pytest.mark.asyncio
async def test_certificates_are_checked_against_those_of_the_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSL_CERT_FILE, as for every program; where a certificate is not trusted, nothing is sent."""
    certificate, context = _own_certificate(tmp_path)
    async with _server(_ok, context) as server:
        for trusted in (False, True):
            if trusted:
                monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
            http._tls.cache_clear()
            async with HttpRequest() as request:
                if trusted:
                    assert await request.post(f"{server.url}/x") is True
                else:
                    with pytest.raises(NotSent):
                        await request.post(f"{server.url}/x")
        assert len(server.requests) == 1
    http._tls.cache_clear()


def _own_certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """One for 127.0.0.1 that nobody has signed but itself, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "platform.test")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    path, key_path = folder / "certificate.pem", folder / "key.pem"
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key_path)
    return path, context


@pytest.mark.asyncio
async def test_a_connection_that_was_closed_while_idle_is_replaced() -> None:
    """Servers close idle connections without a word; the next request must not pay for it."""

    async def once(request: bytes, writer: asyncio.StreamWriter) -> None:
        await _ok(request, writer)
        writer.close()

    async with _server(once) as server, HttpRequest() as request:
        for _ in range(3):
            assert await request.post(f"{server.url}/x") is True
            await asyncio.sleep(0.05)
        assert server.connections == 3


@pytest.mark.asyncio
async def test_a_server_that_says_close_and_one_that_talks_unasked_are_not_trusted_again() -> None:
    """What comes unasked would be taken for the answer to the next request."""

    async def closing(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(_http(OK, more="Connection: close\r\n"))

    async def talking(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(_http(OK) + _http(b'{"ok":true,"result":false}'))

    async def talking_later(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(_http(OK))
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.write(_http(b"{}", "408 Request Timeout"))

    for answer in (closing, talking, talking_later):
        async with _server(answer) as server, HttpRequest() as request:
            for _ in range(2):
                assert await request.post(f"{server.url}/x") is True
                await asyncio.sleep(0.05)
            assert server.connections == 2


@pytest.mark.asyncio
async def test_connections_that_were_idle_for_long_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other side may be closing them at this very moment."""
    monkeypatch.setattr(http, "KEPT_S", 0.02)
    async with _server(_ok) as server, HttpRequest() as request:
        await request.post(f"{server.url}/x")
        await asyncio.sleep(0.05)
        await request.post(f"{server.url}/x")
        assert server.connections == 2


@pytest.mark.asyncio
async def test_more_than_can_be_meant_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever length was announced, or none."""
    monkeypatch.setattr(http, "MAX_ANSWER_BYTES", 10)
    async with _server(_ok) as server, HttpRequest() as request:
        with pytest.raises(AnswerTooLong):
            await request.post(f"{server.url}/x")


@pytest.mark.asyncio
async def test_a_long_answer_may_take_longer_than_the_time_without_a_byte() -> None:
    """A file over a slow network."""

    async def slow(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n")
        for _part in range(6):
            await asyncio.sleep(0.1)
            writer.write(b"x")

    async with _server(slow) as server, HttpRequest(read_timeout_s=0.4, connect_timeout_s=0.1) as request:
        assert await request.retrieve(f"{server.url}/file") == b"xxxxxx"


@pytest.mark.asyncio
async def test_who_stops_waiting_leaves_no_connection_behind() -> None:
    """A question for updates is ended at once when the service stops; room is free for others."""

    async def silent(_: bytes, __: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0)

    async with _server(silent) as server, HttpRequest(max_connections=1) as request:
        asking = asyncio.create_task(request.post(f"{server.url}/x"))
        await server.asked.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        async with asyncio.timeout(2):
            await server.left.wait()
        server.answer = _ok
        assert await request.post(f"{server.url}/x") is True


@pytest.mark.asyncio
async def test_refusals_are_those_of_the_library() -> None:
    """It reads them from status and body."""
    bodies = [
        ("400 Bad Request", {"ok": False, "error_code": 400, "description": "Bad Request: chat not found"}, BadRequest),
        ("429 Too Many", {"ok": False, "description": "x", "parameters": {"retry_after": 7}}, RetryAfter),
        ("502 Bad Gateway", None, NetworkError),
    ]
    for status, body, error in bodies:
        answer = _http(json.dumps(body).encode() if body else b"<html>", status)

        async def refusing(_: bytes, writer: asyncio.StreamWriter, answer: bytes = answer) -> None:
            writer.write(answer)

        async with _server(refusing) as server, HttpRequest() as request:
            with pytest.raises(error):
                await request.post(f"{server.url}/x")


def test_all_the_same_on_the_loop_of_the_service() -> None:
    """It runs on uvloop, whose transports are made otherwise; commands and tests run on asyncio's own loop."""

    async def twice_and_broken() -> None:
        async def breaking(_: bytes, writer: asyncio.StreamWriter) -> None:
            writer.close()

        async with _server(_ok) as server, HttpRequest(read_timeout_s=5) as request:
            for _ in range(2):
                assert await request.post(f"{server.url}/x") is True
            assert server.connections == 1
            server.answer = breaking
            with pytest.raises(NetworkError):
                await request.post(f"{server.url}/x")
            server.answer = _ok
            assert await request.post(f"{server.url}/x") is True

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(twice_and_broken())
