"""The outcomes of a course, from the chart or from the CSV that was supplied beside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Protocol
from zoneinfo import ZoneInfo

from cds_server.evaluation.rows.cohort import Evaluation, OutcomeRow, Outcomes
from cds_server.evaluation.rows.courses import ChartedGradeRow, CourseRow, Known

CourseKey = tuple[str, int]
FATAL = 5  # the grade of a death of CRS, which nothing computes


@dataclass(frozen=True)
class Supplied:
    """The outcomes of the CSV by course. An event that the CSV names nowhere is not known of anyone."""

    outcomes: Outcomes

    @cached_property
    def _by_course(self) -> dict[tuple[str, int, str], OutcomeRow]:
        return {(row.patient, row.course, row.event): row for row in self.outcomes.rows}

    @cached_property
    def with_icans(self) -> frozenset[CourseKey]:
        """The courses of which some line has a grade of ICANS above 0."""
        return frozenset(key(row) for row in self.outcomes.rows if row.event == "icans" and row.value != "0")

    def has(self, event: str) -> bool:
        return event in self.outcomes.supplied

    def row(self, course: CourseRow, event: str) -> OutcomeRow | None:
        return self._by_course.get((course.patient, course.course, event))

    def known(self, course: CourseRow, event: str) -> Known:
        """Of an event that some line names, a course without a line had none."""
        if not self.has(event):
            return Known.UNKNOWN
        return Known.YES if self.row(course, event) else Known.NO


def supplied_by(evaluation: Evaluation) -> Supplied:
    """The outcomes that were supplied, without grades of ICANS after the days in which they count."""
    zone, last = ZoneInfo(evaluation.zone_name or "UTC"), evaluation.protocol.follow_up.icans_until_day
    days0 = {key(course): course.day0 for course in evaluation.courses}

    def counts(row: OutcomeRow) -> bool:
        day0 = days0.get(key(row))
        if row.event != "icans" or row.at is None or day0 is None:
            return True
        return (row.at.astimezone(zone).date() - day0).days <= last

    return Supplied(replace(evaluation.outcomes, rows=tuple(filter(counts, evaluation.outcomes.rows))))


def icans_of(course: CourseRow, supplied: Supplied) -> Known:
    """ICANS as supplied, else as charted. A line of grade 0 says that there was none."""
    if not supplied.has("icans"):
        return course.icans
    return Known.YES if key(course) in supplied.with_icans else Known.NO


def charted_as_fatal(rows: Iterable[ChartedGradeRow]) -> frozenset[CourseKey]:
    """The courses whose chart holds grade 5 of CRS: the diagnosis D89.835, or a grade that somebody charted."""
    return frozenset(key(row) for row in rows if row.scale == "crs" and row.charted == FATAL)


def grade_with_death(course: CourseRow, supplied: Supplied, fatal: frozenset[CourseKey]) -> int | None:
    """The highest grade; 5 only if somebody wrote that the patient died of CRS: in the outcomes, or in the chart."""
    charted = supplied.row(course, "crs-grade")
    died = supplied.row(course, "death-of-crs") is not None or (charted is not None and charted.value == str(FATAL))
    return FATAL if died or key(course) in fatal else course.max_grade


def first_courses(courses: Iterable[CourseRow]) -> tuple[CourseRow, ...]:
    """The first course of each patient: comparisons count each patient once."""
    return tuple(course for course in courses if course.course == 1)


class OfCourse(Protocol):
    """A row of some course."""

    @property
    def patient(self) -> str: ...

    @property
    def course(self) -> int: ...


def key(row: OfCourse) -> CourseKey:
    return row.patient, row.course


def days_between(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds() / 86400
