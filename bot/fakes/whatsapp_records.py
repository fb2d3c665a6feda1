"""What the fake Cloud API knows and remembers: its account, its people, what was asked of it and what people got."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

Json = dict[str, Any]
"""A JSON object as it travels."""

StatusName = Literal["sent", "delivered", "read", "played", "failed"]
TemplateStatus = Literal["APPROVED", "PENDING", "REJECTED", "PAUSED", "DISABLED"]
Rule = Literal["pair", "number", "window", "unknown_user"]
"""pair: 45, then 1 per 6 s to one person. number: 80 a second, in and out. window: a free-form message outside the
24 hours. unknown_user: nobody there has WhatsApp."""

MADE_UP_TOKEN: Final = "EAAfake-system-user-token"  # noqa: S105 - opens nothing but the fake
MADE_UP_SECRET: Final = "fake-app-secret"  # noqa: S105


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One business account with one number and one app. `app_secret` signs webhooks, `token` is the bearer."""

    phone_id: str = "106540352242922"
    waba_id: str = "102290129340398"
    app_id: str = "1164738592013456"
    display_phone_number: str = "6221555090001"
    verified_name: str = "Rangkul"
    token: str = MADE_UP_TOKEN
    app_secret: str = MADE_UP_SECRET


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An invented person with WhatsApp.

    `phone`: digits with country code, None if they never gave one. `user_id`: the business-scoped id, None for the
    older webhooks without. `shows_phone` False: they go by a username, so `from` and `wa_id` are left out.
    """

    name: str
    phone: str | None = None
    user_id: str | None = None
    username: str | None = None
    shows_phone: bool = True

    def __post_init__(self) -> None:
        if self.wa_id is None and self.user_id is None:
            raise ValueError("a user whose phone does not show needs a user_id")

    @property
    def wa_id(self) -> str | None:
        """The number as webhooks show it; None when it does not show."""
        return self.phone if self.shows_phone else None

    @property
    def key(self) -> str:
        """What stands for this person in records, whichever address was used: the business-scoped id first."""
        return self.user_id or self.phone or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A message template. `body`, `header` and the addresses of its link buttons hold {{1}}, {{2}} … or {{name}}."""

    name: str
    body: str
    language: str = "id"
    status: TemplateStatus = "APPROVED"
    category: Literal["UTILITY", "MARKETING", "AUTHENTICATION"] = "UTILITY"
    header: str = ""
    footer: str = ""
    quick_replies: tuple[str, ...] = ()
    url_buttons: tuple[tuple[str, str], ...] = ()
    """(title, address)"""


@dataclass(frozen=True, slots=True)
class Tap:
    """Something to press: a reply button, a list row, a link (its payload is the address), a request for a place."""

    title: str
    payload: str
    kind: Literal["button", "row", "link", "location", "contact", "quick_reply"]
    description: str = ""


@dataclass(frozen=True, slots=True)
class SentMedia:
    """A file that went out, by our media id or by a public link."""

    kind: str
    id: str | None
    link: str | None
    filename: str | None = None
    voice: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A message that a person really got.

    `to`: the person's key (User.key), or the address used when nobody is known by it. `text`: header, body or
    caption, and footer, one a line. `tracker`: biz_opaque_callback_data. `raw`: the parameters as they came.
    """

    id: str
    to: str
    address: str
    kind: str
    text: str
    taps: tuple[Tap, ...] = ()
    media: SentMedia | None = None
    tracker: str | None = None
    reply_to: str | None = None
    template: str | None = None
    at: datetime
    raw: Json

    @property
    def buttons(self) -> list[tuple[str, str]]:
        """(title, payload) of everything to press, in order."""
        return [(tap.title, tap.payload) for tap in self.taps]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call, in order of arrival. `status`: HTTP, None when no answer was given. `code`: Meta's, None on success."""

    method: str
    path: str
    kind: str
    """`text`, `interactive` …, `read`, `typing`; otherwise `media`, `templates`, `number` … as the address says."""
    params: Json
    headers: Mapping[str, str]
    at: datetime
    status: int | None
    code: int | None = None
    details: str = ""


@dataclass(frozen=True, slots=True)
class Violation:
    """A limit that was passed."""

    rule: Rule
    to: str
    at: datetime
    details: str


@dataclass(slots=True, kw_only=True)
class Fault:
    """Trouble for the next fitting calls, `times` of them.

    Exactly one kind: `code` (an error of Meta's; `retry_after_s` as a header), `http_status` (an answer that is no
    JSON), `silent` (accepted, never answered), `dropped` (the connection breaks; `accepts` says whether the message
    was taken before), `delay_s` (answered rightly, so many real seconds later), `late_code` (200, then a failed
    status with this code). `kind` and `to` narrow it: the kind of request (as in Request.kind) and the person's key
    or address.
    """

    code: int | None = None
    http_status: int | None = None
    silent: bool = False
    dropped: bool = False
    accepts: bool = False
    delay_s: float | None = None
    late_code: int | None = None
    retry_after_s: int | None = None
    kind: str | None = None
    to: str | None = None
    times: int = 1

    def __post_init__(self) -> None:
        kinds = (self.code, self.http_status, self.silent or None, self.dropped or None, self.delay_s, self.late_code)
        if sum(kind is not None for kind in kinds) != 1:
            raise ValueError("a fault is of exactly one kind")


@dataclass(frozen=True, slots=True)
class Event:
    """One update on its way to the webhook: a message or a status, with the contact that travels beside it."""

    part: Literal["messages", "statuses"]
    body: Json
    contact: Json | None = None
    errors: tuple[Json, ...] = field(default=())

    @property
    def id(self) -> str:
        """The wamid of the message, or of the message the status is about."""
        return str(self.body.get("id", ""))
