"""One person, many addresses: two become one on proof, and on nothing else."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, func, select
from storage_examples import KPJ, NIK, NOW, OTHER_NIK, PHONE, Desk, arrival, member, rendered, sign_up

from flows.model import (
    AddToTicket,
    Effect,
    IdentityCheck,
    IdentityResult,
    MyTickets,
    OpenTicket,
    OptOut,
    RecordConsent,
    RecordIdentityTry,
    RecordWrongCode,
    TicketByCode,
    TicketFacts,
    WrongCodes,
)
from storage import (
    audit,
    conversations,
    deliveries,
    erase,
    events,
    export,
    facts,
    inbox,
    members,
    outbox,
    pacing,
    people,
    senders,
    tickets,
)
from storage.database import Conflict
from storage.events import PeopleJoined
from storage.inbox import Accepted, Report
from storage.members import MemberRow
from storage.tables import addresses, aliases, metadata
from storage.tables import people as people_table

pytestmark = pytest.mark.asyncio

PROOF = RecordIdentityTry(NIK, proved=True)
TELEGRAM, WHATSAPP = "77", "ID.90000000000000001"


async def add_member(desk: Desk, row: MemberRow, member_id: str = "member-1") -> None:
    """Import one member."""
    await desk.database.transaction(lambda conn: members.add(conn, desk.keys, row, member=member_id, now=NOW))


async def person_of(desk: Desk, conversation: str) -> str:
    """Whose conversation it is."""
    return await desk.database.read(lambda conn: conversations.person_of(conn, conversation))


async def two_talks(desk: Desk, *, telegram: tuple[Effect, ...] = (), whatsapp: tuple[Effect, ...] = ()) -> list[str]:
    """The same human on Telegram, and an hour later on WhatsApp: two people to us."""
    await add_member(desk, member())
    first = await desk.turn("t1", *telegram, address=TELEGRAM, replies=rendered("kata di Telegram"))
    second = await desk.turn(
        "w1", *whatsapp, address=WHATSAPP, replies=rendered("kata di WhatsApp"), now=NOW + timedelta(hours=1)
    )
    return [first.conversation, second.conversation]


def links(conn: Connection) -> dict[str, str | None]:
    """Which member every person has proved to be."""
    return {row.id: row.member for row in conn.execute(select(people_table.c.id, people_table.c.member))}


async def ask(desk: Desk, conversation: str, query: Any) -> Any:
    """What the person of this conversation is told."""
    held = await desk.peek(conversation)
    return await desk.database.read(lambda conn: facts.answer(conn, desk.keys, query, held=held, now=NOW))


async def persons_by_column(desk: Desk) -> dict[str, set[str | None]]:
    """Which people every column names that refers to one."""

    def look(conn: Connection) -> dict[str, set[str | None]]:
        return {
            f"{table.name}.{key.parent.name}": set(conn.execute(select(key.parent)).scalars())
            for table in metadata.sorted_tables
            for key in table.foreign_keys
            if key.column is people_table.c.id
        }

    return await desk.database.read(look)


# ── two become one ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["older first", "newer first"])
async def test_two_proofs_make_one_person(desk: Desk, order: tuple[int, int]) -> None:
    """Whoever proves first, the older person stays, and both conversations are theirs."""
    talks = await two_talks(desk)
    older, newer = [await person_of(desk, talk) for talk in talks]
    assert older != newer
    for place in order:
        await desk.turn(f"proof{place}", PROOF, address=(TELEGRAM, WHATSAPP)[place])
    assert [await person_of(desk, talk) for talk in talks] == [older, older]
    linked = await desk.database.read(links)
    assert linked == {older: "member-1", newer: None}


async def test_everything_of_the_newer_goes_over(desk: Desk) -> None:
    """Every column that names a person names the one who stays, whichever table it stands in."""
    of_newer = (
        OpenTicket("RK-1", "complaint", "klaim belum cair", category="claim_delayed"),
        sign_up("RK-2"),
        RecordConsent("enroll", "2026-11", True),
        RecordIdentityTry(OTHER_NIK, proved=False),
        RecordWrongCode(),
    )
    talks = await two_talks(desk, telegram=(PROOF,), whatsapp=of_newer)
    older, newer = [await person_of(desk, talk) for talk in talks]
    before = await persons_by_column(desk)
    assert len(before) >= 7
    assert {column for column, found in before.items() if newer in found} == set(before)
    # What the joining turn itself leaves, before and after the proof in its order, goes over as well.
    await desk.turn("w2", RecordWrongCode(), PROOF, RecordConsent("reminders", "2026-11", True), address=WHATSAPP)
    after = await persons_by_column(desk)
    assert all(found == {older} for found in after.values()), after
    assert await ask(desk, talks[0], WrongCodes()) == 2


async def test_reports_are_seen_on_both_and_words_on_neither(desk: Desk) -> None:
    """After the proof each channel lists both reports; what was written stays in its own conversation."""
    talks = await two_talks(
        desk,
        telegram=(OpenTicket("RK-1", "complaint", "klaim belum cair", category="claim_delayed"),),
        whatsapp=(sign_up("RK-2"), OpenTicket("RK-3", "complaint", "kartu", category="card_not_received")),
    )
    assert [ticket.code for ticket in await ask(desk, talks[0], MyTickets())] == ["RK-1"]
    for place, address in enumerate((TELEGRAM, WHATSAPP)):
        await desk.turn(f"proof{place}", PROOF, address=address)
    for talk in talks:
        mine = await ask(desk, talk, MyTickets())
        assert {ticket.code for ticket in mine} == {"RK-1", "RK-2", "RK-3"}
        assert all(ticket.mine for ticket in mine)

    def said(conn: Connection, talk: str) -> tuple[int, list[str]]:
        came = inbox.of_conversation(conn, desk.keys, talk)
        return len(came), [row.body.text for row in outbox.whole_conversation(conn, desk.keys, talk)]

    assert await desk.database.read(lambda conn: [said(conn, talk) for talk in talks]) == [
        (2, ["kata di Telegram"]),
        (2, ["kata di WhatsApp"]),
    ]
    assert [(await desk.peek(talk)).address for talk in talks] == [TELEGRAM, WHATSAPP]


async def test_danger_and_anonymous_reports_stay_where_they_were_told(desk: Desk) -> None:
    """Whoever may hold the other phone does not see them; where they were told, they are seen as before."""
    talks = await two_talks(
        desk,
        telegram=(
            OpenTicket("RK-1", "safety", "saya diancam", priority="urgent", restricted=True),
            OpenTicket("RK-2", "complaint", "pungli", category="extortion_or_fraud", anonymous=True),
            AddToTicket("RK-1", "kata petugas", author="s1"),
            PROOF,
        ),
        whatsapp=(PROOF,),
    )
    assert await person_of(desk, talks[0]) == await person_of(desk, talks[1])
    assert {ticket.code for ticket in await ask(desk, talks[0], MyTickets())} == {"RK-1", "RK-2"}
    assert await ask(desk, talks[1], MyTickets()) == ()
    for code in ("RK-1", "RK-2"):
        told = await ask(desk, talks[1], TicketByCode(code))
        assert isinstance(told, TicketFacts)
        assert (told.mine, told.notes) == (False, ())


async def test_the_joining_is_on_record(desk: Desk) -> None:
    """An event where it happened, and a line of the audit for each of the two; only where two were joined."""
    talks = await two_talks(desk, telegram=(PROOF,))
    older, newer = [await person_of(desk, talk) for talk in talks]
    assert not await desk.database.read(lambda conn: audit.has(conn, "person_joined"))
    proof = await desk.turn("w2", PROOF, address=WHATSAPP)
    recorded = await desk.database.read(lambda conn: events.by_inbox(conn, desk.keys, proof.inbox_id))
    assert [event.record for event in recorded if event.kind == "joined"] == [PeopleJoined(older, newer)]
    lines = await desk.database.read(lambda conn: audit.lines(conn))
    assert {(line.action, line.subject) for line in lines} == {("person_joined", newer), ("person_kept", older)}
    again = await desk.turn("w3", PROOF, address=WHATSAPP)
    assert [
        event.kind for event in await desk.database.read(lambda conn: events.by_inbox(conn, desk.keys, again.inbox_id))
    ] == ["turn"]


@pytest.mark.parametrize("who", ["older", "newer", "both"])
async def test_who_wanted_no_messages_wants_none_after(desk: Desk, who: str) -> None:
    """An opt-out on one channel holds for the person."""
    telegram = (OptOut(), PROOF) if who != "newer" else (PROOF,)
    whatsapp = (OptOut(), PROOF) if who != "older" else (PROOF,)
    talks = await two_talks(desk, telegram=telegram, whatsapp=whatsapp)
    person = await person_of(desk, talks[1])
    since = await desk.database.read(lambda conn: people.opted_out_at(conn, person))
    assert since == (NOW + timedelta(hours=1) if who == "newer" else NOW)


async def test_three_addresses_end_in_one(desk: Desk) -> None:
    """A third channel joins the same person."""
    talks = await two_talks(desk, telegram=(PROOF,), whatsapp=(PROOF,))
    third = await desk.turn("x1", PROOF, address="another-phone")
    assert len({await person_of(desk, talk) for talk in (*talks, third.conversation)}) == 1


# ── and nothing else joins them ──────────────────────────────────────────────────────────────────


async def test_a_shared_phone_and_a_name_prove_nothing(desk: Desk) -> None:
    """The same number vouched for on two channels, the same name on two reports: two people all the same."""
    await add_member(desk, member())
    talks = []
    for place, channel in enumerate(("telegram", "whatsapp")):
        accepted = await desk.accept(arrival(f"m{place}", channel=channel, address=f"a{place}", phone=PHONE))
        report = OpenTicket(f"RK-{place}", "complaint", "klaim", category="claim_delayed", name="Siti Rahayu")
        await desk.finish(accepted, report, RecordIdentityTry(NIK, proved=False))
        talks.append(accepted.conversation)
    assert await person_of(desk, talks[0]) != await person_of(desk, talks[1])
    assert {ticket.code for ticket in await ask(desk, talks[0], MyTickets())} == {"RK-0"}
    linked = select(func.count(people_table.c.member))
    assert await desk.database.read(lambda conn: conn.execute(linked).scalar_one()) == 0


async def test_a_failed_proof_joins_nobody_and_tells_nothing(desk: Desk) -> None:
    """Beside somebody who has proved it, a stranger who fails hears the same and gets nothing."""
    talks = await two_talks(desk, telegram=(PROOF, OpenTicket("RK-1", "complaint", "klaim", category="claim_delayed")))
    for number in range(3):
        await desk.turn(f"try{number}", RecordIdentityTry(NIK, proved=False), address=WHATSAPP)
    assert await person_of(desk, talks[0]) != await person_of(desk, talks[1])
    assert await ask(desk, talks[1], MyTickets()) == ()
    told = await ask(desk, talks[1], IdentityCheck(NIK, PHONE, "kpj_last4", KPJ[-4:]))
    assert told == IdentityResult("locked", failures=3, own_failures=3)


async def test_a_phone_of_two_members_joins_nobody(desk: Desk) -> None:
    """A family's one phone: whoever holds it may be either of them, so a proof opens no other talk."""
    await add_member(desk, member(nik=OTHER_NIK, kpj="12345679002", name="Budi Santoso"), "member-2")
    talks = await two_talks(desk, telegram=(PROOF,), whatsapp=(PROOF,))
    assert await person_of(desk, talks[0]) != await person_of(desk, talks[1])


