"""A recorded FHIR Bundle → the record it holds, as if everything had been read from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from fhir_mappings import fhir_structs as fs
from fhir_mappings.clinical_facts import Completeness, Coverage, Kind
from fhir_mappings.draft_orders import Draft, check_draft_owner
from fhir_mappings.ownership import AnotherPatientError, check_owner, owner_of
from fhir_mappings.read_resources import PatientRecord, ResourcePool

_bundle = msgspec.json.Decoder(fs.Bundle)


class BadBundleError(ValueError):
    """Which file, which entry, which field cannot be used."""


def recorded_patient(
    name: str, content: bytes, drafts: tuple[Draft, ...], patient_id: str | None
) -> tuple[str, PatientRecord]:
    """The patient of a Bundle and the record. Raises BadBundleError."""
    try:
        bundle = _bundle.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadBundleError(f"{name}: {_where(error, content)}") from error
    if bundle.resource_type != "Bundle":
        raise BadBundleError(f"{name}: resourceType must be Bundle.")
    pool = ResourcePool()
    for index, entry in enumerate(bundle.entry):
        if not bytes(entry.resource):
            raise BadBundleError(f"{name}: entry[{index}].resource is missing.")
        if entry.search is None or entry.search.mode != "outcome":
            pool.add(bytes(entry.resource), f"entry[{index}]", from_client=True)
    patients = [c.reference.removeprefix("Patient/") for c in pool.claims if c.type == "Patient"]
    patients = list(dict.fromkeys(patients))
    if patient_id is None and len(patients) != 1:
        how_many = "no Patient" if not patients else f"{len(patients)} Patients"
        raise BadBundleError(f"{name}: holds {how_many}; name the patient with --patient.")
    chosen = patient_id or patients[0]
    owner = owner_of(chosen, None, pool)
    try:
        check_owner(pool, owner)
    except AnotherPatientError as error:
        raise BadBundleError(f"{name}: {error.where}.resource is of another patient; a Bundle holds one.") from error
    try:
        check_draft_owner(drafts, owner)
    except AnotherPatientError as error:
        where = error.where.replace("context.draftOrders.entry", "draft")
        raise BadBundleError(f"{where} is of another patient.") from error
    more = any(link.relation == "next" for link in bundle.link)
    state = Completeness.PART if more else Completeness.COMPLETE
    why = "the Bundle is a first page: more follows at its next link" if more else None
    return chosen, PatientRecord(pool, {kind: Coverage(state, why) for kind in Kind})


def recorded_drafts(name: str, content: bytes) -> tuple[Draft, ...]:
    """The drafts in a file: one order, or a Bundle of orders. Raises BadBundleError."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BadBundleError(f"{name}: {_where(error, content)}") from error
    if not isinstance(document, Mapping) or not isinstance(document.get("resourceType"), str):
        raise BadBundleError(f"{name}: resourceType is missing; it must be an order or a Bundle of orders.")
    if document["resourceType"] != "Bundle":
        return (Draft(0, None, document),)
    entries = document.get("entry", [])
    found: list[Draft] = []
    for index, entry in enumerate(entries if isinstance(entries, list) else [entries]):
        resource: Any = entry.get("resource") if isinstance(entry, Mapping) else None
        if not isinstance(resource, Mapping):
            raise BadBundleError(f"{name}: entry[{index}].resource must be an object.")
        found.append(Draft(index, entry.get("fullUrl"), resource))
    return tuple(found)


def _where(error: Exception, content: bytes) -> str:
    """What is wrong, with line or path, never a value."""
    if isinstance(error, msgspec.ValidationError) and " - at `" in str(error):
        return f"{str(error).rpartition(' - at `')[2].rstrip('`').removeprefix('$.')} is of the wrong type."
    try:
        json.loads(content)
    except json.JSONDecodeError as bad:
        return f"not JSON at line {bad.lineno}, column {bad.colno}."
    except (UnicodeDecodeError, RecursionError):
        return "not readable as JSON."
    return "must be one FHIR resource, a Bundle."
