"""One request for a token of our own: `client_credentials`, proven by a signed assertion (`private_key_jwt`)."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field

import jwt
import msgspec
import requests

from cds_server.outgoing.bounded_http import FetchError, LateError, TooLargeError, fetch

ASSERTION_SECONDS = 240  # SMART allows five minutes
FETCH_SECONDS = 3.0
MAX_BYTES = 64 * 1024
MAX_TOKEN_CHARS = 16384


@dataclass(frozen=True)
class ClientKey:
    """The private key that proves who we are to an authorization server: PEM, the algorithm that SMART requires for its
    kind (RS384 or ES384), and its id if it was registered with one."""

    pem: str = field(repr=False)
    algorithm: str
    kid: str | None = None


@dataclass(frozen=True)
class BackendAccess:
    """Our registration at the authorization server of one FHIR server."""

    base: str
    token_url: str
    client_id: str
    key: ClientKey
    scope: str


class TokenError(Exception):
    """A failure to get a token. `why` is a sentence that quotes nothing of the answer."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class TokenAnswer(msgspec.Struct):
    access_token: str
    token_type: str
    expires_in: float = 300.0


_answer = msgspec.json.Decoder(TokenAnswer)


def request_token(session: requests.Session, access: BackendAccess) -> TokenAnswer:
    """Ask for a token, within FETCH_SECONDS. Raises TokenError."""
    form = {
        "grant_type": "client_credentials", "scope": access.scope,
        **client_proof(access.client_id, access.token_url, access.key),
    }  # fmt: skip
    try:
        answer = fetch(
            session, "POST", access.token_url, seconds=FETCH_SECONDS, most_bytes=MAX_BYTES,
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


def _checked(body: bytes) -> TokenAnswer:
    try:
        answer = _answer.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise TokenError("the authorization server answered something else than a token") from error
    if not is_bearer(answer.access_token, answer.token_type) or not answer.expires_in > 0:
        raise TokenError("the authorization server answered something else than a token")
    return answer


def is_bearer(token: str, token_type: str) -> bool:
    """Tell whether a token is a Bearer token that fits into a header."""
    fits = 0 < len(token) <= MAX_TOKEN_CHARS and all("!" <= c <= "~" for c in token)
    return fits and token_type.lower() == "bearer"


def client_proof(client_id: str, token_url: str, key: ClientKey) -> dict[str, str]:
    """The form fields that prove who we are: a fresh signed assertion for one request."""
    now = int(time.time())
    claims = {
        "iss": client_id, "sub": client_id, "aud": token_url, "iat": now, "exp": now + ASSERTION_SECONDS,
        "jti": str(uuid.uuid4()),
    }  # fmt: skip
    return {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": jwt.encode(claims, key.pem, key.algorithm, headers={"kid": key.kid} if key.kid else None),
    }
