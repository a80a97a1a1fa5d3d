"""What each row of the grade rests on: its evidence, what is missing, how high it may be, and when it was last charted."""

from __future__ import annotations

import json

import pytest

from fhir_mappings.facts.analytes import IL10
from fhir_mappings.facts.coverage import Kind
from fhir_mappings.facts.flags import Flag
from fhir_mappings.facts.grade import CrsGrade
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.row_parts import DeviceNotRecognised, LowPressure, Missing, PressorPushes
from tests.support.fhir_wire import Resource
from tests.support.tables import (
    facts_of,
    moment_of,
    name_of,
    ordered_infusion,
    patient,
    rows,
    shown_grade,
)

FEVER = "T 38.5 @-1h; SBP 118 @-1h"


def graded(facts: PatientFacts) -> CrsGrade:
    assert facts.grade is not None
    return facts.grade


def in_progress(id_: str, text: str, since: str = "2026-03-06T10:00:00+08:00", code: str = "") -> Resource:
    coding = {"coding": [{"system": "http://snomed.info/sct", "code": code}]} if code else {}
    return {
        "resourceType": "Procedure", "id": id_, "status": "in-progress", "subject": {"reference": "Patient/p"},
        "code": {"text": text, **coding} if text else coding, "performedPeriod": {"start": since},
    }  # fmt: skip


UNLISTED = "Ventilatory support by a novel interface"


@pytest.mark.parametrize(
    ("chart", "grade", "named"),
    [
        ("SpO2 97 @-1h; device RA @-1h", "≥1", True),
        ("device NC @-1h; flow 2 @-1h", "≥2", True),
        ("device HFNC @-1h", "≥3", True),
        ("device BiPAP @-1h", "4", False),
    ],
)
def test_a_respiratory_procedure_that_nobody_listed_makes_any_row_below_4_a_minimum(
    chart: str, grade: str, named: bool
) -> None:
    facts = facts_of([*patient(f"{FEVER}; {chart}"), in_progress("novel", UNLISTED)])
    assert shown_grade(facts) == grade
    oxygen = graded(facts).oxygen
    assert (DeviceNotRecognised(UNLISTED) in oxygen.missing) is named
    assert ("Procedure/novel" in oxygen.evidence) is named


@pytest.mark.parametrize(
    ("chart", "grade", "missing"),
    [("device NC @-1h; flow 2 @-1h", "≥2", (Missing.SUPPORTS_UNREAD,)), ("device BiPAP @-1h", "4", ())],
)
def test_procedures_that_were_not_read_may_raise_any_row_below_4(
    chart: str, grade: str, missing: tuple[Missing, ...]
) -> None:
    facts = facts_of(patient(f"{FEVER}; {chart}"), unread=[Kind.SUPPORT_PROCEDURES])
    assert (shown_grade(facts), graded(facts).oxygen.missing) == (grade, missing)


def test_a_procedure_in_progress_hides_nothing_that_was_found_beside_the_row() -> None:
    found = [*patient(f"{FEVER}; SpO2 89 @-2h; SpO2 97 @-1h"), in_progress("nc", "Oxygen by nasal cannula")]
    alone = graded(facts_of(found[:-1])).oxygen
    assert alone.beside
    assert graded(facts_of(found)).oxygen.beside == alone.beside


LAST = rows("""
| chart                                                    | oxygen | because                                     |
| SpO2 96 @-14h; SpO2 97 @-10h                             | -10h   | the later of two saturations                |
| SpO2 96 @-14h; device NC @-3h                            | -3h    | a device after them                         |
| device NC @-9h; device HFNC @-4h; device HFNC @-2h       | -2h    | the last of three devices                   |
| device NC @-3h; device RA @0h                            | 0h     | charted at the moment of the call           |
| SpO2 96 @-5h; flow 2 @-2h                                | -2h    | a flow after a saturation                   |
""")


