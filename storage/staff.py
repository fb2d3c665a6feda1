"""Staff: who answers at the desk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select

from storage.keyring import Keyring
from storage.tables import staff


@dataclass(frozen=True, slots=True)
class StaffMember:
    """One who answers at the desk; `role` is agent, supervisor or admin."""

    id: str
    name: str
    role: str


_ADD = insert(staff)
_BY_NAME = select(staff).where(staff.c.name_lookup == bindparam("lookup"))
_BY_ID = select(staff).where(staff.c.id == bindparam("which"))
_LIST = select(staff).order_by(staff.c.created_at, staff.c.id)


def add(conn: Connection, keys: Keyring, *, staff_id: str, name: str, role: str, now: datetime) -> None:
    """Add a staff member. Raises Conflict (through the database) when the name is taken, whatever its case."""
    conn.execute(
        _ADD,
        {
            "id": staff_id,
            "name": keys.seal_text("staff", "name", staff_id, name),
            "name_lookup": _lookup(keys, name),
            "role": role,
            "created_at": now,
        },
    )


def by_name(conn: Connection, keys: Keyring, name: str) -> StaffMember | None:
    """The staff member of this name, whatever its case."""
    return _one(keys, conn.execute(_BY_NAME, {"lookup": _lookup(keys, name)}).first())


def by_id(conn: Connection, keys: Keyring, staff_id: str) -> StaffMember | None:
    """The staff member with this id."""
    return _one(keys, conn.execute(_BY_ID, {"which": staff_id}).first())


def list_staff(conn: Connection, keys: Keyring) -> list[StaffMember]:
    """Everybody, the longest here first."""
    return [_staff(keys, row) for row in conn.execute(_LIST)]


def _lookup(keys: Keyring, name: str) -> bytes:
    return keys.lookup("staff", " ".join(name.split()).casefold())


def _one(keys: Keyring, row: Row[*tuple[Any, ...]] | None) -> StaffMember | None:
    return None if row is None else _staff(keys, row)


def _staff(keys: Keyring, row: Row[*tuple[Any, ...]]) -> StaffMember:
    return StaffMember(row.id, keys.open_text("staff", "name", row.id, row.name), row.role)
