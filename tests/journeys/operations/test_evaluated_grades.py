"""Grades that somebody charted under a site's code stand beside those that are computed at the same time."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.evaluation.rows.courses import GradeSource, Known
from cds_server.evaluation.tables.agreement import acts, agreement, agreement_in_figures
from tests.support.evaluations import chart, charted, evaluated, export, flowsheets
from tests.support.tables import name_of, rows

# Patient B: fever from 9 March 06:00, grade 2 throughout
CHARTED = rows("""
| value        | at                        | charted | computed | because                             |
| Grade 1      | 2026-03-09T04:00:00+08:00 | 1       | None     | no sign was charted for a day       |
| CRS grade 1  | 2026-03-10T12:00:00+08:00 | 1       | 2        | one lower than computed             |
| 2            | 2026-03-10T14:00:00+08:00 | 2       | 2        | a number alone                      |
| Grade 2-3    | 2026-03-10T16:00:00+08:00 | None    | 2        | two grades                          |
| ≥3           | 2026-03-10T18:00:00+08:00 | None    | 2        | a limit                             |
| improving    | 2026-03-10T20:00:00+08:00 | None    | 2        | no grade at all                     |
""")


def with_grades(tmp_path: Path) -> Evaluation:
    entries = [charted("b", "CRSG", row["value"], row["at"]) for row in CHARTED]
    found = export(tmp_path / "export", [*chart("2", "b"), *entries])
    return evaluated(found, tmp_path / "work", value_sets=flowsheets(tmp_path / "codes", crs_grade="CRSG"))


def test_a_site_s_code_for_the_grade_of_crs_gives_the_acts_of_charting(tmp_path: Path) -> None:
    found = [row for row in with_grades(tmp_path).charted_grades if row.source is GradeSource.CHARTED]
    assert [(str(row.charted), str(row.computed)) for row in found] == [(r["charted"], r["computed"]) for r in CHARTED]
    assert {row.scale for row in found} == {"crs"}


# Patient B: infused on 2 March at 10:00, CRS ends on 16 March
LATE = rows("""
| scale | grade   | at                        | act | highest | because                                            |
| crs   | Grade 1 | 2026-03-10T12:00:00+08:00 | yes | 1       | in the episode                                     |
| crs   | Grade 3 | 2026-04-10T12:00:00+08:00 | no  | 3       | weeks after the end: of the course, not of the acts |
| icans | Grade 2 | 2026-04-01T20:00:00+08:00 | yes | 2       | day 30 lasts to its end                            |
| icans | Grade 2 | 2026-04-02T00:30:00+08:00 | no  |         | day 31                                             |
""")


@pytest.mark.parametrize("row", LATE, ids=name_of)
def test_acts_have_their_time_and_the_highest_grade_is_of_the_course(row: dict[str, str], tmp_path: Path) -> None:
    code = {"crs": "CRSG", "icans": "ICANSG"}[row["scale"]]
    entries = [charted("b", code, row["grade"], row["at"]), charted("b", "ICE", "4", "2026-03-10T08:00:00+08:00")]
    codes = flowsheets(tmp_path / "codes", crs_grade="CRSG", icans_grade="ICANSG", ice_score="ICE")
    found = evaluated(export(tmp_path / "export", [*chart("2", "b"), *entries]), tmp_path / "work", value_sets=codes)
    compared = acts(found)
    assert [one.scale for one in compared.rows] == [row["scale"]] * (row["act"] == "yes")
    figures = {r["figure"]: r for r in agreement_in_figures(found, compared).dicts()}
    highest = figures.get("highest grade of a course: same")
    same = {"1": 0.0, "2": 1.0, "3": 0.0}.get(row["highest"])  # computed are 2 of CRS and 2 of ICANS
    assert (highest["n"] if highest else 0, highest["value"] if highest else None) == (same is not None, same)


def test_the_acts_make_the_matrix(tmp_path: Path) -> None:
    table = agreement(acts(with_grades(tmp_path)))
    assert [(r["charted"], r["computed_1"], r["computed_2"], r["not_known"]) for r in table.dicts()] == [
        (1, 0, 1, 1), (2, 0, 1, 0), ("not one grade", 0, 3, 0),
    ]  # fmt: skip


def test_what_states_no_single_grade_is_counted_and_stands_in_no_figure(tmp_path: Path) -> None:
    evaluation = with_grades(tmp_path)
    figures = agreement_in_figures(evaluation, acts(evaluation))
    assert [(r["figure"], r["n"], r["not_known"], r["not_one_grade"], r["value"]) for r in figures.dicts()] == [
        ("charting acts: same grade", 2, 1, 3, 0.5),
        ("charting acts: weighted kappa", 2, 1, 3, 0.0),
        ("highest grade of a course: same", 1, 0, 0, 1.0),
    ]


def test_an_entry_without_a_value_is_no_act_of_charting(tmp_path: Path) -> None:
    entry = charted("b", "CRSG", "", "2026-03-10T12:00:00+08:00")
    del entry["valueString"]
    entry["dataAbsentReason"] = {"text": "not assessed"}
    found = export(tmp_path / "export", [*chart("2", "b"), entry])
    evaluation = evaluated(found, tmp_path / "work", value_sets=flowsheets(tmp_path / "codes", crs_grade="CRSG"))
    assert acts(evaluation).of("crs") == []


RANGES = rows("""
| icans grades | icans   | because                                         |
| 0            | no      | somebody looked, and there was none             |
| 0 ; 0-1      | unknown | an entry that may be a grade 1                  |
| 1 ; 0-1      | yes     | a grade stands beside it                        |
""")


@pytest.mark.parametrize("row", RANGES, ids=name_of)
def test_icans_is_none_only_where_every_entry_states_one_grade(row: dict[str, str], tmp_path: Path) -> None:
    values = [value.strip() for value in row["icans grades"].split(";")]
    entries = [charted("b", "ICANSG", v, f"2026-03-1{n}T09:00:00+08:00") for n, v in enumerate(values)]
    codes = flowsheets(tmp_path / "codes", icans_grade="ICANSG")
    evaluation = evaluated(
        export(tmp_path / "export", [*chart("2", "b"), *entries]), tmp_path / "work", value_sets=codes
    )
    (course,) = evaluation.courses
    assert course.icans is Known(row["icans"])
    assert [act.charted for act in acts(evaluation).of("icans")].count(None) == values.count("0-1")


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
