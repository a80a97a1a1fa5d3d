"""The decision log, its cards, feedback, and tokens that were used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "decision",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("service", sa.String(40), nullable=False),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("patient", sa.String(64), nullable=False),
        sa.Column("user", sa.String(64), nullable=False),
        sa.Column("hook_instance", sa.String(64), nullable=False),
        sa.Column("orders", sa.JSON, nullable=False),
        sa.Column("rules", sa.JSON, nullable=False),
        sa.Column("assessment", sa.JSON, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("silence", sa.String(60)),
        sa.Column("shadow", sa.Boolean, nullable=False),
        sa.Column("rules_hash", sa.String(16), nullable=False),
        sa.Column("version", sa.String(20), nullable=False),
        sa.Column("milliseconds", sa.Integer, nullable=False),
    )
    op.create_index("decision_at", "decision", ["at"])
    op.create_index("decision_user", "decision", ["patient", "user", "at"])
    op.create_table(
        "card",
        sa.Column("uuid", sa.String(36), primary_key=True),
        sa.Column("decision_id", sa.String(36), sa.ForeignKey("decision.id", ondelete="CASCADE"), nullable=False),
        sa.Column("card", sa.String(40), nullable=False),
        sa.Column("indicator", sa.String(10), nullable=False),
        sa.Column("shown", sa.Boolean, nullable=False),
        sa.Column("suggestions", sa.JSON, nullable=False),
    )
    op.create_index("ix_card_decision_id", "card", ["decision_id"])
    op.create_table(
        "feedback",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("card_uuid", sa.String(64), nullable=False),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("outcome", sa.String(12), nullable=False),
        sa.Column("outcome_at", INSTANT),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("reasons", sa.JSON, nullable=False),
        sa.Column("comment", sa.Text),
        sa.Column("accepted", sa.JSON, nullable=False),
        sa.Column("matched", sa.Boolean, nullable=False),
    )
    op.create_index("ix_feedback_card_uuid", "feedback", ["card_uuid"])
    op.create_table(
        "seen_token",
        sa.Column("token", sa.String(64), primary_key=True),
        sa.Column("expires", INSTANT, nullable=False),
    )
    op.create_index("ix_seen_token_expires", "seen_token", ["expires"])


def downgrade() -> None:
    for table in ("seen_token", "feedback", "card", "decision"):
        op.drop_table(table)
