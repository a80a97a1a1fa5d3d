"""The mapping from a recorded FHIR Bundle to the record it holds, as if everything had been read from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from cds_server.record.plain_references import with_plain_references
from fhir_mappings.facts.coverage import Completeness, Coverage, Gap, Kind
from fhir_mappings.medications.draft_fields import Draft
from fhir_mappings.medications.draft_orders import check_draft_owner
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.ownership import AnotherPatientError, Owner, check_owner, owner_of
from fhir_mappings.reading.resource_pool import PatientRecord, ResourcePool
from fhir_mappings.reading.resources import path_in, type_of
from fhir_mappings.reading.searchset import Part, part_of

BOM = b"\xef\xbb\xbf"
_NOT_READ = ("history", "batch-response", "transaction-response")
_PLACE = re.compile(r"\(byte (\d+)\)")  # in an error of msgspec
_anything = msgspec.json.Decoder()


_bundle = msgspec.json.Decoder(fs.Bundle)


class BadBundleError(ValueError):
    """A Bundle that cannot be used, with its file, entry and field."""


@dataclass(frozen=True)
class RecordedPatient:
    owner: Owner
    record: PatientRecord


def recorded_patient(name: str, content: bytes, patient_id: str | None) -> RecordedPatient:
    """The patient of a Bundle and the record. Raises BadBundleError."""
    bundle = _read_bundle(name, content.removeprefix(BOM))
    if bundle.type in _NOT_READ:
        raise BadBundleError(f"{name}: type {bundle.type} is not read; record what is in force as a collection.")
    entries = [(n, e) for n, e in enumerate(bundle.entries) if _holds_a_resource(name, n, e)]
    parts = [part_of(entry, type_of(entry.resource)) for _, entry in entries]
    raw = with_plain_references((entry.full_url, entry.resource) for _, entry in entries)
    pool = ResourcePool()
    for (index, _), part, resource in zip(entries, parts, raw, strict=True):
        if part in (Part.MATCH, Part.INCLUDED):
            pool.add(resource, f"entry[{index}]", from_client=True)
    chosen = patient_id or _only_patient(name, pool)
    owner = owner_of(chosen, _base_of(chosen, bundle), pool)
    try:
        check_owner(pool, owner)
    except AnotherPatientError as error:
        raise BadBundleError(f"{name}: {error.where}.resource is of another patient; a Bundle holds one.") from error
    coverage = _coverage(bundle, failed=Part.FAILURE in parts)
    return RecordedPatient(owner, PatientRecord(pool, dict.fromkeys(Kind, coverage)))


def _coverage(bundle: fs.Bundle, *, failed: bool) -> Coverage:
    """The coverage of every kind of data: a Bundle does not say what was asked for."""
    if failed:
        why = "an OperationOutcome in the Bundle says that results are missing"
        return Coverage(Completeness.PART, why, gap=Gap.FAILED_AT_CLIENT)
    if bundle.next_url is not None:
        return Coverage(Completeness.PART, "the Bundle is a first page: more follows at its next link")
    return Coverage(Completeness.COMPLETE)


def _read_bundle(name: str, content: bytes) -> fs.Bundle:
    try:
        bundle = _bundle.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadBundleError(f"{name}: {_where(error)}") from error
    if bundle.resource_type != "Bundle":
        raise BadBundleError(f"{name}: resourceType must be Bundle.")
    return bundle


def _holds_a_resource(name: str, index: int, entry: fs.Entry) -> bool:
    """Tell whether an entry is to be read; one that deletes is not. Raises BadBundleError if it has no resource."""
    if entry.request is not None and entry.request.method == "DELETE":
        return False
    if bytes(entry.resource) in (b"", b"null"):
        raise BadBundleError(f"{name}: entry[{index}].resource is missing.")
    return True


def _only_patient(name: str, pool: ResourcePool) -> str:
    claims = [c for c in pool.every_claim if c.type == "Patient"]
    nameless = next((c.where for c in claims if c.reference.startswith("Patient/no-id-")), None)
    if nameless is not None:
        raise BadBundleError(f"{name}: {nameless}.resource.id is missing.")
    patients = list(dict.fromkeys(c.reference.removeprefix("Patient/") for c in claims))
    if len(patients) != 1:
        how_many = "no Patient" if not patients else f"{len(patients)} Patients"
        raise BadBundleError(f"{name}: holds {how_many}; name the patient with --patient.")
    return patients[0]


def _base_of(patient_id: str, bundle: fs.Bundle) -> str | None:
    """The FHIR base in the patient's fullUrl."""
    tail = f"/Patient/{patient_id}"
    urls = (entry.full_url or "" for entry in bundle.entries)
    return next((url.removesuffix(tail) for url in urls if url.startswith("http") and url.endswith(tail)), None)


def recorded_drafts(name: str, content: bytes) -> tuple[Draft, ...]:
    """The drafts in a file: one order, or a Bundle of orders. Raises BadBundleError."""
    try:
        document = _anything.decode(content.removeprefix(BOM))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise BadBundleError(f"{name}: {_where(error)}") from error
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


def check_drafts(name: str, drafts: tuple[Draft, ...], recorded: RecordedPatient) -> None:
    """Raise BadBundleError if a draft is of another patient."""
    try:
        check_draft_owner(drafts, recorded.owner)
    except AnotherPatientError as error:
        where = error.where.removeprefix("context.draftOrders.")
        raise BadBundleError(f"{name}: {where} is of another patient.") from error


def _where(error: Exception) -> str:
    """A sentence on what is wrong, with byte or path, never a value."""
    text = str(error)
    if isinstance(error, msgspec.ValidationError):
        path = path_in(error).removeprefix("$").removeprefix(".")
        return f"{path} is of the wrong type." if path else "must be one FHIR resource, a Bundle."
    place = _PLACE.search(text)
    if "truncated" in text:
        return "the JSON is cut off at its end."
    return f"not JSON at byte {place[1]}." if place else "not readable as JSON."
