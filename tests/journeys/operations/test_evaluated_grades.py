"""Grades that somebody charted under a site's code stand beside those that are computed at the same time."""

from __future__ import annotations

from pathlib import Path

from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.evaluation.rows.courses import GradeSource
from cds_server.evaluation.tables.agreement import acts, agreement
from tests.support.evaluations import chart, charted, evaluated, export, flowsheets
from tests.support.tables import rows

# Patient B: fever from 9 March 06:00, grade 2 throughout
CHARTED = rows("""
| value        | at                        | computed | because                             |
| Grade 1      | 2026-03-09T04:00:00+08:00 | None     | no sign was charted for a day       |
| CRS grade 1  | 2026-03-10T12:00:00+08:00 | 2        | one lower than computed             |
| 2            | 2026-03-10T14:00:00+08:00 | 2        | a number alone                      |
| well         | 2026-03-10T16:00:00+08:00 |          | no grade, so no act                 |
""")


def with_grades(tmp_path: Path) -> Evaluation:
    entries = [charted("b", "CRSG", row["value"], row["at"]) for row in CHARTED]
    found = export(tmp_path / "export", [*chart("2", "b"), *entries])
    return evaluated(found, tmp_path / "work", value_sets=flowsheets(tmp_path / "codes", crs_grade="CRSG"))


def test_a_site_s_code_for_the_grade_of_crs_gives_the_acts_of_charting(tmp_path: Path) -> None:
    found = [row for row in with_grades(tmp_path).charted_grades if row.source is GradeSource.CHARTED]
    wanted = [row for row in CHARTED if row["computed"]]
    assert [str(row.computed) for row in found] == [row["computed"] for row in wanted]
    assert {row.scale for row in found} == {"crs"}


def test_the_acts_make_the_matrix(tmp_path: Path) -> None:
    table = agreement(acts(with_grades(tmp_path)))
    assert [(r["charted"], r["computed_1"], r["computed_2"], r["not_known"]) for r in table.dicts()] == [
        (1, 0, 1, 1), (2, 0, 1, 0),
    ]  # fmt: skip
