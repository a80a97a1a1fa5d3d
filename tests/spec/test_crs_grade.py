"""The ASTCT grade: what a physician reads, line by line of the clinical specification §1.2."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cards.wording.grade_words import drivers
from fhir_mappings.facts.coverage import Kind
from fhir_mappings.facts.thresholds import Thresholds
from tests.support.tables import facts_of, first_on_hold, moment_of, name_of, patient, rows, shown_grade

WELL = "SBP 118 @-1h; SpO2 97 @-1h; device RA @-1h"

FEVER = rows("""
| chart                                                                        | grade             | because                                                          |
| T 38.0 @-1h; SBP 118 @-1h; SpO2 97 @-1h; device RA @-1h                      | 1                 | exactly 38.0 °C is fever                                         |
| T 37.9 @-1h; SBP 118 @-1h; SpO2 97 @-1h; device RA @-1h                      | 0                 | 37.9 °C is none                                                  |
| T 100.4 degF @-1h; SBP 118 @-1h; SpO2 97 @-1h; device RA @-1h                | 1                 | 100.4 °F is exactly 38.0 °C                                      |
| T 100.3 degF @-1h; SBP 118 @-1h; SpO2 97 @-1h; device RA @-1h                | 0                 | 100.3 °F is not                                                  |
| T 38.5 @-24h; T 36.8 @-1h; SBP 118 @-1h; SpO2 97 @-1h; device RA @-1h        | 1                 | fever 24 h ago is in the window, ends inclusive                  |
| T 38.5 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h                       | 2                 | fever and hypotension                                            |
| T 38.5 @-1h                                                                  | ≥1                | fever alone with H and O unknown                                 |
| T 38.5 @-1h; SBP 118 @-1h                                                    | ≥1                | oxygen never charted could raise it                              |
| T 38.5 @-40h; give paracetamol 1000 @-30h; T 36.8 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h | 2 | fever waived by an antipyretic after onset, hypotension grades    |
| T 38.5 @-40h; give paracetamol 1000 @-30h; T 36.8 @-1h; SBP 118 @-1h; SpO2 97 @-1h; device RA @-1h | 0 | waived, both rows zero: no currently gradeable CRS               |
| T 38.5 @-40h; give paracetamol 1000 @-30h; T 36.8 @-1h; SBP 118 @-1h         | unknown, 0 if CRS | waived, a row unknown and none positive                          |
| T 38.5 @-40h; give paracetamol 1000 @-30h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h | 2         | waived stands above "not measured"                               |
| give paracetamol 1000 @-60h; T 38.5 @-40h; T 36.8 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h | 2 | an antipyretic 20 h before onset counts as given at onset         |
| give paracetamol 1000 @-65h; T 38.5 @-40h; T 36.8 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h | masked, 2 if CRS | 25 h before onset is too early to waive             |
| give dexamethasone 10 @-90h; T 38.5 @-40h; T 36.8 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h | 2 | a steroid since day −1 counts as given at onset                   |
| SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h                                    | unknown, 2 if CRS | no temperature in the window is not "no fever"                   |
| T 38.5 @-40h; T 36.8 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h         | masked, 2 if CRS  | onset earlier, nothing given, hypotension now                    |
| T 38.5 @-40h; T 36.8 @-1h; SBP 118 @-1h; SpO2 97 @-1h; device RA @-1h        | 0                 | onset earlier, both rows zero                                    |
| T 38.5 @-40h; T 36.8 @-1h; SBP 118 @-1h                                      | unknown, 0 if CRS | onset earlier, a row unknown                                     |
| give paracetamol 1000 @-20h; T 36.8 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h | masked, 2 if CRS | an antipyretic 20 h ago may mask                          |
| give paracetamol 1000 @-25h; T 36.8 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h | 0          | 25 h ago no longer: hypotension without fever is not CRS          |
| give dexamethasone 10 @-71h; T 36.8 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h | masked, 2 if CRS | a steroid 71 h ago may mask                               |
| give dexamethasone 10 @-73h; T 36.8 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h | 0          | 73 h ago no longer                                                |
| toci 560 @-90h; T 36.8 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h       | masked, 2 if CRS  | an IL-6 blocker since day −1 may mask                            |
| T 36.8 @-1h; SBP 84 @-1h; SpO2 88 @-1h; device RA @-1h                       | 0                 | never fever, nothing masks: not CRS by ASTCT                     |
| give dexamethasone 4 IV @D-1 08:00; T 36.8 @D2 11:00; T 36.8 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h | 0 | more than 72 h ago masks nothing |
| toci 560 @D-1 08:00; T 36.8 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h  | masked, 2 if CRS  | day −1 is a local date, not 24 h                                 |
| give dexamethasone 10 @D-1 00:30; T 38.5 @-40h; T 36.8 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h | 2 | so it is for the waiver                     |
| T 38.5 @-40h; give loxoprofen 60 @-30h; T 36.8 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h | 2 | other NSAIDs waive too                                            |
| give dexamethasone 4 eye @-20h; T 36.8 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h | 0        | a steroid in the eye masks nothing                                |
""")


@pytest.mark.parametrize("row", FEVER, ids=name_of)
def test_fever_table(row: dict[str, str]) -> None:
    assert shown_grade(facts_of(patient(row["chart"]))) == row["grade"]


HYPOTENSION = rows("""
| chart                                                              | grade | because                                                          |
| SBP 90 @-1h                                                        | 1     | 90 mmHg is not below 90                                          |
| SBP 89 @-1h                                                        | 2     | 89 mmHg is                                                       |
| SBP 84 @-11h; SBP 118 @-1h                                         | 2     | the lowest reading of 12 h counts                                |
| SBP 84 @-13h; SBP 118 @-1h                                         | 1     | 13 h ago no longer                                               |
| MAP 60 @-2h; SBP 118 @-1h                                          | 1     | one low mean pressure alone is none                              |
| MAP 60 @-2h; MAP 62 @-1h; SBP 118 @-1h                             | 2     | two consecutive ones, at least 15 min apart, are                 |
| MAP 60 @-70m; MAP 62 @-60m; SBP 118 @-1h                           | 1     | two within 15 min are one                                        |
| start norepinephrine 0.1 @-2h                                      | 3     | one vasopressor                                                  |
| start vasopressin 0.03 @-2h                                        | 3     | vasopressin alone is a vasopressor                               |
| start norepinephrine 0.1 @-2h; start vasopressin 0.03 @-1h         | 3     | vasopressin is never one of several                              |
| start norepinephrine 0.1 @-2h; start epinephrine 0.1 @-1h          | 4     | two at once                                                      |
| start dobutamine 5 @-2h; SBP 118 @-1h                              | 1     | an inotrope is no vasopressor                                    |
| give midodrine 10 @-2h; SBP 118 @-1h                               | 1     | nor is midodrine                                                 |
| give epinephrine 0.5 IM @-1h; SBP 118 @-1h                         | 1     | intramuscular epinephrine is no infusion                         |
| give epinephrine 0.1 IV @-1h; SBP 118 @-1h                         | 1     | a push is no infusion                                            |
| rate norepinephrine 0.1 @-3h; SBP 118 @-1h                         | 3     | a charted rate runs on for 4 h                                   |
| rate norepinephrine 0.1 @-3h; rate norepinephrine 0 @-1h; SBP 118 @-1h | 1 | rate 0 is a stop                                                 |
| rate norepinephrine 0.1 @-13h; SBP 118 @-1h                        | 3     | past 4 h without a stop it keeps its row to 24 h, marked         |
| rate norepinephrine 0.1 @-25h; SBP 118 @-1h                        | 1     | past 24 h it gives way to the pressure charted since             |
| rate norepinephrine 0.1 @-6h; rate norepinephrine 0 @-4h; rate epinephrine 0.1 @-3h | 3 | one stopped before the next began is one pressor |
| rate norepinephrine 0.1 @-13h; rate epinephrine 0.1 @-1h           | ≥3    | a stale one beside an active one is no second, but a minimum     |
| rate norepinephrine 0.1 @-13h; rate epinephrine 0.1 @-12h          | 4     | two that are both stale ran together: the clock lowers nothing   |
| MAP 60 @-1h                                                        | ≥1    | one low mean pressure and no other says neither low nor normal    |
| MAP 70 @-1h                                                        | 1     | a normal mean pressure is a pressure                             |
| give norepinephrine 0.4 @-4h; give norepinephrine 0.4 @-1h; SBP 118 @-1h | 1 | an amount below 2 mg alone is a push, of norepinephrine too   |
| give norepinephrine 2 @-1h; SBP 118 @-1h                           | ≥3    | from 2 mg it may be a bag: it runs, and the grade is a minimum   |
| rate norepinephrine 0.1 @-5h; rate norepinephrine 0 @-2h; rate norepinephrine 0.1 @-2h; SBP 118 @-1h | 3 | a bag change is no stop  |
| start norepinephrine 0.1 @-6h; rate norepinephrine 0 @-3h; SBP 118 @-1h | 3 | a period open as read now outlasts another bag's stop      |
| start norepinephrine 0.1 @-50h; SBP 118 @-1h                       | 3     | in progress as read now, however old                             |
""")


@pytest.mark.parametrize("row", HYPOTENSION, ids=name_of)
def test_row_h(row: dict[str, str]) -> None:
    chart = f"T 38.5 @-1h; SpO2 97 @-1h; device RA @-1h; {row['chart']}"
    assert shown_grade(facts_of(patient(chart))) == row["grade"]


PAEDIATRIC = rows("""
| born       | SBP | grade | because                                        |
| 2026-02-20 | 59  | 2     | 14 days old: below 60                          |
| 2026-02-20 | 60  | 1     | 14 days old: 60 is not below 60                |
| 2026-01-01 | 69  | 2     | 64 days old: below 70                          |
| 2026-01-01 | 70  | 1     | 64 days old: 70 is not below 70                |
| 2018-01-01 | 85  | 2     | 8 years: below 70 + 2×8 = 86                   |
| 2018-01-01 | 86  | 1     | 8 years: 86 is not below 86                    |
| 2018-03-07 | 83  | 2     | completed years: still 7, below 84             |
| 2018-03-07 | 84  | 1     | completed years: still 7, 84 is not below 84   |
| 2016-01-01 | 89  | 2     | 10 years: below 90                             |
| 2016-01-01 | 90  | 1     | 10 years: 90 is not below 90                   |
| 2018       | 85  | 2     | a year alone is the oldest age it allows: 8    |
""")


@pytest.mark.parametrize("row", PAEDIATRIC, ids=name_of)
def test_hypotension_of_a_child(row: dict[str, str]) -> None:
    chart = f"T 38.5 @-1h; SpO2 97 @-1h; device RA @-1h; SBP {row['SBP']} @-1h"
    assert shown_grade(facts_of(patient(chart, birth_date=row["born"]))) == row["grade"]


OXYGEN = rows("""
| chart                                                     | grade | because                                                             |
| device NC @-1h; flow 6 @-1h                               | 2     | exactly 6 L/min is low flow                                         |
| device NC @-1h; flow 6.1 @-1h                             | 3     | above 6 L/min is high flow                                          |
| device NC @-1h                                            | 2     | a cannula without flow, with a note                                 |
| device NC @-1h; flow 0 @-1h; SpO2 97 @-1h                 | 1     | flow 0 is no oxygen                                                 |
| device NC @-1h; flow 2 @-1h; FiO2 40 @-1h                 | ≥2    | FiO2 0.40 beside a cannula may be 3                                 |
| device HFNC @-1h                                          | 3     | high-flow cannula                                                   |
| device BiPAP @-1h                                         | 4     | positive pressure                                                   |
| flow 2 @-1h                                               | 2     | flow alone, device unknown                                          |
| flow 7 @-1h                                               | 3     | flow alone, above 6 L/min                                           |
| FiO2 30 @-1h                                              | ≥2    | FiO2 alone: device unknown, may be 3                                |
| FiO2 21 @-1h; SpO2 97 @-1h                                | 1     | FiO2 0.21 is room air                                               |
| flow 2 @-1h; FiO2 21 @-1h                                 | 2     | flow above 0 outweighs FiO2 0.21                                    |
| device RA @-3h; flow 2 @-1h                               | 2     | flow charted after room air                                         |
| device RA @-4h; FiO2 50 @-1h; SpO2 95 @-1h                | ≥2    | FiO2 charted after room air                                         |
| flow 0 @-8h; FiO2 50 @-1h; SpO2 95 @-1h                   | ≥2    | a newer FiO2 outweighs flow 0                                       |
| device NC @-8h; flow 0 @-8h; FiO2 50 @-1h; SpO2 95 @-1h   | ≥2    | beside a cannula too                                                |
| device NC @-1h; flow 360 L/h @-1h                         | 2     | 360 L/h is exactly 6 L/min                                          |
| device RA @-1h; SpO2 89 @-1h                              | 2     | below 90 % on room air needs oxygen                                 |
| device RA @-1h; SpO2 90 @-1h                              | 1     | 90 % is not below 90                                                |
| SpO2 89 @-11h; SpO2 97 @-1h                               | 1     | one low saturation among later normal ones is named, and no row     |
| SpO2 89 @-11h; SpO2 88 @-3h; SpO2 97 @-1h                 | 2     | two at least 5 min apart are                                        |
| SpO2 89 @-184m; SpO2 88 @-180m; SpO2 97 @-1h              | 1     | two within 5 min are one                                            |
| SpO2 97 @-3h; SpO2 89 @-1h                                | 2     | the latest is low                                                   |
| device NC @-8h; flow 2 @-8h; SpO2 86 @-8h; SpO2 87 @-7h; device RA @-4h; SpO2 95 @-1h | 1 | one is of the time after the last oxygen, the other was made on it |
| device RA @-8h; SpO2 86 @-8h; SpO2 87 @-7h; device NC @-6h; flow 2 @-6h; device RA @-4h; SpO2 95 @-1h | 1 | both from before the last oxygen       |
| device NC @-1h; flow 0 @-1h; SpO2 86 @-1h                 | 2     | a cannula without flow is no oxygen                                 |
| device HFNC @-5h; device NC @-1h; flow 2 @-1h             | 2     | the latest device counts                                            |
| device HFNC @-1h; device NC @-1h; flow 2 @-1h             | 3     | two at one time: the higher row                                     |
| device HFNC @-5h; flow 2 @-1h                             | 3     | a flow without a device never displaces a higher row                |
| device HFNC @-13h; SpO2 97 @-1h                           | 3     | past 12 h without a lower device it keeps its row to 24 h, marked   |
| device NC @-25h; flow 8 @-1h; SpO2 93 @-1h                | 3     | a device charted once, its flow every hour: the flow still counts   |
| device NC @-25h; flow 2 @-1h; SpO2 93 @-1h                | 2     | and as low flow                                                     |
| device HFNC @-25h; flow 30 @-1h; SpO2 92 @-1h             | ≥3    | after a row-3 device what was charted since is a floor              |
| device HFNC @-25h; SpO2 85 @-1h                           | ≥2    | a saturation below the cut too                                      |
| flow 10 @-13h                                             | 3     | a flow alone is kept to 24 h too, marked                            |
| device RA @-14h; flow 10 @-13h                            | 3     | charted after room air                                              |
| FiO2 60 @-13h                                             | ≥2    | and an FiO2 alone                                                   |
| flow 10 @-13h; flow 0 @-1h; SpO2 97 @-1h                  | 1     | until a record ends it                                              |
| flow 10 @-25h; SpO2 97 @-1h                               | 1     | past 24 h it gives way to the saturation charted since              |
| device BiPAP @D-1 22:00; device BiPAP @-13h; SpO2 97 @-1h | ≥1    | a home device does not stop being a doubt after 12 h                |
| device HFNC @-25h; SpO2 97 @-1h                           | ≥1    | past 24 h a row-3 device leaves oxygen unknown                      |
| device NC @-25h; flow 2 @-25h; SpO2 97 @-1h               | 1     | past 24 h a row-2 device gives way to the saturation charted since  |
| device BiPAP @D-1 22:00; device BiPAP @-1h; SpO2 97 @-1h  | ≥1    | BiPAP charted before day 0 too may be the home device               |
""")


@pytest.mark.parametrize("row", OXYGEN, ids=name_of)
def test_row_o(row: dict[str, str]) -> None:
    assert shown_grade(facts_of(patient(f"T 38.5 @-1h; SBP 118 @-1h; {row['chart']}"))) == row["grade"]


def test_a_device_nobody_listed_leaves_oxygen_unknown_and_never_displaces_a_higher_row() -> None:
    found = patient("T 38.5 @-1h; SBP 118 @-1h; device HFNC @-5h; device NC @-1h")
    strange = {"valueCodeableConcept": {"text": "Local thing 7"}}
    found = [{**r, **strange} if r["id"] == "p-4" else r for r in found]
    assert shown_grade(facts_of(found)) == "≥3"
    assert shown_grade(facts_of([r for r in found if r["id"] != "p-3"])) == "≥1"


UNREAD = rows("""
| unread                     | chart                                                                         | grade             | because                                                     |
| medication administrations | T 38.5 @-1h; SBP 118 @-1h; SpO2 97 @-1h; device RA @-1h                        | ≥1                | unread administrations may hide a vasopressor               |
| medication administrations | T 38.5 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h                         | ≥2                | at least what the readings show                             |
| medication administrations | T 36.8 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h                         | unknown, 2 if CRS | without fever there is then no grade                        |
| medication administrations | T 38.5 @-40h; give paracetamol 1000 @-30h; T 36.8 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h | ≥2 | a waiver that was seen stands                    |
| vital signs                | SpO2 97 @-1h; device RA @-1h                                                   | unknown, 0 if CRS | vital signs that could not be fetched are not normal        |
| oxygen                     | T 38.5 @-1h; SBP 118 @-1h                                                      | ≥1                | oxygen that could not be fetched may raise it               |
""")


@pytest.mark.parametrize("row", UNREAD, ids=name_of)
def test_what_could_not_be_read_never_lowers_the_grade(row: dict[str, str]) -> None:
    # the infusion is known from a procedure where administrations cannot be read
    procedure = {
        "resourceType": "Procedure", "id": "inf", "status": "completed", "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "38228"}]},
        "performedDateTime": "2026-03-02T10:00:00+08:00",
    }  # fmt: skip
    facts = facts_of([*patient(row["chart"]), procedure], unread=[Kind(row["unread"])])
    assert shown_grade(facts) == row["grade"]
    assert facts.grade is not None
    assert facts.grade.unfetched


SUPPORTS_UNREAD = rows("""
| chart                                                                  | grade | because                                          |
| T 38.5 @-1h; SBP 118 @-1h; SpO2 93 @-1h; device NC @-1h; flow 2 @-1h    | ≥2    | ventilation may stand among the procedures alone |
| T 38.5 @-1h; SBP 118 @-1h; SpO2 97 @-1h; device RA @-1h                 | ≥1    | room air charted before it began says nothing    |
| T 38.5 @-1h; SBP 118 @-1h; SpO2 97 @-1h; device BiPAP @-1h              | 4     | no procedure could raise grade 4                 |
""")


@pytest.mark.parametrize("row", SUPPORTS_UNREAD, ids=name_of)
def test_without_the_support_procedures_oxygen_comes_from_observations_as_a_minimum(row: dict[str, str]) -> None:
    facts = facts_of(patient(row["chart"]), unread=[Kind.SUPPORT_PROCEDURES])
    assert shown_grade(facts) == row["grade"]
    assert facts.grade is not None
    assert not facts.grade.unfetched, "a warning on any order is for what is measured"


LATE = rows("""
| chart                                                                                   | grade            | because                                              |
| T 39 @D1 06:00; toci 560 @D1 10:00; SBP 84 @D1 12:00; NOW                               | masked, 2 if CRS | four days without fever, H, O or a dose: it lapsed   |
| T 39 @D1 06:00; toci 560 @D1 10:00; SBP 84 @D3 12:00; NOW                               | 2                | hypotension between keeps the waiver                 |
| T 39 @D1 06:00; toci 560 @D1 10:00; T 38.5 @D5 06:00; NOW                               | 2                | new fever is fever                                   |
| T 39 @D1 06:00; toci 560 @D1 10:00; device HFNC @D3 12:00; NOW                          | 2                | so does high flow, without a flow charted            |
| T 39 @D1 06:00; toci 560 @D1 10:00; device RA @D3 12:00; NOW                            | masked, 2 if CRS | room air does not                                    |
""")


@pytest.mark.parametrize("row", LATE, ids=name_of)
def test_the_waiver_lapses_after_72_quiet_hours(row: dict[str, str]) -> None:
    now = "T 36.8 @D5 11:00; SBP 84 @D5 11:00; SpO2 97 @D5 11:00; device RA @D5 11:00"
    facts = facts_of(patient(row["chart"].replace("NOW", now)), as_of=moment_of("D5 12:00"))
    assert shown_grade(facts) == row["grade"]


def test_a_vasopressor_ordered_and_not_charted_makes_the_grade_a_minimum() -> None:
    order = {
        "resourceType": "MedicationRequest", "id": "o", "status": "active", "intent": "order",
        "subject": {"reference": "Patient/p"}, "authoredOn": "2026-03-06T10:00:00+08:00",
        "medicationCodeableConcept": {"text": "norepinephrine infusion"},
    }  # fmt: skip
    facts = facts_of([*patient(f"T 38.5 @-1h; {WELL}"), order])
    assert shown_grade(facts) == "≥1"
    assert facts.grade is not None
    assert (facts.grade.provisional, "pressor_ordered_not_charted" in facts.flags) == (3, True)


@pytest.mark.parametrize(
    ("running", "ordered", "grade"),
    [
        ("start norepinephrine 0.1 @-2h", "epinephrine infusion", "≥3"),
        ("start norepinephrine 0.1 @-2h", "vasopressin infusion", "3"),
        ("start norepinephrine 0.1 @-2h", "norepinephrine infusion", "3"),
        ("SBP 118 @-1h", "phenylephrine nasal spray", "1"),
    ],
)
def test_a_second_vasopressor_ordered_counts_only_where_it_could_raise_the_grade(
    running: str, ordered: str, grade: str
) -> None:
    order = {
        "resourceType": "MedicationRequest", "id": "o", "status": "active", "intent": "order",
        "subject": {"reference": "Patient/p"}, "authoredOn": "2026-03-06T11:00:00+08:00",
        "medicationCodeableConcept": {"text": ordered},
    }  # fmt: skip
    assert shown_grade(facts_of([*patient(f"T 38.5 @-1h; SpO2 97 @-1h; device RA @-1h; {running}"), order])) == grade


HELD = rows("""
| chart                                                   | grade | because                                                         |
| start norepinephrine 0.1 @-2h; SBP 118 @-1h             | ≥1    | on hold it neither runs nor is stopped                          |
| start norepinephrine 0.1 @-25h; SBP 118 @-1h            | 1     | held since 25 h ago it says nothing of now                      |
| start norepinephrine 0.1 @-2h; start epinephrine 0.1 @-2h | ≥3  | beside one that runs it may make two                            |
| start norepinephrine 0.1 @-2h; device NC @-30m; flow 2 @-30m | ≥2 | beside low flow, no pressure charted: if it runs the grade is 3 |
""")


@pytest.mark.parametrize("row", HELD, ids=name_of)
def test_a_vasopressor_on_hold(row: dict[str, str]) -> None:
    found = patient(f"T 38.5 @-1h; SpO2 97 @-1h; device RA @-1h; {row['chart']}")
    assert shown_grade(facts_of(first_on_hold(found))) == row["grade"]


@pytest.mark.parametrize("mean", ["MAP 35 @-2h; MAP 36 @-1h", "MAP 70 @-1h"])
def test_a_child_with_mean_pressures_only_has_no_known_blood_pressure(mean: str) -> None:
    chart = f"T 38.5 @-1h; SpO2 97 @-1h; device RA @-1h; {mean}"
    assert shown_grade(facts_of(patient(chart, birth_date="2021-01-01"))) == "≥1"


@pytest.mark.parametrize("performed", ["2026-03-05T10:00:00+08:00", "2026-03-02", "2026-02-20", None])
def test_ventilation_in_progress_counts_however_old_or_untimed(performed: str | None) -> None:
    procedure = {
        "resourceType": "Procedure", "id": "v", "status": "in-progress", "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "40617009"}]},
        **({"performedPeriod": {"start": performed}} if performed else {}),
    }  # fmt: skip
    assert shown_grade(facts_of([*patient("T 38.5 @-1h; SBP 118 @-1h; SpO2 97 @-1h"), procedure])) == "4"


def test_a_procedure_in_progress_hides_no_doubt_about_the_same_row() -> None:
    procedure = {
        "resourceType": "Procedure", "id": "v", "status": "in-progress", "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "371907003"}]},
        "performedDateTime": "2026-03-06T08:00:00+08:00",
    }  # fmt: skip
    assert shown_grade(facts_of([*patient("T 38.5 @-1h; SBP 118 @-1h; FiO2 60 @-1h"), procedure])) == "≥2"


IN_PROGRESS = rows("""
| chart                                                                                | procedure                | grade | new | says                       | because                                        |
| SBP 118 @-1h; SpO2 97 @-1h                                                           | Nasal cannula 8 L/min    | 3     | –   | nasal cannula 8 L/min      | more than 6 L/min is high flow                 |
| SBP 118 @-1h; SpO2 97 @-1h                                                           | Nasal cannula 6 L/min    | 2     | –   | nasal cannula 6 L/min      | exactly 6 L/min is low flow                    |
| SBP 118 @-1h; SpO2 97 @-1h                                                           | Oxygen by nasal cannula  | 2     | –   | nasal cannula in progress  | a cannula without a flow                       |
| SBP 118 @-1h; device NC @D-1 08:00; flow 2 @D-1 08:00; device NC @-1h; flow 2 @-1h   | Nasal cannula 2 L/min    | 2     | no  | nasal cannula 2 L/min      | the same before the infusion                   |
| SBP 118 @-1h; device NC @D-1 08:00; flow 2 @D-1 08:00; device NC @-1h; flow 2 @-1h   | Simple face mask 6 L/min | 3     | yes | 6 L/min in progress        | a mask is new                                  |
""")


@pytest.mark.parametrize("row", IN_PROGRESS, ids=name_of)
def test_a_procedure_in_progress_is_read_with_the_flow_of_its_text(row: dict[str, str]) -> None:
    procedure = {
        "resourceType": "Procedure", "id": "v", "status": "in-progress", "subject": {"reference": "Patient/p"},
        "code": {"text": row["procedure"]}, "performedPeriod": {"start": "2026-03-06T10:00:00+08:00"},
    }  # fmt: skip
    facts = facts_of([*patient(f"T 38.5 @-1h; {row['chart']}"), procedure])
    assert facts.grade is not None
    assert (shown_grade(facts), facts.grade.oxygen.not_new) == (row["grade"], row["new"] == "no")
    assert row["says"] in drivers(facts.grade)


def test_a_home_device_does_not_keep_the_waiver_alive() -> None:
    night = "device BiPAP @D-1 22:00; " + "; ".join(f"device BiPAP @D{n} 22:00" for n in range(1, 20))
    chart = f"{night}; T 39 @D3 06:00; toci 560 @D3 10:00; T 36.8 @D20 11:00; SBP 84 @D20 11:00; SpO2 97 @D20 11:00"
    assert shown_grade(facts_of(patient(chart), as_of=moment_of("D20 12:00"))) == "masked, 2 if CRS"


def test_mean_pressure_alone_keeps_the_waiver_alive() -> None:
    low = "; ".join(f"MAP 58 @D{n} 08:00; MAP 58 @D{n} 18:00" for n in range(3, 12))
    chart = f"T 39 @D3 06:00; toci 560 @D3 10:00; {low}; T 36.8 @D12 09:00; MAP 58 @D12 08:00; MAP 58 @D12 09:00; SpO2 97 @D12 09:00; device RA @D12 09:00"
    assert shown_grade(facts_of(patient(chart), as_of=moment_of("D12 10:00"))) == "2"


def test_a_device_that_its_own_observation_denies_is_not_in_use() -> None:
    denied = {
        "resourceType": "Observation", "id": "v", "status": "final", "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "40617009"}]},
        "effectiveDateTime": "2026-03-06T11:00:00+08:00", "valueBoolean": False,
    }  # fmt: skip
    assert shown_grade(facts_of([*patient("T 38.5 @-1h; SBP 118 @-1h; SpO2 97 @-1h"), denied])) == "1"


def test_an_implausible_or_future_reading_is_set_aside_and_never_read_as_normal() -> None:
    hot = facts_of(patient(f"T 101.2 @-1h; {WELL}"))
    assert shown_grade(hot) == "unknown, 0 if CRS"
    assert [a.why for a in hot.set_aside] == ["value outside 25 to 45 Cel"]
    ahead = facts_of(patient(f"T 36.8 @-1h; T 39.0 @+48h; {WELL}"))
    assert shown_grade(ahead) == "0"
    assert [a.why for a in ahead.set_aside] == ["future_dated"]
    assert shown_grade(facts_of(patient(f"T 39.0 @+2m; {WELL}"))) == "1", "a clock two minutes ahead counts as now"


FIRST_FEVER = rows("""
| chart                                                                   | day | with infusion | late | because                                                |
| T 38.5 @-1h                                                             | 4   | no            | no   | fever on day 4                                         |
| T 38.5 @D0 16:00; T 38.6 @D1 08:00                                      | 0   | yes           | no   | exactly 6 h after the start of the infusion            |
| T 38.5 @D0 16:01                                                        | 0   | no            | no   | a minute later                                         |
| T 38.5 @D0 12:00; T 36.8 @D2 08:00; T 38.5 @D3 20:00                    | 0   | no            | no   | the present fever began on day 3                       |
| car-t tisagenlecleucel @D-10 10:00; T 38.5 @-1h                         | 14  | no            | no   | the first fever on day 14                              |
| car-t tisagenlecleucel @D-11 10:00; T 38.5 @-1h                         | 15  | no            | yes  | on day 15                                              |
| car-t tisagenlecleucel @D-11 10:00; T 38.5 @D-8 10:00; T 38.5 @-1h      | 3   | no            | no   | an earlier fever of the course was the first           |
| car-t tisagenlecleucel @D-5 10:00; car-t tisagenlecleucel @D4 08:00; T 38.5 @-1h | 9 | yes        | no   | three hours after the start of a second infusion       |
| car-t tisagenlecleucel @D4; T 38.5 @-1h                                 | 0   | no            | no   | an infusion known by date only: no hours are known     |
| T 36.8 @-1h                                                             | –   | –             | –    | no fever                                               |
""")


@pytest.mark.parametrize("row", FIRST_FEVER, ids=name_of)
def test_fever_that_asks_for_another_cause_first(row: dict[str, str]) -> None:
    found = facts_of(patient(row["chart"], infused="car-t" not in row["chart"])).first_fever
    said = ["yes" if flag else "no" for flag in (found.with_infusion, found.is_late)] if found else ["–", "–"]
    assert [str(found.day) if found else "–", *said] == [row["day"], row["with infusion"], row["late"]]


BEFORE = rows("""
| chart                                                                                       | grade | new | because                                              |
| SBP 84 @D-1 08:00; SBP 86 @D-1 14:00; SBP 100 @D-1 20:00; SBP 84 @-1h                       | 2     | no  | two of three were low before the infusion            |
| SBP 84 @D-1 08:00; SBP 100 @D-1 14:00; SBP 86 @D-1 20:00; SBP 104 @D0 06:00; SBP 84 @-1h    | 2     | no  | exactly half of four                                 |
| SBP 84 @D-1 08:00; SBP 100 @D-1 14:00; SBP 102 @D-1 20:00; SBP 84 @-1h                      | 2     | yes | one of three                                         |
| SBP 84 @D-1 08:00; SBP 84 @D-1 14:00; SBP 84 @-1h                                           | 2     | yes | two readings are too few                             |
| SBP 84 @D-5 08:00; SBP 84 @D-5 14:00; SBP 84 @D-5 20:00; SBP 84 @-1h                        | 2     | yes | more than 96 h before the infusion                   |
| SBP 84 @D-1 08:00; SBP 84 @D-1 14:00; SBP 84 @D-1 20:00; start norepinephrine 0.1 @-2h      | 3     | yes | a vasopressor is new                                 |
| SBP 118 @-1h; device NC @D-1 08:00; flow 2 @D-1 08:00; device NC @-1h; flow 2 @-1h          | 2     | no  | oxygen at home, the same flow                        |
| SBP 118 @-1h; device NC @D-1 08:00; flow 3 @D-1 08:00; device NC @-1h; flow 2 @-1h          | 2     | no  | less than at home                                    |
| SBP 118 @-1h; device NC @D-1 08:00; flow 2 @D-1 08:00; device NC @-1h; flow 2.5 @-1h        | 2     | yes | more than at home                                    |
| SBP 118 @-1h; device NC @D-1 08:00; flow 2 @D-1 08:00; device NC @-1h                       | 2     | yes | its flow is not charted now                          |
| SBP 118 @-1h; device NC @D-1 08:00; device NC @-1h                                          | 2     | no  | a cannula without a flow, then and now               |
| SBP 118 @-1h; flow 2 @D-1 08:00; flow 2 @-1h                                                | 2     | no  | by flow alone                                        |
| SBP 118 @-1h; device HFNC @D-1 08:00; device HFNC @-1h                                      | 3     | yes | high flow is always a finding                        |
| SBP 118 @-1h; device NC @D-1 08:00; flow 2 @D-1 08:00; device NC @-1h; flow 2 @-1h; FiO2 50 @-1h | ≥2 | yes | an FiO2 that may mean more                          |
""")


@pytest.mark.parametrize("row", BEFORE, ids=name_of)
def test_what_was_the_same_before_the_infusion_keeps_its_row_and_is_said(row: dict[str, str]) -> None:
    chart = row["chart"] if "device" in row["chart"] else f"{row['chart']}; SpO2 97 @-1h; device RA @-1h"
    facts = facts_of(patient(f"T 38.5 @-1h; {chart}"))
    assert facts.grade is not None
    assert shown_grade(facts) == row["grade"]
    assert any(r.not_new for r in (facts.grade.pressure, facts.grade.oxygen)) is (row["new"] == "no")


def test_oxygen_of_the_home_keeps_no_waiver_alive() -> None:
    home = "; ".join(f"device NC @D{n} 08:00; flow 2 @D{n} 08:00" for n in range(-1, 9))
    chart = f"{home}; T 39 @D1 06:00; toci 560 @D1 10:00; T 36.8 @D9 11:00; SBP 118 @D9 11:00; device NC @D9 11:00; flow 2 @D9 11:00"
    assert shown_grade(facts_of(patient(chart), as_of=moment_of("D9 12:00"))) == "masked, 2 if CRS"


def test_a_pressure_that_was_low_before_keeps_no_waiver_alive() -> None:
    before = "SBP 84 @D-1 08:00; SBP 84 @D-1 14:00; SBP 84 @D-1 20:00"
    treated = "T 39 @D1 06:00; toci 560 @D1 10:00; SBP 84 @D3 12:00; SpO2 97 @D5 11:00; device RA @D5 11:00"
    chart = f"{treated}; T 36.8 @D5 11:00; SBP 84 @D5 11:00"
    assert shown_grade(facts_of(patient(chart), as_of=moment_of("D5 12:00"))) == "2"
    assert shown_grade(facts_of(patient(f"{before}; {chart}"), as_of=moment_of("D5 12:00"))) == "masked, 2 if CRS"


@pytest.mark.parametrize(("procedure", "grade"), [("Room air", "masked, 2 if CRS"), ("Oxygen by nasal cannula", "2")])
def test_only_a_procedure_that_gives_oxygen_keeps_the_waiver_alive(procedure: str, grade: str) -> None:
    chart = (
        "T 39 @D1 06:00; toci 560 @D1 10:00; T 36.8 @D5 11:00; SBP 84 @D5 11:00; SpO2 97 @D5 11:00; device RA @D5 11:00"
    )
    running = {
        "resourceType": "Procedure", "id": "v", "status": "in-progress", "subject": {"reference": "Patient/p"},
        "code": {"text": procedure}, "performedPeriod": {"start": "2026-03-04T10:00:00+08:00"},
    }  # fmt: skip
    assert shown_grade(facts_of([*patient(chart), running], as_of=moment_of("D5 12:00"))) == grade


def test_a_site_may_switch_mean_pressure_off() -> None:
    chart = patient("T 38.5 @-1h; SpO2 97 @-1h; device RA @-1h; MAP 55 @-3h; MAP 55 @-1h")
    off = Thresholds(mean_alone=Decimal(0))
    assert shown_grade(facts_of(chart)) == "2"
    assert shown_grade(facts_of(chart, thresholds=off)) == "≥1", "without systolic readings it is not known"
