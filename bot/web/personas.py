"""Whom a visitor of the demo may be: the demo's invented people, or a guest without a phone."""

from __future__ import annotations

from typing import Final

from bot.demo import PERSONAS

GUEST: Final = "tamu"


def is_persona(name: str) -> bool:
    """Whether the start screen offers this name."""
    return name == GUEST or name in PERSONAS


def phone_of(address: str) -> str | None:
    """The simulated phone of a demo visitor, by the persona at the head of the address; None for a guest."""
    persona = PERSONAS.get(address.partition(":")[0])
    return persona.phone if persona else None
