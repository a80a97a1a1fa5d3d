"""One decision as it enters the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import update
from sqlalchemy.orm import Session

from cds_server.storage.database import CardRow, DecisionRow, FeedbackRow


@dataclass(frozen=True)
class Decision:
    """One answer to remember, and its cards."""

    row: DecisionRow
    cards: Sequence[CardRow]


def write_decision(session: Session, decision: Decision) -> None:
    """Add a decision with its cards, and join feedback that arrived before it."""
    session.add(decision.row)
    session.flush()
    session.add_all(decision.cards)
    session.execute(
        update(FeedbackRow)
        .where(
            FeedbackRow.card_uuid.in_([card.uuid for card in decision.cards]),
            FeedbackRow.issuer == decision.row.issuer,
            FeedbackRow.tenant == decision.row.tenant,
        )
        .values(matched=True)
    )
