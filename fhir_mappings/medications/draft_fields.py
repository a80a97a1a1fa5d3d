"""The fields of a draft, read leniently: clients send drafts that are not valid FHIR, and they are what users have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from fhir_mappings.medications.stated_doses import Statement, statements_of
from fhir_mappings.reading import fhir_structs as fs


@dataclass(frozen=True)
class Draft:
    """One entry of `draftOrders`: its index, its fullUrl as the client sent it, and its resource."""

    index: int
    full_url: object
    resource: Mapping[str, Any]


def word(draft: Mapping[str, Any], field: str) -> str:
    """The text of a field; "" if the field holds none."""
    value = draft.get(field)
    return value if isinstance(value, str) else ""


def reference_of(draft: Draft) -> str:
    """`Type/id`, with an id made from the index if the draft has none."""
    return f"{word(draft.resource, 'resourceType')}/{word(draft.resource, 'id') or f'draft-{draft.index}'}"


def medication_reference(draft: Mapping[str, Any]) -> fs.Reference | None:
    target = draft.get("medicationReference")
    if not isinstance(target, Mapping):
        return None
    reference, display = target.get("reference"), target.get("display")
    return fs.Reference(
        reference if isinstance(reference, str) else None, display if isinstance(display, str) else None
    )


def first_object(value: object) -> Mapping[str, Any]:
    """The first object of a list, or the object itself if a client sends no list; empty for anything else."""
    first = value[0] if isinstance(value, list) and value else value
    return first if isinstance(first, Mapping) else {}


def stated_in(draft: Mapping[str, Any]) -> list[Statement]:
    """The ways in which the first dosage states a dose; in older FHIR the dose stands in the dosage itself."""
    dosage = first_object(draft.get("dosageInstruction"))
    rates = dosage.get("doseAndRate")
    entries = rates if isinstance(rates, list) else [rates] if isinstance(rates, Mapping) else [dosage]
    found = [_dose_and_rate(entry) for entry in entries if isinstance(entry, Mapping)]
    return statements_of(found)


def _dose_and_rate(entry: Mapping[str, Any]) -> fs.DoseAndRate:
    between = entry.get("doseRange")
    ends = [quantity_in(between.get(end)) for end in ("low", "high")] if isinstance(between, Mapping) else []
    dose = entry.get("doseQuantity")
    return fs.DoseAndRate(
        type=concept_of(entry.get("type")),
        dose_quantity=quantity_in(dose) if isinstance(dose, Mapping) else None,
        dose_range=fs.Range(*ends) if ends else None,
    )


def quantity_in(value: object) -> fs.Quantity:
    """A quantity as far as its fields can be read."""
    fields = value if isinstance(value, Mapping) else {}
    texts = [word(fields, name) or None for name in ("comparator", "unit", "code", "system")]
    try:
        return fs.Quantity(Decimal(str(fields["value"])), *texts)
    except (KeyError, ArithmeticError, ValueError):
        return fs.Quantity(None, *texts)


def contained_in(draft: Mapping[str, Any]) -> tuple[msgspec.Raw, ...]:
    contained = draft.get("contained")
    items = contained if isinstance(contained, list) else []
    return tuple(msgspec.Raw(msgspec.json.encode(item)) for item in items if isinstance(item, Mapping))


def medication_in(resource: Mapping[str, Any]) -> fs.Medication:
    """A Medication or Substance among the drafts; where it cannot be read as FHIR has it, its code alone."""
    try:
        return msgspec.convert(resource, fs.Medication, strict=False)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return fs.Medication(code=concept_of(resource.get("code")))


def concept_of(value: object) -> fs.CodeableConcept | None:
    """A CodeableConcept from whatever the client sent; None if it says nothing."""
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
