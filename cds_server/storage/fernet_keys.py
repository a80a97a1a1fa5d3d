"""Keys of the settings as keys of Fernet, one for each use."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def fernet_for(use: bytes, secrets: Sequence[str]) -> MultiFernet:
    """The encryption of one use: the first secret encrypts, all decrypt."""
    return MultiFernet([Fernet(_key(use, secret)) for secret in secrets])


def _key(use: bytes, secret: str) -> bytes:
    derived = HKDF(SHA256(), 32, salt=None, info=use).derive(secret.encode())
    return base64.urlsafe_b64encode(derived)
