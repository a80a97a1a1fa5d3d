"""The drug and route of an administration or order: from codings, the Medication referred to, display and text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol

import msgspec

from fhir_mappings.codes.terminology import Terminology, normalised
from fhir_mappings.facts.treatment import Drug, DrugClass, Route
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.fhir_base import comparable
from fhir_mappings.reading.resource_pool import ResourcePool

_ROUTES = {
    "intravenous-route": Route.INTRAVENOUS,
    "subcutaneous-route": Route.SUBCUTANEOUS,
    "local-route": Route.LOCAL,
    "other-systemic-route": Route.OTHER,
}
_MEDICATION = re.compile(r"(?:(?P<base>.+)/)?Medication/(?P<id>[A-Za-z0-9.-]{1,64})(?:/_history/[A-Za-z0-9.-]{1,64})?")
_medication = msgspec.json.Decoder(fs.Medication)


def medication_id(reference: str | None, fhir_base: str | None) -> str | None:
    """The id in `Medication/{id}`, relative or under `fhir_base`, with or without a version."""
    if not reference:
        return None
    match = _MEDICATION.fullmatch(reference)
    if match is None or (match["base"] and comparable(match["base"]) != comparable(fhir_base)):
        return None
    return match["id"]


def drug_of(
    concept: fs.CodeableConcept | None,
    reference: fs.Reference | None,
    contained: Iterable[msgspec.Raw],
    pool: ResourcePool,
    terms: Terminology,
    fhir_base: str | None,
    route: Route = Route.NOT_STATED,
) -> Drug | None:
    """The drug of an administration or order: by its codings, the Medication it refers to, then display and text.

    None if nothing names it: it may be any drug. A steroid or vasopressor that is given locally is OTHER, because it
    is another treatment in administrations, orders and drafts alike.
    """
    concepts = [concept] if concept else []
    displays: list[str] = []
    if reference is not None:
        medication = _referred(reference, contained, pool, fhir_base)
        if medication is not None and medication.code is not None:
            concepts.append(medication.code)
        if reference.display:
            displays.append(reference.display)
    codings = [pair for c in concepts for pair in fs.codings_of(c)]
    texts = [c.text for c in concepts if c.text]
    texts += [coding.display for c in concepts for coding in c.coding if coding.display]
    drug = terms.drug(codings, [*texts, *displays])
    if drug is not None and _is_local(drug, route, [*texts, *displays], terms):
        return Drug(DrugClass.OTHER, f"{drug.ingredient}, local")
    return drug


class NamesDrug(Protocol):
    """The fields that a MedicationAdministration and a MedicationRequest have in common."""

    @property
    def medication_codeable_concept(self) -> fs.CodeableConcept | None: ...
    @property
    def medication_reference(self) -> fs.Reference | None: ...
    @property
    def contained(self) -> tuple[msgspec.Raw, ...]: ...


def drug_in(
    data: NamesDrug, pool: ResourcePool, terms: Terminology, fhir_base: str | None, route: Route = Route.NOT_STATED
) -> Drug | None:
    """The drug of an administration or order in the record."""
    concept, reference = data.medication_codeable_concept, data.medication_reference
    return drug_of(concept, reference, data.contained, pool, terms, fhir_base, route)


def _referred(
    reference: fs.Reference, contained: Iterable[msgspec.Raw], pool: ResourcePool, fhir_base: str | None
) -> fs.Medication | None:
    target = reference.reference or ""
    if target.startswith("#"):
        for raw in contained:
            try:
                medication = _medication.decode(raw)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                continue
            if medication.id == target[1:]:
                return medication
        return None
    return pool.medication(medication_id(target, fhir_base))


def unread_medications(pool: ResourcePool, fhir_base: str | None) -> tuple[str, ...]:
    """The ids of the Medications that administrations and orders refer to and that are not in the pool."""
    ids: dict[str, None] = {}
    references = [a.data.medication_reference for a in pool.of_type(fs.MedicationAdministration)]
    references += [r.data.medication_reference for r in pool.of_type(fs.MedicationRequest)]
    for reference in references:
        found = medication_id(reference.reference, fhir_base) if reference else None
        if found is not None and pool.medication(found) is None:
            ids[found] = None
    return tuple(ids)


def route_of(concept: fs.CodeableConcept | None, terms: Terminology) -> Route:
    if concept is None:
        return Route.NOT_STATED
    sets = terms.sets_of(fs.codings_of(concept)) | terms.sets_of_text(concept.text)
    for coding in concept.coding:
        sets |= terms.sets_of_text(coding.display) | terms.sets_of_text(coding.code)
    for set_id, route in _ROUTES.items():
        if set_id in sets:
            return route
    return Route.NOT_STATED


def _is_local(drug: Drug, route: Route, texts: list[str], terms: Terminology) -> bool:
    """Tell whether a steroid or vasopressor is given locally: in the eye, nose or lung, on the skin, intrathecally.

    The route decides; without one the form in the drug's name does.
    """
    if drug.drug_class not in (DrugClass.STEROID, DrugClass.VASOPRESSOR):
        return False
    if route is not Route.NOT_STATED:
        return route is Route.LOCAL
    words = normalised(" ".join(texts)).replace(",", " ").split()
    return any("local-route" in terms.sets_of_text(word) for word in words)
