"""Applications: sign-ups on their way to the institution. One live application a NIK, a receipt for each sign-up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Row, bindparam, insert, or_, select, update

from flows.model import Apply
from storage.dialects import PerDialect
from storage.ids import Ids
from storage.keyring import Keyring
from storage.tables import application_receipts, application_steps, applications, codes

Status = Literal["submitted", "verified", "registered", "active", "refused", "withdrawn"]
ENDED: tuple[Status, ...] = ("refused", "withdrawn")

_json = msgspec.json.Encoder()
_FORM = msgspec.json.Decoder(Apply)


@dataclass(frozen=True, slots=True)
class Application:
    """An application. `form` is the first sign-up as declared, None once erased; `codes` are all its receipts."""

    id: str
    status: Status
    form: Apply | None
    person: str | None
    conversation: str | None
    codes: tuple[str, ...]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one person got for one sign-up, and how the application stands."""

    code: str
    application: str
    person: str
    conversation: str
    status: Status
    at: datetime


_ADD_CODE = insert(codes)
_ADD = PerDialect(
    applications,
    lambda statement: (
        statement.values({column.name: bindparam(column.name) for column in applications.c})
        .on_conflict_do_nothing(index_elements=["live_nik"])
        .returning(applications.c.id)
    ),
)
_LIVE = select(applications.c.id).where(applications.c.live_nik == bindparam("nik"))
_ADD_RECEIPT = insert(application_receipts)
_ADD_STEP = insert(application_steps)
_RECEIPT_COLUMNS = (
    application_receipts.c.code,
    application_receipts.c.application,
    application_receipts.c.person,
    application_receipts.c.conversation,
    applications.c.status,
    application_receipts.c.at,
)
_RECEIPTS = select(*_RECEIPT_COLUMNS).join_from(
    application_receipts, applications, applications.c.id == application_receipts.c.application
)
_BY_CODE = _RECEIPTS.where(application_receipts.c.code == bindparam("which"))
_OF_PERSON = (
    _RECEIPTS.where(
        or_(
            application_receipts.c.person == bindparam("who"),
            application_receipts.c.conversation == bindparam("of"),
        )
    )
    .order_by(application_receipts.c.at.desc(), application_receipts.c.code)
    .limit(bindparam("count"))
)
_CODES = (
    select(application_receipts.c.code)
    .where(application_receipts.c.application == bindparam("application"))
    .order_by(application_receipts.c.at, application_receipts.c.code)
)
_ADVANCE = (
    update(applications)
    .where(applications.c.id == bindparam("application"), applications.c.status == bindparam("was"))
    .values(status=bindparam("becomes"), live_nik=bindparam("live"), updated_at=bindparam("now"))
)
_STATE = (
    select(applications.c.id, applications.c.status, applications.c.nik_lookup)
    .join_from(application_receipts, applications, applications.c.id == application_receipts.c.application)
    .where(application_receipts.c.code == bindparam("which"))
)


def apply(
    conn: Connection,
    keys: Keyring,
    form: Apply,
    *,
    person: str,
    conversation: str,
    ids: Ids,
    now: datetime,
) -> bool:
    """Store a sign-up with its receipt. True when it made a new application, False when the NIK had a live one.

    Two at the same instant make one application and two receipts. Raises Conflict (through the database) when the
    code is taken.
    """
    nik = keys.lookup("nik", form.nik)
    new_id = ids.new()
    added = conn.execute(
        _ADD.on(conn),
        {
            "id": new_id,
            "live_nik": nik,
            "nik_lookup": nik,
            "status": "submitted",
            "form": keys.seal("applications", "form", new_id, _json.encode(form)),
            "sex": form.sex,
            "region": form.region,
            "occupation": form.occupation,
            "sector": form.sector,
            "employer": form.employer,
            "programmes": _json.encode(form.programmes).decode(),
            "months": form.months,
            "monthly_amount": form.monthly_amount,
            "person": person,
            "conversation": conversation,
            "created_at": now,
            "updated_at": now,
        },
    ).scalar()
    application = added or conn.execute(_LIVE, {"nik": nik}).scalar_one()
    conn.execute(_ADD_CODE, {"code": form.code, "record": "receipt"})
    conn.execute(
        _ADD_RECEIPT,
        {
            "code": form.code,
            "application": application,
            "person": person,
            "conversation": conversation,
            "form": keys.seal("application_receipts", "form", form.code, _json.encode(form)),
            "at": now,
        },
    )
    return added is not None


def advance(conn: Connection, code: str, status: Status, *, by: str, now: datetime) -> bool:
    """Move an application on and record who did it; False when it stands so already or somebody moved it meanwhile.

    `code` is any of its receipts; `by` is a staff id or `registry`. Raises KeyError when there is no such receipt.
    """
    state = conn.execute(_STATE, {"which": code}).first()
    if state is None:
        raise KeyError(code)
    if state.status == status:
        return False
    moved = conn.execute(
        _ADVANCE,
        {
            "application": state.id,
            "was": state.status,
            "becomes": status,
            "live": None if status in ENDED else state.nik_lookup,
            "now": now,
        },
    )
    if moved.rowcount != 1:
        return False
    conn.execute(_ADD_STEP, {"application": state.id, "status": status, "by": by, "at": now})
    return True


def by_code(conn: Connection, code: str) -> Receipt | None:
    """The receipt with this code."""
    row = conn.execute(_BY_CODE, {"which": code}).first()
    return None if row is None else Receipt(*row)


def of_person(conn: Connection, person: str, conversation: str, *, limit: int = 10) -> list[Receipt]:
    """Receipts of this person or of this conversation, newest first."""
    rows = conn.execute(_OF_PERSON, {"who": person, "of": conversation, "count": limit})
    return [Receipt(*row) for row in rows]


def list_applications(
    conn: Connection,
    keys: Keyring,
    *,
    status: tuple[Status, ...] = (),
    region: str | None = None,
    limit: int = 100,
    offset: int = 0,
) -> list[Application]:
    """Applications that match every filter given, oldest first."""
    query = select(applications)
    if status:
        query = query.where(applications.c.status.in_(status))
    if region is not None:
        query = query.where(applications.c.region == region)
    ordered = query.order_by(applications.c.created_at, applications.c.id).limit(limit).offset(offset)
    return [_application(conn, keys, row) for row in conn.execute(ordered).all()]


def _application(conn: Connection, keys: Keyring, row: Row[*tuple[Any, ...]]) -> Application:
    form = None
    if row.form is not None:
        form = _FORM.decode(keys.open("applications", "form", row.id, row.form))
    return Application(
        id=row.id,
        status=row.status,
        form=form,
        person=row.person,
        conversation=row.conversation,
        codes=tuple(conn.execute(_CODES, {"application": row.id}).scalars()),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
