"""A server on loopback that answers as a Rasa server does, and can be made to fail in every way there is.

The shape is that of a Rasa 3.6.21 server trained on `nlu/`; `rasa_check.py` compares it with that of a real one.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import threading
from collections.abc import Sequence
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal

from nlu.understand import Embedded, load_embedded
from nlu.understanding import Ranked

Mood = Literal["well", "slow", "drips", "hangs up", "fails", "garbled", "endless", "other vocabulary"]

LONG_S = 5.0
"""How long a slow answer takes; longer than any time limit of the tests."""

DRIPS = 100

TODAY = date(2026, 11, 23)


def answer_like_rasa(text: str, ranking: Sequence[Ranked]) -> dict[str, object]:
    """What the server says when it ranks a text so: topics as one intent, and apart from it among themselves."""
    topics = [each for each in ranking if each.name.startswith("faq/") and each.confidence > 0]
    faq = sum(each.confidence for each in topics)
    intents = [(each.name, each.confidence) for each in ranking if not each.name.startswith("faq/")] + [("faq", faq)]
    intents.sort(key=lambda each: -each[1])
    shares = [(each.name, each.confidence / faq) for each in topics] or [("faq/what_is_bpjstk", 1.0)]
    return {
        "text": text,
        "intent": {"name": intents[0][0], "confidence": intents[0][1]},
        "entities": [],
        "text_tokens": [[0, len(text)]],
        "intent_ranking": [{"name": name, "confidence": confidence} for name, confidence in intents],
        "response_selector": {
            "all_retrieval_intents": ["faq"],
            "faq": {
                "response": {
                    "responses": [{"text": shares[0][0]}],
                    "confidence": shares[0][1],
                    "intent_response_key": shares[0][0],
                    "utter_action": f"utter_{shares[0][0]}",
                },
                "ranking": [{"confidence": share, "intent_response_key": name} for name, share in shares],
            },
        },
    }


class FakeRasa:
    """Reads as the embedded engine does, so that replies can be compared. Starts at once; `die` ends it."""

    def __init__(self, embedded: Embedded) -> None:
        self.embedded = embedded
        self.mood: Mood = "well"
        self.closes_idle = False
        self.fails_from = 0
        self.gone = threading.Event()
        self.heard: list[str] = []
        self.connections: set[socket.socket] = set()
        self.accepted = 0
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def die(self) -> None:
        """As a killed process: nobody listens, and every open connection is cut."""
        self.gone.set()
        self._server.shutdown()
        self._server.server_close()
        self.hang_up()
        self._thread.join()

    def hang_up(self) -> None:
        for connection in list(self.connections):
            with contextlib.suppress(OSError):  # already closed at the other end
                connection.shutdown(socket.SHUT_RDWR)

    def answer(self, text: str) -> bytes:
        ranking = self.embedded.parse(text, today=TODAY).ranking
        if self.mood == "other vocabulary":
            ranking = (Ranked("order_pizza", 0.9),)
        return json.dumps(answer_like_rasa(text, ranking)).encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exc_info()[1], OSError):  # whoever asked went away, or was made to
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def _handler(fake: FakeRasa) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            fake.connections.add(self.connection)
            fake.accepted += 1

        def finish(self) -> None:
            fake.connections.discard(self.connection)
            super().finish()

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            fake.heard.append(asked["text"])
            if len(fake.heard) == fake.fails_from:
                fake.mood = "fails"
            body = fake.answer(asked["text"])
            match fake.mood:
                case "slow":
                    fake.gone.wait(LONG_S)
                case "hangs up":
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                case "fails":
                    self.say(500, b'{"version":"3.6.21","status":"failure","reason":"ParsingError","code":500}')
                    return
                case "garbled":
                    body = body[: len(body) // 2]
                case "endless":
                    body = b" " * 1_000_000 + body
                case "drips":
                    self.drip(body)
                    return
                case _:
                    pass
            self.say(200, body)

        def say(self, status: int, body: bytes) -> None:
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                return  # whoever asked did not wait
            if fake.closes_idle:
                self.close_connection = True

        def drip(self, body: bytes) -> None:
            """A byte now and then, so that no read takes long and the whole never ends."""
            try:
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                for byte in body[:DRIPS]:
                    self.wfile.write(bytes([byte]))
                    fake.gone.wait(LONG_S / DRIPS)
            except OSError:
                return
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def main() -> None:
    """Serves in a process of its own, so that it can be killed: `python fake_rasa.py MODEL_DIR` prints the address."""
    fake = FakeRasa(load_embedded(Path(sys.argv[1])))
    print(fake.url, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
