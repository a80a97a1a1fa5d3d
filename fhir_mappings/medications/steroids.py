"""Systemic corticosteroids, given or ordered."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import Administration, DrugClass, StatedDose, SteroidGiven, of_class
from fhir_mappings.medications.amounts import Content
from fhir_mappings.medications.stated_doses import Statement, stated_dose, statement_in
from fhir_mappings.medications.treatments import given_at


def steroids_given(
    given: Iterable[Administration], since: datetime, as_of: datetime, t: Thresholds
) -> tuple[SteroidGiven, ...]:
    """The systemic corticosteroids given or ended since then, or still infusing, oldest first."""
    ours = [a for a in of_class(given, DrugClass.STEROID) if a.status != "unknown"]
    found = (_given(a, ours, as_of, t) for a in ours if not (_is_charted_rate(a) and a.rate == 0))
    return tuple(one for one in found if one.infusing or one.ended >= since)


def _is_charted_rate(a: Administration) -> bool:
    """Tell whether a record is a rate charted at a moment: it runs until the next of the same drug."""
    return a.is_event and a.rate is not None


def _given(a: Administration, ours: Iterable[Administration], as_of: datetime, t: Thresholds) -> SteroidGiven:
    at, until = given_at(a.start, as_of), a.end
    runs_on = a.open_ended or (_is_charted_rate(a) and as_of - at <= t.steroid_running)
    if until is None and (runs_on or _is_charted_rate(a)):
        until = next((given_at(b.start, as_of) for b in ours if _follows(b, a)), None)
    infusing = (until is None and runs_on) or (until is not None and until > as_of)
    return SteroidGiven(a.reference, a.drug.ingredient, at, infusing, a.dose, a.hourly, None if infusing else until)


def _follows(b: Administration, a: Administration) -> bool:
    """Tell whether a later charted rate, be it 0, ends a running infusion of the same drug."""
    same = b.drug.ingredient == a.drug.ingredient and b.reference != a.reference
    return same and _is_charted_rate(b) and b.start.earliest > a.start.earliest


def ordered_dose(
    content: Content, stated: list[Statement], text: str | None, t: Thresholds
) -> tuple[StatedDose, Decimal | None]:
    """An ordered dose, and its milligrams where it is one of a corticosteroid.

    A corticosteroid whose dose stands in no field is read by the words of its dosage, and without those by its dose
    form: an order of "Methylprednisolone 2 MG Oral Tablet" is none of 500 mg.
    """
    if content.drug.drug_class is not DrugClass.STEROID:
        return stated_dose(stated, content, t), None
    dose = stated_dose(stated or statement_in(text), content, t)
    return dose, dose.mg if dose.is_stated else content.strength.mg_per_item
