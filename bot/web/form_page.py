"""The one-field page for what does not belong into a chat: single use, 15 minutes, bound to its conversation."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.web.guard import BodyTooLong, read_body
from bot.web.history import offered_form
from bot.web.pages import MAX_FORM_BYTES, form_value
from bot.web.site import Site
from bot.web.visits import Gone
from flows.model import FormAnswer
from nlu.values import Refusal, read
from storage import forms, inbox
from storage.database import Unavailable
from storage.forms import FormTarget

MAX_VALUE_CHARS: Final = 200
BUSY_S: Final = 5
WIB: Final = ZoneInfo("Asia/Jakarta")

KINDS_OF_SLOTS: Final[Mapping[str, str]] = {"nik": "nik"}
"""By which reader a slot's answer is checked here, before the link is used up."""


class FormPages:
    """Offers, shows and takes in the one-field page.

    A link takes one answer that can be read, within fifteen minutes; a wrong one is told on the page, and asked again.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._words = site.words.form
        self._program = site.program

    async def offer(self, request: Request) -> Response:
        """From a message of the visitor's own talk to a fresh link of its page."""
        site = self._site
        errors = site.words.errors
        if not site.same_origin.permits(request):
            return site.refuse(403, errors.wrong_origin)
        try:
            visit = await site.visit(request)
            message = form_value(await read_body(request, MAX_FORM_BYTES), "message")
            if isinstance(visit, Gone):
                return RedirectResponse("/", 303)
            if wait_s := site.wait_s(request, visit.key):
                return site.trouble(request, 429, errors.slow_down, wait_s)
            number = int(message) if message.isascii() and message.isdigit() and len(message) < 19 else 0
            token = await self._program.db.transaction(lambda conn: self._new_link(conn, visit.conversation, number))
        except BodyTooLong:
            return site.refuse(413, errors.too_long)
        except Unavailable:
            return site.trouble(request, 503, errors.unavailable, BUSY_S)
        return RedirectResponse(f"/isi/{token}" if token else "/", 303)

    async def show(self, request: Request) -> Response:
        """The field; or that the link is used up or too old."""
        try:
            target = await self._asked(request.path_params["token"])
        except Unavailable:
            return self._site.trouble(request, 503, self._site.words.errors.unavailable, BUSY_S)
        return self._field(request, target) if target else self._gone(request)

    async def fill(self, request: Request) -> Response:
        """Takes the answer into the conversation, once: link and message change in one commit."""
        site = self._site
        token = request.path_params["token"]
        if not site.same_origin.permits(request, secret_path=True):
            return site.refuse(403, site.words.errors.wrong_origin)
        if wait_s := site.wait_s(request):
            return site.trouble(request, 429, site.words.errors.slow_down, wait_s)
        try:
            value, problem = await self._value(request)
            asked = await self._asked(token)
            if asked is None:
                return self._gone(request)
            problem = problem or self._misread(asked.slot, value)
            if problem:
                return self._field(request, asked, problem, value)
            target = await self._program.db.transaction(lambda conn: self._take(conn, token, value))
        except Unavailable:
            return site.trouble(request, 503, site.words.errors.unavailable, BUSY_S)
        if target is None:
            return self._gone(request)
        self._program.wake()
        words = self._words
        return site.notice(request, words.done_title, words.done_text, action=words.done_back)

    async def _value(self, request: Request) -> tuple[str, str]:
        """What was filled in, and what is wrong with it ("" when nothing)."""
        try:
            value = form_value(await read_body(request, MAX_FORM_BYTES), "value").strip()
        except BodyTooLong:
            return "", self._words.too_long
        if len(value) > MAX_VALUE_CHARS:
            return "", self._words.too_long
        return value, "" if value else self._words.empty

    def _new_link(self, conn: Connection, conversation: str, outbox_id: int) -> str:
        """A token for the page that this message offers; "" when it offers none or is not of this talk."""
        keys = self._program.keys
        row = offered_form(conn, keys, conversation, outbox_id) if conversation and outbox_id else None
        if row is None:
            return ""
        return forms.create(
            conn,
            keys,
            conversation,
            row.body.form,
            question_of(row.body.options[0].payload if row.body.options else ""),
            self._program.clock.now(),
        )

    def _take(self, conn: Connection, token: str, value: str) -> FormTarget | None:
        now = self._program.clock.now()
        target = forms.use(conn, self._program.keys, token, now)
        if target is None:
            return None
        inbox.accept_internal(
            conn,
            self._program.keys,
            conversation=target.conversation,
            key=f"form:{hashlib.sha256(token.encode()).hexdigest()}",
            content=FormAnswer(target.slot, value),
            now=now,
        )
        return target

    async def _asked(self, token: str) -> FormTarget | None:
        """What the link asks for; None when it is used up, too old or none of ours."""
        now = self._program.clock.now()
        return await self._program.db.read(lambda conn: forms.peek(conn, self._program.keys, token, now))

    def _misread(self, slot: str, value: str) -> str:
        """Why the slot's reader makes nothing of the value; "" when it does, or when the slot has none here."""
        kind = KINDS_OF_SLOTS.get(slot)
        if kind is None:
            return ""
        reading = read(kind, value, today=self._program.clock.now().astimezone(WIB).date())
        return self._words.of_slot(slot).problem(reading) if isinstance(reading, Refusal) else ""

    def _field(self, request: Request, target: FormTarget, problem: str = "", value: str = "") -> Response:
        return self._site.templates.page(
            request,
            "form.html",
            status=400 if problem else 200,
            title=self._words.title,
            field=self._words.of_slot(target.slot),
            problem=problem,
            value=value,
            minutes=int(forms.TTL.total_seconds() // 60),
            max_chars=MAX_VALUE_CHARS,
        )

    def _gone(self, request: Request) -> Response:
        words = self._words
        return self._site.notice(request, words.gone_title, words.gone_text, action=words.done_back, status=410)


def question_of(payload: str) -> int:
    """The number of the question a button belongs to (`7.0` is 7), 0 when it names none."""
    head = payload.partition(".")[0]
    return int(head) if head.isascii() and head.isdigit() and len(head) < 10 else 0
