"""A person's data on request, and the end of what has been kept long enough."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from test_commands import CODE, Rangkul, home, rangkul
from world import World

from bot import app
from bot.config import Config, Retention
from bot.schedule import purge_old
from storage import conversations, inbox

__all__ = ["home", "rangkul"]

PHONE = "+6281200009001"


def _opened(rangkul: Rangkul) -> str:
    """A talk in which a ticket was opened; its code."""
    _, out, _ = rangkul("chat", "--phone", PHONE, typed="halo\npetugas\n")
    found = CODE.search(out)
    assert found, out
    return found[0]


def _recorded(home: Path) -> list[str]:
    with closing(sqlite3.connect(home / "demo" / "rangkul.db")) as database:
        return [action for (action,) in database.execute("SELECT action FROM audit WHERE staff <> '' ORDER BY id")]


def test_an_export_holds_what_was_said_and_is_recorded(rangkul: Rangkul, home: Path) -> None:
    """Found by phone or by code, typed or piped; nobody else's words are in it, and the audit says who looked."""
    code = _opened(rangkul)
    rangkul("chat", "--phone", "+6281200009002", typed="rahasia orang lain\n")
    assert rangkul("ticket", code, "note", "catatan dalam", "--staff", "Rina")[0] == 0
    assert rangkul("privacy", "export", PHONE)[0] == 1  # two staff: say who acts
    status, by_phone, _ = rangkul("privacy", "export", "0812-0000-9001", "--staff", "Rina")
    (person,) = json.loads(by_phone)
    (talk,) = person["talks"]
    assert (talk["phone"], talk["said"][0]["content"]["text"]) == (PHONE, "halo")
    assert [ticket["code"] for ticket in person["tickets"]] == [code]
    assert "rahasia orang lain" not in by_phone
    assert "catatan dalam" not in by_phone
    assert rangkul("privacy", "export", "-", "--staff", "Rina", typed=f"{code}\n")[1] == by_phone
    assert status == 0
    assert _recorded(home) == ["person_exported"] * 2
    assert rangkul("privacy", "export", "RK-2222-2222", "--staff", "Rina")[0] == 1


def test_an_erased_person_is_gone_when_nothing_is_under_way(rangkul: Rangkul, home: Path) -> None:
    """First the open ticket keeps words and address; once it is closed, nothing leads to the person any more."""
    code = _opened(rangkul)
    _, out, _ = rangkul("privacy", "erase", PHONE, "--staff", "Rina")
    assert "kept until they end: 1 tickets" in out
    assert _recorded(home) == ["person_erased"]
    assert rangkul("ticket", code, "close", "--staff", "Rina")[0] == 0
    assert rangkul("privacy", "erase", code, "--staff", "Rina")[0] == 0
    assert rangkul("privacy", "export", PHONE, "--staff", "Rina")[0] == 1
    _, shown, _ = rangkul("ticket", code, "show", "--staff", "Rina")
    assert "petugas" not in shown


def test_a_shared_phone_is_not_erased_by_chance(rangkul: Rangkul) -> None:
    """A phone that finds two people erases nobody unless both are meant."""
    _opened(rangkul)
    rangkul("chat", "--phone", PHONE, typed="halo\n")
    code, _, err = rangkul("privacy", "erase", PHONE, "--staff", "Rina")
    assert (code, "2 people are found" in err) == (1, True)
    code, out, _ = rangkul("privacy", "erase", PHONE, "--all", "--staff", "Rina")
    assert (code, len(re.findall("^erased:", out, re.M))) == (0, 2)


@pytest.mark.asyncio
async def test_what_is_old_is_erased_and_what_waits_is_not(world: World) -> None:
    """After its days a handled talk has no words and no answers left; a younger one and an unhandled one keep them."""
    async with world.program() as program:
        old = await world.say(program, "halo", address="old")
        await world.say(program, "mau daftar", address="old")
        waiting = await program.receive(world.arrival("halo", address="waits"))
        world.clock.advance(timedelta(days=8))
        young = await program.receive(world.arrival("halo", address="young"))
        await program.turns.handle(await program.db.read(lambda conn: inbox.load(conn, world.keys, young.inbox_id)))
        await program.sender.finish_started()
        retention = Retention(messages_days=7, media_days=7)
        purged = await purge_old(program.db, world.keys, world.clock, retention)
        assert (purged.inbox, purged.sessions) == (2, 2)
        assert (await purge_old(program.db, world.keys, world.clock, retention)).rows == 0
        for accepted, words in ((old, [None, None]), (waiting, ["halo"]), (young, ["halo"])):
            kept = await program.db.read(
                lambda conn, of=accepted: list(inbox.whole_conversation(conn, world.keys, of.conversation))
            )
            assert [row.content and row.content.text for row in kept] == words  # type: ignore[union-attr]
        assert await world.outbox(program, old.conversation) == []
        held = await program.db.read(lambda conn: conversations.peek(conn, world.keys, old.conversation))
        assert held.session.tasks == ()
        await program.settle()
        assert await world.status(program, waiting) == "done"


@pytest.mark.asyncio
async def test_the_service_erases_what_is_old_by_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to remember it: the running service does it, as the settings say."""
    monkeypatch.setattr(app, "FIRST_PURGE_S", 0.0)
    world.config = Config(retention=Retention(messages_days=7, media_days=7))
    async with world.program() as program:
        accepted = await world.say(program, "halo")
        world.clock.advance(timedelta(days=8))
        program.start()
        for _ in range(200):
            await asyncio.sleep(0.01)
            kept = await program.db.read(
                lambda conn: list(inbox.whole_conversation(conn, world.keys, accepted.conversation))
            )
            if kept[0].content is None:
                break
        assert kept[0].content is None
