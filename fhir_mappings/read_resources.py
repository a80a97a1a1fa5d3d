"""FHIR JSON → rows to map, each resource once; what cannot be read is set aside and reported.

Everything is scanned cheaply (fhir_structs); only what an answer rests on is validated by fhir.resources
(`validation_error`). R4B models read R4 data: the types used here are the same in both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec
from fhir.resources.R4B.allergyintolerance import AllergyIntolerance as AllergyModel
from fhir.resources.R4B.condition import Condition as ConditionModel
from fhir.resources.R4B.medicationadministration import MedicationAdministration as AdministrationModel
from fhir.resources.R4B.observation import Observation as ObservationModel
from fhir.resources.R4B.patient import Patient as PatientModel
from fhir.resources.R4B.procedure import Procedure as ProcedureModel
from pydantic import ValidationError

from fhir_mappings import fhir_structs as fs
from fhir_mappings.clinical_facts import Coverage, Kind

STRUCTS: Mapping[str, type[fs.FhirStruct]] = {
    "Observation": fs.Observation,
    "MedicationAdministration": fs.MedicationAdministration,
    "Procedure": fs.Procedure,
    "Condition": fs.Condition,
    "AllergyIntolerance": fs.AllergyIntolerance,
    "MedicationRequest": fs.MedicationRequest,
    "ServiceRequest": fs.ServiceRequest,
    "Patient": fs.Patient,
    "Medication": fs.Medication,
}
_DECODERS = {name: msgspec.json.Decoder(struct) for name, struct in STRUCTS.items()}
_HEADER = msgspec.json.Decoder(fs.Header)
_MODELS: Mapping[str, Any] = {
    "Observation": ObservationModel,
    "MedicationAdministration": AdministrationModel,
    "Procedure": ProcedureModel,
    "Condition": ConditionModel,
    "AllergyIntolerance": AllergyModel,
    "Patient": PatientModel,
}

T = TypeVar("T", bound=fs.FhirStruct)


@dataclass(frozen=True, slots=True)
class Resource(Generic[T]):
    """One resource: its scanned fields, its bytes, what the record calls it and where it came from."""

    data: T
    raw: bytes
    reference: str
    type: str
    where: str
    from_client: bool
    owner: bytes
    last_updated: str
    kinds: frozenset[Kind]


@dataclass(frozen=True, slots=True)
class Broken:
    """A resource that could not be read: what it may have been, and the time it states."""

    reference: str
    why: str
    kinds: frozenset[Kind]
    when: str | None
    infusion: bool = False


class ResourcePool:
    """Every resource of one call, each once: of two with one id the one updated last."""

    def __init__(self) -> None:
        self._by_reference: dict[str, Resource[Any]] = {}
        self.broken: dict[str, Broken] = {}

    def add(self, raw: bytes, where: str, *, from_client: bool = False, kinds: frozenset[Kind] = frozenset()) -> None:
        """Read one resource. One that cannot be read is set aside with the path of the broken field."""
        try:
            header = _HEADER.decode(raw)
            decoder = _DECODERS.get(header.resource_type)
            if decoder is None:
                return
            data = decoder.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            sketch = _sketch(raw)
            reference = f"{sketch.resource_type}/{sketch.id}" if sketch.id else where
            kinds = kinds or _kinds_of(sketch.resource_type)
            self.broken[reference] = Broken(reference, _broken(error), kinds, sketch.effective_date_time)
            return
        reference = f"{header.resource_type}/{header.id or _digest(raw)}"
        updated = (header.meta and header.meta.last_updated) or ""
        known = self._by_reference.get(reference)
        if known is not None:
            kinds |= known.kinds
            if known.last_updated > updated:
                return
        owner = bytes(header.subject) or bytes(header.patient)
        self._by_reference[reference] = Resource(
            data, raw, reference, header.resource_type, where, from_client, owner, updated, kinds
        )

    def remove(self, reference: str, why: str, *, infusion: bool = False) -> None:
        """Set a resource aside after it was read."""
        resource = self._by_reference.pop(reference)
        when = _sketch(resource.raw).effective_date_time
        kinds = resource.kinds or _kinds_of(resource.type)
        self.broken[reference] = Broken(reference, why, kinds, when, infusion)

    def of_type(self, struct: type[T]) -> tuple[Resource[T], ...]:
        name = struct.__name__
        return tuple(r for r in self._by_reference.values() if r.type == name)

    def all(self) -> Iterable[Resource[Any]]:
        return tuple(self._by_reference.values())

    def get(self, reference: str) -> Resource[Any] | None:
        return self._by_reference.get(reference)

    def medication(self, medication_id: str | None) -> fs.Medication | None:
        found = self._by_reference.get(f"Medication/{medication_id}")
        return found.data if found is not None else None

    def patient(self, patient_id: str) -> fs.Patient | None:
        found = self._by_reference.get(f"Patient/{patient_id}")
        return found.data if found is not None else None


@dataclass(frozen=True)
class PatientRecord:
    """All that was read of one patient, and how far each kind of data could be read."""

    pool: ResourcePool
    coverage: Mapping[Kind, Coverage] = field(default_factory=dict)


def validation_error(resource: Resource[Any]) -> str | None:
    """Why fhir.resources refuses this resource, as paths without values; None when it is valid."""
    model = _MODELS.get(resource.type)
    if model is None:
        return None
    try:
        model.model_validate_json(resource.raw)
    except ValidationError as error:
        paths = sorted({".".join(str(part) for part in e["loc"]) or resource.type for e in error.errors()})
        return "not valid FHIR at " + ", ".join(paths[:5])
    return None


_KINDS = {
    "Observation": frozenset(
        {Kind.IL6_CRP, Kind.VITALS, Kind.OXYGEN, Kind.WEIGHT, Kind.SAFETY_LABS, Kind.MICROBIOLOGY}
    ),
    "MedicationAdministration": frozenset({Kind.ADMINISTRATIONS}),
    "Procedure": frozenset({Kind.PROCEDURES, Kind.SUPPORT_PROCEDURES}),
    "Condition": frozenset({Kind.CONDITIONS}),
    "AllergyIntolerance": frozenset({Kind.ALLERGIES}),
    "Patient": frozenset({Kind.PATIENT}),
}


def _kinds_of(resource_type: str) -> frozenset[Kind]:
    """What a resource may have been, where nobody said what it was asked for."""
    return _KINDS.get(resource_type, frozenset(Kind))


class _Sketch(fs.FhirStruct, frozen=True):
    resource_type: str = ""
    id: str | None = None
    effective_date_time: str | None = None


def _sketch(raw: bytes) -> _Sketch:
    try:
        return msgspec.json.decode(raw, type=_Sketch)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _Sketch()


def _digest(raw: bytes) -> str:
    return "no-id-" + hashlib.sha256(raw).hexdigest()[:12]


def _broken(error: Exception) -> str:
    path = str(error).rpartition(" - at `")[2].rstrip("`") if " - at `" in str(error) else ""
    return f"wrong type at {path.replace('$.', '')}" if path else "not readable as JSON of a FHIR resource"
