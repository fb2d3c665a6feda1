"""Fetched files: whether they came whole, and what they are by their bytes."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bot.channels.base import Fetched, FetchError
from bot.channels.media import Kind, examined, kind_of, require_whole

MANY = 1_000_000


def picture(kind: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (30, 20), "navy").save(out, kind)
    return out.getvalue()


def mp4(*handlers: bytes) -> bytes:
    """The beginning of an MP4 container with one track for each handler."""
    tracks = b"".join(b"\x00\x00\x00\x21hdlr" + bytes(8) + handler + bytes(13) for handler in handlers)
    return b"\x00\x00\x00\x18ftypmp42" + bytes(12) + tracks


OGG = b"OggS\x00\x02" + bytes(20) + b"\x01\x13OpusHead\x01\x01" + bytes(40)
SOUNDS = {
    "ogg": (OGG, "audio/ogg"),
    "mp3 with tags": (b"ID3\x04" + bytes(40), "audio/mpeg"),
    "mp3 bare": (b"\xff\xfb\x90\x64" + bytes(40), "audio/mpeg"),
    "mp3 at half rate": (b"\xff\xf3\x90\x64" + bytes(40), "audio/mpeg"),
    "aac": (b"\xff\xf1\x50\x80" + bytes(40), "audio/aac"),
    "aac of MPEG-2": (b"\xff\xf9\x50\x80" + bytes(40), "audio/aac"),
    "amr": (b"#!AMR\n" + bytes(40), "audio/amr"),
    "amr wide": (b"#!AMR-WB\n" + bytes(40), "audio/amr"),
    "m4a": (mp4(b"soun"), "audio/mp4"),
}
OTHERS = {
    "empty": b"",
    "film": mp4(b"vide", b"soun"),
    "mp4 without tracks": mp4(),
    "film in ogg": b"OggS\x00\x02" + bytes(20) + b"\x01\x2a\x80theora",
    "web page": b"<html>%PDF-1.7</html>",
    "program": b"\x7fELF" + bytes(60),
    "zip": b"PK\x03\x04" + bytes(60),
    "one byte of a sync word": b"\xff",
    "words": b"foto.jpg",
}


def kept(data: bytes, kind: Kind, max_bytes: int = MANY) -> Fetched:
    return asyncio.run(examined(data, kind, max_bytes=max_bytes))


@pytest.mark.parametrize(("data", "mime"), SOUNDS.values(), ids=SOUNDS)
def test_a_voice_note_is_kept_as_it_is(data: bytes, mime: str) -> None:
    """Every form of sound that the platforms send is known by its first bytes."""
    assert kept(data, "voice") == Fetched(data, mime)


@pytest.mark.parametrize("data", OTHERS.values(), ids=OTHERS)
def test_what_we_do_not_know_has_no_kind(data: bytes) -> None:
    """Films, programs and words are nothing that we keep, whatever they were sent as."""
    assert kind_of(data) == ""
    for kind in ("photo", "voice", "document"):
        assert kept(data, kind).problem == ("unsupported" if data else "unreadable")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("kind", ["photo", "document"])
def test_a_picture_is_kept_as_a_clean_photo(form: str, kind: Kind) -> None:
    """Also when it was sent as a document; what is kept is JPEG, encoded anew."""
    fetched = kept(picture(form), kind)
    assert (fetched.mime, fetched.problem) == ("image/jpeg", "")
    assert Image.open(io.BytesIO(fetched.data)).size == (30, 20)


def test_a_pdf_is_a_document_only() -> None:
    """A PDF is kept as a document, byte for byte; as a photo or a voice note it is not what was said."""
    data = b"\xef\xbb\xbf%PDF-1.7 and so on"
    assert kept(data, "document") == Fetched(data, "application/pdf")
    assert kept(data, "photo").problem == kept(data, "voice").problem == "unsupported"


@pytest.mark.parametrize(("data", "kind"), [(OGG, "photo"), (OGG, "document"), (picture("PNG"), "voice")])
def test_a_file_must_be_of_the_kind_it_came_as(data: bytes, kind: Kind) -> None:
    """Sound is no document and a picture no voice note."""
    assert kept(data, kind) == Fetched(problem="unsupported")


def test_limits_and_damage_are_told_apart() -> None:
    """One byte too many is too big; a picture cut in the middle is unreadable."""
    data = picture("PNG")
    assert kept(data, "photo", len(data)).problem == ""
    assert kept(data, "photo", len(data) - 1) == Fetched(problem="too_big")
    assert kept(OGG, "voice", len(OGG) - 1) == Fetched(problem="too_big")
    assert kept(data[:40], "photo") == Fetched(problem="unreadable")


@given(st.binary(max_size=200), st.sampled_from(["photo", "voice", "document"]))
def test_no_bytes_are_too_strange(data: bytes, kind: Kind) -> None:
    """Any bytes are either kept or refused by one of three words."""
    fetched = kept(data, kind)
    assert (fetched.problem in ("too_big", "unreadable", "unsupported")) == (fetched.data == b"")


def test_announced_size_and_hash_must_be_those_of_the_bytes() -> None:
    """A file that was cut or exchanged on its way is fetched again, never kept; both ways to write a hash are read."""
    data = b"some bytes"
    digest = hashlib.sha256(data)
    require_whole(data)
    for sha256 in (digest.hexdigest(), digest.hexdigest().upper(), base64.b64encode(digest.digest()).decode()):
        require_whole(data, size=len(data), sha256=sha256)
        with pytest.raises(FetchError):
            require_whole(data + b".", sha256=sha256)
    with pytest.raises(FetchError):
        require_whole(data, size=len(data) + 1)
    for junk in ("not a hash", "é", "00" * 32):
        with pytest.raises(FetchError):
            require_whole(data, sha256=junk)
