"""OperationOutcomes among the entries of a searchset: a remark changes nothing, an error is a search that failed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.support.by_search import ask, wire
from tests.support.desk import ASSESSMENT, Desk, card, card_ids, chart_of, scene_of, whole_prefetch
from tests.support.fhir_wire import BASE, Answer, FhirWire, Resource
from tests.support.tables import rows

EPIC = "urn:oid:1.2.840.114350.1.13.0.1.7.2.657369"
# the results are used either way; a failure leaves the key in part, or, where it has no results, unread
ISSUES = rows("""
| severity    | code         | epic  | is      | because                                               |
| warning     | processing   | 4119  | remark  | Epic: perhaps not the entire record, in every answer  |
| warning     | suppressed   | 4119  | remark  | Epic: the same, whatever its code                     |
| warning     | processing   | 4101  | remark  | Epic: no results                                      |
| information | informational| –     | remark  | HAPI: nothing to say                                  |
| warning     | not-supported| –     | remark  | Sekmet: a parameter was ignored                       |
| WARNING     | processing   | –     | remark  | capitals                                              |
| success     | informational| –     | remark  | R5                                                    |
| error       | processing   | –     | failure | an error                                              |
| fatal       | exception    | –     | failure | worse                                                 |
| error       | processing   | 4119  | failure | an error, whatever Epic's code                        |
| error       | informational| –     | failure | the severity decides                                  |
| warning     | suppressed   | –     | failure | results were withheld                                 |
| information | suppressed   | 59204 | failure | Epic: the client is not authorized for a part         |
| warning     | forbidden    | –     | failure | results were withheld                                 |
| information | security     | –     | failure | results were withheld                                 |
| warning     | incomplete   | –     | failure | a source of results did not answer                    |
| warning     | timeout      | –     | failure | the same                                              |
| –           | processing   | –     | failure | no severity says that it is a remark                  |
| severe      | processing   | –     | failure | none of FHIR's                                        |
""")
MODES = {"without search.mode": {}, "mode outcome": {"search": {"mode": "outcome"}}, "mode match": {"search": {"mode": "match"}}}  # fmt: skip


def outcome(*issues: Mapping[str, Any]) -> Resource:
    return {"resourceType": "OperationOutcome", "issue": list(issues)}


def issue_of(row: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {name: row[name] for name in ("severity", "code") if row[name] != "–"}
    if row["epic"] != "–":
        found["details"] = {"coding": [{"system": EPIC, "code": row["epic"]}], "text": "…"}
    return found


WORST = [
    (outcome({"severity": "warning"}, {"severity": "error"}), "failure"),
    (outcome({"severity": "information"}, {"severity": "warning", "code": "suppressed"}), "failure"),
    (outcome({"severity": "information"}, {"severity": "warning", "code": "not-found"}), "remark"),
    (outcome(), "failure"),
    ({"resourceType": "OperationOutcome"}, "failure"),
    ({"resourceType": "OperationOutcome", "issue": {"severity": "warning"}}, "failure"),
    ({"issue": [{"severity": "warning"}], "resourceType": "OperationOutcome"}, "remark"),
]
OUTCOMES = [(outcome(issue_of(row)), row["is"]) for row in ISSUES] + WORST
NAMES = [f"{row['severity']} {row['code']}: {row['because']}" for row in ISSUES] + [
    json.dumps(o)[:60] for o, _ in WORST
]


def by_prefetch(entry: Resource, key: str = "il6Crp", *, results: bool = True) -> TestResponse:
    """The answer to scene 3, one key with an entry more, with or without its results."""
    prefetch = whole_prefetch(chart_of("3"))
    found = prefetch[key]
    found["entry"] = [*(found["entry"] if results else []), entry]
    found["total"] = len(found["entry"]) - 1
    return Desk().call("3", prefetch=prefetch)


def by_search(entry: Resource, also: str = "26881-3", *, results: bool = True) -> TestResponse:
    """The same, as the FHIR server's own answer."""
    chart = FhirWire(chart_of("3"))

    def fault(url: str) -> Answer | None:
        if also not in url:
            return None
        found = json.loads(chart.answer(url)[2])
        found["entry"] = [*(found.get("entry", []) if results else []), entry]
        found["total"] = len(found["entry"]) - 1
        return 200, {}, json.dumps(found)

    return ask("3", fault)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("found", "what"), OUTCOMES, ids=NAMES)
