"""The history of a course: signs, drugs given, and the grade at each moment, from a record that was read once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from fhir_mappings.birth_date import age_at
from fhir_mappings.course_search import FoundCourse, MappingContext, find_course
from fhir_mappings.facts.course import Course
from fhir_mappings.facts.coverage import SetAside
from fhir_mappings.facts.grade import CrsGrade
from fhir_mappings.facts.patient import Age, PatientFacts
from fhir_mappings.facts.signs import SupportSpan
from fhir_mappings.facts.treatment import Administration, DrugClass, PendingOrder, of_class
from fhir_mappings.fold_changes import blockers_of, first_blocker
from fhir_mappings.medications.pending_orders import active_orders
from fhir_mappings.observations import Observations, sort_observations
from fhir_mappings.oxygen_devices import ended_supports
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.resource_pool import OutOfTimeError, PatientRecord
from fhir_mappings.rules.crs_grade import Signs
from fhir_mappings.rules.grade_history import GradeAt, Past, grade_history
from fhir_mappings.settled_facts import refuse_invalid
from fhir_mappings.signs import signs_of

_PRESSORS = (DrugClass.VASOPRESSOR, DrugClass.VASOPRESSIN)


@dataclass(frozen=True)
class CourseHistory:
    """The course up to now.

    `grades` are oldest first, and the last of them is the grade of the facts. `thinned` means that not every moment was
    worked out. IL-6 no longer counts from `il6_until` on, the first IL-6 blocker of the course. `set_aside` holds
    resources that an earlier grade could not rest on, besides those that the facts have set aside.
    """

    signs: Signs
    given: tuple[Administration, ...]
    ended: tuple[SupportSpan, ...]
    grades: tuple[GradeAt, ...]
    thinned: bool
    il6_until: datetime | None
    set_aside: tuple[SetAside, ...]


def course_history(
    record: PatientRecord,
    context: MappingContext,
    facts: PatientFacts,
    course: Course,
    grade: CrsGrade,
    in_time: Callable[[], bool] = lambda: True,
) -> CourseHistory:
    """The history behind settled facts. Raises OutOfTimeError.

    The resources behind an earlier grade are validated too. An invalid one is set aside for the earlier grades alone:
    the facts, and with them the grade of now, stay those of the hooks.
    """
    while True:
        found = find_course(record, context)
        observations = sort_observations(
            record.pool.of_type(fs.Observation), context.terms, found.zone, context.as_of,
            context.thresholds.future_tolerance, memory=record.pool.memory,
        )  # fmt: skip
        past = _past(record, context, found, course, observations)
        earlier, thinned = _grades(past, facts.as_of, in_time)
        evidence = dict.fromkeys(reference for one in earlier for reference in one.grade.evidence)
        if not refuse_invalid(record, evidence, course, in_time):
            break
    return CourseHistory(
        signs=past.signs,
        given=found.given,
        ended=past.ended,
        grades=(*(one for one in earlier if one.at < facts.as_of), GradeAt(facts.as_of, grade)),
        thinned=thinned,
        il6_until=first_blocker(blockers_of(found.given, course)),
        set_aside=tuple(one for one in found.set_aside if one not in facts.set_aside),
    )


@dataclass(frozen=True)
class WholeHistory:
    """The course to the moment of the context, worked out at every moment up to `most` of them; `thinned` beyond."""

    past: Past
    found: FoundCourse
    observations: Observations
    grades: tuple[GradeAt, ...]
    thinned: bool


def whole_history(record: PatientRecord, context: MappingContext, most: int) -> WholeHistory | None:
    """The history of the course that runs at the moment of the context, for who looks back on it; None without one."""
    while True:
        found = find_course(record, context)
        if found.course is None:
            return None
        t, pool = context.thresholds, record.pool
        observations = sort_observations(
            pool.of_type(fs.Observation), context.terms, found.zone, context.as_of, t.future_tolerance,
            memory=pool.memory,
        )  # fmt: skip
        past = _past(record, context, found, found.course, observations)
        grades, thinned = grade_history(past, context.as_of, most)
        evidence = dict.fromkeys(reference for one in grades for reference in one.grade.evidence)
        infused = dict.fromkeys(reference for i in found.course.infusions for reference in i.references)
        if not refuse_invalid(record, [*infused, *evidence], found.course, lambda: True):
            return WholeHistory(past, found, observations, grades, thinned)


def _grades(past: Past, now: datetime, in_time: Callable[[], bool]) -> tuple[tuple[GradeAt, ...], bool]:
    def pending(at: datetime) -> Iterable[PendingOrder]:
        if not in_time():
            raise OutOfTimeError
        return past.pending(at)

    return grade_history(Past(past.signs, past.ended, past.course, pending, past.age, past.t), now)


def _past(
    record: PatientRecord, context: MappingContext, found: FoundCourse, course: Course, observations: Observations
) -> Past:
    t, pool = context.thresholds, record.pool
    now = active_orders(pool, context.terms, found.zone, found.given, context.fhir_base, context.as_of, t)
    not_charted = tuple(order for order in now if not order.charted)
    signs, _ = signs_of(record, context, found, observations, not_charted)
    patient = pool.patient(context.patient_id)
    born = patient.birth_date if patient else None
    pressors = of_class(found.given, *_PRESSORS)
    anything_ordered = bool(pool.of_type(fs.MedicationRequest))

    def pending(at: datetime) -> tuple[PendingOrder, ...]:
        """The orders that were written and not yet charted at `at`; an order without a time is one of now."""
        if not anything_ordered:
            return ()
        given = [a for a in pressors if a.start.earliest <= at]
        orders = active_orders(pool, context.terms, found.zone, given, context.fhir_base, at, t)
        return tuple(o for o in orders if not o.charted and o.authored is not None and o.authored <= at)

    def age(at: datetime) -> Age | None:
        return age_at(born, at.astimezone(found.zone).date())

    ended = ended_supports(pool.of_type(fs.Procedure), context.terms, found.zone, context.as_of)
    return Past(signs, ended, course, pending, age, t)
