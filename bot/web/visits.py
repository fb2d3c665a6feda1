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

MAX_REMEMBERED: Final = 10_000
"""Visits kept in memory; others cost one read."""

TRUSTED_FOR: Final = timedelta(seconds=30)
"""How long a visit is believed without asking the database; another process may have ended it."""

WRITTEN_EVERY: Final = timedelta(seconds=60)
"""How often at most the time of the last message is written: an idle end is that much inexact after a restart."""


class Gone(Enum):
    """Why a token opens nothing."""

    IDLE = "idle"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Visit:
    """A visitor of the page. `key` names the token without being it; `conversation` is "" before the first message."""

    key: str
    address: str
    conversation: str
    seen_at: datetime
    written_at: datetime
    checked_at: datetime


class Visits:
    """Starts, finds and ends visits. Idle means: no message and no opening of the page for that long."""

    def __init__(self, db: Database, keys: Keyring, clock: Clock, ids: Ids, *, idle: timedelta) -> None:
        self._db = db
        self._keys = keys
        self._clock = clock
        self._ids = ids
        self._idle = idle
        self._remembered: OrderedDict[str, Visit] = OrderedDict()

    async def start(self, persona: str = "") -> str:
        """A token for a fresh conversation; a demo's persona stands at the head of its address."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        name = self._ids.new()
        address = f"{persona}:{name}" if persona else name
        now = self._clock.now()
        await self._db.transaction(
            lambda conn: web_tokens.create(conn, self._keys, token=token, address=address, now=now)
        )
        return token

    async def of(self, token: str) -> Visit | Gone:
        """The visit of a token. Raises Unavailable."""
        if not token or len(token) > 100:
            return Gone.UNKNOWN
        key = self._keys.lookup("web_visit", token).hex()
        now = self._clock.now()
        visit = self._remembered.get(key)
        if visit is None or now - visit.checked_at > TRUSTED_FOR:
            read = await self._db.read(lambda conn: self._read(conn, token, key, now))
            if read is None:
                self._remembered.pop(key, None)
                return Gone.UNKNOWN
            # What this process saw may be newer than what was written.
            visit = replace(read, seen_at=max(read.seen_at, visit.seen_at)) if visit else read
            self._remember(visit)
        return Gone.IDLE if now - visit.seen_at > self._idle else visit

    async def seen(self, token: str, visit: Visit, conversation: str = "") -> None:
        """The visitor did something; the idle time begins anew."""
        now = self._clock.now()
        is_written = now - visit.written_at >= WRITTEN_EVERY
        if is_written:
            await self._db.transaction(lambda conn: web_tokens.touch(conn, self._keys, token, now=now))
        self._remember(
            replace(
                visit,
                conversation=conversation or visit.conversation,
                seen_at=now,
                written_at=now if is_written else visit.written_at,
            )
        )

    async def end(self, token: str) -> None:
        """The token opens nothing any more. Safe to call twice."""
        self._remembered.pop(self._keys.lookup("web_visit", token).hex(), None)
        await self._db.transaction(lambda conn: web_tokens.forget(conn, self._keys, token))

    def _read(self, conn: Connection, token: str, key: str, now: datetime) -> Visit | None:
        found = web_tokens.find(conn, self._keys, token)
        if found is None:
            return None
        conversation = people.conversation_at(conn, self._keys, NAME, found.address) or ""
        return Visit(key, found.address, conversation, found.seen_at, found.seen_at, now)

    def _remember(self, visit: Visit) -> None:
        self._remembered[visit.key] = visit
        self._remembered.move_to_end(visit.key)
        if len(self._remembered) > MAX_REMEMBERED:
            self._remembered.popitem(last=False)
