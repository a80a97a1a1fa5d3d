"""What the public CDS Hooks Sandbox really sends must be answered: odd shapes, foreign prefetch keys and all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from cds_server.storage.database import FeedbackRow, engine_for
from tests.support.desk import Desk, card, card_ids, chart_of, moment_of, scene_of, whole_prefetch

RECORDED = Path(__file__).parents[2] / "bundles" / "sandbox"
CALLS = [
    pytest.param(item["body"], id=f"{file.stem}-{number}")
    for file in sorted(RECORDED.glob("*.json"))
    for number, item in enumerate(json.loads(file.read_text()))
    if item["method"] == "POST" and "feedback" not in item["path"] and not file.stem.startswith("feedback")
]


@pytest.mark.parametrize("body", CALLS)
def test_a_recorded_call_without_our_data_is_refused_as_unreadable(body: dict[str, Any]) -> None:
    """Its prefetch has none of our keys and its FHIR server is not on our list: nothing could be read."""
    answer = Desk().post(body)
    assert answer.status_code == 412
    assert answer.get_json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("body", CALLS)
def test_the_same_call_is_answered_when_our_keys_are_filled(body: dict[str, Any]) -> None:
    _, scene = scene_of("3")
    desk = Desk(now=moment_of(scene))
    text = json.dumps(chart_of("3")).replace(scene.patient_id, body["context"]["patientId"])
    prefetch = body["prefetch"] | whole_prefetch(json.loads(text))
    answer = desk.post({**body, "prefetch": prefetch})
    tocilizumab = "tocilizumab" in json.dumps(body["context"])
    context = json.dumps(body["context"])
    unnamed = "MedicationRequest" in context and "medicationCodeableConcept" not in context
    concerns = body["hook"] == "patient-view" or tocilizumab or unnamed
    wanted = ("toci-recommended", "crs-grade") if concerns else ()
    if tocilizumab:  # the Sandbox drops the dose of an accepted suggestion
        wanted = ("toci-recommended", "toci-dose-check", "crs-grade")
        assert "its dose could not be read" in card(answer, "toci-dose-check")["summary"]
    assert card_ids(answer) == wanted


def test_preflights_are_answered_without_a_redirect() -> None:
    for item in json.loads((RECORDED / "preflight.json").read_text()):
        if item["method"] != "OPTIONS" or "feedback" in item["path"]:
            continue
        path = item["path"].replace("stub-", "crs-")
        answer = Desk().client.options(path, headers=item["headers"])
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] in ("*", item["headers"]["Origin"])
        allowed = answer.headers["Access-Control-Allow-Headers"].lower()
        wanted = item["headers"]["Access-Control-Request-Headers"].split(",")
        assert all(name in allowed for name in wanted)
        assert item["headers"]["Access-Control-Request-Method"] in answer.headers["Access-Control-Allow-Methods"]


def recorded(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((RECORDED / f"{name}.json").read_text())
    return found


@pytest.fixture
def sandbox(tmp_path: Path) -> Callable[[dict[str, Any]], TestResponse]:
    """The Sandbox at a service of ours: what it recorded at another, with our ids, and prefetch by our templates."""
    _, scene = scene_of("3")
    desk = Desk(now=moment_of(scene), environ={"CRS_CDS_DATABASE_URL": f"sqlite:///{tmp_path / 'log.sqlite'}"})

    def send(item: dict[str, Any]) -> TestResponse:
        path, body = item["path"].replace("stub-", "crs-"), item.get("body")
        if body is not None and "context" in body:
            text = json.dumps(chart_of("3")).replace(scene.patient_id, body["context"]["patientId"])
            body = {**body, "prefetch": body["prefetch"] | whole_prefetch(json.loads(text))}
        return desk.client.open(path, method=item["method"], headers=item["headers"], json=body)

    return send


def suggested(answer: TestResponse) -> list[str]:
    """The new orders of an answer; a change of the draft at hand is none."""
    suggestions = [s for c in answer.get_json()["cards"] for s in c.get("suggestions", ())]
    return [s["label"] for s in suggestions if s["actions"][0]["type"] == "create"]


def test_a_recorded_session_from_the_chart_to_feedback(
    sandbox: Callable[[dict[str, Any]], TestResponse], tmp_path: Path
) -> None:
    """Patient view, an order begun, another drug, tocilizumab accepted, signed: and what was said of the cards."""
    discovery, view = recorded("patient-view")
    assert sandbox(discovery).get_json()["services"]
    assert card_ids(sandbox(view)) == ("toci-recommended", "crs-grade")
    (unnamed,) = recorded("order-select-empty")
    assert "toci-recommended" in card_ids(sandbox(unnamed)), "a draft without a drug may be any"
    (methotrexate,) = recorded("order-select-medication")
    assert card_ids(sandbox(methotrexate)) == (), "an order that has nothing to do with it"
    begun, *accepted = recorded("order-select-after-accepting-tocilizumab")
    first = sandbox(begun)
    assert any("Tocilizumab" in label for label in suggested(first))
    for item in accepted:
        again = sandbox(item)
        assert suggested(again) == [], "what was accepted comes back as a draft and is not suggested again"
        assert "toci-dose-check" in card_ids(again), "the Sandbox drops the dose"
    told, after = recorded("feedback-accepted")
    shown = card(first, "toci-recommended")
    entry = told["body"]["feedback"][0]
    entry["card"], entry["acceptedSuggestions"] = shown["uuid"], [{"id": shown["suggestions"][0]["uuid"]}]
    assert sandbox(told).get_json() == {}
    assert suggested(sandbox(after)) == []
    (sign,) = recorded("order-sign")
    signed = sandbox(sign)
    assert suggested(signed) == []
    said = [recorded("feedback-overridden"), recorded("feedback-overridden-plain")]
    for number, (overridden,) in enumerate(said):
        overridden["path"] = "/cds-services/stub-order-sign/feedback"
        overridden["body"]["feedback"][0]["card"] = signed.get_json()["cards"][number]["uuid"]
        assert sandbox(overridden).get_json() == {}
    engine = engine_for(f"sqlite:///{tmp_path / 'log.sqlite'}")
    with Session(engine) as session:
        kept = [(f.outcome, f.matched, f.reasons) for f in session.scalars(select(FeedbackRow))]
    engine.dispose()
    assert sorted(kept) == [
        ("accepted", True, []), ("overridden", True, []),
        ("overridden", True, ["http://example.org/reasons|reason-a"]),
    ]  # fmt: skip
