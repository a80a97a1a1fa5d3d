"""What a hostile or careless client or server sends: refused or read right, never a 500, never silence."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from example_patients.stories.stories import drafted_tocilizumab, hook_body
from tests.support.by_search import ask, body_for, wire
from tests.support.desk import Desk, assessment, bundle, card, card_ids, chart_of, moment_of, scene_of, whole_prefetch
from tests.support.fhir_wire import BASE, Answer, FhirWire, Resource

TOCILIZUMAB = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "612865"}]}


def test_a_dose_in_the_minute_where_a_first_page_ends_is_not_missed() -> None:
    """Five hours after a dose that the page no longer holds, no second one is offered."""
    _, scene = scene_of("8")
    chart = chart_of("8")
    dose = next(r for r in chart if r["resourceType"] == "MedicationAdministration" and "dosage" in r)
    start = dose["effectivePeriod"]["start"]
    saline = [
        {
            "resourceType": "MedicationAdministration", "id": f"saline-{n}", "status": "completed",
            "subject": dose["subject"], "medicationCodeableConcept": {"text": "Saline"}, "effectiveDateTime": start,
        }
        for n in range(20)
    ]  # fmt: skip
    page = bundle(saline, link=[{"relation": "next", "url": f"{BASE}?_getpages=x"}])
    desk = Desk(now=moment_of(scene))

    def no_code_search(url: str) -> Answer | None:
        return (400, {}, "{}") if "MedicationAdministration?" in url and "code=" in url else None

    with wire([*chart, *saline], no_code_search):
        answer = desk.post(body_for(scene.patient_id, "patient-view", None, prefetch={"recentAdministrations": page}))
    assert assessment(answer)["tocilizumabDoses"] == 1
    assert card_ids(answer) == ("reassess-window", "crs-grade")


def test_another_patient_s_data_behind_a_medication_search_is_refused() -> None:
    other = {**chart_of("7")[1], "id": "leak", "subject": {"reference": "Patient/other"}}

    def fault(url: str) -> Answer | None:
        return (200, {}, json.dumps(bundle([other]))) if "/Medication?" in url else None

    assert ask("7", fault).status_code == 412


def _observation(patient: str, **more: Any) -> Resource:
    return {
        "resourceType": "Observation", "id": "x", "status": "final", "subject": {"reference": f"Patient/{patient}"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "8310-5"}]}, **more,
    }  # fmt: skip


def test_the_owner_is_checked_of_every_entry_that_came() -> None:
    _, scene = scene_of("3")
    broken = {"il6Crp": bundle([_observation("other-secret", valueQuantity={"value": "abc"})])}
    twice = {"il6Crp": bundle([_observation("other")]), "vitals": bundle([_observation(scene.patient_id)])}
    allergy = {
        "resourceType": "AllergyIntolerance", "id": "a", "patient": {"reference": "Patient/other"},
        "subject": {"reference": f"Patient/{scene.patient_id}"},
    }  # fmt: skip
    for prefetch in (broken, twice, {"allergies": bundle([allergy])}):
        answer = Desk().call("3", prefetch=prefetch)
        assert answer.status_code == 400
        assert "other" not in answer.get_data(as_text=True).replace("another", "")


@pytest.mark.parametrize(
    "base", ["https://EHR.Example.org/fhir", "https://ehr.example.org:443/fhir/", "https://ehr.example.org//fhir"]
)
def test_an_absolute_subject_under_the_fhir_server_is_the_patient_however_it_is_written(base: str) -> None:
    _, scene = scene_of("3")
    text = json.dumps(chart_of("3")).replace('"Patient/', f'"{base}/Patient/')
    prefetch = whole_prefetch(json.loads(text))
    assert card_ids(Desk().call("3", fhirServer=base, prefetch=prefetch)) == scene.wanted


def test_a_replaced_id_is_known_once_the_patient_is_read_from_the_server() -> None:
    _, scene = scene_of("3")
    chart = chart_of("3")
    chart[0]["link"] = [{"type": "replaces", "other": {"reference": "Patient/before-merge"}}]
    text = json.dumps(chart).replace(f'"Patient/{scene.patient_id}"', '"Patient/before-merge"')
    prefetch = whole_prefetch(json.loads(text))
    del prefetch["patient"]
    with wire(chart):
        assert card_ids(Desk().call("3", fhirServer=BASE, prefetch=prefetch)) == scene.wanted
        assert Desk().call("5", fhirServer=BASE, prefetch=prefetch).status_code == 400


def test_of_two_versions_the_later_instant_wins_not_the_later_text() -> None:
    prefetch = whole_prefetch(chart_of("7"))
    entries = prefetch["recentAdministrations"]["entry"]
    dose = next(e["resource"] for e in entries if "dosage" in e["resource"])
    retracted = {**dose, "status": "entered-in-error", "meta": {"lastUpdated": "2026-03-08T08:00:00Z"}}
    dose["meta"] = {"lastUpdated": "2026-03-08T09:00:00+08:00"}
    entries.insert(0, {"resource": retracted})
    assert assessment(Desk().call("7", prefetch=prefetch))["tocilizumabDoses"] == 0


INCOMPLETE = [
    {"resourceType": "Bundle", "type": "searchset", "total": 40},
    {"resourceType": "Bundle", "type": "batch-response"},
    bundle([{"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}]),
]


@pytest.mark.parametrize("said", INCOMPLETE, ids=["counted more", "no searchset", "an error among the results"])
def test_a_search_that_is_plainly_incomplete_is_never_none_on_record(said: dict[str, Any]) -> None:
    def fault(url: str) -> Answer | None:
        return (200, {}, json.dumps(said)) if "/MedicationAdministration?" in url else None

    assert ask("3", fault).status_code == 412


@pytest.mark.parametrize(("severity", "said"), [("warning", False), ("error", True)])
def test_of_an_outcome_among_the_results_the_severity_decides_whether_the_search_failed(
    severity: str, said: bool
) -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": "not-supported"}]}

    def fault(url: str) -> Answer | None:
        if "/AllergyIntolerance?" not in url:
            return None
        entry = {"resource": outcome, "search": {"mode": "outcome"}}
        return 200, {}, json.dumps({"resourceType": "Bundle", "type": "searchset", "entry": [entry]})

    answer = ask("3", fault)
    assert card_ids(answer) == ("toci-recommended", "crs-grade")
    assert ("allergies" in card(answer, "toci-recommended")["detail"]) == said


def test_a_broken_result_that_names_an_outcome_costs_no_answer() -> None:
    broken = {"resourceType": "ServiceRequest", "id": 5, "note": [{"text": "OperationOutcome"}]}

    def fault(url: str) -> Answer | None:
        return (200, {}, json.dumps(bundle([broken]))) if "/ServiceRequest?" in url else None

    assert card_ids(ask("3", fault)) == ("toci-recommended", "crs-grade")


@pytest.mark.parametrize("unreadable", [b'"\xff"', b"1e999999"], ids=["bytes that are no text", "a number too large"])
def test_two_of_one_id_are_set_aside_also_where_a_field_that_is_not_scanned_cannot_be_read(unreadable: bytes) -> None:
    _, scene = scene_of("3")
    prefetch = whole_prefetch(chart_of("3"))
    entries = prefetch["vitals"]["entry"]
    fever = entries[-1]["resource"]
    copies = [{**fever, "issued": "BROKEN"}, {**fever, "issued": "BROKEN", "valueQuantity": {"value": 36.1}}]
    prefetch["vitals"]["entry"] = [*entries[:-1], *({"resource": copy} for copy in copies)]
    desk = Desk(now=moment_of(scene))
    body = json.dumps(hook_body(scene, desk.now, "patient-view", prefetch=prefetch)).encode()
    answer = desk.client.post("/cds-services/crs-patient-view", content_type="application/json",
                              data=body.replace(b'"BROKEN"', unreadable))  # fmt: skip
    set_aside = {"reference": f"Observation/{fever['id']}", "why": "two resources that differ have this id"}
    assert set_aside in assessment(answer)["setAside"]


@pytest.mark.parametrize("reference", ["Medication/m1", "urn:uuid:0b5a1f9e-1d64-4d8e-9a43-0c1f3f0a7a11"])
def test_the_drug_of_a_draft_may_stand_beside_it(reference: str) -> None:
    _, scene = scene_of("11")
    desk = Desk(now=moment_of(scene))
    body = hook_body(scene, desk.now, prefetch=whole_prefetch(chart_of("11")))
    draft = body["context"]["draftOrders"]["entry"][0]["resource"]
    del draft["medicationCodeableConcept"]
    draft["medicationReference"] = {"reference": reference}
    medication = {"resourceType": "Medication", "id": "m1", "code": TOCILIZUMAB}
    body["context"]["draftOrders"]["entry"].append({"fullUrl": reference, "resource": medication})
    assert "Tocilizumab is drafted" in card(desk.post(body), "toci-recommended")["detail"]


NUMBERS = ["1e30", "1e-26", "1e9999999", "1e3000000000", '"NaN"', '"Infinity"', "-1e400"]


@pytest.mark.parametrize("value", NUMBERS)
def test_numbers_beyond_any_body_are_set_aside(value: str) -> None:
    prefetch = json.dumps(whole_prefetch(chart_of("3"))).replace('"value": 46.5', f'"value": {value}')
    body = {**hook_body(scene_of("3")[1], moment_of(scene_of("3")[1])), "prefetch": "PREFETCH"}
    text = json.dumps(body).replace('"PREFETCH"', prefetch)
    desk = Desk(now=moment_of(scene_of("3")[1]))
    answer = desk.client.post("/cds-services/crs-patient-view", data=text, content_type="application/json")
    assert card_ids(answer)[0] == "toci-guideline"
    assert assessment(answer)["setAside"][0]["why"].startswith("wrong type at valueQuantity")


def test_a_number_of_any_size_in_a_field_we_do_not_read_costs_nothing() -> None:
    body = {**hook_body(scene_of("3")[1], moment_of(scene_of("3")[1])), "prefetch": whole_prefetch(chart_of("3"))}
    grant = {"access_token": "t", "token_type": "Bearer", "expires_in": 12345}
    text = json.dumps({**body, "fhirServer": "https://x.example/fhir", "fhirAuthorization": grant})
    desk = Desk(now=moment_of(scene_of("3")[1]))
    text = text.replace("12345", "1e9999999")
    answer = desk.client.post("/cds-services/crs-patient-view", data=text, content_type="application/json")
    assert answer.status_code in (200, 400)


def test_a_date_far_ahead_on_a_first_page_makes_no_more_searches() -> None:
    _, scene = scene_of("3")
    ahead = {
        "resourceType": "MedicationAdministration", "id": "ahead", "status": "completed",
        "subject": {"reference": f"Patient/{scene.patient_id}"}, "medicationCodeableConcept": {"text": "Saline"},
        "effectiveDateTime": "9000-01-01T00:00:00Z",
    }  # fmt: skip
    page = bundle([ahead], link=[{"relation": "next", "url": f"{BASE}?_getpages=x"}])
    desk = Desk(now=moment_of(scene))
    with wire(chart_of("3")) as found:
        answer = desk.post(body_for(scene.patient_id, "patient-view", None, prefetch={"recentAdministrations": page}))
        assert card_ids(answer) == ("toci-recommended", "crs-grade")
        assert len(found.asked) < 30


def test_a_mistake_in_every_result_is_found_at_once() -> None:
    """A thousand temperatures that are not valid FHIR are refused together, not one in each round."""
    _, scene = scene_of("3")
    prefetch = whole_prefetch(chart_of("3"))
    hot = [
        _observation(
            scene.patient_id, id=f"t{n}", category={"text": "no list"}, valueQuantity={"value": 39, "code": "Cel"},
            effectiveDateTime=f"2026-03-06T0{n % 9}:{n % 60:02}:00+08:00",
        )
        for n in range(1000)
    ]  # fmt: skip
    prefetch["vitals"]["entry"] += [{"resource": r} for r in hot]
    began = time.monotonic()
    answer = Desk().call("3", prefetch=prefetch)
    assert time.monotonic() - began < 30, "in rounds of one each this took minutes"
    assert card_ids(answer)[0] in ("toci-recommended", "crs-grade-unknown")


@pytest.mark.parametrize("slow", ["medication.code", "/ServiceRequest?", "/AllergyIntolerance?", "/Patient/"])
def test_a_search_that_decides_nothing_does_not_hold_up_the_rounds(slow: str) -> None:
    def fault(url: str) -> Answer | None:
        if slow in url:
            time.sleep(2.9)
        return None

    answer = ask("7", fault, CRS_CDS_BUDGET_SECONDS="2.5")
    assert assessment(answer)["tocilizumabDoses"] == 1
    assert assessment(answer)["il6"]["foldChange"] == 5.5


def test_a_search_by_code_is_waited_for_where_the_administrations_could_not_be_read() -> None:
    def fault(url: str) -> Answer | None:
        if "/MedicationAdministration?" not in url:
            return None
        if "&code=" not in url:
            return 403, {}, "{}"
        time.sleep(0.5)
        return None

    answer = ask("3", fault)
    assert card_ids(answer)[0] == "toci-guideline"
    assert "history_incomplete" in assessment(answer)["flags"]


@pytest.mark.parametrize("next_url", ["http://[::1/x", "http://127.0.0.1\u2100/", "ws://x", ""])
def test_a_next_that_is_no_address_is_a_page_that_could_not_be_read(next_url: str) -> None:
    page = bundle([], link=[{"relation": "next", "url": next_url}])

    def fault(url: str) -> Answer | None:
        return (200, {}, json.dumps(page)) if "8310-5" in url else None

    assert card_ids(ask("3", fault)) == ("crs-grade-unknown", "crs-grade")


@pytest.mark.parametrize(
    "more",
    [
        {"contained": [{"resourceType": "Nope"}]},
        {"contained": [{"resourceType": "MedicinalProduct"}]},
        {"contained": [{"resourceType": 5}]},
        {"_status": "NaN"},
    ],
)
def test_what_the_validator_itself_cannot_stand_is_not_valid(more: dict[str, Any]) -> None:
    prefetch = whole_prefetch(chart_of("3"))
    for entry in prefetch["il6Crp"]["entry"]:
        entry["resource"] |= more
    answer = Desk().call("3", prefetch=prefetch)
    assert card_ids(answer)[0] == "toci-guideline"


@pytest.mark.parametrize(
    "field", ["status", "resourceType", "id", "subject", "medicationCodeableConcept", "dosageInstruction"]
)
@pytest.mark.parametrize("value", [[], {}, None, 5, "x", [None], [[]], {"coding": {"code": 5}}])
def test_a_draft_may_have_any_shape(field: str, value: Any) -> None:
    _, scene = scene_of("11")
    desk = Desk(now=moment_of(scene))
    body = hook_body(scene, desk.now, prefetch=whole_prefetch(chart_of("11")))
    body["context"]["draftOrders"]["entry"][0]["resource"][field] = value
    assert desk.post(body).status_code == 200


@pytest.mark.parametrize("more", [{"resourceType": None}, {"resourceType": "医嘱"}, {"resourceType": 5}])
def test_a_draft_that_names_tocilizumab_is_checked_whatever_it_calls_itself(more: dict[str, Any]) -> None:
    _, scene = scene_of("8")
    desk = Desk(now=moment_of(scene))
    body = hook_body(scene, desk.now, prefetch=whole_prefetch(chart_of("8")))
    body["context"]["draftOrders"]["entry"][0]["resource"] |= more
    assert card_ids(desk.post(body))[0] == "toci-interval"


@pytest.mark.parametrize("concept", [5, True, "tocilizumab", [None], {"coding": [{}]}])
def test_a_draft_whose_medication_cannot_be_read_is_said(concept: Any) -> None:
    _, scene = scene_of("8")
    desk = Desk(now=moment_of(scene))
    body = hook_body(scene, desk.now, prefetch=whole_prefetch(chart_of("8")))
    body["context"]["draftOrders"]["entry"][0]["resource"]["medicationCodeableConcept"] = concept
    assert "A drafted drug could not be identified" in card(desk.post(body), "data-quality")["detail"]


def test_the_entry_of_a_foreign_draft_is_named_by_its_own_place() -> None:
    _, scene = scene_of("11")
    desk = Desk(now=moment_of(scene))
    foreign = {**drafted_tocilizumab("other", 560, desk.now), "subject": [{"reference": "Patient/other"}]}
    body = hook_body(scene, desk.now)
    body["context"]["draftOrders"]["entry"] += [{}, {"resource": foreign}]
    issue = desk.post(body).get_json()["issue"][0]
    assert issue["expression"] == ["context.draftOrders.entry[2].resource.subject"]


def test_a_search_the_client_tried_is_not_run_again() -> None:
    _, scene = scene_of("3")
    failed = {"resourceType": "OperationOutcome", "issue": []}
    desk = Desk(now=moment_of(scene))
    with wire(chart_of("3")) as found:
        desk.post(
            body_for(
                scene.patient_id, "patient-view", None, prefetch={"crsDrugs": failed, "runningAdministrations": failed}
            )
        )
        assert not any("status=in-progress%2Con-hold" in path for path in found.asked)
        assert not any("MedicationAdministration" in path and "&code=" in path for path in found.asked)


def test_a_scope_that_lets_read_the_patient_is_enough_for_the_age() -> None:
    _, scene = scene_of("3")
    scope = "patient/Patient.r patient/Observation.rs patient/MedicationAdministration.rs patient/Procedure.rs patient/Medication.rs"
    desk = Desk(now=moment_of(scene))
    with wire(chart_of("3")):
        grant = {"access_token": "t", "token_type": "Bearer", "scope": scope}
        answer = desk.post({**body_for(scene.patient_id, "patient-view", None), "fhirAuthorization": grant})
    assert "suggestions" in card(answer, "toci-recommended")


def test_addresses_from_the_record_never_become_links() -> None:
    prefetch = whole_prefetch(chart_of("3"))
    bad = prefetch["il6Crp"]["entry"][0]["resource"]
    stray = {**bad, "id": "x https://evil.example/a www.evil.example me@evil.example"}
    stray = {**stray, "valueString": "see https://evil.example or www.evil.example or me@evil.example"}
    del stray["valueQuantity"]
    prefetch["il6Crp"]["entry"].append({"resource": stray})
    detail = " ".join(c["detail"] for c in Desk().call("3", prefetch=prefetch).get_json()["cards"])
    assert not any(text in detail for text in ("https://evil", "www.evil", "me@evil"))


@contextmanager
def dripping() -> Iterator[str]:
    """A real server that sends one byte every tenth of a second, for ever."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip(connection: socket.socket) -> None:
            with connection:
                try:
                    connection.recv(65536)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                    while not stop.wait(0.1):
                        connection.sendall(b" ")
                except OSError:
                    return

        def accept() -> None:
            while not stop.is_set():
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=drip, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/fhir"
        finally:
            stop.set()


