"""A page reads the outbox itself: its answers are delivered by the commit that stores them."""

from __future__ import annotations

from pathlib import Path

import pytest
from world import START, World

from bot.app import open_program
from bot.channels.web import WebChannel
from flows.model import Text
from storage.database import create_from_template
from storage.inbox import Arrival


@pytest.mark.asyncio
async def test_an_answer_to_a_page_is_sent_by_the_commit_of_its_turn(tmp_path: Path) -> None:
    """Two commits in all, the message and its turn; the row stands as sent and the open page is told."""
    world = World(f"sqlite:///{tmp_path / 'page.db'}")
    channel = WebChannel()
    listener = channel.listen("budi")
    listener.must_look = False
    database = create_from_template(tmp_path / "page.db")
    async with open_program(
        world.config, keys=world.keys, database=database, channels=[channel], understander=world.engine
    ) as program:
        before = database.commits
        accepted = await program.receive(Arrival("web", "budi", "1", Text("halo"), None, START))
        await program.settle_received()
        rows = await world.outbox(program, accepted.conversation)
        assert [row.status for row in rows] == ["sent"]
        assert database.commits - before == 2
        assert listener.must_look
