"""One request to a FHIR server, sent a second time if that can help.

Field notes: HAPI answers a repeated search from memory for a minute, hence `Cache-Control: no-cache`. Without `Accept`
it may answer with HTML.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import requests

from cds_server.limits import Limits
from cds_server.operations.large_calls import HeldBytes
from cds_server.operations.spans import trace_headers
from cds_server.outgoing.backend_tokens import OwnToken
from cds_server.outgoing.bounded_http import (
    Answer,
    ByteBudget,
    FetchError,
    LateError,
    TooLargeError,
    fetch,
    fresh_session,
)
from cds_server.outgoing.fhir_errors import Fault, FhirError, PassingError
from cds_server.outgoing.token_request import TokenError

T = TypeVar("T")
MAX_BYTES = 64 * 1024 * 1024
# A resource has an object for 30 to 60 of its bytes. What has far more of them, `{},{},{}`, is made to be built: each
# costs a hundred bytes of memory.
BYTES_OF_AN_OBJECT = 24
PAUSE_SECONDS = 0.15
FAIR_SECONDS = 0.5  # a server that got less was asked by a call whose time was over, and is not blamed for its silence
NOT_IMPLEMENTED = 501  # asking again would not help
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Request:
    """A GET, or a POST of an encoded form. It may take a `share` of the time that is left."""

    url: str
    form: bytes | None = None
    share: float = 1.0


class FhirConnection:
    """The requests of one call to one FHIR server: with its token, before its deadline, and within the limits of
    a call."""

    def __init__(
        self,
        session: requests.Session,
        token: str | OwnToken | None,
        deadline: float,
        limits: Limits,
        ids: Mapping[str, str] | None = None,
    ) -> None:
        self.may_ask = True  # unless the circuit to the server is open
        self.answered = False
        self.blamed = False  # it failed, or had time enough and did not answer
        self._session = session
        self._own = token if isinstance(token, OwnToken) else None
        self._deadline = deadline
        self._most = limits.pages
        self._requests, self._others = itertools.count(1), itertools.count(1)
        self._record_bytes = limits.record_bytes
        self._bytes = ByteBudget(limits.record_bytes)
        self._objects = ByteBudget(limits.record_bytes // BYTES_OF_AN_OBJECT)
        self._headers = {"Accept": "application/fhir+json", "Cache-Control": "no-cache"}
        if isinstance(token, str):
            self._headers["Authorization"] = f"Bearer {token}"
        self._headers |= ids or {}

    def hold(self, held: HeldBytes) -> None:
        """Count what is read from now on among what all calls of the worker hold."""
        self._bytes = ByteBudget(self._record_bytes, held=held)

    def ask(self, request: Request, read: Callable[[bytes], T], *, decides: bool = False) -> T:
        """Return what `read` makes of the body. Raises FhirError. Requests that do not decide leave a third of all to
        those that do.

        After a PassingError the request is sent once more, after a pause or when the server asks for it, and only if
        there is time. The second request has a connection of its own: after a pause the other side may just be closing
        every connection of the pool.
        """
        try:
            return read(self._body(request, self._session, decides=decides))
        except PassingError as error:
            pause = max(PAUSE_SECONDS, error.after)
            if self._remaining() < pause + PAUSE_SECONDS:
                raise
        time.sleep(pause)
        with fresh_session(self._session) as fresh:
            return read(self._body(request, fresh, decides=decides))

    def _remaining(self) -> float:
        return self._deadline - time.monotonic()

    def _body(self, request: Request, session: requests.Session, *, decides: bool) -> bytes:
        if not self.may_ask:
            raise FhirError(Fault.OPEN, "the FHIR server did not answer the calls before this one")
        if self._remaining() <= 0:
            raise FhirError(Fault.LATE, "not read in time")
        if (not decides and next(self._others) > self._most * 2 // 3) or next(self._requests) > self._most:
            raise FhirError(Fault.PAGES, "the record has more pages than one call may read")
        own = self._own_token()
        headers = {**self._headers, **trace_headers()}
        if own is not None:
            headers["Authorization"] = f"Bearer {own}"
        answer = self._answer(request, session, headers)
        if answer.status == 401 and self._own is not None and own is not None:
            self._own.refused(own)
        _check_status(answer)
        if not self._objects.take(answer.body.count(b"{")):
            raise FhirError(Fault.TOO_LARGE, "the answers hold more parts than one call may read")
        return answer.body

    def _answer(self, request: Request, session: requests.Session, headers: Mapping[str, str]) -> Answer:
        try:
            most = ByteBudget(MAX_BYTES, within=self._bytes)
            method = "GET" if request.form is None else "POST"
            headers = headers if request.form is None else {**headers, **_FORM}
            seconds = self._remaining() * request.share
            self.blamed = self.blamed or seconds >= FAIR_SECONDS
            answer = fetch(
                session, method, request.url, seconds=seconds, most_bytes=most, headers=headers, form=request.form
            )
            self.answered = self.answered or answer.status < 500
            self.blamed = self.blamed or answer.status >= 500
            return answer
        except LateError as error:
            raise FhirError(Fault.LATE, "not read in time") from error
        except TooLargeError as error:
            self.answered = True
            raise FhirError(Fault.TOO_LARGE, "the answer, or all answers together, are too large") from error
        except FetchError as error:
            self.blamed = True
            raise PassingError(Fault.UNREACHABLE, "the FHIR server could not be reached") from error

    def _own_token(self) -> str | None:
        if self._own is None:
            return None
        try:
            return self._own.get(self._deadline)
        except TokenError as error:
            raise FhirError(Fault.TOKEN, error.why) from error


_LASTING: Mapping[int, str] = {
    400: "the FHIR server refused the search (400)",
    401: "not permitted by the FHIR server (401)",
    403: "not permitted by the FHIR server (403)",
    404: "not found on the FHIR server (404)",
    410: "gone from the FHIR server (410)",
}


def _check_status(answer: Answer) -> None:
    """Accept status 200 only. Raises PassingError if the server is busy or failed, FhirError for any other status."""
    status = answer.status
    if status == 200:
        return
    if status == 429 or (status >= 500 and status != NOT_IMPLEMENTED):
        why = "the FHIR server is busy (429)" if status == 429 else f"the FHIR server answered {status}"
        after = _seconds(answer.headers.get("Retry-After", ""))
        raise PassingError(Fault.STATUS, why, status=status, after=after)
    raise FhirError(Fault.STATUS, _LASTING.get(status, f"the FHIR server answered {status}"), status=status)


def _seconds(retry_after: str) -> float:
    """The seconds from now that Retry-After asks for, as a number or an HTTP date; 0 if it cannot be read."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    try:
        at = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return 0
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())
