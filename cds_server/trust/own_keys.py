"""Our own private keys, by which we prove who we are, and the public halves that an authorization server is given."""

from __future__ import annotations

import json
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from cds_server.limits import UnusableError
from cds_server.outgoing.token_request import ClientKey

LEAST_RSA_BITS = 2048


def own_key(pem: bytes, kid: str | None) -> ClientKey:
    """The key in a PEM text, with the algorithm that SMART requires for its kind. Raises UnusableError."""
    private = _private_key(pem)
    algorithm = "RS384" if isinstance(private, RSAPrivateKey) else "ES384"
    return ClientKey(pem.decode("ascii"), algorithm, kid)


def public_key_set(key: ClientKey) -> dict[str, Any]:
    """The JSON Web Key Set of one key: its public half, with `use`, `alg` and, if it has one, `kid`."""
    private = _private_key(key.pem.encode())
    if isinstance(private, RSAPrivateKey):
        found = json.loads(RSAAlgorithm.to_jwk(private.public_key()))
    else:
        found = json.loads(ECAlgorithm.to_jwk(private.public_key()))
    found.pop("key_ops", None)  # `use` says it
    return {"keys": [{**found, "use": "sig", "alg": key.algorithm, **({"kid": key.kid} if key.kid else {})}]}


def _private_key(pem: bytes) -> RSAPrivateKey | EllipticCurvePrivateKey:
    try:
        pem.decode("ascii")
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UnusableError("must name a file with a private key as PEM, without password") from error
    if isinstance(key, RSAPrivateKey) and key.key_size >= LEAST_RSA_BITS:
        return key
    if isinstance(key, EllipticCurvePrivateKey) and key.curve.name == "secp384r1":
        return key
    raise UnusableError(f"must be an RSA key of at least {LEAST_RSA_BITS} bits, or one of the curve P-384")
