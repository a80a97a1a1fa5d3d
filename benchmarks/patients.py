"""Patients of a long ICU stay: an example chart, with as many further Observations as wanted.

Every third Observation has a code of interest (temperature, systolic pressure, saturation), spread from four days
before the infusion to the call, with the values that the story has then, so the cards stay those of the story.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from example_patients.stories.chart import LOINC, RXNORM, UCUM, ChartEntry, Resource, resources
from example_patients.stories.stories import SCENES, hook_body, record

ZONE = ZoneInfo("Asia/Shanghai")
STORY, SCENE = next((story, scene) for story, scene in SCENES if scene.id == "2")  # grade 2 after two doses, day 13
AS_OF = datetime(2026, 3, 15, 10, 0, tzinfo=ZONE)
INFUSED = datetime(2026, 3, 2, 10, 0, tzinfo=ZONE)
OPENS = INFUSED - timedelta(hours=96)
YEARS_BEFORE = INFUSED - timedelta(days=5 * 365)
ILL_FROM = datetime(2026, 3, 9, 6, 0, tzinfo=ZONE)
WELL = (("T", "36.8"), ("SBP", "118"), ("SpO2", "97"))
ILL = (("T", "38.4"), ("SBP", "86"), ("SpO2", "97"))
# other signs and results, whose codes no rule reads: code, display, value, unit
OTHERS = (
    ("8867-4", "Heart rate", 104, "/min"),
    ("9279-1", "Respiratory rate", 22, "/min"),
    ("2951-2", "Sodium [Moles/volume] in Serum or Plasma", 139, "mmol/L"),
    ("2823-3", "Potassium [Moles/volume] in Serum or Plasma", 4.1, "mmol/L"),
)
OTHER_DRUGS = (("26225", "ondansetron"), ("8591", "potassium chloride"), ("7646", "omeprazole"))
KEY_OF_CODE = {
    "26881-3": "il6Crp", "1988-5": "il6Crp", "29463-7": "weight", "59408-5": "oxygen", "3152-6": "oxygen",
}  # fmt: skip
COMPLETE_WITHOUT_RESULT = (
    "il6Crp", "oxygen", "weight", "safetyLabs", "runningAdministrations", "cellTherapyProcedures",
    "supportProcedures", "conditions", "allergies", "microbiology", "neuro", "activeMedicationOrders",
    "activeServiceOrders", "cytokines", "lastingInfections",
)  # fmt: skip
FIRST_COPY = b"copy-00000000"


def call_with_server(base: str, hook: str = "patient-view") -> bytes:
    """A call without prefetch that names a FHIR server, as JSON. The patient's id is that of the scene."""
    return json.dumps(hook_body(SCENE, AS_OF, hook, fhirServer=base)).encode()


def call_body(observations: int, hook: str = "patient-view", administrations: int = 0) -> bytes:
    """A call by complete prefetch, as JSON, with that many Observations in all, and administrations beside the story's.

    The patient's id carries `FIRST_COPY`.
    """
    body = hook_body(SCENE, AS_OF, hook, prefetch=_prefetch(observations, administrations))
    text = json.dumps(body, separators=(",", ":")).replace(SCENE.patient_id, FIRST_COPY.decode())
    return text.encode()


def copies(body: bytes) -> Iterator[bytes]:
    """The same call for one patient after another. No two patients share the bytes of a resource."""
    for number in range(1, 10**8):
        yield body.replace(FIRST_COPY, b"copy-%08d" % number)


def chart(observations: int, opens: datetime = OPENS, administrations: int = 0) -> list[Resource]:
    """The story's chart with that many Observations in all, and administrations beside the story's.

    Observations beside the story are spread from `opens` to the call.
    """
    of_story = record(STORY, SCENE, AS_OF, ZONE)
    more = observations - sum(r["resourceType"] == "Observation" for r in of_story)
    found = (*of_story, *_charted(max(0, more), opens), *_given(administrations))
    return [_as_charted(r) if r["resourceType"] == "Observation" else r for r in found]


