"""The demo: invented people to speak as, throw-away keys, and a database that holds nobody real."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, select

from bot.clock import Ids
from bot.config import Config, ConfigError, has_secrets, require_secrets
from flows.model import Contribution
from storage import audit, members, staff
from storage.database import Conflict, Database
from storage.keyring import KEY_BYTES, Keyring
from storage.members import MemberRow
from storage.tables import members as members_table
from storage.tables import people
from storage.tables import staff as staff_table

MARK: Final = "demo_made"
"""The entry in the audit that says: this database is a demo's."""

STAFF: Final = ("Rina", "Agus")
"""Invented people of the office."""


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody invented. `record` makes their member's record as of a day; None for who has not joined yet.

    `nik` is what they would give as their own when they sign up; members have theirs in the record.
    """

    about: str
    phone: str
    record: Callable[[date], MemberRow] | None = None
    nik: str = ""


@dataclass(frozen=True, slots=True)
class Numbers:
    """What somebody who plays a persona may be asked for; the last two are empty for who has not joined."""

    nik: str
    kpj_last4: str = ""
    paid_until: date | None = None


def _budi(today: date) -> MemberRow:
    """Paid until next month, savings included."""
    return MemberRow(
        name="Budi Santoso",
        nik="3275011708909001",
        kpj="17000000901",
        phone="+6281200000002",
        birth_date=date(1990, 8, 17),
        sex="male",
        status="active",
        paid_until=_month(today, 1),
        jht_balance=1_250_000,
        sector="transport",
        programmes=("JKK", "JKM", "JHT"),
        contributions=_paid(_month(today, -10), 12, 36_800),
    )


def _siti(today: date) -> MemberRow:
    """Her last paid month is half a year ago."""
    return MemberRow(
        name="Siti Aminah",
        nik="3578015203859002",
        kpj="17000000902",
        phone="+6281200000003",
        birth_date=date(1985, 3, 12),
        sex="female",
        status="inactive",
        paid_until=_month(today, -6),
        contributions=_paid(_month(today, -11), 6, 16_800),
    )


def _month(day: date, later: int) -> date:
    """The first day of the month that many months later."""
    months = day.year * 12 + day.month - 1 + later
    return date(months // 12, months % 12 + 1, 1)


def _paid(first: date, count: int, amount: int) -> tuple[Contribution, ...]:
    months = (_month(first, n) for n in range(count))
    return tuple(Contribution(month, amount, month) for month in months)


PERSONAS: Final[Mapping[str, Persona]] = {
    "wati": Persona("Wati, pedagang pasar, belum terdaftar", "+6281200000001", nik="3275015505819003"),
    "budi": Persona("Budi Santoso, pengemudi ojek daring, peserta aktif", "+6281200000002", _budi),
    "siti": Persona("Siti Aminah, penjahit, perlindungan tidak aktif", "+6281200000003", _siti),
}


def numbers(conn: Connection, keys: Keyring) -> dict[str, Numbers]:
    """The invented numbers of every persona, as they stand in the demo's own records."""
    found = {}
    for name, persona in PERSONAS.items():
        if persona.record is None:
            found[name] = Numbers(persona.nik)
            continue
        # Only the months of a record depend on the day it was made, so any day finds the member by NIK.
        member = members.by_nik(conn, keys, persona.record(date(2000, 1, 1)).nik)
        if member is not None:
            row = member.row
            found[name] = Numbers(row.nik, row.kpj[-4:], row.paid_until)
    return found


def configured(config: Config) -> tuple[Config, Keyring]:
    """The settings of a demo with its keys: the throw-away ones, unless keys are configured."""
    if not config.database.url:
        folder = config.database.demo_dir
        folder.mkdir(parents=True, exist_ok=True)
        database = config.database.model_copy(update={"url": f"sqlite:///{folder / 'rangkul.db'}"})
        config = config.model_copy(update={"database": database, "demo": True})
    if has_secrets(config):
        return config, require_secrets(config)
    return config, throw_away_keys(config.keys.demo_file)


def throw_away_keys(path: Path) -> Keyring:
    """The demo's keys, made once and readable by their owner alone. Raises ConfigError when they cannot be read."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write_once(path)
    try:
        encoded = json.loads(path.read_text("utf-8"))
        return Keyring.from_keys(
            {"demo": base64.b64decode(encoded["encryption"])}, "demo", base64.b64decode(encoded["lookup"])
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError([f"{path}: holds no keys of the demo ({type(error).__name__})"]) from error


def _write_once(path: Path) -> None:
    """Two processes may start at once: both make keys, and the file of one of them stays."""
    keys = {name: base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode() for name in ("encryption", "lookup")}
    mine = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    file = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w", encoding="utf-8") as stream:
        json.dump(keys, stream)
    try:
        os.link(mine, path)
    except FileExistsError:
        return
    finally:
        mine.unlink()


async def prepare(db: Database, keys: Keyring, ids: Ids, now: datetime) -> None:
    """Puts the personas into an empty database. Safe to call again.

    Raises ConfigError for a database that holds other data: a demo must never stand next to real people.
    """
    try:
        held_by_others = await db.transaction(lambda conn: _prepare(conn, keys, ids, now))
    except Conflict:  # another process has just done it
        held_by_others = await db.transaction(lambda conn: _prepare(conn, keys, ids, now))
    if held_by_others:
        raise ConfigError([f"demo: {shown_url(db.url)} holds data that is not the demo's; name another database"])


def shown_url(url: str) -> str:
    """A database URL without its password."""
    head, at, tail = url.rpartition("@")
    return f"{head.split('://')[0]}://…@{tail}" if at else url


def _prepare(conn: Connection, keys: Keyring, ids: Ids, now: datetime) -> bool:
    """True when the database holds other data."""
    if audit.has(conn, MARK):
        return False
    if any(conn.execute(select(table).limit(1)).first() for table in (people, members_table, staff_table)):
        return True
    audit.record(conn, staff="", action=MARK, subject="", now=now)
    for persona in PERSONAS.values():
        if persona.record is not None:
            members.add(conn, keys, persona.record(now.date()), member=ids.new(), now=now)
    for name in STAFF:
        staff.add(conn, keys, staff_id=ids.new(), name=name, role="agent", now=now)
    return False
