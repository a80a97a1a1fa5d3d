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

NEVER_HELD = frozenset(
    {
        *DRAFT_CHECKS, CardId.CRS_POSSIBLE_MASKED, CardId.INFECTION_FIRST, CardId.OTHER_CAUSE_FIRST, CardId.CRS_GRADE,
    }
)  # fmt: skip
# these may wait only as info: a grade that nobody knows yet, without anything that points to a high one
HELD_AS_INFO = frozenset({CardId.CRS_GRADE_UNKNOWN})
_URGENCY = {Indicator.INFO: 0, Indicator.WARNING: 1, Indicator.CRITICAL: 2}


@dataclass(frozen=True)
class Dismissed:
    """A card that the user overrode: its urgency, the state of the patient that it spoke of, and the time."""

    card: CardId
    indicator: Indicator
    state: str
    at: datetime


def state_of(facts: PatientFacts, found: Verdicts | None) -> str:
    """The state that brings a dismissed card back if it changes: grade, IL-6, CRP, doses, ICANS, progress, infection.

    A new sign of infection counts too: the user who dismissed the card did not know of it.
    """
    grade = "none"
    if facts.grade is not None:
        g = facts.grade
        parts = f"at least {g.minimum}, likely {g.provisional}, pressure {g.pressure.value}, oxygen {g.oxygen.value}"
        grade = f"{g.grade} ({parts})"
    il6, crp = (found.il6.category, found.crp.category) if found is not None else ("", "")
    doses, icans, progressed = len(facts.tocilizumab.doses), facts.icans.grade, facts.progressed
    infections = len(facts.infection.counted)
    return (
        f"grade {grade}; il6 {il6}; crp {crp}; doses {doses}; icans {icans}; progressed {progressed}; "
        f"infections {infections}"
    )


def _may_wait(card: Planned) -> bool:
    if card.indicator is Indicator.CRITICAL or card.id in NEVER_HELD:
        return False
    return card.indicator is Indicator.INFO or card.id not in HELD_AS_INFO


def held_back(shown: tuple[Planned, ...], dismissed: tuple[Dismissed, ...], state: str) -> tuple[Dismissed, ...]:
    """The dismissed cards that would be shown again although nothing changed and they are no more urgent.

    A critical card is never held back, nor one of NEVER_HELD, nor a warning of HELD_AS_INFO.
    """
    may_wait = {p.id: _URGENCY[p.indicator] for p in shown if _may_wait(p)}
    latest: dict[CardId, Dismissed] = {}
    for one in sorted(dismissed, key=lambda d: d.at):
        if one.card in may_wait and one.state == state and may_wait[one.card] <= _URGENCY[one.indicator]:
            latest[one.card] = one
    return tuple(latest.values())
