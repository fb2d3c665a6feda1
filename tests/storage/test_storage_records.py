"""Tickets for the desk, and the smaller records: people, staff, consents, media, web tokens, form links, audit."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import Connection
from storage_examples import NOW, PHONE, Desk, arrival, rendered, sign_up

from flows.model import AddToTicket, OpenTicket, RecordConsent, SetTicketStatus, Text
from storage import (
    applications,
    audit,
    consents,
    erase,
    forms,
    inbox,
    media,
    outbox,
    people,
    staff,
    tickets,
    web_tokens,
)
from storage.consents import Consent
from storage.database import Conflict
from storage.erase import Forgotten, Purged
from storage.forms import FormTarget
from storage.inbox import Erased
from storage.staff import StaffMember

pytestmark = pytest.mark.asyncio

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


async def test_lists_tickets_for_the_desk(desk: Desk) -> None:
    """Urgent ones first, then the longest open; every filter narrows."""
    for number, (kind, priority) in enumerate(
        [("complaint", "normal"), ("complaint", "urgent"), ("callback", "normal"), ("callback", "urgent")]
    ):
        await desk.turn(
            f"m{number}",
            OpenTicket(f"RK-{number}", kind, "x", priority=priority, restricted=number == 3),
            now=NOW + number * MINUTE,
        )
    await desk.turn("m9", SetTicketStatus("RK-2", "closed"))

    def codes(conn: Connection, **filters: object) -> list[str]:
        return [ticket.code for ticket in tickets.list_tickets(conn, desk.keys, **filters)]

    def look(conn: Connection) -> list[list[str]]:
        return [
            codes(conn),
            codes(conn, status=("open", "waiting")),
            codes(conn, kind="callback"),
            codes(conn, priority="urgent", restricted=False),
            codes(conn, owner="s1"),
            codes(conn, limit=2, offset=1),
        ]

    assert await desk.database.read(look) == [
        ["RK-1", "RK-3", "RK-0", "RK-2"],
        ["RK-1", "RK-3", "RK-0"],
        ["RK-3", "RK-2"],
        ["RK-1"],
        [],
        ["RK-3", "RK-0"],
    ]


async def test_a_ticket_comes_back_whole(desk: Desk) -> None:
    """Words, name, details and media come back as they were filed."""
    filed = OpenTicket("RK-1", "accident", "jatuh", name="Siti", details={"place": "pasar"}, media=("m1", "m2"))
    await desk.turn("m1", filed)
    ticket = await desk.database.read(lambda conn: tickets.by_code(conn, desk.keys, "RK-1"))
    assert ticket is not None
    assert (ticket.text, ticket.name, ticket.details, ticket.media) == (
        "jatuh",
        "Siti",
        {"place": "pasar"},
        ("m1", "m2"),
    )
    assert (ticket.status, ticket.owner, ticket.opened_at, ticket.updated_at) == ("open", "", NOW, NOW)


async def test_history_is_in_order_and_inner_lines_are_apart(desk: Desk) -> None:
    """Lines keep their order; a repeated status adds none; a note to no ticket is an error."""
    await desk.turn(
        "m1",
        OpenTicket("RK-1", "complaint", "x"),
        AddToTicket("RK-1", "satu"),
        AddToTicket("RK-1", "dua", author="s1", inner=True),
        SetTicketStatus("RK-1", "open"),
        SetTicketStatus("RK-1", "waiting", by="s1"),
        AddToTicket("RK-1", "tiga"),
    )
    everything = await desk.database.read(lambda conn: tickets.notes(conn, desk.keys, "RK-1"))
    outer = await desk.database.read(lambda conn: tickets.notes(conn, desk.keys, "RK-1", inner=False))
    assert [note.text or note.value for note in everything] == ["satu", "dua", "waiting", "tiga"]
    assert [note.text or note.value for note in outer] == ["satu", "waiting", "tiga"]
    with pytest.raises(KeyError):
        await desk.turn("m2", AddToTicket("RK-0", "x"))


async def test_a_code_leads_to_its_conversation(desk: Desk) -> None:
    """Staff name a ticket or a receipt; both lead to where it can be answered."""
    filed = await desk.turn("m1", OpenTicket("RK-1", "complaint", "x"))
    applied = await desk.turn("m2", sign_up("RK-2"), address="visitor-2")

    def look(conn: Connection) -> list[str | None]:
        return [tickets.conversation_of(conn, code) for code in ("RK-1", "RK-2", "RK-0")]

    assert await desk.database.read(look) == [filed.conversation, applied.conversation, None]


async def test_knows_where_a_person_is_reached(desk: Desk) -> None:
    """A person's addresses open again, and an address leads to its conversation."""
    accepted = await desk.accept(arrival("m1", channel="telegram", address="777", phone=PHONE))
    held = await desk.peek(accepted.conversation)
    found = await desk.database.read(lambda conn: people.addresses_of(conn, desk.keys, held.person))
    assert found == [people.Address(accepted.conversation, "telegram", "777", PHONE)]

    def look(conn: Connection) -> list[str | None]:
        return [people.conversation_at(conn, desk.keys, channel, "777") for channel in ("telegram", "web")]

    assert await desk.database.read(look) == [accepted.conversation, None]


