"""The channels of platforms as the settings turn them on. Each one's libraries are loaded only here, when it is on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import structlog

from bot.clock import Clock, Ids
from bot.config import Config
from flows.work import Flows
from storage.keyring import Keyring
from storage.outbox import Rendered

if TYPE_CHECKING:
    from telegram.request import BaseRequest

    from bot.channels.telegram.service import Telegram
    from bot.channels.whatsapp.service import WhatsApp

log = structlog.get_logger()


def telegram_of(
    config: Config, keys: Keyring, flows: Flows, clock: Clock, ids: Ids, *, request: BaseRequest | None = None
) -> Telegram:
    """Telegram by these settings; `request` carries its calls in place of the network."""
    from bot.channels.telegram.service import Telegram

    return Telegram(config, keys, flows, clock, ids, drawn, request=request, updates_request=request)


def whatsapp_of(
    config: Config,
    keys: Keyring,
    flows: Flows,
    clock: Clock,
    ids: Ids,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
) -> WhatsApp:
    """WhatsApp by these settings; `transport` carries its calls in place of the network."""
    from bot.channels.whatsapp.service import WhatsApp

    return WhatsApp(config, keys, flows, clock, ids, drawn, transport=transport)


async def drawn(body: Rendered) -> bytes | None:
    """The picture that a message names, as PNG; None for one that we cannot draw: its words say the same.

    Drawing is work of up to 100 ms, for a thread.
    """
    from bot.pictures import picture_of  # loads the picture library, for those who send one

    try:
        return await asyncio.to_thread(picture_of, body.picture)
    except ValueError:
        log.error("picture.unknown", key=body.key)
        return None
