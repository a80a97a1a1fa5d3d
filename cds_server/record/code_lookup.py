"""The conclusion from codes: at a site that codes all its infusions, no coded infusion means no course."""

from __future__ import annotations

from collections.abc import Mapping

from cds_server.outgoing.fhir_errors import FhirError
from cds_server.record.prefetch import KeyState, Supplied
from cds_server.record.search_plan import Hint
from fhir_mappings.facts.course import CourseSearch
from fhir_mappings.facts.coverage import Completeness, Coverage, Kind


def believe_codes(
    search: CourseSearch,
    hints: Mapping[Hint, FhirError | None],
    states: Mapping[str, KeyState],
    coverage: dict[Kind, Coverage],
) -> None:
    """Count the administrations as read if every coded infusion would have been found, and none was."""
    procedures = coverage[Kind.PROCEDURES].state is Completeness.COMPLETE
    if search is not CourseSearch.FOUND and procedures and _all_codes_searched(hints, states):
        coverage[Kind.ADMINISTRATIONS] = Coverage(Completeness.COMPLETE, "by codes, as this site is set up")


def _all_codes_searched(hints: Mapping[Hint, FhirError | None], states: Mapping[str, KeyState]) -> bool:
    """Tell whether a coded infusion would have been found: by code, and behind references if the server can search
    there."""
    supplied = states["crsDrugs"].supplied is Supplied.COMPLETE
    by_code = Hint.BY_CODE in hints and hints[Hint.BY_CODE] is None
    return (supplied or by_code) and Hint.BEHIND_REFERENCES in hints and _is_none_or_refused(hints)


def _is_none_or_refused(hints: Mapping[Hint, FhirError | None]) -> bool:
    """Tell whether nothing can be behind references. A server that does not know the parameter answers 400, because it
    has no such reference to search behind."""
    error = hints[Hint.BEHIND_REFERENCES]
    return error is None or error.status == 400
