"""What was said in a conversation, as a person of the office reads it: both sides, identity numbers masked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from flows.format import mask_nik
from flows.model import Choice, Contact, Content, FormAnswer, Location, Media, Sticker, Text
from storage import inbox, outbox
from storage.keyring import Keyring

PERSON: Final = "person"

_NIK: Final = re.compile(r"(?<![0-9])(?:[0-9][ .-]?){15}[0-9](?![0-9])")


@dataclass(frozen=True, slots=True)
class Spoken:
    """One message. `who` is `person`, `bot` or the name of a staff member; `media` is our id of a file, '' for none."""

    at: datetime
    who: str
    text: str
    media: str = ""


def latest(conn: Connection, keys: Keyring, conversation: str, limit: int) -> list[Spoken]:
    """The last messages of both sides, `limit` in all, each of the person before what answered it."""
    placed = [
        (row.inbox_id, row.n, Spoken(row.written_at, row.author, masked(row.body.text)))
        for row in outbox.latest(conn, keys, conversation, limit)
    ]
    for message in inbox.latest(conn, keys, conversation, limit):
        spoken = _from_person(message.received_at, message.content)
        if spoken is not None:
            placed.append((message.inbox_id, -1, spoken))
    placed.sort(key=lambda place: place[:2])
    return [spoken for _, _, spoken in placed[-limit:]]


def masked(text: str) -> str:
    """The text with identity numbers masked: whoever may need one finds it in the record, not in passing."""
    return _NIK.sub(lambda found: mask_nik(found[0]), text)


def _from_person(at: datetime, content: Content | None) -> Spoken | None:
    """None for what no person sent, such as timers and acts of staff, and for what was erased."""
    match content:
        case Text(text=text):
            return Spoken(at, PERSON, masked(text))
        case Choice(title=title, payload=payload):
            return Spoken(at, PERSON, f"[{title or payload}]")
        case Media(media=media, caption=caption, problem=problem):
            return Spoken(at, PERSON, masked(caption) or ("" if media else f"[file: {problem or 'not kept'}]"), media)
        case FormAnswer(slot=slot):
            return Spoken(at, PERSON, f"[secure page: {slot}]")
        case Location():
            return Spoken(at, PERSON, "[location]")
        case Contact():
            return Spoken(at, PERSON, "[contact]")
        case Sticker(emoji=emoji):
            return Spoken(at, PERSON, f"[sticker {emoji}]".replace(" ]", "]"))
        case _:
            return None
