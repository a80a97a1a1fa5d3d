"""IL-6 and CRP of one patient: their series, bounded by fever and the first blocker, and their fold changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from fhir_mappings.course_search import FoundCourse, MappingContext
from fhir_mappings.facts.course import Course
from fhir_mappings.facts.coverage import Kind, SetAside, reach
from fhir_mappings.facts.labs import FoldChange, Reason
from fhir_mappings.facts.measures import Measure
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import Administration, DrugClass, Route, Tocilizumab, of_class
from fhir_mappings.lab_series import lab_series
from fhir_mappings.medications.treatments import counts_as_crs_dose
from fhir_mappings.observations import Observations
from fhir_mappings.reading.resource_pool import PatientRecord
from fhir_mappings.rules.crs_grade import Signs, fevers
from fhir_mappings.rules.fold_change import fold_change
from fhir_mappings.rules.sampling import Setting

_BLOCKERS = (DrugClass.TOCILIZUMAB, DrugClass.IL6_BLOCKER)


def il6_and_crp(
    observations: Observations,
    record: PatientRecord,
    how: MappingContext,
    found: FoundCourse,
    course: Course,
    signs: Signs,
    toci: Tocilizumab,
) -> tuple[FoldChange, FoldChange, tuple[SetAside, ...]]:
    t = how.thresholds
    lost = tuple(s for s in (*found.set_aside, *observations.set_aside) if Kind.IL6_CRP in s.kinds)
    blockers = blockers_of(found.given, course)
    hot = fevers(signs, course, how.as_of, t)
    setting = Setting(
        course=course,
        as_of=how.as_of,
        zone=found.zone,
        onset=hot[0].at if hot else None,
        fevers=tuple(r.at for r in signs.temperatures if r.value >= t.fever),
        temperatures=signs.temperatures_reach,
        first_blocker=first_blocker(blockers),
        blocker_dates=frozenset(a.start.earliest.astimezone(found.zone).date() for a in blockers if a.start.is_date),
    )
    il6_series = lab_series(observations.of("interleukin-6"), Measure.IL6)
    crp_series = lab_series(observations.of("c-reactive-protein"), Measure.CRP)
    bad = (*il6_series.unusable, *crp_series.unusable)
    il6 = fold_change(replace(il6_series, unusable=(*il6_series.unusable, *lost)), setting, t, after_blockade=False)
    crp = fold_change(replace(crp_series, unusable=(*crp_series.unusable, *lost)), setting, t, after_blockade=True)
    labs = reach(record.coverage, [Kind.IL6_CRP], ())
    if not labs.fetched(course.start - t.baseline_far):
        return _unknown(il6, Reason.NOT_READ), _unknown(crp, Reason.NOT_READ), bad
    if not toci.history_complete:
        il6 = _unknown(il6, Reason.HISTORY_INCOMPLETE)
    elif _blocked_before(found.given, course, t):
        il6 = _unknown(il6, Reason.PRIOR_BLOCKADE)
    return il6, crp, bad


def blockers_of(given: tuple[Administration, ...], course: Course) -> tuple[Administration, ...]:
    """The drugs of a course that make IL-6 unusable."""
    return tuple(a for a in of_class(given, *_BLOCKERS) if a.start.latest >= course.start)


def first_blocker(blockers: Iterable[Administration]) -> datetime | None:
    """The moment from which IL-6 counts no longer."""
    return min((a.start.earliest for a in blockers), default=None)


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
