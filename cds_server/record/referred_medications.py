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
from fhir_mappings.medications.drugs import unread_medications

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
        """Read the distinct Medications behind references, together. True if one came."""
        if self._asked.remaining() <= 0:
            return False
        base = self._asked.server.base
        ids = [*unread_medications(self._pool, base)]
        ids += [i for i in draft_medications(self._drafts, base) if self._pool.medication(i) is None]
        unknown = []
        for medication_id in dict.fromkeys(i for i in ids if i not in self._tried):
            remembered = self._memory.get(base, medication_id)
            if remembered is not None:
                self._pool.add(remembered, "Medication remembered")
            else:
                unknown.append(medication_id)
        self._tried.update(unknown)
        if unknown and self._asked.permits("Medication"):
            self._fetch(unknown)
        return any(self._pool.medication(i) is not None for i in ids)

    def _fetch(self, ids: list[str]) -> None:
        batches = [ids[i : i + AT_ONCE] for i in range(0, len(ids), AT_ONCE)]
        searches = [Search("Medication", (("_id", ",".join(batch)), ("_count", str(AT_ONCE)))) for batch in batches]
        futures = [self._asked.search(search) for search in searches]
        wait(futures, timeout=self._asked.remaining())
        for future in futures:
            for raw in future.result().entries[: self._so_far.room()] if future.done() else []:
                # any other resource that a server puts here is checked like any other answer
                self._pool.add(raw, "Medication from the FHIR server")
        for medication_id in ids:
            found = self._pool.get(f"Medication/{medication_id}")
            if found is not None:
                self._memory.put(self._asked.server.base, medication_id, bytes(found.raw))
