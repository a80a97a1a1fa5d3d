"""Our own tokens for the FHIR servers that a site lists with credentials: SMART backend services.

They serve calls that bring no token. The client must have passed the JWT check and be marked for it, because otherwise
anyone could read charts by naming patients.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import requests

from cds_server.outgoing.token_request import BackendAccess, TokenError, request_token

EARLY_SECONDS = 30.0  # a token that ends soon is renewed before it is used
FLOOR_SECONDS = 5.0  # after a failure
_NONE = "no token for the FHIR server could be had"


@dataclass
class _Held:
    token: str | None = None
    until: float = 0.0
    tried: float | None = None
    failed: TokenError | None = None
    under_way: Future[None] | None = None


class BackendTokens:
    """One token for each FHIR server, kept until it ends and renewed once for all calls that need it."""

    def __init__(
        self,
        accesses: Mapping[str, BackendAccess],
        session: requests.Session,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.accesses = accesses
        self._session = session
        self._clock = clock
        self._lock = threading.Lock()
        self._held = {base: _Held() for base in accesses}
        self._executor = ThreadPoolExecutor(max(1, len(accesses)), thread_name_prefix="token")

    def token(self, base: str, deadline: float) -> str:
        """A token for a FHIR server of ours. Raises TokenError, at the deadline at the latest."""
        with self._lock:
            held = self._held[base]
            if held.token is not None and held.until > self._clock():
                return held.token
            future = self._fetch_once(held, base)
        wait([future], timeout=max(0.0, deadline - self._clock()))
        with self._lock:
            if held.token is not None and held.until > self._clock():
                return held.token
            raise held.failed or TokenError(f"{_NONE} in time")

    def refused(self, base: str, token: str) -> None:
        """Forget a token that the FHIR server rejected: the next call asks for another."""
        with self._lock:
            held = self._held[base]
            if held.token == token:
                held.token = None

    def _fetch_once(self, held: _Held, base: str) -> Future[None]:
        now = self._clock()
        if held.under_way is not None:
            return held.under_way
        if held.failed is not None and held.tried is not None and now - held.tried < FLOOR_SECONDS:
            raise held.failed
        held.tried, held.failed = now, None
        held.under_way = self._executor.submit(self._renew, held, self.accesses[base])
        return held.under_way

    def _renew(self, held: _Held, access: BackendAccess) -> None:
        """Fetch a token and keep it, or keep the reason why there is none, before the waiting calls are woken."""
        try:
            answer = request_token(self._session, access)
        except Exception as error:  # whatever it is, those who wait are told
            with self._lock:
                held.failed = error if isinstance(error, TokenError) else TokenError(_NONE)
                held.under_way = None
            return
        with self._lock:
            early = min(EARLY_SECONDS, answer.expires_in / 2)
            held.token, held.until = answer.access_token, self._clock() + answer.expires_in - early
            held.under_way = None


@dataclass(frozen=True)
class OwnToken:
    """Our own token for one FHIR server, asked for when it is needed."""

    tokens: BackendTokens
    base: str

    def get(self, deadline: float) -> str:
        return self.tokens.token(self.base, deadline)

    def refused(self, token: str) -> None:
        self.tokens.refused(self.base, token)
