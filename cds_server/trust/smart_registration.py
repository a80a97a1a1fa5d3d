"""The EHRs that may open the course of a patient: one TOML file, `CRS_CDS_SMART`.

`[[server]]` holds `fhir_base`, `client_id`, `authentication` ("public", or "private_key_jwt" with `key`, a PEM file
beside this one, and optionally `kid`), and optionally `scope`, in place of the one that is needed, and `issuer`, the
CDS client whose decisions may be shown; by default each that may name the base.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cds_server.limits import SettingsError, naming
from cds_server.outgoing.base_url import normalised_base
from cds_server.outgoing.token_request import ClientKey
from cds_server.settings import Settings
from cds_server.trust.clients import Client, client_key

NOBODY_CHECKED = ""  # the issuer of decisions where clients are off
_TEXTS = frozenset({"fhir_base", "client_id", "authentication"})
_OPTIONAL = frozenset({"key", "kid", "scope", "issuer"})
_OF_A_KEY = frozenset({"key", "kid"})


@dataclass(frozen=True)
class SmartServer:
    """Our registration as an app of one FHIR server. `key` is None for a public client.

    `issuers` are those whose decisions the page may show."""

    fhir_base: str
    client_id: str
    issuers: frozenset[str]
    key: ClientKey | None = None
    scope: str | None = None


def smart_servers(settings: Settings, clients: Sequence[Client] | None) -> Mapping[str, SmartServer]:
    """What the file holds, by FHIR base; `clients` is None where they are off. Raises SettingsError naming the entry
    and field that cannot be used."""
    if settings.smart_file is None:
        return {}
    try:
        table = tomllib.loads(settings.smart_file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError("CRS_CDS_SMART: the file cannot be read.") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"CRS_CDS_SMART: not TOML: {error}.") from error
    entries = table.get("server")
    if set(table) != {"server"} or not isinstance(entries, list) or not entries:
        raise SettingsError("CRS_CDS_SMART: must hold [[server]] entries, at least one, and nothing else.")
    found: dict[str, SmartServer] = {}
    for number, entry in enumerate(entries):
        where = f"CRS_CDS_SMART: server[{number}]"
        server = _server(entry, where, settings, clients)
        if server.fhir_base in found:
            raise SettingsError(f"{where}.fhir_base stands in two entries; remove one.")
        found[server.fhir_base] = server
    return found


def _server(entry: Any, where: str, settings: Settings, clients: Sequence[Client] | None) -> SmartServer:
    _check_fields(entry, where)
    with naming(f"{where}.fhir_base"):
        base = normalised_base(entry["fhir_base"])
    if base not in settings.fhir_servers:
        raise SettingsError(f"{where}.fhir_base: {base} is not in CRS_CDS_FHIR_SERVERS; add it there.")
    key = None
    if entry["authentication"] == "private_key_jwt":
        folder = settings.smart_file.parent if settings.smart_file is not None else Path()
        key = client_key(folder / entry.get("key", ""), f"{where}.key", entry.get("kid"))
    return SmartServer(
        fhir_base=base,
        client_id=entry["client_id"],
        issuers=_issuers(entry.get("issuer"), base, where, clients),
        key=key,
        scope=entry.get("scope"),
    )


def _check_fields(entry: Any, where: str) -> None:
    unknown = sorted(set(entry) - _TEXTS - _OPTIONAL) if isinstance(entry, dict) else ["it"]
    if unknown:
        raise SettingsError(f"{where}.{unknown[0]} is no field of a server; correct its name or remove it.")
    for name in sorted(_TEXTS | (_OPTIONAL & set(entry))):
        if not isinstance(entry.get(name), str) or not entry[name].strip():
            raise SettingsError(f"{where}.{name} must be a text.")
    if entry["authentication"] not in ("public", "private_key_jwt"):
        raise SettingsError(f"{where}.authentication must be public or private_key_jwt.")
    if entry["authentication"] == "public" and _OF_A_KEY & set(entry):
        raise SettingsError(f"{where}.{min(_OF_A_KEY & set(entry))} is for private_key_jwt only.")


def _issuers(issuer: str | None, base: str, where: str, clients: Sequence[Client] | None) -> frozenset[str]:
    """Whose decisions may be shown. A client that may not name the base is not believed about it: what it sent as
    prefetch may be of anyone."""
    known = {NOBODY_CHECKED} if clients is None else {c.issuer for c in clients if base in c.fhir_servers}
    if issuer is None:
        return frozenset(known)
    if issuer not in known:
        raise SettingsError(f"{where}.issuer is no client of CRS_CDS_CLIENTS that lists this fhir_base.")
    return frozenset({issuer})