async def test_opting_out_and_in(desk: Desk) -> None:
    """Who opted out is known as such until they want our messages again."""
    person = (await desk.peek((await desk.turn("m1")).conversation)).person
    await desk.database.transaction(lambda conn: people.opt_out(conn, person, now=NOW))
    assert await desk.database.read(lambda conn: people.opted_out_at(conn, person)) == NOW
    await desk.database.transaction(lambda conn: people.opt_in(conn, person))
    assert await desk.database.read(lambda conn: people.opted_out_at(conn, person)) is None


async def test_keeps_every_answer_of_consent(desk: Desk) -> None:
    """A withdrawal does not wipe out that consent was given."""
    await desk.turn("m1", RecordConsent("reminders", "1", True))
    accepted = await desk.turn("m2", RecordConsent("reminders", "2", False), now=NOW + DAY)
    person = (await desk.peek(accepted.conversation)).person
    assert await desk.database.read(lambda conn: consents.of_person(conn, person)) == [
        Consent("reminders", "1", True, NOW),
        Consent("reminders", "2", False, NOW + DAY),
    ]


async def test_staff_are_found_by_name(desk: Desk) -> None:
    """Whatever the case and spacing; two of one name are refused."""
    for staff_id, name in (("s1", "Rina Wati"), ("s2", "Joko")):
        await desk.database.transaction(
            lambda conn, i=staff_id, n=name: staff.add(conn, desk.keys, staff_id=i, name=n, role="agent", now=NOW)
        )
    rina = StaffMember("s1", "Rina Wati", "agent")
    assert await desk.database.read(lambda conn: staff.by_name(conn, desk.keys, " rina  WATI ")) == rina
    assert await desk.database.read(lambda conn: staff.by_name(conn, desk.keys, "Rina")) is None
    assert await desk.database.read(lambda conn: staff.by_id(conn, desk.keys, "s1")) == rina
    assert [one.id for one in await desk.database.read(lambda conn: staff.list_staff(conn, desk.keys))] == [
        "s1",
        "s2",
    ]
    with pytest.raises(Conflict):
        await desk.database.transaction(
            lambda conn: staff.add(conn, desk.keys, staff_id="s3", name="JOKO", role="agent", now=NOW)
        )


async def test_media_come_back_byte_for_byte(desk: Desk) -> None:
    """A picture is the same after it was sealed; an unknown one is None."""
    accepted = await desk.turn("m1")
    picture = bytes(range(256)) * 400
    await desk.database.transaction(
        lambda conn: media.save(conn, desk.keys, "media-1", accepted.conversation, "image/jpeg", picture, now=NOW)
    )
    stored = await desk.database.read(lambda conn: media.load(conn, desk.keys, "media-1"))
    assert stored == media.StoredMedia("media-1", accepted.conversation, "image/jpeg", picture)
    assert await desk.database.read(lambda conn: media.load(conn, desk.keys, "media-2")) is None
    facts = await desk.database.read(lambda conn: media.facts(conn, "media-1"))
    assert facts == media.MediaFacts("media-1", accepted.conversation, "image/jpeg", len(picture), False)
    assert await desk.database.read(lambda conn: media.facts(conn, "media-2")) is None


