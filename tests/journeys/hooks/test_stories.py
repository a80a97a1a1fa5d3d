"""The sixteen scenarios of the clinical specification over HTTP, each by prefetch and by search."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import responses
from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.servicerequest import ServiceRequest

from example_patients.client.ehr import SERVICE_OF_HOOK
from example_patients.stories.stories import Scene, Story, hook_body, record
from tests.support.desk import SCENES, ZONE, Desk, assessment, card, card_ids, moment_of, whole_prefetch
from tests.support.fhir_wire import BASE, FhirWire

WAYS = ("search", "prefetch", "prefetch alone")


def answer_of(scene: Scene, story: Story, way: str) -> Any:
    desk = Desk(now=moment_of(scene))
    chart = record(story, scene, desk.now, ZONE)
    if way == "prefetch alone":
        return desk.call(scene.id, prefetch=whole_prefetch(chart))
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        FhirWire(chart).on(mock)
        more = {"prefetch": desk.prefetch(scene.hook, scene.patient_id)} if way == "prefetch" else {}
        return desk.call(scene.id, fhirServer=BASE, **more)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("story", "scene"), SCENES, ids=[scene.id for _, scene in SCENES])
def test_scene(story: Story, scene: Scene, way: str) -> None:
    answer = answer_of(scene, story, way)
    assert card_ids(answer) == scene.wanted
    words = " ".join(c["summary"] + " " + c["detail"] for c in answer.get_json()["cards"])
    assert scene.says in words


@pytest.mark.parametrize("ice", [True, False], ids=["with the site's ICE", "without an ICE code"])
@pytest.mark.parametrize("hook", SERVICE_OF_HOOK)
def test_a_scene_on_each_hook(hook: str, tmp_path: Path, *, ice: bool) -> None:
    desk = Desk(environ={} if ice else {"CRS_CDS_VALUE_SETS": str(tmp_path)})
    for story, scene in SCENES:
        desk.now = moment_of(scene)
        chart = whole_prefetch(record(story, scene, desk.now, ZONE))
        answer = desk.post(hook_body(scene, desk.now, hook, prefetch=chart))
        assert card_ids(answer) == scene.wanted_on(hook, ice=ice), scene.id


# c critical, w warning, i info: as the clinical specification writes them
INDICATORS = {
    "1a": "wi", "1b": "wwi", "1c": "wwi", "1d": "cwi", "2": "wi", "3": "wi", "4": "wii", "5": "wii", "6": "ci",
    "7": "wi", "8": "cii", "9": "cwi", "10": "wii", "11": "wi", "12": "wi", "13": "wi", "13f": "wi", "14": "wi",
    "14n": "ii", "15": "ii",
}  # fmt: skip


@pytest.mark.parametrize("scene_id", INDICATORS)
def test_how_urgent_each_card_is(scene_id: str) -> None:
    story, scene = next((st, sc) for st, sc in SCENES if sc.id == scene_id)
    found = answer_of(scene, story, "prefetch alone").get_json()["cards"]
    assert "".join(c["indicator"][0] for c in found) == INDICATORS[scene_id]


GRADES = {
    "1a": (2, 5, "low", 1.722222), "1b": (2, 7, "low", 2.65), "1c": (2, 9, "low", 2.65), "1d": (4, 9, "low", 2.65),
    "2": (2, 13, "low", 2.50996), "3": (2, 4, "high", 6.2), "4": (2, 4, "unknown", None), "5": (1, 3, "high", 8),
    "6": (3, 6, "low", 3), "7": (2, 6, "high", 5.5), "8": (2, 6, "high", 5.5), "9": (2, 6, "high", 5.5),
    "11": (2, 4, "high", 4), "12": (0, 9, "high", 4.444444), "13": (0, 4, "unknown", None),
    "13f": (2, 4, "unknown", None), "14": (2, 4, "high", 5.5), "14n": (1, 4, "high", 5.5),
}  # fmt: skip


@pytest.mark.parametrize("scene_id", GRADES)
def test_the_assessment_says_grade_day_and_rise(scene_id: str) -> None:
    story, scene = next((st, sc) for st, sc in SCENES if sc.id == scene_id)
    found = assessment(answer_of(scene, story, "search"))
    grade, day, category, fold = GRADES[scene_id]
    assert (found["crsGrade"], found["day"], found["il6"]["category"]) == (grade, day, category)
    assert found["il6"].get("foldChange") == (pytest.approx(fold) if fold else None)
    assert "crsGradeIsMinimum" not in found


DOSES = {
    "3": "Tocilizumab 496 mg IV", "6": "Tocilizumab 560 mg IV", "7": "Tocilizumab 560 mg IV",
    "14": "Tocilizumab 300 mg IV", "1a": "Tocilizumab 560 mg IV",
}  # fmt: skip


@pytest.mark.parametrize("scene_id", DOSES)
def test_tocilizumab_is_offered_by_weight(scene_id: str) -> None:
    story, scene = next((st, sc) for st, sc in SCENES if sc.id == scene_id)
    first = answer_of(scene, story, "search").get_json()["cards"][0]
    labels = [s["label"] for s in first["suggestions"]]
    assert any(label.startswith(DOSES[scene_id]) for label in labels), labels


def test_a_drafted_dose_is_not_suggested_again_and_the_card_stays() -> None:
    story, scene = next((st, sc) for st, sc in SCENES if sc.id == "11")
    answer = answer_of(scene, story, "search")
    assert "suggestions" not in card(answer, "toci-recommended")
    assert "Tocilizumab is drafted" in card(answer, "toci-recommended")["detail"]


def test_a_small_rise_never_withholds_tocilizumab() -> None:
    story, scene = next((st, sc) for st, sc in SCENES if sc.id == "1a")
    early = card(answer_of(scene, story, "search"), "steroid-early-low-il6")
    assert early["selectionBehavior"] == "any"
    assert [s.get("isRecommended") for s in early["suggestions"]] == [None, None]
    assert "no reason to withhold tocilizumab" in early["detail"]
    assert "do not give" not in early["detail"].lower()


@pytest.mark.parametrize(("story", "scene"), SCENES, ids=[scene.id for _, scene in SCENES])
def test_every_answer_is_what_the_protocol_wants(story: Story, scene: Scene) -> None:
    answer = answer_of(scene, story, "search")
    body = answer.get_json()
    assert not list(_empty(body, "")), "no null, empty string, object or list but for cards"
    for found in body["cards"]:
        assert len(found["summary"]) < 140
        is_last = found is body["cards"][-1]
        assert ("Does not replace institutional protocol." in found["detail"]) is is_last
        for item in found.get("extension", {}).get("org.crs-cds.evidence", ()):
            assert {"reference", "what"} <= item.keys() <= {"reference", "what", "value", "unit", "at"}
        topic = found["source"]["topic"]
        assert topic["system"] == "http://127.0.0.1:8000/CodeSystem/crs-cards"
        suggestions = found.get("suggestions", [])
        assert ("selectionBehavior" in found) is bool(suggestions)
        for suggestion in suggestions:
            (action,) = suggestion["actions"]
            models = {"MedicationRequest": MedicationRequest, "ServiceRequest": ServiceRequest}
            models[action["resource"]["resourceType"]].model_validate(action["resource"])
    assert answer.headers["Cache-Control"] == "no-store"


def _empty(value: Any, path: str) -> Any:
    if value in (None, "", {}) or (value == [] and path != ".cards"):
        yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _empty(inner, f"{path}.{key}")


def test_one_study_is_named_on_three_cards_and_only_there() -> None:
    studied: set[str] = set()
    other: set[str] = set()
    for story, scene in SCENES:
        for found in answer_of(scene, story, "search").get_json()["cards"]:
            says = "One retrospective study, not validated" in found["detail"]
            (studied if says else other).add(found["source"]["topic"]["code"])
    assert studied == {"toci-recommended", "steroid-early-low-il6", "infection-surveillance"}
    assert not studied & other


@pytest.mark.parametrize("scene_id", ["1a", "3", "4", "6", "12", "14"])
def test_each_suggestion_accepted_comes_back_as_a_draft_and_is_not_offered_again(scene_id: str) -> None:
    story, scene = next((st, sc) for st, sc in SCENES if sc.id == scene_id)
    offered = answer_of(scene, story, "prefetch alone").get_json()["cards"]
    orders = [s["actions"][0]["resource"] for c in offered for s in c.get("suggestions", ())]
    assert orders
    desk = Desk(now=moment_of(scene))
    for order in orders:
        accepted = {**order, "id": "accepted-1"}
        again = desk.post(
            {
                "hook": "order-sign",
                "hookInstance": "8c2e5c4e-4f7e-4a53-9df1-2f3c6a5a1b11",
                "context": {
                    "patientId": scene.patient_id,
                    "userId": "Practitioner/example",
                    "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": accepted}]},
                },
                "prefetch": whole_prefetch(record(story, scene, desk.now, ZONE)),
            }
        )
        labels = [s["label"] for c in again.get_json()["cards"] for s in c.get("suggestions", ())]
        taken = next(s["label"] for c in offered for s in c["suggestions"] if s["actions"][0]["resource"] == order)
        assert taken not in labels
