"""Bears services with a platform: as `storm.nursery` does, with the platforms' libraries imported, too."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import pywa_async.client  # noqa: F401 - the service loads it when WhatsApp is on
import storm.nursery

import bot.channels.telegram.service
import bot.channels.whatsapp.service
import bot.images  # noqa: F401
from bot.channels.whatsapp.channel import WhatsAppChannel

DOUBT: Final = "STORM_DOUBT_S"
"""The variable that says for how many seconds the service waits for a status: 60, or fewer where time runs faster."""


def serve(environ: dict[str, str]) -> int:
    """`rangkul run` in this very process."""
    WhatsAppChannel.confirms_within = timedelta(seconds=float(environ[DOUBT]))
    return storm.nursery.serve(environ)


if __name__ == "__main__":
    storm.nursery.tend(serve)
