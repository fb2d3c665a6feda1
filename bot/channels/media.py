"""Files fetched from a platform: whether they came whole, what they really are, and in what form they are kept."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import re
from typing import Final, Literal, TypeAlias

from bot.channels.base import Fetched, FetchError

Kind: TypeAlias = Literal["photo", "voice", "document"]

PDF: Final = "application/pdf"

# In an MP4 container each track names its handler 8 bytes into its 'hdlr' box (ISO 14496-12, 8.4.3).
_SOUND_TRACK: Final = re.compile(rb"hdlr.{8}soun", re.DOTALL)
_PICTURE_TRACK: Final = re.compile(rb"hdlr.{8}vide", re.DOTALL)

OGG_HEAD_BYTES: Final = 4096
"""Every stream of an Ogg file introduces itself at its beginning."""

_BEFORE_PDF: Final = b"\xef\xbb\xbf \t\r\n"
"""What some programs put before the signature of a PDF."""


def kind_of(data: bytes) -> str:
    """The MIME type by the bytes, never by a name or what somebody says; '' for anything that is not kept.

    Known: JPEG, PNG, WebP; PDF; sound as OGG, MP3, M4A, AAC and AMR.
    """
    from bot.images import sniff  # the picture library is loaded by those who fetch a file

    picture = sniff(data)
    if picture is not None:
        return f"image/{picture.lower()}"
    return PDF if data[:64].lstrip(_BEFORE_PDF).startswith(b"%PDF-") else _sound(data)


def require_whole(data: bytes, *, size: int | None = None, sha256: str = "") -> None:
    """Raises FetchError when these are not the bytes that were announced.

    `sha256` in hexadecimal or base64, as platforms write it now one way, now the other; '' and None: not announced.
    """
    if size is not None and len(data) != size:
        raise FetchError(f"{len(data)} bytes came where {size} were announced")
    if sha256 and not hmac.compare_digest(hashlib.sha256(data).digest(), _digest(sha256)):
        raise FetchError("the bytes do not have the announced hash")


async def examined(data: bytes, kind: Kind, *, max_bytes: int) -> Fetched:
    """A whole file as it is kept: a picture made small and clean, sound and PDF as they are.

    `kind` is what it was sent as; a picture sent as a document is kept as one, told by the mime `image/jpeg`.
    Otherwise `problem` says why not: too_big, unreadable (empty or damaged), unsupported.
    """
    if len(data) > max_bytes:
        return Fetched(problem="too_big")
    if not data:
        return Fetched(problem="unreadable")
    mime = kind_of(data)
    if mime.startswith("image/") and kind in ("photo", "document"):
        return await asyncio.to_thread(_photo, data, max_bytes)
    if (mime.startswith("audio/") and kind == "voice") or (mime == PDF and kind == "document"):
        return Fetched(data, mime)
    return Fetched(problem="unsupported")


def _photo(data: bytes, max_bytes: int) -> Fetched:
    from bot.images import Photo, read_photo

    photo = read_photo(data, max_bytes=max_bytes)
    return Fetched(photo.data, photo.mime) if isinstance(photo, Photo) else Fetched(problem=photo.problem)


def _sound(data: bytes) -> str:
    if data[:4] == b"OggS":
        return "" if b"theora" in data[:OGG_HEAD_BYTES] else "audio/ogg"
    if data[:6] == b"#!AMR\n" or data[:9] == b"#!AMR-WB\n":
        return "audio/amr"
    if data[4:8] == b"ftyp":
        return "audio/mp4" if _SOUND_TRACK.search(data) and not _PICTURE_TRACK.search(data) else ""
    if data[:3] == b"ID3":
        return "audio/mpeg"
    return _bare_frames(data[:2])


def _bare_frames(head: bytes) -> str:
    """MP3 or AAC without a container: both begin with a sync word, and the two bits of the layer tell them apart."""
    if len(head) < 2 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return ""
    layer = head[1] >> 1 & 0b11
    if layer == 0:
        return "audio/aac" if head[1] & 0xF0 == 0xF0 else ""
    return "audio/mpeg" if layer == 1 else ""


def _digest(sha256: str) -> bytes:
    """The digest itself; what is neither form equals no digest."""
    try:
        return bytes.fromhex(sha256) if len(sha256) == 64 else base64.b64decode(sha256, validate=True)
    except (ValueError, binascii.Error):
        return b""
