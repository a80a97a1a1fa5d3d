"""The clients that may call: one TOML file of issuers, their keys, and the FHIR servers that they may name.

`[[client]]` holds `issuer`, `jwks_url` or `jwks` (a file beside this one), `fhir_servers`, and optionally `tenants`,
`audiences`, `services`, `max_token_seconds`, `profile` and `backend`. `[[fhir_server]]` holds our own credentials for
one: `base`, `token_url`, `client_id`, `key` (a PEM file beside this one), `scope`, and optionally `kid`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from cds_server.limits import SettingsError
from cds_server.outgoing.token_request import BackendAccess
from cds_server.trust.toml_entries import TomlEntry, toml_entries

MAX_TOKEN_SECONDS = 900
MOST_TOKEN_SECONDS = 86400
_OF_A_CLIENT = frozenset(
    {
        "issuer", "jwks_url", "jwks", "fhir_servers", "tenants", "audiences", "services", "max_token_seconds",
        "profile", "backend",
    }
)  # fmt: skip
_OF_A_SERVER = frozenset({"base", "token_url", "client_id", "key", "scope", "kid"})
_PLAIN = "is plain http; use https, or set CRS_CDS_ALLOW_HTTP=1 where a proxy before the service ends TLS"


class Profile(StrEnum):
    """The form in which a client wants its answers."""

    STANDARD = "standard"
    EPIC = "epic"


@dataclass(frozen=True)
class Client:
    """One trusted issuer. Empty `tenants` or `services` mean any; exactly one of `jwks_url` and `jwks` is set.

    `backend`: the service may use its own token for calls that bring none.
    """

    issuer: str
    fhir_servers: tuple[str, ...]
    jwks_url: str | None = None
    jwks: Path | None = None
    tenants: frozenset[str] = frozenset()
    audiences: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()
    max_token_seconds: int = MAX_TOKEN_SECONDS
    profile: Profile = Profile.STANDARD
    backend: bool = False


@dataclass(frozen=True)
class Trusted:
    """The clients that may call, and our own credentials by FHIR base."""

    clients: tuple[Client, ...]
    backends: Mapping[str, BackendAccess] = field(default_factory=dict)


def trusted_from(file: Path, services: Iterable[str], *, allow_http: bool) -> Trusted:
    """The content of a clients file. Raises SettingsError, which names the entry and field that cannot be used."""
    entries = toml_entries("CRS_CDS_CLIENTS", file, "client", "fhir_server")
    known = frozenset(services)
    found = tuple(_client(entry, known, allow_http=allow_http) for entry in entries["client"])
    issuers = [client.issuer for client in found]
    twice = next((issuer for issuer in issuers if issuers.count(issuer) > 1), None)
    if twice is not None:
        raise SettingsError(f"CRS_CDS_CLIENTS: {twice} has two [[client]] entries; join them.")
    accesses = [_backend_access(entry, allow_http=allow_http) for entry in entries["fhir_server"]]
    backends = {access.base: access for access in accesses}
    without = next((c for c in found if c.backend and not set(c.fhir_servers) & set(backends)), None)
    if without is not None:
        raise SettingsError(
            f"CRS_CDS_CLIENTS: {without.issuer} has `backend = true`, but none of its fhir_servers has a "
            "[[fhir_server]] entry; add one."
        )
    return Trusted(found, backends)


def _client(entry: TomlEntry, services: frozenset[str], *, allow_http: bool) -> Client:
    entry.check_names(_OF_A_CLIENT)
    has_url = "jwks_url" in entry.fields
    if has_url == ("jwks" in entry.fields):
        raise SettingsError(f"{entry.where} must have either jwks_url or jwks, the name of a file beside this one.")
    bases = entry.texts("fhir_servers")
    if not bases:
        raise entry.wrong("fhir_servers", "must list the FHIR bases that the client may name, at least one")
    named = frozenset(entry.texts("services"))
    if named - services:
        raise entry.wrong("services", f"names {min(named - services)}; the services are {', '.join(sorted(services))}")
    backend = entry.fields.get("backend", False)
    if not isinstance(backend, bool):
        raise entry.wrong("backend", "must be true or false")
    return Client(
        issuer=entry.text("issuer"),
        fhir_servers=tuple(_base(entry, "fhir_servers", base, allow_http=allow_http) for base in bases),
        jwks_url=_https_url(entry, "jwks_url", allow_http=allow_http) if has_url else None,
        jwks=None if has_url else entry.file("jwks"),
        tenants=frozenset(entry.texts("tenants")),
        audiences=frozenset(entry.texts("audiences")),
        services=named,
        max_token_seconds=_token_seconds(entry),
        profile=_profile(entry),
        backend=backend,
    )


# our own credentials stand in the clients file, beside the clients that may use them: with clients off there are none
def _backend_access(entry: TomlEntry, *, allow_http: bool) -> BackendAccess:
    entry.check_names(_OF_A_SERVER)
    return BackendAccess(
        base=_base(entry, "base", entry.text("base"), allow_http=allow_http),
        token_url=_https_url(entry, "token_url", allow_http=allow_http),
        client_id=entry.text("client_id"),
        key=entry.client_key("key"),
        scope=entry.text("scope"),
    )


def _token_seconds(entry: TomlEntry) -> int:
    seconds = entry.fields.get("max_token_seconds", MAX_TOKEN_SECONDS)
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 1 <= seconds <= MOST_TOKEN_SECONDS:
        raise entry.wrong("max_token_seconds", f"must be a whole number from 1 to {MOST_TOKEN_SECONDS}")
    return seconds


def _profile(entry: TomlEntry) -> Profile:
    try:
        return Profile(entry.fields.get("profile", Profile.STANDARD))
    except ValueError as error:
        raise entry.wrong("profile", f"must be {' or '.join(Profile)}") from error


def _base(entry: TomlEntry, name: str, text: str, *, allow_http: bool) -> str:
    base = entry.base_in(name, text)
    if base.startswith("http:") and not allow_http:
        raise entry.wrong(name, f"{_PLAIN}; it is {base}")
    return base


def _https_url(entry: TomlEntry, name: str, *, allow_http: bool) -> str:
    text = entry.text(name)
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
    except ValueError:
        usable = False
    if not usable:
        raise entry.wrong(name, "must be an https URL with a host and without a user name")
    if parts.scheme == "http" and not allow_http:
        raise entry.wrong(name, _PLAIN)
    return parts.geturl()