def test_a_server_that_drips_ends_with_the_budget_and_holds_up_no_other(caplog: pytest.LogCaptureFixture) -> None:
    _, scene = scene_of("3")
    with dripping() as base, caplog.at_level(logging.DEBUG):
        desk = Desk(
            now=moment_of(scene), environ={"CRS_CDS_FHIR_SERVERS": f"{base},{BASE}", "CRS_CDS_BUDGET_SECONDS": "1.5"}
        )
        for _ in range(3):
            answer = desk.post({**body_for(scene.patient_id, "patient-view", None), "fhirServer": base})
            assert answer.status_code == 412
        with wire(chart_of("3")):
            assert card_ids(desk.post(body_for(scene.patient_id, "patient-view", None))) == scene.wanted
    assert scene.patient_id not in caplog.text


@pytest.mark.parametrize(
    "broken", [None, "x", {"fullUrl": 5}, {"search": "match"}, {"resource": None}, {"resource": {}}, {}]
)
def test_an_entry_that_is_none_costs_itself_and_not_its_page(broken: Any) -> None:
    prefetch = whole_prefetch(chart_of("3"))
    prefetch["recentAdministrations"]["entry"].append(broken)
    answer = Desk().call("3", prefetch=prefetch)
    assert "history_incomplete" in assessment(answer)["flags"]
    assert not [c for c in answer.get_json()["cards"] if "suggestions" in c]


