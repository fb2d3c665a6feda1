"""Draws the pictures that messages name: big letters and strong contrast, for a cracked phone in the sun.

Drawn with the font that the picture library brings along. It has the Latin letters and no more: bullets and ticks are
drawn as shapes, and letters with marks lose them.
"""

from __future__ import annotations

import io
import re
import unicodedata
from functools import lru_cache
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from flows.pictures import ContributionTable, MembershipCard, Package, picture_named

WIDTH: Final = 1080
_MARGIN: Final = 64
_INNER: Final = WIDTH - 2 * _MARGIN
_TALLEST: Final = 2400
_COLOURS: Final = 32
_LEAST_SIZE: Final = 34
_LINE: Final = 1.3
"""Height of a line, in sizes of its letters."""

_INK: Final = "#0b1f33"
_PAPER: Final = "#ffffff"
_FAINT: Final = "#3d4f60"
_RULE: Final = "#c3ccd4"
_GREEN: Final = "#075e3b"
_RED: Final = "#8f1d14"

_BULLET: Final = "•"
_SHAPED: Final = re.compile(f"({_BULLET}+)")
_OTHER_SIGNS: Final = str.maketrans({"–": "-", "—": "-", "“": '"', "”": '"', "‘": "'", "’": "'", "×": "x"})


def picture_of(name_and_values: str) -> bytes:
    """The PNG for the text by which a message names its picture; the same text gives the same bytes.

    Work of about a tenth of a second: call it in a thread. Raises ValueError for a text that names no picture.
    """
    picture = picture_named(name_and_values)
    sheet = _Sheet()
    if isinstance(picture, ContributionTable):
        _draw_table(sheet, picture)
    else:
        _draw_card(sheet, picture)
    return sheet.png()


def _draw_table(sheet: _Sheet, table: ContributionTable) -> None:
    sheet.band(table.title, table.about, _INK)
    for package in table.packages:
        _draw_package(sheet, package)
    if table.note:
        sheet.space(8)
        sheet.words(table.note, 42, _INK)


def _draw_package(sheet: _Sheet, package: Package) -> None:
    sheet.space(12)
    sheet.pair(package.title, package.total, 64, _GREEN, bold=True)
    if package.usually:
        sheet.words(package.usually, 42, _FAINT, right=True)
    for label, amount in package.rows:
        sheet.pair(label, amount, 46, _INK)
    sheet.rule()


def _draw_card(sheet: _Sheet, card: MembershipCard) -> None:
    colour = _GREEN if card.active else _RED
    sheet.band(card.status, card.title, colour)
    sheet.space(12)
    sheet.words(card.name, 64, _INK, bold=True)
    sheet.rule()
    for cover in card.covers:
        sheet.listed(cover, 50, colour, ticked=card.active)
    sheet.rule()
    for label, value in card.lines:
        sheet.words(label, 42, _FAINT)
        sheet.words(value, 56, _INK, bold=True)
        sheet.space(12)
    sheet.rule()
    sheet.words(card.note, 42, _FAINT)


