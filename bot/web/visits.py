"""Who is looking at the page: a random token in the visitor's cookie, of which we keep only the look-up value."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from sqlalchemy import Connection

from bot.channels.web import NAME
from bot.clock import Clock, Ids
from storage import people, web_tokens
from storage.database import Database
from storage.keyring import Keyring

TOKEN_BYTES: Final = 32
MAX_TOKEN_CHARS: Final = 100

MAX_REMEMBERED: Final = 10_000
"""Visits kept in memory; others cost one read."""

TRUSTED_FOR: Final = timedelta(seconds=30)
"""How long a visit is believed without asking the database; another process may have ended it."""

KEPT_AFTER_END: Final = timedelta(days=1)
"""An idle token is still known for this long, so that the page can say why the talk is gone."""

CLEANED_EVERY: Final = timedelta(hours=1)

NEVER: Final = timedelta(days=36_500)
"""Longer than any token lives."""


class Gone(Enum):
    """Why a token opens nothing."""

    IDLE = "idle"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Visit:
    """A visitor of the page. `key` names the token without being it; `conversation` is "" before the first message.

    `touched_at` is None while this process has not noted the visitor.
    """

    key: str
    address: str
    conversation: str
    checked_at: datetime
    touched_at: datetime | None = None


class Visits:
    """Starts, finds and ends visits. Idle means: no message and no opening of the page for that long.

    The last message's time is written once a minute at most, so an idle end comes up to a minute and a half late.
    """

    def __init__(self, db: Database, keys: Keyring, clock: Clock, ids: Ids, *, idle: timedelta) -> None:
        self._db = db
        self._keys = keys
        self._clock = clock
        self._ids = ids
        self._idle = idle + web_tokens.TOUCH_AFTER  # never early for somebody who has just written
        self._remembered: OrderedDict[str, Visit] = OrderedDict()
        self._cleaned_at = clock.now()

    async def start(self, persona: str = "") -> str:
        """A token for a fresh conversation; a demo's persona stands at the head of its address."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        name = self._ids.new()
        address = f"{persona}:{name}" if persona else name
        await self._db.transaction(lambda conn: self._add(conn, token, address))
        return token

    async def of(self, token: str) -> Visit | Gone:
        """The visit of a token. Raises Unavailable."""
        if not token or len(token) > MAX_TOKEN_CHARS:
            return Gone.UNKNOWN
        key = self._key(token)
        now = self._clock.now()
        visit = self._remembered.get(key)
        if visit is not None and now - visit.checked_at <= TRUSTED_FOR:
            return visit
        found = await self._db.read(lambda conn: self._read(conn, token, key, now))
        if isinstance(found, Gone):
            self._remembered.pop(key, None)
            return found
        return self._remember(replace(found, touched_at=visit.touched_at) if visit else found)

    async def seen(self, token: str, visit: Visit, conversation: str = "") -> None:
        """The visitor did something; the idle time begins anew."""
        now = self._clock.now()
        touched_at = visit.touched_at
        if touched_at is None or now - touched_at >= web_tokens.TOUCH_AFTER:
            await self._db.transaction(lambda conn: web_tokens.touch(conn, self._keys, token, now=now))
            touched_at = now
        elif not conversation or conversation == visit.conversation:
            return
        if visit.key in self._remembered:  # else it was ended meanwhile and must not come back
            self._remember(replace(visit, conversation=conversation or visit.conversation, touched_at=touched_at))

    async def end(self, token: str) -> None:
        """The token opens nothing any more. Safe to call twice."""
        self._remembered.pop(self._key(token), None)
        await self._db.transaction(lambda conn: web_tokens.forget(conn, self._keys, token))

    def _add(self, conn: Connection, token: str, address: str) -> None:
        now = self._clock.now()
        web_tokens.add(conn, self._keys, token, address, now=now)
        if now - self._cleaned_at >= CLEANED_EVERY:
            self._cleaned_at = now
            web_tokens.forget_idle(conn, before=now - self._idle - KEPT_AFTER_END)

    def _key(self, token: str) -> str:
        return self._keys.lookup("web_visit", token).hex()

    def _read(self, conn: Connection, token: str, key: str, now: datetime) -> Visit | Gone:
        address = web_tokens.find(conn, self._keys, token, now=now, idle=self._idle)
        if address is None:
            is_known = web_tokens.find(conn, self._keys, token, now=now, idle=NEVER) is not None
            return Gone.IDLE if is_known else Gone.UNKNOWN
        return Visit(key, address, people.conversation_at(conn, self._keys, NAME, address) or "", now)

    def _remember(self, visit: Visit) -> Visit:
        self._remembered[visit.key] = visit
        self._remembered.move_to_end(visit.key)
        if len(self._remembered) > MAX_REMEMBERED:
            self._remembered.popitem(last=False)
        return visit