def _running(patient: str, drug: str, **more: Any) -> Resource:
    return {
        "resourceType": "MedicationAdministration", "id": "running", "status": "in-progress",
        "subject": {"reference": f"Patient/{patient}"}, "medicationCodeableConcept": {"text": drug},
        "effectivePeriod": {"start": "2026-03-06T08:00:00+08:00"}, **more,
    }  # fmt: skip


@pytest.mark.parametrize("keys", [("recentAdministrations",), ("recentAdministrations", "runningAdministrations")])
def test_a_broken_administration_is_a_hole_under_whichever_key_it_comes(keys: tuple[str, ...]) -> None:
    _, scene = scene_of("3")
    prefetch = whole_prefetch(chart_of("3"))
    broken = _running(scene.patient_id, "tocilizumab", dosage={"dose": {"value": "abc"}})
    for key in keys:
        prefetch[key] = prefetch[key] or bundle([])
        prefetch[key]["entry"].append({"resource": broken})
    answer = Desk().call("3", prefetch=prefetch)
    assert "history_incomplete" in assessment(answer)["flags"]
    assert assessment(answer)["crsGradeIsMinimum"] is True
    assert not [c for c in answer.get_json()["cards"] if "suggestions" in c]


@pytest.mark.parametrize("fault", ["500", "client"])
def test_codes_are_believed_only_where_they_were_searched(fault: str) -> None:
    """At a site that finds infusions by code alone, a failed search by code is no "no course"."""
    _, scene = scene_of("11")
    desk = Desk(now=moment_of(scene), environ={"CRS_CDS_COURSE_LOOKUP": "codes"})
    prefetch = {"crsDrugs": {"resourceType": "OperationOutcome", "issue": []}} if fault == "client" else {}
    chart = [r for r in chart_of("11") if r["id"] != "none"]

    def by_code(url: str) -> Answer | None:
        return (500, {}, "{}") if fault == "500" and "&code=" in url and "/MedicationAdministration?" in url else None

    draft = drafted_tocilizumab(scene.patient_id, 496, desk.now)
    with wire(chart, by_code):
        answer = desk.post(body_for(scene.patient_id, "order-sign", draft, prefetch=prefetch))
    assert card_ids(answer) == ("data-quality",)


