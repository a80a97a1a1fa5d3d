"""The rise of each analyte of one patient: its samples, bounded by fever and the first IL-6 blocker, and its fold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from fhir_mappings.course_search import FoundCourse, MappingContext
from fhir_mappings.facts.analytes import ANALYTES, Analyte, Blockade
from fhir_mappings.facts.course import Course
from fhir_mappings.facts.coverage import SetAside, reach
from fhir_mappings.facts.labs import FoldChange, Reason, Series
from fhir_mappings.facts.sought import results_of
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import Administration, DrugClass, Route, Tocilizumab, of_class
from fhir_mappings.lab_series import lab_series
from fhir_mappings.medications.treatments import counts_as_crs_dose, given_at
from fhir_mappings.observations import Observations
from fhir_mappings.reading.resource_pool import PatientRecord
from fhir_mappings.rules.crs_grade import Signs, fevers
from fhir_mappings.rules.fold_change import fold_change
from fhir_mappings.rules.sampling import SamplingBounds

_BLOCKERS = (DrugClass.TOCILIZUMAB, DrugClass.IL6_BLOCKER)


def fold_changes(
    observations: Observations,
    record: PatientRecord,
    context: MappingContext,
    found: FoundCourse,
    course: Course,
    signs: Signs,
    toci: Tocilizumab,
) -> tuple[Mapping[Analyte, FoldChange], tuple[SetAside, ...]]:
    """The fold change of every analyte, and the results that could not be used."""
    t = context.thresholds
    setting = _setting(context, found, course, signs)
    spoilt = _spoilt(found.given, course, toci, t)
    folds: dict[Analyte, FoldChange] = {}
    unusable: list[SetAside] = []
    for analyte in ANALYTES:
        series = _series(observations, analyte)
        unusable += series.unusable
        lost = [s for s in (*found.set_aside, *observations.set_aside) if s.kinds and results_of(analyte).may_be(s)]
        series = replace(series, unusable=(*series.unusable, *lost))
        fold = fold_change(series, setting, t, analyte)
        if not reach(record.coverage, results_of(analyte), ()).fetched(course.start - t.baseline_far):
            fold = _unknown(fold, Reason.NOT_READ)
        elif spoilt is not None and analyte.blockade is Blockade.SPOILS:
            fold = _unknown(fold, spoilt)
        folds[analyte] = fold
    return folds, tuple(unusable)


def _series(observations: Observations, analyte: Analyte) -> Series:
    """The samples of an analyte; at moments between two results, those of the moment before."""
    observed = observations.of(analyte.value_set)
    if observations.memory is None:
        return lab_series(observed, analyte)
    return observations.memory.once_for(("series", analyte), observed, lambda: lab_series(observed, analyte))


def _setting(context: MappingContext, found: FoundCourse, course: Course, signs: Signs) -> SamplingBounds:
    blockers = blockers_of(found.given, course)
    hot = fevers(signs, course, context.as_of, context.thresholds)
    return SamplingBounds(
        course=course,
        as_of=context.as_of,
        zone=found.zone,
        onset=hot[0].at if hot else None,
        fevers=tuple(r.at for r in signs.temperatures if r.value >= context.thresholds.fever),
        temperatures=signs.temperatures_reach,
        first_blocker=first_blocker(blockers),
        blocker_dates=frozenset(a.start.earliest.astimezone(found.zone).date() for a in blockers if a.start.is_date),
    )


def blockers_of(given: tuple[Administration, ...], course: Course) -> tuple[Administration, ...]:
    """The drugs of a course that make IL-6 unusable."""
    return tuple(a for a in of_class(given, *_BLOCKERS) if a.start.latest >= course.start)


def last_blocker(given: tuple[Administration, ...], course: Course, as_of: datetime) -> datetime | None:
    """The last IL-6 blocker since the day before the infusion, by whatever route."""
    found = (given_at(a.start, as_of) for a in of_class(given, *_BLOCKERS) if a.start.latest >= course.day_before)
    return max(found, default=None)


def first_blocker(blockers: Iterable[Administration]) -> datetime | None:
    """The moment from which IL-6 counts no longer."""
    return min((a.start.earliest for a in blockers), default=None)


def _unknown(fold: FoldChange, reason: Reason) -> FoldChange:
    return replace(fold, fold=None, fold_if_preliminary=None, fold_after_blockade=None, reason=reason)


def _spoilt(given: tuple[Administration, ...], course: Course, toci: Tocilizumab, t: Thresholds) -> Reason | None:
    """The reason for which no sample of the course counts where blockade spoils them."""
    if not toci.history_complete:
        return Reason.HISTORY_INCOMPLETE
    return Reason.PRIOR_BLOCKADE if _blocked_before(given, course, t) else None


def _blocked_before(given: tuple[Administration, ...], course: Course, t: Thresholds) -> bool:
    """An IL-6 blocker in the 28 days before the infusion, or a subcutaneous one before the first CRS dose."""
    blockers = [a for a in of_class(given, *_BLOCKERS) if a.start.latest >= course.start - t.prior_blockade]
    first_dose = min((a.start.earliest for a in blockers if counts_as_crs_dose(a) and a.start.latest >= course.start),
                     default=datetime.max.replace(tzinfo=UTC))  # fmt: skip
    return any(
        a.start.latest < course.start or (a.route is Route.SUBCUTANEOUS and a.start.earliest < first_dose)
        for a in blockers
    )
