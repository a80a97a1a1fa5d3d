"""The order desk's server: a story as of any of its moments, orders signed, and what it refuses to write."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import requests
import responses

from cards.deciding.dose_check import tocilizumab_dose
from example_patients.programs.seed import examples, reference_of
from example_patients.stories.stories import PREFIX, STORIES, Story, hook_body
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.weight import Weight
from order_desk.routes import desk as desk_pages
from order_desk.shown import SHOWN, order_templates
from order_desk.story_clock import desk_patient, is_in, moments, record_at
from order_desk.story_patient import signed, write_anew, write_orders
from tests.support.desk import SCENES, Desk, assessment, card_ids, whole_prefetch
from tests.support.fhir_shelf import FhirShelf
from tests.support.fhir_wire import BASE
from tests.support.tables import name_of, rows

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
DEMO = "http://127.0.0.1:1/fhir"  # nobody listens there


def story_of(story_id: str) -> Story:
    return next(story for story in STORIES if story.id == story_id)


def joined(**environ: str) -> Desk:
    """The service with the desk joined to it, as `wsgi.py` does in development."""
    desk = Desk(now=NOW, environ=environ)
    desk.client.application.register_blueprint(desk_pages)
    return desk


@pytest.fixture
def shelf() -> Iterator[FhirShelf]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield FhirShelf([]).on(mock)


@pytest.mark.parametrize(("story", "scene"), SCENES, ids=lambda one: one.id)
def test_at_the_moment_of_a_scene_the_desk_s_patient_gets_its_cards(story: Story, scene: Any) -> None:
    desk = Desk(now=NOW, environ={"CRS_CDS_TIMEZONE": "UTC"})
    chart = record_at(story, scene.call, NOW, UTC)
    body = hook_body(scene, NOW, prefetch=whole_prefetch(chart))
    body["context"]["patientId"] = desk_patient(story)
    if "draftOrders" in body["context"]:
        subject = {"reference": f"Patient/{desk_patient(story)}"}
        body["context"]["draftOrders"]["entry"][0]["resource"]["subject"] = subject
    answer = desk.post(body)
    assert card_ids(answer) == scene.wanted
    assert assessment(answer).get("day", scene.call[0]) == scene.call[0]


@pytest.mark.parametrize("story", STORIES, ids=lambda one: one.id)
def test_a_story_can_be_stepped_through_and_each_step_charts_more(story: Story) -> None:
    steps = moments(story)
    assert steps == sorted(set(steps))
    assert all(is_in(story, moment) for moment in steps)
    sizes = [len(record_at(story, moment, NOW, UTC)) for moment in steps]
    assert sizes == sorted(sizes)
    assert {scene.call for scene in story.scenes} <= set(steps)


def test_the_first_story_by_its_moments() -> None:
    assert [f"D{day} {clock}" for day, clock in moments(story_of("1"))] == [
        "D5 06:00", "D5 07:00", "D5 09:30", "D5 10:00", "D6 09:30", "D7 06:00", "D7 09:30", "D7 09:45", "D7 10:00",
        "D8 09:30", "D9 06:00", "D9 08:30", "D9 09:00", "D9 10:00", "D9 14:00", "D9 14:30", "D9 15:00",
    ]  # fmt: skip


def test_the_label_dose_on_the_button_is_that_of_the_weight() -> None:
    assert set(SHOWN) == {story.id for story in STORIES}
    for story in STORIES:
        record = record_at(story, story.scenes[-1].call, NOW, UTC)
        kg = next(r["valueQuantity"]["value"] for r in record if "Body weight" in str(r))
        weight = Weight("Observation/w", Decimal(str(kg)), NOW)
        assert SHOWN[story.id].tocilizumab_mg == tocilizumab_dose(weight, Thresholds()), story.id


WHAT_DRAFTS_DO = rows("""
    | draft                   | cards                                                     | because                          |
    | Tocilizumab 496 mg IV   | toci-recommended, crs-grade                               | it is what the study recommends  |
    | Dexamethasone 10 mg IV  | toci-recommended, crs-grade                               | a steroid concerns CRS           |
    | Ondansetron (unrelated) |                                                           | it has nothing to do with CRS    |
    """)


@pytest.mark.parametrize("row", WHAT_DRAFTS_DO, ids=name_of)
def test_a_draft_of_the_desk_is_understood(row: dict[str, str]) -> None:
    story = story_of("3")
    draft = {**order_templates(desk_patient(story), 496)[row["draft"]], "id": "draft-1"}
    chart = record_at(story, story.scenes[0].call, NOW, UTC)
    body = hook_body(story.scenes[0], NOW, "order-sign", prefetch=whole_prefetch(chart))
    entry = [{"resource": draft}]
    body["context"] |= {"patientId": desk_patient(story), "draftOrders": {"resourceType": "Bundle", "entry": entry}}
    answer = Desk(now=NOW, environ={"CRS_CDS_TIMEZONE": "UTC"}).post(body)
    assert ", ".join(card_ids(answer)) == row["cards"]


def test_moved_back_the_chart_has_nothing_of_later_and_other_patients_are_left_alone(shelf: FhirShelf) -> None:
    story, other = story_of("1"), examples(NOW, UTC)
    shelf.resources = list(other.values())
    early, late = (record_at(story, moment, NOW, UTC) for moment in ((5, "10:00"), (9, "15:00")))
    with requests.Session() as session:
        write_anew(BASE, session, late)
        write_orders(BASE, session, [signed(order_templates("x", 560)["Blood culture"], desk_patient(story), NOW)])
        write_anew(BASE, session, early)
    assert all(reference in {reference_of(r) for r in shelf.resources} for reference in other)
    of_the_desk = {reference_of(r) for r in shelf.resources if r["id"].startswith(f"{PREFIX}-desk-")}
    unused_drugs = {reference for reference in of_the_desk if reference.startswith("Medication/")}
    assert of_the_desk - unused_drugs == {reference_of(r) for r in early}


def test_a_signed_order_is_active_and_of_the_desk_s_patient_whatever_was_sent() -> None:
    sent = {"resourceType": "MedicationRequest", "id": "1", "status": "draft", "subject": {"reference": "Patient/2"}}
    order = signed(sent, "crs-cds-example-desk-1", NOW)
    assert (order["status"], order["subject"]) == ("active", {"reference": "Patient/crs-cds-example-desk-1"})
    assert order["id"].startswith("crs-cds-example-desk-1-order-")


REFUSED = rows("""
    | path                   | body                                        | status | because                           |
    | stories/99/clock       | {"day": 5, "clock": "10:00"}                | 404    | there is no such story            |
    | stories/1/clock        | {"day": 0, "clock": "10:00"}                | 400    | day 0 cannot be moved             |
    | stories/1/clock        | {"day": 11, "clock": "10:00"}               | 400    | the story is over                 |
    | stories/1/clock        | {"day": "5", "clock": "10:00"}              | 400    | a day is a number                 |
    | stories/1/clock        | {"day": 5, "clock": "24:00"}                | 400    | there is no such time             |
    | stories/1/clock        | {"day": 5}                                  | 400    | a time is wanted                  |
    | stories/1/clock        | [5]                                         | 400    | not an object                     |
    | stories/1/orders       | {"orders": []}                              | 400    | nothing to sign                   |
    | stories/1/orders       | {"orders": [{"resourceType": "Patient"}]}   | 400    | only orders are signed            |
    | stories/1/orders       | {"orders": [{"resourceType": ["Patient"]}]} | 400    | a type is a text                  |
    | stories/1/clock        | {"day": 5, "clock": "10:00"}                | 502    | the FHIR server does not answer   |
    """)


@pytest.mark.parametrize("row", REFUSED, ids=name_of)
def test_what_the_desk_does_not_write(row: dict[str, str]) -> None:
    desk = joined(CRS_CDS_FHIR_SERVERS=DEMO, CRS_CDS_DEMO_FHIR=DEMO)
    answer = desk.client.put(f"/demo/{row['path']}", data=row["body"], content_type="application/json")
    assert (str(answer.status_code), answer.get_json()["resourceType"]) == (row["status"], "OperationOutcome")


def test_without_the_demo_s_fhir_server_the_desk_says_so_and_writes_nowhere(shelf: FhirShelf) -> None:
    """FHIR servers that may be called are no licence to write to them."""
    desk = joined(CRS_CDS_FHIR_SERVERS=BASE)
    page = desk.client.get("/demo")
    assert page.status_code == 200
    assert "make demo" in page.get_data(as_text=True)
    assert "<script" not in page.get_data(as_text=True)
    assert desk.client.get("/demo/stories").status_code == 404
    assert desk.client.put("/demo/stories/1/clock", json={"day": 5, "clock": "10:00"}).status_code == 404
    assert shelf.headers == []


def test_a_page_of_another_origin_cannot_write() -> None:
    desk = joined(CRS_CDS_FHIR_SERVERS=DEMO, CRS_CDS_DEMO_FHIR=DEMO)
    headers = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "PUT"}
    answer = desk.client.options("/demo/stories/1/clock", headers=headers)
    assert "PUT" not in answer.headers.get("Access-Control-Allow-Methods", "")


NAMES = rows("""
    | host                 | status | because                                                       |
    | 127.0.0.1:8000       | 502    | this machine; nobody listens at the FHIR server               |
    | localhost:8000       | 502    | this machine by its name                                      |
    | [::1]:8000           | 502    | this machine by its other address                             |
    | desk.example:9000    | 502    | the host of the public address                                |
    | evil.example:8000    | 400    | another name, which DNS may have made to mean this machine    |
    | 127.0.0.1.evil.example | 400  | one that begins like ours                                     |
    """)


@pytest.mark.parametrize("row", NAMES, ids=name_of)
def test_the_desk_writes_at_its_own_name_only(row: dict[str, str]) -> None:
    desk = joined(CRS_CDS_FHIR_SERVERS=DEMO, CRS_CDS_DEMO_FHIR=DEMO, CRS_CDS_PUBLIC_URL="http://desk.example")
    answer = desk.client.put("/demo/stories/1/clock", json={"day": 5, "clock": "10:00"}, headers={"Host": row["host"]})
    assert answer.status_code == int(row["status"])


@pytest.mark.parametrize(("environment", "imported"), [("production", False), ("development", True)])
def test_production_does_not_even_import_the_desk(environment: str, tmp_path: Any, *, imported: bool) -> None:
    clients = tmp_path / "clients.toml"
    clients.write_text('[[client]]\nissuer = "https://e"\njwks_url = "https://e/jwks"\nfhir_servers = ["https://f"]\n')
    settings = {
        "CRS_CDS_ENV": environment, "CRS_CDS_CLIENTS": str(clients), "CRS_CDS_PUBLIC_URL": "https://cds",
        "CRS_CDS_TIMEZONE": "UTC", "CRS_CDS_PSEUDONYM_KEY": "x" * 32, "CRS_CDS_FHIR_SERVERS": "https://f",
        "CRS_CDS_DATABASE_URL": f"sqlite:///{tmp_path / 'log.sqlite'}",
    }  # fmt: skip
    environ = {k: v for k, v in os.environ.items() if not k.startswith("CRS_CDS_")} | settings
    asked = (
        "import sys, wsgi; print({m.split('.')[0] for m in sys.modules} & {'order_desk', 'example_patients'}, "
        "wsgi.app.test_client().get('/demo').status_code)"
    )
    said = subprocess.run(  # noqa: S603
        [sys.executable, "-c", asked], env=environ, capture_output=True, text=True, check=True
    )
    assert ("order_desk" in said.stdout, said.stdout.split()[-1]) == (imported, "200" if imported else "404")
