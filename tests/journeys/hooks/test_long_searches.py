"""Searches with long lists of codes: by POST, and by GET where a server or a proxy does not take POST.

An address over 2,000 characters breaks at some servers. A POST may be refused, or its body may be lost on the way; then
the answer is about everybody, or about nobody. Each of these ends in the right answer, or in one that says what is
missing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import requests
from werkzeug.test import TestResponse

from cds_server.outgoing.search_methods import Method, SearchMethods
from tests.support.by_search import body_for, wire
from tests.support.desk import Desk, assessment, bundle, card_ids, chart_of, moment_of, scene_of
from tests.support.fhir_wire import BASE, Answer, FhirWire, Resource, outcome

LONGEST = 2000
_, SCENE = scene_of("3")
NOW = moment_of(SCENE)
CHART = chart_of("3")
RIGHT = ("toci-recommended", "crs-grade")
LONG_TYPES = {"Observation", "MedicationAdministration", "Procedure", "Condition"}
SOMEONE_ELSE: list[Resource] = json.loads(json.dumps(CHART).replace(SCENE.patient_id, "someone-else"))


def ask(at: Desk) -> TestResponse:
    return at.post(body_for(SCENE.patient_id, "patient-view", None))


def asked(fhir: FhirWire) -> list[str]:
    """What was asked since the last time; the lists of the server begin anew."""
    found = list(fhir.asked)
    fhir.asked.clear()
    fhir.posted.clear()
    return found


def types(paths: list[str]) -> set[str]:
    return {path.split("?")[0].strip("/") for path in paths}


def is_long(path: str) -> bool:
    return len(BASE + path) > LONGEST


def test_a_search_goes_by_post_if_its_address_is_long_and_only_then() -> None:
    with wire(CHART) as fhir:
        assert card_ids(ask(Desk(now=NOW))) == RIGHT
    assert [path for path in fhir.asked if is_long(path)] == fhir.posted
    assert types(fhir.posted) == LONG_TYPES
    assert len(fhir.asked) == len(set(fhir.asked)), "nothing is asked twice"


def test_the_reference_of_a_patient_stands_in_the_body_too() -> None:
    with wire(CHART) as fhir:
        assert card_ids(ask(Desk(now=NOW, environ={"CRS_CDS_PATIENT_SEARCH": "reference"}))) == RIGHT
    assert all(f"patient=Patient%2F{SCENE.patient_id}&" in path for path in fhir.posted)


def refuses(status: int) -> Callable[[str], Answer]:
    headers = {"Location": "https://elsewhere.example/"} if status in (301, 302, 307) else {}
    return lambda _: (status, headers, outcome(status, "no")[2])


def drops(_: str) -> Answer:
    raise requests.ConnectionError


def says(body: str) -> Callable[[str], Answer]:
    return lambda _: (200, {}, body)


def too_long(url: str) -> Answer | None:
    return outcome(414, "too long") if len(url) > LONGEST and "_search" not in url else None


REFUSALS: dict[str, Callable[[str], Answer]] = {
    **{str(status): refuses(status) for status in (204, 302, 303, 307, 400, 403, 404, 405, 406, 411, 413, 414, 415, 422, 501)},
    "dropped": drops, "a web page": says("<html>"), "an OperationOutcome with 200": says(outcome(200, "no")[2]),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_a_post_that_is_refused_is_asked_by_get_which_is_remembered(name: str) -> None:
    at = Desk(now=NOW)
    with wire(CHART) as fhir:
        fhir.on_post = REFUSALS[name]
        assert card_ids(ask(at)) == RIGHT
        assert types(fhir.posted) == LONG_TYPES
        asked(fhir)
        assert card_ids(ask(at)) == RIGHT
        assert fhir.posted == []
        assert len(fhir.asked) == len(set(fhir.asked)), "nothing is asked twice"


@pytest.mark.parametrize("status", [401, 429, 500, 503])
def test_a_server_that_fails_is_not_asked_by_the_other_method(status: int) -> None:
    with wire(CHART) as fhir:
        fhir.on_post = refuses(status)
        ask(Desk(now=NOW))
        assert [path for path in fhir.asked if is_long(path)] == fhir.posted


def without_the_body(fhir: FhirWire) -> Callable[[str], Answer]:
    """A server that answers everything of the type."""
    return lambda url: fhir.answer(f"{url.partition('?')[0]}?_count=1000")


def about(patient_id: str, url: str) -> str:
    return re.sub("patient=[^&]*", f"patient={patient_id}", url)


IGNORED: dict[str, Callable[[FhirWire], Callable[[str], Answer]]] = {
    "everybody's": without_the_body,
    "nobody's": lambda _: says(json.dumps(bundle([]))),
    "nobody's, and it says that nothing was asked": lambda _: lambda url: (
        200, {}, json.dumps(bundle([], link=[{"relation": "self", "url": f"{url.partition('?')[0]}/_search"}])),
    ),
    "one of someone else": lambda _: says(json.dumps(bundle(SOMEONE_ELSE[-1:]))),
    "that to a search for someone else": lambda fhir: lambda url: fhir.answer(about("someone-else", url)),
    "that to a search for someone who has nothing": lambda fhir: lambda url: fhir.answer(about("nobody", url)),
}  # fmt: skip


@pytest.mark.parametrize("name", IGNORED)
def test_a_body_that_is_ignored_is_noticed_and_get_brings_the_right_answer(name: str) -> None:
    at = Desk(now=NOW)
    with wire([*CHART, *SOMEONE_ELSE]) as fhir:
        fhir.on_post = IGNORED[name](fhir)
        for _ in range(2):
            assert card_ids(ask(at)) == RIGHT


@pytest.mark.parametrize("name", ["that to a search for someone else", "that to a search for someone who has nothing"])
def test_an_answer_that_a_proxy_kept_of_someone_else_is_noticed_where_post_is_known(name: str) -> None:
    at = Desk(now=NOW)
    with wire([*CHART, *SOMEONE_ELSE]) as fhir:
        assert card_ids(ask(at)) == RIGHT
        assert fhir.posted
        fhir.on_post = IGNORED[name](fhir)
        assert card_ids(ask(at)) == RIGHT


def test_a_body_that_is_ignored_is_noticed_of_a_patient_whose_id_is_in_every_text() -> None:
    chart: list[Resource] = json.loads(json.dumps(CHART).replace(SCENE.patient_id, "e"))
    with wire([*chart, *SOMEONE_ELSE]) as fhir:
        fhir.on_post = lambda url: (200, {}, json.dumps({**json.loads(without_the_body(fhir)(url)[2]), "link": []}))
        assert card_ids(Desk(now=NOW).post(body_for("e", "patient-view", None))) == RIGHT


def test_a_body_that_is_ignored_by_a_server_of_one_patient_brings_more_than_was_asked_for_and_the_right_answer() -> (
    None
):
    """As where the token is of one patient: what came is of the patient, without the filter by code and date."""
    with wire(CHART) as fhir:
        fhir.on_post = without_the_body(fhir)
        assert card_ids(ask(Desk(now=NOW))) == RIGHT


NEITHER = {name: (lambda _, name=name: REFUSALS[name]) for name in ("405", "dropped")} | IGNORED


@pytest.mark.parametrize("name", NEITHER)
def test_where_neither_post_nor_get_serves_it_is_said_and_a_patient_without_a_course_is_a_412(name: str) -> None:
    """The infusion of scene 3 is found among all administrations; of scene 16, which has none, nobody knows."""
    with wire([*CHART, *SOMEONE_ELSE]) as fhir:
        fhir.on_post = NEITHER[name](fhir)
        fhir.fault = too_long
        answer = ask(Desk(now=NOW))
    assert "toci-recommended" not in card_ids(answer)
    assert "Could not be read" in answer.get_data(as_text=True)
    _, none = scene_of("16")
    with wire([*chart_of("16"), *SOMEONE_ELSE]) as fhir:
        fhir.on_post = NEITHER[name](fhir)
        fhir.fault = too_long
        assert Desk(now=moment_of(none)).post(body_for(none.patient_id, "patient-view", None)).status_code == 412


def test_an_empty_answer_to_a_post_is_believed_once_another_search_showed_that_bodies_are_read() -> None:
    """A server that names no parameters, and refuses long addresses: the first call may say that it could not read
    what it has no results of, the next reads all of it."""
    at = Desk(now=NOW)

    def silent(url: str) -> Answer:
        status, headers, body = fhir.answer(url)
        return status, headers, json.dumps({**json.loads(body), "link": []})

    with wire(CHART) as fhir:
        fhir.on_post = silent
        fhir.fault = too_long
        ask(at)
        asked(fhir)
        assert card_ids(ask(at)) == RIGHT
        assert "history_incomplete" not in assessment(ask(at)).get("flags", ())
        assert [path for path in set(fhir.asked) if is_long(path)] == [
            path for path in set(fhir.asked) if path in fhir.posted
        ]


def test_a_type_whose_post_is_refused_later_is_asked_by_get() -> None:
    at = Desk(now=NOW)
    with wire(CHART) as fhir:
        assert card_ids(ask(at)) == RIGHT
        fhir.on_post = lambda url: outcome(405, "no") if "/Condition/" in url or "/Condition?" in url else None
        asked(fhir)
        assert card_ids(ask(at)) == RIGHT
        assert types(fhir.posted) == LONG_TYPES
        asked(fhir)
        assert card_ids(ask(at)) == RIGHT
        assert types(fhir.posted) == LONG_TYPES - {"Condition"}


def test_many_medications_behind_references_go_by_post() -> None:
    ids = [f"medication-{n:03}-{'x' * 40}" for n in range(50)]
    medications: list[Resource] = [
        {"resourceType": "Medication", "id": one, "code": {"text": "Sodium chloride 0.9 %"}} for one in ids
    ]
    given: list[Resource] = [
        {
            "resourceType": "MedicationAdministration", "id": f"given-{n}", "status": "completed",
            "subject": {"reference": f"Patient/{SCENE.patient_id}"}, "medicationReference": {"reference": f"Medication/{one}"},
            "effectiveDateTime": (NOW - timedelta(hours=n + 1)).isoformat(),
        }
        for n, one in enumerate(ids)
    ]  # fmt: skip
    with wire([*CHART, *medications, *given]) as fhir:
        assert card_ids(ask(Desk(now=NOW))) == RIGHT
    assert "Medication" in types(fhir.posted)


def test_what_is_known_of_a_server_is_known_for_an_hour_and_get_until_it_is_refused() -> None:
    seconds = 0.0
    methods = SearchMethods(clock=lambda: seconds)
    assert methods.known(BASE, "Condition") is None
    methods.settle(BASE, "Observation", Method.POST)
    methods.settle(BASE, "Condition", Method.GET)
    seconds = 3599
    assert methods.known(BASE, "Procedure") is Method.POST
    assert methods.known(BASE, "Condition") is Method.GET
    assert methods.known("https://other.example", "Procedure") is None
    methods.forget_get(BASE, "Condition")
    assert methods.known(BASE, "Condition") is Method.POST
    seconds = 3600
    assert methods.known(BASE, "Procedure") is None
