"""Reads an upload without ever writing it to disk: a photo of an identity card must not lie in a temporary file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

if TYPE_CHECKING:  # the library names it for type checkers alone
    from python_multipart.multipart import MultipartCallbacks

MAX_FIELD_BYTES = 8_000
"""Room for a caption of 2,000 characters, four bytes each at most."""

MAX_PARTS = 8


class BadUpload(Exception):
    """The body is not multipart form data as our page sends it."""


class UploadTooLong(Exception):
    """The body goes on far beyond what an unusable photo would need; reading stops."""


@dataclass(slots=True)
class Upload:
    """What an upload holds: named fields and at most one file. `too_big`: the file went past the limit."""

    fields: dict[str, str] = field(default_factory=dict)
    file: bytes | None = None
    too_big: bool = False


async def read_upload(chunks: AsyncIterator[bytes], content_type: str, *, max_file_bytes: int) -> Upload:
    """Reads the body to its end, keeping at most `max_file_bytes` of the file.

    A file past the limit is read on and dropped up to four times the limit, so that the person gets an
    answer instead of a broken connection. Raises BadUpload or UploadTooLong.
    """
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise BadUpload("not multipart/form-data")
    collector = _Collector(max_file_bytes)
    parser = MultipartParser(boundary, collector.callbacks())
    total = 0
    try:
        async for chunk in chunks:
            total += len(chunk)
            if total > 4 * max_file_bytes + MAX_FIELD_BYTES:
                raise UploadTooLong
            parser.write(chunk)
        parser.finalize()
    except MultipartParseError as error:
        raise BadUpload(str(error)) from error
    if not collector.ended:
        raise BadUpload("the body ends early")
    return collector.upload


class _Collector:
    """The parser's callbacks: gathers headers, then one part at a time."""

    def __init__(self, max_file_bytes: int) -> None:
        self.upload = Upload()
        self.ended = False
        self._max_file_bytes = max_file_bytes
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._name = ""
        self._is_file = False
        self._parts = 0
        self._data = bytearray()

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._part_begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value_data,
            "on_header_end": self._header_end,
            "on_part_data": self._part_data,
            "on_part_end": self._part_end,
            "on_end": self._end,
        }

    def _part_begin(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise BadUpload("too many parts")
        self._name, self._is_file = "", False
        self._data = bytearray()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _header_value_data(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _header_end(self) -> None:
        if bytes(self._header_name).lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self._header_value))
            self._name = options.get(b"name", b"").decode("utf-8", "replace")
            self._is_file = b"filename" in options
        self._header_name, self._header_value = bytearray(), bytearray()

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        room = (self._max_file_bytes if self._is_file else MAX_FIELD_BYTES) - len(self._data)
        if end - start > room:
            if not self._is_file:
                raise BadUpload("a field is too long")
            self.upload.too_big = True
        self._data += data[start : min(end, start + max(room, 0))]

    def _part_end(self) -> None:
        if self._is_file:
            self.upload.file = b"" if self.upload.too_big else bytes(self._data)
        else:
            self.upload.fields[self._name] = self._data.decode("utf-8", "replace")
        self._data = bytearray()

    def _end(self) -> None:
        self.ended = True
