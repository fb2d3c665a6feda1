"""A fake WhatsApp Cloud API: what Meta's servers hold, judge and answer, on a clock that is handed in.

Strict: it refuses what the platform refuses. It knows nothing of our own code. `FakeWhatsApp` is the state; its `app`
serves it over HTTP; `inbound` builds what people do; a Courier (whatsapp_delivery) posts that to our webhook.

Where Meta's pages are silent it is on the strict side: blank texts are refused, lengths are counted in code points.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from starlette.applications import Starlette

from bot.fakes.whatsapp_app import build_app
from bot.fakes.whatsapp_checks import Outgoing, check_message, check_read
from bot.fakes.whatsapp_errors import GraphError
from bot.fakes.whatsapp_events import status, wamid
from bot.fakes.whatsapp_inbound import Inbound
from bot.fakes.whatsapp_limits import WINDOW, NumberWindow, PairBucket
from bot.fakes.whatsapp_media import MediaStore
from bot.fakes.whatsapp_records import (
    Accepted,
    Account,
    Event,
    Fault,
    Json,
    Request,
    Rule,
    StatusName,
    Template,
    User,
    Violation,
)
from bot.fakes.whatsapp_templates import Filled, fill

ALWAYS_LATE: Final = frozenset({131026})
"""Whether somebody has WhatsApp is not known yet when Meta answers."""

READABLE: Final = timedelta(days=30)
"""How long a message may be marked as read (Meta's page mark-message-as-read)."""


class FakeWhatsApp:
    """One business number and the people who may write to it.

    `now`: aware UTC. `automatic`: statuses that follow each accepted message, put into `due` at once. `late_codes`:
    refusals of these codes come as 200 and a failed status, as Meta often does for 131047, instead of in the answer.

    `file_host`: when set, files in webhooks carry a short-lived address there, as newer ones do.

    Read `requests` (every call), `accepted` (what people got), `violations` (limits passed), `read_marks` and
    `typing_shown` (wamids). `due` holds statuses that wait for a Courier.
    """

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        account: Account | None = None,
        templates: Iterable[Template] = (),
        automatic: tuple[StatusName, ...] = (),
        late_codes: Collection[int] = (),
    ) -> None:
        self.now = now
        self.account = account or Account()
        self.templates = list(templates)
        self.automatic = automatic
        self.late_codes = frozenset(late_codes)
        self.media = MediaStore(now)
        self.inbound = Inbound(self)
        self.requests: list[Request] = []
        self.accepted: list[Accepted] = []
        self.violations: list[Violation] = []
        self.read_marks: list[str] = []
        self.typing_shown: list[str] = []
        self.faults: list[Fault] = []
        self.due: deque[Event] = deque()
        self.subscribed = True
        self.callback_url = ""
        self.token_expired = False
        self.file_host = ""
        self.number = NumberWindow()
        self._users: dict[str, User] = {}
        self._heard: dict[str, datetime] = {}
        self._window_from: dict[str, datetime] = {}
        self._pairs: dict[str, PairBucket] = {}
        self._outcomes: dict[str, Accepted] = {}
        self._count = 0
        self.app: Starlette = build_app(self)

    # People

    def add_user(
        self,
        name: str,
        *,
        phone: str | None = None,
        user_id: str | None = None,
        username: str | None = None,
        shows_phone: bool = True,
    ) -> User:
        """Makes somebody reachable; they have not written yet, so only templates reach them."""
        user = User(name=name, phone=phone, user_id=user_id, username=username, shows_phone=shows_phone)
        self._users.update({address: user for address in (phone, user_id) if address})
        return user

    def replace_user(self, user: User, *, phone: str) -> User:
        """The same person at another number; nobody answers at the old one."""
        moved = replace(user, phone=phone)
        if user.phone:
            self._users.pop(user.phone, None)
        self._users.update({address: moved for address in (phone, moved.user_id) if address})
        return moved

    def user_at(self, address: str) -> User | None:
        """Who has this phone (digits) or business-scoped id."""
        return self._users.get(address)

    def shown_to(self, user: User) -> list[Accepted]:
        """What this person got, in order."""
        return [message for message in self.accepted if message.to == user.key]

    def heard(self, user: User, message_id: str) -> None:
        """This person wrote now: their 24 hours begin again."""
        self._heard[message_id] = self.now()
        self._window_from[user.key] = self.now()
        self.number.count(self.now())

    def adopt(self, payload: Json) -> None:
        """Takes over the people and messages of a hand-written webhook payload, as if they had written now."""
        for entry in payload["entry"]:
            for change in entry["changes"]:
                value = change["value"]
                names = {_address(contact, "wa_id", "user_id"): contact for contact in value.get("contacts", [])}
                for message in value.get("messages", []):
                    address = _address(message, "from", "from_user_id")
                    profile = names.get(address, {}).get("profile", {})
                    user = self.user_at(address) or self.add_user(
                        profile.get("name", ""),
                        phone=message.get("from"),
                        user_id=message.get("from_user_id"),
                        username=profile.get("username"),
                    )
                    self.heard(user, message["id"])

    def new_inbound_id(self, user: User) -> str:
        """A wamid for the next message of this person."""
        self._count += 1
        return wamid(user.phone or user.key, self._count, outgoing=False)

    # Trouble

    def fail(self, fault: Fault) -> None:
        """Adds trouble; of several that fit, the oldest is used up first."""
        self.faults.append(fault)

    def take_fault(self, kind: str, to: str) -> Fault | None:
        """Uses up one passage of the first fault that fits."""
        names = {to, self._users[to].key} if to in self._users else {to}
        for fault in self.faults:
            if fault.kind in (None, kind) and (fault.to is None or fault.to in names):
                fault.times -= 1
                if fault.times == 0:
                    self.faults.remove(fault)
                return fault
        return None

    # What the API does

    def authorise(self, header: str | None) -> None:
        """Raises GraphError unless the header carries the account's token, still valid."""
        if not header:
            raise GraphError(0, "An access token is required to request this resource.")
        scheme, _, token = header.partition(" ")
        if scheme != "Bearer" or token != self.account.token:
            raise GraphError(190, "Invalid OAuth access token")
        if self.token_expired:
            raise GraphError(190, "Error validating access token: Session has expired", subcode=463)

    def send(self, params: Json, *, late_code: int | None = None) -> Json:
        """A message or a read mark; the answer's JSON. Raises GraphError.

        `late_code`: answered as accepted, then reported as failed.
        """
        if "status" in params:
            return self._mark_read(params)
        outgoing = check_message(params)
        self._check_file(outgoing)
        user = self._users.get(outgoing.address)
        filled = self._fill_template(outgoing) if outgoing.kind == "template" else None
        if late_code is None:
            late_code = self._late_refusal(outgoing, user)
        message = self._message(outgoing, user, filled, params)
        self._outcomes[message.id] = message
        if late_code is not None:
            self.due.append(self.status(message, "failed", code=late_code))
        else:
            self.accepted.append(message)
            self.due.extend(self.status(message, name) for name in self.automatic)
        return _answer(outgoing, user, message)

    def status(self, message: Accepted | str, name: StatusName, *, code: int | None = None) -> Event:
        """The webhook event for a message of ours (or its wamid). Raises KeyError for a wamid we never gave."""
        found = self._outcomes[message] if isinstance(message, str) else message
        return status(
            self._users.get(found.address),
            name,
            id=found.id,
            at=self.now(),
            address=found.address,
            tracker=found.tracker,
            code=code,
            category="utility" if found.template else "service",
        )

    def record(self, request: Request) -> None:
        """Notes a call that was made."""
        self.requests.append(request)

    def _mark_read(self, params: Json) -> Json:
        message_id, typing = check_read(params)
        heard_at = self._heard.get(message_id)
        if heard_at is None or self.now() - heard_at > READABLE:
            raise GraphError(131009, "message_id is no message of the last 30 days")
        self.read_marks.append(message_id)
        if typing:
            self.typing_shown.append(message_id)
        return {"success": True}

    def _check_file(self, outgoing: Outgoing) -> None:
        if outgoing.media is not None and outgoing.media.id is not None:
            self.media.check_sendable(outgoing.media.kind, outgoing.media.id)

    def _fill_template(self, outgoing: Outgoing) -> Filled:
        filled = fill(self.templates, outgoing.part)
        if filled.template.category == "AUTHENTICATION" and outgoing.by_user_id:
            raise GraphError(131062)
        return filled

    def _message(self, outgoing: Outgoing, user: User | None, filled: Filled | None, params: Json) -> Accepted:
        self._count += 1
        return Accepted(
            id=wamid((user.phone if user else None) or outgoing.address, self._count, outgoing=True),
            to=user.key if user else outgoing.address,
            address=outgoing.address,
            kind=outgoing.kind,
            text=filled.text if filled else outgoing.text,
            taps=filled.taps if filled else outgoing.taps,
            media=outgoing.media,
            tracker=outgoing.tracker,
            reply_to=outgoing.reply_to,
            template=filled.template.name if filled else None,
            at=self.now(),
            raw=params,
        )

    def _late_refusal(self, outgoing: Outgoing, user: User | None) -> int | None:
        """The code of a failure that is told later, None if all is well. Raises GraphError for one told at once."""
        try:
            self._check_limits(outgoing, user)
        except GraphError as refusal:
            if refusal.code not in self.late_codes | ALWAYS_LATE:
                raise
            return refusal.code
        return None

    def _check_limits(self, outgoing: Outgoing, user: User | None) -> None:
        at, key = self.now(), user.key if user else outgoing.address
        if user is not None and outgoing.kind != "template" and not self.window_open(user):
            raise self._violated("window", key, 131047, "24 hours have passed since the person last wrote")
        if not self.number.has_room(at):
            raise self._violated("number", key, 130429, "more than 80 messages within a second")
        if not self._pairs.setdefault(key, PairBucket()).take(at):
            raise self._violated("pair", key, 131056, "more than 45, then 1 each 6 s, to one person")
        self.number.count(at)
        if user is None:
            raise self._violated("unknown_user", key, 131026, "nobody there has WhatsApp")

    def window_open(self, user: User) -> bool:
        """Whether free messages reach this person now."""
        since = self._window_from.get(user.key)
        return since is not None and self.now() - since < WINDOW

    def _violated(self, rule: Rule, to: str, code: int, details: str) -> GraphError:
        self.violations.append(Violation(rule, to, self.now(), details))
        return GraphError(code, details)


def _answer(outgoing: Outgoing, user: User | None, message: Accepted) -> Json:
    contact = {"input": outgoing.input}
    if outgoing.by_user_id:
        contact["user_id"] = outgoing.address
    else:
        contact["wa_id"] = outgoing.address
        if user and user.user_id:
            contact["user_id"] = user.user_id
    sent = {"id": message.id}
    if outgoing.kind == "template":
        sent["message_status"] = "accepted"
    return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [sent]}


def _address(part: Mapping[str, str], phone: str, user_id: str) -> str:
    return part.get(user_id) or part.get(phone) or ""
