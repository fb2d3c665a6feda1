"""The storm itself: a real service, deliveries in their mixture, rest, and the count of what came of them."""

from __future__ import annotations

import asyncio
import base64
import heapq
import os
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
from crash_platforms.ground import served_here
from sqlalchemy import Connection, func, select
from storm.service import UP_WITHIN_S, free_port

from storage.database import Database, open_database
from storage.deliveries import RANK, platform_name
from storage.keyring import Keyring
from storage.tables import addresses, inbox, outbox, tickets
from webhook_storm.delivery import Delivery, Side

ROOT: Final = Path(__file__).parents[3]
SHARES: Final[Mapping[str, float]] = {"again": 0.20, "malformed": 0.05, "hollow": 0.01, "forged": 0.02}
"""What is not fresh, of all deliveries."""

REORDERED: Final = 0.10
HELD_UP_TO: Final = 20
"""A delivery that is held back is overtaken by up to so many."""

RECENT: Final = 200
"""A delivery comes again within so many sound ones."""

IN_FLIGHT: Final = 12
REST_WITHIN_S: Final = 600.0
STOPS_WITHIN_S: Final = 20.0


@dataclass(slots=True)
class Verdict:
    """`figures` are what was counted, `wrong` what must not have been."""

    figures: dict[str, int | float] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def demand(self, holds: bool, otherwise: str) -> None:
        """Notes what does not hold."""
        if not holds:
            self.wrong.append(otherwise)


@dataclass(slots=True)
class _Posted:
    """What was answered, and what must have been stored because of it."""

    answers: Counter[tuple[int, int]] = field(default_factory=Counter)
    """By (expected, given)."""
    messages: set[tuple[str, str]] = field(default_factory=set)
    repeated: int = 0
    told: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    slowest_s: float = 0.0

    def note(self, delivery: Delivery, status: int, took_s: float) -> None:
        self.answers[delivery.expected, status] += 1
        self.slowest_s = max(self.slowest_s, took_s)
        self.repeated += len(self.messages.intersection(delivery.messages))
        self.messages.update(delivery.messages)
        for name, told in delivery.told:
            self.told[name].add(told)


async def rage(
    side: Side, folder: Path, *, deliveries: int, each_second: float, chance: random.Random, cache_dir: Path
) -> Verdict:
    """One storm on one platform: so many deliveries, at most so many a second, on a service of its own."""
    encryption, lookup = chance.randbytes(32), chance.randbytes(32)
    keys = Keyring.from_keys({"storm": encryption}, "storm", lookup)
    url = f"sqlite:///{folder / 'storm.db'}"
    environ = {
        "RANGKUL_DATABASE_URL": url,
        "RANGKUL_ENCRYPTION_KEYS": f"storm:{base64.b64encode(encryption).decode()}",
        "RANGKUL_LOOKUP_KEY": base64.b64encode(lookup).decode(),
        "RANGKUL_NLU__CACHE_DIR": str(cache_dir),
        "RANGKUL_WEB__PUBLIC_URL": "https://tanya.example.org",
        "RANGKUL_LOGS__LEVEL": "warning",
    }
    async with (
        served_here(side.app) as platform,
        _service({**environ, **side.settings(platform)}, folder) as port,
    ):
        database = open_database(url, create=False)
        try:
            began = time.monotonic()
            posted = await _post_all(side, f"http://127.0.0.1:{port}{side.path}", deliveries, each_second, chance)
            delivered_s = time.monotonic() - began
            await _rest(database)
            verdict = await database.read(lambda conn: _judged(conn, side, keys, posted))
            verdict.figures |= {
                "seconds of delivering": round(delivered_s, 1),
                "seconds until all was answered": round(time.monotonic() - began, 1),
                "slowest answer to a webhook, ms": round(posted.slowest_s * 1000),
            }
            return verdict
        finally:
            await database.close()


