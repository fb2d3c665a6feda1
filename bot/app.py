"""The program: everything it is made of, built in one place, and the ways in which it runs.

The service runs it in the background (`start`); a terminal and a script move it by hand (`receive`, then `settle`).
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeVar

import structlog
from sqlalchemy import Connection

from bot import demo, faults
from bot.attachments import Attachment
from bot.channels.base import Channel
from bot.clock import Clock, Ids, SystemClock, SystemIds
from bot.config import Config, ConfigError, require_secrets
from bot.incoming import Incoming
from bot.logs import whereabouts
from bot.outage import waited_out
from bot.schedule import fire_due, purge_old
from bot.sender import Claimed, Sender
from bot.speech import speech_of
from bot.turn import Outcome, Turns
from bot.understanding import close_engine, open_engine
from bot.worklist import Worklist
from flows.catalogue import load_flows
from flows.model import Content
from flows.work import Flows
from nlu.understand import Understander
from storage import conversations, inbox, leases, media, senders
from storage.database import Conflict, Database, open_database, upgrade
from storage.inbox import Accepted, Arrival, Blocked, Event, Pending, Renamed, Report, Unreadable
from storage.keyring import Keyring

SWEEP_EVERY_S: Final = 1.0
"""How often the service looks for timers that are due and for what dead processes left."""

TAKEN_OVER_AT_ONCE: Final = 50
"""Messages of others that one sweep takes over."""

MAX_ROUNDS: Final = 1000
"""Rounds after which `settle` says that the program never comes to rest."""

RESTART_S: Final = 0.5
"""Seconds that a background loop rests after it failed."""

STOP_WITHIN_S: Final = 5.0
"""Seconds that sends under way get when the service stops."""

FIRST_PURGE_S: Final = 60.0
"""Seconds after the start at which old contents are erased for the first time: people come first."""

PURGE_EVERY_S: Final = 86_400.0

NOT_YET_S: Final = 0.1
"""Seconds after which a message that came before its turn is looked at again."""

T = TypeVar("T")

log = structlog.get_logger()


class NeverSettles(Exception):
    """The program kept making work for itself."""


@dataclass(slots=True)
class Program:
    """The running program. Made by `open_program`."""

    config: Config
    clock: Clock
    ids: Ids
    db: Database
    keys: Keyring
    flows: Flows
    understander: Understander
    worklist: Worklist
    sender: Sender
    turns: Turns
    worker: str
    lease: timedelta
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _background: list[asyncio.Task[None]] = field(default_factory=list)
    _presence: leases.Presence | None = None
    _loop: asyncio.AbstractEventLoop | None = None
    _under_way: set[asyncio.Task[Outcome]] = field(default_factory=set)
    _taken_over: set[int] = field(default_factory=set)

    # ── what comes in ────────────────────────────────────────────────────────────────────────────

    async def receive(
        self, arrival: Arrival, *, files: Sequence[Attachment] = (), patience_s: float | None = 0.0
    ) -> Accepted:
        """Stores a message with its files and sees to it that it is handled. Safe to call again with the same arrival.

        When it returns, the message is on disk. A database that is away is waited for `patience_s` seconds (None:
        as long as it takes), then Unavailable is raised and nothing was stored.
        """

        def accept(conn: Connection) -> Accepted:
            accepted = inbox.accept(
                conn,
                self.keys,
                arrival,
                ids=self.ids,
                worker=self.worker,
                lease_until=self.clock.now() + self.lease,
            )
            if not accepted.duplicate:
                for file in files:
                    media.save(
                        conn,
                        self.keys,
                        file.id,
                        conversation=accepted.conversation,
                        mime=file.mime,
                        content=file.data,
                        now=self.clock.now(),
                    )
            return accepted

        accepted = await self._stored(accept, patience_s)
        faults.point("after_inbox")
        if not accepted.duplicate:
            self._put(accepted, arrival.content)
        return accepted

    async def take_in(self, events: Sequence[Event], *, patience_s: float | None = 0.0) -> list[Accepted]:
        """Stores all that a platform told at once, in one commit, and sees to it that it is handled.

        Where each message among them stands, in their order. Safe to call again with the same events. When it returns,
        everything is on disk; a database that is away raises Unavailable after `patience_s`, and nothing was stored.
        """

        def store(conn: Connection) -> tuple[list[tuple[Arrival, Accepted]], bool]:
            taken, frees = [], False
            for event in events:
                if isinstance(event, Arrival):
                    taken.append((event, self._accept(conn, event)))
                else:
                    frees |= self._note(conn, event)
            return taken, frees

        stored, frees = await self._stored(store, patience_s)
        faults.point("after_inbox")
        for arrival, accepted in stored:
            if not accepted.duplicate:
                self._put(accepted, arrival.content)
        if frees:
            self.wake()
        return [accepted for _, accepted in stored]

    async def receive_internal(
        self, *, conversation: str, key: str, content: Content, patience_s: float | None = None
    ) -> Accepted:
        """Stores what staff do or a form brings as a message of that conversation. The same `key` is taken once."""

        def accept(conn: Connection) -> Accepted:
            now = self.clock.now()
            return inbox.accept_internal(
                conn,
                self.keys,
                conversation=conversation,
                key=key,
                content=content,
                now=now,
                worker=self.worker,
                lease_until=now + self.lease,
            )

        accepted = await self._stored(accept, patience_s)
        faults.point("after_inbox")
        if not accepted.duplicate:
            self._put(accepted, content)
        return accepted

    def _accept(self, conn: Connection, arrival: Arrival) -> Accepted:
        lease_until = self.clock.now() + self.lease
        return inbox.accept(conn, self.keys, arrival, ids=self.ids, worker=self.worker, lease_until=lease_until)

    def _note(self, conn: Connection, event: Report | Blocked | Renamed) -> bool:
        """Keeps what a platform told beside messages; whether it may set free what waits to be sent."""
        now = self.clock.now()
        match event:
            case Report():
                return self.sender.take_in(conn, event)
            case Blocked(channel=channel, address=address, blocked=blocked):
                if conversation := senders.find(conn, self.keys, channel, address):
                    senders.shut(conn, conversation, now if blocked else None)
            case Renamed():
                senders.rename(
                    conn,
                    self.keys,
                    event.channel,
                    event.old,
                    event.new,
                    phone=event.phone,
                    now=now,
                    window_until=event.window_until,
                )
        return True

    async def _stored(self, accept: Callable[[Connection], T], patience_s: float | None) -> T:
        for _ in range(self.config.turn.max_reruns - 1):
            try:
                return await waited_out(self.db, self.clock, accept, patience_s=patience_s)
            except Conflict:
                continue  # two first messages of one sender at the same moment: the second finds the first's address
        return await waited_out(self.db, self.clock, accept, patience_s=patience_s)

    def _put(self, accepted: Accepted, content: Content) -> None:
        self.worklist.put(Pending(accepted.inbox_id, accepted.conversation, content, 0, self.clock.now()))

    # ── moved by hand ────────────────────────────────────────────────────────────────────────────

    async def settle(self) -> None:
        """Runs until nothing is ready to be handled, fired or sent. Later things stay for later."""
        for _ in range(MAX_ROUNDS):
            await self.settle_received()
            if not await self._sweep():
                return
        raise NeverSettles(f"still busy after {MAX_ROUNDS} rounds")

    async def take_over(self, conversation: str) -> None:
        """Takes up what stands unhandled in one conversation. Safe beside a process that works on it."""
        rows = await waited_out(
            self.db,
            self.clock,
            lambda conn: list(inbox.whole_conversation(conn, self.keys, conversation)),
        )
        for row in rows:
            if row.status == "new" and row.content is not None:
                self.worklist.put(Pending(row.inbox_id, conversation, row.content, row.attempts, row.received_at))
        await self.settle_received()

    async def settle_received(self) -> None:
        """Handles and sends what this process took in itself; what others left stays where it is."""
        while self.worklist.has_ready:
            await self.worklist.work_on_next(self.turns.handle)
            await self.sender.finish_started()
        await self.sender.finish_started()

    async def _sweep(self) -> bool:
        """Fires due timers, takes over what is free in inbox and outbox. False when there was nothing."""
        done, taken, claimed = await waited_out(self.db, self.clock, self._look_around)
        for pending in taken:
            self.worklist.put(pending)
        if self._background:
            self._taken_over.update(pending.inbox_id for pending in taken)
        self.sender.begin(claimed)
        return bool(done or taken or claimed)

    def _look_around(self, conn: Connection) -> tuple[int, list[Pending], Claimed]:
        """What was done on the spot (timers fired, rows set aside), and what is now to be handled and sent."""
        now = self.clock.now()
        done = fire_due(conn, self.keys, now=now)
        taken: list[Pending] = []
        for _ in range(TAKEN_OVER_AT_ONCE):
            pending = inbox.claim_next(conn, self.keys, worker=self.worker, now=now, lease_until=now + self.lease)
            # Without a lease the same row can be claimed again at once.
            if pending is None or any(pending.inbox_id == earlier.inbox_id for earlier in taken):
                break
            if isinstance(pending, Unreadable):
                self.turns.set_aside(conn, pending.inbox_id, pending.conversation, reason="unreadable")
                done += 1
            else:
                taken.append(pending)
        return done, taken, self.sender.claim(conn)

    # ── the service ──────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Begins to work in the background, until `stop`."""
        self._presence = leases.Presence(self.db)
        self._loop = asyncio.get_running_loop()
        self.sender.wake_at = self._wake_at
        loops = [self._work_forever() for _ in range(self.config.turn.workers)]
        self._background = [asyncio.create_task(loop) for loop in (*loops, self._sweep_forever(), self._purge_daily())]

    async def stop(self) -> None:
        """Ends the background work: what is under way ends soon or is found by the next start."""
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        self._background = []
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=STOP_WITHIN_S)
        try:
            await asyncio.wait_for(self.sender.finish_started(), timeout=STOP_WITHIN_S)
        except TimeoutError:
            self.sender.stop()
        for turn in self._under_way:
            turn.cancel()
        self._leave()

    def abandon(self) -> None:
        """Lets go of everything as a kill would: nothing further is committed or sent."""
        for task in (*self._background, *self._under_way):
            task.cancel()
        self.sender.stop()
        self.db.abandon()
        self._leave()

    def _leave(self) -> None:
        if self._presence is not None:
            self._presence.leave()
            self._presence = None

    def wake(self) -> None:
        """Something may be ready to be taken over: looks now instead of at the next second."""
        self._wake.set()

    def _wake_at(self, moment: datetime) -> None:
        """Looks again at that moment, when it comes before the next regular look. Safe from the database's threads."""
        delay = (moment - self.clock.now()).total_seconds()
        if delay < SWEEP_EVERY_S and self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake_in, max(delay, 0.0))

    def _wake_in(self, delay_s: float) -> None:
        asyncio.get_running_loop().call_later(delay_s, self.wake)

    async def _work_forever(self) -> None:
        while True:
            try:
                await self.worklist.work_on_next(self._handle)
            except Exception as error:
                log.error("worker.failed", error=type(error).__name__, at=whereabouts(error))
                await asyncio.sleep(RESTART_S)

    async def _handle(self, pending: Pending) -> None:
        turn = asyncio.create_task(self.turns.handle(pending))
        self._under_way.add(turn)
        turn.add_done_callback(self._under_way.discard)
        # Stopping waits for the turn instead of leaving its replies to the end of the lease.
        was_free = pending.inbox_id in self._taken_over
        self._taken_over.discard(pending.inbox_id)
        if await asyncio.shield(turn) is Outcome.NOT_YET:
            # Another process works on the earlier message; it is done sooner than the next regular look.
            asyncio.get_running_loop().call_later(NOT_YET_S, self.wake)
        elif was_free:
            self.wake()  # behind a message that nobody held there may be another

    async def _sweep_forever(self) -> None:
        inherits = self._presence is not None and self._presence.alone
        while True:
            self._wake.clear()
            try:
                if inherits:
                    # Whoever held a lease is dead: its people need not wait until it runs out.
                    await waited_out(self.db, self.clock, self._inherit)
                    inherits = False
                await self._sweep()
            except Exception as error:
                log.error("sweep.failed", error=type(error).__name__, at=whereabouts(error))
            try:
                # Not wait_for: Python 3.11 loses the cancellation by `stop` when `wake` comes at that moment.
                async with asyncio.timeout(SWEEP_EVERY_S):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def _inherit(self, conn: Connection) -> None:
        leases.free_others(conn, self.worker, replies_from=self.clock.now() + self.sender.rest)

    async def _purge_daily(self) -> None:
        await asyncio.sleep(FIRST_PURGE_S)
        while True:
            try:
                purged = await purge_old(self.db, self.keys, self.clock, self.config.retention)
                log.info("retention.purged", rows=purged.rows)
            except Exception as error:
                log.error("retention.failed", error=type(error).__name__, at=whereabouts(error))
            await asyncio.sleep(PURGE_EVERY_S)


