"""A course that the end of the export cuts is not free of events: what has not come yet is not known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cds_server.evaluation.rows.courses import CourseFlag, CourseRow, Known
from tests.support.desk import ZONE
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


DEAD = rows("""
| outcome                                | followed until            | severe | because                                    |
| x-high-risk,                           | 2026-05-01T23:59:59+08:00 | yes    | day 60                                     |
| death,2026-03-10                       | 2026-03-10T23:59:58+08:00 | no     | before the grade 3 of the next day         |
| death-of-crs,2026-03-11T12:00:00+08:00 | 2026-03-11T11:59:59+08:00 | no     | two hours before it                        |
| death,2026-03-11                       | 2026-03-11T23:59:58+08:00 | yes    | a date is the whole day                    |
""")


@pytest.mark.parametrize("row", DEAD, ids=name_of)
def test_a_death_that_the_outcomes_date_ends_a_course(row: dict[str, str], tmp_path: Path) -> None:
    outcomes = tmp_path / "outcomes.csv"
    outcomes.write_text(f"patient,event,date\na,{row['outcome']}\n", encoding="utf-8")
    found = evaluated(export(tmp_path / "export", chart("1a", "a")), tmp_path / "work", outcomes=outcomes)
    (course,) = found.courses
    assert course.followed_until.astimezone(ZONE).isoformat(timespec="seconds") == row["followed until"]
    assert course.severe is Known(row["severe"])
    assert (course.death is None) is row["outcome"].startswith("x-")
