"""What flows may know: members, proofs, tickets and applications, and nothing that was not theirs."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import Connection
from storage_examples import NIK, NOW, OTHER_NIK, PHONE, Desk, member, sign_up

from flows.model import (
    AddToTicket,
    Answer,
    AssignTicket,
    IdentityCheck,
    IdentityResult,
    MemberById,
    MemberFacts,
    MyTickets,
    OpenHandover,
    OpenTicket,
    Query,
    RecordIdentityTry,
    RecordWrongCode,
    SenderIsMember,
    SetTicketStatus,
    TicketByCode,
    TicketFacts,
    TicketNote,
    WrongCodes,
)
from storage import facts, members, staff, tickets
from storage.database import Conflict
from storage.members import MemberRow

pytestmark = pytest.mark.asyncio


async def ask(desk: Desk, conversation: str, query: Query, *, now: datetime = NOW) -> Answer:
    """What the person of this conversation is told."""
    held = await desk.peek(conversation)
    return await desk.database.read(lambda conn: facts.answer(conn, desk.keys, query, held=held, now=now))


async def add_member(desk: Desk, row: MemberRow, member_id: str = "member-1") -> None:
    """Import one member."""
    await desk.database.transaction(lambda conn: members.add(conn, desk.keys, row, member=member_id, now=NOW))


@pytest.mark.parametrize(
    ("phone", "fact", "given", "outcome"),
    [
        (PHONE, "kpj_last4", "9001", "proved"),
        (PHONE, "kpj_last4", "9002", "failed"),
        (PHONE, "kpj_last4", "", "failed"),
        (PHONE, "kpj_last4", "2026-10", "failed"),
        (PHONE, "last_paid", "2026-10", "proved"),
        (PHONE, "last_paid", "2026-09", "failed"),
        (PHONE, "last_paid", "9001", "failed"),
        ("+6281234509002", "kpj_last4", "9001", "failed"),
    ],
)
async def test_proves_a_member(desk: Desk, phone: str, fact: str, given: str, outcome: str) -> None:
    """The right fact on the member's own phone proves; anything else does not."""
    await add_member(desk, member())
    accepted = await desk.turn("m1")
    answer = await ask(desk, accepted.conversation, IdentityCheck(NIK, phone, fact, given))
    assert answer == IdentityResult(outcome, "member-1" if outcome == "proved" else "")


async def test_the_last_month_is_the_records_own_when_nothing_was_paid(desk: Desk) -> None:
    """Without contributions the month the member is paid until counts; without that, no month proves."""
    await add_member(desk, member(contributions=()))
    await add_member(desk, member(nik=OTHER_NIK, kpj="12345679002", contributions=(), paid_until=None), "member-2")
    accepted = await desk.turn("m1")
    known = await ask(desk, accepted.conversation, IdentityCheck(NIK, PHONE, "last_paid", "2026-10"))
    assert known == IdentityResult("proved", "member-1")
    for given in ("-", "", "2026-10"):
        none = await ask(desk, accepted.conversation, IdentityCheck(OTHER_NIK, PHONE, "last_paid", given))
        assert none == IdentityResult("failed")


async def test_a_member_without_phone_cannot_be_proved(desk: Desk) -> None:
    """No phone on the record means no proof, not a proof by an empty phone."""
    await add_member(desk, member(phone=None))
    accepted = await desk.turn("m1")
    for phone in (PHONE, ""):
        answer = await ask(desk, accepted.conversation, IdentityCheck(NIK, phone, "kpj_last4", "9001"))
        assert answer == IdentityResult("failed")


async def test_three_failures_lock_the_sender_and_nobody_else(desk: Desk) -> None:
    """After three failed tries on a NIK this person is locked for a day, even with the right fact."""
    await add_member(desk, member())
    right = IdentityCheck(NIK, PHONE, "kpj_last4", "9001")
    for number in range(3):
        accepted = await desk.turn(f"m{number}", RecordIdentityTry(NIK, False))
    other = await desk.turn("n1", address="visitor-2")
    assert await ask(desk, accepted.conversation, right) == IdentityResult("locked", "", 3, 3)
    assert await ask(desk, other.conversation, right) == IdentityResult("proved", "member-1", 3, 0)
    almost = NOW + timedelta(hours=24) - timedelta(seconds=1)
    assert await ask(desk, accepted.conversation, right, now=almost) == IdentityResult("locked", "", 3, 3)
    after = NOW + timedelta(hours=24)
    assert await ask(desk, accepted.conversation, right, now=after) == IdentityResult("proved", "member-1")


