"""`onset.csv`: the onset of CRS, and what is left of it without first fevers that may have been an infection's."""

from __future__ import annotations

from collections.abc import Sequence

from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.evaluation.rows.courses import CourseFlag, CourseRow, Known
from cds_server.evaluation.statistics.numbers import quantile
from cds_server.evaluation.statistics.proportions import Share, exact_share
from cds_server.evaluation.tables.outcomes import first_courses
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
