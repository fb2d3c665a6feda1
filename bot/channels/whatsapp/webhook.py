"""Where Meta brings what people write: proven, stored, then answered with 200; everything else comes after.

Meta delivers again for seven days until it gets a 200 and has no other way to ask for what was lost, so nothing is
confirmed that is not on disk.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any, Final

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.channels.whatsapp.intake import Intake
from bot.channels.whatsapp.payloads import Reader
from bot.clock import Clock
from bot.web.guard import BodyTooLong, read_body
from storage.database import Conflict, Unavailable

SIGNATURE_HEADER: Final = "x-hub-signature-256"
MAX_BODY_BYTES: Final = 4 << 20
"""Meta's bodies reach 3 MB (its page on webhooks)."""

RETRY_S: Final = 5
"""Seconds after which Meta may bring again what could not be stored."""

log = structlog.get_logger()


class Webhook:
    """The two routes of the webhook."""

    def __init__(self, intake: Intake, reader: Reader, clock: Clock, *, app_secret: str, verify_token: str) -> None:
        """Raises ValueError without a secret: anybody could speak for Meta."""
        if not app_secret or not verify_token:
            raise ValueError("a webhook needs its secrets")
        self._intake = intake
        self._reader = reader
        self._clock = clock
        self._app_secret = app_secret.encode()
        self._verify_token = verify_token.encode()

    def routes(self, path: str) -> list[Route]:
        """To be served at the public address that is set up at Meta."""
        return [Route(path, self.prove, methods=["GET"]), Route(path, self.receive, methods=["POST"])]

    async def prove(self, request: Request) -> Response:
        """Meta's handshake: whoever knows our word gets the challenge back."""
        query = request.query_params
        given = query.get("hub.verify_token", "").encode("utf-8", "replace")
        knows_word = hmac.compare_digest(given, self._verify_token)
        if query.get("hub.mode") != "subscribe" or not knows_word:
            return self._refuse(403, "handshake")
        return PlainTextResponse(query.get("hub.challenge", ""))

    async def receive(self, request: Request) -> Response:
        """200 when all of it is on disk, or is nothing for us. Otherwise without effect: 401 where the signature is
        wrong, 413 for a body that is too long, 400 for one that is no JSON object, 503 when it may come again."""
        try:
            body = await read_body(request, MAX_BODY_BYTES)
        except BodyTooLong:
            return self._refuse(413, "too_long")
        except ClientDisconnect:
            return self._refuse(400, "cut_off")
        if not is_signed(body, request.headers.get(SIGNATURE_HEADER, ""), self._app_secret):
            return self._refuse(401, "bad_signature")
        payload = _object_in(body)
        if payload is None:
            return self._refuse(400, "malformed")
        self._look_over(payload)
        try:
            await self._intake.take(self._reader.events_of(payload, self._clock.now()))
        except (Unavailable, Conflict):
            self._intake.counts["unavailable"] += 1
            return Response(status_code=503, headers={"Retry-After": str(RETRY_S)})
        self._intake.counts["taken"] += 1
        return Response(status_code=200)

    def _refuse(self, status: int, reason: str) -> Response:
        self._intake.counts[reason] += 1
        log.info("whatsapp.refused", reason=reason, so_far=self._intake.counts[reason])
        return Response(status_code=status)

    def _look_over(self, payload: object) -> None:
        """Counts what is not for us, and tells of trouble with the number as a whole."""
        if foreign := self._reader.foreign_in(payload):
            self._intake.counts["foreign"] += foreign
            log.info("whatsapp.foreign", changes=foreign, so_far=self._intake.counts["foreign"])
        for code in self._reader.troubles_in(payload):
            self._intake.counts["troubles"] += 1
            log.warning("whatsapp.trouble", code=code)


def is_signed(body: bytes, header: str, app_secret: bytes) -> bool:
    """Whether the header holds the HMAC-SHA256 of these very bytes under the app's secret.

    `header` as HTTP libraries give it, one character a byte.
    """
    signature = "sha256=" + hmac.new(app_secret, body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(header.encode("latin-1", "replace"), signature.encode("ascii"))


def _object_in(body: bytes) -> dict[str, Any] | None:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return payload if isinstance(payload, dict) else None