@pytest.mark.parametrize("row", LAST, ids=name_of)
def test_when_oxygen_was_last_charted(row: dict[str, str]) -> None:
    assert graded(facts_of(patient(f"{FEVER}; {row['chart']}"))).oxygen.last_charted == moment_of(row["oxygen"])


NOT_LISTED = "a device that nobody listed"
BESIDE = rows("""
| chart                                               | grade | because                                              |
| device unheard-of @-1h; device NC @-1h; flow 2 @-1h | ≥2    | one of the same minute as a known one leaves a doubt |
| device unheard-of @-1h; FiO2 60 @-1h                | ≥2    | it is the device of the FiO2: one doubt, not two     |
""")


@pytest.mark.parametrize("row", BESIDE, ids=name_of)
def test_a_device_that_nobody_listed_is_named(row: dict[str, str]) -> None:
    facts = facts_of(patient(f"{FEVER}; {row['chart']}"))
    assert (shown_grade(facts), graded(facts).oxygen.missing) == (row["grade"], (DeviceNotRecognised(NOT_LISTED),))


@pytest.mark.parametrize(("first", "second", "named"), [("-3h", "-1h", "another"), ("-1h", "-3h", NOT_LISTED)])
def test_of_two_devices_that_nobody_listed_the_later_is_named(first: str, second: str, named: str) -> None:
    found = patient(f"{FEVER}; device unheard-of @{first}; device unheard-of @{second}")
    found[-1] = json.loads(json.dumps(found[-1]).replace(NOT_LISTED, "another"))
    assert graded(facts_of(found)).oxygen.missing == (DeviceNotRecognised(named),)


def test_low_flow_that_was_there_before_keeps_the_words_on_its_age() -> None:
    chart = "device NC @D-1 08:00; flow 2 @D-1 08:00; device NC @-13h; flow 2 @-13h"
    oxygen = graded(facts_of(patient(f"{FEVER}; {chart}"))).oxygen
    assert oxygen.not_new
    assert len(oxygen.drivers) == 2


def test_a_mask_of_the_home_in_progress_is_the_evidence_of_its_doubt() -> None:
    home = in_progress("home", "", "2026-03-06T12:00:00+08:00", code="34281000175105")
    oxygen = graded(
        facts_of([*patient(f"{FEVER}; SpO2 97 @-1h"), home, in_progress("nc", "Oxygen by nasal cannula")])
    ).oxygen
    assert Missing.HOME_DEVICE in oxygen.missing
    assert "Procedure/home" in oxygen.evidence


def test_a_mask_of_the_home_begun_days_ago_is_in_use_beside_what_was_charted_since() -> None:
    home = in_progress("home", "", "2026-03-03T10:00:00+08:00", code="34281000175105")
    beside = in_progress("nc", "Oxygen by nasal cannula")
    oxygen = graded(facts_of([*patient(f"{FEVER}; device NC @-2h; flow 2 @-2h"), home, beside])).oxygen
    assert Missing.HOME_DEVICE in oxygen.missing
    assert "Procedure/home" in oxygen.evidence


@pytest.mark.parametrize(("at", "counted"), [("-12h", 1), ("0h", 1), ("-721m", 0)])
def test_a_push_counts_for_twelve_hours_ends_included(at: str, counted: int) -> None:
    found = patient(f"T 38.5 @-1h; SBP 118 @-1h; SpO2 97 @-1h; device RA @-1h; give phenylephrine 0.1 IV @{at}")
    pressure = graded(facts_of(found)).pressure
    assert sum(isinstance(driver, PressorPushes) for driver in pressure.drivers) == counted
    assert sum(reference.startswith("MedicationAdministration/") for reference in pressure.evidence) == counted


@pytest.mark.parametrize("signs", ["T 38.5 @-1h; SBP 118 @-1h", "T 38.5 @-1h"], ids=["normal", "not measured"])
def test_a_vasopressor_that_is_only_ordered_may_make_grade_4_whatever_the_pressure(signs: str) -> None:
    facts = facts_of([*patient(f"{signs}; SpO2 97 @-1h; device RA @-1h"), ordered_infusion("norepinephrine")])
    assert (graded(facts).pressure.most, graded(facts).pressure.provisional) == (4, 3)


