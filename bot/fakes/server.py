"""Runs an ASGI application on a free port of 127.0.0.1, in a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

START_LIMIT_S: Final = 10.0


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Gives the address, `http://127.0.0.1:PORT`, and stops the server at the end. Raises TimeoutError on no start."""
    import uvicorn  # only those who want real sockets need it

    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_level="critical", lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="fake platform", daemon=True)
    thread.start()
    deadline = time.monotonic() + START_LIMIT_S
    while not server.started:
        if time.monotonic() > deadline or not thread.is_alive():
            raise TimeoutError("the server did not start")
        time.sleep(0.005)
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
