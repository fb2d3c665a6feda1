"""Members: what the institution's registry has told us about people who are insured."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Row, bindparam, insert, select

from flows.model import Contribution, MemberFacts
from storage.keyring import Keyring
from storage.tables import contributions, members

_json = msgspec.json.Encoder()
_PROGRAMMES = msgspec.json.Decoder(tuple[str, ...])


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member as imported. Money in whole rupiah; `paid_until` is the first day of the last paid month."""

    name: str
    nik: str
    kpj: str
    phone: str | None
    birth_date: date | None = None
    sex: Literal["", "male", "female"] = ""
    status: str = "active"
    paid_until: date | None = None
    jht_balance: int = 0
    sector: str = ""
    programmes: tuple[str, ...] = ("JKK", "JKM")
    contributions: tuple[Contribution, ...] = ()


@dataclass(frozen=True, slots=True)
class Member:
    """A stored member: our id and the row."""

    id: str
    row: MemberRow


_ADD = insert(members)
_ADD_CONTRIBUTION = insert(contributions)
_BY_ID = select(members).where(members.c.id == bindparam("which"))
_BY_NIK = select(members).where(members.c.nik_lookup == bindparam("lookup"))
_BY_PHONE = (
    select(members).where(members.c.phone_lookup == bindparam("lookup")).order_by(members.c.created_at, members.c.id)
)
_HAS_PHONE = select(members.c.id).where(members.c.phone_lookup == bindparam("lookup")).limit(1)
_LIST = select(members).order_by(members.c.created_at, members.c.id).limit(bindparam("count")).offset(bindparam("skip"))
_CONTRIBUTIONS = (
    select(contributions.c.month, contributions.c.amount, contributions.c.paid_on)
    .where(contributions.c.member == bindparam("which"))
    .order_by(contributions.c.month)
)


def kpj_tail(keys: Keyring, nik: str, last4: str) -> bytes:
    """The look-up of a KPJ's last four digits together with its NIK, so that equal digits are not seen equal."""
    return keys.lookup("kpj_last4", f"{nik}|{last4}")


def add(conn: Connection, keys: Keyring, row: MemberRow, *, member: str, now: datetime) -> None:
    """Store a member under the id `member`. Raises Conflict (through the database) when NIK or KPJ is known."""
    conn.execute(
        _ADD,
        {
            "id": member,
            "nik": keys.seal_text("members", "nik", member, row.nik),
            "nik_lookup": keys.lookup("nik", row.nik),
            "kpj": keys.seal_text("members", "kpj", member, row.kpj),
            "kpj_lookup": keys.lookup("kpj", row.kpj),
            "kpj_tail": kpj_tail(keys, row.nik, row.kpj[-4:]),
            "phone": keys.seal_text("members", "phone", member, row.phone) if row.phone else None,
            "phone_lookup": keys.lookup("phone", row.phone) if row.phone else None,
            "name": keys.seal_text("members", "name", member, row.name),
            "birth_date": keys.seal_text("members", "birth_date", member, row.birth_date.isoformat())
            if row.birth_date
            else None,
            "jht_balance": keys.seal_text("members", "jht_balance", member, str(row.jht_balance)),
            "sex": row.sex,
            "status": row.status,
            "paid_until": row.paid_until,
            "sector": row.sector,
            "programmes": _json.encode(row.programmes).decode(),
            "created_at": now,
        },
    )
    if row.contributions:
        conn.execute(
            _ADD_CONTRIBUTION,
            [
                {"member": member, "month": paid.month, "amount": paid.amount, "paid_on": paid.paid_on}
                for paid in row.contributions
            ],
        )


def by_id(conn: Connection, keys: Keyring, member: str) -> Member | None:
    """The member with this id of ours."""
    return _one(conn, keys, conn.execute(_BY_ID, {"which": member}).first())


def by_nik(conn: Connection, keys: Keyring, nik: str) -> Member | None:
    """The member with this NIK, 16 digits."""
    return _one(conn, keys, conn.execute(_BY_NIK, {"lookup": keys.lookup("nik", nik)}).first())


def by_phone(conn: Connection, keys: Keyring, phone: str) -> list[Member]:
    """Members with this phone, E.164; families share one."""
    rows = conn.execute(_BY_PHONE, {"lookup": keys.lookup("phone", phone)}).all()
    return [_member(conn, keys, row) for row in rows]


def has_phone(conn: Connection, keys: Keyring, phone: str) -> bool:
    """Does this phone, E.164, stand on any member's record?"""
    return conn.execute(_HAS_PHONE, {"lookup": keys.lookup("phone", phone)}).first() is not None


def list_members(conn: Connection, keys: Keyring, *, limit: int = 100, offset: int = 0) -> list[Member]:
    """Members in the order they were added."""
    rows = conn.execute(_LIST, {"count": limit, "skip": offset}).all()
    return [_member(conn, keys, row) for row in rows]


def facts(conn: Connection, keys: Keyring, member: str) -> MemberFacts | None:
    """What a proved member may hear of their own record."""
    found = by_id(conn, keys, member)
    if found is None:
        return None
    row = found.row
    return MemberFacts(
        member=member,
        name=row.name,
        sex=row.sex,
        status=row.status,
        programmes=row.programmes,
        paid_until=row.paid_until,
        jht_balance=row.jht_balance,
        kpj=row.kpj,
        sector=row.sector,
        contributions=row.contributions,
    )


def _one(conn: Connection, keys: Keyring, row: Row[*tuple[Any, ...]] | None) -> Member | None:
    return None if row is None else _member(conn, keys, row)


def _member(conn: Connection, keys: Keyring, row: Row[*tuple[Any, ...]]) -> Member:
    def opened(column: str, sealed: bytes) -> str:
        return keys.open_text("members", column, row.id, sealed)

    paid = conn.execute(_CONTRIBUTIONS, {"which": row.id})
    return Member(
        row.id,
        MemberRow(
            name=opened("name", row.name),
            nik=opened("nik", row.nik),
            kpj=opened("kpj", row.kpj),
            phone=opened("phone", row.phone) if row.phone is not None else None,
            birth_date=date.fromisoformat(opened("birth_date", row.birth_date)) if row.birth_date is not None else None,
            sex=row.sex,
            status=row.status,
            paid_until=row.paid_until,
            jht_balance=int(opened("jht_balance", row.jht_balance)),
            sector=row.sector,
            programmes=_PROGRAMMES.decode(row.programmes),
            contributions=tuple(Contribution(*line) for line in paid),
        ),
    )
