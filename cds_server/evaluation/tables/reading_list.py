"""The ten courses most worth reading, each with the reason."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.evaluation.rows.courses import ChartedGradeRow
from cds_server.evaluation.rows.moments import EventKind, Preceded
from cds_server.evaluation.tables.outcomes import CourseKey, key
from cds_server.evaluation.tables.table import Table

MOST = 10
APART = 2  # grades
LATER_SEVERE = 48  # h
DOSES = {EventKind.TOCILIZUMAB, EventKind.STEROID}
LAST_DAY = 30


@dataclass(frozen=True)
class Strip:
    """A course as a strip: the highest grade known on each day, None where it is not known."""

    patient: str
    course: int
    reason: str
    days: tuple[tuple[int, int | None], ...]


def worth_reading(evaluation: Evaluation, charted: Iterable[ChartedGradeRow]) -> list[Strip]:
    """At most ten courses, each once, in the order of the reasons; ties by the hash of the patient."""
    reasons: dict[CourseKey, str] = {}
    for reason, courses in _reasons(evaluation, charted):
        for where in sorted(courses):
            reasons.setdefault(where, reason)
    kept = dict(list(reasons.items())[:MOST])
    days: dict[CourseKey, list[tuple[int, int | None]]] = defaultdict(list)
    for row in evaluation.grade_days:
        if key(row) in kept and 0 <= row.day <= LAST_DAY:
            days[key(row)].append((row.day, row.grade))
    return [Strip(*where, reason, tuple(sorted(days[where], key=lambda d: d[0]))) for where, reason in kept.items()]


def _reasons(evaluation: Evaluation, charted: Iterable[ChartedGradeRow]) -> Iterator[tuple[str, set[CourseKey]]]:
    never = [e for e in evaluation.events if e.rules == 1 and e.preceded is not Preceded.BEFORE]
    yield "severe CRS that no card preceded", {key(e) for e in never if e.event is EventKind.GRADE_3}
    yield "a dose with no card before it", {key(e) for e in never if e.event in DOSES and e.preceded is Preceded.NEVER}
    yield "charted and computed grade two apart", {key(r) for r in charted if _is_apart(r)}
    yield "a card without an order, and severe within 48 h", {
        key(e)
        for e in evaluation.episodes
        if e.rules == 1 and e.drug and not e.in_hand and e.order_within_hours is None
        and e.severe_within_hours is not None and e.severe_within_hours <= LATER_SEVERE
    }  # fmt: skip
    yield "the grade is not known on most days", _mostly_unknown(evaluation)


def _is_apart(row: ChartedGradeRow) -> bool:
    return row.charted is not None and row.computed is not None and abs(row.charted - row.computed) >= APART


def _mostly_unknown(evaluation: Evaluation) -> set[CourseKey]:
    known: dict[CourseKey, Counter[bool]] = defaultdict(Counter)
    for row in evaluation.grade_days:
        if row.at_risk:
            known[key(row)][row.grade is not None] += 1
    return {where for where, count in known.items() if count[False] > count[True]}


def listed(strips: Iterable[Strip]) -> Table:
    rows = tuple((strip.patient, strip.course, strip.reason) for strip in strips)
    return Table("worth_reading", ("patient", "course", "reason"), rows)
