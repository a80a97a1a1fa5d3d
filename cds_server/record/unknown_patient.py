"""A patient whom the FHIR server does not know: nothing that it answered to a search can be believed.

A server answers a search for an unknown patient with an empty searchset, which reads like "none on record".
"""

from __future__ import annotations

from collections.abc import Mapping

from cds_server.problems import Problem, ProblemId
from cds_server.record.coverage_growth import NOT_KNOWN, in_part, unread
from cds_server.record.record_so_far import RecordSoFar
from cds_server.record.searches_under_way import SearchesUnderWay
from fhir_mappings.facts.course import CourseDoubt
from fhir_mappings.facts.coverage import Completeness, Coverage, Gap, Kind


def doubt_the_searches(so_far: RecordSoFar, searches: SearchesUnderWay, by_client: Mapping[Kind, Coverage]) -> None:
    """Count what a server that does not know the patient was searched for as not read.

    `by_client` is the coverage by prefetch alone, which stands. Raises Problem `unreadable-record` if the searches
    brought anything, or the client nothing of the patient.
    """
    if so_far.coverage[Kind.PATIENT].gap is not Gap.NOT_KNOWN:
        return
    from_client = any(claim.from_client for claim in so_far.pool.claims)
    if searches.brought or not from_client:
        details = [("", f"{Kind.PATIENT.value}: {NOT_KNOWN.why}")]
        raise Problem(ProblemId.UNREADABLE_RECORD, details, CourseDoubt.PATIENT_UNKNOWN.value)
    for kind in searches.kinds:
        before = by_client[kind]
        came = before.state is not Completeness.UNREAD
        so_far.coverage[kind] = in_part(NOT_KNOWN, before.since) if came else unread(NOT_KNOWN)
