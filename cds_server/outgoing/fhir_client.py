"""One FHIR search or read: token, deadline, paging. Errors say whether trying again can help.

Field notes: HAPI answers a repeated search from memory for a minute, hence `Cache-Control: no-cache`; its `next`
is on the base itself and ends with 410 once the search has expired; without `Accept` it may answer HTML. Sekmet
adds an OperationOutcome entry with mode `outcome`: a remark, neither data nor a failure.
"""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TypeVar
from urllib.parse import urlencode, urljoin

import msgspec
import requests

from cds_server.limits import Limits
from cds_server.operations.log_lines import where_it_failed
from cds_server.operations.metrics import Metrics
from cds_server.outgoing.backend_tokens import OwnToken, TokenError
from cds_server.outgoing.base_url import is_under
from cds_server.outgoing.bounded_http import Answer, FetchError, LateError, TooLargeError, fetch, fresh_session
from cds_server.outgoing.fhir_bundle import Match, bundle_decoder, is_failure, matches_of, plain_name, resources_of
from fhir_mappings.reading import fhir_structs as fs

log = logging.getLogger("cds_server")
T = TypeVar("T")
MAX_BYTES = 64 * 1024 * 1024
PAUSE_SECONDS = 0.15


class FhirError(Exception):
    """Why a request brought nothing, in words without patient data; `kind` is one word for the metrics.

    `try_again`: a second try may help, but not before `after` seconds. `start_again`: not of this page, but of the
    whole search.
    """

    def __init__(
        self,
        kind: str,
        why: str,
        *,
        try_again: bool = False,
        start_again: bool = False,
        status: int | None = None,
        after: float = 0,
    ) -> None:
        super().__init__(why)
        self.kind = kind
        self.why = why
        self.try_again = try_again
        self.start_again = start_again
        self.status = status
        self.after = after


@dataclass(frozen=True)
class Search:
    """A type-level search. `optional` parameters are left out after a 400: some servers do not know them."""

    resource_type: str
    params: tuple[tuple[str, str], ...]
    optional: tuple[tuple[str, str], ...] = ()


@dataclass
class Found:
    """Entries read, in how many pages, how many of them are results of the search, and why the rest could not be
    read, if so."""

    entries: list[bytes] = field(default_factory=list)
    pages: int = 0
    results: int = 0
    error: FhirError | None = None


class _Typed(fs.FhirStruct, frozen=True):
    resource_type: str = ""


_typed = msgspec.json.Decoder(_Typed)


class _Pages:
    """What the pages of one search hold together: results of its type, each once, as many as the server counts.

    Servers that page by offset move results between pages when one is charted or withdrawn meanwhile: one would be
    on no page, and look like none on record.
    """

    def __init__(self, resource_type: str) -> None:
        self._type = resource_type
        self._matches: set[Match] = set()
        self._total: int | None = None

    def __len__(self) -> int:
        return len(self._matches)

    def add(self, bundle: fs.Bundle) -> None:
        """Take a page. Raises FhirError where it is none of this search."""
        matches = matches_of(bundle)
        ours = [match for match in matches if match.resource_type in ("", self._type)]
        nothing_new = self._matches.issuperset(ours)
        self._matches.update(ours)
        if len(ours) < len(matches):
            raise FhirError("answer", "the FHIR server sent results of another type")
        more = any(link.relation == "next" for link in bundle.link)
        # some servers count the results of each page
        total = None if more and bundle.total is not None and bundle.total <= len(ours) else bundle.total
        if total is not None and self._total not in (None, total):
            raise FhirError("changed", "the results changed while they were read", start_again=True)
        self._total = self._total if total is None else total
        if ours and nothing_new and self._total is None:
            raise FhirError("incomplete", "the FHIR server sent the same page twice")

    def check_all_came(self) -> None:
        if self._total is not None and self._total > len(self._matches):
            raise FhirError("incomplete", "the FHIR server counted more results than it sent")


