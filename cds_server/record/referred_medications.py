"""The Medications that administrations and drafts refer to: their drugs may yet show a course, or a dose."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import wait

from cds_server.outgoing.fhir_errors import Fault, FhirError
from cds_server.outgoing.read_outcome import InPart, failed
from cds_server.outgoing.search_requests import Search
from cds_server.record.asked_server import AskedServer
from cds_server.record.coverage_growth import LATE, NOT_PERMITTED, in_part
from cds_server.record.medication_memory import MedicationMemory
from cds_server.record.record_so_far import RecordSoFar
from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.facts.coverage import Completeness, Coverage, Kind
from fhir_mappings.medications.draft_fields import Draft
from fhir_mappings.medications.draft_orders import draft_medications
from fhir_mappings.medications.products import MOST_HOPS, Shelf, referred_medications
from fhir_mappings.medications.sure_names import surely_named

AT_ONCE = 50
NOT_FOUND = FhirError(Fault.INCOMPLETE, "not found on the FHIR server")


class ReferredMedications:
    """The Medications of one call. Each is asked for once; one that is remembered is not asked for at all."""

    def __init__(
        self,
        asked: AskedServer,
        drafts: Sequence[Draft],
        so_far: RecordSoFar,
        memory: MedicationMemory,
        terms: Terminology,
    ) -> None:
        self._asked = asked
        self._drafts = drafts
        self._so_far = so_far
        self._pool = so_far.pool
        self._memory = memory
        self._terms = terms
        self._tried: set[str] = set()
        self._new: list[str] = []
        self._error: FhirError | None = None

    def read(self) -> bool:
        """Read the distinct Medications and Substances behind references, hop by hop, and say whether all that name a
        drug came. True if one came."""
        came = False
        base = self._asked.server.base
        for hop in range(MOST_HOPS + 1):
            referred = referred_medications(self._pool, base)
            wanted = (*referred.missing, *draft_medications(self._drafts, self._pool, base))
            new = [reference for reference in dict.fromkeys(wanted) if reference not in self._tried]
            if new and self._asked.remaining() <= 0:
                self._error = self._error or LATE
            if not new or hop == MOST_HOPS or self._asked.remaining() <= 0:
                break
            self._tried.update(new)
            self._read_once(base, new)
            came = came or any(self._pool.get(reference) is not None for reference in new)
        error = (self._error or NOT_FOUND) if referred.unfollowed else None
        self._remember(base)
        self._so_far.coverage[Kind.MEDICATIONS] = in_part(error) if error else Coverage(Completeness.COMPLETE)
        return came

    def _read_once(self, base: str, references: list[str]) -> None:
        """Take what is remembered, and ask for the rest by type."""
        unknown: dict[str, list[str]] = {}
        for reference in references:
            remembered = self._memory.get(base, reference)
            if remembered is not None:
                self._pool.add(remembered, "Medication remembered")
            else:
                resource_type, _, resource_id = reference.partition("/")
                unknown.setdefault(resource_type, []).append(resource_id)
                self._new.append(reference)
        for resource_type, ids in unknown.items():
            if self._asked.permits(resource_type):
                self._fetch(resource_type, ids)
            else:
                self._error = NOT_PERMITTED

    def _remember(self, base: str) -> None:
        """Keep what was read and surely names its drug, with all its ingredients."""
        shelf = Shelf(self._pool, base)
        for reference in self._new:
            found = self._pool.get(reference)
            if found is not None and surely_named(reference, shelf, self._terms):
                self._memory.put(base, reference, bytes(found.raw))
        self._new.clear()

    def _fetch(self, resource_type: str, ids: list[str]) -> None:
        batches = [ids[i : i + AT_ONCE] for i in range(0, len(ids), AT_ONCE)]
        searches = [
            Search(resource_type, (("_id", ",".join(batch)), ("_count", str(AT_ONCE))), decides=True)
            for batch in batches
        ]
        futures = [self._asked.search(search) for search in searches]
        wait(futures, timeout=self._asked.remaining())
        for future in futures:
            # any other resource that a server puts here is checked like any other answer
            taken = self._so_far.add(future.result() if future.done() else failed(LATE), resource_type)
            if isinstance(taken, InPart):
                self._error = self._error or taken.error
