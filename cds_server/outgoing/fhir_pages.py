"""The pages of one search: their results belong together, and the next page is on the same server.

Field notes: HAPI's `next` link is on the base itself and ends with 410 once the search has expired.
"""

from __future__ import annotations

from urllib.parse import urljoin

from cds_server.outgoing.base_url import is_under
from cds_server.outgoing.fhir_bundle import Match, Page
from cds_server.outgoing.fhir_errors import Fault, FhirError, SearchOverError


class Pages:
    """The results that the pages of one search hold together, each once. They are of the search's type, and there are
    as many as the server counts.

    Servers that page by offset move results between pages if one is charted or withdrawn meanwhile. A result could then
    be on no page and look as if it were not on record.
    """

    def __init__(self, resource_type: str) -> None:
        self._type = resource_type
        self._matches: set[Match] = set()
        self._total: int | None = None
        self._failed = False

    def __len__(self) -> int:
        return len(self._matches)

    def add(self, page: Page) -> None:
        """Take a page. Raises FhirError if it is no page of this search."""
        ours = [match for match in page.matches if match.resource_type in ("", self._type)]
        nothing_new = self._matches.issuperset(ours)
        self._matches.update(ours)
        self._failed = self._failed or page.failed
        if len(ours) < len(page.matches):
            raise FhirError(Fault.ANSWER, "the FHIR server sent results of another type")
        # some servers count the results of each page
        counts_pages = page.next_url is not None and page.total is not None and page.total <= len(ours)
        total = None if counts_pages else page.total
        if total is not None and self._total not in (None, total):
            raise SearchOverError(Fault.CHANGED, "the results changed while they were read")
        self._total = self._total if total is None else total
        if ours and nothing_new and self._total is None:
            raise FhirError(Fault.INCOMPLETE, "the FHIR server sent the same page twice")

    def check_all_came(self) -> None:
        """Raise FhirError if the server says that results are missing, or counts more than its pages held."""
        if self._failed:
            raise FhirError(Fault.OUTCOME, "the FHIR server reported an error among the results")
        if self._total is not None and self._total > len(self._matches):
            raise FhirError(Fault.INCOMPLETE, "the FHIR server counted more results than it sent")


def next_page(page: Page, url: str, base: str) -> str | None:
    """The address of the page after this one, or None. Raises FhirError if it is on another server."""
    if page.next_url is None:
        return None
    try:
        target = urljoin(url, page.next_url)
    except ValueError as error:
        raise FhirError(Fault.ELSEWHERE, "the address of the next page is none") from error
    if not is_under(target, base):
        raise FhirError(Fault.ELSEWHERE, "the next page is not on the same FHIR server")
    return target
