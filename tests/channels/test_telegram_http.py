"""Our connections to the Bot API, against servers that behave well and badly on real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import uvloop
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
async def _server(answer: Answer) -> AsyncIterator[Server]:
    server = Server(answer)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listening.close()
        for writer in server.writers:
            writer.close()
        await asyncio.sleep(0.01)  # lets their readers come to an end


async def _ok(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(_http(OK))


@pytest.mark.asyncio
async def test_one_connection_carries_one_request_after_the_other() -> None:
    """And several at once where there are several."""
    async with _server(_ok) as server:
        request = HttpRequest()
        for _ in range(3):
            assert await request.post(f"{server.url}/bot1:x/getMe") is True
        assert server.connections == 1
        await asyncio.gather(*(request.post(f"{server.url}/bot1:x/getMe") for _ in range(20)))
        assert 1 < server.connections <= 8
        await request.shutdown()


@pytest.mark.asyncio
async def test_a_call_is_a_form_and_a_file_makes_it_one_of_several_parts() -> None:
    """As the library's own way sends them."""
    async with _server(_ok) as server:
        bot = Bot("1:x", base_url=f"{server.url}/bot", request=HttpRequest(), get_updates_request=HttpRequest())
        await bot.set_my_description("Tanya & jawab é")
        await bot.set_chat_photo(5, InputFile(b"\x89PNG\r\n\x1a\n\x00", filename="a.png"))
        await bot.request.shutdown()
    form, parts = server.requests
    assert form.startswith(b"POST /bot1:x/setMyDescription HTTP/1.1\r\nHost: 127.0.0.1:")
    assert form.endswith(b"\r\n\r\ndescription=Tanya+%26+jawab+%C3%A9")
    boundary = parts.split(b"boundary=")[1].split(b"\r\n")[0]
    pieces = parts.split(b"--" + boundary)
    assert [b'name="chat_id"\r\n\r\n5\r\n' in piece for piece in pieces].count(True) == 1
    assert [b'; filename="a.png"\r\n' in piece and b"\x89PNG\r\n\x1a\n\x00\r\n" in piece for piece in pieces].count(
        True
    ) == 1
    assert pieces[-1] == b"--\r\n"


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

    async with _server(crumbs) as server:
        assert await HttpRequest().post(f"{server.url}/x") is True


@pytest.mark.asyncio
async def test_where_nobody_listens_nothing_was_sent() -> None:
    """So that a send may be tried again without any doubt."""
    async with _server(_ok) as server:
        pass
    with pytest.raises(NotSent):
        await HttpRequest().post(f"{server.url}/x")


@pytest.mark.asyncio
async def test_a_server_that_takes_a_request_and_says_nothing_leaves_a_doubt() -> None:
    """The connection is not used again."""

    async def silent(_: bytes, __: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0)

    async with _server(silent) as server:
        request = HttpRequest(read_timeout_s=0.1)
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

    async with _server(breaking) as server:
        with pytest.raises(NetworkError) as broken:
            await HttpRequest().post(f"{server.url}/x")
        assert not isinstance(broken.value, NotSent | TimedOut)


@pytest.mark.asyncio
async def test_a_connection_that_was_closed_while_idle_is_replaced() -> None:
    """Servers close idle connections without a word; the next request must not pay for it."""

    async def once(request: bytes, writer: asyncio.StreamWriter) -> None:
        await _ok(request, writer)
        writer.close()

    async with _server(once) as server:
        request = HttpRequest()
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
        async with _server(answer) as server:
            request = HttpRequest()
            for _ in range(2):
                assert await request.post(f"{server.url}/x") is True
                await asyncio.sleep(0.05)
            assert server.connections == 2


@pytest.mark.asyncio
async def test_connections_that_were_idle_for_long_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other side may be closing them at this very moment."""
    async with _server(_ok) as server:
        request = HttpRequest()
        await request.post(f"{server.url}/x")
        monkeypatch.setattr(http, "KEPT_S", 0.0)
        await request.post(f"{server.url}/x")
        assert server.connections == 2


@pytest.mark.asyncio
async def test_more_than_can_be_meant_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever length was announced, or none."""
    monkeypatch.setattr(http, "MAX_ANSWER_BYTES", 10)
    async with _server(_ok) as server:
        with pytest.raises(AnswerTooLong):
            await HttpRequest().post(f"{server.url}/x")


@pytest.mark.asyncio
async def test_a_long_answer_may_take_longer_than_the_time_without_a_byte() -> None:
    """A file over a slow network."""

    async def slow(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n")
        for _ in range(6):
            await asyncio.sleep(0.1)
            writer.write(b"x")

    async with _server(slow) as server:
        assert await HttpRequest(read_timeout_s=0.4).retrieve(f"{server.url}/file") == b"xxxxxx"


@pytest.mark.asyncio
async def test_who_stops_waiting_leaves_no_connection_behind() -> None:
    """A question for updates is ended at once when the service stops; room is free for others."""

    async def silent(_: bytes, __: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0)

    async with _server(silent) as server:
        request = HttpRequest(max_connections=1)
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

        async with _server(refusing) as server:
            with pytest.raises(error):
                await HttpRequest().post(f"{server.url}/x")


def test_all_the_same_on_the_loop_of_the_service() -> None:
    """It runs on uvloop, whose transports are made otherwise; commands and tests run on asyncio's own loop."""

    async def twice_and_broken() -> None:
        async def breaking(_: bytes, writer: asyncio.StreamWriter) -> None:
            writer.close()

        async with _server(_ok) as server:
            request = HttpRequest(read_timeout_s=5)
            for _ in range(2):
                assert await request.post(f"{server.url}/x") is True
            assert server.connections == 1
            server.answer = breaking
            with pytest.raises(NetworkError):
                await request.post(f"{server.url}/x")
            server.answer = _ok
            assert await request.post(f"{server.url}/x") is True
            await request.shutdown()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(twice_and_broken())
