"""Who takes part in a case: fixtures put into the records, and the people who speak."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, cast

from sqlalchemy import Connection

from bot.clock import Ids
from bot.replay.script import Case, Fixture, MemberFixture, StaffFixture, Wanted
from flows.model import Contribution
from storage import members, staff
from storage.keyring import Keyring
from storage.members import MemberRow

_PHONE = re.compile(r"\+\d{8,15}")
_MONTHLY = 16_800


class BadFixture(ValueError):
    """A fixture whose values cannot be stored."""


@dataclass(slots=True)
class Person:
    """Somebody who writes. `conversation` is "" until their first message."""

    name: str
    address: str
    phone: str | None
    conversation: str = ""


def person_of(case: Case, who: str) -> Person:
    """The person behind `as:`, or the sender of the case. A fixture's member speaks from their own phone."""
    if not who:
        phone = case.sender if _PHONE.fullmatch(case.sender) else None
        return Person("", case.sender or "sender", phone)
    if _PHONE.fullmatch(who):
        return Person(who, who, who)
    fixture = case.fixtures.get(who)
    phone = fixture.text("phone") or None if isinstance(fixture, MemberFixture) else None
    return Person(who, phone or f"person:{who}", phone)


def put_fixtures(
    conn: Connection, keys: Keyring, fixtures: Mapping[str, Fixture], *, ids: Ids, now: datetime
) -> dict[str, str]:
    """Stores every fixture; gives the id of each by its name. Raises BadFixture."""
    made: dict[str, str] = {}
    for name, fixture in fixtures.items():
        made[name] = ids.new()
        if isinstance(fixture, StaffFixture):
            staff.add(conn, keys, staff_id=made[name], name=fixture.name, role=fixture.role, now=now)
        else:
            members.add(conn, keys, member_row(fixture), member=made[name], now=now)
    return made


def member_row(fixture: MemberFixture) -> MemberRow:
    """A member as the record holds them; what a script leaves out gets a plain value. Raises BadFixture."""
    nik = fixture.text("nik")
    try:
        return MemberRow(
            name=fixture.text("name"),
            nik=nik,
            kpj=fixture.text("kpj") or _kpj(nik),
            phone=fixture.text("phone") or None,
            birth_date=date.fromisoformat(fixture.text("birth_date")) if "birth_date" in fixture.given else None,
            sex=cast(Literal["", "male", "female"], fixture.text("sex")),
            status=fixture.text("status", "active"),
            paid_until=_month(fixture.text("paid_until")) if "paid_until" in fixture.given else None,
            jht_balance=int(fixture.text("jht_balance", "0")),
            sector=fixture.text("sector", "other"),
            programmes=_list(fixture.given.get("programmes")) or ("JKK", "JKM"),
            contributions=tuple(_contribution(text) for text in _list(fixture.given.get("contributions"))),
        )
    except ValueError as error:
        raise BadFixture(f"the member on line {fixture.line}: {error}") from error


def _list(wanted: Wanted | None) -> tuple[str, ...]:
    if wanted is None:
        return ()
    return tuple(wanted.value) if isinstance(wanted.value, list) else (wanted.raw,)


def _contribution(text: str) -> Contribution:
    """`2026-11`, or with the amount `2026-11=36800`; paid on the first day of that month."""
    month, _, amount = text.partition("=")
    return Contribution(_month(month), int(amount or _MONTHLY), _month(month))


def _month(text: str) -> date:
    return date.fromisoformat(text if text.count("-") == 2 else f"{text}-01").replace(day=1)


def _kpj(nik: str) -> str:
    """Eleven digits that are the same for the same NIK every time."""
    return str(int(hashlib.blake2b(nik.encode(), digest_size=8).hexdigest(), 16))[:11].rjust(11, "7")
