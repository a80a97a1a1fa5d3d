"""The Medications that administrations and drafts refer to: their drugs may yet show a course, or a dose."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import wait

from cds_server.outgoing.fhir_client import Search
from cds_server.record.asked_server import AskedServer
from cds_server.record.medication_memory import MedicationMemory
from cds_server.record.record_so_far import RecordSoFar
from fhir_mappings.medications.draft_fields import Draft
from fhir_mappings.medications.draft_orders import draft_medications
from fhir_mappings.medications.products import MOST_HOPS, unread_medications

AT_ONCE = 50


class ReferredMedications:
    """The Medications of one call. Each is asked for once; one that is remembered is not asked for at all."""

    def __init__(
        self, asked: AskedServer, drafts: Sequence[Draft], so_far: RecordSoFar, memory: MedicationMemory
    ) -> None:
        self._asked = asked
        self._drafts = drafts
        self._so_far = so_far
        self._pool = so_far.pool
        self._memory = memory
        self._tried: set[str] = set()

    def read(self) -> bool:
        """Read the distinct Medications and Substances behind references, hop by hop. True if one came."""
        came = False
        for _ in range(MOST_HOPS):
            if self._asked.remaining() <= 0:
                break
            base = self._asked.server.base
            wanted = (*unread_medications(self._pool, base), *draft_medications(self._drafts, self._pool, base))
            new = [reference for reference in dict.fromkeys(wanted) if reference not in self._tried]
            if not new:
                break
            self._tried.update(new)
            self._read_once(base, new)
            came = came or any(self._pool.get(reference) is not None for reference in new)
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
        for resource_type, ids in unknown.items():
            if self._asked.permits(resource_type):
                self._fetch(resource_type, ids)

    def _fetch(self, resource_type: str, ids: list[str]) -> None:
        batches = [ids[i : i + AT_ONCE] for i in range(0, len(ids), AT_ONCE)]
        searches = [Search(resource_type, (("_id", ",".join(batch)), ("_count", str(AT_ONCE)))) for batch in batches]
        futures = [self._asked.search(search) for search in searches]
        wait(futures, timeout=self._asked.remaining())
        for future in futures:
            for raw in future.result().entries[: self._so_far.room()] if future.done() else []:
                # any other resource that a server puts here is checked like any other answer
                self._pool.add(raw, f"{resource_type} from the FHIR server")
        for reference in (f"{resource_type}/{resource_id}" for resource_id in ids):
            found = self._pool.get(reference)
            if found is not None:
                self._memory.put(self._asked.server.base, reference, bytes(found.raw))
