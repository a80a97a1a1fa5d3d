"""The clients that may call: one TOML file of issuers, their keys, and the FHIR servers that they may name.

`[[client]]` holds `issuer`, `jwks_url` or `jwks` (a file beside this one), `fhir_servers`, and optionally `tenants`,
`audiences`, `services`, `max_token_seconds`, `profile` and `backend`. `[[fhir_server]]` holds our own credentials for
one: `base`, `token_url`, `client_id`, `key` (a PEM file beside this one), `scope`, and optionally `kid`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from cds_server.limits import SettingsError, naming
from cds_server.outgoing.base_url import normalised_base
from cds_server.outgoing.token_request import BackendAccess, ClientKey

MAX_TOKEN_SECONDS = 900
_KNOWN = frozenset(
    {
        "issuer", "jwks_url", "jwks", "fhir_servers", "tenants", "audiences", "services", "max_token_seconds",
        "profile", "backend",
    }
)  # fmt: skip
_OF_A_SERVER = frozenset({"base", "token_url", "client_id", "key", "scope", "kid"})
LEAST_RSA_BITS = 2048


class Profile(StrEnum):
    """How a client wants its answers."""

    STANDARD = "standard"
    EPIC = "epic"


@dataclass(frozen=True)
class Client:
    """One trusted issuer. Empty `tenants` or `services` mean any; exactly one of `jwks_url` and `jwks` is set.

    `backend`: for its calls without a token we may use our own.
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
    """Who may call, and by FHIR base our own credentials for it."""

    clients: tuple[Client, ...]
    backends: Mapping[str, BackendAccess] = field(default_factory=dict)


def trusted_from(file: Path, services: Iterable[str], *, allow_http: bool) -> Trusted:
    """What a clients file holds. Raises SettingsError naming the entry and field that cannot be used."""
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError("CRS_CDS_CLIENTS: the file cannot be read.") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"CRS_CDS_CLIENTS: not TOML: {error}.") from error
    entries = table.get("client")
    servers = table.get("fhir_server", [])
    other = set(table) - {"client", "fhir_server"}
    if other or not isinstance(entries, list) or not entries or not isinstance(servers, list):
        raise SettingsError("CRS_CDS_CLIENTS: must hold [[client]] entries, at least one, and [[fhir_server]] only.")
    known = frozenset(services)
    found = tuple(_client(entry, n, file.parent, known, allow_http) for n, entry in enumerate(entries))
    issuers = [client.issuer for client in found]
    twice = next((issuer for issuer in issuers if issuers.count(issuer) > 1), None)
    if twice is not None:
        raise SettingsError(f"CRS_CDS_CLIENTS: {twice} stands in two entries; join them.")
    backends = {
        access.base: access for access in (_backend(e, n, file.parent, allow_http) for n, e in enumerate(servers))
    }
    without = next((c for c in found if c.backend and not set(c.fhir_servers) & set(backends)), None)
    if without is not None:
        raise SettingsError(f"CRS_CDS_CLIENTS: {without.issuer} is `backend`, but no [[fhir_server]] is for its bases.")
    return Trusted(found, backends)


