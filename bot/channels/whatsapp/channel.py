"""WhatsApp as a channel: one call to the Cloud API a message, and files fetched from there."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import httpx

from bot.channels.base import Channel, Draw, Fetched, FetchError, SendError
from bot.channels.media import examined, require_whole
from bot.channels.whatsapp import NAME
from bot.channels.whatsapp.errors import refused, unheard
from bot.channels.whatsapp.rendering import Message, fits_template, message_of, takes_picture, template
from bot.clock import Clock
from bot.config import WhatsAppSection, is_given
from flows.model import Media
from storage.outbox import Outgoing
from storage.pacing import Pace

if TYPE_CHECKING:
    from pywa_async.client import WhatsApp

IN_FLIGHT: Final = 8
"""Connections at once. More bring little (on loopback 236 messages a second with 1, 297 with 4, 314 with 8)."""

TIMEOUT: Final = httpx.Timeout(10.0, pool=60.0)
"""Seconds for an answer; a call may wait longer for a free connection, for nothing has been sent by then."""

BUSINESS_SCOPED_ID: Final = re.compile(r"[A-Z]{2}\.[A-Za-z0-9.]{1,140}")
"""A country, a dot, and what Meta made up (its page on business-scoped user ids)."""

INVITATION: Final = "invite:"
"""Before our id in the tracker of a template, so that its delivery is not taken for that of the waiting message."""

_UNREADABLE_ANSWER: Final = (ValueError, KeyError, TypeError, AttributeError, IndexError)
"""What pywa and we ourselves raise for an answer that has not the shape Meta promises."""


class WhatsAppChannel(Channel):
    """Sends by pywa's client. `close` it in the end.

    pywa is loaded when one is made: 0.16 s of CPU and 12 MB above httpx (measured with 4.5.0). Of its two layers the
    lower one is used: the upper one takes a business-scoped id with letters for a group, and fails on an answer
    without contacts when the message is already taken.
    """

    name = NAME
    confirms_within = timedelta(seconds=60)
    has_windows = True

    def __init__(
        self,
        settings: WhatsAppSection,
        *,
        clock: Clock,
        open_list: str,
        draw: Draw,
        transport: httpx.AsyncBaseTransport | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`open_list` is on the button that opens a list, 20 characters at most. `jitter` gives 0 to 1.

        Raises ValueError when the settings have no token.
        """
        if settings.token is None or not is_given(settings.token):
            raise ValueError("WhatsApp needs a token")
        from pywa_async.client import WhatsApp

        self.invites = bool(settings.template_news)
        self._settings = settings
        self._clock = clock
        self._open_list = open_list
        self._draw = draw
        self._jitter = jitter
        limits = httpx.Limits(max_connections=IN_FLIGHT, max_keepalive_connections=IN_FLIGHT)
        self._http = httpx.AsyncClient(timeout=TIMEOUT, limits=limits, transport=transport)
        self._api: WhatsApp = WhatsApp(
            phone_id=settings.phone_number_id, token=settings.token.get_secret_value(), session=self._http
        )
        self._http.base_url = httpx.URL(settings.api_base_url)  # pywa has put its own there

    async def close(self) -> None:
        """Lets go of the connections. Safe to call twice."""
        await self._http.aclose()

    # ── sending ──────────────────────────────────────────────────────────────────────────────────

    async def send(self, outgoing: Outgoing) -> str:
        """Returns the wamid. Raises SendError."""
        image = await self._uploaded(outgoing) if takes_picture(outgoing.body) else ""
        knows_phone = outgoing.phone is not None
        message = message_of(outgoing.body, open_list=self._open_list, knows_phone=knows_phone, image=image)
        return await self._send(message, outgoing, tracker=str(outgoing.id))

    def can_reach_shut_out(self, outgoing: Outgoing) -> bool:
        """Words alone, short enough for the one place that the template has."""
        return bool(self._settings.template_message) and fits_template(outgoing.body)

    async def send_shut_out(self, outgoing: Outgoing) -> str:
        """Sends the words within the template for single messages. Raises SendError."""
        settings = self._settings
        message = template(settings.template_message, settings.template_language, outgoing.body.text)
        return await self._send(message, outgoing, tracker=str(outgoing.id))

    async def invite(self, outgoing: Outgoing) -> str:
        """Sends the template that asks the person to write. Raises SendError, also when none is set."""
        if not self._settings.template_news:
            raise SendError("window_closed", waits_for_person=True)
        message = template(self._settings.template_news, self._settings.template_language)
        return await self._send(message, outgoing, tracker=f"{INVITATION}{outgoing.id}")

    def paces(self, address: str) -> Sequence[Pace]:
        """Those of our number and of our number with this person (Meta's pages on throughput and pair rate limits)."""
        limits = self._settings
        return (
            Pace(
                f"{NAME}|{limits.phone_number_id}",
                timedelta(seconds=1 / limits.number_per_second),
                limits.number_burst,
            ),
            Pace(
                f"{NAME}|{limits.phone_number_id}|{address}",
                timedelta(seconds=limits.pair_interval_s),
                limits.pair_burst,
            ),
        )

    async def show_typing(self, wamid: str) -> None:
        """Marks this message and all before it as read, and shows typing until we answer, for 25 s at most.

        Raises SendError.
        """
        call = self._api.api.set_indicator(phone_id=self._settings.phone_number_id, message_id=wamid, typ="text")
        await self._answer(call, attempts=0)

    async def _send(self, message: Message, outgoing: Outgoing, *, tracker: str) -> str:
        to, recipient = _addressee(outgoing)
        call = self._api.api.send_message(
            sender=self._settings.phone_number_id,
            to=to,
            recipient=recipient,
            recipient_type="individual",
            typ=message.kind,
            msg=message.part,
            biz_opaque_callback_data=tracker,
        )
        answer = await self._answer(call, attempts=outgoing.attempts)
        try:
            return str(answer["messages"][0]["id"])
        except _UNREADABLE_ANSWER as error:
            raise SendError("bad_answer", uncertain=True) from error

    async def _uploaded(self, outgoing: Outgoing) -> str:
        """The platform's name of the picture, '' when there is none; nothing has reached the person when this fails."""
        png = await self._draw(outgoing.body)
        if png is None:
            return ""
        call = self._api.api.upload_media(
            phone_id=self._settings.phone_number_id, media=png, mime_type="image/png", filename="rangkul.png"
        )
        try:
            answer = await self._answer(call, attempts=outgoing.attempts)
            return str(answer["id"])
        except _UNREADABLE_ANSWER as error:
            raise SendError("bad_answer") from error
        except SendError as error:
            error.uncertain = False
            raise

    async def _answer(self, call: Any, *, attempts: int) -> dict[str, Any]:
        """What a call of pywa's client gives. Raises SendError."""
        from pywa.errors import WhatsAppError

        try:
            answer: dict[str, Any] = await call
        except WhatsAppError as error:
            raise refused(error, attempts=attempts, now=self._clock.now(), jitter=self._jitter) from error
        except httpx.HTTPError as error:
            raise unheard(error) from error
        except _UNREADABLE_ANSWER as error:
            raise SendError("bad_answer", uncertain=True) from error
        return answer

    # ── files ────────────────────────────────────────────────────────────────────────────────────

    async def fetch(self, media: Media) -> Fetched:
        """Asks where the file is and gets it from there; once more, when that address was too old. Raises FetchError.

        Files can be fetched for seven days, an address lives five minutes.
        """
        name, _, sha256 = media.source.partition("|")
        most = self._settings.media_max_bytes
        for _ in range(2):
            described = await self._described(name)
            if described is None:
                return Fetched(problem="unreadable")
            size = _number(described, "file_size")
            if size > most:
                return Fetched(problem="too_big")
            data = await self._downloaded(str(described.get("url", "")))
            if data is None:
                continue
            if len(data) <= most:
                for digest in {sha256, str(described.get("sha256") or "")}:  # in a thread: 30 ms for 16 MB
                    await asyncio.to_thread(require_whole, data, size=size or None, sha256=digest)
            return await examined(data, media.kind, max_bytes=most)
        raise FetchError("the file was not where the platform said, twice")

    async def _described(self, name: str) -> dict[str, Any] | None:
        """What the platform knows of a file: url, file_size, sha256. None when it has it no longer."""
        from pywa.errors import WhatsAppError

        try:
            described = await self._api.api.get_media_url(media_id=name)
        except WhatsAppError as error:
            if error.code == 100:
                return None
            raise FetchError(f"code {error.code}") from error
        except (httpx.HTTPError, *_UNREADABLE_ANSWER) as error:
            raise FetchError(type(error).__name__) from error
        return described if isinstance(described, dict) else None

    async def _downloaded(self, url: str) -> bytes | None:
        """The bytes, one more than the most at most; None when nothing is at this address.

        Not by pywa: it follows redirects and reads without a limit.
        """
        if not self._may_have_token(url):
            raise FetchError("the file is at an address that we do not expect")
        data = bytearray()
        try:
            async with self._http.stream("GET", url, follow_redirects=False) as response:
                if response.status_code in (404, 410):
                    return None
                if response.status_code != 200:
                    raise FetchError(f"HTTP {response.status_code}")
                async for chunk in response.aiter_bytes():
                    data += chunk
                    if len(data) > self._settings.media_max_bytes:
                        break
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise FetchError(type(error).__name__) from error
        return bytes(data[: self._settings.media_max_bytes + 1])

    def _may_have_token(self, url: str) -> bool:
        """Whether this is where the API itself is, or a host of Meta's for files, by TLS on its usual port."""
        try:
            parts, api = urlsplit(url), urlsplit(self._settings.api_base_url)
            where = (parts.scheme, parts.hostname, parts.port)
            return where == (api.scheme, api.hostname, api.port) or (
                parts.scheme == "https" and parts.hostname in self._settings.media_hosts and parts.port in (None, 443)
            )
        except ValueError:
            return False


def _addressee(outgoing: Outgoing) -> tuple[str | None, str | None]:
    """(phone, business-scoped id), one of them None. The phone where it is known: not every message goes to an id."""
    if outgoing.phone is not None:
        return outgoing.phone, None
    if BUSINESS_SCOPED_ID.fullmatch(outgoing.address):
        return None, outgoing.address
    return outgoing.address, None


def _number(part: dict[str, Any], key: str) -> int:
    """A count that Meta writes as a number or as text; 0 where it is neither."""
    text = str(part.get(key))
    return int(text) if text.isdecimal() and len(text) < 16 else 0
