"""`durations.csv`: the days from onset to end of CRS, with tocilizumab and without."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cds_server.evaluation.protocol import Comparisons
from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.evaluation.rows.courses import CourseRow
from cds_server.evaluation.statistics.numbers import mann_whitney, quantile
from cds_server.evaluation.statistics.survival import kaplan_meier, median_time
from cds_server.evaluation.tables.comparisons import IL6, WITH_CRS, is_planned
from cds_server.evaluation.tables.outcomes import days_between, first_courses
from cds_server.evaluation.tables.table import Cell, Table, defined, numbers

COLUMNS = (
    "stratum", "group", "courses", "not_ended", "median_days", "median_days_low", "median_days_high",
    "kaplan_meier_median", "kaplan_meier_median_low", "kaplan_meier_median_high", "test", "p",
)  # fmt: skip


def durations(evaluation: Evaluation) -> Table:
    """Days from onset to end, of first courses with CRS, all and by the rise of IL-6: those that ended, and Kaplan and
    Meier's median of all."""
    courses = [c for c in first_courses(evaluation.courses) if c.onset is not None and c.tocilizumab is not None]
    rows: list[tuple[Cell, ...]] = []
    for stratum in (WITH_CRS, *IL6):
        within = [c for c in courses if stratum.holds(c)]
        if within or stratum is WITH_CRS:
            rows += _of_stratum(stratum.name, within, evaluation.protocol.comparisons)
    return Table("durations", COLUMNS, tuple(rows), ("courses", "not_ended"))


def _of_stratum(name: str, courses: Sequence[CourseRow], asked: Comparisons) -> Iterator[tuple[Cell, ...]]:
    """A row for each group; the test stands on the first."""
    groups = [[c for c in courses if c.tocilizumab is given] for given in (True, False)]
    ended = [
        [float(c.duration_days) for c in g if c.duration_days is not None and not c.end_is_censored] for g in groups
    ]
    test = mann_whitney(*ended)
    tested: tuple[Cell, Cell] = (None, None)
    if is_planned(f"duration:{name}", asked) and all(ended):
        tested = ("Mann-Whitney, exact" if test.exact else "Mann-Whitney, asymptotic", defined(test.p))
    for label, group, values in zip(("with tocilizumab", "without"), groups, ended, strict=True):
        quartiles = (defined(quantile(values, q)) for q in (0.5, 0.25, 0.75))
        yield (name, label, len(group), *_not_ended(group, quartiles), *tested)
        tested = (None, None)


def _ended(group: Sequence[CourseRow]) -> Iterator[float]:
    yield from (float(c.duration_days) for c in group if c.duration_days is not None and not c.end_is_censored)


def _not_ended(group: Sequence[CourseRow], quartiles: Iterator[float | None]) -> Iterator[Cell]:
    """The number that did not end, the quartiles of those that did, and the median of all."""
    times = [days_between(c.onset, c.crs_end or c.followed_until) for c in group if c.onset is not None]
    ended = [not c.end_is_censored and c.crs_end is not None for c in group]
    yield ended.count(False)
    yield from quartiles
    yield from numbers(median_time(kaplan_meier(times, ended)))
