"""The tables. A column typed `Sealed` holds bytes of the keyring; `Lookup` holds its HMAC of a value."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Date,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.types import TypeDecorator, TypeEngine

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Moment(TypeDecorator[datetime]):
    """An instant: aware UTC in Python, timestamptz on PostgreSQL, microseconds since 1970 on SQLite."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[datetime] | TypeEngine[int]:
        """The column type of this database."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(TIMESTAMP(timezone=True))
        return dialect.type_descriptor(BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | int | None:
        """Refuses an instant without a zone: it would be stored as another instant."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant must be aware")
        return value if dialect.name == "postgresql" else (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: datetime | int | None, dialect: Dialect) -> datetime | None:
        """Always aware UTC."""
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        return EPOCH + timedelta(microseconds=value)


Sealed = LargeBinary
Lookup = LargeBinary
BigId = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only an INTEGER PRIMARY KEY

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

# A row not handled or not sent. Literal: neither database uses a partial index for a bound value.
NEW: ColumnElement[str] = literal_column("'new'")
WAITING = text("status = 'new'")

people = Table(
    "people",
    metadata,
    Column("id", Text, primary_key=True),
    Column("created_at", Moment, nullable=False),
    Column("opted_out_at", Moment),
    Column("member", Text, index=True),  # the member this person has proved to be
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("person", Text, ForeignKey("people.id"), nullable=False, index=True),
    Column("owner", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("session", Sealed, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
)

addresses = Table(
    "addresses",
    metadata,
    Column("lookup", Lookup, primary_key=True),
    Column("conversation", Text, ForeignKey("conversations.id"), nullable=False, unique=True),
    Column("channel", Text, nullable=False),
    Column("address", Sealed, nullable=False),
    Column("phone", Sealed),
    Column("phone_lookup", Lookup, index=True),
    Column("window_until", Moment),  # until when free messages may be sent; empty where there is no such limit
    Column("unreachable_at", Moment),  # since when nothing reaches them, until they write again
    Column("invited_at", Moment),  # when they were last asked to write, outside their window
)

# Other names of one sender on a platform, such as WhatsApp's business-scoped id and the phone number.
aliases = Table(
    "aliases",
    metadata,
    Column("lookup", Lookup, primary_key=True),
    Column("conversation", Text, ForeignKey("conversations.id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
)

paces = Table(
    "paces",
    metadata,
    Column("lookup", Lookup, primary_key=True),
    Column("full_at", Moment, nullable=False),
)

inbox = Table(
    "inbox",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("dedupe", Lookup, nullable=False, unique=True),
    Column("conversation", Text, ForeignKey("conversations.id"), nullable=False),
    Column("content", Sealed),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("worker", Text),
    Column("lease_until", Moment),
    Column("deaths", Integer, nullable=False, server_default="0"),  # processes that died while they held it
    Column("received_at", Moment, nullable=False),
    Column("handled_at", Moment),
    Index("ix_inbox_conversation_id", "conversation", "id"),
    Index(
        "ix_inbox_pending_of_conversation",
        "conversation",
        "id",
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    ),
    Index("ix_inbox_pending", "id", sqlite_where=WAITING, postgresql_where=WAITING),
    sqlite_autoincrement=True,
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("conversation", Text, ForeignKey("conversations.id"), nullable=False),
    Column("channel", Text, nullable=False),
    Column("inbox_id", BigInteger, ForeignKey("inbox.id"), nullable=False),
    Column("n", Integer, nullable=False),
    Column("body", Sealed),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("worker", Text),
    Column("lease_until", Moment),
    Column("error", Text),
    Column("written_at", Moment, nullable=False),
    Column("sent_at", Moment),
    Column("tried_at", Moment),  # when it was last given to a sender who has not told what came of it
    Column("platform_id", Lookup, index=True),  # what the platform calls it
    Column("delivery", Text),  # what the platform told of it: sent, delivered, read or failed
    UniqueConstraint("inbox_id", "n"),
    Index("ix_outbox_conversation_id", "conversation", "id"),
    Index(
        "ix_outbox_unsent_of_conversation",
        "conversation",
        "id",
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    ),
    Index("ix_outbox_unsent", "id", sqlite_where=WAITING, postgresql_where=WAITING),
    sqlite_autoincrement=True,
)

events = Table(
    "events",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("conversation", Text, ForeignKey("conversations.id"), nullable=False),
    Column("inbox_id", BigInteger, ForeignKey("inbox.id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("record", Sealed),
    Index("ix_events_conversation_id", "conversation", "id"),
)

timers = Table(
    "timers",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("conversation", Text, ForeignKey("conversations.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("at", Moment, nullable=False, index=True),
    UniqueConstraint("conversation", "kind", "ref"),
    sqlite_autoincrement=True,  # the id names the firing; it must never come back
)

codes = Table(
    "codes",
    metadata,
    Column("code", Text, primary_key=True),
    Column("record", Text, nullable=False),  # ticket or receipt
)

staff = Table(
    "staff",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Sealed, nullable=False),
    Column("name_lookup", Lookup, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
)

tickets = Table(
    "tickets",
    metadata,
    Column("code", Text, ForeignKey("codes.code"), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("owner", Text, nullable=False),  # a staff id, '' for nobody
    Column("person", Text, ForeignKey("people.id"), index=True),  # empty when anonymous
    Column("conversation", Text, ForeignKey("conversations.id"), index=True),
    Column("promised", Moment),
    Column("due", Date),
    Column("restricted", Boolean, nullable=False),
    Column("anonymous", Boolean, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("text", Sealed),
    Column("name", Sealed),
    Column("details", Sealed),
    Column("media", Text, nullable=False),  # our media ids, a JSON array
    Index("ix_tickets_status_opened_at", "status", "opened_at"),
)

ticket_notes = Table(
    "ticket_notes",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("row", Text, nullable=False, unique=True),
    Column("ticket", Text, ForeignKey("tickets.code"), nullable=False, index=True),
    Column("at", Moment, nullable=False),
    Column("what", Text, nullable=False),  # note, status or owner
    Column("value", Text, nullable=False),  # the new status or owner
    Column("author", Text, nullable=False),
    Column("inner", Boolean, nullable=False),
    Column("text", Sealed),
    Column("media", Text, nullable=False),
)

wrong_codes = Table(
    "wrong_codes",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("person", Text, ForeignKey("people.id"), nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_wrong_codes_person_at", "person", "at"),
)

members = Table(
    "members",
    metadata,
    Column("id", Text, primary_key=True),
    Column("nik", Sealed, nullable=False),
    Column("nik_lookup", Lookup, nullable=False, unique=True),
    Column("kpj", Sealed, nullable=False),
    Column("kpj_lookup", Lookup, nullable=False, unique=True),
    Column("kpj_tail", Lookup, nullable=False),  # of NIK and the last four digits of the KPJ
    Column("phone", Sealed),
    Column("phone_lookup", Lookup, index=True),
    Column("name", Sealed, nullable=False),
    Column("birth_date", Sealed),
    Column("jht_balance", Sealed, nullable=False),
    Column("sex", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("paid_until", Date),
    Column("sector", Text, nullable=False),
    Column("programmes", Text, nullable=False),  # a JSON array
    Column("created_at", Moment, nullable=False),
)

contributions = Table(
    "contributions",
    metadata,
    Column("member", Text, ForeignKey("members.id"), primary_key=True),
    Column("month", Date, primary_key=True),
    Column("amount", BigInteger, nullable=False),
    Column("paid_on", Date, nullable=False),
)

identity_tries = Table(
    "identity_tries",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("nik_lookup", Lookup, nullable=False),
    Column("person", Text, ForeignKey("people.id"), nullable=False),
    Column("proved", Boolean, nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_identity_tries_nik_lookup_at", "nik_lookup", "at"),
)

identity_alerts = Table(
    "identity_alerts",
    metadata,
    Column("nik_lookup", Lookup, primary_key=True),
    Column("at", Moment, nullable=False),
)

applications = Table(
    "applications",
    metadata,
    Column("id", Text, primary_key=True),
    Column("live_nik", Lookup, unique=True),  # the NIK's look-up while the application lives, else empty
    Column("nik_lookup", Lookup, nullable=False, index=True),
    Column("status", Text, nullable=False),
    Column("form", Sealed),  # the sign-up as it was declared
    Column("sex", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("occupation", Text, nullable=False),
    Column("sector", Text, nullable=False),
    Column("employer", Boolean, nullable=False),
    Column("programmes", Text, nullable=False),
    Column("months", Integer, nullable=False),
    Column("monthly_amount", BigInteger, nullable=False),
    Column("person", Text, ForeignKey("people.id"), index=True),
    Column("conversation", Text, ForeignKey("conversations.id"), index=True),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Index("ix_applications_status_created_at", "status", "created_at"),
)

application_receipts = Table(
    "application_receipts",
    metadata,
    Column("code", Text, ForeignKey("codes.code"), primary_key=True),
    Column("application", Text, ForeignKey("applications.id"), nullable=False, index=True),
    Column("person", Text, ForeignKey("people.id"), nullable=False, index=True),
    Column("conversation", Text, ForeignKey("conversations.id"), nullable=False, index=True),
    Column("form", Sealed),
    Column("at", Moment, nullable=False),
)

application_steps = Table(
    "application_steps",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("application", Text, ForeignKey("applications.id"), nullable=False, index=True),
    Column("status", Text, nullable=False),
    Column("by", Text, nullable=False),  # a staff id, or `registry`
    Column("at", Moment, nullable=False),
)

consents = Table(
    "consents",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("person", Text, ForeignKey("people.id"), nullable=False, index=True),
    Column("conversation", Text, ForeignKey("conversations.id"), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("given", Boolean, nullable=False),
    Column("at", Moment, nullable=False),
)

media = Table(
    "media",
    metadata,
    Column("id", Text, primary_key=True),
    Column("conversation", Text, ForeignKey("conversations.id"), nullable=False, index=True),
    Column("mime", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("content", Sealed),
    Column("at", Moment, nullable=False),
)

web_tokens = Table(
    "web_tokens",
    metadata,
    Column("lookup", Lookup, primary_key=True),
    Column("address", Sealed, nullable=False),
    Column("address_lookup", Lookup, nullable=False, index=True),
    Column("seen_at", Moment, nullable=False),
)

forms = Table(
    "forms",
    metadata,
    Column("lookup", Lookup, primary_key=True),
    Column("conversation", Text, ForeignKey("conversations.id"), nullable=False, index=True),
    Column("slot", Text, nullable=False),
    Column("question_number", Integer, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
)

audit = Table(
    "audit",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("staff", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Index("ix_audit_subject", "subject"),
)
