"""The public keys in a JWK Set that may check signatures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from cds_server.limits import SettingsError
from cds_server.trust.clients import Client


@dataclass(frozen=True)
class Key:
    """A public key that may check signatures; `algorithm` where its set allows one only."""

    public: Any
    algorithm: str | None


Keys = Mapping[str, Key]


class KeysUnavailableError(Exception):
    """The key set could not be had in time; says nothing of the token."""


def keys_in(content: bytes) -> Keys:
    """The signing keys of a JWK Set by `kid`; one that cannot be used is passed over. Raises KeysUnavailableError."""
    try:
        entries = json.loads(content)["keys"]
        found = [(entry.get("kid"), _key(entry)) for entry in entries if isinstance(entry, dict)]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise KeysUnavailableError from error
    return {kid: key for kid, key in found if isinstance(kid, str) and kid and key is not None}


def _key(entry: Mapping[str, Any]) -> Key | None:
    """A key that is for signatures, by what it says of itself."""
    operations = entry.get("key_ops", ["verify"])
    if entry.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        return None
    algorithm = entry.get("alg")
    if algorithm is not None and not isinstance(algorithm, str):
        return None
    try:
        return Key(jwt.PyJWK.from_dict(dict(entry)).key, algorithm)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None


def check_key_files(clients: tuple[Client, ...]) -> None:
    """Raises SettingsError for a key file that holds no key that can be used."""
    for number, client in enumerate(clients):
        if client.jwks is None:
            continue
        try:
            usable = keys_in(client.jwks.read_bytes())
        except (OSError, KeysUnavailableError):
            usable = {}
        if not usable:
            raise SettingsError(
                f"CRS_CDS_CLIENTS: client[{number}].jwks must name a JWK Set with at least one signing key with a kid."
            )
