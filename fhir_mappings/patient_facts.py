"""A patient's record → PatientFacts: the steps of the mapping, in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from fhir_mappings.caution import infections, safety_labs, tocilizumab_hypersensitivity
from fhir_mappings.conditions import claims, unnamed_diagnoses
from fhir_mappings.course_search import FoundCourse, Reading, find_course, unnamed_drugs
from fhir_mappings.facts.course import Course
from fhir_mappings.facts.coverage import Kind, Reach, SetAside, reach
from fhir_mappings.facts.grade import CrsGrade
from fhir_mappings.facts.patient import Age, PatientFacts
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import Administration, Dose, DrugClass, PendingOrder, Tocilizumab, of_class
from fhir_mappings.fold_changes import fold_changes
from fhir_mappings.neurotoxicity import icans
from fhir_mappings.observations import Observations, sort_observations
from fhir_mappings.pending_orders import pending_orders, unreadable_orders
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.read_resources import PatientRecord
from fhir_mappings.reading.validation import validation_error
from fhir_mappings.rules.crs_grade import Signs, crs_grade
from fhir_mappings.signs import SignsMapping
from fhir_mappings.steroids import steroids_given
from fhir_mappings.treatments import counts_as_crs_dose, doses_of, given_at, history_opens
from fhir_mappings.vital_signs import age_at, latest_weight


def patient_facts(record: PatientRecord, how: Reading) -> PatientFacts:
    """All that the cards may know. Without a course only what a warning about that needs."""
    found = find_course(record, how)
    t = how.thresholds
    patient = record.pool.patient(how.patient_id)
    coded, claimed = claims(record.pool, how.terms, found.zone, how.as_of, t.coded_claim_age)
    dead = patient is not None and (patient.deceased_boolean or patient.deceased_date_time is not None)
    facts = PatientFacts(
        as_of=how.as_of,
        zone=found.zone,
        course_search=found.search,
        coverage=record.coverage,
        course=found.course,
        deceased=dead,
        age=age_at(patient.birth_date if patient else None, how.as_of.astimezone(found.zone).date()),
        coded_crs=coded,
        recent_coded_claim=claimed,
        pending=pending_orders(record.pool, how.terms, found.zone, found.given, how.fhir_base, t),
        set_aside=found.set_aside,
        flags=("timezone_assumed",) if found.zone_assumed and found.course else (),
    )
    if found.course is None or dead or found.course.days_since_last > t.course_days.days:
        return facts
    return _with_course(facts, record, how, found, found.course)


class OutOfTimeError(Exception):
    """The facts of a record could not be settled in the time that there is."""


def settled_facts(record: PatientRecord, how: Reading, in_time: Callable[[], bool] = lambda: True) -> PatientFacts:
    """The facts, resting on valid FHIR only: what they rest on is validated, what is not valid is set aside, and
    the facts are worked out again without it, until they stand. Raises OutOfTimeError."""
    while True:
        facts = patient_facts(record, how)
        if not refuse_invalid(record, facts.evidence, facts.course, in_time):
            return facts


def refuse_invalid(
    record: PatientRecord, evidence: Iterable[str], course: Course | None, in_time: Callable[[], bool]
) -> bool:
    """Set aside what of the evidence is not valid FHIR; whether anything was. Raises OutOfTimeError."""
    infused = {r for i in course.infusions for r in i.references} if course else set()
    refused = False
    for reference in evidence:
        if not in_time():
            raise OutOfTimeError
        resource = record.pool.get(reference)
        if resource is None or validation_error(resource) is None:
            continue
        refused = True
        # a server's mistake is in all its results of a code: refuse them at once, not one in each round
        for like in record.pool.like(resource):
            if not in_time():
                raise OutOfTimeError
            why = validation_error(like)
            if why is not None:
                record.pool.remove(like.reference, why, infusion=like.reference in infused)
    return refused


def _with_course(
    facts: PatientFacts, record: PatientRecord, how: Reading, found: FoundCourse, course: Course
) -> PatientFacts:
    t, as_of = how.thresholds, how.as_of
    observations = sort_observations(
        record.pool.of_type(fs.Observation), how.terms, found.zone, as_of, t.future_tolerance
    )
    signs, bad_signs = signs_of(record, how, found, observations, facts.pending)
    grade = crs_grade(signs, course, facts.age, as_of, t)
    toci = _tocilizumab(found.given, signs.given_reach, course, as_of, t)
    at_dose_2 = _grade_at_dose_2(signs, toci.doses, course, facts.age, t)
    folds, bad_labs = fold_changes(observations, record, how, found, course, signs, toci)
    weight, bad_weights = latest_weight(observations, as_of, t.weight_age)
    labs, bad_counts = safety_labs(observations, as_of, t)
    neuro, bad_scores = icans(observations, record.pool, record.coverage, how.terms, found.zone, as_of, t)
    steroids = steroids_given(found.given, as_of, t)
    known = replace(
        facts,
        grade=grade,
        grade_at_dose_2=at_dose_2,
        progressed=_progressed(grade, at_dose_2),
        folds=folds,
        tocilizumab=toci,
        steroids=steroids,
        weight=weight,
        icans=neuro,
        labs=labs,
        infections=infections(observations, record.pool, how.terms, found.zone, as_of, t),
        tocilizumab_hypersensitivity=tocilizumab_hypersensitivity(record.pool, how.terms),
        done_recently=observations.sets_since(as_of - t.done_recently),
        set_aside=(
            *facts.set_aside,
            *observations.set_aside,
            *bad_signs,
            *bad_labs,
            *bad_weights,
            *bad_counts,
            *bad_scores,
            *unnamed_drugs(found.given),
            *unnamed_diagnoses(record.pool, how.terms),
            *unreadable_orders(record.pool, how.terms, how.fhir_base),
        ),
    )
    return replace(known, flags=_flags(known, course, grade), evidence=_evidence(known, course, grade))


def signs_of(
    record: PatientRecord,
    how: Reading,
    found: FoundCourse,
    observations: Observations,
    pending: Iterable[PendingOrder],
) -> tuple[Signs, tuple[SetAside, ...]]:
    """All that the grade is worked out from, and what of it had to be set aside."""
    t = how.thresholds
    given_reach = reach(record.coverage, [Kind.ADMINISTRATIONS], (*found.set_aside, *unnamed_drugs(found.given)))
    running_reach = _running_reach(given_reach, record, how.as_of, t)
    mapping = SignsMapping(observations, record.coverage, found.set_aside, how.as_of)
    signs = mapping.signs(record.pool, how.terms, found.zone, found.given, given_reach, running_reach, pending, t)
    return signs, tuple(mapping.set_aside)


def _flags(facts: PatientFacts, course: Course, grade: CrsGrade) -> tuple[str, ...]:
    flags = (
        *facts.flags,
        *(() if course.time_known else ("infusion_time_unknown",)),
        *(("second_infusion",) if len(course.infusions) > 1 else ()),
        *(() if facts.age else ("age_unknown",)),
        *(() if facts.tocilizumab.history_complete else ("history_incomplete",)),
        *grade.flags,
        *facts.il6.flags,
        *(("icans_coded",) if facts.icans.coded else ()),
    )
    return tuple(dict.fromkeys(flags))


def _evidence(facts: PatientFacts, course: Course, grade: CrsGrade) -> tuple[str, ...]:
    """The references that the answer rests on, each once."""
    measured = (facts.weight, *facts.labs.known)
    evidence = (
        *(reference for infusion in course.infusions for reference in infusion.references),
        *grade.evidence,
        *(reference for fold in facts.folds.values() for reference in fold.evidence),
        *facts.tocilizumab.evidence,
        *(given.reference for given in facts.steroids),
        *(one.reference for one in measured if one is not None),
        *((facts.icans.reference,) if facts.icans.reference else ()),
        *(infection.reference for infection in facts.infections),
    )
    return tuple(dict.fromkeys(evidence))


def _running_reach(given: Reach, record: PatientRecord, as_of: datetime, t: Thresholds) -> Reach:
    """For row H: a page that is complete only some way back says nothing of infusions begun earlier, unless
    those still running were read too."""
    running = reach(record.coverage, [Kind.RUNNING], ())
    if given.since is None or running.since is not None or given.since <= as_of - t.dose_lookback:
        return given
    return Reach(None, given.holes)


def _tocilizumab(
    given: tuple[Administration, ...], read: Reach, course: Course, as_of: datetime, t: Thresholds
) -> Tocilizumab:
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


def _grade_at_dose_2(
    signs: Signs, doses: tuple[Dose, ...], course: Course, age: Age | None, t: Thresholds
) -> CrsGrade | None:
    if len(doses) < 2:
        return None
    # an order written now says nothing of then
    then = replace(signs, pressure=replace(signs.pressure, ordered=frozenset()))
    return crs_grade(then, course, age, doses[1].start, t)


def _progressed(now: CrsGrade, at_dose_2: CrsGrade | None) -> bool | None:
    """Grade 2 or more now and above the grade at the start of dose 2; None where either cannot be told."""
    if at_dose_2 is None or at_dose_2.grade is None or now.grade is None:
        return None
    if now.grade >= 2 and now.grade > at_dose_2.grade and not at_dose_2.minimum:
        return True
    return None if at_dose_2.minimum else False
