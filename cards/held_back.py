"""Few alerts: a card that this user overrode for this patient stays away for some hours, unless something changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cards.decision_table import CardId, Indicator
from cards.situation import Verdicts
from cards.when_to_speak import DRAFT_CHECKS, Planned
from fhir_mappings.clinical_facts import PatientFacts

NEVER_HELD = frozenset(
    {*DRAFT_CHECKS, CardId.CRS_GRADE_UNKNOWN, CardId.CRS_POSSIBLE_MASKED, CardId.CRS_GRADE} - {CardId.NO_CRS}
)


@dataclass(frozen=True)
class Dismissed:
    """A card that the user overrode, the state of the patient that it spoke of, and when."""

    card: CardId
    state: str
    at: datetime


def state_of(facts: PatientFacts, found: Verdicts | None) -> str:
    """What must change for a dismissed card to come back: grade, IL-6, CRP, doses, ICANS, progress."""
    grade = facts.grade.grade if facts.grade is not None else None
    il6, crp = (found.il6.category, found.crp.category) if found is not None else ("", "")
    doses, icans, progressed = len(facts.tocilizumab.doses), facts.icans.grade, facts.progressed
    return f"grade {grade}; il6 {il6}; crp {crp}; doses {doses}; icans {icans}; progressed {progressed}"


def held_back(shown: tuple[Planned, ...], dismissed: tuple[Dismissed, ...], state: str) -> tuple[Dismissed, ...]:
    """Those of the dismissed cards that would be shown again though nothing changed."""
    may_wait = {p.id for p in shown if p.indicator is not Indicator.CRITICAL and p.id not in NEVER_HELD}
    latest: dict[CardId, Dismissed] = {}
    for one in sorted(dismissed, key=lambda d: d.at):
        if one.card in may_wait and one.state == state:
            latest[one.card] = one
    return tuple(latest.values())
