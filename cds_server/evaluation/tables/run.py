"""The run and its data: the inventory, what is missing, and how times were known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from cds_server.evaluation.rows.charting import AbsentRow, ConceptCount, NamedCount
from cds_server.evaluation.rows.cohort import AvailabilityRow, Evaluation, InventoryRow
from cds_server.evaluation.rows.courses import CourseRow, Group, Known
from cds_server.evaluation.tables.markers import value_of
from cds_server.evaluation.tables.outcomes import icans_of, key, supplied_by
from cds_server.evaluation.tables.table import Cell, Table, cells_of


def inventory(evaluation: Evaluation) -> Table:
    columns = tuple(InventoryRow.__dataclass_fields__)
    return Table("inventory", columns, tuple(cells_of(row) for row in evaluation.inventory), columns[2:])


def inventory_by_type(evaluation: Evaluation) -> Table:
    """The resources of each type, the months of the first and the last of them, and those that were set aside."""
    by_type: dict[str, list[InventoryRow]] = {}
    for row in evaluation.inventory:
        by_type.setdefault(row.type, []).append(row)
    rows = tuple((name, *_summed(found)) for name, found in sorted(by_type.items()))
    columns = ("type", "resources", "first_month", "last_month", "without_a_time", "set_aside")
    return Table("inventory_by_type", columns, rows, ("resources", "without_a_time", "set_aside"))


def _summed(found: list[InventoryRow]) -> tuple[Cell, ...]:
    months = [row.month for row in found if row.month]
    return (
        sum(row.resources for row in found), min(months, default=None), max(months, default=None),
        sum(row.resources for row in found if not row.month), sum(row.set_aside for row in found),
    )  # fmt: skip


def unread(evaluation: Evaluation) -> Table:
    """Gaps of the export and what therefore cannot be said."""
    rows = tuple((row.what, row.why, row.count, ", ".join(row.places[:5])) for row in evaluation.unread)
    return Table("unread", ("what", "why", "count", "places"), rows, ("count",))


def availability(evaluation: Evaluation) -> Table:
    columns = tuple(AvailabilityRow.__dataclass_fields__)
    return Table("availability", columns, tuple(cells_of(row) for row in evaluation.availability), ("count",))


def concepts(evaluation: Evaluation) -> Table:
    """The codes in use: what is read as which value set."""
    return _of_rows("concepts", ConceptCount, evaluation.charting.concepts, ("resources", "patients"))


def absent(evaluation: Evaluation) -> Table:
    """The concepts of which the export holds nothing."""
    return _of_rows("absent_concepts", AbsentRow, evaluation.charting.absent)


def set_aside(evaluation: Evaluation) -> Table:
    found = _of_rows("set_aside", NamedCount, evaluation.charting.set_aside, ("resources",))
    return found.only("what", "why", "resources", "patients")


def not_known(evaluation: Evaluation) -> Table:
    """The names that look like ours and are not known, with the value sets that they may belong to."""
    return _of_rows("not_known", NamedCount, evaluation.charting.not_known, ("resources",))


def other_codes(evaluation: Evaluation) -> Table:
    """The codes of Observations that nothing here reads, the most frequent first."""
    found = _of_rows("other_codes", NamedCount, evaluation.charting.other_codes, ("resources",))
    return found.only("what", "resources", "patients")


def _of_rows(name: str, kind: Any, rows: Iterable[object], counts: tuple[str, ...] = ()) -> Table:
    return Table(name, tuple(kind.__dataclass_fields__), tuple(map(cells_of, rows)), counts)


def thresholds(evaluation: Evaluation) -> Table:
    """The numbers in force."""
    return Table("thresholds", ("threshold", "value"), tuple(sorted(evaluation.thresholds.items())))


def changed_rules(evaluation: Evaluation) -> Table:
    """The numbers and card modes in which the other rules differ."""
    return Table("changed_rules", ("rule", "here", "other"), tuple(map(cells_of, evaluation.changed)))


def codes(evaluation: Evaluation) -> Table:
    """The codes behind each definition, a row a system."""
    rows: list[tuple[Cell, ...]] = []
    for name, found in sorted(evaluation.codes.items()):
        by_system: dict[str, list[str]] = {}
        for system, _, code in (one.rpartition("|") for one in found):
            by_system.setdefault(system, []).append(code)
        rows += [(name, system, ", ".join(codes)) for system, codes in by_system.items()]
    return Table("codes", ("value_set", "system", "codes"), tuple(rows))


def missing(evaluation: Evaluation) -> Table:
    """Courses of which a quantity is not known, by reason where one is given."""
    n, supplied = len(evaluation.courses), supplied_by(evaluation)
    rows: list[tuple[Cell, ...]] = []
    asked: dict[str, Callable[[CourseRow], bool]] = {
        "CRS": lambda c: c.crs is Known.UNKNOWN,
        "severe CRS": lambda c: c.severe is Known.UNKNOWN,
        "ICANS": lambda c: icans_of(c, supplied) is Known.UNKNOWN,
        "tocilizumab": lambda c: c.tocilizumab is None,
        "corticosteroids": lambda c: c.steroids is None,
        "age": lambda c: c.age_years is None,
        "sex": lambda c: c.sex is None,
    }
    rows += [(name, "", sum(map(is_missing, evaluation.courses)), n) for name, is_missing in asked.items()]
    for name, reason in (("rise of IL-6", _il6), ("rise of CRP", _crp)):
        found = Counter(why for c in evaluation.courses if (why := reason(c)) is not None)
        rows += [(name, why, count, n) for why, count in sorted(found.items())] or [(name, "", 0, n)]
    return Table("missing", ("quantity", "reason", "not_known", "courses"), tuple(rows), ("not_known",))


def _il6(course: CourseRow) -> str | None:
    return course.il6_reason if course.il6_group is Group.UNKNOWN else None


def _crp(course: CourseRow) -> str | None:
    return course.crp_reason if course.crp_group is Group.UNKNOWN else None


def rises_by_grade(evaluation: Evaluation) -> Table:
    """The rise of each course in the study's window with its highest grade."""
    courses = {key(course): course for course in evaluation.courses}
    rows = tuple(
        (row.patient, row.course, row.marker, value_of(row.fold_low, row.fold_high), _graded(courses[key(row)]))
        for row in evaluation.markers
        if row.window == "study" and key(row) in courses
    )
    return Table("rises", ("patient", "course", "marker", "fold", "grade"), rows)


def _graded(course: CourseRow) -> str:
    """The group of a course in the picture."""
    if course.crs is Known.NO:
        return "no-crs"
    known = course.crs is Known.YES and course.max_grade is not None
    return f"grade-{course.max_grade}" if known else "unknown"
