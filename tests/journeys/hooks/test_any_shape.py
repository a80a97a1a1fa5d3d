"""Properties: whatever is broken in a call gets an answer or a clear error, and order never matters."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from example_patients.client.ehr import SERVICE_OF_HOOK
from example_patients.stories.stories import Scene, hook_body
from tests.support.desk import SCENES, Desk, assessment, chart_of, moment_of, whole_prefetch
from tests.support.every_field import places, with_value

DESK = Desk()
JUNK: list[Any] = [
    None, "", [], {}, 0, -1, 1e20, True, "x" * 1000, "<script>alert(1)</script>", "2026-13-45", "2026", "NaN", "#", "😀",
    "9999-12-31T23:59:59+14:00", "0001-01-01T00:00:00Z", "2026-03-06T10:00:00", {"a": 1}, [None], [[]], "\u0000",
    {"reference": "#x"}, {"coding": [{"code": "8310-5"}]}, {"value": "5"}, 1.5, "Patient/other",
]  # fmt: skip
scenes = st.sampled_from([scene for _, scene in SCENES])


def called(scene: Scene) -> dict[str, Any]:
    return hook_body(scene, moment_of(scene), prefetch=whole_prefetch(chart_of(scene.id)))


def answer_to(scene: Scene, body: dict[str, Any]) -> Any:
    DESK.now = moment_of(scene)
    service = SERVICE_OF_HOOK[scene.hook]
    return DESK.client.post(f"/cds-services/{service}", data=json.dumps(body), content_type="application/json")


@settings(max_examples=400, deadline=None, derandomize=True)
@given(scene=scenes, data=st.data())
def test_one_broken_field_gets_an_answer_or_a_clear_error(scene: Scene, data: st.DataObject) -> None:
    body = called(scene)
    path = data.draw(st.sampled_from(list(places(body))))
    answer = answer_to(scene, with_value(body, path, data.draw(st.sampled_from(JUNK))))
    assert answer.status_code in (200, 400, 412)
    if answer.status_code == 200:
        assert "cards" in answer.get_json()
    else:
        assert all(issue["diagnostics"] for issue in answer.get_json()["issue"])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(scene=scenes, random=st.randoms(use_true_random=False))
def test_the_order_of_resources_never_matters(scene: Scene, random: Any) -> None:
    body = called(scene)
    before = assessment(answer_to(scene, body))
    for bundle in body["prefetch"].values():
        if bundle and "entry" in bundle:
            random.shuffle(bundle["entry"])
    after = assessment(answer_to(scene, body))
    assert {**before, "evidence": sorted(before.get("evidence", []))} == {
        **after,
        "evidence": sorted(after.get("evidence", [])),
    }
