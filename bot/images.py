"""Photos that people send: what they really are, made small and free of everything but the picture."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from typing import Literal, TypeAlias

from PIL import Image, ImageOps

MAX_PIXELS = 50_000_000
"""Largest picture we decode. Phones of 2025 take 50 megapixel photos; more is a mistake or an attack."""

MAX_SIDE = 1600
"""Longest side kept, in pixels: enough to read a receipt or an identity card."""

JPEG_QUALITY = 82

Problem: TypeAlias = Literal["too_big", "unreadable", "unsupported"]
Format: TypeAlias = Literal["JPEG", "PNG", "WEBP"]

# Pillow's decoders let these escape for damaged files, besides its own OSError family.
_DECODING_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    struct.error,
    zlib.error,
    MemoryError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture safe to keep: JPEG, upright, no side above `MAX_SIDE`, no metadata. Sizes in pixels."""

    data: bytes
    width: int
    height: int
    mime: str = "image/jpeg"


@dataclass(frozen=True, slots=True)
class Unusable:
    """A file that cannot be kept as a photo, and why; the words are those of `flows.model.Media.problem`."""

    problem: Problem


def sniff(data: bytes) -> Format | None:
    """The picture format by the first bytes, never by name; None for anything else."""
    if data[:3] == b"\xff\xd8\xff":
        return "JPEG"
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    return None


def read_photo(data: bytes, *, max_bytes: int, max_pixels: int = MAX_PIXELS) -> Photo | Unusable:
    """Decodes, turns upright, scales down and encodes again as JPEG, so that no metadata is left.

    CPU work of up to a second for a large photo: call it in a thread. Never raises for what is in `data`.
    """
    if len(data) > max_bytes:
        return Unusable("too_big")
    kind = sniff(data)
    if kind is None:
        return Unusable("unsupported")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=(kind,)) as picture:
                # The size stands in the header: refuse before a single pixel is decoded.
                if picture.width * picture.height > max_pixels:
                    return Unusable("too_big")
                return _encode(picture)
    except _DECODING_ERRORS as error:
        bomb = isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning)
        return Unusable("too_big" if bomb else "unreadable")


def _encode(picture: Image.Image) -> Photo:
    # draft() lets the JPEG decoder skip detail we drop anyway: a quarter of the time and memory.
    picture.draft("RGB", (MAX_SIDE, MAX_SIDE))
    picture.load()
    orientation = picture.getexif()
    upright = ImageOps.exif_transpose(picture) if orientation else picture
    upright.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    clean = _on_white(upright)
    out = io.BytesIO()
    clean.save(out, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return Photo(out.getvalue(), clean.width, clean.height)


def _on_white(picture: Image.Image) -> Image.Image:
    """A fresh RGB picture that shares no `info` with the original (comments and profiles live there)."""
    clean = Image.new("RGB", picture.size, "white")
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        clean.paste(layer, mask=layer.getchannel("A"))
    else:
        clean.paste(picture.convert("RGB"))
    return clean
