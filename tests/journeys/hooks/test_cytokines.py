"""Cytokines for display over HTTP: a key and a search of their own, and nothing but a line that depends on them."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.support.by_search import ask, failing, wire
from tests.support.desk import Desk, assessment, card, card_ids, chart_of, moment_of, scene_of, whole_prefetch
from tests.support.fhir_wire import BASE, Resource
from tests.support.tables import patient

CODE = "26848-2"
IL6_AND_CRP = (
    "Observation?patient={{context.patientId}}&code=http://loinc.org|26881-3,http://loinc.org|1988-5,"
    "http://loinc.org|30522-7,http://loinc.org|71426-1,http://loinc.org|48421-2,http://loinc.org|76485-2,"
    "http://loinc.org|76486-0&_sort=-date&_count=500"
)


def chart() -> list[Resource]:
    """The patient of scene 3, who has a rise of IL-10 too."""
    _, scene = scene_of("3")
    samples = [r for r in patient("il10 12 @D0 08:00; il10 96 @D4 07:00") if r["resourceType"] == "Observation"]
    subject = {"reference": f"Patient/{scene.patient_id}"}
    return [*chart_of("3"), *({**r, "id": f"il10-{n}", "subject": subject} for n, r in enumerate(samples))]


def templates() -> dict[str, str]:
    found: dict[str, str] = Desk().client.get("/cds-services").get_json()["services"][0]["prefetch"]
    return found


def without_il10(answer: TestResponse) -> Any:
    """Cards and reasoning but for what is said of cytokines."""
    found = answer.get_json()
    grade = card(answer, "crs-grade")
    kept = [line for line in grade["detail"].splitlines() if "IL-10" not in line and "cytokines" not in line]
    reasoning = {k: v for k, v in assessment(answer).items() if k not in ("il10", "evidence")}
    cards = [{**c, "uuid": "", "suggestions": len(c.get("suggestions", ()))} for c in found["cards"] if c != grade]
    return cards, kept, reasoning


def test_they_have_a_key_of_their_own_and_no_template_that_a_site_has_typed_in_changes() -> None:
    assert templates()["il6Crp"] == IL6_AND_CRP
    assert templates()["cytokines"] == (
        f"Observation?patient={{{{context.patientId}}}}&code=http://loinc.org|{CODE}&_sort=-date&_count=200"
    )


def test_sent_along_they_stand_in_the_reasoning_without_a_category() -> None:
    answer = Desk().call("3", prefetch=whole_prefetch(chart()))
    found = assessment(answer)
    assert (found["il10"]["foldChange"], set(found["il10"])) == (8, {"foldChange", "baseline", "peak"})
    assert {found["il10"][name]["reference"] for name in ("baseline", "peak")} < set(found["evidence"])
    assert "**IL-10** 96 pg/mL: no limit is known" in card(answer, "crs-grade")["detail"]


def test_a_client_that_does_not_send_them_and_names_no_server_gets_the_same_answer_as_before() -> None:
    prefetch = whole_prefetch(chart_of("3"))
    absent = {key: value for key, value in prefetch.items() if key != "cytokines"}
    without, none = (Desk().call("3", prefetch=sent) for sent in (absent, prefetch))
    assert "cytokines" not in without.get_data(as_text=True)
    assert without_il10(without) == without_il10(none)


def test_they_are_searched_for_by_themselves_where_they_were_not_sent() -> None:
    _, scene = scene_of("3")
    with wire(chart()) as found:
        answer = Desk(now=moment_of(scene)).call("3", fhirServer=BASE)
    assert assessment(answer)["il10"]["foldChange"] == 8
    assert len([path for path in found.asked if CODE in path]) == 1
    assert not any(CODE in path and "26881-3" in path for path in found.asked)


@pytest.mark.parametrize("status", [400, 403, 500])
def test_a_search_for_them_that_fails_changes_nothing_but_what_crs_grade_names(status: int) -> None:
    whole = ask("3", lambda _: None, chart=chart())
    answer = ask("3", failing("Observation", status, also=CODE), chart=chart())
    assert "**Could not be read**: cytokines." in card(answer, "crs-grade")["detail"]
    assert "il10" not in assessment(answer)
    assert (card_ids(answer), without_il10(answer)) == (card_ids(whole), without_il10(whole))


def test_what_the_client_could_not_read_is_said_too() -> None:
    failed = {"resourceType": "OperationOutcome", "issue": []}
    answer = Desk().call("3", prefetch={**whole_prefetch(chart_of("3")), "cytokines": failed})
    assert "**Could not be read**: cytokines." in card(answer, "crs-grade")["detail"]
    assert card_ids(answer) == ("toci-recommended", "crs-grade")
