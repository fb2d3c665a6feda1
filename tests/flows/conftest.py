"""A chat with the engine alone: real flows and copy, understanding and facts given by the test."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from flows.catalogue import load_flows
from flows.engine import decide
from flows.model import (
    Answer,
    Content,
    Decision,
    Effect,
    Facts,
    Need,
    Query,
    Say,
    Sender,
    Session,
    Text,
    Turn,
)
from flows.settings import Settings
from flows.work import Flows
from nlu.understanding import Entity, Part, Ranked, Understanding

PHONE = "+6281200000001"


@pytest.fixture(scope="session")
def flows() -> Flows:
    """The real catalogue with default settings."""
    return load_flows(Settings())


class Chat:
    """Says things to the engine; the session is written out and read back between any two turns."""

    def __init__(self, flows: Flows) -> None:
        self.flows = flows
        self.session = Session()
        self.now = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
        self.owner = "bot"
        self.phone: str | None = PHONE
        self.answers: dict[type, Answer] = {}
        self.asked_facts: list[Query] = []
        self.decision = Decision(Session(), ())

    def user(
        self,
        content: str | Content,
        intent: str = "inform",
        confidence: float = 0.95,
        *,
        entities: tuple[Entity, ...] = (),
        parts: tuple[Part, ...] = (),
        category: str = "other",
        ref: str = "",
    ) -> list[str]:
        """One turn; gives the reply keys said. `ref` is the platform's name of typed words."""
        understanding = None
        if isinstance(content, str):
            ranking = (Ranked(intent, confidence), Ranked("faq/requirements", (1 - confidence) / 2))
            categories = (Ranked(category, 0.9), Ranked("other", 0.05))
            understanding = Understanding(content, intent, confidence, ranking, categories, entities, parts)
            content = Text(content, ref)
        self.now += timedelta(seconds=30)
        codes = tuple(f"RK-2222-{self.session.asked_count:03d}{place}" for place in "ABCD")
        turn = Turn(content, self.now, Sender("p1", "c1", "terminal", self.phone), codes, self.owner, understanding)
        facts: Facts = {}
        for _ in range(4):
            decided = decide(self.flows, self.session, turn, facts)
            if isinstance(decided, Decision):
                again = decide(self.flows, self.session, turn, facts)
                assert again == decided, "the same turn decided twice differs"
                self.decision = decided
                self.session = msgspec.json.decode(msgspec.json.encode(decided.session), type=Session)
                return self.said
            assert isinstance(decided, Need)
            for query in decided.queries:
                self.asked_facts.append(query)
                facts[query] = self.answers.get(type(query))
        raise AssertionError("more than three rounds of facts")

    @property
    def said(self) -> list[str]:
        """Reply keys of the last turn, in order."""
        return [effect.key for effect in self.decision.effects if isinstance(effect, Say)]

    def did(self, kind: type[Effect]) -> list[Effect]:
        """Effects of one kind in the last turn."""
        return [effect for effect in self.decision.effects if isinstance(effect, kind)]

    def text(self) -> str:
        """Everything said in the last turn, as rendered."""
        return "\n".join(self.flows.copy.render(effect) for effect in self.decision.effects if isinstance(effect, Say))

    @property
    def slots(self) -> dict[str, object]:
        """Slots of the task at hand."""
        return dict(self.session.tasks[-1].slots) if self.session.tasks else {}

    def button(self, place: int) -> str:
        """The payload of a button of the newest question."""
        assert self.session.asked
        return f"{self.session.asked.number}.{place}"

    def sign_up_to(self, slot: str) -> None:
        """Answers the sign-up for oneself up to the question of `slot`."""
        self.user("mau daftar", "enroll")
        for text, intent in SIGN_UP:
            if self.session.asked and self.session.asked.slot == slot:
                return
            self.user(text, intent)
        assert self.session.asked
        assert self.session.asked.slot == slot or (not slot and self.session.asked.key == "enroll/read_back")


SIGN_UP = (
    ("ya", "affirm"), ("saya sendiri", "inform"), ("kerja sendiri", "inform"), ("3275011708909001", "inform"),
    ("ya", "affirm"), ("Budi Santoso", "inform"), ("kota bekasi", "inform"), ("ojol", "inform"), ("tidak", "deny"),
    ("2 juta", "inform"), ("2", "inform"), ("3 bulan", "inform"), ("ya", "affirm"), ("ya", "affirm"),
)  # fmt: skip
TODAY = date(2026, 11, 23)


@pytest.fixture
def chat(flows: Flows) -> Chat:
    """A fresh conversation on a phone that the channel vouches for."""
    return Chat(flows)