@asynccontextmanager
async def open_program(
    config: Config,
    *,
    keys: Keyring | None = None,
    database: Database | None = None,
    channels: Sequence[Channel] = (),
    clock: Clock | None = None,
    ids: Ids | None = None,
    flows: Flows | None = None,
    understander: Understander | None = None,
) -> AsyncIterator[Program]:
    """Builds the program on its database, brought up to date, and closes it in the end.

    What is not given is made from the settings; a given `database` must have its schema, and is closed here too.
    Raises ConfigError when keys or the database are not configured, or a demo finds other data in its database.
    """
    keys = keys or require_secrets(config)
    clock = clock or SystemClock()
    ids = ids or SystemIds()
    flows = flows or load_flows(config.flow_settings())
    understander = understander or open_engine(config.nlu, clock)
    if database is None:
        database = open_database(config.database.url)
        await upgrade(database)
        await require_fitting_keys(database, keys)
        if config.demo:
            await demo.prepare(database, keys, ids, clock.now())
    program = assemble(config, keys, database, channels, clock, ids, flows, understander)
    crashed = False
    try:
        yield program
    except faults.SimulatedCrash:
        crashed = True
        program.abandon()
        raise
    finally:
        if not crashed:
            await program.stop()
            await database.close()
        close_engine(understander)


