"""What a drafted tocilizumab is checked against, on both hooks and whichever draft is selected."""

from __future__ import annotations

from typing import Any

import pytest

from example_patients.stories.stories import drafted_tocilizumab
from tests.support.by_prefetch import asked
from tests.support.desk import Desk, bundle, card, card_ids, chart_of, moment_of, scene_of, whole_prefetch
from tests.support.fhir_wire import Resource
from tests.support.tables import INFUSED, NOW, name_of, patient, rows

SALINE = {"resourceType": "MedicationRequest", "id": "saline", "medicationCodeableConcept": {"text": "Saline"}}
CHECKS = {"toci-interval", "toci-max-doses", "toci-caution", "no-crs"}
WELL = "T 36.8 @-1h; SBP 118 @-1h; SpO2 97 @-1h; device RA @-1h"
ILL = "T 39 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h; weight 70 @-1h"


def checks(answer: Any) -> str:
    return ", ".join(c for c in card_ids(answer) if c in CHECKS) or "–"


def order(**more: Any) -> Resource:
    return {
        "resourceType": "MedicationRequest", "id": "active-1", "status": "active", "intent": "order",
        "subject": {"reference": "Patient/p"}, "authoredOn": "2026-03-06T11:00:00+08:00",
        "medicationCodeableConcept": {"text": "tocilizumab 560 mg IV"}, **more,
    }  # fmt: skip


CASES = rows("""
| chart                                                                      | checks                        | because                                               |
|                                                                            | –                             | nothing given: nothing to check against               |
| toci 560 @-479m                                                            | toci-interval                 | 7 h 59 min after the last dose started                |
| toci 560 @-8h                                                              | –                             | 8 h after                                             |
| give tocilizumab 162 SC @-5h                                               | toci-interval                 | under the skin counts for the interval                |
| toci 560 @-100h; toci 560 @-80h; toci 560 @-60h                            | –                             | three doses in all                                    |
| toci 560 @D-20 10:00; toci 560 @-80h; toci 560 @-60h; toci 560 @-40h       | toci-max-doses                | four, one of them before the infusion                 |
| toci 560 @-23h; toci 560 @-16h; toci 560 @-9h                              | toci-max-doses                | three in 24 h                                         |
| toci 560 @-25h; toci 560 @-16h; toci 560 @-9h                              | –                             | two in 24 h                                           |
""")


@pytest.mark.parametrize("row", CASES, ids=name_of)
@pytest.mark.parametrize("hook", ["order-sign", "order-select"])
def test_interval_and_number(row: dict[str, str], hook: str) -> None:
    chart = patient(f"{row['chart']}; {ILL}")
    assert checks(asked(chart, [drafted_tocilizumab("p", 560, NOW)], hook)) == row["checks"]


def test_what_is_not_selected_is_checked_too() -> None:
    drafts = [{**SALINE, "subject": {"reference": "Patient/p"}}, drafted_tocilizumab("p", 560, NOW)]
    chart = patient(f"toci 560 @-5h; {ILL}")
    answer = asked(chart, drafts, "order-select", selections=["MedicationRequest/saline"])
    assert card_ids(answer) == ("toci-interval", "crs-grade")


def test_an_order_not_yet_charted_counts_as_given_now_unless_the_draft_replaces_it() -> None:
    chart = [*patient(ILL), order()]
    draft = drafted_tocilizumab("p", 560, NOW)
    beside = asked(chart, [draft])
    assert checks(beside) == "toci-interval"
    assert "ordered 6 Mar 11:00, not yet charted" in card(beside, "toci-interval")["detail"]
    replacing = {**draft, "priorPrescription": {"reference": "MedicationRequest/active-1"}}
    assert checks(asked(chart, [replacing])) == "–"
    assert checks(asked(chart, [{**draft, "id": "active-1"}])) == "–"


def test_a_second_draft_in_the_call_counts_as_given_now() -> None:
    first = drafted_tocilizumab("p", 560, NOW)
    answer = asked(patient(ILL), [first, {**first, "id": "second"}])
    assert checks(answer) == "toci-interval"
    assert "another draft in this call" in card(answer, "toci-interval")["detail"]


def test_a_cancelled_draft_is_none() -> None:
    cancelled = {**drafted_tocilizumab("p", 560, NOW), "status": "cancelled"}
    assert checks(asked(patient(f"toci 560 @-5h; {ILL}"), [cancelled])) == "–"


@pytest.mark.parametrize(
    ("status", "found"),
    [("active", "toci-caution"), ("inactive", "–"), ("resolved", "–")],
)
def test_hypersensitivity_on_record(status: str, found: str) -> None:
    allergy = {
        "resourceType": "AllergyIntolerance", "id": "a", "patient": {"reference": "Patient/p"},
        "clinicalStatus": {"coding": [{"code": status}]}, "code": {"text": "Tocilizumab"},
    }  # fmt: skip
    answer = asked([*patient(ILL), allergy], [drafted_tocilizumab("p", 560, NOW)])
    assert checks(answer) == found
    viewed = asked([*patient(ILL), allergy], [], "patient-view")
    offered = [s["label"] for c in viewed.get_json()["cards"] for s in c.get("suggestions", ())]
    assert any("Tocilizumab" in label for label in offered) is (found == "–")


