"""The platforms that a running service is connected to, as one: opened, connected, begun, stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.routing import Route

from bot.app import Program
from bot.channels.base import Channel
from bot.channels.opening import telegram_of, whatsapp_of
from bot.clock import Clock, Ids, SystemClock, SystemIds
from bot.config import Config
from flows.catalogue import load_flows
from flows.work import Flows
from storage.keyring import Keyring

if TYPE_CHECKING:
    from bot.channels.telegram.service import Telegram
    from bot.channels.whatsapp.service import WhatsApp


@dataclass(slots=True)
class Platforms:
    """Telegram and WhatsApp, as far as they are on. `clock`, `ids` and `flows` are those of the program, too."""

    clock: Clock
    ids: Ids
    flows: Flows
    telegram: Telegram | None
    whatsapp: WhatsApp | None

    @classmethod
    def open(cls, config: Config, keys: Keyring) -> Platforms:
        """Those that the settings turn on. Nothing is sent or asked for yet."""
        clock, ids, flows = SystemClock(), SystemIds(), load_flows(config.flow_settings())
        return cls(
            clock,
            ids,
            flows,
            telegram_of(config, keys, flows, clock, ids) if config.telegram.is_on else None,
            whatsapp_of(config, keys, flows, clock, ids) if config.whatsapp.is_on else None,
        )

    @property
    def channels(self) -> list[Channel]:
        """For the program, before it is opened."""
        return [one.channel for one in (self.telegram, self.whatsapp) if one is not None]

    def connect(self, program: Program) -> None:
        """Says where messages go. Once, before `routes` and `begin`."""
        if self.telegram is not None:
            self.telegram.connect(program.take_in, program.sender.tell_of_stop)
        if self.whatsapp is not None:
            self.whatsapp.connect(program.take_in, program.db)

    def routes(self) -> list[Route]:
        """The webhooks."""
        return [route for one in (self.telegram, self.whatsapp) if one is not None for route in one.routes()]

    def stopped(self) -> dict[str, str]:
        """Why nothing comes in by a channel any more, in one word, by its name; empty while all is well."""
        reason = self.telegram.stopped_by if self.telegram is not None else ""
        return {"telegram": reason} if reason else {}

    def begin(self) -> None:
        """Sets up what needs it, in the background."""
        if self.telegram is not None:
            self.telegram.begin()

    async def stop(self) -> None:
        """Takes nothing in any more. Safe to call twice."""
        for one in (self.telegram, self.whatsapp):
            if one is not None:
                await one.stop()
