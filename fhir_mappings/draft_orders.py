"""Draft orders, read leniently: what clients send here is often not valid FHIR, and it is what users have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from fhir_mappings import fhir_structs as fs
from fhir_mappings.clinical_facts import DraftOrder, Route
from fhir_mappings.drugs import drug_of, medication_id, route_of
from fhir_mappings.observations import codings_of
from fhir_mappings.ownership import AnotherPatientError, Owner
from fhir_mappings.read_resources import ResourcePool
from fhir_mappings.terminology import Terminology

_DOES_NOT_COUNT = frozenset({"cancelled", "revoked", "entered-in-error"})
_MEDICATION_TYPES = frozenset({"MedicationRequest", "MedicationOrder"})

Draft = Mapping[str, Any]


def check_draft_owner(drafts: Sequence[Draft], owner: Owner) -> None:
    """Raises AnotherPatientError naming the entry of a draft for another patient. One without subject passes."""
    for index, draft in enumerate(drafts):
        for field in ("subject", "patient"):
            target = draft.get(field)
            reference = target.get("reference") if isinstance(target, Mapping) else None
            if isinstance(reference, str) and owner.owns(reference) is False:
                raise AnotherPatientError(f"context.draftOrders.entry[{index}].resource.{field}", from_client=True)


def draft_medications(drafts: Iterable[Draft], fhir_base: str | None) -> tuple[str, ...]:
    """The ids of Medications that drafts refer to."""
    found = (medication_id(reference.reference, fhir_base) for d in drafts if (reference := _reference(d)))
    return tuple(dict.fromkeys(i for i in found if i))


def draft_orders(
    drafts: Sequence[Draft],
    selections: frozenset[str],
    pool: ResourcePool,
    terms: Terminology,
    fhir_base: str | None,
) -> tuple[DraftOrder, ...]:
    """Drafts that count, with what they are for. A cancelled one, or one not to be performed, does not count.

    Where no selection names a draft, all are taken as selected: better a card too many than a drug unseen.
    """
    references = [_named(d, index) for index, d in enumerate(drafts)]
    some_selected = any(_is_selected(r, selections) for r in references)
    found = []
    for draft, reference in zip(drafts, references, strict=True):
        if draft.get("status") in _DOES_NOT_COUNT or draft.get("doNotPerform") is True:
            continue
        if draft.get("resourceType") == "Medication":
            continue
        selected = _is_selected(reference, selections) or not some_selected
        found.append(_draft_order(draft, reference, pool, terms, fhir_base, selected=selected))
    return tuple(found)


def _draft_order(
    draft: Draft, reference: str, pool: ResourcePool, terms: Terminology, fhir_base: str | None, *, selected: bool
) -> DraftOrder:
    is_medication = draft.get("resourceType") in _MEDICATION_TYPES
    if is_medication:
        concept, target = _concept(draft.get("medicationCodeableConcept")), _reference(draft)
        drug = drug_of(concept, target, _contained(draft), pool, terms, fhir_base, _route(draft, terms))
        return DraftOrder(
            reference, is_medication, drug, frozenset(), selected, empty=concept is None and target is None
        )
    sets: frozenset[str] = frozenset()
    for field in ("code", "codeCodeableConcept"):
        sets |= terms.sets_of(codings_of(_concept(draft.get(field))))
    return DraftOrder(reference, is_medication, None, sets, selected)


def _named(draft: Draft, index: int) -> str:
    return f"{draft.get('resourceType', '')}/{draft.get('id') or f'draft-{index}'}"


def _is_selected(reference: str, selections: frozenset[str]) -> bool:
    return any(s == reference or s.endswith(f"/{reference}") for s in selections)


def _reference(draft: Draft) -> fs.Reference | None:
    target = draft.get("medicationReference")
    if not isinstance(target, Mapping):
        return None
    reference, display = target.get("reference"), target.get("display")
    return fs.Reference(
        reference if isinstance(reference, str) else None, display if isinstance(display, str) else None
    )


def _route(draft: Draft, terms: Terminology) -> Route:
    instructions = draft.get("dosageInstruction")
    first = instructions[0] if isinstance(instructions, list) and instructions else instructions
    return route_of(_concept(first.get("route")) if isinstance(first, Mapping) else None, terms)


def _contained(draft: Draft) -> tuple[msgspec.Raw, ...]:
    contained = draft.get("contained")
    items = contained if isinstance(contained, list) else []
    return tuple(msgspec.Raw(msgspec.json.encode(item)) for item in items if isinstance(item, Mapping))


def _concept(value: object) -> fs.CodeableConcept | None:
    """A CodeableConcept from whatever is there; None where it says nothing."""
    if isinstance(value, list):
        value = value[0] if value else None
    if not isinstance(value, Mapping):
        return None
    codings = value.get("coding")
    if isinstance(codings, Mapping):
        codings = [codings]
    read = tuple(
        fs.Coding(*(text if isinstance(text := c.get(k), str) else None for k in ("system", "code", "display")))
        for c in (codings if isinstance(codings, list) else [])
        if isinstance(c, Mapping)
    )
    read = tuple(c for c in read if c.code or c.display)
    text = value.get("text")
    text = text if isinstance(text, str) and text.strip() else None
    return fs.CodeableConcept(read, text) if read or text else None
