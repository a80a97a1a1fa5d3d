"""The root page: the services and where to point a client; in production nothing that is of this installation alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_server.hooks.services import SERVICES
from tests.support.desk import Desk
from tests.support.tables import NOW, name_of, rows

OF_THE_INSTALLATION = rows("""
    | because                             | text                        |
    | ----------------------------------- | --------------------------- |
    | its address may be an internal one  | cds.internal.example        |
    | a FHIR server                       | fhir.internal.example       |
    | a client                            | ehr.internal.example        |
    | the zone                            | Asia/Shanghai               |
    | a setting                           | CRS_CDS_                    |
    | a prefetch template                 | context.patientId           |
    | a version                           | 3.0.0                       |
    | the order desk                      | /demo                       |
    | what only development says          | evelopment                  |
    | the rules in force                  | /decision-table             |
    """)


@pytest.fixture
def production(tmp_path: Path) -> Desk:
    server, ehr = "https://fhir.internal.example/r4", "https://ehr.internal.example"
    (tmp_path / "clients.toml").write_text(
        f'[[client]]\nissuer = "{ehr}"\njwks_url = "{ehr}/jwks"\nfhir_servers = ["{server}"]\n', encoding="utf-8"
    )
    return Desk(now=NOW, environ={
        "CRS_CDS_ENV": "production", "CRS_CDS_CLIENTS": str(tmp_path / "clients.toml"),
        "CRS_CDS_PUBLIC_URL": "https://cds.internal.example", "CRS_CDS_FHIR_SERVERS": server,
        "CRS_CDS_PSEUDONYM_KEY": "k" * 40, "CRS_CDS_DATABASE_URL": f"sqlite:///{tmp_path / 'log.sqlite'}",
    })  # fmt: skip


@pytest.mark.parametrize("row", OF_THE_INSTALLATION, ids=name_of)
def test_a_stranger_sees_nothing_of_the_installation(row: dict[str, str], production: Desk) -> None:
    answer = production.client.get("/")
    assert answer.status_code == 200
    assert row["text"] not in answer.get_data(as_text=True) + str(answer.headers)


def test_every_service_stands_there_in_both_modes(production: Desk) -> None:
    for desk in (production, Desk(now=NOW)):
        text = desk.client.get("/").get_data(as_text=True)
        for service in SERVICES.values():
            assert f"<code>{service.id}</code> on the hook <code>{service.hook}</code>" in text
        assert 'href="/health/ready"' in text


def test_development_says_where_to_point_a_client() -> None:
    text = Desk(now=NOW, environ={"CRS_CDS_PUBLIC_URL": "http://127.0.0.1:8123"}).client.get("/").get_data(as_text=True)
    assert '<a href="/cds-services"><code>http://127.0.0.1:8123/cds-services</code></a>' in text


def test_the_decision_table_in_force_is_shown_in_development_only(production: Desk, tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text('[thresholds]\nspo2_cut = "93 %"\n', encoding="utf-8")
    desk = Desk(now=NOW, environ={"CRS_CDS_THRESHOLDS": str(tmp_path / "site.toml")})
    assert 'href="/decision-table"' in desk.client.get("/").get_data(as_text=True)
    text = desk.client.get("/decision-table").get_data(as_text=True)
    assert "# The decision table" in text
    assert "needs oxygen: SpO2 below | 93 %" in text
    assert production.client.get("/decision-table").status_code == 404


def test_the_page_may_run_no_script_and_stand_in_no_frame() -> None:
    policy = Desk(now=NOW).client.get("/").headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "frame-ancestors 'none'"} <= set(policy)
