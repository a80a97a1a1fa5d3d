"""`agreement.csv`: the grade that is computed against the grade that somebody charted at that time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

import numpy as np

from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.evaluation.rows.courses import ChartedGradeRow, CourseRow, GradeSource
from cds_server.evaluation.statistics.agreement import weighted_kappa
from cds_server.evaluation.statistics.estimates import Estimate
from cds_server.evaluation.statistics.proportions import Share, exact_share
from cds_server.evaluation.statistics.resampling import bootstrap
from cds_server.evaluation.tables.outcomes import key
from cds_server.evaluation.tables.table import Cell, Table, numbers

GRADES = range(6)
BESIDE = timedelta(hours=24)  # before the onset and after the end


def acts(evaluation: Evaluation) -> list[ChartedGradeRow]:
    """The acts of charting a grade of CRS, from a day before the onset to a day after the end."""
    courses = {key(course): course for course in evaluation.courses}
    return [
        row
        for row in evaluation.charted_grades
        if row.scale == "crs" and row.source is GradeSource.CHARTED and _is_near(row, courses.get(key(row)))
    ]


def _is_near(row: ChartedGradeRow, course: CourseRow | None) -> bool:
    if course is None:
        return False
    return (course.onset is None or row.at >= course.onset - BESIDE) and (
        course.crs_end is None or row.at <= course.crs_end + BESIDE
    )


def agreement(found: Sequence[ChartedGradeRow]) -> Table:
    """The matrix: a row a charted grade, a column a computed one; not known is a column of its own."""
    counts = Counter((row.charted, row.computed) for row in found)
    charted = sorted({row.charted for row in found})
    columns = tuple(f"computed_{grade}" for grade in GRADES[:5])
    rows = tuple((grade, *(counts[grade, c] for c in GRADES[:5]), counts[grade, None]) for grade in charted)
    return Table("agreement", ("charted", *columns, "not_known"), rows, (*columns, "not_known"))


def agreement_in_figures(evaluation: Evaluation, found: Sequence[ChartedGradeRow]) -> Table:
    """Exact agreement and κ over the acts, limits by drawing patients, and over the highest grades of each course."""
    statistics = evaluation.protocol.statistics
    by_patient: dict[str, list[tuple[int, int]]] = {}
    for row in found:
        if row.computed is not None:
            by_patient.setdefault(row.patient, []).append((row.charted, row.computed))
    patients = list(by_patient.values())
    every = [pair for pairs in patients for pair in pairs]
    over = list(_highest(evaluation, found))

    def drawn(of: Callable[[list[tuple[int, int]]], float]) -> Estimate:
        return bootstrap(
            lambda which: of([pair for i in which for pair in patients[i]]), len(patients), statistics.seed,
            statistics.bootstrap,
        )  # fmt: skip

    rows: list[tuple[Cell, ...]] = []
    if every:
        rows.append(("charting acts: same grade", len(every), *numbers(drawn(_same))))
        rows.append(("charting acts: weighted kappa", len(every), *numbers(drawn(_kappa))))
    if over:
        same = exact_share(Share(sum(a == b for a, b in over), len(over)))
        rows.append(("highest grade of a course: same", len(over), *numbers(same)))
    return Table("agreement_in_figures", ("figure", "n", "value", "value_low", "value_high"), tuple(rows), ("n",))


def _highest(evaluation: Evaluation, found: Sequence[ChartedGradeRow]) -> Iterator[tuple[int, int]]:
    charted: dict[tuple[str, int], int] = {}
    for row in found:
        charted[key(row)] = max(row.charted, charted.get(key(row), 0))
    for course in evaluation.courses:
        if key(course) in charted and course.max_grade is not None:
            yield charted[key(course)], course.max_grade


def _same(pairs: list[tuple[int, int]]) -> float:
    return sum(a == b for a, b in pairs) / len(pairs) if pairs else float("nan")


def _kappa(pairs: list[tuple[int, int]]) -> float:
    table = np.zeros((len(GRADES), len(GRADES)))
    for charted, computed in pairs:
        table[charted, computed] += 1
    return weighted_kappa(table)
