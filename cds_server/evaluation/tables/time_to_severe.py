"""Severe CRS after onset: by treatment at a landmark, with resolution competing, and by a drug that comes with time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from cds_server.evaluation.protocol import Protocol
from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.evaluation.rows.courses import CourseRow, Known
from cds_server.evaluation.statistics.estimates import Estimate, NotFitted, too_few
from cds_server.evaluation.statistics.hazards import (
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

HOURS_OF_A_DAY = 24
SEVERE, RESOLVED = 1, 2
SHOWN_DAYS = 14
BY_TIME, BURDEN = "tocilizumab, from the dose on", "burden, per 10 % of blasts"
EVER = "tocilizumab ever, as if from onset on"
COHORTS, PATIENTS = 20, 400  # of the simulation


@dataclass(frozen=True)
class AfterOnset:
    """A course in days from its onset: its end, what ended it, the first dose, from when until when the grade was 2 or
    more, and the burden in % of blasts; None where there was none, or it is not known."""

    end: float
    cause: int
    dose: float | None
    grade_2: tuple[tuple[float, float], ...] = ()
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
    dose, times = c.first_tocilizumab, [days_between(onset, at) for at in c.grade_2_times]
    return AfterOnset(
        days_between(onset, end),
        cause,
        dose=None if dose is None else days_between(onset, dose),
        grade_2=tuple(zip(times[::2], times[1::2], strict=True)),
        burden=burden,
    )


def landmark(found: Sequence[AfterOnset], asked: Protocol) -> Table:
    """The share severe by each day, by whether tocilizumab had been given by the landmark, among those still at risk
    then."""
    hours = asked.comparisons.landmark_hours
    there, at = _at_landmark(found, asked), hours / HOURS_OF_A_DAY
    columns = ("day_after_onset", "group", "at_risk", "severe", "severe_low", "severe_high")
    if _few(there, asked):
        return Table("landmark", columns, ())
    rows: list[tuple[Cell, ...]] = []
    for name, given in ((f"tocilizumab by {hours} h", True), (f"not by {hours} h", False)):
        group = [one for one in there if (one.dose is not None and one.dose <= at) is given]
        curve = cumulative_incidence([one.end for one in group], [one.cause for one in group], SEVERE)
        rows.append((at, name, len(group), *numbers(Estimate(0.0))))
        rows += [(s.time, name, s.at_risk, *numbers(s.height)) for s in curve.steps if s.time <= SHOWN_DAYS]
    return Table("landmark", columns, tuple(rows), ("at_risk",))


def landmark_note(found: Sequence[AfterOnset], asked: Protocol) -> str:
    """The number still at risk at the landmark, or why no curve is drawn."""
    there = _at_landmark(found, asked)
    few, hours = _few(there, asked), asked.comparisons.landmark_hours
    if few:
        return str(few)
    return f"{len(there)} courses still in CRS and not severe {hours} h after onset, {_events(there)} severe later"


def _at_landmark(found: Sequence[AfterOnset], asked: Protocol) -> list[AfterOnset]:
    """The courses that are still at risk at the landmark."""
    return [one for one in found if one.end > asked.comparisons.landmark_hours / HOURS_OF_A_DAY]


def _few(found: Sequence[AfterOnset], asked: Protocol) -> NotFitted | None:
    events = _events(found)
    return too_few(events, len(found) - events, asked.statistics.least_events)


def hazards(found: Sequence[AfterOnset], asked: Protocol) -> Table:
    """Cause-specific hazard ratios of severe CRS: the drug as it comes with time, and beside it as ever or never.

    Adjusted for as many terms as the events allow, ten for each by default; the note says what is left out.
    """
    ways = [_adjusted(found, n, asked) for n in (3, 2, 1)]
    rows = list(next(way for way in ways if way))
    followed = [Followed(one.end, one.cause == SEVERE, one.dose) for one in found]
    rows += _rows((EVER,), [spell for one in followed for spell in ever_or_never(one)], found, asked)
    columns = ("term", "courses", "events", "hazard_ratio", "hazard_ratio_low", "hazard_ratio_high", "note")
    return Table("hazards", columns, tuple(rows), ("courses", "events"))


def _events(found: Sequence[AfterOnset]) -> int:
    return sum(one.cause == SEVERE for one in found)


def _adjusted(found: Sequence[AfterOnset], first: int, asked: Protocol) -> list[tuple[Cell, ...]]:
    """The rows of the model of the first terms; none where there are too few events for more than the drug alone."""
    every = (BY_TIME, f"grade 2 or more {asked.comparisons.grade_before_hours} h before", BURDEN)
    terms, missing = every[:first], ", ".join(every[first:])
    known = [one for one in found if BURDEN not in terms or one.burden is not None]
    before = asked.comparisons.grade_before_hours / HOURS_OF_A_DAY
    cut = [spell for one in known for spell in spells(one, len(terms), before)]
    enough = _events(known) >= asked.statistics.events_a_term * len(terms)
    more = range(1, len(terms))
    if more and (_few(known, asked) or not enough or not all(is_compared(cut, term) for term in more)):
        return []
    return list(_rows(terms, cut, known, asked, f"not adjusted for: {missing}" if missing else ""))


def _rows(
    terms: tuple[str, ...], cut: Sequence[Spell], found: Sequence[AfterOnset], asked: Protocol, note: str = ""
) -> Iterator[tuple[Cell, ...]]:
    fitted = _few(found, asked) or hazard_ratios(cut, asked.statistics.events_a_term)
    if isinstance(fitted, NotFitted):
        yield terms[0], len(found), _events(found), None, None, None, str(fitted)
        return
    for term, ratio in zip(terms, fitted, strict=True):
        yield term, len(found), _events(found), *numbers(ratio), note


def spells(one: AfterOnset, terms: int, before: float) -> Iterator[Spell]:
    """The spells of a course, cut at the dose and wherever the grade so long before rises to 2 or falls below, each
    with the first of the terms."""
    ill = [(start + before, stop + before) for start, stop in one.grade_2]
    times = [*(() if one.dose is None else (one.dose,)), *(time for span in ill for time in span)]
    for start, stop in pairwise(sorted({0.0, one.end, *(time for time in times if 0 < time < one.end)})):
        treated = one.dose is not None and one.dose <= start
        was_ill = any(since <= start < until for since, until in ill)
        covariates = (float(treated), float(was_ill), (one.burden or 0) / 10)
        yield Spell(start, stop, one.cause == SEVERE and stop == one.end, covariates[:terms])


def no_effect(seed: int) -> Table:
    """The findings of both ways in simulated cohorts in which the drug does nothing: the truth is 1."""
    found = simulated(COHORTS, PATIENTS, seed)
    rows = (("ever or never", found.ever_never), ("from the dose on", found.by_time))
    return Table("no_effect", ("compared_as", "hazard_ratio"), rows)
