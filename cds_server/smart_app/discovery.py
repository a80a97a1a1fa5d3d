"""The endpoints of an EHR's authorization server, as `.well-known/smart-configuration` of its FHIR server says."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec
import requests

from cds_server.outgoing.endpoints import Endpoints
from cds_server.smart_app.ehr_requests import LaunchError, LaunchStep, ask_ehr

NO_ENDPOINT = "the SMART configuration names an endpoint that is no https address"


class _Configuration(msgspec.Struct):
    authorization_endpoint: str
    token_endpoint: str
    issuer: str | None = None
    authorization_response_iss_parameter_supported: bool = False
    capabilities: list[str] = []
    code_challenge_methods_supported: list[str] | None = None


_configuration = msgspec.json.Decoder(_Configuration)


def discovered(base: str, session: requests.Session, until: float) -> Endpoints:
    """The endpoints in the `.well-known/smart-configuration` of an allowed FHIR server. Raises LaunchError."""
    body = ask_ehr(LaunchStep.DISCOVERY, session, "GET", f"{base}/.well-known/smart-configuration", until)
    try:
        found = _configuration.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise LaunchError(
            LaunchStep.DISCOVERY, "the FHIR server has no SMART configuration that can be read"
        ) from error
    methods = found.code_challenge_methods_supported
    if methods is not None and "S256" not in methods:
        raise LaunchError(LaunchStep.DISCOVERY, "the authorization server does not take PKCE by S256")
    first_version = "permission-v1" in found.capabilities and "permission-v2" not in found.capabilities
    return Endpoints(
        _endpoint(found.authorization_endpoint, base),
        _endpoint(found.token_endpoint, base),
        found.issuer,
        found.authorization_response_iss_parameter_supported,
        first_version,
    )


def _endpoint(url: str, base: str) -> str:
    """An endpoint that the configuration names, on whatever host: EHRs authorize on others. Plain http only where the
    FHIR base is that too."""
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.username is None and not parts.fragment and (parts.port or 1) > 0
    except ValueError:
        usable = False
    plain = url.isascii() and url.isprintable() and not set(" \\") & set(url)
    if not usable or not plain or not url.startswith(("https://", "http://" if base.startswith("http:") else "https:")):
        raise LaunchError(LaunchStep.DISCOVERY, NO_ENDPOINT)
    return url
