"""An evaluation of the paper's constructed cohort whose rows are written here, without a replay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from cds_server.evaluation.protocol import Comparisons, Protocol, PValues, Statistics
from cds_server.evaluation.rows.cohort import Evaluation, FlowRow, OutcomeRow, Outcomes, Run, UnreadRow
from cds_server.evaluation.rows.courses import (
    ChartedGradeRow,
    CourseRow,
    GradeDayRow,
    GradeSource,
    Group,
    Known,
    MarkerRow,
)
from cds_server.evaluation.rows.moments import (
    CardRow,
    EpisodeRow,
    EventKind,
    EventRow,
    MomentKind,
    Preceded,
    Shown,
)
from example_patients.cohorts.paper import paper_cohort, table

FIRST = date(2016, 1, 11)
PAPER = Protocol(
    title="The study's own counts",
    note="Constructed data: no patient of this cohort exists.",
    constructed=True,
    comparisons=Comparisons(
        PValues.LISTED, ("severe-crs:il6-low", "severe-infection:crp-high", "duration:crs"), table1_p=True
    ),
    statistics=Statistics(bootstrap=200),
)
Row = dict[str, str]


def paper_evaluation(**changes: Any) -> Evaluation:
    """The evaluation that the paper's cohort must give, with a few cards, doses and charted grades made up."""
    rows = table()
    courses = tuple(_course(row, number) for number, row in enumerate(rows))
    found = Evaluation(
        protocol=PAPER,
        run=Run(
            "0.1.0", "a1b2c3", "", PAPER.hash, 1, "opened at 08:00 and 20:00", datetime(2022, 1, 1, tzinfo=UTC), 67
        ),
        zone_name="UTC",
        flow=(FlowRow("patients in the export", 67, 67), FlowRow("first courses compared", 67, 67)),
        inventory=(),
        unread=(UnreadRow("Condition", "absent from the export: infection by diagnosis cannot be said", 0),),
        availability=(),
        courses=courses,
        markers=tuple(marker for row, course in zip(rows, courses, strict=True) for marker in _markers(row, course)),
        outcomes=_outcomes(),
        grade_days=tuple(day for row, course in zip(rows, courses, strict=True) for day in _days(row, course)),
        charted_grades=tuple(_charted(courses)),
        moments=(),
        cards=tuple(_cards(courses)),
        episodes=tuple(_episodes(courses)),
        events=tuple(_events(courses)),
        codes={"il6": ("26881-3",)},
        thresholds={"il6_high": Decimal(4)},
    )
    return replace(found, **changes)


def _at(day0: date, day: float) -> datetime:
    return datetime(day0.year, day0.month, day0.day, tzinfo=UTC) + timedelta(days=day)


def _course(row: Row, number: int) -> CourseRow:
    day0 = FIRST + timedelta(days=23 * number)
    crs, grade = bool(row["crs_onset"]), min(4, int(row["grade"]))
    onset = _at(day0, int(row["crs_onset"]) + 0.25) if crs else None
    end = onset + timedelta(days=int(row["crs_duration"]) - 0.33) if onset else None
    treated = row["toci"] == "1"
    dose = _at(day0, int(row["crs_onset"] or 5) + 1.4) if treated else None
    died = _at(day0, int(row["died_day"])) if row["died_day"] else None
    il6, crp = Decimal(row["il6_fold"]), Decimal(row["crp_fold"])

    def peak(least: int) -> datetime | None:
        return onset + timedelta(days=1.3) if onset and grade >= least else None

    return CourseRow(
        patient=row["id"], course=1, infused_at=_at(day0, 0.4), day0=day0, infusions=1, product="constructed",
        sex={"m": "male", "f": "female"}[row["sex"]], age_years=int(row["age"]), followed_until=died or _at(day0, 32),
        days_followed=32, crs=Known.YES if crs else Known.NO, onset=onset,
        onset_day=int(row["crs_onset"]) if crs else None, onset_hours=None, late_fever=None,
        max_grade=grade if crs else 0, max_grade_at=peak(1), max_grade_is_minimum=False, first_grade_2=peak(2),
        first_grade_3=peak(3), first_grade_4=peak(4), severe=Known.YES if grade >= 3 else Known.NO,
        grade_known_share=Decimal(1), crs_end=None if died else end, end_is_censored=died is not None,
        duration_days=Decimal(row["crs_duration"]) - Decimal("0.3") if crs and not died else None,
        duration_local_days=int(row["crs_duration"]) if crs and not died else None, recrudescences=0,
        icans=Known.UNKNOWN, max_icans=None, max_icans_at=None, icans_before_first_dose=None, tocilizumab=treated,
        first_tocilizumab=dose, tocilizumab_doses=int(treated), steroids=row["steroids"] == "1", first_steroid=None,
        steroid_doses=int(row["steroids"]), il6_group=Group(row["il6"]), il6_reason="", il6_verdict_at_first_dose="",
        il6_baseline=Decimal(10), il6_peak=10 * il6, il6_fold_low=il6, il6_fold_high=il6, crp_group=Group(row["crp"]),
        crp_reason="", crp_baseline=Decimal(20), crp_peak=20 * crp, crp_fold_low=crp, crp_fold_high=crp, death=died,
        died_in_severe=died is not None, last_seen=died or _at(day0, 32),
    )  # fmt: skip


