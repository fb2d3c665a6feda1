"""WhatsApp in this process: what it is made of, and its way in."""

from __future__ import annotations

import httpx
from starlette.routing import Route

from bot.channels.base import Draw, TakeIn
from bot.channels.links import Links
from bot.channels.whatsapp.channel import WhatsAppChannel
from bot.channels.whatsapp.intake import Intake
from bot.channels.whatsapp.payloads import Reader
from bot.channels.whatsapp.webhook import Webhook
from bot.clock import Clock, Ids
from bot.config import Config, revealed
from flows.work import Flows
from storage.database import Database
from storage.keyring import Keyring


class WhatsApp:
    """`channel` goes to the program when that is opened; `connect` when it is. Making one loads the library.

    `draw` makes pictures. `transport` carries the calls; None: over HTTP.
    """

    def __init__(
        self,
        config: Config,
        keys: Keyring,
        flows: Flows,
        clock: Clock,
        ids: Ids,
        draw: Draw,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Raises ValueError when the settings have no token."""
        open_list = flows.copy.label("label/open_list")
        self.channel = WhatsAppChannel(
            config.whatsapp, clock=clock, open_list=open_list, draw=draw, transport=transport
        )
        self.links = Links(keys, flows.by_name)
        self._settings = config.whatsapp
        self._clock = clock
        self._reader = Reader(config.whatsapp.phone_number_id, self.links, ids.new)
        self._intake: Intake | None = None

    def connect(self, take_in: TakeIn, db: Database) -> Intake:
        """Says where events go, and where is told who answers. Once, before `routes`."""
        self._intake = Intake(self.channel, take_in, db, mark_read=self._settings.mark_read)
        return self._intake

    def routes(self) -> list[Route]:
        """The routes of the webhook."""
        if self._intake is None:
            raise RuntimeError("not connected to the program yet")
        webhook = Webhook(
            self._intake,
            self._reader,
            self._clock,
            app_secret=revealed(self._settings.app_secret),
            verify_token=revealed(self._settings.verify_token),
        )
        return webhook.routes(self._settings.webhook_path)

    async def stop(self) -> None:
        """Ends promptly. Safe to call twice."""
        if self._intake is not None:
            await self._intake.close()
        await self.channel.close()
