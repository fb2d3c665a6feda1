"""The routes of the conversation: sending, reading back, and the stream of news."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from bot.attachments import Attachment
from bot.channels.web import NAME
from bot.web import wire
from bot.web.events import AT_ONCE, EventStream, Streams
from bot.web.guard import BodyTooLong, read_body
from bot.web.history import missed, whole
from bot.web.multipart import BadUpload, Upload, UploadTooLong, read_upload
from bot.web.personas import phone_of
from bot.web.site import Site
from bot.web.visits import Gone, Visit
from flows.model import Choice, Content, Media, Text
from storage.database import Unavailable
from storage.inbox import Accepted, Arrival

if TYPE_CHECKING:
    from bot.images import Photo

MAX_JSON_BYTES: Final = 32_000
"""A message of 2,000 characters, escaped at its worst, and room."""

BUSY_S: Final = 3
"""Seconds after which a page tries again when the database is away."""

PHOTOS_AT_ONCE: Final = 2
"""Photos decoded at the same time: each may need 150 MB for a moment."""


class Talk:
    """The conversation of one visitor, over HTTP."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._words = site.words.errors
        self._program = site.program
        self._max_upload = site.program.config.web.upload_max_bytes
        self._streams = Streams(site.channel, site.visits, site.program.db, site.program.keys)
        self._decoding = asyncio.Semaphore(PHOTOS_AT_ONCE)

    # ── POST /messages ───────────────────────────────────────────────────────────────────────────

    async def post(self, request: Request) -> Response:
        """Stores a message, then says 202. The same id again says the same and changes nothing."""
        site = self._site
        if not site.same_origin.permits(request):
            return site.refuse(403, self._words.wrong_origin)
        try:
            visit = await site.visit(request)
            if isinstance(visit, Gone):
                return site.refuse(401, self._words.ended)
            if wait_s := site.wait_s(request, visit.key):
                return site.refuse(429, self._words.slow_down, retry_after_s=wait_s)
            if request.headers.get("content-type", "").startswith("multipart/"):
                return await self._post_photo(request, visit)
            return await self._post_words(request, visit)
        except Unavailable:
            return site.refuse(503, self._words.unavailable, retry_after_s=BUSY_S)

    async def _post_words(self, request: Request, visit: Visit) -> Response:
        site = self._site
        try:
            posted = wire.posted_decoder.decode(await read_body(request, MAX_JSON_BYTES))
        except BodyTooLong:
            return site.refuse(413, self._words.too_long)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return site.refuse(400, self._words.bad_request)
        content: Content
        if posted.payload:
            content = Choice(posted.payload, posted.title)
        elif posted.text.strip():
            content = Text(posted.text)
        else:
            return site.refuse(400, self._words.empty)
        accepted = await self._program.receive(self._arrival(visit, posted.id, content))
        return await self._accepted(request, visit, posted.id, accepted)

    async def _post_photo(self, request: Request, visit: Visit) -> Response:
        site = self._site
        try:
            upload = await read_upload(
                request.stream(), request.headers["content-type"], max_file_bytes=self._max_upload
            )
            client_id = msgspec.convert(upload.fields.get("id", ""), wire.ClientId)
        except UploadTooLong:
            return site.refuse(413, self._words.upload_too_long)
        except (BadUpload, msgspec.ValidationError):
            return site.refuse(400, self._words.bad_request)
        if upload.file is None:
            return site.refuse(400, self._words.empty)
        photo, problem = await self._read(upload, upload.file)
        file = Attachment(self._program.ids.new(), photo.mime, photo.data) if photo else None
        caption = upload.fields.get("caption", "").strip()
        content = Media("photo", file.id if file else "", caption=caption, problem=problem)
        accepted = await self._program.receive(self._arrival(visit, client_id, content), files=(file,) if file else ())
        return await self._accepted(request, visit, client_id, accepted)

    async def _read(self, upload: Upload, data: bytes) -> tuple[Photo | None, str]:
        """The photo to keep, or why there is none."""
        if upload.too_big:
            return None, "too_big"
        from bot.images import Photo, read_photo  # the picture library is loaded with the first picture

        async with self._decoding:
            result = await asyncio.to_thread(read_photo, data, max_bytes=self._max_upload)
        return (result, "") if isinstance(result, Photo) else (None, result.problem)

    def _arrival(self, visit: Visit, client_id: str, content: Content) -> Arrival:
        return Arrival(
            channel=NAME,
            address=visit.address,
            external_id=f"{visit.key}:{client_id}",
            content=content,
            phone=phone_of(visit.address) if self._program.config.demo else None,
            received_at=self._program.clock.now(),
        )

    async def _accepted(self, request: Request, visit: Visit, client_id: str, accepted: Accepted) -> Response:
        site = self._site
        await site.visits.seen(site.token(request), visit, accepted.conversation)
        if not accepted.duplicate:
            site.channel.taken_in(visit.address, accepted.inbox_id)
        return site.json(wire.Taken(client_id), status=202)

    # ── GET /messages, GET /events ───────────────────────────────────────────────────────────────

    async def read(self, request: Request) -> Response:
        """The whole talk (`all=1`), or the answers after a position for browsers without a stream."""
        site = self._site
        try:
            visit = await site.visit(request)
            if isinstance(visit, Gone):
                return site.refuse(401, self._words.ended)
            if not visit.conversation:
                return site.json(wire.Conversation((), 0))
            found = await self._program.db.read(lambda conn: self._conversation(conn, request, visit))
            return site.long_json(request, found)
        except Unavailable:
            return site.refuse(503, self._words.unavailable, retry_after_s=BUSY_S)

    def _conversation(self, conn: Connection, request: Request, visit: Visit) -> wire.Conversation:
        keys = self._program.keys
        if request.query_params.get("all") == "1":
            return whole(conn, keys, visit.conversation)
        after = position(request.query_params.get("after"))
        answers = missed(conn, keys, visit.conversation, after, AT_ONCE)
        return wire.Conversation(answers, answers[-1].id if answers else after)

    async def events(self, request: Request) -> Response:
        """Server-Sent Events; the later of Last-Event-ID and `after` is where it resumes."""
        site = self._site
        try:
            visit = await site.visit(request)
        except Unavailable:
            return site.refuse(503, self._words.unavailable, retry_after_s=BUSY_S)
        if isinstance(visit, Gone):
            return site.refuse(401, self._words.ended)
        after = max(position(request.query_params.get("after")), position(request.headers.get("last-event-id")))
        return EventStream(self._streams.of(visit.address, site.token(request), after))


def position(text: str | None) -> int:
    """A resume position from outside; 0 for anything that is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 18 else 0
