"""The pages themselves: the chat page, the demo's start screen, the end of a visit, files and health."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import parse_qs

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot import demo
from bot.demo import Numbers
from bot.web.guard import BodyTooLong, read_body
from bot.web.personas import is_persona
from bot.web.site import Site, takes_gzip
from bot.web.visits import Gone, Visit
from flows.format import code_groups, month_year
from storage import inbox
from storage.database import Unavailable

MAX_FORM_BYTES: Final = 4_000
READY_WITHIN_S: Final = 2.0
FOREVER: Final = {"cache-control": "public, max-age=31536000, immutable", "vary": "Accept-Encoding"}


class Pages:
    """Everything that is looked at rather than talked to."""

    def __init__(self, site: Site, stopped: Callable[[], Mapping[str, str]]) -> None:
        self._site = site
        self._stopped = stopped
        self._words = site.words
        self._is_demo = site.program.config.demo
        self._minutes = site.program.config.web.idle_minutes

    async def home(self, request: Request) -> Response:
        """The talk of this visitor; the start screen in a demo; a kind word after an idle end."""
        site = self._site
        token = site.token(request)
        try:
            visit = await site.visits.of(token)
            if isinstance(visit, Visit):
                await site.visits.seen(token, visit)
                return self._chat(request)
            if visit is Gone.IDLE:
                return await self._ended(request, token)
            if self._is_demo:
                return await self._start(request)
            if wait_s := site.wait_s(request):
                return site.trouble(request, 429, self._words.errors.slow_down, wait_s)
            response = self._chat(request)
            site.set_cookie(response, await site.visits.start())
            return response
        except Unavailable:
            return site.trouble(request, 503, self._words.errors.unavailable, 5)

    async def persona(self, request: Request) -> Response:
        """A fresh conversation as one of the demo's invented people, or as a guest."""
        site = self._site
        if not site.same_origin.permits(request):
            return site.refuse(403, self._words.errors.wrong_origin)
        try:
            name = form_value(await read_body(request, MAX_FORM_BYTES), "persona")
        except BodyTooLong:
            return site.refuse(413, self._words.errors.too_long)
        if not self._is_demo or not is_persona(name):
            return site.refuse(400, self._words.errors.bad_request)
        if wait_s := site.wait_s(request):
            return site.trouble(request, 429, self._words.errors.slow_down, wait_s)
        response = RedirectResponse("/", 303)
        try:
            site.set_cookie(response, await site.visits.start(name))
        except Unavailable:
            return site.trouble(request, 503, self._words.errors.unavailable, 5)
        return response

    async def forget(self, request: Request) -> Response:
        """The talk leaves this phone: its token opens nothing any more and the cookie goes."""
        site = self._site
        if not site.same_origin.permits(request):
            return site.refuse(403, self._words.errors.wrong_origin)
        token = site.token(request)
        response = RedirectResponse("/?dihapus=1", 303)
        site.clear_cookie(response)
        try:
            visit = await site.visits.of(token)
            await site.visits.end(token)
        except Unavailable:
            return site.trouble(request, 503, self._words.errors.unavailable, 5)
        if isinstance(visit, Visit):
            site.channel.wake(visit.address)  # other tabs of this phone close their talk now
        return response

    async def asset(self, request: Request) -> Response:
        """A file of the page. Its address changes with its content, so that a phone fetches it once."""
        asset = self._site.assets.get(request.path_params["name"])
        if asset is None:
            return Response(status_code=404)
        if takes_gzip(request):
            return Response(asset.packed, headers={**FOREVER, "content-encoding": "gzip"}, media_type=asset.mime)
        return Response(asset.data, headers=FOREVER, media_type=asset.mime)

    async def health(self, request: Request) -> Response:
        """The process lives."""
        return Response(b"ok", media_type="text/plain")

    async def ready(self, request: Request) -> Response:
        """The database answers; 503 when it does not. A channel that has stopped is named: the others serve on."""
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                await self._site.program.db.read(inbox.waiting)
        except (Unavailable, TimeoutError):
            return Response(b"database", 503, media_type="text/plain")
        lines = ["ok", *(f"{channel} stopped: {reason}" for channel, reason in self._stopped().items())]
        return Response("\n".join(lines), media_type="text/plain")

    async def not_found(self, request: Request, error: Exception) -> Response:
        """An address that is none."""
        words = self._words
        return self._site.notice(request, words.errors.not_found, action=words.form.done_back, status=404)

    def _chat(self, request: Request) -> Response:
        config = self._site.program.config
        return self._site.templates.page(
            request,
            "chat.html",
            title=self._words.chat.title,
            menu=True,
            minutes=self._minutes,
            page_words=msgspec.json.encode(self._words.page).decode(),
            public_origin=self._site.public_origin,
            max_upload_bytes=config.web.upload_max_bytes,
            max_chars=config.turn.max_text_chars,
            forgotten="dihapus" in request.query_params,
        )

    async def _start(self, request: Request) -> Response:
        program = self._site.program
        numbers = await program.db.read(lambda conn: demo.numbers(conn, program.keys))
        return self._site.templates.page(
            request,
            "start.html",
            title=self._words.start.title,
            numbers={name: self._rows_of(known) for name, known in numbers.items()},
            forgotten="dihapus" in request.query_params,
        )

    def _rows_of(self, known: Numbers) -> list[tuple[str, str]]:
        words = self._words.start
        rows = [(words.nik, code_groups(known.nik).replace("-", " "))]
        if known.kpj_last4:
            rows.append((words.kpj, known.kpj_last4))
        if known.paid_until:
            rows.append((words.paid, month_year(known.paid_until)))
        return rows

    async def _ended(self, request: Request, token: str) -> Response:
        words = self._words.ended
        await self._site.visits.end(token)
        text = words.idle_text.format(minutes=self._minutes)
        response = self._site.notice(request, words.idle_title, text, words.idle_kept, action=words.again)
        self._site.clear_cookie(response)
        return response


def form_value(body: bytes, name: str) -> str:
    """One field of a form as browsers send it, "" when it is not there."""
    values = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=10)
    return values.get(name, [""])[0]
