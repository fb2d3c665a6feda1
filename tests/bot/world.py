"""A whole program on a real database, with time, ids, understanding and the far end of the channel in hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from typing import ClassVar

from bot.app import Program, open_program
from bot.channels.base import Channel, SendError
from bot.clock import CountedIds, ManualClock
from bot.config import Config, TurnSection
from flows.catalogue import load_flows
from flows.model import Content, StaffAction, Text
from flows.work import Flows
from nlu.understanding import Ranked, Understanding
from storage import inbox, outbox, tickets
from storage.database import open_database
from storage.inbox import Accepted, Arrival
from storage.keyring import Keyring
from storage.outbox import Outgoing

START = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
"""Monday, 09:00 in Jakarta."""


@cache
def flows() -> Flows:
    return load_flows(Config().flow_settings())


class Phrasebook:
    """An engine that knows a few messages for sure and finds all others out of scope."""

    INTENTS: ClassVar = {"halo": "greet", "mau daftar": "enroll", "petugas": "talk_to_staff", "lapor": "file_complaint"}

    def __init__(self) -> None:
        self.poison: dict[str, Exception] = {}
        self.heard: list[str] = []

    def parse(self, text: str, *, today: date) -> Understanding:
        self.heard.append(text)
        if text in self.poison:
            raise self.poison[text]
        intent = self.INTENTS.get(text, "out_of_scope")
        ranked = (Ranked(intent, 0.95),)
        return Understanding(text, intent, 0.95, ranked, (Ranked("other", 0.9),), engine="recorded")


class Phone(Channel):
    """The far end of a channel: what arrived there, and what goes wrong on the way."""

    name = "terminal"

    def __init__(self) -> None:
        self.arrived: list[Outgoing] = []
        self.trouble: list[SendError | Exception | None] = []

    async def send(self, outgoing: Outgoing) -> str:
        trouble = self.trouble.pop(0) if self.trouble else None
        if trouble is not None:
            raise trouble
        self.arrived.append(outgoing)
        return ""

    @property
    def keys(self) -> list[str]:
        return [row.key for row in self.arrived]


@dataclass
class World:
    """One database, and the programs that run on it."""

    url: str
    clock: ManualClock = field(default_factory=lambda: ManualClock(START))
    phone: Phone = field(default_factory=Phone)
    engine: Phrasebook = field(default_factory=Phrasebook)
    config: Config = field(default_factory=lambda: Config(turn=TurnSection(lease_s=0)))
    keys: Keyring = field(default_factory=lambda: Keyring.from_keys({"t": bytes(range(32))}, "t", bytes(range(32, 64))))
    ids: CountedIds = field(default_factory=CountedIds)
    messages: int = 0

    @asynccontextmanager
    async def program(self, phone: Phone | None = None) -> AsyncIterator[Program]:
        async with open_program(
            self.config,
            keys=self.keys,
            database=open_database(self.url),
            channels=[phone or self.phone],
            clock=self.clock,
            ids=self.ids,
            flows=flows(),
            understander=self.engine,
        ) as program:
            yield program

    def arrival(self, content: Content | str, *, address: str = "budi", external_id: str = "") -> Arrival:
        self.messages += 1
        return Arrival(
            channel="terminal",
            address=address,
            external_id=external_id or f"m{self.messages}",
            content=Text(content) if isinstance(content, str) else content,
            phone=None,
            received_at=self.clock.now(),
        )

    async def say(self, program: Program, content: Content | str, *, address: str = "budi") -> Accepted:
        accepted = await program.receive(self.arrival(content, address=address))
        await program.settle()
        return accepted

    async def staff(self, program: Program, accepted: Accepted, verb: str, text: str = "") -> None:
        (ticket, *_) = await self.tickets(program)
        self.messages += 1
        action = StaffAction(verb, ticket.code, "rina-id", "Rina", text)  # type: ignore[arg-type]
        await program.receive_internal(conversation=accepted.conversation, key=f"staff/{self.messages}", content=action)
        await program.settle()

    async def tickets(self, program: Program) -> list[tickets.Ticket]:
        return await program.db.read(lambda conn: tickets.list_tickets(conn, self.keys))

    async def status(self, program: Program, accepted: Accepted) -> str:
        rows = await program.db.read(
            lambda conn: inbox.of_conversation(conn, self.keys, accepted.conversation, after_id=accepted.inbox_id - 1)
        )
        return rows[0].status

    async def outbox(self, program: Program, conversation: str) -> list[Outgoing]:
        return await program.db.read(lambda conn: outbox.since(conn, self.keys, conversation, 0, 1000))
