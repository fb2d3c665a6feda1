"""The far end of a script's channel: our own ones, and Telegram and WhatsApp with their real adapters on a fake.

    pack      what a person does, as the platform's own payload; made once, however often it is delivered
    deliver   the payload goes the way that it goes in the service, and is stored

`taken` are our messages that the platform accepted, repeats included, in order. `amiss` is what people saw of them that
is not what was said; it fails the case.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

import httpx
import msgspec
from starlette.applications import Starlette
from starlette.routing import Route

from bot.app import Program
from bot.attachments import Attachment
from bot.channels.base import Channel
from bot.clock import Clock
from bot.config import Config
from bot.fitting import said_in
from bot.replay.casting import Person
from bot.replay.channel import ScriptedChannel
from bot.replay.script import Message, ProviderFault
from flows.model import Content
from flows.work import Flows
from storage.database import Unavailable
from storage.ids import Ids
from storage.inbox import Accepted, Arrival, Event
from storage.keyring import Keyring
from storage.outbox import Outgoing, Rendered


@dataclass(frozen=True, slots=True)
class Doing:
    """What a person does in a step. `data` is the file as it was sent, `press` the payload of the pressed button.

    `content` and `files` are the same as a channel of our own gives it.
    """

    message: Message
    content: Content
    files: tuple[Attachment, ...] = ()
    data: bytes = b""
    number: int = 0
    at: datetime | None = None


class Platform(Protocol):
    """One channel of a script. `channel` is what the program sends through, new after every `build`."""

    name: str

    @property
    def taken(self) -> list[Outgoing]: ...

    @property
    def amiss(self) -> list[str]: ...

    @property
    def requests(self) -> list[Any]:
        """Every call that the platform got."""
        ...

    def build(self) -> Channel:
        """A fresh adapter, as a new process has it; what the platform holds stays."""
        ...

    def connect(self, program: Program) -> None:
        """The program that the adapter brings messages to."""
        ...

    async def introduce(self, person: Person) -> None:
        """Gives a person their address on this platform."""
        ...

    def pack(self, person: Person, doing: Doing) -> Any:
        """The platform's own payload."""
        ...

    async def deliver(self, parcel: Any) -> Accepted | None:
        """Stores it, the way the service does. None when the channel makes nothing of it. Raises Unavailable."""
        ...

    def refuse(self, fault: ProviderFault) -> None:
        """The next sends fail."""
        ...

    def shown(self) -> list[Outgoing]:
        """What people saw."""
        ...


class Own:
    """The terminal and the web page: nothing lies between the person and us."""

    def __init__(self, name: str, clock: Clock) -> None:
        self.name = name
        self._channel = ScriptedChannel(name, clock)
        self._program: Program | None = None

    @property
    def taken(self) -> list[Outgoing]:
        return self._channel.taken

    @property
    def amiss(self) -> list[str]:
        return []

    @property
    def requests(self) -> list[Any]:
        return []

    def build(self) -> Channel:
        return self._channel

    def connect(self, program: Program) -> None:
        self._program = program

    async def introduce(self, person: Person) -> None:
        """They have one already."""

    def pack(self, person: Person, doing: Doing) -> tuple[Arrival, tuple[Attachment, ...]]:
        assert doing.at is not None
        arrival = Arrival(self.name, person.address, f"m{doing.number}", doing.content, person.phone, doing.at)
        return arrival, doing.files

    async def deliver(self, parcel: Any) -> Accepted | None:
        assert self._program is not None, "connected before anything is delivered"
        arrival, files = parcel
        return await self._program.receive(arrival, files=files)

    def refuse(self, fault: ProviderFault) -> None:
        self._channel.refuse(fault)

    def shown(self) -> list[Outgoing]:
        return self._channel.shown()


@dataclass(slots=True)
class Taking:
    """Stands between an adapter and the program, and remembers where the last message came to stand."""

    program: Program
    last: Accepted | None = None

    async def take_in(self, events: Sequence[Event]) -> list[Accepted]:
        accepted = await self.program.take_in(events)
        if accepted:
            self.last = accepted[-1]
        return accepted


