"""Files that people of a script send: those beside the script, and small valid ones made where there is none."""

from __future__ import annotations

import io
import mimetypes
import struct
from pathlib import Path
from typing import Final

from PIL import Image

from bot.attachments import Attachment
from bot.images import Photo, read_photo
from bot.replay.script import MediaKind, SendMedia
from flows.model import Media

_PICTURES: Final = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP"}
_SIZE: Final = (64, 48)


def attached(script: Path, sent: SendMedia, *, media: str, max_bytes: int) -> tuple[Media, tuple[Attachment, ...]]:
    """The content of a step that sends a file, and the file, read as the service reads what comes in.

    `media` is the id the file gets; a file that cannot be kept has none, and the content says why.
    """
    path, data = script.parent / sent.file, bytes_of(script, sent)
    mime, problem = mimetypes.guess_type(path.name)[0] or "application/octet-stream", ""
    if sent.kind == "photo":
        photo = read_photo(data, max_bytes=max_bytes)
        if isinstance(photo, Photo):
            mime, data = photo.mime, photo.data
        else:
            problem = photo.problem
    elif len(data) > max_bytes:
        problem = "too_big"
    if problem:
        return Media(sent.kind, "", sent.caption, problem), ()
    return Media(sent.kind, media, sent.caption), (Attachment(media, mime, data),)


def bytes_of(script: Path, sent: SendMedia) -> bytes:
    """The file that a step sends: the one beside the script, or a small valid one."""
    path = script.parent / sent.file
    return path.read_bytes() if path.is_file() else make(sent.kind, path.suffix.lower())


def make(kind: MediaKind, suffix: str) -> bytes:
    """A small valid file: a plain picture, a moment of silence, or a page with a picture."""
    if kind == "voice":
        return _voice_note()
    out = io.BytesIO()
    picture = Image.new("RGB", _SIZE, "lightgray")
    picture.save(out, "PDF" if kind == "document" and suffix not in _PICTURES else _PICTURES.get(suffix, "JPEG"))
    return out.getvalue()


def _voice_note() -> bytes:
    """Silence as phones record it: one Opus packet in an Ogg stream (RFC 7845)."""
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 0, 48_000, 0, 0)
    tags = b"OpusTags" + struct.pack("<I", 0) + struct.pack("<I", 0)
    silence = b"\xf8\xff\xfe"
    packets = ((2, 0, head), (0, 0, tags), (4, 960, silence))
    return b"".join(_ogg_page(kind, samples, page, packet) for page, (kind, samples, packet) in enumerate(packets))


def _ogg_page(kind: int, samples: int, number: int, packet: bytes) -> bytes:
    head = struct.pack("<4sBBqIII", b"OggS", 0, kind, samples, 1, number, 0) + bytes([1, len(packet)])
    page = bytearray(head + packet)
    page[22:26] = struct.pack("<I", _ogg_checksum(page))
    return bytes(page)


def _ogg_checksum(page: bytes | bytearray) -> int:
    """CRC-32 with the polynomial of RFC 3533, neither reflected nor inverted."""
    sum_ = 0
    for byte in page:
        sum_ ^= byte << 24
        for _ in range(8):
            sum_ = (sum_ << 1 ^ 0x04C11DB7 if sum_ & 0x80000000 else sum_ << 1) & 0xFFFFFFFF
    return sum_
