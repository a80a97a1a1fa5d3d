"""One decision as it enters the log, and as it waits in the spool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import update
from sqlalchemy.orm import Session

from cds_server.storage.database import CardRow, DecisionRow, FeedbackRow, Instant, Table

R = TypeVar("R", bound=Table)


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


def write_once(session: Session, decision: Decision) -> None:
    """Add a decision unless it is there: a commit may have succeeded without our hearing of it."""
    if session.get(DecisionRow, decision.row.id) is None:
        write_decision(session, decision)


def plain_rows(decision: Decision) -> dict[str, Any]:
    """The rows of a decision as values of JSON and datetimes."""
    return {"decision": _plain(decision.row), "cards": [_plain(card) for card in decision.cards]}


def decision_of_rows(rows: Mapping[str, Any]) -> Decision:
    """The decision of rows that were JSON. Columns that this version does not know are left out."""
    return Decision(_row(DecisionRow, rows["decision"]), [_row(CardRow, card) for card in rows["cards"]])


def _plain(row: Table) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}


def _row(kind: type[R], values: Mapping[str, Any]) -> R:
    columns = {column.key: column.type for column in kind.__table__.columns}
    return kind(
        **{
            name: datetime.fromisoformat(value) if isinstance(columns[name], Instant) and value is not None else value
            for name, value in values.items()
            if name in columns
        }
    )
