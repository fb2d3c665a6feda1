"""Plays one case on a stage: every step, what goes wrong during it, and what is expected after it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any, Final

from sqlalchemy import Connection

from bot import faults
from bot.attachments import Attachment
from bot.replay.attachments import attached, bytes_of
from bot.replay.casting import BadFixture, Person, person_of
from bot.replay.judging import Happened, judge, judge_bot_step, needs_records
from bot.replay.outcome import CaseOutcome, Failure, Spoken
from bot.replay.platforms import Doing, said_by
from bot.replay.recordings import Recorded
from bot.replay.records import Found, judge_records, judge_sent, read_records
from bot.replay.script import (
    LATEST_TICKET,
    Act,
    BotStep,
    BotUttered,
    Case,
    Faults,
    FillForm,
    Message,
    PressButton,
    RecordKind,
    RecordsAre,
    SayText,
    Script,
    SendMedia,
    SendSticker,
    SentIs,
    ShareContact,
    ShareLocation,
    StaffFixture,
    StaffStep,
    UserStep,
    WaitStep,
)
from bot.replay.stage import Stage, next_lease_end, next_moment
from bot.replay.standing import stood, visited_by
from bot.turn import PARKED_KEY
from flows.model import Choice, Contact, Content, FormAnswer, Location, StaffAction, Sticker, Text
from storage import conversations, events, forms, outbox, tickets
from storage.conversations import Held
from storage.database import Unavailable
from storage.events import Event, TurnRecord
from storage.inbox import Accepted
from storage.outbox import Outgoing
from storage.turns import BOT

STEP: Final = timedelta(seconds=1)
"""The clock goes on by this with every message and every act of staff, so that records have an order."""

TRY_AGAIN: Final = timedelta(seconds=5)
"""After so long a platform delivers again what we could not store."""

MAX_ROUNDS: Final = 10_000
"""Timers and retries that one step may bring before it is called endless."""


LOG_LINES: Final = 8
"""Warnings of the program that a report shows, the last ones."""


_CODE_HERE: Final = f"{{{LATEST_TICKET}}}"


class CannotAct(Exception):
    """A step that nobody could take: a button that was never shown, a ticket that is not there."""


@dataclass(slots=True)
class Play:
    """One case being played. Not used twice."""

    stage: Stage
    script: Script
    case: Case
    recorded: Recorded | None = None
    covers: bool = False
    people: dict[str, Person] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)
    talk: list[Spoken] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    visited: set[str] = field(default_factory=set)
    _line: int = 0
    _number: int = 0
    _since: int = 0
    _told: int = 0

    # ── the whole case ───────────────────────────────────────────────────────────────────────────

    async def run(self) -> CaseOutcome:
        """Plays until the end or the first step whose expectations do not hold."""
        self.stage.set_up(now=self.script.now, channel=self.case.channel)
        began = perf_counter()
        try:
            self.made = await self.stage.put(self.case.fixtures)
            for number in self._order():
                await self._take(number)
                if self.failures:
                    break
            else:
                await self._judge_final()
        except (CannotAct, BadFixture) as error:
            self.failures.append(Failure(self._line, "a step that can be taken", str(error)))
        await self.stage.program.sender.finish_started()
        where = await self._stood() if self.failures else ""
        return CaseOutcome(
            path=self.script.path,
            name=self.case.name,
            line=self.case.line,
            turns=self.stage.turns,
            seconds=perf_counter() - began,
            failures=tuple(self.failures),
            stood=where,
            log=tuple(dict.fromkeys(self.log))[-LOG_LINES:],
            talk=tuple(self.talk),
            visited=frozenset(self.visited),
        )

    def _order(self) -> list[int]:
        """The steps in the order they are taken: one that comes before the previous goes first."""
        order = list(range(len(self.case.steps)))
        for number, step in enumerate(self.case.steps):
            if isinstance(step, UserStep) and step.faults.delivery.before_previous:
                order[number - 1], order[number] = order[number], order[number - 1]
        return order

    # ── one step ─────────────────────────────────────────────────────────────────────────────────

    async def _take(self, number: int) -> None:
        step = self.case.steps[number]
        self._line = step.line
        if isinstance(step, BotStep):
            messages = self._heard(self._person(step.who) if step.who else None)
            self._judge(judge_bot_step(step, messages))
            return
        self._since = len(self.stage.platform.taken)
        seen = await self._known_events() if isinstance(step, WaitStep) and _asks_records(step) else frozenset()
        self._prepare(step)
        logged = len(self.log)
        whom: Person | None = None
        inbox_ids: list[int] = []
        match step:
            case UserStep():
                whom, inbox_ids = await self._user(step)
            case StaffStep():
                inbox_ids = await self._staff(step)
            case WaitStep():
                await self._wait(step)
        if self.stage.program.sender.paces_itself:
            await self._retry_sends()
        await self._clear_up(step)
        self._note_replies()
        self._refuse_parked(step, self.log[logged:])
        self._refuse_amiss()
        if self.covers:
            await self._cover()
        happened = await self._happened(step, whom, inbox_ids, seen)
        for assertion in step.assertions:
            self._judge(judge(assertion, happened))

    def _prepare(self, step: Act) -> None:
        """Sets up what is to go wrong."""
        stage, fault = self.stage, step.faults
        if fault.provider:
            stage.platform.refuse(fault.provider)
        if fault.database_down:
            stage.outage.go_down(fault.database_down, after=fault.database_after)
        stage.ears.is_down = fault.engine_down
        if fault.crash:
            faults.arm(fault.crash)

    async def _clear_up(self, step: Act) -> None:
        """Lets retries run their course, and sees that an ordered crash came."""
        if step.faults.provider or step.faults.crash or step.faults.database_down:
            await self._settle()
            await self._retry_sends()
        if faults.is_armed():
            faults.disarm()
            reached = f"it was never reached: {step.faults.crash}"
            self.failures.append(Failure(step.line, f"a crash at {step.faults.crash}", reached))
        self.stage.ears.is_down = False
        if self.recorded is not None and self.recorded.missing:
            texts = ", ".join(repr(text) for text in self.recorded.missing)
            self.recorded.missing.clear()
            self.failures.append(Failure(step.line, "a recorded understanding", f"none for {texts}; use --record"))

    def _refuse_parked(self, step: Act, logged: Sequence[str]) -> None:
        """A message that the program gave up on fails the case, unless the script says that it should."""
        expected = any(isinstance(one, BotUttered) and one.utterance.key == PARKED_KEY for one in step.assertions)
        if not expected and any(line.startswith("turn.parked") for line in logged):
            reasons = [line for line in logged if line.startswith("turn.failed")]
            self.failures.append(Failure(step.line, "a message that is handled", reasons[-1] if reasons else "parked"))

    def _refuse_amiss(self) -> None:
        """What a person saw otherwise than it was said fails the case, whatever it expects."""
        amiss = self.stage.platform.amiss
        if amiss:
            self.failures.append(Failure(self._line, "messages that are seen as they were said", amiss[0]))
            amiss.clear()

    async def _user(self, step: UserStep) -> tuple[Person, list[int]]:
        person = await self._met(step.who)
        message = await self._with_codes(step.message)
        content, files = self._content(message, person)
        self.talk.append(Spoken("person", person.name or person.address, _words(step.message)))
        self._number += 1
        self.stage.clock.advance(STEP)
        if isinstance(content, FormAnswer):
            await self._use_link(person, content)
            return person, await self._deliver_internal(step, person.conversation, f"form/{self._number}", content)
        data = bytes_of(self.script.path, message) if isinstance(message, SendMedia) else b""
        doing = Doing(message, content, files, data, self._number, self.stage.clock.now())
        parcel = self.stage.platform.pack(person, doing)
        inbox_ids = []
        for time in range(step.faults.delivery.times):
            if time and step.faults.delivery.after:
                await self._settle()
                await self._pass(self.stage.clock.now() + step.faults.delivery.after)
            accepted = await self._receive(parcel)
            if accepted is not None:
                person.conversation = accepted.conversation
                inbox_ids.append(accepted.inbox_id)
        await self._settle_received(in_full=step.faults != Faults())
        return person, inbox_ids

    async def _met(self, who: str) -> Person:
        """Who speaks; somebody new is given their address on the platform."""
        is_new = who not in self.people
        person = self._person(who)
        if is_new:
            await self.stage.platform.introduce(person)
        return person

    async def _receive(self, parcel: Any) -> Accepted | None:
        """One delivery, again while the database is away, as a platform does. None when nothing came of it."""
        for _ in range(MAX_ROUNDS):
            try:
                return await self.stage.platform.deliver(parcel)
            except Unavailable:
                self.stage.clock.advance(TRY_AGAIN)
            except faults.SimulatedCrash:
                await self._recover()
                # Stored before the crash: asking again says where, as a platform's own second delivery would.
                return await self.stage.platform.deliver(parcel)
        raise CannotAct("the database never came back")

    async def _use_link(self, person: Person, answer: FormAnswer) -> None:
        """Where the page was offered by a link, its token is used up, as the page itself does."""
        links = [row.body.link for row in self._all_heard(person) if row.body.form == answer.slot and row.body.link]
        if not links:
            return
        token, now = links[-1].rpartition("/")[2], self.stage.clock.now()
        target = await self.stage.outage.transaction(lambda conn: forms.use(conn, self.stage.keys, token, now))
        if target is None:
            raise CannotAct(f"the link to the page for {answer.slot} is used up or too old")

    async def _deliver_internal(self, step: Act, conversation: str, key: str, content: Content) -> list[int]:
        inbox_ids = []
        for time in range(step.faults.delivery.times):
            if time and step.faults.delivery.after:
                await self._settle()
                await self._pass(self.stage.clock.now() + step.faults.delivery.after)
            try:
                accepted = await self.stage.program.receive_internal(
                    conversation=conversation, key=key, content=content
                )
            except faults.SimulatedCrash:
                await self._recover()
                accepted = await self.stage.program.receive_internal(
                    conversation=conversation, key=key, content=content
                )
            inbox_ids.append(accepted.inbox_id)
        await self._settle()
        return inbox_ids

    async def _staff(self, step: StaffStep) -> list[int]:
        code = await self._ticket_code(step)
        conversation = await self.stage.outage.read(lambda conn: tickets.conversation_of(conn, code))
        if conversation is None:
            raise CannotAct(f"there is no ticket {code} with a conversation")
        whose = step.to or step.staff
        fixture = self.case.fixtures[whose]
        assert isinstance(fixture, StaffFixture)
        if step.verb == "take":
            self.taken[step.staff] = code
        self._number += 1
        self.stage.clock.advance(STEP)
        self.talk.append(Spoken("staff", fixture.name, f"{step.verb} {step.text or code}"))
        action = StaffAction(step.verb, code, self.made[whose], fixture.name, step.text)
        return await self._deliver_internal(step, conversation, f"staff/{self._number}", action)

    async def _ticket_code(self, step: StaffStep) -> str:
        if step.ticket and step.ticket != LATEST_TICKET:
            return step.ticket.upper()
        if not step.ticket and step.staff in self.taken:
            return self.taken[step.staff]
        return await self._latest_ticket()

    async def _latest_ticket(self) -> str:
        found = await self.stage.database.read(lambda conn: tickets.list_tickets(conn, self.stage.keys, limit=10_000))
        if not found:
            raise CannotAct("there is no ticket")
        return max(found, key=lambda ticket: ticket.opened_at).code

    async def _with_codes(self, message: Message) -> Message:
        """Words with the code of the latest ticket where they name it."""
        if isinstance(message, SayText) and _CODE_HERE in message.text:
            return SayText(message.text.replace(_CODE_HERE, await self._latest_ticket()))
        return message

    async def _wait(self, step: WaitStep) -> None:
        target = step.until or self.stage.clock.now() + (step.by or timedelta(0))
        self.talk.append(Spoken("clock", "", f"until {target.isoformat(timespec='minutes')}"))
        await self._pass(target)

    # ── time and crashes ─────────────────────────────────────────────────────────────────────────

    async def _settle(self) -> None:
        """Until the program is at rest; through a crash, if one is due."""
        try:
            await self.stage.program.settle()
        except faults.SimulatedCrash:
            await self._recover()
            await self.stage.program.settle()

    async def _settle_received(self, *, in_full: bool) -> None:
        """What came in is handled and sent.

        Unless `in_full`, that it was sent is marked together with whatever is stored next, as in a busy service: it
        saves a commit a turn. Looks at timers and left rows only when nothing was said: that costs a transaction.
        """
        program, before = self.stage.program, len(self.stage.platform.taken)
        try:
            if in_full:
                await program.settle_received()
            while program.worklist.has_ready:
                await program.worklist.work_on_next(program.turns.handle)
                await asyncio.sleep(0)  # the sending begins
        except faults.SimulatedCrash:
            await self._recover()
        if len(self.stage.platform.taken) == before:
            await self._settle()

    async def _recover(self) -> None:
        """The process died: a new one on the same file, after the dead one's hold on its messages ran out."""
        self.stage.crash()
        self.stage.rise()
        self.talk.append(Spoken("clock", "", "the process died and was started anew"))
        await self.stage.program.settle()

    async def _pass(self, target: datetime) -> None:
        """Moves the clock; timers and retries that come due on the way happen in their order."""
        await self._settle()
        for _ in range(MAX_ROUNDS):
            due = await self._next_moment()
            if due is None or due > target:
                self.stage.clock.advance_to(target)
                await self._settle()
                return
            self.stage.clock.advance_to(due)
            await self._settle()
        raise CannotAct(f"more than {MAX_ROUNDS} timers and retries came due in one wait")

    async def _retry_sends(self) -> None:
        """Moves the clock from retry to retry until nothing waits to be sent."""
        for _ in range(MAX_ROUNDS):
            await self._settle()
            if not await self.stage.database.read(lambda conn: outbox.can_be_sent(conn, self.stage.clock.now())):
                return
            due = await self._next_lease_end()
            self.stage.clock.advance_to(due or self.stage.clock.now() + STEP)
        raise CannotAct("messages never stopped waiting to be sent")

    async def _next_moment(self) -> datetime | None:
        """When something that waits can next go on: a timer, a retry, a message that somebody else held."""
        now = self.stage.clock.now()
        return await self.stage.database.read(lambda conn: next_moment(conn, now))

    async def _next_lease_end(self) -> datetime | None:
        """When a message can go on that somebody else held. No timer fires early because a reply was held up."""
        now = self.stage.clock.now()
        return await self.stage.database.read(lambda conn: next_lease_end(conn, now))

    # ── what was said ────────────────────────────────────────────────────────────────────────────

    def _person(self, who: str) -> Person:
        if who not in self.people:
            self.people[who] = person_of(self.case, who)
        return self.people[who]

    def _heard(self, person: Person | None) -> tuple[Outgoing, ...]:
        """Messages since the last step, to one person or to everybody."""
        new = self.stage.platform.taken[self._since :]
        return tuple(said for row in new if person is None or row.address == person.address for said in said_by(row))

    def _note_replies(self) -> None:
        taken = self.stage.platform.taken
        for row in (said for one in taken[self._told :] for said in said_by(one)):
            titles = tuple(button.title for button in row.body.options)
            self.talk.append(
                Spoken("bot" if row.author == BOT else "staff", row.author, row.body.text, row.key, titles)
            )
        self._told = len(taken)

    async def _happened(
        self, step: Act, whom: Person | None, inbox_ids: Sequence[int], seen: frozenset[int]
    ) -> Happened:
        if not _asks_records(step):
            return Happened(self._heard(whom))
        if isinstance(step, WaitStep):
            found = [event for event in await self._all_events() if event.id not in seen]
        else:
            found = await self.stage.database.read(lambda conn: self._events_of(conn, inbox_ids))
        records = tuple(event.record for event in found if isinstance(event.record, TurnRecord))
        return Happened(self._heard(whom), records)

    def _events_of(self, conn: Connection, inbox_ids: Sequence[int]) -> list[Event]:
        """Records of the turns of these messages."""
        wanted = dict.fromkeys(inbox_ids)
        return [event for row in wanted for event in events.by_inbox(conn, self.stage.keys, row)]

    async def _known_events(self) -> frozenset[int]:
        return frozenset(event.id for event in await self._all_events())

    async def _all_events(self) -> list[Event]:
        spoken = [person.conversation for person in self.people.values() if person.conversation]

        def read(conn: Connection) -> list[Event]:
            return [event for one in spoken for event in events.of_conversation(conn, self.stage.keys, one)]

        return await self.stage.database.read(read)

    def _content(self, message: Message, person: Person) -> tuple[Content, tuple[Attachment, ...]]:
        match message:
            case SayText(text):
                return Text(text), ()
            case PressButton(title):
                return self._press(title, person), ()
            case SendMedia():
                return attached(
                    self.script.path,
                    message,
                    media=self.stage.ids.new(),
                    max_bytes=self.stage.config.web.upload_max_bytes,
                )
            case ShareLocation(latitude, longitude):
                return Location(latitude, longitude), ()
            case ShareContact(phone, own):
                return Contact(phone, own), ()
            case SendSticker(emoji):
                return Sticker(emoji), ()
            case FillForm(slot, value):
                offered = any(row.body.form == slot for row in self._all_heard(person))
                if not offered:
                    raise CannotAct(f"no page for {slot} was offered")
                return FormAnswer(slot, value), ()

    def _press(self, title: str, person: Person) -> Choice:
        """The button with this title on the newest message that has one; an old message's button can be pressed too."""
        wanted = title.casefold()
        for row in reversed(self._all_heard(person)):
            for button in row.body.options:
                if button.title.casefold() == wanted:
                    return Choice(button.payload, button.title)
        shown = [button.title for row in self._all_heard(person)[-1:] for button in row.body.options]
        raise CannotAct(f"no message has a button {title!r}; the last one has {', '.join(shown) or 'none'}")

    def _all_heard(self, person: Person) -> list[Outgoing]:
        taken = self.stage.platform.taken
        return [said for row in taken if row.address == person.address for said in said_by(row)]

    # ── judging ──────────────────────────────────────────────────────────────────────────────────

    def _judge(self, failure: Failure | None) -> None:
        if failure is not None:
            self.failures.append(failure)

    async def _judge_final(self) -> None:
        stage = self.stage
        await self._settle()
        self._note_replies()
        self._refuse_amiss()
        for check in self.case.final:
            match check:
                case SentIs():
                    self.failures += judge_sent(check, stage.platform.shown())
                case RecordsAre():
                    self._judge(judge_records(check, await self._records(check.kind)))

    async def _records(self, kind: RecordKind) -> list[Found]:
        return await self.stage.database.read(lambda conn: read_records(conn, self.stage.keys, kind))

    async def _stood(self) -> str:
        """Where each conversation was, in words for a report."""
        spoken = [person for person in self.people.values() if person.conversation]
        lines = [stood(await self._held(person)) for person in spoken]
        if len(spoken) > 1:
            lines = [f"{person.name or person.address}: {line}" for person, line in zip(spoken, lines, strict=True)]
        return "\n".join(lines) or "nobody has said anything yet"

    async def _cover(self) -> None:
        for person in self.people.values():
            if person.conversation:
                self.visited |= visited_by((await self._held(person)).session)

    async def _held(self, person: Person) -> Held:
        return await self.stage.database.read(
            lambda conn: conversations.peek(conn, self.stage.keys, person.conversation)
        )


def _asks_records(step: Act) -> bool:
    return any(needs_records(assertion) for assertion in step.assertions)


def _words(message: Message) -> str:
    """What a person did, as a line of the talk."""
    match message:
        case SayText(text):
            return text
        case PressButton(title):
            return f"[{title}]"
        case SendMedia(kind, file, caption):
            return f"({kind} {file}) {caption}".rstrip()
        case ShareLocation(latitude, longitude):
            return f"(location {latitude}, {longitude})"
        case ShareContact(phone, _):
            return f"(contact {phone})"
        case SendSticker(emoji):
            return f"(sticker {emoji})"
        case FillForm(slot, _):
            return f"(page for {slot} filled in)"
