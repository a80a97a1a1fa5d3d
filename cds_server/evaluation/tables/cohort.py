"""The cohort: who is in, Table 1 of the study, highest grades, and the grade by day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.evaluation.rows.courses import CourseRow, Known
from cds_server.evaluation.statistics.numbers import (
    difference_of_means,
    difference_of_shares,
    quantile,
)
from cds_server.evaluation.statistics.proportions import Share, exact_share, pearson_p
from cds_server.evaluation.tables.outcomes import (
    Supplied,
    charted_as_fatal,
    first_courses,
    grade_with_death,
    supplied_by,
)
from cds_server.evaluation.tables.table import Cell, Table, defined, in_words, numbers
from fhir_mappings.facts.labs import Reason

UNKNOWN = "unknown"
NO_BASELINE = Reason.NO_BASELINE.value
# the study's classes of blasts, each with the test whether a burden lies above it
BURDEN: tuple[tuple[str, Callable[[float], bool]], ...] = (
    ("<5 %", lambda blasts: blasts >= 5),
    ("5–25 %", lambda blasts: blasts > 25),
    ("25–50 %", lambda blasts: blasts > 50),
)
HIGHEST_BURDEN = ">50 %"
AGES = ((18, "under 18"), (40, "18–39"), (65, "40–64"), (200, "65 and over"))
Level = Callable[[CourseRow], str]


def flow(evaluation: Evaluation) -> Table:
    return Table(
        "flow",
        ("step", "patients", "courses"),
        tuple((row.step, row.patients, row.courses) for row in evaluation.flow),
        ("patients", "courses"),
    )


def highest_grades(evaluation: Evaluation) -> Table:
    """Courses by their highest grade of CRS. Grade 5 stands only where somebody wrote that CRS was the cause."""
    supplied, fatal = supplied_by(evaluation), charted_as_fatal(evaluation.charted_grades)
    found = Counter(
        UNKNOWN if c.crs is Known.UNKNOWN or (g := grade_with_death(c, supplied, fatal)) is None else f"grade {g}"
        for c in evaluation.courses
    )
    n = len(evaluation.courses)
    rows = [
        (name, found[name], *numbers(exact_share(Share(found[name], n))))
        for name in (*map("grade {}".format, range(6)), UNKNOWN)
    ]
    died = sum(c.died_in_severe for c in evaluation.courses)
    rows.append(("died in a severe course, whatever the cause", died, *numbers(exact_share(Share(died, n)))))
    return Table("highest_grades", ("grade", "courses", "share", "share_low", "share_high"), tuple(rows), ("courses",))


def grade_by_day(evaluation: Evaluation, last: int = 30) -> Table:
    """The courses at risk on each day by the highest grade known on it; not known is never dropped."""
    found: Counter[tuple[int, int | None]] = Counter()
    for row in evaluation.grade_days:
        if row.at_risk and 0 <= row.day <= last:
            found[row.day, row.grade] += 1
    days = sorted({day for day, _ in found})
    columns = tuple(f"grade_{grade}" for grade in range(5))
    rows = tuple((day, *(found[day, grade] for grade in range(5)), found[day, None]) for day in days)
    return Table("grade_by_day", ("day", *columns, "not_known"), rows, (*columns, "not_known"))


def table_1(evaluation: Evaluation) -> Table:
    """First courses with tocilizumab and without, each level with its number and the standardised difference.

    Beside them later courses, which no comparison counts, and first courses without a baseline of IL-6.
    """
    supplied = supplied_by(evaluation)
    courses = [c for c in first_courses(evaluation.courses) if c.tocilizumab is not None]
    groups = [[c for c in courses if c.tocilizumab is given] for given in (True, False)]
    groups.append([c for c in evaluation.courses if c.course > 1])
    groups.append([c for c in first_courses(evaluation.courses) if c.il6_reason == NO_BASELINE])
    with_p = evaluation.protocol.comparisons.table1_p
    again = frozenset(c.patient for c in evaluation.courses if c.course > 1)
    rows = [
        row for name, level in _characteristics(supplied, again) for row in _levels(name, level, groups, with_p=with_p)
    ]
    rows += _ages(groups)
    columns = (
        "characteristic",
        "level",
        "treated",
        "treated_n",
        "untreated",
        "untreated_n",
        "later_courses",
        "no_il6_baseline",
        "standardised_difference",
        "p",
    )
    return Table("table1", columns, tuple(rows), columns[2:8])


def _characteristics(supplied: Supplied, again: frozenset[str]) -> Iterator[tuple[str, Level]]:
    """The characteristics of a course; `again` are the patients who were infused once more in a later course."""
    yield "sex", lambda c: c.sex or UNKNOWN
    yield "product", lambda c: c.product or UNKNOWN
    yield "infused again later", lambda c: "yes" if c.patient in again else "no"
    yield "corticosteroids", lambda c: UNKNOWN if c.steroids is None else "yes" if c.steroids else "no"
    for event in sorted(supplied.outcomes.supplied):
        if event == "x-burden":
            yield "burden (blasts)", lambda c: _burden(c, supplied)
        elif event.startswith("x-"):
            name = event.removeprefix("x-").replace("-", " ")
            yield name, lambda c, event=event: supplied.known(c, event).value  # type: ignore[misc]
    yield "IL-6 group", lambda c: c.il6_group.value
    yield "CRP group", lambda c: c.crp_group.value


def _burden(course: CourseRow, supplied: Supplied) -> str:
    row = supplied.row(course, "x-burden")
    if row is None:
        return UNKNOWN
    return next((name for name, is_more in BURDEN if not is_more(float(row.value))), HIGHEST_BURDEN)


def _levels(name: str, level: Level, groups: Sequence[list[CourseRow]], *, with_p: bool) -> Iterator[tuple[Cell, ...]]:
    """A row a level; difference and p stand on the first. Not known is shown and left out of both."""
    counts = [Counter(map(level, group)) for group in groups]
    names = _in_order(set().union(*counts), (*(burden for burden, _ in BURDEN), HIGHEST_BURDEN))
    compared = counts[:2]
    known = [n for n in names if n not in (UNKNOWN, Known.UNKNOWN.value) and any(count[n] for count in compared)]
    table = [[count[n] for n in known] for count in compared]
    difference = defined(difference_of_shares(*table)) if known else None
    p = _as_printed(pearson_p(table)) if with_p and known else None
    for number, one in enumerate(names):
        first = number == 0
        yield (name, one, counts[0][one], len(groups[0]), counts[1][one], len(groups[1]),
               counts[2][one], counts[3][one], difference if first else None, p if first else None)  # fmt: skip


def _as_printed(p: float) -> float | None:
    """A p-value with the three decimals of the study's Table 1; a smaller one as it is."""
    known = defined(p)
    return known if known is None or known < 0.001 else round(known, 3)


