"""Photos, voice notes and documents: sealed in the database, so that no clear file lies anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select

from storage.keyring import Keyring
from storage.tables import media


@dataclass(frozen=True, slots=True)
class StoredMedia:
    """One file as it came; `content` is its bytes."""

    id: str
    conversation: str
    mime: str
    content: bytes


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """What is known of a file without opening it; `is_erased` when its content is gone."""

    id: str
    conversation: str
    mime: str
    size_bytes: int
    is_erased: bool


_ADD = insert(media)
_LOAD = select(media.c.conversation, media.c.mime, media.c.content).where(media.c.id == bindparam("which"))


_FACTS = select(media.c.conversation, media.c.mime, media.c.size_bytes, media.c.content.is_(None)).where(
    media.c.id == bindparam("which")
)


def save(
    conn: Connection,
    keys: Keyring,
    media_id: str,
    conversation: str,
    mime: str,
    content: bytes,
    *,
    now: datetime,
) -> None:
    """Store a file under our own id."""
    conn.execute(
        _ADD,
        {
            "id": media_id,
            "conversation": conversation,
            "mime": mime,
            "size_bytes": len(content),
            "content": keys.seal("media", "content", media_id, content),
            "at": now,
        },
    )


def facts(conn: Connection, media_id: str) -> MediaFacts | None:
    """What is known of the file with this id; None when there is none."""
    row = conn.execute(_FACTS, {"which": media_id}).first()
    return None if row is None else MediaFacts(media_id, row[0], row[1], row[2], bool(row[3]))


def load(conn: Connection, keys: Keyring, media_id: str) -> StoredMedia | None:
    """The file with this id; None when there is none or it was erased."""
    row = conn.execute(_LOAD, {"which": media_id}).first()
    if row is None or row.content is None:
        return None
    content = keys.open("media", "content", media_id, row.content)
    return StoredMedia(media_id, row.conversation, row.mime, content)
