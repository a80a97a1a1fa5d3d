"""A code for a token: what comes back of a launch, and what the EHR gives for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import requests
from authlib.oauth2.rfc6749.parameters import prepare_token_request  # type: ignore[import-untyped]

from cds_server.outgoing.token_request import client_proof, is_bearer
from cds_server.smart_app.ehr_requests import LaunchError, LaunchStep, ask_ehr
from cds_server.storage.smart_sessions import PendingLaunch
from cds_server.trust.smart_registration import SmartServer
from fhir_mappings.reading.references import is_addressable

MOST_SCOPE = 8 * 1024  # characters
MOST_SECONDS = 3600.0  # SMART: a token lives no longer than an hour
UNSAID_SECONDS = 300.0  # where the answer does not say how long it lives


@dataclass(frozen=True)
class Granted:
    """A token that was given, for one patient and so many seconds. `scope` is None where the answer names none."""

    token: str
    patient: str
    scope: str | None
    seconds: float
    app_context: str | None


class _Token(msgspec.Struct):
    access_token: str
    token_type: str
    patient: str | None = None
    scope: str | None = None
    expires_in: float = UNSAID_SECONDS
    app_context: Any = msgspec.field(default=None, name="appContext")


_token = msgspec.json.Decoder(_Token, strict=False)  # some send the seconds as a text


def redeemed(
    server: SmartServer, pending: PendingLaunch, code: str, redirect_uri: str, session: requests.Session, until: float
) -> Granted:
    """A code for a token, checked. Raises LaunchError."""
    key = server.key
    of_client = (
        {"client_id": server.client_id} if key is None else client_proof(server.client_id, pending.token_url, key)
    )
    form = prepare_token_request(
        "authorization_code", redirect_uri=redirect_uri, code=code, code_verifier=pending.verifier, **of_client
    )
    return _granted(ask_ehr(LaunchStep.TOKEN, session, "POST", pending.token_url, until, dict(parse_qsl(form))))


def _granted(body: bytes) -> Granted:
    """A token answer that can be used. Raises LaunchError."""
    try:
        answer = _token.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise LaunchError(LaunchStep.TOKEN, "the authorization server answered something else than a token") from error
    if not is_bearer(answer.access_token, answer.token_type):
        raise LaunchError(LaunchStep.TOKEN, "the authorization server answered something else than a Bearer token")
    if not answer.expires_in > 0:
        raise LaunchError(LaunchStep.TOKEN, "the token has expired already")
    patient = (answer.patient or "").removeprefix("Patient/")
    if not is_addressable(patient):
        raise LaunchError(LaunchStep.PATIENT, "the EHR did not say which patient it is about")
    if len(answer.scope or "") > MOST_SCOPE:
        raise LaunchError(LaunchStep.TOKEN, "the authorization server answered something else than a token")
    context = answer.app_context if isinstance(answer.app_context, str) else None
    return Granted(answer.access_token, patient, answer.scope, min(answer.expires_in, MOST_SECONDS), context)
