"""The Rasa engine: a Rasa server on loopback says what was meant; the embedded engine is its understudy.

Rasa ranks intents. Values, complaint categories, sure readings and the parts of a message come about in the same way
as with the embedded engine.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Protocol

import msgspec
import structlog

from bot.breaker import Breaker
from bot.clock import Clock
from bot.loopback import NoAnswer
from bot.understanding import Elsewhere
from nlu.embedded.model import SHOWN
from nlu.parts import Ranking
from nlu.rasa_answer import BadAnswer, joined_ranking
from nlu.sure_readings import sure_intent
from nlu.understand import Embedded, assembled
from nlu.understanding import Understanding

PARSE_PATH: Final = "/model/parse"
ENGINE: Final = "rasa"

_COMMAND_SIGN: Final = "/ \t\r\n"
"""Rasa takes "/greet" for an order to read the intent `greet`; nobody who writes to us may give such orders."""

log = structlog.get_logger()


class Server(Protocol):
    """Where Rasa is asked."""

    async def post(self, path: str, body: bytes) -> bytes:
        """The answer to a JSON body. Raises NoAnswer."""
        ...

    def close(self) -> None:
        """Lets go of connections."""
        ...


class _NotHeard(Exception):
    """A stretch whose ranking has to be asked for first."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


@dataclass(frozen=True, slots=True)
class Rasa:
    """A Rasa server, asked within a time limit. `embedded` knows the vocabulary and the complaint categories."""

    server: Server
    embedded: Embedded
    within_s: float

    async def understand(self, text: str, *, today: date) -> Understanding:
        """What Rasa took `text` for. Raises NoAnswer and BadAnswer, `within_s` seconds from now at the latest."""
        try:
            async with asyncio.timeout(self.within_s):
                return await self._understand(text, today)
        except TimeoutError as error:
            raise NoAnswer("slow") from error

    async def _understand(self, text: str, today: date) -> Understanding:
        categories = self.embedded.categories(text)
        heard: dict[str, Ranking] = {}

        def rank(stretch: str) -> Ranking:
            if stretch not in heard:
                raise _NotHeard(stretch)
            return heard[stretch]

        whole = () if sure_intent(text) else await self.ranking_of(text)
        while True:
            # Most messages need one ranking; which stretches need one more is seen by putting it together.
            try:
                return assembled(text, whole, rank, categories, today=today, engine=ENGINE)
            except _NotHeard as wanted:
                heard[wanted.text] = await self.ranking_of(wanted.text)

    async def ranking_of(self, text: str) -> Ranking:
        """The likeliest intents, best first. Raises NoAnswer and BadAnswer."""
        sendable = text.lstrip(_COMMAND_SIGN).encode("utf-8", "replace").decode()
        body = msgspec.json.encode({"text": sendable})
        return joined_ranking(await self.server.post(PARSE_PATH, body), self.embedded.intents)[:SHOWN]


@dataclass(slots=True)
class RasaWithUnderstudy(Elsewhere):
    """Rasa while it answers in time, else the embedded engine. Never raises, whatever becomes of the server.

    `counts` says how often it was `asked`, how often the `understudy` answered, how often each trouble came, and how
    often Rasa was taken for `down` and found to be `back`: as often as the log has a line of it.
    """

    rasa: Rasa
    clock: Clock
    breaker: Breaker = field(default_factory=Breaker)
    counts: Counter[str] = field(default_factory=Counter)

    async def understand(self, text: str, *, today: date) -> Understanding:
        if not self.breaker.lets_through(self.clock.now()):
            return self.parse(text, today=today)
        self.counts["asked"] += 1
        try:
            understanding = await self.rasa.understand(text, today=today)
        except NoAnswer as failure:
            self._failed(failure.trouble)
        except BadAnswer as failure:
            self._failed("bad_answer", str(failure))
        else:
            if self.breaker.worked():
                self.counts["back"] += 1
                log.info("nlu.engine_back", engine=ENGINE, understudy_answered=self.counts["understudy"])
            return understanding
        return self.parse(text, today=today)

    def parse(self, text: str, *, today: date) -> Understanding:
        """The understudy's reading, at once."""
        self.counts["understudy"] += 1
        return self.rasa.embedded.parse(text, today=today)

    def close(self) -> None:
        self.rasa.server.close()

    def _failed(self, trouble: str, reason: str = "") -> None:
        self.counts[trouble] += 1
        opened = self.breaker.failed(self.clock.now(), for_sure=trouble == "refused")
        if opened:
            self.counts["down"] += 1
            log.warning("nlu.engine_down", engine=ENGINE, trouble=trouble, reason=reason, answers="embedded")
