"""The grade at each moment of the course: what a call at that moment would have said of what is charted now.

Nobody knows when a value was written down, so a value that was charted late or corrected counts for the time it is of.
The grade can change only at a moment at which something was charted, or at which a window after it ends. A chart with
more moments than the service works out is thinned, but every moment at which the grade rises is found.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from operator import attrgetter

from fhir_mappings.facts.course import Course
from fhir_mappings.facts.grade import CrsGrade
from fhir_mappings.facts.patient import Age
from fhir_mappings.facts.signs import Reading, SupportSpan
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import Drug, PendingOrder
from fhir_mappings.rules.crs_grade import Signs, crs_grade
from fhir_mappings.rules.vasopressors import carry_of, new_pressor_orders

MOST, LEAST = 400, 100
MOST_READ = 5_000_000  # readings looked at in all: for a very dense chart fewer moments are worked out
JUST_AFTER = timedelta(microseconds=1)  # a window includes both of its ends
_at = attrgetter("at")


@dataclass(frozen=True)
class GradeAt:
    """The grade that a call at that moment would have found."""

    at: datetime
    grade: CrsGrade


@dataclass(frozen=True)
class Past:
    """The input of the grade at any moment. `pending` and `age` are functions of the moment."""

    signs: Signs
    ended: tuple[SupportSpan, ...]
    course: Course
    pending: Callable[[datetime], Iterable[PendingOrder]]
    age: Callable[[datetime], Age | None]
    t: Thresholds
    _known: dict[datetime, CrsGrade] = field(default_factory=dict)

    def grade(self, at: datetime) -> CrsGrade:
        if at not in self._known:
            self._known[at] = crs_grade(self._signs(at), self.course, self.age(at), at, self.t)
        return self._known[at]

    def _signs(self, at: datetime) -> Signs:
        """The signs as of `at`: a procedure that has ended since was in progress, an order of now was not yet written.

        Orders count from when they were authored. Those carried out or cancelled since are not known.
        """
        ordered: frozenset[Drug] = new_pressor_orders(self.pending(at), at, self.t)
        in_progress = [s.record for s in self.ended if s.record.at <= at < s.end]
        signs, p, o = self.signs, self.signs.pressure, self.signs.oxygen
        return replace(
            signs,
            temperatures=_until(at, signs.temperatures),
            pressure=replace(p, systolic=_until(at, p.systolic), mean=_until(at, p.mean), ordered=ordered),
            oxygen=replace(
                o,
                devices=o.devices[: bisect_right(o.devices, at, key=_at)],
                open_supports=(*o.open_supports, *in_progress),
                flows=_until(at, o.flows), fio2=_until(at, o.fio2), saturations=_until(at, o.saturations),
            ),
        )  # fmt: skip


def _until(at: datetime, readings: tuple[Reading, ...]) -> tuple[Reading, ...]:
    return readings[: bisect_right(readings, at, key=_at)]


def grade_history(past: Past, now: datetime, most: int = MOST) -> tuple[tuple[GradeAt, ...], bool]:
    """The grades from the infusion to `now`, oldest first, and whether moments were left out: those beyond `most`."""
    treatments = _within(_treatments(past), past.course.start, now)
    signs = _within((r.at for series in _readings(past.signs) for r in series), past.course.start, now)
    charted = sorted({past.course.start, *treatments, *signs, now})
    lapsed = _within((at + window + JUST_AFTER for at in charted for window in _windows(past)), charted[0], now)
    moments = sorted({*charted, *lapsed})
    read = sum(map(len, _readings(past.signs)))
    most = max(LEAST, min(most, MOST_READ // max(1, read)))
    if len(moments) <= most:
        return tuple(GradeAt(at, past.grade(at)) for at in moments), False
    kept = _thinned(moments, treatments, most, past.t)
    kept |= _rises(moments, kept, past)
    return tuple(GradeAt(at, past.grade(at)) for at in sorted(kept)), True


def _within(moments: Iterable[datetime], start: datetime, end: datetime) -> set[datetime]:
    return {at for at in moments if start <= at <= end}


def _readings(signs: Signs) -> tuple[tuple[Reading, ...], ...]:
    p, o = signs.pressure, signs.oxygen
    return (signs.temperatures, p.systolic, p.mean, o.saturations, o.flows, o.fio2)


def _treatments(past: Past) -> Iterable[datetime]:
    """The moments at which a treatment changed, or at which something was charted that could not be used."""
    oxygen = past.signs.oxygen
    for a in past.signs.given:
        yield from (a.start.earliest, a.start.latest, a.end or a.start.latest)
    yield from (one.at for one in oxygen.open_supports)
    yield from _changes((d.at, d.device) for d in oxygen.devices)
    for series in (oxygen.flows, oxygen.fio2):
        yield from _changes((r.at, r.value) for r in series)
    for span in past.ended:
        yield from (span.record.at, span.end)
    signs = past.signs
    reaches = (
        signs.temperatures_reach, signs.given_reach, signs.pressure.readings_reach,
        signs.pressure.administrations_reach, oxygen.reach,
    )  # fmt: skip
    for hole in {hole for reach in reaches for hole in reach.holes if hole is not None}:
        yield from (hole.earliest, hole.latest)


def _changes(charted: Iterable[tuple[datetime, object]]) -> Iterable[datetime]:
    """The moments at which something else was charted than before."""
    last: object = None
    for at, what in charted:
        if what != last:
            yield at
        last = what


def _windows(past: Past) -> set[timedelta]:
    t = past.t
    carried = {carry_of(a, t) for a in past.signs.pressure.infusions}
    return carried | {
        t.fever_window, t.bp_window, t.o2_window, t.stale_limit, t.antipyretic_masks, t.steroid_masks,
        t.pressor_order_age, t.waiver_limit,
    }  # fmt: skip


def _thinned(moments: Sequence[datetime], treatments: set[datetime], most: int, t: Thresholds) -> set[datetime]:
    """Every treatment with the moment before it, and about `most` of the other moments.

    Those lie no further apart than half of the shortest window in which a low pressure, a low saturation or a fever
    keeps its row, so that no such row falls between two of them.
    """
    step = min((moments[-1] - moments[0]) / most, min(t.fever_window, t.bp_window, t.o2_window) / 2)
    kept = {moments[0], moments[-1]}
    last = moments[0]
    for before, at in pairwise(moments):
        if at in treatments:
            kept |= {before, at}
        if at - last >= step:
            kept.add(at)
            last = at
    return kept


def height(grade: CrsGrade) -> int:
    """The grade; if there is none, the grade that this would be if it is CRS."""
    return grade.provisional if grade.grade is None else grade.grade


def _rises(moments: Sequence[datetime], kept: set[datetime], past: Past) -> set[datetime]:
    """The exact moment of each rise between two moments that were kept."""
    found: set[datetime] = set()
    indexes = [index for index, at in enumerate(moments) if at in kept]
    for low, high in pairwise(indexes):
        before, after = height(past.grade(moments[low])), height(past.grade(moments[high]))
        first, last = low, high
        while after > before and last - first > 1:
            middle = (first + last) // 2
            if height(past.grade(moments[middle])) > before:
                last = middle
            else:
                first = middle
        found.add(moments[last])
    return found
