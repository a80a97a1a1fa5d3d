"""Keyed pseudonyms: the decision log names no patient and no user, and still recognises the same one again."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass


class Pseudonyms:
    """Keyed hashes over issuer, tenant, FHIR base and id: the same person is the same word, to who has the key."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def of(self, kind: str, issuer: str, tenant: str | None, fhir_base: str | None, id_: str) -> str:
        text = "\x1f".join((kind, issuer, tenant or "", fhir_base or "", id_))
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class People:
    """The patient and user of a call as keyed pseudonyms."""

    patient: str
    user: str
