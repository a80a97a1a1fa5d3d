"""The clients that may call: one TOML file of issuers, their keys, and the FHIR servers that they may name.

`[[client]]` holds `issuer`, `jwks_url` or `jwks` (a file beside this one), `fhir_servers`, and optionally `tenants`,
`audiences`, `services` and `max_token_seconds`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cds_server.settings import SettingsError, normalised_base

MAX_TOKEN_SECONDS = 900
_KNOWN = frozenset(
    {"issuer", "jwks_url", "jwks", "fhir_servers", "tenants", "audiences", "services", "max_token_seconds"}
)


@dataclass(frozen=True)
class Client:
    """One trusted issuer. Empty `tenants` or `services` mean any; exactly one of `jwks_url` and `jwks` is set."""

    issuer: str
    fhir_servers: tuple[str, ...]
    jwks_url: str | None = None
    jwks: Path | None = None
    tenants: frozenset[str] = frozenset()
    audiences: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()
    max_token_seconds: int = MAX_TOKEN_SECONDS


def clients_from(file: Path, services: Iterable[str], *, allow_http: bool) -> tuple[Client, ...]:
    """The clients of a file. Raises SettingsError naming the entry and field that cannot be used."""
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError("CRS_CDS_CLIENTS: the file cannot be read.") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"CRS_CDS_CLIENTS: not TOML: {error}.") from error
    entries = table.get("client")
    if set(table) - {"client"} or not isinstance(entries, list) or not entries:
        raise SettingsError("CRS_CDS_CLIENTS: must hold [[client]] entries, at least one, and nothing else.")
    found = tuple(_client(entry, n, file.parent, frozenset(services), allow_http) for n, entry in enumerate(entries))
    issuers = [client.issuer for client in found]
    twice = next((issuer for issuer in issuers if issuers.count(issuer) > 1), None)
    if twice is not None:
        raise SettingsError(f"CRS_CDS_CLIENTS: {twice} stands in two entries; join them.")
    return found


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
    return Client(
        issuer=issuer,
        fhir_servers=tuple(_base(base, f"{where}.fhir_servers", allow_http) for base in bases),
        jwks_url=_key_url(entry["jwks_url"], where, allow_http) if "jwks_url" in entry else None,
        jwks=_key_file(entry["jwks"], where, folder) if "jwks" in entry else None,
        tenants=frozenset(_texts(entry, "tenants", where)),
        audiences=frozenset(_texts(entry, "audiences", where)),
        services=names,
        max_token_seconds=seconds,
    )


def _texts(entry: Mapping[str, Any], name: str, where: str) -> list[str]:
    value = entry.get(name, [])
    if not isinstance(value, list) or not all(isinstance(text, str) and text for text in value):
        raise SettingsError(f"{where}.{name} must be a list of texts.")
    return value


def _base(url: str, name: str, allow_http: bool) -> str:
    base = normalised_base(url, name)
    if base.startswith("http:") and not allow_http:
        raise SettingsError(f"{name}: {base} is plain http; use https, or set CRS_CDS_ALLOW_HTTP=1 behind a proxy.")
    return base


def _key_url(url: object, where: str, allow_http: bool) -> str:
    parts = urlsplit(url) if isinstance(url, str) else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise SettingsError(f"{where}.jwks_url must be an https URL.")
    if parts.scheme == "http" and not allow_http:
        raise SettingsError(f"{where}.jwks_url is plain http; use https, or set CRS_CDS_ALLOW_HTTP=1 behind a proxy.")
    return parts.geturl()


def _key_file(name: object, where: str, folder: Path) -> Path:
    path = folder / name if isinstance(name, str) else None
    if path is None or not path.is_file():
        raise SettingsError(f"{where}.jwks: there is no such file beside the clients file.")
    return path
