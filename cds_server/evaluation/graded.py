"""The grades that people charted: CRS by grade or diagnosis, ICANS by score, grade or diagnosis, and when."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

import msgspec

from cds_server.evaluation.rows.courses import GradeSource
from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.conditions import is_refuted, recorded_at
from fhir_mappings.course_history import WholeHistory
from fhir_mappings.neurotoxicity import SCORES, charted_icans
from fhir_mappings.observations import Observations, Observed
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.resource_pool import ResourcePool
from fhir_mappings.vital_signs import observed_at

# ICD-10-CM: the last digit is the grade; 9 and 0 say none
GRADES = {f"{code}{grade}": grade for code in ("D89.83", "G92.0") for grade in range(1, 6)}
HIGHEST = 5
_SOURCE = {"ice-score": GradeSource.SCORE, "icans-grade": GradeSource.CHARTED}
_ROMAN = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5}
# "2", "Grade 2", "CRS grade II: fever and oxygen"; of "grade 2-3" and "2, 3" nothing is read
_ONE = r"(?:[0-5]|IV|V|I{1,3})"
_GRADE = re.compile(
    rf"(?:ASTCT )?(?:CRS )?(?:grade|G)? ?:? ?(?P<grade>{_ONE})"
    rf"(?:(?: ?[:(,;]| - )(?! ?(?:grade |G)?{_ONE}(?![\w.])).*)?",
    re.IGNORECASE | re.ASCII,
)
_NONE = re.compile(r"(?:none|no crs|no cytokine release syndrome)", re.IGNORECASE)


@dataclass(frozen=True)
class Act:
    """One act of charting a grade. With `is_minimum` it is at least that: an ICE score of 0 is ICANS 3 or 4. `grade` is
    None where no single grade was charted ("2-3")."""

    at: datetime
    grade: int | None
    source: GradeSource
    is_minimum: bool = False


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
            yield Act(at, max(found), GradeSource.DIAGNOSIS)


def crs_acts(observations: Observations, since: datetime, until: datetime) -> tuple[Act, ...]:
    """The grades of CRS that somebody charted in a course, under a code or text of the value set `crs-grade`."""
    found = list[Act]()
    for observed in observations.of("crs-grade"):
        at = observed_at(observed.at, until)
        if since <= at <= until and not _is_empty(observed):
            found.append(Act(at, charted_crs(observed), GradeSource.CHARTED))
    return tuple(sorted(found, key=lambda act: act.at))


def _is_empty(observed: Observed) -> bool:
    """Tell whether an entry says that it has no value."""
    return observed.absent and not observed.stated


def charted_crs(observed: Observed) -> int | None:
    """The grade of CRS that an Observation states, 0 to 5; None where it states none."""
    quantity, concept = observed.quantity, observed.concept
    if quantity is not None and quantity.value is not None:
        whole = not quantity.comparator and quantity.value == quantity.value.to_integral_value()
        return int(quantity.value) if whole and 0 <= quantity.value <= HIGHEST else None
    named = (concept.text, *(coding.display for coding in concept.coding)) if concept is not None else ()
    grades = (_grade_in(" ".join(text.split())) for text in (observed.text, *named) if text)
    return next((grade for grade in grades if grade is not None), None)


def _grade_in(text: str) -> int | None:
    if _NONE.fullmatch(text):
        return 0
    found = _GRADE.fullmatch(text)
    if found is None:
        return None
    grade = found["grade"].upper()
    return _ROMAN[grade] if grade in _ROMAN else int(grade)


def icans_acts(history: WholeHistory) -> tuple[Act, ...]:
    """The ICE scores and ICANS grades that were charted in a course, each as a grade."""
    past, found = history.past, list[Act]()
    until = history.grades[-1].at
    for set_id in SCORES:
        for observed in history.observations.of(set_id):
            at = observed_at(observed.at, until)
            if at < past.course.start or _is_empty(observed):
                continue
            read = charted_icans(observed, set_id)
            if read is not None:
                found.append(Act(at, read.grade, _SOURCE[set_id], read.from_ice_0))
            elif _SOURCE[set_id] is GradeSource.CHARTED:
                found.append(Act(at, None, GradeSource.CHARTED))
    return tuple(sorted(found, key=lambda act: act.at))


def scored_icans(acts: Iterable[Act], at: datetime, window: timedelta) -> Act | None:
    """The highest ICANS by ICE score at a moment, over the window of the rules. A grade that somebody charted is what
    it is compared with, so it does not count."""
    scores = [act for act in acts if act.source is GradeSource.SCORE and at - window <= act.at <= at]
    return max(scores, key=lambda act: (act.grade or 0, act.is_minimum), default=None)
