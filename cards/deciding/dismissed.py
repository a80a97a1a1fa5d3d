"""The cards that a user dismissed: one overridden for a patient stays away for some hours unless something changed.

The number of hours is a setting of the service (`CRS_CDS_OVERRIDE_HOURS`), which passes only what is that recent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cards.deciding.decision_table import CardId, Indicator
from cards.deciding.situation import Verdicts
from cards.deciding.when_to_show import DRAFT_CHECKS, Planned
from fhir_mappings.facts.patient import PatientFacts

NEVER_HELD = frozenset({*DRAFT_CHECKS, CardId.CRS_GRADE_UNKNOWN, CardId.CRS_POSSIBLE_MASKED, CardId.CRS_GRADE})
_URGENCY = {Indicator.INFO: 0, Indicator.WARNING: 1, Indicator.CRITICAL: 2}


@dataclass(frozen=True)
class Dismissed:
    """A card that the user overrode: its urgency, the state of the patient that it spoke of, and the time."""

    card: CardId
    indicator: Indicator
    state: str
    at: datetime


def state_of(facts: PatientFacts, found: Verdicts | None) -> str:
    """The state that brings a dismissed card back if it changes: grade, IL-6, CRP, doses, ICANS, progress."""
    grade = "none"
    if facts.grade is not None:
        g = facts.grade
        parts = f"at least {g.minimum}, likely {g.provisional}, pressure {g.pressure.value}, oxygen {g.oxygen.value}"
        grade = f"{g.grade} ({parts})"
    il6, crp = (found.il6.category, found.crp.category) if found is not None else ("", "")
    doses, icans, progressed = len(facts.tocilizumab.doses), facts.icans.grade, facts.progressed
    return f"grade {grade}; il6 {il6}; crp {crp}; doses {doses}; icans {icans}; progressed {progressed}"


def held_back(shown: tuple[Planned, ...], dismissed: tuple[Dismissed, ...], state: str) -> tuple[Dismissed, ...]:
    """The dismissed cards that would be shown again although nothing changed and they are no more urgent.

    A critical card is never held back, nor one of NEVER_HELD.
    """
    may_wait = {
        p.id: _URGENCY[p.indicator] for p in shown if p.indicator is not Indicator.CRITICAL and p.id not in NEVER_HELD
    }
    latest: dict[CardId, Dismissed] = {}
    for one in sorted(dismissed, key=lambda d: d.at):
        if one.card in may_wait and one.state == state and may_wait[one.card] <= _URGENCY[one.indicator]:
            latest[one.card] = one
    return tuple(latest.values())
