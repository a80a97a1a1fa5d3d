"""A FHIR server as one call reads it: searches with all their pages, and reads by id."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from functools import partial

import requests

from cds_server.limits import DEFAULT_LIMITS, Limits
from cds_server.operations.large_calls import HeldBytes
from cds_server.operations.log_lines import where_it_failed
from cds_server.operations.metrics import Metrics
from cds_server.operations.spans import Fact, Span, within
from cds_server.outgoing.backend_tokens import OwnToken
from cds_server.outgoing.circuit import Circuit
from cds_server.outgoing.fhir_bundle import body_of_type
from cds_server.outgoing.fhir_connection import FhirConnection, Request
from cds_server.outgoing.fhir_errors import Fault, FhirError, SearchOverError
from cds_server.outgoing.fhir_pages import Pages, next_page
from cds_server.outgoing.read_outcome import InPart, ReadOutcome, Whole, failed
from cds_server.outgoing.search_methods import SearchMethods
from cds_server.outgoing.search_requests import Search, SearchRequests
from fhir_mappings.reading.resources import Json

log = logging.getLogger("cds_server")


class FhirServer:
    """One FHIR server for one call. All reading must end before `deadline`, within the requests and bytes of
    `limits`."""

    def __init__(
        self,
        session: requests.Session,
        base: str,
        token: str | OwnToken | None,
        deadline: float,
        *,
        limits: Limits = DEFAULT_LIMITS,
        metrics: Metrics | None = None,
        ids: Mapping[str, str] | None = None,
    ) -> None:
        self.base = base
        self._span: Span | None = None
        self._circuit: Circuit | None = None
        self._connection = FhirConnection(session, token, deadline, limits, ids)
        self._searches = SearchRequests(self._connection, base, SearchMethods())
        # one search may use two thirds of a call's requests, so that a chart without end does not leave the rest unread
        self._pages_of_one = limits.pages * 2 // 3
        self._metrics = metrics

    def through(self, circuit: Circuit, methods: SearchMethods) -> None:
        """Ask behind a circuit, with what earlier calls learnt of the server's methods. While the circuit is open
        nothing is asked, and every search fails at once."""
        self._circuit = circuit
        self._searches = SearchRequests(self._connection, self.base, methods)
        self._connection.may_ask = circuit.begin()

    def tell(self, span: Span | None) -> None:
        """Make each search and read a child of the span."""
        self._span = span

    def hold(self, held: HeldBytes) -> None:
        """Count what is read among what all calls of the worker hold; without room for it, it comes late."""
        self._connection.hold(held)

    def end(self) -> None:
        """Say to the circuit whether the server answered this call, if it was asked."""
        if self._circuit is None:
            return
        if self._connection.answered or self._connection.blamed:
            self._circuit.end(answered=self._connection.answered)
        elif self._connection.may_ask:
            self._circuit.leave()
        if self._metrics is not None:
            self._metrics.circuit_open.labels(self.base).set(self._circuit.is_open)

    def search(self, search: Search) -> ReadOutcome:
        """Every page of a search. If a page fails, the pages before it are kept."""
        with within(self._span, f"search {search.resource_type}") as facts:
            try:
                found = self._tried(search)
            except Exception as error:  # one search that fails, whatever the reason, costs no other
                log.error("a search failed", extra={"failed": where_it_failed(error)})
                found = failed(FhirError(Fault.FAILED, "the search failed"))
            facts.update(_told(found))
        self._count(search.resource_type, _error_of(found))
        return found

    def read(self, resource_type: str, resource_id: str) -> ReadOutcome:
        """One resource by id. That the server has none (404, 410) is an outcome like others."""
        url = f"{self.base}/{resource_type}/{resource_id}"
        with within(self._span, f"read {resource_type}") as facts:
            try:
                found: ReadOutcome = Whole((self._connection.ask(Request(url), partial(body_of_type, resource_type)),))
            except FhirError as error:
                found = failed(error)
            facts.update(_told(found))
        self._count(resource_type, _error_of(found))
        return found

    def _tried(self, search: Search) -> ReadOutcome:
        """The pages of a search. If the server refuses it, it is sent again without the optional parameters; if it
        expires or changes before its last page, it is begun anew once."""
        every = (*search.params, *search.optional)
        found = self._all_pages(search, every)
        error = _error_of(found)
        if error is not None and error.status == 400 and search.optional:
            return self._all_pages(search, search.params)
        if isinstance(error, SearchOverError):
            return self._all_pages(search, every)
        return found

    def _all_pages(self, search: Search, params: Iterable[tuple[str, str]]) -> ReadOutcome:
        entries: list[Json] = []
        pages = Pages(search.resource_type)
        url: str | None = self._searches.address(search, params)
        seen: set[str] = set()
        try:
            while url is not None:
                if url in seen or len(seen) >= self._pages_of_one:
                    raise FhirError(Fault.PAGES, "the pages of the search do not end")
                page = (self._searches.later_page if seen else self._searches.first_page)(search, url)
                seen.add(url)
                entries += page.resources
                pages.add(page)
                url = next_page(page, url, self.base)
            pages.check_all_came()
        except FhirError as error:
            return InPart(tuple(entries), error, len(seen), len(pages))
        return Whole(tuple(entries), len(seen))

    def _count(self, resource_type: str, error: FhirError | None) -> None:
        if self._metrics is None:
            return
        self._metrics.fhir_requests.labels(resource_type).inc()
        if error is not None:
            self._metrics.fhir_errors.labels(resource_type, error.label).inc()


def _told(found: ReadOutcome) -> dict[str, Fact]:
    """The facts about a read that its span may hold."""
    match found:
        case Whole():
            outcome, resources = "whole", found.everything
        case InPart():
            outcome, resources = found.error.label, found.before
    return {"crs_cds.outcome": outcome, "crs_cds.pages": found.pages, "crs_cds.resources": len(resources)}


def _error_of(found: ReadOutcome) -> FhirError | None:
    return found.error if isinstance(found, InPart) else None
