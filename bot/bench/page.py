"""The chat page's own calls, made by a program: open the page, send, read the answers off the stream."""

from __future__ import annotations

import json
import uuid
from http.client import HTTPConnection, HTTPResponse
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlencode

TIMEOUT_S: Final = 30.0
PIECE_BYTES: Final = 65_536


class PageError(Exception):
    """The service did not answer as it answers a page."""


class Page:
    """One visitor with the page open. Blocking; one connection for requests and one for the stream, as in a browser."""

    def __init__(self, port: int, *, persona: str = "") -> None:
        """Opens the page; `persona` is what is pressed on a demo's start screen. Raises PageError, OSError."""
        self._origin = f"http://127.0.0.1:{port}"
        self._requests = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
        self._stream = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
        self._cookie = ""
        if persona:
            form = {"content-type": "application/x-www-form-urlencoded"}
            self._call("POST", "/persona", urlencode({"persona": persona}), form, expected=303)
        self._call("GET", "/", expected=200)
        self._call("GET", "/messages?all=1", expected=200)
        self._stream.request("GET", "/events?after=0", headers=self._headers())
        self._news: HTTPResponse = self._stream.getresponse()
        if self._news.status != 200:
            raise PageError(f"/events: {self._news.status}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """The person leaves."""
        self._requests.close()
        self._news.close()
        self._stream.close()

    def say(self, text: str) -> list[str]:
        """Sends words and waits for the answers on the stream. Raises PageError, OSError."""
        body = json.dumps({"id": str(uuid.uuid4()), "text": text})
        self._call("POST", "/messages", body, {"content-type": "application/json"}, expected=202)
        return self._answers()

    def _answers(self) -> list[str]:
        """The answers of one turn: they are stored together, so they come in one piece of the stream."""
        piece = b""
        while more := self._news.read1(PIECE_BYTES):
            piece += more
            if not piece.endswith(b"\n\n"):
                continue
            if answers := [json.loads(data)["text"] for data in _data_of(piece, event="")]:
                return answers
            piece = b""
        raise PageError("the stream ended")

    def _call(
        self, method: str, path: str, body: str = "", headers: dict[str, str] | None = None, *, expected: int
    ) -> None:
        self._requests.request(method, path, body.encode() or None, self._headers() | (headers or {}))
        response = self._requests.getresponse()
        response.read()
        if response.status != expected:
            raise PageError(f"{method} {path}: {response.status}")
        if cookie := response.headers.get("set-cookie"):
            self._cookie = cookie.partition(";")[0]

    def _headers(self) -> dict[str, str]:
        return {"origin": self._origin, "cookie": self._cookie} if self._cookie else {"origin": self._origin}


def _data_of(piece: bytes, *, event: str) -> list[str]:
    """The data of the events of one kind; messages have no kind."""
    found = []
    for block in piece.decode().split("\n\n"):
        fields = dict(line.partition(": ")[::2] for line in block.split("\n"))
        if fields.get("event", "") == event and "data" in fields:
            found.append(fields["data"])
    return found