async def require_fitting_keys(database: Database, keys: Keyring) -> None:
    """Raises ConfigError when nothing of what was stored last can be opened or found with these keys.

    Otherwise every waiting message would be given up as unreadable, and every known sender be taken for a new one.
    """
    if not await database.read(lambda conn: conversations.opens_with(conn, keys)):
        raise ConfigError(["keys: they do not open what is in this database; a lost key is lost data"])


def assemble(
    config: Config,
    keys: Keyring,
    database: Database,
    channels: Sequence[Channel],
    clock: Clock,
    ids: Ids,
    flows: Flows,
    understander: Understander,
) -> Program:
    """Puts the parts together. Opens nothing, starts nothing."""
    worker = f"{socket.gethostname()}:{os.getpid()}:{ids.new()[:8]}"
    lease = timedelta(seconds=config.turn.lease_s)
    speech = speech_of(config.speech)
    sender = Sender(
        db=database,
        keys=keys,
        channels={channel.name: channel for channel in channels},
        clock=clock,
        ids=ids,
        worker=worker,
        lease=lease,
        limits=config.sender,
        read_outbox=frozenset(channel.name for channel in channels if channel.reads_outbox),
    )
    turns = Turns(
        db=database,
        keys=keys,
        flows=flows,
        understander=understander,
        sender=sender,
        incoming=Incoming(database, keys, sender.channels, clock, speech.transcribed if speech else None),
        clock=clock,
        ids=ids,
        worker=worker,
        lease=lease,
        config=config,
    )
    program = Program(
        config=config,
        clock=clock,
        ids=ids,
        db=database,
        keys=keys,
        flows=flows,
        understander=understander,
        worklist=Worklist(),
        sender=sender,
        turns=turns,
        worker=worker,
        lease=lease,
    )
    sender.wake = program.wake
    return program
