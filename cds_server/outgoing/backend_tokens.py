"""Tokens of our own for FHIR servers that a site lists with credentials: SMART backend services.

`client_credentials` with a signed assertion (`private_key_jwt`, RS384 or ES384). They are for calls that bring no
token, of clients that passed the JWT check and are marked for it: else anyone could read charts by naming patients.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import jwt
import msgspec
import requests

from cds_server.outgoing.bounded_http import FetchError, LateError, TooLargeError, fetch

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 240  # SMART allows five minutes
EARLY_SECONDS = 30.0  # a token that ends soon is renewed before it is used
FLOOR_SECONDS = 5.0  # after a failure
FETCH_SECONDS = 3.0
MAX_BYTES = 64 * 1024
MAX_TOKEN_CHARS = 16384


@dataclass(frozen=True)
class BackendAccess:
    """Our registration at the authorization server of one FHIR server. `key` is a private key as PEM."""

    base: str
    token_url: str
    client_id: str
    key: str
    algorithm: str
    scope: str
    kid: str | None = None


_NONE = "no token for the FHIR server could be had"


class TokenError(Exception):
    """No token could be had; `why` is in words without anything of the answer."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class _Answer(msgspec.Struct):
    access_token: str
    token_type: str
    expires_in: float = 300.0


_answer = msgspec.json.Decoder(_Answer)


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
        """The FHIR server did not take a token: the next call asks for another."""
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
        """Fetch a token and keep it, or why there is none: before those who wait are woken."""
        try:
            answer = self._fetch(access)
        except Exception as error:  # whatever it is, those who wait are told
            with self._lock:
                held.failed = error if isinstance(error, TokenError) else TokenError(_NONE)
                held.under_way = None
            return
        with self._lock:
            early = min(EARLY_SECONDS, answer.expires_in / 2)
            held.token, held.until = answer.access_token, self._clock() + answer.expires_in - early
            held.under_way = None

    def _fetch(self, access: BackendAccess) -> _Answer:
        form = {
            "grant_type": "client_credentials", "scope": access.scope,
            "client_assertion_type": ASSERTION, "client_assertion": assertion(access),
        }  # fmt: skip
        try:
            answer = fetch(
                self._session, "POST", access.token_url, seconds=FETCH_SECONDS, most_bytes=MAX_BYTES,
                headers={"Accept": "application/json"}, form=form,
            )  # fmt: skip
        except LateError as error:
            raise TokenError("the authorization server did not answer in time") from error
        except TooLargeError as error:
            raise TokenError("the answer of the authorization server is too large") from error
        except FetchError as error:
            raise TokenError("the authorization server could not be reached") from error
        if answer.status != 200:
            raise TokenError(f"the authorization server answered {answer.status}")
        return _checked(answer.body)


@dataclass(frozen=True)
class OwnToken:
    """Our own token for one FHIR server, asked for when it is needed."""

    tokens: BackendTokens
    base: str

    def get(self, deadline: float) -> str:
        return self.tokens.token(self.base, deadline)

    def refused(self, token: str) -> None:
        self.tokens.refused(self.base, token)


def _checked(body: bytes) -> _Answer:
    try:
        answer = _answer.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise TokenError("the authorization server answered something else than a token") from error
    if not is_bearer(answer.access_token, answer.token_type) or not answer.expires_in > 0:
        raise TokenError("the authorization server answered something else than a token")
    return answer


def is_bearer(token: str, token_type: str) -> bool:
    """Whether it is a Bearer token that fits into a header."""
    fits = 0 < len(token) <= MAX_TOKEN_CHARS and all("!" <= c <= "~" for c in token)
    return fits and token_type.lower() == "bearer"


def assertion(access: BackendAccess) -> str:
    """A fresh signed assertion of who we are, for one request for a token."""
    now = int(time.time())
    claims = {
        "iss": access.client_id, "sub": access.client_id, "aud": access.token_url, "iat": now,
        "exp": now + ASSERTION_SECONDS, "jti": str(uuid.uuid4()),
    }  # fmt: skip
    return jwt.encode(claims, access.key, access.algorithm, headers={"kid": access.kid} if access.kid else None)