def _ages(groups: Sequence[list[CourseRow]]) -> Iterator[tuple[Cell, ...]]:
    ages = [[float(c.age_years) for c in group if c.age_years is not None] for group in groups]
    shown = [
        f"{in_words(quantile(a, 0.5))} ({in_words(quantile(a, 0.25))} to {in_words(quantile(a, 0.75))})" if a else "–"
        for a in ages
    ]
    yield ("age, years", "median (quartiles)", shown[0], len(ages[0]), shown[1], len(ages[1]), *shown[2:],
           defined(difference_of_means(*ages[:2])), None)  # fmt: skip


def subgroups(evaluation: Evaluation) -> Table:
    """Severe CRS of first courses by sex, age, product and, where it was supplied, burden, with exact limits."""
    supplied, courses = supplied_by(evaluation), first_courses(evaluation.courses)
    by: dict[str, tuple[Level, tuple[str, ...]]] = {
        "sex": (lambda c: c.sex or UNKNOWN, ()),
        "age": (_age_band, tuple(name for _, name in AGES)),
        "product": (lambda c: c.product or UNKNOWN, ()),
    }
    if supplied.has("x-burden"):
        in_order = (*(name for name, _ in BURDEN), HIGHEST_BURDEN)
        by["burden (blasts)"] = (lambda c: _burden(c, supplied), in_order)
    rows: list[tuple[Cell, ...]] = []
    for name, (level, order) in by.items():
        for one in _in_order(set(map(level, courses)), order):
            of_level = [c.severe for c in courses if level(c) == one]
            known = [severe for severe in of_level if severe is not Known.UNKNOWN]
            severe = Share(known.count(Known.YES), len(known))
            rows.append((name, one, severe.events, severe.n, len(of_level) - severe.n, *numbers(exact_share(severe))))
    columns = ("subgroup", "level", "severe", "courses", "not_known", "share", "share_low", "share_high")
    return Table("subgroups", columns, tuple(rows), ("severe", "courses", "not_known"))


def _age_band(course: CourseRow) -> str:
    age = course.age_years
    return UNKNOWN if age is None else next((name for below, name in AGES if age < below), AGES[-1][1])


def _in_order(levels: set[str], order: Sequence[str]) -> list[str]:
    """The levels by size where they have one, else by name; not known stands last."""
    last = len(order)
    return sorted(levels, key=lambda one: (one == UNKNOWN, order.index(one) if one in order else last, one))


def quarters(evaluation: Evaluation) -> Table:
    """Courses, severe CRS and treatment by the quarter of day 0: a change of practice or of charting shows as drift."""
    by_quarter: dict[str, list[CourseRow]] = {}
    for course in sorted(evaluation.courses, key=lambda c: c.day0):
        name = f"{course.day0.year} Q{(course.day0.month + 2) // 3}"
        by_quarter.setdefault(name, []).append(course)
    rows: list[tuple[Cell, ...]] = []
    for name, courses in by_quarter.items():
        severe = [c.severe is Known.YES for c in courses if c.severe is not Known.UNKNOWN]
        treated = [c.tocilizumab for c in courses if c.tocilizumab is not None]
        shares = [Share(sum(found), len(found)) for found in (severe, treated)]
        counts = (cell for share in shares for cell in (share.events, share.n, *numbers(exact_share(share))))
        rows.append((name, len(courses), *counts))
    columns = ("quarter", "courses", "severe", "severe_known", "share_severe", "share_severe_low", "share_severe_high",
               "tocilizumab", "tocilizumab_known", "share_tocilizumab", "share_tocilizumab_low",
               "share_tocilizumab_high")  # fmt: skip
    hidden = ("courses", "severe", "severe_known", "tocilizumab", "tocilizumab_known")
    return Table("quarters", columns, tuple(rows), hidden)
