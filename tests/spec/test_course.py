"""Day 0, courses, doses and history: clinical specification §2.1."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from example_patients.stories.chart import ChartEntry, Resource, resources
from fhir_mappings.facts.course import CourseSearch
from fhir_mappings.facts.coverage import Kind
from tests.support.tables import INFUSED, NOW, changed, facts_of, moment_of, name_of, patient, rows

SUBJECT = {"reference": "Patient/p"}


def infusion(number: int, text: str, product: str = "tisagenlecleucel") -> Resource:
    return changed(resources([ChartEntry(moment_of(text), "car-t", product)], "p")[0], id=f"inf-{number}")


def procedure(performed: str, code: str = "38228", status: str = "completed") -> Resource:
    return {
        "resourceType": "Procedure", "id": f"proc-{code}-{performed[:10]}", "status": status, "subject": SUBJECT,
        "code": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": code}]},
        "performedDateTime": performed,
    }  # fmt: skip


def test_day_0_is_the_local_date_of_the_facility() -> None:
    """20:00 in UTC is already the next day in Shanghai."""
    found = [procedure("2026-03-01T20:00:00Z")]
    assert facts_of(found).course.day0 == date(2026, 3, 2)  # type: ignore[union-attr]
    assert facts_of(found, zone=ZoneInfo("Europe/Berlin")).course.day0 == date(2026, 3, 1)  # type: ignore[union-attr]


def test_with_no_zone_set_the_infusion_s_own_offset_counts_and_z_is_flagged() -> None:
    own = facts_of([procedure("2026-03-02T01:00:00+08:00")], zone=None)
    assert (own.course.day0, own.flags) == (date(2026, 3, 2), ("age_unknown",))  # type: ignore[union-attr]
    assumed = facts_of([procedure("2026-03-01T20:00:00Z")], zone=None)
    assert (assumed.course.day0, "timezone_assumed" in assumed.flags) == (date(2026, 3, 1), True)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("code", "status", "is_course"),
    [
        ("38228", "completed", True),
        ("38228", "in-progress", True),
        ("0540T", "completed", True),
        ("38225", "completed", False),
        ("38226", "completed", False),
        ("38228", "not-done", False),
        ("38228", "entered-in-error", False),
    ],
)
def test_only_administration_that_was_done_defines_day_0(code: str, status: str, *, is_course: bool) -> None:
    assert (facts_of([procedure("2026-03-02T10:00:00+08:00", code, status)]).course is not None) is is_course


COURSES = rows("""
| first     | second    | day | infusions | because                                                      |
| D-10 10:00 | D0 10:00  | 14  | 2         | a split dose: one course, day 0 is the first                 |
| D-21 10:00 | D0 10:00  | 25  | 2         | 21 days apart is still one course                            |
| D-22 10:00 | D0 10:00  | 4   | 1         | 22 days apart is a new course, day 0 is reset                |
| D0 08:00  | D0 10:00  | 4   | 1         | two records of one local date are one infusion               |
| D0 10:00  | D5 10:00  | 4   | 1         | an infusion in the future has not happened                   |
""")


@pytest.mark.parametrize("row", COURSES, ids=name_of)
def test_course(row: dict[str, str]) -> None:
    course = facts_of([infusion(1, row["first"]), infusion(2, row["second"])]).course
    assert course is not None
    assert (str(course.day), str(len(course.infusions))) == (row["day"], row["infusions"])


def test_two_products_on_one_day_are_two_infusions() -> None:
    facts = facts_of([infusion(1, "D0 08:00"), infusion(2, "D0 10:00", "brexucabtagene autoleucel")])
    assert "second_infusion" in facts.flags


def test_a_record_that_names_no_product_is_of_the_infusion_of_its_date() -> None:
    course = facts_of([procedure("2026-03-02"), infusion(1, "D0 10:00", "brexucabtagene autoleucel")]).course
    assert course is not None
    assert [(len(i.references), i.product) for i in course.infusions] == [(2, "brexucabtagene autoleucel")]


def test_a_course_ends_after_day_60() -> None:
    within = facts_of(patient(""), as_of=moment_of("D60 23:00"))
    after = facts_of(patient(""), as_of=moment_of("D61 01:00"))
    assert (within.grade is not None, after.grade is None) == (True, True)


def test_an_infusion_known_by_date_only_takes_the_first_sample_of_that_day_as_baseline() -> None:
    found = [
        procedure("2026-03-02"),
        *resources(
            [ChartEntry(moment_of(f"D0 {clock}"), "il6", value) for clock, value in (("15:00", "12"), ("20:00", "90"))],
            "p",
        ),
    ]
    facts = facts_of(found)
    assert "infusion_time_unknown" in facts.flags
    assert facts.il6.baseline is not None
    assert (facts.il6.baseline.text, facts.il6.reason) == ("12 pg/mL", "no_peak"), "the peak opens at midnight"


DOSES = rows("""
| chart                                              | doses | because                                                    |
| toci 560 @-20h; toci 560 @-10h                     | 2     | two doses                                                  |
| toci 400 @-70m; toci 160 @-10m                     | 1     | a record that starts 60 min after the one before joins it  |
| toci 400 @-71m; toci 160 @-10m                     | 2     | 61 min after is another dose                               |
| toci 200 @-120m; toci 200 @-70m; toci 160 @-20m    | 1     | a chain of vials is one dose                               |
| give tocilizumab 162 SC @-20h                      | 0     | under the skin is no CRS dose                              |
| give tocilizumab 560 @-20h                         | 1     | no route stated counts as intravenous                      |
| give Actemra 560 IV @-20h                          | 1     | by brand name                                              |
| toci 560 @D-3 10:00; toci 560 @-20h                | 1     | a dose before the infusion is no dose of the course        |
""")


@pytest.mark.parametrize("row", DOSES, ids=name_of)
def test_doses(row: dict[str, str]) -> None:
    assert str(len(facts_of(patient(row["chart"])).tocilizumab.doses)) == row["doses"]


@pytest.mark.parametrize(
    ("status", "amount", "doses"),
    [
        ("completed", True, 1),
        ("in-progress", True, 1),
        ("on-hold", True, 1),
        ("stopped", True, 1),
        ("stopped", False, 0),
        ("unknown", True, 0),
        ("not-done", True, 0),
        ("entered-in-error", True, 0),
    ],
)
def test_what_counts_as_a_dose(status: str, doses: int, *, amount: bool) -> None:
    found = patient("toci 560 @-20h")
    found[-1] = changed(found[-1], status=status)
    if not amount:
        del found[-1]["dosage"]["dose"]
    assert len(facts_of(found).tocilizumab.doses) == doses


def test_a_dose_known_by_date_only_counts_as_given_at_the_latest_moment() -> None:
    found = patient("toci 560 @-20h")
    found[-1] = changed(found[-1], effectivePeriod={"start": "2026-03-06"})
    assert facts_of(found).tocilizumab.doses[0].start == NOW


def test_the_safety_look_back_sees_what_is_no_dose_of_the_course() -> None:
    found = patient("give tocilizumab 162 SC @D-5 10:00; toci 560 @-20h")
    assert len(facts_of(found).tocilizumab.safety_starts) == 2


@pytest.mark.parametrize(
    ("medication", "known"),
    [
        ({"medicationReference": {"reference": "Medication/gone"}}, False),
        ({"medicationReference": {"reference": "Medication/gone", "display": "Saline"}}, True),
        ({"medicationCodeableConcept": {"coding": [{"system": "urn:local", "code": "17"}]}}, False),
        ({"medicationCodeableConcept": {"coding": [{"system": "urn:local", "code": "17", "display": "Saline"}]}}, True),
        ({"medicationCodeableConcept": {"coding": [{"system": "http://www.whocc.no/atc", "code": "J01CA04"}]}}, True),
    ],
)
def test_a_drug_that_nothing_names_may_be_any_drug(medication: Resource, *, known: bool) -> None:
    given = {
        "resourceType": "MedicationAdministration", "id": "x", "status": "completed", "subject": SUBJECT,
        "effectiveDateTime": "2026-03-05T10:00:00+08:00", **medication,
    }  # fmt: skip
    assert facts_of([*patient(""), given]).tocilizumab.history_complete is known


PROGRESS = rows("""
| at_dose_2             | now                          | progressed | because                                        |
| SBP 118; SpO2 93      | start norepinephrine 0.1     | True       | grade 1, then a vasopressor                    |
| SBP 84; SpO2 97       | SBP 84                       | False      | grade 2 before and after                       |
| SBP 84                | start norepinephrine 0.1     | None       | a minimum at dose 2 proves nothing             |
""")


@pytest.mark.parametrize("row", PROGRESS, ids=name_of)
def test_progress_since_dose_2(row: dict[str, str]) -> None:
    then = "; ".join(f"{entry} @-6h" for entry in row["at_dose_2"].split("; "))
    chart = f"T 39 @-30h; toci 560 @-29h; T 39 @-7h; {then}; toci 560 @-5h; T 39 @-1h; SpO2 97 @-1h; {row['now']} @-1h"
    assert str(facts_of(patient(chart)).progressed) == row["progressed"]


def test_no_course_is_believed_only_where_everything_was_read() -> None:
    nobody = patient("", infused=False)
    assert facts_of(nobody).course_search is CourseSearch.NONE
    assert facts_of(nobody, unread=[Kind.PROCEDURES]).course_search is CourseSearch.NONE_IN_PART_READ
    both = [Kind.PROCEDURES, Kind.ADMINISTRATIONS]
    assert facts_of(nobody, unread=both).course_search is CourseSearch.UNREADABLE


def test_an_infusion_that_is_not_valid_fhir_is_reported_and_never_forgotten() -> None:
    facts = facts_of([changed(procedure("2026-03-02T10:00:00+08:00"), unheardOf=1)])
    assert facts.course_search is CourseSearch.NONE_IN_PART_READ
    assert [(a.infusion, a.why) for a in facts.set_aside] == [(True, "not valid FHIR at an unknown field")]


def test_summer_time_moves_no_hour() -> None:
    """24 h before noon after the change is 11:00 the day before: windows are elapsed time."""
    berlin = ZoneInfo("Europe/Berlin")
    noon = datetime(2026, 3, 29, 12, 0, tzinfo=berlin)
    found = [procedure("2026-03-25T10:00:00+01:00")]
    found += resources([ChartEntry(datetime(2026, 3, 28, 11, 0, tzinfo=berlin), "T", "38.5")], "p")
    facts = facts_of(found, as_of=noon, zone=berlin)
    assert facts.grade is not None
    assert facts.grade.grade == 1
    assert INFUSED < NOW
