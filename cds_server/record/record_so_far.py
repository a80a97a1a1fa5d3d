"""The record while it is being read."""

from __future__ import annotations

from dataclasses import dataclass

from cds_server.outgoing.fhir_errors import Fault, FhirError
from cds_server.outgoing.read_outcome import InPart, ReadOutcome, Whole
from fhir_mappings.facts.coverage import Coverage, Kind
from fhir_mappings.reading.resource_pool import PatientRecord, ResourcePool


@dataclass(frozen=True)
class RecordSoFar:
    """The resources, how far each kind was read, and how many resources one call may hold. It grows with each
    answer."""

    pool: ResourcePool
    coverage: dict[Kind, Coverage]
    most_entries: int

    def add(self, found: ReadOutcome, where: str, kinds: frozenset[Kind] = frozenset()) -> ReadOutcome:
        """Put what came into the pool, as far as there is room; the outcome after that."""
        match found:
            case Whole(everything=came):
                taken: ReadOutcome = found
            case InPart(before=came):
                taken = found
        room = max(0, self.most_entries - self.pool.added)
        if len(came) > room:
            error = FhirError(Fault.ENTRIES, "there are more results than are read")
            came = came[:room]
            taken = InPart(came, error, found.pages, len(came))
        for index, raw in enumerate(came):
            self.pool.add(raw, f"{where} from the FHIR server, result {index}", kinds=kinds)
        return taken

    def record(self) -> PatientRecord:
        return PatientRecord(self.pool, self.coverage)
