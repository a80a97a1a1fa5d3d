"""Systemic corticosteroids, given or ordered, in milligrams of dexamethasone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import Administration, DrugClass, SteroidGiven, of_class
from fhir_mappings.medications.amounts import Content, amount_mg
from fhir_mappings.medications.treatments import given_at
from fhir_mappings.reading import fhir_structs as fs


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


def ordered_dose(content: Content, quantity: fs.Quantity | None, t: Thresholds) -> tuple[Decimal | None, bool]:
    """An ordered dose in milligrams of dexamethasone, and whether a dose is stated at all."""
    if content.drug.drug_class is not DrugClass.STEROID or quantity is None:
        return None, False
    mg = amount_mg(quantity, content)
    return (None, False) if mg is None else (_dexamethasone(content.drug.ingredient, mg, t), True)


def _dexamethasone(ingredient: str, mg: Decimal | None, t: Thresholds) -> Decimal | None:
    """The milligrams of dexamethasone that a dose equals; None if no equivalence is listed."""
    per = {
        "dexamethasone": Decimal(1),
        "methylprednisolone": t.methylprednisolone_per_dexa,
        "prednisone": t.prednisone_per_dexa,
        "prednisolone": t.prednisone_per_dexa,
    }.get(ingredient)
    return mg / per if mg is not None and per is not None else None
