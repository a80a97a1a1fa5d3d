"""Bad input gets a clear error that names the field; nothing of the patient is in it."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import Any

import pytest

from tests.support.desk import Desk, bundle, card_ids, chart_of, moment_of, scene_of, whole_prefetch

GOOD: dict[str, Any] = {
    "hook": "order-sign",
    "hookInstance": "8c2e5c4e-4f7e-4a53-9df1-2f3c6a5a1b10",
    "context": {"patientId": "p", "userId": "Practitioner/1", "draftOrders": {"resourceType": "Bundle"}},
}
TOKEN = {"access_token": "t", "token_type": "Bearer", "expires_in": 300, "scope": "patient/*.read", "subject": "s"}


def put(body: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with one field set; `del` removes it."""
    copy: dict[str, Any] = json.loads(json.dumps(body))
    *parents, last = path.split(".")
    inner = copy
    for name in parents:
        inner = inner[name]
    if value == "del":
        del inner[last]
    else:
        inner[last] = value
    return copy


BROKEN = [
    ("hook", "del"), ("hook", 7), ("hook", "order-select"), ("hookInstance", "del"), ("hookInstance", "not a uuid"),
    ("hookInstance", None), ("context", "del"), ("context", []), ("context.patientId", "del"),
    ("context.patientId", "a/../b"), ("context.patientId", "p\n"), ("context.patientId", "x" * 256), ("context.userId", ""),
    ("context.draftOrders", "text"), ("context.draftOrders.entry", "text"),
    ("fhirServer", "ftp://x"), ("fhirServer", "https://user:secret@x/fhir"), ("fhirServer", "https://x/../y"),
    ("fhirServer", 3), ("fhirAuthorization", TOKEN), ("prefetch", []), ("prefetch", "text"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), BROKEN)
def test_a_broken_field_is_named(field: str, value: Any) -> None:
    answer = Desk().post(put(GOOD, field, value), "crs-order-sign")
    assert answer.status_code == 400
    (issue,) = answer.get_json()["issue"]
    named = "fhirServer" if field == "fhirAuthorization" else field
    assert issue["diagnostics"].startswith(named)
    assert issue["severity"] == "error"
    assert issue["details"]["text"]


def test_every_broken_field_is_named_in_one_answer() -> None:
    body = put(put(put(GOOD, "hookInstance", "x"), "context.patientId", "?"), "context.userId", 5)
    answer = Desk().post(
        {**body, "fhirAuthorization": {**TOKEN, "token_type": "Basic"}, "prefetch": 1}, "crs-order-sign"
    )
    fields = sorted(issue["expression"][0] for issue in answer.get_json()["issue"])
    assert fields == [
        "context.patientId", "context.userId", "fhirAuthorization.token_type", "hookInstance", "prefetch",
    ]  # fmt: skip


def test_selections_of_a_wrong_type_are_named() -> None:
    answer = Desk().post({**put(GOOD, "context.selections", "all"), "hook": "order-select"}, "crs-order-select")
    assert answer.get_json()["issue"][0]["expression"] == ["context.selections"]


def test_the_patient_of_the_token_is_the_patient_of_the_call() -> None:
    body = {**GOOD, "fhirServer": "https://x/fhir", "fhirAuthorization": {**TOKEN, "patient": "someone-else"}}
    answer = Desk().post(body, "crs-order-sign")
    assert answer.status_code == 400
    assert "someone-else" not in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b'{"a": NaN}', b"[" * 100000, b'{"a":' * 50000,
        b'{"hook": "\\ud800"}', b'\xef\xbb\xbf{"hook": "order-sign"}',
    ],
)  # fmt: skip
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    answer = Desk().client.post("/cds-services/crs-order-sign", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.get_json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [("text/plain", None), ("application/x-www-form-urlencoded", None), ("application/json", "gzip"), (None, None)],
)
def test_other_media_types_and_compressed_bodies_are_refused(content_type: str | None, encoding: str | None) -> None:
    headers = {"Content-Encoding": encoding} if encoding else {}
    answer = Desk().client.post("/cds-services/crs-order-sign", data=b"{}", content_type=content_type, headers=headers)
    assert answer.status_code == 415


def test_a_body_over_the_limit_is_refused() -> None:
    desk = Desk(environ={"CRS_CDS_MAX_BODY_MIB": "0.01"})
    answer = desk.post({**GOOD, "extension": {"x": "y" * 20000}}, "crs-order-sign")
    assert answer.status_code == 413
    assert answer.get_json()["issue"][0]["code"] == "too-long"


