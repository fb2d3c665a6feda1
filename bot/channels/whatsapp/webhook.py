"""Where Meta brings what people write: proven, stored, then answered with 200; everything else comes after.

Meta delivers again for seven days until it gets a 200 and has no other way to ask for what was lost, so nothing is
confirmed that is not on disk.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Coroutine, Sequence
from typing import Final

import structlog
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.app import Program
from bot.channels.base import SendError
from bot.channels.whatsapp.channel import WhatsAppChannel
from bot.channels.whatsapp.payloads import Reader
from bot.config import WhatsAppSection
from bot.web.guard import BodyTooLong, read_body
from storage import conversations
from storage.database import Unavailable
from storage.inbox import Accepted, Arrival, Event

MAX_BODY_BYTES: Final = 4 << 20
"""Meta's bodies reach 3 MB (its page on webhooks)."""

MAX_RECEIPTS: Final = 8
"""Read receipts under way at once; more are left out, for the answer itself shows that the message was read."""

TRY_AGAIN_S: Final = 5
BOT: Final = "bot"

log = structlog.get_logger()


class Webhook:
    """The two routes of the webhook. `counts` tells what came, by what became of it."""

    def __init__(self, program: Program, channel: WhatsAppChannel, settings: WhatsAppSection, reader: Reader) -> None:
        """Raises ValueError when the settings lack a secret."""
        if settings.app_secret is None or settings.verify_token is None or settings.lacking():
            raise ValueError(f"WhatsApp needs {settings.lacking()}")
        self._program = program
        self._channel = channel
        self._settings = settings
        self._reader = reader
        self._app_secret = settings.app_secret.get_secret_value().encode()
        self._verify_token = settings.verify_token.get_secret_value().encode()
        self._receipts: set[asyncio.Task[None]] = set()
        self.counts: Counter[str] = Counter()

    def routes(self) -> list[Route]:
        """To be served at the public address that is set up at Meta."""
        path = self._settings.webhook_path
        return [Route(path, self.prove, methods=["GET"]), Route(path, self.take, methods=["POST"])]

    async def close(self) -> None:
        """Drops the receipts under way. Safe to call twice."""
        for task in self._receipts:
            task.cancel()
        await asyncio.gather(*self._receipts, return_exceptions=True)

    async def prove(self, request: Request) -> Response:
        """Meta's handshake: whoever knows our word gets the challenge back."""
        query = request.query_params
        given = query.get("hub.verify_token", "").encode("utf-8", "replace")
        knows_word = hmac.compare_digest(given, self._verify_token)
        if query.get("hub.mode") != "subscribe" or not knows_word:
            self.counts["handshake_refused"] += 1
            return Response(status_code=403)
        return PlainTextResponse(query.get("hub.challenge", ""))

    async def take(self, request: Request) -> Response:
        """Stores what a body brings: 200. Otherwise 401 unsigned, 400 no JSON object, 413 too long, 503 not stored."""
        try:
            body = await read_body(request, MAX_BODY_BYTES)
        except BodyTooLong:
            return self._refuse(413, "too_long")
        if not is_signed(body, request.headers.get("x-hub-signature-256", ""), self._app_secret):
            return self._refuse(401, "bad_signature")
        try:
            payload = json.loads(body)
        except (ValueError, RecursionError):
            return self._refuse(400, "malformed")
        if not isinstance(payload, dict):
            return self._refuse(400, "malformed")
        self._count(payload)
        events = self._reader.events_of(payload, self._program.clock.now())
        try:
            accepted = await self._program.take_in(events) if events else []
        except Unavailable:
            self.counts["unavailable"] += 1
            return Response(status_code=503, headers={"retry-after": str(TRY_AGAIN_S)})
        self._show_read(events, accepted)
        return Response(status_code=200)

    def _refuse(self, status: int, reason: str) -> Response:
        self.counts[reason] += 1
        log.info("whatsapp.refused", reason=reason, so_far=self.counts[reason])
        return Response(status_code=status)

    def _count(self, payload: object) -> None:
        self.counts["taken"] += 1
        if foreign := self._reader.foreign_in(payload):
            self.counts["foreign"] += foreign
            log.info("whatsapp.foreign", changes=foreign, so_far=self.counts["foreign"])
        for code in self._reader.troubles_in(payload):
            self.counts["troubles"] += 1
            log.warning("whatsapp.trouble", code=code)

    # ── read receipts ────────────────────────────────────────────────────────────────────────────

    def _show_read(self, events: Sequence[Event], accepted: Sequence[Accepted]) -> None:
        """One receipt for each conversation with something new in it: it covers all messages before it, too."""
        if not self._settings.mark_read:
            return
        arrivals = [event for event in events if isinstance(event, Arrival)]
        newest = {
            stored.conversation: arrival.external_id
            for arrival, stored in zip(arrivals, accepted, strict=True)
            if not stored.duplicate
        }
        for conversation, wamid in newest.items():
            if len(self._receipts) >= MAX_RECEIPTS:
                self.counts["receipts_left_out"] += 1
            else:
                self._start(self._receipt(conversation, wamid))

    async def _receipt(self, conversation: str, wamid: str) -> None:
        """Typing is promised only where the bot answers; a person at the desk may take hours."""

        def bot_answers(conn: Connection) -> bool:
            return conversations.owner_of(conn, conversation) == BOT

        try:
            if await self._program.db.read(bot_answers):
                await self._channel.show_typing(wamid)
                self.counts["receipts"] += 1
        except (SendError, Unavailable):
            # The message is stored and will be answered; a receipt more or less is not worth a second try.
            self.counts["receipts_failed"] += 1

    def _start(self, receipt: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(receipt)
        self._receipts.add(task)
        task.add_done_callback(self._receipts.discard)


def is_signed(body: bytes, header: str, app_secret: bytes) -> bool:
    """Whether the header holds the HMAC-SHA256 of these very bytes under the app's secret.

    `header` as HTTP libraries give it, one character a byte.
    """
    signature = "sha256=" + hmac.new(app_secret, body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(header.encode("latin-1", "replace"), signature.encode("ascii"))
