"""The grade at each moment of the course: what a call at that moment says, over what was charted up to it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from example_patients.stories.chart import Resource
from example_patients.stories.stories import SCENES, Scene, Story, record
from fhir_mappings.course_history import CourseHistory, course_history
from fhir_mappings.course_search import MappingContext
from fhir_mappings.facts.grade import CrsGrade
from fhir_mappings.reading.resource_pool import PatientRecord, ResourcePool
from fhir_mappings.rules.grade_history import MOST, height
from fhir_mappings.settled_facts import settled_facts
from tests.support.tables import (
    ALL_READ,
    NOW,
    TERMS,
    ZONE,
    T,
    changed,
    dense,
    facts_of,
    moment_of,
    name_of,
    ordered_infusion,
    patient,
    rows,
    shown_grade,
)

Said = tuple[object, ...]


def said(grade: CrsGrade) -> Said:
    return (grade.grade, grade.minimum, grade.no_grade, grade.provisional, grade.fever)


def history_of(found: Iterable[Resource], as_of: datetime = NOW, zone: ZoneInfo = ZONE) -> CourseHistory:
    pool = ResourcePool()
    for number, resource in enumerate(found):
        pool.add(json.dumps(resource).encode(), f"entry {number}")
    chart = PatientRecord(pool, ALL_READ)
    who = next(r["id"] for r in found if r["resourceType"] == "Patient")
    context = MappingContext(TERMS, T, zone, who, None, as_of)
    facts = settled_facts(chart, context)
    assert facts.course is not None
    assert facts.grade is not None
    return course_history(chart, context, facts, facts.course, facts.grade)


def charted_by(found: Iterable[Resource], at: datetime) -> list[Resource]:
    """The chart as it was at a moment: without what is of later, and what ended later still in progress."""
    then: list[Resource] = []
    for resource in found:
        name = "performedPeriod" if resource["resourceType"] == "Procedure" else "effectivePeriod"
        period = resource.get(name, {})
        text = resource.get("effectiveDateTime") or resource.get("authoredOn") or period.get("start")
        if text is not None and datetime.fromisoformat(text) > at:
            continue
        if "end" in period and datetime.fromisoformat(period["end"]) > at:
            then.append(changed(resource, status="in-progress", **{name: {"start": period["start"]}}))
        else:
            then.append(resource)
    return then


def call_at(found: Iterable[Resource], at: datetime) -> Said:
    grade = facts_of(charted_by(found, at), as_of=at).grade
    assert grade is not None
    return said(grade)


def shown_at(history: CourseHistory, at: datetime) -> Said:
    return said([one.grade for one in history.grades if one.at <= at][-1])


SCENE = datetime(2026, 3, 11, 10, 0, tzinfo=ZONE)
WITH_COURSE = [(story, scene) for story, scene in SCENES if story.id != "16" and not scene.deceased]


@pytest.mark.parametrize(("story", "scene"), WITH_COURSE, ids=[scene.id for _, scene in WITH_COURSE])
def test_every_hour_of_an_example_reads_as_a_call_at_that_hour(story: Story, scene: Scene) -> None:
    chart = record(story, scene, SCENE, ZONE)
    chart = [changed(r, id="p") if r["resourceType"] == "Patient" else r for r in chart]
    history = history_of(chart, SCENE)
    start = history.grades[0].at
    hours = int((SCENE - start).total_seconds() // 3600)
    moments = [start + timedelta(hours=hour, minutes=7) for hour in range(0, hours, 3)]
    assert [shown_at(history, at) for at in moments] == [call_at(chart, at) for at in moments]
    assert said(history.grades[-1].grade) == call_at(chart, SCENE)


MOMENTS = rows("""
| chart                                                                    | at   | grade       | because                                              |
| grade 0; T 36.8 @-40h; SBP 118 @-40h; SpO2 97 @-40h                      | -39h | 0           | charted and normal                                   |
| grade 0; T 39 @-40h; SBP 118 @-40h; SpO2 97 @-40h                        | -39h | 1           | fever                                                |
| grade 0; T 39 @-40h; SBP 118 @-40h; SpO2 97 @-40h                        | -41h | unknown, 0 if CRS | before the first temperature nothing is known        |
| grade 0; T 39 @-40h                                                      | -39h | ≥1          | fever alone: pressure and oxygen are not known       |
| grade 0; T 39 @-40h; SBP 118 @-40h; SpO2 97 @-40h                        | -27h | ≥1          | pressure and oxygen of 13 h ago are no longer known  |
| grade 0; T 39 @-40h; SBP 118 @-40h; SpO2 97 @-40h                        | -15h | unknown, 0 if CRS | 25 h after the last temperature                      |
| grade 2; T 38.5 @-40h; SBP 118 @-40h; SpO2 97 @-40h                      | -39h | 1           | a later low pressure does not reach back             |
| grade 0; T 36.8 @-40h; SBP 84 @-40h; SpO2 97 @-40h; T 39 @-38h           | -39h | 0           | a later fever does not reach back                    |
| grade 0; T 39 @-40h; device NC @-40h; flow 8 @-40h; SBP 118 @-40h; flow 2 @-39h | -39.5h | 3  | a high flow of an hour                               |
| grade 1; T 37 @-30h; SBP 84 @-30h; SpO2 97 @-30h; T 38.6 @-60h; toci 560 @-29h | -30h | masked, 2 if CRS | tocilizumab given later hides no earlier fever |
""")


@pytest.mark.parametrize("row", MOMENTS, ids=name_of)
def test_the_grade_at_a_moment(row: dict[str, str]) -> None:
    chart, at = patient(row["chart"]), moment_of(row["at"])
    assert shown_grade(facts_of(charted_by(chart, at), as_of=at)) == row["grade"]
    assert shown_at(history_of(chart), at) == call_at(chart, at)


VENTILATED: Resource = {
    "resourceType": "Procedure", "id": "ventilated", "status": "completed", "subject": {"reference": "Patient/p"},
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "40617009", "display": "Artificial respiration"}]},
    "performedPeriod": {"start": "2026-03-04T12:00:00+08:00", "end": "2026-03-05T12:00:00+08:00"},
}  # fmt: skip
SEEN = "grade 1; T 39 @-71h; SBP 118 @-71h; SpO2 97 @-71h; T 39 @-50h; T 39 @-30h; SBP 118 @-30h; T 39 @-5h; SBP 118 @-5h; SpO2 97 @-5h"
LATER = rows("""
| what       | at     | grade       | because                                                       |
| procedure  | -49h   | ≥1          | before it began                                               |
| procedure  | -47h   | 4           | ventilated then, though it has ended since                    |
| procedure  | -24.5h | 4           | until it ended                                                |
| procedure  | -1h    | 1           | and not after                                                 |
| order      | -1.5h  | 1           | a vasopressor ordered later says nothing of before            |
| order      | -0.5h  | ≥1          | ordered and not charted: at least                             |
| open drip  | -2.5h  | 1           | before a vasopressor that is running now was begun            |
| open drip  | -0.5h  | 3           | running since                                                 |
""")


@pytest.mark.parametrize("row", LATER, ids=name_of)
def test_what_ended_or_was_ordered_counts_for_its_time(row: dict[str, str]) -> None:
    more = {"procedure": [VENTILATED], "order": [ordered_infusion("norepinephrine")], "open drip": []}[row["what"]]
    drip = "; start norepinephrine 0.1 @-2h" if row["what"] == "open drip" else ""
    chart, at = [*patient(SEEN + drip), *more], moment_of(row["at"])
    assert shown_grade(facts_of(charted_by(chart, at), as_of=at)) == row["grade"]
    assert shown_at(history_of(chart), at) == call_at(chart, at)


def test_a_child_is_judged_by_the_age_of_that_day() -> None:
    chart = patient("T 39 @-14h; SBP 81 @-13h; SBP 81 @-11h; SpO2 97 @-14h", birth_date="2020-03-06")
    ages = {hour: shown_at(history_of(chart), moment_of(hour))[0] for hour in ("-12.5h", "-10.5h")}
    assert ages == {"-12.5h": 1, "-10.5h": 2}, "SBP 81 is not below 80 at 5 years, and below 82 at 6"


def test_the_last_is_the_grade_of_the_hooks() -> None:
    chart = patient("grade 3; T 39 @-30h")
    assert history_of(chart).grades[-1].grade == facts_of(chart).grade


def test_a_dense_chart_is_thinned_and_no_rise_is_lost() -> None:
    chart = patient(dense(10))
    history = history_of(chart)
    rises = [b.at for a, b in pairwise(history.grades) if height(b.grade) > height(a.grade)]
    assert history.thinned
    assert len(history.grades) < 1.5 * MOST
    assert rises == [moment_of(f"-{minutes}m") for minutes in (4000, 3000, 1000)]


def test_an_earlier_value_that_is_not_valid_fhir_is_no_fever_of_then() -> None:
    chart = patient("grade 0; T 39 @-60h; SBP 118 @-60h; SpO2 97 @-60h; device RA @-60h")
    broken = [
        changed(r, note="not a list") if r.get("effectiveDateTime", "").startswith("2026-03-04") else r for r in chart
    ]
    assert shown_at(history_of(chart), moment_of("-59h"))[0] == 1
    assert shown_at(history_of(broken), moment_of("-59h"))[0] is None
    assert history_of(broken).grades[-1].grade == facts_of(broken).grade
