"""A Medication is remembered for five minutes, and only if it surely names its drug: a correction counts at once where
nothing was known before, and on every worker after that time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from cds_server.record.medication_memory import MedicationMemory
from cds_server.running import RUNNING_KEY
from tests.support.by_search import body_for, wire
from tests.support.desk import Desk, assessment, chart_of, moment_of, scene_of
from tests.support.fhir_wire import FhirWire, Resource
from tests.support.tables import rows

_, SCENE = scene_of("3")
NOW = moment_of(SCENE)
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
GIVEN = {
    "resourceType": "MedicationAdministration", "id": "given", "status": "completed",
    "subject": {"reference": f"Patient/{SCENE.patient_id}"}, "medicationReference": {"reference": "Medication/m"},
    "effectiveDateTime": (NOW - timedelta(hours=1)).isoformat(),
}  # fmt: skip
TOCILIZUMAB = {"coding": [{"system": RXNORM, "code": "612865", "display": "tocilizumab"}]}
ONDANSETRON = {"coding": [{"system": RXNORM, "code": "26225", "display": "ondansetron"}]}
NAMELESS = {"coding": [{"system": "urn:local", "code": "17"}]}


@dataclass
class Ward:
    """A FHIR server with one Medication that can be corrected, and workers that share a clock."""

    fhir: FhirWire
    seconds: float = 0
    workers: list[Desk] = field(default_factory=list)

    def charts(self, code: dict[str, Any], **more: Any) -> None:
        medication: Resource = {"resourceType": "Medication", "id": "m", "code": code, **more}
        self.fhir.resources = [r for r in self.fhir.resources if r["resourceType"] != "Medication"] + [medication]

    def worker(self) -> Desk:
        desk = Desk(now=NOW)
        app = desk.client.application
        here = app.extensions[RUNNING_KEY]
        memory = MedicationMemory(clock=lambda: self.seconds)
        app.extensions[RUNNING_KEY] = replace(here, sources=replace(here.sources, medications=memory))
        return desk

    def doses(self, worker: Desk) -> str:
        """The doses of tocilizumab that a worker sees, "?" where the history is not complete."""
        found = assessment(worker.post(body_for(SCENE.patient_id, "patient-view", None)))
        return f"{found['tocilizumabDoses']}{'?' if 'history_incomplete' in found.get('flags', ()) else ''}"

    def asked_for_medications(self) -> int:
        return sum(path.startswith("/Medication?") for path in self.fhir.asked)


@pytest.fixture
def ward() -> Iterator[Ward]:
    with wire([*chart_of("3"), GIVEN]) as fhir:
        yield Ward(fhir)


def test_what_was_not_identified_is_asked_for_at_every_call(ward: Ward) -> None:
    ward.charts(NAMELESS)
    first, second = ward.worker(), ward.worker()
    assert ward.doses(first) == "0?"
    ward.charts(TOCILIZUMAB)
    assert ward.doses(first) == ward.doses(second) == "1"


def test_what_was_not_found_is_asked_for_at_every_call(ward: Ward) -> None:
    worker = ward.worker()
    assert ward.doses(worker) == "0?"
    ward.charts(TOCILIZUMAB)
    assert ward.doses(worker) == "1"


def test_two_workers_say_the_same_after_301_seconds(ward: Ward) -> None:
    ward.charts(TOCILIZUMAB)
    first, second = ward.worker(), ward.worker()
    assert ward.doses(first) == "1"
    ward.charts(ONDANSETRON)
    ward.seconds = 299
    assert ward.doses(first) == "1", "remembered"
    ward.seconds = 301
    assert ward.doses(first) == ward.doses(second) == "0"


# what of a Medication is so sure that it is not asked for again
SURE = rows("""
| code                                                  | ingredient                                            | asked | because                                   |
| {"coding": [{"system": "RX", "code": "612865"}]}      |                                                       | 1     | a drug of ours by its code                |
| {"text": "Tocilizumab 400 mg"}                        |                                                       | 1     | by its name                               |
| {"text": "Zofran", "coding": [{"system": "RX", "code": "26225"}]} |                                           | 1     | another drug, by RxNorm                   |
| {"coding": [{"system": "RX", "code": "26225"}]}       |                                                       | 2     | a product that we do not list: any drug   |
| {"text": "ondansetron"}                               |                                                       | 2     | another drug, by its name alone           |
| {"text": "tocilizumab level"}                         |                                                       | 2     | a doubt                                   |
| {"coding": [{"system": "urn:local", "code": "17"}]}   |                                                       | 2     | a code of nobody's                        |
| {"coding": [{"system": "RX", "code": "26225"}]}       | {"text": "bag"}                                       | 2     | an ingredient that nothing identifies     |
| {"coding": [{"system": "RX", "code": "26225"}]}       | {"coding": [{"system": "RX", "code": "612865"}]}      | 1     | product and ingredient are known          |
""")


@pytest.mark.parametrize("row", SURE, ids=lambda row: row["because"])
def test_only_what_is_sure_is_remembered(ward: Ward, row: dict[str, str]) -> None:
    code, ingredient = (
        json.loads(row[name].replace('"RX"', f'"{RXNORM}"') or "null") for name in ("code", "ingredient")
    )
    ward.charts(code, **({"ingredient": [{"itemCodeableConcept": ingredient}]} if ingredient else {}))
    worker = ward.worker()
    assert ward.doses(worker) == ward.doses(worker)
    assert ward.asked_for_medications() == int(row["asked"])


def test_nothing_is_remembered_where_the_site_says_so() -> None:
    with wire([*chart_of("3"), GIVEN]) as fhir:
        ward = Ward(fhir)
        ward.charts(TOCILIZUMAB)
        worker = Desk(now=NOW, environ={"CRS_CDS_MEDICATION_SECONDS": "0"})
        assert ward.doses(worker) == ward.doses(worker) == "1"
        assert ward.asked_for_medications() == 2