class FhirServer:
    """One FHIR server for one call: its base, the call's token, and the moment by which all must be read."""

    def __init__(
        self,
        session: requests.Session,
        base: str,
        token: str | OwnToken | None,
        deadline: float,
        clock: Callable[[], float] = time.monotonic,
        *,
        max_pages: int = Limits.pages,
        metrics: Metrics | None = None,
        request_id: str | None = None,
    ) -> None:
        self.base = base
        self._own = token if isinstance(token, OwnToken) else None
        self._max_pages = max_pages
        self._requests = itertools.count(1)
        self._metrics = metrics
        self._session = session
        self._deadline = deadline
        self._clock = clock
        self._headers = {"Accept": "application/fhir+json", "Cache-Control": "no-cache"}
        if isinstance(token, str):
            self._headers["Authorization"] = f"Bearer {token}"
        if request_id:
            self._headers["X-Request-Id"] = request_id

    def search(self, search: Search) -> Found:
        """Every page of a search. An error keeps what was read before it."""
        try:
            found = self._tried(search)
        except Exception as error:  # one search that fails, whatever the reason, costs no other
            log.error("a search failed", extra={"failed": where_it_failed(error)})
            found = Found(error=FhirError("failed", "the search failed"))
        self._count(search.resource_type, found.error)
        return found

    def _tried(self, search: Search) -> Found:
        """The pages of a search, without what is optional after a 400; started again once where they stopped being
        pages of one result."""
        every = (*search.params, *search.optional)
        found = self._pages(search, every)
        if found.error is not None and found.error.status == 400 and search.optional:
            return self._pages(search, search.params)
        if found.error is not None and found.error.start_again:
            return self._pages(search, every)
        return found

    def read(self, resource_type: str, resource_id: str) -> bytes | None:
        """One resource by id; None where the server says that there is none."""
        try:
            found = self._get(f"{self.base}/{resource_type}/{resource_id}", partial(_resource, resource_type))
        except FhirError as error:
            missing = error.status in (404, 410)
            self._count(resource_type, None if missing else error)
            if missing:
                return None
            raise
        self._count(resource_type, None)
        return found

    def _count(self, resource_type: str, error: FhirError | None) -> None:
        if self._metrics is None:
            return
        self._metrics.fhir_requests.labels(resource_type).inc()
        if error is not None:
            self._metrics.fhir_errors.labels(resource_type, error.kind).inc()

    def _pages(self, search: Search, params: Iterable[tuple[str, str]]) -> Found:
        found, pages = Found(), _Pages(search.resource_type)
        url: str | None = f"{self.base}/{search.resource_type}?{urlencode(list(params))}"
        seen: set[str] = set()
        try:
            while url is not None:
                # one search may not use up what the others need
                if url in seen or len(seen) >= self._max_pages * 2 // 3:
                    raise FhirError("pages", "the pages of the search do not end")
                bundle = self._page(url, first=not seen)
                seen.add(url)
                found.entries += resources_of(bundle)
                found.pages += 1
                pages.add(bundle)
                url = self._next(bundle, url)
            pages.check_all_came()
        except FhirError as error:
            found.error = error
        found.results = len(pages)
        return found

    def _page(self, url: str, *, first: bool) -> fs.Bundle:
        try:
            return self._bundle_at(url)
        except FhirError as error:
            error.start_again = error.status == 410 and not first  # the search has expired on the server
            raise

    def _bundle_at(self, url: str) -> fs.Bundle:
        bundle = self._get(url, _bundle)
        if bundle.resource_type != "Bundle":
            raise FhirError("answer", f"the answer is {plain_name(bundle.resource_type)}, not a Bundle")
        if bundle.type not in (None, "searchset"):
            raise FhirError("answer", "the answer is a Bundle, but no searchset")
        if any(is_failure(entry) for entry in bundle.entry):
            raise FhirError("outcome", "the FHIR server reported an error among the results")
        return bundle

    def _next(self, bundle: fs.Bundle, url: str) -> str | None:
        link = next((link.url for link in bundle.link if link.relation == "next"), None)
        if link is None:
            return None
        try:
            target = urljoin(url, link)
        except ValueError as error:
            raise FhirError("elsewhere", "the address of the next page is none") from error
        if not is_under(target, self.base):
            raise FhirError("elsewhere", "the next page is not on the same FHIR server")
        return target

    def _get(self, url: str, read: Callable[[bytes], T]) -> T:
        """What `read` makes of the body of a GET; one more try after a passing fault, while there is time.

        The second try comes after a pause, or when the server asks for it (Retry-After), else not at all. It has a
        connection of its own: servers close idle ones, and after a pause every connection of the pool may be one
        that the other side is just closing.
        """
        try:
            return read(self._get_once(url, self._session))
        except FhirError as error:
            pause = max(PAUSE_SECONDS, error.after)
            if not error.try_again or self._remaining() < pause + PAUSE_SECONDS:
                raise
        time.sleep(pause)
        with fresh_session(self._session) as fresh:
            return read(self._get_once(url, fresh))

    def _remaining(self) -> float:
        return self._deadline - self._clock()

    def _get_once(self, url: str, session: requests.Session) -> bytes:
        if self._remaining() <= 0:
            raise FhirError("late", "not read in time")
        if next(self._requests) > self._max_pages:
            raise FhirError("pages", "the record has more pages than one call may read")
        own = self._own_token()
        headers = {**self._headers, "Authorization": f"Bearer {own}"} if own is not None else self._headers
        try:
            answer = fetch(session, "GET", url, seconds=self._remaining(), most_bytes=MAX_BYTES, headers=headers)
        except LateError as error:
            raise FhirError("late", "not read in time") from error
        except TooLargeError as error:
            raise FhirError("too_large", "the answer is too large") from error
        except FetchError as error:
            raise FhirError("unreachable", "the FHIR server could not be reached", try_again=True) from error
        if answer.status == 401 and own is not None and self._own is not None:
            self._own.refused(own)
        _check_status(answer)
        return answer.body

    def _own_token(self) -> str | None:
        if self._own is None:
            return None
        try:
            return self._own.get(self._deadline)
        except TokenError as error:
            raise FhirError("token", error.why) from error


