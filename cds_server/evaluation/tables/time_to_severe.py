"""Severe CRS after onset: by treatment at 24 h, with resolution competing, and by a drug that comes with time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.evaluation.rows.courses import CourseRow, Known
from cds_server.evaluation.statistics.estimates import Estimate, NotFitted, too_few
from cds_server.evaluation.statistics.hazards import (
    EVENTS_A_TERM,
    Followed,
    Spell,
    ever_or_never,
    hazard_ratios,
    is_compared,
)
from cds_server.evaluation.statistics.no_effect import simulated
from cds_server.evaluation.statistics.survival import CENSORED, cumulative_incidence
from cds_server.evaluation.tables.outcomes import Supplied, days_between, first_courses, supplied_by
from cds_server.evaluation.tables.table import Cell, Table, numbers

LANDMARK = 1.0  # days after onset
GRADE_2_BEFORE = 0.25  # days: what was reached 6 h before
SEVERE, RESOLVED = 1, 2
SHOWN_DAYS = 14
BY_TIME, GRADE_2, BURDEN = (
    "tocilizumab, from the dose on",
    "grade 2 reached, 6 h ago or more",
    "burden, per 10 % of blasts",
)
TERMS = (BY_TIME, GRADE_2, BURDEN)
EVER = "tocilizumab ever, as if from onset on"
COHORTS, PATIENTS = 20, 400  # of the simulation


@dataclass(frozen=True)
class AfterOnset:
    """A course in days from its onset: its end, what ended it, the first dose, the first grade of 2, and the burden in
    % of blasts; None where there was none, or it is not known."""

    end: float
    cause: int
    dose: float | None
    grade_2: float | None
    burden: float | None = None


def after_onset(evaluation: Evaluation) -> list[AfterOnset]:
    """First courses with CRS whose treatment is known, and whose grade is known for enough of the time. One that the
    end of the export cuts is censored there; one that is severe at its onset was never at risk."""
    supplied, least = supplied_by(evaluation), evaluation.protocol.follow_up.grade_known_share
    counted = (c for c in first_courses(evaluation.courses) if c.tocilizumab is not None and _is_followed(c, least))
    found = (_after_onset(c, c.onset, _burden(c, supplied)) for c in counted if c.onset is not None)
    return [one for one in found if one.end > 0]


def _is_followed(c: CourseRow, least_known: Decimal) -> bool:
    return c.severe is not Known.UNKNOWN or (c.grade_known_share or 0) >= least_known


def _burden(c: CourseRow, supplied: Supplied) -> float | None:
    row = supplied.row(c, "x-burden")
    return float(row.value) if row is not None else None


def _after_onset(c: CourseRow, onset: datetime, burden: float | None) -> AfterOnset:
    """The end that came first, severe CRS or resolution. A grade of 3 in a later episode comes after the end."""
    end, cause = c.crs_end or c.followed_until, CENSORED if c.end_is_censored or c.crs_end is None else RESOLVED
    if c.first_grade_3 is not None and (cause == CENSORED or c.first_grade_3 <= end):
        end, cause = c.first_grade_3, SEVERE
    dose, grade_2 = c.first_tocilizumab, c.first_grade_2
    return AfterOnset(
        days_between(onset, end),
        cause,
        dose=None if dose is None else days_between(onset, dose),
        grade_2=None if grade_2 is None else days_between(onset, grade_2),
        burden=burden,
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
    events = _events(there)
    few = too_few(events, len(there) - events)
    return (
        str(few) if few else f"{len(there)} courses still in CRS and not severe 24 h after onset, {events} severe later"
    )


def hazards(found: Sequence[AfterOnset]) -> Table:
    """Cause-specific hazard ratios of severe CRS: the drug as it comes with time, and beside it as ever or never.

    Adjusted for as many terms as the events allow, ten for each; the note says what is left out.
    """
    ways = [_adjusted(found, TERMS[:n]) for n in (3, 2, 1)]
    rows = list(next(way for way in ways if way))
    followed = [Followed(one.end, one.cause == SEVERE, one.dose) for one in found]
    rows += _rows((EVER,), [spell for one in followed for spell in ever_or_never(one)], len(found), _events(found))
    columns = ("term", "courses", "events", "hazard_ratio", "hazard_ratio_low", "hazard_ratio_high", "note")
    return Table("hazards", columns, tuple(rows), ("courses", "events"))


def _events(found: Sequence[AfterOnset]) -> int:
    return sum(one.cause == SEVERE for one in found)


def _adjusted(found: Sequence[AfterOnset], terms: tuple[str, ...]) -> list[tuple[Cell, ...]]:
    """The rows of the model of these terms; none where there are too few events for more than the drug alone."""
    known = [one for one in found if BURDEN not in terms or one.burden is not None]
    spells, events = [spell for one in known for spell in _spells(one, len(terms))], _events(known)
    more, few = range(1, len(terms)), too_few(events, len(known) - events) or events < EVENTS_A_TERM * len(terms)
    if more and (few or not all(is_compared(spells, term) for term in more)):
        return []
    missing = ", ".join(TERMS[len(terms) :])
    return list(_rows(terms, spells, len(known), events, f"not adjusted for: {missing}" if missing else ""))


def _rows(
    terms: tuple[str, ...], spells: Sequence[Spell], courses: int, events: int, note: str = ""
) -> Iterator[tuple[Cell, ...]]:
    fitted = too_few(events, courses - events) or hazard_ratios(spells)
    if isinstance(fitted, NotFitted):
        yield terms[0], courses, events, None, None, None, str(fitted)
        return
    for term, ratio in zip(terms, fitted, strict=True):
        yield term, courses, events, *numbers(ratio), note


def _spells(one: AfterOnset, terms: int) -> Iterator[Spell]:
    """The spells of a course, cut at the dose and 6 h after grade 2 was reached, each with the first of the terms."""
    grade_2 = None if one.grade_2 is None else one.grade_2 + GRADE_2_BEFORE
    cuts = sorted({0.0, one.end, *(t for t in (one.dose, grade_2) if t is not None and 0 < t < one.end)})
    for start, stop in pairwise(cuts):
        covariates = (*(float(t is not None and t <= start) for t in (one.dose, grade_2)), (one.burden or 0) / 10)
        yield Spell(start, stop, one.cause == SEVERE and stop == one.end, covariates[:terms])


def no_effect(seed: int) -> Table:
    """The findings of both ways in simulated cohorts in which the drug does nothing: the truth is 1."""
    found = simulated(COHORTS, PATIENTS, seed)
    rows = (("ever or never", found.ever_never), ("from the dose on", found.by_time))
    return Table("no_effect", ("compared_as", "hazard_ratio"), rows)
