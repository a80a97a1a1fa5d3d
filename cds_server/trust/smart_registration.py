"""The EHRs that may open the course of a patient: one TOML file, `CRS_CDS_SMART`.

`[[server]]` holds `fhir_base`, `client_id`, `authentication` ("public", or "private_key_jwt" with `key`, a PEM file
beside this one, and optionally `kid`), and optionally `scope`, in place of the one that is needed, and `issuer`, the
CDS client whose decisions may be shown; by default each that may name the base.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from cds_server.outgoing.token_request import ClientKey
from cds_server.settings.table import Settings
from cds_server.trust.clients import Client
from cds_server.trust.toml_entries import TomlEntry, toml_entries

NOBODY_CHECKED = ""  # the issuer of decisions where clients are off
_FIELDS = frozenset({"fhir_base", "client_id", "authentication", "key", "kid", "scope", "issuer"})
_OF_A_KEY = frozenset({"key", "kid"})


class Authentication(StrEnum):
    """The way in which we prove to an authorization server who we are."""

    PUBLIC = "public"
    PRIVATE_KEY_JWT = "private_key_jwt"


@dataclass(frozen=True)
class SmartServer:
    """Our registration as an app of one FHIR server. `key` is None for a public client.

    The page may show the decisions of `issuers`.
    """

    fhir_base: str
    client_id: str
    issuers: frozenset[str]
    key: ClientKey | None = None
    scope: str | None = None


def smart_servers(settings: Settings, clients: Sequence[Client] | None) -> Mapping[str, SmartServer]:
    """The servers in the file by FHIR base; `clients` is None if they are off. Raises SettingsError, which names the
    entry and field that cannot be used."""
    if settings.smart_file is None:
        return {}
    found: dict[str, SmartServer] = {}
    for entry in toml_entries("CRS_CDS_SMART", settings.smart_file, "server")["server"]:
        server = _server(entry, settings.fhir_servers, clients)
        if server.fhir_base in found:
            raise entry.wrong("fhir_base", "stands in two entries; remove one")
        found[server.fhir_base] = server
    return found


def _server(entry: TomlEntry, allowed: Sequence[str], clients: Sequence[Client] | None) -> SmartServer:
    entry.check_names(_FIELDS)
    base = entry.base("fhir_base")
    if base not in allowed:
        raise entry.wrong("fhir_base", f"must be in CRS_CDS_FHIR_SERVERS too; add {base} there")
    return SmartServer(
        fhir_base=base,
        client_id=entry.text("client_id"),
        issuers=_issuers(entry, base, clients),
        key=entry.client_key("key") if _authentication(entry) is Authentication.PRIVATE_KEY_JWT else None,
        scope=entry.optional_text("scope"),
    )


def _authentication(entry: TomlEntry) -> Authentication:
    text = entry.text("authentication")
    try:
        found = Authentication(text)
    except ValueError as error:
        raise entry.wrong("authentication", f"must be {' or '.join(Authentication)}") from error
    unused = min(_OF_A_KEY & set(entry.fields), default=None)
    if found is Authentication.PUBLIC and unused is not None:
        raise entry.wrong(unused, f"is for {Authentication.PRIVATE_KEY_JWT} only; remove it")
    return found


def _issuers(entry: TomlEntry, base: str, clients: Sequence[Client] | None) -> frozenset[str]:
    """The issuers whose decisions may be shown. A client that may not name the base is not believed about it, because
    the prefetch that it sent may be of anyone."""
    known = {NOBODY_CHECKED} if clients is None else {c.issuer for c in clients if base in c.fhir_servers}
    issuer = entry.optional_text("issuer")
    if issuer is None:
        return frozenset(known)
    if issuer not in known:
        raise entry.wrong("issuer", "must be a client of CRS_CDS_CLIENTS that lists this fhir_base")
    return frozenset({issuer})
