"""The way to the Bot API: python-telegram-bot's calls, over aiohttp.

The library takes any `BaseRequest`. Its own goes through httpx and costs about three times the CPU of a send through
this one; figures, and what this one tells beyond it: docs/decisions/0006-telegram-http.md.
"""

from __future__ import annotations

import asyncio
from functools import cache
from ssl import SSLContext
from typing import Any, Final

import aiohttp
import httpx
from aiohttp.connector import Connection
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


class HttpRequest(BaseRequest):
    """What a `telegram.Bot` sends its requests through. Belongs to the loop in which it is first used.

    A time-out is seconds without any byte, so that a large file may take its time. Raises NotSent when nothing can
    have reached the other side, TimedOut and NetworkError when it may have. A call (POST) is sent once; aiohttp alone
    asks a second time for a file (GET), on a new connection, where a kept one turns out to be closed. `trust_env`: as
    HTTPS_PROXY, HTTP_PROXY and NO_PROXY say.
    """

    def __init__(
        self,
        *,
        max_connections: int = 8,
        connect_timeout_s: float = 5.0,
        read_timeout_s: float = 15.0,
        trust_env: bool = False,
    ) -> None:
        self._max_connections = max_connections
        self._connect_timeout_s = connect_timeout_s
        self._read_timeout_s = read_timeout_s
        self._trust_env = trust_env
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float:
        return self._read_timeout_s

    async def initialize(self) -> None:
        """Nothing to do: connections are opened when they are needed."""

    async def shutdown(self) -> None:
        """Closes every connection; whoever still waits gets NetworkError. Safe to call twice."""
        if self._session is not None:
            await self._session.close()
            self._session = None

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
        wait_s = self._read_timeout_s if read_timeout is BaseRequest.DEFAULT_NONE else read_timeout
        timeout = aiohttp.ClientTimeout(total=None, connect=self._connect_timeout_s, sock_read=wait_s)
        # aiohttp's errors may name the address, which holds the token: none of them goes further.
        try:
            # Its clock for an answer starts when everything is written; where nobody reads, that is never.
            async with asyncio.timeout(self._connect_timeout_s + wait_s):
                answer = await self._opened().request(
                    method, url, data=_form(request_data), timeout=timeout, allow_redirects=False
                )
            async with answer:
                return answer.status, await _body(answer)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError) as error:
            raise NotSent(type(error).__name__) from None
        except TimeoutError:
            raise TimedOut("no answer") from None
        except (aiohttp.ClientError, OSError) as error:
            raise NetworkError(type(error).__name__) from None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=_Connector(ssl=_tls(), limit=self._max_connections, keepalive_timeout=KEPT_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": BaseRequest.USER_AGENT},
                trust_env=self._trust_env,
            )
        return self._session


class _Connector(aiohttp.TCPConnector):
    """Does not use a kept connection again on which something came unasked: it would be taken for the next answer.

    aiohttp 3.14.5 does (github.com/aio-libs/aiohttp/issues/13656).
    """

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Any],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - its name in aiohttp
    ) -> Connection:
        while True:
            connection = await super().connect(req, traces, timeout)
            if connection.protocol is None or not connection.protocol.should_close:
                return connection
            connection.close()


@cache
def _tls() -> SSLContext:
    """Trusts what httpx trusts: the certificates of SSL_CERT_FILE if that is set, else those that come with certifi."""
    return httpx.create_ssl_context()


def _form(data: RequestData | None) -> aiohttp.FormData | None:
    """The parameters of a call with their files, if there are any."""
    if data is None:
        return None
    form = aiohttp.FormData(data.json_parameters)
    for name, (filename, content, mime) in (data.multipart_data if data.contains_files else {}).items():
        form.add_field(name, content, filename=filename, content_type=mime)
    return form


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for piece in answer.content.iter_any():
        body += piece
        if len(body) > MAX_ANSWER_BYTES:
            raise AnswerTooLong("more than the largest file")
    return bytes(body)
