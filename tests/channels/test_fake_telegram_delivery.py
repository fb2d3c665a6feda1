"""The fake posts updates to a webhook as Telegram does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.clock import ManualClock, SystemClock
from bot.fakes.server import serving
from bot.fakes.telegram import TOKEN, FakeTelegram
from bot.fakes.telegram_delivery import SECRET_HEADER, Answer, Deliverer
from bot.fakes.telegram_wire import Params

pytestmark = pytest.mark.asyncio

MORNING = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


class Bot:
    """A webhook that writes down what came and answers as told: `answers` first, then 200."""

    def __init__(self) -> None:
        self.clock = ManualClock(MORNING)
        self.fake = FakeTelegram(now=self.clock.now)
        self.budi, self.siti = self.fake.person("Budi"), self.fake.person("Siti")
        self.got: list[int] = []
        self.at: list[float] = []
        self.secrets: list[str | None] = []
        self.answers: list[Answer | int] = []
        self.busy: dict[int, int] = {}
        self.most_busy = 0
        self.deliverer = Deliverer(self.fake, self.hear)

    async def hear(self, body: bytes, headers: Mapping[str, str]) -> Answer | int:
        update = json.loads(body)
        sender = update.get("message", update.get("callback_query"))["from"]["id"]
        self.busy[sender] = self.busy.get(sender, 0) + 1
        self.most_busy = max(self.most_busy, self.busy[sender])
        await asyncio.sleep(0)
        self.busy[sender] -= 1
        self.got.append(update["update_id"])
        self.at.append((self.clock.now() - MORNING).total_seconds())
        self.secrets.append(headers.get(SECRET_HEADER))
        return self.answers.pop(0) if self.answers else 200

    async def listen(self, **values: object) -> None:
        call = await self.fake.call(TOKEN, "setWebhook", Params({"url": "https://contoh.id/t", **values}))
        assert call.done

    def texts(self, *people: str) -> list[int]:
        """Queues a text of each named person; the update ids."""
        updates = [self.fake.updates.text(getattr(self, name), "x") for name in people]
        self.fake.put(*updates)
        return [update["update_id"] for update in updates]

    async def until(self, seconds: float) -> None:
        """Delivers whatever falls due until this time."""
        end = MORNING + timedelta(seconds=seconds)
        await self.deliverer.drain()
        while (due := self.deliverer.due()) is not None and due <= end:
            self.clock.advance_to(due)
            await self.deliverer.drain()
        self.clock.advance_to(end)


@pytest.fixture
def bot() -> Bot:
    return Bot()


async def test_updates_come_with_the_secret_and_in_order(bot: Bot) -> None:
    await bot.listen(secret_token="rahasia")
    ids = bot.texts("budi", "budi", "budi")
    await bot.deliverer.drain()
    assert bot.got == ids
    assert bot.secrets == ["rahasia"] * 3
    assert bot.most_busy == 1
    assert bot.fake.queue.pending == []


async def test_without_a_webhook_nothing_is_posted(bot: Bot) -> None:
    bot.texts("budi")
    await bot.deliverer.drain()
    assert bot.got == []


async def test_a_failure_blocks_its_own_chat_alone(bot: Bot) -> None:
    await bot.listen()
    ids = bot.texts("budi", "budi", "siti")
    bot.answers = [500]
    await bot.deliverer.drain()
    assert bot.got == [ids[0], ids[2]]
    assert bot.fake.queue.info()["last_error_message"] == "Wrong response from the webhook: 500"
    await bot.until(2)
    assert bot.got == [ids[0], ids[2], ids[0], ids[1]]


async def test_tries_follow_the_platforms_schedule(bot: Bot) -> None:
    """At once, then 2, 4, 8, 16, 32 seconds later, then 64 at most: the cap lies anywhere from 60 to 120."""
    await bot.listen()
    bot.texts("budi")
    bot.answers = [500] * 9
    await bot.until(3600)
    gaps = [later - earlier for earlier, later in zip(bot.at, bot.at[1:], strict=False)]
    assert gaps[:5] == [2, 4, 8, 16, 32]
    assert all(60 <= gap <= 120 for gap in gaps[5:])
    assert len(bot.got) == 10


async def test_retry_after_is_obeyed_up_to_an_hour(bot: Bot) -> None:
    await bot.listen()
    bot.texts("budi")
    bot.answers = [Answer(503, 90), Answer(503, 9000)]
    await bot.until(90 + 3600)
    assert bot.at == [0, 90, 90 + 3600]


async def test_a_press_may_overtake_a_text_of_the_same_person(bot: Bot) -> None:
    await bot.listen()
    text, press = bot.fake.updates.text(bot.budi, "x"), bot.fake.updates.callback(bot.budi, "y")
    bot.fake.put(text, press)
    bot.deliverer.troubles.append("hold")
    await bot.deliverer.drain()
    assert bot.got == [press["update_id"], text["update_id"]]
    bot.fake.put(bot.fake.updates.text(bot.budi, "x"), bot.fake.updates.callback(bot.budi, "y"))
    await bot.deliverer.drain()
    assert bot.most_busy == 2


async def test_a_press_is_given_up_after_150_seconds(bot: Bot) -> None:
    await bot.listen()
    bot.fake.put(bot.fake.updates.callback(bot.budi, "y"))
    bot.answers = [500] * 100
    await bot.until(600)
    assert bot.at[-1] < 150
    assert bot.fake.queue.pending == []


async def test_repeats(bot: Bot) -> None:
    await bot.listen()
    ids = bot.texts("budi", "siti")
    bot.deliverer.troubles.extend(["duplicate", "lost_answer"])
    await bot.until(10)
    assert sorted(bot.got) == [ids[0], ids[0], ids[1], ids[1]]
    assert bot.fake.queue.pending == []


async def test_no_more_at_a_time_than_connections(bot: Bot) -> None:
    await bot.listen(max_connections=1)
    bot.texts("budi", "siti")
    assert await bot.deliverer.step() == 1
    assert await bot.deliverer.step() == 1
    assert await bot.deliverer.step() == 0


async def test_410_for_23_hours_removes_the_webhook(bot: Bot) -> None:
    await bot.listen()
    bot.texts("budi")
    bot.answers = [410] * 5000
    await bot.until(23 * 3600 - 200)
    assert bot.fake.queue.webhook.url
    await bot.until(23 * 3600 + 200)
    assert bot.fake.queue.webhook.url == ""


async def test_anything_else_can_be_posted(bot: Bot) -> None:
    async def hear(body: bytes, headers: Mapping[str, str]) -> int:
        seen.append((body, headers.get(SECRET_HEADER)))
        if body == b"{":
            raise TimeoutError
        return 401

    seen: list[tuple[bytes, str | None]] = []
    deliverer = Deliverer(bot.fake, hear)
    assert await deliverer.send(b"{}", secret="salah") == 401
    assert await deliverer.send(b"{") == 0
    assert seen == [(b"{}", "salah"), (b"{", None)]


async def test_a_shuffled_order_of_chats_keeps_the_order_in_each(bot: Bot) -> None:
    await bot.listen()
    bot.deliverer = Deliverer(bot.fake, bot.hear, shuffled=True, seed=3)
    people = [bot.fake.person(f"Orang {number}") for number in range(6)]
    updates = [bot.fake.updates.text(person, str(turn)) for turn in range(2) for person in people]
    bot.fake.put(*updates)
    await bot.deliverer.drain()
    ids = [update["update_id"] for update in updates]
    assert bot.got != ids
    assert sorted(bot.got) == ids
    for first, second in zip(ids[:6], ids[6:], strict=True):
        assert bot.got.index(first) < bot.got.index(second)


async def test_over_http_to_the_address_of_the_webhook() -> None:
    """Without a function to call, the post goes out; Retry-After is read, a closed port is no answer."""
    clock = ManualClock(MORNING)
    fake = FakeTelegram(now=clock.now, allow_loopback_webhook=True)
    got: list[tuple[str, str | None]] = []

    async def hear(request: Request) -> Response:
        got.append(((await request.json())["message"]["text"], request.headers.get(SECRET_HEADER)))
        return Response(status_code=200) if len(got) > 1 else Response(status_code=503, headers={"Retry-After": "9"})

    fake.put(fake.updates.text(fake.person("Budi"), "halo"))
    deliverer = Deliverer(fake)
    with serving(Starlette(routes=[Route("/t", hear, methods=["POST"])])) as url:
        await fake.call(TOKEN, "setWebhook", Params({"url": f"{url}/t", "secret_token": "rahasia"}))
        await deliverer.drain()
        assert deliverer.due() == MORNING + timedelta(seconds=9)
        clock.advance(timedelta(seconds=9))
        await deliverer.drain()
    assert got == [("halo", "rahasia")] * 2
    assert await deliverer.send(b"{}") == 0


async def test_time_that_moves_by_itself_holds_nothing_back() -> None:
    """What was never tried is due at every moment, whenever in a step the clock is read."""
    bot = Bot()
    bot.fake.world.now = SystemClock().now
    await bot.listen()
    ids = bot.texts("budi", "siti")
    assert bot.deliverer.due() is not None
    await bot.deliverer.drain()
    assert sorted(bot.got) == ids
