"""The words of the conversation as types: what comes in, what is remembered, what is decided.

Everything here is a frozen value. `Message content -> Turn -> Decision` is the whole of the conversation;
the shell in `bot/` stores and carries out, and never adds a meaning of its own.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal, TypeAlias

import msgspec

from nlu.understanding import Understanding

Value: TypeAlias = str | int | bool | list[str] | None
"""What a slot holds. None means the person skipped the question."""


# ── what comes in ────────────────────────────────────────────────────────────────────────────────


class Text(msgspec.Struct, frozen=True, tag="text"):
    """Words as typed. `ref` is the platform's name of the message where the bot may delete it, '' elsewhere."""

    text: str
    ref: str = ""


class Edited(msgspec.Struct, frozen=True, tag="edited"):
    """A message that was sent before and has been changed since: the words as they now stand; `ref` as of `Text`."""

    text: str
    ref: str = ""


class Command(msgspec.Struct, frozen=True, tag="command"):
    """A command of the platform's menu, such as `start`, without the slash; `argument` is what follows it.

    The argument of `start` comes from a link or a printed code, and is looked up, never believed.
    """

    name: str
    argument: str = ""


class Choice(msgspec.Struct, frozen=True, tag="choice"):
    """A pressed button. `payload` is what we put on it; `title` is what the person saw."""

    payload: str
    title: str = ""


class Media(msgspec.Struct, frozen=True, tag="media"):
    """A photo, voice note or document; `media` is our own id of the stored bytes, '' when unusable.

    `problem` is '' or why the file could not be taken: too_big, unreadable, unsupported. `source` is what the
    platform gives the file out for, '' when its bytes came with the message. `album` is the same for pictures that
    were sent together; once they are gathered, `more` holds our ids of the others, and `missing` says how many could
    not be had. `ref` is the platform's name of the message that has the caption, as of `Text`.
    """

    kind: Literal["photo", "voice", "document"]
    media: str
    caption: str = ""
    problem: str = ""
    source: str = ""
    album: str = ""
    more: tuple[str, ...] = ()
    missing: int = 0
    ref: str = ""


def ids_of(media: Media) -> tuple[str, ...]:
    """Our ids of everything that was sent together; none when nothing could be kept."""
    return (media.media, *media.more) if media.media else ()


class Location(msgspec.Struct, frozen=True, tag="location"):
    """A shared place, degrees."""

    latitude: float
    longitude: float


class Contact(msgspec.Struct, frozen=True, tag="contact"):
    """A shared contact card. `own` only when the channel vouches that it is the sender's own."""

    phone: str
    own: bool = False


class Sticker(msgspec.Struct, frozen=True, tag="sticker"):
    """A sticker, reaction or anything else without words."""

    emoji: str = ""


class Unknown(msgspec.Struct, frozen=True, tag="unknown"):
    """Something that the platform has and we do not know; `what` is its own word for it."""

    what: str


class InGroup(msgspec.Struct, frozen=True, tag="in_group"):
    """Somebody called the bot in a group. What was written there is not kept, but whether it told of an accident."""

    urgent: bool = False


class FormAnswer(msgspec.Struct, frozen=True, tag="form"):
    """The one field of our secure page, filled in. `slot` names what was asked there."""

    slot: str
    value: str


class TimerDue(msgspec.Struct, frozen=True, tag="timer"):
    """A timer that this conversation set has come due."""

    kind: str
    ref: str = ""


class StaffAction(msgspec.Struct, frozen=True, tag="staff"):
    """Something a staff member did at the desk or on the command line."""

    verb: Literal["take", "reply", "note", "ask", "resolve", "return", "close", "assign"]
    ticket: str
    staff: str
    staff_name: str
    text: str = ""


Content: TypeAlias = (
    Text
    | Edited
    | Command
    | Choice
    | Media
    | Location
    | Contact
    | Sticker
    | Unknown
    | InGroup
    | FormAnswer
    | TimerDue
    | StaffAction
)


class Sender(msgspec.Struct, frozen=True):
    """Who writes, from where. `phone` is E.164 and only set when the channel vouches for it."""

    person: str
    conversation: str
    channel: str
    phone: str | None = None


