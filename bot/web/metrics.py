"""Counts since the start for an operator's monitor, in the text format of Prometheus. No words and no names."""

from __future__ import annotations

import ipaddress
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bot.app import Program
from bot.rasa import RasaWithUnderstudy

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

ALWAYS: Final = ("asked", "understudy", "down", "back")
"""Shown from the start, so that a monitor sees the first of them as a rise."""


class Metrics:
    """The page that a monitor on this machine reads."""

    def __init__(self, program: Program) -> None:
        self._program = program

    async def show(self, request: Request) -> Response:
        """The counts, to whoever asks from this machine; to others there is no such page."""
        if not _is_from_here(request):
            raise HTTPException(404)
        return Response(metrics_text(self._program), headers={"content-type": CONTENT_TYPE})


def metrics_text(program: Program) -> str:
    """One line a count. Those of Rasa are there when it is the engine."""
    lines = ["# TYPE rangkul_turns_total counter", f"rangkul_turns_total {program.turns.handled}"]
    if isinstance(program.understander, RasaWithUnderstudy):
        counts = program.understander.counts
        lines.append("# TYPE rangkul_rasa_total counter")
        lines += [f'rangkul_rasa_total{{event="{name}"}} {counts[name]}' for name in sorted({*ALWAYS, *counts})]
    return "\n".join(lines) + "\n"


def _is_from_here(request: Request) -> bool:
    """Asked on this machine, and not through a proxy on behalf of somebody."""
    if request.client is None or "x-forwarded-for" in request.headers or "forwarded" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
