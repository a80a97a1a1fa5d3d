"""The Patient, read by id while the searches run."""

from __future__ import annotations

from concurrent.futures import Future, wait

from cds_server.outgoing.read_outcome import InPart, ReadOutcome
from cds_server.record.asked_server import AskedServer
from cds_server.record.coverage_growth import LATE, NOT_KNOWN, NOT_PERMITTED, unread
from cds_server.record.record_so_far import RecordSoFar
from fhir_mappings.facts.coverage import Completeness, Coverage, Gap, Kind


class PatientRead:
    """The read of one Patient: started early, and added to pool and coverage when it is needed."""

    def __init__(self, asked: AskedServer, patient_id: str, so_far: RecordSoFar) -> None:
        self._asked = asked
        self._patient_id = patient_id
        self._so_far = so_far
        self._pool = so_far.pool
        self._coverage = so_far.coverage
        self._under_way: Future[ReadOutcome] | None = None

    def start(self) -> None:
        """Ask for the Patient, unless it is there already or the client failed to read it. Where the client said that
        there is none, the server may know better."""
        there = self._pool.patient(self._patient_id) is not None
        if there or self._coverage[Kind.PATIENT].gap is Gap.FAILED_AT_CLIENT:
            return
        if not self._asked.permits("Patient", search=False):
            self._coverage[Kind.PATIENT] = unread(NOT_PERMITTED)
            return
        self._under_way = self._asked.read("Patient", self._patient_id)

    def take(self) -> None:
        """Wait for the Patient until the deadline."""
        if self._under_way is None:
            return
        future, self._under_way = self._under_way, None
        wait([future], timeout=self._asked.remaining())
        if not future.done():
            self._coverage[Kind.PATIENT] = unread(LATE)
            return
        found = self._so_far.add(future.result(), "Patient", frozenset({Kind.PATIENT}))
        if not isinstance(found, InPart):
            self._coverage[Kind.PATIENT] = Coverage(Completeness.COMPLETE)
        else:
            self._coverage[Kind.PATIENT] = unread(NOT_KNOWN if found.error.status in (404, 410) else found.error)

    def is_read_now(self) -> bool:
        """Read the Patient before anything else. True if there is one."""
        self.start()
        self.take()
        return self._pool.patient(self._patient_id) is not None
