"""The part that each value set has in the cards, from the one without which there is none down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum


class Impact(IntEnum):
    """The part of the cards that data decide. The order is that in which the inventory is sorted."""

    COURSE = 0  # whether there is a course: without it there is no card
    GRADE = 1
    ADVICE = 2  # which drug is recommended, and what bars it
    DOSE = 3
    CAUTION = 4
    SHOWN = 5  # shown, or ordered already; it decides no card
    NONE = 6


_SETS: Mapping[Impact, tuple[str, ...]] = {
    Impact.COURSE: ("car-t-product", "car-t-administration"),
    Impact.GRADE: (
        "body-temperature", "vasopressor", "vasopressin", "not-a-vasopressor", "systolic-pressure",
        "mean-arterial-pressure", "blood-pressure-panel", "oxygen-delivery-device", "mechanical-ventilation",
        "ventilation-procedure", "cpap-bipap", "home-cpap", "high-flow-oxygen", "blow-by-oxygen", "low-flow-oxygen",
        "room-air", "respiratory-row-not-known", "oxygen-flow", "inhaled-oxygen-concentration", "oxygen-saturation",
        "systemic-corticosteroid", "antipyretic",
    ),
    Impact.ADVICE: (
        "tocilizumab", "interleukin-6", "c-reactive-protein", "other-il6-blocker", "il1-blocker", "ice-score",
        "icans-grade", "coded-icans", "coded-crs", "car-t-history",
    ),
    Impact.DOSE: (
        "body-weight", "intravenous-route", "subcutaneous-route", "subcutaneous-product", "local-route",
        "other-systemic-route",
    ),
    Impact.CAUTION: (
        "neutrophils", "platelets", "alanine-aminotransferase", "aspartate-aminotransferase", "blood-culture",
        "urine-culture", "viral-pcr", "gram-stain", "coded-infection", "lasting-infection", "antibacterial",
        "antifungal", "antiviral", "negative-result", "positive-result",
    ),
    Impact.SHOWN: ("interleukin-10", "complete-blood-count", "chest-imaging", "procalcitonin", "urinalysis"),
}  # fmt: skip
_IMPACT_OF = {set_id: impact for impact, sets in _SETS.items() for set_id in sets}
IN_ORDER = tuple(_IMPACT_OF)


def impact_of(value_set: str) -> Impact:
    return _IMPACT_OF.get(value_set, Impact.NONE)


_OF_TYPE: Mapping[str, Impact] = {
    "MedicationAdministration": Impact.COURSE,
    "Procedure": Impact.COURSE,
    "Medication": Impact.COURSE,
    "Substance": Impact.COURSE,
    "Observation": Impact.GRADE,
    "MedicationRequest": Impact.GRADE,
    "Condition": Impact.ADVICE,
    "AllergyIntolerance": Impact.ADVICE,
    "Patient": Impact.DOSE,
    "ServiceRequest": Impact.SHOWN,
}


def impact_of_any(resource_type: str, value_set: str) -> Impact:
    """The part of a resource in the cards, by all that it may be where its value set is not known."""
    return impact_of(value_set) if value_set else _OF_TYPE.get(resource_type, Impact.NONE)


def weightiest(value_sets: Iterable[str]) -> str:
    """The value set that decides most; "" of none."""
    return min(value_sets, key=lambda set_id: (impact_of(set_id), set_id), default="")
