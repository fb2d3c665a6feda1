"""The words that WhatsApp shows outside the talk, read from `words.yaml`."""

from __future__ import annotations

from importlib import resources
from typing import Literal

import msgspec


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A template to submit. `setting` is the one that names it; `when` says what it is sent for.

    `sample` is for the body's one place, '' where it has none. Meta takes a body of 1024 characters, a footer of 60.
    """

    name: str
    setting: str
    when: str
    category: Literal["UTILITY"]
    language: str
    body: str
    footer: str
    sample: str = ""


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`link` is what a link to a task writes for the person; it holds {task} and {payload}."""

    link: str
    templates: tuple[Template, ...]


def load_words() -> Words:
    """Raises msgspec.ValidationError when the file lacks a word or holds one too many."""
    text = resources.files("bot.channels.whatsapp").joinpath("words.yaml").read_text("utf-8")
    return msgspec.yaml.decode(text, type=Words)
