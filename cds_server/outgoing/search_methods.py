"""The method by which a FHIR server takes a search whose address is long: POST, or GET if it does not take POST.

Servers and proxies bound an address at 2 to 8 kB, and lists of codes are longer. But a search by POST may be refused,
and its body may be lost on the way: the answer is then that of another search, about everybody or nobody. So the method
of a base is unknown until a POST brought results of just the patient, or ids, that were asked for, or named its
parameters in the link `self`.

| method            | asked by                         | that is the method if                                 |
|-------------------|----------------------------------|-------------------------------------------------------|
| unknown           | POST                             | its answer shows that the body was read               |
|                   | GET, if that does not show       | POST was refused or brought anything else than GET    |
| POST, of a base   | POST; GET if that is refused     | GET for this type, if it is answered                  |
| GET, for one type | GET                              | unknown again, once a GET is refused                  |
"""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum
from threading import Lock
from urllib.parse import parse_qsl, urlsplit

from cds_server.outgoing.fhir_bundle import Page
from cds_server.outgoing.fhir_errors import Fault, FhirError

KNOWN_SECONDS = 3600
# what servers and proxies answer to a method, a path or a body that they do not take; some refuse their own way
_REFUSALS = frozenset({400, 403, 404, 405, 413, 414, 415, 501, *range(300, 400)})
_SILENT = frozenset({Fault.UNREACHABLE, Fault.LATE})


class Method(StrEnum):
    GET = "GET"
    POST = "POST"


class SearchMethods:
    """The methods known of each base, each for an hour: POST of a base, GET of a base for one type."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._by_post: dict[str, float] = {}
        self._by_get: dict[tuple[str, str], float] = {}

    def known(self, base: str, resource_type: str) -> Method | None:
        with self._lock:
            if self._is_fresh(self._by_get.get((base, resource_type))):
                return Method.GET
            return Method.POST if self._is_fresh(self._by_post.get(base)) else None

    def settle(self, base: str, resource_type: str, method: Method) -> None:
        with self._lock:
            if method is Method.POST:
                self._by_post[base] = self._clock()
            else:
                self._by_get[base, resource_type] = self._clock()

    def forget_get(self, base: str, resource_type: str) -> None:
        """Try POST again the next time."""
        with self._lock:
            self._by_get.pop((base, resource_type), None)

    def _is_fresh(self, at: float | None) -> bool:
        return at is not None and self._clock() - at < KNOWN_SECONDS


def refuses_post(error: FhirError, known: Method | None) -> bool:
    """Tell whether GET may fare better than this POST. Nothing that came at all is no refusal where POST is known."""
    return error.status in _REFUSALS or (known is None and error.fault in _SILENT)


def read_the_body(page: Page, params: tuple[tuple[str, str], ...]) -> bool:
    """Tell whether an answer shows that the server read the parameters in the body.

    The first parameter names the patient, or ids. The answer shows it if it repeats the parameters, or if all its
    results hold the patient, or one of the ids.
    """
    name, value = params[0]
    if page.self_url is not None and name in dict(parse_qsl(urlsplit(page.self_url).query)):
        return True
    wanted = [one.rpartition("/")[2].encode() for one in value.split(",")]
    return bool(page.matches) and all(any(one in raw for one in wanted) for raw in map(bytes, page.resources))