async def test_a_web_token_leads_back_until_it_is_idle_or_forgotten(desk: Desk) -> None:
    """The cookie finds its address while it is used, and nothing after idleness, forgetting, or under another token."""

    async def find(token: str, at: timedelta) -> str | None:
        return await desk.database.read(lambda conn: web_tokens.find(conn, desk.keys, token, now=NOW + at, idle=DAY))

    await desk.database.transaction(lambda conn: web_tokens.add(conn, desk.keys, "token", "visitor-1", now=NOW))
    assert await find("token", DAY) == "visitor-1"
    assert await find("other", MINUTE) is None
    assert await find("token", DAY + MINUTE) is None
    await desk.database.transaction(lambda conn: web_tokens.touch(conn, desk.keys, "token", now=NOW + DAY))
    assert await find("token", DAY + MINUTE) == "visitor-1"
    await desk.database.transaction(lambda conn: web_tokens.forget(conn, desk.keys, "token"))
    assert await find("token", MINUTE) is None


async def test_idle_web_tokens_are_removed(desk: Desk) -> None:
    """Old tokens go, those in use stay."""
    for token, seen in (("old", NOW - 3 * DAY), ("new", NOW)):
        await desk.database.transaction(
            lambda conn, t=token, at=seen: web_tokens.add(conn, desk.keys, t, "visitor-1", now=at)
        )
    assert await desk.database.transaction(lambda conn: web_tokens.forget_idle(conn, before=NOW - DAY)) == 1
    assert await desk.database.transaction(lambda conn: web_tokens.forget_idle(conn, before=NOW - DAY)) == 0


async def test_a_form_link_works_once_and_not_for_long(desk: Desk, other_desk: Desk) -> None:
    """Looking uses nothing up; of two uses at the same time one succeeds; after fifteen minutes none does."""
    accepted = await desk.turn("m1")

    async def create() -> str:
        return await desk.database.transaction(
            lambda conn: forms.create(conn, desk.keys, accepted.conversation, "nik", 3, NOW)
        )

    async def use(one: Desk, token: str, at: timedelta) -> FormTarget | None:
        return await one.database.transaction(lambda conn: forms.use(conn, one.keys, token, NOW + at))

    target = FormTarget(accepted.conversation, "nik", 3)
    token, late = await create(), await create()
    assert token != late
    assert await desk.database.read(lambda conn: forms.peek(conn, desk.keys, token, NOW)) == target
    used = await asyncio.gather(*(use(one, token, MINUTE) for one in (desk, other_desk)))
    assert sorted(used, key=str) == [target, None] or sorted(used, key=str) == [None, target]
    assert await desk.database.read(lambda conn: forms.peek(conn, desk.keys, token, NOW)) is None
    assert await use(desk, late, 15 * MINUTE) is None
    assert await use(desk, "unknown", MINUTE) is None


async def test_views_leave_a_line(desk: Desk) -> None:
    """Who looked at what is kept, the newest first, by subject too."""
    for number, subject in enumerate(("RK-1", "RK-2", "RK-1")):
        await desk.database.transaction(
            lambda conn, n=number, about=subject: audit.record(
                conn, staff=f"s{n}", action="viewed", subject=about, now=NOW
            )
        )
    assert [line.staff for line in await desk.database.read(audit.lines)] == ["s2", "s1", "s0"]
    about = await desk.database.read(lambda conn: audit.lines(conn, subject="RK-1"))
    assert [(line.staff, line.action, line.at) for line in about] == [
        ("s2", "viewed", NOW),
        ("s0", "viewed", NOW),
    ]


async def test_old_contents_are_blanked_and_their_keys_kept(desk: Desk) -> None:
    """What is handled and old loses its words; what waits keeps them; a late redelivery is still known."""
    old = await desk.turn("m1", replies=rendered("a"))
    (reply,) = await desk.database.read(lambda conn: outbox.since(conn, desk.keys, old.conversation, 0, 10))
    await desk.database.transaction(lambda conn: outbox.mark_sent(conn, [reply.id], now=NOW))
    unsent = await desk.turn("m2", replies=rendered("b"))
    waiting = await desk.accept(arrival("m3", content=Text("belum")))
    later = NOW + 30 * DAY
    fresh = await desk.turn("m4", address="visitor-2", now=later)

    async def purge() -> Purged:
        return await desk.database.transaction(
            lambda conn: erase.purge(conn, desk.keys, now=later, messages_kept=7 * DAY, media_kept=7 * DAY)
        )

    assert await purge() == Purged(inbox=2, outbox=1, events=2, media=0, sessions=1)
    assert await purge() == Purged()
    for accepted, erased in ((old, True), (unsent, True), (waiting, False), (fresh, False)):
        if erased:
            with pytest.raises(Erased):
                await desk.database.read(lambda conn, row=accepted: inbox.load(conn, desk.keys, row.inbox_id))
        else:
            await desk.database.read(lambda conn, row=accepted: inbox.load(conn, desk.keys, row.inbox_id))
    left = await desk.database.read(lambda conn: outbox.since(conn, desk.keys, old.conversation, 0, 10))
    assert [one.body.text for one in left] == ["b"]
    assert (await desk.accept(arrival("m1"))).duplicate