class Turn(msgspec.Struct, frozen=True):
    """One inbound message with what understanding made of it, and everything a decision may use.

    `now` is aware UTC. `codes` are fresh record codes, enough for one turn; a decision that is made again
    from the start uses them again in the same order. `understanding` is None for content without words.
    """

    content: Content
    now: datetime
    sender: Sender
    codes: tuple[str, ...]
    owner: str = "bot"
    understanding: Understanding | None = None


# ── what is remembered ───────────────────────────────────────────────────────────────────────────


class Option(msgspec.Struct, frozen=True):
    """One offered answer: what the person sees (20 characters at most) and what choosing it does.

    `action` is `verb` or `verb:argument`, interpreted by the engine: `answer:3`, `start:enroll`, `edit:name`.
    """

    title: str
    action: str


class Asked(msgspec.Struct, frozen=True):
    """The question that stands open: what was asked, what was offered, and how often it missed."""

    number: int
    key: str
    args: dict[str, str] = {}
    slot: str = ""
    options: tuple[Option, ...] = ()
    numbered: bool = True
    misses: int = 0
    page: int = 0


class Task(msgspec.Struct, frozen=True):
    """One task under way: its flow, the answers so far and the order they were asked in.

    `answered_by` is the platform's name of the message that gave the newest answer, '' where it has none.
    """

    flow: str
    slots: dict[str, Value] = {}
    trail: tuple[str, ...] = ()
    answered_by: str = ""
    editing: str = ""
    confirmed: bool = False
    opening: str = ""


class Filed(msgspec.Struct, frozen=True):
    """The report that was sent last, and until when what the person tells besides belongs to it.

    `task` is the flow that it came from.
    """

    code: str
    task: str
    until: datetime


class Safety(msgspec.Struct, frozen=True):
    """The ticket of somebody who told of danger here, and how often they were answered since."""

    code: str
    answers: int = 0


class Proof(msgspec.Struct, frozen=True):
    """That this sender proved to be a member, and until when that is believed."""

    member: str
    until: datetime


class Known(msgspec.Struct, frozen=True):
    """What the person told about themselves that changes how we speak to them."""

    name: str = ""
    sex: Literal["", "male", "female"] = ""
    region: str = ""


class StaffWord(msgspec.Struct, frozen=True):
    """That a staff member wrote to the person about a ticket, when, and whether the person has answered since.

    `asked` is how many questions we had asked by then: one that was asked later is what the person answers.
    """

    ticket: str
    name: str
    at: datetime
    asked: int = 0
    answered: bool = False


class PrivateMessage(msgspec.Struct, frozen=True):
    """A message of the person that holds an identity number or a code: the platform's name of it, and its moment."""

    ref: str
    at: datetime


class Session(msgspec.Struct, frozen=True):
    """What must be stored to resume a conversation. `tasks[-1]` is the one at hand.

    `remembered` are answers about the person that a later task need not ask for again. `unclear_words` is the
    message that a "maksudnya … atau …?" is about: the chosen task begins with what it told. `private` is the last
    message that should not stay in the chat, so that it can be deleted when asked for in words. `awaits_staff` while
    staff hold the conversation and the person has the last word.
    """

    tasks: tuple[Task, ...] = ()
    asked: Asked | None = None
    asked_count: int = 0
    waiting: tuple[Understanding, ...] = ()
    known: Known = Known()
    proof: Proof | None = None
    consents: dict[str, str] = {}
    remembered: dict[str, Value] = {}
    filed: Filed | None = None
    safety: Safety | None = None
    unclear_words: Understanding | None = None
    last_seen: datetime | None = None
    unclear: int = 0
    greeted: bool = False
    opted_out: bool = False
    staff_word: StaffWord | None = None
    private: PrivateMessage | None = None
    awaits_staff: bool = False


# ── what a flow may ask to know ──────────────────────────────────────────────────────────────────