def _markers(row: Row, course: CourseRow) -> Iterator[MarkerRow]:
    for marker, fold in (("il6", Decimal(row["il6_fold"])), ("crp", Decimal(row["crp_fold"]))):
        for window in ("study", "crs", "severe"):
            yield MarkerRow(
                course.patient, 1, marker, window, samples=3, fold_low=fold, fold_high=fold, peak_low=10 * fold,
                peak_high=10 * fold,
            )  # fmt: skip


def _outcomes() -> Outcomes:
    lines = paper_cohort().outcomes
    rows = tuple(OutcomeRow(o.patient, o.course, o.event, None, o.value, n) for n, o in enumerate(lines, start=2))
    return Outcomes(frozenset(row.event for row in rows), rows)


def _days(row: Row, course: CourseRow) -> Iterator[GradeDayRow]:
    onset, length = int(row["crs_onset"] or 99), int(row["crs_duration"] or 0)
    for day in range(15):
        ill = onset <= day < onset + length
        grade = (course.max_grade if day == onset + 1 else 1) if ill else None if day == 13 else 0
        known = Decimal(0 if grade is None else 24)
        yield GradeDayRow(course.patient, 1, day, course.day0 + timedelta(days=day), True, 12, 3, grade, False, known)


def _charted(courses: Sequence[CourseRow]) -> Iterator[ChartedGradeRow]:
    for number, course in enumerate(c for c in courses if c.max_grade_at and c.max_grade):
        charted = max(0, (course.max_grade or 0) - (number % 5 == 0))
        computed = None if number % 7 == 3 else course.max_grade
        at = course.max_grade_at or course.infused_at
        yield ChartedGradeRow(course.patient, 1, "crs", at, charted, computed, False, GradeSource.CHARTED)


def _cards(courses: Sequence[CourseRow]) -> Iterator[CardRow]:
    for course in courses:
        for day in range(15 if course.crs is Known.YES else 3):
            at = _at(course.day0, day + 8 / 24)
            for card, indicator in (("crs-grade", "info"), ("infection-surveillance", "info"))[: 1 + (day > 4)]:
                yield CardRow(
                    course.patient, 1, 1, at, at.date(), 8, MomentKind.CHART, card, indicator, Shown.ACTIVE, True,
                    day == 5, 1,
                )  # fmt: skip


def _episodes(courses: Sequence[CourseRow]) -> Iterator[EpisodeRow]:
    for number, course in enumerate(c for c in courses if c.onset and (c.max_grade or 0) >= 2):
        at, order = course.onset or course.infused_at, Decimal(3) if course.tocilizumab else None
        severe = Decimal(12) if course.severe is Known.YES else None
        yield EpisodeRow(
            course.patient, 1, 1, "toci-recommended", 1, at, at, 2 + number % 2, "tocilizumab", False, order, severe
        )


def _events(courses: Sequence[CourseRow]) -> Iterator[EventRow]:
    for number, course in enumerate(c for c in courses if c.first_tocilizumab):
        how = (Preceded.BEFORE, Preceded.BEFORE, Preceded.NEVER, Preceded.AT_OR_AFTER)[number % 4]
        lead = Decimal(2 + number % 9) if how is Preceded.BEFORE else None
        at = course.first_tocilizumab or course.infused_at
        yield EventRow(
            course.patient, 1, 1, EventKind.TOCILIZUMAB, 1, at, True, False, course.max_grade, how, "toci-recommended",
            None, lead, False, how is Preceded.NEVER,
        )  # fmt: skip
