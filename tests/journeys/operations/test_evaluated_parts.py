"""What was read in part, or ends too early, is never none: the course says unknown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cds_server.evaluation.rows.courses import CourseFlag, CourseRow
from example_patients.cohorts.known import known_cohort
from tests.support.evaluations import charted, evaluated, export, flowsheets
from tests.support.tables import name_of, patient, rows


def of_known(who: str) -> list[dict[str, Any]]:
    """The chart of a course of the known cohort, with an ICE score of 10 on day 3 in place of what was charted there."""
    found = [r for r in known_cohort().resources if r["id"].startswith(who) and not is_graded(r)]
    day0 = min(r["effectiveDateTime"] for r in found if "effectiveDateTime" in r)[:10]
    return [*found, charted(who, "ICE", "10", f"{day0[:8]}{int(day0[8:]) + 3:02}T08:00:00+00:00")]


def is_graded(resource: dict[str, Any]) -> bool:
    """A score or a grade, by the flowsheet of the cohort or in words."""
    return any(word in json.dumps(resource.get("code", {})) for word in ("ICE", "ICANS", "CRS"))


def course_of(tmp_path: Path, resources: list[dict[str, Any]], *, in_part: str = "", ends: str = "") -> CourseRow:
    error = {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "diagnostics": f"{in_part} timed out"}],
    }
    folder = export(tmp_path / "export", resources, **({"errors": json.dumps(error)} if in_part else {}))
    if ends:
        (folder / "manifest.json").write_text(json.dumps({"transactionTime": ends, "output": []}), encoding="utf-8")
    codes = flowsheets(tmp_path / "codes", ice_score="ICE")
    (course,) = evaluated(folder, tmp_path / "work", value_sets=codes).courses
    return course


IN_PART = rows("""
| course | in part                  | CRS     | severe  | ICANS   | tocilizumab | steroids | because                                        |
| k06    |                          | no      | no      | no      | False       | False    | everything was read                            |
| k06    | MedicationAdministration | no      | no      | no      | None        | None     | a dose may be among those that are not there   |
| k06    | Observation              | unknown | unknown | unknown | False       | False    | so may a fever, and a lower score              |
| k02    | MedicationAdministration | yes     | unknown | no      | True        | None     | a dose that is there was given                 |
| k02    | Observation              | yes     | unknown | unknown | True        | False    | a fever that is there is one                   |
""")


@pytest.mark.parametrize("row", IN_PART, ids=name_of)
def test_of_what_was_read_in_part_nothing_is_said_not_to_be_there(row: dict[str, str], tmp_path: Path) -> None:
    course = course_of(tmp_path, of_known(row["course"]), in_part=row["in part"])
    found = (course.crs.value, course.severe.value, course.icans.value)
    assert found == (row["CRS"], row["severe"], row["ICANS"])
    assert (str(course.tocilizumab), str(course.steroids)) == (row["tocilizumab"], row["steroids"])


def test_a_death_before_the_end_of_the_export_does_not_cut_a_course(tmp_path: Path) -> None:
    """The patient died on day 8: nothing more can come, though the export ends on day 20."""
    course = course_of(tmp_path, of_known("k04"), ends="2024-03-23T12:00:00Z")
    assert CourseFlag.CUT not in course.flags
    assert course.icans.value == "no"


SPLIT = rows("""
| second half | export ends               | CRS     | because                                              |
| D0 12:00    | 2026-03-19T23:00:00+08:00 | no      | fourteen days after the infusion have passed         |
| D7 10:00    | 2026-03-19T23:00:00+08:00 | unknown | a first fever may come until day 21                  |
| D7 10:00    | 2026-03-24T23:00:00+08:00 | no      | fourteen days after the second half have passed      |
""")


@pytest.mark.parametrize("row", SPLIT, ids=name_of)
def test_the_days_of_onset_count_from_the_last_half_of_a_split_dose(row: dict[str, str], tmp_path: Path) -> None:
    signs = "; ".join(f"T 36.8 @D{day} {hour}:00; SBP 118 @D{day} {hour}:00" for day in range(23) for hour in (12, 20))
    found = patient(f"car-t tisagenlecleucel @{row['second half']}; {signs}")
    assert course_of(tmp_path, found, ends=row["export ends"]).crs.value == row["CRS"]


@pytest.mark.parametrize(("rare", "crs"), [(7, "no"), (8, "unknown")], ids=["on 7 of 15 days", "on 8 of 15 days"])
def test_without_two_temperatures_on_half_of_the_days_no_fever_is_no_answer(
    rare: int, crs: str, tmp_path: Path
) -> None:
    """Days 0 to 14. Day 0, on which the infusion was, has its two temperatures."""
    signs = "; ".join(
        f"T 36.8 @D{day} {hour}:00" for day in range(15) for hour in (12, 20) if hour == 20 or day < 15 - rare
    )
    assert course_of(tmp_path, patient(signs), ends="2026-07-01T00:00:00+08:00").crs.value == crs


@pytest.mark.parametrize(("ill", "crs", "severe"), [(14, "yes", "yes"), (15, "no", "no")], ids=["day 14", "day 15"])
def test_a_course_without_crs_has_no_severe_crs(ill: int, crs: str, severe: str, tmp_path: Path) -> None:
    """High flow beside a first fever: of day 15 it is late, and grade 3 stands in the columns of the grade."""
    signs = "; ".join(
        f"T {39 if day == ill else 36.8} @D{day} {hour}:00; device {'HFNC' if day == ill else 'RA'} @D{day} {hour}:00"
        for day in range(20)
        for hour in (12, 20)
    )
    course = course_of(tmp_path, patient(signs), ends="2026-07-01T00:00:00+08:00")
    assert (course.crs.value, course.severe.value, course.max_grade) == (crs, severe, 3)


def test_a_course_without_a_sign_was_last_seen_at_its_infusion(tmp_path: Path) -> None:
    """Signs of before the infusion are not of this course."""
    course = course_of(tmp_path, patient("T 36.8 @D-3 08:00"), ends="2026-05-01T00:00:00+08:00")
    assert course.last_seen == course.infused_at
