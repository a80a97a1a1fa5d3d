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
    """A public key that may check signatures; `algorithm` is set if its key set allows only one."""

    public: Any
    algorithm: str | None


Keys = Mapping[str, tuple[Key, ...]]
"""The keys of a set by `kid`. RFC 7517 lets equivalent keys of several kinds share one, and some sets have two of one
kind under it while keys rotate: each of them may check a signature."""
MOST_OF_ONE_KID = 4  # each costs a try for every token


class KeysUnavailableError(Exception):
    """A failure to get the key set in time. It says nothing about the token."""


def keys_in(content: bytes) -> Keys:
    """The signing keys of a JWK Set by `kid`; keys that cannot be used are skipped. Raises KeysUnavailableError."""
    try:
        entries = json.loads(content)["keys"]
        found = [(entry.get("kid"), _key(entry)) for entry in entries if isinstance(entry, dict)]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise KeysUnavailableError from error
    keys: dict[str, tuple[Key, ...]] = {}
    for kid, key in found:
        if isinstance(kid, str) and kid and key is not None:
            keys[kid] = (*keys.get(kid, ()), key)[:MOST_OF_ONE_KID]
    return keys


def _key(entry: Mapping[str, Any]) -> Key | None:
    """The key of an entry that is for signatures, as far as the entry itself says."""
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
    """Raise SettingsError for a key file without a usable key."""
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
