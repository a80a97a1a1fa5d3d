"""The steps of the mapping from a patient's record to PatientFacts, in their order."""

from __future__ import annotations

from dataclasses import replace

from fhir_mappings.birth_date import age_at, birth_date_set_aside
from fhir_mappings.caution import doubtful_allergies, safety_labs, tocilizumab_hypersensitivity
from fhir_mappings.conditions import claims, unnamed_diagnoses
from fhir_mappings.course_search import FoundCourse, MappingContext, find_course, unidentified_drugs
from fhir_mappings.doses import grade_at_dose, other_blockers, progressed, tocilizumab_given
from fhir_mappings.facts.course import Course
from fhir_mappings.facts.flags import Flag
from fhir_mappings.facts.grade import CrsGrade
from fhir_mappings.facts.icans import IcansSource
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.treatment import DrugClass, PendingOrder
from fhir_mappings.fold_changes import fold_changes, last_blocker
from fhir_mappings.infections import infection_facts
from fhir_mappings.known_at.death import has_died
from fhir_mappings.medications.anti_infectives import anti_infectives_of
from fhir_mappings.medications.pending_orders import active_orders, unreadable_orders
from fhir_mappings.medications.steroids import steroids_given
from fhir_mappings.neurotoxicity import icans
from fhir_mappings.observations import sort_observations
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.resource_pool import PatientRecord
from fhir_mappings.rules.crs_grade import crs_grade
from fhir_mappings.rules.first_fever import first_fever
from fhir_mappings.rules.plausible_weight import implausible_weight
from fhir_mappings.signs import signs_of
from fhir_mappings.vital_signs import weights_of


def patient_facts(record: PatientRecord, context: MappingContext) -> PatientFacts:
    """The facts that the cards may know. Without a running course, only those that a warning about that needs."""
    found = find_course(record, context)
    t = context.thresholds
    patient = record.pool.patient(context.patient_id)
    birth_date, today = patient.birth_date if patient else None, context.as_of.astimezone(found.zone).date()
    coded, claimed = claims(record.pool, context.terms, found.zone, context.as_of, t.coded_claim_age)
    dead = has_died(patient, found.zone, context.as_of, t.future_tolerance)
    orders = active_orders(record.pool, context.terms, found.zone, found.given, context.fhir_base, context.as_of, t)
    facts = PatientFacts(
        as_of=context.as_of,
        zone=found.zone,
        course_search=found.search,
        course_doubt=found.doubt,
        coverage=record.coverage,
        course=found.course,
        deceased=dead,
        age=age_at(birth_date, today),
        coded_crs=coded,
        recent_coded_claim=claimed,
        pending=tuple(order for order in orders if not order.charted),
        steroid_orders=tuple(order for order in orders if _is_of_steroid(order)),
        set_aside=(*found.set_aside, *birth_date_set_aside(f"Patient/{context.patient_id}", birth_date, today)),
        flags=(Flag.TIMEZONE_ASSUMED,) if found.zone_assumed and found.course else (),
    )
    if found.course is None or dead or found.course.days_since_last > t.course_days.days:
        return facts
    return _with_course(facts, record, context, found, found.course)


def _is_of_steroid(order: PendingOrder) -> bool:
    return order.drug is not None and order.drug.drug_class is DrugClass.STEROID


def _with_course(
    facts: PatientFacts, record: PatientRecord, context: MappingContext, found: FoundCourse, course: Course
) -> PatientFacts:
    t, as_of = context.thresholds, context.as_of
    observations = sort_observations(
        record.pool.of_type(fs.Observation), context.terms, found.zone, as_of, t.future_tolerance,
        memory=record.pool.memory,
    )  # fmt: skip
    signs, bad_signs = signs_of(record, context, found, observations, facts.pending)
    grade = crs_grade(signs, course, facts.age, as_of, t)
    toci = tocilizumab_given(found, record.coverage, course, as_of, t)
    at_dose_2 = grade_at_dose(signs, toci.doses, 2, course, facts.age, t)
    folds, bad_labs = fold_changes(observations, record, context, found, course, signs, toci)
    weights, bad_weights = weights_of(observations, as_of, t.weight_lookback)
    recent = bool(weights) and as_of - weights[-1].at <= t.weight_age
    implausible = implausible_weight(weights, facts.age, t) if recent else None
    labs, bad_counts = safety_labs(observations, as_of, t)
    neuro, bad_scores = icans(observations, record.pool, record.coverage, context.terms, found.zone, as_of, t)
    steroids = steroids_given(found.given, min(grade.onset or as_of, as_of - t.steroid_named), as_of, t)
    anti_infectives = anti_infectives_of(record.pool, context.terms, found.zone, as_of, t, context.fhir_base)
    known = replace(
        facts,
        grade=grade,
        first_fever=first_fever(grade, course, found.zone, t),
        grade_at_dose_1=grade_at_dose(signs, toci.doses[:1], 1, course, facts.age, t) if at_dose_2 is None else None,
        grade_at_dose_2=at_dose_2,
        progressed=progressed(grade, at_dose_2),
        folds=folds,
        tocilizumab=toci,
        last_il6_blocker=last_blocker(found.given, course, as_of),
        other_blockers=other_blockers(found.given, course, as_of, t),
        steroids=steroids,
        weight=weights[-1] if recent and implausible is None else None,
        implausible_weight=implausible,
        icans=neuro,
        labs=labs,
        infection=infection_facts(observations, record.pool, context.terms, found.zone, as_of, anti_infectives, t),
        tocilizumab_hypersensitivity=tocilizumab_hypersensitivity(record.pool, context.terms),
        done_recently=observations.sets_since(as_of - t.done_recently),
        set_aside=(
            *facts.set_aside,
            *observations.set_aside,
            *bad_signs,
            *bad_labs,
            *bad_weights,
            *bad_counts,
            *bad_scores,
            *(s for s in unidentified_drugs(found.given) if not s.infusion),
            *unnamed_diagnoses(record.pool, context.terms),
            *doubtful_allergies(record.pool, context.terms),
            *unreadable_orders(record.pool, context.terms, context.fhir_base),
        ),
    )
    return replace(known, flags=_flags(known, course, grade), evidence=_evidence(known, course, grade))


def _flags(facts: PatientFacts, course: Course, grade: CrsGrade) -> tuple[str, ...]:
    flags = (
        *facts.flags,
        *(() if course.time_known else (Flag.INFUSION_TIME_UNKNOWN,)),
        *((Flag.SECOND_INFUSION,) if len(course.infusions) > 1 else ()),
        *(() if facts.age else (Flag.AGE_UNKNOWN,)),
        *(() if facts.tocilizumab.history_complete else (Flag.HISTORY_INCOMPLETE,)),
        *grade.flags,
        *facts.il6.flags,
        *((Flag.ICANS_CODED,) if facts.icans.source is IcansSource.DIAGNOSIS else ()),
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
        *(reference for blocker in facts.other_blockers for reference in blocker.references),
        *(given.reference for given in facts.steroids),
        *(one.reference for one in measured if one is not None),
        *(facts.implausible_weight.references if facts.implausible_weight else ()),
        *((facts.icans.reference,) if facts.icans.reference else ()),
        *(sign.reference for sign in facts.infection.counted),
        *(drug.reference for drug in facts.infection.anti_infectives),
    )
    return tuple(dict.fromkeys(evidence))
