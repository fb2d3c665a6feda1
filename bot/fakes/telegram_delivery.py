"""Posts updates to the bot's webhook as the platform does: one at a time in each lane, again until it gets a 2xx."""

from __future__ import annotations

import asyncio
import json
import random
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

import httpx

from bot.fakes.telegram_queue import Pending, Webhook

if TYPE_CHECKING:
    from bot.fakes.telegram import FakeTelegram

SECRET_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 (a header's name)
ANSWER_LIMIT_S: Final = 60.0
FIRST_DELAY_S: Final = 2.0
LONGEST_DELAY_S: Final = (60.0, 120.0)
LONGEST_RETRY_AFTER_S: Final = 3600.0
GONE_FOR: Final = timedelta(hours=23)
"""A webhook that answers 410 for so long is taken away."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the bot answered to a post. Status 0: no answer."""

    status: int
    retry_after_s: float | None = None


Post = Callable[[bytes, Mapping[str, str]], Awaitable[Answer | int]]
"""Takes the raw body and the headers. An int is a status alone. May raise OSError, TimeoutError or httpx.HTTPError."""

Trouble = Literal["duplicate", "lost_answer", "hold"]
"""duplicate: a delivered update comes once more. lost_answer: the platform does not see the 2xx and comes again later.
hold: this lane waits for the next step, so that others overtake it."""


@dataclass(frozen=True, slots=True)
class Posted:
    """One post as it went."""

    at: datetime
    update_id: int | None
    status: int


@dataclass(slots=True)
class _Tries:
    """How often an update failed, and when it is tried again."""

    count: int
    due: datetime


class Deliverer:
    """Empties the queue of a fake into its webhook. Nothing happens by itself: `step` posts what is due at this moment
    of the clock, `due` says when there is more to do.

    `post` is how a body gets there; by default over HTTP to the address given to setWebhook. `seed` decides the
    longest delays, and the order of lanes when `shuffled`.
    """

    def __init__(self, fake: FakeTelegram, post: Post | None = None, *, seed: int = 0, shuffled: bool = False) -> None:
        self.posted: list[Posted] = []
        self.troubles: deque[Trouble] = deque()
        self._fake = fake
        self._post = post
        self._random = random.Random(seed)
        self._shuffled = shuffled
        self._failures: dict[int, _Tries] = {}
        self._gone_since: datetime | None = None

    async def step(self) -> int:
        """Posts the first update of every lane that is due, side by side; how many were due.

        No more at a time than max_connections.
        """
        queue, now = self._fake.queue, self._fake.world.now()
        queue.expire(now)
        if not queue.webhook.url:
            return 0
        heads = [one for one in self._heads() if self._due_at(one, now) <= now]
        if self._shuffled:
            self._random.shuffle(heads)
        heads = heads[: queue.webhook.max_connections]
        await asyncio.gather(*(self._deliver(one) for one in heads))
        return len(heads)

    async def drain(self) -> None:
        """Steps until nothing more is due at this moment."""
        while await self.step():
            pass

    def due(self) -> datetime | None:
        """When there is something to post again; None with nothing in the queue, or nowhere to post it."""
        if not self._fake.queue.webhook.url:
            return None
        now = self._fake.world.now()
        return min((self._due_at(one, now) for one in self._heads()), default=None)

    async def send(self, body: bytes, *, secret: str | None = None) -> int:
        """Posts anything outside the queue (nonsense, a wrong secret, a repeat); the status, 0 without an answer.

        Without `secret` there is no secret header.
        """
        headers = {"Content-Type": "application/json", **({} if secret is None else {SECRET_HEADER: secret})}
        answer = await self._posted(None, body, headers)
        return answer.status

    def _heads(self) -> list[Pending]:
        heads: dict[str, Pending] = {}
        for one in self._fake.queue.pending:
            heads.setdefault(one.lane, one)
        return list(heads.values())

    def _due_at(self, one: Pending, now: datetime) -> datetime:
        tries = self._failures.get(one.id)
        return tries.due if tries is not None else now

    async def _deliver(self, one: Pending) -> None:
        trouble = self.troubles.popleft() if self.troubles else None
        if trouble == "hold":
            return
        webhook = self._fake.queue.webhook
        body, headers = json.dumps(one.update).encode(), headers_of(webhook)
        answer = await self._posted(one.id, body, headers)
        if not 200 <= answer.status < 300 or trouble == "lost_answer":
            self._failed(one, answer, webhook)
            return
        self._fake.queue.remove(one.id)
        self._failures.pop(one.id, None)
        self._gone_since = None
        if trouble == "duplicate":
            await self._posted(one.id, body, headers)

    async def _posted(self, update_id: int | None, body: bytes, headers: Mapping[str, str]) -> Answer:
        post = self._post or self._over_http
        try:
            got = await post(body, headers)
        except (OSError, TimeoutError, httpx.HTTPError):
            got = Answer(0)
        answer = Answer(got) if isinstance(got, int) else got
        self.posted.append(Posted(self._fake.world.now(), update_id, answer.status))
        return answer

    async def _over_http(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        async with httpx.AsyncClient(timeout=ANSWER_LIMIT_S, trust_env=False) as client:
            response = await client.post(self._fake.queue.webhook.url, content=body, headers=dict(headers))
        told = response.headers.get("retry-after", "")
        return Answer(response.status_code, float(told) if told.isdigit() else None)

    def _failed(self, one: Pending, answer: Answer, webhook: Webhook) -> None:
        now = self._fake.world.now()
        webhook.last_error_date = int(now.timestamp())
        webhook.last_error_message = (
            f"Wrong response from the webhook: {answer.status}" if answer.status else "Connection timed out"
        )
        before = self._failures.get(one.id)
        count = before.count + 1 if before is not None else 1
        self._failures[one.id] = _Tries(count, now + timedelta(seconds=self._delay_s(count, answer)))
        if answer.status != 410:
            self._gone_since = None
        elif self._gone_since is None:
            self._gone_since = now
        elif now - self._gone_since >= GONE_FOR:
            self._fake.queue.webhook = Webhook()

    def _delay_s(self, failures: int, answer: Answer) -> float:
        if answer.retry_after_s is not None:
            return min(answer.retry_after_s, LONGEST_RETRY_AFTER_S)
        return min(FIRST_DELAY_S * 2.0 ** (failures - 1), self._random.uniform(*LONGEST_DELAY_S))


def headers_of(webhook: Webhook) -> dict[str, str]:
    """The headers of a post of the platform's."""
    headers = {"Content-Type": "application/json"}
    if webhook.secret:
        headers[SECRET_HEADER] = webhook.secret
    return headers