def _client(entry: Mapping[str, Any], number: int, folder: Path, services: frozenset[str], allow_http: bool) -> Client:
    where = f"CRS_CDS_CLIENTS: client[{number}]"
    unknown = sorted(set(entry) - _KNOWN)
    if unknown:
        raise SettingsError(f"{where}.{unknown[0]} is no field of a client; correct its name or remove it.")
    issuer = entry.get("issuer")
    if not isinstance(issuer, str) or not issuer:
        raise SettingsError(f"{where}.issuer must be the `iss` of its tokens.")
    if ("jwks_url" in entry) == ("jwks" in entry):
        raise SettingsError(f"{where} needs either jwks_url or jwks (a file).")
    bases = _texts(entry, "fhir_servers", where)
    if not bases:
        raise SettingsError(f"{where}.fhir_servers must list the FHIR bases that it may name.")
    names = frozenset(_texts(entry, "services", where))
    if names - services:
        raise SettingsError(f"{where}.services: {min(names - services)} is no service of this server.")
    seconds = entry.get("max_token_seconds", MAX_TOKEN_SECONDS)
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 1 <= seconds <= 86400:
        raise SettingsError(f"{where}.max_token_seconds must be a whole number from 1 to 86400.")
    profile, backend = entry.get("profile", Profile.STANDARD.value), entry.get("backend", False)
    if profile not in {known.value for known in Profile}:
        raise SettingsError(f"{where}.profile must be {' or '.join(known.value for known in Profile)}.")
    if not isinstance(backend, bool):
        raise SettingsError(f"{where}.backend must be true or false.")
    return Client(
        issuer=issuer,
        fhir_servers=tuple(_base(base, f"{where}.fhir_servers", allow_http) for base in bases),
        jwks_url=_https_url(entry["jwks_url"], f"{where}.jwks_url", allow_http) if "jwks_url" in entry else None,
        jwks=_key_file(entry["jwks"], where, folder) if "jwks" in entry else None,
        tenants=frozenset(_texts(entry, "tenants", where)),
        audiences=frozenset(_texts(entry, "audiences", where)),
        services=names,
        max_token_seconds=seconds,
        profile=Profile(profile),
        backend=backend,
    )


def _backend(entry: Mapping[str, Any], number: int, folder: Path, allow_http: bool) -> BackendAccess:
    where = f"CRS_CDS_CLIENTS: fhir_server[{number}]"
    unknown = sorted(set(entry) - _OF_A_SERVER)
    if unknown:
        raise SettingsError(f"{where}.{unknown[0]} is no field of a FHIR server; correct its name or remove it.")
    for name in sorted(_OF_A_SERVER - {"kid"}):
        if not isinstance(entry.get(name), str) or not entry[name]:
            raise SettingsError(f"{where}.{name} must be a text.")
    if not isinstance(entry.get("kid", ""), str):
        raise SettingsError(f"{where}.kid must be a text.")
    return BackendAccess(
        base=_base(entry["base"], f"{where}.base", allow_http),
        token_url=_https_url(entry["token_url"], f"{where}.token_url", allow_http),
        client_id=entry["client_id"],
        key=client_key(folder / entry["key"], f"{where}.key", entry.get("kid") or None),
        scope=entry["scope"],
    )


def client_key(file: Path, where: str, kid: str | None) -> ClientKey:
    """The key in a file. Raises SettingsError for one of another kind than SMART wants."""
    try:
        text = file.read_text(encoding="ascii")
        key = load_pem_private_key(text.encode(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SettingsError(f"{where} must be a file beside this one: a private key as PEM, no password.") from error
    if isinstance(key, RSAPrivateKey) and key.key_size >= LEAST_RSA_BITS:
        return ClientKey(text, "RS384", kid)
    if isinstance(key, EllipticCurvePrivateKey) and key.curve.name == "secp384r1":
        return ClientKey(text, "ES384", kid)
    raise SettingsError(f"{where} must be an RSA key of at least {LEAST_RSA_BITS} bits, or one of the curve P-384.")


def _texts(entry: Mapping[str, Any], name: str, where: str) -> list[str]:
    value = entry.get(name, [])
    if not isinstance(value, list) or not all(isinstance(text, str) and text for text in value):
        raise SettingsError(f"{where}.{name} must be a list of texts.")
    return value


def _base(url: str, name: str, allow_http: bool) -> str:
    with naming(name):
        base = normalised_base(url)
    if base.startswith("http:") and not allow_http:
        raise SettingsError(f"{name}: {base} is plain http; use https, or set CRS_CDS_ALLOW_HTTP=1 behind a proxy.")
    return base


def _https_url(url: object, where: str, allow_http: bool) -> str:
    parts = urlsplit(url) if isinstance(url, str) else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise SettingsError(f"{where} must be an https URL.")
    if parts.scheme == "http" and not allow_http:
        raise SettingsError(f"{where} is plain http; use https, or set CRS_CDS_ALLOW_HTTP=1 behind a proxy.")
    return parts.geturl()


def _key_file(name: object, where: str, folder: Path) -> Path:
    path = folder / name if isinstance(name, str) else None
    if path is None or not path.is_file():
        raise SettingsError(f"{where}.jwks: there is no such file beside the clients file.")
    return path
