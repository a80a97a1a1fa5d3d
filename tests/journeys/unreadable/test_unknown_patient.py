"""A patient whom the FHIR server does not know: its empty answers mean nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.support.by_search import body_for, wire
from tests.support.desk import Desk, assessment, card, card_ids, chart_of, moment_of, scene_of, whole_prefetch
from tests.support.fhir_wire import Answer, Resource, outcome
from tests.support.tables import rows

_, SCENE = scene_of("3")
NO_PATIENT = [r for r in chart_of("3") if r["resourceType"] != "Patient"]


# What a server answers to a read of a patient whom it does not know → the answer where searches find nothing at all, and
# where they find data.
ANSWERS = rows("""
| status | body                                                                          | nothing found | data found | because                             |
| 404    |                                                                               | 412           | 412        | the standard says so                |
| 410    |                                                                               | 412           | 412        | the Patient is deleted              |
| 200    | {"resourceType": "OperationOutcome", "issue": [{"code": "not-found"}]}        | 412           | 412        | it says so in the body              |
| 200    | {"resourceType": "OperationOutcome", "issue": [{"code": "deleted"}]}          | 412           | 412        | the same of a deleted one           |
| 200    | {"resourceType": "Bundle", "type": "searchset", "total": 0}                   | 412           | 412        | it answers a read as a search       |
| 200    | {"resourceType": "Patient", "id": "someone-else"}                             | 412           | 412        | it sends another patient            |
| 403    |                                                                               | 412           | 200        | it says no more to who may not know |
| 401    |                                                                               | 412           | 200        | the same                            |
| 302    |                                                                               | 412           | 200        | it wants a person to log in         |
| 500    |                                                                               | 412           | 200        | nobody knows                        |
| 204    |                                                                               | 412           | 200        | nobody knows                        |
| 200    | <html>                                                                        | 412           | 200        | nobody knows                        |
| 200    | {"resourceType": "OperationOutcome", "issue": [{"code": "processing"}]}       | 412           | 200        | nobody knows                        |
""")


@pytest.mark.parametrize("row", ANSWERS, ids=lambda row: f"{row['status']} {row['body'][:70]}")
def test_a_read_that_brings_no_patient_never_makes_empty_searches_believed(row: dict[str, str]) -> None:
    """Of scene 3, whose infusion shows that the server knows the patient, unless it says that it does not."""
    answer = (int(row["status"]), {}, row["body"])
    for chart, wanted in (([], "nothing found"), (NO_PATIENT, "data found")):
        desk = Desk(now=moment_of(SCENE))
        with wire(chart, lambda url: answer if "/Patient/" in url else None):
            said = desk.post(body_for(SCENE.patient_id, "patient-view", None))
        assert str(said.status_code) == row[wanted], wanted


def unknown(status: int) -> Callable[[str], Answer | None]:
    return lambda url: outcome(status, "no") if "/Patient/" in url else None


def asked(
    chart: list[Resource], prefetch: dict[str, Any] | None = None, status: int = 404, **more: Any
) -> TestResponse:
    desk = Desk(now=moment_of(SCENE))
    body = {**body_for(SCENE.patient_id, "patient-view", None), "prefetch": prefetch or {}, **more}
    with wire(chart, unknown(status)):
        return desk.post(body)


def prefetch(*without: str) -> dict[str, Any]:
    return {key: value for key, value in whole_prefetch(chart_of("3")).items() if key not in ("patient", *without)}


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("chart", [[], NO_PATIENT], ids=["nothing found", "data found"])
def test_whose_record_came_by_search_is_a_412(status: int, chart: list[Resource]) -> None:
    answer = asked(chart, status=status)
    assert answer.status_code == 412
    said = [issue["diagnostics"] for issue in answer.get_json()["issue"]]
    assert said == ["patient: not known to the FHIR server"]


def test_of_whom_nothing_came_by_prefetch_is_a_412() -> None:
    assert asked([], dict.fromkeys(prefetch())).status_code == 412


def test_whom_the_client_could_not_read_is_a_412_where_nothing_is_found() -> None:
    """The client tried, so the Patient is not read again; a server that does not know them finds nothing."""
    refused = json.loads(outcome(404, "not known")[2])
    assert asked([], {"patient": refused}).status_code == 412
    assert card_ids(asked(NO_PATIENT, {"patient": refused})) == ("toci-recommended", "crs-grade")


@pytest.mark.parametrize("patient", [{}, {"patient": None}], ids=["no key", "null"])
def test_whose_chart_came_by_prefetch_gets_its_cards_and_the_age_is_unknown(patient: dict[str, Any]) -> None:
    answer = asked([], {**prefetch(), **patient})
    assert card_ids(answer)[-1] == "crs-grade"
    assert "**Could not be read**: patient not known to the FHIR server." in card(answer, "crs-grade")["detail"]
    assert "age_unknown" in assessment(answer)["flags"]
    assert assessment(answer)["crsGrade"] == 2


def test_what_such_a_server_was_searched_for_counts_as_not_read() -> None:
    answer = asked([], prefetch("vitals"))
    assert card_ids(answer) == ("crs-grade-unknown", "crs-grade")
    assert "vital signs" in card(answer, "crs-grade")["detail"].partition("**Could not be read**")[2]


@pytest.mark.parametrize("key", ["recentAdministrations", "cellTherapyProcedures"])
def test_an_infusion_that_such_a_server_was_searched_for_is_a_412(key: str) -> None:
    """Of scene 16, which has no infusion."""
    _, scene = scene_of("16")
    found = whole_prefetch([r for r in chart_of("16") if r["resourceType"] != "Patient"])
    sent = {name: value for name, value in found.items() if name not in ("patient", key)}
    desk = Desk(now=moment_of(scene))
    with wire([], unknown(404)):
        answer = desk.post({**body_for(scene.patient_id, "patient-view", None), "prefetch": sent})
    assert answer.status_code == 412


def test_who_came_by_prefetch_is_not_asked_for() -> None:
    desk = Desk(now=moment_of(SCENE))
    sent = whole_prefetch(chart_of("3"))
    with wire([], unknown(404)) as found:
        answer = desk.post({**body_for(SCENE.patient_id, "patient-view", None), "prefetch": sent})
        assert not any(path.startswith("/Patient/") for path in found.asked)
    assert card_ids(answer)[0] == "toci-recommended"


def test_whom_the_scope_does_not_cover_is_not_asked_for() -> None:
    kinds = ("Observation", "MedicationAdministration", "Procedure", "Condition", "Medication", "AllergyIntolerance")
    grant = {"access_token": "t", "token_type": "Bearer", "scope": " ".join(f"patient/{kind}.rs" for kind in kinds)}
    desk = Desk(now=moment_of(SCENE))
    with wire(NO_PATIENT, unknown(404)) as found:
        answer = desk.post({**body_for(SCENE.patient_id, "patient-view", None), "fhirAuthorization": grant})
        assert not any(path.startswith("/Patient/") for path in found.asked)
    assert "age_unknown" in assessment(answer)["flags"]


def test_a_patient_whose_read_failed_otherwise_is_known_as_far_as_anyone_can_say() -> None:
    answer = asked(NO_PATIENT, status=500)
    assert "age_unknown" in assessment(answer)["flags"]
    assert "Could not be read**: patient." in json.dumps(answer.get_json()["cards"])
