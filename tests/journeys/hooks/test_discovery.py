"""GET /cds-services: CDS Hooks 3.0 fields, legal prefetch templates, no redirect anywhere."""

from __future__ import annotations

import re

import pytest

from tests.support.desk import Desk

KEYS = {
    "patient", "il6Crp", "vitals", "oxygen", "weight", "safetyLabs", "recentAdministrations", "runningAdministrations",
    "crsDrugs", "cellTherapyProcedures", "conditions", "allergies", "microbiology", "supportProcedures",
    "activeMedicationOrders", "activeServiceOrders", "cytokines", "lastingInfections",
}  # fmt: skip


def test_what_is_said_of_each_service() -> None:
    services = Desk().client.get("/cds-services").get_json()["services"]
    assert (
        len(services) == len({service["id"] for service in services}) == len({service["hook"] for service in services})
    )
    for service in services:
        assert service["version"] == "3.0.0"
        assert all(service[name] for name in ("title", "description", "usageRequirements", "hookVersion"))
        assert set(service["prefetch"]) == KEYS | {"neuro"}


def test_icans_is_asked_for_only_where_a_site_has_codes_for_it() -> None:
    services = Desk(environ={"CRS_CDS_VALUE_SETS": ""}).client.get("/cds-services").get_json()["services"]
    assert [set(service["prefetch"]) for service in services] == [KEYS] * len(services)


def test_templates_stay_inside_the_legal_subset() -> None:
    prefetch = Desk().client.get("/cds-services").get_json()["services"][0]["prefetch"]
    for template in prefetch.values():
        assert set(re.findall(r"{{(.*?)}}", template)) == {"context.patientId"}
        query = template.partition("?")[2]
        names = [pair.partition("=")[0] for pair in query.split("&")] if query else []
        assert set(names) <= {"patient", "code", "status", "_sort", "_count"}
        assert len(names) == len(set(names))
        code = dict(pair.split("=", 1) for pair in query.split("&")).get("code", "") if query else ""
        assert all(re.fullmatch(r"[^|,\s]+\|[^|,\s]+", token) for token in code.split(",") if code)


def test_a_code_of_ours_without_a_system_never_enters_a_template() -> None:
    assert "urn:crs-cds:local" not in Desk().client.get("/cds-services").get_data(as_text=True)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/cds-services", 200),
        ("GET", "/cds-services/", 200),
        ("OPTIONS", "/cds-services", 200),
        ("OPTIONS", "/cds-services/crs-order-sign", 200),
        ("OPTIONS", "/cds-services//crs-order-sign", 200),
        ("POST", "/cds-services//crs-order-sign", 400),
        ("POST", "/cds-services/crs-order-sign/", 400),
        ("POST", "/cds-services/no-such-service", 404),
        ("GET", "/nothing", 404),
        ("GET", "/health/live", 200),
        ("GET", "/cds-services/crs-order-sign", 405),
        ("POST", "/cds-services", 405),
        ("DELETE", "/cds-services", 405),
    ],
)
def test_addresses(method: str, path: str, status: int) -> None:
    answer = Desk().client.open(
        path, method=method, json={} if method == "POST" else None, headers={"Origin": "http://ehr.example"}
    )
    assert answer.status_code == status
    # pages of others may call the services, and read nothing else of ours
    shared = path.startswith("/cds-services")
    assert answer.headers.get("Access-Control-Allow-Origin") in (("*", "http://ehr.example") if shared else (None,))
    assert answer.headers["Cache-Control"] == "no-store"
    if status >= 400:
        assert answer.get_json()["resourceType"] == "OperationOutcome"
        assert answer.mimetype == "application/fhir+json"
