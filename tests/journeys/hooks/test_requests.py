"""How often a FHIR server is asked for one call: it depends on the window, never on the chart."""

from __future__ import annotations

import json
import threading
import time
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path
from urllib.parse import parse_qsl, unquote

import pytest

from example_patients.stories.stories import Scene
from tests.support.by_search import body_for, wire
from tests.support.desk import (
    ASSESSMENT,
    Desk,
    assessment,
    bundle,
    card_ids,
    chart_of,
    moment_of,
    scene_of,
    without_uuids,
)
from tests.support.fhir_wire import Resource
from tests.support.program import crs_cds, written
from tests.support.tables import rows

DAYS = 90
BEFORE_DAY_0 = 30  # how far back the administrations of a course are read
# a third of a long stay's results have a code that is asked for
CODES = ("8867-4", "9279-1", "8310-5")


def long_stay(scene: Scene, administrations: int, observations: int) -> list[Resource]:
    """Drugs and observations that say nothing new, spread over 90 days up to the call."""
    now, subject = moment_of(scene), {"reference": f"Patient/{scene.patient_id}"}

    def at(number: int, of: int) -> str:
        return (now - timedelta(days=DAYS) * ((number + 1) / (of + 1))).isoformat(timespec="seconds")

    given: list[Resource] = [
        {
            "resourceType": "MedicationAdministration", "id": f"saline-{n}", "status": "completed", "subject": subject,
            "medicationCodeableConcept": {"text": "Sodium chloride 0.9 %"}, "effectiveDateTime": at(n, administrations),
        }
        for n in range(administrations)
    ]  # fmt: skip
    seen: list[Resource] = [
        {
            "resourceType": "Observation", "id": f"sign-{n}", "status": "final", "subject": subject,
            "code": {"coding": [{"system": "http://loinc.org", "code": CODES[n % 3]}]},
            "valueQuantity": {"value": 36.5, "unit": "Cel", "system": "http://unitsofmeasure.org", "code": "Cel"},
            "effectiveDateTime": at(n, observations),
        }
        for n in range(observations)
    ]  # fmt: skip
    return [*given, *seen]


CHARTS = rows("""
| scene | administrations | observations | page | because                                             |
| 3     | 0               | 0            | 1000 | a small chart                                       |
| 16    | 0               | 0            | 1000 | a small chart without a course                      |
| 3     | 20000           | 50000        | 1000 | a long stay                                         |
| 3     | 20000           | 50000        | 500  | a long stay on a server that sends 500 at most      |
| 16    | 20000           | 50000        | 1000 | a long stay without a course                        |
""")


@pytest.mark.parametrize("row", CHARTS, ids=lambda row: row["because"])
def test_at_most_17_and_one_for_each_500_administrations_of_the_window_never_above_60(row: dict[str, str]) -> None:
    _, scene = scene_of(row["scene"])
    desk = Desk(now=moment_of(scene), environ={"CRS_CDS_BUDGET_SECONDS": "100"})
    administrations = int(row["administrations"])
    small = chart_of(row["scene"])
    with wire([*small, *long_stay(scene, administrations, int(row["observations"]))]) as server:
        server.page = int(row["page"])
        answer = desk.post(body_for(scene.patient_id, "patient-view", None))
    day = assessment(answer).get("day")
    window = 60 if day is None else day + BEFORE_DAY_0
    drugs = sum(r["resourceType"] == "MedicationAdministration" for r in small)
    print(f"{row['because']}: {len(server.asked)} requests")
    assert card_ids(answer) == scene.wanted, "the same answer as from the small chart"
    assert len(server.asked) <= 17 + ceil((administrations * window / DAYS + drugs) / 500)
    assert len(server.asked) <= 60


def test_a_record_of_more_pages_than_a_call_may_read_is_said_and_never_above_the_limit() -> None:
    _, scene = scene_of("3")
    desk = Desk(now=moment_of(scene), environ={"CRS_CDS_BUDGET_SECONDS": "100", "CRS_CDS_MAX_PAGES": "60"})
    with wire([*chart_of("3"), *long_stay(scene, 5000, 0)]) as server:
        server.page = 20
        answer = desk.post(body_for(scene.patient_id, "patient-view", None))
    assert len(server.asked) <= 60
    assert "toci-recommended" not in card_ids(answer), "a dose may stand on a page that was not read"
    assert "could not all be read" in answer.get_data(as_text=True)


def dense_ward(scene: Scene, *, all_signs: bool = True) -> list[Resource]:
    """5,000 Observations, all or a third of them temperatures, and 1,000 administrations since the infusion."""
    now, hours = moment_of(scene), 24 * 3.9

    def at(number: int, of: int) -> str:
        return (now - timedelta(hours=hours) * ((number + 1) / (of + 1))).isoformat(timespec="seconds")

    signs, drugs = long_stay(scene, 0, 5000), long_stay(scene, 1000, 0)
    temperature = {"coding": [{"system": "http://loinc.org", "code": "8310-5"}]}
    return [
        *(
            {**r, "effectiveDateTime": at(n, 5000), **({"code": temperature} if all_signs else {})}
            for n, r in enumerate(signs)
        ),
        *({**r, "effectiveDateTime": at(n, 1000)} for n, r in enumerate(drugs)),
    ]


