"""The SMART App Launch: an EHR's description of itself, the address where it authorizes, and the exchange of a code for
a token.

Authlib makes the forms of OAuth. Requests go out as all others do: bounded in time and size, without redirects.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import requests
from authlib.oauth2.rfc6749.parameters import (  # type: ignore[import-untyped]
    prepare_grant_uri,
    prepare_token_request,
)
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]

from cds_server.data_keys import READ_TYPES
from cds_server.outgoing.bounded_http import FetchError, LateError, TooLargeError, fetch
from cds_server.outgoing.token_request import client_proof, is_bearer
from cds_server.record.record_request import PATIENT_ID
from cds_server.record.scopes import needed_scope
from cds_server.trust.smart_registration import SmartServer

MAX_BYTES = 256 * 1024
MOST_SCOPE = 8 * 1024  # characters
MOST_SECONDS = 3600.0  # SMART: a token lives no longer than an hour
UNSAID_SECONDS = 300.0  # if the answer does not say how long the token lives


class LaunchError(Exception):
    """The failure of a launch, in words that quote nothing received; `reason` is one word for the metrics."""

    def __init__(self, reason: str, why: str) -> None:
        super().__init__(why)
        self.reason = reason
        self.why = why


@dataclass(frozen=True)
class Endpoints:
    """The endpoints at which an EHR authorizes. Its callbacks may name `issuer`, or must if `names_itself` is true (RFC
    9207). `first_version`: it knows SMART 1 scopes only."""

    authorization: str
    token: str
    issuer: str | None
    names_itself: bool
    first_version: bool


@dataclass(frozen=True)
class Asked:
    """The request to the EHR: `aud` is its FHIR base as it was named, `launch` its own handle, None if standalone."""

    state: str
    verifier: str
    aud: str
    launch: str | None
    redirect_uri: str


@dataclass(frozen=True)
class Granted:
    """A token that was granted for one patient and so many seconds. `scope` is None if the answer names none."""

    token: str
    patient: str
    scope: str | None
    seconds: float
    app_context: str | None


class _Configuration(msgspec.Struct):
    authorization_endpoint: str
    token_endpoint: str
    issuer: str | None = None
    authorization_response_iss_parameter_supported: bool = False
    capabilities: list[str] = []
    code_challenge_methods_supported: list[str] | None = None


class _Token(msgspec.Struct):
    access_token: str
    token_type: str
    patient: str | None = None
    scope: str | None = None
    expires_in: float = UNSAID_SECONDS
    app_context: Any = msgspec.field(default=None, name="appContext")


_configuration = msgspec.json.Decoder(_Configuration)
_token = msgspec.json.Decoder(_Token, strict=False)  # some send the seconds as a text


def discovered(base: str, session: requests.Session, until: float) -> Endpoints:
    """The endpoints from `.well-known/smart-configuration` of an allowed FHIR server. Raises LaunchError."""
    body = _sent(session, "GET", f"{base}/.well-known/smart-configuration", until, "discovery")
    try:
        found = _configuration.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise LaunchError("discovery", "the FHIR server has no SMART configuration that can be read") from error
    methods = found.code_challenge_methods_supported
    if methods is not None and "S256" not in methods:
        raise LaunchError("discovery", "the authorization server does not take PKCE by S256")
    first_version = "permission-v1" in found.capabilities and "permission-v2" not in found.capabilities
    return Endpoints(
        _endpoint(found.authorization_endpoint, base),
        _endpoint(found.token_endpoint, base),
        found.issuer,
        found.authorization_response_iss_parameter_supported,
        first_version,
    )


def _endpoint(url: str, base: str) -> str:
    """An endpoint that the configuration names, on any host, because EHRs authorize on others. Plain http is allowed
    only if the FHIR base is on it too."""
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.username is None and not parts.fragment and (parts.port or 1) > 0
    except ValueError:
        usable = False
    plain = url.isascii() and url.isprintable() and not set(" \\") & set(url)
    if not usable or not plain or not url.startswith(("https://", "http://" if base.startswith("http:") else "https:")):
        raise LaunchError("discovery", "the SMART configuration names an endpoint that is no https address")
    return url


def authorization_url(server: SmartServer, endpoints: Endpoints, asked: Asked) -> str:
    """The address that the browser is sent to. Raises LaunchError."""
    launch = "launch" if asked.launch else "launch/patient"
    scope = server.scope or needed_scope(READ_TYPES, launch, first_version=endpoints.first_version)
    try:
        return str(
            prepare_grant_uri(
                endpoints.authorization, server.client_id, "code", asked.redirect_uri, scope, asked.state,
                aud=asked.aud, launch=asked.launch, code_challenge=create_s256_code_challenge(asked.verifier),
                code_challenge_method="S256",
            )
        )  # fmt: skip
    except ValueError as error:  # its own query cannot be read
        raise LaunchError("discovery", "the SMART configuration names an endpoint that is no https address") from error


def redeemed(
    server: SmartServer, token_url: str, code: str, verifier: str, redirect_uri: str, session: requests.Session,
    until: float,
) -> Granted:  # fmt: skip
    """The checked token for a code. Raises LaunchError."""
    key = server.key
    of_client = {"client_id": server.client_id} if key is None else client_proof(server.client_id, token_url, key)
    form = prepare_token_request(
        "authorization_code", redirect_uri=redirect_uri, code=code, code_verifier=verifier, **of_client
    )
    return _granted(_sent(session, "POST", token_url, until, "token", dict(parse_qsl(form))))


def _granted(body: bytes) -> Granted:
    """The usable content of a token answer. Raises LaunchError."""
    try:
        answer = _token.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise LaunchError("token", "the authorization server answered something else than a token") from error
    if not is_bearer(answer.access_token, answer.token_type):
        raise LaunchError("token", "the authorization server answered something else than a Bearer token")
    if not answer.expires_in > 0:
        raise LaunchError("token", "the token has expired already")
    patient = (answer.patient or "").removeprefix("Patient/")
    if not PATIENT_ID.match(patient):
        raise LaunchError("patient", "the EHR did not say which patient it is about")
    if len(answer.scope or "") > MOST_SCOPE:
        raise LaunchError("token", "the authorization server answered something else than a token")
    context = answer.app_context if isinstance(answer.app_context, str) else None
    return Granted(answer.access_token, patient, answer.scope, min(answer.expires_in, MOST_SECONDS), context)


_WHAT = {"discovery": "the FHIR server's SMART configuration", "token": "the authorization server"}


def _sent(
    session: requests.Session, method: str, url: str, until: float, reason: str, form: Mapping[str, str] | None = None
) -> bytes:
    """The body of an answer with status 200. Raises LaunchError."""
    what = _WHAT[reason]
    try:
        answer = fetch(
            session, method, url, seconds=until - time.monotonic(), most_bytes=MAX_BYTES,
            headers={"Accept": "application/json"}, form=form,
        )  # fmt: skip
    except LateError as error:
        raise LaunchError(reason, f"{what} did not answer in time") from error
    except TooLargeError as error:
        raise LaunchError(reason, f"the answer of {what} is too large") from error
    except FetchError as error:
        raise LaunchError(reason, f"{what} could not be reached") from error
    if answer.status != 200:
        raise LaunchError(reason, f"{what} answered {answer.status}")
    return answer.body
