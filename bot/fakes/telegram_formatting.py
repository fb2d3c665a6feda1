"""Text as the Bot API reads it: HTML and MarkdownV2 into text and entities, offsets in UTF-16 units.

Stricter than the platform in one point: an `&` that begins no known reference is refused, where the platform
lets it stand. The old "Markdown" mode is refused: it is not for new bots (core.telegram.org/bots/api, November 2026).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from bot.fakes.telegram_wire import Json, bad

ENTITY_TYPES: Final = frozenset(
    [
        "mention",
        "hashtag",
        "cashtag",
        "bot_command",
        "url",
        "email",
        "phone_number",
        "bold",
        "italic",
        "underline",
        "strikethrough",
        "spoiler",
        "blockquote",
        "expandable_blockquote",
        "code",
        "pre",
        "text_link",
        "text_mention",
        "custom_emoji",
        "date_time",
    ]
)

HTML_TAGS: Final = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "a": "text_link",
}

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z-]*)((?:\s+[a-zA-Z-]+(?:=(?:\"[^\"]*\"|'[^']*'))?)*)\s*>")
_HREF = re.compile(r"href=(?:\"([^\"]*)\"|'([^']*)')")
_REFERENCE = re.compile(r"&(lt|gt|amp|quot|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});")
_NAMED: Final = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}

MARKDOWN_RESERVED: Final = frozenset("_*[]()~`>#+-=|{}.!")
MARKDOWN_MARKS: Final = {
    "__": "underline",
    "||": "spoiler",
    "```": "pre",
    "*": "bold",
    "_": "italic",
    "~": "strikethrough",
    "`": "code",
}
"""Longer marks first: `__` is not two `_`."""


@dataclass(frozen=True, slots=True)
class Styled:
    """Text after parsing, and what is marked in it."""

    text: str
    entities: tuple[Json, ...] = ()


def utf16_length(text: str) -> int:
    """How long Telegram counts a text: a character outside the basic plane (an emoji) counts two."""
    return len(text.encode("utf-16-le")) // 2


def styled(text: str, parse_mode: str, entities: Any) -> Styled:
    """What people see of a text. Refused when markup or entities are unsound. Ends are trimmed."""
    mode = parse_mode.lower()
    if mode == "html":
        return _trimmed(read_html(text))
    if mode == "markdownv2":
        return _trimmed(read_markdown(text))
    if mode:
        raise bad("unsupported parse_mode")
    return _trimmed(Styled(text, _checked_entities(text, entities)))


def read_html(text: str) -> Styled:
    """Text and entities of HTML markup."""
    out = _Writer()
    position = 0
    while position < len(text):
        if text[position] == "<":
            tag = _TAG.match(text, position)
            if tag is None:
                raise bad(f"can't parse entities: Unsupported start tag at byte offset {_bytes_before(text, position)}")
            _html_tag(out, tag)
            position = tag.end()
        elif text[position] == "&":
            reference = _REFERENCE.match(text, position)
            if reference is None:
                raise bad(f"can't parse entities: unescaped & at byte offset {_bytes_before(text, position)}")
            out.write(_character(reference[1]))
            position = reference.end()
        else:
            out.write(text[position])
            position += 1
    if out.open:
        raise bad(f"can't parse entities: Can't find end tag corresponding to start tag \"{out.open[-1].mark}\"")
    return out.done()


def read_markdown(text: str) -> Styled:
    """Text and entities of MarkdownV2."""
    out = _Writer()
    position = 0
    while position < len(text):
        position = _markdown_step(out, text, position)
    if out.open:
        raise bad(f"can't parse entities: Can't find end of the entity starting with {out.open[-1].mark}")
    return out.done()


@dataclass(slots=True)
class _Open:
    mark: str
    kind: str
    start: int
    url: str = ""


class _Writer:
    """Collects visible text and the spans over it."""

    def __init__(self) -> None:
        self.open: list[_Open] = []
        self._parts: list[str] = []
        self._length = 0
        self._entities: list[Json] = []

    def write(self, text: str) -> None:
        self._parts.append(text)
        self._length += utf16_length(text)

    def begin(self, mark: str, kind: str, url: str = "") -> None:
        self.open.append(_Open(mark, kind, self._length, url))

    def end(self) -> None:
        span = self.open.pop()
        if self._length == span.start:
            return
        entity: Json = {"type": span.kind, "offset": span.start, "length": self._length - span.start}
        if span.url:
            entity["url"] = span.url
        self._entities.append(entity)

    def done(self) -> Styled:
        ordered = sorted(self._entities, key=lambda entity: (entity["offset"], -entity["length"]))
        return Styled("".join(self._parts), tuple(ordered))


def _html_tag(out: _Writer, tag: re.Match[str]) -> None:
    closing, name, attributes = tag[1], tag[2].lower(), tag[3].strip()
    if name == "span":
        if not closing and attributes != 'class="tg-spoiler"':
            raise bad('can\'t parse entities: Tag "span" must have class "tg-spoiler"')
        kind = "spoiler"
    elif name in HTML_TAGS:
        kind = HTML_TAGS[name]
    else:
        raise bad(f'can\'t parse entities: Unsupported start tag "{name}"')
    if closing:
        if not out.open or out.open[-1].mark != name:
            raise bad(f'can\'t parse entities: Unmatched end tag "{name}"')
        out.end()
        return
    href = _HREF.search(attributes)
    if name == "a" and href is None:
        raise bad('can\'t parse entities: Tag "a" must have attribute "href"')
    if name == "blockquote" and attributes == "expandable":
        kind = "expandable_blockquote"
    out.begin(name, kind, (href[1] or href[2] or "") if href else "")


def _character(reference: str) -> str:
    if reference in _NAMED:
        return _NAMED[reference]
    code = int(reference[2:], 16) if reference.startswith("#x") else int(reference[1:])
    if not 0 < code < 0x110000 or 0xD800 <= code < 0xE000:
        raise bad("can't parse entities: invalid character reference")
    return chr(code)


def _markdown_step(out: _Writer, text: str, position: int) -> int:
    """Reads one character, escape or mark at `position`; the position after it."""
    letter = text[position]
    if letter == "\\" and position + 1 < len(text) and ord(text[position + 1]) < 127:
        out.write(text[position + 1])
        return position + 2
    inside_code = out.open and out.open[-1].kind in {"code", "pre"}
    mark = next((mark for mark in MARKDOWN_MARKS if text.startswith(mark, position)), None)
    if inside_code:
        if mark == out.open[-1].mark:
            out.end()
            return position + len(mark)
        out.write(letter)
        return position + 1
    if mark is not None:
        if out.open and out.open[-1].mark == mark:
            out.end()
        else:
            out.begin(mark, MARKDOWN_MARKS[mark])
        return position + len(mark)
    if letter == "[":
        out.begin("[", "text_link")
        return position + 1
    if letter == "]" and out.open and out.open[-1].mark == "[":
        return _markdown_link_end(out, text, position)
    if letter == ">" and (position == 0 or text[position - 1] == "\n"):
        return position + 1
    if letter in MARKDOWN_RESERVED:
        raise bad(f"can't parse entities: Character '{letter}' is reserved and must be escaped with the preceding '\\'")
    out.write(letter)
    return position + 1


def _markdown_link_end(out: _Writer, text: str, position: int) -> int:
    """Reads `](url)`. Without a `(` it is text in brackets, which the platform takes as it is."""
    if not text.startswith("(", position + 1):
        out.open.pop()
        return position + 1
    url, at = "", position + 2
    while at < len(text) and text[at] != ")":
        if text[at] == "\\" and at + 1 < len(text):
            at += 1
        url += text[at]
        at += 1
    if at >= len(text):
        raise bad(f"can't parse entities: Can't find end of a URL at byte offset {_bytes_before(text, position)}")
    out.open[-1].url = url
    out.end()
    return at + 1


def _checked_entities(text: str, entities: Any) -> tuple[Json, ...]:
    if entities is None:
        return ()
    if not isinstance(entities, list):
        raise bad("can't parse entities: entities must be an array")
    return tuple(_checked_entity(text, entity) for entity in entities)


def _checked_entity(text: str, entity: Any) -> Json:
    if not isinstance(entity, dict):
        raise bad("can't parse MessageEntity: expected an object")
    offset, length, kind = entity.get("offset"), entity.get("length"), entity.get("type")
    if not isinstance(offset, int) or not isinstance(length, int):
        raise bad("can't parse MessageEntity: offset and length must be numbers")
    if kind not in ENTITY_TYPES:
        raise bad("can't parse MessageEntity: Unsupported type specified")
    if offset < 0 or length <= 0:
        raise bad(f"receive an entity with incorrect offset {offset} or length {length}")
    size = utf16_length(text)
    if offset >= size:
        raise bad(f"entity begins after the end of the text at UTF-16 offset {offset}")
    if offset + length > size:
        end = offset + length
        raise bad(f"entity beginning at UTF-16 offset {offset} ends after the end of the text at UTF-16 offset {end}")
    units = text.encode("utf-16-le")
    for edge in (offset, offset + length):
        if edge < size and 0xDC <= units[2 * edge + 1] <= 0xDF:
            raise bad(f"entity at UTF-16 offset {offset} begins or ends in a middle of a UTF-16 symbol")
    if kind == "text_link" and not entity.get("url"):
        raise bad("can't parse MessageEntity: can't find field \"url\"")
    return dict(entity)


def _trimmed(given: Styled) -> Styled:
    """The platform drops white space at both ends; entities move with the text."""
    text = given.text.strip()
    if text == given.text:
        return given
    lead = utf16_length(given.text) - utf16_length(given.text.lstrip())
    size = utf16_length(text)
    entities = []
    for entity in given.entities:
        start = max(entity["offset"] - lead, 0)
        end = min(entity["offset"] + entity["length"] - lead, size)
        if end > start:
            entities.append({**entity, "offset": start, "length": end - start})
    return Styled(text, tuple(entities))


def _bytes_before(text: str, position: int) -> int:
    return len(text[:position].encode())
