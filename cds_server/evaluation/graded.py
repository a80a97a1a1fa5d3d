"""The grades that people charted: CRS by diagnosis, ICANS by score, grade or diagnosis, and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo

import msgspec

from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.conditions import is_refuted, recorded_at
from fhir_mappings.course_history import WholeHistory
from fhir_mappings.neurotoxicity import SCORES, charted_icans
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.resource_pool import ResourcePool
from fhir_mappings.vital_signs import observed_at

# ICD-10-CM: the last digit is the grade; 9 and 0 say none
GRADES = {f"{code}{grade}": grade for code in ("D89.83", "G92.0") for grade in range(1, 6)}


@dataclass(frozen=True)
class Act:
    """One act of charting a grade."""

    at: datetime
    grade: int
    is_coded: bool


class _Sex(fs.FhirStruct, frozen=True):
    gender: str | None = None


_sex = msgspec.json.Decoder(_Sex)


def administrative_gender(pool: ResourcePool, patient: str) -> str | None:
    """The administrative gender of a Patient, which no rule asks for."""
    resource = pool.get(f"Patient/{patient}")
    try:
        return _sex.decode(resource.raw).gender if resource is not None else None
    except msgspec.MsgspecError:
        return None


def coded_grades(
    pool: ResourcePool, terms: Terminology, value_set: str, zone: tzinfo, since: datetime, until: datetime
) -> tuple[Act, ...]:
    """The diagnoses with a grade of a value set, `coded-crs` or `coded-icans`, that were recorded in a course."""
    return tuple(_coded(pool, terms, value_set, zone, since, until))


def _coded(
    pool: ResourcePool, terms: Terminology, value_set: str, zone: tzinfo, since: datetime, until: datetime
) -> Iterator[Act]:
    for resource in pool.of_type(fs.Condition):
        data = resource.data
        at = recorded_at(data, zone)
        if at is None or not since <= at <= until or is_refuted(data):
            continue
        if value_set not in terms.sets_of(fs.codings_of(data.code)):
            continue
        found = [GRADES[coding.code] for coding in data.code.coding if coding.code in GRADES]
        if found:
            yield Act(at, max(found), is_coded=True)


def icans_acts(history: WholeHistory) -> tuple[Act, ...]:
    """The ICE scores and ICANS grades that were charted in a course, each as a grade."""
    past, found = history.past, list[Act]()
    until = history.grades[-1].at
    for set_id in SCORES:
        for observed in history.observations.of(set_id):
            at = observed_at(observed.at, until)
            read = charted_icans(observed, set_id) if at >= past.course.start else None
            if read is not None and read.grade is not None:
                found.append(Act(at, read.grade, is_coded=False))
    return tuple(sorted(found, key=lambda act: act.at))