@pytest.mark.parametrize(
    "quantity", [{"value": 1, "unit": "mg", "code": 5}, {"value": [], "unit": {}}, [1], {"value": "x"}, None]
)
def test_a_dose_of_any_shape_in_a_draft_is_no_dose(quantity: Any) -> None:
    _, scene = scene_of("6")
    draft = {
        "resourceType": "MedicationRequest", "id": "d", "medicationCodeableConcept": {"text": "dexamethasone"},
        "dosageInstruction": [{"doseAndRate": [{"doseQuantity": quantity}]}],
    }  # fmt: skip
    body = body_for(scene.patient_id, "order-sign", draft, prefetch=whole_prefetch(chart_of("6")))
    assert card_ids(Desk(now=moment_of(scene)).post(body)) == ("severe-crs", "crs-grade")


def test_an_entry_without_subject_does_not_take_the_server_s_own_copy_away() -> None:
    _, scene = scene_of("7")
    chart = chart_of("7")
    stripped = [{k: v for k, v in r.items() if k != "subject"} for r in chart if r["resourceType"] == "Observation"]
    page = bundle(stripped, link=[{"relation": "next", "url": f"{BASE}?_getpages=x"}])
    desk = Desk(now=moment_of(scene))
    with wire(chart):
        prefetch = {"il6Crp": page, "vitals": page, "oxygen": page}
        answer = desk.post(body_for(scene.patient_id, "patient-view", None, prefetch=prefetch))
    assert card_ids(answer) == scene.wanted


