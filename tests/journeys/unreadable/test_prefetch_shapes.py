"""Prefetch in other shapes than a searchset: read wherever they can mean only one thing, else said to be missing."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.support.by_search import wire
from tests.support.desk import Desk, assessment, card, card_ids, chart_of, whole_prefetch
from tests.support.fhir_wire import BASE, Resource

Bundle = dict[str, Any]
NOTHING: list[Any] = [[], {}, "Bundle", True, 5, [None], [[]], {"resource": None}, {"resourceType": "Basic"}]
KEYS = ("il6Crp", "vitals", "oxygen", "weight", "recentAdministrations")


def typed(name: str) -> Callable[[Bundle], Any]:
    return lambda found: {**found, "type": name}


def batched(found: Bundle) -> Any:
    return {"resourceType": "Bundle", "type": "batch-response",
            "entry": [{"resource": found, "response": {"status": "200 OK"}}]}  # fmt: skip


def batch_of_reads(found: Bundle) -> Any:
    entries = [{**entry, "response": {"status": "200"}} for entry in found["entry"]]
    return {"resourceType": "Bundle", "type": "batch-response", "entry": entries}


def half_refused(found: Bundle) -> Any:
    refused = {"response": {"status": "403 Forbidden", "outcome": {"resourceType": "OperationOutcome", "issue": []}}}
    return {"resourceType": "Bundle", "type": "batch-response", "entry": [*batched(found)["entry"], refused]}


def history(found: Bundle) -> Any:
    """Each result with an older version, and one that was deleted."""
    entries = []
    for entry in found["entry"]:
        old = {**entry["resource"], "status": "preliminary", "meta": {"versionId": "1"}}
        entries += [{**entry, "request": {"method": "PUT"}}, {"resource": old, "request": {"method": "POST"}}]
    gone = {**found["entry"][0]["resource"], "id": "gone"}
    deleted = {"request": {"method": "DELETE", "url": f"{gone['resourceType']}/gone"}}
    return {**found, "type": "history", "entry": [*entries, deleted, {"resource": gone}]}


def pages(found: Bundle) -> Any:
    first = {**found, "entry": found["entry"][:1], "link": [{"relation": "next", "url": f"{BASE}?page=2"}]}
    return [first, {**found, "entry": found["entry"][1:]}]


# shape → what it is made of a whole searchset, and what is read of it: the same, a part, or nothing
SHAPES: Mapping[str, tuple[Callable[[Bundle], Any], str]] = {
    "collection": (typed("collection"), "same"),
    "without type": (lambda found: {k: v for k, v in found.items() if k != "type"}, "same"),
    "type null": (typed(None), "same"),  # type: ignore[arg-type]
    "type in capitals": (typed("Searchset"), "same"),
    "link null": (lambda found: {**found, "link": None}, "same"),
    "list of resources": (lambda found: [entry["resource"] for entry in found["entry"]], "same"),
    "list of entries": (lambda found: found["entry"], "same"),
    "list of one searchset": (lambda found: [found], "same"),
    "list of pages": (pages, "same"),
    "list of pages but the last": (lambda found: pages(found)[:1], "part"),
    "searchset in an entry": (lambda found: {"resource": found}, "same"),
    "searchset with its response": (lambda found: {"response": {"status": "200 OK"}, "resource": found}, "same"),
    "batch-response": (batched, "same"),
    "batch-response of reads": (batch_of_reads, "same"),
    "batch-response, one refused": (half_refused, "part"),
    "searchset in a searchset": (lambda found: {**found, "entry": [{"resource": found}]}, "same"),
    "history": (history, "part"),
    "transaction": (typed("transaction"), "part"),
    "a type of nobody's": (typed("my-bundle"), "part"),
    "an entry that is null": (lambda found: {**found, "entry": [None, *found["entry"]]}, "part"),
    "an entry without resource": (lambda found: {**found, "entry": [{"fullUrl": "x"}, *found["entry"]]}, "part"),
    "a resource that is null": (lambda found: {**found, "entry": [{"resource": None}, *found["entry"]]}, "part"),
    "an outcome without resource": (lambda found: {**found, "entry": [*found["entry"], {"search": {"mode": "outcome"}}]}, "same"),
    "total as text": (lambda found: {**found, "total": str(len(found["entry"]))}, "part"),
    "entries that are null": (lambda found: {**found, "entry": None}, "nothing"),
    "nested too deep": (lambda found: [[[[[found]]]]], "nothing"),
}  # fmt: skip


def without_uuids(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_uuids(below) for name, below in value.items() if name != "uuid"}
    return [without_uuids(below) for below in value] if isinstance(value, list) else value


def prefetch_of(key: str, value: Any) -> dict[str, Any]:
    return {**whole_prefetch(chart_of("3")), key: value}


def found_in(answer: TestResponse, key: str) -> str:
    """`same` for the answer of the whole chart; `said` if it names what could not all be read."""
    whole = Desk().call("3", prefetch=whole_prefetch(chart_of("3")))
    if without_uuids(answer.get_json()) == without_uuids(whole.get_json()):
        return "same"
    if not answer.get_json().get("cards", True):
        return "said" if assessment(answer)["flags"] == ["no_course_in_part_read"] else "silence"
    if answer.status_code == 200 and card_ids(answer) == ("data-quality",):
        return "said" if "could not be used" in card(answer, "data-quality")["detail"] else "unsaid"
    if answer.status_code == 412:
        return "said" if "medication administrations: " in json.dumps(answer.get_json()) else "a 412 without a reason"
    named = {"il6Crp": "IL-6 and CRP", "vitals": "vital signs", "oxygen": "oxygen", "weight": "weight",
             "recentAdministrations": "medication administrations"}[key]  # fmt: skip
    unread = named in card(answer, "crs-grade")["detail"].partition("**Could not be read**")[2]
    return "said" if unread or assessment(answer).get("setAside") else "unsaid"


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_is_the_same_or_says_that_something_is_missing(shape: str, key: str) -> None:
    make, wanted = SHAPES[shape]
    answer = Desk().call("3", prefetch=prefetch_of(key, make(copy.deepcopy(whole_prefetch(chart_of("3"))[key]))))
    assert found_in(answer, key) == ("same" if wanted == "same" else "said")
    if wanted == "part" and key == "recentAdministrations":
        assert "infusion" in assessment(answer), "what came is used"


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("value", NOTHING, ids=json.dumps)
def test_what_holds_nothing_that_was_asked_for_is_not_supplied(value: Any, key: str) -> None:
    answer = Desk().call("3", prefetch=prefetch_of(key, value))
    if key == "recentAdministrations":  # the infusion may be among them
        assert answer.status_code == 412
    else:
        assert found_in(answer, key) == "said"


def only(resource_type: str, code: str) -> Resource:
    return next(
        r for r in chart_of("3")
        if r["resourceType"] == resource_type and code in json.dumps(r.get("code") or r.get("medicationCodeableConcept"))
    )  # fmt: skip


@pytest.mark.parametrize(
    ("key", "resource_type", "code"),
    [("weight", "Observation", "29463-7"), ("recentAdministrations", "MedicationAdministration", "1986438")],
)
def test_one_resource_where_a_search_was_asked_is_a_searchset_of_one(key: str, resource_type: str, code: str) -> None:
    one = only(resource_type, code)
    in_a_bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one}]}
    answers = [Desk().call("3", prefetch=prefetch_of(key, value)) for value in (one, in_a_bundle)]
    assert without_uuids(answers[0].get_json()) == without_uuids(answers[1].get_json())
    assert card_ids(answers[0]) == ("toci-recommended", "crs-grade")


def test_a_resource_of_another_type_was_not_asked_for() -> None:
    for value in (only("MedicationAdministration", "1986438"), [only("MedicationAdministration", "1986438")]):
        assert found_in(Desk().call("3", prefetch=prefetch_of("vitals", value)), "vitals") == "said"


def patient() -> Resource:
    found = next(r for r in chart_of("3") if r["resourceType"] == "Patient")
    return {**found, "deceasedDateTime": "2026-03-05T10:00:00+08:00"}


ORGANIZATION = {"resourceType": "Organization", "id": "ward"}
PATIENTS: Mapping[str, Callable[[Resource], Any]] = {
    "a Patient": lambda p: p,
    "a searchset of one": lambda p: {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": p}]},
    "a searchset with its total": lambda p: {"resourceType": "Bundle", "total": 1, "entry": [{"resource": p}]},
    "a collection": lambda p: {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": p}]},
    "with what was included": lambda p: {"resourceType": "Bundle", "entry": [{"resource": ORGANIZATION}, {"resource": p}]},
    "with a remark": lambda p: {"resourceType": "Bundle", "entry": [{"resource": p}, {"resource": {
        "resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "processing"}]}}]},
    "a batch-response": lambda p: {"resourceType": "Bundle", "type": "batch-response",
                                   "entry": [{"resource": p, "response": {"status": "200"}}]},
    "a list of one": lambda p: [p],
    "an entry": lambda p: {"resource": p},
}  # fmt: skip


@pytest.mark.parametrize("shape", PATIENTS)
def test_a_dead_patient_gets_no_cards_however_the_patient_came(shape: str) -> None:
    answer = Desk().call("3", prefetch=prefetch_of("patient", PATIENTS[shape](patient())))
    assert card_ids(answer) == ()
    assert assessment(answer)["flags"] == ["deceased"]


@pytest.mark.parametrize("shape", PATIENTS)
def test_another_patient_is_refused_however_the_patient_came(shape: str) -> None:
    answer = Desk().call("3", prefetch=prefetch_of("patient", PATIENTS[shape]({**patient(), "id": "someone"})))
    assert answer.status_code == 400
    assert "prefetch.patient" in json.dumps(answer.get_json())
    assert "someone" not in answer.get_data(as_text=True)


@pytest.mark.parametrize("wrap", [lambda r: r, lambda r: [r], lambda r: {"resource": r}, lambda r: batched({
    "resourceType": "Bundle", "entry": [{"resource": r}]})])  # fmt: skip
def test_another_patient_s_resource_is_refused_in_every_shape(wrap: Callable[[Resource], Any]) -> None:
    foreign = {**only("Observation", "29463-7"), "subject": {"reference": "Patient/someone"}}
    assert Desk().call("3", prefetch=prefetch_of("weight", wrap(foreign))).status_code == 400


NOBODY: list[Any] = [None, {"resourceType": "Bundle", "type": "searchset", "total": 0}, {"resourceType": "Bundle", "entry": []}]  # fmt: skip


@pytest.mark.parametrize("value", NOBODY, ids=json.dumps)
def test_no_patient_at_the_client_is_read_once_from_the_server(value: Any) -> None:
    with wire([*(r for r in chart_of("3") if r["resourceType"] != "Patient"), patient()]) as found:
        answer = Desk().call("3", fhirServer=BASE, prefetch=prefetch_of("patient", value))
        assert [path for path in found.asked if path.startswith("/Patient/")] == [f"/Patient/{patient()['id']}"]
    assert assessment(answer)["flags"] == ["deceased"]


@pytest.mark.parametrize("key", ["patient", "weight"])
def test_a_server_may_answer_a_read_with_a_searchset_and_a_search_with_a_resource(key: str) -> None:
    resource_type, of_search = ("Patient", "/Patient/") if key == "patient" else ("Observation", "29463-7")
    one = patient() if key == "patient" else only(resource_type, "29463-7")
    body = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one}]} if key == "patient" else one
    with wire(chart_of("3"), lambda url: (200, {}, json.dumps(body)) if of_search in url else None):
        answer = Desk().call("3", fhirServer=BASE, prefetch={})
    if key == "patient":
        assert assessment(answer)["flags"] == ["deceased"]
    else:
        assert "496 mg" in answer.get_data(as_text=True)
