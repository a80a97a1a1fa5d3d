"""A chart written as a table → FHIR resources.

A line is `D<day> <time>  <entry> | <entry> …` with times in the story's zone; `D7 06:00–D9 02:00 /4h` repeats it.
Entries: `T 38.9`, `T 100.4 degF`, `SBP 84`, `SpO2 97`, `device NC`, `flow 3`, `FiO2 0.5`, `il6 47.7`, `crp 22`,
`weight 70`, `il6 60 preliminary`, `ice 5`, `anc 0.3`, `culture <result>`, `pcr <result>`, `coded A41.9`,
`car-t <product>`, `toci 560`, `start norepinephrine 0.1`, `rate norepinephrine 0`,
`give paracetamol 1000`, `infuse methylprednisolone 40 mg/h`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

Resource = dict[str, Any]

LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
RXNORM, UCUM = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://unitsofmeasure.org"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
# there is no LOINC for ICE: the example hospital has a code of its own (`value_sets/`)
ICE_SYSTEM, ICE_CODE = "https://example.org/flowsheet", "ICE"
CAR_T = {
    "axicabtagene ciloleucel": "1987398",
    "tisagenlecleucel": "1986438",
    "brexucabtagene autoleucel": "2387277",
    "lisocabtagene maraleucel": "2479136",
    "ciltacabtagene autoleucel": "2594775",
}
PRESSORS = {"norepinephrine": "7512", "epinephrine": "3992", "vasopressin": "11149", "dobutamine": "3616"}
DEVICES = {
    "RA": ("", "room air"),
    "NC": ("336623009", "Oxygen nasal cannula"),
    "HFNC": ("426854004", "High flow oxygen nasal cannula"),
    "BiPAP": ("425826004", "BIPAP"),
    "ventilator": ("40617009", "Artificial respiration"),
    "unheard-of": ("", "a device that nobody listed"),
}
_LINE = re.compile(
    r"D(?P<day>-?\d+) (?P<time>\d\d:\d\d)"
    r"(?:–D(?P<last_day>-?\d+) (?P<last_time>\d\d:\d\d) /(?P<hours>\d+)h)?\s+(?P<entries>.+)"
)


@dataclass(frozen=True)
class ChartEntry:
    """One entry of a chart at its time, or on its date if no time is known."""

    at: date
    word: str
    value: str


def entries(chart: str, at: Callable[[int, str], datetime]) -> Iterator[ChartEntry]:
    """Every entry of a chart; `at` turns day and time of the story into an instant."""
    for line in filter(None, (text.strip() for text in chart.splitlines())):
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"not a line of a chart: {line}")
        first = at(int(match["day"]), match["time"])
        last = at(int(match["last_day"]), match["last_time"]) if match["hours"] else first
        step = timedelta(hours=int(match["hours"] or 1))
        now = first.astimezone(UTC)  # in UTC a step keeps its hours when the clock changes
        while now <= last:
            for text in match["entries"].split("|"):
                word, _, value = text.strip().partition(" ")
                yield ChartEntry(now.astimezone(first.tzinfo), word, value.strip())
            now += step


def resources(found: list[ChartEntry], patient: str) -> list[Resource]:
    """The FHIR resources for the entries of one patient. Their fixed ids begin with the patient's id."""
    made: list[Resource] = []
    for number, entry in enumerate(found):
        made += _MAKERS[entry.word](entry, f"{patient}-{number}", {"reference": f"Patient/{patient}"})
    return made


def _observation(entry: ChartEntry, id_: str, subject: Mapping[str, str], code: str, display: str) -> Resource:
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code, "display": display}]},
        "subject": dict(subject),
        "effectiveDateTime": entry.at.isoformat(),
    }


def _quantity(number: str, unit: str) -> dict[str, Any]:
    value: float | int = float(number) if "." in number else int(number)
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def _measured(code: str, display: str, unit: str) -> Callable[..., list[Resource]]:
    def make(entry: ChartEntry, id_: str, subject: Mapping[str, str]) -> list[Resource]:
        number, _, own = entry.value.partition(" ")
        preliminary = own == "preliminary"
        own = "" if preliminary else own
        unit_code = {"degF": "[degF]"}.get(own, own) or unit
        result = _observation(entry, id_, subject, code, display)
        if preliminary:
            result["status"] = "preliminary"
        digits = number.lstrip("<>=")
        quantity = _quantity(digits, unit_code)
        if digits != number:
            quantity["comparator"] = number.removesuffix(digits)
        return [{**result, "valueQuantity": quantity}]

    return make


