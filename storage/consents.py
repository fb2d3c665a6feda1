"""Consents: what a person agreed to, in which words, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select

from storage.tables import consents


@dataclass(frozen=True, slots=True)
class Consent:
    """One answer to one question of consent; `version` names the words that were shown."""

    purpose: str
    version: str
    given: bool
    at: datetime


_ADD = insert(consents)
_OF_PERSON = (
    select(consents.c.purpose, consents.c.version, consents.c.given, consents.c.at)
    .where(consents.c.person == bindparam("who"))
    .order_by(consents.c.id)
)


def record(
    conn: Connection,
    *,
    person: str,
    conversation: str,
    purpose: str,
    version: str,
    given: bool,
    now: datetime,
) -> None:
    """Add an answer; earlier ones stay."""
    conn.execute(
        _ADD,
        {
            "person": person,
            "conversation": conversation,
            "purpose": purpose,
            "version": version,
            "given": given,
            "at": now,
        },
    )


def of_person(conn: Connection, person: str) -> list[Consent]:
    """Every answer of a person, oldest first; the last of a purpose holds."""
    return [Consent(*row) for row in conn.execute(_OF_PERSON, {"who": person})]