@asynccontextmanager
async def _service(environ: Mapping[str, str], folder: Path) -> AsyncIterator[int]:
    """`rangkul run` as a process of its own, when it answers; its port."""
    theirs = {name: value for name, value in os.environ.items() if not name.startswith("RANGKUL_")}
    settings, port = folder / "settings.yaml", free_port()
    settings.touch()
    ours = {**environ, "RANGKUL_CONFIG": str(settings), "RANGKUL_PORT": str(port)}
    with (folder / "service.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "run"), cwd=ROOT, env={**theirs, **ours}, stdout=log, stderr=log
        )
    try:
        await _answering(port, process)
        yield port
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), STOPS_WITHIN_S)


async def _answering(port: int, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(UP_WITHIN_S), httpx.AsyncClient(trust_env=False) as client:
        while process.returncode is None:
            try:
                if (await client.get(f"http://127.0.0.1:{port}/health")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)
    raise ChildProcessError("the service did not start; service.log says why")


async def _post_all(side: Side, url: str, count: int, each_second: float, chance: random.Random) -> _Posted:
    posted = _Posted()
    queue: asyncio.Queue[Delivery | None] = asyncio.Queue(IN_FLIGHT)

    async def carry(client: httpx.AsyncClient) -> None:
        while (delivery := await queue.get()) is not None:
            began = time.monotonic()
            headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in delivery.headers.items()]
            answer = await client.post(url, content=delivery.body, headers=headers)
            posted.note(delivery, answer.status_code, time.monotonic() - began)

    async with httpx.AsyncClient(timeout=60, trust_env=False) as client, asyncio.TaskGroup() as group:
        for _ in range(IN_FLIGHT):
            group.create_task(carry(client))
        began = time.monotonic()
        for place, delivery in enumerate(_in_disorder(side, _mixture(count, chance), chance)):
            await queue.put(delivery)
            await asyncio.sleep(max(0.0, began + place / each_second - time.monotonic()))
        for _ in range(IN_FLIGHT):
            await queue.put(None)
    return posted


def _mixture(count: int, chance: random.Random) -> list[str]:
    """What kind each delivery is, by the shares exactly; the first is fresh, so that there is something to repeat."""
    kinds = [kind for kind, share in SHARES.items() for _ in range(round(count * share))]
    kinds += ["fresh"] * (count - 1 - len(kinds))
    chance.shuffle(kinds)
    return ["fresh", *kinds]


def _in_disorder(side: Side, kinds: list[str], chance: random.Random) -> Iterator[Delivery]:
    """Made in order, one after the other, and given out with some held back."""
    held: list[tuple[int, int, Delivery]] = []
    late = set(chance.sample(range(len(kinds)), round(len(kinds) * REORDERED)))
    sound: list[Delivery] = []
    for place, kind in enumerate(kinds):
        delivery = side.again(chance.choice(sound[-RECENT:])) if kind == "again" else getattr(side, kind)()
        if delivery.messages or delivery.told:
            sound.append(delivery)
        due = place + chance.randint(1, HELD_UP_TO) if place in late else place
        heapq.heappush(held, (due, place, delivery))
        while held and held[0][0] <= place:
            yield heapq.heappop(held)[2]
    while held:
        yield heapq.heappop(held)[2]


async def _rest(database: Database) -> None:
    """Until nothing waits to be handled or sent. Raises TimeoutError."""
    async with asyncio.timeout(REST_WITHIN_S):
        while any(await database.read(_waiting)):  # noqa: ASYNC110 - another process works on it
            await asyncio.sleep(0.2)


def _waiting(conn: Connection) -> list[int]:
    return [
        conn.execute(select(func.count()).select_from(table).where(table.c.status == "new")).scalar_one()
        for table in (inbox, outbox)
    ]


# ── what came of it ──────────────────────────────────────────────────────────────────────────────


def _judged(conn: Connection, side: Side, keys: Keyring, posted: _Posted) -> Verdict:
    verdict = Verdict()
    _judge_answers(verdict, posted)
    _judge_inbox(verdict, conn, keys, posted)
    _judge_outbox(verdict, conn, side, keys)
    _judge_statuses(verdict, conn, side, keys, posted)
    verdict.demand(not side.violations, f"{len(side.violations)} calls over a limit: {side.violations[:3]}")
    verdict.demand(not side.refusals, f"{len(side.refusals)} calls refused: {side.refusals[:3]}")
    return verdict


