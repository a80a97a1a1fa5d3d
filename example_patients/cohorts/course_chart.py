"""The chart of one constructed course: signs three times a day, samples, doses, an end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from example_patients.stories.chart import Resource, entries, resources

TAG = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST", "display": "test health data"}
PRODUCT = "tisagenlecleucel"
HOURS = (6, 14, 22)  # the rounds at which signs are charted
LABORATORY = {"26881-3", "1988-5"}  # IL-6, CRP
REPORTED_AFTER = timedelta(minutes=90)  # from the draw to the result
SUPPORT = {0: "device RA", 1: "device RA", 2: "device NC | flow 3", 3: "device HFNC", 4: "device BiPAP"}
IL6_BASELINE, CRP_BASELINE = 10, 20  # pg/mL, mg/L
LAST_VISIT = 32  # day


@dataclass(frozen=True)
class Person:
    """A patient who does not exist."""

    id: str
    sex: str
    age: int  # completed years at the infusion
    day0: date
    died: datetime | None = None


@dataclass(frozen=True)
class Level:
    """A grade from an hour of the course on, as the signs show it. Hours count from midnight of day 0."""

    hour: int
    grade: int


def signs(levels: tuple[Level, ...], until_day: int, died_hour: int | None = None) -> Iterator[str]:
    """The lines of signs: at each round those of the level in force."""
    for day in range(until_day + 1):
        for hour in HOURS:
            at = 24 * day + hour
            if died_hour is not None and at >= died_hour:
                return
            grade = next((level.grade for level in reversed(levels) if level.hour <= at), 0)
            yield f"D{day} {hour:02}:00  T {38.7 if grade else 36.8} | SBP 118 | SpO2 96 | {SUPPORT[grade]}"


def resources_of(person: Person, lines: list[str]) -> list[Resource]:
    """The resources of a patient: its Patient, and what the lines chart."""

    def at(day: int, clock: str) -> datetime:
        return datetime.combine(person.day0, time.fromisoformat(clock), UTC) + timedelta(days=day)

    made = resources(list(entries("\n".join(lines), at)), person.id)
    ordered = [_order(resource, person) for resource in made if _is_tocilizumab(resource)]
    found = (_patient(person), *before_the_course(person), *ordered, *map(_issued, made))
    return [tagged(resource) for resource in found]


def before_the_course(person: Person) -> list[Resource]:
    """One resource of each type that is read besides the chart: a type that an export lacks leaves a grade unknown."""
    subject = {"reference": f"Patient/{person.id}"}
    at = datetime.combine(person.day0, time(9), UTC) - timedelta(days=10)

    def one(name: str, text: str, **more: Any) -> Resource:
        return {"resourceType": name, "id": f"{person.id}-{name.lower()}", "code": {"text": text}, **more}

    return [
        one("Condition", "Acute lymphoblastic leukemia", subject=subject, recordedDate=at.isoformat()),
        one("AllergyIntolerance", "No known allergy", patient=subject, recordedDate=at.isoformat()),
        one("Procedure", "Lumbar puncture", subject=subject, status="completed", performedDateTime=at.isoformat()),
        one("ServiceRequest", "Echocardiography", subject=subject, status="completed", intent="order",
            authoredOn=at.isoformat()),
        {
            "resourceType": "MedicationRequest", "id": f"{person.id}-order", "status": "completed", "intent": "order",
            "subject": subject, "authoredOn": at.isoformat(),
            "medicationCodeableConcept": {"text": "allopurinol 300 mg"},
        },
    ]  # fmt: skip


def _is_tocilizumab(resource: Resource) -> bool:
    return resource["resourceType"] == "MedicationAdministration" and "medicationReference" in resource


def _order(dose: Resource, person: Person) -> Resource:
    """The order of a dose, an hour before it."""
    at = datetime.fromisoformat(dose["effectivePeriod"]["start"]) - timedelta(hours=1)
    return {
        "resourceType": "MedicationRequest", "id": f"{dose['id']}-order", "status": "completed", "intent": "order",
        "subject": {"reference": f"Patient/{person.id}"}, "authoredOn": at.isoformat(),
        "medicationReference": dose["medicationReference"],
    }  # fmt: skip


def _patient(person: Person) -> Resource:
    born = person.day0 - timedelta(days=round(365.25 * person.age) + 100)
    found: dict[str, Any] = {
        "resourceType": "Patient",
        "id": person.id,
        "name": [{"family": "Constructed", "given": [person.id]}],
        "gender": person.sex,
        "birthDate": born.isoformat(),
    }
    return found | ({"deceasedDateTime": person.died.isoformat()} if person.died else {})


def _issued(resource: Resource) -> Resource:
    """The resource; a laboratory result with the time at which it was reported."""
    codings = resource.get("code", {}).get("coding", [])
    if not any(coding.get("code") in LABORATORY for coding in codings):
        return resource
    drawn = datetime.fromisoformat(resource["effectiveDateTime"])
    return resource | {"issued": (drawn + REPORTED_AFTER).isoformat()}


def tagged(resource: Resource) -> Resource:
    return resource | {"meta": {"tag": [TAG]}}
