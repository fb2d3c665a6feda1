"""A real Rasa server and our client fit together. Run by `make rasa-check`, which starts the server.

The server is trained by a quick pipeline, so nothing here is about being right: `rangkul nlu evaluate` measures that.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Final

import msgspec
import psutil
import pytest
import pytest_asyncio
import structlog
from fake_rasa import TODAY, answer_like_rasa

from bot.clock import ManualClock
from bot.loopback import Loopback
from bot.rasa import PARSE_PATH, Rasa, RasaWithUnderstudy
from bot.replay.outages import killer_of
from nlu.rasa_answer import joined_ranking
from nlu.understand import Embedded

URL: Final = os.environ["RASA_CHECK_URL"]
WITHIN_S: Final = 30.0
TEXTS: Final = (
    "halo kak",
    "saldo saya berapa",
    "kartu peserta saya hilang",
    "/affirm",
    "/tidak_ada{",
    "[Budi](person_name) mau daftar",
    "x",
    "saldo \ud83d saya",
    "panjang sekali ceritanya pak " * 60,
)


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Loopback]:
    connections = Loopback(URL)
    yield connections
    connections.close()
    await asyncio.sleep(0)


async def raw_answer(server: Loopback, text: str) -> bytes:
    return await server.post(PARSE_PATH, msgspec.json.encode({"text": text}))


@pytest.mark.asyncio
async def test_every_intent_is_ranked_topics_too(server: Loopback, engine: Embedded) -> None:
    """The joined ranking holds each name of the vocabulary once, and the confidences are shares of one whole."""
    ranking = joined_ranking(await raw_answer(server, "saldo saya berapa"), engine.intents)
    assert sorted(each.name for each in ranking) == sorted(engine.intents)
    assert sum(each.confidence for each in ranking) == pytest.approx(1, abs=0.02)


@pytest.mark.asyncio
@pytest.mark.parametrize("text", TEXTS)
async def test_every_text_gets_a_reading(server: Loopback, engine: Embedded, text: str) -> None:
    """Whatever a person types comes back as a reading of Rasa's, and as typed."""
    understanding = await Rasa(server, engine, WITHIN_S).understand(text, today=TODAY)
    assert (understanding.engine, understanding.text) == ("rasa", text)
    assert understanding.intent in engine.intents


@pytest.mark.asyncio
async def test_orders_are_read_as_words(server: Loopback, engine: Embedded) -> None:
    """Rasa itself obeys "/affirm"; through our client it is a word like any other."""
    obeyed = json.loads(await raw_answer(server, "/affirm"))
    assert obeyed["intent"] == {"name": "affirm", "confidence": 1.0}
    ranking = await Rasa(server, engine, WITHIN_S).ranking_of("/affirm")
    assert ranking[0].confidence < 1


@pytest.mark.asyncio
async def test_the_fake_server_answers_in_the_same_shape(server: Loopback, engine: Embedded) -> None:
    """What other tests take for Rasa's answer has the fields of a real one, each of the same type."""
    text = "kartu peserta saya hilang"
    real = json.loads(await raw_answer(server, text))
    fake = answer_like_rasa(text, engine.parse(text, today=TODAY).ranking)
    assert shape_of(fake) - shape_of(real) == set()
    assert set(fake) == set(real)


def shape_of(value: object, at: str = "") -> set[str]:
    """The path and type of everything inside; the items of a list have one path."""
    if isinstance(value, dict):
        return {f"{at}: object"}.union(*(shape_of(inner, f"{at}.{name}") for name, inner in value.items()))
    if isinstance(value, list):
        return {f"{at}: list"}.union(*(shape_of(inner, f"{at}[]") for inner in value))
    return {f"{at}: {'number' if isinstance(value, int | float) else type(value).__name__}"}


def test_it_listens_on_loopback_alone() -> None:
    """The server that our tool starts can be reached from this machine only."""
    port = int(URL.rpartition(":")[2])
    listening = {each.laddr.ip for each in psutil.net_connections("tcp") if each.laddr and each.laddr.port == port}
    assert listening == {"127.0.0.1"}


@pytest.mark.asyncio
async def test_it_is_killed_and_nobody_waits(engine: Embedded) -> None:
    """Killed between two messages, its understudy reads the rest: one line in the log, one count. The last test."""
    connections = Loopback(URL)
    listening = RasaWithUnderstudy(Rasa(connections, engine, WITHIN_S), ManualClock(datetime(2026, 11, 23, tzinfo=UTC)))
    assert (await listening.understand("saldo saya berapa", today=TODAY)).engine == "rasa"
    killer_of(URL)()
    with structlog.testing.capture_logs() as lines:
        for text in ("saldo saya berapa", "halo kak", "kartu peserta saya hilang"):
            assert await listening.understand(text, today=TODAY) == engine.parse(text, today=TODAY)
    assert [line["event"] for line in lines] == ["nlu.engine_down"]
    assert listening.counts == {"asked": 2, "refused": 1, "down": 1, "understudy": 3}
    connections.close()
    await asyncio.sleep(0)
