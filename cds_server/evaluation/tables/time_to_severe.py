"""Severe CRS after onset: by treatment at 24 h, with resolution competing, and by a drug that comes with time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from cds_server.evaluation.rows.courses import CourseRow, Known
from cds_server.evaluation.statistics.estimates import Estimate, NotCompared, NotFitted, too_few
from cds_server.evaluation.statistics.hazards import (
    EVENTS_A_TERM,
    Followed,
    Spell,
    by_time,
    ever_or_never,
    hazard_ratios,
    is_compared,
)
from cds_server.evaluation.statistics.no_effect import simulated
from cds_server.evaluation.statistics.survival import CENSORED, cumulative_incidence
from cds_server.evaluation.tables.outcomes import days_between, first_courses
from cds_server.evaluation.tables.table import Cell, Table, numbers

LANDMARK = 1.0  # days after onset
GRADE_2_BEFORE = 0.25  # days: the grade 6 h before
SEVERE, RESOLVED = 1, 2
SHOWN_DAYS = 14
TERMS = ("tocilizumab, from the dose on", "grade 2 or more, 6 h before")
NOT_ADJUSTED = "not adjusted for the grade: too few events, or none after a grade of 2"
EVER = "tocilizumab ever, as if from onset on"
COHORTS, PATIENTS = 20, 400  # of the simulation


@dataclass(frozen=True)
class AfterOnset:
    """A course in days from its onset: its end, what ended it, the first dose, and the first grade of 2."""

    end: float
    cause: int
    dose: float | None
    grade_2: float | None


def after_onset(courses: Sequence[CourseRow]) -> list[AfterOnset]:
    """First courses with CRS whose treatment is known, and of which it is known whether they became severe."""
    counted = (c for c in first_courses(courses) if c.tocilizumab is not None and c.severe is not Known.UNKNOWN)
    found = (_after_onset(c, c.onset) for c in counted if c.onset is not None)
    return [one for one in found if one.end > 0]


def _after_onset(c: CourseRow, onset: datetime) -> AfterOnset:
    ended = c.crs_end is not None and not c.end_is_censored
    cause = SEVERE if c.first_grade_3 else RESOLVED if ended else CENSORED
    end, dose, grade_2 = c.first_grade_3 or c.crs_end or c.followed_until, c.first_tocilizumab, c.first_grade_2
    return AfterOnset(
        days_between(onset, end),
        cause,
        dose=None if dose is None else days_between(onset, dose),
        grade_2=None if grade_2 is None else days_between(onset, grade_2),
    )


def landmark(found: Sequence[AfterOnset]) -> Table:
    """The share severe by each day, by whether tocilizumab had been given at 24 h, among those still at risk then."""
    there = [one for one in found if one.end > LANDMARK]
    events = sum(one.cause == SEVERE for one in there)
    columns = ("day_after_onset", "group", "at_risk", "severe", "severe_low", "severe_high")
    if too_few(events, len(there) - events):
        return Table("landmark", columns, ())
    rows: list[tuple[Cell, ...]] = []
    for name, given in (("tocilizumab by 24 h", True), ("not by 24 h", False)):
        group = [one for one in there if (one.dose is not None and one.dose <= LANDMARK) is given]
        curve = cumulative_incidence([one.end for one in group], [one.cause for one in group], SEVERE)
        rows.append((LANDMARK, name, len(group), *numbers(Estimate(0.0))))
        rows += [(s.time, name, s.at_risk, *numbers(s.height)) for s in curve.steps if s.time <= SHOWN_DAYS]
    return Table("landmark", columns, tuple(rows), ("at_risk",))


def landmark_note(found: Sequence[AfterOnset]) -> str:
    """The number still at risk at the landmark, or why no curve is drawn."""
    there = [one for one in found if one.end > LANDMARK]
    events = sum(one.cause == SEVERE for one in there)
    few = too_few(events, len(there) - events)
    return (
        str(few) if few else f"{len(there)} courses still in CRS and not severe 24 h after onset, {events} severe later"
    )


def hazards(found: Sequence[AfterOnset]) -> Table:
    """Cause-specific hazard ratios of severe CRS: the drug as it comes with time, and beside it as ever or never."""
    followed = [Followed(one.end, one.cause == SEVERE, one.dose) for one in found]
    events = sum(one.event for one in followed)
    rows: list[tuple[Cell, ...]] = []
    adjusted = [spell for one in found for spell in _spells(one)]
    if events >= len(TERMS) * EVENTS_A_TERM and is_compared(adjusted, len(TERMS) - 1):
        rows += _rows(TERMS, adjusted, events)
    else:
        rows += _rows(TERMS[:1], [spell for one in followed for spell in by_time(one)], events, NOT_ADJUSTED)
    rows += _rows((EVER,), [spell for one in followed for spell in ever_or_never(one)], events)
    columns = ("term", "courses", "events", "hazard_ratio", "hazard_ratio_low", "hazard_ratio_high", "note")
    return Table("hazards", columns, tuple((t, len(found), *rest) for t, *rest in rows), ("courses", "events"))


def _rows(terms: tuple[str, ...], spells: Sequence[Spell], events: int, note: str = "") -> Iterator[tuple[Cell, ...]]:
    fitted = hazard_ratios(spells)
    if isinstance(fitted, NotFitted):
        few = f"not fitted: {events} events; {EVENTS_A_TERM} a term are needed"
        yield terms[0], events, None, None, None, str(fitted) if isinstance(fitted, NotCompared) else few
        return
    for term, ratio in zip(terms, fitted, strict=True):
        yield term, events, *numbers(ratio), note


def _spells(one: AfterOnset) -> Iterator[Spell]:
    """The spells of a course, cut at the dose and 6 h after grade 2 was reached."""
    grade_2 = None if one.grade_2 is None else one.grade_2 + GRADE_2_BEFORE
    cuts = sorted({0.0, one.end, *(t for t in (one.dose, grade_2) if t is not None and 0 < t < one.end)})
    for start, stop in pairwise(cuts):
        covariates = tuple(float(t is not None and t <= start) for t in (one.dose, grade_2))
        yield Spell(start, stop, one.cause == SEVERE and stop == one.end, covariates)


def no_effect(seed: int) -> Table:
    """The findings of both ways in simulated cohorts in which the drug does nothing: the truth is 1."""
    found = simulated(COHORTS, PATIENTS, seed)
    rows = (("ever or never", found.ever_never), ("from the dose on", found.by_time))
    return Table("no_effect", ("compared_as", "hazard_ratio"), rows)
