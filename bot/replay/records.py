"""What stands in the records when a case is over, compared with what the script says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from bot.replay.outcome import Failure
from bot.replay.platforms import said_by
from bot.replay.script import RecordKind, RecordsAre, RecordWanted, SentIs
from flows.model import Value
from storage import applications, members, outbox, staff, tickets
from storage.keyring import Keyring
from storage.outbox import Outgoing
from storage.tables import audit, conversations
from storage.tables import outbox as outbox_table

WIB: Final = ZoneInfo("Asia/Jakarta")
_ALL: Final = 100_000


@dataclass(frozen=True, slots=True)
class Found:
    """One record as scripts see it: comparable fields, and texts that are searched."""

    fields: Mapping[str, Value]
    texts: Mapping[str, str]

    def told(self) -> str:
        return "{" + ", ".join(f"{name}: {value}" for name, value in self.fields.items()) + "}"


def read_records(conn: Connection, keys: Keyring, kind: RecordKind) -> list[Found]:
    """Every record of a kind. Kinds that the service does not keep yet hold nothing."""
    match kind:
        case "tickets":
            return _tickets(conn, keys)
        case "members":
            return [_member(found.row) for found in members.list_members(conn, keys, limit=_ALL)]
        case "applications":
            return [_application(one) for one in applications.list_applications(conn, keys, limit=_ALL)]
        case "outbox":
            return _outbox(conn, keys)
        case "audit":
            names = _staff_names(conn, keys)
            rows = conn.execute(select(audit.c.staff, audit.c.action, audit.c.subject).order_by(audit.c.id))
            return [
                Found({"staff": names.get(row.staff, row.staff), "action": row.action, "subject": row.subject}, {})
                for row in rows
            ]
        case "bills" | "payments" | "pledges" | "assistance_requests":
            return []


def judge_records(check: RecordsAre, found: Sequence[Found]) -> Failure | None:
    """None when exactly these records are there, in any order."""
    got = f"{len(found)}: " + ", ".join(one.told() for one in found) if found else "none"
    if check.count is not None:
        if len(found) == check.count:
            return None
        return Failure(check.line, f"{check.count} {check.kind}", got)
    if len(found) == len(check.records) and _can_pair(check.records, found):
        return None
    expected = "; ".join(_wanted(one) for one in check.records) or "none"
    return Failure(check.line, f"{check.kind}, {len(check.records)}: {expected}", got)


def judge_sent(check: SentIs, sent: Sequence[Outgoing]) -> list[Failure]:
    """What of this does not hold."""
    failures = []
    said = sum(len(said_by(row)) for row in sent)
    if check.count is not None and said != check.count:
        failures.append(Failure(check.line, f"{check.count} messages sent", str(said)))
    for row in sent:
        length = len(row.body.text)
        if check.max_chars is not None and length > check.max_chars:
            failures.append(Failure(check.line, f"at most {check.max_chars} characters", f"{row.key} has {length}"))
    return failures


def _can_pair(wanted: Sequence[RecordWanted], found: Sequence[Found]) -> bool:
    """Whether each wanted record can have a found one of its own (bipartite matching by augmenting paths)."""
    taken: dict[int, int] = {}

    def place(want: int, tried: set[int]) -> bool:
        for have, one in enumerate(found):
            if have in tried or not _matches(wanted[want], one):
                continue
            tried.add(have)
            if have not in taken or place(taken[have], tried):
                taken[have] = want
                return True
        return False

    return all(place(want, set()) for want in range(len(wanted)))


def _matches(wanted: RecordWanted, found: Found) -> bool:
    values = all(want.meets(found.fields.get(name)) for name, want in wanted.fields.items())
    return values and all(pattern.search(found.texts.get(name, "")) for name, pattern in wanted.patterns.items())


def _wanted(wanted: RecordWanted) -> str:
    fields = [f"{name}: {want.raw}" for name, want in wanted.fields.items()]
    patterns = [f"{name}: {pattern.pattern}" for name, pattern in wanted.patterns.items()]
    return "{" + ", ".join(fields + patterns) + "}"


# ── one kind each ────────────────────────────────────────────────────────────────────────────────


def _tickets(conn: Connection, keys: Keyring) -> list[Found]:
    names = _staff_names(conn, keys)
    found = []
    for ticket in tickets.list_tickets(conn, keys, limit=_ALL):
        notes = tickets.notes(conn, keys, ticket.code)
        words = [ticket.text, *ticket.details.values(), *(note.text for note in notes if note.text)]
        fields: dict[str, Value] = {
            "code": ticket.code,
            "kind": ticket.kind,
            "category": ticket.category,
            "status": ticket.status,
            "owner": names.get(ticket.owner, ticket.owner),
            "priority": ticket.priority,
            "name": ticket.name,
            "anonymous": ticket.anonymous,
            "restricted": ticket.restricted,
            "media": len(ticket.media) + sum(len(note.media) for note in notes),
            "promised": _day(ticket.promised),
            "due": _day(ticket.due),
        }
        found.append(Found(fields, {"text_matches": "\n".join(words)}))
    return found


def _member(row: members.MemberRow) -> Found:
    return Found(
        {
            "name": row.name,
            "nik": row.nik,
            "phone": row.phone,
            "status": row.status,
            "paid_until": f"{row.paid_until:%Y-%m}" if row.paid_until else None,
            "programmes": list(row.programmes),
            "jht_balance": row.jht_balance,
            "kpj": row.kpj,
            "sector": row.sector,
        },
        {},
    )


def _application(one: applications.Application) -> Found:
    form = one.form
    fields: dict[str, Value] = {"status": one.status, "receipts": len(one.codes)}
    if form is not None:
        fields |= {
            "name": form.name,
            "nik": form.nik,
            "phone": form.phone,
            "occupation": form.occupation,
            "region": form.region,
            "income": form.income,
            "programmes": list(form.programmes),
            "months": form.months,
            "for_whom": form.for_whom,
            "monthly_amount": form.monthly_amount,
        }
    return Found(fields, {})


def _outbox(conn: Connection, keys: Keyring) -> list[Found]:
    rows: list[Outgoing] = []
    for conversation in conn.execute(select(conversations.c.id)).scalars().all():
        rows += outbox.since(conn, keys, conversation, 0, _ALL)
    tries = conn.execute(select(outbox_table.c.id, outbox_table.c.attempts))
    kept: dict[int, int] = {row.id: row.attempts for row in tries}
    return [
        Found(
            {
                "key": row.key,
                "status": row.status,
                "channel": row.channel,
                "author": row.author,
                "attempts": kept[row.id],
            },
            {"text_matches": row.body.text},
        )
        for one in sorted(rows, key=lambda row: row.id)
        for row in said_by(one)
    ]


def _staff_names(conn: Connection, keys: Keyring) -> dict[str, str]:
    return {one.id: one.name for one in staff.list_staff(conn, keys)}


def _day(moment: datetime | date | None) -> str | None:
    if isinstance(moment, datetime):
        moment = moment.astimezone(WIB).date()
    return moment.isoformat() if moment is not None else None
