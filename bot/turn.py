"""The turn: one message is understood, decided upon, and everything that follows is stored in one commit.

    understand (no transaction open) -> hold -> decide, with facts -> finish -> commit -> hand over to the sender

A message may be handed in any number of times, by any number of processes: the row's state, read under the hold,
says whether anything is left to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from time import perf_counter
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
import structlog
from sqlalchemy import Connection

from bot import faults
from bot.channels.traits import traits_of
from bot.clock import Clock, Ids
from bot.config import Config, TurnSection, page_address
from bot.fitting import fitted
from bot.incoming import ALBUM_WAIT, Incoming, NotHere, TooEarly
from bot.logs import whereabouts
from bot.outage import waited_out
from bot.render import messages_of, offer_delete, rendered
from bot.sender import Sender
from bot.understanding import understood
from flows.engine import decide
from flows.model import (
    Content,
    Decision,
    Edited,
    Facts,
    Media,
    Say,
    StaffAction,
    Text,
    TimerDue,
    Turn,
)
from flows.model import (
    Sender as Writer,
)
from flows.promises import Promise, first_word_after
from flows.rules.calendar import calendar_for
from flows.work import Flows
from nlu.understand import Understander
from nlu.understanding import Understanding
from storage import conversations, facts, forms, inbox, turns
from storage.conversations import Held
from storage.database import Conflict, Database
from storage.events import TurnRecord
from storage.inbox import Pending
from storage.keyring import Keyring
from storage.outbox import Outgoing, Rendered

CODES_A_TURN: Final = 4
"""Fresh record codes that one turn may use."""

ELSEWHERE: Final = timedelta(seconds=5)
"""For so long a message whose file this process cannot fetch is left to one that has the channel."""

PARKED_KEY: Final = "engine/parked"
WIB: Final = ZoneInfo("Asia/Jakarta")

log = structlog.get_logger()


class Outcome(Enum):
    """What came of handing in a message."""

    HANDLED = "handled"
    PARKED = "parked"
    ALREADY_DONE = "already_done"
    NOT_YET = "not_yet"
    """An earlier message of the conversation is unhandled; this one was given back and will be claimed in its order."""


class TurnLimit(Exception):
    """A named limit of one turn was reached; it counts as a failure of the message."""


@dataclass(slots=True)
class Timings:
    """Seconds of one turn by what they went to. Reading facts belongs to `decide_s`."""

    understand_s: float = 0.0
    hold_s: float = 0.0
    decide_s: float = 0.0

    def in_ms(self) -> dict[str, float]:
        """What the record of the turn may hold: storing is not over when it is written."""
        return {
            "understand": round(self.understand_s * 1000, 3),
            "hold": round(self.hold_s * 1000, 3),
            "decide": round(self.decide_s * 1000, 3),
        }


@dataclass(frozen=True, slots=True)
class Stored:
    """A turn as it was committed: `rows` are to be sent by this process at once, and `left` says that more wait."""

    outcome: Outcome
    rows: tuple[Outgoing, ...] = ()
    left: bool = False
    record: TurnRecord | None = None


@dataclass(slots=True)
class Turns:
    """Handles messages of the inbox. One conversation must not be handed in twice at the same time by one process."""

    db: Database
    keys: Keyring
    flows: Flows
    understander: Understander
    sender: Sender
    incoming: Incoming
    clock: Clock
    ids: Ids
    worker: str
    lease: timedelta
    config: Config
    handled: int = field(default=0)

    @property
    def _limits(self) -> TurnSection:
        return self.config.turn

    async def handle(self, pending: Pending) -> Outcome:
        """Does what the message asks for, once, and never lets it stop the next one.

        What raises in understanding, deciding or storing is tried again and counted on the row; at
        `turn.max_attempts` the message is parked. A database that is away is waited for and not counted.

        A message that was in hand when process after process died may be what kills them: at `turn.max_deaths` it is
        parked. The limit is high, because a process holds many messages, and innocent ones die with it.
        """
        if pending.deaths >= self._limits.max_deaths:
            return await self._park(pending)
        return await self._handle(pending)

    async def _handle(self, pending: Pending) -> Outcome:
        failures = pending.attempts
        while failures < self._limits.max_attempts:
            try:
                return await self._take_turn(pending)
            except Exception as error:
                # The one broad catch: whatever this message does to us, it is recorded and the next one comes.
                log.error(
                    "turn.failed",
                    inbox=pending.inbox_id,
                    conversation=pending.conversation,
                    error=type(error).__name__,
                    at=whereabouts(error),
                )
            failures = await waited_out(
                self.db,
                self.clock,
                lambda conn: self._record_failure(conn, pending),
            )
            if not failures:
                return Outcome.ALREADY_DONE
        return await self._park(pending)

    def _record_failure(self, conn: Connection, pending: Pending) -> int:
        now = self.clock.now()
        return inbox.record_failure(conn, self.keys, pending.inbox_id, now=now, not_before=now + self.lease)

    async def _take_turn(self, pending: Pending) -> Outcome:
        try:
            content, rows = await self._complete(pending)
        except (NotHere, TooEarly) as error:
            is_early = isinstance(error, TooEarly)
            not_before = pending.received_at + ALBUM_WAIT if is_early else self.clock.now() + ELSEWHERE
            await waited_out(
                self.db, self.clock, lambda conn: inbox.release(conn, pending.inbox_id, not_before=not_before)
            )
            return Outcome.NOT_YET
        content = cut(content, self._limits.max_text_chars)
        timings = Timings()
        started = perf_counter()
        understanding = await self._understand(content)
        timings.understand_s = perf_counter() - started
        for _ in range(self._limits.max_reruns):
            try:
                stored = await waited_out(
                    self.db,
                    self.clock,
                    lambda conn: self._decide_and_store(conn, pending, content, rows, understanding, timings),
                )
            except Conflict:
                continue  # another process was faster: all is rolled back, and the decision is made anew
            faults.point("after_commit")
            self._hand_over(pending, stored)
            self._tell(pending, stored, timings, perf_counter() - started)
            return stored.outcome
        raise TurnLimit("turn.max_reruns")

    async def _complete(self, pending: Pending) -> tuple[Content, tuple[int, ...]]:
        """The message with its files, and the other messages that it stands for. Raises NotHere and TooEarly."""
        content = pending.content
        if isinstance(content, Media) and (content.source or content.album):
            gathered = await self.incoming.gathered(pending, content)
            return gathered.content, gathered.rows
        return content, ()

    async def _understand(self, content: Content) -> Understanding | None:
        """What the words mean; None for content without words."""
        words = words_of(content)
        if not words:
            return None
        return await understood(self.understander, words, today=self.clock.now().astimezone(WIB).date())

    def _decide_and_store(
        self,
        conn: Connection,
        pending: Pending,
        content: Content,
        rows: Sequence[int],
        understanding: Understanding | None,
        timings: Timings,
    ) -> Stored:
        """The whole transaction. The conversation is held from its first statement to the commit."""
        began = perf_counter()
        held = conversations.hold(conn, self.keys, pending.conversation, pending.inbox_id)
        if held.inbox_status != "new":
            return Stored(Outcome.ALREADY_DONE)
        if not held.is_first_pending:
            inbox.release(conn, pending.inbox_id)
            return Stored(Outcome.NOT_YET)
        now = self.clock.now()
        turn = Turn(
            content=content,
            now=now,
            sender=Writer(held.person, held.conversation, held.channel, held.phone),
            codes=tuple(self.ids.code() for _ in range(CODES_A_TURN)),
            owner=held.owner,
            understanding=understanding,
        )
        timings.hold_s = perf_counter() - began
        decision = self._decide(conn, held, turn)
        messages = self._messages(conn, held, decision, content, now)
        timings.decide_s = perf_counter() - began - timings.hold_s
        handing = self.sender.handing(conn, held, len(messages))
        record = record_of(held, turn, decision, timings)
        row_ids = turns.finish(
            conn,
            self.keys,
            held,
            pending,
            decision,
            messages,
            ids=self.ids,
            now=now,
            handing=handing,
            record=record,
        )
        for row in rows:
            inbox.close(conn, row, outcome="done", now=now)
        faults.point("before_commit")
        sent = outgoing(held, pending, messages, row_ids, now)
        return Stored(Outcome.HANDLED, sent, len(sent) < len(messages), record)

    def _messages(
        self, conn: Connection, held: Held, decision: Decision, content: Content, now: datetime
    ) -> tuple[Rendered, ...]:
        """What is said, as messages that fit the channel; links to our page are made where it needs them."""
        traits = traits_of(held.channel, self.config)

        def link_for(slot: str, question: int) -> str:
            token = forms.create(conn, self.keys, held.conversation, slot, question, now, token=self.ids.new())
            return f"{page_address(self.config.web)}/isi/{token}"

        messages = messages_of(self.flows.copy, decision, content, link_for=link_for if traits.ids_by_link else None)
        private = decision.session.private
        if traits.deletes and private and private.at == now and isinstance(content, Text | Edited | Media):
            messages = offer_delete(self.flows.copy, messages, private.ref, now)
        return fitted(messages, traits, self.flows.copy)

    def _decide(self, conn: Connection, held: Held, turn: Turn) -> Decision:
        """Decides, with as many facts of ours as the decision asks for."""
        known: Facts = {}
        for _ in range(self._limits.max_need_rounds + 1):
            result = decide(self.flows, held.session, turn, known)
            if isinstance(result, Decision):
                return result
            for query in result.queries:
                known[query] = facts.answer(conn, self.keys, query, held=held, now=turn.now)
        raise TurnLimit("turn.max_need_rounds")

    # ── parking ──────────────────────────────────────────────────────────────────────────────────

    async def _park(self, pending: Pending) -> Outcome:
        """A message that fails again and again is set aside for staff, and the person is told so."""
        try:
            stored = await waited_out(self.db, self.clock, lambda conn: self._store_parked(conn, pending))
        except Exception as error:
            # Broad again: what cannot be parked with words to the person must still leave the inbox, for staff.
            reason = type(error).__name__
            log.error("park.failed", inbox=pending.inbox_id, error=reason, at=whereabouts(error))
            await waited_out(
                self.db,
                self.clock,
                lambda conn: self.set_aside(conn, pending.inbox_id, pending.conversation, reason=reason),
            )
            return Outcome.PARKED
        self._hand_over(pending, stored)
        if stored.outcome is Outcome.PARKED:
            log.error("turn.parked", inbox=pending.inbox_id, conversation=pending.conversation)
        return stored.outcome

    def set_aside(self, conn: Connection, inbox_id: int, conversation: str, *, reason: str) -> None:
        """Parks a message that cannot be opened, or whose conversation cannot. Runs inside a transaction."""
        now = self.clock.now()
        parked = turns.set_aside(
            conn,
            self.keys,
            inbox_id=inbox_id,
            conversation=conversation,
            code=self.ids.code(),
            promised=self._promise(now).until,
            reason=reason,
            now=now,
        )
        if parked:
            log.error("turn.parked", inbox=inbox_id, conversation=conversation, reason=reason)

    def _promise(self, now: datetime) -> Promise:
        settings = self.flows.settings
        return first_word_after(now, settings, calendar_for(settings.office_zone))

    def _store_parked(self, conn: Connection, pending: Pending) -> Stored:
        held = conversations.hold(conn, self.keys, pending.conversation, pending.inbox_id)
        if held.inbox_status != "new":
            return Stored(Outcome.ALREADY_DONE)
        now = self.clock.now()
        code = self.ids.code()
        promise = self._promise(now)
        # Only a person is told: a timer or a staff member's command is not theirs.
        from_person = not isinstance(pending.content, StaffAction | TimerDue)
        said = Say(PARKED_KEY, {"code": code, "day": promise.told})
        said_to_person = (rendered(self.flows.copy, said),) if from_person else ()
        messages = fitted(said_to_person, traits_of(held.channel, self.config), self.flows.copy)
        row_ids = turns.park(
            conn,
            self.keys,
            held,
            pending,
            code=code,
            promised=promise.until,
            messages=messages,
            ids=self.ids,
            now=now,
            handing=self.sender.handing(conn, held, len(messages)),
            record=TurnRecord(step=held.session.asked.key if held.session.asked else ""),
            text=words_of(pending.content),
        )
        rows = outgoing(held, pending, messages, row_ids, now)
        return Stored(Outcome.PARKED, rows, len(rows) < len(messages))

    # ── after the commit ─────────────────────────────────────────────────────────────────────────

    def _hand_over(self, pending: Pending, stored: Stored) -> None:
        if stored.outcome in (Outcome.HANDLED, Outcome.PARKED):
            self.handled += 1
            self.sender.take_over(stored.rows, conversation=pending.conversation, left=stored.left)

    def _tell(self, pending: Pending, stored: Stored, timings: Timings, elapsed_s: float) -> None:
        record = stored.record
        if record is None:
            return
        store_s = elapsed_s - timings.understand_s - timings.hold_s - timings.decide_s
        log.info(
            "turn.handled",
            inbox=pending.inbox_id,
            conversation=pending.conversation,
            step=record.step,
            intent=record.intent,
            confidence=round(record.confidence, 3),
            effects=list(record.effects),
            ms=round(elapsed_s * 1000, 2),
            ms_split={**record.timings_ms, "store": round(store_s * 1000, 3)},
        )


def cut(content: Content, max_chars: int) -> Content:
    """The content with no more words than are read."""
    if isinstance(content, Text | Edited) and len(content.text) > max_chars:
        return msgspec.structs.replace(content, text=content.text[:max_chars])
    if isinstance(content, Media) and len(content.caption) > max_chars:
        return msgspec.structs.replace(content, caption=content.caption[:max_chars])
    return content


def words_of(content: Content) -> str:
    """What a person wrote in this message, "" when nothing."""
    match content:
        case Text(text=text):
            return text
        case Media(caption=caption):
            return caption
        case _:
            return ""


def record_of(held: Held, turn: Turn, decision: Decision, timings: Timings) -> TurnRecord:
    """Why the bot said what it said, for `rangkul explain` and replay."""
    reading = turn.understanding
    asked = held.session.asked
    return TurnRecord(
        intent=reading.intent if reading else "",
        confidence=reading.confidence if reading else 0.0,
        engine=reading.engine if reading else "",
        step=asked.key if asked else "",
        traces=decision.trace,
        effects=tuple(effect.__struct_config__.tag or "" for effect in decision.effects),  # type: ignore[misc]
        timings_ms=timings.in_ms(),
    )


def outgoing(
    held: Held, pending: Pending, messages: Sequence[Rendered], row_ids: Sequence[int], now: datetime
) -> tuple[Outgoing, ...]:
    """The outbox rows just written that are ours to send, the first of these messages, without reading them again."""
    return tuple(
        Outgoing(
            id=row_id,
            conversation=held.conversation,
            channel=held.channel,
            address=held.address,
            inbox_id=pending.inbox_id,
            n=n,
            body=body,
            attempts=0,
            status="new",
            written_at=now,
            phone=held.phone,
        )
        for n, (row_id, body) in enumerate(zip(row_ids, messages, strict=False))
    )
