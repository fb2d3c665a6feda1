"""The end of a turn: the one place where a decision's effects are carried out, in the turn's own commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from sqlalchemy import Connection

from flows.model import (
    AddToTicket,
    Apply,
    AssignTicket,
    CancelTimer,
    ChangeOwner,
    Content,
    Decision,
    DeleteMessage,
    Effect,
    OpenTicket,
    OptIn,
    OptOut,
    RecordConsent,
    RecordIdentityTry,
    RecordWrongCode,
    RenewPromise,
    Say,
    SetTicketStatus,
    SetTimer,
    StaffAction,
    Trace,
)
from storage import (
    applications,
    audit,
    consents,
    conversations,
    events,
    identity,
    inbox,
    jobs,
    outbox,
    people,
    tickets,
    wrong_codes,
)
from storage.conversations import Held
from storage.events import OwnerChanged, PeopleJoined, TurnRecord
from storage.ids import Ids
from storage.inbox import Pending
from storage.keyring import Keyring
from storage.outbox import Rendered

BOT = "bot"
PARKED = "parked"
IDENTITY_ALERT = "identity_alert"
JOINED = "joined"


class AlreadyHandled(Exception):
    """The message has been handled by somebody else; there is nothing left to do."""


@dataclass(frozen=True, slots=True)
class Handing:
    """Who sends the replies of a turn: `worker` the first `count` of them (None: all), until `lease_until`.

    The others come out of `outbox.claim_next`, the first of them from `not_before` on. `by_storing`: nobody has to
    send them, for whoever they are for reads them from the outbox.
    """

    worker: str = ""
    lease_until: datetime | None = None
    count: int | None = None
    not_before: datetime | None = None
    by_storing: bool = False


def finish(
    conn: Connection,
    keys: Keyring,
    held: Held,
    pending: Pending,
    decision: Decision,
    messages: Sequence[Rendered],
    *,
    ids: Ids,
    now: datetime,
    handing: Handing,
    record: TurnRecord,
) -> list[int]:
    """Carry out a decision exactly once: session, records, replies, event, and the message marked done.

    The ids of the replies that may be sent now as `handing` says, in order; none when earlier ones of this conversation
    are still unsent (`held.unsent`): those come out of `outbox.claim_next` when their turn comes.
    Raises AlreadyHandled, or Conflict when the conversation has changed since `held`.
    """
    if not inbox.close(conn, pending.inbox_id, outcome="done", now=now):
        raise AlreadyHandled(pending.inbox_id)
    owner = _next_owner(held, decision)
    conversations.save(conn, keys, held, decision.session, owner=owner, now=now)
    for effect in decision.effects:
        _carry_out(conn, keys, held, pending, effect, ids=ids, now=now)
    for effect in decision.effects:
        if isinstance(effect, RecordIdentityTry) and effect.proved:
            _prove(conn, keys, held, pending, effect, now=now)
    events.add(
        conn,
        keys,
        conversation=held.conversation,
        inbox_id=pending.inbox_id,
        kind="turn",
        record=record,
        now=now,
    )
    return _reply(conn, keys, held, pending, messages, handing, now)


def park(
    conn: Connection,
    keys: Keyring,
    held: Held,
    pending: Pending,
    *,
    code: str,
    promised: datetime,
    messages: Sequence[Rendered],
    ids: Ids,
    now: datetime,
    handing: Handing,
    record: TurnRecord,
    text: str = "",
) -> list[int]:
    """Give up on a message: set it aside, open an urgent ticket under `code`, and tell the person.

    `promised` is by when the person is told to hear from staff; `text` is what staff read.
    The ids of the replies, as with `finish`. Raises AlreadyHandled.
    """
    if not inbox.close(conn, pending.inbox_id, outcome=PARKED, now=now):
        raise AlreadyHandled(pending.inbox_id)
    ticket = OpenTicket(
        code=code,
        kind=PARKED,
        text=text,
        priority="urgent",
        promised=promised,
        details={"inbox_id": str(pending.inbox_id), "attempts": str(held.attempts)},
    )
    tickets.open_ticket(conn, keys, ticket, person=held.person, conversation=held.conversation, now=now)
    events.add(
        conn,
        keys,
        conversation=held.conversation,
        inbox_id=pending.inbox_id,
        kind=PARKED,
        record=record,
        now=now,
    )
    return _reply(conn, keys, held, pending, messages, handing, now)


def set_aside(
    conn: Connection,
    keys: Keyring,
    *,
    inbox_id: int,
    conversation: str,
    code: str,
    promised: datetime,
    reason: str,
    now: datetime,
) -> bool:
    """Park a message that, or whose conversation, cannot be opened: staff get a ticket, nobody is written to.

    Nothing of the conversation is read. `reason` is a word for staff. False when the message was handled already.
    """
    if not inbox.close(conn, inbox_id, outcome=PARKED, now=now):
        return False
    ticket = OpenTicket(
        code=code,
        kind=PARKED,
        text="",
        priority="urgent",
        promised=promised,
        details={"inbox_id": str(inbox_id), "reason": reason},
    )
    person = conversations.person_of(conn, conversation)
    tickets.open_ticket(conn, keys, ticket, person=person, conversation=conversation, now=now)
    record = TurnRecord(traces=(Trace("note", "set_aside", reason),))
    events.add(conn, keys, conversation=conversation, inbox_id=inbox_id, kind=PARKED, record=record, now=now)
    return True


def _next_owner(held: Held, decision: Decision) -> str:
    owner = held.owner
    for effect in decision.effects:
        if isinstance(effect, ChangeOwner):
            owner = effect.owner
    return owner


def _reply(
    conn: Connection,
    keys: Keyring,
    held: Held,
    pending: Pending,
    messages: Sequence[Rendered],
    handing: Handing,
    now: datetime,
) -> list[int]:
    count = len(messages) if handing.count is None else min(handing.count, len(messages))
    claimed = 0 if held.unsent or not handing.worker else count
    written = outbox.write(
        conn,
        keys,
        conversation=held.conversation,
        channel=held.channel,
        inbox_id=pending.inbox_id,
        messages=messages,
        worker=handing.worker,
        lease_until=handing.lease_until,
        now=now,
        by_storing=handing.by_storing,
        claimed=claimed,
        not_before=handing.not_before,
    )
    return written if handing.by_storing else written[:claimed]


def _carry_out(
    conn: Connection,
    keys: Keyring,
    held: Held,
    pending: Pending,
    effect: Effect,
    *,
    ids: Ids,
    now: datetime,
) -> None:
    match effect:
        case Say() | DeleteMessage():
            return  # rendered by the caller, written as a reply
        case OpenTicket():
            tickets.open_ticket(conn, keys, effect, person=held.person, conversation=held.conversation, now=now)
        case AddToTicket():
            tickets.add_note(
                conn,
                keys,
                effect.code,
                text=effect.text,
                author=effect.author,
                inner=effect.inner,
                media=effect.media,
                ids=ids,
                now=now,
            )
        case SetTicketStatus():
            tickets.set_status(conn, keys, effect.code, effect.status, by=effect.by, ids=ids, now=now)
        case RenewPromise():
            tickets.renew_promise(conn, effect.code, promised=effect.promised, now=now)
        case AssignTicket():
            by = (
                _staff_of(pending.content) or effect.staff or "bot"
            )  # who takes a ticket from somebody is not its owner
            tickets.assign(conn, keys, effect.code, effect.staff, by=by, ids=ids, now=now)
        case Apply():
            applications.apply(
                conn,
                keys,
                effect,
                person=held.person,
                conversation=held.conversation,
                ids=ids,
                now=now,
            )
        case RecordConsent():
            consents.record(
                conn,
                person=held.person,
                conversation=held.conversation,
                purpose=effect.purpose,
                version=effect.version,
                given=effect.given,
                now=now,
            )
        case RecordIdentityTry():
            _record_identity_try(conn, keys, held, effect, ids=ids, now=now)
        case RecordWrongCode():
            wrong_codes.record(conn, person=held.person, now=now)
        case OptOut():
            people.opt_out(conn, held.person, now=now)
        case OptIn():
            people.opt_in(conn, held.person)
        case SetTimer():
            jobs.set_timer(conn, conversation=held.conversation, kind=effect.kind, ref=effect.ref, at=effect.at)
        case CancelTimer():
            jobs.cancel_timer(conn, conversation=held.conversation, kind=effect.kind, ref=effect.ref)
        case ChangeOwner():
            events.add(
                conn,
                keys,
                conversation=held.conversation,
                inbox_id=pending.inbox_id,
                kind="owner",
                record=OwnerChanged(held.owner, effect.owner, effect.reason),
                now=now,
            )
        case _:
            assert_never(effect)


def _staff_of(content: Content) -> str:
    """The id of the staff member whose act this is, '' for anything else."""
    return content.staff if isinstance(content, StaffAction) else ""


def _prove(
    conn: Connection, keys: Keyring, held: Held, pending: Pending, effect: RecordIdentityTry, *, now: datetime
) -> None:
    """After everything else of the turn, because the person may become another: the one who proved the same before."""
    member = identity.member_proved(conn, keys, effect.nik)
    joined = people.prove(conn, held.person, member) if member is not None else None
    if joined is None:
        return
    record = PeopleJoined(joined.kept, joined.gone)
    events.add(
        conn, keys, conversation=held.conversation, inbox_id=pending.inbox_id, kind=JOINED, record=record, now=now
    )
    for action, subject in (("person_kept", joined.kept), ("person_joined", joined.gone)):
        audit.record(conn, staff="", action=action, subject=subject, now=now)


def _record_identity_try(
    conn: Connection, keys: Keyring, held: Held, effect: RecordIdentityTry, *, ids: Ids, now: datetime
) -> None:
    alert = identity.record_try(conn, keys, person=held.person, nik=effect.nik, proved=effect.proved, now=now)
    if not alert:
        return
    ticket = OpenTicket(
        code=ids.code(),
        kind=IDENTITY_ALERT,
        text="",
        priority="urgent",
        restricted=True,
        details={"nik": effect.nik, "failures": str(identity.FAILURES_TO_ALERT)},
    )
    # Of nobody and no conversation: whoever failed last is not to read of it among their own tickets.
    tickets.open_ticket(conn, keys, ticket, person=None, conversation=None, now=now)
