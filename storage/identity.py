"""Proving to be a member: one fact not contained in the NIK, on the member's own phone, three tries a day.

A NIK that is nobody's is answered, counted and locked exactly like a member's, so that nothing can be learnt here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest

from sqlalchemy import Connection, Executable, bindparam, case, func, insert, select

from flows.model import IdentityCheck, IdentityResult
from storage.dialects import Insert, PerDialect
from storage.keyring import Keyring
from storage.members import kpj_tail
from storage.tables import contributions, identity_alerts, identity_tries, members

WINDOW = timedelta(hours=24)
OWN_FAILURES_TO_LOCK = 3
FAILURES_TO_ALERT = 10
NOTHING = bytes(32)


@dataclass(frozen=True, slots=True)
class Tries:
    """Failed tries on one NIK in the last 24 hours, by anybody, by one person, and by how many people."""

    failures: int
    own: int
    people: int


_LAST_MONTH = select(func.max(contributions.c.month)).where(contributions.c.member == members.c.id).scalar_subquery()
_RECORD = select(
    members.c.id,
    members.c.phone_lookup,
    members.c.kpj_tail,
    func.coalesce(_LAST_MONTH, members.c.paid_until).label("last_paid"),
).where(members.c.nik_lookup == bindparam("nik"))
_TRIES = select(
    func.count(),
    func.coalesce(func.sum(case((identity_tries.c.person == bindparam("who"), 1), else_=0)), 0),
    func.count(identity_tries.c.person.distinct()),
).where(
    identity_tries.c.nik_lookup == bindparam("nik"),
    identity_tries.c.at > bindparam("since"),
    identity_tries.c.proved.is_(False),
)
_ADD_TRY = insert(identity_tries)
_PROVED = (
    select(members.c.id, members.c.phone_lookup)
    .where(members.c.nik_lookup == bindparam("nik"))
    .with_for_update(key_share=True)
)
_SHARES_PHONE = (
    select(members.c.id)
    .where(members.c.phone_lookup == bindparam("phone"), members.c.id != bindparam("which"))
    .limit(1)
)


def _raise_alert(statement: Insert) -> Executable:
    return (
        statement.values(nik_lookup=bindparam("nik"), at=bindparam("now"))
        .on_conflict_do_update(
            index_elements=["nik_lookup"],
            set_={"at": statement.excluded.at},
            where=identity_alerts.c.at <= bindparam("since"),
        )
        .returning(identity_alerts.c.nik_lookup)
    )


_ALERT = PerDialect(identity_alerts, _raise_alert)


def check(conn: Connection, keys: Keyring, query: IdentityCheck, *, person: str, now: datetime) -> IdentityResult:
    """Does the given fact prove `person`, on a phone the channel vouches for, to be this member?

    The same statements and the same comparisons whether or not the NIK is a member's.
    """
    nik = keys.lookup("nik", query.nik)
    record = conn.execute(_RECORD, {"nik": nik}).first()
    tries = tries_on(conn, nik, person=person, now=now)
    member, phone, tail, last_paid = record if record is not None else ("", NOTHING, NOTHING, None)
    phone_fits = compare_digest(keys.lookup("phone", query.phone), phone or NOTHING)
    tail_fits = compare_digest(kpj_tail(keys, query.nik, query.given), tail)
    month = f"{last_paid:%Y-%m}" if last_paid else ""
    month_fits = compare_digest(query.given.encode(), month.encode()) and month != ""
    fact_fits = tail_fits if query.fact == "kpj_last4" else month_fits
    if tries.own >= OWN_FAILURES_TO_LOCK:
        return IdentityResult("locked", failures=tries.failures, own_failures=tries.own)
    if member and phone_fits and fact_fits:
        return IdentityResult("proved", member, tries.failures, tries.own)
    return IdentityResult("failed", failures=tries.failures, own_failures=tries.own)


def member_proved(conn: Connection, keys: Keyring, nik: str) -> str | None:
    """Which member a person is, who has proved it for this NIK; the member's row is held until the transaction ends.

    None where the proof says less: the phone on the record is another member's, too (families share one), so that
    whoever holds it may be either.
    """
    record = conn.execute(_PROVED, {"nik": keys.lookup("nik", nik)}).first()
    if record is None or conn.execute(_SHARES_PHONE, {"phone": record.phone_lookup, "which": record.id}).first():
        return None
    return str(record.id)


def tries_on(conn: Connection, nik_lookup: bytes, *, person: str, now: datetime) -> Tries:
    """Failed tries on a NIK, by its look-up, in the 24 hours before `now`."""
    row = conn.execute(_TRIES, {"nik": nik_lookup, "who": person, "since": now - WINDOW}).one()
    return Tries(*row)


def record_try(conn: Connection, keys: Keyring, *, person: str, nik: str, proved: bool, now: datetime) -> bool:
    """Record a try. True when staff must be told: ten failures on one NIK by several people, once in 24 hours."""
    lookup = keys.lookup("nik", nik)
    conn.execute(_ADD_TRY, {"nik_lookup": lookup, "person": person, "proved": proved, "at": now})
    if proved:
        return False
    tries = tries_on(conn, lookup, person=person, now=now)
    if tries.failures < FAILURES_TO_ALERT or tries.people < 2:
        return False
    raised = conn.execute(_ALERT.on(conn), {"nik": lookup, "now": now, "since": now - WINDOW})
    return raised.first() is not None
