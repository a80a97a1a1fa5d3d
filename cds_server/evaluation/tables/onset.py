"""`onset.csv` and `icans_and_doses.csv`: what each course had, beside the grade of its CRS."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.evaluation.rows.courses import CourseFlag, CourseRow, Known
from cds_server.evaluation.statistics.numbers import quantile
from cds_server.evaluation.statistics.proportions import Share, exact_share
from cds_server.evaluation.tables.outcomes import Supplied, first_courses, icans_of, supplied_by
from cds_server.evaluation.tables.table import Cell, Table, defined, numbers

COLUMNS = (
    "courses_counted", "courses", "crs", "crs_known", "share_crs", "share_crs_low", "share_crs_high", "onset_day",
    "onset_day_low", "onset_day_high", "severe", "severe_known", "share_severe", "share_severe_low",
    "share_severe_high", "late_fever", "no_culture",
)  # fmt: skip
COUNTS = ("courses", "crs", "crs_known", "severe", "severe_known", "late_fever", "no_culture")


def onset(evaluation: Evaluation) -> Table:
    """First courses, and the sensitivity line: those without a positive culture near the onset."""
    every = first_courses(evaluation.courses)
    hours = evaluation.protocol.follow_up.culture_near_onset_hours
    without = [c for c in every if CourseFlag.CULTURE_NEAR_ONSET not in c.flags]
    with_culture = [c for c in every if CourseFlag.CULTURE_NEAR_ONSET in c.flags]
    rows = (
        _row("all first courses", every),
        _row(f"without a positive culture within {hours} h of onset", without),
        # with its own row a small remainder is hidden in an aggregate report, where it could be told by subtraction
        _row(f"with a positive culture within {hours} h of onset", with_culture),
    )
    return Table("onset", COLUMNS, rows, COUNTS)


def _row(name: str, courses: Sequence[CourseRow]) -> tuple[Cell, ...]:
    crs = [c.crs is Known.YES for c in courses if c.crs is not Known.UNKNOWN]
    severe = [c.severe is Known.YES for c in courses if c.severe is not Known.UNKNOWN]
    days = [float(c.onset_day) for c in courses if c.onset_day is not None]
    with_crs, with_severe = Share(sum(crs), len(crs)), Share(sum(severe), len(severe))
    quartiles = (defined(quantile(days, q)) for q in (0.5, 0.25, 0.75)) if days else (None, None, None)
    return (
        name, len(courses), with_crs.events, with_crs.n, *numbers(exact_share(with_crs)), *quartiles,
        with_severe.events, with_severe.n, *numbers(exact_share(with_severe)),
        sum(c.late_fever is not None for c in courses),
        sum(CourseFlag.NO_CULTURE_NEAR_ONSET in c.flags for c in courses),
    )  # fmt: skip


MOST_DOSES = 3  # from this number on they are counted together


def icans_and_doses(evaluation: Evaluation) -> Table:
    """Courses by their highest ICANS, by whether it began before the first dose, and by the number of doses."""
    supplied, courses = supplied_by(evaluation), evaluation.courses
    levels = {
        "ICANS": [_of_icans(c, supplied) for c in courses],
        "ICANS before the first dose": [_yes_or_no(c.icans_before_first_dose) for c in courses
                                        if icans_of(c, supplied) is Known.YES],
        "doses of tocilizumab": [_of_doses(c.tocilizumab, c.tocilizumab_doses) for c in courses],
        "doses of a corticosteroid": [_of_doses(c.steroids, c.steroid_doses) for c in courses],
    }  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for of, found in levels.items():
        count = Counter(found)
        rows += [(of, level, count[level], *numbers(exact_share(Share(count[level], len(found)))))
                 for level in sorted(count)]  # fmt: skip
    columns = ("of", "level", "courses", "share", "share_low", "share_high")
    return Table("icans_and_doses", columns, tuple(rows), ("courses",))


def _of_icans(course: CourseRow, supplied: Supplied) -> str:
    found = icans_of(course, supplied)
    if found is not Known.YES:
        return {Known.NO: "none", Known.UNKNOWN: "unknown"}[found]
    return f"grade {course.max_icans}" if course.max_icans else "some, without a grade on record"


def _yes_or_no(known: bool | None) -> str:
    return "unknown" if known is None else "yes" if known else "no"


def _of_doses(given: bool | None, doses: int) -> str:
    if given is None:
        return "unknown"
    return f"{MOST_DOSES} or more" if doses >= MOST_DOSES else str(doses)
