"""What each platform takes, known to every process: also one that writes replies and does not send them itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from bot.channels.base import ANYTHING, Traits
from bot.config import Config

TELEGRAM: Final = Traits(
    max_chars=4096,
    max_chars_asking=4096,
    max_caption=1024,
    max_buttons=16,
    merges=True,
    names_staff=True,
    deletes=True,
    shares=True,
)
"""Bot API: text 1-4096 and captions 0-1024 after entities are parsed. Sixteen rows of buttons are ours: more than
that is no longer read on a small phone."""

WHATSAPP: Final = Traits(
    max_chars=4096,
    max_chars_asking=1024,
    max_caption=1024,
    max_buttons=3,
    max_rows=10,
    merges=True,
    names_staff=True,
)
"""Cloud API: text 4096, interactive bodies 1024, three reply buttons, ten rows in all sections of a list together."""


WHATSAPP_BY_LINK: Final = replace(WHATSAPP, ids_by_link=True)
"""Meta forbids asking for full identity numbers in the chat (channels.md 0.9): the default."""


def traits_of(channel: str, config: Config) -> Traits:
    """What this channel takes under these settings; the terminal and our page take anything."""
    match channel:
        case "telegram":
            return TELEGRAM
        case "whatsapp":
            return WHATSAPP if config.whatsapp.ask_ids_in_chat else WHATSAPP_BY_LINK
        case _:
            return ANYTHING