@pytest.mark.parametrize(("all_signs", "most"), [(False, 100), (True, 155)])
def test_a_dense_chart_is_read_whole_from_a_server_that_sends_50_at_a_time(all_signs: bool, most: int) -> None:
    """Signs alone take 100 pages where each Observation is one, administrations 20, and the other searches 15."""
    _, scene = scene_of("3")
    desk = Desk(now=moment_of(scene), environ={"CRS_CDS_BUDGET_SECONDS": "100"})
    with wire([*chart_of("3"), *dense_ward(scene, all_signs=all_signs)]) as server:
        server.page = 50
        answer = desk.post(body_for(scene.patient_id, "patient-view", None))
        requests = len(server.asked)
    print(f"5,000 Observations and 1,000 administrations at 50 a page: {requests} requests")
    assert requests <= most
    assert "Could not be read" not in answer.get_data(as_text=True)
    assert "history_incomplete" not in assessment(answer).get("flags", ())


def test_signs_without_end_leave_the_searches_that_decide_their_requests() -> None:
    """The doses are known, and the signs that could not all be read are said."""
    _, scene = scene_of("3")
    desk = Desk(now=moment_of(scene), environ={"CRS_CDS_BUDGET_SECONDS": "100", "CRS_CDS_MAX_PAGES": "120"})
    with wire([*chart_of("3"), *dense_ward(scene)]) as server:
        server.page = 50
        answer = desk.post(body_for(scene.patient_id, "patient-view", None))
        assert len(server.asked) <= 120
    assert "history_incomplete" not in assessment(answer).get("flags", ())
    assert assessment(answer)["il6"]["foldChange"] > 1
    assert "vital signs" in answer.get_data(as_text=True).partition("Could not be read")[2]


def test_a_search_by_code_that_comes_a_moment_later_saves_a_round() -> None:
    """It shows the infusion: what is read of the time before then begins where the course asks for it."""
    _, scene = scene_of("3")
    others = threading.Barrier(2)

    def late(url: str) -> None:
        if "/MedicationAdministration?" in url and "effective-time=ge" in url and "effective-time=lt" not in url:
            time.sleep(2)  # the round takes so long
            others.wait(timeout=20)
        elif "/MedicationAdministration?" in url and "&code=" in url:
            others.wait(timeout=20)
            time.sleep(0.05)

    with wire(chart_of("3"), late) as server:
        answer = Desk(now=moment_of(scene)).post(body_for(scene.patient_id, "patient-view", None))
    assert card_ids(answer) == scene.wanted
    earlier = [path for path in server.asked if "effective-time=lt" in unquote(path)]
    opens = moment_of(scene) - timedelta(days=assessment(answer)["day"] + BEFORE_DAY_0 + 1)
    since = [value for path in earlier for _, value in parse_qsl(path) if value.startswith("ge")]
    assert [datetime.fromisoformat(value[2:]) >= opens for value in since] == [True]


# all of it lies before the last 48 h, which are what the first searches read
FAR_BACK = rows("""
| scene | page | baseline | doses           | because                                               |
| 2     | 1000 | 25.1     | 2 (10 Mar 10:00 | day 13: baseline and first dose are days ago          |
| 1d    | 1000 | 18       | 2 (9 Mar 10:00  | day 9: a fever that began four days ago               |
| 16    | 1000 | –        | –               | no course, and all of two months was read             |
| 2     | 60   | 25.1     | 2 (10 Mar 10:00 | day 13, in slices of time side by side                |
| 1d    | 60   | 18       | 2 (9 Mar 10:00  | day 9, in slices of time side by side                 |
""")


@pytest.mark.parametrize("row", FAR_BACK, ids=lambda row: row["because"])
def test_narrow_searches_of_a_chart_of_50000_say_what_the_whole_chart_says(row: dict[str, str], tmp_path: Path) -> None:
    _, scene = scene_of(row["scene"])
    chart = [*chart_of(row["scene"]), *long_stay(scene, 5_000, 50_000)]
    with wire(chart) as server:
        server.page = int(row["page"])
        desk = Desk(now=moment_of(scene), environ={"CRS_CDS_BUDGET_SECONDS": "100"})
        narrow = desk.post(body_for(scene.patient_id, "patient-view", None)).get_json()
    recorded = written(tmp_path, "chart.json", bundle(chart))
    whole = json.loads(crs_cds("explain", recorded, "--at", moment_of(scene).isoformat(), "--json").stdout)
    assert without_uuids(narrow) == without_uuids(whole)
    details = " ".join(card["detail"] for card in narrow["cards"])
    assert row["doses"] == "–" or f"doses in this course: {row['doses']}" in details
    baseline = narrow["extension"][ASSESSMENT].get("il6", {}).get("baseline")
    assert (f"{baseline['value']:g}" if baseline else "–") == row["baseline"]
