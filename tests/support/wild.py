"""Payloads as hospitals write them: a plain chart, what one payload changes in it, and the answer of the service.

A payload is a JSON file in `tests/wild/payloads/<topic>/`:

| field       | holds                                                                                         |
|-------------|-----------------------------------------------------------------------------------------------|
| `from`      | where the pattern is seen: a guide, a vendor's documentation, a bug report, by name           |
| `point`     | the one point that it makes                                                                   |
| `resources` | resources added to the plain chart; one with the id of another takes its place                |
| `without`   | references taken out of the plain chart, such as `Observation/il6-0`                          |
| `keys`      | the prefetch key of an Observation by its reference, where its code is no LOINC code of ours   |
| `prefetch`  | prefetch keys whose JSON is sent as it stands here, in place of what the chart gives          |
| `hook`      | `patient-view` by default; with `drafts`, a list of orders, `order-sign`                      |
| `wanted`    | what the answer must say, by the names in `FACTS`                                             |

The plain chart is an adult of 62 kg, tisagenlecleucel on 2 March 2026 at 10:00, IL-6 7.5 → 46.5 pg/mL, CRP 10 → 15
mg/L, T 38.9 °C, SBP 118 mmHg and SpO2 97 % on room air within the hour, asked on 6 March at 09:30 −05:00: grade 1.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from werkzeug.test import TestResponse

from tests.support.by_search import body_for, wire
from tests.support.desk import ASSESSMENT, KEYS_OF_TYPE, Desk, bundle
from tests.support.desk import KEY_OF_CODE as KEY_OF_SOME_CODES
from tests.support.fhir_wire import Resource

PAYLOADS = Path(__file__).parents[1] / "wild" / "payloads"
NOW = datetime.fromisoformat("2026-03-06T09:30:00-05:00")
SUBJECT = {"reference": "Patient/p1"}
KEY_OF_CODE = KEY_OF_SOME_CODES | {"8480-6": "vitals", "59408-5": "oxygen", "2708-6": "oxygen", "3151-8": "oxygen"}
DATA_KEYS_SENT = (
    "il6Crp", "vitals", "oxygen", "weight", "safetyLabs", "recentAdministrations", "runningAdministrations", "crsDrugs",
    "cellTherapyProcedures", "supportProcedures", "conditions", "allergies", "microbiology", "neuro",
    "activeMedicationOrders", "activeServiceOrders",
)  # fmt: skip
LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"


@dataclass(frozen=True)
class Payload:
    """One file: its topic and name, and what it holds."""

    name: str
    content: Mapping[str, Any]


def payloads() -> list[Payload]:
    files = sorted(PAYLOADS.rglob("*.json"))
    return [Payload(f"{f.parent.name}/{f.stem}", json.loads(f.read_text(encoding="utf-8"))) for f in files]


def _measured(id_: str, code: str, at: str, value: float, unit: str) -> Resource:
    return {
        "resourceType": "Observation", "id": id_, "status": "final", "subject": SUBJECT,
        "code": {"coding": [{"system": LOINC, "code": code}]}, "effectiveDateTime": f"2026-03-{at}-05:00",
        "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
    }  # fmt: skip


def plain_chart() -> list[Resource]:
    infusion = {
        "resourceType": "MedicationAdministration", "id": "infusion", "status": "completed", "subject": SUBJECT,
        "medicationCodeableConcept": {
            "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "1986438"}],
            "text": "tisagenlecleucel",
        },
        "effectivePeriod": {"start": "2026-03-02T10:00:00-05:00", "end": "2026-03-02T10:30:00-05:00"},
    }  # fmt: skip
    room_air = {
        "resourceType": "Observation", "id": "device", "status": "final", "subject": SUBJECT,
        "code": {"coding": [{"system": LOINC, "code": "3152-6"}]}, "effectiveDateTime": "2026-03-06T09:00:00-05:00",
        "valueString": "Room air",
    }  # fmt: skip
    return [
        {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1970-05-05"},
        infusion,
        _measured("weight", "29463-7", "02T08:00:00", 62, "kg"),
        _measured("il6-0", "26881-3", "02T08:00:00", 7.5, "pg/mL"),
        _measured("il6-4", "26881-3", "06T07:00:00", 46.5, "pg/mL"),
        _measured("crp-0", "1988-5", "02T08:00:00", 10, "mg/L"),
        _measured("crp-4", "1988-5", "06T07:00:00", 15, "mg/L"),
        _measured("temperature", "8310-5", "06T09:00:00", 38.9, "Cel"),
        _measured("systolic", "8480-6", "06T09:00:00", 118, "mm[Hg]"),
        _measured("saturation", "59408-5", "06T09:00:00", 97, "%"),
        room_air,
    ]


def chart_with(payload: Payload) -> list[Resource]:
    added: list[Resource] = payload.content.get("resources", [])
    gone = {_reference(r) for r in added} | set(payload.content.get("without", ()))
    return [*(r for r in plain_chart() if _reference(r) not in gone), *added]


def _reference(resource: Resource) -> str:
    return f"{resource.get('resourceType')}/{resource.get('id')}"


def answered(payload: Payload) -> TestResponse:
    """The service's answer to the chart of a payload, sent as prefetch."""
    drafts = payload.content.get("drafts")
    hook = payload.content.get("hook", "order-sign" if drafts else "patient-view")
    context: dict[str, Any] = {"patientId": "p1", "userId": "Practitioner/1"}
    if drafts:
        context["draftOrders"] = {"resourceType": "Bundle", "entry": [{"resource": draft} for draft in drafts]}
    prefetch = _prefetch(chart_with(payload), payload.content.get("keys", {})) | payload.content.get("prefetch", {})
    body = {
        "hook": hook, "hookInstance": "8c2e5c4e-4f7e-4a53-9df1-2f3c6a5a1b10", "context": context, "prefetch": prefetch,
    }  # fmt: skip
    return Desk(now=NOW, environ={"CRS_CDS_TIMEZONE": "America/New_York"}).post(body)


