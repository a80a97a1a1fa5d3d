"""Systemic corticosteroids, given or ordered, in milligrams of dexamethasone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from fhir_mappings.facts.measures import Measure
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import Administration, Drug, DrugClass, SteroidGiven, of_class
from fhir_mappings.medications.treatments import given_at
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.units import UnitError, converted, unit_of


def steroids_given(given: Iterable[Administration], as_of: datetime, t: Thresholds) -> tuple[SteroidGiven, ...]:
    """The systemic corticosteroids given within `steroid_running` or still infusing, as dexamethasone where known."""
    found = []
    for a in of_class(given, DrugClass.STEROID):
        at = given_at(a.start, as_of)
        infusing = a.open_ended or (a.end is not None and a.end >= as_of)
        if a.status != "unknown" and (infusing or as_of - at <= t.steroid_running):
            equivalent = _dexamethasone(a.drug.ingredient, a.dose_mg, t)
            found.append(SteroidGiven(a.reference, a.drug.ingredient, at, infusing, equivalent))
    return tuple(found)


def ordered_dose(drug: Drug | None, quantity: fs.Quantity | None, t: Thresholds) -> tuple[Decimal | None, bool]:
    """An ordered dose in milligrams of dexamethasone, and whether the order states a dose at all."""
    if drug is None or drug.drug_class is not DrugClass.STEROID or quantity is None or quantity.value is None:
        return None, False
    try:
        mg = converted(quantity.value, unit_of(quantity), Measure.MASS)
    except UnitError:
        return None, False
    return _dexamethasone(drug.ingredient, mg, t), True


def _dexamethasone(ingredient: str, mg: Decimal | None, t: Thresholds) -> Decimal | None:
    """The milligrams of dexamethasone that a dose equals; None if no equivalence is listed."""
    per = {
        "dexamethasone": Decimal(1),
        "methylprednisolone": t.methylprednisolone_per_dexa,
        "prednisone": t.prednisone_per_dexa,
        "prednisolone": t.prednisone_per_dexa,
    }.get(ingredient)
    return mg / per if mg is not None and per is not None else None
