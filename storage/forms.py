"""Links to our one-field page: single use, fifteen minutes, bound to the conversation and its question."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, insert, select, update

from storage.keyring import Keyring
from storage.prepared import Prepared
from storage.tables import forms

TTL = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class FormTarget:
    """Where the answer of a link belongs."""

    conversation: str
    slot: str
    question_number: int


_ADD = Prepared(
    insert(forms).values(
        {name: bindparam(f"new_{name}") for name in ("lookup", "conversation", "slot", "question_number", "expires_at")}
    )
)
_TARGET = (forms.c.conversation, forms.c.slot, forms.c.question_number)
_OPEN = (
    forms.c.lookup == bindparam("token"),
    forms.c.used_at.is_(None),
    forms.c.expires_at > bindparam("now"),
)
_PEEK = select(*_TARGET).where(*_OPEN)
_USE = update(forms).where(*_OPEN).values(used_at=bindparam("now")).returning(*_TARGET)


def create(
    conn: Connection,
    keys: Keyring,
    conversation: str,
    slot: str,
    question_number: int,
    now: datetime,
    ttl: timedelta = TTL,
    *,
    token: str | None = None,
) -> str:
    """A fresh token for one answer; `token` is given where a run must be repeatable."""
    made = token or secrets.token_urlsafe(32)
    _ADD.run(
        conn,
        new_lookup=keys.lookup("form", made),
        new_conversation=conversation,
        new_slot=slot,
        new_question_number=question_number,
        new_expires_at=now + ttl,
    )
    return made


def peek(conn: Connection, keys: Keyring, token: str, now: datetime) -> FormTarget | None:
    """Where the token leads, without using it; None when unknown, used or expired."""
    row = conn.execute(_PEEK, {"token": keys.lookup("form", token), "now": now}).first()
    return None if row is None else FormTarget(*row)


def use(conn: Connection, keys: Keyring, token: str, now: datetime) -> FormTarget | None:
    """Where the token leads, once; None when unknown, used or expired."""
    row = conn.execute(_USE, {"token": keys.lookup("form", token), "now": now}).first()
    return None if row is None else FormTarget(*row)
