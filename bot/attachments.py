"""Files that come with messages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Attachment:
    """The bytes of a photo, voice note or document; `id` is ours, and is what the message's content names."""

    id: str
    mime: str
    data: bytes