class IdentityCheck(msgspec.Struct, frozen=True, tag="identity"):
    """Is the sender, on a phone the channel vouches for, this member? One fact not contained in the NIK."""

    nik: str
    phone: str
    fact: Literal["kpj_last4", "last_paid"]
    given: str


class IdentityResult(msgspec.Struct, frozen=True):
    """`failures` counts failed tries on this NIK by anyone in the last 24 hours, this one not included."""

    outcome: Literal["proved", "failed", "locked"]
    member: str = ""
    failures: int = 0
    own_failures: int = 0


class MemberById(msgspec.Struct, frozen=True, tag="member"):
    """The member's record, for somebody who has proved to be that member."""

    member: str


class Contribution(msgspec.Struct, frozen=True):
    """One month paid: `month` is its first day, `amount` whole rupiah."""

    month: date
    amount: int
    paid_on: date


class MemberFacts(msgspec.Struct, frozen=True):
    """What is kept about a member. Money in whole rupiah; `paid_until` is the first day of the last paid month."""

    member: str
    name: str
    sex: Literal["", "male", "female"]
    status: str
    programmes: tuple[str, ...]
    paid_until: date | None
    jht_balance: int
    kpj: str
    sector: str
    contributions: tuple[Contribution, ...] = ()


class SenderIsMember(msgspec.Struct, frozen=True, tag="sender_is_member"):
    """Does the phone the channel vouches for stand on a member's record? Never told to anybody."""

    phone: str


class TicketByCode(msgspec.Struct, frozen=True, tag="ticket"):
    """The ticket or application with this code, or None."""

    code: str


class MyTickets(msgspec.Struct, frozen=True, tag="my_tickets"):
    """Tickets and applications filed by this person, newest first, ten at most."""


class TicketNote(msgspec.Struct, frozen=True):
    """One line of a ticket's history that the person may read."""

    at: datetime
    author: str
    text: str


class TicketFacts(msgspec.Struct, frozen=True):
    """A ticket as the person may see it; `mine` says whether this person filed it.

    `promised` is the day of the first human word, `due` the day by which it must be solved.
    """

    code: str
    kind: str
    category: str
    status: str
    promised: date | None
    opened: datetime
    mine: bool
    due: date | None = None
    owner: str = ""
    notes: tuple[TicketNote, ...] = ()


class WrongCodes(msgspec.Struct, frozen=True, tag="wrong_codes"):
    """How many wrong codes this person tried in the last hour."""


class OpenHandover(msgspec.Struct, frozen=True, tag="open_handover"):
    """The open hand-over ticket of this conversation, or None."""


Query: TypeAlias = IdentityCheck | MemberById | SenderIsMember | TicketByCode | MyTickets | WrongCodes | OpenHandover
Answer: TypeAlias = IdentityResult | MemberFacts | TicketFacts | tuple[TicketFacts, ...] | int | bool | None
Facts: TypeAlias = dict[Query, Answer]


# ── what is decided ──────────────────────────────────────────────────────────────────────────────


class Say(msgspec.Struct, frozen=True, tag="say"):
    """One message to the person: a reply key and its arguments, rendered from the copy when it is stored.

    `number` is the question these options belong to; a button carries it back, so that an old press is known.
    `form` names the slot that our one-field page may be offered for, '' for none. `wants` is what a channel may offer
    a button of its own for. `page` is which part of a long list of options is shown, from 0. `picture` names a
    picture that shows the same, '' for none.
    """

    key: str
    args: dict[str, str] = {}
    options: tuple[Option, ...] = ()
    number: int = 0
    numbered: bool = True
    form: str = ""
    wants: Literal["", "contact", "location"] = ""
    page: int = 0
    picture: str = ""


class DeleteMessage(msgspec.Struct, frozen=True, tag="delete_message"):
    """Takes a message of the person out of the chat; `ref` is the platform's name of it."""

    ref: str


class OpenTicket(msgspec.Struct, frozen=True, tag="open_ticket"):
    """Work for staff. `promised` is when a person is promised word; `due` when it must be solved."""

    code: str
    kind: str
    text: str
    category: str = ""
    priority: Literal["normal", "urgent"] = "normal"
    promised: datetime | None = None
    due: date | None = None
    name: str = ""
    details: dict[str, str] = {}
    media: tuple[str, ...] = ()
    restricted: bool = False
    anonymous: bool = False


