"""The requests of one search: its first page, by POST if its address is long, and the pages after that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from urllib.parse import quote_plus

from cds_server.outgoing.fhir_bundle import Page, search_page
from cds_server.outgoing.fhir_connection import FhirConnection, Request
from cds_server.outgoing.fhir_errors import FhirError, SearchOverError
from cds_server.outgoing.search_methods import Method, SearchMethods, names_others, read_the_body, refuses_post

LONGEST_ADDRESS = 2000  # characters
SHARE_OF_A_TRIAL = 0.5  # of the time that is left: what swallows a POST must leave time for the GET
_CODES = frozenset({"code", "medication.code"})


@dataclass(frozen=True)
class Search:
    """A type-level search. The `optional` parameters are left out after a 400, because some servers do not know
    them. One that `decides` (infusion, doses, the baseline of IL-6) may use every request of a call that is left; all
    others together leave it a third."""

    resource_type: str
    params: tuple[tuple[str, str], ...]
    optional: tuple[tuple[str, str], ...] = ()
    decides: bool = False


class SearchRequests:
    """The searches of one call to one FHIR server. `methods` is what its calls learnt of its methods."""

    def __init__(self, connection: FhirConnection, base: str, methods: SearchMethods) -> None:
        self._connection = connection
        self._base = base
        self._methods = methods

    def address(self, search: Search, params: Iterable[tuple[str, str]]) -> str:
        """The address of a search by GET."""
        return f"{self._base}/{search.resource_type}?{encoded(params)}"

    def first_page(self, search: Search, address: str) -> Page:
        """The first page of a search, by POST if the address is too long. Raises FhirError."""
        if len(address) <= LONGEST_ADDRESS:
            return self._page(search, Request(address))
        known = self._known(search)
        if known is Method.GET:
            return self._by_get(search, address)
        posted = self._by_post(search, address, known)
        if posted is not None:
            if known is None and read_the_body(posted, search.params):
                self._methods.settle(self._base, search.resource_type, Method.POST)
            if self._known(search) is Method.POST:
                return posted
        page = self._by_get(search, address)
        if posted is None or posted.matches or page.matches:
            self._methods.settle(self._base, search.resource_type, Method.GET)
        return page

    def _known(self, search: Search) -> Method | None:
        return self._methods.known(self._base, search.resource_type)

    def later_page(self, search: Search, address: str) -> Page:
        """A page that the one before names. Raises FhirError."""
        try:
            return self._page(search, Request(address))
        except FhirError as error:
            if error.status == 410:  # the search has expired on the server
                raise SearchOverError(error.fault, error.why, status=error.status) from error
            raise

    def _by_post(self, search: Search, address: str, known: Method | None) -> Page | None:
        """The page that a POST of the search brings; None if it is refused in a way that GET may not be, or is the
        answer to another search."""
        path, _, query = address.partition("?")
        share = 1.0 if known is Method.POST else SHARE_OF_A_TRIAL
        try:
            page = self._page(search, Request(f"{path}/_search", query.encode(), share))
            return None if names_others(page, search.params) else page
        except FhirError as error:
            if refuses_post(error, known):
                return None
            raise

    def _by_get(self, search: Search, address: str) -> Page:
        try:
            return self._page(search, Request(address))
        except FhirError:
            self._methods.forget_get(self._base, search.resource_type)
            raise

    def _page(self, search: Search, request: Request) -> Page:
        return self._connection.ask(request, partial(search_page, search.resource_type), decides=search.decides)


def encoded(params: Iterable[tuple[str, str]]) -> str:
    """Parameters as a query or a form. Lists of codes are encoded once, for they are the same in each call."""
    return "&".join(
        f"{quote_plus(name)}={_encoded_codes(value) if name in _CODES else quote_plus(value)}" for name, value in params
    )


@lru_cache(maxsize=64)
def _encoded_codes(codes: str) -> str:
    return quote_plus(codes)
