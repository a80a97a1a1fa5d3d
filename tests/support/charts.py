"""Whole charts as prefetch, each of which is broken field by field."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from example_patients.stories.stories import drafted_tocilizumab
from tests.support.desk import ZONE, bundle, chart_of, moment_of, scene_of, whole_prefetch
from tests.support.fhir_wire import Resource
from tests.support.hapi import recorded
from tests.support.tables import NOW, patient, rows


@dataclass(frozen=True)
class Chart:
    """A patient's whole record as prefetch, and when the user looks at it."""

    patient_id: str
    now: datetime
    prefetch: dict[str, Any]
    keys: tuple[str, ...]
    """Those that are broken. What is drafted stands under `draftOrders`."""

    @property
    def hook(self) -> str:
        return "order-sign" if "draftOrders" in self.prefetch else "patient-view"

    def body(self, prefetch: dict[str, Any]) -> dict[str, Any]:
        drafts = {name: value for name, value in prefetch.items() if name == "draftOrders"}
        return {
            "hook": self.hook, "hookInstance": "8c2e5c4e-4f7e-4a53-9df1-2f3c6a5a1b10", "prefetch": prefetch,
            "context": {"patientId": self.patient_id, "userId": "Practitioner/1", **drafts},
        }  # fmt: skip


def of_scene(scene_id: str, *keys: str) -> Chart:
    _, scene = scene_of(scene_id)
    prefetch = whole_prefetch(chart_of(scene_id))
    return Chart(scene.patient_id, moment_of(scene), prefetch, keys or tuple(prefetch))


def of_a_draft() -> Chart:
    """A second dose drafted 5 h after the first."""
    chart = of_scene("8", "draftOrders")
    draft = drafted_tocilizumab(chart.patient_id, 560, chart.now)
    return replace(chart, prefetch={**chart.prefetch, "draftOrders": bundle([draft])})


def of_hapi() -> Chart:
    """As a real server sent it: drugs behind references, one contained, 260 resources."""
    drugs = ("MedicationAdministration", "Medication")
    found = [e["resource"] for e in recorded("patient-a")["entry"] if e["resource"]["resourceType"] not in drugs]
    given = recorded("administrations-with-medication")[0]["response"]["body"]["entry"]
    prefetch = {**whole_prefetch(found), "recentAdministrations": {"resourceType": "Bundle", "entry": given}}
    return Chart("patient-a", datetime(2026, 3, 11, 15, 0, tzinfo=ZONE), prefetch, ("recentAdministrations",))


# each sign was well before it was not: what is lost now leaves the well one to be believed
WELL = "T 36.8 @-30h; SBP 118 @-9h; SpO2 97 @-9h; device RA @-9h; il6 7.5 @D0 08:00; crp 10 @D0 08:00; weight 62 @-20h"


SINCE = rows("""
| then                    | keys                         | since                                                                                                |
| grade 2 and a high IL-6 | il6Crp vitals oxygen weight  | il6 12 @D3 07:00; T 38.9 @-1h; SpO2 93 @-1h; device NC @-1h; flow 2 @-1h; il6 46.5 @-3h; crp 30 @-3h |
| grade 2 and a low IL-6  | il6Crp vitals                | T 38.9 @-4h; SBP 84 @-1h; il6 12 @D3 07:00; il6 14 @-3h; crp 30 @-3h                                 |
| grade 2 and a dose      | recentAdministrations        | T 38.9 @-6h; SBP 84 @-6h; il6 46.5 @-6h; crp 30 @-6h; toci 496 @-5h                                  |
| two vasopressors        | recentAdministrations vitals | T 38.9 @-1h; start norepinephrine 0.1 @-3h; rate epinephrine 0.1 @-9h; rate epinephrine 0.05 @-1h    |
| a ventilator and ICANS  | oxygen neuro                 | T 38.9 @-1h; device ventilator @-1h; FiO2 50 @-1h; ice 5 @-1h                                        |
""")


def of_row(row: dict[str, str]) -> Chart:
    prefetch = whole_prefetch(patient(f"{WELL}; {row['since']}"))
    return Chart("p", NOW, prefetch, tuple(row["keys"].split()))


def to_be_weighed() -> Chart:
    """Grade 2 with all that the label asks to weigh, and a CAR-T procedure, orders and respiratory support."""
    subject = {"reference": "Patient/p"}
    snomed = "http://snomed.info/sct"
    more: list[Resource] = [
        {"resourceType": "AllergyIntolerance", "id": "allergy", "patient": subject,
         "code": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "612865"}]}},
        {"resourceType": "Condition", "id": "sepsis", "subject": subject, "recordedDate": "2026-03-05T10:00:00+08:00",
         "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]},
         "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "A41.9"}]}},
        {"resourceType": "Procedure", "id": "infused", "status": "completed", "subject": subject,
         "code": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "38228"}]},
         "performedDateTime": "2026-03-02T10:00:00+08:00"},
        {"resourceType": "MedicationRequest", "id": "norepinephrine", "status": "active", "intent": "order",
         "subject": subject, "authoredOn": "2026-03-06T11:00:00+08:00",
         "medicationCodeableConcept": {"text": "norepinephrine infusion"}},
    ]  # fmt: skip
    signs = "T 38.9 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h; culture Escherichia coli @-20h; plt 20 @-20h"
    prefetch = whole_prefetch([*patient(f"{WELL}; {signs}", infused=False), *more])
    ventilation = {"resourceType": "Procedure", "id": "mask", "status": "in-progress", "subject": subject,
                   "code": {"coding": [{"system": snomed, "code": "47545007"}]},
                   "performedPeriod": {"start": "2026-03-06T11:00:00+08:00"}}  # fmt: skip
    keys = ("safetyLabs", "microbiology", "allergies", "conditions", "activeMedicationOrders")
    procedures = ("cellTherapyProcedures", "supportProcedures")
    return Chart("p", NOW, {**prefetch, "supportProcedures": bundle([ventilation])}, (*keys, *procedures))


CHARTS = {
    "scene 3, tocilizumab recommended": lambda: of_scene("3"),
    "scene 8, a dose 5 h ago": lambda: of_scene("8", "patient", "vitals", "oxygen", "recentAdministrations"),
    "scene 1d, grade 4 with vasopressors": lambda: of_scene("1d", "recentAdministrations"),
    "scene 8, a second dose drafted": of_a_draft,
    "recorded from HAPI": of_hapi,
    "all that is to be weighed": to_be_weighed,
    **{f"well, then {row['then']}": lambda row=row: of_row(row) for row in SINCE},  # type: ignore[misc]
}
