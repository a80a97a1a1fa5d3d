"""The cards that a user dismissed lately, according to feedback."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from cards.deciding.decision_table import CardId, Indicator
from cards.deciding.dismissed import Dismissed
from cds_server.storage.database import CardRow, DecisionRow, FeedbackRow
from cds_server.storage.pseudonyms import People

_CARDS = frozenset(card.value for card in CardId)
_INDICATORS = frozenset(indicator.value for indicator in Indicator)


def dismissals(session: Session, people: People, since: datetime) -> tuple[Dismissed, ...]:
    """The cards of a patient that a user overrode since a moment and has not accepted after that."""
    query = (
        select(CardRow.card, CardRow.indicator, DecisionRow.state, FeedbackRow)
        .join(DecisionRow, CardRow.decision_id == DecisionRow.id)
        .join(FeedbackRow, FeedbackRow.card_uuid == CardRow.uuid)
        .where(
            DecisionRow.patient == people.patient,
            DecisionRow.user == people.user,
            FeedbackRow.matched,
            FeedbackRow.issuer == DecisionRow.issuer,
            FeedbackRow.tenant == DecisionRow.tenant,
            FeedbackRow.received_at >= since,
        )
        .order_by(FeedbackRow.received_at)
    )
    last = {said.card_uuid: (card, indicator, state, said) for card, indicator, state, said in session.execute(query)}
    return tuple(one for row in last.values() for one in _dismissed(*row, since))


def _dismissed(card: str, indicator: str, state: str, said: FeedbackRow, since: datetime) -> Iterator[Dismissed]:
    if card not in _CARDS or indicator not in _INDICATORS:  # a card of another version of this program
        return
    # feedback may come in batches: the time when the user answered counts
    at = min(said.outcome_at or said.received_at, said.received_at)
    if said.outcome == "overridden" and at >= since:
        yield Dismissed(CardId(card), Indicator(indicator), state, at)