BEFORE = rows("""
| chart                                                                                     | born       | before | because                                              |
| MAP 60 @D-1 08:00; MAP 60 @D-1 14:00; MAP 60 @D-1 20:00; MAP 60 @-2h; MAP 60 @-1h         | 1980-01-01 | yes    | a mean pressure that was low before the infusion too |
| SBP 84 @D-1 08:00; SBP 84 @D-1 14:00; SBP 84 @D-1 20:00; SBP 84 @-1h                      | 1980-01-01 | yes    | a systolic one of an adult                           |
| SBP 88 @D-1 08:00; SBP 88 @D-1 14:00; SBP 88 @D-1 20:00; SBP 80 @-1h                      | 2018-01-01 | no     | 88 is low for an adult, not for a child of 8 years   |
| SBP 118 @D-1 08:00; SBP 84 @-1h                                                           | 1980-01-01 | no     | normal before                                        |
""")


@pytest.mark.parametrize("row", BEFORE, ids=name_of)
def test_a_low_pressure_says_whether_it_was_low_before(row: dict[str, str]) -> None:
    found = patient(f"T 38.5 @-1h; SpO2 97 @-1h; device RA @-1h; {row['chart']}", birth_date=row["born"])
    pressure = graded(facts_of(found)).pressure
    (driver,) = [one for one in pressure.drivers if isinstance(one, LowPressure)]
    assert (pressure.not_new, driver.before) == (row["before"] == "yes",) * 2


def test_of_normal_pressures_the_last_is_the_evidence() -> None:
    found = patient("T 38.5 @-1h; SpO2 97 @-1h; device RA @-1h; SBP 118 @-5h; SBP 121 @-2h")
    last = f"Observation/{found[-1]['id']}"
    assert graded(facts_of(found)).pressure.evidence == (last,)


def test_a_vasopressor_without_a_rate_may_make_grade_4_where_two_do_not_yet() -> None:
    air = "T 38.5 @-1h; SBP 118 @-1h; SpO2 97 @-1h; device RA @-1h"
    bag = {
        "resourceType": "MedicationAdministration", "id": "bag", "status": "completed", "subject": {"reference": "Patient/p"},
        "medicationCodeableConcept": {"text": "phenylephrine"}, "effectiveDateTime": "2026-03-06T11:00:00+08:00",
        "dosage": {"dose": {"value": 10, "unit": "mg"}},
    }  # fmt: skip
    alone = graded(facts_of([*patient(air), bag])).pressure
    assert (Missing.PRESSOR_WITHOUT_RATE in alone.missing, alone.exact, alone.most) == (True, False, 4)
    two = "start norepinephrine 0.1 @-3h; start epinephrine 0.1 @-3h"
    beside = graded(facts_of([*patient(f"{air}; {two}"), bag])).pressure
    assert (beside.value, beside.exact, beside.missing) == (4, True, ())


def test_old_vasopressors_do_not_count_together_beside_one_that_runs() -> None:
    chart = "start norepinephrine 0.1 @-1h; rate epinephrine 0.1 @-13h; rate phenylephrine 0.5 @-13h"
    pressure = graded(facts_of(patient(f"{FEVER}; SpO2 97 @-1h; device RA @-1h; {chart}"))).pressure
    assert (pressure.value, pressure.exact) == (3, False)
    assert Flag.PRESSORS_STALE_TOGETHER not in pressure.flags


def test_a_rise_that_is_only_shown_rests_on_its_latest_result_too() -> None:
    found = patient("il10 5 @D0 08:00; il10 90 @D2 08:00; il10 40 @D4 07:00")
    evidence = facts_of(found).folds[IL10].evidence
    assert {f"Observation/{r['id']}" for r in found[-3:]} == {*evidence}
