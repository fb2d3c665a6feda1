"""A stand-in for Telegram's Bot API: `FakeTelegram`.

    fake = FakeTelegram(now=clock)                      # strict; loopback webhooks allowed by a flag
    budi = fake.person("Budi")
    fake.put(fake.updates.text(budi, "halo"))           # waits for getUpdates, or for a Deliverer
    ... the bot talks to fake.app, in process or through `server.serving(fake.app)` ...
    fake.said_to(budi.id)                               # what Budi really got
    fake.put(fake.updates.press(budi, "Daftar"))        # the button with that title

It knows the platform's rules as core.telegram.org/bots/api and the open source Bot API server (10.0) state them, and
nothing of our adapters.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from starlette.applications import Starlette

from bot.fakes import telegram_faults as faults
from bot.fakes.telegram_faults import Fault
from bot.fakes.telegram_http import build_app
from bot.fakes.telegram_limits import Limits, Violation
from bot.fakes.telegram_media import MEDIA_METHODS
from bot.fakes.telegram_methods import METHODS
from bot.fakes.telegram_queue import MAX_LIMIT, MAX_TIMEOUT_S, UpdateQueue
from bot.fakes.telegram_topics import TOPIC_METHODS
from bot.fakes.telegram_updates import Updates
from bot.fakes.telegram_wire import Json, Params, Refused, Upload, answer_of
from bot.fakes.telegram_world import Accepted, Chat, ChatKind, Person, StoredFile, World

TOKEN: Final = "4200000001:AAFakeTokenForTestsOnly-0000000000000"  # noqa: S105 (opens nothing but this fake)
POLL_STEP_S: Final = 0.02
WEBHOOK_ACTIVE: Final = (
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)
ALL_METHODS: Final = {**METHODS, **MEDIA_METHODS, **TOPIC_METHODS}
HERE: Final = frozenset({"getupdates", "setwebhook", "deletewebhook", "getwebhookinfo"})

Pause = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Call:
    """One call, as it came and as it ended. `scripted`: the outcome was asked for by `fail`.

    `params` are plain values, JSON text already read; `files` hold the uploads by field. `fate` is how the caller
    learnt of it: "answered", "hung" (never), "dropped" (the connection broke); `done` is whether the work was done.
    """

    at: datetime
    method: str
    params: Json
    files: Mapping[str, Upload]
    status: int
    answer: Json
    fate: Literal["answered", "hung", "dropped"] = "answered"
    scripted: bool = False

    @property
    def done(self) -> bool:
        """Whether the platform did what was asked."""
        return self.status == 200


class FakeTelegram:
    """The platform for one bot.

    `now` gives the time for rates, expiry and dates. `pause` is how it waits (long polls, delays): `asyncio.sleep`
    over a network, one that moves the clock in a script; without one it never waits: a long poll is answered at once.
    `networked`: callers sit behind real sockets, so that a call that must never be answered is left open until they
    go; in process it raises httpx's time-out instead.
    """

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        token: str = TOKEN,
        bot_username: str = "rangkul_bot",
        limits: Limits | None = None,
        allow_loopback_webhook: bool = False,
        pause: Pause | None = None,
        networked: bool = False,
    ) -> None:
        self.token = token
        self.pause = pause or (asyncio.sleep if networked else None)
        self.networked = networked
        self.world = World(
            now=now, bot_id=int(token.split(":")[0]), bot_username=bot_username, limits=limits or Limits()
        )
        self.updates = Updates(self.world)
        self.queue = UpdateQueue()
        self.requests: list[Call] = []
        self.app: Starlette = build_app(self)
        self._faults: list[Fault] = []
        self._allow_loopback = allow_loopback_webhook
        self._poll = 0
        self._lock = threading.RLock()

    @property
    def accepted(self) -> list[Accepted]:
        """What people got, in order: messages and their edits."""
        return self.world.accepted

    @property
    def violations(self) -> list[Violation]:
        """Calls that went over a rate."""
        return self.world.violations

    @property
    def refusals(self) -> list[Call]:
        """Calls that the platform's own rules refused; those scripted by `fail` are left out."""
        return [call for call in self.requests if not call.done and not call.scripted]

    def said_to(self, chat_id: int) -> list[Accepted]:
        """What one chat got, in order."""
        return [one for one in self.accepted if one.chat_id == chat_id]

    def person(self, first_name: str, **details: Any) -> Person:
        """Somebody with an account; `World.add_person` says what else can be told."""
        return self.world.add_person(first_name, **details)

    def group(self, title: str, *, kind: ChatKind = "supergroup", is_forum: bool = False) -> Chat:
        """A group with the bot in it; `is_forum` for topics."""
        return self.world.add_group(title, kind=kind, is_forum=is_forum)

    def put_file(
        self, content: bytes, *, name: str | None = None, mime: str | None = None, size: int | None = None
    ) -> StoredFile:
        """A file on the platform, for updates and downloads. `size` may lie, to try the 20 MB limit."""
        return self.world.put_file(content, name=name, mime=mime, size=size)

    def put(self, *updates: Json) -> None:
        """Queues updates for the bot."""
        with self._lock:
            for update in updates:
                self.queue.put(update, self.world.now())

    def fail(self, *what: Refused | Fault, method: str | None = None, chat_id: int | None = None) -> None:
        """The next calls that fit go wrong, one trouble each, in this order.

        After a scripted 429 with `retry_after` a message to that chat before its time counts as a violation.
        """
        for one in what:
            fault = Fault("refuse", one) if isinstance(one, Refused) else one
            if fault.trouble == "delay" and self.pause is None:
                raise ValueError("a delay needs a way to pause")
            self._faults.append(replace(fault, method=method or fault.method, chat_id=chat_id or fault.chat_id))

    async def call(self, token: str, method: str, params: Params) -> Call:
        """One call of the API, start to end; the record of it, already in `requests`."""
        name = method.lower()
        fault = self._fault_for(name, params)
        scripted = fault is not None
        if fault is not None and fault.trouble == "delay" and self.pause is not None:
            await self.pause(fault.delay_s)
        try:
            if token != self.token:
                raise Refused(401, "Unauthorized")
            if fault is not None and fault.trouble == "refuse" and fault.refused is not None:
                self._told_to_wait(fault.refused, params)
                raise fault.refused
            if fault is not None and fault.trouble == "drop_before":
                raise Refused(0, "connection dropped")
            result = await self._poll_updates(params) if name == "getupdates" else self._act(name, params)
            status, answer = 200, {"ok": True, "result": result}
        except Refused as refused:
            status, answer = refused.status, answer_of(refused)
        fate: Literal["answered", "hung", "dropped"] = "answered"
        if fault is not None and fault.trouble == "hang":
            fate = "hung"
        elif fault is not None and fault.trouble in {"drop_before", "drop_after"}:
            fate = "dropped"
        call = Call(self.world.now(), method, params.plain(), params.files, status, answer, fate, scripted)
        self.requests.append(call)
        return call

    def _fault_for(self, name: str, params: Params) -> Fault | None:
        with self._lock:
            found = next((fault for fault in self._faults if fault.meets(name, params.text("chat_id"))), None)
            if found is not None:
                self._faults.remove(found)
            return found

    def _told_to_wait(self, refused: Refused, params: Params) -> None:
        chat = params.text("chat_id")
        if refused.retry_after is not None and chat.lstrip("-").isdigit():
            until = self.world.now() + timedelta(seconds=refused.retry_after)
            self.world.rates.block(int(chat), until)

    def _act(self, name: str, params: Params) -> Any:
        with self._lock:
            if name == "setwebhook":
                return self.queue.set_webhook(params, allow_loopback=self._allow_loopback)
            if name == "deletewebhook":
                return self.queue.set_webhook(
                    Params({"drop_pending_updates": params.text("drop_pending_updates")}), allow_loopback=True
                )
            if name == "getwebhookinfo":
                return self.queue.info()
            if name not in ALL_METHODS:
                raise Refused(404, "Not Found")
            return ALL_METHODS[name](self.world, params)

    async def _poll_updates(self, params: Params) -> list[Json]:
        """getUpdates. A later poll ends this one with 409."""
        self._refuse_beside_webhook()
        offset = params.integer("offset")
        limit = min(max(params.integer("limit", MAX_LIMIT), 1), MAX_LIMIT)
        timeout_s = min(max(params.integer("timeout"), 0), MAX_TIMEOUT_S)
        with self._lock:
            self._poll += 1
            mine = self._poll
            self.queue.choose_kinds(params)
            found = self.queue.ask(offset, limit, self.world.now())
        waited_s = 0.0
        while not found and self.pause is not None and waited_s < timeout_s:
            await self.pause(POLL_STEP_S)
            waited_s += POLL_STEP_S
            if mine != self._poll:
                raise faults.CONFLICT
            self._refuse_beside_webhook()
            with self._lock:
                self.queue.expire(self.world.now())
                found = [one.update for one in self.queue.pending[:limit]]
        return found

    def _refuse_beside_webhook(self) -> None:
        if self.queue.webhook.url:
            raise Refused(409, WEBHOOK_ACTIVE)
