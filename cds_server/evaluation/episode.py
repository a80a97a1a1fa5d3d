"""The episode of CRS in a final chart: its onset, its last positive sign, and what came back later."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cds_server.evaluation.protocol import FollowUp
from fhir_mappings.course_history import WholeHistory
from fhir_mappings.facts.grade import CrsGrade, GradeRow
from fhir_mappings.facts.row_parts import Missing
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.reading.fhir_time import day
from fhir_mappings.rules.crs_grade import row_spans
from fhir_mappings.rules.grade_history import GradeAt

Span = tuple[datetime, datetime]
SEVERE = 3  # the least grade
LEAST_TEMPERATURES = 2  # in the quiet time after the last positive sign


@dataclass(frozen=True)
class Episode:
    """Onset and end of CRS. Without an `onset` there was none by the day that the protocol names; `late` is a first
    fever after it. A `censored` end is the last sign that was charted, not an end."""

    onset: datetime | None
    late: datetime | None
    end: datetime | None = None
    censored: bool = False
    recrudescences: int = 0


@dataclass(frozen=True)
class Charted:
    """The times at which temperatures, pressures and anything on oxygen were charted, each sorted."""

    temperatures: tuple[datetime, ...]
    pressures: tuple[datetime, ...]
    oxygen: tuple[datetime, ...]

    @property
    def all(self) -> tuple[datetime, ...]:
        return tuple(sorted((*self.temperatures, *self.pressures, *self.oxygen)))


def charted_in(history: WholeHistory) -> Charted:
    signs = history.past.signs
    pressure, oxygen = signs.pressure, signs.oxygen
    series = (oxygen.saturations, oxygen.flows, oxygen.fio2)
    return Charted(
        tuple(sorted(r.at for r in signs.temperatures)),
        tuple(sorted(r.at for r in (*pressure.systolic, *pressure.mean))),
        tuple(sorted([*(r.at for one in series for r in one), *(d.at for d in oxygen.devices)])),
    )


def episode_of(history: WholeHistory, until: datetime, follow_up: FollowUp, t: Thresholds) -> Episode:
    """The episode of a course."""
    course = history.past.course
    hot = [r.at for r in history.past.signs.temperatures if course.start <= r.at <= until and r.value >= t.fever]
    if not hot:
        return Episode(None, None)
    last_day = course.last_infused + timedelta(days=follow_up.late_fever_after_days)
    if hot[0] > day(last_day, history.found.zone).latest:
        return Episode(None, hot[0])
    onset = hot[0]
    rows = row_spans(history.past.signs, course, history.past.age(until), until, t)
    charted = charted_in(history)
    # what was never charted as stopped lasts no longer than the chart
    last = max(at for at in charted.all if at <= until)
    capped = [(start, max(start, min(stop, last))) for start, stop in _with_ended(rows, history, until)]
    spans = sorted([*((at, at) for at in hot), *(span for span in capped if span[1] >= onset)])
    return _ended(onset, spans, charted, until, follow_up)


def _with_ended(rows: Sequence[Span], history: WholeHistory, until: datetime) -> list[Span]:
    """The spans of the rows, with the ventilation that had an end."""
    ended = [(one.record.at, min(one.end, until)) for one in history.past.ended]
    return [*rows, *(span for span in ended if span[0] >= history.past.course.start)]


def _ended(onset: datetime, spans: Sequence[Span], charted: Charted, until: datetime, follow_up: FollowUp) -> Episode:
    quiet, reopens = timedelta(hours=follow_up.quiet_hours), timedelta(hours=follow_up.reopens_within_hours)
    end = onset
    for number, (start, stop) in enumerate(spans):
        if start > end + reopens and _is_quiet(charted, end, quiet):
            return Episode(onset, None, end, recrudescences=_groups(spans[number:], reopens))
        end = max(end, stop)
    if _is_quiet(charted, end, quiet) and end + quiet <= until:
        return Episode(onset, None, end)
    last = max((at for at in charted.all if at <= until), default=end)
    return Episode(onset, None, max(end, last), censored=True)


def _is_quiet(charted: Charted, end: datetime, quiet: timedelta) -> bool:
    """Tell whether the time after a positive sign was watched; that none was positive in it is known already."""
    within = [sum(end < at <= end + quiet for at in times) for times in (
        charted.temperatures, charted.pressures, charted.oxygen,
    )]  # fmt: skip
    return within[0] >= LEAST_TEMPERATURES and within[1] >= 1 and within[2] >= 1


def _groups(spans: Sequence[Span], apart: timedelta) -> int:
    found, end = 1, spans[0][1]
    for start, stop in spans:
        found += start > end + apart
        end = max(end, stop)
    return found


def local_days(onset: datetime, end: datetime, history: WholeHistory) -> int:
    """The local days from onset to end, both counted."""
    zone = history.found.zone
    return (end.astimezone(zone).date() - onset.astimezone(zone).date()).days + 1


def first_at_least(history: WholeHistory, grade: int) -> datetime | None:
    """The first moment at which the grade is known to be so high."""
    return next((one.at for one in history.grades if (one.grade.grade or 0) >= grade), None)


def hours_known(history: WholeHistory, start: datetime, end: datetime) -> float:
    """The hours between two moments at which the grade is known."""
    return _hours(history, start, end, lambda grade: grade.grade is not None)


def hours_decided(history: WholeHistory, start: datetime, end: datetime) -> float:
    """The hours between two moments at which it is known whether the grade was 3 or more. A grade of at least 1, beside
    which nobody charted oxygen, says nothing of that."""
    return _hours(history, start, end, is_severe_known)


def is_severe_known(grade: CrsGrade) -> bool:
    """Tell whether nothing that is missing could make a lesser grade severe."""
    if grade.grade is None:
        return False
    return grade.grade >= SEVERE or not grade.minimum or max(map(_most, (grade.pressure, grade.oxygen))) < SEVERE


def _most(row: GradeRow) -> int:
    """The highest that a row can be. Unread procedures of support raise none by themselves: what a patient breathes is
    charted as a device too."""
    return row.value if set(row.missing) <= {Missing.SUPPORTS_UNREAD} else row.most


def _hours(history: WholeHistory, start: datetime, end: datetime, counts: Callable[[CrsGrade], bool]) -> float:
    found = timedelta(0)
    for one, following in steps_within(history, start, end):
        if counts(one.grade):
            found += max(min(following, end) - max(one.at, start), timedelta(0))
    return found / timedelta(hours=1)


def steps_within(history: WholeHistory, start: datetime, end: datetime) -> list[tuple[GradeAt, datetime]]:
    """The grades that hold at some moment of a span, each with the moment until which it holds, `end` at the latest."""
    first = max(bisect_right(history.grades, start, key=_at) - 1, 0)
    last = bisect_right(history.grades, end, key=_at)
    times = [*(one.at for one in history.grades[first + 1 : last]), end][: last - first]
    return list(zip(history.grades[first:last], times, strict=True))


def _at(one: GradeAt) -> datetime:
    return one.at


def steps(history: WholeHistory, end: datetime) -> list[tuple[GradeAt, datetime]]:
    """Each grade with the moment until which it holds."""
    times = [*(one.at for one in history.grades[1:]), end]
    return list(zip(history.grades, times, strict=True))


def spans_at_least(history: WholeHistory, height: int, end: datetime) -> Iterator[datetime]:
    """The times from which and until which the grade was so high, in turns; where it is not known it was not."""
    above = False
    for one, _ in steps(history, end):
        if one.at <= end and ((one.grade.grade or 0) >= height) is not above:
            above = not above
            yield one.at
    if above:
        yield end
