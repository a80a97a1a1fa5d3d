"""The deletion of old decisions, when an operator asks for it, and of tokens and sessions once they have ended."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, delete, func, select
from sqlalchemy.orm import Session

from cds_server.storage.chain.seals import lock_seals, seal_next
from cds_server.storage.database import AnchorRow, CardRow, DecisionRow, FeedbackRow, SealRow, SmartRow, TokenRow

PAUSE_SECONDS = 0.02


@dataclass
class Purged:
    """The decisions and rows that a purge deleted, and the anchor that it left; None if it deleted no seal."""

    decisions: int = 0
    rows: int = 0
    anchor: tuple[int, str] | None = None


def purge(engine: Engine, before: datetime, by: str) -> Purged:
    """Delete whole seals, from the oldest on, as long as all their rows are older than a moment; `by` says who asks.

    What is not sealed is sealed first. It deletes a seal at a time, so that a running service can write in between.
    """
    while _seal_what_is_left(engine):
        time.sleep(PAUSE_SECONDS)
    purged = Purged()
    while _purge_one(engine, before, by, purged):
        time.sleep(PAUSE_SECONDS)
    with Session(engine) as session, session.begin():
        forget_ended(session)
    return purged


def _seal_what_is_left(engine: Engine) -> bool:
    with Session(engine) as session, session.begin():
        lock_seals(session, wait=True)
        return seal_next(session, datetime.now(UTC))


def _purge_one(engine: Engine, before: datetime, by: str, purged: Purged) -> bool:
    """Delete the oldest seal with its rows, and leave the anchor of this purge; False if it is not old enough."""
    with Session(engine) as session, session.begin():
        lock_seals(session, wait=True)
        seal = session.scalars(select(SealRow).order_by(SealRow.number).limit(1)).first()
        if seal is None or seal.latest >= before:
            return False
        of_seal = select(DecisionRow.id).where(DecisionRow.seal == seal.number)
        purged.decisions += session.scalar(select(func.count()).select_from(of_seal.subquery())) or 0
        purged.rows += seal.count
        session.execute(delete(FeedbackRow).where(FeedbackRow.seal == seal.number))
        session.execute(delete(CardRow).where(CardRow.decision_id.in_(of_seal)))
        session.execute(delete(DecisionRow).where(DecisionRow.seal == seal.number))
        session.delete(seal)
        if purged.anchor is not None:
            session.execute(delete(AnchorRow).where(AnchorRow.number == purged.anchor[0]))
        session.add(AnchorRow(number=seal.number, hash=seal.hash, count=purged.rows, at=datetime.now(UTC), by=by))
        purged.anchor = (seal.number, seal.hash)
    return True


def forget_ended(session: Session) -> None:
    """Delete the tokens that expired a day ago or more, because no clock is a day off. Sessions are deleted as soon as
    they end, and with them their tokens."""
    now = datetime.now(UTC)
    session.execute(delete(TokenRow).where(TokenRow.expires < now - timedelta(days=1)))
    session.execute(delete(SmartRow).where(SmartRow.expires <= now))
