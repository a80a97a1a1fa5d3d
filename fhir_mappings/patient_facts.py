"""A patient's record → PatientFacts: the steps of the mapping, in their order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from fhir_mappings import fhir_structs as fs
from fhir_mappings.clinical_facts import (
    Administration,
    Age,
    Completeness,
    Course,
    CourseSearch,
    CrsGrade,
    Dose,
    DrugClass,
    FoldChange,
    Kind,
    PatientFacts,
    Reason,
    Route,
    SetAside,
    Tocilizumab,
)
from fhir_mappings.course import (
    current_course,
    facility_zone,
    infusion_administrations,
    infusion_procedures,
    infusions,
)
from fhir_mappings.crs_grade import Signs, crs_grade, fevers
from fhir_mappings.fhir_time import BadTimeError, moment
from fhir_mappings.fold_change import Setting, fold_change
from fhir_mappings.lab_series import lab_series
from fhir_mappings.observations import Observations, sort_observations
from fhir_mappings.orders_and_claims import (
    claims,
    done_recently,
    latest_neutrophils,
    latest_weight,
    pending_orders,
    steroids_given,
    tocilizumab_hypersensitivity,
)
from fhir_mappings.reach import NOT_SUPPLIED, Reach, reach
from fhir_mappings.read_resources import PatientRecord, validation_error
from fhir_mappings.signs import SignsMapping
from fhir_mappings.terminology import Terminology
from fhir_mappings.thresholds import Thresholds
from fhir_mappings.treatments import administrations, counts_as_crs_dose, doses_of, given_at, of_class
from fhir_mappings.units import Measure
from fhir_mappings.vital_signs import age_at

_BLOCKERS = (DrugClass.TOCILIZUMAB, DrugClass.IL6_BLOCKER)


@dataclass(frozen=True)
class Reading:
    """How a record is to be read: codes, numbers, the facility's zone, the patient and the moment."""

    terms: Terminology
    thresholds: Thresholds
    zone: tzinfo | None
    patient_id: str
    fhir_base: str | None
    as_of: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "as_of", self.as_of.astimezone(UTC))


@dataclass(frozen=True)
class FoundCourse:
    """The course, what was given, and how sure we are that nothing was missed."""

    zone: tzinfo
    zone_assumed: bool
    given: tuple[Administration, ...]
    course: Course | None
    search: CourseSearch
    set_aside: tuple[SetAside, ...]


def find_course(record: PatientRecord, how: Reading) -> FoundCourse:
    """Administrations and procedures → the course now running, or how surely there is none."""
    pool, t = record.pool, how.thresholds
    zone, assumed = facility_zone(how.zone, pool, how.terms, how.fhir_base)
    given, bad_given = administrations(pool, how.terms, zone, how.as_of, t, how.fhir_base)
    procedures, bad_procedures = infusion_procedures(pool, how.terms, zone)
    products, bad_products = infusion_administrations(given)
    course = current_course(infusions((*procedures, *products), zone), how.as_of, zone, t)
    bad = (*_broken(record, zone), *bad_given, *bad_procedures, *bad_products)
    search = CourseSearch.FOUND if course else _no_course(record, how, given, bad)
    return FoundCourse(zone, assumed, given, course, search, bad)


def _broken(record: PatientRecord, zone: tzinfo) -> tuple[SetAside, ...]:
    found = []
    for b in record.pool.broken.values():
        try:
            at = moment(b.when, zone) if b.when else None
        except BadTimeError:
            at = None
        found.append(SetAside(b.reference, b.why, b.kinds, at, b.infusion))
    return tuple(found)


