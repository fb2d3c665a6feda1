"""Two processes on one database: every conversation keeps its order, and nothing is done by both."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from shared import arrival, quiet, replies, say, two_programs

from bot.app import Program
from flows.model import StaffAction
from storage import applications, inbox, tickets
from storage.inbox import Accepted
from storage.tickets import Ticket

CONVERSATIONS = 6
MESSAGES = 30
NIK = "3275011203859001"

ANSWERS = {
    "enroll/ask_consent": "ya",
    "enroll/ask_for_whom": "saya sendiri",
    "enroll/ask_livelihood": "kerja sendiri",
    "enroll/ask_nik": NIK,
    "enroll/ask_nik_right": "ya",
    "enroll/ask_person_name": "asep sunandar",
    "enroll/ask_region": "Kota Bekasi",
    "enroll/ask_occupation": "ojek online",
    "enroll/ask_employs": "tidak",
    "enroll/ask_money": "2 juta",
    "enroll/ask_programme": "1",
    "enroll/ask_duration_months": "3 bulan",
    "enroll/ask_phone": "081290009001",
    "enroll/ask_declaration": "ya",
}


async def _ticket(program: Program, conversation: str) -> Ticket:
    for _ in range(200):
        found = await program.db.read(lambda conn: tickets.unsettled(conn, program.keys, conversation, "handover"))
        if found is not None:
            return found
        await asyncio.sleep(0.05)
    raise TimeoutError("no ticket was opened")


async def _numbered(programs: tuple[Program, Program], number: int) -> tuple[Accepted, str]:
    """One conversation: a ticket, then 30 numbered messages of three kinds, handed to both processes in turn."""
    address = f"visitor-{number}"
    opened = await programs[number % 2].receive(arrival(address, f"{number}/open", "petugas"))
    for _ in range(200):
        mine = await programs[0].db.read(
            lambda conn: tickets.unsettled(conn, programs[0].keys, opened.conversation, "handover")
        )
        if mine is not None:
            break
        await asyncio.sleep(0.05)
    assert mine is not None
    for k in range(1, MESSAGES + 1):
        program = programs[(number + k) % 2]
        if k % 3 == 0:
            await program.receive(arrival(address, f"{number}/{k}", "halo"))
        else:
            action = StaffAction("note" if k % 3 == 1 else "reply", mine.code, "rina-id", "Rina", f"pesan {k}")
            await program.receive_internal(conversation=opened.conversation, key=f"{number}/{k}", content=action)
    return opened, mine.code


@pytest.mark.asyncio
async def test_the_order_inside_conversations_is_kept(shared_url: str) -> None:
    """Thirty numbered messages each, half of them to either process: notes and replies stand in their order."""
    async with two_programs(shared_url) as programs:
        talks = await asyncio.gather(*(_numbered(programs, number) for number in range(CONVERSATIONS)))
        await quiet(programs[0])
        first = programs[0]
        for opened, code in talks:
            rows = await replies(first, opened.conversation)
            order = [(row.inbox_id, row.n) for row in rows]
            assert order == sorted(order)
            said = [row.body.text for row in rows if row.author == "Rina"]
            assert said == [f"pesan {k}" for k in range(1, MESSAGES + 1) if k % 3 == 2]
            noted = await first.db.read(lambda conn, code=code: tickets.notes(conn, first.keys, code))
            texts = [note.text for note in noted if note.text.startswith("pesan")]
            assert texts == [f"pesan {k}" for k in range(1, MESSAGES + 1) if k % 3]
            received = await first.db.read(
                lambda conn, opened=opened: inbox.of_conversation(conn, first.keys, opened.conversation)
            )
            assert [row.status for row in received] == ["done"] * (MESSAGES + 1)
            handled = [row.handled_at for row in received]
            assert handled == sorted(handled, key=lambda moment: moment or opened)
        shares = [program.turns.handled for program in programs]
        assert sum(shares) == CONVERSATIONS * (MESSAGES + 1)
        assert min(shares) >= CONVERSATIONS * MESSAGES // 5


async def _up_to_read_back(program: Program, address: str) -> None:
    text = "saya mau daftar bpjs"
    for step in range(30):
        _, rows = await say(program, address, f"{address}/{step}", text)
        if rows[-1].key == "enroll/read_back":
            return
        text = ANSWERS[rows[-1].key]
    pytest.fail("the sign-up never came to its read-back")


@pytest.mark.asyncio
async def test_two_sign_ups_of_one_nik_at_the_same_instant(shared_url: str) -> None:
    """One application with two receipts; both people are told the same, each with a code of their own."""
    async with two_programs(shared_url) as (first, second):
        await asyncio.gather(_up_to_read_back(first, "ani"), _up_to_read_back(second, "budi"))
        accepted = await asyncio.gather(
            first.receive(arrival("ani", "ani/send", "kirim")), second.receive(arrival("budi", "budi/send", "kirim"))
        )
        await quiet(first)
        (application,) = await first.db.read(lambda conn: applications.list_applications(conn, first.keys))
        told = []
        for one in accepted:
            rows = await replies(first, one.conversation)
            told.append([row for row in rows if row.inbox_id == one.inbox_id])
        assert [row.key for row in told[0]] == [row.key for row in told[1]]
        assert told[0][0].key == "enroll/submitted"
        assert len(application.codes) == 2
        for code, rows in zip(sorted(application.codes), sorted(told, key=lambda rows: rows[0].body.text), strict=True):
            assert code in rows[0].body.text
        without_codes = [rows[0].body.text.replace(code, "") for rows in told for code in application.codes]
        assert Counter(without_codes)[min(without_codes, key=len)] == 2


@pytest.mark.asyncio
async def test_a_redelivery_to_the_other_process_changes_nothing(shared_url: str) -> None:
    """The same message given to both at once, and again later, is one row, one turn and one answer."""
    async with two_programs(shared_url) as (first, second):
        message = arrival("ani", "m1", "petugas")
        together = await asyncio.gather(first.receive(message), second.receive(message))
        assert sorted(one.duplicate for one in together) == [False, True]
        assert len({(one.inbox_id, one.conversation) for one in together}) == 1
        await quiet(first)
        said = [(row.id, row.body) for row in await replies(first, together[0].conversation)]
        again = [await program.receive(message) for program in (first, second, second)]
        assert all(one.duplicate for one in again)
        await quiet(second)
        assert [(row.id, row.body) for row in await replies(second, together[0].conversation)] == said
        assert len(await first.db.read(lambda conn: tickets.list_tickets(conn, first.keys))) == 1
        assert first.turns.handled + second.turns.handled == 1
