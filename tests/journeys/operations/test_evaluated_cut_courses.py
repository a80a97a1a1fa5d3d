"""A course that the end of the export cuts is not free of events: what has not come yet is not known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cds_server.evaluation.rows.courses import CourseFlag, CourseRow, Known
from tests.support.evaluations import chart, charted, evaluated, export, flowsheets
from tests.support.tables import name_of, rows

# Patient B: infused on 2 March, first fever on 9 March 06:00, grade 2
CUT = rows("""
| export ends               | CRS     | severe  | ICANS   | because                                     |
| 2026-03-06T12:00:00+08:00 | unknown | unknown | unknown | four days without fever are not all         |
| 2026-03-10T12:00:00+08:00 | yes     | unknown | unknown | it may still become severe                  |
| 2026-07-01T00:00:00+08:00 | yes     | no      | no      | the whole course was seen                   |
""")


def ended_at(tmp_path: Path, moment: str) -> CourseRow:
    score = charted("b", "ICE", "10", "2026-03-05T08:00:00+08:00")
    folder = export(tmp_path / "export", [*chart("2", "b"), score])
    (folder / "manifest.json").write_text(json.dumps({"transactionTime": moment, "output": []}), encoding="utf-8")
    codes = flowsheets(tmp_path / "codes", ice_score="ICE")
    (course,) = evaluated(folder, tmp_path / "work", value_sets=codes).courses
    return course


@pytest.mark.parametrize("row", CUT, ids=name_of)
def test_what_a_course_that_is_cut_says_of_its_events(row: dict[str, str], tmp_path: Path) -> None:
    course = ended_at(tmp_path, row["export ends"])
    assert (course.crs, course.severe, course.icans) == tuple(Known(row[name]) for name in ("CRS", "severe", "ICANS"))
    assert (CourseFlag.CUT in course.flags) == (row["ICANS"] == "unknown")
