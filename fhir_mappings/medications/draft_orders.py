"""The mapping from draft orders to facts. Drafts are read leniently, because clients often send invalid FHIR here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any

from fhir_mappings.codes.terminology import Terminology, normalised
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import DraftOrder, DrugClass, Route, StatedDose
from fhir_mappings.medications.amounts import Content
from fhir_mappings.medications.anti_infectives import anti_infective_sets
from fhir_mappings.medications.draft_fields import (
    Draft,
    concept_of,
    contained_in,
    first_object,
    medication_in,
    medication_reference,
    reference_of,
    stated_in,
    word,
)
from fhir_mappings.medications.drugs import route_of
from fhir_mappings.medications.identified import UNNAMED, contents
from fhir_mappings.medications.order_times import order_times
from fhir_mappings.medications.products import Product, Shelf, product
from fhir_mappings.medications.stated_doses import Statement, stated_dose
from fhir_mappings.medications.steroids import ordered_dose
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.ownership import AnotherPatientError, Owner
from fhir_mappings.reading.resource_pool import ResourcePool

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


def draft_medications(drafts: Sequence[Draft], pool: ResourcePool, fhir_base: str | None) -> tuple[str, ...]:
    """The parts of drafts that are neither among them nor in the pool, as `Medication/{id}` or `Substance/{id}`."""
    shelf = Shelf(pool, fhir_base, _medications_beside(drafts))
    return tuple(dict.fromkeys(one for d in drafts for one in _product(d.resource, shelf).missing))


def draft_orders(
    drafts: Sequence[Draft],
    selections: frozenset[str],
    pool: ResourcePool,
    terms: Terminology,
    fhir_base: str | None,
    t: Thresholds,
) -> tuple[DraftOrder, ...]:
    """Drafts that count, with what they are for, one for each drug of ours in a medication. A cancelled one, or one not
    to be performed, does not count.

    If no selection names a draft, all count as selected: a card too many is better than a drug unseen.
    """
    references = [reference_of(d) for d in drafts]
    some_selected = any(_is_selected(r, selections) for r in references)
    shelf = Shelf(pool, fhir_base, _medications_beside(drafts))
    found: list[DraftOrder] = []
    for draft, reference in zip(drafts, references, strict=True):
        resource = draft.resource
        if word(resource, "status") in _DOES_NOT_COUNT or resource.get("doNotPerform") is True:
            continue
        if word(resource, "resourceType") in ("Medication", "Substance"):
            continue
        selected = _is_selected(reference, selections) or not some_selected
        if _is_medication(resource):
            found += _medication_drafts(resource, reference, shelf, terms, t, selected=selected)
        else:
            sets = frozenset[str]().union(*(terms.sets_of(fs.codings_of(c)) for c in _codes(resource)))
            found.append(DraftOrder(reference, False, None, sets, selected, resource=resource))
    return tuple(found)


def _codes(draft: Mapping[str, Any]) -> tuple[fs.CodeableConcept | None, ...]:
    return tuple(concept_of(draft.get(field)) for field in ("code", "codeCodeableConcept"))


def _is_medication(draft: Mapping[str, Any]) -> bool:
    """Better a card too many than a drug unseen: what states a medication is an order of one."""
    return _states_medication(draft) or word(draft, "resourceType") in _MEDICATION_TYPES


def _states_medication(draft: Mapping[str, Any]) -> bool:
    return any(draft.get(field) for field in ("medicationCodeableConcept", "medicationReference"))


def _medications_beside(drafts: Sequence[Draft]) -> Mapping[str, fs.Medication]:
    """Medications and Substances that stand among the drafts, by `Type/id` and by fullUrl."""
    found: dict[str, fs.Medication] = {}
    for draft in drafts:
        if word(draft.resource, "resourceType") not in ("Medication", "Substance"):
            continue
        medication = medication_in(draft.resource)
        found[reference_of(draft)] = medication
        if isinstance(draft.full_url, str):
            found[draft.full_url] = medication
    return found


def _product(draft: Mapping[str, Any], shelf: Shelf) -> Product:
    concept = concept_of(draft.get("medicationCodeableConcept"))
    return product(concept, medication_reference(draft), contained_in(draft), shelf)


def _medication_drafts(
    draft: Mapping[str, Any], reference: str, shelf: Shelf, terms: Terminology, t: Thresholds, *, selected: bool
) -> Iterator[DraftOrder]:
    prior = draft.get("priorPrescription")
    replaced = prior.get("reference") if isinstance(prior, Mapping) else None
    stated, text = stated_in(draft), word(first_object(draft.get("dosageInstruction")), "text")
    medication = _product(draft, shelf)
    sets = anti_infective_sets(medication, terms)
    for content in contents(medication, terms, _route(draft, terms)):
        dose, steroid_mg = ordered_dose(content, stated, text, t)
        if content.drug.drug_class is DrugClass.TOCILIZUMAB:
            dose = _tocilizumab_dose(content, draft, stated, t)
        order = DraftOrder(
            reference,
            True,
            None if content.drug == UNNAMED else content.drug,
            sets,
            selected,
            empty=not _states_medication(draft),
            replaces=replaced if isinstance(replaced, str) else None,
            steroid_mg=steroid_mg,
            dose=dose,
            every=order_times([first_object(draft.get("dosageInstruction")).get("timing")], None, UTC).every,
            resource=draft,
        )
        yield replace(order, route=_drug_route(order, draft, terms))


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


def _tocilizumab_dose(
    content: Content, resource: Mapping[str, Any], stated: list[Statement], t: Thresholds
) -> StatedDose:
    """The dose of a tocilizumab draft; none that can be read where it has several dosages."""
    dosages = resource.get("dosageInstruction")
    several = isinstance(dosages, list) and len(dosages) > 1
    return replace(StatedDose() if several else stated_dose(stated, content, t), repeats=_repeats(resource))


def _repeats(resource: Mapping[str, Any]) -> bool:
    """Tell whether a dosage orders more than one dose. Any repeat does, except a count of one."""
    timing = first_object(resource.get("dosageInstruction")).get("timing")
    repeat = timing.get("repeat") if isinstance(timing, Mapping) else None
    if not isinstance(repeat, Mapping) or repeat.get("count") == 1:
        return False
    return any(repeat.get(name) for name in ("count", "frequency", "period", "timeOfDay", "dayOfWeek", "when"))
