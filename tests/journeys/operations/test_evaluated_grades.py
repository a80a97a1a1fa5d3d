"""Grades that somebody charted under a site's code stand beside those that are computed at the same time."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.evaluation.rows.courses import GradeSource
from cds_server.evaluation.tables.agreement import acts, agreement, agreement_in_figures
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


ICANS = rows("""
| charted grade | scored | at                        | computed | because                                        |
|               | ICE 8  | 2026-03-10T08:00:00+08:00 |          | a score is no act of charting a grade          |
| Grade 1       |        | 2026-03-10T09:00:00+08:00 | 1        | ICE 8 an hour ago                              |
|               | ICE 0  | 2026-03-11T08:00:00+08:00 |          | whether the patient can be roused is not known |
| Grade 4       |        | 2026-03-11T09:00:00+08:00 | 3        | ICE 0 is grade 3 at least                      |
| Grade 2       |        | 2026-03-13T09:00:00+08:00 | None     | two days after the last score                  |
""")


def with_scores(tmp_path: Path) -> Evaluation:
    scored = [charted("b", "ICE", row["scored"], row["at"]) for row in ICANS if row["scored"]]
    graded = [charted("b", "ICANSG", row["charted grade"], row["at"]) for row in ICANS if row["charted grade"]]
    codes = flowsheets(tmp_path / "codes", ice_score="ICE", icans_grade="ICANSG")
    return evaluated(
        export(tmp_path / "export", [*chart("2", "b"), *scored, *graded]), tmp_path / "work", value_sets=codes
    )


def test_a_charted_grade_of_icans_stands_beside_that_of_the_scores_before_it(tmp_path: Path) -> None:
    found = acts(with_scores(tmp_path)).of("icans")
    wanted = [row for row in ICANS if row["charted grade"]]
    assert [str(row.computed) for row in found] == [row["computed"] for row in wanted]
    assert [row.computed_is_minimum for row in found] == [False, True, False]


def test_icans_has_its_matrix_its_figures_and_its_highest_grades(tmp_path: Path) -> None:
    evaluation = with_scores(tmp_path)
    matrix, figures = agreement(acts(evaluation)), agreement_in_figures(evaluation, acts(evaluation))
    assert [(r["scale"], r["charted"], r["computed_1"], r["computed_3"], r["not_known"]) for r in matrix.dicts()] == [
        ("ICANS", 1, 1, 0, 0), ("ICANS", 2, 0, 0, 1), ("ICANS", 4, 0, 1, 0),
    ]  # fmt: skip
    assert [(r["figure"], r["n"], r["not_known"], r["value"]) for r in figures.dicts()] == [
        ("charting acts: same grade", 2, 1, 0.5),
        ("charting acts: weighted kappa", 2, 1, pytest.approx(1 - 1 / 3)),  # 1 apart in all; by chance 3
        ("highest grade of a course: same", 1, 0, 0.0),
    ]
