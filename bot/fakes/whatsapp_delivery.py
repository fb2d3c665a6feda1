"""Posts webhook events to us as Meta does: signed, in batches, again until 200; and as Meta or a stranger might."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

import httpx

from bot.fakes.whatsapp_events import Grouping, body_bytes, payloads
from bot.fakes.whatsapp_records import Event, Json

if TYPE_CHECKING:
    from bot.fakes.whatsapp import FakeWhatsApp

Target = Callable[[bytes, Mapping[str, str]], Awaitable[int]]
"""Takes a raw body and its headers, gives the HTTP status; may raise httpx.HTTPError or OSError when unreachable."""

Signature = Literal["right", "wrong", "missing", "malformed", "not_ascii"]

GIVES_UP_AFTER: Final = timedelta(days=7)
FIRST_WAIT: Final = timedelta(minutes=1)
LONGEST_WAIT: Final = timedelta(hours=6)
"""Meta says: again at once, then ever less often, for up to seven days. The steps in between are ours."""

_ENVELOPE: Final = b'{"object":"whatsapp_business_account","entry":[%s]}'
_CHANGE: Final = _ENVELOPE % b'{"id":"1","changes":[{"field":"messages","value":%s}]}'

MALFORMED: Final[Mapping[str, bytes]] = {
    "empty": b"",
    "not json": b"{",
    "not utf-8": b'{"object":"\xff\xfe"}',
    "a list": b"[]",
    "a string": b'"whatsapp_business_account"',
    "nothing in it": b"{}",
    "another object": b'{"object":"page","entry":[]}',
    "entry is no list": b'{"object":"whatsapp_business_account","entry":{}}',
    "entry holds no object": _ENVELOPE % b"1,null",
    "changes is no list": _ENVELOPE % b'{"id":"1","changes":"x"}',
    "value is null": _CHANGE % b"null",
    "messages is no list": _CHANGE % b'{"messages":7}',
    "a message without id": _CHANGE % b'{"messages":[{"type":"text"}]}',
    "deeply nested": b'{"object":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
}
"""Bodies that hold nothing for us, by what is wrong; each may come with a right signature."""


@dataclass(slots=True)
class Parcel:
    """One body on its way."""

    body: bytes
    headers: Mapping[str, str]
    made_at: datetime
    next_at: datetime
    tries: int = 0
    status: int | None = None
    """Of the last try; None before the first, and when nobody answered."""


@dataclass(slots=True)
class Courier:
    """Carries events from a fake to a webhook. Nothing happens by itself: move the clock to `next_at`, then `run`.

    `waiting`: not delivered yet. `lost`: given up after seven days. `delivered` counts bodies answered with 200.
    """

    fake: FakeWhatsApp
    target: Target
    waiting: list[Parcel] = field(default_factory=list)
    lost: list[Parcel] = field(default_factory=list)
    delivered: int = 0

    async def send(
        self,
        *events: Event,
        grouping: Grouping = "apart",
        contacts: bool = True,
        signature: Signature = "right",
        after: timedelta = timedelta(0),
        again: Literal["same body", "other body"] | None = None,
    ) -> list[int | None]:
        """Posts events in the order given; the status of each body that was tried.

        `contacts` False leaves that part out. `after` holds them back. `again` posts everything twice: byte for byte,
        or with the same ids in a body of other bytes.
        """
        made = payloads(self.fake.account, events, grouping=grouping, contacts=contacts)
        bodies = [body_bytes(payload) for payload in made]
        if again is not None:
            bodies += [body_bytes(payload, reordered=again == "other body") for payload in made]
        return await self._post(bodies, signature, after)

    async def send_due(self, *, grouping: Grouping = "apart") -> list[int | None]:
        """Posts the statuses that wait in the fake."""
        events = [self.fake.due.popleft() for _ in range(len(self.fake.due))]
        return await self.send(*events, grouping=grouping)

    async def send_payload(self, payload: Json, *, signature: Signature = "right") -> int | None:
        """Posts a hand-written payload; the fake takes over the people and messages in it."""
        self.fake.adopt(payload)
        return await self.send_body(body_bytes(payload), signature=signature)

    async def send_body(self, body: bytes, *, signature: Signature = "right") -> int | None:
        """Posts any bytes once, without trying again."""
        parcel = self._parcel(body, signature, timedelta(0))
        await self._try(parcel)
        return parcel.status

    async def run(self) -> list[int | None]:
        """Posts what is due now, once each; the statuses. What fails is due again later, first at once."""
        due = [parcel for parcel in self.waiting if parcel.next_at <= self.fake.now()]
        for parcel in due:
            await self._try(parcel)
            if parcel.status == 200:
                self.delivered += 1
                self.waiting.remove(parcel)
            else:
                self._again_later(parcel)
        return [parcel.status for parcel in due]

    @property
    def next_at(self) -> datetime | None:
        """When the next body is due; None when nothing waits."""
        return min((parcel.next_at for parcel in self.waiting), default=None)

    async def _post(self, bodies: list[bytes], signature: Signature, after: timedelta) -> list[int | None]:
        parcels = [self._parcel(body, signature, after) for body in bodies]
        self.waiting += parcels
        await self.run()
        return [parcel.status for parcel in parcels if parcel.tries]

    def _parcel(self, body: bytes, signature: Signature, after: timedelta) -> Parcel:
        at = self.fake.now()
        return Parcel(body, signed_headers(body, self.fake.account.app_secret, signature), at, at + after)

    async def _try(self, parcel: Parcel) -> None:
        parcel.tries += 1
        try:
            parcel.status = await self.target(parcel.body, parcel.headers)
        except (httpx.HTTPError, OSError):
            parcel.status = None

    def _again_later(self, parcel: Parcel) -> None:
        wait = timedelta(0) if parcel.tries == 1 else min(FIRST_WAIT * 2 ** min(parcel.tries - 2, 12), LONGEST_WAIT)
        parcel.next_at = self.fake.now() + wait
        if parcel.next_at - parcel.made_at > GIVES_UP_AFTER:
            self.waiting.remove(parcel)
            self.lost.append(parcel)


def signed_headers(body: bytes, app_secret: str, signature: Signature = "right") -> dict[str, str]:
    """The headers of a webhook POST, with the signature made of the raw bytes, or spoilt in one way."""
    headers = {"content-type": "application/json", "user-agent": "facebookexternalua"}
    digest = hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()
    match signature:
        case "right":
            headers["x-hub-signature-256"] = f"sha256={digest}"
        case "wrong":
            wrong = hmac.new(b"another secret", body, hashlib.sha256).hexdigest()
            headers["x-hub-signature-256"] = f"sha256={wrong}"
        case "malformed":
            headers["x-hub-signature-256"] = digest
        case "not_ascii":
            headers["x-hub-signature-256"] = "sha256=é" + digest[1:]
        case "missing":
            pass
    return headers


def handshake(verify_token: str, challenge: str = "1158201444", *, mode: str = "subscribe") -> dict[str, str]:
    """The query of Meta's GET that proves a webhook address is ours; the answer must be the challenge, as text."""
    return {"hub.mode": mode, "hub.challenge": challenge, "hub.verify_token": verify_token}


def http_target(client: httpx.AsyncClient, url: str) -> Target:
    """Posts to an address."""

    async def post(body: bytes, headers: Mapping[str, str]) -> int:
        raw = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
        return (await client.post(url, content=body, headers=raw)).status_code

    return post
