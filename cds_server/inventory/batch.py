"""Some resources of an export, read as those of a call are: one pool, each resource with its patient and place."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from cds_server.exports.export import Portion
from cds_server.inventory.medications_elsewhere import TYPES, Medications
from cds_server.inventory.patients import Patients
from cds_server.inventory.tally import Seen
from fhir_mappings.medications.products import MOST_HOPS, NamesDrug, referred_medications
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.resource_pool import ResourcePool
from fhir_mappings.reading.resources import STRUCTS, Doubt

LARGE = 8192  # bytes of a resource; what is remembered from one batch to the next is of smaller ones


class Batch:
    """A portion of an export as a pool. What names no patient is set aside there, as in a call."""

    def __init__(self, portion: Portion, medications: Medications, patients: Patients) -> None:
        self.file = portion.file
        self.is_large = any(memoryview(one.raw).nbytes > LARGE for one in portion.placed)
        self.pool = ResourcePool()
        self._patients: dict[str, int | None] = {}
        self._places: dict[str, str] = {}
        for one in portion.placed:
            if one.type in STRUCTS and one.type not in TYPES:
                self.pool.add(one.raw, one.place)
        self._find_patients(patients)
        self.fhir_base = base_of(self.pool)
        self._add_medications(Medications(portion.beside), medications)

    def seen(self, reference: str, at: datetime | None) -> Seen:
        """A resource as it is counted."""
        place, resource = self._places.get(reference, ""), self.pool.get(reference)
        return Seen(self._patients.get(reference), at, self.file, place, resource)

    def _find_patients(self, patients: Patients) -> None:
        for claim in self.pool.every_claim:
            patient = patients.of(claim)
            kept = self.pool.get(claim.reference)
            if patient is None and kept is not None and kept.where == claim.where:
                self.pool.remove(claim.reference, Doubt.NO_OWNER)
            self._patients[claim.reference] = patient
            self._places.setdefault(claim.reference, claim.where)

    def _add_medications(self, beside: Medications, elsewhere: Medications) -> None:
        """Add what resources point at, and what that points at: of the same document before any other."""
        tried: set[str] = set()
        for _ in range(MOST_HOPS):
            missing = [m for m in referred_medications(self.pool, self.fhir_base).missing if m not in tried]
            if not missing:
                return
            tried.update(missing)
            for raw in (beside.get(m) or elsewhere.get(m) for m in missing):
                if raw is not None:
                    self.pool.add(raw, "")


def base_of(pool: ResourcePool) -> str | None:
    """The FHIR base of an export whose references to Medications are addresses."""
    drugs: Iterable[NamesDrug] = (
        *(given.data for given in pool.of_type(fs.MedicationAdministration)),
        *(ordered.data for ordered in pool.of_type(fs.MedicationRequest)),
    )
    for reference in (drug.medication_reference for drug in drugs):
        address = (reference.reference if reference is not None else None) or ""
        base, _, resource_type = address.partition("/_history/")[0].rpartition("/")[0].rpartition("/")
        if resource_type == "Medication" and base:
            return base
    return None
