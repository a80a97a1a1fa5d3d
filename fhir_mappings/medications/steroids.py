"""Systemic corticosteroids, given or ordered, in milligrams of dexamethasone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import Administration, DrugClass, StatedDose, SteroidGiven, of_class
from fhir_mappings.medications.amounts import Content
from fhir_mappings.medications.stated_doses import Statement, stated_dose, statement_in
from fhir_mappings.medications.treatments import given_at


def steroids_given(given: Iterable[Administration], as_of: datetime, t: Thresholds) -> tuple[SteroidGiven, ...]:
    """The systemic corticosteroids given within `steroid_running` or still infusing, as dexamethasone where known."""
    found = []
    for a in of_class(given, DrugClass.STEROID):
        at = given_at(a.start, as_of)
        infusing = a.open_ended or (a.end is not None and a.end >= as_of)
        if a.status != "unknown" and (infusing or as_of - at <= t.steroid_running):
            equivalent = _dexamethasone(a.drug.ingredient, a.dose_mg, t)
            found.append(SteroidGiven(a.reference, a.drug.ingredient, at, infusing, equivalent, a.dose))
    return tuple(found)


def ordered_dose(
    content: Content, stated: list[Statement], text: str | None, t: Thresholds
) -> tuple[StatedDose, Decimal | None]:
    """An ordered dose, and the milligrams of dexamethasone that it equals where it is one of a corticosteroid.

    A corticosteroid whose dose stands in no field is read by the words of its dosage, and without those by its dose
    form: an order of "Methylprednisolone 2 MG Oral Tablet" is none of 500 mg.
    """
    if content.drug.drug_class is not DrugClass.STEROID:
        return stated_dose(stated, content, t), None
    dose = stated_dose(stated or statement_in(text), content, t)
    mg = dose.mg if dose.is_stated else content.strength.mg_per_item
    return dose, _dexamethasone(content.drug.ingredient, mg, t)


def _dexamethasone(ingredient: str, mg: Decimal | None, t: Thresholds) -> Decimal | None:
    """The milligrams of dexamethasone that a dose equals; None if no equivalence is listed."""
    per = {
        "dexamethasone": Decimal(1),
        "methylprednisolone": t.methylprednisolone_per_dexa,
        "prednisone": t.prednisone_per_dexa,
        "prednisolone": t.prednisone_per_dexa,
    }.get(ingredient)
    return mg / per if mg is not None and per is not None else None
