"""The same worker on two channels: two strangers until both have proved to be the member, one person from then on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import ClassVar

import msgspec
import pytest
from world import START, Phone, Phrasebook, World, flows

from bot.app import Program, open_program
from flows.model import Text
from nlu.understanding import Ranked, Understanding
from storage import conversations, members
from storage.database import open_database
from storage.inbox import Accepted, Arrival
from storage.members import MemberRow

NIK, PHONE = "3275011708909001", "+6281200000001"
CLAIM = "klaim saya dari bulan lalu belum cair juga sampai sekarang"
MORE = "klaim saya masih juga belum cair, sudah dua kali ke kantor"


class Telegram(Phone):
    name = "telegram"


class WhatsApp(Phone):
    name = "whatsapp"


class Worker(Phrasebook):
    """Knows what a worker with a late claim says."""

    INTENTS: ClassVar = {
        **Phrasebook.INTENTS, "saldo": "check_balance", "cek laporan": "check_ticket", CLAIM: "file_complaint",
        MORE: "file_complaint",
    }  # fmt: skip

    def parse(self, text: str, *, today: date) -> Understanding:
        return msgspec.structs.replace(super().parse(text, today=today), categories=(Ranked("claim_delayed", 0.9),))


class Talks:
    """One worker with two channels."""

    def __init__(self, world: World, program: Program, phones: dict[str, Phone]) -> None:
        self.world, self.program, self.phones = world, program, phones
        self.told = 0

    async def say(self, channel: str, *texts: str, phone: str | None = PHONE) -> Accepted:
        """Messages one after the other on one channel."""
        for text in texts:
            self.told += 1
            accepted = await self.program.receive(
                Arrival(channel, f"{channel}-1", f"m{self.told}", Text(text), phone, self.world.clock.now())
            )
            await self.program.settle()
        return accepted

    def last(self, channel: str) -> str:
        """The words of the last reply there."""
        return self.phones[channel].arrived[-1].body.text

    async def person(self, accepted: Accepted) -> str:
        """Whose conversation it is."""
        return await self.program.db.read(lambda conn: conversations.person_of(conn, accepted.conversation))


@asynccontextmanager
async def talks(world: World) -> AsyncIterator[Talks]:
    """A program with two channels, and one member."""
    phones = {"telegram": Telegram(), "whatsapp": WhatsApp()}
    async with open_program(
        world.config, keys=world.keys, database=open_database(world.url), channels=list(phones.values()),
        clock=world.clock, ids=world.ids, flows=flows(), understander=Worker(),
    ) as program:  # fmt: skip
        row = MemberRow("Budi Santoso", NIK, "12345674821", PHONE, sex="male", paid_until=date(2026, 11, 1))
        await program.db.transaction(lambda conn: members.add(conn, world.keys, row, member="budi", now=START))
        yield Talks(world, program, phones)


FILE = (CLAIM, "lewati", "lewati", "kirim")
PROVE = ("saldo", NIK, "4821")


@pytest.mark.asyncio
async def test_two_channels_one_open_complaint(world: World) -> None:
    """Filed on Telegram; after the proof on both it is seen on WhatsApp, and more of it joins it."""
    async with talks(world) as worker:
        on_telegram = await worker.say("telegram", *FILE)
        on_whatsapp = await worker.say("whatsapp", "cek laporan")
        assert worker.phones["whatsapp"].keys[-1] == "check_ticket/ask_ticket_code"
        assert await worker.person(on_telegram) != await worker.person(on_whatsapp)
        for channel in ("telegram", "whatsapp"):
            await worker.say(channel, "batal", *PROVE)
        assert await worker.person(on_telegram) == await worker.person(on_whatsapp)

        (ticket,) = await world.tickets(worker.program)
        await worker.say("whatsapp", MORE)
        assert worker.phones["whatsapp"].keys[-1] == "file_complaint/ask_same_report"
        assert ticket.code in worker.last("whatsapp")
        await worker.say("whatsapp", "ya")
        assert worker.phones["whatsapp"].keys[-1] == "file_complaint/added_to_open"
        assert [one.code for one in await world.tickets(worker.program)] == [ticket.code]

        await worker.say("telegram", "cek laporan")
        said = " ".join(row.body.text for row in worker.phones["telegram"].arrived[-3:])
        assert ticket.code in said
        assert "sudah dua kali ke kantor" in said
        assert CLAIM not in " ".join(row.body.text for row in worker.phones["whatsapp"].arrived)


@pytest.mark.asyncio
async def test_a_failed_proof_sees_nothing_of_it(world: World) -> None:
    """A stranger with the right NIK and fact on another phone hears what every failure hears, and sees no report."""
    async with talks(world) as worker:
        member = await worker.say("telegram", *FILE, *PROVE)
        stranger = await worker.say("whatsapp", *PROVE, phone="+6281200000999")
        assert worker.phones["whatsapp"].keys[-1] == "identity/failed"
        await worker.say("whatsapp", "cek laporan", phone="+6281200000999")
        assert worker.phones["whatsapp"].keys[-1] == "check_ticket/ask_ticket_code"
        await worker.say("whatsapp", "batal", MORE, phone="+6281200000999")
        assert "file_complaint/ask_same_report" not in worker.phones["whatsapp"].keys
        assert await worker.person(stranger) != await worker.person(member)
