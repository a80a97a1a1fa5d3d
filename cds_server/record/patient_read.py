"""The Patient, read by id while the searches run.

A server answers a search for a patient whom it does not know with an empty searchset, which reads like "none on
record". So of such a patient nothing that it answered to a search can be believed. Some servers do not say so to a read
either: they refuse it (403), or send a page to log in. Then empty answers alone are not believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Future, wait

from cds_server.outgoing.fhir_errors import FhirError
from cds_server.outgoing.read_outcome import InPart, ReadOutcome
from cds_server.problems import Problem, ProblemId
from cds_server.record.asked_server import AskedServer
from cds_server.record.coverage_growth import LATE, NOT_KNOWN, NOT_PERMITTED, NOTHING_FOUND, in_part, unread
from cds_server.record.record_so_far import RecordSoFar
from cds_server.record.searches_under_way import SearchesUnderWay
from fhir_mappings.facts.course import CourseDoubt
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
        if self.is_there or self._coverage[Kind.PATIENT].gap is Gap.FAILED_AT_CLIENT:
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

    @property
    def is_there(self) -> bool:
        return self._pool.patient(self._patient_id) is not None

    @property
    def is_unknown(self) -> bool:
        """The server said that there is no such Patient."""
        return self._coverage[Kind.PATIENT].gap is Gap.NOT_KNOWN

    def is_read_now(self) -> bool:
        """Read the Patient before anything else. True if there is one."""
        self.start()
        self.take()
        return self.is_there


def doubt_the_searches(so_far: RecordSoFar, searches: SearchesUnderWay, by_client: Mapping[Kind, Coverage]) -> None:
    """Count what a server that does not know the patient was searched for as not read; so too where the Patient could
    not be read, and nothing at all was found of them.

    `by_client` is the coverage by prefetch alone, which stands. Raises Problem `unreadable-record` if the searches of
    an unknown patient brought anything, or the client nothing of them.
    """
    gap = so_far.coverage[Kind.PATIENT].gap
    from_client = any(claim.from_client for claim in so_far.pool.every_claim)
    if gap is Gap.NOT_KNOWN and (searches.brought or not from_client):
        details = [("", f"{Kind.PATIENT.value}: {NOT_KNOWN.why}")]
        raise Problem(ProblemId.UNREADABLE_RECORD, details, CourseDoubt.PATIENT_UNKNOWN.value)
    if gap is Gap.NOT_KNOWN:
        _doubt(so_far, searches.kinds, by_client, NOT_KNOWN)
    elif gap in (Gap.FAILED, Gap.FAILED_AT_CLIENT) and not searches.brought and not from_client:
        whole = [kind for kind in searches.kinds if so_far.coverage[kind].state is Completeness.COMPLETE]
        _doubt(so_far, whole, by_client, NOTHING_FOUND)


def _doubt(so_far: RecordSoFar, kinds: Iterable[Kind], by_client: Mapping[Kind, Coverage], error: FhirError) -> None:
    for kind in kinds:
        before = by_client[kind]
        came = before.state is not Completeness.UNREAD
        so_far.coverage[kind] = in_part(error, before.since) if came else unread(error)
