"""The ways in which a chart goes on after a moment: what it held at the moment, and what it holds when all is over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from example_patients.stories.chart import CLINICAL, LOINC, RXNORM, SNOMED, UCUM, Resource

ICD = "http://hl7.org/fhir/sid/icd-10-cm"


@dataclass(frozen=True)
class Aftermath:
    """What the chart held `then` of one thing, and what it holds of it `now`."""

    then: tuple[Resource, ...]
    now: tuple[Resource, ...]


class _Around:
    """The makers of resources around the moment of a scene."""

    def __init__(self, patient: str, scene: datetime) -> None:
        self._subject, self._scene = {"reference": f"Patient/{patient}"}, scene

    def at(self, hours: float) -> str:
        return (self._scene + timedelta(hours=hours)).isoformat()

    def observation(self, id_: str, code: str, value: float, unit: str, hours: float, **more: Any) -> Resource:
        return {
            "resourceType": "Observation", "id": id_, "status": "final", "subject": self._subject,
            "code": {"coding": [{"system": LOINC, "code": code}]}, "effectiveDateTime": self.at(hours),
            "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit}, **more,
        }  # fmt: skip

    def device(self, id_: str, text: str, hours: float) -> Resource:
        made = self.observation(id_, "3152-6", 0, "1", hours, valueCodeableConcept={"text": text})
        del made["valueQuantity"]
        return made

    def given(self, id_: str, drug: str, hours: float, end: float | None = None, **more: Any) -> Resource:
        period = {"start": self.at(hours)} | ({"end": self.at(end)} if end is not None else {})
        return {
            "resourceType": "MedicationAdministration", "id": id_, "status": "completed", "subject": self._subject,
            "medicationCodeableConcept": {"text": drug}, "effectivePeriod": period,
            "dosage": {"route": {"text": "IV"}, "rateQuantity": {"value": 0.1, "unit": "ug/kg/min"}}, **more,
        }  # fmt: skip

    def ventilation(self, id_: str, hours: float, end: float | None = None, **more: Any) -> Resource:
        period = {"start": self.at(hours)} | ({"end": self.at(end)} if end is not None else {})
        return {
            "resourceType": "Procedure", "id": id_, "status": "completed", "subject": self._subject,
            "code": {"coding": [{"system": SNOMED, "code": "40617009", "display": "Artificial respiration"}]},
            "performedPeriod": period, **more,
        }  # fmt: skip

    def cells(self, hours: float) -> Resource:
        return {
            "resourceType": "Procedure", "id": "cells", "status": "completed", "subject": self._subject,
            "code": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "38228"}]},
            "performedDateTime": self.at(hours),
        }  # fmt: skip

    def diagnosis(self, id_: str, code: str, hours: float, status: str = "active", **more: Any) -> Resource:
        return {
            "resourceType": "Condition", "id": id_, "subject": self._subject, "recordedDate": self.at(hours),
            "code": {"coding": [{"system": ICD, "code": code}]},
            "clinicalStatus": {"coding": [{"system": CLINICAL, "code": status}]}, **more,
        }  # fmt: skip

    def allergy(self, hours: float) -> Resource:
        return {
            "resourceType": "AllergyIntolerance", "id": "allergy", "patient": self._subject,
            "recordedDate": self.at(hours), "code": {"coding": [{"system": RXNORM, "code": "612865"}]},
        }  # fmt: skip

    def order(self, id_: str, drug: str, hours: float, status: str = "active", **more: Any) -> Resource:
        return {
            "resourceType": "MedicationRequest", "id": id_, "status": status, "intent": "order",
            "subject": self._subject, "authoredOn": self.at(hours), "medicationCodeableConcept": {"text": drug}, **more,
        }  # fmt: skip

    def service(self, id_: str, code: str, hours: float, status: str = "active") -> Resource:
        return {
            "resourceType": "ServiceRequest", "id": id_, "status": status, "intent": "order", "subject": self._subject,
            "authoredOn": self.at(hours), "code": {"coding": [{"system": LOINC, "code": code}]},
        }  # fmt: skip


IL6, TEMPERATURE, CULTURE = "26881-3", "8310-5", "600-7"
SEPSIS = "A41.9"


def _later(*made: Resource) -> Aftermath:
    return Aftermath((), made)


def _became(then: Resource, now: Resource) -> Aftermath:
    return Aftermath((then,), (now,))


def _corrected(x: _Around) -> Aftermath:
    """A value as it was corrected: the one before it is nowhere, so the chart of then is taken to hold it too."""
    then = x.observation("corrected", IL6, 900, "pg/mL", -5, status="corrected")
    return _became(then, {**then, "issued": x.at(40)})


def _copied(x: _Around) -> Aftermath:
    then = x.observation("copied", IL6, 900, "pg/mL", -5)
    return _became(then, {**then, "issued": x.at(24 * 30), "meta": {"lastUpdated": x.at(24 * 90)}})


def _updated(x: _Around) -> Aftermath:
    return _later(x.observation("updated", IL6, 900, "pg/mL", -4, meta={"lastUpdated": x.at(2)}))


def _infusion(x: _Around) -> Aftermath:
    then = x.given("drip", "norepinephrine", -1, status="in-progress")
    return _became(then, x.given("drip", "norepinephrine", -1, 30))


def _half_a_dose(x: _Around) -> Aftermath:
    """A dose that was stopped, of which nobody charted how much had run in."""
    route = {"dosage": {"route": {"text": "IV"}}}
    then = x.given("half", "tocilizumab", -0.5, status="in-progress", **route)
    return _became(then, x.given("half", "tocilizumab", -0.5, 0.5, status="stopped", **route))


def _ventilation(x: _Around) -> Aftermath:
    return _became(x.ventilation("tube", -2, status="in-progress"), x.ventilation("tube", -2, 40))


def _order_completed(x: _Around) -> Aftermath:
    then = x.order("pressor", "norepinephrine infusion", -1)
    return _became(then, {**then, "status": "completed"})


def _order_replaced(x: _Around) -> Aftermath:
    first = x.order("pressor", "norepinephrine infusion", -1)
    return Aftermath(
        (first,), ({**first, "status": "stopped"}, x.order("second", "norepinephrine infusion", 3, "completed"))
    )


def _beside_an_order(x: _Around, **more: Any) -> Aftermath:
    """What orders nothing ends no order."""
    first, second = (
        x.order("pressor", "norepinephrine infusion", -2),
        x.order("none", "norepinephrine infusion", -1, **more),
    )
    return Aftermath((first, second), ({**first, "status": "completed"}, second))


def _order_forgotten(x: _Around) -> Aftermath:
    """An order that nobody ever ended: of two days before, it is no order of now."""
    return _later(x.order("forgotten", "norepinephrine infusion", -30))


def _order_stopped(x: _Around) -> Aftermath:
    return _later(x.order("stopped", "norepinephrine infusion", -2, "stopped", statusChanged=x.at(-1)))


def _resolved(x: _Around) -> Aftermath:
    then = x.diagnosis("sepsis", SEPSIS, -20)
    return _became(then, x.diagnosis("sepsis", SEPSIS, -20, "resolved", abatementDateTime=x.at(90)))


def _culture(x: _Around) -> Aftermath:
    made = x.observation("culture", CULTURE, 0, "1", -10, valueString="Escherichia coli")
    del made["valueQuantity"]
    return _later(made)


AFTERMATHS: Mapping[str, Callable[[_Around], Aftermath]] = {
    "IL-6 drawn before, issued after": lambda x: _later(x.observation("late", IL6, 900, "pg/mL", -4, issued=x.at(1))),
    "IL-6 drawn just before": lambda x: _later(x.observation("fresh", IL6, 900, "pg/mL", -1)),
    "IL-6 updated after": _updated,
    "IL-6 corrected after": _corrected,
    "IL-6 copied after": _copied,
    "a culture that grows": _culture,
    "fever charted after": lambda x: _later(x.observation("hot", TEMPERATURE, 40.5, "Cel", 2)),
    "a temperature of before, charted after": lambda x: _later(
        x.observation("noted", TEMPERATURE, 41, "Cel", -1, issued=x.at(3))
    ),
    "a ventilator charted after": lambda x: _later(x.device("vent", "ventilator", 1)),
    "tocilizumab given after": lambda x: _later(
        x.given("toci", "tocilizumab", 1, 2, dosage={"route": {"text": "IV"}, "dose": {"value": 560, "unit": "mg"}})
    ),
    "a vasopressor begun after": lambda x: _later(x.given("more", "norepinephrine", 0.5, 9)),
    "a vasopressor that ended since": _infusion,
    "tocilizumab stopped half-way since": _half_a_dose,
    "a second infusion of cells": lambda x: _later(x.given("infused", "tisagenlecleucel", 24 * 30, 24 * 30 + 1)),
    "a second infusion of cells, as a procedure": lambda x: _later(x.cells(24 * 30)),
    "ventilated after": lambda x: _later(x.ventilation("later", 1, 20)),
    "ventilated, and no longer": _ventilation,
    "sepsis coded after": lambda x: _later(x.diagnosis("coded", SEPSIS, 20)),
    "sepsis that is over": _resolved,
    "CRS coded after": lambda x: _later(x.diagnosis("crs", "D89.834", 60)),
    "an allergy recorded after": lambda x: _later(x.allergy(5)),
    "a vasopressor ordered after": lambda x: _later(x.order("new", "norepinephrine infusion", 1)),
    "an order completed since": _order_completed,
    "an order replaced since": _order_replaced,
    "an order stopped before": _order_stopped,
    "a request not to give it": lambda x: _beside_an_order(x, doNotPerform=True),
    "a plan to give it": lambda x: _beside_an_order(x, intent="plan"),
    "an order that nobody ended": _order_forgotten,
    "IL-6 ordered after": lambda x: _later(x.service("lab", IL6, 1)),
}  # fmt: skip


DEATHS: Mapping[str, Callable[[datetime], Mapping[str, Any]]] = {
    "death four months later": lambda at: {"deceasedDateTime": (at + timedelta(days=120)).date().isoformat()},
    "death in the evening": lambda at: {"deceasedDateTime": at.date().isoformat()},
    "death in a month that is named": lambda at: {"deceasedDateTime": f"{at:%Y-%m}"},
    "death that nobody dated": lambda _: {"deceasedBoolean": True},
}


def aftermaths(patient: str, scene: datetime) -> dict[str, Aftermath]:
    around = _Around(patient, scene)
    return {name: made(around) for name, made in AFTERMATHS.items()}