ODD_SUBJECTS = [
    {"reference": "Patient/other", "display": 5}, [{"reference": "Patient/other"}], {"reference": "Patient/other "},
    {"reference": "/Patient/other"}, {"reference": "Patient/other?x=1"}, {"reference": "Patient/other#x"},
]  # fmt: skip


@pytest.mark.parametrize("subject", ODD_SUBJECTS)
def test_another_patient_s_resource_is_refused_however_its_subject_is_written(subject: Any) -> None:
    _, scene = scene_of("3")
    stray = {**_observation("x"), "subject": subject}
    assert Desk().call("3", prefetch={"vitals": bundle([stray])}).status_code == 400
    assert scene.id == "3"


def test_a_deciding_search_that_hangs_leaves_time_for_the_rest() -> None:
    def fault(url: str) -> Answer | None:
        if "/Procedure?" in url:
            time.sleep(3.5)
        return None

    answer = ask("7", fault, CRS_CDS_BUDGET_SECONDS="3")
    assert assessment(answer)["tocilizumabDoses"] == 1


@contextmanager
def closing(chart: list[Resource]) -> Iterator[str]:
    """A real server that answers one request on each connection and drops the next without a word: what a client
    meets when the server closes idle connections at the moment it uses them again."""
    wire_of = FhirWire(chart)

    def serve(connection: socket.socket, base: str) -> None:
        with connection, connection.makefile("rb") as lines:
            request = lines.readline().split()
            while lines.readline() not in (b"\r\n", b""):
                pass
            if len(request) < 2:
                return
            path = request[1].decode().removeprefix("/fhir")
            status, _, text = wire_of.answer(f"{BASE}{path}")
            body = text.replace(BASE, base).encode()
            connection.sendall(b"HTTP/1.1 %d OK\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body)
            lines.readline()

    with socket.create_server(("127.0.0.1", 0)) as server:
        base = f"http://127.0.0.1:{server.getsockname()[1]}/fhir"

        def accept() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(connection, base), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield base


def test_connections_that_the_server_is_closing_cost_no_answer() -> None:
    _, scene = scene_of("7")
    with closing(chart_of("7")) as base:
        desk = Desk(now=moment_of(scene), environ={"CRS_CDS_FHIR_SERVERS": base, "CRS_CDS_BUDGET_SECONDS": "20"})
        for _ in range(4):
            answer = desk.post({**body_for(scene.patient_id, "patient-view", None), "fhirServer": base})
            assert card_ids(answer) == scene.wanted


ODD_ENTRIES = (
    {"resourceType": "Observation", "meta": "OperationOutcome"},
    {"resourceType": "OperationOutcome", "id": 5, "issue": [{"severity": "error"}]},
    ["OperationOutcome"],
    "OperationOutcome",
    5,
)


@pytest.mark.parametrize("odd", ODD_ENTRIES, ids=json.dumps)
def test_an_odd_entry_among_the_results_costs_no_answer(odd: Any) -> None:
    def fault(url: str) -> Answer | None:
        page = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": odd}]}
        return (200, {}, json.dumps(page)) if "/AllergyIntolerance?" in url else None

    answer = ask("3", fault)
    assert card_ids(answer)[:1] == ("toci-recommended",)
    assert "allerg" in answer.get_data(as_text=True).lower()


@pytest.mark.parametrize("error", [OSError("gone"), MemoryError(), KeyError("x"), RuntimeError("y")], ids=repr)
def test_a_search_that_fails_in_whatever_way_is_one_that_could_not_be_read(error: Exception) -> None:
    def fault(url: str) -> Answer | None:
        if "/AllergyIntolerance?" in url:
            raise error
        return None

    answer = ask("3", fault)
    assert card_ids(answer)[:1] == ("toci-recommended",)
    assert "allerg" in card(answer, "toci-recommended")["detail"].lower()


@pytest.mark.parametrize("patient_id", [".", "..", "..."])
def test_an_id_of_dots_only_is_none(patient_id: str) -> None:
    answer = Desk().post(body_for(patient_id, "patient-view", None))
    assert (answer.status_code, answer.get_json()["issue"][0]["expression"]) == (400, ["context.patientId"])


TOO_MANY = (
    ("patient-view", {"selections": ["x"] * 1001}, "context.selections"),
    ("order-sign", {"draftOrders": {"entry": [1] * 1001}}, "context.draftOrders.entry"),
)


@pytest.mark.parametrize(("hook", "more", "field"), TOO_MANY, ids=[case[2] for case in TOO_MANY])
def test_lists_without_end_are_refused_for_their_length_alone(hook: str, more: dict[str, Any], field: str) -> None:
    body = body_for("p", hook, None)
    body["context"] |= more
    answer = Desk().post(body)
    assert answer.status_code == 400
    assert [issue["expression"] for issue in answer.get_json()["issue"]] == [[field]]


def test_a_thousand_broken_entries_are_not_all_named() -> None:
    body = body_for("p", "order-sign", None)
    body["context"]["draftOrders"] = {"entry": [1] * 1000}
    answer = Desk().post(body)
    assert (answer.status_code, len(answer.get_json()["issue"])) == (400, 50)


def test_more_resources_than_are_read_are_counted_whatever_they_are() -> None:
    entries = [{"resource": {"x": 1}}] * 60 + [
        {"resource": {"resourceType": "Medication", "id": str(n)}} for n in range(60)
    ]
    body = body_for("p", "patient-view", None, prefetch={"il6Crp": {"resourceType": "Bundle", "entry": entries}})
    assert Desk(environ={"CRS_CDS_MAX_ENTRIES": "100"}).post(body).status_code == 413


def test_a_record_that_takes_too_long_to_work_out_is_said_and_not_waited_for() -> None:
    _, scene = scene_of("3")
    chart = chart_of("3")
    dose = {
        "resourceType": "MedicationAdministration", "status": "completed", "medicationCodeableConcept": TOCILIZUMAB,
        "subject": {"reference": f"Patient/{scene.patient_id}"},
    }  # fmt: skip
    start = moment_of(scene)
    chart += [
        {**dose, "id": f"d{n}", "effectiveDateTime": (start - timedelta(seconds=5 * n + 60)).isoformat()}
        for n in range(30000)
    ]
    desk = Desk(now=start, environ={"CRS_CDS_BUDGET_SECONDS": "1", "CRS_CDS_LOG_MILLISECONDS": "100"})
    began = time.monotonic()
    answer = desk.post(body_for(scene.patient_id, "patient-view", None, prefetch=whole_prefetch(chart)))
    assert answer.status_code == 503
    assert time.monotonic() - began < 10


def test_administrations_that_come_late_are_read_on_into_the_history() -> None:
    """The last 48 h come after half of the budget, and the infusion lies before them."""

    def fault(url: str) -> Answer | None:
        if "/MedicationAdministration?" in url and "code=" in url:
            return 403, {}, "{}"
        if "effective-time=ge" in url and "effective-time=lt" not in url:
            time.sleep(1.4)
        return None

    assert card_ids(ask("3", fault, CRS_CDS_BUDGET_SECONDS="2.5")) == ("toci-recommended", "crs-grade")
