"""Sign-ups: one live application a NIK, a receipt for everybody who signed it up."""

from __future__ import annotations

import asyncio
import time

import pytest
from sqlalchemy import Connection, text
from storage_examples import NIK, NOW, OTHER_NIK, Desk, arrival, sign_up

from flows.model import OpenTicket
from storage import applications
from storage.applications import Application, Receipt, Status
from storage.database import Conflict

pytestmark = pytest.mark.asyncio


async def listed(desk: Desk) -> list[Application]:
    """Every application."""
    return await desk.database.read(lambda conn: applications.list_applications(conn, desk.keys))


async def advance(desk: Desk, code: str, status: Status) -> bool:
    """Move one on as staff."""
    return await desk.database.transaction(lambda conn: applications.advance(conn, code, status, by="s1", now=NOW))


async def test_keeps_the_sign_up_as_declared(desk: Desk) -> None:
    """The whole form comes back equal, with its receipt."""
    accepted = await desk.turn("m1", sign_up("RK-1"))
    held = await desk.peek(accepted.conversation)
    (stored,) = await listed(desk)
    assert stored.form == sign_up("RK-1")
    assert (stored.status, stored.codes, stored.person, stored.conversation) == (
        "submitted",
        ("RK-1",),
        held.person,
        held.conversation,
    )
    receipt = await desk.database.read(lambda conn: applications.by_code(conn, "RK-1"))
    assert receipt == Receipt("RK-1", stored.id, held.person, held.conversation, "submitted", NOW)


async def test_a_second_sign_up_adds_a_receipt(desk: Desk) -> None:
    """A NIK that is signed up again, by anybody, gets another receipt of the same application."""
    await desk.turn("m1", sign_up("RK-1"))
    await desk.turn("m2", sign_up("RK-2"), address="neighbour")
    await desk.turn("m3", sign_up("RK-3", nik=OTHER_NIK))
    assert sorted(stored.codes for stored in await listed(desk)) == [("RK-1", "RK-2"), ("RK-3",)]


async def test_two_sign_ups_at_the_same_instant_make_one_application(desk: Desk, other_desk: Desk) -> None:
    """Two processes that sign up one NIK inside overlapping transactions: one application, two receipts."""
    first = await desk.accept(arrival("m1"))
    second = await desk.accept(arrival("m2", address="neighbour"))
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    def slowly(conn: Connection) -> None:
        desk.finish_in(conn, first, sign_up("RK-1"))
        loop.call_soon_threadsafe(begun.set)
        if desk.database.dialect == "sqlite":
            time.sleep(0.2)
        else:
            conn.execute(text("SELECT pg_sleep(0.2)"))

    async def meanwhile() -> None:
        await begun.wait()
        await other_desk.finish(second, sign_up("RK-2"))

    await asyncio.gather(desk.database.transaction(slowly), meanwhile())
    (stored,) = await listed(desk)
    assert stored.codes == ("RK-1", "RK-2")


async def test_many_sign_ups_of_one_nik_make_one_application(desk: Desk, other_desk: Desk) -> None:
    """However many try at once from two processes, the NIK has one application and everybody a receipt."""
    waiting = [await desk.accept(arrival(f"m{n}", address=f"visitor-{n}")) for n in range(8)]
    await asyncio.gather(*((desk, other_desk)[n % 2].finish(one, sign_up(f"RK-{n}")) for n, one in enumerate(waiting)))
    (stored,) = await listed(desk)
    assert sorted(stored.codes) == [f"RK-{n}" for n in range(8)]


async def test_moves_on_once(desk: Desk) -> None:
    """Each step is made once and shows on every receipt; an unknown code is an error."""
    await desk.turn("m1", sign_up("RK-1"))
    await desk.turn("m2", sign_up("RK-2"))
    assert await advance(desk, "RK-2", "verified")
    assert not await advance(desk, "RK-1", "verified")
    receipt = await desk.database.read(lambda conn: applications.by_code(conn, "RK-1"))
    assert receipt is not None
    assert receipt.status == "verified"
    with pytest.raises(KeyError):
        await advance(desk, "RK-0", "verified")


async def test_an_ended_application_makes_room(desk: Desk) -> None:
    """After a refusal the NIK may be signed up anew; the old application stays, and cannot come back beside it."""
    await desk.turn("m1", sign_up("RK-1"))
    assert await advance(desk, "RK-1", "refused")
    await desk.turn("m2", sign_up("RK-2"))
    assert [stored.status for stored in await listed(desk)] == ["refused", "submitted"]
    with pytest.raises(Conflict):
        await advance(desk, "RK-1", "submitted")


async def test_codes_are_unique_over_tickets_and_receipts(desk: Desk) -> None:
    """A code that a ticket has cannot be a receipt's, so that a code names one thing."""
    await desk.turn("m1", OpenTicket("RK-1", "complaint", "x"))
    accepted = await desk.accept(arrival("m2"))
    with pytest.raises(Conflict):
        await desk.finish(accepted, sign_up("RK-1"))
    assert await listed(desk) == []


async def test_lists_by_status_and_region(desk: Desk) -> None:
    """Staff see what waits, where."""
    await desk.turn("m1", sign_up("RK-1", nik=NIK))
    await desk.turn("m2", sign_up("RK-2", nik=OTHER_NIK))
    await advance(desk, "RK-1", "verified")

    def look(conn: Connection) -> list[list[tuple[str, ...]]]:
        found = [
            applications.list_applications(conn, desk.keys, status=("submitted",)),
            applications.list_applications(conn, desk.keys, region="3174"),
            applications.list_applications(conn, desk.keys, region="9999"),
        ]
        return [sorted(stored.codes for stored in one) for one in found]

    assert await desk.database.read(look) == [[("RK-2",)], [("RK-1",), ("RK-2",)], []]
