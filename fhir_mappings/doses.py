"""The tocilizumab doses of a course, and the progress of CRS since the second."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from fhir_mappings.course_search import FoundCourse
from fhir_mappings.facts.course import Course
from fhir_mappings.facts.coverage import Coverage, Kind
from fhir_mappings.facts.grade import CrsGrade
from fhir_mappings.facts.patient import Age
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import (
    BLOCKERS,
    Administration,
    BlockerGiven,
    Dose,
    DrugClass,
    Tocilizumab,
    of_class,
)
from fhir_mappings.medications.treatments import counts_as_crs_dose, doses_of, given_at, history_opens
from fhir_mappings.rules.crs_grade import Signs, crs_grade

_STEP = timedelta(hours=1)  # by which the grade at a dose is looked for, backwards


def tocilizumab_given(
    found: FoundCourse, coverage: Mapping[Kind, Coverage], course: Course, as_of: datetime, t: Thresholds
) -> Tocilizumab:
    given, read = found.given, found.given_reach(coverage, BLOCKERS)
    all_given = of_class(given, DrugClass.TOCILIZUMAB)
    ours = [a for a in all_given if counts_as_crs_dose(a) and a.start.latest >= course.start]
    recent = [
        a for a in all_given if a.start.latest >= course.start or as_of - given_at(a.start, as_of) <= t.dose_lookback
    ]
    return Tocilizumab(
        doses=doses_of(ours, as_of, t),
        safety_starts=tuple(d.last_start for d in doses_of(recent, as_of, t)),
        history_complete=read.whole(history_opens(course, as_of, t), as_of),
        evidence=tuple(a.reference for a in recent),
    )


def other_blockers(
    given: Iterable[Administration], course: Course, as_of: datetime, t: Thresholds
) -> tuple[BlockerGiven, ...]:
    """The IL-6 and IL-1 blockers since the administrations are read that are no tocilizumab for CRS in this course: a
    drug once, with its last dose."""
    by_drug: dict[str, list[Administration]] = {}
    for a in of_class(given, *BLOCKERS):
        for_crs = counts_as_crs_dose(a) and a.start.latest >= course.start
        if not for_crs and a.start.latest >= course.start - t.blockers_named:
            by_drug.setdefault(a.drug.ingredient, []).append(a)
    return tuple(
        BlockerGiven(
            ingredient=drug, route=found[-1].route, dose=found[-1].dose, number=len(found),
            last=given_at(found[-1].start, as_of), date_only=found[-1].start.is_date,
            references=tuple(a.reference for a in found),
        )
        for drug, found in by_drug.items()
    )  # fmt: skip


def grade_at_dose(
    signs: Signs, doses: tuple[Dose, ...], number: int, course: Course, age: Age | None, t: Thresholds
) -> CrsGrade | None:
    """The grade at the start of a dose; None without that dose.

    Where there is no grade at that moment, or a minimum, the latest one that is neither in the day before counts.
    """
    if len(doses) < number:
        return None
    # an order that is active now says nothing about that moment
    then = replace(signs, pressure=replace(signs.pressure, ordered=frozenset()))
    start = doses[number - 1].start
    at_start = crs_grade(then, course, age, start, t)
    found, at = at_start, start
    while (found.grade is None or found.minimum) and at - _STEP >= max(start - t.grade_at_dose_back, course.start):
        at -= _STEP
        found = crs_grade(then, course, age, at, t)
    return at_start if found.grade is None or found.minimum else found


def progressed(now: CrsGrade, at_dose_2: CrsGrade | None) -> bool | None:
    """Tell whether CRS is grade 2 or more and above the grade at dose 2; None if that cannot be known."""
    if at_dose_2 is None or at_dose_2.grade is None or now.grade is None:
        return None
    if now.grade >= 2 and now.grade > at_dose_2.grade and not at_dose_2.minimum:
        return True
    return None if at_dose_2.minimum else False
