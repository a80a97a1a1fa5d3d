"""A setting that cannot be used stops the start with a sentence that says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_server.limits import SettingsError
from cds_server.outgoing.bounded_http import Network, pooled_session
from cds_server.settings.reading import settings_from
from cds_server.settings.table import DEVELOPMENT_KEY, known_names

DEVELOPMENT = {"CRS_CDS_ENV": "development"}
DEMO = "http://127.0.0.1:8090/fhir"
PRODUCTION = {
    "CRS_CDS_CLIENTS": "clients.toml", "CRS_CDS_PUBLIC_URL": "https://cds.example.org",
    "CRS_CDS_TIMEZONE": "Europe/Berlin", "CRS_CDS_PSEUDONYM_KEY": "x" * 32,
}  # fmt: skip


def without(environ: dict[str, str], name: str) -> dict[str, str]:
    return {k: v for k, v in environ.items() if k != name}


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({}, "CRS_CDS_CLIENTS must name the file of trusted clients"),
        (PRODUCTION | {"CRS_CDS_CLIENTS": "off"}, "CRS_CDS_CLIENTS must name the file of trusted clients"),
        (without(PRODUCTION, "CRS_CDS_PUBLIC_URL"), "CRS_CDS_PUBLIC_URL must be the address that clients call"),
        (PRODUCTION | {"CRS_CDS_PUBLIC_URL": "http://cds.example.org"}, "CRS_CDS_PUBLIC_URL is plain http"),
        (without(PRODUCTION, "CRS_CDS_TIMEZONE"), "CRS_CDS_TIMEZONE must be the zone of the facility"),
        (PRODUCTION | {"CRS_CDS_PSEUDONYM_KEY": "short"}, "CRS_CDS_PSEUDONYM_KEY must be a secret of at least 32"),
        (PRODUCTION | {"CRS_CDS_PSEUDONYM_KEY": DEVELOPMENT_KEY}, "CRS_CDS_PSEUDONYM_KEY must be a secret"),
        (PRODUCTION | {"CRS_CDS_PSEUDONYM_KEY": " " * 40}, "CRS_CDS_PSEUDONYM_KEY must be a secret"),
        (PRODUCTION | {"CRS_CDS_DATABASE_URL": "sqlite://"}, "CRS_CDS_DATABASE_URL must name a file or a server"),
        (PRODUCTION | {"CRS_CDS_FHIR_SERVERS": "http://x/fhir"}, "CRS_CDS_FHIR_SERVERS: http://x/fhir is plain http"),
        (DEVELOPMENT | {"CRS_CDS_CA_BUNDLE": "/nowhere.pem"}, "CRS_CDS_CA_BUNDLE names a file that is not there"),
        (DEVELOPMENT | {"CRS_CDS_MODE": "quiet"}, "CRS_CDS_MODE must be active or shadow"),
        ({"CRS_CDS_ENV": "staging"}, "CRS_CDS_ENV must be development or production"),
        (DEVELOPMENT | {"CRS_CDS_TIMEZONE": "Mars/Olympus"}, "CRS_CDS_TIMEZONE must be the IANA name of a zone"),
        (DEVELOPMENT | {"CRS_CDS_TIMEZONE": "../etc/passwd"}, "CRS_CDS_TIMEZONE must be the IANA name of a zone"),
        (DEVELOPMENT | {"CRS_CDS_FHIR_SERVERS": "https://u:p@x/fhir"}, "CRS_CDS_FHIR_SERVERS must have no user name"),
        (DEVELOPMENT | {"CRS_CDS_FHIR_SERVERS": "x/fhir"}, "CRS_CDS_FHIR_SERVERS must be an http or https URL"),
        (DEVELOPMENT | {"CRS_CDS_BUDGET_SECONDS": "soon"}, "CRS_CDS_BUDGET_SECONDS must be a number from 0.1 to 120"),
        (DEVELOPMENT | {"CRS_CDS_BUDGET_SECONDS": "0"}, "CRS_CDS_BUDGET_SECONDS must be a number from 0.1 to 120"),
        (DEVELOPMENT | {"CRS_CDS_BUDGET_SECONDS": "NaN"}, "CRS_CDS_BUDGET_SECONDS must be a number from 0.1 to 120"),
        (DEVELOPMENT | {"CRS_CDS_LOG_MILLISECONDS": "3000"}, "CRS_CDS_LOG_MILLISECONDS must be at most half of"),
        (DEVELOPMENT | {"CRS_CDS_MAX_PAGES": "20.5"}, "CRS_CDS_MAX_PAGES must be a whole number from 16 to 10000"),
        (DEVELOPMENT | {"CRS_CDS_MAX_DEPTH": "9"}, "CRS_CDS_MAX_DEPTH must be a whole number from 16 to 500"),
        (DEVELOPMENT | {"CRS_CDS_METRICS_TOKEN": "short"}, "CRS_CDS_METRICS_TOKEN must be at least 16"),
        (DEVELOPMENT | {"CRS_CDS_CA_BUNDLE": __file__}, "CRS_CDS_CA_BUNDLE must name a file of certificates as PEM"),
        (DEVELOPMENT | {"CRS_CDS_CLIENT_CERT": __file__}, "CRS_CDS_CLIENT_CERT must name one file with a certificate"),
        (DEVELOPMENT | {"CRS_CDS_HTTPS_PROXY": "nonsense"}, "CRS_CDS_HTTPS_PROXY must be the address of a proxy"),
        (DEVELOPMENT | {"CRS_CDS_CORS_ORIGINS": "not an origin"}, "CRS_CDS_CORS_ORIGINS must be origins"),
        (DEVELOPMENT | {"CRS_CDS_ALLOW_HTTP": "true"}, "CRS_CDS_ALLOW_HTTP must be 1 for yes, or 0 or empty for no"),
        (PRODUCTION | {"CRS_CDS_DATABASE_URL": "sqlite:///"}, "CRS_CDS_DATABASE_URL must name a file or a server"),
        (PRODUCTION | {"CRS_CDS_DATABASE_URL": "sqlite+pysqlite://"}, "CRS_CDS_DATABASE_URL must name a file"),
        (PRODUCTION | {"CRS_CDS_DATABASE_URL": "sqlite:///file::memory:?uri=true"}, "CRS_CDS_DATABASE_URL must name"),
        (DEVELOPMENT | {"CRS_CDS_COURSE_LOOKUP": "guess"}, "CRS_CDS_COURSE_LOOKUP must be history or codes"),
        (PRODUCTION | {"CRS_CDS_DEMO_FHIR": DEMO}, "CRS_CDS_DEMO_FHIR must not be set in production"),
        (DEVELOPMENT | {"CRS_CDS_DEMO_FHIR": DEMO}, "CRS_CDS_DEMO_FHIR must be on this machine"),
        (
            DEVELOPMENT | {"CRS_CDS_DEMO_FHIR": "https://x/fhir", "CRS_CDS_FHIR_SERVERS": "https://x/fhir"},
            "CRS_CDS_DEMO_FHIR must be on this machine",
        ),
        (
            DEVELOPMENT
            | {"CRS_CDS_DEMO_FHIR": "http://127.0.0.1.x.org/", "CRS_CDS_FHIR_SERVERS": "http://127.0.0.1.x.org"},
            "CRS_CDS_DEMO_FHIR must be on this machine",
        ),
        (DEVELOPMENT | {"CRS_CDS_TIMEZON": "Europe/Berlin"}, "CRS_CDS_TIMEZON is no setting"),
        (PRODUCTION | {"CRS_CDS_PUBLIC_URL": ""}, "CRS_CDS_PUBLIC_URL must be the address that clients call"),
        (PRODUCTION | {"CRS_CDS_CLIENTS": ""}, "CRS_CDS_CLIENTS must name the file of trusted clients"),
        (DEVELOPMENT | {"CRS_CDS_MAX_CALLS": "1e3"}, "CRS_CDS_MAX_CALLS must be a whole number from 1 to 1000"),
        (DEVELOPMENT | {"CRS_CDS_MAX_CALLS": "-1"}, "CRS_CDS_MAX_CALLS must be a whole number from 1 to 1000"),
    ],
)
def test_a_setting_that_cannot_be_used(environ: dict[str, str], says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings_from(environ)
    assert str(caught.value).startswith(says)


def test_a_hospital_s_certificates_and_proxy_apply_and_verification_stays_on(tmp_path: Path) -> None:
    bundle, ours = tmp_path / "ca.pem", tmp_path / "client.pem"
    session = pooled_session(2, Network(bundle, "http://proxy.example:3128", ours))
    assert (session.verify, session.cert) == (str(bundle), str(ours))
    assert session.proxies == {"https": "http://proxy.example:3128"}
    plain = pooled_session()
    assert (plain.verify, plain.cert, plain.proxies, plain.trust_env) == (True, None, {}, False)


def test_an_empty_setting_is_one_that_is_not_set() -> None:
    names = known_names() - {"CRS_CDS_ENV"}
    assert settings_from(DEVELOPMENT | dict.fromkeys(names, "")) == settings_from(DEVELOPMENT)
