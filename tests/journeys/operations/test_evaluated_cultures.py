"""A first fever beside a positive culture is named, for it may be an infection's."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_server.evaluation.rows.courses import CourseFlag
from tests.support.evaluations import chart, evaluated, export
from tests.support.tables import name_of, rows

# Patient B: first fever on 9 March 06:00
CULTURES = rows("""
| result           | taken                     | flag                        | because                            |
| Escherichia coli | 2026-03-07T07:00:00+08:00 | positive-culture-near-onset | 47 h before                        |
| Escherichia coli | 2026-03-11T05:00:00+08:00 | positive-culture-near-onset | 47 h after                         |
| Escherichia coli | 2026-03-11T07:00:00+08:00 | no-culture-near-onset       | 49 h after                         |
| No growth        | 2026-03-09T07:00:00+08:00 |                             | taken, and nothing grew            |
""")


@pytest.mark.parametrize("row", CULTURES, ids=name_of)
def test_a_positive_culture_within_two_days_of_onset_is_a_flag(row: dict[str, str], tmp_path: Path) -> None:
    culture = {
        "resourceType": "Observation", "id": "culture", "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "600-7"}]}, "subject": {"reference": "Patient/b"},
        "effectiveDateTime": row["taken"], "valueString": row["result"],
    }  # fmt: skip
    without = [one for one in chart("2", "b") if "600-7" not in str(one)]
    (course,) = evaluated(export(tmp_path / "export", [*without, culture]), tmp_path / "work").courses
    found = {CourseFlag.CULTURE_NEAR_ONSET, CourseFlag.NO_CULTURE_NEAR_ONSET} & set(course.flags)
    assert {flag.value for flag in found} == ({row["flag"]} if row["flag"] else set())