class AddToTicket(msgspec.Struct, frozen=True, tag="add_to_ticket"):
    """A line in a ticket's history; `inner` lines are for staff alone. `author` is person, bot or a staff id."""

    code: str
    text: str
    author: str = "person"
    inner: bool = False
    media: tuple[str, ...] = ()


class SetTicketStatus(msgspec.Struct, frozen=True, tag="set_ticket_status"):
    """open, waiting (for the person), resolved or closed."""

    code: str
    status: Literal["open", "waiting", "resolved", "closed"]
    by: str = "person"


class RenewPromise(msgspec.Struct, frozen=True, tag="renew_promise"):
    """A promise was broken: a person is promised word by `promised` instead, and the ticket becomes urgent."""

    code: str
    promised: datetime


class AssignTicket(msgspec.Struct, frozen=True, tag="assign_ticket"):
    """Gives a ticket to a staff member, '' to nobody."""

    code: str
    staff: str


class Apply(msgspec.Struct, frozen=True, tag="apply"):
    """A sign-up as an application. A NIK that already has one adds a receipt to it, and the person hears the same."""

    code: str
    nik: str
    name: str
    birth_date: date
    sex: Literal["male", "female"]
    region: str
    occupation: str
    sector: str
    employer: bool
    income: int
    programmes: tuple[str, ...]
    months: int
    monthly_amount: int
    phone: str
    phone_owner: str
    for_whom: str
    relation: str
    consent_version: str
    declared_at: datetime


class RecordConsent(msgspec.Struct, frozen=True, tag="record_consent"):
    """The person agreed (or not) to a purpose, in the words of that version of the copy."""

    purpose: str
    version: str
    given: bool


class RecordIdentityTry(msgspec.Struct, frozen=True, tag="record_identity_try"):
    """One try to prove to be a member, for the locks."""

    nik: str
    proved: bool


class RecordWrongCode(msgspec.Struct, frozen=True, tag="record_wrong_code"):
    """One wrong ticket code, for the hourly limit."""


class OptOut(msgspec.Struct, frozen=True, tag="opt_out"):
    """No more messages of our own accord to this person."""


class OptIn(msgspec.Struct, frozen=True, tag="opt_in"):
    """Messages of our own accord are wanted again."""


class SetTimer(msgspec.Struct, frozen=True, tag="set_timer"):
    """Comes back as `TimerDue`; a timer of the same kind and ref in this conversation is replaced."""

    kind: str
    at: datetime
    ref: str = ""


class CancelTimer(msgspec.Struct, frozen=True, tag="cancel_timer"):
    """Forgets a timer that has not fired."""

    kind: str
    ref: str = ""


class ChangeOwner(msgspec.Struct, frozen=True, tag="change_owner"):
    """Who holds the conversation from here on: `bot` or a staff id."""

    owner: str
    reason: str


Effect: TypeAlias = (
    Say
    | DeleteMessage
    | OpenTicket
    | AddToTicket
    | SetTicketStatus
    | RenewPromise
    | AssignTicket
    | Apply
    | RecordConsent
    | RecordIdentityTry
    | RecordWrongCode
    | OptOut
    | OptIn
    | SetTimer
    | CancelTimer
    | ChangeOwner
)


class Trace(msgspec.Struct, frozen=True):
    """One thing that happened inside a decision, for `explain`, replay and the record of the conversation.

    `what` is flow_started, flow_completed, flow_cancelled, slot_set, slot_cleared, missed or note.
    """

    what: str
    name: str
    value: Value = None


class Decision(msgspec.Struct, frozen=True):
    """What the bot does about a turn: the next session, the effects in order, and why."""

    session: Session
    effects: tuple[Effect, ...]
    trace: tuple[Trace, ...] = ()


class Need(msgspec.Struct, frozen=True):
    """Facts that a decision lacks; asked of our own database, then the decision is made again."""

    queries: tuple[Query, ...]
