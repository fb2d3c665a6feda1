"""Fitting replies into a platform: what was said in one go becomes as few messages as its limits allow.

Every message that comes out is one message of the platform, so that a try to send it either happened or did not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from bot.channels.base import Traits
from flows.copybook import CopyBook
from storage.outbox import Button, Part, Rendered

BOT: Final = "bot"
_ENDS: Final = (re.compile(r"\n\n+"), re.compile(r"\n"), re.compile(r"(?<=[.!?])\s+"), re.compile(r"\s+"))
"""Where a text may be cut, the best place first: between paragraphs, lines, sentences, words."""


def length(text: str) -> int:
    """Characters as the platforms count them: UTF-16 units, so that an emoji is two."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def fitted(messages: Sequence[Rendered], traits: Traits, copy: CopyBook) -> tuple[Rendered, ...]:
    """These replies as messages of the platform, in order; nothing that was said is lost."""
    named = [_with_author(message, copy) if traits.names_staff else message for message in messages]
    shown = [_with_options(message, traits, copy) for message in named]
    joined = _joined(shown, traits) if traits.merges else shown
    return tuple(piece for message in joined for piece in _cut(message, traits))


def limit_of(message: Rendered, traits: Traits) -> int:
    """How long the text of this message may be."""
    if message.picture and traits.max_caption:
        return traits.max_caption
    asks = message.shown_as != "text" and (message.options or message.wants)
    return traits.max_chars_asking if asks else traits.max_chars


def said_in(message: Rendered) -> tuple[Part, ...]:
    """The replies that a message holds, as they were said."""
    return message.parts or (Part(message.key, message.text),)


# ── who says it ──────────────────────────────────────────────────────────────────────────────────


def _with_author(message: Rendered, copy: CopyBook) -> Rendered:
    if message.author == BOT:
        return message
    name = copy.label("label/staff_says", name=message.author)
    return _replaced(message, text=f"{name}\n{message.text}")


# ── options ──────────────────────────────────────────────────────────────────────────────────────


def _with_options(message: Rendered, traits: Traits, copy: CopyBook) -> Rendered:
    """Options as buttons, as a list, as pages of a list, or as lines of the text, whichever is the first that fits."""
    count = len(message.options)
    if count <= traits.max_buttons:
        return message
    if not traits.max_rows:
        return _as_lines(message)
    if count <= traits.max_rows:
        return _replaced(message, shown_as="list")
    *before, last = said_in(message)
    whole = msgspec.structs.replace(last, options=message.options)
    page = _page(message, traits.max_rows, copy)
    return _replaced(message, options=page, shown_as="list", parts=(*before, whole))


def numbered_title(button: Button, numbered: bool) -> str:
    """A title with the number by which it can be answered: that of the option, also on a later page.

    None where there is nothing to count, and none before a title that is a number itself: "1. 3 bulan" would have two.
    """
    place = button.payload.partition(".")[2].partition(".")[0]
    if not numbered or not place.isdecimal() or button.title[:1].isdigit():
        return button.title
    return f"{int(place) + 1}. {button.title}"


def _as_lines(message: Rendered) -> Rendered:
    lines = (numbered_title(button, numbered=True) for button in message.options)
    return _replaced(message, text="\n".join([message.text, *lines]), shown_as="text")


def _page(message: Rendered, max_rows: int, copy: CopyBook) -> tuple[Button, ...]:
    """The options of one page, and a last row that leads to the next one, or from the last page to the first."""
    size = max_rows - 1
    pages = -(-len(message.options) // size)
    page = message.page % pages
    rows = message.options[page * size : (page + 1) * size]
    question = message.options[0].payload.partition(".")[0]
    return (*rows, Button(copy.label("label/more_options"), f"{question}.more{(page + 1) % pages}"))


# ── several into one ─────────────────────────────────────────────────────────────────────────────


def _joined(messages: Sequence[Rendered], traits: Traits) -> list[Rendered]:
    """What is said before a message goes into it, as far as there is room."""
    joined: list[Rendered] = []
    for message in messages:
        if joined and (both := _together(joined[-1], message, traits)):
            joined[-1] = both
        else:
            joined.append(message)
    return joined


def _together(first: Rendered, second: Rendered, traits: Traits) -> Rendered | None:
    """Both as one message; None where the first has something to press or to see, or where it grows too long."""
    plain = not (first.options or first.wants or first.picture or first.delete or first.link)
    if not plain or second.picture or second.delete or first.author != second.author:
        return None
    both = _replaced(second, text=f"{first.text}\n\n{second.text}", parts=(*said_in(first), *said_in(second)))
    return both if length(both.text) <= limit_of(both, traits) else None


# ── one into several ─────────────────────────────────────────────────────────────────────────────


def _cut(message: Rendered, traits: Traits) -> Iterator[Rendered]:
    """The message in pieces that fit; the last one carries what there is to press, the first the picture."""
    if length(message.text) <= limit_of(message, traits):
        yield message
        return
    *before, last = _pieces(message, traits)
    for place, text in enumerate(before):
        picture = message.picture if place == 0 else ""
        yield Rendered(message.key, text, author=message.author, picture=picture, parts=(Part("", text),))
    yield _replaced(message, text=last, picture="", parts=said_in(message))


def _pieces(message: Rendered, traits: Traits) -> list[str]:
    """The text cut so that the last piece has room for what there is to press: at best the question on its own."""
    room = limit_of(msgspec.structs.replace(message, picture=""), traits)
    free = traits.max_caption if message.picture and traits.max_caption else traits.max_chars
    head, _, question = message.text.rpartition("\n")
    if head and length(question) <= room and room < traits.max_chars:
        return [*pieces_of(head, free), question]
    return list(pieces_of(message.text, min(room, free)))


def pieces_of(text: str, limit: int) -> Iterator[str]:
    """The text in pieces of at most `limit` units, cut at the best place there is; a word is cut only when it must."""
    rest = text.strip()
    while length(rest) > limit:
        place = next((found for end in _ENDS if (found := _last_end(rest, end, limit))), 0) or _hard_end(rest, limit)
        yield rest[:place].rstrip()
        rest = rest[place:].lstrip()
    if rest:
        yield rest


def _last_end(text: str, end: re.Pattern[str], limit: int) -> int:
    """The last such place within the first `limit` units; 0 when it would leave less than a third of them."""
    place = 0
    for match in end.finditer(text):
        if length(text[: match.start()]) > limit:
            break
        place = match.end()
    return place if length(text[:place]) * 3 >= limit else 0


def _hard_end(text: str, limit: int) -> int:
    place = limit
    while length(text[:place]) > limit:
        place -= 1
    return max(place, 1)


def _replaced(message: Rendered, **changes: object) -> Rendered:
    """The message with changes; what was said stays known."""
    changes.setdefault("parts", said_in(message))
    return msgspec.structs.replace(message, **changes)
