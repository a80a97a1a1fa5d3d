"""Ids as others make them: longer than FHIR's 64 characters, with characters that FHIR does not allow."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from tests.support.by_search import body_for, wire
from tests.support.desk import Desk, assessment, bundle, card_ids, chart_of, moment_of, scene_of, whole_prefetch
from tests.support.fhir_wire import Resource
from tests.support.program import crs_cds, written
from tests.support.smart_desk import clinic, plain

EPIC = "eNe-_~" + "x" * 249
PATIENT_IDS = [
    "p",
    "e" * 64,
    "eXbcdefghijklmnopqrstuvwxyz0123456789-eXbcdefghijklmnopqrstuvwxyz0123456789.3",
    EPIC,
    "a.b_c~d-e",
]
RESOURCE_IDS = [
    "{}_x",
    "{}~",
    "{}" + "y" * 240,
    "{} with blanks",
    "{},comma",
    "{}/slash",
    "{}%2F",
    "é{}",
    "{}" + "z" * 400,
]


def renamed(chart: list[Resource], patient_id: str, form: str = "{}") -> list[Resource]:
    """The chart of scene 3 of a patient with another id, its resources with ids of another form."""
    _, scene = scene_of("3")
    text = json.dumps(chart)
    for resource in chart:
        if resource["resourceType"] != "Patient":
            new = form.format(resource["id"].replace(scene.patient_id, "r"))
            reference = (f"{resource['resourceType']}/{resource['id']}", f"{resource['resourceType']}/{new}")
            text = text.replace(f'"id": {json.dumps(resource["id"])}', f'"id": {json.dumps(new)}')
            text = text.replace(json.dumps(reference[0]), json.dumps(reference[1]))
    found: list[Resource] = json.loads(text.replace(scene.patient_id, patient_id))
    return found


def answers(patient_id: str, form: str = "{}") -> list[TestResponse]:
    """By prefetch, and by search."""
    _, scene = scene_of("3")
    chart, desk = renamed(chart_of("3"), patient_id, form), Desk(now=moment_of(scene))
    body = body_for(patient_id, "patient-view", None)
    with wire(chart):
        by_search = desk.post(body)
    return [
        desk.post({k: v for k, v in body.items() if k != "fhirServer"} | {"prefetch": whole_prefetch(chart)}),
        by_search,
    ]


@pytest.mark.parametrize("patient_id", PATIENT_IDS)
def test_a_patient_id_of_up_to_255_unreserved_characters_is_taken(patient_id: str) -> None:
    for answer in answers(patient_id):
        assert card_ids(answer) == ("toci-recommended", "crs-grade")
        orders = [a["resource"] for s in answer.get_json()["cards"][0]["suggestions"] for a in s["actions"]]
        assert {order["subject"]["reference"] for order in orders} == {f"Patient/{patient_id}"}


@pytest.mark.parametrize("form", RESOURCE_IDS)
def test_resources_with_any_id_are_read(form: str) -> None:
    for answer in answers("p", form):
        assert card_ids(answer) == ("toci-recommended", "crs-grade")
        assert "setAside" not in assessment(answer)


@pytest.mark.parametrize("patient_id", ["", "e" * 256, "a b", "a/b", "..", "a?b", "a%2Fb", "p\n", "ä", "Patient/p"])
def test_any_other_patient_id_is_refused_by_name(patient_id: str) -> None:
    answer = Desk().post(body_for(patient_id, "patient-view", None))
    assert (answer.status_code, answer.get_json()["issue"][0]["expression"]) == (400, ["context.patientId"])


def test_a_decision_about_a_long_id_is_logged_with_its_references(tmp_path: Path) -> None:
    _, scene = scene_of("3")
    address = f"sqlite:///{tmp_path / 'log.sqlite'}"
    desk = Desk(now=moment_of(scene), environ={"CRS_CDS_DATABASE_URL": address})
    body = {**body_for(EPIC, "patient-view", None), "prefetch": whole_prefetch(renamed(chart_of("3"), EPIC, "{}_x"))}
    del body["fhirServer"]
    assert card_ids(desk.post(body)) == ("toci-recommended", "crs-grade")
    assert desk.client.get("/health/ready").get_json() == {"status": "ready", "decisionsLost": 0}
    log = (tmp_path / "log.sqlite").read_bytes() + (tmp_path / "log.sqlite-wal").read_bytes()
    assert b"Observation/r-" in log
    assert b"_x" in log
    assert EPIC.encode() not in log


def test_a_launch_for_a_long_id_shows_the_course(tmp_path: Path) -> None:
    with clinic(tmp_path) as here:
        here.ehr.fhir.resources += renamed(chart_of("3"), EPIC, "long-{}")
        here.ehr.launches["long"] = {"patient": EPIC}
        page = here.open("long")
    assert page.status == 200, plain(page)
    assert "Day 4" in plain(page)


def test_explain_takes_a_long_id(tmp_path: Path) -> None:
    file = written(tmp_path, "chart.json", bundle(renamed(chart_of("3"), EPIC, "{}_x")))
    result = crs_cds("explain", file, "--at", moment_of(scene_of("3")[1]).isoformat())
    assert result.exit_code == 0, result.output
    assert "toci-recommended" in result.stdout
