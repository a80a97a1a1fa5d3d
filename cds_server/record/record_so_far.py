"""The record while it is being read."""

from __future__ import annotations

from dataclasses import dataclass

from fhir_mappings.facts.coverage import Coverage, Kind
from fhir_mappings.reading.resource_pool import PatientRecord, ResourcePool


@dataclass(frozen=True)
class RecordSoFar:
    """The resources, how far each kind was read, and how many resources one call may hold. It grows with each
    answer."""

    pool: ResourcePool
    coverage: dict[Kind, Coverage]
    most_entries: int

    def room(self) -> int:
        return max(0, self.most_entries - self.pool.added)

    def record(self) -> PatientRecord:
        return PatientRecord(self.pool, self.coverage)
