"""The same turn without a server in front, and what it consists of, each part alone."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Final

import structlog
from sqlalchemy import Connection

from bot.app import Program
from bot.bench import walk
from bot.bench.cost import MS, Cost, Meter, middle
from bot.bench.served import TURNS_A_WALK, WARM_UP
from bot.render import messages_of
from bot.turn import CODES_A_TURN, WIB, Timings, record_of
from flows.engine import decide
from flows.model import Decision, Facts, Session, Text, Turn
from flows.model import Sender as Writer
from storage import conversations, facts, inbox, turns
from storage.database import Database
from storage.events import TurnRecord
from storage.inbox import Arrival, Pending
from storage.outbox import Rendered

REPEATS: Final = 20
"""How often the parts that store nothing are done for one figure."""

CHANNEL: Final = "web"


@dataclass(frozen=True, slots=True)
class Decided:
    """A turn with everything that its decision was made of, and what came of it."""

    arrival: Arrival
    session: Session
    turn: Turn
    facts: Facts
    decision: Decision
    messages: tuple[Rendered, ...]
    record: TurnRecord


def arrival(program: Program, text: str, number: int, place: int) -> Arrival:
    """A message of walk `number`, the `place`th one of it."""
    return Arrival(CHANNEL, f"walker-{number}", f"{number}:{place}", Text(text), None, program.clock.now())


async def turns_without_server(program: Program, *, rounds: int, first: int) -> Cost:
    """The same walk through `receive` and the turn, sent to a channel that nobody listens to."""
    costs = []
    for number in range(first, first + WARM_UP + rounds):
        arrivals = [arrival(program, text, number, place) for place, text in enumerate(walk.messages(number))]
        gc.collect()
        meter = Meter(program.db)
        for coming in arrivals:
            await program.receive(coming)
            await program.settle_received()
        if number >= first + WARM_UP:
            costs.append(meter.read(TURNS_A_WALK))
    return middle(costs)


async def decided_turns(program: Program, number: int) -> list[Decided]:
    """One walk, taken turn by turn, with every decision kept."""
    decided = []
    for place, text in enumerate(walk.messages(number)):
        coming = arrival(program, text, number, place)
        decided.append(await program.db.transaction(partial(_decide, program, coming)))
    return decided


def _decide(program: Program, coming: Arrival, conn: Connection) -> Decided:
    assert isinstance(coming.content, Text)
    pending = _accept(program, coming, conn)
    held = conversations.hold(conn, program.keys, pending.conversation, pending.inbox_id)
    now = program.clock.now()
    turn = Turn(
        content=coming.content,
        now=now,
        sender=Writer(held.person, held.conversation, held.channel, held.phone),
        codes=tuple(program.ids.code() for _ in range(CODES_A_TURN)),
        owner=held.owner,
        understanding=program.understander.parse(coming.content.text, today=now.astimezone(WIB).date()),
    )
    known: Facts = {}
    while not isinstance(result := decide(program.flows, held.session, turn, known), Decision):
        for query in result.queries:
            known[query] = facts.answer(conn, program.keys, query, held=held, now=now)
    messages = messages_of(program.flows.copy, result, turn.content)
    decided = Decided(
        coming,
        held.session,
        turn,
        known,
        result,
        messages,
        record_of(held, turn, result, Timings()),
    )
    _store(program, pending, decided, conn)
    return decided


def _accept(program: Program, coming: Arrival, conn: Connection) -> Pending:
    now = program.clock.now()
    accepted = inbox.accept(
        conn, program.keys, coming, ids=program.ids, worker=program.worker, lease_until=now + program.lease
    )
    return Pending(accepted.inbox_id, accepted.conversation, coming.content, 0, now)


def _store(program: Program, pending: Pending, decided: Decided, conn: Connection) -> list[int]:
    held = conversations.hold(conn, program.keys, pending.conversation, pending.inbox_id)
    for query in decided.facts:
        facts.answer(conn, program.keys, query, held=held, now=decided.turn.now)
    now = program.clock.now()
    return turns.finish(
        conn,
        program.keys,
        held,
        pending,
        decided.decision,
        decided.messages,
        ids=program.ids,
        now=now,
        handing=turns.Handing(by_storing=True),
        record=decided.record,
    )


async def storing(program: Program, database: Database, walks: Sequence[Sequence[Decided]]) -> Cost:
    """What the database has to do for a turn, decided before: accept, then hold and finish. One cost a turn.

    `database` is fresh, so that the same people can sign up in it.
    """
    costs = []
    for decided in walks:
        gc.collect()
        meter = Meter(database)
        for one in decided:
            pending = await database.transaction(partial(_accept, program, one.arrival))
            await database.transaction(partial(_store, program, pending, one))
        costs.append(meter.read(len(decided)))
    return middle(costs[WARM_UP:] or costs)


def understanding_ms(program: Program, decided: Sequence[Decided]) -> float:
    """CPU for understanding one message of the walk."""
    today = program.clock.now().astimezone(WIB).date()
    texts = [one.arrival.content.text for one in decided if isinstance(one.arrival.content, Text)]
    return _cpu_ms(lambda: [program.understander.parse(text, today=today) for text in texts], len(texts))


def deciding_ms(program: Program, decided: Sequence[Decided]) -> float:
    """CPU for one decision with its facts at hand and the words of its answers; as often as it was asked for."""

    def once() -> None:
        for one in decided:
            known: Facts = {}
            for query in one.facts:
                decide(program.flows, one.session, one.turn, known)
                known[query] = one.facts[query]
            decision = decide(program.flows, one.session, one.turn, known)
            assert isinstance(decision, Decision)
            messages_of(program.flows.copy, decision, one.turn.content)

    return _cpu_ms(once, len(decided))


def logging_ms(decided: Sequence[Decided]) -> float:
    """CPU for the line that every turn writes."""
    log = structlog.get_logger()

    def once() -> None:
        for one in decided:
            log.info(
                "turn.handled",
                inbox=1,
                conversation=one.turn.sender.conversation,
                step=one.record.step,
                intent=one.record.intent,
                confidence=one.record.confidence,
                effects=list(one.record.effects),
                ms=1.0,
                ms_split={**one.record.timings_ms, "store": 1.0},
            )

    return _cpu_ms(once, len(decided))


def _cpu_ms(once: Callable[[], object], turns_in_it: int) -> float:
    """The median of several times, in milliseconds a turn."""
    once()
    spent = []
    for _ in range(REPEATS):
        began = time.process_time()
        once()
        spent.append((time.process_time() - began) * MS / turns_in_it)
    return median(spent)