def _no_course(
    record: PatientRecord, how: Reading, given: tuple[Administration, ...], bad: tuple[SetAside, ...]
) -> CourseSearch:
    states = [record.coverage.get(k, NOT_SUPPLIED).state for k in (Kind.ADMINISTRATIONS, Kind.PROCEDURES)]
    if all(state is Completeness.UNREAD for state in states):
        return CourseSearch.UNREADABLE
    opens = how.as_of - how.thresholds.course_days
    read = reach(record.coverage, [Kind.ADMINISTRATIONS], (*bad, *_unnamed(given)))
    procedures = reach(record.coverage, [Kind.PROCEDURES], bad)
    if read.whole(opens, how.as_of) and procedures.whole(opens, how.as_of):
        return CourseSearch.NONE
    return CourseSearch.NONE_IN_PART_READ


def _unnamed(given: Iterable[Administration]) -> tuple[SetAside, ...]:
    """Administrations whose drug nothing names: holes, for each may be any drug."""
    return tuple(
        SetAside(a.reference, "drug not identified", frozenset({Kind.ADMINISTRATIONS}), a.start)
        for a in of_class(given, DrugClass.UNIDENTIFIED)
    )


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
        pending=pending_orders(record.pool, how.terms, found.zone, found.given, how.fhir_base),
        set_aside=found.set_aside,
        flags=("timezone_assumed",) if found.zone_assumed and found.course else (),
    )
    if found.course is None or dead or found.course.days_since_last > t.course_days.days:
        return facts
    return _with_course(facts, record, how, found, found.course)


def settled_facts(record: PatientRecord, how: Reading) -> PatientFacts:
    """The facts, resting on valid FHIR only: what they rest on is validated, what is not valid is set aside, and
    the facts are worked out again without it, until they stand."""
    while True:
        facts = patient_facts(record, how)
        refused = _refuse_invalid(record, facts)
        if not refused:
            return facts


def _refuse_invalid(record: PatientRecord, facts: PatientFacts) -> bool:
    infused = {r for i in facts.course.infusions for r in i.references} if facts.course else set()
    refused = False
    for reference in facts.evidence:
        resource = record.pool.get(reference)
        if resource is None or validation_error(resource) is None:
            continue
        refused = True
        # a server's mistake is in all its results of a code: refuse them at once, not one in each round
        for like in record.pool.like(resource):
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
    given_reach = reach(record.coverage, [Kind.ADMINISTRATIONS], (*found.set_aside, *_unnamed(found.given)))
    now_reach = _reach_now(given_reach, record, as_of, t)
    mapping = SignsMapping(observations, record.coverage, found.set_aside, as_of)
    signs = mapping.signs(record.pool, how.terms, found.zone, found.given, given_reach, facts.pending, t)
    signs = replace(signs, pressure=replace(signs.pressure, administrations_reach=now_reach))
    grade = crs_grade(signs, course, facts.age, as_of, t)
    toci = _tocilizumab(found.given, given_reach, course, as_of, t)
    at_dose_2 = _grade_at_dose_2(signs, toci.doses, course, facts.age, t)
    il6, crp, bad_labs = _folds(observations, record, how, found, course, signs, toci)
    weight, bad_weights = latest_weight(observations, as_of, t.weight_age)
    neutrophils, bad_counts = latest_neutrophils(observations, as_of, t.neutrophils_age)
    steroids = steroids_given(found.given, as_of, t)
    flags = (
        *facts.flags,
        *(() if course.time_known else ("infusion_time_unknown",)),
        *(("second_infusion",) if len(course.infusions) > 1 else ()),
        *(() if facts.age else ("age_unknown",)),
        *(() if toci.history_complete else ("history_incomplete",)),
        *grade.flags,
        *il6.flags,
    )
    evidence = (
        *(r for i in course.infusions for r in i.references), *grade.evidence, *il6.evidence, *crp.evidence,
        *toci.evidence, *(s.reference for s in steroids), *((weight.reference,) if weight else ()),
        *((neutrophils.reference,) if neutrophils else ()),
    )  # fmt: skip
    return replace(
        facts,
        grade=grade,
        grade_at_dose_2=at_dose_2,
        progressed=_progressed(grade, at_dose_2),
        il6=il6,
        crp=crp,
        tocilizumab=toci,
        steroids=steroids,
        weight=weight,
        neutrophils=neutrophils,
        tocilizumab_hypersensitivity=tocilizumab_hypersensitivity(record.pool, how.terms),
        done_recently=done_recently(observations, as_of, t.done_recently),
        flags=tuple(dict.fromkeys(flags)),
        set_aside=(
            *facts.set_aside,
            *observations.set_aside,
            *mapping.set_aside,
            *bad_labs,
            *bad_weights,
            *bad_counts,
            *_unnamed(found.given),
        ),
        evidence=tuple(dict.fromkeys(evidence)),
    )


