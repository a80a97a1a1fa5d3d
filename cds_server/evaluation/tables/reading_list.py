"""The ten courses most worth reading, each with the reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.evaluation.rows.courses import ChartedGradeRow, GradeDayRow
from cds_server.evaluation.rows.moments import EventKind, Preceded
from cds_server.evaluation.tables.outcomes import CourseKey, key
from cds_server.evaluation.tables.table import Table

MOST = 10
APART = 2  # grades
LATER_SEVERE = 48  # h
DOSES = {EventKind.TOCILIZUMAB, EventKind.STEROID}
LAST_DAY, HOURS = 30, 24
LETTERS = {EventKind.TOCILIZUMAB: "T", EventKind.STEROID: "S", EventKind.ICU: "I"}


@dataclass(frozen=True)
class StripDay:
    """A day of a strip: the highest grade, None where it is not known, and a letter for each kind of event on it."""

    day: int
    grade: int | None
    events: str = ""


@dataclass(frozen=True)
class Strip:
    """A course as a strip of days, up to the last one with a sign."""

    patient: str
    course: int
    reason: str
    days: tuple[StripDay, ...]


def worth_reading(evaluation: Evaluation, charted: Iterable[ChartedGradeRow]) -> list[Strip]:
    """At most ten courses, each once, in the order of the reasons; ties by the hash of the patient."""
    reasons: dict[CourseKey, str] = {}
    for reason, courses in _reasons(evaluation, charted):
        for where in sorted(courses):
            reasons.setdefault(where, reason)
    kept = dict(list(reasons.items())[:MOST])
    days = _days(evaluation, kept)
    return [Strip(*where, reason, days[where]) for where, reason in kept.items()]


def _days(evaluation: Evaluation, kept: Collection[CourseKey]) -> dict[CourseKey, tuple[StripDay, ...]]:
    events = _events(evaluation, kept)
    found: dict[CourseKey, list[GradeDayRow]] = {where: [] for where in kept}
    for row in evaluation.grade_days:
        if key(row) in kept and 0 <= row.day <= LAST_DAY:
            found[key(row)].append(row)
    days: dict[CourseKey, tuple[StripDay, ...]] = {}
    for where, rows in found.items():
        last = max((row.day for row in rows if row.at_risk), default=-1)
        days[where] = tuple(
            StripDay(row.day, row.grade, "".join(sorted(events[where, row.date])))
            for row in sorted(rows, key=lambda row: row.day)
            if row.day <= last
        )
    return days


def _events(evaluation: Evaluation, kept: Collection[CourseKey]) -> dict[tuple[CourseKey, date], set[str]]:
    zone = ZoneInfo(evaluation.zone_name or "UTC")
    found: dict[tuple[CourseKey, date], set[str]] = defaultdict(set)
    for event in evaluation.events:
        if event.rules == 1 and key(event) in kept and event.event in LETTERS:
            found[key(event), event.at.astimezone(zone).date()].add(LETTERS[event.event])
    return found


def _reasons(evaluation: Evaluation, charted: Iterable[ChartedGradeRow]) -> Iterator[tuple[str, set[CourseKey]]]:
    never = [e for e in evaluation.events if e.rules == 1 and e.preceded is not Preceded.BEFORE]
    yield "severe CRS that no card preceded", {key(e) for e in never if e.event is EventKind.GRADE_3}
    yield "a dose with no card before it", {key(e) for e in never if e.event in DOSES and e.preceded is Preceded.NEVER}
    yield "charted and computed grade two apart", {key(r) for r in charted if _is_apart(r)}
    yield "a card without an order, and severe within 48 h", {
        key(e)
        for e in evaluation.episodes
        if e.rules == 1 and e.drug and not e.in_hand
        and e.severe_within_hours is not None and e.severe_within_hours <= LATER_SEVERE
        and (e.order_within_hours is None or e.order_within_hours > e.severe_within_hours)
    }  # fmt: skip
    yield "the grade is not known for most hours", _mostly_unknown(evaluation)


def _is_apart(row: ChartedGradeRow) -> bool:
    return row.charted is not None and row.computed is not None and abs(row.charted - row.computed) >= APART


def _mostly_unknown(evaluation: Evaluation) -> set[CourseKey]:
    known: dict[CourseKey, list[Decimal]] = defaultdict(list)
    for row in evaluation.grade_days:
        if row.at_risk:
            known[key(row)].append(row.hours_known)
    return {where for where, hours in known.items() if 2 * sum(hours) < HOURS * len(hours)}


def listed(strips: Iterable[Strip]) -> Table:
    rows = tuple((strip.patient, strip.course, strip.reason) for strip in strips)
    return Table("worth_reading", ("patient", "course", "reason"), rows)
