"""What a page shows of its conversation: the person's own messages and the answers, in their order."""

from __future__ import annotations

from sqlalchemy import Connection

from bot.transcript import masked
from bot.web import wire
from flows.model import Choice, Content, FormAnswer, Media, Text
from storage import inbox, outbox
from storage.keyring import Keyring
from storage.outbox import Outgoing

MAX_SHOWN = 400
"""Messages and answers that a page is given at most: the newest."""


def whole(conn: Connection, keys: Keyring, conversation: str) -> wire.Conversation:
    """Everything so far, the newest `MAX_SHOWN`: each message of the person, then what answered it."""
    answers = list(outbox.whole_conversation(conn, keys, conversation))
    placed: list[tuple[int, int, wire.FromBot | wire.FromPerson]] = [
        (row.inbox_id, row.n, wire.from_bot(row)) for row in answers
    ]
    for message in inbox.whole_conversation(conn, keys, conversation):
        shown = _from_person(message.content)
        if shown is not None:
            placed.append((message.inbox_id, -1, shown))
    placed.sort(key=lambda place: place[:2])
    return wire.Conversation(
        messages=tuple(message for _, _, message in placed[-MAX_SHOWN:]),
        last=max((row.id for row in answers), default=0),
    )


def missed(conn: Connection, keys: Keyring, conversation: str, after: int, limit: int) -> tuple[wire.FromBot, ...]:
    """The answers after a position, oldest first, `limit` at most."""
    return tuple(wire.from_bot(row) for row in outbox.since(conn, keys, conversation, after, limit))


def is_unhandled(conn: Connection, keys: Keyring, conversation: str, inbox_id: int) -> bool:
    """Whether this message still waits for its turn to end."""
    rows = inbox.of_conversation(conn, keys, conversation, after_id=inbox_id - 1, limit=1)
    return bool(rows) and rows[0].inbox_id == inbox_id and rows[0].status == "new"


def offered_form(conn: Connection, keys: Keyring, conversation: str, outbox_id: int) -> Outgoing | None:
    """The answer with this id if it is of this conversation and offers a one-field page."""
    rows = outbox.since(conn, keys, conversation, outbox_id - 1, 1)
    return rows[0] if rows and rows[0].id == outbox_id and rows[0].body.form else None


def _from_person(content: Content | None) -> wire.FromPerson | None:
    """None for what no person sent here: timers and staff.

    Identity numbers are not shown again in full: the phone may be in other hands by now.
    """
    match content:
        case Text(text=text):
            return wire.FromPerson(masked(text))
        case Choice(title=title, payload=payload):
            return wire.FromPerson(title or payload)
        case Media(caption=caption):
            return wire.FromPerson(masked(caption), "" if caption else "photo_sent")
        case FormAnswer():
            return wire.FromPerson("", "form_answer")
        case _:
            return None
