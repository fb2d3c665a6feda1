"""The first tables: conversations, inbox, outbox, tickets, members, applications and what belongs to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Written out, not imported from `storage.tables`: a migration stays as it was when the tables move on.
MOMENT = sa.BigInteger().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "audit",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("staff", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_subject", "audit", ["subject"], unique=False)
    op.create_table(
        "codes",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_codes")),
    )
    op.create_table(
        "identity_alerts",
        sa.Column("nik_lookup", sa.LargeBinary(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("nik_lookup", name=op.f("pk_identity_alerts")),
    )
    op.create_table(
        "members",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("nik", sa.LargeBinary(), nullable=False),
        sa.Column("nik_lookup", sa.LargeBinary(), nullable=False),
        sa.Column("kpj", sa.LargeBinary(), nullable=False),
        sa.Column("kpj_lookup", sa.LargeBinary(), nullable=False),
        sa.Column("kpj_tail", sa.LargeBinary(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=True),
        sa.Column("phone_lookup", sa.LargeBinary(), nullable=True),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("birth_date", sa.LargeBinary(), nullable=True),
        sa.Column("jht_balance", sa.LargeBinary(), nullable=False),
        sa.Column("sex", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("paid_until", sa.Date(), nullable=True),
        sa.Column("sector", sa.Text(), nullable=False),
        sa.Column("programmes", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_members")),
        sa.UniqueConstraint("kpj_lookup", name=op.f("uq_members_kpj_lookup")),
        sa.UniqueConstraint("nik_lookup", name=op.f("uq_members_nik_lookup")),
    )
    op.create_index(op.f("ix_members_phone_lookup"), "members", ["phone_lookup"], unique=False)
    op.create_table(
        "people",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("opted_out_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
    )
    op.create_table(
        "staff",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("name_lookup", sa.LargeBinary(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("name_lookup", name=op.f("uq_staff_name_lookup")),
    )
    op.create_table(
        "web_tokens",
        sa.Column("lookup", sa.LargeBinary(), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("address_lookup", sa.LargeBinary(), nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("lookup", name=op.f("pk_web_tokens")),
    )
    op.create_index(op.f("ix_web_tokens_address_lookup"), "web_tokens", ["address_lookup"], unique=False)
    op.create_table(
        "contributions",
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["member"], ["members.id"], name=op.f("fk_contributions_member")),
        sa.PrimaryKeyConstraint("member", "month", name=op.f("pk_contributions")),
    )
    op.create_table(
        "conversations",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("session", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name=op.f("fk_conversations_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversations")),
    )
    op.create_index(op.f("ix_conversations_person"), "conversations", ["person"], unique=False)
    op.create_table(
        "identity_tries",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("nik_lookup", sa.LargeBinary(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("proved", sa.Boolean(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name=op.f("fk_identity_tries_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_tries")),
    )
    op.create_index("ix_identity_tries_nik_lookup_at", "identity_tries", ["nik_lookup", "at"], unique=False)
    op.create_table(
        "wrong_codes",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name=op.f("fk_wrong_codes_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wrong_codes")),
    )
    op.create_index("ix_wrong_codes_person_at", "wrong_codes", ["person", "at"], unique=False)
    op.create_table(
        "addresses",
        sa.Column("lookup", sa.LargeBinary(), nullable=False),
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=True),
        sa.Column("phone_lookup", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["conversation"], ["conversations.id"], name=op.f("fk_addresses_conversation")),
        sa.PrimaryKeyConstraint("lookup", name=op.f("pk_addresses")),
        sa.UniqueConstraint("conversation", name=op.f("uq_addresses_conversation")),
    )
    op.create_index(op.f("ix_addresses_phone_lookup"), "addresses", ["phone_lookup"], unique=False)
    op.create_table(
        "applications",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("live_nik", sa.LargeBinary(), nullable=True),
        sa.Column("nik_lookup", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("form", sa.LargeBinary(), nullable=True),
        sa.Column("sex", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("occupation", sa.Text(), nullable=False),
        sa.Column("sector", sa.Text(), nullable=False),
        sa.Column("employer", sa.Boolean(), nullable=False),
        sa.Column("programmes", sa.Text(), nullable=False),
        sa.Column("months", sa.Integer(), nullable=False),
        sa.Column("monthly_amount", sa.BigInteger(), nullable=False),
        sa.Column("person", sa.Text(), nullable=True),
        sa.Column("conversation", sa.Text(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["conversation"], ["conversations.id"], name=op.f("fk_applications_conversation")),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name=op.f("fk_applications_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_applications")),
        sa.UniqueConstraint("live_nik", name=op.f("uq_applications_live_nik")),
    )
    op.create_index(op.f("ix_applications_conversation"), "applications", ["conversation"], unique=False)
    op.create_index(op.f("ix_applications_nik_lookup"), "applications", ["nik_lookup"], unique=False)
    op.create_index(op.f("ix_applications_person"), "applications", ["person"], unique=False)
    op.create_index("ix_applications_status_created_at", "applications", ["status", "created_at"], unique=False)
    op.create_table(
        "consents",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["conversation"], ["conversations.id"], name=op.f("fk_consents_conversation")),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name=op.f("fk_consents_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    op.create_index(op.f("ix_consents_person"), "consents", ["person"], unique=False)
    op.create_table(
        "forms",
        sa.Column("lookup", sa.LargeBinary(), nullable=False),
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("question_number", sa.Integer(), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["conversation"], ["conversations.id"], name=op.f("fk_forms_conversation")),
        sa.PrimaryKeyConstraint("lookup", name=op.f("pk_forms")),
    )
    op.create_index(op.f("ix_forms_conversation"), "forms", ["conversation"], unique=False)
    op.create_table(
        "inbox",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("dedupe", sa.LargeBinary(), nullable=False),
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("lease_until", MOMENT, nullable=True),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("handled_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["conversation"], ["conversations.id"], name=op.f("fk_inbox_conversation")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
        sa.UniqueConstraint("dedupe", name=op.f("uq_inbox_dedupe")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_inbox_conversation_id", "inbox", ["conversation", "id"], unique=False)
    op.create_index(
        "ix_inbox_pending",
        "inbox",
        ["id"],
        unique=False,
        sqlite_where=sa.text("status = 'new'"),
        postgresql_where=sa.text("status = 'new'"),
    )
    op.create_index(
        "ix_inbox_pending_of_conversation",
        "inbox",
        ["conversation", "id"],
        unique=False,
        sqlite_where=sa.text("status = 'new'"),
        postgresql_where=sa.text("status = 'new'"),
    )
    op.create_table(
        "media",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("mime", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["conversation"], ["conversations.id"], name=op.f("fk_media_conversation")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media")),
    )
    op.create_index(op.f("ix_media_conversation"), "media", ["conversation"], unique=False)
    op.create_table(
        "tickets",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=True),
        sa.Column("conversation", sa.Text(), nullable=True),
        sa.Column("promised", MOMENT, nullable=True),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("restricted", sa.Boolean(), nullable=False),
        sa.Column("anonymous", sa.Boolean(), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=True),
        sa.Column("name", sa.LargeBinary(), nullable=True),
        sa.Column("details", sa.LargeBinary(), nullable=True),
        sa.Column("media", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["code"], ["codes.code"], name=op.f("fk_tickets_code")),
        sa.ForeignKeyConstraint(["conversation"], ["conversations.id"], name=op.f("fk_tickets_conversation")),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name=op.f("fk_tickets_person")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_tickets")),
    )
    op.create_index(op.f("ix_tickets_conversation"), "tickets", ["conversation"], unique=False)
    op.create_index(op.f("ix_tickets_person"), "tickets", ["person"], unique=False)
    op.create_index("ix_tickets_status_opened_at", "tickets", ["status", "opened_at"], unique=False)
    op.create_table(
        "timers",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["conversation"], ["conversations.id"], name=op.f("fk_timers_conversation")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timers")),
        sa.UniqueConstraint("conversation", "kind", "ref", name=op.f("uq_timers_conversation_kind_ref")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_timers_at"), "timers", ["at"], unique=False)
    op.create_table(
        "application_receipts",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("application", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("form", sa.LargeBinary(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["application"], ["applications.id"], name=op.f("fk_application_receipts_application")),
        sa.ForeignKeyConstraint(["code"], ["codes.code"], name=op.f("fk_application_receipts_code")),
        sa.ForeignKeyConstraint(
            ["conversation"], ["conversations.id"], name=op.f("fk_application_receipts_conversation")
        ),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name=op.f("fk_application_receipts_person")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_application_receipts")),
    )
    op.create_index(op.f("ix_application_receipts_application"), "application_receipts", ["application"], unique=False)
    op.create_index(
        op.f("ix_application_receipts_conversation"), "application_receipts", ["conversation"], unique=False
    )
    op.create_index(op.f("ix_application_receipts_person"), "application_receipts", ["person"], unique=False)
    op.create_table(
        "application_steps",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("application", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["application"], ["applications.id"], name=op.f("fk_application_steps_application")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_steps")),
    )
    op.create_index(op.f("ix_application_steps_application"), "application_steps", ["application"], unique=False)
    op.create_table(
        "events",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("inbox_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["conversation"], ["conversations.id"], name=op.f("fk_events_conversation")),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name=op.f("fk_events_inbox_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index("ix_events_conversation_id", "events", ["conversation", "id"], unique=False)
    op.create_index(op.f("ix_events_inbox_id"), "events", ["inbox_id"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("inbox_id", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("lease_until", MOMENT, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("written_at", MOMENT, nullable=False),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["conversation"], ["conversations.id"], name=op.f("fk_outbox_conversation")),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name=op.f("fk_outbox_inbox_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("inbox_id", "n", name=op.f("uq_outbox_inbox_id_n")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_conversation_id", "outbox", ["conversation", "id"], unique=False)
    op.create_index(
        "ix_outbox_unsent",
        "outbox",
        ["id"],
        unique=False,
        sqlite_where=sa.text("status = 'new'"),
        postgresql_where=sa.text("status = 'new'"),
    )
    op.create_index(
        "ix_outbox_unsent_of_conversation",
        "outbox",
        ["conversation", "id"],
        unique=False,
        sqlite_where=sa.text("status = 'new'"),
        postgresql_where=sa.text("status = 'new'"),
    )
    op.create_table(
        "ticket_notes",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("row", sa.Text(), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("inner", sa.Boolean(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=True),
        sa.Column("media", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["ticket"], ["tickets.code"], name=op.f("fk_ticket_notes_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_notes")),
        sa.UniqueConstraint("row", name=op.f("uq_ticket_notes_row")),
    )
    op.create_index(op.f("ix_ticket_notes_ticket"), "ticket_notes", ["ticket"], unique=False)


def downgrade() -> None:
    """Back to an empty database."""
    op.drop_index(op.f("ix_ticket_notes_ticket"), table_name="ticket_notes")
    op.drop_table("ticket_notes")
    op.drop_index(
        "ix_outbox_unsent_of_conversation",
        table_name="outbox",
        sqlite_where=sa.text("status = 'new'"),
        postgresql_where=sa.text("status = 'new'"),
    )
    op.drop_index(
        "ix_outbox_unsent",
        table_name="outbox",
        sqlite_where=sa.text("status = 'new'"),
        postgresql_where=sa.text("status = 'new'"),
    )
    op.drop_index("ix_outbox_conversation_id", table_name="outbox")
    op.drop_table("outbox")
    op.drop_index(op.f("ix_events_inbox_id"), table_name="events")
    op.drop_index("ix_events_conversation_id", table_name="events")
    op.drop_table("events")
    op.drop_index(op.f("ix_application_steps_application"), table_name="application_steps")
    op.drop_table("application_steps")
    op.drop_index(op.f("ix_application_receipts_person"), table_name="application_receipts")
    op.drop_index(op.f("ix_application_receipts_conversation"), table_name="application_receipts")
    op.drop_index(op.f("ix_application_receipts_application"), table_name="application_receipts")
    op.drop_table("application_receipts")
    op.drop_index(op.f("ix_timers_at"), table_name="timers")
    op.drop_table("timers")
    op.drop_index("ix_tickets_status_opened_at", table_name="tickets")
    op.drop_index(op.f("ix_tickets_person"), table_name="tickets")
    op.drop_index(op.f("ix_tickets_conversation"), table_name="tickets")
    op.drop_table("tickets")
    op.drop_index(op.f("ix_media_conversation"), table_name="media")
    op.drop_table("media")
    op.drop_index(
        "ix_inbox_pending_of_conversation",
        table_name="inbox",
        sqlite_where=sa.text("status = 'new'"),
        postgresql_where=sa.text("status = 'new'"),
    )
    op.drop_index(
        "ix_inbox_pending",
        table_name="inbox",
        sqlite_where=sa.text("status = 'new'"),
        postgresql_where=sa.text("status = 'new'"),
    )
    op.drop_index("ix_inbox_conversation_id", table_name="inbox")
    op.drop_table("inbox")
    op.drop_index(op.f("ix_forms_conversation"), table_name="forms")
    op.drop_table("forms")
    op.drop_index(op.f("ix_consents_person"), table_name="consents")
    op.drop_table("consents")
    op.drop_index("ix_applications_status_created_at", table_name="applications")
    op.drop_index(op.f("ix_applications_person"), table_name="applications")
    op.drop_index(op.f("ix_applications_nik_lookup"), table_name="applications")
    op.drop_index(op.f("ix_applications_conversation"), table_name="applications")
    op.drop_table("applications")
    op.drop_index(op.f("ix_addresses_phone_lookup"), table_name="addresses")
    op.drop_table("addresses")
    op.drop_index("ix_wrong_codes_person_at", table_name="wrong_codes")
    op.drop_table("wrong_codes")
    op.drop_index("ix_identity_tries_nik_lookup_at", table_name="identity_tries")
    op.drop_table("identity_tries")
    op.drop_index(op.f("ix_conversations_person"), table_name="conversations")
    op.drop_table("conversations")
    op.drop_table("contributions")
    op.drop_index(op.f("ix_web_tokens_address_lookup"), table_name="web_tokens")
    op.drop_table("web_tokens")
    op.drop_table("staff")
    op.drop_table("people")
    op.drop_index(op.f("ix_members_phone_lookup"), table_name="members")
    op.drop_table("members")
    op.drop_table("identity_alerts")
    op.drop_table("codes")
    op.drop_index("ix_audit_subject", table_name="audit")
    op.drop_table("audit")
