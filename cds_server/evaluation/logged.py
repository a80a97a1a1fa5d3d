"""The calls of a shadow or live period, from the decision log, and those of a replay in the same form."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.storage.database import CardRow, DecisionRow, FeedbackRow


class Period(StrEnum):
    """The way in which cards came about. In `shadow` the service answers and nobody sees its cards."""

    REPLAY = "replay"
    SHADOW = "shadow"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class LoggedCard:
    """A card of a call. In a live period one that is tried unseen is not `shown`; `outcome` is the user's last answer,
    "" without one."""

    card: str
    shown: bool
    outcome: str = ""
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """One call: a pseudonym of the patient, the local day, the service, and the reason for silence, "" with cards."""

    period: Period
    patient: str
    day: date
    service: str
    silence: str
    cards: tuple[LoggedCard, ...]


def calls_of_log(session: Session, since: datetime, until: datetime, zone: tzinfo | None) -> Iterator[LoggedCall]:
    """The calls of a period in the log, the first of them first."""
    within = (DecisionRow.at >= since, DecisionRow.at < until)
    answers = _answers(session, since, until)
    cards: dict[str, list[LoggedCard]] = defaultdict(list)
    query = select(CardRow.decision_id, CardRow.uuid, CardRow.card, CardRow.shown).join(
        DecisionRow, CardRow.decision_id == DecisionRow.id
    )
    for decision, uuid, card, shown in session.execute(query.where(*within).order_by(CardRow.uuid)):
        cards[decision].append(LoggedCard(card, shown, *answers.get(uuid, ())))
    for row in session.scalars(select(DecisionRow).where(*within).order_by(DecisionRow.at, DecisionRow.id)):
        period = Period.SHADOW if row.shadow else Period.LIVE
        day = row.at.astimezone(zone or UTC).date()
        yield LoggedCall(period, row.patient, day, row.service, row.silence or "", tuple(cards.get(row.id, ())))


def _answers(session: Session, since: datetime, until: datetime) -> dict[str, tuple[str, tuple[str, ...]]]:
    """The last answer of a user to each card of a period, by its uuid."""
    query = (
        select(FeedbackRow.card_uuid, FeedbackRow.outcome, FeedbackRow.reasons)
        .join(CardRow, FeedbackRow.card_uuid == CardRow.uuid)
        .join(DecisionRow, CardRow.decision_id == DecisionRow.id)
        .where(DecisionRow.at >= since, DecisionRow.at < until, FeedbackRow.matched)
        .order_by(FeedbackRow.received_at)
    )
    return {uuid: (outcome, tuple(reasons or ())) for uuid, outcome, reasons in session.execute(query)}


def calls_of_replay(evaluation: Evaluation) -> Iterator[LoggedCall]:
    """The moments of a replay by the site's own rules, as calls."""
    counted = evaluation.protocol.cards.counted
    cards: dict[tuple[str, int, datetime, str], list[LoggedCard]] = defaultdict(list)
    for row in evaluation.cards:
        if row.rules == 1 and row.shown in counted:
            cards[row.patient, row.course, row.at, row.kind].append(LoggedCard(row.card, shown=True))
    for moment in evaluation.moments:
        if moment.rules == 1:
            found = cards.get((moment.patient, moment.course, moment.at, moment.kind), [])
            yield LoggedCall(Period.REPLAY, moment.patient, moment.date, moment.kind, moment.silence, tuple(found))


def in_periods(calls: Iterable[LoggedCall]) -> dict[Period, list[LoggedCall]]:
    """The calls of each period that there is, in the order of replay, shadow and live."""
    found: dict[Period, list[LoggedCall]] = {period: [] for period in Period}
    for call in calls:
        found[call.period].append(call)
    return {period: of_period for period, of_period in found.items() if of_period}
