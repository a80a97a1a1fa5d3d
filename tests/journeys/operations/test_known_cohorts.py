"""The constructed cohorts through the whole evaluation: every course as it was made, every fault of an export named."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cds_server.evaluation.protocol import Moments, Protocol
from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.evaluation.rows.courses import CourseRow
from cds_server.evaluation.tables.time_to_severe import BURDEN, after_onset, hazards
from example_patients.cohorts.broken import broken_cohort
from example_patients.cohorts.known import COURSES, Truth, known_cohort, truths
from example_patients.cohorts.no_effect import no_effect_cohort
from tests.support.evaluations import evaluated_cohort

# no moment: what was, without what was said
ONLY_WHAT_WAS = Protocol(moments=Moments(chart_opened=(), results=False, grade_changes=False, orders=False))


@dataclass(frozen=True)
class Evaluated:
    """The evaluation of a cohort, its courses in the order of their infusions."""

    evaluation: Evaluation

    @property
    def first_courses(self) -> list[CourseRow]:
        return sorted((c for c in self.evaluation.courses if c.course == 1), key=lambda c: c.infused_at)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Evaluated:
    return Evaluated(evaluated_cohort(known_cohort(), tmp_path_factory.mktemp("known"), ONLY_WHAT_WAS))


def said(course: CourseRow) -> dict[str, Any]:
    """A course in the words of `truth.csv`."""

    def at(moment: Any) -> str:
        return moment.isoformat() if moment is not None else ""

    return {
        "crs": course.crs.value, "onset": at(course.onset), "crs_end": at(course.crs_end),
        "end_is_censored": "yes" if course.end_is_censored else "no",
        "duration_days": f"{course.duration_days:.1f}" if course.duration_days is not None else "",
        "max_grade": course.max_grade, "severe": course.severe.value, "tocilizumab_doses": course.tocilizumab_doses,
        "recrudescences": course.recrudescences, "late_fever": at(course.late_fever),
        "died_in_severe": "yes" if course.died_in_severe else "no",
    }  # fmt: skip


@pytest.mark.parametrize("number", range(len(COURSES)), ids=[course.because for course in COURSES])
def test_a_course_is_found_as_it_was_made(known: Evaluated, number: int) -> None:
    truth: Truth = [*truths()][number]
    found = said(known.first_courses[number])
    assert found == {name: getattr(truth, name) for name in found}


def test_a_second_infusion_is_a_second_course(known: Evaluated) -> None:
    assert [course.course for course in known.evaluation.courses].count(2) == 1


def test_an_export_with_every_type_leaves_no_grade_a_minimum(known: Evaluated) -> None:
    assert {course.max_grade_is_minimum for course in known.first_courses} == {False}
    assert known.first_courses[3].death is not None


def test_a_broken_export_names_each_fault_and_says_nothing_of_what_is_absent(tmp_path: Path) -> None:
    found = evaluated_cohort(broken_cohort(), tmp_path, ONLY_WHAT_WAS)
    told = " | ".join(f"{row.what}: {row.why} {' '.join(row.places)}" for row in found.unread)
    for words in (
        "Observation.001.ndjson",
        "MedicationAdministration.ndjson",
        "reports an error of its own",
        "Condition",
    ):
        assert words in told
    assert "the export holds no AllergyIntolerance" in told
    courses = sorted(found.courses, key=lambda course: course.infused_at)
    assert {course.tocilizumab for course in courses[:7]} == {None}, "each dose names a Medication that is not there"
    assert {c.max_grade_is_minimum for c in courses if c.max_grade != 4} == {True}, (
        "a vasopressor may have been ordered"
    )
    observed = sum(row.resources for row in found.inventory if row.type == "Observation")
    once = sum(len(file.read_text().splitlines()) for file in (tmp_path / "export").glob("Observation.000.ndjson"))
    assert observed == once - 1, "a file that lies there twice counts once, and a deleted resource not at all"


def test_a_drug_that_does_nothing_helps_only_where_ever_is_compared_with_never(tmp_path: Path) -> None:
    """The truth is 1. By ever or never the ratio is half of it, and by the time of the dose its limits hold it."""
    evaluated = evaluated_cohort(no_effect_cohort(), tmp_path, ONLY_WHAT_WAS)
    found = hazards(after_onset(evaluated), evaluated.protocol)
    (by_time, ever), columns = found.rows, found.columns
    low, high = columns.index("hazard_ratio_low"), columns.index("hazard_ratio_high")
    ratio, note = columns.index("hazard_ratio"), columns.index("note")
    assert isinstance(ever[ratio], float)
    assert ever[ratio] < 0.6
    assert isinstance(by_time[low], float)
    assert isinstance(by_time[high], float)
    assert by_time[low] < 1 < by_time[high]
    assert by_time[note] == f"not adjusted for: grade 2 or more 6 h before, {BURDEN}", (
        "nobody has grade 2 before grade 3"
    )