_REASONS: Mapping[int, tuple[str, bool]] = {
    400: ("the FHIR server refused the search (400)", False),
    401: ("not permitted by the FHIR server (401)", False),
    403: ("not permitted by the FHIR server (403)", False),
    404: ("not found on the FHIR server (404)", False),
    410: ("gone from the FHIR server (410)", False),
    429: ("the FHIR server is busy (429)", True),
}


def _check_status(answer: Answer) -> None:
    status = answer.status
    if status == 200:
        return
    why, try_again = _REASONS.get(status, (f"the FHIR server answered {status}", status >= 500))
    after = _seconds(answer.headers.get("Retry-After", ""))
    raise FhirError(str(status), why, try_again=try_again, status=status, after=after)


def _seconds(retry_after: str) -> float:
    """Retry-After, seconds or an HTTP date, as seconds from now; 0 where it says nothing that can be read."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    try:
        at = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return 0
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def _bundle(body: bytes) -> fs.Bundle:
    """The Bundle of an answer. Raises FhirError."""
    return _decoded(bundle_decoder, body, "a FHIR Bundle")


def _resource(resource_type: str, body: bytes) -> bytes:
    """The body of a read, where it is a resource of the type asked for. Raises FhirError."""
    found = _decoded(_typed, body, "a FHIR resource").resource_type
    if found != resource_type:
        raise FhirError("answer", f"the answer is {plain_name(found)}, not {resource_type}")
    return body


def _decoded(decoder: msgspec.json.Decoder[T], body: bytes, what: str) -> T:
    """An answer that ends early may come whole the next time; a web page will not be FHIR."""
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        ended_early = type(error) is msgspec.DecodeError and not body.lstrip().startswith(b"<")
        raise FhirError("answer", f"the answer is not {what}", try_again=ended_early) from error
