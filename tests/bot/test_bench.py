"""The benchmark: it signs somebody up for real, on a database that writes through."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from world import World

from bot.__main__ import main
from bot.bench import channels, report, served
from bot.bench.served import NotDurable, assert_durable
from bot.bench.walk import messages


def test_measures_a_turn_and_what_it_consists_of(capsys: pytest.CaptureFixture[str]) -> None:
    """One short run gives every figure as JSON, and the parts make up the whole."""
    assert main(["bench", "--rounds", "1", "--no-fresh", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["turns_a_round"] == len(messages(0))
    assert figures["turn_commits"] >= 2, "a message and its turn are stored by a commit each"
    assert figures["turn_statements"] > figures["turn_without_server_commits"] > 0
    assert figures["bare_insert_ms"] > 0
    parts = sum(figures["split_ms"].values())
    assert parts == pytest.approx(figures["turn_ms"], abs=0.01)


def test_shows_the_figures_as_a_table() -> None:
    """People read lines: what, how much, of what."""
    split = report.Split(http=1.0, understanding=0.3, deciding=0.1, database=1.0, log=0.05, rest=0.5)
    shown = report.Report(
        at="2026-11-22T20:00:00+00:00",
        machine="2 cores",
        rounds=9,
        turns_a_round=19,
        turn_ms=2.95,
        turn_waited_ms=4.0,
        turn_statements=8.0,
        turn_commits=2.0,
        turn_without_server_ms=1.95,
        turn_without_server_statements=7.0,
        turn_without_server_commits=3.0,
        split_ms=split,
        bare_insert_ms=1.0,
        bare_insert_waited_ms=1.0,
        turn_to_bare_insert=2.95,
    )
    lines = report.table(shown).splitlines()
    assert any("one turn on the web page" in line and "2.95 ms CPU" in line for line in lines)


@pytest.mark.asyncio
async def test_refuses_to_measure_what_is_not_written_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures of a database that does not wait for the disk would be worth nothing."""
    world = World(f"sqlite:///{tmp_path / 'bench.db'}")
    monkeypatch.setattr(served, "FULL", "1")
    async with world.program() as program:
        with pytest.raises(NotDurable):
            await assert_durable(program)


def test_measures_a_turn_on_each_platform(capsys: pytest.CaptureFixture[str]) -> None:
    """One short run signs people up through both webhooks, and sets the bare libraries beside it."""
    assert main(["bench", "channels", "--rounds", "1", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    for name in ("telegram", "whatsapp"):
        cost = figures[name]
        assert cost["turn_ms"] > 0
        assert cost["bare_ms"] > 0
        assert cost["turn_to_bare"] == pytest.approx(cost["turn_ms"] / cost["bare_ms"], rel=0.01)
        assert cost["commits"] >= 3, "a message, its turn and its sending are stored by a commit each"
        assert cost["answers"] >= 1
    assert figures["telegram"]["statuses"] is None
    assert figures["whatsapp"]["statuses"] >= 3, "each status is stored"


def test_shows_the_platforms_beside_each_other() -> None:
    """Where a figure does not exist, a dash says so."""
    cost = channels.ChannelCost(5.0, 14.0, 10.0, 3.0, 1.0, 2.5, 5.0, 2.0)
    report = channels.ChannelReport("2026-11-22T20:00:00+00:00", "2 cores", 9, 19, cost, cost)
    lines = channels.table(report).splitlines()
    assert any("webhook to sent answer" in line and line.endswith("5.00      5.00") for line in lines)
    assert any("three statuses" in line and line.endswith("-") for line in lines)