def test_an_outcome_is_a_remark_or_a_failure(found: Resource, what: str, mode: str) -> None:
    entry = {"resource": found, **MODES[mode]}
    wanted = {"remark": "toci-recommended", "failure": "toci-guideline"}[what]
    assert {card_ids(by_prefetch(entry))[0], card_ids(by_search(entry))[0]} == {wanted}


def test_an_outcome_of_nothing_but_a_remark_is_nothing_on_record() -> None:
    """No IL-6 was ever measured, and nobody failed to read it."""
    remark = {"resource": outcome({"severity": "warning", "code": "processing"})}
    for answer in (by_prefetch(remark, results=False), by_search(remark, results=False)):
        assert answer.get_json()["extension"][ASSESSMENT]["il6"]["reason"] == "no_baseline"
        assert "Could not be read" not in card(answer, "crs-grade")["detail"]


@pytest.mark.parametrize("results", [True, False])
def test_an_error_is_said_and_is_never_nothing_on_record(*, results: bool) -> None:
    error = {"resource": outcome({"severity": "error", "code": "forbidden"})}
    for answer in (by_prefetch(error, results=results), by_search(error, results=results)):
        assert answer.get_json()["extension"][ASSESSMENT]["il6"]["reason"] == "not_read"
        assert "Could not be read**: IL-6 and CRP" in card(answer, "crs-grade")["detail"]


@pytest.mark.parametrize("results", [True, False])
def test_administrations_withheld_are_never_no_doses(*, results: bool) -> None:
    """The example of the issue: "tocilizumab recommended, 0 doses". The infusion stands among the procedures too."""
    error = {"resource": outcome({"severity": "error", "code": "forbidden"})}
    prefetch = whole_prefetch([*chart_of("3"), infusion()])
    found = prefetch["recentAdministrations"]
    found["entry"] = [*(found["entry"] if results else []), error]
    answer = Desk().call("3", prefetch=prefetch)
    assert card_ids(answer)[0] == "toci-guideline"
    assert "suggestions" not in card(answer, "toci-guideline")
    assert "at least 0" in card(answer, "crs-grade")["detail"]


def infusion() -> Resource:
    _, scene = scene_of("3")
    return {
        "resourceType": "Procedure", "id": "inf", "status": "completed", "performedDateTime": "2026-03-02T10:00:00+08:00",
        "subject": {"reference": f"Patient/{scene.patient_id}"},
        "code": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "38228"}]},
    }  # fmt: skip


def test_an_outcome_is_no_match_of_a_full_page() -> None:
    """500 results are a full page; 499 and a remark are not."""
    prefetch = whole_prefetch(chart_of("3"))
    found = prefetch["recentAdministrations"]
    one = found["entry"][0]["resource"]
    more = [
        {"resource": {**one, "id": f"saline-{n}", "medicationCodeableConcept": {"text": "saline"}}} for n in range(498)
    ]
    found["entry"] = [{"resource": one}, *more, {"resource": outcome({"severity": "warning", "code": "processing"})}]
    assert card_ids(Desk().call("3", prefetch=prefetch))[0] == "toci-recommended"


def test_a_key_that_came_in_part_with_an_error_is_not_asked_for_again() -> None:
    prefetch = whole_prefetch(chart_of("3"))
    prefetch["vitals"]["entry"].append({"resource": outcome({"severity": "error", "code": "timeout"})})
    with wire(chart_of("3")) as found:
        answer = Desk().call("3", fhirServer=BASE, prefetch=prefetch)
        assert not any("8310-5" in path for path in found.asked)
    assert "vital signs" in card(answer, "crs-grade")["detail"]
