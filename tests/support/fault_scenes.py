"""The patients of the fault matrix: scenes of the examples, on charts as full as a ward's.

Each kind of data holds at least two results, so that every search has a second page; most of them mean nothing.
`referred` is `recommended` with the drug of the infusion behind references. In `laden` each kind holds something that changes a card: ventilation stands only among the procedures, a vasopressor
only among the infusions, and allergy, diagnosis, culture and orders are of what is drafted.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from example_patients.stories.chart import CLINICAL, RXNORM, SNOMED, ChartEntry, resources
from tests.support.desk import chart_of, moment_of, scene_of
from tests.support.fhir_wire import Resource

ICD = "http://hl7.org/fhir/sid/icd-10-cm"
SCENE_OF = {"recommended": "3", "laden": "8", "referred": "3"}


def charts() -> dict[str, tuple[str, list[Resource]]]:
    """Patient and resources by the name of the chart."""
    found = {}
    for name, scene_id in SCENE_OF.items():
        _, scene = scene_of(scene_id)
        ward = Ward(scene.patient_id, moment_of(scene))
        chart = [*chart_of(scene_id), *ward.everyday(), *(ward.what_matters() if name == "laden" else ())]
        found[name] = (scene.patient_id, [*behind_references(chart)] if name == "referred" else chart)
    return found


def behind_references(chart: list[Resource]) -> Iterator[Resource]:
    """A chart whose infusion names no drug: it refers to a bag, and the bag to its cells."""
    for resource in chart:
        if "1986438" not in str(resource.get("medicationCodeableConcept")):
            yield resource
            continue
        given = {name: value for name, value in resource.items() if name != "medicationCodeableConcept"}
        yield {**given, "medicationReference": {"reference": "Medication/bag"}}
        cells = {"itemReference": {"reference": "Substance/cells"}}
        yield {"resourceType": "Medication", "id": "bag", "code": {"text": "bag"}, "ingredient": [cells]}
        yield {"resourceType": "Substance", "id": "cells", "code": resource["medicationCodeableConcept"]}


class Ward:
    """What else a ward charts of a patient; hours are before the call."""

    def __init__(self, patient: str, now: datetime) -> None:
        self._patient = patient
        self._now = now

    def _at(self, hours: float) -> str:
        return (self._now - timedelta(hours=hours)).isoformat()

    def _one(self, resource_type: str, name: str, **fields: Any) -> Resource:
        owner = "patient" if resource_type == "AllergyIntolerance" else "subject"
        subject = {owner: {"reference": f"Patient/{self._patient}"}}
        return {"resourceType": resource_type, "id": f"{self._patient}-{name}", **subject, **fields}

    def _charted(self, name: str, *entries: tuple[float, str]) -> list[Resource]:
        found = [ChartEntry(self._now - timedelta(hours=hours), *text.partition(" ")[::2]) for hours, text in entries]
        return [{**r, "id": f"{name}-{r['id']}"} for r in resources(found, self._patient)]

    def everyday(self) -> Iterator[Resource]:
        """What means nothing: two of each kind."""
        yield from self._charted(
            "ward", (70, "T 36.8"), (66, "T 36.9"), (70, "SBP 118"), (44, "plt 190"), (20, "plt 180")
        )
        yield from self._charted("cytokines", (70, "il10 12"), (20, "il10 15"))
        for n, hours in enumerate((3, 5, 68, 72)):
            drug = f"{self._patient}-fluid-{n % 2}"
            yield self._one(
                "MedicationAdministration", f"fluid-{n}", status="completed", effectiveDateTime=self._at(hours),
                medicationReference={"reference": f"Medication/{drug}"},
            )  # fmt: skip
        for n, hours in enumerate((6, 7)):
            yield {"resourceType": "Medication", "id": f"{self._patient}-fluid-{n}", "code": {"text": "Saline"}}
            yield self._one(
                "MedicationAdministration", f"drip-{n}", status="in-progress",
                medicationCodeableConcept={"text": "Glucose"}, effectivePeriod={"start": self._at(hours)},
            )  # fmt: skip
            ventilation = {"coding": [{"system": SNOMED, "code": "40617009"}]}
            start, end = self._at(500 + hours), self._at(490 + hours)
            yield self._one(
                "Procedure", f"past-{n}", status="completed", code=ventilation,
                performedPeriod={"start": start, "end": end},
            )  # fmt: skip
            yield self._one(
                "Procedure", f"care-{n}", status="in-progress", code={"text": ("Physiotherapy", "Wound care")[n]},
                performedPeriod={"start": self._at(hours)},
            )  # fmt: skip
            resolved = {"coding": [{"system": CLINICAL, "code": "resolved"}]}
            sepsis = {"coding": [{"system": ICD, "code": "A41.9"}]}
            yield self._one("Condition", f"past-{n}", clinicalStatus=resolved, code=sepsis, recordedDate="2025-06-01")
            yield self._one("AllergyIntolerance", f"allergy-{n}", code={"text": ("penicillin", "latex")[n]})
            order = {"status": "active", "intent": "order", "authoredOn": self._at(hours)}
            yield self._one("MedicationRequest", f"order-{n}", **order, medicationCodeableConcept={"text": "Saline"})
            yield self._one("ServiceRequest", f"order-{n}", **order, code={"text": "Physiotherapy"})

    def what_matters(self) -> Iterator[Resource]:
        """What changes a card: one of each kind."""
        yield from self._charted("matters", (2, "ice 5"), (20, "culture Escherichia coli"))
        intravenous = {"coding": [{"system": SNOMED, "code": "47625008"}]}
        rate = {"value": 0.1, "unit": "ug/kg/min", "system": "http://unitsofmeasure.org", "code": "ug/kg/min"}
        yield self._one(
            "MedicationAdministration", "pressor", status="in-progress", effectivePeriod={"start": self._at(8)},
            medicationCodeableConcept={"coding": [{"system": RXNORM, "code": "7512"}], "text": "norepinephrine"},
            dosage={"route": intravenous, "rateQuantity": rate},
        )  # fmt: skip
        yield self._one(
            "Procedure", "ventilation", status="in-progress", performedPeriod={"start": self._at(4)},
            code={"coding": [{"system": SNOMED, "code": "40617009"}]},
        )  # fmt: skip
        active = {"coding": [{"system": CLINICAL, "code": "active"}]}
        yield self._one(
            "Condition", "pneumonia", clinicalStatus=active, recordedDate=self._at(20),
            code={"coding": [{"system": ICD, "code": "J18.9"}]},
        )  # fmt: skip
        drug = {"coding": [{"system": RXNORM, "code": "612865"}], "text": "tocilizumab"}
        yield self._one("AllergyIntolerance", "allergy-tocilizumab", clinicalStatus=active, code=drug)
        order = {"status": "active", "intent": "order", "authoredOn": self._at(1)}
        yield self._one(
            "MedicationRequest", "dexamethasone", **order, medicationCodeableConcept={"text": "dexamethasone 10 mg IV"}
        )
        culture = {"coding": [{"system": "http://loinc.org", "code": "600-7"}]}
        yield self._one("ServiceRequest", "culture", **order, code=culture)