async def test_who_proved_to_be_two_members_is_joined_with_one(desk: Desk) -> None:
    """One talk, two members one after the other: the second proof joins nobody and changes no link."""
    await add_member(desk, member(nik=OTHER_NIK, kpj="12345679002", phone="+6281234509002"), "member-2")
    talks = await two_talks(desk, telegram=(PROOF,), whatsapp=(RecordIdentityTry(OTHER_NIK, proved=True),))
    await desk.turn("t2", RecordIdentityTry(OTHER_NIK, proved=True), address=TELEGRAM)
    first, second = [await person_of(desk, talk) for talk in talks]
    assert first != second
    linked = await desk.database.read(links)
    assert linked == {first: "member-1", second: "member-2"}


async def test_failed_tries_of_both_count_after(desk: Desk) -> None:
    """Joining gives nobody more tries: those of both people are one person's."""
    await add_member(desk, member(nik=OTHER_NIK, kpj="12345679002", phone="+6281234509002"), "member-2")
    wrong = RecordIdentityTry(OTHER_NIK, proved=False)
    talks = await two_talks(desk, telegram=(wrong, wrong, PROOF), whatsapp=(wrong, PROOF))
    told = await ask(desk, talks[1], IdentityCheck(OTHER_NIK, "+6281234509002", "kpj_last4", "9002"))
    assert told == IdentityResult("locked", failures=3, own_failures=3)


