"""At, just below and just above every limit: the same rules where a minute or a unit decides.

`at` is the moment of the call where it is not the usual one; "unread" is what could not be read.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cards.choose import Advice
from cards.deciding.decision_table import CardId
from cards.deciding.dismissed import state_of
from cards.deciding.situation import verdicts
from cards.deciding.when_to_show import Showing
from example_patients.stories.chart import Resource
from example_patients.stories.stories import drafted_tocilizumab
from fhir_mappings.facts.coverage import Kind
from fhir_mappings.facts.site_thresholds import site_thresholds
from fhir_mappings.facts.thresholds import Thresholds
from tests.support.tables import (
    NOW,
    T,
    answered,
    changed,
    facts_of,
    moment_of,
    name_of,
    ordered_infusion,
    patient,
    rows,
    shown_cards,
    shown_fold,
    shown_grade,
)

FEVER = "T 38.5 @-1h; SBP 118 @-1h"

OXYGEN = rows("""
| chart                                                             | grade | because                                                                 |
| device NC @-1h; FiO2 21 @-1h; SpO2 97 @-1h                        | 1     | FiO2 0.21 beside a cannula is no oxygen                                 |
| device NC @-1h; flow 2 @-1h; FiO2 40 @-1h                         | ≥2    | FiO2 of exactly 0.40 beside a cannula may be more                       |
| device NC @-1h; flow 2 @-1h; FiO2 39 @-1h                         | 2     | 0.39 may not                                                            |
| device NC @-2h; flow 0 @-2h; FiO2 50 @-1h                         | ≥2    | an FiO2 charted after flow 0 shows oxygen                               |
| device NC @-2h; flow 0 @-1h; FiO2 50 @-1h                         | ≥2    | and one of the same time: the more severe counts                        |
| device NC @-2h; flow 0 @-1h; FiO2 50 @-90m; SpO2 97 @-1h          | 1     | one from before flow 0 does not                                         |
| device NC @-3h; flow 2 @-3h; flow 8 @-1h                          | 3     | the latest flow counts                                                  |
| device NC @-3h; flow 8 @-3h; flow 2 @-1h                          | 2     | also where it is lower                                                  |
| device NC @0h; flow 3 @0h                                         | 2     | charted at the moment of the call                                       |
| flow 0 @-1h                                                       | 1     | flow 0 alone is no oxygen                                               |
| flow 0.5 @-1h                                                     | 2     | any flow is oxygen                                                      |
| flow 6 @-1h                                                       | 2     | exactly 6 L/min without a device                                        |
| flow 6.1 @-1h                                                     | 3     | more than 6                                                             |
| flow 2 @-12h                                                      | 2     | 12 h ago, ends inclusive                                                |
| flow 2 @-721m                                                     | 2     | a minute more: it keeps its row, marked                                 |
| flow 2 @-1441m; SpO2 97 @-1h                                      | 1     | past 24 h it gives way to the saturation                                |
| device RA @-2h; flow 10 @-3h                                      | 1     | room air charted after the flow                                         |
| device RA @-12h                                                   | 1     | room air 12 h ago                                                       |
| device RA @-14h; flow 10 @-15h; SpO2 97 @-1h                      | 1     | room air 14 h ago still ends the flow before it                         |
| device HFNC @-12h; SpO2 97 @-1h                                   | 3     | high flow 12 h ago                                                      |
| device HFNC @-721m; SpO2 97 @-1h                                  | 3     | a minute more: it keeps its row, marked                                 |
| device HFNC @-24h; SpO2 97 @-1h                                   | 3     | to 24 h                                                                 |
| device HFNC @-1441m; SpO2 97 @-1h                                 | ≥1    | past 24 h oxygen is unknown                                             |
| device HFNC @D0 10:00                                             | ≥1    | charted as the infusion began, four days ago                            |
| SpO2 89 @-12h; SpO2 89 @-11h; SpO2 97 @-1h                                       | 2     | a low saturation 12 h ago, without a device                             |
| SpO2 89 @-721m; SpO2 97 @-1h                                      | 1     | a minute more is out of the window                                      |
| SpO2 90 @-1h                                                      | 1     | exactly 90 %                                                            |
| SpO2 89 @0h                                                       | 2     | charted at the moment of the call                                       |
| SpO2 250 @-3h; device RA @-1h; SpO2 97 @-1h                       | ≥1    | a saturation that cannot be leaves a hole                               |
| device unheard-of @-1h                                            | ≥1    | a device that nobody listed                                             |
| device unheard-of @-1h; flow 2 @-1h                               | ≥2    | its flow gives a minimum                                                |
| device unheard-of @-1h; flow 2 @-2h; SpO2 97 @-1h                 | ≥1    | a flow from before it does not                                          |
| device unheard-of @-1h; device NC @-5h; flow 2 @-5h               | ≥2    | it never displaces a higher row                                         |
| device unheard-of @-1h; device HFNC @-24h                         | ≥3    | to 24 h                                                                 |
| device RA @-3h; device unheard-of @-1h                            | ≥1    | nor does room air before it say that there is none                      |
| device unheard-of @-24h; SpO2 97 @-1h                             | ≥1    | 24 h ago it still leaves oxygen unknown                                 |
| device unheard-of @-25h; SpO2 97 @-1h                             | 1     | past 24 h it gives way to the saturation                                |
| device BiPAP @D0 10:00; device BiPAP @-1h                         | 4     | used first as the infusion began: no home device                        |
| device BiPAP @D-1 22:00; device BiPAP @-1h                        | ≥1    | used before day 0 too: home device, or respiratory failure              |
| device BiPAP @D-1 22:00; device BiPAP @-1h; device HFNC @-1h      | ≥3    | high flow beside the home device                                        |
| device BiPAP @D-1 22:00; device BiPAP @-3h; device HFNC @-1h      | 3     | high flow after it                                                      |
| device BiPAP @D-1 22:00; device BiPAP @-1h; device NC @0h; flow 2 @0h | 2 | a cannula after it                                                      |
| device BiPAP @D-1 22:00; device BiPAP @-24h; SpO2 97 @-1h         | ≥1    | the home device 24 h ago                                                |
| device BiPAP @D-1 22:00; device BiPAP @-25h; SpO2 97 @-1h         | 1     | past 24 h                                                               |
| SpO2 97 @-1h; device BiPAP @D-1 22:00; device BiPAP @0h           | ≥1    | the home device at the moment of the call                               |
| device ventilator @-1h                                            | 4     | ventilated                                                              |
""")


@pytest.mark.parametrize("row", OXYGEN, ids=name_of)
def test_oxygen_at_its_limits(row: dict[str, str]) -> None:
    assert shown_grade(facts_of(patient(f"{FEVER}; {row['chart']}"))) == row["grade"]


WELL = "T 38.5 @-1h; SpO2 97 @-1h; device RA @-1h"
PRESSURE = rows("""
| chart                                                             | grade | because                                                                 |
| SBP 84 @-12h; SBP 118 @-1h                                        | 2     | a low pressure 12 h ago                                                 |
| SBP 84 @-721m; SBP 118 @-1h                                       | 1     | a minute more is out of the window                                      |
| SBP 84 @0h                                                        | 2     | at the moment of the call                                               |
| MAP 65 @-1h                                                       | 1     | a mean pressure of exactly 65                                           |
| MAP 65 @-2h; MAP 65 @-1h                                          | 1     | two of exactly 65 are not below 65                                      |
| MAP 64 @-2h; MAP 64 @-1h                                          | 2     | two of 64 are                                                           |
| MAP 66 @-2h; MAP 66 @-1h                                          | 1     | two of 66 are not                                                       |
| MAP 60 @-2h; MAP 62 @-1h                                          | 2     | two low mean pressures, no systolic one                                 |
| MAP 60 @-1h                                                       | ≥1    | one low mean pressure alone says neither                                |
| MAP 60 @-12h; MAP 62 @-1h                                         | 2     | the first 12 h ago                                                      |
| MAP 60 @-1h; MAP 62 @0h; SBP 118 @-1h                             | 2     | the second at the moment of the call                                    |
| MAP 60 @-75m; MAP 62 @-60m; SBP 118 @-1h                          | 2     | exactly 15 min apart                                                    |
| MAP 60 @-74m; MAP 62 @-60m; SBP 118 @-1h                          | 1     | a minute less                                                           |
| MAP 60 @-75m; MAP 64 @-70m; MAP 60 @-65m; MAP 62 @-60m; SBP 118 @-1h | 2  | an arterial line: the run of low ones lasts 15 min                      |
| MAP 60 @-75m; MAP 70 @-70m; MAP 62 @-60m; SBP 118 @-1h            | 1     | a normal one between: not consecutive                                   |
| rate norepinephrine 0.1 @-4h; SBP 118 @-1h                        | 3     | a charted rate runs for 4 h                                             |
| rate norepinephrine 0.1 @-241m; SBP 118 @-1h                      | 3     | a minute more: it keeps its row, marked                                 |
| rate norepinephrine 0.1 @-24h; SBP 118 @-1h                       | 3     | to 24 h                                                                 |
| rate norepinephrine 0.1 @-1441m; SBP 118 @-1h                     | 1     | past 24 h it gives way to the pressure charted since                    |
| rate norepinephrine 0.1 @-13h; rate epinephrine 0.1 @-9h          | 4     | two charted 4 h apart and both long ago may have run together           |
| rate norepinephrine 0.1 @-13h; rate epinephrine 0.1 @-539m        | 3     | more than 4 h apart they are one after the other                        |
| rate norepinephrine 0.1 @-13h; rate epinephrine 0.1 @-12h; rate vasopressin 0.03 @-5h | 4 | two long ago, whatever vasopressin was charted since        |
""")


@pytest.mark.parametrize("row", PRESSURE, ids=name_of)
def test_pressure_at_its_limits(row: dict[str, str]) -> None:
    assert shown_grade(facts_of(patient(f"{WELL}; {row['chart']}"))) == row["grade"]


SIGNS = "SBP 118 @-1h; SpO2 97 @-1h; device RA @-1h"
LOW = "SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h"
FEVERS = rows("""
| chart                                                                     | grade             | because                                                |
| T 36.8 @-24h; SIGNS                                                       | 0                 | a temperature 24 h ago is in the window                |
| T 36.8 @-1441m; SIGNS                                                     | unknown, 0 if CRS | a minute more is not                                   |
| T 36.8 @0h; SIGNS                                                         | 0                 | measured at the moment of the call                     |
| T 38.0 @+5m; SIGNS                                                        | 1                 | five minutes ahead of our clock counts as now          |
| T 38.5 @D0 10:00; give paracetamol 1000 @D0 12:00; SBP 84 @D2 10:00; T 36.8 @-1h; LOW | 2                 | fever as the infusion began is an onset                |
| T 38.5 @D0 09:59; give paracetamol 1000 @D0 12:00; T 36.8 @-1h; LOW       | 0                 | fever before it is none                                |
| T 38.5 @-40h; give dexamethasone 10 @0h; T 36.8 @-1h; LOW                 | 2                 | treated at the moment of the call                      |
| T 38.5 @-40h; give dexamethasone 10 @-40h; T 36.8 @-1h; LOW               | 2                 | treated at onset                                       |
| give paracetamol 1000 @-64h; T 38.5 @-40h; T 36.8 @-1h; LOW               | 2                 | an antipyretic exactly 24 h before onset               |
| give paracetamol 1000 @-24h; T 36.8 @-1h; LOW                             | masked, 2 if CRS  | an antipyretic 24 h ago may mask                       |
| give paracetamol 1000 @-1441m; T 36.8 @-1h; LOW                           | 0                 | a minute more may not                                  |
| give dexamethasone 10 @-72h; T 36.8 @-1h; LOW                             | masked, 2 if CRS  | a corticosteroid 72 h ago may mask                     |
| give dexamethasone 10 @-4321m; T 36.8 @-1h; LOW                           | 0                 | a minute more may not                                  |
| T 38.5 @-40h; T 36.8 @-1h; start norepinephrine 0.1 @-2h; SpO2 97 @-1h; device RA @-1h | masked, 3 if CRS | a vasopressor, fever earlier and nothing given |
| T 38.5 @-40h; give paracetamol 1000 @-30h; T 36.8 @-1h; start norepinephrine 0.1 @-2h | ≥3   | waived, oxygen not charted                             |
| SBP 84 @-1h                                                               | unknown, 2 if CRS | hypotension, no temperature, no oxygen                 |
| give paracetamol 1000 @-5h; T 36.8 @-1h; SBP 118 @-1h; device BiPAP @D-1 22:00; device BiPAP @-1h; SpO2 97 @-1h | unknown, 0 if CRS | a home device may hide a row |
""")


@pytest.mark.parametrize("row", FEVERS, ids=name_of)
def test_fever_at_its_limits(row: dict[str, str]) -> None:
    chart = row["chart"].replace("SIGNS", SIGNS).replace("LOW", LOW)
    assert shown_grade(facts_of(patient(chart))) == row["grade"]


TREATED = "T 39 @D1 06:00; toci 560 @D1 10:00"
LATER = "T 36.8 @D5 11:00; SpO2 97 @D5 11:00; device RA @D5 11:00"
WAIVER = rows("""
| chart                                                | grade            | because                                                               |
| SBP 84 @D5 11:00                                     | masked, 2 if CRS | more than 72 h after fever and dose the waiver has lapsed             |
| T 38.0 @D2 11:00; SBP 84 @D5 11:00                   | 2                | hypotension exactly 72 h after fever                                  |
| T 38.0 @D2 10:59; SBP 84 @D5 11:00                   | masked, 2 if CRS | a minute more, and the waiver had lapsed                              |
| SBP 84 @D4 10:00; SBP 84 @D5 11:00                   | 2                | hypotension 72 h after the dose renews it                             |
| SBP 84 @D4 10:01; SBP 84 @D5 11:00                   | masked, 2 if CRS | hypotension a minute later does not bring it back                     |
| toci 560 @D4 10:00; SBP 84 @D5 11:00                 | 2                | another dose of tocilizumab renews it too                             |
| toci 560 @D4 10:01; SBP 84 @D5 11:00                 | masked, 2 if CRS | a dose after the gap does not                                         |
| give tocilizumab 162 subcutaneous @D4 09:00; SBP 84 @D5 11:00 | masked, 2 if CRS | one under the skin is no dose for CRS                        |
| give paracetamol 1000 @D4 10:00; SBP 84 @D5 11:00    | masked, 2 if CRS | an antipyretic is no record of CRS                                    |
| SBP 84 @D3 12:00; SBP 84 @D5 11:00                   | 2                | hypotension between keeps it                                          |
| SBP 90 @D3 12:00; SBP 84 @D5 11:00                   | masked, 2 if CRS | a pressure of exactly 90 does not                                     |
| SpO2 89 @D3 12:00; SpO2 89 @D3 12:05; SBP 84 @D5 11:00 | 2              | two low saturations keep it                                           |
| SpO2 89 @D3 12:00; SpO2 89 @D3 12:04; SBP 84 @D5 11:00 | masked, 2 if CRS | two within 5 min are one                                            |
| SpO2 89 @D3 12:00; SBP 84 @D5 11:00                  | masked, 2 if CRS | one that normal ones followed does not                                |
| SpO2 90 @D3 12:00; SpO2 90 @D3 13:00; SBP 84 @D5 11:00 | masked, 2 if CRS | nor do two of exactly 90                                            |
| flow 0.5 @D3 12:00; SBP 84 @D5 11:00                 | 2                | any flow keeps it                                                     |
| flow 0 @D3 12:00; SBP 84 @D5 11:00                   | masked, 2 if CRS | flow 0 does not                                                       |
| FiO2 22 @D3 12:00; SBP 84 @D5 11:00                  | 2                | FiO2 above 0.21 keeps it                                              |
| FiO2 21 @D3 12:00; SBP 84 @D5 11:00                  | masked, 2 if CRS | 0.21 does not                                                         |
| device NC @D3 12:00; SBP 84 @D5 11:00                | 2                | a cannula keeps it                                                    |
| device RA @D3 12:00; SBP 84 @D5 11:00                | masked, 2 if CRS | room air does not                                                     |
| rate norepinephrine 0.1 @D3 12:00; SBP 84 @D5 11:00  | 2                | a vasopressor between keeps it                                        |
| start norepinephrine 0.1 @D1 12:00                   | 3                | one that still runs keeps it                                          |
| SBP 118 @D5 11:00                                    | 0                | both rows zero: grade 0                                               |
| MAP 60 @D3 12:00; MAP 60 @D3 12:15; SBP 84 @D5 11:00 | 2                | consecutive low mean pressures 15 min apart keep it                   |
| MAP 60 @D3 12:00; MAP 60 @D3 12:14; SBP 84 @D5 11:00 | masked, 2 if CRS | within 15 min they do not                                             |
| MAP 60 @D3 12:00; MAP 70 @D3 12:10; MAP 60 @D3 12:20; SBP 84 @D5 11:00 | masked, 2 if CRS | nor with a normal one between                       |
| MAP 65 @D3 12:00; MAP 65 @D3 13:00; SBP 84 @D5 11:00 | masked, 2 if CRS | 65 is not low                                                         |
| MAP 60 @D3 12:00; MAP 60 @D4 00:00; SBP 84 @D5 11:00 | 2                | two in one window of 12 h                                             |
| MAP 60 @D3 12:00; MAP 60 @D4 00:01; SBP 84 @D5 11:00 | masked, 2 if CRS | a minute more: each is one alone                                      |
| MAP 60 @D3 12:00; MAP 60 @D5 11:00; SBP 84 @D5 11:00 | masked, 2 if CRS | one on day 3 is no hypotension, whatever is charted on day 5          |
| start norepinephrine 0.1 @D0 10:00                   | 3                | a vasopressor that runs since the infusion keeps it                   |
| rate norepinephrine 0.1 @D1 12:00; SBP 84 @D5 11:00  | masked, 2 if CRS | one charted once on day 1 does not                                    |
| T 38.5 @D4 11:00; SBP 84 @D5 11:30                   | 2                | lapsed on day 4, brought back by a new fever an hour later            |
""")


@pytest.mark.parametrize("row", WAIVER, ids=name_of)
def test_the_waiver_on_day_5(row: dict[str, str]) -> None:
    facts = facts_of(patient(f"{TREATED}; {LATER}; {row['chart']}"), as_of=moment_of("D5 12:00"))
    assert shown_grade(facts) == row["grade"]


RENEWED = rows("""
| chart                                                                 | grade            | because                                                                    |
| start norepinephrine 0.1 @D4 11:00; T 38.5 @D4 12:00                  | 3                | begun between, and running ever since: its last record is now              |
| SBP 84 @D3 12:00; SBP 84 @D6 12:00; SBP 84 @D9 11:00                  | 2                | one sign after another, none later than 72 h after the one before          |
| rate norepinephrine 0.1 @D4 11:00; T 38.5 @D4 12:00; SBP 84 @D9 11:00 | masked, 2 if CRS | charted once: five days after the new fever the waiver has lapsed again    |
""")


@pytest.mark.parametrize("row", RENEWED, ids=name_of)
def test_the_waiver_on_day_9(row: dict[str, str]) -> None:
    now = "T 36.8 @D9 11:00; SpO2 97 @D9 11:00; device RA @D9 11:00"
    facts = facts_of(patient(f"{TREATED}; {row['chart']}; {now}"), as_of=moment_of("D9 12:00"))
    assert shown_grade(facts) == row["grade"]


ACROSS = rows("""
| chart                                   | grade            | because                                              |
| MAP 60 @D0 10:00; MAP 60 @D0 21:00      | 2                | both in the course: hypotension at 21:00 on day 0    |
| MAP 60 @D0 09:59; MAP 60 @D0 21:00      | masked, 2 if CRS | the first before the infusion: one alone             |
| SpO2 88 @D0 10:00; SpO2 88 @D0 21:00    | 2                | both in the course: SpO2 low twice by 21:00 on day 0 |
| SpO2 88 @D0 09:59; SpO2 88 @D0 21:00    | masked, 2 if CRS | the first before the infusion: one alone             |
""")


@pytest.mark.parametrize("row", ACROSS, ids=name_of)
def test_readings_around_the_infusion_and_the_waiver_on_day_3(row: dict[str, str]) -> None:
    fever = "T 39 @D0 11:00; toci 560 @D0 12:00"
    now = "T 36.8 @D3 20:00; SBP 84 @D3 20:00; SpO2 97 @D3 20:00; device RA @D3 20:00"
    facts = facts_of(patient(f"{fever}; {row['chart']}; {now}"), as_of=moment_of("D3 20:30"))
    assert shown_grade(facts) == row["grade"]


CHILD_WAIVER = rows("""
| chart                                                 | grade            | because                                                  |
| SBP 85 @D3 12:00; SBP 84 @D5 11:00                    | 2                | below 70 + 2×8 keeps it                                  |
| SBP 87 @D3 12:00; SBP 84 @D5 11:00                    | masked, 2 if CRS | low for an adult only: it lapses                         |
| MAP 60 @D3 12:00; MAP 60 @D3 13:00; SBP 84 @D5 11:00  | masked, 2 if CRS | mean pressures say nothing of a child                    |
""")


@pytest.mark.parametrize("row", CHILD_WAIVER, ids=name_of)
def test_the_waiver_of_a_child_of_8_years_on_day_5(row: dict[str, str]) -> None:
    found = patient(f"{TREATED}; {LATER}; {row['chart']}", birth_date="2018-01-01")
    assert shown_grade(facts_of(found, as_of=moment_of("D5 12:00"))) == row["grade"]


AT_THE_CALL = rows("""
| chart                                       | grade | because                                                                              |
| device HFNC @0h                             | 3     | a device charted at the moment of the call                                           |
| device NC @-1h; flow 8 @0h                  | 3     | a flow charted at the moment of the call                                             |
| device HFNC @D0 10:00; SpO2 97 @-1h         | ≥1    | high flow charted as the infusion began: a saturation does not end it                |
""")


@pytest.mark.parametrize("row", AT_THE_CALL, ids=name_of)
def test_oxygen_at_the_moment_of_the_call_or_of_the_infusion(row: dict[str, str]) -> None:
    assert shown_grade(facts_of(patient(f"{FEVER}; {row['chart']}"))) == row["grade"]


BESIDE = rows("""
| chart                                                                                 | ordered        | grade            | because                                              |
| T 38.5 @-1h; device NC @-1h; flow 2 @-1h                                              |                | 2                | a pressure never charted could show no more than 2   |
| T 38.5 @-1h; device BiPAP @-1h; rate norepinephrine 0.1 @-13h; rate epinephrine 0.1 @-1h |             | 4                | nor may a second vasopressor raise grade 4           |
| T 38.5 @-1h; device BiPAP @-1h; SBP 118 @-1h                                          | norepinephrine | 4                | nor one that is ordered                              |
| T 38.5 @-40h; T 36.8 @-1h; SpO2 97 @-1h; device RA @-1h; start norepinephrine 0.1 @-2h | epinephrine   | masked, 4 if CRS | no grade: the second ordered would make 4            |
""")


@pytest.mark.parametrize("row", BESIDE, ids=name_of)
def test_what_is_not_known_counts_only_where_it_could_raise_the_grade(row: dict[str, str]) -> None:
    orders = [ordered_infusion(row["ordered"])] if row["ordered"] else []
    assert shown_grade(facts_of([*patient(row["chart"]), *orders])) == row["grade"]


NOT_CHARTED = rows("""
| ordered | grade | because                                         |
| -1439m  | ≥1    | a minute less than 24 h ago: it may run by now  |
| -24h    | ≥1    | exactly 24 h ago                                |
| -1441m  | 1     | a minute more: an order that nobody carried out |
""")


@pytest.mark.parametrize("row", NOT_CHARTED, ids=name_of)
def test_a_vasopressor_ordered_and_never_charted(row: dict[str, str]) -> None:
    """Fever, SBP 118, SpO2 97 % on room air, and an order for norepinephrine."""
    order = changed(ordered_infusion("norepinephrine"), authoredOn=moment_of(row["ordered"]).isoformat())
    assert shown_grade(facts_of([*patient(f"{FEVER}; {WELL}"), order])) == row["grade"]


IN_PART = rows("""
| chart                     | kind                       | since | grade             | cards                                                | because                                             |
| T 36.8 @-1h; SIGNS        | vital signs                | -24h  | 0                 | crs-grade-unknown (w), crs-grade                     | an earlier fever would change nothing; it is said   |
| T 36.8 @-1h; SIGNS        | vital signs                | -12h  | unknown, 0 if CRS | crs-grade-unknown (w), crs-grade                     | half of it: there may have been fever               |
| T 38.5 @-1h; SBP 118 @-1h | vital signs                | -12h  | ≥1                | grade1-supportive (w), crs-grade                         | fever was read, and oxygen was never charted        |
| T 36.8 @-1h; SIGNS        | medication administrations | -25h  | unknown, 0 if CRS | crs-grade-unknown (w), crs-grade                     | what was given before may hide fever                |
| T 38.5 @-1h; SIGNS        | medication administrations | -24h  | 1                 | grade1-supportive, data-quality, crs-grade           | fever now: a vasopressor would be seen              |
| T 38.5 @-1h; SIGNS        | medication administrations | -12h  | ≥1                | crs-grade-unknown (w), grade1-supportive, data-quality, crs-grade | one charted 20 h ago and not stopped would not      |
""")


@pytest.mark.parametrize("row", IN_PART, ids=name_of)
def test_what_was_read_only_some_way_back(row: dict[str, str]) -> None:
    found = patient(row["chart"].replace("SIGNS", SIGNS))
    since = {Kind(row["kind"]): moment_of(row["since"])}
    assert shown_grade(facts_of(found, since=since)) == row["grade"]
    assert shown_cards(answered(found, since=since)) == row["cards"]


PROGRESS = rows("""
| at dose 2                                             | progressed     | because                                                                        |
| device RA @-11h                                       | yes            | grade 1 then                                                                   |
| device BiPAP @-11h                                    | no             | grade 4 then                                                                   |
| device BiPAP @D-1 22:00; device BiPAP @-11h           | cannot be told | a home device then, or respiratory failure: the cannula since says nothing of it |
""")


@pytest.mark.parametrize("row", PROGRESS, ids=name_of)
def test_progress_to_a_cannula_since_dose_2(row: dict[str, str]) -> None:
    then = f"T 39 @-11h; SBP 118 @-11h; SpO2 97 @-11h; {row['at dose 2']}; toci 560 @-20h; toci 560 @-10h"
    facts = facts_of(patient(f"{then}; T 39 @-1h; SBP 118 @-1h; device NC @-1h; flow 3 @-1h"))
    assert shown_grade(facts) == "2"
    assert {True: "yes", False: "no", None: "cannot be told"}[facts.progressed] == row["progressed"]


STATE = rows("""
| more                         | ordered        | changed | because                                                                |
| give paracetamol 1000 @-1h   |                | no      | an antipyretic: grade 0 before and after                               |
|                              | norepinephrine | no      | a vasopressor ordered where fever never was: grade 0 before and after  |
| T 38.5 @0h                   |                | yes     | fever: grade 1                                                         |
""")


@pytest.mark.parametrize("row", STATE, ids=name_of)
def test_whether_a_dismissed_card_comes_back_to_a_patient_without_fever(row: dict[str, str]) -> None:
    well = f"T 36.8 @-1h; {SIGNS}"
    orders = [ordered_infusion(row["ordered"])] if row["ordered"] else []

    def state(found: list[Resource]) -> str:
        facts = facts_of(found)
        return state_of(facts, verdicts(facts, T))

    before, after = state(patient(well)), state([*patient(f"{well}; {row['more']}"), *orders])
    assert (before != after) is (row["changed"] == "yes")


NOT_READ = rows("""
| chart                                                        | unread                     | grade             | because                                        |
| T 38.5 @-1h; SIGNS                                           | vital signs                | ≥1                | fever that was read is fever                   |
| T 36.8 @-1h; SIGNS                                           | vital signs                | unknown, 0 if CRS | what was not read may have been fever          |
| T 38.5 @-1h; LOW                                             | vital signs                | 2                 | the low reading that was read is low           |
| T 38.5 @-1h; start norepinephrine 0.1 @-2h                   | vital signs                | ≥3                | a vasopressor, oxygen not charted              |
| T 38.5 @-1h; SBP 118 @-1h                                    | oxygen                     | ≥1                | oxygen not read                                |
| T 36.8 @-1h; SBP 118 @-1h                                    | oxygen                     | 0                 | without fever it is grade 0, and said so       |
| T 38.5 @-1h; SIGNS                                           | medication administrations | ≥1                | a vasopressor may run                          |
| T 38.5 @-1h; SBP 118 @-1h; device BiPAP @-1h                 | medication administrations | 4                 | nothing unread can raise grade 4               |
""")


@pytest.mark.parametrize("row", NOT_READ, ids=name_of)
def test_what_was_not_read(row: dict[str, str]) -> None:
    chart = row["chart"].replace("SIGNS", SIGNS).replace("LOW", LOW)
    assert shown_grade(facts_of(patient(chart), unread=[Kind(row["unread"])])) == row["grade"]


START = "T 38.5 @D3 06:00; T 36.8 @D-1 08:00"
FOLDS = rows("""
| chart                                                             | il6                            | because                                                      |
| il6 10 @D0 08:00; il6 40 @D4 07:00                                | 4.00 high                      | exactly fourfold is high                                     |
| il6 10 @D0 08:00; il6 39.9 @D4 07:00                              | 3.99 low                       | just below                                                   |
| il6 10 @D0 08:00; il6 <40 @D4 07:00                               | 0.00–4 low                     | below 40 is less than fourfold, however low                  |
| il6 10 @D0 08:00; il6 <=40 @D4 07:00                              | unknown: censored_inconclusive | 40 itself would be fourfold                                  |
| il6 10 @D0 08:00; il6 <40 @D4 07:00; il6 39 @D4 08:00             | 3.90–4 low                     | the larger of the two can only be below 40                   |
| il6 10 @D0 08:00; il6 >=40 @D4 07:00                              | 4.00–∞ high                    | at least 40                                                  |
| il6 >10 @D0 08:00; il6 40 @D4 07:00                               | 0.00–4 low                     | a baseline above 10 makes less than fourfold                 |
| il6 >=10 @D0 08:00; il6 40 @D4 07:00                              | unknown: censored_inconclusive | one of 10 would make fourfold                                |
| il6 0 @D0 08:00; il6 20 @D4 07:00                                 | unknown: zero_baseline         | no ratio to zero                                             |
| il6 10 @D-3 10:00; il6 20 @D4 07:00                               | 2.00 low                       | exactly 72 h before the infusion                             |
| il6 10 @D-3 09:59; il6 20 @D4 07:00                               | unknown: no_baseline           | a minute more is too early                                   |
| il6 10 @D1 00:00; il6 20 @D4 07:00                                | unknown: no_baseline           | midnight is day 1                                            |
| il6 10 @D0 08:00; il6 20 @D3 12:00                                | 2.00 low                       | exactly 24 h ago is fresh                                    |
| il6 10 @D0 08:00; il6 20 @D3 11:59                                | unknown: no_recent_sample      | a minute more is not                                         |
| il6 10 @D0 08:00; il6 20 @D4 12:00                                | 2.00 low                       | drawn at the moment of the call                              |
| il6 10 @D0 08:00; il6 90 @+5m                                     | 9.00 high                      | five minutes ahead of our clock                              |
| il6 10 @D0 08:00; il6 90 @+6m                                     | unknown: no_peak               | six minutes ahead is set aside                               |
| il6 10 @D0 08:00; toci 560 @D3 12:00; il6 20 @D3 06:00            | 2.00 low                       | drawn at fever onset                                         |
| il6 10 @D0 08:00; toci 560 @D3 12:00; il6 20 @D3 05:59            | unknown: no_recent_sample      | a minute before                                              |
| il6 10 @D0 08:00; toci 560 @D3 12:00; il6 90 @D3 12:00            | unknown: no_peak               | drawn as tocilizumab began is after it                       |
| il6 10 @D0 08:00; toci 560 @D3 12:00; il6 90 @D3 11:59            | 9.00 high                      | a minute before it is not                                    |
| il6 10 @D0 08:00; give sarilumab 200 @D1 10:00                    | unknown: no_peak               | another blocker of the receptor                              |
| toci 560 @D-28 10:00; il6 10 @D0 08:00; il6 50 @D4 07:00          | unknown: prior_il6r_blockade   | 28 days before the infusion                                  |
| toci 560 @D-29 09:00; il6 10 @D0 08:00; il6 50 @D4 07:00          | 5.00 high                      | more than 28 days                                            |
| il6 30 nmol/L @D0 08:00; il6 90 nmol/L @D4 07:00                  | 3.00 low                       | a unit that does not convert, the same in both               |
| il6 30 nmol/L @D0 08:00; il6 90 nmol/L @D4 07:00; il6 20 @D4 08:00 | unknown: unusable_sample      | a sample in another unit cannot be compared                  |
| il6 10 @D0 08:00; il6 15 @D4 07:00; il6 60 preliminary @D4 09:00  | unknown: preliminary           | a preliminary result would make it high                      |
| il6 10 @D0 08:00; il6 15 @D4 07:00; il6 40 preliminary @D4 09:00  | unknown: preliminary           | also at exactly fourfold                                     |
| il6 10 @D0 08:00; il6 15 @D4 07:00; il6 39 preliminary @D4 09:00  | 1.50 low                       | one that would not                                           |
| il6 10 @D0 08:00; il6 15 @D4 07:00; il6 60 preliminary @D0 07:00  | 1.50 low                       | one from before the infusion is no peak                      |
| il6 10 @D0 08:00; il6 15 @D4 07:00; il6 60 furlong @D4 09:00      | unknown: unusable_sample       | a result that cannot be read may have been high              |
| il6 10 @D0 08:00; il6 15 @D4 07:00; T 101 @D0 01:00               | unknown: temperatures_unread   | a temperature that cannot be read may have been fever        |
""")


@pytest.mark.parametrize("row", FOLDS, ids=name_of)
def test_il6_at_its_limits(row: dict[str, str]) -> None:
    assert shown_fold(facts_of(patient(f"{START}; {row['chart']}")), "il6") == row["il6"]


FEBRILE = rows("""
| chart                                          | il6                       | because                                                  |
| T 38.5 @D0 08:00                               | unknown: febrile_baseline | the baseline was drawn in fever                          |
| T 38.5 @D-1 08:00                              | unknown: febrile_baseline | 24 h after fever                                         |
| T 38.5 @D-1 07:59                              | 2.00 low                  | a minute more                                            |
| T 37.9 @D0 08:00                               | 2.00 low                  | no fever                                                 |
""")


@pytest.mark.parametrize("row", FEBRILE, ids=name_of)
def test_a_baseline_near_fever_carries_no_small_rise(row: dict[str, str]) -> None:
    chart = f"{row['chart']}; T 38.5 @D4 06:00; il6 10 @D0 08:00; il6 20 @D4 07:00"
    assert shown_fold(facts_of(patient(chart)), "il6") == row["il6"]


BEFORE = rows("""
| fever     | baseline  | il6                       | because                                       |
| D-4 10:00 | D-3 10:00 | unknown: febrile_baseline | 96 h and 72 h before the infusion: 24 h apart |
| D-4 09:59 | D-3 10:00 | 2.00 low                  | a minute more                                 |
| D-4 09:59 | D-3 09:59 | unknown: no_baseline      | more than 72 h before the infusion            |
""")


@pytest.mark.parametrize("row", BEFORE, ids=name_of)
def test_a_baseline_near_fever_days_before_the_infusion(row: dict[str, str]) -> None:
    chart = f"T 38.5 @{row['fever']}; il6 10 @{row['baseline']}; T 38.5 @D4 06:00; il6 20 @D4 07:00"
    assert shown_fold(facts_of(patient(chart)), "il6") == row["il6"]


FURTHER = rows("""
| number                | hours | fever     | il6                       | because                                                 |
| baseline_after_fever  | 48    | D-5 10:00 | unknown: febrile_baseline | exactly the 48 h of this site before the baseline       |
| baseline_after_fever  | 48    | D-5 09:59 | 2.00 low                  | a minute more                                           |
| signs_before_infusion | 72    | D-4 10:00 | unknown: febrile_baseline | supplied, though this site reads from 72 h before alone |
| signs_before_infusion | 72    | D-4 09:59 | 2.00 low                  | more than 24 h before the baseline                      |
""")


@pytest.mark.parametrize("row", FURTHER, ids=name_of)
def test_a_fever_before_a_baseline_by_a_site_s_own_numbers(row: dict[str, str]) -> None:
    site = site_thresholds({row["number"]: f"{row['hours']} h"})
    chart = f"T 38.5 @{row['fever']}; il6 10 @D-3 10:00; T 38.5 @D4 06:00; il6 20 @D4 07:00"
    assert shown_fold(facts_of(patient(chart), thresholds=site), "il6") == row["il6"]


DAYS_14 = replace(T, prior_blockade=timedelta(days=14))
HISTORY = rows("""
| since      | il6                         | because                                               |
| D-28 09:59 | 4.00 high                   | a minute more than 28 days before the infusion        |
| D-28 10:00 | 4.00 high                   | exactly 28 days                                       |
| D-28 10:01 | unknown: history_incomplete | a minute less: an IL-6 blocker of then may be missing |
""")


@pytest.mark.parametrize("t", [T, DAYS_14], ids=["usual numbers", "a blocker spoils IL-6 for 14 days only"])
@pytest.mark.parametrize("row", HISTORY, ids=name_of)
def test_how_far_back_administrations_must_be_known(row: dict[str, str], t: Thresholds) -> None:
    """Administrations were read from `since` on. A site that lets a blocker spoil IL-6 for less time changes nothing here."""
    chart = patient(f"{START}; il6 10 @D0 08:00; il6 40 @D4 07:00")
    facts = facts_of(chart, since={Kind.ADMINISTRATIONS: moment_of(row["since"])}, thresholds=t)
    assert shown_fold(facts, "il6") == row["il6"]


CRP = rows("""
| chart                                                             | crp                            | because                                                      |
| crp 12 @D0 08:00; crp 48 @D4 07:00                                | 4.00 high                      | fourfold                                                     |
| crp 10 @D0 08:00; crp 18.3 @D4 07:00                              | 1.83 low                       | exactly 1.83-fold is not above it                            |
| crp 10 @D0 08:00; crp 18.4 @D4 07:00                              | 1.84 high                      | just above                                                   |
| crp 10 @D0 08:00; crp >18.3 @D4 07:00                             | 1.83–∞ high                    | more than 18.3                                               |
| crp 10 @D0 08:00; crp >18.3 @D4 07:00; crp 18.3 @D4 08:00         | 1.83–∞ high                    | the larger of the two is more than 18.3                      |
| crp 10 @D0 08:00; crp >=18.3 @D4 07:00                            | unknown: censored_inconclusive | 18.3 itself would be low                                     |
| crp 10 @D0 08:00; crp <40 @D4 07:00                               | unknown: censored_inconclusive | below 40 may be either                                       |
| crp 10 @D0 08:00; crp <=18.3 @D4 07:00                            | 0.00–1.83 low                  | at most 18.3                                                 |
| crp 10 @D0 08:00; crp 15 @D4 07:00; crp 60 preliminary @D4 09:00  | unknown: preliminary           | a preliminary result would make it high                      |
| crp 10 @D0 08:00; crp 15 @D4 07:00; crp 18.3 preliminary @D4 09:00 | 1.50 low                      | one that would not                                           |
| crp 10 @D0 08:00; crp 15 @D4 07:00; crp 60 furlong @D4 09:00      | unknown: unusable_sample       | a result that cannot be read                                 |
| toci 560 @D-2 10:00; crp 10 @D0 08:00; crp 20 @D4 07:00           | 2.00 high                      | tocilizumab before the infusion spoils IL-6 alone            |
""")


@pytest.mark.parametrize("row", CRP, ids=name_of)
def test_crp_at_its_limits(row: dict[str, str]) -> None:
    assert shown_fold(facts_of(patient(f"{START}; {row['chart']}")), "crp") == row["crp"]


GRADE2 = "T 39 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h; weight 70 @-9h"
CARDS = rows("""
| chart                                                                             | at        | cards                                                        | because                                    |
| toci 560 @-8h; GRADE2                                                             |           | toci-guideline (w), crs-grade                                | dose 1 exactly 8 h ago                     |
| toci 560 @-479m; GRADE2                                                           |           | reassess-window, crs-grade                                   | a minute less                              |
| toci 560 @-20h; toci 560 @-8h; GRADE2                                             |           | steroid-after-2-toci (w), crs-grade                          | dose 2 exactly 8 h ago                     |
| T 39 @-30h; SBP 84 @-9h; SpO2 97 @-9h; device RA @-9h; toci 560 @-20h; toci 560 @-479m; GRADE2 | | reassess-window, crs-grade                                | a minute less                              |
| crp 10 @D0 08:00; crp 60 @D2 07:00; T 39 @D3 06:00; toci 560 @D4 12:00; T 36.8 @D18 09:00; SBP 118 @D18 09:00; SpO2 97 @D18 09:00; device RA @D18 09:00 | D18 12:00 | infection-surveillance (w), crs-grade | tocilizumab exactly 14 days ago |
| crp 10 @D0 08:00; crp 60 @D2 07:00; T 39 @D3 06:00; toci 560 @D4 12:00; T 36.8 @D18 09:00; SBP 118 @D18 09:00; SpO2 97 @D18 09:00; device RA @D18 09:00 | D18 12:01 | crs-grade                            | a minute more                   |
| T 39 @D30 06:00; il6 10 @D0 08:00; il6 90 @D30 07:00; SBP 84 @D30 20:00; SpO2 97 @D30 20:00; device RA @D30 20:00 | D30 23:59 | toci-recommended (w), crs-grade | the last minute of day 30 |
| T 39 @D31 06:00; il6 10 @D0 08:00; il6 90 @D30 07:00; SBP 84 @D31 00:00; SpO2 97 @D31 00:00; device RA @D31 00:00 | D31 00:01 | crs-grade-unknown (w), data-quality, crs-grade | the first of day 31, fever not yet seen |
""")


@pytest.mark.parametrize("row", CARDS, ids=name_of)
def test_cards_at_their_limits(row: dict[str, str]) -> None:
    found = answered(patient(row["chart"].replace("GRADE2", GRADE2)), as_of=moment_of(row["at"]) if row["at"] else NOW)
    assert shown_cards(found) == row["cards"]


CLAIMS = rows("""
| chart                  | cards        | because                                                                     |
| coded D89.832 @-86399m | data-quality | a minute less than 60 days ago: CRS is claimed and no infusion is on record |
| coded D89.832 @-1440h  | data-quality | exactly 60 days                                                             |
| coded D89.832 @-86401m | –            | a minute more: an episode that is over                                      |
""")


@pytest.mark.parametrize("row", CLAIMS, ids=name_of)
def test_a_diagnosis_without_an_infusion_on_record(row: dict[str, str]) -> None:
    assert shown_cards(answered(patient(row["chart"], infused=False))) == row["cards"]


SCORES = rows("""
| chart         | cards                        | because                                         |
| ice 5 @-1439m | icans-steroid (w), crs-grade | a minute less than 24 h ago                     |
| ice 5 @-24h   | icans-steroid (w), crs-grade | exactly 24 h ago                                |
| ice 5 @-1441m | crs-grade                    | a minute more: a score that says nothing of now |
""")


@pytest.mark.parametrize("row", SCORES, ids=name_of)
def test_an_ice_score_at_its_limit(row: dict[str, str]) -> None:
    assert shown_cards(answered(patient(f"grade 0; {row['chart']}"))) == row["cards"]


HIGH = f"T 39 @D3 20:00; il6 10 @D0 08:00; il6 50 @D4 07:00; {GRADE2}"
THREE = f"T 39 @-90h; toci 560 @-60h; toci 560 @-40h; toci 560 @-20h; {GRADE2}"
CHECKED = rows("""
| chart                                   | cards                                                   | because                                              |
| THREE; toci 560 @D-26 12:01             | toci-max-doses (c), steroid-after-2-toci (w), crs-grade | four doses, the first a minute less than 30 days ago |
| THREE; toci 560 @D-26 12:00             | toci-max-doses (c), steroid-after-2-toci (w), crs-grade | the first exactly 30 days ago                        |
| THREE; toci 560 @D-26 11:59             | steroid-after-2-toci (w), crs-grade                     | a minute more: three                                 |
| HIGH; culture Escherichia coli @-10079m | toci-recommended (w), infection-surveillance (w), crs-grade       | grown from blood a minute less than 7 days ago       |
| HIGH; culture Escherichia coli @-168h   | toci-recommended (w), infection-surveillance (w), crs-grade       | exactly 7 days ago                                   |
| HIGH; culture Escherichia coli @-10081m | toci-recommended (w), crs-grade                         | a minute more                                        |
""")


@pytest.mark.parametrize("row", CHECKED, ids=name_of)
def test_what_a_drafted_tocilizumab_is_checked_against_at_its_limits(row: dict[str, str]) -> None:
    """`HIGH` is grade 2 with IL-6 up 5-fold, `THREE` is grade 2 after three doses 60, 40 and 20 h ago."""
    chart = patient(row["chart"].replace("THREE", THREE).replace("HIGH", HIGH))
    found = answered(chart, drafts=[drafted_tocilizumab("p", 560, NOW)], showing=Showing.ORDERS)
    assert shown_cards(found) == row["cards"]


MILLILITRES = rows("""
| mL   | says                         | because                                        |
| 25.1 | 502 mg is more than 10 % off | 20 mg/mL: just more than 10 % less than 560 mg |
| 25.2 | –                            | 504 mg: exactly 10 % less                      |
| 30.8 | –                            | 616 mg: exactly 10 % more                      |
| 30.9 | 618 mg is more than 10 % off | just more                                      |
""")


@pytest.mark.parametrize("row", MILLILITRES, ids=name_of)
def test_a_dose_drafted_in_millilitres_of_the_concentrate(row: dict[str, str]) -> None:
    """For 70 kg, where the dose is 560 mg."""
    dosage = {"doseAndRate": [{"doseQuantity": {"value": float(row["mL"]), "unit": "mL"}}]}
    draft = changed(drafted_tocilizumab("p", 560, NOW), dosageInstruction=[dosage])
    found = answered(patient(HIGH), drafts=[draft], showing=Showing.ORDERS)
    said = [c.detail for c in found.cards if c.id is CardId.TOCI_DOSE_CHECK]
    assert bool(said) is (row["says"] != "–")
    assert all(row["says"] in detail for detail in said)


def orders_of(found: Advice) -> str:
    """The labels of what an answer offers, without how a dose was worked out."""
    return ", ".join(s.label.partition(" (")[0] for c in found.cards for s in c.suggestions)


TIERS = rows("""
| weight | order                             | near | because                              |
| 28.9   | Tocilizumab 347 mg IV over 60 min | no   | 12 mg/kg, more than 1 kg below 30 kg |
| 29     | Tocilizumab 348 mg IV over 60 min | yes  | exactly 1 kg below                   |
| 29.9   | Tocilizumab 359 mg IV over 60 min | yes  | just below 30 kg                     |
| 30     | Tocilizumab 240 mg IV over 60 min | yes  | exactly 30 kg: 8 mg/kg               |
| 31     | Tocilizumab 248 mg IV over 60 min | yes  | exactly 1 kg above                   |
| 31.1   | Tocilizumab 249 mg IV over 60 min | no   | more                                 |
""")


@pytest.mark.parametrize("row", TIERS, ids=name_of)
def test_a_weight_near_the_change_of_the_dose_tier(row: dict[str, str]) -> None:
    """A child of 9 years with grade 2 and IL-6 up 5-fold; near is said on the card."""
    chart = patient(HIGH.replace("weight 70", f"weight {row['weight']}"), birth_date="2017-01-01")
    found = answered(chart)
    assert orders_of(found) == row["order"]
    card = next(c for c in found.cards if c.id is CardId.TOCI_RECOMMENDED)
    assert ("the dose tier is near: it changes at 30 kg" in card.detail) is (row["near"] == "yes")


AGES = rows("""
| born       | mean pressures | orders                                                              | because                    |
| 2008-03-07 | ≥1             | Tocilizumab 560 mg IV over 60 min                                   | 18 tomorrow: still a child |
| 2008-03-06 | 2              | Tocilizumab 560 mg IV over 60 min, Dexamethasone 10 mg IV every 6 h | 18 today                   |
| 2008-03-05 | 2              | Tocilizumab 560 mg IV over 60 min, Dexamethasone 10 mg IV every 6 h | 18 yesterday               |
""")


@pytest.mark.parametrize("row", AGES, ids=name_of)
def test_a_patient_around_the_18th_birthday(row: dict[str, str]) -> None:
    """Mean pressures of 60 mmHg twice and no other grade an adult only; at grade 3 a child gets no dose of a corticosteroid."""
    low = patient("T 38.5 @-1h; MAP 60 @-2h; MAP 60 @-1h; SpO2 97 @-1h; device RA @-1h", birth_date=row["born"])
    assert shown_grade(facts_of(low)) == row["mean pressures"]
    assert orders_of(answered(patient("grade 3; weight 70 @-9h", birth_date=row["born"]))) == row["orders"]


STUDIED = rows("""
| born       | said | because                               |
| 2013-03-07 | yes  | 13 tomorrow: younger than any studied |
| 2013-03-06 | no   | 13 today                              |
| 2013-03-05 | no   | 13 yesterday                          |
""")


@pytest.mark.parametrize("row", STUDIED, ids=name_of)
def test_a_patient_around_the_age_of_the_youngest_in_the_study(row: dict[str, str]) -> None:
    """Whether `toci-recommended` says that the study included patients from 13 years of age."""
    found = answered(patient(HIGH, birth_date=row["born"]))
    card = next(c for c in found.cards if c.id is CardId.TOCI_RECOMMENDED)
    assert ("The study included patients from 13 years of age." in card.detail) is (row["said"] == "yes")


LOW_RISE = f"T 39 @D3 20:00; il6 10 @D0 08:00; il6 20 @D4 07:00; {GRADE2}"
RUNNING = rows("""
| given                      | offered | because                               |
| dexamethasone 10 @-719m    | no      | a minute less than 12 h ago           |
| dexamethasone 10 @-12h     | yes     | exactly 12 h ago: the next is due     |
| dexamethasone 10 @-721m    | yes     | a minute more                         |
| dexamethasone 9.9 @-1h     | yes     | just less than 10 mg                  |
| dexamethasone 10.1 @-1h    | no      | just more                             |
| methylprednisolone 49 @-1h | yes     | just less than 50 mg, its equivalent  |
| methylprednisolone 50 @-1h | no      | exactly 50 mg                         |
| methylprednisolone 51 @-1h | no      | just more                             |
| prednisone 64.9 @-1h       | yes     | just less than 65 mg, its equivalent  |
| prednisone 65 @-1h         | no      | exactly 65 mg                         |
| prednisone 65.1 @-1h       | no      | just more                             |
| prednisolone 64.9 @-1h     | yes     | prednisolone as prednisone: just less |
| prednisolone 65 @-1h       | no      | exactly 65 mg                         |
| hydrocortisone 264 @-1h    | yes     | just less than 265 mg, its equivalent |
| hydrocortisone 265 @-1h    | no      | exactly 265 mg                        |
""")


@pytest.mark.parametrize("row", RUNNING, ids=name_of)
def test_whether_a_corticosteroid_counts_as_running(row: dict[str, str]) -> None:
    """An adult at grade 2 with a small IL-6 rise, who gets it every 12 h: whether dexamethasone is still offered."""
    found = answered(patient(f"{LOW_RISE}; give {row['given']}"))
    assert ("Dexamethasone 10 mg IV every 12 h" in orders_of(found)) is (row["offered"] == "yes")


CHILD_RUNNING = rows("""
| given             | cards                        | says                                       | because                                 |
| dexamethasone 4.9 | icans-steroid (w), crs-grade | Not counted as this regimen: dexamethasone | just less than 0.25 mg/kg               |
| dexamethasone 5   | icans-steroid, crs-grade     | below adult age is unconfirmed             | exactly 0.25 mg/kg: running, no warning |
| dexamethasone 5.1 | icans-steroid, crs-grade     | below adult age is unconfirmed             | just more                               |
""")


@pytest.mark.parametrize("row", CHILD_RUNNING, ids=name_of)
def test_whether_a_corticosteroid_counts_as_running_in_a_child_of_20_kg(row: dict[str, str]) -> None:
    """ICANS of grade 2, an hour after the dose: a warning whose order is running goes out as information."""
    chart = f"grade 0; ice 5 @-1h; weight 20 @-9h; give {row['given']} @-1h"
    found = answered(patient(chart, birth_date="2018-01-01"))
    assert shown_cards(found) == row["cards"]
    assert row["says"] in found.cards[0].detail


ORDERS = rows("""
| ordered | offered | because                                      |
| -1439m  | no      | a minute less than 24 h ago                  |
| -24h    | no      | exactly 24 h ago                             |
| -1441m  | yes     | a minute more: an order that was never given |
""")


@pytest.mark.parametrize("row", ORDERS, ids=name_of)
def test_a_corticosteroid_order_that_was_not_charted(row: dict[str, str]) -> None:
    """An adult at grade 3: whether dexamethasone is still offered."""
    order = changed(
        ordered_infusion("dexamethasone"),
        authoredOn=moment_of(row["ordered"]).isoformat(),
        medicationCodeableConcept={"text": "dexamethasone"},
    )
    found = answered([*patient("grade 3; weight 70 @-9h"), order])
    assert ("Dexamethasone 10 mg IV every 6 h" in orders_of(found)) is (row["offered"] == "yes")


DONE = rows("""
| chart                     | offered | because                           |
| culture No growth @-1439m | no      | taken a minute less than 24 h ago |
| culture No growth @-24h   | no      | exactly 24 h ago                  |
| culture No growth @-1441m | yes     | a minute more                     |
""")


@pytest.mark.parametrize("row", DONE, ids=name_of)
def test_a_test_of_the_surveillance_bundle_that_was_done(row: dict[str, str]) -> None:
    """Whether `infection-surveillance` still offers a blood culture."""
    chart = f"crp 10 @D0 08:00; crp 19 @D3 07:00; grade 0; toci 560 @-20h; {row['chart']}"
    offered = orders_of(answered(patient(chart)))
    assert "Urine culture" in offered
    assert ("Blood culture" in offered) is (row["offered"] == "yes")
