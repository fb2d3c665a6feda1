"""Reading uploads: fields, one file, and bodies that are not what they should be."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.web.multipart import BadUpload, UploadTooLong, read_upload

TYPE = "multipart/form-data; boundary=line"


def body(*parts: tuple[str, str | None, bytes]) -> bytes:
    out = b""
    for name, filename, data in parts:
        file = f'; filename="{filename}"' if filename else ""
        out += f'--line\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + data + b"\r\n"
    return out + b"--line--\r\n"


async def in_chunks(data: bytes, size: int = 7) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


@pytest.mark.asyncio
@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
async def test_reads_fields_and_file_in_any_cut(size: int) -> None:
    """However the network cuts the body, the same comes out; names in Indonesian keep their letters."""
    data = body(("id", None, b"abc"), ("caption", None, "kuitansi – é".encode()), ("photo", "x.jpg", b"\r\n\x00--lin"))
    upload = await read_upload(in_chunks(data, size), TYPE, max_file_bytes=100)
    assert upload.fields == {"id": "abc", "caption": "kuitansi – é"}
    assert upload.file == b"\r\n\x00--lin"
    assert not upload.too_big


@pytest.mark.asyncio
async def test_a_file_past_the_limit_is_dropped_but_read_to_its_end() -> None:
    """The fields around a photo that is too big still arrive, so that the person can be answered."""
    data = body(("photo", "x.jpg", bytes(300)), ("id", None, b"abc"))
    upload = await read_upload(in_chunks(data), TYPE, max_file_bytes=100)
    assert upload.too_big
    assert upload.file == b""
    assert upload.fields == {"id": "abc"}


@pytest.mark.asyncio
async def test_an_endless_body_is_cut() -> None:
    """A body far beyond the limit is not read on."""
    with pytest.raises(UploadTooLong):
        await read_upload(in_chunks(body(("photo", "x", bytes(50_000))), 1000), TYPE, max_file_bytes=1000)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", TYPE),
        (body(("id", None, b"abc"))[:-6], TYPE),
        (b"hello", TYPE),
        (body(("id", None, b"abc")), "multipart/form-data"),
        (body(("id", None, b"abc")), "text/plain; boundary=line"),
        (body(("id", None, bytes(9000))), TYPE),
        (body(*[("id", None, b"a")] * 20), TYPE),
    ],
    ids=["empty", "cut", "junk", "no boundary", "other type", "long field", "many parts"],
)
async def test_bad_bodies_are_told_apart(data: bytes, kind: str) -> None:
    """What is not an upload of our page raises BadUpload and nothing else."""
    with pytest.raises(BadUpload):
        await read_upload(in_chunks(data), kind, max_file_bytes=1000)
