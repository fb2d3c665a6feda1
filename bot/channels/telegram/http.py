"""The way to the Bot API: connections that stay open, one request at a time on each.

python-telegram-bot takes any `BaseRequest`. Its own goes through httpx and costs three to five times the CPU of a send
through this one; figures and what is given up: docs/decisions/0006-telegram-http.md.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
import time
from functools import cache
from typing import Any, Final, NamedTuple, cast
from urllib.parse import urlencode, urlsplit

import httptools
import httpx
from telegram.error import NetworkError, TelegramError, TimedOut
from telegram.request import BaseRequest, RequestData

from bot.channels.telegram.payloads import MAX_FILE_BYTES

MAX_ANSWER_BYTES: Final = MAX_FILE_BYTES
"""No answer is longer than the largest file that bots are given."""

KEPT_S: Final = 50.0
"""Seconds for which an idle connection is used again: less than servers usually keep it (nginx: 75)."""


class NotSent(NetworkError):
    """The request never left: no connection came about."""


class AnswerTooLong(TelegramError):
    """More came than can be meant."""


class _Origin(NamedTuple):
    host: str
    port: int
    is_tls: bool


class HttpRequest(BaseRequest):
    """What a `telegram.Bot` sends its requests through.

    A time-out is seconds without any byte, so that a large file may take its time. Raises NotSent when nothing can
    have reached the other side, TimedOut and NetworkError when it may have. Proxies are not used.
    """

    def __init__(
        self, *, max_connections: int = 8, connect_timeout_s: float = 5.0, read_timeout_s: float = 15.0
    ) -> None:
        self._room = asyncio.Semaphore(max_connections)
        self._connect_timeout_s = connect_timeout_s
        self._read_timeout_s = read_timeout_s
        self._idle: list[_Wire] = []

    @property
    def read_timeout(self) -> float:
        return self._read_timeout_s

    async def initialize(self) -> None:
        """Nothing to do: a connection is opened when it is needed."""

    async def shutdown(self) -> None:
        """Closes what is idle. Safe to call twice."""
        while self._idle:
            self._idle.pop().close()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = BaseRequest.DEFAULT_NONE,
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        parts = urlsplit(url)
        is_tls = parts.scheme == "https"
        origin = _Origin(parts.hostname or "", parts.port or (443 if is_tls else 80), is_tls)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        timeout_s = self._read_timeout_s if read_timeout is BaseRequest.DEFAULT_NONE else read_timeout
        request = _request(method, target, parts.netloc, request_data)
        wire = await self._ready(origin)
        try:
            return await wire.exchange(request, timeout_s)
        finally:
            self._put_back(wire)

    async def _ready(self, origin: _Origin) -> _Wire:
        """A connection for one request. Who got one gives it back by `_put_back`."""
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                await self._room.acquire()
                try:
                    return self._kept(origin) or await _connected(origin)
                except BaseException:
                    self._room.release()
                    raise
        except (OSError, ssl.SSLError, TimeoutError) as error:
            raise NotSent(type(error).__name__) from error

    def _kept(self, origin: _Origin) -> _Wire | None:
        """The connection used last, as the likeliest to be open still; those that are no longer good are dropped."""
        oldest = time.monotonic() - KEPT_S
        for wire in self._idle:
            if wire.used_at < oldest:
                wire.close()
        self._idle = [wire for wire in self._idle if wire.is_good]
        for place in reversed(range(len(self._idle))):
            if self._idle[place].origin == origin:
                return self._idle.pop(place)
        return None

    def _put_back(self, wire: _Wire) -> None:
        self._room.release()
        if wire.is_good:
            self._idle.append(wire)


class _Wire(asyncio.Protocol):
    """One connection. `is_good`: it may carry the next request."""

    def __init__(self, origin: _Origin) -> None:
        self.origin = origin
        self.is_good = True
        self.used_at = 0.0
        self._transport: asyncio.Transport | None = None
        self._parser: Any = None
        self._body = bytearray()
        self._answered: asyncio.Future[tuple[int, bytes]] | None = None
        self._limit: asyncio.Timeout | None = None
        self._timeout_s = 0.0
        self._stays_open = False

    async def exchange(self, request: bytes, timeout_s: float) -> tuple[int, bytes]:
        """Sends a request and waits for its answer: status and body. Not good afterwards unless all went well."""
        assert self._transport is not None, "it was connected"
        loop = asyncio.get_running_loop()
        self._parser, self._body = httptools.HttpResponseParser(self), bytearray()
        self._answered, self._timeout_s = loop.create_future(), timeout_s
        self._stays_open = False
        try:
            async with asyncio.timeout(timeout_s) as self._limit:
                self._transport.write(request)
                return await self._answered
        except TimeoutError as error:
            raise TimedOut("no answer") from error
        finally:
            self._answered = self._limit = None
            self.used_at = time.monotonic()
            if not self._stays_open:
                self.close()

    def close(self) -> None:
        """Ends the connection at once. Safe to call twice."""
        self.is_good = False
        if self._transport is not None:
            self._transport.abort()

    # ── called by the loop ───────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance

    def data_received(self, data: bytes) -> None:
        if self._answered is None or self._answered.done():
            self.close()  # nobody asked: an answer to come would be taken for this
            return
        if self._limit is not None:
            self._limit.reschedule(asyncio.get_running_loop().time() + self._timeout_s)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(NetworkError(type(error).__name__))

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_good = False
        self._fail(NetworkError("the connection broke"))

    def _fail(self, error: TelegramError) -> None:
        self.is_good = False
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(error)

    # ── called by the parser ─────────────────────────────────────────────────────────────────────

    def on_body(self, data: bytes) -> None:
        self._body += data
        if len(self._body) > MAX_ANSWER_BYTES:
            self._fail(AnswerTooLong("more than the largest file"))

    def on_message_complete(self) -> None:
        if self._answered is None:
            return
        if self._answered.done():
            self._stays_open = False  # a second answer to one request
        else:
            self._stays_open = self._parser.should_keep_alive()
            self._answered.set_result((self._parser.get_status_code(), bytes(self._body)))


async def _connected(origin: _Origin) -> _Wire:
    context = _tls() if origin.is_tls else None
    loop = asyncio.get_running_loop()
    _, wire = await loop.create_connection(lambda: _Wire(origin), origin.host, origin.port, ssl=context)
    return wire


@cache
def _tls() -> ssl.SSLContext:
    """Trusts what httpx trusts: the certificates of SSL_CERT_FILE if that is set, else those that come with certifi."""
    return httpx.create_ssl_context()


def _request(method: str, target: str, host: str, data: RequestData | None) -> bytes:
    body, kind = _body(data)
    head = (
        f"{method} {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {BaseRequest.USER_AGENT}\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("ascii") + body


def _body(data: RequestData | None) -> tuple[bytes, str]:
    """The parameters of a call as a form, with their files where there are some; and the kind of form it is."""
    fields = data.json_parameters if data is not None else {}
    files = data.multipart_data if data is not None and data.contains_files else {}
    if not files:
        return urlencode(fields).encode("ascii"), "application/x-www-form-urlencoded"
    boundary = secrets.token_hex(16)
    parts = [
        (f'Content-Disposition: form-data; name="{name}"\r\n\r\n', value.encode()) for name, value in fields.items()
    ]
    for name, (filename, content, mime) in files.items():
        assert isinstance(content, bytes), "we only send files from memory"
        head = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"\r\nContent-Type: {mime}\r\n\r\n'
        parts.append((head, content))
    pieces = (f"--{boundary}\r\n{head}".encode() + content + b"\r\n" for head, content in parts)
    return b"".join(pieces) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
