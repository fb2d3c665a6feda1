"""The end of a turn: exactly once, all or nothing, every effect where it belongs."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest
from sqlalchemy import Connection, select
from storage_examples import LEASE, NOW, Desk, arrival, rendered, sign_up

from flows.model import (
    AddToTicket,
    AssignTicket,
    CancelTimer,
    ChangeOwner,
    OpenTicket,
    OptOut,
    RecordConsent,
    RecordIdentityTry,
    RecordWrongCode,
    Say,
    Session,
    SetTicketStatus,
    SetTimer,
    StaffAction,
    Task,
    TimerDue,
    Trace,
)
from storage import (
    applications,
    consents,
    conversations,
    events,
    inbox,
    jobs,
    outbox,
    people,
    tickets,
    turns,
    wrong_codes,
)
from storage.database import Conflict
from storage.events import OwnerChanged, TurnRecord
from storage.inbox import Accepted
from storage.tables import outbox as outbox_table
from storage.turns import AlreadyHandled

pytestmark = pytest.mark.asyncio

NEXT = Session(tasks=(Task("enroll", {"person_name": "Siti"}, ("person_name",)),), asked_count=2, last_seen=NOW)


async def replies_to(desk: Desk, accepted: Accepted) -> list[str]:
    """What is in the outbox for a conversation."""
    found = await desk.database.read(lambda conn: outbox.since(conn, desk.keys, accepted.conversation, 0, 100))
    return [reply.body.text for reply in found]


async def test_keeps_the_next_session(desk: Desk) -> None:
    """What a turn decided to remember is what the next one finds, one version on."""
    accepted = await desk.accept(arrival("m1"))
    before = await desk.peek(accepted.conversation)
    await desk.finish(accepted, session=NEXT)
    after = await desk.peek(accepted.conversation)
    assert (before.session, before.version, before.owner) == (Session(), 0, "bot")
    assert (after.session, after.version, after.owner) == (NEXT, 1, "bot")


async def test_a_turn_without_records_costs_five_statements(desk: Desk) -> None:
    """Hold, session, replies, event and inbox: nothing more."""
    accepted = await desk.accept(arrival("m1"))
    pending = await desk.database.read(lambda conn: inbox.load(conn, desk.keys, accepted.inbox_id))
    before = desk.database.statements
    await desk.database.transaction(
        lambda conn: turns.finish(
            conn,
            desk.keys,
            conversations.hold(conn, desk.keys, accepted.conversation, accepted.inbox_id),
            pending,
            turns.Decision(NEXT, (Say("a"), Say("b"))),
            rendered("a", "b"),
            ids=desk.ids,
            now=NOW,
            handing=turns.Handing("w1", LEASE),
            record=TurnRecord(),
        )
    )
    assert desk.database.statements - before == 5


async def test_finishes_once(desk: Desk) -> None:
    """A message that is done is not done again, and nothing of the second try stays."""
    accepted = await desk.turn("m1", replies=rendered("a"))
    with pytest.raises(AlreadyHandled):
        await desk.finish(accepted, OpenTicket("RK-1", "callback", "x"), replies=rendered("b"))
    assert await replies_to(desk, accepted) == ["a"]
    assert await desk.database.read(lambda conn: tickets.by_code(conn, desk.keys, "RK-1")) is None


async def test_two_processes_finish_one_message_once(desk: Desk, other_desk: Desk) -> None:
    """When two processes work on one message at the same time, one finishes and the other is told."""
    for number in range(5):
        accepted = await desk.accept(arrival(f"m{number}", address=f"visitor-{number}"))
        outcomes = await asyncio.gather(
            *(one.finish(accepted, replies=rendered(one.worker)) for one in (desk, other_desk)),
            return_exceptions=True,
        )
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AlreadyHandled", "list"]
        assert len(await replies_to(desk, accepted)) == 1


async def test_an_old_version_is_a_conflict(desk: Desk) -> None:
    """A decision made on a session that has changed since is rolled back whole."""
    first = await desk.accept(arrival("m1"))
    second = await desk.accept(arrival("m2"))
    old = await desk.peek(first.conversation)
    await desk.finish(first)
    with pytest.raises(Conflict):
        await desk.database.transaction(lambda conn: desk.finish_in(conn, second, held=old, replies=rendered("late")))
    assert await replies_to(desk, second) == []
    assert len(await desk.finish(second, replies=rendered("again"))) == 1


async def test_a_failure_in_an_effect_undoes_everything(desk: Desk) -> None:
    """A code that is taken rolls the turn back; the message is still to be done."""
    await desk.turn("m1", OpenTicket("RK-1", "callback", "x"))
    accepted = await desk.accept(arrival("m2"))
    with pytest.raises(Conflict):
        await desk.finish(accepted, OptOut(), OpenTicket("RK-1", "callback", "y"), session=NEXT, replies=rendered("a"))
    held = await desk.peek(accepted.conversation)
    assert held.session == Session()
    assert await desk.database.read(lambda conn: people.opted_out_at(conn, held.person)) is None
    await desk.finish(accepted, OpenTicket("RK-2", "callback", "y"))


async def test_a_ticket_that_is_given_up_tells_who_gave_it(desk: Desk) -> None:
    """With nobody as the new owner the history names the staff member who acted, or the bot for a timer."""
    await desk.turn("m1", OpenTicket("RK-1", "handover", "petugas"), AssignTicket("RK-1", "s1"))
    action = StaffAction("return", "RK-1", "s2", "Agus")
    accepted = await desk.turn("m2", AssignTicket("RK-1", ""), ChangeOwner("s1", "taken"), content=action)
    assert await desk.database.read(lambda conn: conversations.owner_of(conn, accepted.conversation)) == "s1"
    await desk.turn("m3", AssignTicket("RK-1", "s1"), content=StaffAction("take", "RK-1", "s1", "Dewi"))
    await desk.turn("m4", AssignTicket("RK-1", ""), content=TimerDue("hand_back"))
    history = await desk.database.read(lambda conn: tickets.notes(conn, desk.keys, "RK-1"))
    assert [(note.value, note.author) for note in history] == [("s1", "s1"), ("", "s2"), ("s1", "s1"), ("", "bot")]
    with pytest.raises(KeyError):
        await desk.database.read(lambda conn: conversations.owner_of(conn, "nobody's"))


async def test_an_unknown_effect_fails_loudly(desk: Desk) -> None:
    """An effect that nobody carries out is never passed over."""
    accepted = await desk.accept(arrival("m1"))
    with pytest.raises(AssertionError):
        await desk.finish(accepted, object())  # type: ignore[arg-type]


async def test_carries_out_every_effect(desk: Desk) -> None:
    """One turn may do everything that a decision can ask for."""
    accepted = await desk.turn(
        "m1",
        Say("test/reply"),
        OpenTicket("RK-1", "complaint", "belum masuk", category="contribution_not_recorded"),
        AddToTicket("RK-1", "ini buktinya", media=("m1",)),
        AssignTicket("RK-1", "s1"),
        SetTicketStatus("RK-1", "waiting", by="s1"),
        sign_up("RK-2"),
        RecordConsent("enroll", "2026-11", True),
        RecordIdentityTry("3174051209909001", False),
        RecordWrongCode(),
        SetTimer("idle", NOW + timedelta(hours=1)),
        SetTimer("gone", NOW + timedelta(hours=1), "RK-1"),
        CancelTimer("gone", "RK-1"),
        OptOut(),
        ChangeOwner("s1", "taken"),
        session=NEXT,
    )
    held = await desk.peek(accepted.conversation)
    keys = desk.keys

    def check(conn: Connection) -> None:
        ticket = tickets.by_code(conn, keys, "RK-1")
        assert (ticket.status, ticket.owner, ticket.text) == ("waiting", "s1", "belum masuk")
        assert (ticket.person, ticket.conversation) == (held.person, held.conversation)
        lines = [(note.what, note.value, note.text, note.media) for note in tickets.notes(conn, keys, "RK-1")]
        assert lines == [
            ("note", "", "ini buktinya", ("m1",)),
            ("owner", "s1", "", ()),
            ("status", "waiting", "", ()),
        ]
        assert applications.by_code(conn, "RK-2").status == "submitted"
        assert consents.of_person(conn, held.person) == [consents.Consent("enroll", "2026-11", True, NOW)]
        assert wrong_codes.in_last_hour(conn, person=held.person, now=NOW + timedelta(minutes=1)) == 1
        due = jobs.due(conn, NOW + timedelta(hours=2), 10)
        assert [(timer.kind, timer.ref) for timer in due] == [("idle", "")]
        assert people.opted_out_at(conn, held.person) == NOW
        assert held.owner == "s1"

    await desk.database.read(check)


async def test_a_change_of_owner_is_recorded(desk: Desk) -> None:
    """Who holds a conversation changes only together with an event that says why."""
    await desk.turn("m1", ChangeOwner("s1", "taken"))
    accepted = await desk.turn("m2", ChangeOwner("bot", "returned"))
    assert (await desk.peek(accepted.conversation)).owner == "bot"
    history = await desk.database.read(lambda conn: events.of_conversation(conn, desk.keys, accepted.conversation))
    assert [event.record for event in history if event.kind == "owner"] == [
        OwnerChanged("bot", "s1", "taken"),
        OwnerChanged("s1", "bot", "returned"),
    ]


async def test_records_why(desk: Desk) -> None:
    """The record of a turn comes back whole, by message."""
    accepted = await desk.accept(arrival("m1"))
    record = TurnRecord(
        "enroll",
        0.87,
        "rasa",
        "enroll/nik",
        (Trace("slot_set", "income", 2_000_000), Trace("missed", "nik")),
        ("Say", "SetTimer"),
        {"understand": 1.5},
    )
    await desk.database.transaction(
        lambda conn: events.add(
            conn,
            desk.keys,
            conversation=accepted.conversation,
            inbox_id=accepted.inbox_id,
            kind="turn",
            record=record,
            now=NOW,
        )
    )
    (event,) = await desk.database.read(lambda conn: events.by_inbox(conn, desk.keys, accepted.inbox_id))
    assert (event.record, event.at, event.kind) == (record, NOW, "turn")


async def test_parks_what_cannot_be_handled(desk: Desk) -> None:
    """A poison message is set aside with an urgent ticket, the person hears of it, and the next one goes on."""
    accepted = await desk.accept(arrival("m1"))
    following = await desk.accept(arrival("m2"))

    async def park() -> list[int]:
        def work(conn: Connection) -> list[int]:
            held = conversations.hold(conn, desk.keys, accepted.conversation, accepted.inbox_id)
            pending = inbox.load(conn, desk.keys, accepted.inbox_id)
            return turns.park(
                conn,
                desk.keys,
                held,
                pending,
                code="RK-9",
                promised=LEASE,
                messages=rendered("petugas akan melihat"),
                ids=desk.ids,
                now=NOW,
                handing=turns.Handing("w1", LEASE),
                record=TurnRecord(step="enroll/nik"),
            )

        return await desk.database.transaction(work)

    assert len(await park()) == 1
    ticket = await desk.database.read(lambda conn: tickets.by_code(conn, desk.keys, "RK-9"))
    assert ticket is not None
    assert (ticket.kind, ticket.priority, ticket.details) == (
        "parked",
        "urgent",
        {"inbox_id": str(accepted.inbox_id), "attempts": "0"},
    )
    assert ticket.promised == LEASE
    with pytest.raises(AlreadyHandled):
        await park()
    held = await desk.database.transaction(
        lambda conn: conversations.hold(conn, desk.keys, following.conversation, following.inbox_id)
    )
    assert held.is_first_pending


async def test_dates_survive(desk: Desk) -> None:
    """A ticket's promise and due date come back as they were given."""
    promised = NOW + timedelta(days=1)
    await desk.turn("m1", OpenTicket("RK-1", "complaint", "x", promised=promised, due=date(2026, 11, 30)))
    ticket = await desk.database.read(lambda conn: tickets.by_code(conn, desk.keys, "RK-1"))
    assert ticket is not None
    assert (ticket.promised, ticket.due) == (promised, date(2026, 11, 30))


async def test_replies_are_claimed_by_who_wrote_them(desk: Desk) -> None:
    """The sender's lease is written with the replies."""
    await desk.turn("m1", replies=rendered("a"))
    row = await desk.database.read(
        lambda conn: conn.execute(select(outbox_table.c.worker, outbox_table.c.lease_until)).one()
    )
    assert tuple(row) == ("w1", LEASE)