def test_unknown_fields_and_extensions_anywhere_are_fine() -> None:
    _, scene = scene_of("3")
    extra = {"extension": {"a": 1}, "unheardOf": [None]}
    context = {"patientId": scene.patient_id, "userId": "Practitioner/1", **extra}
    body = {
        "hook": "patient-view", "hookInstance": GOOD["hookInstance"], "context": context, **extra,
        "prefetch": {**whole_prefetch(chart_of("3")), "notOurs": {"resourceType": "Patient", "id": "other"}},
    }  # fmt: skip
    desk = Desk(now=moment_of(scene))
    assert card_ids(desk.post(body, "crs-patient-view")) == ("toci-recommended", "crs-grade")


ANOTHERS = {
    "il6Crp": {"resourceType": "Observation", "id": "o", "status": "final", "subject": {"reference": "Patient/other"}},
    "recentAdministrations": {
        "resourceType": "MedicationAdministration",
        "id": "o",
        "subject": {"reference": "Patient/other"},
    },
    "cellTherapyProcedures": {
        "resourceType": "Procedure",
        "id": "o",
        "subject": {"reference": "Patient/other/_history/2"},
    },
    "conditions": {
        "resourceType": "Condition",
        "id": "o",
        "subject": {"reference": "https://other.example/fhir/Patient/p"},
    },
    "allergies": {"resourceType": "AllergyIntolerance", "id": "o", "patient": {"reference": "Patient/other"}},
    "activeMedicationOrders": {
        "resourceType": "MedicationRequest",
        "id": "o",
        "subject": {"reference": "Patient/other"},
    },
    "activeServiceOrders": {"resourceType": "ServiceRequest", "id": "o", "subject": {"reference": "Patient/other"}},
}


@pytest.mark.parametrize("key", ANOTHERS)
def test_another_patient_s_resource_refuses_the_call_and_names_key_and_entry(key: str) -> None:
    answer = Desk().post({**GOOD, "prefetch": {key: bundle([ANOTHERS[key]])}}, "crs-order-sign")
    assert answer.status_code == 400
    assert answer.get_json()["issue"][0]["expression"] == [f"prefetch.{key}.entry[0]"]
    assert "other" not in answer.get_json()["issue"][0]["diagnostics"]


def test_another_patient_as_the_patient_refuses_the_call() -> None:
    answer = Desk().post(
        {**GOOD, "prefetch": {"patient": {"resourceType": "Patient", "id": "other"}}}, "crs-order-sign"
    )
    assert (answer.status_code, answer.get_json()["issue"][0]["expression"]) == (400, ["prefetch.patient"])


def test_a_draft_for_another_patient_refuses_the_call() -> None:
    draft = {"resourceType": "MedicationRequest", "id": "d", "subject": {"reference": "Patient/other"}}
    answer = Desk().post(put(GOOD, "context.draftOrders.entry", [{"resource": draft}]), "crs-order-sign")
    assert answer.get_json()["issue"][0]["expression"] == ["context.draftOrders.entry[0].resource.subject"]


def test_an_id_that_the_patient_replaces_is_the_patient_s() -> None:
    story, scene = scene_of("3")
    text = json.dumps(chart_of("3")).replace(f"Patient/{scene.patient_id}", "Patient/before-merge")
    prefetch = whole_prefetch(json.loads(text))
    desk = Desk()
    assert desk.call("3", prefetch=prefetch).status_code == 400
    prefetch["patient"]["link"] = [{"type": "replaces", "other": {"reference": "Patient/before-merge"}}]
    assert card_ids(desk.call("3", prefetch=prefetch)) == scene.wanted
    assert story.id == "3"


def test_a_failure_of_ours_is_a_500_that_shows_and_logs_nothing_of_the_patient(
    caplog: pytest.LogCaptureFixture,
) -> None:
    desk = Desk()

    def broken_clock() -> Any:
        raise ValueError("MRN-12345 Jane Doe")

    app = desk.client.application
    found = app.extensions["crs-cds"]
    app.extensions["crs-cds"] = replace(found, clock=broken_clock)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    with caplog.at_level(logging.DEBUG):
        answer = desk.post(GOOD, "crs-order-sign")
    assert answer.status_code == 500
    assert answer.get_json()["issue"][0]["code"] == "exception"
    assert "Jane" not in answer.get_data(as_text=True) + caplog.text
    (failed,) = [r.failed for r in caplog.records if hasattr(r, "failed")]
    assert failed.startswith("ValueError at broken_clock")


def test_beyond_the_calls_at_once_a_client_is_asked_to_come_back() -> None:
    desk = Desk(environ={"CRS_CDS_MAX_CALLS": "1"})
    places = desk.client.application.extensions["crs-cds"].places
    with places.of_client(""):
        busy = desk.post(GOOD, "crs-order-sign")
    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "1")
    assert desk.post(GOOD, "crs-order-sign").status_code != 503


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_health(path: str) -> None:
    assert Desk().client.get(path).status_code == 200
