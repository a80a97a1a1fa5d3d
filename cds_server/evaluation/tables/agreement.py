"""`agreement.csv`: the grade that is computed against the grade that somebody charted at that time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from cds_server.evaluation.protocol import Statistics
from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.evaluation.rows.courses import ChartedGradeRow, CourseRow, GradeSource
from cds_server.evaluation.statistics.agreement import weighted_kappa
from cds_server.evaluation.statistics.estimates import Estimate
from cds_server.evaluation.statistics.proportions import Share, exact_share
from cds_server.evaluation.statistics.resampling import bootstrap
from cds_server.evaluation.tables.outcomes import CourseKey, key
from cds_server.evaluation.tables.table import Cell, Table, numbers

SCALES = ("crs", "icans")
GRADES = range(6)
NOT_ONE_GRADE = "not one grade"
Pair = tuple[int, int]  # charted, computed


@dataclass(frozen=True)
class Acts:
    """The acts of charting that are compared, and those of the whole course, whose highest is compared with the highest
    grade computed in it, by scale and course; None where none is known."""

    rows: tuple[ChartedGradeRow, ...]
    whole: tuple[ChartedGradeRow, ...]
    highest: dict[tuple[str, CourseKey], int | None]

    def of(self, scale: str) -> list[ChartedGradeRow]:
        return [row for row in self.rows if row.scale == scale]


def acts(evaluation: Evaluation) -> Acts:
    """The acts of charting a grade: of CRS from a day before the onset to a day after the end, of ICANS up to the day
    on which the protocol ends it. A diagnosis is none, for it is coded later."""
    courses = {key(course): course for course in evaluation.courses}
    last = evaluation.protocol.follow_up.icans_until_day
    whole = [
        row for row in evaluation.charted_grades if key(row) in courses and (row.scale == "crs" or row.day <= last)
    ]
    highest: dict[tuple[str, CourseKey], int | None] = {("crs", where): c.max_grade for where, c in courses.items()}
    for row in whole:
        if row.source is GradeSource.SCORE:
            highest[row.scale, key(row)] = max(row.charted or 0, highest.get((row.scale, key(row))) or 0)
    charted = tuple(row for row in whole if row.source is GradeSource.CHARTED)
    beside = timedelta(hours=evaluation.protocol.follow_up.agreement_beside_hours)
    near = tuple(row for row in charted if row.scale == "icans" or _is_near(row, courses[key(row)], beside))
    return Acts(near, charted, highest)


def _is_near(row: ChartedGradeRow, course: CourseRow, beside: timedelta) -> bool:
    """Tell whether a grade of CRS was charted about the episode; without an onset there is no other time."""
    return (course.onset is None or row.at >= course.onset - beside) and (
        course.crs_end is None or row.at <= course.crs_end + beside
    )


def agreement(found: Acts) -> Table:
    """The matrix: a row a charted grade, a column a computed one; not known is a column of its own, and what states no
    single grade is a row of its own, the last."""
    counts = Counter((row.scale, row.charted, row.computed) for row in found.rows)
    columns = tuple(f"computed_{grade}" for grade in GRADES[:5])
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            scale.upper(),
            NOT_ONE_GRADE if grade is None else grade,
            *(counts[scale, grade, c] for c in (*GRADES[:5], None)),
        )
        for scale in SCALES
        for grade in (*GRADES, None)
        if any(row.charted == grade for row in found.of(scale))
    )
    return Table("agreement", ("scale", "charted", *columns, "not_known"), rows, (*columns, "not_known"))


def agreement_in_figures(evaluation: Evaluation, found: Acts) -> Table:
    """Exact agreement and κ over the acts, limits by drawing patients, and over the highest grades of each course."""
    rows = tuple(row for scale in SCALES for row in _figures(scale, found, evaluation.protocol.statistics))
    columns = ("scale", "figure", "n", "not_known", "not_one_grade", "value", "value_low", "value_high")
    return Table("agreement_in_figures", columns, rows, ("n", "not_known", "not_one_grade"))


def _figures(scale: str, found: Acts, statistics: Statistics) -> Iterator[tuple[Cell, ...]]:
    of_scale, whole = found.of(scale), [row for row in found.whole if row.scale == scale]
    if not whole:
        return
    by_patient: dict[str, list[Pair]] = {}
    for row in of_scale:
        if row.charted is not None and row.computed is not None:
            by_patient.setdefault(row.patient, []).append((row.charted, row.computed))
    patients = list(by_patient.values())
    n, no_grade = sum(map(len, patients)), sum(row.charted is None for row in of_scale)
    left = (n, len(of_scale) - no_grade - n, no_grade)
    for name, of in (("charting acts: same grade", _same), ("charting acts: weighted kappa", _kappa)):
        yield scale.upper(), name, *left, *numbers(_drawn(patients, of, statistics))
    highest = _highest_charted(whole)
    over = [(charted, g) for where, charted in highest.items() if (g := found.highest.get((scale, where))) is not None]
    same = exact_share(Share(sum(a == b for a, b in over), len(over)))
    left = (len(over), len(highest) - len(over), len({key(row) for row in whole} - {*highest}))
    yield scale.upper(), "highest grade of a course: same", *left, *numbers(same)


def _drawn(patients: list[list[Pair]], of: Callable[[list[Pair]], float], statistics: Statistics) -> Estimate:
    """A figure over all acts, with limits by drawing patients: the acts of one patient hang together."""

    def of_drawn(which: Iterable[int]) -> float:
        return of([pair for i in which for pair in patients[i]])

    return bootstrap(of_drawn, len(patients), statistics.seed, statistics.bootstrap)


def _highest_charted(found: Sequence[ChartedGradeRow]) -> dict[CourseKey, int]:
    charted: dict[CourseKey, int] = {}
    for row in found:
        if row.charted is not None:
            charted[key(row)] = max(row.charted, charted.get(key(row), 0))
    return charted


def _same(pairs: list[Pair]) -> float:
    return sum(a == b for a, b in pairs) / len(pairs) if pairs else float("nan")


def _kappa(pairs: list[Pair]) -> float:
    table = np.zeros((len(GRADES), len(GRADES)))
    for charted, computed in pairs:
        table[charted, computed] += 1
    return weighted_kappa(table)