async def test_forgetting_a_web_conversation_ends_its_token(desk: Desk) -> None:
    """After "hapus obrolan" the cookie leads nowhere, waiting messages and replies are dropped, tickets stay."""
    accepted = await desk.turn("m1", OpenTicket("RK-1", "complaint", "x"), replies=rendered("a"))
    await desk.accept(arrival("m2"))
    await desk.database.transaction(lambda conn: web_tokens.add(conn, desk.keys, "token", "visitor-1", now=NOW))
    await desk.database.transaction(
        lambda conn: erase.forget_conversation(conn, desk.keys, accepted.conversation, now=NOW)
    )

    def look(conn: Connection) -> tuple[object, ...]:
        return (
            web_tokens.find(conn, desk.keys, "token", now=NOW, idle=DAY),
            inbox.waiting(conn),
            outbox.waiting(conn),
            tickets.by_code(conn, desk.keys, "RK-1") is not None,
        )

    assert await desk.database.read(look) == (None, (0, None), (0, None), True)
    with pytest.raises(KeyError):
        await desk.database.transaction(lambda conn: erase.forget_conversation(conn, desk.keys, "nobody", now=NOW))


async def test_forgetting_a_person_keeps_what_is_under_way(desk: Desk) -> None:
    """Settled tickets lose their words, an open one and a live application stay and can still be answered."""
    accepted = await desk.turn(
        "m1",
        OpenTicket("RK-1", "complaint", "lama", name="Siti"),
        AddToTicket("RK-1", "catatan"),
        SetTicketStatus("RK-1", "closed"),
        OpenTicket("RK-2", "complaint", "baru"),
        sign_up("RK-3"),
    )
    person = (await desk.peek(accepted.conversation)).person

    async def forget() -> Forgotten:
        return await desk.database.transaction(lambda conn: erase.forget_person(conn, desk.keys, person, now=NOW))

    def look(conn: Connection) -> list[object]:
        found = [tickets.by_code(conn, desk.keys, code) for code in ("RK-1", "RK-2")]
        notes = [note.text for note in tickets.notes(conn, desk.keys, "RK-1")]
        return [*((one.text, one.name) for one in found if one is not None), notes]

    assert await forget() == Forgotten(1, 1, 0, tickets_under_way=1, applications_under_way=1)
    assert await desk.database.read(look) == [("", ""), ("baru", ""), ["", ""]]
    assert (await desk.peek(accepted.conversation)).address == "visitor-1"
    await desk.turn("m2", SetTicketStatus("RK-2", "closed"))
    await desk.database.transaction(lambda conn: applications.advance(conn, "RK-3", "refused", by="s1", now=NOW))
    assert await forget() == Forgotten(1, 1, 1, tickets_under_way=0, applications_under_way=0)
    assert await forget() == Forgotten(0, 0, 0, 0, 0)
    with pytest.raises(KeyError):
        await desk.peek(accepted.conversation)
    newcomer = await desk.accept(arrival("m3"))
    assert newcomer.conversation != accepted.conversation


@pytest.mark.parametrize("kind", tickets.OF_THE_HOUSE)
async def test_what_staff_open_among_themselves_is_no_report_of_the_person(desk: Desk, kind: str) -> None:
    """A reply that could not be delivered is staff's own business: not in the person's list, nor theirs to open."""
    accepted = await desk.accept(arrival("m1"))
    await desk.finish(accepted, OpenTicket("RK-1", kind, "x"), OpenTicket("RK-2", "complaint", "y"))
    held = await desk.peek(accepted.conversation)
    own = await desk.database.read(lambda conn: tickets.of_person(conn, desk.keys, held.person, accepted.conversation))
    assert [ticket.code for ticket in own] == ["RK-2"]
    inner = await desk.database.read(lambda conn: tickets.by_code(conn, desk.keys, "RK-1"))
    assert inner is not None
    assert not tickets.is_of(inner, held.person, accepted.conversation)
