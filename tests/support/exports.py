"""Exports as hospitals write them, invented: patients with local codes, written as NDJSON, Bundles and packed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.support.fhir_wire import Resource

LOINC, SNOMED, UCUM = "http://loinc.org", "http://snomed.info/sct", "http://unitsofmeasure.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
GERMAN = "urn:oid:1.2.276.0.76.3.1.999"  # an invented hospital's own codes
JAPANESE = "urn:oid:1.2.392.200119.99"
AT = "2026-03-06T08:00:00+01:00"


def subject(patient: int) -> dict[str, str]:
    return {"reference": f"Patient/p{patient}"}


def concept(system: str | None, code: str | None, text: str | None = None) -> dict[str, Any]:
    coding = {key: value for key, value in (("system", system), ("code", code), ("display", text)) if value}
    return {"coding": [coding]} if code else {"text": text}


def observation(
    id_: str, patient: int, code: dict[str, Any], value: Any = None, unit: str = "", **more: Any
) -> Resource:
    """An Observation with a number and its unit, a text, or a concept."""
    valued: dict[str, Any] = {}
    if isinstance(value, int | float):
        valued = {"valueQuantity": {"value": value, **({"unit": unit, "code": unit, "system": UCUM} if unit else {})}}
    elif isinstance(value, str):
        valued = {"valueString": value}
    elif value is not None:
        valued = {"valueCodeableConcept": value}
    return {
        "resourceType": "Observation", "id": id_, "status": "final", "code": code, "subject": subject(patient),
        "effectiveDateTime": AT, **valued, **more,
    }  # fmt: skip


def given(id_: str, patient: int, drug: dict[str, Any], **more: Any) -> Resource:
    return {
        "resourceType": "MedicationAdministration", "id": id_, "status": "completed", "subject": subject(patient),
        "medicationCodeableConcept": drug, "effectiveDateTime": AT, **more,
    }  # fmt: skip


def procedure(id_: str, patient: int, code: dict[str, Any], **more: Any) -> Resource:
    return {
        "resourceType": "Procedure", "id": id_, "status": "completed", "code": code, "subject": subject(patient),
        "performedDateTime": AT, **more,
    }  # fmt: skip


def patient(number: int) -> Resource:
    return {"resourceType": "Patient", "id": f"p{number}", "birthDate": "1970-05-05"}


def ndjson(folder: Path, name: str, resources: Iterable[Resource]) -> Path:
    text = "".join(json.dumps(resource, ensure_ascii=False) + "\n" for resource in resources).encode()
    file = folder / name
    file.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    return file


def local_codes(patients: int = 6) -> Iterator[Resource]:
    """Charts of an invented hospital whose ICU speaks German and whose laboratory speaks Japanese."""
    for n in range(patients):
        yield patient(n)
        yield from _german(n)
        yield from _japanese(n)


def _german(n: int) -> Iterator[Resource]:
    yield observation(f"kt-{n}", n, concept(GERMAN, "KT-AX", "Körpertemperatur axillär"), 38.9, "Cel")
    yield observation(f"rr-{n}", n, concept(GERMAN, "RRS", "RR systolisch"), 92, "mmHg")
    yield observation(f"dia-{n}", n, concept(GERMAN, "RRD", "RR diastolisch"), 50, "mmHg")
    yield observation(f"o2-{n}", n, concept(LOINC, "3152-6"), "Optiflow (neu) bei Bedarf")
    yield given(f"nor-{n}", n, concept(GERMAN, "4711", "Noradrenalin Perfusor 5 mg/50 mL"))
    yield given(f"mis-{n}", n, concept(GERMAN, "4712", "Noradrenalim 1 mg/mL"))
    yield given(f"par-{n}", n, concept(GERMAN, "4713", "Novalgin 1 g"))
    yield given(f"akr-{n}", n, concept(GERMAN, "4714", "Akrinor 200 mg/20 mg"))
    yield procedure(f"beat-{n}", n, concept(GERMAN, "OPS-1", "Maschinelle Beatmung, Weaning"), status="in-progress")
    yield procedure(f"zvk-{n}", n, concept(GERMAN, "OPS-2", "Anlage eines ZVK"))


def _japanese(n: int) -> Iterator[Resource]:
    yield observation(f"il6-{n}", n, concept(JAPANESE, "5J095", "インターロイキン6 (IL-6)"), 46.5, "pg/mL")
    yield observation(f"crp-{n}", n, concept(JAPANESE, "5C070", "C反応性蛋白 (CRP)"), 4.2, "mg/dL")
    yield observation(f"wt-{n}", n, concept(JAPANESE, "9N011", "体重"), 62, "kg")
    yield observation(f"na-{n}", n, concept(JAPANESE, "3H010", "ナトリウム"), 139, "mEq/L")
    yield given(f"toci-{n}", n, concept(JAPANESE, "6399421", "アクテムラ点滴静注用400mg"))
    yield given(f"ace-{n}", n, concept(JAPANESE, "1141400", "アセリオ静注液1000mg"))
