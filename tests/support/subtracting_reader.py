"""A reader of an aggregate report who writes down what must add up, and narrows down every count that is hidden."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from cds_server.evaluation.report.all_tables import Tables
from cds_server.evaluation.tables.table import Cell, Table

LEAST, MANY = 7, 10_000
Place = tuple[str, int, str]  # table, row, column
Places = list[Place]
Equation = tuple[Places, Places]  # what adds up to the same number
Limits = dict[Place, tuple[int, int]]
SIDES = {"treated": "with tocilizumab", "untreated": "without"}
ALL = "all first courses"


class SubtractingReader:
    """`numbers` are those that stand in the words of a page."""

    def __init__(self, tables: Tables) -> None:
        self.tables: dict[str, Table] = {field.name: getattr(tables, field.name) for field in fields(Tables)}

    def at(self, table: str, column: str, **wanted: Cell) -> Places:
        """The cells of a column in the rows that are wanted."""
        found = self.tables[table].dicts()
        return [(table, r, column) for r, row in enumerate(found) if all(row[k] == v for k, v in wanted.items())]

    def levels(self, table: str, column: str, **wanted: Cell) -> list[Cell]:
        rows = [row for row in self.tables[table].dicts() if all(row[k] == v for k, v in wanted.items())]
        return list(dict.fromkeys(row[column] for row in rows))

    def equations(self) -> Iterator[Equation]:
        """Sums that hold in every report."""
        yield from self._of_courses()
        for side, group in SIDES.items():
            yield from self._of_treatment(side, group)
        yield from self._of_subgroups()
        yield from self._of_flow()
        for r, _ in enumerate(self.tables["preceded"].rows):
            yield [("preceded", r, name) for name in ("preceded", "only_at_or_after", "never")], [("preceded", r, "n")]

    def _of_courses(self) -> Iterator[Equation]:
        at, first = self.at, self.at("onset", "courses", courses_counted=ALL)
        severe = at("onset", "severe", courses_counted=ALL)
        yield [p for n in (3, 4, 5) for p in at("highest_grades", "courses", grade=f"grade {n}")], severe
        yield at("highest_grades", "courses")[:-1], at("missing", "courses")[:1]
        yield at("quarters", "courses"), at("missing", "courses")[:1]
        for column in ("courses", "crs", "crs_known", "severe", "severe_known"):
            yield at("onset", column)[1:], at("onset", column)[:1]
        for window in ("crs", "study"):
            where = {"marker": "il6", "measure": "fold", "endpoint": "crs", "window": window}
            yield at("markers", "n", **where) + at("markers", "unknown", **where), first

    def _of_treatment(self, side: str, group: str) -> Iterator[Equation]:
        at, of_severe = self.at, {"endpoint": "severe-crs", "unknown_counted": "left-out"}
        for name in self.levels("table1", "characteristic")[:-1]:
            yield at("table1", side, characteristic=name), at("table1", f"{side}_n", characteristic=name)[:1]
        for end in ("events", "n"):
            strata = [p for one in ("low", "high", "unknown")
                      for p in at("comparisons", f"{side}_{end}", stratum=f"il6-{one}", **of_severe)]  # fmt: skip
            yield strata, at("comparisons", f"{side}_{end}", stratum="all", **of_severe)
        none_unknown = set(self.tables["comparisons"].column("unknown")) <= {0, None}
        for level in ("low", "high") if none_unknown else ():
            of_level = at("table1", side, characteristic="IL-6 group", level=level)
            yield of_level, at("comparisons", f"{side}_n", stratum=f"il6-{level}", **of_severe)
        yield (at("durations", "courses", stratum="crs", group=group),
               at("comparisons", f"{side}_n", stratum="crs", **of_severe))  # fmt: skip
        yield ([p for one in ("low", "high", "unknown") for p in
                at("durations", "courses", stratum=f"il6-{one}", group=group)],
               at("durations", "courses", stratum="crs", group=group))  # fmt: skip

    def _of_subgroups(self) -> Iterator[Equation]:
        at, first = self.at, self.at("onset", "courses", courses_counted=ALL)
        for name in ("sex", "age", "product"):
            yield at("subgroups", "courses", subgroup=name) + at("subgroups", "not_known", subgroup=name), first
            yield at("subgroups", "severe", subgroup=name), at("onset", "severe", courses_counted=ALL)
        for level in self.levels("table1", "level", characteristic="sex"):
            treated, untreated = (at("table1", side, characteristic="sex", level=level) for side in SIDES)
            known, unknown = (at("subgroups", name, subgroup="sex", level=level) for name in ("courses", "not_known"))
            yield treated + untreated, known + unknown

    def _of_flow(self) -> Iterator[Equation]:
        at, read = self.at, self.at("flow", "patients", step="read")
        yield at("flow", "patients", step="without an infusion") + at("flow", "patients", step="with a course"), read
        yield at("flow", "patients", step="first courses"), at("flow", "patients", step="with a course")
        yield at("inventory_by_type", "resources", type="Patient"), read
        first, later = (at("flow", "courses", step=f"{which} courses") for which in ("first", "later"))
        yield first + later, at("flow", "courses", step="with a course")
        yield first, at("onset", "courses", courses_counted=ALL)

    def published(self, place: Place) -> tuple[int, int]:
        """The least and the most that a cell can be by what it shows."""
        table, r, column = place
        cell = self.tables[table].dicts()[r][column]
        if isinstance(cell, int):
            return cell, cell
        return (1, LEAST - 1) if cell == f"<{LEAST}" else (0, MANY)

    def narrowed(self) -> Limits:
        """The least and the most that each cell can be by all the sums."""
        equations = [one for one in self.equations() if all(one)]
        known = {place: self.published(place) for sides in equations for side in sides for place in side}
        before: Limits = {}
        while before != known:
            before = dict(known)
            for left, right in equations:
                for this, that in ((left, right), (right, left)):
                    for place in this:
                        rest = [other for other in this if other != place]
                        low = sum(known[p][0] for p in that) - sum(known[p][1] for p in rest)
                        high = sum(known[p][1] for p in that) - sum(known[p][0] for p in rest)
                        known[place] = max(known[place][0], low), min(known[place][1], high)
        return known