# ── erased and handed out as one ─────────────────────────────────────────────────────────────────


async def test_who_is_forgotten_is_forgotten_everywhere(desk: Desk) -> None:
    """Both talks, every name on the platforms, and that they were a member; the next proof joins nobody with them."""
    talks = await two_talks(desk, telegram=(PROOF,))
    names = (("bsuid", "ID.9"), ("wa_id", "6281234509001"))
    where = senders.Sender("whatsapp", "ID.9", PHONE, also=names)
    third = await desk.database.transaction(
        lambda conn: senders.conversation_of(conn, desk.keys, where, ids=desk.ids, now=NOW)
    )
    pace = pacing.Pace("whatsapp|1|6281234509001", timedelta(seconds=6))
    await desk.database.transaction(lambda conn: pacing.take(conn, desk.keys, (pace,), NOW))
    of_third = await person_of(desk, third)
    older = await person_of(desk, talks[0])
    await desk.database.transaction(lambda conn: people.prove(conn, of_third, "member-1"))
    assert await person_of(desk, third) == older
    forgotten = await desk.database.transaction(lambda conn: erase.forget_person(conn, desk.keys, older, now=NOW))
    assert (forgotten.conversations, forgotten.tickets_under_way) == (2, 0)
    assert set((await desk.database.read(links)).values()) == {None}
    rows = [select(func.count()).select_from(table) for table in (aliases, addresses)]
    assert await desk.database.read(lambda conn: [conn.execute(query).scalar_one() for query in rows]) == [0, 1]
    tomorrow = NOW + timedelta(days=1)
    await desk.database.transaction(
        lambda conn: erase.purge(
            conn, desk.keys, now=tomorrow, messages_kept=timedelta(days=9), media_kept=timedelta(days=9)
        )
    )
    assert await desk.database.read(pacing.count) == 0
    await desk.turn("w2", PROOF, address=WHATSAPP)
    assert await person_of(desk, talks[1]) != older
    assert list((await desk.database.read(links)).values()).count("member-1") == 1


