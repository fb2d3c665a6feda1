"""A fitted reply as a message of the Cloud API. Pure.

Limits (Meta's OpenAPI file v23.0 and its page on lists): three reply buttons with titles of 20, ten list rows with
titles of 24. What comes in here keeps to them: `bot.fitting` saw to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from bot.fitting import numbered_title
from storage.outbox import Button, Rendered

MAX_ROW_TITLE: Final = 24
MAX_TEMPLATE_WORDS: Final = 900
"""Characters of ours in a template: its body holds 1024 with its own words (channels.md 2.4)."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """What `type` says and what stands under that name."""

    kind: str
    part: Json


def takes_picture(body: Rendered) -> bool:
    """Whether a picture goes with this reply. A list cannot carry one: its text says the same."""
    return bool(body.picture) and not (body.options and body.shown_as == "list")


def message_of(body: Rendered, *, open_list: str, knows_phone: bool, image: str = "") -> Message:
    """The message for this reply.

    `open_list` is on the button that opens a list; `image` is the platform's name of the picture, once it is there.
    What can be pressed goes before a request to share.
    """
    if body.options and body.shown_as == "list":
        rows = [{"id": button.payload, "title": _row_title(button, body.numbered)} for button in body.options]
        return _interactive("list", body.text, {"button": open_list, "sections": [{"rows": rows}]})
    if body.options and body.shown_as == "buttons":
        buttons = [{"type": "reply", "reply": {"id": one.payload, "title": one.title}} for one in body.options]
        header = {"header": {"type": "image", "image": {"id": image}}} if image else {}
        return _interactive("button", body.text, {"buttons": buttons}, header)
    if image:
        return Message("image", {"id": image, "caption": body.text})
    if body.wants == "location":
        return _interactive("location_request_message", body.text, {"name": "send_location"})
    if body.wants == "contact" and not knows_phone:
        return _interactive("request_contact_info", body.text, {"name": "request_contact_info"})
    # Without a preview: a link to our one-field page is for the person alone, and Meta's servers would open it.
    return Message("text", {"body": body.text, "preview_url": False})


def template(name: str, language: str, words: str = "") -> Message:
    """An approved template; `words` fill its one place, on one line, as Meta wants it."""
    part: Json = {"name": name, "language": {"code": language}}
    if words:
        part["components"] = [{"type": "body", "parameters": [{"type": "text", "text": on_one_line(words)}]}]
    return Message("template", part)


def fits_template(body: Rendered) -> bool:
    """Whether a reply can go out within a template: words alone, and not too many of them."""
    return not (body.options or body.wants or body.picture or body.link) and len(body.text) <= MAX_TEMPLATE_WORDS


def on_one_line(words: str) -> str:
    """What fills a place of a template must hold no line break, no tab and no four spaces in a row."""
    return " ".join(words.split())


def _interactive(kind: str, text: str, action: Json, header: Json | None = None) -> Message:
    return Message("interactive", {"type": kind, **(header or {}), "body": {"text": text}, "action": action})


def _row_title(button: Button, numbered: bool) -> str:
    """With its number where there is room for both."""
    title = numbered_title(button, numbered)
    return title if len(title) <= MAX_ROW_TITLE else button.title