def _prefetch(observations: int, administrations: int) -> dict[str, Any]:
    of_patient = chart(observations, administrations=administrations)
    drugs = {f"Medication/{r['id']}": r["code"] for r in of_patient if r["resourceType"] == "Medication"}
    by_key: dict[str, list[Resource]] = defaultdict(list)
    for resource in of_patient:
        match resource["resourceType"]:
            case "Observation":
                code = resource["code"]["coding"][0]["code"]
                by_key[KEY_OF_CODE.get(code, "vitals")].append(resource)
            case "MedicationAdministration":
                drug = resource.pop("medicationReference", None)
                named = {"medicationCodeableConcept": drugs[drug["reference"]]} if drug else {}
                by_key["recentAdministrations"].append({**resource, **named})
    for key in ("vitals", "oxygen", "recentAdministrations"):  # as asked for: newest first
        by_key[key].sort(key=_start, reverse=True)
    bundles = {
        key: {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": r} for r in found]}
        for key, found in by_key.items()
    }
    return {"patient": of_patient[0], **dict.fromkeys(COMPLETE_WITHOUT_RESULT), **bundles}


def _start(resource: Resource) -> datetime:
    return datetime.fromisoformat(resource.get("effectiveDateTime") or resource["effectivePeriod"]["start"])


def _charted(number: int, opens: datetime) -> Iterator[Resource]:
    """Observations beside the story's, evenly over the time since `opens`; every third is a sign of interest."""
    step = (AS_OF - opens) / max(1, number)
    for index in range(number):
        at, id_ = opens + index * step, f"{SCENE.patient_id}-more-{index}"
        turn = index // 3
        if index % 3 == 0:
            word, value = (ILL if at >= ILL_FROM else WELL)[turn % len(WELL)]
            yield {**resources([ChartEntry(at, word, value)], SCENE.patient_id)[0], "id": id_}
        else:
            code, display, number_, unit = OTHERS[turn % len(OTHERS)]
            yield {
                "resourceType": "Observation",
                "id": id_,
                "status": "final",
                "code": {"coding": [{"system": LOINC, "code": code, "display": display}]},
                "subject": {"reference": f"Patient/{SCENE.patient_id}"},
                "effectiveDateTime": at.isoformat(),
                "valueQuantity": {"value": number_, "unit": unit, "system": UCUM, "code": unit},
            }


def _given(number: int) -> Iterator[Resource]:
    """Administrations of drugs that no rule reads, evenly over the stay."""
    step = (AS_OF - OPENS) / max(1, number)
    for index in range(number):
        code, display = OTHER_DRUGS[index % len(OTHER_DRUGS)]
        yield {
            "resourceType": "MedicationAdministration",
            "id": f"{SCENE.patient_id}-given-{index}",
            "status": "completed",
            "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": code, "display": display}]},
            "subject": {"reference": f"Patient/{SCENE.patient_id}"},
            "effectiveDateTime": (OPENS + index * step).isoformat(),
            "dosage": {"dose": {"value": 4, "unit": "mg", "system": UCUM, "code": "mg"}},
        }


def _as_charted(observation: Resource) -> Resource:
    """The Observation with the elements that a hospital's server adds and no rule reads: about 1.4 kB in all."""
    at, id_ = observation["effectiveDateTime"], observation["id"]
    category = "http://terminology.hl7.org/CodeSystem/observation-category"
    code = observation["code"]
    flowsheet = {"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.707679", "code": f"row-{code['coding'][0]['code']}"}
    return {
        **observation,
        "meta": {"versionId": "1", "lastUpdated": at, "source": "#MonitorGateway"},
        "identifier": [{"use": "official", "system": "urn:oid:1.2.840.114350.1.13.0.1.7.6.1", "value": f"obs-{id_}"}],
        "category": [{"coding": [{"system": category, "code": "vital-signs", "display": "Vital Signs"}],
                      "text": "Vital Signs"}],
        "code": {"coding": [*code["coding"], {**flowsheet, "display": "Flowsheet row of the intensive care unit"}],
                 "text": code["coding"][0]["display"]},
        "encounter": {"reference": f"Encounter/{SCENE.patient_id}-stay", "display": "Hospital Encounter"},
        "issued": at,
        "performer": [{"reference": "Practitioner/e7h4pT4mJ2c8QfRrYwQ3", "type": "Practitioner",
                       "display": "Registered Nurse, Intensive Care"}],
        "device": {"reference": "Device/eGq0vY1p8Tn4sK5dZ2bA", "display": "Bedside monitor, bed 12"},
    }  # fmt: skip
