"""Our own keys: which may be used, and the public half that `crs-cds jwks` prints for an authorization server."""

from __future__ import annotations

import json
from pathlib import Path

import jwt
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives import serialization

from cds_server.command_line.program import commands
from cds_server.outgoing.token_request import client_proof
from cds_server.trust.own_keys import own_key
from tests.support.tokens import KEY, P256_KEY, RSA_KEY, SMALL_RSA_KEY


def pem(key: object) -> bytes:
    return key.private_bytes(  # type: ignore[attr-defined,no-any-return]
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.mark.parametrize(("key", "algorithm"), [(KEY, "ES384"), (RSA_KEY, "RS384")], ids=["P-384", "RSA"])
def test_what_we_sign_is_valid_under_the_set_that_is_printed(key: object, algorithm: str, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(pem(key))
    said = CliRunner().invoke(commands, ["jwks", str(tmp_path / "key.pem"), "--kid", "2026"])
    assert said.exit_code == 0, said.output
    (found,) = json.loads(said.output)["keys"]
    assert (found["kid"], found["use"], found["alg"]) == ("2026", "sig", algorithm)
    assert not {"d", "p", "q", "dp", "dq", "qi"} & set(found), "nothing of the private half"
    proof = client_proof("crs-cds", "https://ehr.example/token", own_key(pem(key), "2026"))["client_assertion"]
    claims = jwt.decode(proof, jwt.PyJWK(found), [algorithm], audience="https://ehr.example/token")
    assert (jwt.get_unverified_header(proof)["kid"], claims["iss"]) == ("2026", "crs-cds")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"no key", "must name a file with a private key as PEM, without password"),
        (b"\xff\xfe", "must name a file with a private key as PEM, without password"),
        (pem(SMALL_RSA_KEY), "must be an RSA key of at least 2048 bits, or one of the curve P-384"),
        (pem(P256_KEY), "must be an RSA key of at least 2048 bits, or one of the curve P-384"),
    ],
    ids=["a text", "bytes", "RSA of 1024 bits", "another curve"],
)
def test_a_key_that_no_server_of_smart_takes_is_refused(content: bytes, says: str) -> None:
    said = CliRunner().invoke(commands, ["jwks", "-", "--kid", "2026"], input=content)
    assert (said.exit_code, f"standard input: {says}" in said.output) == (2, True)
