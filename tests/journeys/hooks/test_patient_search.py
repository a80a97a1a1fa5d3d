"""The form of `patient` in searches: some servers match the id, some the reference, and none says so."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import TestResponse

from tests.support.by_search import body_for, wire
from tests.support.desk import Desk, assessment, bundle, card_ids, chart_of, moment_of, scene_of
from tests.support.fhir_wire import Answer, FhirWire, Resource, outcome
from tests.support.tables import rows

_, SCENE = scene_of("3")
NOW = moment_of(SCENE)
PATIENT = next(r for r in chart_of("3") if r["resourceType"] == "Patient")


def form_of(url: str) -> str | None:
    named = parse_qs(urlsplit(url).query).get("patient")
    return None if named is None else "reference" if named[0].startswith("Patient/") else "id"


def matching(form: str, otherwise: Answer | None = None) -> Callable[[str], Answer | None]:
    """A server that finds nothing for the other form, or refuses it."""
    nothing: Answer = (200, {}, json.dumps(bundle([])))
    return lambda url: (otherwise or nothing) if form_of(url) not in (None, form) else None


@contextmanager
def server(form: str, chart: list[Resource], otherwise: Answer | None = None) -> Iterator[FhirWire]:
    with wire(chart, matching(form, otherwise)) as found:
        yield found


def desk(**environ: str) -> Desk:
    return Desk(now=NOW, environ=environ)


def ask(at: Desk) -> TestResponse:
    return at.post(body_for(SCENE.patient_id, "patient-view", None))


def forms_asked(fhir: FhirWire) -> list[str]:
    """The form of each search that named the patient; and none of those already counted."""
    found = [form for path in fhir.asked if (form := form_of(path))]
    fhir.asked.clear()
    return found


def settled(at: Desk) -> dict[str, float]:
    page = at.client.get("/metrics").get_data(as_text=True)
    samples = [s for f in text_string_to_metric_families(page) for s in f.samples]
    return {s.labels["form"]: s.value for s in samples if s.name == "crs_cds_patient_forms_total"}


def test_a_server_that_matches_the_id_is_asked_once(caplog: pytest.LogCaptureFixture) -> None:
    at = desk()
    with server("id", chart_of("3")) as fhir, caplog.at_level(logging.INFO, "cds_server"):
        assert card_ids(ask(at)) == ("toci-recommended", "crs-grade")
        assert set(forms_asked(fhir)) == {"id"}
    assert settled(at) == {"id": 1}
    assert [r.form for r in caplog.records if "matches patients" in r.message] == ["id"]


def test_a_server_that_matches_the_reference_alone_is_asked_the_first_round_twice_and_then_never_again() -> None:
    at = desk()
    with server("reference", chart_of("3")) as fhir:
        assert card_ids(ask(at)) == ("toci-recommended", "crs-grade")
        asked = forms_asked(fhir)
        first_round = asked.count("id")
        assert asked[:first_round] == ["id"] * first_round
        assert card_ids(ask(at)) == ("toci-recommended", "crs-grade")
        assert forms_asked(fhir) == ["reference"] * (len(asked) - first_round)
    assert settled(at) == {"reference": 1}


@pytest.mark.parametrize("refused", [None, outcome(400, "unknown"), outcome(500, "no")], ids=["nothing", "400", "500"])
def test_a_patient_without_data_costs_one_more_round(refused: Answer | None) -> None:
    """A server may refuse the form that it does not know; one that fails is a 412, for nobody knows what it holds."""
    at = desk()
    with server("id", [PATIENT], refused) as fhir:
        answer = ask(at)
        asked = forms_asked(fhir)
    if refused is not None and refused[0] == 500:
        assert answer.status_code == 412
    else:
        assert card_ids(answer) == ()
        # a search that is refused is sent a second time, without its `_sort`
        assert (
            asked.count("reference") >= asked.count("id") if refused else asked.count("reference") == asked.count("id")
        )
    assert settled(at) == {}


def test_an_infusion_that_only_the_second_round_shows_is_found_in_either_form() -> None:
    """The first round finds nothing at all, in both forms, so the next is sent in both."""
    given = {
        "resourceType": "MedicationAdministration", "id": "given", "status": "completed",
        "subject": {"reference": f"Patient/{SCENE.patient_id}"}, "medicationCodeableConcept": {"text": "tisagenlecleucel"},
        "effectiveDateTime": (NOW - timedelta(days=5)).isoformat(),
    }  # fmt: skip
    for form in ("id", "reference"):
        at = desk()
        with server(form, [PATIENT, given]):
            assert assessment(ask(at))["day"] == 5
        assert settled(at) == {form: 1}


# What a server that matches the reference answers to the id, and to a read of the Patient → the answer, and the forms
# that are asked.
OF_A_REFERENCE = rows("""
| to the id | to a read | answer | forms        | because                                                       |
| nothing   | 200       | 200    | id reference | nothing found may be the form                                 |
| 400       | 200       | 200    | id reference | so may a refusal                                              |
| 403       | 200       | 200    | id reference | of a proxy that compares the patient with that of the token   |
| 500       | 200       | 200    | id reference | some break instead of refusing                                |
| nothing   | 403       | 200    | id reference | of a patient who cannot be read nobody knows                  |
| nothing   | 500       | 200    | id reference | the same                                                      |
| nothing   | 404       | 412    | id           | the patient is not known                                      |
| 403       | 403       | 412    | id           | it refuses all                                                |
| 401       | 200       | 412    | id           | it lets nobody in, in no form                                 |
| 429       | 200       | 412    | id           | it is busy, and twice the requests would not help             |
| 503       | 200       | 412    | id           | the same                                                      |
""")


@pytest.mark.parametrize("row", OF_A_REFERENCE, ids=lambda row: f"{row['to the id']}, read {row['to a read']}")
def test_the_other_form_is_asked_where_the_form_may_be_the_reason_and_only_there(row: dict[str, str]) -> None:
    otherwise = None if row["to the id"] == "nothing" else outcome(int(row["to the id"]), "no")
    by_form = matching("reference", otherwise)

    def answers(url: str) -> Answer | None:
        return (
            outcome(int(row["to a read"]), "no") if "/Patient/" in url and row["to a read"] != "200" else by_form(url)
        )

    with wire(chart_of("3"), answers) as fhir:
        answer = ask(desk())
        assert " ".join(dict.fromkeys(forms_asked(fhir))) == row["forms"]
    assert str(answer.status_code) == row["answer"]
    assert answer.status_code == 412 or card_ids(answer) == ("toci-recommended", "crs-grade")


def test_the_other_form_is_asked_where_the_scope_does_not_cover_the_patient() -> None:
    kinds = ("Observation", "MedicationAdministration", "Procedure", "Condition", "Medication", "AllergyIntolerance")
    grant = {"access_token": "t", "token_type": "Bearer", "scope": " ".join(f"patient/{kind}.rs" for kind in kinds)}
    with server("reference", chart_of("3")):
        answer = desk().post({**body_for(SCENE.patient_id, "patient-view", None), "fhirAuthorization": grant})
    assert card_ids(answer) == ("toci-recommended", "crs-grade")


@pytest.mark.parametrize("form", ["id", "reference"])
def test_the_form_that_is_set_is_the_only_one_that_is_asked(form: str) -> None:
    at = desk(CRS_CDS_PATIENT_SEARCH=form)
    with server("id", [PATIENT]) as fhir:
        ask(at)
        assert set(forms_asked(fhir)) == {form}


def test_a_patient_who_is_not_there_is_not_looked_for_in_another_form() -> None:
    with server("id", []) as fhir:
        assert ask(desk()).status_code == 412
        assert set(forms_asked(fhir)) == {"id"}