def test_no_crs_is_said_at_grade_0_and_not_without_a_grade() -> None:
    draft = [drafted_tocilizumab("p", 560, NOW)]
    assert checks(asked(patient(WELL), draft)) == "no-crs"
    assert checks(asked(patient("SBP 118 @-1h"), draft)) == "–"
    assert checks(asked(patient(WELL), [], "patient-view")) == "–"


SEVERE = "T 39 @-2h; SBP 118 @-1h; device HFNC @-1h; weight 70 @-10h"
STEROIDS = rows("""
| text                      | mg   | offered | because                                                  |
| dexamethasone             | 10   | no      | the regimen itself                                       |
| dexamethasone             | 4    | yes     | less is named and takes no suggestion away               |
| hydrocortisone            | 10   | yes     | replacement therapy is no treatment of CRS               |
| prednisone                | 65   | no      | its equivalent                                           |
| prednisone                | 60   | yes     | less than its equivalent                                 |
| methylprednisolone        | 50   | no      | its equivalent                                           |
| dexamethasone             |      | no      | no dose stated: taken as the regimen                     |
| dexamethasone eye drops   | 10   | yes     | in the eye it is another drug                            |
""")


@pytest.mark.parametrize("row", STEROIDS, ids=name_of)
@pytest.mark.parametrize("place", ["active", "drafted"])
def test_which_corticosteroid_order_answers_the_suggestion(row: dict[str, str], place: str) -> None:
    steroid = order(id="steroid", medicationCodeableConcept={"text": row["text"]})
    if row["mg"]:
        quantity = {"value": int(row["mg"]), "unit": "mg"}
        steroid["dosageInstruction"] = [{"doseAndRate": [{"doseQuantity": quantity}]}]
    chart, drafts = patient(SEVERE), [drafted_tocilizumab("p", 560, NOW)]
    if place == "active":
        chart = [*chart, steroid]
    else:
        drafts.append({**steroid, "status": "draft"})
    labels = [s["label"] for s in card(asked(chart, drafts), "severe-crs").get("suggestions", ())]
    assert labels == (["Dexamethasone 10 mg IV every 6 h"] if row["offered"] == "yes" else [])


def test_a_small_steroid_order_does_not_silence_grade_3() -> None:
    hydrocortisone = order(id="h", medicationCodeableConcept={"text": "hydrocortisone 10 mg oral"})
    saline = {**SALINE, "subject": {"reference": "Patient/p"}}
    answer = asked([*patient(SEVERE), order(), hydrocortisone], [saline])
    assert card_ids(answer) == ("severe-crs", "crs-grade")


@pytest.mark.parametrize(
    ("given", "asked_for"),
    [
        ("", "Dexamethasone 10 mg IV every 6 h"),
        (
            "; give dexamethasone 10 @-16h",
            "Methylprednisolone 500 mg IV every 12 h",
        ),  # if refractory, manage as grade 4 (ASCO)
    ],
    ids=["no corticosteroid given", "dexamethasone given since the onset"],
)
def test_after_progress_to_grade_3_one_corticosteroid_is_offered_and_only_once(given: str, asked_for: str) -> None:
    well = "SBP 118 {0}; SpO2 97 {0}; device RA {0}"
    chart = patient(
        "T 39 @-30h; toci 560 @-26h; T 39 @-11h; " + well.format("@-11h")
        + "; toci 560 @-10h; T 39 @-1h; SBP 84 @-1h; device HFNC @-1h; weight 70 @-20h" + given
    )  # fmt: skip
    first = asked(chart, [], "patient-view").get_json()["cards"]
    offered = [s for c in first for s in c.get("suggestions", ()) if "mg IV every" in s["label"]]
    assert [s["label"] for s in offered] == [asked_for]
    accepted = {**offered[0]["actions"][0]["resource"], "id": "accepted", "status": "active"}
    again = asked([*chart, accepted], [], "patient-view").get_json()["cards"]
    assert not [s for c in again for s in c.get("suggestions", ()) if "mg IV every" in s["label"]]


@pytest.mark.parametrize("scene_id", ["1a", "3", "4", "6", "7", "14"])
def test_no_suggestion_of_ours_once_drafted_raises_a_check(scene_id: str) -> None:
    _, scene = scene_of(scene_id)
    desk = Desk(now=moment_of(scene))
    prefetch = whole_prefetch(chart_of(scene_id))
    offered = desk.call(scene_id, prefetch=prefetch).get_json()["cards"]
    drugs = [s["actions"][0]["resource"] for c in offered for s in c.get("suggestions", ())]
    for number, resource in enumerate(drugs):
        body = {
            "hook": "order-sign", "hookInstance": "8c2e5c4e-4f7e-4a53-9df1-2f3c6a5a1b10", "prefetch": prefetch,
            "context": {
                "patientId": scene.patient_id, "userId": "Practitioner/1",
                "draftOrders": bundle([{**resource, "id": f"draft-{number}"}]),
            },
        }  # fmt: skip
        assert checks(desk.post(body)) == "–"
    assert INFUSED < NOW
