"""What is said when data cannot be read: never an empty list for a failure, never a lower grade."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from requests.exceptions import ConnectionError as ConnectionFailed
from requests.exceptions import ReadTimeout

from example_patients.stories.stories import drafted_tocilizumab
from tests.support.by_search import ask, body_for, failing, wire
from tests.support.desk import Desk, assessment, bundle, card, card_ids, chart_of, moment_of, scene_of, whole_prefetch
from tests.support.fhir_wire import BASE, Answer, Resource, outcome

UNRELATED = {
    "resourceType": "MedicationRequest",
    "id": "d",
    "status": "draft",
    "medicationCodeableConcept": {"text": "Saline"},
}


def test_nothing_that_would_show_an_infusion_could_be_read_is_a_412() -> None:
    def fault(url: str) -> Answer | None:
        return outcome(403, "no") if "/MedicationAdministration?" in url or "/Procedure?" in url else None

    answer = ask("3", fault)
    assert answer.status_code == 412
    words = [issue["diagnostics"] for issue in answer.get_json()["issue"]]
    assert "medication administrations: not permitted by the FHIR server (403)" in words
    assert "cell therapy procedures: not permitted by the FHIR server (403)" in words


def test_procedures_asked_for_in_vain_may_hide_the_infusion_and_are_a_412() -> None:
    answer = ask("16", failing("Procedure", 503))
    assert answer.status_code == 412
    words = [issue["diagnostics"] for issue in answer.get_json()["issue"]]
    assert "cell therapy procedures: the FHIR server answered 503" in words
    _, scene = scene_of("16")
    draft = drafted_tocilizumab(scene.patient_id, 560, moment_of(scene))
    assert card_ids(ask("16", failing("Procedure", 503), "order-sign", draft)) == ("data-quality",)


def test_no_infusion_and_everything_read_is_silence_with_its_reason() -> None:
    answer = ask("16", lambda _: None)
    assert card_ids(answer) == ()
    assert assessment(answer)["flags"] == ["no_course"]


def _slices_fail(url: str) -> Answer | None:
    return outcome(403, "no") if "effective-time=lt" in url else None


def test_no_infusion_in_a_record_read_in_part_warns_where_tocilizumab_is_drafted() -> None:
    _, scene = scene_of("16")
    draft = drafted_tocilizumab(scene.patient_id, 560, moment_of(scene))
    warned = ask("16", _slices_fail, "order-sign", draft)
    assert card_ids(warned) == ("data-quality",)
    assert "No CAR-T infusion found back to 04 Mar 2026" in card(warned, "data-quality")["summary"]
    refused = ask("16", _slices_fail, "order-sign", UNRELATED)
    assert refused.status_code == 412, "what a search would have shown is not known to be nothing"


def test_no_infusion_in_a_first_page_with_nobody_to_ask_for_more_is_silence_with_its_reason() -> None:
    prefetch = whole_prefetch(chart_of("16"))
    prefetch["recentAdministrations"] = bundle([], total=40)
    silent = Desk().call("16", prefetch=prefetch, hook="patient-view")
    assert card_ids(silent) == ()
    assert assessment(silent)["flags"] == ["no_course_in_part_read"]


@pytest.mark.parametrize("code", ["D89.832", "G92.01", "Z92.850"])
def test_a_diagnosis_that_claims_car_t_without_an_infusion_on_record_is_said(code: str) -> None:
    _, scene = scene_of("16")
    condition = {
        "resourceType": "Condition", "id": "c", "subject": {"reference": f"Patient/{scene.patient_id}"},
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": code}]},
        "recordedDate": "2026-03-01",
    }  # fmt: skip
    assert card_ids(ask("16", _slices_fail, chart=[*chart_of("16"), condition])) == ("data-quality",)
    old = {**condition, "recordedDate": "2025-12-01"}
    assert card_ids(ask("16", lambda _: None, chart=[*chart_of("16"), old])) == ()


def test_with_a_known_infusion_and_administrations_unread_no_tocilizumab_is_offered() -> None:
    _, scene = scene_of("3")
    procedure = {
        "resourceType": "Procedure", "id": "inf", "status": "completed",
        "subject": {"reference": f"Patient/{scene.patient_id}"}, "performedDateTime": "2026-03-02T10:00:00+08:00",
        "code": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "38228"}]},
    }  # fmt: skip
    answer = ask("3", failing("MedicationAdministration"), chart=[*chart_of("3"), procedure])
    # the grade is at least 2, the rise unknown for want of history, and the doses "at least 0"
    assert card_ids(answer) == ("toci-guideline", "crs-grade-unknown", "data-quality", "crs-grade")
    assert assessment(answer)["il6"]["reason"] == "history_incomplete"
    assert assessment(answer)["crsGradeIsMinimum"] is True
    assert "suggestions" not in card(answer, "toci-guideline")
    assert "could not all be read" in card(answer, "toci-guideline")["detail"]
    assert "at least 0" in card(answer, "crs-grade")["detail"]


@pytest.mark.parametrize(("hook", "draft"), [("patient-view", None), ("order-sign", UNRELATED)])
def test_vital_signs_unread_are_said_on_every_hook_and_any_order(hook: str, draft: Resource | None) -> None:
    answer = ask("3", failing("Observation", also="8310-5"), hook, draft)
    assert card_ids(answer) == ("crs-grade-unknown", "crs-grade")
    assert card(answer, "crs-grade-unknown")["indicator"] == "warning"
    assert "crsGrade" not in assessment(answer)


def test_oxygen_unread_is_said_even_where_there_is_no_fever() -> None:
    answer = ask("13", failing("Observation", also="59408-5"), "order-sign", UNRELATED)
    assert card_ids(answer) == ("crs-grade-unknown", "crs-grade")


def test_labs_unread_bring_the_guideline_card_with_the_reason() -> None:
    answer = ask("3", failing("Observation", also="26881-3"))
    assert card_ids(answer) == ("toci-guideline", "crs-grade")
    assert "laboratory results could not be read" in card(answer, "toci-guideline")["detail"]


def test_an_unrelated_order_brings_nothing_at_grade_2_and_the_critical_card_at_grade_3() -> None:
    assert card_ids(ask("3", lambda _: None, "order-sign", UNRELATED)) == ()
    assert card_ids(ask("6", lambda _: None, "order-sign", UNRELATED)) == ("severe-crs", "crs-grade")


def test_an_antipyretic_brings_warnings_and_no_infos() -> None:
    paracetamol = {**UNRELATED, "medicationCodeableConcept": {"text": "paracetamol 1 g"}}
    assert card_ids(ask("4", lambda _: None, "order-sign", paracetamol)) == ("toci-guideline", "crs-grade")


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (lambda _: outcome(401, "no"), "401"),
        (lambda _: outcome(500, "no"), "500"),
        (lambda _: (200, {}, "<html>sign in</html>"), "not a FHIR Bundle"),
        (lambda _: (200, {}, ""), "not a FHIR Bundle"),
        (lambda _: (200, {}, '{"resourceType": "Bundle", "entry": [{"resource": {"resou'), "not a FHIR Bundle"),
        (lambda _: (200, {}, '{"resourceType": "OperationOutcome", "issue": []}'), "OperationOutcome, not a Bundle"),
        (lambda _: (302, {"Location": "https://elsewhere.example/"}, ""), "302"),
    ],
)
def test_a_server_that_fails_altogether_is_a_412_that_says_why(fault: Callable[[str], Answer | None], why: str) -> None:
    answer = ask("3", fault)
    assert answer.status_code == 412
    assert any(why in issue["diagnostics"] for issue in answer.get_json()["issue"])


@pytest.mark.parametrize("error", [ConnectionFailed("refused to Jane Doe"), ReadTimeout("slow")])
def test_a_server_that_does_not_answer_is_a_412_without_details_of_the_connection(error: Exception) -> None:
    def fault(url: str) -> Answer | None:
        raise error

    answer = ask("3", fault, CRS_CDS_BUDGET_SECONDS="0.5")
    assert answer.status_code == 412
    assert "Jane" not in answer.get_data(as_text=True)


def test_another_patient_s_data_from_the_server_is_a_412_that_names_no_id() -> None:
    other = {**chart_of("3")[1], "id": "x", "subject": {"reference": "Patient/someone"}}

    def fault(url: str) -> Answer | None:
        return (200, {}, json.dumps(bundle([other]))) if "/Observation?" in url else None

    answer = ask("3", fault)
    assert answer.status_code == 412
    assert "someone" not in answer.get_data(as_text=True)


def test_a_passing_fault_is_tried_once_more() -> None:
    failed: set[str] = set()

    def fault(url: str) -> Answer | None:
        if url in failed:
            return None
        failed.add(url)
        return outcome(503, "busy")

    assert card_ids(ask("3", fault)) == ("toci-recommended", "crs-grade")


def test_a_server_that_is_not_on_the_list_is_never_called() -> None:
    _, scene = scene_of("3")
    desk = Desk(now=moment_of(scene))
    with wire(chart_of("3")) as found:
        for server in (
            "https://elsewhere.example/r4",
            f"{BASE}/more",
            "http://fhir.example.org/r4",
            "https://fhir.example.org:444/r4",
        ):
            answer = desk.post({**body_for(scene.patient_id, "patient-view", None), "fhirServer": server})
            assert answer.status_code == 412
        assert found.asked == []


@pytest.mark.parametrize(
    "next_url", ["https://elsewhere.example/p2", f"{BASE}/../p2", "https://u:p@fhir.example.org/r4/p2"]
)
def test_a_next_page_elsewhere_is_never_fetched_and_the_rest_counts_as_unread(next_url: str) -> None:
    def fault(url: str) -> Answer | None:
        first = bundle([], link=[{"relation": "next", "url": next_url}])
        return (200, {}, json.dumps(first)) if "/Observation?" in url and "8310-5" in url else None

    assert card_ids(ask("3", fault)) == ("crs-grade-unknown", "crs-grade")


def test_pages_that_loop_end() -> None:
    def fault(url: str) -> Answer | None:
        return (200, {}, json.dumps(bundle([], link=[{"relation": "next", "url": url}]))) if "8310-5" in url else None

    assert card_ids(ask("3", fault)) == ("crs-grade-unknown", "crs-grade")


def test_the_token_goes_to_its_server_and_reads_are_never_from_a_cache() -> None:
    _, scene = scene_of("3")
    desk = Desk(now=moment_of(scene))
    grant = {"access_token": "secret", "token_type": "Bearer", "scope": "launch"}
    with wire(chart_of("3")) as found:
        body = {**body_for(scene.patient_id, "patient-view", None), "fhirAuthorization": grant}
        assert card_ids(desk.post(body)) == scene.wanted
        assert {h["Authorization"] for h in found.headers} == {"Bearer secret"}
        assert {h["Cache-Control"] for h in found.headers} == {"no-cache"}
        assert {h["Accept"] for h in found.headers} == {"application/fhir+json"}


@pytest.mark.parametrize(
    ("scope", "permitted"),
    [
        ("patient/*.read", True), ("user/*.rs", True), ("patient/*.*", True), ("openid fhirUser launch", True),
        ("patient/Patient.read", False), ("patient/Observation.rs patient/MedicationAdministration.rs", True),
        ("patient/Observation.rs?category=laboratory patient/MedicationAdministration.rs", False),
        ("patient/*.write", False),
    ],
)  # fmt: skip
def test_a_scope_that_does_not_cover_a_type_is_not_permitted_and_never_none_on_record(
    scope: str, *, permitted: bool
) -> None:
    _, scene = scene_of("3")
    desk = Desk(now=moment_of(scene))
    grant = {"access_token": "t", "token_type": "Bearer", "scope": scope}
    with wire(chart_of("3")) as found:
        answer = desk.post({**body_for(scene.patient_id, "patient-view", None), "fhirAuthorization": grant})
        asked_for_signs = any("8310-5" in path for path in found.asked)
    assert asked_for_signs is permitted
    if permitted:
        assert card_ids(answer)[0] in ("toci-recommended", "toci-guideline")
    else:
        assert answer.status_code == 412 or card_ids(answer)[0] == "crs-grade-unknown"


PREFETCH = [
    ("vitals", None, ("crs-grade-unknown", "crs-grade"), "null is an answer: nothing on record"),
    (
        "vitals",
        {"resourceType": "OperationOutcome", "issue": []},
        ("crs-grade-unknown", "crs-grade"),
        "the client tried and failed",
    ),
    (
        "il6Crp",
        {"resourceType": "OperationOutcome", "issue": []},
        ("toci-guideline", "crs-grade"),
        "the client tried and failed",
    ),
    ("il6Crp", None, ("toci-guideline", "crs-grade"), "null is an answer: nothing on record"),
]


@pytest.mark.parametrize(("key", "value", "wanted", "because"), PREFETCH, ids=[f"{p[0]}: {p[3]}" for p in PREFETCH])
def test_prefetch_alone(key: str, value: Any, wanted: tuple[str, ...], because: str) -> None:
    prefetch = {**whole_prefetch(chart_of("3")), key: value}
    assert card_ids(Desk().call("3", prefetch=prefetch)) == wanted


def test_a_key_that_failed_at_the_client_is_not_asked_for_again() -> None:
    failed = {"resourceType": "OperationOutcome", "issue": []}
    with wire(chart_of("3")) as found:
        Desk().call("3", fhirServer=BASE, prefetch={**whole_prefetch(chart_of("3")), "vitals": failed})
        assert not any("8310-5" in path for path in found.asked)


def test_signs_are_read_from_96_h_before_the_infusion() -> None:
    """On day 0, 2 March, at 10:00 in Shanghai: so far back that a baseline of 72 h before has its 24 h without fever."""
    with wire(chart_of("3")) as found:
        Desk().call("3", fhirServer=BASE)
        (earlier,) = (path for path in found.asked if "8310-5" in path and "date=lt" in path)
    assert "date=ge2026-02-26T02%3A00%3A00Z" in earlier


def test_a_first_page_is_read_on_from_the_server() -> None:
    chart = chart_of("2")
    whole = whole_prefetch(chart)
    page = whole["vitals"]["entry"][:3]
    with wire(chart) as found:
        link = [{"relation": "next", "url": f"{BASE}?_getpages=x"}]
        answer = Desk().call(
            "2", fhirServer=BASE, prefetch={**whole, "vitals": {**whole["vitals"], "entry": page, "link": link}}
        )
        assert card_ids(answer) == ("steroid-after-2-toci", "crs-grade")
        assert any("8310-5" in path for path in found.asked)


@pytest.mark.parametrize("more", [{"link": [{"relation": "next", "url": f"{BASE}/p2"}]}, {"total": 99}])
def test_an_incomplete_page_of_administrations_proves_nothing_about_what_is_not_on_it(more: dict[str, Any]) -> None:
    prefetch = whole_prefetch(chart_of("3"))
    prefetch["recentAdministrations"] |= more
    answer = Desk().call("3", prefetch=prefetch)
    assert assessment(answer)["il6"]["reason"] == "history_incomplete"
    assert "suggestions" not in card(answer, "toci-guideline")


def test_codes_lookup_spares_the_second_round_where_no_course_shows() -> None:
    counts = []
    for lookup in ("history", "codes"):
        _, scene = scene_of("16")
        desk = Desk(now=moment_of(scene), environ={"CRS_CDS_COURSE_LOOKUP": lookup})
        with wire(chart_of("16")) as found:
            assert card_ids(desk.post(body_for(scene.patient_id, "patient-view", None))) == ()
            counts.append(sum("MedicationAdministration" in path for path in found.asked))
    assert counts == [5, 4]


def test_an_infusion_55_days_ago_behind_a_reference_is_found_by_the_history() -> None:
    """Only its Medication says that it was a CAR-T product, and the server knows no chained search."""
    _, scene = scene_of("16")
    now = moment_of(scene)
    infused = (now - timedelta(days=55)).isoformat()
    more = [
        {"resourceType": "Medication", "id": "m", "code": {"text": "tisagenlecleucel"}},
        {
            "resourceType": "MedicationAdministration", "id": "inf", "status": "completed",
            "subject": {"reference": f"Patient/{scene.patient_id}"},
            "medicationReference": {"reference": "Medication/m"}, "effectiveDateTime": infused,
        },
    ]  # fmt: skip
    desk = Desk(now=now)
    with wire([*chart_of("16"), *more], lambda url: outcome(400, "unknown") if "medication.code" in url else None):
        answer = desk.post(body_for(scene.patient_id, "patient-view", None))
    assert assessment(answer)["day"] == 55
    assert card_ids(answer) == ("crs-grade",)


def test_an_optional_parameter_that_the_server_refuses_is_left_out() -> None:
    answer = ask("3", lambda url: outcome(400, "unknown") if "_sort=" in url or "medication.code" in url else None)
    assert card_ids(answer) == ("toci-recommended", "crs-grade")


def test_one_resource_that_cannot_be_read_is_set_aside_and_the_rest_is_answered() -> None:
    prefetch = whole_prefetch(chart_of("3"))
    prefetch["il6Crp"]["entry"].append({"resource": {"resourceType": "Observation", "id": "bad", "valueQuantity": 5}})
    answer = Desk().call("3", prefetch=prefetch)
    assert card_ids(answer) == ("toci-recommended", "crs-grade")
    assert assessment(answer)["setAside"] == [{"reference": "Observation/bad", "why": "wrong type at valueQuantity"}]


def test_what_decides_is_validated_and_worked_out_again_without_what_is_not_valid() -> None:
    prefetch = whole_prefetch(chart_of("3"))
    for entry in prefetch["il6Crp"]["entry"]:
        if entry["resource"].get("valueQuantity", {}).get("value") == 46.5:
            entry["resource"]["unheardOf"] = True
    answer = Desk().call("3", prefetch=prefetch)
    assert assessment(answer)["il6"] | {"baseline": 0, "peak": 0} == {
        "category": "unknown", "reason": "unusable_sample", "foldChange": 2.8, "baseline": 0, "peak": 0,
    }  # fmt: skip
    assert card_ids(answer) == ("toci-guideline", "data-quality", "crs-grade")


def test_strings_from_the_record_stay_text_in_a_card() -> None:
    prefetch = whole_prefetch(chart_of("3"))
    for entry in prefetch["il6Crp"]["entry"]:
        if entry["resource"].get("valueQuantity", {}).get("value") == 46.5:
            entry["resource"]["valueQuantity"]["value"] = 46
            del entry["resource"]["valueQuantity"]
            entry["resource"]["valueString"] = "46 <img src=x onerror=alert(1)>[x](javascript:1)"
    detail = " ".join(c["detail"] for c in Desk().call("3", prefetch=prefetch).get_json()["cards"])
    assert "<img" not in detail
    assert "](javascript" not in detail


def test_a_corticosteroid_missing_for_want_of_the_age_answers_no_critical_card() -> None:
    """A child's protocol is an answer; a missing birth date is none."""
    chart = chart_of("6")
    _, scene = scene_of("6")
    pending = {
        "resourceType": "MedicationRequest", "id": "o", "status": "active", "intent": "order",
        "subject": {"reference": f"Patient/{scene.patient_id}"}, "authoredOn": "2026-03-08T09:50:00+08:00",
        "medicationCodeableConcept": {"text": "tocilizumab 560 mg"},
    }  # fmt: skip
    child = [{**r, "birthDate": "2016-01-01"} if r["resourceType"] == "Patient" else r for r in chart]
    ageless = [{k: v for k, v in r.items() if k != "birthDate"} for r in chart]
    assert card_ids(ask("6", lambda _: None, "order-sign", UNRELATED, [*child, pending])) == ()
    assert card_ids(ask("6", lambda _: None, "order-sign", UNRELATED, [*ageless, pending])) == (
        "severe-crs",
        "crs-grade",
    )
