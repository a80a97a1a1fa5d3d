"""The file of the EHRs that may open a course: what cannot be used is named with entry and field."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cds_server.limits import SettingsError
from cds_server.record.scopes import needed_scope
from cds_server.settings.reading import settings_from
from cds_server.trust.clients import Client
from cds_server.trust.smart_registration import smart_servers

BASE = "https://fhir.example.org/r4"
ENVIRON = {
    "CRS_CDS_ENV": "development", "CRS_CDS_FHIR_SERVERS": f"{BASE},https://other.example/r4",
    "CRS_CDS_SESSION_KEY": "x" * 32,
}  # fmt: skip
PLAIN = f'fhir_base = "{BASE}"\nclient_id = "app"\nauthentication = "public"\n'
SIGNED = PLAIN.replace("public", "private_key_jwt")
CLIENTS = (Client("https://ehr", (BASE,)), Client("https://other", ("https://other.example/r4",)))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    for name, curve in (("good.pem", ec.SECP384R1()), ("weak.pem", ec.SECP256R1())):
        key = ec.generate_private_key(curve)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (tmp_path / name).write_bytes(pem)
    return tmp_path / "smart.toml"


REFUSED = [
    ("[[server", "the file is not TOML"),
    ("", "the file must hold one or more [[server]] entries, and nothing else"),
    ("server = 1", "the file must hold one or more [[server]] entries"),
    ("server = []", "the file must hold one or more [[server]] entries"),
    ("server = [1]", "the file must hold one or more [[server]] entries"),
    ("[[client]]\n[[server]]", "the file must hold one or more [[server]] entries, and nothing else"),
    ("[[server]]", "server[0].fhir_base must be a text that is not empty"),
    (f"[[server]]\n{PLAIN}secret = 'x'", "server[0].secret is not a field; correct its name or remove it"),
    (f"[[server]]\n{PLAIN.replace(BASE, 'fhir')}", "server[0].fhir_base must be an http or https URL"),
    (f"[[server]]\n{PLAIN.replace(BASE, 'https://x')}", "server[0].fhir_base must be in CRS_CDS_FHIR_SERVERS too; add"),
    (f"[[server]]\n{PLAIN}[[server]]\n{PLAIN}", "server[1].fhir_base stands in two entries"),
    (f"[[server]]\n{PLAIN.replace('public', 'secret')}", "server[0].authentication must be public or private_key_jwt"),
    (f"[[server]]\n{PLAIN}scope = ''", "server[0].scope must be a text"),
    (f"[[server]]\n{PLAIN}key = 'good.pem'", "server[0].key is for private_key_jwt only"),
    (f"[[server]]\n{PLAIN}kid = '1'", "server[0].kid is for private_key_jwt only"),
    (f"[[server]]\n{SIGNED}", "server[0].key must be a text that is not empty"),
    (f"[[server]]\n{SIGNED}key = 'none.pem'", "server[0].key must name a file in the folder of this one"),
    (f"[[server]]\n{SIGNED}key = 'smart.toml'", "server[0].key must name a file with a private key as PEM"),
    (f"[[server]]\n{SIGNED}key = 'weak.pem'", "server[0].key must be an RSA key of at least 2048 bits, or one of"),
    (f"[[server]]\n{PLAIN}issuer = 'https://nobody'", "server[0].issuer must be a client of CRS_CDS_CLIENTS that lists"),
    (f"[[server]]\n{PLAIN}issuer = 'https://other'", "server[0].issuer must be a client of CRS_CDS_CLIENTS that lists"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "says"), REFUSED, ids=[says for _, says in REFUSED])
def test_an_entry_that_cannot_be_used(file: Path, text: str, says: str) -> None:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        smart_servers(settings_from({**ENVIRON, "CRS_CDS_SMART": str(file)}), CLIENTS)
    assert str(caught.value).startswith(f"CRS_CDS_SMART: {says}")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    settings = settings_from({**ENVIRON, "CRS_CDS_SMART": str(tmp_path / "none.toml")})
    with pytest.raises(SettingsError, match="CRS_CDS_SMART must name a file that can be read"):
        smart_servers(settings, CLIENTS)


ISSUERS = [
    ("", CLIENTS, {"https://ehr"}, "the clients that may name the base"),
    ("issuer = 'https://ehr'", CLIENTS, {"https://ehr"}, "the one that is named"),
    ("", (CLIENTS[1],), set(), "none, where none may name it"),
    ("", None, {""}, "with clients off, what is logged without one"),
]


@pytest.mark.parametrize(("more", "clients", "issuers", "because"), ISSUERS, ids=[row[3] for row in ISSUERS])
def test_whose_decisions_may_be_shown(
    file: Path, more: str, clients: tuple[Client, ...] | None, issuers: set[str], because: str
) -> None:
    file.write_text(f"[[server]]\n{PLAIN.replace(BASE, BASE.upper().replace('R4', 'r4/'))}{more}", encoding="utf-8")
    servers = smart_servers(settings_from({**ENVIRON, "CRS_CDS_SMART": str(file)}), clients)
    assert servers[BASE].issuers == issuers, because


SETTINGS = [
    ({"CRS_CDS_SMART": "x"}, "CRS_CDS_SESSION_KEY must hold one or more keys"),
    ({"CRS_CDS_SMART": "x", "CRS_CDS_SESSION_KEY": "short"}, "CRS_CDS_SESSION_KEY must hold one or more keys"),
    ({"CRS_CDS_SMART": "x", "CRS_CDS_SESSION_KEY": f"{'x' * 32},y"}, "CRS_CDS_SESSION_KEY must hold one or more keys"),
    ({"CRS_CDS_SMART": "x", "CRS_CDS_SESSION_KEY": "x" * 32, "CRS_CDS_PUBLIC_URL": "http://cds.example"},
     "CRS_CDS_SMART needs a CRS_CDS_PUBLIC_URL with https"),
    ({"CRS_CDS_FRAME_ANCESTORS": "*"}, "CRS_CDS_FRAME_ANCESTORS must be origins"),
    ({"CRS_CDS_FRAME_ANCESTORS": "https://ehr.example/"}, "CRS_CDS_FRAME_ANCESTORS must be origins"),
    ({"CRS_CDS_FRAME_ANCESTORS": "https://ehr.example; script-src *"}, "CRS_CDS_FRAME_ANCESTORS must be origins"),
    ({"CRS_CDS_FRAME_ANCESTORS": "https://ehr.example 'self'"}, "CRS_CDS_FRAME_ANCESTORS must be origins"),
]  # fmt: skip


@pytest.mark.parametrize(("environ", "says"), SETTINGS)
def test_a_setting_of_the_app_that_cannot_be_used(environ: dict[str, str], says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings_from({"CRS_CDS_ENV": "development", **environ})
    assert str(caught.value).startswith(says)


def test_in_production_no_page_on_plain_http_may_frame_ours(tmp_path: Path) -> None:
    environ = {
        "CRS_CDS_CLIENTS": "clients.toml", "CRS_CDS_PUBLIC_URL": "https://cds.example.org",
        "CRS_CDS_TIMEZONE": "Europe/Berlin", "CRS_CDS_PSEUDONYM_KEY": "x" * 32,
    }  # fmt: skip
    with pytest.raises(SettingsError, match=r"CRS_CDS_FRAME_ANCESTORS: http://ehr\.example is plain http"):
        settings_from({**environ, "CRS_CDS_FRAME_ANCESTORS": "http://ehr.example"})


def test_just_what_is_read_is_asked_for() -> None:
    assert needed_scope(["Patient", "Condition"], "launch", first_version=False) == (
        "launch patient/Condition.rs patient/Patient.rs"
    )
