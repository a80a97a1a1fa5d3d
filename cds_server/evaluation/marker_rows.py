"""The rise of each marker in the windows of the protocol, from the final chart: what was drawn, whenever it came."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from cards.deciding.verdict import Category, verdict
from cds_server.evaluation.courses import Followed, Look
from cds_server.evaluation.reading.charts import Chart
from cds_server.evaluation.reading.retrospective import retrospective
from cds_server.evaluation.rows.courses import Group, MarkerRow
from fhir_mappings.facts.analytes import ANALYTES, RETROSPECTIVE, Analyte
from fhir_mappings.facts.course import Course
from fhir_mappings.facts.labs import FoldChange, Series
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.known_at.timeline import Timeline
from fhir_mappings.lab_series import lab_series
from fhir_mappings.reading.fhir_time import day
from fhir_mappings.settled_facts import settled_facts

STUDY, CRS, SEVERE = "study", "crs", "severe"
_MOMENT = timedelta(seconds=1)


def as_drawn(chart: Chart, look: Look, timeline: Timeline) -> Timeline:
    """The record by the time of each sample: a result that came after the end of a window counts in it, and one that
    was drawn after it does not, be it by a minute."""
    at_once = timedelta(0)
    drawn = replace(timeline.delays, il6_crp=at_once, culture=at_once, other_result=at_once, result_at_most=at_once)
    return Timeline(timeline.final, look.rules.terms, look.zone, chart.fhir_base, drawn)


def window_ends(
    followed: Followed, look: Look, blocked: datetime | None, onset: datetime | None, severe: datetime | None
) -> dict[str, datetime]:
    """The end of each window of a course; that of severe CRS only where there was CRS."""
    course, follow_up = followed.course, look.protocol.follow_up
    before_blocker = [blocked - _MOMENT] if blocked is not None else []

    def end_of_day(number: int) -> datetime:
        return day(course.day0 + timedelta(days=number), followed.zone).latest

    ends = {
        STUDY: min(*before_blocker, end_of_day(follow_up.study_window_ends_day), followed.until),
        CRS: min(*before_blocker, end_of_day(follow_up.crs_window_ends_day), followed.until),
    }
    if onset is not None:
        after = onset + timedelta(hours=follow_up.severe_window_hours)
        before_severe = [severe - _MOMENT] if severe is not None else []
        ends[SEVERE] = min(*before_blocker, *before_severe, after, followed.until)
    return {name: max(end, course.start) for name, end in ends.items()}


def marker_rows(
    patient: str, followed: Followed, chart: Chart, look: Look, drawn: Timeline, ends: dict[str, datetime]
) -> Iterator[MarkerRow]:
    """A row for each marker in each window."""
    known: dict[datetime, PatientFacts] = {}
    for window, end in ends.items():
        if end not in known:
            known[end] = settled_facts(drawn.at(end), look.context(chart, end))
        for analyte in ANALYTES:
            yield _row(MarkerRow(patient, followed.number, analyte.id, window), analyte, known[end], look)
    observed = retrospective(chart.record.pool, look.rules.terms, followed.zone, ends[STUDY], look.rules.thresholds)
    for analyte in RETROSPECTIVE:
        row = MarkerRow(patient, followed.number, analyte.id, STUDY, analyte.measure.unit)
        yield _peak_alone(row, lab_series(observed.of(analyte.value_set), analyte), followed.course, ends[STUDY])


def _peak_alone(row: MarkerRow, series: Series, course: Course, end: datetime) -> MarkerRow:
    """The highest sample after the infusion: neither a baseline nor a rise is sought."""
    found = [one for one in series.samples if one.unit == row.unit and course.peak_opens < one.at.earliest <= end]
    peak = max(found, key=lambda one: one.height, default=None)
    if peak is None:
        return row
    return replace(
        row, samples=len(found), peak_at=peak.at.earliest, peak_low=peak.value.low, peak_high=peak.value.high
    )


def _row(row: MarkerRow, analyte: Analyte, facts: PatientFacts, look: Look) -> MarkerRow:
    fold = facts.folds[analyte]
    samples = sum(sample.at.earliest > facts.course.peak_opens for sample, _ in fold.series) if facts.course else 0
    row = replace(row, unit=analyte.measure.unit, samples=samples, baseline_tier=fold.baseline_tier)
    row = _with_samples(row, fold)
    group, reason = _group(fold, analyte, look)
    return replace(
        row,
        fold_low=fold.fold.low if fold.fold is not None else None,
        fold_high=fold.fold.high if fold.fold is not None else None,
        group=group,
        reason=reason,
    )


def _with_samples(row: MarkerRow, fold: FoldChange) -> MarkerRow:
    base, peak = fold.baseline, fold.highest
    return replace(
        row,
        baseline_at=base.at.earliest if base is not None else None,
        baseline_low=base.value.low if base is not None else None,
        baseline_high=base.value.high if base is not None else None,
        peak_at=peak.at.earliest if peak is not None else None,
        peak_low=peak.value.low if peak is not None else None,
        peak_high=peak.value.high if peak is not None else None,
    )


def _group(fold: FoldChange, analyte: Analyte, look: Look) -> tuple[Group, str]:
    """The study's group: by the whole interval of the rise, whatever else bars a verdict on a card."""
    if analyte.limit is None:
        return Group.UNKNOWN, "no limit"
    if fold.fold is None:
        return Group.UNKNOWN, fold.reason.value if fold.reason is not None else "not-worked-out"
    bare = FoldChange(fold=fold.fold, baseline=fold.baseline, peak=fold.peak)
    found = verdict(bare, analyte.limit, look.rules.thresholds)
    if found.category is Category.UNKNOWN:
        return Group.UNKNOWN, found.reason.value if found.reason is not None else "censored_inconclusive"
    return (Group.HIGH if found.category is Category.HIGH else Group.LOW), ""
