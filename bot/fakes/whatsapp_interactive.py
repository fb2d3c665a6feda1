"""Checks of interactive messages. Limits: Meta's OpenAPI file v23.0 and its page on lists, read in copies of 2026."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from bot.fakes.whatsapp_errors import GraphError
from bot.fakes.whatsapp_fields import a_link, a_string, an_object, objects, only, optional_string, unique
from bot.fakes.whatsapp_records import Json, Tap

MAX_BODY: Final = 1024
MAX_HEADER: Final = 60
MAX_FOOTER: Final = 60
MAX_BUTTONS: Final = 3
MAX_BUTTON_TITLE: Final = 20
MAX_BUTTON_ID: Final = 256
MAX_SECTIONS: Final = 10
MAX_ROWS: Final = 10
"""In all sections together."""
MAX_SECTION_TITLE: Final = 24
MAX_ROW_TITLE: Final = 24
MAX_ROW_TEXT: Final = 72
MAX_ROW_ID: Final = 200
MAX_OPEN_BUTTON: Final = 20
MAX_LINK_TITLE: Final = 20
WHERE: Final = "interactive"


def check_interactive(part: Json) -> tuple[Tap, ...]:
    """What can be pressed. Raises GraphError; flows, products and the like are not sold here and refused."""
    kind = a_string(part, "type", WHERE, most=40)
    action = _ACTIONS.get(kind)
    if action is None:
        raise GraphError(131009, f"interactive['type'] {kind} is unknown")
    around = ("header", "footer") if kind in _HEADERS else ()
    only(part, ("type", "body", "action", *around), WHERE)
    body = an_object(part, "body", WHERE)
    only(body, ("text",), "body")
    a_string(body, "text", "body", most=MAX_BODY)
    if "header" in part:
        _check_header(an_object(part, "header", WHERE), allowed=_HEADERS[kind])
    if "footer" in part:
        footer = an_object(part, "footer", WHERE)
        only(footer, ("text",), "footer")
        a_string(footer, "text", "footer", most=MAX_FOOTER)
    return action(an_object(part, "action", WHERE))


def shown_text(part: Json) -> str:
    """Header, body and footer of a checked part, one a line."""
    pieces = (part.get(name, {}).get("text", "") for name in ("header", "body", "footer"))
    return "\n".join(piece for piece in pieces if piece)


def _check_header(header: Json, *, allowed: tuple[str, ...]) -> None:
    kind = a_string(header, "type", "header", most=20)
    if kind not in allowed:
        raise GraphError(131009, f"header['type'] {kind} is not allowed here")
    only(header, ("type", kind), "header")
    if kind == "text":
        a_string(header, "text", "header", most=MAX_HEADER)
        return
    media = an_object(header, kind, "header")
    only(media, ("id", "link", "filename"), f"header['{kind}']")
    if ("id" in media) == ("link" in media):
        raise GraphError(131009, f"header['{kind}'] needs either id or link")


def _buttons(action: Json) -> tuple[Tap, ...]:
    only(action, ("buttons",), "action")
    taps = []
    for button in objects(action, "buttons", "action", most=MAX_BUTTONS):
        only(button, ("type", "reply"), "buttons")
        if button.get("type") != "reply":
            raise GraphError(131009, "buttons['type'] must be reply")
        reply = an_object(button, "reply", "buttons")
        only(reply, ("id", "title"), "reply")
        title = a_string(reply, "title", "reply", most=MAX_BUTTON_TITLE, trimmed=True)
        taps.append(Tap(title, a_string(reply, "id", "reply", most=MAX_BUTTON_ID, trimmed=True), "button"))
    unique([tap.title for tap in taps], "button titles")
    unique([tap.payload for tap in taps], "button ids")
    return tuple(taps)


def _rows(action: Json) -> tuple[Tap, ...]:
    only(action, ("button", "sections"), "action")
    a_string(action, "button", "action", most=MAX_OPEN_BUTTON)
    sections = objects(action, "sections", "action", most=MAX_SECTIONS)
    taps: list[Tap] = []
    for section in sections:
        only(section, ("title", "rows"), "sections")
        if len(sections) > 1 or section.get("title"):
            a_string(section, "title", "sections", most=MAX_SECTION_TITLE)
        taps += [_row(row) for row in objects(section, "rows", "sections", most=MAX_ROWS)]
    if len(taps) > MAX_ROWS:
        raise GraphError(131009, f"Total row count exceeds {MAX_ROWS}")
    unique([tap.payload for tap in taps], "row ids")
    return tuple(taps)


def _row(row: Json) -> Tap:
    only(row, ("id", "title", "description"), "rows")
    title = a_string(row, "title", "rows", most=MAX_ROW_TITLE)
    payload = a_string(row, "id", "rows", most=MAX_ROW_ID)
    return Tap(title, payload, "row", optional_string(row, "description", "rows", most=MAX_ROW_TEXT))


def _link(action: Json) -> tuple[Tap, ...]:
    only(action, ("name", "parameters"), "action")
    _named(action, "cta_url")
    parameters = an_object(action, "parameters", "action")
    only(parameters, ("display_text", "url"), "parameters")
    title = a_string(parameters, "display_text", "parameters", most=MAX_LINK_TITLE)
    return (Tap(title, a_link(parameters, "url", "parameters"), "link"),)


def _place(action: Json) -> tuple[Tap, ...]:
    only(action, ("name",), "action")
    _named(action, "send_location")
    return (Tap("", "", "location"),)


def _number(action: Json) -> tuple[Tap, ...]:
    only(action, ("name",), "action")
    _named(action, "request_contact_info")
    return (Tap("", "", "contact"),)


def _named(action: Json, name: str) -> None:
    if action.get("name") != name:
        raise GraphError(131009, f"action['name'] must be {name}")


_HEADERS: Final[dict[str, tuple[str, ...]]] = {
    "button": ("text", "image", "video", "document"),
    "list": ("text",),
    "cta_url": ("text", "image", "video", "document"),
}
"""Kinds that may have a header and a footer, and what the header may be."""

_ACTIONS: Final[dict[str, Callable[[Json], tuple[Tap, ...]]]] = {
    "button": _buttons,
    "list": _rows,
    "cta_url": _link,
    "location_request_message": _place,
    "request_contact_info": _number,
}