async def test_the_link_is_forgotten_although_a_report_is_under_way(desk: Desk) -> None:
    """The report stays answerable; that its person is a member is not kept for its sake."""
    talks = await two_talks(desk, telegram=(PROOF, OpenTicket("RK-1", "complaint", "klaim")))
    person = await person_of(desk, talks[0])
    forgotten = await desk.database.transaction(lambda conn: erase.forget_person(conn, desk.keys, person, now=NOW))
    assert forgotten.tickets_under_way == 1
    assert (await desk.peek(talks[0])).address == TELEGRAM
    assert set((await desk.database.read(links)).values()) == {None}


async def test_both_talks_are_handed_out_as_one_persons(desk: Desk) -> None:
    """The export holds what was said on either channel, what became of each reply, and the member; the NIK finds it."""
    talks = await two_talks(desk, telegram=(PROOF,), whatsapp=(PROOF,))
    person = await person_of(desk, talks[0])
    rows = await desk.database.read(lambda conn: outbox.since(conn, desk.keys, talks[1], 0, 9))
    report = Report("web", "wamid.1", "read", rows[0].id)
    await desk.database.transaction(
        lambda conn: deliveries.take_in(conn, desk.keys, report, now=NOW, not_before=NOW, max_attempts=3)
    )
    exported = await desk.database.read(lambda conn: export.of_person(conn, desk.keys, person))
    assert exported.member == "member-1"
    assert [(talk.address, talk.said[-1].text, talk.said[-1].delivery) for talk in exported.talks] == [
        (TELEGRAM, "kata di Telegram", ""),
        (WHATSAPP, "kata di WhatsApp", "read"),
    ]
    later = NOW + timedelta(days=9)  # tries are counted for a day and then erased; the link stays
    kept = timedelta(days=30)
    await desk.database.transaction(
        lambda conn: erase.purge(conn, desk.keys, now=later, messages_kept=kept, media_kept=kept)
    )
    assert await desk.database.read(lambda conn: export.who_gave_nik(conn, desk.keys, NIK)) == [person]