async def test_nobodys_nik_is_answered_like_a_members(desk: Desk) -> None:
    """Whoever tries NIKs cannot tell which one is a member's: same answers, same work, same lock."""
    await add_member(desk, member())
    seen = []
    for nik in (NIK, OTHER_NIK):
        answers = []
        for number in range(4):
            accepted = await desk.turn(f"{nik}-{number}", address=f"visitor-of-{nik}")
            before = desk.database.statements
            answers.append(await ask(desk, accepted.conversation, IdentityCheck(nik, PHONE, "kpj_last4", "0000")))
            answers.append(desk.database.statements - before)
            await desk.turn(f"{nik}-t{number}", RecordIdentityTry(nik, False), address=f"visitor-of-{nik}")
        seen.append(answers)
    assert seen[0] == seen[1]
    assert [answer.outcome for answer in seen[0][::2]] == ["failed", "failed", "failed", "locked"]


async def test_ten_failures_by_many_alert_once_and_lock_nobody(desk: Desk) -> None:
    """Many people failing on one NIK is told to staff, once a day, and the member can still prove."""
    await add_member(desk, member())

    async def alerts() -> list[tickets.Ticket]:
        return await desk.database.read(lambda conn: tickets.list_tickets(conn, desk.keys, kind="identity_alert"))

    for number in range(9):
        await desk.turn(f"m{number}", RecordIdentityTry(NIK, False), address=f"visitor-{number % 5}")
    assert await alerts() == []
    for number in range(9, 15):
        await desk.turn(f"m{number}", RecordIdentityTry(NIK, False), address=f"visitor-{number}")
    (alert,) = await alerts()
    assert (alert.priority, alert.restricted, alert.person, alert.conversation) == (
        "urgent",
        True,
        None,
        None,
    )
    assert alert.details["nik"] == NIK
    accepted = await desk.turn("member", address="visitor-of-siti")
    answer = await ask(desk, accepted.conversation, IdentityCheck(NIK, PHONE, "kpj_last4", "9001"))
    assert answer == IdentityResult("proved", "member-1", 15, 0)
    tomorrow = NOW + timedelta(hours=25)
    for number in range(10):
        await desk.turn(f"t{number}", RecordIdentityTry(NIK, False), address=f"visitor-{number}", now=tomorrow)
    assert len(await alerts()) == 2


async def test_ten_failures_by_one_are_no_alert(desk: Desk) -> None:
    """One person who keeps trying is locked, and staff are left in peace; a proof is no failure."""
    for number in range(12):
        await desk.turn(f"m{number}", RecordIdentityTry(NIK, False))
    await desk.turn("other", RecordIdentityTry(NIK, True), address="visitor-2")
    found = await desk.database.read(lambda conn: tickets.list_tickets(conn, desk.keys))
    assert found == []


async def test_gives_a_member_their_record(desk: Desk) -> None:
    """The record comes back as imported, contributions oldest first; an unknown id is None."""
    await add_member(desk, member())
    accepted = await desk.turn("m1")
    row = member()
    assert await ask(desk, accepted.conversation, MemberById("member-1")) == MemberFacts(
        "member-1",
        "Siti Rahayu",
        "female",
        "active",
        ("JKK", "JKM", "JHT"),
        date(2026, 10, 1),
        1_250_000,
        row.kpj,
        "trade",
        row.contributions,
    )
    assert await ask(desk, accepted.conversation, MemberById("nobody")) is None


async def test_finds_members(desk: Desk) -> None:
    """By id, NIK and phone; two may share a phone, none may share a NIK or KPJ."""
    await add_member(desk, member())
    await add_member(desk, member(name="Budi Santoso", nik=OTHER_NIK, kpj="12345679002"), "member-2")
    for double in (member(kpj="12345679003"), member(nik="3174050101909003")):
        with pytest.raises(Conflict):
            await add_member(desk, double, "member-3")

    def look(conn: Connection) -> tuple[object, ...]:
        return (
            members.by_nik(conn, desk.keys, OTHER_NIK).row.name,
            members.by_nik(conn, desk.keys, "3174050101909003"),
            [found.id for found in members.by_phone(conn, desk.keys, PHONE)],
            members.by_id(conn, desk.keys, "member-1").row,
            [found.id for found in members.list_members(conn, desk.keys, limit=1, offset=1)],
        )

    assert await desk.database.read(look) == (
        "Budi Santoso",
        None,
        ["member-1", "member-2"],
        member(),
        ["member-2"],
    )
    accepted = await desk.turn("m1")
    assert await ask(desk, accepted.conversation, SenderIsMember(PHONE)) is True
    assert await ask(desk, accepted.conversation, SenderIsMember("+6281234509009")) is False


