"""Where no infusion is found, an answer without cards says that everything that can show one was read. The one
exception, a full page at a client without a server, has a name of its own in the log."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, get_args

import pytest
from prometheus_client.parser import text_string_to_metric_families
from requests.exceptions import ConnectionError as ConnectionFailed
from requests.exceptions import ReadTimeout
from werkzeug.test import TestResponse

from cds_server.outgoing.read_outcome import ReadOutcome
from tests.support.by_search import body_for, wire
from tests.support.desk import Desk, assessment, bundle, card_ids, chart_of, moment_of, scene_of, whole_prefetch
from tests.support.fhir_wire import BASE, Answer, Resource, outcome
from tests.support.tables import rows

_, SCENE = scene_of("16")  # a chart without an infusion
NOW = moment_of(SCENE)
OWNER = {"subject": {"reference": f"Patient/{SCENE.patient_id}"}}


def given(**medication: Any) -> Resource:
    """Something given four days ago."""
    at = (NOW - timedelta(days=4)).isoformat()
    return {"resourceType": "MedicationAdministration", "id": "given", "status": "completed", **OWNER,
            "effectiveDateTime": at, **medication}  # fmt: skip


BEHIND = given(medicationReference={"reference": "Medication/m"})
PRODUCT = {"resourceType": "Medication", "id": "m", "code": {"text": "tisagenlecleucel"}}
BAG = {"resourceType": "Medication", "id": "m", "code": {"text": "bag"},
       "ingredient": [{"itemReference": {"reference": "Substance/s"}}]}  # fmt: skip
CELLS = {"resourceType": "Substance", "id": "s", "code": {"text": "tisagenlecleucel"}}


def dropped(url: str) -> Answer:
    raise ConnectionFailed(url)


def slow(url: str) -> Answer:
    raise ReadTimeout(url)


FAULTS: dict[str, Callable[[str], Answer]] = {
    "error": lambda _: outcome(500, "no"),
    "busy": lambda _: outcome(503, "no"),
    "refused": lambda _: outcome(403, "no"),
    "not-known": lambda _: outcome(404, "no"),
    "gone": lambda _: outcome(410, "no"),
    "slow": slow,
    "dropped": dropped,
    "html": lambda _: (200, {}, "<html>sign in</html>"),
    "cut": lambda _: (200, {}, '{"resourceType": "Bundle", "entry": [{"resource": {"resou'),
    "outcome": lambda _: (200, {}, outcome(200, "no")[2]),
    "withheld": lambda _: (200, {}, json.dumps(bundle([{"resourceType": "OperationOutcome", "issue": []}]))),
    "no-match": lambda _: (200, {}, json.dumps(bundle([]))),
}


def asked(chart: list[Resource], fault: Callable[[str], Answer | None] = lambda _: None, **body: Any) -> TestResponse:
    desk = Desk(now=NOW)
    with wire(chart, fault):
        return desk.post(body_for(SCENE.patient_id, "patient-view", None, **body))


def on(resource_type: str, fault: str) -> Callable[[str], Answer | None]:
    return lambda url: FAULTS[fault](url) if f"/{resource_type}?" in url else None


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(
    ("of", "chart"),
    [("Medication", [BEHIND, PRODUCT]), ("Substance", [BEHIND, BAG, CELLS])],
    ids=["drug", "ingredient"],
)
def test_a_drug_behind_a_reference_that_could_not_be_read_may_be_the_infusion(
    fault: str, of: str, chart: list[Resource]
) -> None:
    assert assessment(asked([*chart_of("16"), *chart]))["day"] == 4
    answer = asked([*chart_of("16"), *chart], on(of, fault))
    assert answer.status_code == 412
    words = [issue["diagnostics"] for issue in answer.get_json()["issue"]]
    assert words[0] == "a medication administration refers to a drug that could not be read"
    assert words[1].startswith("names of drugs: ")


def test_a_drug_that_the_scope_does_not_cover_may_be_the_infusion() -> None:
    kinds = ("Patient", "Observation", "MedicationAdministration", "Procedure", "Condition")
    scope = " ".join(f"patient/{kind}.rs" for kind in kinds)
    grant = {"access_token": "t", "token_type": "Bearer", "scope": scope}
    answer = asked([*chart_of("16"), BEHIND, PRODUCT], fhirAuthorization=grant)
    assert answer.status_code == 412
    assert "names of drugs: not permitted by the granted scope" in answer.get_data(as_text=True)


# what an administration of the last 60 days says of its drug, and whether there may have been an infusion
SAYS = rows("""
| medication                                                     | answer | because                                      |
| {"medicationReference": {"reference": "#m"}}                   | 412    | nothing is contained under that name         |
| {"medicationReference": {"identifier": {"value": "m"}}}        | 412    | named by identifier only                     |
| {"medicationReference": {"reference": "Medication/a_b%2F"}}    | 412    | an id that cannot be asked for               |
| {"medicationReference": {"reference": "Medication/none"}}      | 412    | a reference to nothing                       |
| {}                                                             | 412    | no drug                                      |
| {"medicationCodeableConcept": {}}                              | 412    | no code and no text                          |
| {"medicationCodeableConcept": {"coding": [{"code": "17"}]}}    | 412    | a code of nobody's, without a text           |
| {"status": "unheard"}                                          | 412    | neither drug nor status                      |
| {"effectiveDateTime": "soon"}                                  | 412    | no drug and no time                          |
| {"status": "not-done"}                                         | 200    | not given                                    |
| {"effectiveDateTime": "2025-12-01"}                            | 200    | longer ago than a course lasts               |
| {"medicationCodeableConcept": {"text": "saline"}}              | 200    | another drug                                 |
| {"medicationReference": {"reference": "#m", "display": "saline"}} | 200 | another drug by its display                  |
| {"medicationCodeableConcept": {"text": "norepinephrin drip"}}  | 200    | a doubt about a pressor is a name            |
""")


@pytest.mark.parametrize("row", SAYS, ids=lambda row: row["because"])
def test_an_administration_that_names_no_drug_may_be_the_infusion(row: dict[str, str]) -> None:
    chart = [*chart_of("16"), given(**json.loads(row["medication"]))]
    by_search, by_prefetch = asked(chart), Desk().call("16", hook="patient-view", prefetch=prefetch_of(chart))
    assert [by_search.status_code, by_prefetch.status_code] == [int(row["answer"])] * 2
    if row["answer"] == "200":
        assert card_ids(by_search) == card_ids(by_prefetch) == ()


def prefetch_of(chart: list[Resource]) -> dict[str, Any]:
    """All of a chart, drugs behind their references."""
    prefetch = whole_prefetch([r for r in chart if r["id"] != "given"])
    recent = prefetch["recentAdministrations"] or bundle([])
    return {**prefetch, "recentAdministrations": {**recent, "entry": [*recent["entry"], *bundle(chart[-1:])["entry"]]}}


PAGE = {"resourceType": "Bundle", "type": "searchset", "total": 40, "entry": []}
FAILED = {"resourceType": "OperationOutcome", "issue": []}
# what came of three keys, to a client without a FHIR server; all else came whole
KEYS = rows("""
| recentAdministrations | crsDrugs | cellTherapyProcedures | answer                 |
| whole                 | whole    | whole                 | no_course              |
| whole                 | absent   | whole                 | no_course              |
| page                  | whole    | whole                 | no_course_in_part_read |
| page                  | page     | whole                 | not_asked_for          |
| page                  | absent   | whole                 | not_asked_for          |
| page                  | failed   | whole                 | not_asked_for          |
| absent                | whole    | whole                 | not_asked_for          |
| whole                 | whole    | absent                | not_asked_for          |
| page                  | whole    | absent                | not_asked_for          |
| broken                | whole    | whole                 | read_failed            |
| failed                | whole    | whole                 | read_failed            |
| whole                 | whole    | failed                | read_failed            |
| absent                | absent   | absent                | nothing_read           |
""")


@pytest.mark.parametrize("row", KEYS, ids=lambda row: " ".join(row.values()))
def test_without_a_server_only_a_full_page_is_an_answer_without_cards(row: dict[str, str]) -> None:
    prefetch = whole_prefetch(chart_of("16"))
    made = {"page": PAGE, "failed": FAILED, "broken": {**bundle([]), "type": "history"}}
    for key in ("recentAdministrations", "crsDrugs", "cellTherapyProcedures"):
        if row[key] == "absent":
            del prefetch[key]
        elif row[key] != "whole":
            prefetch[key] = made[row[key]]
    desk = Desk()
    answer = desk.call("16", prefetch=prefetch, hook="patient-view")
    if row["answer"].startswith("no_course"):
        assert card_ids(answer) == ()
        assert assessment(answer)["flags"] == [row["answer"]]
    else:
        assert answer.status_code == 412
    assert not_assessed(desk) == ({} if row["answer"].startswith("no_course") else {row["answer"]: 1})


def not_assessed(desk: Desk) -> dict[str, float]:
    """The 412s by reason, as the metrics page counts them."""
    page = desk.client.get("/metrics").get_data(as_text=True)
    samples = [s for f in text_string_to_metric_families(page) for s in f.samples]
    return {s.labels["reason"]: s.value for s in samples if s.name == "crs_cds_not_assessed_total" and s.value}


def test_a_read_whose_drug_failed_is_counted_by_its_reason() -> None:
    desk = Desk(now=NOW)
    with wire([*chart_of("16"), BEHIND, PRODUCT], on("Medication", "refused")):
        desk.post(body_for(SCENE.patient_id, "patient-view", None))
    with wire([*chart_of("16"), given()]):
        desk.post(body_for(SCENE.patient_id, "patient-view", None))
    assert not_assessed(desk) == {"drug_unread": 1, "drug_unnamed": 1}


def test_where_an_infusion_is_known_a_drug_that_could_not_be_read_is_named_on_the_card() -> None:
    _, scene = scene_of("3")
    more = {**BEHIND, "subject": {"reference": f"Patient/{scene.patient_id}"},
            "effectiveDateTime": (moment_of(scene) - timedelta(hours=5)).isoformat()}  # fmt: skip
    desk = Desk(now=moment_of(scene))
    with wire([*chart_of("3"), more, PRODUCT], on("Medication", "error")):
        answer = desk.post({**body_for(scene.patient_id, "patient-view", None), "fhirServer": BASE})
    assert "toci-recommended" not in card_ids(answer)
    assert "history_incomplete" in assessment(answer)["flags"]
    assert "Could not be read**: names of drugs" in json.dumps(answer.get_json()["cards"])


def test_what_came_cannot_be_taken_without_asking_whether_it_was_all() -> None:
    """A whole read and one in part hold their resources under different names, so mypy sees who forgets to ask."""
    held = [{name for name, kind in one.__annotations__.items() if "tuple" in kind} for one in get_args(ReadOutcome)]
    assert all(held)
    assert not set.intersection(*held)
