"""The one way out: a request whose answer is bounded in time and size, and the sessions that send it.

It follows no redirect, because nobody allowed the address that a redirect names. It keeps no cookie, because the next
request may be about another patient.
"""

from __future__ import annotations

import io
import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from threading import Lock
from typing import Any

import requests
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as Urllib3Timeout

from cds_server.operations.large_calls import HeldBytes
from cds_server.outgoing.bounded_transport import BoundedAdapter

PART_BYTES = 64 * 1024


class FetchError(Exception):
    """A failure to get a usable answer. `__cause__` is the error of requests or urllib3, if there was one.

    - LateError: the whole answer did not arrive in time
    - TooLargeError: the body is larger than the caller accepts
    - UnreachableError: there was no connection, or what arrived is not HTTP
    """


class LateError(FetchError):
    """The whole answer did not arrive in time."""


class TooLargeError(FetchError):
    """The body is larger than the caller accepts."""


class UnreachableError(FetchError):
    """There was no connection, it broke off, or what arrived is not HTTP."""


class ByteBudget:
    """The bytes, unpacked, that may still be read: of one answer, and, where it is `within` another budget, of all the
    answers to a call together. Those that are `held` count among the bytes of all calls. Threads share it."""

    def __init__(self, most: int, within: ByteBudget | None = None, held: HeldBytes | None = None) -> None:
        self._left = most
        self._within = within
        self._held = held
        self._lock = Lock()

    def take(self, size: int, until: float = math.inf) -> bool:
        """Count some bytes, and tell whether they were left. Raises LateError if there is no room in the worker before
        that moment."""
        with self._lock:
            self._left -= size
            left = self._left >= 0
        if self._held is not None and not self._held.take(size, until):
            raise LateError
        return (self._within is None or self._within.take(size, until)) and left


@dataclass(frozen=True)
class Answer:
    """An HTTP answer. The body is read only if the status is 200, and is empty otherwise."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


def fetch(
    session: requests.Session,
    method: str,
    url: str,
    *,
    seconds: float,
    most_bytes: int | ByteBudget,
    headers: Mapping[str, str],
    form: Mapping[str, str] | bytes | None = None,
) -> Answer:
    """Send one request and read its answer. Raises FetchError, after `seconds` at the latest. A form given as bytes is
    encoded already, and its type stands in the headers."""
    if seconds <= 0:
        raise LateError
    until = time.monotonic() + seconds
    budget = most_bytes if isinstance(most_bytes, ByteBudget) else ByteBudget(most_bytes)
    try:
        with _sent(session, _prepared(session, method, url, headers, form), seconds) as response:
            named = isinstance(form, Mapping) and response.status_code in _NAMES_AN_ERROR
            body = _body(response, budget, until) if response.status_code == 200 or named else b""
            return Answer(response.status_code, response.headers, body)
    except (requests.Timeout, Urllib3Timeout, TimeoutError) as error:
        raise LateError from error
    except (requests.RequestException, HTTPError, ValueError, OSError) as error:
        raise UnreachableError from error


# An address of our own is encoded already. To look at each byte of it again, as requests does, would cost as much as
# the rest of a request.
_ENCODED = re.compile(r"https?://[a-z0-9.:\[\]-]+/[A-Za-z0-9._~!$&'()*+,;=:@/?%-]*")


def _prepared(
    session: requests.Session, method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | bytes | None
) -> requests.PreparedRequest:
    request = requests.PreparedRequest()
    request.prepare_method(method)
    if _ENCODED.fullmatch(url):
        request.url = url
    else:
        request.prepare_url(url, None)
    request.prepare_headers({**session.headers, **headers})
    request.prepare_body(form, None)
    return request


def _sent(session: requests.Session, request: requests.PreparedRequest, seconds: float) -> requests.Response:
    """The answer, by the session's adapter. That follows no redirect and keeps no cookie, and costs a third less than
    the session's own way, which puts together settings that are the same each time."""
    adapter = session.get_adapter(str(request.url))
    verify = True if session.verify is None else session.verify
    return adapter.send(
        request, stream=True, timeout=seconds, verify=verify, cert=session.cert, proxies=session.proxies
    )


def _body(response: requests.Response, budget: ByteBudget, until: float) -> bytes:
    # it grows in place and becomes the body as it is: to join parts would hold them and the body at once
    found = io.BytesIO()
    # one read from the socket at a time, so that we can give up between two reads
    while part := response.raw.read1(PART_BYTES, decode_content=True):
        if time.monotonic() > until:
            raise LateError
        if not budget.take(len(part), until):
            raise TooLargeError
        found.write(part)
    return found.getvalue()


_NAMES_AN_ERROR = (400, 401)  # with these a token endpoint names its error (RFC 6749 §5.2)


@dataclass(frozen=True)
class Network:
    """The way out of the hospital's network: certificates to trust in place of the public ones, a proxy, and our own
    certificate with its key."""

    ca_bundle: Path | None = None
    https_proxy: str | None = field(default=None, repr=False)  # may hold a password
    client_cert: Path | None = None


class _NeverRedirected(requests.Session):
    """A session that does not look at redirects: requests reads the whole body of one even if it may not follow it."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002
        return None


class _Unread(_NeverRedirected):
    """A session that reads no body: of what was sent the status says enough, and a body has no end that we know."""

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        response = super().send(request, **{**options, "stream": True})
        response.close()
        response.raw = io.BytesIO()
        return response


def pooled_session(size: int = 64, network: Network = Network()) -> requests.Session:
    """A session that keeps up to `size` connections to each server. It always verifies certificates; it takes nothing
    from the environment and keeps no cookies."""
    return _set_up(_NeverRedirected(), size, network)


def unread_session(network: Network = Network()) -> requests.Session:
    """A session like that of one connection, for what is told to others: the body of an answer is never read."""
    return _set_up(_Unread(), 1, network)


def _set_up(session: requests.Session, size: int, network: Network) -> requests.Session:
    session.trust_env = False
    session.verify = str(network.ca_bundle) if network.ca_bundle else True
    session.cert = str(network.client_cert) if network.client_cert else None
    session.proxies = {"https": network.https_proxy} if network.https_proxy else {}
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = BoundedAdapter(pool_connections=size, pool_maxsize=size)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def fresh_session(like: requests.Session) -> requests.Session:
    """A session without open connections, with the certificates and proxy of another one."""
    session = pooled_session(1)
    session.verify, session.cert, session.proxies = like.verify, like.cert, like.proxies
    return session
