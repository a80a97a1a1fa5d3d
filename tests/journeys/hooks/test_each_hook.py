"""Each hook: what a call of it must hold, and what it shows for one patient."""

from __future__ import annotations

from typing import Any

import pytest

from example_patients.client.ehr import SERVICE_OF_HOOK
from example_patients.stories.stories import hook_body
from tests.support.answers import comparable
from tests.support.desk import SCENES, Desk, card_ids, chart_of, moment_of, scene_of, whole_prefetch
from tests.support.tables import rows

# Patient 3 has CRS of grade 2 and a high IL-6 rise; an order hook asks beside a draft of ondansetron
HOOKS = rows("""
| hook            | service             | the context must hold        | shows                       |
| patient-view    | crs-patient-view    | userId patientId             | toci-recommended, crs-grade |
| encounter-start | crs-encounter-start | userId patientId encounterId | toci-recommended, crs-grade |
| order-select    | crs-order-select    | userId patientId             | –                           |
| order-sign      | crs-order-sign      | userId patientId             | –                           |
""")
REQUIRED = [(row["hook"], field) for row in HOOKS for field in row["the context must hold"].split()]
each_hook = pytest.mark.parametrize("row", HOOKS, ids=lambda row: row["hook"])


def body_of(hook: str) -> dict[str, Any]:
    _, scene = scene_of("3")
    return hook_body(scene, moment_of(scene), hook, prefetch=whole_prefetch(chart_of("3")))


def test_every_service_of_discovery_is_in_the_table_and_known_to_the_example_client() -> None:
    services = Desk().client.get("/cds-services").get_json()["services"]
    assert [(s["hook"], s["id"]) for s in services] == [(row["hook"], row["service"]) for row in HOOKS]
    assert {row["hook"]: row["service"] for row in HOOKS} == SERVICE_OF_HOOK


@each_hook
def test_a_hook_shows(row: dict[str, str]) -> None:
    _, scene = scene_of("3")
    shown = card_ids(Desk(now=moment_of(scene)).post(body_of(row["hook"])))
    assert (", ".join(shown) or "–") == row["shows"]


@pytest.mark.parametrize(("hook", "field"), REQUIRED)
@pytest.mark.parametrize("value", [None, "", "left out"])
def test_without_a_field_that_the_context_must_hold_a_call_is_refused(hook: str, field: str, value: Any) -> None:
    body = body_of(hook)
    body["context"][field] = value
    if value == "left out":
        del body["context"][field]
    answer = Desk().post(body)
    assert answer.status_code == 400
    (issue,) = answer.get_json()["issue"]
    assert issue["expression"] == [f"context.{field}"]


@each_hook
def test_a_service_answers_no_other_hook(row: dict[str, str]) -> None:
    answer = Desk().post({**body_of(row["hook"]), "hook": "appointment-book"}, row["service"])
    assert answer.status_code == 400
    assert answer.get_json()["issue"][0]["diagnostics"] == f"hook: must be {row['hook']}, the hook of this service"


@pytest.mark.parametrize("scene_id", [scene.id for _, scene in SCENES])
def test_encounter_start_says_what_patient_view_says(scene_id: str) -> None:
    _, scene = scene_of(scene_id)
    desk = Desk(now=moment_of(scene))
    said = [
        desk.post(hook_body(scene, desk.now, hook, prefetch=whole_prefetch(chart_of(scene_id))))
        for hook in ("patient-view", "encounter-start")
    ]
    viewed, started = (comparable(answer.get_data(as_text=True)) for answer in said)
    assert started == viewed
