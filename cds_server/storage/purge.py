"""The deletion of old decisions, when an operator asks for it, and of tokens and sessions once they have ended."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from cds_server.storage.database import CardRow, DecisionRow, FeedbackRow, SmartRow, TokenRow

PURGED_AT_ONCE = 500
PAUSE_SECONDS = 0.02


def purge(engine: Engine, before: datetime) -> int:
    """Delete the decisions older than a moment with their cards and feedback; return the number of decisions.

    It deletes a part at a time, so that a running service can write in between.
    """
    deleted = 0
    while True:
        with Session(engine) as session, session.begin():
            old = list(session.scalars(select(DecisionRow.id).where(DecisionRow.at < before).limit(PURGED_AT_ONCE)))
            cards = select(CardRow.uuid).where(CardRow.decision_id.in_(old))
            session.execute(delete(FeedbackRow).where(FeedbackRow.card_uuid.in_(cards)))
            session.execute(delete(CardRow).where(CardRow.decision_id.in_(old)))
            session.execute(delete(DecisionRow).where(DecisionRow.id.in_(old)))
            if not old:
                unmatched = (FeedbackRow.matched.is_(False), FeedbackRow.received_at < before)
                session.execute(delete(FeedbackRow).where(*unmatched))
                forget_ended(session)
                return deleted
        deleted += len(old)
        time.sleep(PAUSE_SECONDS)


def forget_ended(session: Session) -> None:
    """Delete the tokens that expired a day ago or more, because no clock is a day off. Sessions are deleted as soon as
    they end, and with them their tokens."""
    now = datetime.now(UTC)
    session.execute(delete(TokenRow).where(TokenRow.expires < now - timedelta(days=1)))
    session.execute(delete(SmartRow).where(SmartRow.expires <= now))