def _reach_now(given: Reach, record: PatientRecord, as_of: datetime, t: Thresholds) -> Reach:
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
        history_complete=read.whole(course.start - t.administrations_before, as_of),
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


def _folds(
    observations: Observations,
    record: PatientRecord,
    how: Reading,
    found: FoundCourse,
    course: Course,
    signs: Signs,
    toci: Tocilizumab,
) -> tuple[FoldChange, FoldChange, tuple[SetAside, ...]]:
    t = how.thresholds
    lost = tuple(s for s in (*found.set_aside, *observations.set_aside) if Kind.IL6_CRP in s.kinds)
    blockers = [a for a in of_class(found.given, *_BLOCKERS) if a.start.latest >= course.start]
    hot = fevers(signs, course, how.as_of, t)
    setting = Setting(
        course=course,
        as_of=how.as_of,
        zone=found.zone,
        onset=hot[0].at if hot else None,
        fevers=tuple(
            r.at for r in signs.temperatures if r.value >= t.fever and r.at >= course.start - t.signs_before_infusion
        ),
        temperatures=signs.temperatures_reach,
        first_blocker=min((a.start.earliest for a in blockers), default=None),
        blocker_dates=frozenset(a.start.earliest.astimezone(found.zone).date() for a in blockers if a.start.is_date),
    )
    il6_series = lab_series(observations.of("interleukin-6"), Measure.IL6)
    crp_series = lab_series(observations.of("c-reactive-protein"), Measure.CRP)
    bad = (*il6_series.unusable, *crp_series.unusable)
    il6 = fold_change(replace(il6_series, unusable=(*il6_series.unusable, *lost)), setting, t)
    crp = fold_change(replace(crp_series, unusable=(*crp_series.unusable, *lost)), setting, t)
    labs = reach(record.coverage, [Kind.IL6_CRP], ())
    if not labs.fetched(course.start - t.baseline_far):
        return _unknown(il6, Reason.NOT_READ), _unknown(crp, Reason.NOT_READ), bad
    if not toci.history_complete:
        il6 = _unknown(il6, Reason.HISTORY_INCOMPLETE)
    elif _blocked_before(found.given, course, t):
        il6 = _unknown(il6, Reason.PRIOR_BLOCKADE)
    return il6, crp, bad


def _unknown(fold: FoldChange, reason: Reason) -> FoldChange:
    return replace(fold, fold=None, fold_if_preliminary=None, fold_after_blockade=None, reason=reason)


def _blocked_before(given: tuple[Administration, ...], course: Course, t: Thresholds) -> bool:
    """An IL-6 blocker in the 28 days before the infusion, or a subcutaneous one before the first CRS dose."""
    blockers = [a for a in of_class(given, *_BLOCKERS) if a.start.latest >= course.start - t.prior_blockade]
    first_dose = min((a.start.earliest for a in blockers if counts_as_crs_dose(a) and a.start.latest >= course.start),
                     default=datetime.max.replace(tzinfo=UTC))  # fmt: skip
    return any(
        a.start.latest < course.start or (a.route is Route.SUBCUTANEOUS and a.start.earliest < first_dose)
        for a in blockers
    )
