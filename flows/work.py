"""A decision being made: the session as it changes, what is said and done, and what happened on the way.

`Work` is the only thing in `flows/` that changes; it lives for one call of `decide` and is then frozen into a
`Decision`. It is also the `View` that flow functions look at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import msgspec

from flows.copybook import CopyBook
from flows.flow import Ask, Flow, local_day
from flows.model import (
    Answer,
    Asked,
    Decision,
    Effect,
    Facts,
    Filed,
    Known,
    Option,
    OptOut,
    PrivateMessage,
    Proof,
    Query,
    RecordConsent,
    Safety,
    Say,
    Session,
    StaffWord,
    Task,
    TimerDue,
    Trace,
    Turn,
    Value,
)
from flows.rules.calendar import Calendar, calendar_for, zone_of_region
from flows.settings import Settings
from nlu.understanding import Understanding


@dataclass(frozen=True, slots=True)
class Flows:
    """Everything the conversation is made of: the tasks by name, the words, the limits."""

    by_name: Mapping[str, Flow]
    copy: CopyBook
    settings: Settings


class Missing(Exception):
    """A fact that the decision lacks."""

    def __init__(self, query: Query) -> None:
        super().__init__(query)
        self.query = query


class Work:
    """See the module. Not shared, not kept."""

    def __init__(self, flows: Flows, session: Session, turn: Turn, facts: Facts) -> None:
        self.flows = flows
        self.turn = turn
        self.facts = facts
        self.before = session
        self.tasks: list[Task] = list(session.tasks)
        self.asked: Asked | None = session.asked
        self.asked_count = session.asked_count
        self.waiting: list[Understanding] = list(session.waiting)
        self.known: Known = session.known
        self.proof: Proof | None = session.proof
        self.consents: dict[str, str] = dict(session.consents)
        self.remembered: dict[str, Value] = dict(session.remembered)
        self.filed: Filed | None = session.filed
        self.safety: Safety | None = session.safety
        self.unclear = session.unclear
        self.unclear_words: Understanding | None = None
        self.greeted = session.greeted
        self.opted_out = session.opted_out
        self.staff_word: StaffWord | None = session.staff_word
        self.private: PrivateMessage | None = session.private
        self.awaits_staff = session.awaits_staff
        self.effects: list[Effect] = []
        self.trace: list[Trace] = []
        self.steps_taken = 0
        self.passes_unseen = isinstance(turn.content, TimerDue)
        self._codes: Iterator[str] = iter(turn.codes)

    # ── the View of flow functions ───────────────────────────────────────────────────────────────

    @property
    def slots(self) -> Mapping[str, Value]:
        return self.tasks[-1].slots if self.tasks else {}

    @property
    def opening(self) -> str:
        return self.tasks[-1].opening if self.tasks else ""

    @property
    def settings(self) -> Settings:
        return self.flows.settings

    @property
    def copy(self) -> CopyBook:
        return self.flows.copy

    @property
    def zone(self) -> str:
        """The person's zone, from their region; the office's when that is unknown."""
        return zone_of_region(self.known.region) if self.known.region else self.settings.office_zone

    @property
    def calendar(self) -> Calendar:
        return calendar_for(self.settings.office_zone)

    @property
    def today(self) -> date:
        """The programme's day (WIB)."""
        return local_day(self.turn.now, "Asia/Jakarta")

    @property
    def filed_now(self) -> Filed | None:
        """The report that what is told now belongs to, None when the last one was sent too long ago."""
        return self.filed if self.filed and self.turn.now < self.filed.until else None

    @property
    def is_parked(self) -> bool:
        """Whether a report was sent out of the middle of a task that now waits until the person asks for it."""
        return self.asked is None and self.filed_now is not None

    @property
    def under_way(self) -> frozenset[str]:
        """The tasks behind the one at hand."""
        return frozenset(task.flow for task in self.tasks[:-1])

    def fact(self, query: Query) -> Answer:
        if query not in self.facts:
            raise Missing(query)
        return self.facts[query]

    def fresh_code(self) -> str:
        return next(self._codes)

    def text(self, slot: str) -> str:
        value = self.slots.get(slot)
        return value if isinstance(value, str) else ""

    def number(self, slot: str) -> int:
        value = self.slots.get(slot)
        return value if isinstance(value, int) and not isinstance(value, bool) else 0

    # ── the task at hand ─────────────────────────────────────────────────────────────────────────

    @property
    def flow(self) -> Flow | None:
        """The flow of the task at hand, None between tasks."""
        return self.flows.by_name[self.tasks[-1].flow] if self.tasks else None

    @property
    def step(self) -> Ask | None:
        """The question of the task at hand that stands open, None when another kind of question does."""
        flow = self.flow
        return flow.step(self.asked.slot) if flow and self.asked and self.asked.slot else None

    def change_task(self, **changes: object) -> None:
        """Replaces fields of the task at hand."""
        self.tasks[-1] = msgspec.structs.replace(self.tasks[-1], **changes)

    def set_slots(self, values: Mapping[str, Value]) -> None:
        """Fills slots of the task at hand."""
        self.change_task(slots={**self.tasks[-1].slots, **values})
        self.trace += [Trace("slot_set", name, value) for name, value in values.items()]

    def clear_slots(self, names: Iterable[str]) -> None:
        """Forgets slots of the task at hand, so that they are asked again where they apply."""
        gone = [name for name in names if name in self.tasks[-1].slots]
        if gone:
            kept = {name: value for name, value in self.tasks[-1].slots.items() if name not in gone}
            self.change_task(slots=kept)
            self.trace += [Trace("slot_cleared", name) for name in gone]

    # ── speaking ─────────────────────────────────────────────────────────────────────────────────

    def option(self, label: str, action: str, **args: str) -> Option:
        """A button with the label of a copy key."""
        return Option(self.copy.label(f"label/{label}", **args), action)

    def say(self, key: str, **args: str) -> None:
        """Says something that asks nothing."""
        self.effects.append(Say(key, self._spoken(args)))

    def add(self, effects: Iterable[Effect]) -> None:
        """Adds effects in order; what they say is given the person's name, and consent is kept in mind."""
        for effect in effects:
            if isinstance(effect, RecordConsent) and effect.given:
                self.consents[effect.purpose] = effect.version
            if isinstance(effect, OptOut):
                self.opted_out = True
            if isinstance(effect, Say):
                effect = msgspec.structs.replace(effect, args=self._spoken(effect.args))
            self.effects.append(effect)

    def ask(
        self,
        key: str,
        *,
        slot: str = "",
        args: Mapping[str, str] | None = None,
        options: tuple[Option, ...] = (),
        numbered: bool = True,
        form: bool = False,
        misses: int = 0,
        aloud: bool = True,
    ) -> None:
        """Asks a new question: what comes next is read as its answer."""
        self.asked_count += 1
        self.asked = Asked(
            self.asked_count,
            key,
            self._spoken(args or {}),
            slot=slot,
            options=options,
            numbered=numbered,
            misses=misses,
        )
        if aloud:
            self._say_question(key, self.asked.args, form=slot if form else "")

    def ask_again(self, *, page: int = 0) -> None:
        """The very same question once more, at this page of its options; buttons of its first showing stay good."""
        if self.asked:
            self.asked = msgspec.structs.replace(self.asked, page=page)
            step = self.step
            form = self.asked.slot if step and step.form else ""
            self._say_question(self.asked.key, self.asked.args, form=form, page=page)

    def reprompt(self, key: str, **args: str) -> None:
        """The open question in other words, keeping its options."""
        assert self.asked
        progress = self.asked.args.get("progress")
        step = self.step
        form = self.asked.slot if step and step.form else ""
        self._say_question(key, self._spoken({**args, **({"progress": progress} if progress else {})}), form=form)

    def forget_person(self) -> None:
        """Forgets what was told about the person outside any record."""
        self.known, self.proof, self.remembered = Known(), None, {}
        self.private = None

    def settle_question(self) -> None:
        """No question stands open any more."""
        self.asked = None

    def note(self, what: str, name: str, value: Value = None) -> None:
        self.trace.append(Trace(what, name, value))

    def _say_question(self, key: str, args: Mapping[str, str], *, form: str = "", page: int = 0) -> None:
        assert self.asked
        step = self.step
        # Beside a question of the engine's own (a human, another try) there is nothing to share.
        shares = step is not None and step.kind == "phone" and not self.asked.key.startswith("engine/")
        self.effects.append(
            Say(
                key,
                dict(args),
                options=self.asked.options,
                number=self.asked.number,
                numbered=self.asked.numbered,
                form=form,
                wants="contact" if shares else "",
                page=page,
            )
        )

    def _spoken(self, args: Mapping[str, str]) -> dict[str, str]:
        return {"sapa": self.address(), **args}

    def address(self) -> str:
        """ "Pak Budi", "Bu Siti", or "Bapak/Ibu" until both name and sex are known."""
        if not (self.known.name and self.known.sex):
            return self.copy.label("label/address_unknown")
        first = self.known.name.split()[0]
        return self.copy.label(f"label/address_{self.known.sex}", name=first)

    # ── the end ──────────────────────────────────────────────────────────────────────────────────

    def decision(self) -> Decision:
        """Freezes what was decided."""
        return Decision(
            Session(
                tasks=tuple(self.tasks),
                asked=self.asked,
                asked_count=self.asked_count,
                waiting=tuple(self.waiting),
                known=self.known,
                proof=self.proof,
                consents=self.consents,
                remembered=self.remembered,
                filed=self.filed,
                safety=self.safety,
                unclear_words=self.unclear_words,
                last_seen=self.before.last_seen if self.passes_unseen else self.turn.now,
                unclear=self.unclear,
                greeted=self.greeted,
                opted_out=self.opted_out,
                staff_word=self.staff_word,
                private=self.private,
                awaits_staff=self.awaits_staff,
            ),
            tuple(self.effects),
            tuple(self.trace),
        )

    def has_expired(self, since_days: int) -> bool:
        """Whether the last word of this person lies further back than so many days."""
        last = self.before.last_seen
        return last is not None and self.turn.now - last > timedelta(days=since_days)

    def silent_for_hours(self, hours: int) -> bool:
        """Whether the last word of this person lies further back than so many hours."""
        last = self.before.last_seen
        return last is not None and self.turn.now - last > timedelta(hours=hours)
