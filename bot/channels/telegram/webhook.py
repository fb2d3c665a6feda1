"""The route to which Telegram brings updates: proved by a shared secret, stored, and only then answered."""

from __future__ import annotations

import hmac
import json
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from bot.channels.telegram.intake import Intake
from bot.channels.telegram.payloads import update_id_of
from storage.database import Conflict, Unavailable

SECRET_HEADER: Final = b"x-telegram-bot-api-secret-token"
MAX_BODY_BYTES: Final = 1_000_000
"""An update is a few thousand bytes: a message has 4096 characters, and files are only named."""

RETRY_S: Final = 5
"""Seconds after which Telegram may bring an update again that could not be stored."""


class Webhook:
    """Answers 200 when the update is on disk, 503 when it may come again. Everything else has no effect:
    403 without the secret, 413 for a body that is too long, 400 for one that is no update."""

    def __init__(self, intake: Intake, secret: str) -> None:
        """Raises ValueError without a secret: anybody could speak for Telegram."""
        if not secret:
            raise ValueError("a webhook needs a secret")
        self._intake = intake
        self._secret = secret.encode("ascii")

    async def receive(self, request: Request) -> Response:
        """The endpoint of the route."""
        if not self._is_from_telegram(request):
            return Response(status_code=403)
        try:
            body = await _body(request)
        except ClientDisconnect:
            return Response(status_code=400)
        if body is None:
            return Response(status_code=413)
        try:
            update = json.loads(body)
        except (ValueError, RecursionError):
            return Response(status_code=400)
        if update_id_of(update) is None:
            return Response(status_code=400)
        try:
            await self._intake.take([update])
        except (Unavailable, Conflict):
            return Response(status_code=503, headers={"Retry-After": str(RETRY_S)})
        return Response(status_code=200)

    def _is_from_telegram(self, request: Request) -> bool:
        """Compares bytes: a header may hold any of them."""
        given = [value for name, value in request.scope["headers"] if name == SECRET_HEADER]
        return len(given) == 1 and hmac.compare_digest(given[0], self._secret)


async def _body(request: Request) -> bytes | None:
    """The whole body, or None as soon as it is too long."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            return None
    return bytes(body)
