"""The infusion after which the product's guidance treats CRS before grade 2."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from fhir_mappings.facts.course import Infusion
from fhir_mappings.facts.grade import CrsGrade
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds


@dataclass(frozen=True)
class EarlyProduct:
    """An infusion whose product guidance treats this CRS before grade 2: because it is `early`, or because it lasts."""

    infusion: Infusion
    early: bool


def product_window(facts: PatientFacts, grade: CrsGrade, t: Thresholds) -> EarlyProduct | None:
    """The infusion of a product that is treated early, if the present fever began soon after it or lasts at grade 1.

    Only the present fever counts: one fever on day 1 says nothing about day 25.
    """
    if facts.course is None or grade.episode is None:
        return None
    lasting = grade.grade == 1 and facts.as_of - grade.episode >= t.lasting_fever
    for infusion in facts.course.infusions:
        if not infusion.treated_early or grade.episode < infusion.start:
            continue
        # an infusion known by date only may have been as late as the end of that day
        start = infusion.start if infusion.time_known else infusion.start + timedelta(days=1)
        early = grade.episode - start < t.early_onset
        if early or lasting:
            return EarlyProduct(infusion, early)
    return None
