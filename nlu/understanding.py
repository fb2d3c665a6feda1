"""What understanding gives: plain values, the same whichever engine read the message."""

from __future__ import annotations

import msgspec


class Ranked(msgspec.Struct, frozen=True):
    """One reading of a message and how sure the engine is of it, 0 to 1."""

    name: str
    confidence: float


class Entity(msgspec.Struct, frozen=True):
    """A value found inside a sentence. `start` and `end` count characters of the message as typed."""

    entity: str
    value: str | int
    text: str
    start: int
    end: int
    doubts: tuple[str, ...] = ()


class Part(msgspec.Struct, frozen=True):
    """One request inside a message that holds several ("halo, saldo saya berapa dan iuran udah masuk?")."""

    text: str
    intent: str
    confidence: float


class Understanding(msgspec.Struct, frozen=True):
    """What a message was taken to mean.

    `ranking` and `categories` are best first and never empty; `intent` names retrieval intents with their
    topic (`faq/claim_jht`). `parts` is empty unless the message holds two or more different requests.
    `categories` are complaint categories, meaningful only when the message tells a complaint.
    """

    text: str
    intent: str
    confidence: float
    ranking: tuple[Ranked, ...]
    categories: tuple[Ranked, ...]
    entities: tuple[Entity, ...] = ()
    parts: tuple[Part, ...] = ()
    engine: str = "embedded"