class _Sheet:
    """White paper that is written on from top to bottom; it is as tall as what stands on it."""

    def __init__(self) -> None:
        self._image = Image.new("RGB", (WIDTH, _TALLEST), _PAPER)
        self._draw = ImageDraw.Draw(self._image)
        self._y = 0

    def band(self, title: str, about: str, colour: str) -> None:
        """The head: white on colour, across the whole sheet."""
        size = _fitting_size(title, 88, _INNER, bold=True)
        height = 48 + int(size * _LINE) + int(46 * _LINE) + 36
        self._draw.rectangle((0, 0, WIDTH, height), fill=colour)
        self._y = 48
        self.words(title, size, _PAPER, bold=True)
        self.words(about, 46, _PAPER)
        self._y = height + 20

    def space(self, pixels: int) -> None:
        self._y += pixels

    def rule(self) -> None:
        """A thin line across."""
        self._draw.rectangle((_MARGIN, self._y + 14, WIDTH - _MARGIN, self._y + 17), fill=_RULE)
        self._y += 34

    def words(self, text: str, size: int, colour: str, *, bold: bool = False, right: bool = False) -> None:
        """A text over as many lines as it needs."""
        for line in _lines(text, size, _INNER, bold=bold):
            left = WIDTH - _MARGIN - _width(line, size, bold=bold) if right else _MARGIN
            self._write(line, left, size, colour, bold=bold)
            self._y += int(size * _LINE)

    def pair(self, label: str, value: str, size: int, colour: str, *, bold: bool = False) -> None:
        """A label on the left and its sum on the right; the label gives way where both have no room."""
        value = _drawable(value)
        value_width = _width(value, size, bold=bold)
        room = int(_INNER - value_width - 32)
        label_size = _fitting_size(_drawable(label), size, room, bold=bold)
        self._write(value, WIDTH - _MARGIN - value_width, size, colour, bold=bold)
        for line in _lines(label, label_size, room, bold=bold):
            self._write(line, _MARGIN, label_size, colour, bold=bold, line_of=size)
            self._y += int(size * _LINE)

    def listed(self, text: str, size: int, colour: str, *, ticked: bool) -> None:
        """A line with a tick before it, or with a dot."""
        middle = self._y + int(size * _LINE / 2)
        if ticked:
            points = [(_MARGIN + 2, middle), (_MARGIN + 20, middle + 18), (_MARGIN + 52, middle - 20)]
            self._draw.line(points, fill=colour, width=11, joint="curve")
        else:
            self._draw.ellipse((_MARGIN + 18, middle - 9, _MARGIN + 36, middle + 9), fill=_FAINT)
        for line in _lines(text, size, _INNER - 84, bold=False):
            self._write(line, _MARGIN + 84, size, _INK)
            self._y += int(size * _LINE)

    def png(self) -> bytes:
        """The sheet, cut off below what stands on it."""
        sheet = self._image.crop((0, 0, WIDTH, min(self._y + 36, _TALLEST)))
        out = io.BytesIO()
        sheet.quantize(_COLOURS, Image.Quantize.FASTOCTREE).save(out, "PNG")
        return out.getvalue()

    def _write(
        self, line: str, left: float, size: int, colour: str, *, bold: bool = False, line_of: int | None = None
    ) -> None:
        middle = self._y + (line_of or size) * _LINE / 2
        for part in _SHAPED.split(line):
            if part.startswith(_BULLET):
                self._dots(len(part), left, middle, size, colour)
            else:
                self._draw.text(
                    (left, middle), part, fill=colour, font=_font(size), anchor="lm", stroke_width=int(bold)
                )
            left += _width(part, size, bold=bold)

    def _dots(self, count: int, left: float, middle: float, size: int, colour: str) -> None:
        radius = size * 0.15
        for place in range(count):
            centre = left + (place + 0.5) * _dot_width(size)
            self._draw.ellipse((centre - radius, middle - radius, centre + radius, middle + radius), fill=colour)


@lru_cache(maxsize=32)
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont), "Pillow is built with FreeType"
    return font


def _dot_width(size: int) -> float:
    return size * 0.42


def _width(text: str, size: int, *, bold: bool) -> float:
    """Pixels that a line takes."""
    dots = text.count(_BULLET)
    return _font(size).getlength(text.replace(_BULLET, "")) + 2 * int(bold) + dots * _dot_width(size)


def _fitting_size(text: str, size: int, room: int, *, bold: bool) -> int:
    """The size at which the text stands on one line, no smaller than can be read in the sun."""
    while size > _LEAST_SIZE and _width(text, size, bold=bold) > room:
        size -= 2
    return size


def _lines(text: str, size: int, room: int, *, bold: bool) -> list[str]:
    """The text in drawable lines that fit, broken between words; a word too long for a line is broken too."""
    return [line for part in text.splitlines() for line in _wrapped(_drawable(part), size, room, bold=bold)]


def _wrapped(text: str, size: int, room: int, *, bold: bool) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if _width(longer, size, bold=bold) <= room:
            lines[-1] = longer
            continue
        if lines[-1]:
            lines.append("")
        for letter in word:
            if lines[-1] and _width(lines[-1] + letter, size, bold=bold) > room:
                lines.append("")
            lines[-1] += letter
    return lines


def _drawable(text: str) -> str:
    """The text in the letters that the font has."""
    plain = unicodedata.normalize("NFKD", text.translate(_OTHER_SIGNS))
    return "".join(sign for sign in plain if sign.isascii() or sign in f"{_BULLET}…·")
