"""`crs-cds check-config`: what is in force, and of each server that cannot be used which step failed."""

from __future__ import annotations

import datetime
import http.server
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cds_server.command_line.program import commands
from tests.support.tokens import KEYS

CAPABILITY = json.dumps({"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"})


@contextmanager
def serving(status: int, body: str, certificate: Path | None = None) -> Iterator[str]:
    """A server on loopback that always answers the same; its base address."""

    class Same(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Same)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield f"{'https' if certificate else 'http'}://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that no authority has signed, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    own = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(True, False, False, False, False, True, True, False, False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file = tmp_path_factory.mktemp("tls") / "localhost.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(own.public_bytes(serialization.Encoding.PEM) + private)
    return file


def check_config(folder: Path, **environ: str) -> Result:
    settings = {"CRS_CDS_ENV": "development", "CRS_CDS_DATABASE_URL": f"sqlite:///{folder / 'log.sqlite'}"}
    return CliRunner().invoke(commands, ["check-config"], env=settings | environ)


def test_it_says_what_is_in_force_and_that_everything_answers(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text('[cards]\ninfection-surveillance = "shadow"\n', encoding="utf-8")
    with serving(200, CAPABILITY) as fhir, serving(200, json.dumps(KEYS)) as keys:
        (tmp_path / "clients.toml").write_text(
            f'[[client]]\nissuer = "https://ehr"\njwks_url = "{keys}/jwks"\nfhir_servers = ["{fhir}"]\n',
            encoding="utf-8",
        )
        said = check_config(
            tmp_path, CRS_CDS_FHIR_SERVERS=fhir, CRS_CDS_CLIENTS=str(tmp_path / "clients.toml"),
            CRS_CDS_THRESHOLDS=str(tmp_path / "site.toml"), CRS_CDS_SHADOW_SERVICES="crs-order-select",
            CRS_CDS_PSEUDONYM_KEY="the secret of the site, never shown",
        )  # fmt: skip
    assert said.exit_code == 0, said.output
    for line in (
        "cards that are not active: infection-surveillance shadow",
        "services in shadow: crs-order-select",
        "a course is looked for by: history",
        "network: the public certificates, no proxy, our certificate none, plain http may be named",
        f"ok     FHIR server {fhir}: answers, FHIR 4.0.1",
        f"ok     client https://ehr: 4 keys from {keys}/jwks",
        "its tables are up to date",
    ):
        assert line in said.output
    assert "the secret" not in said.output


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_name_that_is_not_known(tmp_path: Path) -> None:
    said = check_config(tmp_path, CRS_CDS_FHIR_SERVERS="https://nowhere.invalid/fhir")
    assert said.exit_code == 1
    assert "FAILED FHIR server https://nowhere.invalid/fhir: name: it is not known" in said.output


def test_a_route_that_is_closed(tmp_path: Path) -> None:
    said = check_config(tmp_path, CRS_CDS_FHIR_SERVERS=f"http://127.0.0.1:{closed_port()}/fhir")
    assert said.exit_code == 1
    assert "route: the connection was refused" in said.output


def test_a_proxy_that_is_not_there(tmp_path: Path) -> None:
    proxy = f"http://127.0.0.1:{closed_port()}"
    said = check_config(tmp_path, CRS_CDS_FHIR_SERVERS="https://fhir.example/r4", CRS_CDS_HTTPS_PROXY=proxy)
    assert "route: the proxy (CRS_CDS_HTTPS_PROXY) could not be used" in said.output


def test_a_certificate_that_is_not_trusted_until_the_site_names_it(tmp_path: Path, certificate: Path) -> None:
    with serving(200, CAPABILITY, certificate) as fhir:
        said = check_config(tmp_path, CRS_CDS_FHIR_SERVERS=fhir)
        assert said.exit_code == 1
        assert "certificate: it could not be verified (CRS_CDS_CA_BUNDLE)" in said.output
        said = check_config(tmp_path, CRS_CDS_FHIR_SERVERS=fhir, CRS_CDS_CA_BUNDLE=str(certificate))
        assert said.exit_code == 0, said.output


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (200, "<html>", "/metadata is no CapabilityStatement"),
        (200, '{"resourceType": "Patient", "fhirVersion": "4.0.1"}', "/metadata is no CapabilityStatement"),
        (200, '{"resourceType": "CapabilityStatement", "fhirVersion": "3.0.2"}', "it does not speak FHIR R4"),
        (302, "", "it redirects (302)"),
        (503, "", "it says 503"),
    ],
)
def test_an_answer_that_is_none(tmp_path: Path, status: int, body: str, says: str) -> None:
    with serving(status, body) as fhir:
        said = check_config(tmp_path, CRS_CDS_FHIR_SERVERS=fhir)
    assert said.exit_code == 1
    assert f"FAILED FHIR server {fhir}: answer: {says}" in said.output


def test_a_client_whose_fhir_server_is_not_called_and_whose_keys_are_none(tmp_path: Path) -> None:
    with serving(200, '{"keys": []}') as keys:
        (tmp_path / "clients.toml").write_text(
            f'[[client]]\nissuer = "https://ehr"\njwks_url = "{keys}"\nfhir_servers = ["https://other"]\n',
            encoding="utf-8",
        )
        said = check_config(tmp_path, CRS_CDS_CLIENTS=str(tmp_path / "clients.toml"))
    assert said.exit_code == 1
    assert "it holds no key that can be used" in said.output
    assert "names https://other, which is not in CRS_CDS_FHIR_SERVERS" in said.output


@pytest.mark.parametrize(
    ("configuration", "says"),
    [
        ({"authorization_endpoint": "https://x/a", "token_endpoint": "https://x/t"}, "ok     SMART app of {base}, as app: authorizes at https://x/a"),
        ({}, "FAILED SMART app of {base}, as app: answer: the FHIR server has no SMART configuration that can be read"),
    ],
)  # fmt: skip
def test_an_ehr_that_opens_the_course_is_asked_where_it_authorizes(
    tmp_path: Path, configuration: dict[str, str], says: str
) -> None:
    both = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", **configuration}
    with serving(200, json.dumps(both)) as fhir:
        text = f'[[server]]\nfhir_base = "{fhir}"\nclient_id = "app"\nauthentication = "public"\n'
        (tmp_path / "smart.toml").write_text(text, encoding="utf-8")
        said = check_config(
            tmp_path, CRS_CDS_FHIR_SERVERS=fhir, CRS_CDS_SMART=str(tmp_path / "smart.toml"),
            CRS_CDS_SESSION_KEY="the secret of the sessions is never shown", CRS_CDS_FRAME_ANCESTORS="https://ehr",
        )  # fmt: skip
    assert f"SMART app: {tmp_path / 'smart.toml'}; in frames of: https://ehr" in said.output
    assert says.format(base=fhir) in said.output
    assert said.exit_code == (0 if configuration else 1)
    assert "the secret" not in said.output


def test_a_database_that_does_not_answer(tmp_path: Path) -> None:
    said = check_config(tmp_path, CRS_CDS_DATABASE_URL="postgresql://u:secret@127.0.0.1:1/x")
    assert said.exit_code == 1
    assert "FAILED database postgresql://127.0.0.1:1/x: does not answer (OperationalError)" in said.output


def test_a_setting_that_cannot_be_used_is_exit_code_2(tmp_path: Path) -> None:
    said = check_config(tmp_path, CRS_CDS_MODE="quiet")
    assert said.exit_code == 2
    assert "CRS_CDS_MODE must be active or shadow" in said.output
