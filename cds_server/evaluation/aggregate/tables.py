"""The tables of an aggregate report: without a row of a patient, and without small counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from cds_server.evaluation.aggregate.small_cells import without_small_cells
from cds_server.evaluation.aggregate.sums import Sums
from cds_server.evaluation.aggregate.sums_of_tables import SUMS, Totals
from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.evaluation.tables.logged import LoggedTables
from cds_server.evaluation.tables.table import Table

# the values of single patients, and words with counts in them
NOT_SHOWN = frozenset({"lowest", "highest", "silent_because", "reasons"})


@dataclass(frozen=True)
class OfFirstCourses:
    """The rows of first courses, each read from its file anew."""

    rows: Any

    def __iter__(self) -> Iterator[Any]:
        return (row for row in self.rows if row.course == 1)


def without_few_later_courses(evaluation: Evaluation, least: int) -> Evaluation:
    """The evaluation without its later courses, if they are few: all courses less the first ones would tell how many.

    The flow still says that there were some.
    """
    later = sum(course.course > 1 for course in evaluation.courses)
    if not 0 < later < least:
        return evaluation
    tables = ("grade_days", "charted_grades", "moments", "cards", "episodes", "events")
    kept: dict[str, Any] = {name: OfFirstCourses(getattr(evaluation, name)) for name in tables}
    kept |= {name: tuple(OfFirstCourses(getattr(evaluation, name))) for name in ("courses", "markers")}
    return replace(evaluation, **kept)


def aggregated(table: Table, totals: Totals, least: int) -> Table:
    """A table without small counts, without those that would tell them, and without the value of a single patient."""
    kept = table.only(*(name for name in table.columns if name not in NOT_SHOWN))
    sums = SUMS[table.name](kept.dicts(), totals) if table.name in SUMS else Sums()
    return without_small_cells(kept, sums, least)


def aggregated_log(tables: LoggedTables, least: int) -> LoggedTables:
    """The tables of a decision log without small counts."""
    return LoggedTables(*(aggregated(table, Totals(), least) for table in tables.all))
