"""The keys of a client of the tests, and the tokens that it makes."""

from __future__ import annotations

import json
import time
import warnings
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

ISSUER = "https://ehr.example.org"


PUBLIC = "http://127.0.0.1:8000"


KEY = ec.generate_private_key(ec.SECP384R1())


OTHER_KEY = ec.generate_private_key(ec.SECP384R1())


RSA_KEY = rsa.generate_private_key(65537, 2048)


SMALL_RSA_KEY = rsa.generate_private_key(65537, 1024)  # noqa: S505


P256_KEY = ec.generate_private_key(ec.SECP256R1())


SIGN = f"{PUBLIC}/cds-services/crs-order-sign"


def jwk(key: Any, kid: str, **more: Any) -> dict[str, Any]:
    make = jwt.algorithms.ECAlgorithm if isinstance(key, ec.EllipticCurvePrivateKey) else jwt.algorithms.RSAAlgorithm
    return {**json.loads(make.to_jwk(key.public_key())), "kid": kid, **more}


KEYS = {"keys": [jwk(KEY, "k1"), jwk(RSA_KEY, "rsa"), jwk(SMALL_RSA_KEY, "small"), jwk(P256_KEY, "p256"),
                 jwk(KEY, "enc", use="enc")]}  # fmt: skip


@dataclass
class Token:
    """A token as a client makes it; a test changes what it wants to be wrong."""

    key: Any = KEY
    algorithm: str = "ES384"
    kid: str | None = "k1"
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": SIGN, "iat": now, "exp": now + 300, "jti": f"{now}-{time.monotonic_ns()}"}
        claims = {k: v for k, v in {**claims, **self.claims}.items() if v is not None}
        header = {k: v for k, v in {"typ": "JWT", "kid": self.kid, **self.header}.items() if v is not None}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", jwt.InsecureKeyLengthWarning)
            return jwt.encode(claims, self.key, self.algorithm, headers=header)
