"""The address at which an EHR is asked to authorize. The forms of OAuth are Authlib's."""

from __future__ import annotations

from dataclasses import dataclass

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri  # type: ignore[import-untyped]
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]

from cds_server.data_keys import READ_TYPES
from cds_server.outgoing.endpoints import Endpoints
from cds_server.record.scopes import needed_scope
from cds_server.smart_app.discovery import NO_ENDPOINT
from cds_server.smart_app.ehr_requests import LaunchError, LaunchStep
from cds_server.trust.smart_registration import SmartServer


@dataclass(frozen=True)
class Asked:
    """The request to the EHR: `aud` is its FHIR base as it was named, `launch` its own handle, None standalone."""

    state: str
    verifier: str
    aud: str
    launch: str | None
    redirect_uri: str


def authorization_url(server: SmartServer, endpoints: Endpoints, asked: Asked) -> str:
    """The address to which the browser is sent. Raises LaunchError."""
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
    except ValueError as error:  # a query of its own that is none
        raise LaunchError(LaunchStep.DISCOVERY, NO_ENDPOINT) from error
