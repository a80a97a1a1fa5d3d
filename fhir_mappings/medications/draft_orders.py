"""The mapping from draft orders to facts. Drafts are read leniently, because clients often send invalid FHIR here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from fhir_mappings.codes.terminology import Terminology, normalised
from fhir_mappings.facts.measures import Measure
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import DraftDose, DraftOrder, DrugClass, Route
from fhir_mappings.medications.draft_fields import (
    Draft,
    concept_of,
    contained_in,
    first_object,
    medication_reference,
    reference_of,
    word,
)
from fhir_mappings.medications.drugs import drug_of, medication_id, route_of
from fhir_mappings.medications.steroids import ordered_dose
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.ownership import AnotherPatientError, Owner
from fhir_mappings.reading.resource_pool import ResourcePool
from fhir_mappings.reading.units import FACTORS, UnitError, converted, unit_of

_DOES_NOT_COUNT = frozenset({"cancelled", "revoked", "entered-in-error"})
_MEDICATION_TYPES = frozenset({"MedicationRequest", "MedicationOrder"})


def check_draft_owner(drafts: Sequence[Draft], owner: Owner) -> None:
    """Raises AnotherPatientError for a draft of another patient, naming its entry. A draft without a subject passes."""
    for draft in drafts:
        for field in ("subject", "patient"):
            target = draft.resource.get(field)
            for one in target if isinstance(target, list) else [target]:
                reference = one.get("reference") if isinstance(one, Mapping) else None
                if isinstance(reference, str) and owner.owns(reference) is False:
                    where = f"context.draftOrders.entry[{draft.index}].resource.{field}"
                    raise AnotherPatientError(where, from_client=True)


def draft_medications(drafts: Iterable[Draft], fhir_base: str | None) -> tuple[str, ...]:
    """The ids of the Medications that drafts refer to."""
    references = (medication_reference(d.resource) for d in drafts)
    found = (medication_id(r.reference, fhir_base) for r in references if r)
    return tuple(dict.fromkeys(i for i in found if i))


def draft_orders(
    drafts: Sequence[Draft],
    selections: frozenset[str],
    pool: ResourcePool,
    terms: Terminology,
    fhir_base: str | None,
    t: Thresholds,
) -> tuple[DraftOrder, ...]:
    """The drafts that count, with what they order. A cancelled draft does not count, nor does one not to be performed.

    If no selection names a draft, all count as selected: a card too many is better than a drug unseen.
    """
    references = [reference_of(d) for d in drafts]
    some_selected = any(_is_selected(r, selections) for r in references)
    beside = _medications_beside(drafts)
    found: list[DraftOrder] = []
    for draft, reference in zip(drafts, references, strict=True):
        resource = draft.resource
        if word(resource, "status") in _DOES_NOT_COUNT or resource.get("doNotPerform") is True:
            continue
        if word(resource, "resourceType") == "Medication":
            continue
        selected = _is_selected(reference, selections) or not some_selected
        found.append(_draft_order(resource, reference, beside, pool, terms, fhir_base, selected=selected))
        dexamethasone_mg, stated = ordered_dose(found[-1].drug, _dose(resource), t)
        found[-1] = replace(
            found[-1],
            dexamethasone_mg=dexamethasone_mg,
            dose_stated=stated,
            dose=_tocilizumab_dose(found[-1], resource, t),
            route=_drug_route(found[-1], resource, terms),
            resource=resource,
        )
    return tuple(found)


def _medications_beside(drafts: Sequence[Draft]) -> Mapping[str, fs.CodeableConcept]:
    """The codes of the Medications that came among the drafts, by `Medication/id` and by fullUrl."""
    found: dict[str, fs.CodeableConcept] = {}
    for draft in drafts:
        concept = concept_of(draft.resource.get("code"))
        if word(draft.resource, "resourceType") != "Medication" or concept is None:
            continue
        found[reference_of(draft)] = concept
        if isinstance(draft.full_url, str):
            found[draft.full_url] = concept
    return found


def _draft_order(
    draft: Mapping[str, Any],
    reference: str,
    beside: Mapping[str, fs.CodeableConcept],
    pool: ResourcePool,
    terms: Terminology,
    fhir_base: str | None,
    *,
    selected: bool,
) -> DraftOrder:
    # whatever states a medication counts as an order of one: a card too many is better than a drug unseen
    stated = any(draft.get(field) for field in ("medicationCodeableConcept", "medicationReference"))
    is_medication = stated or word(draft, "resourceType") in _MEDICATION_TYPES
    if is_medication:
        concept, target = concept_of(draft.get("medicationCodeableConcept")), medication_reference(draft)
        named = concept or (beside.get(target.reference or "") if target else None)
        drug = drug_of(named, target, contained_in(draft), pool, terms, fhir_base, _route(draft, terms))
        prior = draft.get("priorPrescription")
        replaced = prior.get("reference") if isinstance(prior, Mapping) else None
        return DraftOrder(
            reference,
            is_medication,
            drug,
            frozenset(),
            selected,
            empty=not stated,
            replaces=replaced if isinstance(replaced, str) else None,
        )
    sets: frozenset[str] = frozenset()
    for field in ("code", "codeCodeableConcept"):
        sets |= terms.sets_of(fs.codings_of(concept_of(draft.get(field))))
    return DraftOrder(reference, is_medication, None, sets, selected)


def _is_selected(reference: str, selections: frozenset[str]) -> bool:
    return any(s == reference or s.endswith(f"/{reference}") for s in selections)


def _route(draft: Mapping[str, Any], terms: Terminology) -> Route:
    return route_of(concept_of(first_object(draft.get("dosageInstruction")).get("route")), terms)


def _drug_route(draft: DraftOrder, resource: Mapping[str, Any], terms: Terminology) -> Route:
    """The stated route; without one, subcutaneous for a product that is made for injection under the skin."""
    route = _route(resource, terms)
    if route is not Route.NOT_STATED or draft.drug is None:
        return route
    concept, reference = concept_of(resource.get("medicationCodeableConcept")), medication_reference(resource)
    texts = [concept.text, *(c.display for c in concept.coding)] if concept else []
    texts.append(reference.display if reference else None)
    words = " ".join(normalised(text) for text in texts if text)
    return Route.SUBCUTANEOUS if any(text in words for text in terms.texts("subcutaneous-product")) else route


def _dose(draft: Mapping[str, Any]) -> fs.Quantity | None:
    rates = first_object(draft.get("dosageInstruction")).get("doseAndRate")
    quantity = first_object(first_object(rates).get("doseQuantity"))
    if (isinstance(rates, list) and len(rates) > 1) or quantity.get("comparator") or _disagree(quantity):
        return None
    try:
        value = Decimal(str(quantity["value"]))
        return fs.Quantity(value, None, word(quantity, "unit") or None, word(quantity, "code") or None)
    except (KeyError, ArithmeticError, ValueError):
        return None


def _tocilizumab_dose(draft: DraftOrder, resource: Mapping[str, Any], t: Thresholds) -> DraftDose:
    """The dose of a tocilizumab draft in mg, g, mL of the concentrate or mg/kg.

    A draft with several dosages, or with a unit that is not listed (vials, for instance), has no readable dose.
    """
    quantity, dosages = _dose(resource), resource.get("dosageInstruction")
    if draft.drug is None or draft.drug.drug_class is not DrugClass.TOCILIZUMAB:
        return DraftDose()
    repeats = _repeats(resource)
    if quantity is None or quantity.value is None or (isinstance(dosages, list) and len(dosages) > 1):
        return DraftDose(repeats=repeats)
    value, unit = quantity.value, unit_of(quantity)
    if unit in ("mL", "ml"):
        return DraftDose(mg=value * t.toci_strength, repeats=repeats)
    for measure in (Measure.MASS, Measure.MASS_PER_WEIGHT):
        try:
            amount = converted(value, unit, measure)
        except UnitError:
            continue
        if measure is Measure.MASS:
            return DraftDose(mg=amount, repeats=repeats)
        return DraftDose(mg_per_kg=amount, repeats=repeats)
    return DraftDose(repeats=repeats)


def _repeats(resource: Mapping[str, Any]) -> bool:
    """Tell whether a dosage orders more than one dose. Any repeat does, except a count of one."""
    timing = first_object(resource.get("dosageInstruction")).get("timing")
    repeat = timing.get("repeat") if isinstance(timing, Mapping) else None
    if not isinstance(repeat, Mapping) or repeat.get("count") == 1:
        return False
    return any(repeat.get(name) for name in ("count", "frequency", "period", "timeOfDay", "dayOfWeek", "when"))


def _disagree(quantity: Mapping[str, Any]) -> bool:
    """Tell whether the text of a unit and its code stand for different amounts."""
    unit, code = FACTORS[Measure.MASS].get(word(quantity, "unit")), FACTORS[Measure.MASS].get(word(quantity, "code"))
    return unit is not None and code is not None and unit != code
