"""An EHR's desk for the journeys: the service under test, a clock that can be set, and the wire to a FHIR server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import requests
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds_server.app import create_app
from example_patients.client.ehr import SERVICE_OF_HOOK, filled_prefetch
from example_patients.stories.stories import SCENES, Scene, Story, hook_body, record
from tests.support.fhir_wire import BASE, Resource

ZONE = ZoneInfo("Asia/Shanghai")
EXAMPLE_VALUE_SETS = Path(__file__).parents[2] / "example_patients" / "value_sets"
DAY_0 = datetime(2026, 3, 2, tzinfo=ZONE)
ASSESSMENT = "org.crs-cds.assessment"


def moment_of(scene: Scene) -> datetime:
    day, clock = scene.call
    hours, minutes = (int(part) for part in clock.split(":"))
    return DAY_0 + timedelta(days=day, hours=hours, minutes=minutes)


def scene_of(scene_id: str) -> tuple[Story, Scene]:
    return next((story, scene) for story, scene in SCENES if scene.id == scene_id)


def chart_of(scene_id: str) -> list[Resource]:
    story, scene = scene_of(scene_id)
    return record(story, scene, moment_of(scene), ZONE)


@dataclass
class Desk:
    """Calls the service as an EHR does."""

    now: datetime = DAY_0
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        settings = {
            "CRS_CDS_ENV": "development", "CRS_CDS_TIMEZONE": "Asia/Shanghai", "CRS_CDS_FHIR_SERVERS": BASE,
            "CRS_CDS_VALUE_SETS": str(EXAMPLE_VALUE_SETS), "CRS_CDS_DATABASE_URL": "sqlite://",
            # a busy machine is no fault of the service: only a test that sets the time of a call asks about it
            **({} if "CRS_CDS_BUDGET_SECONDS" in self.environ else {"CRS_CDS_BUDGET_SECONDS": "20",
                                                                    "CRS_CDS_LOG_MILLISECONDS": "5000"}),
        }  # fmt: skip
        self.client: FlaskClient = create_app(settings | self.environ, clock=lambda: self.now).test_client()

    def prefetch(self, hook: str, patient_id: str) -> dict[str, Any]:
        services = self.client.get("/cds-services").get_json()["services"]
        templates = next(s["prefetch"] for s in services if s["hook"] == hook)
        with requests.Session() as session:
            return filled_prefetch(templates, BASE, patient_id, session)

    def post(self, body: dict[str, Any], service: str | None = None) -> TestResponse:
        return self.client.post(f"/cds-services/{service or SERVICE_OF_HOOK[body['hook']]}", json=body)

    def call(self, scene_id: str, **more: Any) -> TestResponse:
        """The call of a scene; `more` goes into the body."""
        _, scene = scene_of(scene_id)
        self.now = moment_of(scene)
        return self.post(hook_body(scene, self.now, **more))


def card_ids(answer: TestResponse) -> tuple[str, ...]:
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return tuple(card["source"]["topic"]["code"] for card in answer.get_json()["cards"])


def card(answer: TestResponse, card_id: str) -> dict[str, Any]:
    cards = answer.get_json()["cards"]
    return next(c for c in cards if c["source"]["topic"]["code"] == card_id)


def assessment(answer: TestResponse) -> dict[str, Any]:
    found: dict[str, Any] = answer.get_json()["extension"][ASSESSMENT]
    return found


def without_uuids(found: Any) -> Any:
    """An answer without the ids that every answer has of its own."""
    if isinstance(found, dict):
        return {name: without_uuids(value) for name, value in found.items() if name != "uuid"}
    return [without_uuids(one) for one in found] if isinstance(found, list) else found


def bundle(found: Iterable[Resource], **more: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": r} for r in found], **more}


KEY_OF_CODE = {
    "26881-3": "il6Crp", "1988-5": "il6Crp", "26848-2": "cytokines", "8310-5": "vitals", "85354-9": "vitals", "8478-0": "vitals",
    "29463-7": "weight", "751-8": "safetyLabs", "777-3": "safetyLabs", "1742-6": "safetyLabs", "1920-8": "safetyLabs",
    "ICE": "neuro", "600-7": "microbiology", "72493-0": "microbiology",
}  # fmt: skip
KEYS_OF_TYPE = {
    "MedicationAdministration": ("recentAdministrations",),
    "Procedure": ("cellTherapyProcedures",),
    "Condition": ("conditions",),
    "AllergyIntolerance": ("allergies",),
    "MedicationRequest": ("activeMedicationOrders",),
    "ServiceRequest": ("activeServiceOrders",),
}


def whole_prefetch(chart: list[Resource]) -> dict[str, Any]:
    """Every key, complete, from a chart: a client that needs no FHIR server. Drugs stand in the administrations."""
    drugs = {f"Medication/{r['id']}": r["code"] for r in chart if r["resourceType"] == "Medication"}
    by_key: dict[str, Any] = dict.fromkeys(("il6Crp", "vitals", "oxygen", "weight", "safetyLabs", "recentAdministrations", "runningAdministrations", "crsDrugs", "cellTherapyProcedures", "supportProcedures", "conditions", "allergies", "microbiology", "neuro", "activeMedicationOrders", "activeServiceOrders", "cytokines", "lastingInfections"))  # fmt: skip
    for resource in chart:
        if resource["resourceType"] == "Patient":
            by_key["patient"] = resource
        plain = dict(resource)
        if "medicationReference" in plain:
            plain["medicationCodeableConcept"] = drugs[plain.pop("medicationReference")["reference"]]
        keys = KEYS_OF_TYPE.get(resource["resourceType"], ())
        if resource["resourceType"] == "Observation":
            keys = (KEY_OF_CODE.get(resource["code"]["coding"][0]["code"], "oxygen"),)
        for key in keys:
            by_key[key] = by_key[key] or bundle([])
            by_key[key]["entry"].append({"resource": plain})
    return by_key
