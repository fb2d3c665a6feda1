"""The terminal as a channel: how a message looks on it, and what a typed line means."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.attachments import Attachment
from flows.model import Choice, Content, Location, Media, Sticker, Text
from storage.outbox import Button, Rendered

NAME: Final = "terminal"

COMMANDS: Final = "/tombol NOMOR, /foto BERKAS [keterangan], /lokasi LINTANG,BUJUR, /stiker"
"""What can be sent besides words."""


@dataclass(frozen=True, slots=True)
class Line:
    """One typed line as a message, with the file it brings, if any."""

    content: Content
    files: tuple[Attachment, ...] = ()


class BadLine(ValueError):
    """A command of the terminal that cannot be followed; the message says why."""


def shown(message: Rendered) -> str:
    """The message as text: its words, then its options by number; a staff member's words under their name."""
    text = message.text if message.author == "bot" else f"{message.author}: {message.text}"
    options = (f"{number}. {button.title}" for number, button in enumerate(message.options, 1))
    return "\n".join([text, *options])


def line_of(line: str, buttons: Sequence[Button], new_id: Callable[[], str], *, max_bytes: int) -> Line:
    """What a typed line means, given the buttons on the screen. Raises BadLine."""
    command, _, rest = line.strip().partition(" ")
    match command:
        case "/tombol":
            return Line(_pressed(rest, buttons))
        case "/foto":
            return _photo(rest, new_id(), max_bytes)
        case "/lokasi":
            return Line(_place(rest))
        case "/stiker":
            return Line(Sticker(rest))
        case _:
            return Line(Text(line))


def _pressed(number: str, buttons: Sequence[Button]) -> Choice:
    if not number.strip().isdecimal() or not 1 <= int(number) <= len(buttons):
        raise BadLine(f"/tombol: 1 sampai {len(buttons)}" if buttons else "/tombol: tidak ada tombol")
    button = buttons[int(number) - 1]
    return Choice(button.payload, button.title)


def _photo(rest: str, media_id: str, max_bytes: int) -> Line:
    from bot.images import Photo, read_photo  # the picture library is loaded by those who send a picture

    name, _, caption = rest.strip().partition(" ")
    try:
        data = Path(name).expanduser().read_bytes()
    except OSError:
        raise BadLine(f"/foto: berkas tidak bisa dibaca: {name}") from None
    kind = mimetypes.guess_type(name)[0] or ""
    if kind and not kind.startswith("image/"):
        return Line(Media("document", "", caption, problem="unsupported"))
    photo = read_photo(data, max_bytes=max_bytes)
    if not isinstance(photo, Photo):
        return Line(Media("photo", "", caption, problem=photo.problem))
    return Line(Media("photo", media_id, caption), (Attachment(media_id, photo.mime, photo.data),))


def _place(rest: str) -> Location:
    latitude, _, longitude = rest.partition(",")
    try:
        return Location(float(latitude), float(longitude))
    except ValueError:
        raise BadLine("/lokasi: contoh -6.2,106.8") from None