# ── at the same moment ───────────────────────────────────────────────────────────────────────────


async def finished(desk: Desk, accepted: Accepted, *effects: Effect) -> int:
    """A turn as the program runs it: again from its start after a Conflict. How often it had to be."""
    for conflicts in range(20):
        try:
            await desk.finish(accepted, *effects)
        except Conflict:
            continue
        return conflicts
    raise AssertionError("never stored")


async def test_proofs_at_the_same_moment_end_in_one_person(desk: Desk, other_desk: Desk) -> None:
    """Both channels prove at once while reports are filed in both: one person, and no report is left behind."""
    for number in range(8):
        nik, kpj = f"317405120990{9100 + number}", f"1234568{number:04d}"
        await add_member(desk, member(nik=nik, kpj=kpj, phone=f"+62812345{9100 + number}"), f"member-{number}")
        proof = RecordIdentityTry(nik, proved=True)
        talks = [
            await one.accept(arrival(f"{number}-{place}", address=f"{number}-{place}"))
            for place, one in enumerate((desk, other_desk))
        ]
        for place, one in enumerate((desk, other_desk)):
            await one.finish(talks[place])
        again = [
            await one.accept(arrival(f"{number}-{place}-2", address=f"{number}-{place}"))
            for place, one in enumerate((desk, other_desk))
        ]
        codes = [f"RK-{number}-{place}" for place in range(2)]
        await asyncio.gather(
            *(
                finished(one, again[place], OpenTicket(codes[place], "complaint", "klaim"), proof)
                for place, one in enumerate((desk, other_desk))
            )
        )
        persons = {await person_of(desk, talk.conversation) for talk in talks}
        assert len(persons) == 1, number
        filed = [
            await desk.database.read(lambda conn, code=code: tickets.by_code(conn, desk.keys, code)) for code in codes
        ]
        assert {ticket.person for ticket in filed if ticket} == persons


async def test_a_report_filed_while_its_person_goes_over_goes_along(desk: Desk, other_desk: Desk) -> None:
    """A turn runs in the newer conversation while the older proves: its report belongs to the one who stays."""
    talks = await two_talks(desk, telegram=(), whatsapp=(PROOF,))
    for number in range(6):
        code = f"RK-9{number}"
        proof = await desk.accept(arrival(f"p{number}", address=TELEGRAM))
        report = await other_desk.accept(arrival(f"r{number}", address=WHATSAPP))
        await asyncio.gather(
            finished(desk, proof, PROOF),
            finished(other_desk, report, OpenTicket(code, "complaint", "klaim", category="claim_delayed")),
        )
        filed = await desk.database.read(lambda conn, code=code: tickets.by_code(conn, desk.keys, code))
        assert filed
        assert filed.person == await person_of(desk, talks[0]) == await person_of(desk, talks[1])
