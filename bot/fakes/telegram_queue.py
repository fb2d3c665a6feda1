"""Updates on their way to the bot, and the two ways there: getUpdates and a webhook."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from bot.fakes.telegram_wire import Json, Params, bad

NOT_BY_DEFAULT: Final = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
MESSAGES: Final = ("message", "edited_message", "channel_post", "edited_channel_post")
CALLBACK_LIFE: Final = timedelta(seconds=150)
LIFE: Final = timedelta(hours=24)
MAX_LIMIT: Final = 100
MAX_TIMEOUT_S: Final = 50
HASTE: Final = timedelta(milliseconds=500)
"""Asking twice with one offset within this time gives one update only."""

WEBHOOK_PORTS: Final = frozenset({80, 88, 443, 8443})
MAX_SECRET: Final = 256
DEFAULT_CONNECTIONS: Final = 40


@dataclass(frozen=True, slots=True)
class Pending:
    """An update that the bot has not confirmed. Those of one `lane` go one after the other, never side by side."""

    id: int
    update: Json
    lane: str
    expires: datetime


@dataclass(slots=True)
class Webhook:
    """Where updates are posted. No `url`, no webhook."""

    url: str = ""
    secret: str = ""
    max_connections: int = DEFAULT_CONNECTIONS
    last_error_date: int | None = None
    last_error_message: str | None = None


@dataclass(slots=True)
class UpdateQueue:
    """Unconfirmed updates in order of their ids."""

    pending: list[Pending] = field(default_factory=list)
    allowed: frozenset[str] = frozenset()
    webhook: Webhook = field(default_factory=Webhook)
    _last_offset: int | None = None
    _last_asked: datetime | None = None

    def put(self, update: Json, now: datetime) -> bool:
        """Queues an update, if its kind is one the bot wants (allowed_updates at this moment)."""
        kind = kind_of(update)
        if kind not in self.allowed if self.allowed else kind in NOT_BY_DEFAULT:
            return False
        life = CALLBACK_LIFE if kind == "callback_query" else LIFE
        self.pending.append(Pending(update["update_id"], update, lane_of(update), now + life))
        self.pending.sort(key=lambda one: one.id)
        return True

    def expire(self, now: datetime) -> None:
        """Drops what has waited too long."""
        self.pending = [one for one in self.pending if one.expires > now]

    def confirm(self, offset: int) -> None:
        """Forgets what is below an offset; a negative one keeps only the last so many."""
        if offset < 0:
            self.pending = self.pending[offset:]
        elif offset > 0:
            self.pending = [one for one in self.pending if one.id >= offset]

    def ask(self, offset: int, limit: int, now: datetime) -> list[Json]:
        """What getUpdates gives at this moment."""
        self.expire(now)
        self.confirm(offset)
        hasty = offset == self._last_offset and self._last_asked is not None and now < self._last_asked + HASTE
        found = [one.update for one in self.pending[: 1 if hasty else limit]]
        self._last_offset, self._last_asked = offset, now
        return found

    def remove(self, identity: int) -> None:
        """Forgets one delivered update."""
        self.pending = [one for one in self.pending if one.id != identity]

    def choose_kinds(self, params: Params) -> None:
        """Reads allowed_updates: without it the old choice stays, an empty list is the default choice."""
        if not params.has("allowed_updates"):
            return
        kinds = params.json("allowed_updates")
        if not isinstance(kinds, list):
            raise bad("can't parse allowed_updates: an array is expected")
        self.allowed = frozenset(str(kind) for kind in kinds)

    def set_webhook(self, params: Params, *, allow_loopback: bool) -> bool:
        """Reads setWebhook. An empty address takes the webhook away."""
        url, secret = params.text("url"), params.text("secret_token")
        if url:
            _check_address(url, allow_loopback=allow_loopback)
        if len(secret) > MAX_SECRET:
            raise bad("secret token is too long")
        if not re.fullmatch(r"[A-Za-z0-9_-]*", secret):
            raise bad("secret token contains unallowed characters")
        connections = params.integer("max_connections", DEFAULT_CONNECTIONS)
        if not 1 <= connections <= 100:
            raise bad("max_connections must be from 1 to 100")
        self.choose_kinds(params)
        if params.flag("drop_pending_updates"):
            self.pending.clear()
        self.webhook = Webhook(url, secret if url else "", connections)
        return True

    def info(self) -> Json:
        """The answer of getWebhookInfo."""
        told: Json = {
            "url": self.webhook.url,
            "has_custom_certificate": False,
            "pending_update_count": len(self.pending),
        }
        if self.webhook.url:
            told["max_connections"] = self.webhook.max_connections
        if self.webhook.last_error_date is not None:
            told |= {
                "last_error_date": self.webhook.last_error_date,
                "last_error_message": self.webhook.last_error_message,
            }
        if self.allowed:
            told["allowed_updates"] = sorted(self.allowed)
        return told


def kind_of(update: Json) -> str:
    """Which kind of update it is."""
    return next((key for key in update if key != "update_id"), "")


def lane_of(update: Json) -> str:
    """Messages queue by chat; callback queries by person, so that a press may overtake a text."""
    kind = kind_of(update)
    body: Any = update.get(kind)
    if kind in MESSAGES:
        return f"chat {body['chat']['id']}"
    if isinstance(body, dict) and "from" in body:
        return f"{kind} of {body['from']['id']}"
    return kind


def _check_address(url: str, *, allow_loopback: bool) -> None:
    parts = urlsplit(url)
    if allow_loopback and _is_loopback(parts.hostname):
        return
    if parts.scheme != "https" or not parts.hostname:
        raise bad("bad webhook: An HTTPS URL must be provided for webhook")
    if (parts.port or 443) not in WEBHOOK_PORTS:
        raise bad("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
    if _is_loopback(parts.hostname):
        raise bad("bad webhook: IP address 127.0.0.1 is reserved")


def _is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return host is not None and ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
