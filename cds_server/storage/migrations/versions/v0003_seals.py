"""The seals over the decision log, and the anchors that a purge leaves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "seals",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("latest", INSTANT, nullable=False),
        sa.Column("first_id", sa.String(64), nullable=False),
        sa.Column("last_id", sa.String(64), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("entries", sa.JSON, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_table(
        "anchors",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
    )
    for table in ("decision", "feedback"):
        op.add_column(table, sa.Column("seal", sa.Integer))
        op.create_index(f"{table}_seal", table, ["seal"])


def downgrade() -> None:
    for table in ("decision", "feedback"):
        op.drop_index(f"{table}_seal", table)
        op.drop_column(table, "seal")  # no batch: making `decision` anew in SQLite would delete every card
    op.drop_table("anchors")
    op.drop_table("seals")