async def test_shows_a_ticket_to_who_filed_it(desk: Desk) -> None:
    """The filer reads status, promise, owner by name and the open notes; a stranger only that it exists."""
    await desk.database.transaction(
        lambda conn: staff.add(conn, desk.keys, staff_id="s1", name="Rina", role="agent", now=NOW)
    )
    late = NOW.replace(hour=18)
    accepted = await desk.turn(
        "m1",
        OpenTicket("RK-1", "complaint", "x", category="other", promised=late, due=date(2026, 11, 30)),
        AddToTicket("RK-1", "ini fotonya"),
        AddToTicket("RK-1", "cek dulu", author="s1", inner=True),
        AddToTicket("RK-1", "sudah dicek", author="s1"),
        AssignTicket("RK-1", "s1"),
        SetTicketStatus("RK-1", "resolved", by="s1"),
    )
    stranger = await desk.turn("m2", address="visitor-2")
    mine = await ask(desk, accepted.conversation, TicketByCode("RK-1"))
    assert mine == TicketFacts(
        code="RK-1",
        kind="complaint",
        category="other",
        status="resolved",
        promised=date(2026, 11, 24),  # 18:00 UTC is the next day in Jakarta
        opened=NOW,
        mine=True,
        due=date(2026, 11, 30),
        owner="Rina",
        notes=(TicketNote(NOW, "person", "ini fotonya"), TicketNote(NOW, "Rina", "sudah dicek")),
    )
    theirs = await ask(desk, stranger.conversation, TicketByCode("RK-1"))
    assert isinstance(theirs, TicketFacts)
    assert (theirs.mine, theirs.owner, theirs.notes) == (False, "", ())
    assert await ask(desk, stranger.conversation, TicketByCode("RK-0")) is None


async def test_lists_what_a_person_filed(desk: Desk) -> None:
    """Tickets and applications together, newest first, ten at most, nobody else's."""
    for number in range(12):
        at = NOW + timedelta(minutes=number)
        effect = sign_up(f"RK-{number}") if number == 11 else OpenTicket(f"RK-{number}", "complaint", "x")
        accepted = await desk.turn(f"m{number}", effect, now=at)
    stranger = await desk.turn("n1", OpenTicket("RK-X", "complaint", "x"), address="visitor-2")
    listed = await ask(desk, accepted.conversation, MyTickets())
    assert isinstance(listed, tuple)
    assert [fact.code for fact in listed] == [f"RK-{number}" for number in range(11, 1, -1)]
    assert (listed[0].kind, listed[0].status, listed[0].mine) == ("application", "submitted", True)
    others = await ask(desk, stranger.conversation, MyTickets())
    assert isinstance(others, tuple)
    assert [fact.code for fact in others] == ["RK-X"]


async def test_an_anonymous_ticket_names_nobody_but_can_be_answered(desk: Desk) -> None:
    """No person and no name stand on it; the conversation does, and there it is the filer's own."""
    accepted = await desk.turn("m1", OpenTicket("RK-1", "complaint", "x", name="Siti", anonymous=True))
    ticket = await desk.database.read(lambda conn: tickets.by_code(conn, desk.keys, "RK-1"))
    assert ticket is not None
    assert (ticket.person, ticket.name, ticket.anonymous) == (None, "", True)
    owner = await desk.database.read(lambda conn: tickets.conversation_of(conn, "RK-1"))
    assert owner == ticket.conversation == accepted.conversation
    fact = await ask(desk, accepted.conversation, TicketByCode("RK-1"))
    assert isinstance(fact, TicketFacts)
    assert fact.mine


async def test_counts_wrong_codes_of_an_hour(desk: Desk) -> None:
    """Only this person's, only the last hour's."""
    for number in range(3):
        accepted = await desk.turn(f"m{number}", RecordWrongCode(), now=NOW + timedelta(minutes=number))
    await desk.turn("n1", RecordWrongCode(), address="visitor-2")
    soon, later = NOW + timedelta(minutes=5), NOW + timedelta(minutes=61)
    assert await ask(desk, accepted.conversation, WrongCodes(), now=soon) == 3
    assert await ask(desk, accepted.conversation, WrongCodes(), now=later) == 1


async def test_finds_the_open_handover(desk: Desk) -> None:
    """Only a hand-over of this conversation that is not settled counts, the newest one."""
    accepted = await desk.turn("m1", OpenTicket("RK-1", "complaint", "x"))
    assert await ask(desk, accepted.conversation, OpenHandover()) is None
    await desk.turn("m2", OpenTicket("RK-2", "handover", "x"))
    await desk.turn("m3", OpenTicket("RK-3", "handover", "x"), address="visitor-2")
    found = await ask(desk, accepted.conversation, OpenHandover())
    assert isinstance(found, TicketFacts)
    assert (found.code, found.status) == ("RK-2", "open")
    await desk.turn("m4", SetTicketStatus("RK-2", "resolved"))
    assert await ask(desk, accepted.conversation, OpenHandover()) is None


async def test_an_unknown_query_fails_loudly(desk: Desk) -> None:
    """A question that nobody answers is never answered with nothing."""
    accepted = await desk.turn("m1")
    with pytest.raises(AssertionError):
        await ask(desk, accepted.conversation, object())  # type: ignore[arg-type]
