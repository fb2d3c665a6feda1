"""Files that people of a script send: those beside the script, and small valid ones made where there is none."""

from __future__ import annotations

import io
import mimetypes
import wave
from pathlib import Path
from typing import Final

from PIL import Image

from bot.attachments import Attachment
from bot.images import Photo, read_photo
from bot.replay.script import MediaKind, SendMedia
from flows.model import Media

_PICTURES: Final = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP"}
_SIZE: Final = (64, 48)
_SECOND_OF_SILENCE: Final = b"\0\0" * 8000


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
    """A small valid file: a plain picture, a second of silence, or a page with a picture."""
    out = io.BytesIO()
    if kind == "voice":
        with wave.open(out, "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(8000)
            sound.writeframes(_SECOND_OF_SILENCE)
        return out.getvalue()
    picture = Image.new("RGB", _SIZE, "lightgray")
    picture.save(out, "PDF" if kind == "document" and suffix not in _PICTURES else _PICTURES.get(suffix, "JPEG"))
    return out.getvalue()