def _pressure(entry: ChartEntry, id_: str, subject: Mapping[str, str]) -> list[Resource]:
    """A panel with components, as most servers hold blood pressure."""
    panel = _observation(entry, id_, subject, "85354-9", "Blood pressure panel")
    component = {
        "code": {"coding": [{"system": LOINC, "code": "8480-6", "display": "Systolic blood pressure"}]},
        "valueQuantity": _quantity(entry.value, "mm[Hg]"),
    }
    return [{**panel, "component": [component]}]


def _device(entry: ChartEntry, id_: str, subject: Mapping[str, str]) -> list[Resource]:
    code, text = DEVICES[entry.value]
    result = _observation(entry, id_, subject, "3152-6", "Oxygen inhaled mechanism")
    coding = {"coding": [{"system": SNOMED, "code": code, "display": text}]} if code else {}
    return [{**result, "valueCodeableConcept": {**coding, "text": text}}]


def _administration(id_: str, subject: Mapping[str, str], **more: Any) -> Resource:
    return {
        "resourceType": "MedicationAdministration",
        "id": id_,
        "status": "completed",
        "subject": dict(subject),
        **more,
    }


def _ice(entry: ChartEntry, id_: str, subject: Mapping[str, str]) -> list[Resource]:
    coding = {"system": ICE_SYSTEM, "code": ICE_CODE, "display": "ICE score"}
    result = _observation(entry, id_, subject, "", "")
    return [{**result, "code": {"coding": [coding]}, "valueInteger": int(entry.value)}]


def _result(code: str, display: str) -> Callable[..., list[Resource]]:
    def make(entry: ChartEntry, id_: str, subject: Mapping[str, str]) -> list[Resource]:
        return [{**_observation(entry, id_, subject, code, display), "valueCodeableConcept": {"text": entry.value}}]

    return make


def _coded(entry: ChartEntry, id_: str, subject: Mapping[str, str]) -> list[Resource]:
    """An active diagnosis by its ICD-10-CM code."""
    return [
        {
            "resourceType": "Condition",
            "id": id_,
            "clinicalStatus": {"coding": [{"system": CLINICAL, "code": "active"}]},
            "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": entry.value}]},
            "subject": dict(subject),
            "recordedDate": entry.at.isoformat(),
        }
    ]


def _drug(code: str, text: str) -> dict[str, Any]:
    return {"coding": [{"system": RXNORM, "code": code, "display": text}], "text": text}


def _car_t(entry: ChartEntry, id_: str, subject: Mapping[str, str]) -> list[Resource]:
    drug = {"medicationCodeableConcept": _drug(CAR_T[entry.value], entry.value)}
    period = {"start": entry.at.isoformat(), "end": (entry.at + timedelta(minutes=30)).isoformat()}
    return [_administration(id_, subject, **drug, effectivePeriod=period)]


def _tocilizumab(entry: ChartEntry, id_: str, subject: Mapping[str, str]) -> list[Resource]:
    """A dose whose drug stands behind a reference, as many servers have it: a search by code misses it."""
    medication = {"resourceType": "Medication", "id": f"{id_}-med", "code": _drug("612865", "tocilizumab")}
    given = _administration(
        id_, subject,
        medicationReference={"reference": f"Medication/{id_}-med"},
        effectivePeriod={"start": entry.at.isoformat(), "end": (entry.at + timedelta(hours=1)).isoformat()},
        dosage={
            "route": {"coding": [{"system": SNOMED, "code": "47625008", "display": "Intravenous route"}]},
            "dose": _quantity(entry.value, "mg"),
        },
    )  # fmt: skip
    return [medication, given]


def _pressor(entry: ChartEntry, id_: str, subject: Mapping[str, str]) -> list[Resource]:
    drug, rate = entry.value.split()
    running = _administration(
        id_, subject,
        medicationCodeableConcept=_drug(PRESSORS[drug], drug),
        effectivePeriod={"start": entry.at.isoformat()},
        dosage={
            "route": {"coding": [{"system": SNOMED, "code": "47625008", "display": "Intravenous route"}]},
            "rateQuantity": _quantity(rate, "ug/kg/min"),
        },
    )  # fmt: skip
    return [{**running, "status": "in-progress"}]


