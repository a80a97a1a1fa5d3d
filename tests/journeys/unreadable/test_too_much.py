"""More than a call may hold: what comes beyond the limit counts as not read, and what nobody reads is never built."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections import deque
from typing import Any

import pytest

from cds_server.outgoing.bounded_http import ByteBudget
from example_patients.stories.stories import hook_body
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.resource_pool import OutOfTimeError, ResourcePool
from tests.support.by_search import ask, body_for, wire
from tests.support.desk import Desk, assessment, bundle, card, card_ids, chart_of, moment_of, scene_of, whole_prefetch
from tests.support.fhir_wire import Answer, FhirWire
from tests.support.tables import rows

MIB = 1024 * 1024
_, SCENE = scene_of("3")


def swollen(padding: str) -> Any:
    """A FHIR server that adds this to each searchset of Observations."""
    server = FhirWire(chart_of("3"))

    def fault(url: str) -> Answer | None:
        if "/Observation?" not in url:
            return None
        status, headers, body = server.answer(url)
        return status, headers, body[:-1] + f', "extension": {padding}}}'

    return fault


def says_what_is_missing(answer: Any) -> bool:
    """A card that names what could not be read; or a 412, where the rest came too late to be within the budget."""
    if answer.status_code == 412:
        return "too large" in answer.get_data(as_text=True) or "more parts" in answer.get_data(as_text=True)
    return "toci-recommended" not in card_ids(answer) and "Could not be read" in card(answer, "crs-grade")["detail"]


def test_the_answers_to_one_call_share_one_budget_of_bytes() -> None:
    """Each of the answers is below the limit, and together they are not."""
    padding = json.dumps([{"url": "x" * 600_000}])
    whole = ask("3", swollen(padding))
    assert card_ids(whole) == ("toci-recommended", "crs-grade")
    answer = ask("3", swollen(padding), CRS_CDS_MAX_RECORD_MIB="1")
    assert says_what_is_missing(answer)


def test_an_answer_of_nothing_but_objects_is_too_large() -> None:
    """Two hundred thousand of them fit into less than one MiB."""
    answer = ask("3", swollen("[" + ",".join(["{}"] * 200_000) + "]"), CRS_CDS_MAX_RECORD_MIB="2")
    assert says_what_is_missing(answer)


def test_a_budget_within_another_is_used_up_with_it() -> None:
    call = ByteBudget(10)
    first, second = ByteBudget(8, within=call), ByteBudget(8, within=call)
    assert first.take(8)
    assert not first.take(1)
    assert not second.take(2)


# what a request holds that nobody reads, or too much of, and the answer
REQUESTS = rows("""
| where                                   | value    | status | says                                            |
| extension                               | deep     | 200    |                                                 |
| extension                               | wide     | 200    |                                                 |
| a field of a later version              | wide     | 200    |                                                 |
| context                                 | deep     | 400    | context: must not nest deeper than 64           |
| context                                 | wide     | 400    | context: must hold at most 500000 values        |
""")
VALUES = {"deep": "[" * 200 + "]" * 200, "wide": "[" + ",".join(["[]"] * 600_000) + "]"}


@pytest.mark.parametrize("row", REQUESTS, ids=lambda row: f"{row['where']} {row['value']}")
def test_what_nobody_reads_is_passed_over(row: dict[str, str]) -> None:
    desk = Desk(now=moment_of(SCENE))
    body = hook_body(SCENE, desk.now, prefetch=whole_prefetch(chart_of("3")))
    if row["where"] == "context":
        body["context"]["x"] = "HERE"
    else:
        body[row["where"]] = "HERE"
    text = json.dumps(body).replace('"HERE"', VALUES[row["value"]])
    answer = desk.client.post("/cds-services/crs-patient-view", data=text, content_type="application/json")
    if row["status"] == "400":
        assert answer.status_code == 400
        assert answer.get_json()["issue"][0]["diagnostics"] == row["says"]
    else:
        assert card_ids(answer) == ("toci-recommended", "crs-grade")


def test_feedback_of_nothing_but_lists_is_never_built() -> None:
    desk = Desk()
    text = '{"feedback": [' + ",".join(["[]"] * (4 * MIB)) + "]}"
    tracemalloc.start()
    try:
        answer = desk.client.post("/cds-services/crs-patient-view/feedback", data=text, content_type="application/json")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.status_code == 400
    assert answer.get_json()["issue"][0]["diagnostics"] == "feedback: must hold at most 500000 values"
    assert peak < 6 * len(text)


def test_an_extension_is_never_built() -> None:
    """As lists, twelve MiB of it would be some four hundred."""
    desk = Desk(now=moment_of(SCENE))
    body = {**hook_body(SCENE, desk.now, prefetch=whole_prefetch(chart_of("3"))), "extension": "HERE"}
    text = json.dumps(body).replace('"HERE"', "[" + ",".join(["[]"] * (4 * MIB)) + "]").encode()
    tracemalloc.start()
    try:
        answer = desk.client.post("/cds-services/crs-patient-view", data=text, content_type="application/json")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert card_ids(answer) == ("toci-recommended", "crs-grade")
    assert peak < 6 * len(text)


def test_a_resource_with_more_in_it_than_can_be_checked_is_set_aside() -> None:
    chart = chart_of("3")
    weighed = next(r for r in chart if "29463-7" in json.dumps(r.get("code")))
    weighed["extension"] = [{"url": "x"}] * 30_000
    desk = Desk(now=moment_of(SCENE))
    with wire(chart):
        answer = desk.post(body_for(SCENE.patient_id, "patient-view", None))
    assert {"reference": f"Observation/{weighed['id']}", "why": "holds more than can be checked"} in assessment(answer)[
        "setAside"
    ]


def test_a_scope_without_end_is_refused_for_its_length_alone() -> None:
    desk = Desk(now=moment_of(SCENE))
    grant = {"access_token": "t", "token_type": "Bearer", "scope": "patient/Observation.rs " * 1000}
    answer = desk.post({**body_for(SCENE.patient_id, "patient-view", None), "fhirAuthorization": grant})
    assert answer.status_code == 400
    assert answer.get_json()["issue"][0]["diagnostics"] == "fhirAuthorization.scope: must hold at most 16384 characters"


# shapes of a value of prefetch that hold more than FHIR of their length does
MANY = rows("""
| value                              | part            | because                                       |
| [PARTS]                            | {}              | a list of seven million empty objects         |
| [PARTS]                            | []              | the same of empty lists                       |
| [PARTS]                            | 0               | the same of numbers                           |
| {"resourceType": "Bundle", "entry": [PARTS]} | {}    | entries without anything                      |
| {"resourceType": "Bundle", "entry": [PARTS]} | {"resource":{"resourceType":"Observation"}} | more entries than a call may hold |
| {"resourceType": "Observation", "code": {"coding": [PARTS]}} | {"code":"1"} | codings without end  |
""")


@pytest.mark.parametrize("row", MANY, ids=lambda row: row["because"])
def test_more_values_than_fhir_has_are_refused_before_they_are_built(row: dict[str, str]) -> None:
    desk = Desk(now=moment_of(SCENE))
    parts = ",".join([row["part"]] * (10 * MIB // (len(row["part"]) + 1)))
    text = json.dumps(hook_body(SCENE, desk.now, prefetch={"vitals": "HERE"})).replace(
        '"HERE"', row["value"].replace("PARTS", parts)
    )
    tracemalloc.start()
    try:
        answer = desk.client.post("/cds-services/crs-patient-view", data=text, content_type="application/json")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.status_code == 413
    assert answer.get_json()["issue"][0]["diagnostics"] == "prefetch: holds more than 100000 resources"
    assert peak < 12 * len(text)


# texts that are read word by word, and the resources that hold them
TEXTS = rows("""
| key                    | resource                                                                                               |
| recentAdministrations  | {"resourceType": "MedicationAdministration", "status": "completed", "effectiveDateTime": "2026-03-06", "medicationCodeableConcept": {"text": "TEXT"}} |
| activeMedicationOrders | {"resourceType": "MedicationRequest", "status": "active", "intent": "order", "medicationCodeableConcept": {"text": "TEXT"}} |
| supportProcedures      | {"resourceType": "Procedure", "status": "completed", "performedDateTime": "2026-03-06", "code": {"text": "TEXT"}} |
""")
BUDGET, LATE = 2.0, 1.0  # seconds
TRIES = 3  # a busy machine is no fault of the service


@pytest.mark.parametrize("row", TEXTS, ids=lambda row: row["key"])
def test_a_call_ends_soon_after_its_time_however_much_there_is_to_read(row: dict[str, str]) -> None:
    desk = Desk(now=moment_of(SCENE), environ={"CRS_CDS_BUDGET_SECONDS": str(BUDGET)})
    prefetch = whole_prefetch(chart_of("3"))
    entry = json.loads(row["resource"]) | {"subject": {"reference": f"Patient/{SCENE.patient_id}"}}
    prefetch[row["key"]] = bundle([entry | {"id": "NUMBER"}])
    [head, tail] = json.dumps(hook_body(SCENE, desk.now, prefetch=prefetch)).split("NUMBER")
    before, after = head.rindex('{"resource":'), tail.index("}}") + 2
    one = f"{head[before:]}NUMBER{tail[:after]}"
    many = ",".join(one.replace("NUMBER", str(n)).replace("TEXT", f"drug {n}, by bag {n} " * 5) for n in range(25_000))
    text = head[:before] + many + tail[after:]
    took = []
    for _ in range(TRIES):
        began = time.monotonic()
        answer = desk.client.post("/cds-services/crs-patient-view", data=text, content_type="application/json")
        took.append(time.monotonic() - began)
        assert answer.status_code == 503
        assert "too large to be worked out" in answer.get_data(as_text=True)
        if took[-1] < BUDGET + LATE:
            return
    pytest.fail(f"the calls took {took}")


def test_whoever_fills_or_walks_through_the_pool_asks_the_clock() -> None:
    looks = iter([True, False])
    pool = ResourcePool(lambda: next(looks))
    raws = [json.dumps({"resourceType": "Condition", "id": f"c{n}"}).encode() for n in range(250)]
    with pytest.raises(OutOfTimeError):
        deque((pool.add(raw, "here") for raw in raws), maxlen=0)
    assert 100 < pool.added < 250
    looks = iter([True, False])
    seen = []
    with pytest.raises(OutOfTimeError):
        seen.extend(resource for resource in pool.of_type(fs.Condition))
    assert len(pool.of_type(fs.Condition)) > len(seen)
