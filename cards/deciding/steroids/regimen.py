"""The corticosteroid regimen that a card asks for, and the strongest of an answer: all of them are one order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import IntEnum

from cards.deciding.decision_table import CardId
from cards.deciding.steroids.amounts import DEXAMETHASONE, METHYLPREDNISOLONE, enough_of, given_since
from fhir_mappings.facts.grade import is_better, stale_pressors_alone
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds


class Regimen(IntEnum):
    """A regimen of ASCO 2021; the stronger, the larger."""

    DEXAMETHASONE = 1  # grades 1 and 2, ICANS 2
    DEXAMETHASONE_SEVERE = 2  # grade 3, ICANS 3
    METHYLPREDNISOLONE = 3  # grade 4
    METHYLPREDNISOLONE_ICANS = 4  # ICANS 4

    @property
    def is_methylprednisolone(self) -> bool:
        return self >= Regimen.METHYLPREDNISOLONE


@dataclass(frozen=True)
class Prescription:
    """A regimen in numbers: the single dose in mg, the interval, and after how many doses it ends."""

    drug: str
    mg: Decimal
    every: timedelta
    doses: Decimal


def prescription(regimen: Regimen, t: Thresholds) -> Prescription:
    return {
        Regimen.DEXAMETHASONE: Prescription(
            DEXAMETHASONE, t.dexamethasone_dose, t.dexamethasone_every, t.dexamethasone_doses
        ),
        Regimen.DEXAMETHASONE_SEVERE: Prescription(
            DEXAMETHASONE, t.dexamethasone_dose, t.dexamethasone_every_severe, t.dexamethasone_doses_severe
        ),
        Regimen.METHYLPREDNISOLONE: Prescription(
            METHYLPREDNISOLONE, t.methylprednisolone_dose, t.methylprednisolone_every, t.methylprednisolone_doses
        ),
        Regimen.METHYLPREDNISOLONE_ICANS: Prescription(
            METHYLPREDNISOLONE,
            t.methylprednisolone_icans,
            t.methylprednisolone_icans_every,
            t.methylprednisolone_icans_doses,
        ),
    }[regimen]


def strongest_regimen(cards: Iterable[CardId], facts: PatientFacts, t: Thresholds) -> Regimen | None:
    """The strongest regimen that any of the cards asks for; None if none does."""
    asked = (regimen_of(card, facts, t) for card in cards)
    return max((one for one in asked if one is not None), default=None)


def regimen_of(card: CardId, facts: PatientFacts, t: Thresholds) -> Regimen | None:
    """The regimen that a card asks for; None for a card without a corticosteroid."""
    match card:
        case CardId.SEVERE_CRS:
            return _of_severe_crs(facts, t)
        case CardId.STEROID_AFTER_2_TOCI | CardId.STEROID_EARLY_LOW_IL6:
            return Regimen.DEXAMETHASONE
        case CardId.TOCI_RECOMMENDED | CardId.TOCI_GUIDELINE:
            return Regimen.DEXAMETHASONE_SEVERE if is_no_better(facts, t) else None
        case CardId.ICANS_STEROID:
            return _of_icans(facts.icans.grade or 0, t)
    return None


def is_no_better(facts: PatientFacts, t: Thresholds) -> bool:
    """Tell whether one dose of tocilizumab was given a day ago and the grade is not known to have fallen since."""
    doses = facts.tocilizumab.doses
    if len(doses) != 1 or facts.grade is None or facts.as_of - doses[0].start < t.better_after_dose:
        return False
    return not is_better(facts.grade, facts.grade_at_dose_1)


def _of_icans(grade: int, t: Thresholds) -> Regimen | None:
    if grade >= 4:
        return Regimen.METHYLPREDNISOLONE_ICANS
    if grade >= t.icans_severe_steroid:
        return Regimen.DEXAMETHASONE_SEVERE
    return Regimen.DEXAMETHASONE if grade >= 2 else None


def _of_severe_crs(facts: PatientFacts, t: Thresholds) -> Regimen:
    """Methylprednisolone at grade 4, and after progress to grade 3 if dexamethasone was given before ("if refractory,
    manage as grade 4").

    A grade 4 that rests on vasopressors charted long ago chooses none: whether both still run is not known.
    """
    grade = facts.grade
    if grade is None or grade.grade is None:
        return Regimen.DEXAMETHASONE_SEVERE
    crs = 3 if stale_pressors_alone(grade) else grade.grade
    refractory = bool(facts.progressed) and was_given_dexamethasone(facts, t)
    return Regimen.METHYLPREDNISOLONE if crs == 4 or refractory else Regimen.DEXAMETHASONE_SEVERE


def was_given_dexamethasone(facts: PatientFacts, t: Thresholds) -> bool:
    """Tell whether dexamethasone, or its equivalent, was given at or after the first fever."""
    onset = facts.grade.onset if facts.grade is not None else None
    if onset is None:
        return False
    return enough_of(given_since(facts.steroids, onset), facts, t, methylprednisolone=False) is not None
