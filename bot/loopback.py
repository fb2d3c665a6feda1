"""Requests to another process of this machine, over connections that are kept open."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urlsplit

import h11

MAX_IDLE: Final = 4
"""Connections kept open between requests: as many as there are turns side by side by default."""

MAX_ANSWER_BYTES: Final = 256_000
READ_BYTES: Final = 65_536
OK: Final = 200

Trouble = Literal["refused", "slow", "broken", "status"]
"""Nobody listens there; no answer in time; the talk broke off or was no HTTP; another status than 200."""


class NoAnswer(Exception):
    """The other process gave no answer; `trouble` says in which way."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble: Trouble = trouble


@dataclass(slots=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    http: h11.Connection = field(default_factory=lambda: h11.Connection(h11.CLIENT))

    def drop(self) -> None:
        self.writer.transport.abort()


@dataclass(slots=True)
class Loopback:
    """One server on loopback. Belongs to the event loop it is first used in; has no time limit of its own."""

    url: str
    _idle: list[_Connection] = field(default_factory=list)

    async def post(self, path: str, body: bytes) -> bytes:
        """The body of the answer to a JSON body. Raises NoAnswer.

        The request must be one that may be made twice: a kept connection may have been closed at the other end.
        """
        while self._idle:
            try:
                return await self._exchange(self._idle.pop(), path, body)
            except NoAnswer as failure:
                if failure.trouble != "broken":
                    raise
        return await self._exchange(await self._connected(), path, body)

    def close(self) -> None:
        """Lets go of the connections; later requests open new ones."""
        while self._idle:
            self._idle.pop().drop()

    async def _connected(self) -> _Connection:
        address = urlsplit(self.url)
        try:
            return _Connection(*await asyncio.open_connection(address.hostname, address.port or 80))
        except OSError as error:
            raise NoAnswer("refused") from error

    async def _exchange(self, connection: _Connection, path: str, body: bytes) -> bytes:
        """One request and its answer. A connection on which anything went wrong is not used again."""
        reusable = False
        try:
            connection.writer.write(_request(connection.http, urlsplit(self.url).netloc, path, body))
            answer = await _answer(connection)
            reusable = connection.http.their_state is h11.DONE and len(self._idle) < MAX_IDLE
            return answer
        except (OSError, h11.RemoteProtocolError) as error:
            raise NoAnswer("broken") from error
        finally:
            if reusable:
                connection.http.start_next_cycle()
                self._idle.append(connection)
            else:
                connection.drop()


def _request(http: h11.Connection, host: str, path: str, body: bytes) -> bytes:
    headers = [("Host", host), ("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    parts = (h11.Request(method="POST", target=path, headers=headers), h11.Data(data=body), h11.EndOfMessage())
    return b"".join(http.send(part) or b"" for part in parts)


async def _answer(connection: _Connection) -> bytes:
    status, body = OK, bytearray()
    while True:
        event = connection.http.next_event()
        if event is h11.NEED_DATA:
            connection.http.receive_data(await connection.reader.read(READ_BYTES))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > MAX_ANSWER_BYTES:
                raise NoAnswer("broken")
        elif isinstance(event, h11.EndOfMessage):
            break
        elif isinstance(event, h11.ConnectionClosed):
            raise NoAnswer("broken")
    if status != OK:
        raise NoAnswer("status")
    return bytes(body)
