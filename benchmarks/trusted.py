"""A trusted client: the file that names it, and a token for each of its calls."""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

ISSUER, AUDIENCE = "https://ehr.example.org", "urn:crs-cds"


class TrustedClient:
    """A client that writes its `clients.toml` and keys into a folder. `servers` are the FHIR bases that it may name."""

    def __init__(self, folder: Path, *servers: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        public = ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        keys = {"keys": [{**public, "kid": "k1", "use": "sig", "alg": "ES256"}]}
        (folder / "keys.json").write_text(json.dumps(keys), encoding="utf-8")
        self.file = folder / "clients.toml"
        self.file.write_text(
            f'[[client]]\nissuer = "{ISSUER}"\njwks = "keys.json"\nfhir_servers = {json.dumps(servers)}\n'
            f'audiences = ["{AUDIENCE}"]\n',
            encoding="utf-8",
        )

    def authorization(self) -> str:
        """The header of one call, with a new token because a token counts once."""
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 120, "jti": str(uuid.uuid4())}
        return f"Bearer {jwt.encode(claims, self._key, 'ES256', headers={'kid': 'k1'})}"
