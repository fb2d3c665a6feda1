"""Logs say what happened and never what anybody wrote."""

from __future__ import annotations

import io
import json
import logging

import pytest
import structlog
from world import World

from bot.config import Logs
from bot.logs import set_up_logs

SENTINEL = "rahasia3275011708909001"


@pytest.mark.asyncio
@pytest.mark.parametrize("format_", ["json", "console"])
async def test_no_line_holds_what_people_wrote(world: World, format_: str) -> None:
    """Words, also those that a failing library repeats in its error, appear in no line at any level."""
    stream = io.StringIO()
    set_up_logs(Logs.model_validate({"level": "debug", "format": format_}), stream)
    world.engine.poison[SENTINEL] = ValueError(f"cannot read {SENTINEL}")
    async with world.program() as program:
        await world.say(program, "halo")
        await world.say(program, SENTINEL)
        await world.say(program, f"{SENTINEL} lagi")
    logged = stream.getvalue()
    assert "turn.handled" in logged
    assert "turn.failed" in logged
    assert "ValueError" in logged
    assert SENTINEL not in logged


@pytest.mark.asyncio
async def test_one_full_line_a_turn(world: World) -> None:
    """The line of a turn names conversation, step, intent, confidence, effects and where the time went."""
    stream = io.StringIO()
    set_up_logs(Logs(level="info", format="json"), stream)
    async with world.program() as program:
        accepted = await world.say(program, "halo")
    (line,) = [one for one in map(json.loads, stream.getvalue().splitlines()) if one["event"] == "turn.handled"]
    assert line["conversation"] == accepted.conversation
    assert (line["intent"], line["confidence"], line["effects"]) == ("greet", 0.95, ["say"])
    assert set(line["ms_split"]) == {"understand", "hold", "decide", "store"}
    assert line["ms"] >= sum(line["ms_split"].values()) - 0.1


def test_private_keys_are_dropped_and_exceptions_lose_their_words() -> None:
    """A careless line loses the keys that may not be logged, and an exception its message."""
    stream = io.StringIO()
    set_up_logs(Logs(level="info", format="json"), stream)
    log = structlog.get_logger()
    try:
        raise ValueError(SENTINEL)
    except ValueError:
        log.error("careless", text=SENTINEL, phone=SENTINEL, exc_info=True)
    line = json.loads(stream.getvalue())
    assert line["error"] == "ValueError"
    assert SENTINEL not in stream.getvalue()


def test_what_libraries_log_has_no_words() -> None:
    """A failing request is logged by the server with its traceback: ours says where, and never what the values were."""
    stream = io.StringIO()
    set_up_logs(Logs(level="debug", format="json"), stream)
    try:
        raise ValueError("NIK 3174051209909001")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Exception in %s", "Siti Rahayu")
    logging.getLogger("asyncio").warning("message of %s", "Siti Rahayu")
    logging.getLogger("httpx").info("GET /secret")
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (first["event"], first["logger"], first["error"], first["level"]) == (
        "library.said",
        "uvicorn.error",
        "ValueError",
        "error",
    )
    assert first["at"][-1].startswith("test_logs.py:")
    assert (second["logger"], second["level"]) == ("asyncio", "warning")
    assert "3174051209909001" not in stream.getvalue()
    assert "Siti" not in stream.getvalue()
