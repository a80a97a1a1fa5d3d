"""An aggregate report shows no small count, and none can be found by subtraction, in one table or across them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cds_server.evaluation.aggregate.small_cells import without_small_cells
from cds_server.evaluation.aggregate.sums import Sums, across, down, within
from cds_server.evaluation.report.all_tables import report_of
from cds_server.evaluation.report.write import write_report
from cds_server.evaluation.rows.cohort import Evaluation, FlowRow, InventoryRow, Outcomes
from cds_server.evaluation.rows.courses import CourseFlag, CourseRow, Group, Known
from cds_server.evaluation.tables.table import Table
from tests.support.evaluation_rows import paper_evaluation
from tests.support.subtracting_reader import LEAST, SubtractingReader
from tests.support.tables import name_of, rows

LINES = rows("""
| counts      | shown                    | because                                                              |
| 0 20 9      | 0 20 9                   | nothing is small, and none is no small count                         |
| 3 20 9      | <7 20 suppressed         | the total would tell the only one that is hidden                     |
| 3 5 20      | <7 <7 20                 | two are hidden, and 8 can be made in several ways                    |
| 3 1 20      | <7 <7 suppressed         | together they are a small group                                      |
| 6 6 20      | <7 <7 suppressed         | 12 is made of two of at most 6 in one way only                       |
| 1 7 20      | <7 suppressed suppressed | 8 is made of one small and one other count in one way only           |
| 3 0 0       | suppressed suppressed suppressed | there is nothing beside it that could hide it                |
""")


@pytest.mark.parametrize("row", LINES, ids=name_of)
def test_cells_that_add_up_to_a_known_number(row: dict[str, str]) -> None:
    counts = [int(count) for count in row["counts"].split()]
    columns = tuple("abc")
    table = Table("t", columns, (tuple(counts),), columns)
    found = without_small_cells(table, across(table.dicts(), *columns), LEAST)
    assert " ".join(str(cell) for cell in found.rows[0]) == row["shown"]


def test_what_was_worked_out_of_a_hidden_count_is_hidden_even_if_it_is_0() -> None:
    table = Table(
        "t", ("level", "a", "share", "p", "note"), (("x", 3, 0.0, 0.2, "3 events"), ("y", 30, 0.5, None, "")), ("a",)
    )
    sums = down(table.dicts(), (), "a") + Sums(worked_out=((1, (0, 1)),))
    assert without_small_cells(table, sums, LEAST).rows == (
        ("x", "<7", "suppressed", "suppressed", "suppressed"), ("y", "suppressed", "suppressed", None, ""),
    )  # fmt: skip


def test_a_part_that_is_nearly_the_whole_tells_the_small_rest() -> None:
    table = Table("t", ("events", "n"), ((28, 31), (31, 31), (20, 31)), ("events", "n"))
    found = without_small_cells(table, within(table.dicts(), ("events", "n")), LEAST)
    assert found.column("events") == ["suppressed", 31, 20]


Change = Callable[[Evaluation], Evaluation]


def of_some(evaluation: Evaluation, courses: Sequence[CourseRow]) -> Evaluation:
    """The evaluation of some courses, with their rows alone."""
    patients = {course.patient for course in courses}
    tables = ("markers", "grade_days", "charted_grades", "cards", "episodes", "events")
    kept: dict[str, Any] = {
        name: tuple(r for r in getattr(evaluation, name) if r.patient in patients) for name in tables
    }
    return replace(evaluation, courses=tuple(courses), outcomes=Outcomes(), **kept)


def as_it_is(evaluation: Evaluation) -> Evaluation:
    return evaluation


def with_a_second_infusion(evaluation: Evaluation) -> Evaluation:
    later = replace(evaluation.courses[5], course=2)
    flow = (FlowRow("read", 70, None), FlowRow("without an infusion", 3, None), FlowRow("with a course", 67, 68),
            FlowRow("first courses", 67, 67), FlowRow("later courses", 1, 1))  # fmt: skip
    patients = (InventoryRow("Patient", "", 70, 0),)
    return replace(evaluation, courses=(*evaluation.courses, later), flow=flow, inventory=patients)


def with_unknown_courses(evaluation: Evaluation) -> Evaluation:
    courses = [
        replace(c, crs=Known.UNKNOWN, severe=Known.UNKNOWN, max_grade=None, onset=None, onset_day=None) if n in (3, 30)
        else replace(c, il6_group=Group.UNKNOWN, il6_reason="no_baseline") if n % 20 == 7
        else replace(c, flags=(CourseFlag.CULTURE_NEAR_ONSET,)) if c.severe is Known.YES else c
        for n, c in enumerate(evaluation.courses)
    ]  # fmt: skip
    return replace(evaluation, courses=tuple(courses))


def few(evaluation: Evaluation) -> Evaluation:
    return of_some(evaluation, evaluation.courses[::6])


CHANGES = (as_it_is, with_a_second_infusion, with_unknown_courses, few)


@pytest.mark.parametrize("change", CHANGES)
def test_no_reader_can_tell_a_hidden_count_by_adding_and_subtracting(change: Change) -> None:
    reader = SubtractingReader(report_of(change(paper_evaluation()), aggregate_only=True).tables)
    found = {place: limits for place, limits in reader.narrowed().items() if len(set(reader.published(place))) > 1}
    assert found, "there is something to find"
    assert {place: limits for place, limits in found.items() if limits[0] >= limits[1]} == {}


@pytest.mark.parametrize("change", CHANGES)
def test_the_sums_of_that_reader_are_true(change: Change) -> None:
    """Of the whole report, in which nothing is hidden."""
    reader = SubtractingReader(report_of(change(paper_evaluation())).tables)
    wrong = [sides for sides in reader.equations() if all(sides)
             and len({sum(reader.published(place)[0] for place in side) for side in sides}) > 1]  # fmt: skip
    assert wrong == []


PATIENT_FILES = ("courses", "moments", "cards", "rises", "worth_reading", "compare_courses", "landmark")


def test_no_file_and_no_picture_of_an_aggregate_report_has_a_small_count(tmp_path: Path) -> None:
    page = write_report(paper_evaluation(), tmp_path, aggregate_only=True).read_text(encoding="utf-8")
    assert [name for name in PATIENT_FILES if (tmp_path / f"{name}.csv").exists()] == []
    assert re.search(r"not fitted: \d", page) is None
    assert "holds patient data" not in page
    (data,) = re.findall(r'<script type="application/json" id="charts">(.*?)</script>', page)
    drawn = [n for chart in json.loads(data) for series in chart["option"]["series"] for n in series["data"]]
    assert drawn, "pictures that hold counts"
    assert [n for n in drawn if isinstance(n, int) and 0 < n < LEAST] == []


def test_the_page_has_the_hours_of_its_protocol(tmp_path: Path) -> None:
    evaluation = paper_evaluation()
    asked = evaluation.protocol
    cards = replace(asked.cards, untreated_after_hours=12)
    comparisons = replace(asked.comparisons, landmark_hours=36, grade_before_hours=8, fragile_below_events=4)
    changed = replace(evaluation, protocol=replace(asked, cards=cards, comparisons=comparisons))
    write_report(changed, tmp_path / "whole")
    page = write_report(changed, tmp_path / "aggregate", aggregate_only=True).read_text(encoding="utf-8")
    assert all(words in page for words in ("From 36 h after onset", "2 or more 8 h before", "fewer than 4 events"))
    for folder in ("whole", "aggregate"):
        head = (tmp_path / folder / "orders_after.csv").read_text(encoding="utf-8").partition("\n")[0]
        assert "not_treated_within_12_h" in head