class Watched(Channel):
    """The real channel, with every message noted that the platform accepted, whatever we heard of it.

    `accepted` counts what the platform has accepted; `agrees` says what is wrong with what the person sees ("" when
    it is what was said). That is noted in `amiss`: raised here, it would be one more send to try again.
    """

    def __init__(
        self,
        inner: Channel,
        taken: list[Outgoing],
        amiss: list[str],
        *,
        accepted: Callable[[], int],
        agrees: Callable[[Outgoing], str],
    ) -> None:
        self.name = inner.name
        self.confirms_within = inner.confirms_within
        self.has_windows = inner.has_windows
        self.invites = inner.invites
        self.paces = inner.paces  # type: ignore[method-assign]
        self.can_reach_shut_out = inner.can_reach_shut_out  # type: ignore[method-assign]
        self.fetch = inner.fetch  # type: ignore[method-assign]
        self.invite = inner.invite  # type: ignore[method-assign]
        self._inner = inner
        self._taken = taken
        self._amiss = amiss
        self._accepted = accepted
        self._agrees = agrees

    async def send(self, outgoing: Outgoing) -> str:
        return await self._noted(outgoing, self._inner.send(outgoing))

    async def send_shut_out(self, outgoing: Outgoing) -> str:
        return await self._noted(outgoing, self._inner.send_shut_out(outgoing))

    async def _noted(self, outgoing: Outgoing, sending: Coroutine[Any, Any, str]) -> str:
        before = self._accepted()
        try:
            return await sending
        finally:
            if self._accepted() > before:
                self._taken.append(outgoing)
                if wrong := self._agrees(outgoing):
                    self._amiss.append(wrong)


def said_by(row: Outgoing) -> tuple[Outgoing, ...]:
    """The replies that a message holds, as they were said; what only deletes a message says nothing."""
    if row.body.delete:
        return ()
    *before, last = said_in(row.body)
    parts = [
        *(Rendered(part.key, part.text, author=row.author) for part in before),
        msgspec.structs.replace(
            row.body, key=last.key, text=last.text, options=last.options or row.body.options, parts=()
        ),
    ]
    return tuple(replace(row, body=part) for part in parts if part.key)


def as_seen(row: Outgoing, text: str, titles: Sequence[str]) -> str:
    """What is wrong with the message that a person sees, "" when it holds all that was said."""
    if " ".join(row.body.text.split()) not in " ".join(text.split()):
        return f"the person sees {text!r} where {row.body.text!r} was said"
    if row.body.shown_as == "text":
        return ""
    missing = [option.title for option in row.body.options if not any(option.title in title for title in titles)]
    return f"the person sees no button {', '.join(missing)}" if missing else ""


class Webhooked:
    """What Telegram and WhatsApp have in common here: a webhook that is posted to, and what the platform accepted."""

    def __init__(self, path: str) -> None:
        self.taken: list[Outgoing] = []
        self.amiss: list[str] = []
        self._path = path
        self._http = httpx.AsyncClient()
        self._taking: Taking | None = None

    def shown(self) -> list[Outgoing]:
        """A platform shows what it accepted, repeats included."""
        return list(self.taken)

    def _watched(self, channel: Channel, accepted: Sequence[object], agrees: Callable[[Outgoing], str]) -> Watched:
        return Watched(channel, self.taken, self.amiss, accepted=lambda: len(accepted), agrees=agrees)

    def _serve(self, routes: Sequence[Route]) -> None:
        """Puts the webhook where `_post` reaches it, without a network."""
        app = Starlette(routes=list(routes))
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://replay.test")

    async def _post(self, body: bytes, headers: Mapping[str, str]) -> Accepted | None:
        """Where the delivered message came to stand; None when nothing came of it. Raises Unavailable."""
        assert self._taking is not None, "connected before anything is delivered"
        self._taking.last = None
        response = await self._http.post(self._path, content=body, headers=dict(headers))
        if response.status_code == 503:
            raise Unavailable("the webhook asks for a later delivery")
        if response.status_code != 200:
            raise AssertionError(f"the webhook answered {response.status_code}")
        return self._taking.last


def platform_of(name: str, config: Config, keys: Keyring, flows: Flows, clock: Clock, ids: Ids) -> Platform:
    """The far end of a channel by its name. The libraries of a platform are loaded for scripts that use it."""
    match name:
        case "telegram":
            from bot.replay.on_telegram import OnTelegram

            return OnTelegram(config, keys, flows, clock, ids)
        case "whatsapp":
            from bot.replay.on_whatsapp import OnWhatsApp

            return OnWhatsApp(config, keys, flows, clock, ids)
        case _:
            return Own(name, clock)
