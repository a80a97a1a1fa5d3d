"""The method by which a FHIR server takes a search whose address is long: POST, or GET if it does not take POST.

Servers and proxies bound an address at 2 to 8 kB, and lists of codes are longer. But a search by POST may be refused,
and its body may be lost on the way: the answer is then that of another search, about everybody or nobody. So the method
of a base is unknown until a POST brought results of just the patient, or ids, that were asked for, or named its
parameters in the link `self`.

| method            | asked by                         | that is the method if                                 |
|-------------------|----------------------------------|-------------------------------------------------------|
| unknown           | POST                             | its answer shows that the body was read               |
|                   | GET, if that does not show       | POST was refused or brought anything else than GET    |
| POST, of a base   | POST; GET if that is refused, or | GET for this type, if it is answered                  |
|                   | names another patient            |                                                       |
| GET, for one type | GET                              | unknown again, once a GET is refused                  |
"""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum
from threading import Lock
from urllib.parse import unquote_plus

from cds_server.outgoing.fhir_bundle import Page
from cds_server.outgoing.fhir_errors import FhirError

KNOWN_SECONDS = 3600
# what servers and proxies answer to a method, a path or a body that they do not take; some refuse their own way
_REFUSALS = frozenset({400, 403, 404, 405, 413, 414, 415, 501, *range(300, 400)})
_NO_MATTER_OF_THE_METHOD = frozenset({401, 429})


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
    """Tell whether GET may fare better than this POST.

    Where POST is known, only a refusal says so. Where nothing is known, so does what is no searchset (a web page, an
    OperationOutcome, nothing at all), but no failure of the server.
    """
    if error.status in _REFUSALS or known is not None:
        return error.status in _REFUSALS
    return error.status is None or (error.status < 500 and error.status not in _NO_MATTER_OF_THE_METHOD)


def read_the_body(page: Page, params: tuple[tuple[str, str], ...]) -> bool:
    """Tell whether an answer shows that the server read the parameters in the body.

    The first parameter names the patient, or ids. The answer shows it if it repeats the parameter, or if all its
    results hold the patient, or one of the ids.
    """
    if _named(page, params[0][0]) is not None:
        return not names_others(page, params)
    wanted = [one.encode() for one in _ids(params[0][1])]
    return bool(page.matches) and all(any(_holds(raw, one) for one in wanted) for raw in map(bytes, page.resources))


def names_others(page: Page, params: tuple[tuple[str, str], ...]) -> bool:
    """Tell whether an answer is that of a search for another patient, or for other ids: some proxies keep an answer to
    a POST by its address, which is the same for every patient."""
    name, value = params[0]
    named = _named(page, name)
    return named is not None and _ids(named).isdisjoint(_ids(value))


def _named(page: Page, name: str) -> str | None:
    """The value of a parameter in the link `self`."""
    query = (page.self_url or "").partition("?")[2].partition("#")[0]
    parts = (part.partition("=") for part in query.split("&"))
    return next((unquote_plus(value) for key, _, value in parts if key == name), None)


def _ids(value: str) -> set[str]:
    """The ids in a parameter, which are written by themselves or as references."""
    return {one.rpartition("/")[2] for one in value.split(",")}


def _holds(raw: bytes, wanted: bytes) -> bool:
    """Tell whether a resource holds an id as a whole text, or in a reference."""
    return any(before + wanted + after in raw for before in (b'"', b"/") for after in (b'"', b"/_history/"))
