"""The words that Telegram shows outside the talk, read from `words.yaml`."""

from __future__ import annotations

from importlib import resources

import msgspec


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`commands` is the menu: what each command does, in the order in which they are shown."""

    commands: dict[str, str]


def load_words() -> Words:
    """Raises msgspec.ValidationError when the file lacks a word or holds one too many."""
    text = resources.files("bot.channels.telegram").joinpath("words.yaml").read_text("utf-8")
    return msgspec.yaml.decode(text, type=Words)
