"""Serves the fake on loopback, for clients that need a real connection."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from bot.fakes.whatsapp import FakeWhatsApp

STARTS_WITHIN_S = 10.0


@contextmanager
def serving(fake: FakeWhatsApp) -> Iterator[str]:
    """The address of the fake while it is served, from a thread of its own, on a free port of 127.0.0.1.

    Raises RuntimeError when it does not come up within ten seconds.
    """
    config = uvicorn.Config(
        fake.app, host="127.0.0.1", port=0, log_level="critical", lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="fake-whatsapp", daemon=True)
    thread.start()
    give_up_at = time.monotonic() + STARTS_WITHIN_S
    while not server.started:
        if time.monotonic() > give_up_at or not thread.is_alive():
            raise RuntimeError("the fake did not start")
        time.sleep(0.01)
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=STARTS_WITHIN_S)
