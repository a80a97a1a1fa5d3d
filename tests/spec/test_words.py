"""What each row of the grade says: its value, what drives it, what is missing, its marks, and the entries it rests on.

`≥` is at least; `[…]` are marks that the assessment carries; the numbers in brackets count the chart's entries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from cards.deciding.situation import verdicts
from cards.pages.grade_steps import together
from cards.pages.treatment_lines import caution
from cards.sentences.reasons import use_words
from cards.wording.row_words import FEVER as FEVER_WORDS
from cards.wording.row_words import driver_words, missing_words
from example_patients.stories.chart import Resource
from fhir_mappings.facts.coverage import Kind
from fhir_mappings.facts.grade import CrsGrade, GradeRow
from fhir_mappings.facts.icans import CodedIcans, Icans, IcansSource
from fhir_mappings.facts.labs import FoldChange
from fhir_mappings.facts.patient import PatientFacts
from tests.support.tables import (
    T,
    answered,
    facts_of,
    first_on_hold,
    moment_of,
    name_of,
    ordered_infusion,
    patient,
    rows,
)


def told(row: GradeRow, found: Sequence[Resource]) -> str:
    value = "unknown" if row.unknown else f"{'' if row.exact else '≥'}{row.value}"
    number = {f"{r['resourceType']}/{r['id']}": n - 1 for n, r in enumerate(found)}
    parts = [
        value,
        *map(driver_words, row.drivers),
        *(f"beside {driver_words(d)}" for d in row.beside),
        *(f"missing {missing_words(m)}" for m in row.missing),
        *(f"[{f}]" for f in row.flags),
    ]
    rests = ", ".join(str(number[r]) for r in dict.fromkeys(row.evidence) if r in number)
    return "; ".join(parts) + (f" ({rests})" if rests else "")


OXYGEN = rows("""
| chart                                                        | says                                                                                                           | because |
| device NC @-1h; flow 3 @-1h                                  | 2; nasal cannula 3 L/min (1, 2)                                                                                | a cannula with its flow |
| device NC @-1h                                               | 2; nasal cannula; [flow_unknown] (1)                                                                           | a cannula without a flow |
| device NC @-1h; FiO2 50 @-1h                                 | ≥2; nasal cannula; missing FiO2 is high for this device: may be 3 or more; [flow_unknown] (1, 2)               | a high FiO2 without a flow |
| device NC @-1h; flow 2 @-1h; FiO2 50 @-1h                    | ≥2; nasal cannula 2 L/min; missing FiO2 is high for this device: may be 3 or more (1, 2, 3)                    | a high FiO2 beside low flow |
| device NC @-1h; FiO2 21 @-1h; SpO2 97 @-1h                   | 0 (1, 3)                                                                                                       | FiO2 0.21 is no oxygen |
| device NC @-2h; flow 0 @-1h; SpO2 88 @-1h                    | 2; SpO2 88 % without oxygen, 1 of 1 readings low (1, 3)                                                                             | flow 0, and a low saturation |
| device NC @-3h; flow 8 @-1h                                  | 3; nasal cannula 8 L/min (1, 2)                                                                                | more than 6 L/min |
| device HFNC @-1h; flow 30 @-1h                               | 3; high-flow cannula or mask 30 L/min (1, 2)                                                                   | high flow |
| device HFNC @-13h; SpO2 97 @-1h                              | 3; high-flow cannula or mask; high-flow cannula or mask last charted 13 h ago; [oxygen_stale] (1)              | high flow 13 h ago |
| device HFNC @-25h; SpO2 97 @-1h                              | unknown; missing high-flow cannula or mask last charted 25 h ago; no device since; [oxygen_stale] (2)          | high flow 25 h ago |
| device BiPAP @-1h                                            | 4; CPAP or BiPAP (1)                                                                                           | positive pressure |
| device ventilator @-1h                                       | 4; mechanical ventilation; [ventilated] (1)                                                                    | ventilated |
| device ventilator @-1h; FiO2 30 @-1h                         | 4; mechanical ventilation; [ventilated_low_fio2] (1, 2)                                                        | ventilated on little oxygen |
| device ventilator @-1h; FiO2 31 @-1h                         | 4; mechanical ventilation; [ventilated] (1, 2)                                                                 | ventilated on more |
| device RA @-1h; SpO2 97 @-1h                                 | 0 (1, 2)                                                                                                       | room air |
| device RA @-1h; SpO2 88 @-1h                                 | 2; SpO2 88 % without oxygen, 1 of 1 readings low (1, 2)                                                                             | room air and a low saturation |
| device RA @-2h; flow 2 @-1h                                  | 2; oxygen 2 L/min (2)                                                                                          | flow after room air |
| SpO2 97 @-1h                                                 | 0 (1)                                                                                                          | a saturation alone |
| SpO2 88 @-3h; SpO2 97 @-1h                                   | 0; beside SpO2 88 % without oxygen, 1 of 2 readings low, latest 97 (1, 2)                                      | one low among later normal ones |
| SpO2 88 @-3h; SpO2 89 @-2h; SpO2 97 @-1h                     | 2; SpO2 89 % without oxygen, 2 of 3 readings low, latest 97 (2, 3)                                             | two low ones earlier in the window |
| device NC @D-1 08:00; flow 2 @D-1 08:00; device NC @-1h; flow 2 @-1h | 2; nasal cannula 2 L/min, the same before the infusion (3, 4)                                          | home oxygen                     |
| device NC @D-1 08:00; flow 2 @D-1 08:00; device NC @-1h; flow 3 @-1h | 2; nasal cannula 3 L/min (3, 4)                                                                        | more than at home               |
| flow 2 @-1h                                                  | 2; oxygen 2 L/min (1)                                                                                          | flow alone |
| flow 8 @-13h                                                 | 3; oxygen 8 L/min; last charted 13 h ago; [oxygen_stale] (1)                                                   | flow alone, 13 h ago |
| FiO2 50 @-1h                                                 | ≥2; FiO2 0.5, device unknown; missing oxygen device unknown: may be 3 or more (1)                              | FiO2 alone |
| FiO2 50 @-13h                                                | ≥2; FiO2 0.5, device unknown; last charted 13 h ago; missing oxygen device unknown: may be 3 or more; [oxygen_stale] (1) | FiO2 alone, 13 h ago |
| FiO2 21 @-1h                                                 | 0                                                                                                              | FiO2 0.21 alone |
| device unheard-of @-1h                                       | unknown; missing oxygen device not recognised: "a device that nobody listed"; [oxygen_unread] (1)              | a device that nobody listed |
| device unheard-of @-1h; flow 2 @-1h                          | ≥2; oxygen 2 L/min; missing oxygen device not recognised: "a device that nobody listed"; [oxygen_unread] (2, 1) | the same with a flow |
| device unheard-of @-1h; device NC @-5h; flow 3 @-5h          | ≥2; nasal cannula 3 L/min; missing oxygen device not recognised: "a device that nobody listed"; [oxygen_unread] (2, 3, 1) | the same after a cannula |
| device BiPAP @D-1 22:00; device BiPAP @-1h; SpO2 97 @-1h     | unknown; missing whether CPAP or BiPAP is a home device; [home_device] (3, 2)                                  | a home device |
| device BiPAP @D-1 22:00; device BiPAP @-3h; device HFNC @-1h | 3; high-flow cannula or mask (3)                                                                               | a home device, then high flow |
| T 36.8 @-1h                                                  | unknown; missing oxygen device, flow or SpO2                                                                   | nothing charted |
| device HFNC @-12h; SpO2 97 @-1h                              | 3; high-flow cannula or mask (1)                                                                               | exactly 12 h ago it is not yet marked |
| flow 2 @-12h                                                 | 2; oxygen 2 L/min (1)                                                                                          | nor is a flow |
| flow 2 @-1h; flow 2 @-1h                                     | 2; oxygen 2 L/min (1)                                                                                          | charted twice: the same record is named in every run |
| device NC @-5h; flow 3 @-5h; device unheard-of @-1h; flow 2 @-1h | ≥2; oxygen 2 L/min; missing oxygen device not recognised: "a device that nobody listed"; [oxygen_unread] (4, 3) | a device that nobody listed with its own flow: the cannula before it adds nothing |
| device BiPAP @D-1 22:00; device BiPAP @-9h; device BiPAP @-1h; SpO2 97 @-1h | unknown; missing whether CPAP or BiPAP is a home device; [home_device] (4, 3)                   | the latest record of a home device stands for all |
| device BiPAP @D-1 22:00; device BiPAP @-1h; device ventilator @-1h | 4; mechanical ventilation; [ventilated] (3)                                                              | ventilated: a home device is no question |
""")


@pytest.mark.parametrize("row", OXYGEN, ids=name_of)
def test_what_the_oxygen_row_says(row: dict[str, str]) -> None:
    found = patient(row["chart"])
    grade = facts_of(found).grade
    assert grade is not None
    assert told(grade.oxygen, found) == row["says"]


PRESSURE = rows("""
| chart                                                                  | says                                                                                                     | because |
| SBP 118 @-1h                                                           | 0 (1)                                                                                                    | a normal pressure |
| SBP 84 @-1h                                                            | 2; SBP 84 mmHg, 1 of 1 readings low (1)                                                                  | a low one |
| SBP 84 @-3h; SBP 118 @-1h                                              | 2; SBP 84 mmHg, 1 of 2 readings low, latest 118 (1, 2)                                                   | a low one, then a normal one |
| SBP 84 @-3h; SBP 86 @-1h                                               | 2; SBP 86 mmHg, 2 of 2 readings low (2)                                                                  | two low ones: the latest is named |
| MAP 60 @-2h; MAP 62 @-1h                                               | 2; MAP 62 mmHg alone, 2 of 2 readings low (MAP limit is a sepsis convention, not ASTCT: unconfirmed) (2) | mean pressures alone |
| MAP 70 @-1h                                                            | 0 (1)                                                                                                    | a normal mean pressure alone |
| MAP 60 @-1h                                                            | unknown; missing systolic blood pressure (1)                                                                 | one low mean pressure alone says neither |
| T 36.8 @-1h                                                            | unknown; missing blood pressure                                                                          | nothing charted |
| start norepinephrine 0.1 @-2h; SBP 118 @-1h                            | 3; norepinephrine running (1)                                                                            | a vasopressor |
| start norepinephrine 0.1 @-2h; start epinephrine 0.1 @-2h              | 4; epinephrine running; norepinephrine running (2, 1)                                                    | two |
| start norepinephrine 0.1 @-2h; start vasopressin 0.03 @-2h             | 3; norepinephrine running; vasopressin running (1, 2)                                                    | one with vasopressin |
| start vasopressin 0.03 @-2h; SBP 118 @-1h                              | 3; vasopressin running (1)                                                                               | vasopressin alone |
| start norepinephrine 0.1 @-25h; SBP 118 @-1h                           | 3; norepinephrine running; [open_since] (1)                                                              | one charted as running, begun 25 h ago |
| rate norepinephrine 0.1 @-5h; SBP 118 @-1h                             | 3; norepinephrine last charted 5 h ago; [pressor_stale] (1)                                              | a rate charted 5 h ago |
| rate norepinephrine 0.1 @-5h; rate epinephrine 0.1 @-1h; SBP 118 @-1h  | ≥3; epinephrine running; norepinephrine last charted 5 h ago; [pressor_stale] (2, 1)                     | the same beside one that runs |
| rate norepinephrine 0.1 @-13h; rate epinephrine 0.1 @-9h; SBP 118 @-1h | 4; epinephrine last charted 9 h ago; norepinephrine last charted 13 h ago; 4 if both still run: check the pumps; [pressor_stale]; [pressors_stale_together] (2, 1)      | two charted long ago, 4 h apart |
| start dobutamine 5 @-2h; SBP 118 @-1h                                  | 0 (2)                                                                                                    | an inotrope is none |
| SBP 84 @-5h; SBP 110 @-3h; SBP 118 @-1h                                | 2; SBP 84 mmHg, 1 of 3 readings low, latest 118 (1, 3)                                                   | of three the latest is named |
| MAP 60 @-3h; MAP 61 @-2h; MAP 62 @-1h                                  | 2; MAP 62 mmHg alone, 3 of 3 readings low (MAP limit is a sepsis convention, not ASTCT: unconfirmed) (3) | also of mean pressures |
| start norepinephrine 0.1 @-24h; SBP 118 @-1h                           | 3; norepinephrine running (1)                                                                            | running since exactly 24 h: not yet marked |
| start norepinephrine 0.1 @-2h; start epinephrine 0.1 @-2h; rate vasopressin 0.03 @-5h | 4; epinephrine running; norepinephrine running; vasopressin last charted 5 h ago; [pressor_stale] (2, 1, 3) | a third one charted long ago makes no doubt of two |
""")


@pytest.mark.parametrize("row", PRESSURE, ids=name_of)
def test_what_the_pressure_row_says(row: dict[str, str]) -> None:
    found = patient(row["chart"])
    grade = facts_of(found).grade
    assert grade is not None
    assert told(grade.pressure, found) == row["says"]


HELD = rows("""
| chart                                                      | says                                                                                 | because                 |
| start norepinephrine 0.1 @-2h; SBP 118 @-1h                | unknown; norepinephrine on hold; [pressor_on_hold] (1, 2)                            | one on hold             |
| start norepinephrine 0.1 @-2h; start epinephrine 0.1 @-2h  | ≥3; epinephrine running; norepinephrine on hold; [pressor_on_hold] (2, 1)            | beside one that runs    |
""")


@pytest.mark.parametrize("row", HELD, ids=name_of)
def test_what_is_said_of_a_vasopressor_on_hold(row: dict[str, str]) -> None:
    found = first_on_hold(patient(row["chart"]))
    grade = facts_of(found).grade
    assert grade is not None
    assert told(grade.pressure, found) == row["says"]


ORDERED = rows("""
| chart                                       | ordered        | says                                                                                                                       | because            |
| SBP 118 @-1h                                | norepinephrine | unknown; missing a vasopressor is ordered and not yet charted; [pressor_ordered_not_charted] (1)                           | one ordered        |
| start norepinephrine 0.1 @-2h; SBP 118 @-1h | epinephrine    | ≥3; norepinephrine running; missing a vasopressor is ordered and not yet charted; [pressor_ordered_not_charted] (1)        | a second one       |
| start norepinephrine 0.1 @-2h; SBP 118 @-1h | norepinephrine | 3; norepinephrine running (1)                                                                                              | the one that runs  |
""")


@pytest.mark.parametrize("row", ORDERED, ids=name_of)
def test_what_is_said_of_a_vasopressor_ordered_and_not_charted(row: dict[str, str]) -> None:
    found = patient(row["chart"])
    grade = facts_of([*found, ordered_infusion(row["ordered"])]).grade
    assert grade is not None
    assert told(grade.pressure, found) == row["says"]


def told_fold(fold: FoldChange, found: Sequence[Resource]) -> str:
    number = {f"{r['resourceType']}/{r['id']}": n - 1 for n, r in enumerate(found)}
    uses = [f"{number[s.reference]} {use_words(use).removesuffix(': not counted')}" for s, use in fold.series]
    rests = ", ".join(str(number[r]) for r in fold.evidence)
    return "; ".join([*uses, *(f"[{f}]" for f in fold.flags)]) + f" ({rests})"


FOLD = rows("""
| chart                                                                     | says                                                            | because |
| il6 10 @D0 08:00; il6 50 @D4 07:00                                        | 1 baseline; 2 peak (1, 2)                                       | on day 0 before the infusion |
| il6 10 @D-1 20:00; il6 50 @D4 07:00                                       | 1 baseline; 2 peak; [baseline_tier_2] (1, 2)                    | the evening before: marked |
| il6 10 @D0 16:00; il6 50 @D4 07:00                                        | 1 baseline; 2 peak; [baseline_tier_3] (1, 2)                    | after the infusion: marked |
| il6 10 @D-3 12:00; il6 50 @D4 07:00                                       | 1 baseline; 2 peak; [baseline_tier_4] (1, 2)                    | 70 h before: marked |
| il6 10 @D0 08:00; il6 50 @D2 07:00; il6 40 @D4 07:00                      | 1 baseline; 2 peak; 3 counted (1, 2)                            | the highest is the peak |
| il6 50 @D4 07:00                                                          | 1 counted (1)                                                   | no baseline |
| il6 0 @D0 08:00; il6 50 @D4 07:00                                         | 1 baseline; 2 counted (1, 2)                                    | a baseline of zero |
| il6 10 @D0 08:00                                                          | 1 baseline (1)                                                  | no sample since |
| il6 10 @D0 08:00; il6 50 @D2 07:00; toci 560 @D3 12:00; il6 900 @D4 07:00 | 1 baseline; 2 peak; 5 at or after the first IL-6 blocker (1, 2) | nothing after tocilizumab |
| il6 10 @D0 08:00; il6 50 @D2 07:00; il6 90 preliminary @D4 07:00          | 1 baseline; 2 peak; 3 preliminary (1, 2)                        | a preliminary result |
| il6 8 @D0 07:00; il6 10 @D0 08:00; il6 50 @D4 07:00                       | 1 not after the infusion; 2 baseline; 3 peak (2, 3)             | an earlier one of day 0 |
| il6 30 nmol/L @D0 10:00; il6 10 @D0 10:00; il6 50 @D4 07:00               | 1 not after the infusion; 2 baseline; 3 peak (2, 3)             | two units as the infusion began |
| il6 30 nmol/L @D0 08:00; il6 90 nmol/L @D4 07:00; il6 20 @D4 08:00        | 1 baseline; 2 peak; 3 another unit or code than the baseline (1, 2) | another unit |
| il6 10 @D0 08:00; il6 <50 @D4 07:00; il6 30 @D4 08:00                     | 1 baseline; 2 peak; 3 counted (1, 2)                            | below 50 may be higher than 30 |
| il6 10 @D0 08:00; il6 >40 @D4 07:00; il6 60 @D4 08:00                     | 1 baseline; 2 peak; 3 counted (1, 2)                            | above 40 may be higher than 60 |
| il6 10 @D0; il6 50 @D4 07:00                                              | 1 baseline; 2 peak; [baseline_tier_1] (1, 2)                    | a baseline whose time is not known: marked |
| il6 0 @D-1 20:00; il6 50 @D4 07:00                                        | 1 baseline; 2 counted; [baseline_tier_2] (1, 2)                 | zero the evening before: marked |
| il6 10 @D-1 20:00                                                         | 1 baseline; [baseline_tier_2] (1)                               | the evening before and none since: marked |
| il6 10 @D0 08:00; il6 50 @D3 07:00; toci 560 @D3 12:00                    | 1 baseline; 2 peak (1, 2)                                       | on the day of the dose, before it |
| il6 10 @D0 08:00; il6 50 @D3 07:00; toci 560 @D4 08:00; il6 90 @D4        | 1 baseline; 2 peak; 5 known by date only on the day of the blocker; [ambiguous_order] (1, 2) | on the date of the dose: marked |
| toci 560 @D4 02:00; il6 90 @D4                                            | 3 known by date only on the day of the blocker; [ambiguous_order] () | the same without a baseline, the dose in the small hours |
| il6 10 @D0 08:00; il6 50 @D2 07:00; toci 560 @D3; il6 90 @D3 02:00        | 1 baseline; 2 peak; 5 at or after the first IL-6 blocker; [ambiguous_order] (1, 2) | the dose by date only: marked |
| il6 10 @D0 08:00; il6 50 @D2 07:00; toci 560 @D3 12:00; il6 70 @D2        | 1 baseline; 5 peak; 2 counted (1, 5)                             | by date only, the day before the dose |
""")


@pytest.mark.parametrize("row", FOLD, ids=name_of)
def test_what_each_sample_was_for(row: dict[str, str]) -> None:
    found = patient(row["chart"])
    assert told_fold(facts_of(found).il6, found) == row["says"]


RISE_AFTER = rows("""
| chart                                                                                       | il6                                                             | crp                                                                | because                                     |
| il6 10 @D0 08:00; il6 50 @D2 07:00; toci 560 @D3 12:00; il6 900 @D4 07:00                   | 1 baseline; 2 peak; 5 at or after the first IL-6 blocker (1, 2) | ()                                                                 | IL-6 never rests on a sample after it       |
| il6 10 @D0 08:00; toci 560 @D3 12:00; il6 900 @D4 07:00                                     | 1 baseline; 4 at or after the first IL-6 blocker (1)            | ()                                                                 | nor where there is none before              |
| crp 10 @D0 08:00; crp 11 @D2 07:00; toci 560 @D3 12:00; crp 60 @D4 07:00                    | ()                                                              | 1 baseline; 2 peak; 5 at or after the first IL-6 blocker (1, 2, 5) | a CRP that rises after it does              |
| crp 10 @D0 08:00; toci 560 @D3 12:00; crp 60 @D4 07:00                                      | ()                                                              | 1 baseline; 4 at or after the first IL-6 blocker (1, 4)            | also where there is none before             |
""")


@pytest.mark.parametrize("row", RISE_AFTER, ids=name_of)
def test_what_a_rise_after_tocilizumab_rests_on(row: dict[str, str]) -> None:
    found = patient(row["chart"])
    facts = facts_of(found)
    assert [told_fold(fold, found).strip() for fold in (facts.il6, facts.crp)] == [row["il6"], row["crp"]]


LATE = rows("""
| chart                                                 | at        | says                                                 | because               |
| il6 10 @D0 08:00; il6 50 @D4 07:00; il6 90 @D31 07:00 | D31 12:00 | 1 baseline; 2 peak; 3 after the study's days (1, 2) | a sample of day 31    |
""")


@pytest.mark.parametrize("row", LATE, ids=name_of)
def test_what_a_late_sample_was_for(row: dict[str, str]) -> None:
    found = patient(row["chart"])
    assert told_fold(facts_of(found, as_of=moment_of(row["at"])).il6, found) == row["says"]


def told_fever(grade: CrsGrade, facts: PatientFacts, found: Sequence[Resource]) -> str:
    number = {f"{r['resourceType']}/{r['id']}": n - 1 for n, r in enumerate(found)}

    def at(moment: datetime | None) -> str:
        return f"{facts.local(moment):%d %H:%M}" if moment else "–"

    rests = ", ".join(str(number[r]) for r in grade.evidence if r in number)
    parts = [FEVER_WORDS[grade.fever], f"highest {grade.highest_temperature or '–'}", f"onset {at(grade.onset)}"]
    parts += [f"now since {at(grade.episode)}", f"last {at(grade.last_temperature_at)}"]
    return "; ".join([*parts, *(["late"] if "late_after_waiver" in grade.flags else [])]) + f" ({rests})"


FEVER = rows("""
| chart                                                  | says                                                                                                         | because                                       |
| T 38.5 @-30h; T 39 @-2h; T 38.2 @-1h                   | fever now; highest 39; onset 05 06:00; now since 06 10:00; last 06 11:00 (2, 1)                              | the highest, the first and the last are named |
| T 38.5 @-60h; T 39 @-20h; T 38.2 @-1h                  | fever now; highest 39; onset 04 00:00; now since 05 16:00; last 06 11:00 (2, 1)                              | a fever 40 h before is another one            |
| T 38.5 @-40h; give paracetamol 1000 @-30h; T 36.8 @-1h | fever may be suppressed by treatment; highest 36.8; onset 04 20:00; now since 04 20:00; last 06 11:00 (3, 1) | suppressed                                    |
| T 38.5 @-40h; T 36.8 @-1h                              | fever earlier in the course; highest 36.8; onset 04 20:00; now since 04 20:00; last 06 11:00 (2, 1)          | earlier                                       |
| give paracetamol 1000 @-5h; T 36.8 @-1h                | treatment may hide fever; highest 36.8; onset –; now since –; last 06 11:00 (2)                              | may be hidden                                 |
| T 36.8 @-1h                                            | no fever; highest 36.8; onset –; now since –; last 06 11:00 (1)                                              | none                                          |
| SBP 118 @-1h                                           | no temperature in the window; highest –; onset –; now since –; last – (1)                                    | not measured                                  |
| T 38.5 @-25h; SBP 118 @-1h                             | no temperature in the window; highest –; onset 05 11:00; now since 05 11:00; last – (1, 2)                   | not measured since                            |
| T 39 @-80h; toci 560 @-70h; T 36.8 @-1h                | fever may be suppressed by treatment; highest 36.8; onset 03 04:00; now since 03 04:00; last 06 11:00 (4, 1) | suppressed for days                           |
| T 38.5 @-80h; T 39 @-40h; give paracetamol 1000 @-30h; T 36.8 @-1h | fever may be suppressed by treatment; highest 36.8; onset 03 04:00; now since 03 04:00; last 06 11:00 (4, 1) | suppressed after two fevers: since the first |
| T 36.8 @-24h                                           | no fever; highest 36.8; onset –; now since –; last 05 12:00 (1)                                              | measured exactly 24 h ago                     |
| T 38.5 @0h                                             | fever now; highest 38.5; onset 06 12:00; now since 06 12:00; last 06 12:00 (1)                               | measured at the moment of the call            |
""")


@pytest.mark.parametrize("row", FEVER, ids=name_of)
def test_what_is_said_of_fever(row: dict[str, str]) -> None:
    found = patient(row["chart"])
    facts = facts_of(found)
    assert facts.grade is not None
    assert told_fever(facts.grade, facts, found) == row["says"]


LATE = rows("""
| chart                              | says                                                                                                         | because                         |
| give paracetamol 1000 @D2 10:00; T 39 @D2 12:00 | fever may be suppressed by treatment; highest 36.8; onset 04 12:00; now since 04 12:00; last 07 11:00 (3, 2) | exactly 72 h after fever        |
| give paracetamol 1000 @D2 10:00; T 39 @D2 11:00; SBP 84 @D2 12:00 | fever may be suppressed by treatment; highest 36.8; onset 04 11:00; now since 04 11:00; last 07 11:00 (4, 2) | exactly 72 h after hypotension that kept it alive |
| give paracetamol 1000 @D2 10:00; T 39 @D2 11:59 | fever earlier in the course; highest 36.8; onset 04 11:59; now since 04 11:59; last 07 11:00; late (3, 2)    | a minute more: lapsed, and said |
""")


@pytest.mark.parametrize("row", LATE, ids=name_of)
def test_a_waiver_that_has_lapsed_is_said(row: dict[str, str]) -> None:
    found = patient(f"{row['chart']}; T 36.8 @D5 11:00")
    facts = facts_of(found, as_of=moment_of("D5 12:00"))
    assert facts.grade is not None
    assert told_fever(facts.grade, facts, found) == row["says"]


def test_treatment_that_could_not_be_read_is_no_waiver_that_has_lapsed() -> None:
    found = patient("T 36.8 @-1h")
    facts = facts_of(found, unread=[Kind.ADMINISTRATIONS])
    assert facts.grade is not None
    said = "treatment that hides fever could not be read; highest 36.8; onset –; now since –; last 06 11:00 (1)"
    assert told_fever(facts.grade, facts, found) == said


UNREAD = rows("""
| chart                                                                  | unread                     | pressure                                                                                          | oxygen                                                                    | because                                              |
| T 38.5 @-1h; SBP 118 @-1h; SpO2 97 @-1h; device RA @-1h                | vital signs                | unknown; missing blood pressure readings could not all be read (2) !                              | 0 (4, 3)                                                                  | pressures not all read                               |
| T 38.5 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h                 | vital signs                | ≥2; SBP 84 mmHg, 1 of 1 readings low; missing blood pressure readings could not all be read (2) ! | 0 (4, 3)                                                                  | a low one was read; a vasopressor would be seen   |
| T 38.5 @-1h; start norepinephrine 0.1 @-2h; SBP 118 @-1h               | vital signs                | 3; norepinephrine running (2)                                                                     | unknown; missing oxygen device, flow or SpO2                              | a vasopressor decides                                |
| T 38.5 @-1h; SBP 118 @-1h                                              | medication administrations | unknown; missing medication administrations could not all be read (2) !                           | unknown; missing oxygen device, flow or SpO2                              | a vasopressor may run unseen                         |
| T 38.5 @-1h; start norepinephrine 0.1 @-2h; SBP 118 @-1h               | medication administrations | ≥3; norepinephrine running; missing medication administrations could not all be read (2) !        | unknown; missing oxygen device, flow or SpO2                              | a second one may                                     |
| T 38.5 @-1h; start norepinephrine 0.1 @-2h; start epinephrine 0.1 @-2h | medication administrations | 4; epinephrine running; norepinephrine running (3, 2)                                             | unknown; missing oxygen device, flow or SpO2                              | nothing more than two                                |
| T 38.5 @-1h; SpO2 97 @-1h; device RA @-1h                              | oxygen                     | unknown; missing blood pressure                                                                   | unknown; missing oxygen could not all be read (3, 2) !                    | oxygen not all read                                  |
| T 38.5 @-1h; device HFNC @-1h                                          | oxygen                     | unknown; missing blood pressure                                                                   | ≥3; high-flow cannula or mask; missing oxygen could not all be read (2) ! | at least what was read                               |
| T 38.5 @-1h; device BiPAP @-1h                                         | oxygen                     | unknown; missing blood pressure                                                                   | 4; CPAP or BiPAP (2)                                                      | nothing more than positive pressure                  |
""")


@pytest.mark.parametrize("row", UNREAD, ids=name_of)
def test_what_is_said_of_what_was_not_read(row: dict[str, str]) -> None:
    """`!` marks a row that could not be fetched."""
    found = patient(row["chart"])
    grade = facts_of(found, unread=[Kind(row["unread"])]).grade
    assert grade is not None
    assert told(grade.pressure, found) + (" !" if grade.pressure.unfetched else "") == row["pressure"]
    assert told(grade.oxygen, found) + (" !" if grade.oxygen.unfetched else "") == row["oxygen"]


SUPPORT = rows("""
| code      | since            | chart                        | oxygen                                                                                  | because                                   |
| 40617009  | 2026-03-06T11:00 | device NC @-1h               | 4; mechanical ventilation in progress                                                   | ventilation in progress                   |
| 40617009  | 2026-03-04T11:00 | SpO2 97 @-1h                 | 4; mechanical ventilation in progress; [open_since]                                     | begun two days ago and not ended          |
| 371907003 | 2026-03-06T11:00 | device NC @-1h; flow 2 @-1h  | 2; nasal cannula in progress; nasal cannula 2 L/min                                     | the same row twice                        |
| 371907003 | 2026-03-06T11:00 | device HFNC @-1h             | 3; high-flow cannula or mask                                                            | a higher row beside it                    |
| 371907003 | 2026-03-06T11:00 | FiO2 60 @-1h                 | ≥2; nasal cannula in progress; FiO2 0.6, device unknown; missing oxygen device unknown: may be 3 or more | a doubt about the same row stays |
| 371907003 | 2026-03-06T11:00 | device NC @-1h               | 2; nasal cannula in progress; nasal cannula; [flow_unknown]                              | and its marks                             |
| 40617009  | 2026-03-06T11:00 | FiO2 60 @-1h                 | 4; mechanical ventilation in progress                                                   | one about a lesser row does not           |
| 40617009  | 2026-03-05T12:00 | SpO2 97 @-1h                 | 4; mechanical ventilation in progress                                                   | begun exactly 24 h ago: not yet marked    |
| 34281000175105 | 2026-03-06T12:00 | SpO2 97 @-1h            | unknown; missing whether CPAP or BiPAP is a home device; [home_device]                  | home CPAP in progress, begun just now     |
""")


@pytest.mark.parametrize("row", SUPPORT, ids=name_of)
def test_what_a_procedure_in_progress_says(row: dict[str, str]) -> None:
    procedure: Resource = {
        "resourceType": "Procedure", "id": "support", "status": "in-progress", "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": row["code"]}]},
        "performedPeriod": {"start": f"{row['since']}:00+08:00"},
    }  # fmt: skip
    facts = facts_of([*patient(row["chart"]), procedure])
    assert facts.grade is not None
    assert "Procedure/support" in facts.grade.oxygen.evidence or row["oxygen"].startswith("3")
    assert told(facts.grade.oxygen, []) == row["oxygen"]


SAID = rows("""
| chart                                | says                                                                                                                                                                              | because                                   |
| il6 0 @D0 08:00; il6 20 @D4 07:00    | baseline 0 pg/mL (2 Mar 08:00, Observation/p-1): verdict unknown – the baseline is zero.                                                                                          | a baseline of zero                        |
| il6 0 @D-1 20:00; il6 20 @D4 07:00   | baseline 0 pg/mL (1 Mar 20:00, Observation/p-1): verdict unknown – the baseline is zero; baseline taken up to 24 h before the infusion.                                                 | the same, drawn the evening before        |
| il6 10 @D-1 20:00                    | baseline 10 pg/mL (1 Mar 20:00, Observation/p-1): verdict unknown – no sample since the infusion that counts; baseline taken up to 24 h before the infusion.                                        | the evening before, and none since        |
| il6 10 @D0 08:00; toci 560 @D3 10:00; il6 900 @D4 07:00 | baseline 10 pg/mL (2 Mar 08:00, Observation/p-1): verdict unknown – no sample since the infusion that counts. | one after tocilizumab is on record and does not count |
| il6 >10 @D0 08:00; il6 >40 @D4 07:00 | up &gt;0×: verdict unknown – a result is given only as below or above a limit, and both verdicts are possible.                                                     | two results above a limit                 |
| il6 10 @D0; il6 50 @D4 07:00         | baseline 10 pg/mL (02 Mar, Observation/p-1), peak 50 pg/mL (6 Mar 07:00, Observation/p-2), up 5×: above the study's limit (4).                                                   | a baseline known by date only             |
""")


@pytest.mark.parametrize("row", SAID, ids=name_of)
def test_what_a_card_says_of_il6(row: dict[str, str]) -> None:
    state = answered(patient(f"{row['chart']}; grade 2")).cards[-1]
    assert row["says"] in next(line for line in state.background.splitlines() if "**IL-6**" in line)


NEAR = rows("""
| il6  | near | because                             |
| 35.9 | no   | more than a tenth below fourfold    |
| 36   | yes  | exactly a tenth below               |
| 40   | yes  | at it                               |
| 44   | yes  | exactly a tenth above               |
| 44.1 | no   | more                                |
| >40  | no   | a censored result is near nothing   |
""")


@pytest.mark.parametrize("row", NEAR, ids=name_of)
def test_near_the_fourfold_limit(row: dict[str, str]) -> None:
    found = facts_of(patient(f"T 38.5 @D3 06:00; T 36.8 @D-1 08:00; il6 10 @D0 08:00; il6 {row['il6']} @D4 07:00"))
    assert verdicts(found, T).il6.near_threshold is (row["near"] == "yes")


DOSES = rows("""
| chart                                             | unread                     | says              | because                                    |
| grade 2                                           |                            | 0 doses           | none on record, and all was read           |
| grade 2                                           | medication administrations | at least 0 doses  | one may have been given unseen             |
| toci 560 @-20h; grade 2                           |                            | 1 dose            | one on record                              |
| toci 560 @-20h; grade 2                           | medication administrations | at least 1 dose   | one on record, another may have been given |
| toci 560 @-30h; toci 560 @-20h; grade 2           | medication administrations | at least 2 doses  | two on record                              |
""")


@pytest.mark.parametrize("row", DOSES, ids=name_of)
def test_the_number_of_doses_says_whether_all_were_read(row: dict[str, str]) -> None:
    found = answered(patient(row["chart"]), unread=[Kind(k) for k in [row["unread"]] if k])
    assert found.cards[-1].summary.endswith(f"tocilizumab {row['says']}")


@pytest.mark.parametrize(
    ("unread", "says"),
    [
        ((), "No tocilizumab order: no weight of the last 14 days on record. Weigh the patient."),
        ((Kind.WEIGHT,), "No tocilizumab order: the weight could not be read (not permitted)."),
    ],
    ids=["none on record", "not read"],
)
def test_a_weight_that_could_not_be_read_is_not_none_on_record(unread: Sequence[Kind], says: str) -> None:
    found = answered(patient("il6 10 @D0 08:00; il6 50 @D4 07:00; grade 2"), unread=unread)
    assert says in found.cards[0].detail


TOGETHER = rows("""
| chart                                                               | says                                                                                       | because                                   |
| SBP 118 @-1h; SpO2 97 @-1h; device RA @-1h                          | no grade (no temperature in the window)                                                    | there is no CRS of grade 0                |
| SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h                           | no grade (no temperature in the window); grade 2 if this is CRS                            | hypotension would be                      |
| T 36.8 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h              | Hypotension without fever: not CRS by ASTCT – look for another cause.                      | a grade of 0 is no all-clear              |
| T 36.8 @-1h; SBP 84 @-1h; SpO2 88 @-1h; device RA @-1h              | Hypotension and hypoxia without fever: not CRS by ASTCT – look for another cause.          | nor with both                             |
| T 36.8 @-1h; SBP 118 @-1h; SpO2 97 @-1h; device RA @-1h             | grade 0 – No fever, no hypotension, no hypoxia on record.                                  | nothing of CRS                            |
""")


@pytest.mark.parametrize("row", TOGETHER, ids=name_of)
def test_what_the_grade_comes_to(row: dict[str, str]) -> None:
    facts = facts_of(patient(row["chart"]))
    assert facts.grade is not None
    found = together(facts.grade, facts, T)
    assert found == row["says"] if row["says"].startswith(("no", "grade")) else row["says"] in found


def test_a_rise_after_tocilizumab_is_not_put_down_to_the_fold_before_it() -> None:
    chart = patient("crp 10 @D0 08:00; crp 15 @-30h; toci 560 @-24h; crp 90 @-2h; grade 2")
    assert "CRP up after tocilizumab" in answered(chart).cards[-1].summary


def test_icans_that_may_be_higher_is_said_to_be() -> None:
    facts = facts_of(patient("grade 1"))
    icans = Icans(
        3, IcansSource.ICE_SCORE, ice=0, reference="Observation/x", minimum=True,
        coded_higher=CodedIcans("G92.04", "Condition/y"),
    )  # fmt: skip
    assert caution(replace(facts, icans=icans), T)[0] == (
        "ICANS: grade 3 or more (ICE 0, Observation/x); a recent diagnosis says more: coded G92.04 (Condition/y)"
    )


def test_a_dose_known_by_date_only_has_no_time_of_day_on_a_card() -> None:
    detail = answered(patient("toci 560 @D3; grade 2")).cards[-1].detail
    assert "doses in this course: 1 (5 Mar, time not known)" in detail
