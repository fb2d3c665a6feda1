"""Invented people and turns for the storage tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection

from flows.model import Apply, Content, Contribution, Decision, Effect, Session, Text
from storage import conversations, inbox, turns
from storage.conversations import Held
from storage.database import Database
from storage.events import TurnRecord
from storage.inbox import Accepted, Arrival
from storage.keyring import Keyring
from storage.members import MemberRow
from storage.outbox import Rendered

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
LEASE = NOW + timedelta(minutes=1)
NIK = "3174051209909001"
OTHER_NIK = "3174056509909002"
PHONE = "+6281234509001"
KPJ = "12345679001"


@dataclass
class Numbered:
    """Ids that count up, of the right length."""

    made: int = field(default=0)

    def new(self) -> str:
        """The next id."""
        self.made += 1
        return f"id{self.made:020d}"

    def code(self) -> str:
        """The next record code."""
        self.made += 1
        return f"RK-TEST-{self.made:04d}"


class Apart(Numbered):
    """Ids of another process: none is equal to one of `Numbered`."""

    def new(self) -> str:
        """The next id."""
        self.made += 1
        return f"ap{self.made:020d}"


def arrival(
    external_id: str,
    *,
    address: str = "visitor-1",
    content: Content | None = None,
    phone: str | None = None,
    channel: str = "web",
    at: datetime = NOW,
) -> Arrival:
    """A message as a channel brings it."""
    return Arrival(channel, address, external_id, content or Text("halo"), phone, at)


def rendered(*texts: str) -> tuple[Rendered, ...]:
    """Replies with these words."""
    return tuple(Rendered("test/reply", text) for text in texts)


def member(**changes: object) -> MemberRow:
    """Siti, a member since September; change what the test is about."""
    values: dict[str, object] = {
        "name": "Siti Rahayu",
        "nik": NIK,
        "kpj": KPJ,
        "phone": PHONE,
        "birth_date": date(1990, 9, 12),
        "sex": "female",
        "paid_until": date(2026, 10, 1),
        "jht_balance": 1_250_000,
        "sector": "trade",
        "programmes": ("JKK", "JKM", "JHT"),
        "contributions": (
            Contribution(date(2026, 9, 1), 36_800, date(2026, 9, 3)),
            Contribution(date(2026, 10, 1), 36_800, date(2026, 10, 5)),
        ),
    }
    return MemberRow(**{**values, **changes})  # type: ignore[arg-type]


def sign_up(code: str, *, nik: str = NIK) -> Apply:
    """A sign-up of Siti."""
    return Apply(
        code=code,
        nik=nik,
        name="Siti Rahayu",
        birth_date=date(1990, 9, 12),
        sex="female",
        region="3174",
        occupation="street_vendor",
        sector="trade",
        employer=False,
        income=1_500_000,
        programmes=("JKK", "JKM"),
        months=3,
        monthly_amount=16_800,
        phone=PHONE,
        phone_owner="self",
        for_whom="self",
        relation="",
        consent_version="2026-11",
        declared_at=NOW,
    )


@dataclass
class Desk:
    """Runs turns on one database as one worker."""

    database: Database
    keys: Keyring
    ids: Numbered
    worker: str = "w1"

    async def accept(self, message: Arrival) -> Accepted:
        """Store a message."""
        return await self.database.transaction(
            lambda conn: inbox.accept(conn, self.keys, message, ids=self.ids, worker=self.worker, lease_until=LEASE)
        )

    def finish_in(
        self,
        conn: Connection,
        accepted: Accepted,
        *effects: Effect,
        session: Session | None = None,
        replies: tuple[Rendered, ...] = (),
        now: datetime = NOW,
        held: Held | None = None,
    ) -> list[int]:
        """Decide and carry out, in a transaction that is open."""
        current = held or conversations.hold(conn, self.keys, accepted.conversation, accepted.inbox_id)
        return turns.finish(
            conn,
            self.keys,
            current,
            inbox.load(conn, self.keys, accepted.inbox_id),
            Decision(session or current.session, effects),
            replies,
            ids=self.ids,
            now=now,
            handing=turns.Handing(self.worker, LEASE),
            record=TurnRecord(intent="inform", confidence=0.9, engine="embedded", step="test/step"),
        )

    async def finish(
        self,
        accepted: Accepted,
        *effects: Effect,
        session: Session | None = None,
        replies: tuple[Rendered, ...] = (),
        now: datetime = NOW,
    ) -> list[int]:
        """Decide and carry out."""
        return await self.database.transaction(
            lambda conn: self.finish_in(conn, accepted, *effects, session=session, replies=replies, now=now)
        )

    async def turn(
        self,
        external_id: str,
        *effects: Effect,
        address: str = "visitor-1",
        content: Content | None = None,
        session: Session | None = None,
        replies: tuple[Rendered, ...] = (),
        now: datetime = NOW,
    ) -> Accepted:
        """A whole turn."""
        accepted = await self.accept(arrival(external_id, address=address, content=content, at=now))
        await self.finish(accepted, *effects, session=session, replies=replies, now=now)
        return accepted

    async def peek(self, conversation: str) -> Held:
        """The conversation as it stands."""
        return await self.database.read(lambda conn: conversations.peek(conn, self.keys, conversation))