def _prefetch(chart: list[Resource], keys: Mapping[str, str]) -> dict[str, Any]:
    """Every key, complete; Medications and Substances stand beside the administrations and orders that refer to them."""
    found: dict[str, Any] = {key: bundle([]) for key in DATA_KEYS_SENT}
    for resource in chart:
        if resource["resourceType"] == "Patient":
            found["patient"] = resource
        for key in _keys_of(resource, keys):
            found[key]["entry"].append({"resource": resource})
    for medication in (r for r in chart if r["resourceType"] in ("Medication", "Substance")):
        for key in ("recentAdministrations", "activeMedicationOrders"):
            found[key]["entry"].append({"resource": medication, "search": {"mode": "include"}})
    return found


def _keys_of(resource: Resource, keys: Mapping[str, str]) -> tuple[str, ...]:
    """The prefetch keys whose search would have found a resource: by LOINC code, else as the payload says."""
    if resource["resourceType"] == "Procedure" and resource["status"] == "in-progress":
        return ("cellTherapyProcedures", "supportProcedures")
    if resource["resourceType"] != "Observation":
        return KEYS_OF_TYPE.get(resource["resourceType"], ())
    codes = [coding.get("code") for coding in resource.get("code", {}).get("coding", ())]
    return (keys.get(_reference(resource)) or next((KEY_OF_CODE[c] for c in codes if c in KEY_OF_CODE), "oxygen"),)


def _cards(answer: TestResponse) -> list[str]:
    return [card["source"]["topic"]["code"] for card in answer.get_json().get("cards", ())]


def _assessment(answer: TestResponse) -> dict[str, Any]:
    found: dict[str, Any] = answer.get_json().get("extension", {}).get(ASSESSMENT, {})
    return found


def words_of(answer: TestResponse) -> str:
    """Everything that a person reads in the answer."""
    body = answer.get_json()
    issues = [issue.get("diagnostics", "") for issue in body.get("issue", ())]
    cards = [f"{card['summary']} {card['detail']}" for card in body.get("cards", ())]
    return " ".join([*issues, *cards]).replace("\\", "")


FACTS: Mapping[str, Callable[[TestResponse], Any]] = {
    "status": lambda answer: answer.status_code,
    "cards": _cards,
    "grade": lambda answer: _assessment(answer).get("crsGrade"),
    "minimum": lambda answer: _assessment(answer).get("crsGradeIsMinimum", False),
    "provisional": lambda answer: _assessment(answer).get("provisionalGrade"),
    "infused": lambda answer: "infusion" in _assessment(answer),
    "doses": lambda answer: _assessment(answer).get("tocilizumabDoses"),
    "il6": lambda answer: _assessment(answer).get("il6", {}).get("category"),
    "il6 fold": lambda answer: _assessment(answer).get("il6", {}).get("foldChange"),
    "crp": lambda answer: _assessment(answer).get("crp", {}).get("category"),
    "icans": lambda answer: _assessment(answer).get("icansGrade"),
    "orders": lambda answer: [s["label"] for c in answer.get_json()["cards"] for s in c.get("suggestions", ())],
}
# these hold a list of texts, each of which must, or must not, stand in what a person reads
SAYS, SAYS_NOT, HAS_CARDS, HAS_NOT_CARDS, FLAGS = "says", "says not", "has cards", "has not cards", "flags"
SUGGESTS, SUGGESTS_NOT = "suggests", "suggests not"  # the label of an order that is, or is not, suggested


def differences(payload: Payload, answer: TestResponse) -> list[str]:
    """What of the wanted facts the answer does not say."""
    wrong, words, cards = [], words_of(answer), _cards(answer) if answer.status_code == 200 else []
    for name, value in payload.content["wanted"].items():
        if name == SAYS:
            wrong += [f"does not say: {text}" for text in value if text not in words]
        elif name == SAYS_NOT:
            wrong += [f"says: {text}" for text in value if text in words]
        elif name == HAS_CARDS:
            wrong += [f"has no card {card} in {cards}" for card in value if card not in cards]
        elif name == HAS_NOT_CARDS:
            wrong += [f"has the card {card}" for card in value if card in cards]
        elif name == SUGGESTS:
            wrong += [f"does not suggest: {label}" for label in value if label not in FACTS["orders"](answer)]
        elif name == SUGGESTS_NOT:
            wrong += [f"suggests: {label}" for label in value if label in FACTS["orders"](answer)]
        elif name == FLAGS:
            wrong += [f"has no flag {flag}" for flag in value if flag not in _assessment(answer).get("flags", ())]
        elif (found := FACTS[name](answer)) != value:
            wrong.append(f"{name}: wanted {value}, found {found}")
    return wrong


def searched(payload: Payload) -> TestResponse:
    """The service's answer where it reads the chart of a payload from a server by its own searches."""
    with wire(chart_with(payload)):
        desk = Desk(now=NOW, environ={"CRS_CDS_TIMEZONE": "America/New_York"})
        return desk.post(body_for("p1", "patient-view", None))
