"""What platforms bring: other names of a sender, windows, blocks, paces, and what became of a message."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

from storage.tables import Moment

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_NEW: dict[str, dict[str, type[TypeEngine[Any]]]] = {
    "people": {"member": sa.Text},
    "addresses": {"window_until": Moment, "unreachable_at": Moment, "invited_at": Moment},
    "outbox": {"tried_at": Moment, "platform_id": sa.LargeBinary, "delivery": sa.Text},
}


def upgrade() -> None:
    """To this revision."""
    for table, columns in _NEW.items():
        for name, kind in columns.items():
            op.add_column(table, sa.Column(name, kind()))
    op.create_index("ix_people_member", "people", ["member"])
    op.create_index("ix_outbox_platform_id", "outbox", ["platform_id"])
    op.create_table(
        "aliases",
        sa.Column("lookup", sa.LargeBinary(), primary_key=True),
        sa.Column("conversation", sa.Text(), sa.ForeignKey("conversations.id"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
    )
    op.create_index("ix_aliases_conversation", "aliases", ["conversation"])
    op.create_table(
        "paces",
        sa.Column("lookup", sa.LargeBinary(), primary_key=True),
        sa.Column("full_at", Moment(), nullable=False),
    )


def downgrade() -> None:
    """Back to the revision before."""
    op.drop_table("paces")
    op.drop_table("aliases")
    op.drop_index("ix_outbox_platform_id", "outbox")
    op.drop_index("ix_people_member", "people")
    for table, columns in _NEW.items():
        for name in columns:
            op.drop_column(table, name)
