"""The JWT of CDS Hooks that a client shows to the service: a fresh one for each call."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

LIFE_SECONDS = 300
_OF_CURVE = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}


@dataclass(frozen=True)
class Signer:
    """The private key of a client. If `audience` is None, the address of the call is the audience."""

    key: Any
    algorithm: str
    issuer: str
    kid: str | None
    audience: str | None = None

    def token(self, url: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": self.audience or url, "iat": now, "exp": now + LIFE_SECONDS,
            "jti": str(uuid.uuid4()),
        }  # fmt: skip
        headers = {"typ": "JWT", **({"kid": self.kid} if self.kid else {})}
        return jwt.encode(claims, self.key, self.algorithm, headers=headers)


def signer_from(file: bytes, issuer: str, kid: str | None, audience: str | None) -> Signer:
    """The signer of a key file, PEM or JWK. A JWK's `kid` and `alg` count if none is given. Raises ValueError."""
    jwk: dict[str, Any] = {}
    try:
        if file.lstrip().startswith(b"{"):
            jwk = json.loads(file)
            key = jwt.PyJWK.from_dict(jwk).key
        else:
            key = load_pem_private_key(file, password=None)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, NotImplementedError) as error:
        raise ValueError("holds no key that can be read: PEM or JWK, without a password") from error
    if isinstance(key, EllipticCurvePrivateKey) and key.curve.name in _OF_CURVE:
        algorithm = _OF_CURVE[key.curve.name]
    elif isinstance(key, RSAPrivateKey):
        algorithm = jwk.get("alg", "RS384")
    else:
        raise ValueError("must be a private key: EC on P-256, P-384 or P-521, or RSA")
    return Signer(key, algorithm, issuer, kid or jwk.get("kid"), audience)
