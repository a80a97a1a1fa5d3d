"""The coverage of a kind of data after one more search."""

from __future__ import annotations

from datetime import datetime

from cds_server.outgoing.fhir_errors import Fault, FhirError
from cds_server.outgoing.read_outcome import InPart, ReadOutcome
from cds_server.record.search_plan import Need
from fhir_mappings.facts.coverage import Completeness, Coverage, Gap

NOT_PERMITTED = FhirError(Fault.SCOPE, "not permitted by the granted scope")
NOT_KNOWN = FhirError(Fault.STATUS, "not known to the FHIR server", status=404)
NOTHING_FOUND = FhirError(Fault.INCOMPLETE, "nothing was found of a patient who could not be read")
LATE = FhirError(Fault.LATE, "not read in time")


def unread(error: FhirError) -> Coverage:
    """The coverage of data whose request failed."""
    return Coverage(Completeness.UNREAD, error.why, gap=_gap(error))


def in_part(error: FhirError, since: datetime | None = None) -> Coverage:
    """The coverage of data of which some may be missing."""
    return Coverage(Completeness.PART, error.why, since, _gap(error))


def grown(before: Coverage, need: Need, found: ReadOutcome, as_of: datetime) -> Coverage:
    """The coverage after one search. It reaches further back only if nothing is missing in between."""
    if isinstance(found, InPart):
        if before.since is not None or found.results or before.state is Completeness.PART:
            return in_part(found.error, before.since)
        return unread(found.error)
    if need.since is None:
        return Coverage(Completeness.COMPLETE)
    joins = need.until in (None, as_of) or (before.since is not None and before.since <= need.until)
    if not joins:
        return before
    reached = [s for s in (before.since, need.since) if s is not None]
    return Coverage(Completeness.COMPLETE, None, min(reached))


def _gap(error: FhirError) -> Gap:
    if error is NOT_KNOWN:
        return Gap.NOT_KNOWN
    return Gap.NOT_PERMITTED if error.fault is Fault.SCOPE else Gap.FAILED
