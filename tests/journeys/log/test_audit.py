"""The AuditEvents of calls and pages: what they say, where they go, and that no call depends on them."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
import responses
from fhir.resources.R4B.auditevent import AuditEvent

from cds_server.audit.audit_event import PATIENT_READ
from cds_server.audit.audit_trail import MOST_WAITING, AuditTrail
from cds_server.limits import SettingsError
from cds_server.operations.metrics import Metrics
from tests.support.by_search import wire
from tests.support.decision_log import UUID, asked, ready
from tests.support.desk import Desk
from tests.support.fhir_wire import BASE
from tests.support.tables import NOW, patient, rows

SERVER = "https://audit.example.org/r4"


def desk_of(**environ: str) -> Desk:
    return Desk(now=NOW, environ=environ)


def trail_of(desk: Desk) -> AuditTrail:
    found: AuditTrail = desk.client.application.extensions["crs-cds"].audit
    return found


def events(desk: Desk, file: Path) -> list[dict[str, Any]]:
    trail_of(desk).wait()
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def found_at(event: Any, path: str) -> list[Any]:
    """The values at a path, of every element of a list on the way."""
    values = [event]
    for name in path.split("."):
        values = [value[name] for value in values if name in value]
        values = [part for value in values for part in (value if isinstance(value, list) else [value])]
    return values


ELEMENTS = rows("""
| element                     | value                                                                                  | because                        |
| meta.profile                | PROFILE                                                                                | the profile is named           |
| type.code                   | rest                                                                                   |                                |
| subtype.code                | read                                                                                   |                                |
| action                      | R                                                                                      |                                |
| recorded                    | 2026-03-06T02:00:00.000+00:00                                                          | the moment of the answer       |
| outcome                     | 0                                                                                      | success                        |
| agent.type.coding.code      | 110153, 110152, IRCP                                                                   | client, server and user        |
| agent.who.identifier.value  | not checked, http://127.0.0.1:8000                                                     | both machines are known        |
| agent.who.reference         | Practitioner/1                                                                         | the user of the call           |
| agent.requestor             | False, False, True                                                                     | the user asked for it          |
| agent.network.type          | 5, 5                                                                                   | both by an address             |
| source.observer.identifier.value | http://127.0.0.1:8000                                                             |                                |
| source.type.code            | 4                                                                                      | an application server          |
| entity.type.code            | 2, 1, XrequestId                                                                       | the data, the patient, the call |
| entity.role.code            | 4, 1                                                                                   | a domain resource, a patient   |
| entity.what.reference       | https://fhir.example.org/r4/Patient/p, https://fhir.example.org/r4/Patient/p            | whose record it is             |
| entity.what.identifier.value | 8c2e5c4e-4f7e-4a53-9df1-2f3c6a5a1b10                                                   | the id of the request          |
""")


@pytest.fixture
def event(tmp_path: Path) -> dict[str, Any]:
    desk = desk_of(CRS_CDS_AUDIT_FILE=str(tmp_path / "audit.ndjson"))
    with wire(patient("il6 10 @D0 08:00")):
        body = {"hook": "patient-view", "hookInstance": UUID, "fhirServer": BASE,
                "context": {"patientId": "p", "userId": "Practitioner/1"}}  # fmt: skip
        answer = desk.client.post("/cds-services/crs-patient-view", json=body, headers={"X-Request-Id": UUID})
    assert answer.status_code == 200
    (found,) = events(desk, tmp_path / "audit.ndjson")
    return found


def test_an_event_is_a_resource_of_its_type(event: dict[str, Any]) -> None:
    assert AuditEvent.model_validate(event).get_resource_type() == "AuditEvent"


def test_an_event_has_the_elements_of_patient_read(event: dict[str, Any]) -> None:
    wanted = {row["element"]: row["value"].replace("PROFILE", PATIENT_READ) for row in ELEMENTS}
    wanted["recorded"] = event["recorded"]
    assert {path: ", ".join(str(value) for value in found_at(event, path)) for path in wanted} == wanted


def test_each_call_has_one_event_and_one_that_was_refused_says_so(tmp_path: Path) -> None:
    desk = desk_of(CRS_CDS_AUDIT_FILE=str(tmp_path / "audit.ndjson"))
    asked(desk)
    asked(desk, prefetch={})
    asked(desk, context={"patientId": "p"})
    assert [found["outcome"] for found in events(desk, tmp_path / "audit.ndjson")] == ["0", "4"]


def test_each_page_has_one_event(tmp_path: Path) -> None:
    desk = desk_of(CRS_CDS_AUDIT_FILE=str(tmp_path / "audit.ndjson"))
    with wire(patient("il6 10 @D0 08:00")):
        assert desk.client.get("/demo/course/p").status_code == 200
    (found,) = events(desk, tmp_path / "audit.ndjson")
    assert found_at(found, "entity.what.reference") == [f"{BASE}/Patient/p"] * 2
    assert AuditEvent.model_validate(found)


def test_events_go_to_the_server_that_is_named_and_wait_while_it_fails(tmp_path: Path) -> None:
    desk = desk_of(CRS_CDS_AUDIT_FHIR=SERVER)
    tried = threading.Event()
    trail_of(desk)._sleep = lambda _: tried.wait(10)
    with responses.RequestsMock() as mock:
        mock.post(f"{SERVER}/AuditEvent", status=503)
        mock.post(f"{SERVER}/AuditEvent", status=201)
        asked(desk)
        while trail_of(desk).degraded is None:
            pass
        assert ready(desk)["audit"] == "AuditEvents wait: they cannot be kept now"
        tried.set()
        trail_of(desk).wait()
        bodies = [json.loads(call.request.body or b"") for call in mock.calls]
    assert bodies[0] == bodies[1]
    assert bodies[1]["resourceType"] == "AuditEvent"
    assert ready(desk)["status"] == "ready"


@pytest.mark.parametrize("status", [400, 413, 422])
def test_an_event_that_the_server_refuses_holds_up_no_other(status: int) -> None:
    desk = desk_of(CRS_CDS_AUDIT_FHIR=SERVER)
    with responses.RequestsMock() as mock:
        mock.post(f"{SERVER}/AuditEvent", status=status)
        asked(desk)
        trail_of(desk).wait()
        assert ready(desk)["audit"] == "AuditEvents are lost: they are refused"
        mock.remove(responses.POST, f"{SERVER}/AuditEvent")
        mock.post(f"{SERVER}/AuditEvent", status=201)
        asked(desk)
        trail_of(desk).wait()
    assert ready(desk)["status"] == "ready"
    assert "crs_cds_audit_losses_total 1.0" in desk.client.get("/metrics").get_data(as_text=True)


def test_an_event_that_cannot_be_written_holds_up_no_other(tmp_path: Path) -> None:
    file = tmp_path / "audit.ndjson"
    desk = desk_of(CRS_CDS_AUDIT_FILE=str(file))
    trail_of(desk).add(trail_event())
    asked(desk)
    assert len(events(desk, file)) == 1


def test_what_does_not_fit_into_the_queue_is_counted_and_costs_no_call(tmp_path: Path) -> None:
    desk = desk_of(CRS_CDS_AUDIT_FILE=str(tmp_path))
    trail_of(desk)._sleep = lambda _: threading.Event().wait(60)
    asked(desk)
    trail = trail_of(desk)
    while trail._waiting.qsize():
        pass
    for _ in range(MOST_WAITING):
        trail._waiting.put_nowait(trail_event())
    assert asked(desk).status_code == 200
    assert ready(desk)["audit"] == "AuditEvents are lost: too many wait"
    assert "crs_cds_audit_losses_total 1.0" in desk.client.get("/metrics").get_data(as_text=True)


def trail_event() -> Any:
    return object()


def test_without_a_place_for_them_there_are_none() -> None:
    trail = AuditTrail(None, Metrics("0", "0"))
    trail.add(trail_event())
    assert trail._thread is None


def test_the_server_must_be_https() -> None:
    with pytest.raises(SettingsError, match="CRS_CDS_AUDIT_FHIR"):
        desk_of(CRS_CDS_AUDIT_FHIR="audit.example.org")