def _judge_answers(verdict: Verdict, posted: _Posted) -> None:
    for (expected, given), count in sorted(posted.answers.items()):
        verdict.demand(expected == given, f"{count} deliveries were answered {given} instead of {expected}")
    by_status = Counter(dict.fromkeys((200, 400, 401, 403), 0))
    for (_, given), count in posted.answers.items():
        by_status[given] += count
    verdict.figures["deliveries"] = by_status.total()
    verdict.figures |= {f"answered {status}": count for status, count in sorted(by_status.items()) if count}
    verdict.figures["answered 5xx"] = sum(count for status, count in by_status.items() if status >= 500)


def _judge_inbox(verdict: Verdict, conn: Connection, keys: Keyring, posted: _Posted) -> None:
    """As many rows of each person as they wrote messages: one lost and one too many would not make up for each other
    unless they were the same person's."""
    rows = conn.execute(
        select(addresses.c.lookup, addresses.c.address, inbox.c.status).join_from(
            inbox, addresses, addresses.c.conversation == inbox.c.conversation
        )
    ).all()
    stored = Counter(keys.open_text("addresses", "address", row.lookup.hex(), row.address) for row in rows)
    expected = Counter(address for address, _ in posted.messages)
    lost, made_up = (expected - stored).total(), (stored - expected).total()
    verdict.demand(not lost, f"{lost} messages are not in the inbox")
    verdict.demand(not made_up, f"{made_up} rows of the inbox nobody wrote")
    undone = Counter(row.status for row in rows if row.status != "done")
    verdict.demand(not undone, f"not handled: {dict(undone)}")
    verdict.figures["different messages delivered"] = len(posted.messages)
    verdict.figures["messages that came again"] = posted.repeated
    verdict.figures["rows in the inbox"] = len(rows)


def _judge_outbox(verdict: Verdict, conn: Connection, side: Side, keys: Keyring) -> None:
    """Each reply once, at whom it is for, in the order in which it was written."""
    rows = conn.execute(
        select(addresses.c.lookup, addresses.c.address, outbox.c.platform_id, outbox.c.status)
        .join_from(outbox, addresses, addresses.c.conversation == outbox.c.conversation)
        .order_by(outbox.c.id)
    ).all()
    written: defaultdict[str, list[bytes]] = defaultdict(list)
    for row in rows:
        written[keys.open_text("addresses", "address", row.lookup.hex(), row.address)].append(row.platform_id)
    unsent = Counter(row.status for row in rows if row.status != "sent")
    verdict.demand(not unsent, f"not sent: {dict(unsent)}")
    got = {address: [platform_name(keys, side.name, name) for name in names] for address, names in side.got().items()}
    wrong = [address for address in written.keys() | got.keys() if written.get(address) != got.get(address)]
    verdict.demand(not wrong, f"{len(wrong)} people got other messages, or in another order, than were written")
    silent = side.writers - got.keys()
    verdict.demand(not silent, f"{len(silent)} people were never answered")
    verdict.figures["people who wrote"] = len(side.writers)
    verdict.figures["rows in the outbox"] = len(rows)
    verdict.figures["messages that people got"] = sum(map(len, got.values()))


def _judge_statuses(verdict: Verdict, conn: Connection, side: Side, keys: Keyring, posted: _Posted) -> None:
    """What stands is the highest that was told; who did not get a message is on a ticket, once."""
    stood = {row.platform_id: row.delivery for row in conn.execute(select(outbox.c.platform_id, outbox.c.delivery))}
    highest = {
        platform_name(keys, side.name, name): max(told, key=RANK.__getitem__) for name, told in posted.told.items()
    }
    wrong = [name for name, delivery in stood.items() if delivery != highest.get(name)]
    verdict.demand(not wrong, f"{len(wrong)} messages do not stand at the highest status told")
    failed = sum(told == "failed" for told in highest.values())
    kinds = Counter(conn.execute(select(tickets.c.kind)).scalars())
    verdict.demand(kinds["undelivered"] == failed, f"{kinds['undelivered']} tickets for {failed} failed messages")
    if posted.told:
        verdict.figures["messages with a status told"] = len(posted.told)
        verdict.figures["different statuses delivered"] = sum(map(len, posted.told.values()))
        verdict.figures["messages that failed in the end"] = failed
