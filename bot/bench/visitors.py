"""The far side of the benchmark as a process of its own, so that its CPU time is not the service's.

`python -m bot.bench.visitors PORT` takes orders on standard input and answers each with one line of JSON.
"""

from __future__ import annotations

import sys
import time
from http.client import HTTPConnection
from typing import Final

import msgspec

from bot.bench import walk
from bot.bench.page import TIMEOUT_S, Page, PageError

PAUSE_S: Final = 0.01
"""Between an answer and the next message. Nobody types faster, and what follows an answer belongs to its turn."""


class Open(msgspec.Struct, frozen=True, tag="open"):
    """Open the page anew."""


class Walk(msgspec.Struct, frozen=True, tag="walk"):
    """Sign up on the open page, as person `number`."""

    number: int


class Insert(msgspec.Struct, frozen=True, tag="insert"):
    """Call the bare route so many times."""

    count: int


class Walked(msgspec.Struct, frozen=True):
    """What came of an order: milliseconds from sending to the answer, one for each message."""

    waited_ms: tuple[float, ...] = ()


Order = Open | Walk | Insert

orders: msgspec.json.Decoder[Order] = msgspec.json.Decoder(Order)
answers = msgspec.json.Decoder(Walked)


def walked(page: Page, number: int) -> tuple[float, ...]:
    """Signs one person up and gives how long each answer took, in milliseconds. Raises PageError."""
    waited, said = [], ""
    for message in walk.messages(number):
        time.sleep(PAUSE_S)
        began = time.perf_counter()
        said += "\n".join(page.say(message))
        waited.append((time.perf_counter() - began) * 1000)
    time.sleep(PAUSE_S)
    if walk.RECEIPT not in said:
        raise PageError("nobody was signed up")
    return tuple(waited)


def inserted(port: int, count: int) -> tuple[float, ...]:
    """Calls the bare route over one connection."""
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    waited = []
    for number in range(count):
        time.sleep(PAUSE_S)
        began = time.perf_counter()
        connection.request("POST", "/insert", f'{{"text": "{number}"}}'.encode(), {"content-type": "application/json"})
        response = connection.getresponse()
        response.read()
        if response.status != 202:
            raise PageError(f"/insert: {response.status}")
        waited.append((time.perf_counter() - began) * 1000)
    connection.close()
    return tuple(waited)


def main() -> None:
    """Serves orders until standard input ends."""
    port = int(sys.argv[1])
    page: Page | None = None
    for line in sys.stdin:
        done: tuple[float, ...] = ()
        match orders.decode(line):
            case Open():
                if page is not None:
                    page.close()
                page = Page(port)
            case Walk(number=number):
                if page is None:
                    raise PageError("no page is open")
                done = walked(page, number)
            case Insert(count=count):
                done = inserted(port, count)
        sys.stdout.write(msgspec.json.encode(Walked(done)).decode() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
