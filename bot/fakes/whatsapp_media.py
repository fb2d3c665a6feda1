"""Files: those we upload and those people send, each for its time, each behind an address that lives five minutes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from bot.fakes.whatsapp_errors import GraphError
from bot.fakes.whatsapp_records import Json

ADDRESS_LIFE: Final = timedelta(minutes=5)
UPLOAD_LIFE: Final = timedelta(days=30)
RECEIVED_LIFE: Final = timedelta(days=7)

KIB, MIB = 1024, 1024 * 1024
_OFFICE: Final = "application/vnd.openxmlformats-officedocument."
_SIZES: Final[dict[str, tuple[int, frozenset[str]]]] = {
    "image": (5 * MIB, frozenset({"image/jpeg", "image/png"})),
    "audio": (16 * MIB, frozenset({"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"})),
    "video": (16 * MIB, frozenset({"video/mp4", "video/3gpp"})),
    "sticker": (500 * KIB, frozenset({"image/webp"})),
    "document": (
        100 * MIB,
        frozenset(
            {
                "application/pdf", "text/plain", "application/msword", "application/vnd.ms-excel",
                "application/vnd.ms-powerpoint", f"{_OFFICE}wordprocessingml.document",
                f"{_OFFICE}spreadsheetml.sheet", f"{_OFFICE}presentationml.presentation",
            }
        ),
    ),
}  # fmt: skip
"""Kind of message: largest size in bytes and MIME types (Meta's page on media, read in a copy of 2026). The 100 KB of
a sticker that does not move cannot be told from its type; the larger limit is held."""


@dataclass(frozen=True, slots=True)
class StoredMedia:
    """A file under its id."""

    id: str
    data: bytes
    mime_type: str
    expires_at: datetime

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def bare_type(self) -> str:
        """Without parameters such as codecs."""
        return self.mime_type.split(";")[0].strip()


@dataclass(slots=True)
class MediaStore:
    """All files by id. Ids count up."""

    now: Callable[[], datetime]
    _files: dict[str, StoredMedia] = field(default_factory=dict)
    _count: int = 0

    def upload(self, data: bytes, mime_type: str) -> StoredMedia:
        """Ours, for 30 days. Raises GraphError: 100 for a type nobody can send, 131053 for size."""
        bare = mime_type.split(";")[0].strip()
        largest = max((size for size, types in _SIZES.values() if bare in types), default=None)
        if largest is None:
            raise GraphError(100, f"Param file must be of a supported type, {mime_type} is none")
        if not data or len(data) > largest:
            raise GraphError(131053, f"{len(data)} bytes of {mime_type}. Min 1, max {largest}")
        return self._keep(data, mime_type, UPLOAD_LIFE)

    def receive(self, data: bytes, mime_type: str) -> StoredMedia:
        """A person's, for seven days, of any type."""
        return self._keep(data, mime_type, RECEIVED_LIFE)

    def get(self, media_id: str) -> StoredMedia | None:
        """None when there is no such file, or not any more."""
        file = self._files.get(media_id)
        return file if file is not None and self.now() < file.expires_at else None

    def delete(self, media_id: str) -> bool:
        """Whether there was one."""
        return self._files.pop(media_id, None) is not None

    def check_sendable(self, kind: str, media_id: str) -> None:
        """Raises GraphError unless this file may go out as this kind of message."""
        file = self.get(media_id)
        if file is None:
            raise GraphError(131009, f"Media id {media_id} does not exist")
        if file.bare_type not in _SIZES[kind][1]:
            raise GraphError(131053, f"{file.mime_type} cannot be sent as {kind}")

    def described(self, file: StoredMedia, base_url: str) -> Json:
        """The answer of `GET /{media_id}`, with an address that lives five minutes."""
        return {
            "url": self.address(file, base_url),
            "mime_type": file.mime_type,
            "sha256": file.sha256,
            "file_size": len(file.data),
            "id": file.id,
            "messaging_product": "whatsapp",
        }

    def address(self, file: StoredMedia, base_url: str) -> str:
        """Where the file can be fetched with the bearer token, for five minutes from now."""
        until = int((self.now() + ADDRESS_LIFE).timestamp())
        return (
            f"{base_url.rstrip('/')}/whatsapp_business/attachments/?mid={file.id}&ext={until}&hash={_seal(file, until)}"
        )

    def fetch(self, media_id: str, until: str, seal: str) -> StoredMedia | None:
        """The file behind an address; None when the address is old, forged or its file gone."""
        file = self.get(media_id)
        if file is None or not until.isdecimal() or seal != _seal(file, int(until)):
            return None
        return file if self.now() < datetime.fromtimestamp(int(until), UTC) else None

    def _keep(self, data: bytes, mime_type: str, life: timedelta) -> StoredMedia:
        self._count += 1
        file = StoredMedia(str(1_480_000_000_000_000 + self._count), data, mime_type, self.now() + life)
        self._files[file.id] = file
        return file


def _seal(file: StoredMedia, until: int) -> str:
    return hashlib.sha256(f"{file.id} {until}".encode()).hexdigest()[:24]
