"""The identity of a caller: the JWT of CDS Hooks' "Trusting CDS Clients", checked by PyJWT against the known clients.

Each refusal says which check failed and nothing that helps to pass it: no list of issuers, keys or audiences.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from cds_server.trust.clients import Client, Profile
from cds_server.trust.jwk_set import Key, KeysUnavailableError
from cds_server.trust.key_sets import KeySets
from fhir_mappings.reading.fhir_base import comparable

ALGORITHMS = ("ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_ONLY_SIGNATURE: Any = {
    "verify_aud": False, "verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_jti": False,
    "verify_sub": False, "verify_iss": False,
}  # fmt: skip
_CURVES = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1"}
_LEAST_RSA_BITS = 2048
LEEWAY_SECONDS = 60
MAX_TOKEN_CHARS = 16384


class UntrustedError(Exception):
    """The refusal of a caller: a word for the metrics and a sentence for the caller."""

    def __init__(self, reason: str, says: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.says = says


@dataclass(frozen=True)
class Caller:
    """A caller that passed: its client and tenant, and the token's id with the time until which it must be
    remembered."""

    client: Client | None
    tenant: str | None = None
    jti: str = ""
    expires: float = 0.0

    @property
    def issuer(self) -> str:
        return self.client.issuer if self.client is not None else ""

    @property
    def profile(self) -> Profile:
        return self.client.profile if self.client is not None else Profile.STANDARD


NOBODY_CHECKED = Caller(None)


class ClientTrust:
    """The check of a call's Authorization header. `now` is the wall clock, for `exp`, `iat` and `nbf`."""

    def __init__(self, clients: tuple[Client, ...], keys: KeySets, now: Callable[[], float] = time.time) -> None:
        self._by_issuer = {client.issuer: client for client in clients}
        self._keys = keys
        self._now = now

    def caller(self, authorization: str | None, url: str, service: str | None, deadline: float) -> Caller:
        """The caller of `url`. Raises UntrustedError. The use of its `jti` is still to be counted."""
        token = _bearer(authorization)
        header, claims = _unverified(token)
        client = self._by_issuer.get(claims["iss"]) if isinstance(claims.get("iss"), str) else None
        if client is None:
            raise UntrustedError("issuer", "the token's issuer is not known here")
        self._verified(token, header, client, deadline)
        self._check_times(claims, client)
        _check_audience(claims.get("aud"), url, client)
        tenant = claims.get("tenant")
        if tenant is not None and not (isinstance(tenant, str) and tenant.isprintable()):
            raise UntrustedError("tenant", "tenant must be a text")
        if client.tenants and tenant not in client.tenants:
            raise UntrustedError("tenant", "the token's tenant is not known here")
        if service is not None and client.services and service not in client.services:
            raise UntrustedError("service", "this client may not call this service")
        jti = claims.get("jti")
        if not isinstance(jti, str) or not 0 < len(jti) <= 1000 or not jti.isprintable():
            raise UntrustedError("jti", "jti is missing or no plain text")
        return Caller(client, tenant, jti, float(claims["exp"]) + LEEWAY_SECONDS)

    def keys_missing(self) -> Mapping[str, str]:
        """The parts that `/health/ready` shows as degraded: the clients whose keys were wanted and could not be
        fetched."""
        number = sum(self._keys.missing(client) for client in self._by_issuer.values())
        return {"keys": f"the key sets of {number} clients could not be fetched"} if number else {}

    def _verified(self, token: str, header: Mapping[str, Any], client: Client, deadline: float) -> None:
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in ALGORITHMS:
            raise UntrustedError("algorithm", "the token's algorithm is not one of ES, RS or PS")
        if header.get("typ") not in (None, "JWT", "jwt"):
            raise UntrustedError("typ", "typ must be JWT")
        # if the keys are in a file, no other set is fetched or wanted
        if header.get("jku") is not None and client.jwks is None and header["jku"] != client.jwks_url:
            raise UntrustedError("jku", "the token names a key set that is not this client's")
        if not isinstance(kid, str) or not kid:
            raise UntrustedError("kid", "kid is missing")
        try:
            named = self._keys.key(client, kid, deadline) or ()
        except KeysUnavailableError as error:
            raise UntrustedError("keys", "the client's keys could not be fetched") from error
        fitting = [key for key in named if _fits(key, algorithm)]
        if not fitting:
            raise UntrustedError("key", "the token's key is not known")
        if not any(_is_signed_by(token, key, algorithm) for key in fitting):
            raise UntrustedError("signature", "the token's signature is not valid")

    def _check_times(self, claims: Mapping[str, Any], client: Client) -> None:
        times = {name: claims.get(name) for name in ("exp", "iat")}
        for name, value in {**times, "nbf": claims.get("nbf", 0)}.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e11:
                raise UntrustedError(name, f"{name} is missing or no time")
        now = self._now()
        if claims["exp"] + LEEWAY_SECONDS <= now:
            raise UntrustedError("expired", "the token has expired")
        if claims["iat"] - LEEWAY_SECONDS > now or claims.get("nbf", 0) - LEEWAY_SECONDS > now:
            raise UntrustedError("early", "the token is not valid yet")
        if claims["exp"] - claims["iat"] > client.max_token_seconds:
            raise UntrustedError("lifetime", "the token lives longer than is taken here")


def _fits(key: Key, algorithm: str) -> bool:
    """Tell whether a key has the algorithm's kind, curve and strength, and names no other algorithm itself."""
    public = key.public
    if key.algorithm not in (None, algorithm):
        return False
    if algorithm in _CURVES:
        return isinstance(public, EllipticCurvePublicKey) and public.curve.name == _CURVES[algorithm]
    return isinstance(public, RSAPublicKey) and public.key_size >= _LEAST_RSA_BITS


def _is_signed_by(token: str, key: Key, algorithm: str) -> bool:
    try:
        jwt.decode(token, key.public, algorithms=[algorithm], options=_ONLY_SIGNATURE)
    except (jwt.PyJWTError, ValueError, TypeError):
        return False
    return True


def _bearer(authorization: str | None) -> str:
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise UntrustedError("missing", "a Bearer token is needed")
    if len(token) > MAX_TOKEN_CHARS:
        raise UntrustedError("malformed", "the token cannot be read")
    return token.strip()


def _unverified(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The unverified header and claims, which tell whose keys to check with."""
    try:
        options: Any = {"verify_signature": False}
        return jwt.get_unverified_header(token), jwt.decode(token, options=options)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise UntrustedError("malformed", "the token cannot be read") from error


def _check_audience(audience: object, url: str, client: Client) -> None:
    ours = comparable(url)
    named = [one for one in (audience if isinstance(audience, list) else [audience]) if isinstance(one, str)]
    if not any(one in client.audiences or (ours is not None and comparable(one) == ours) for one in named):
        raise UntrustedError("audience", "the token is for another address")
