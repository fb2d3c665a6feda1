"""Nobody waits for the lease of a dead process where the service is alone on its file."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from shared import KEYS, arrival, config_of, one_program, quiet, replies
from sqlalchemy import Connection

from bot.app import open_program
from bot.channels.web import WebChannel
from storage import inbox, leases, outbox
from storage.database import open_database
from storage.leases import Presence
from storage.outbox import Rendered


@pytest.mark.asyncio
async def test_what_a_dead_process_held_is_handled_at_once(tmp_path: Path) -> None:
    """A message stored by a process that died before working on it is answered long before its lease runs out."""
    url = f"sqlite:///{tmp_path / 'service.db'}"
    config = config_of(url)
    async with open_program(config, keys=KEYS, channels=[WebChannel()]) as dead:
        accepted = await dead.receive(arrival("ani", "m1", "menu"))  # never started: nobody works on it
    began = time.monotonic()
    async with one_program(url) as program:
        await quiet(program)
        assert await replies(program, accepted.conversation)
    assert time.monotonic() - began < config.turn.lease_s / 3


@pytest.mark.asyncio
async def test_only_the_leases_of_others_end(tmp_path: Path) -> None:
    """What the living worker holds stays its own; what waits for a later try keeps waiting."""
    url = f"sqlite:///{tmp_path / 'service.db'}"
    async with open_program(config_of(url), keys=KEYS, channels=[WebChannel()]) as program:
        now = program.clock.now()
        later = now + timedelta(hours=1)
        held = {}
        for worker in ("mine", "dead", "waiting"):
            message = arrival(worker, worker, "menu")
            held[worker] = await program.db.transaction(
                lambda conn, message=message, worker=worker: inbox.accept(
                    conn, KEYS, message, ids=program.ids, worker=worker, lease_until=later
                )
            )
        row = held["waiting"].inbox_id
        await program.db.transaction(lambda conn: inbox.record_failure(conn, KEYS, row, now=now, not_before=later))
        assert await program.db.transaction(lambda conn: leases.free_others(conn, "mine", replies_from=now)) == 1
        taken = await program.db.transaction(
            lambda conn: [inbox.claim_next(conn, KEYS, worker="next", now=now, lease_until=later) for _ in range(2)]
        )
    assert [one and one.inbox_id for one in taken] == [held["dead"].inbox_id, None]


@pytest.mark.asyncio
async def test_alone_means_no_other_service(tmp_path: Path) -> None:
    """The second to come is not alone, nor is the first when it comes back; whoever comes to an empty place is."""
    database = open_database(f"sqlite:///{tmp_path / 'service.db'}")
    first = Presence(database)
    second = Presence(database)
    first.leave()
    again = Presence(database)
    assert [first.alone, second.alone, again.alone] == [True, False, False]
    second.leave()
    again.leave()
    assert Presence(database).alone
    await database.close()


@pytest.mark.asyncio
async def test_nobody_is_alone_on_postgresql(postgres_url: str) -> None:
    """Where several share the work, a lease runs out by itself."""
    database = open_database(postgres_url)
    assert not Presence(database).alone
    await database.close()


@pytest.mark.asyncio
async def test_a_reply_that_may_just_have_been_sent_rests_for_a_moment(tmp_path: Path) -> None:
    """A dead process's replies are free from a given moment on: a platform may have got them with its last breath."""
    url = f"sqlite:///{tmp_path / 'service.db'}"
    async with open_program(config_of(url), keys=KEYS, channels=[WebChannel()]) as program:
        accepted = await program.receive(arrival("ani", "m1", "menu"))
        now = program.clock.now()
        later = now + timedelta(seconds=1.1)

        def claimed(conn: Connection, at: datetime) -> int:
            until = at + timedelta(hours=1)
            rows = outbox.claim_next(conn, KEYS, channel=None, worker="next", now=at, lease_until=until, limit=9)
            return len(rows)

        def left_by_a_dead_one(conn: Connection) -> None:
            outbox.write(
                conn,
                KEYS,
                conversation=accepted.conversation,
                channel="web",
                inbox_id=accepted.inbox_id,
                messages=[Rendered("menu", "Halo")],
                worker="dead",
                lease_until=now + timedelta(hours=1),
                now=now,
            )
            leases.free_others(conn, "mine", replies_from=later)

        await program.db.transaction(left_by_a_dead_one)
        assert await program.db.transaction(lambda conn: claimed(conn, now)) == 0
        assert await program.db.transaction(lambda conn: claimed(conn, later)) == 1