def _given(entry: ChartEntry, id_: str, subject: Mapping[str, str]) -> list[Resource]:
    """`give paracetamol 1000 IV`, `give methylprednisolone 2 mg/kg`: one dose, at a moment."""
    drug, mg, *route = entry.value.rsplit(" ", 2) if entry.value.count(" ") > 1 else entry.value.split(" ")
    unit = route.pop() if route == ["mg/kg"] else "mg"
    dosage: dict[str, Any] = {"dose": _quantity(mg, unit)}
    if route:
        dosage["route"] = {"text": route[0]}
    return [
        _administration(
            id_, subject, medicationCodeableConcept={"text": drug}, effectiveDateTime=entry.at.isoformat(),
            dosage=dosage,
        )
    ]  # fmt: skip


def _infusion(entry: ChartEntry, id_: str, subject: Mapping[str, str]) -> list[Resource]:
    """`infuse methylprednisolone 40 mg/h`: an infusion that runs; `… for 6 h` one that has ended."""
    drug, rate, unit, *hours = entry.value.split(" ")
    period = {"start": entry.at.isoformat()}
    if hours:
        period["end"] = (entry.at + timedelta(hours=float(hours[1]))).isoformat()
    return [
        _administration(
            id_, subject, status="completed" if hours else "in-progress", effectivePeriod=period,
            medicationCodeableConcept={"text": drug}, dosage={"rateQuantity": _quantity(rate, unit)},
        )
    ]  # fmt: skip


def _rate(entry: ChartEntry, id_: str, subject: Mapping[str, str]) -> list[Resource]:
    """`rate norepinephrine 0.1`: a rate charted at a moment, as many servers send it; 0 is a stop."""
    drug, rate = entry.value.rsplit(" ", 1)
    dosage = {"route": {"text": "IV"}, "rateQuantity": _quantity(rate, "ug/kg/min")}
    return [
        _administration(
            id_, subject, medicationCodeableConcept={"text": drug}, effectiveDateTime=entry.at.isoformat(),
            dosage=dosage,
        )
    ]  # fmt: skip


_MAKERS: Mapping[str, Callable[..., list[Resource]]] = {
    "T": _measured("8310-5", "Body temperature", "Cel"),
    "SBP": _pressure,
    "MAP": _measured("8478-0", "Mean blood pressure", "mm[Hg]"),
    "SpO2": _measured("59408-5", "Oxygen saturation by pulse oximetry", "%"),
    "device": _device,
    "flow": _measured("3151-8", "Inhaled oxygen flow rate", "L/min"),
    "FiO2": _measured("3150-0", "Inhaled oxygen concentration", "%"),
    "il6": _measured("26881-3", "Interleukin 6 [Mass/volume] in Serum or Plasma", "pg/mL"),
    "il10": _measured("26848-2", "Interleukin 10 [Mass/volume] in Serum or Plasma", "pg/mL"),
    "crp": _measured("1988-5", "C reactive protein [Mass/volume] in Serum or Plasma", "mg/L"),
    "weight": _measured("29463-7", "Body weight", "kg"),
    "plt": _measured("777-3", "Platelets [#/volume] in Blood", "10*3/uL"),
    "alt": _measured("1742-6", "Alanine aminotransferase [Enzymatic activity/volume] in Serum or Plasma", "U/L"),
    "ast": _measured("1920-8", "Aspartate aminotransferase [Enzymatic activity/volume] in Serum or Plasma", "U/L"),
    "ice": _ice,
    "culture": _result("600-7", "Bacteria identified in Blood by Culture"),
    "pcr": _result("72493-0", "Cytomegalovirus DNA [Units/volume] in Serum or Plasma"),
    "coded": _coded,
    "anc": _measured("751-8", "Neutrophils [#/volume] in Blood", "10*3/uL"),
    "car-t": _car_t,
    "toci": _tocilizumab,
    "start": _pressor,
    "give": _given,
    "rate": _rate,
    "infuse": _infusion,
}
