"""The reason given is true: what stands on record and could not be used is quoted, and never "none on record".

Each patient would be well known but for one entry that cannot be used. The card that misses it names it with its value
as charted, its time and the true reason; no card of the answer then says that there is none, or asks for it.
"""

from __future__ import annotations

import pytest

from cards.deciding.decision_table import CardId
from cards.pages.explanation import explanation
from fhir_mappings.facts.coverage import Kind
from tests.support.broken_fields import with_broken
from tests.support.tables import TERMS, T, answered, facts_of, name_of, patient, rows

SIGNS = "T 38.9 @-8h; T 38.9 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h"
REST = (
    "il6 10 @D0 08:00; il6 60 @-3h; crp 10 @D0 08:00; crp 15 @-3h; anc 2 @-9h; plt 200 @-9h; alt 20 @-9h; ast 20 @-9h"
)
FEVER, PRESSURE = "T 38.9 @-1h", "SBP 118 @-1h; SpO2 97 @-1h; device RA @-1h"

NOT_USED = rows("""
| chart                                     | of      | field                               | value                       | card              | says                                                                                         | never                                        | because                                    |
| {SIGNS}; {REST}; weight 62 @-20h          | weight  | valueQuantity                       | {"value": 1.2, "unit": "cwt"} | toci-recommended  | weight 1.2 cwt of 5 Mar 16:00 could not be used (unit "cwt" cannot be converted to kg)         | Weigh the patient; no weight                 | a unit that nothing converts               |
| {SIGNS}; {REST}; weight 62 @-20h          | weight  | valueQuantity.value                 | 6200                        | toci-recommended  | weight 6200 kg of 5 Mar 16:00 could not be used (value outside 0.3 to 500 kg)                | Weigh the patient; no weight                 | a value that no patient has                |
| {SIGNS}; {REST}; weight 62 @-20h          | weight  | status                              | "unknown"                   | toci-recommended  | weight 62 kg of 5 Mar 16:00 could not be used (status is unknown)                            | Weigh the patient; no weight                 | a status that leaves it open               |
| {SIGNS}; {REST}; weight 62 @-20h          | weight  | effectiveDateTime                   | "2026-03-08T08:00:00+08:00" | toci-recommended  | weight 62 kg of 8 Mar 08:00 could not be used (dated ahead of the clock)                     | Weigh the patient; no weight                 | a clock that is ahead                      |
| {SIGNS}; {REST}; weight 62 @-20h          | weight  | valueQuantity.value                 | [62]                        | toci-recommended  | weight of 5 Mar 16:00 could not be used (wrong type at valueQuantity.value)            | Weigh the patient; no weight                 | a number that is a text                    |
| {SIGNS}; crp 10 @D0 08:00; il6 60 @-3h; il6 7.5 @D0 08:00 | il6 | valueQuantity         | {"value": 7.5, "unit": "PG/DAY"} | toci-guideline | IL-6 7.5 PG/DAY of 2 Mar 08:00 could not be used (unit "PG/DAY"                              | can no longer be obtained; no sample of day 0 | a baseline in a unit of something else    |
| {SIGNS}; il6 10 @D0 08:00; il6 60 @-3h    | il6     | valueQuantity.value                 | -60                         | toci-guideline    | IL-6 -60 pg/mL of 6 Mar 09:00 could not be used (value is negative)                          | no sample since the infusion                 | a peak below zero                          |
| {SIGNS}; il6 10 @D0 08:00; il6 60 @-3h    | il6     | effectiveDateTime                   | "2026-03-08T08:00:00+08:00" | toci-guideline    | IL-6 60 pg/mL of 8 Mar 08:00 could not be used (dated ahead of the clock)                    | no sample since the infusion that counts     | a result of the day after tomorrow         |
| {SIGNS}; crp 10 @D0 08:00; il6 60 @-3h; il6 7.5 @D0 08:00   | il6     | status                              | "preliminary"               | toci-guideline    | IL-6 7.5 pg/mL of 2 Mar 08:00 (preliminary)                                                  | can no longer be obtained; no sample of day 0 | a baseline that stayed preliminary        |
| {PRESSURE}; T 38.9 @-1h                   | T       | valueQuantity                       | {"value": 38.9, "unit": "grd"} | crs-grade-unknown | temperature 38.9 grd of 6 Mar 11:00 could not be used (unit "grd" cannot be converted to Cel) | issing temperature; no temperature in the window; chart it | a temperature in an unknown unit |
| {PRESSURE}; T 38.9 @-1h                   | T       | effectiveDateTime                   | "2026-03-08T08:00:00+08:00" | crs-grade-unknown | temperature 38.9 Cel of 8 Mar 08:00 could not be used (dated ahead of the clock)             | issing temperature; no temperature in the window; chart it | a temperature of the day after tomorrow |
| {FEVER}; SpO2 97 @-1h; device RA @-1h; SBP 84 @-1h | SBP | component.0.valueQuantity      | {"value": 84, "unit": "bar"} | grade1-supportive | blood pressure 84 bar of 6 Mar 11:00 could not be used (unit "bar" cannot be converted to mm\\[Hg\\]) | not charted; measure now               | a pressure in another unit                 |
| {FEVER}; SpO2 97 @-1h; device RA @-1h; SBP 84 @-1h | SBP | effectiveDateTime              | "2026-03-08T08:00:00+08:00" | grade1-supportive | blood pressure 84 mm\\[Hg\\] of 8 Mar 08:00 could not be used (dated ahead of the clock)     | not charted; measure now                     | a pressure of the day after tomorrow       |
| {FEVER}; SBP 118 @-1h; SpO2 88 @-1h       | SpO2    | valueQuantity                       | {"value": 0.5, "unit": "kPa"} | grade1-supportive | SpO2 0.5 kPa of 6 Mar 11:00 could not be used                                                | not charted; measure now                     | a saturation in a unit of pressure         |
| {SIGNS}; il6 10 @D0 08:00; il6 60 @-3h; weight 62 @-20h; anc 0.2 @-9h | anc | valueQuantity.unit | "cells"                     | toci-recommended  | ANC 0.2                                                                                      | ANC not known; no neutrophil count; Send ANC              | a count in no unit |
| {SIGNS}; ice 4 @-2h                       | ice     | valueInteger                        | 14                          | crs-grade         | ICE 14 of 6 Mar 10:00                             | chart ICE                                    | a score that the scale does not have       |
""")


def chart_of(row: dict[str, str]) -> str:
    text = row["chart"]
    for name, value in {"SIGNS": SIGNS, "REST": REST, "FEVER": FEVER, "PRESSURE": PRESSURE}.items():
        text = text.replace(f"{{{name}}}", value)
    return text


@pytest.mark.parametrize("row", NOT_USED, ids=name_of)
def test_what_could_not_be_used_is_quoted_with_the_true_reason(row: dict[str, str]) -> None:
    found = with_broken(chart_of(row), row["of"], row["field"], row["value"])
    cards = answered(found).cards
    words = {card.id: f"{card.summary} {card.detail}" for card in cards}
    said = words.get(row["card"], f"no {row['card']}, but {[card.id for card in cards]}")
    assert row["says"].lower() in said.lower()
    every = " ".join(words.values())
    assert [never for never in row["never"].split("; ") if never in every] == []


@pytest.mark.parametrize("row", NOT_USED, ids=name_of)
def test_the_explanation_quotes_it_too(row: dict[str, str]) -> None:
    found = with_broken(chart_of(row), row["of"], row["field"], row["value"])
    facts = facts_of(found)
    page = " ".join(explanation(facts, answered(found), T, "").split())
    assert row["says"].replace("\\", "").lower() in page.lower()
    assert [never for never in row["never"].split("; ") if never in page] == []


BIRTH_DATES = rows("""
| birth date           | years | says                                                                                   | because                        |
| 1980-01-01           | 46    |                                                                                        | a FHIR date                    |
| 1980-01              | 46    |                                                                                        | the oldest age that a month allows |
| 1980                 | 46    |                                                                                        | the oldest age that a year allows |
| 1980-01-01T00:00:00Z | 46    |                                                                                        | a dateTime: its date counts    |
| 19800101             | 46    |                                                                                        | the digits of HL7 v2           |
| 01.02.1980           |       | birth date 01.02.1980 could not be used (no FHIR date), so no dose is computed         | a local spelling               |
| 1980-02-30           |       | birth date 1980-02-30 could not be used (no FHIR date), so no dose is computed         | a day that no calendar has     |
| 2026-03-02T25:00:00Z |       | birth date 2026-03-02T25:00:00Z could not be used (no FHIR date), so no dose is computed | a moment of no clock: no newborn |
| 2026-03-02T10:00:00 |       | birth date 2026-03-02T10:00:00 could not be used (no FHIR date), so no dose is computed | a moment without an offset |
| 2062-01-01           |       | birth date 2062-01-01 could not be used (ahead of the clock), so no dose is computed   | a year in two digits, misread  |
|                      |       | no birth date on record, so no dose is computed                                        | none charted                   |
""")


@pytest.mark.parametrize("row", BIRTH_DATES, ids=name_of)
def test_a_birth_date_that_gives_no_age_is_quoted(row: dict[str, str]) -> None:
    found = patient(f"{SIGNS}; {REST}; weight 62 @-20h", birth_date=row["birth date"])
    facts = facts_of(found)
    cards = {card.id: card.detail for card in answered(found).cards}
    assert (str(facts.age.years) if facts.age else "") == row["years"]
    assert row["says"] in cards[CardId.TOCI_RECOMMENDED]
    assert (CardId.DATA_QUALITY in cards) == ("could not be used" in row["says"])


@pytest.mark.parametrize(("birth_date", "doubted"), [("01.02.1980", True), ("1980-02-01", False), ("", False)])
def test_a_birth_date_that_gives_no_age_is_missed_for_icans_alone(birth_date: str, doubted: bool) -> None:
    """The dose for ICANS depends on the age too, where no card orders anything for CRS."""
    well = "T 36.8 @-8h; T 36.8 @-1h; SBP 118 @-1h; SpO2 97 @-1h; device RA @-1h"
    cards = {card.id: card.detail for card in answered(patient(f"{well}; ice 4 @-2h", birth_date=birth_date)).cards}
    assert set(cards) - {CardId.DATA_QUALITY} == {CardId.ICANS_STEROID, CardId.CRS_GRADE}
    assert ("so no dose is computed" in cards[CardId.ICANS_STEROID]) is (birth_date != "1980-02-01")
    assert (CardId.DATA_QUALITY in cards) is doubted


def test_a_patient_who_could_not_be_read_is_not_one_without_a_birth_date() -> None:
    found = patient(f"{SIGNS}; {REST}; weight 62 @-20h", birth_date="")
    cards = {card.id: card.detail for card in answered(found, unread=[Kind.PATIENT]).cards}
    assert "the birth date could not be read (not permitted), so no dose is computed" in cards[CardId.TOCI_RECOMMENDED]


def test_a_temperature_that_could_not_be_used_is_no_doubt_about_the_pressure() -> None:
    found = with_broken(f"{FEVER}; {PRESSURE}; T 38.5 @-30m", "T", "valueQuantity.unit", '"grd"')
    found = [{**r, "status": "läuft"} if "38.5" in str(r) else r for r in found]
    grade = facts_of(found, terms=TERMS).grade
    assert grade is not None
    assert (grade.pressure.exact, grade.oxygen.exact) == (True, True)


def test_a_weight_that_was_never_charted_is_asked_for() -> None:
    cards = answered(patient(f"{SIGNS}; {REST}")).cards
    assert "no weight of the last 14 days on record. Weigh the patient." in cards[0].detail


def test_of_two_results_under_one_id_each_is_missed() -> None:
    """A temperature and the low pressure share an id, and neither can be used: the earlier pressure is no "normal"."""
    found = patient(f"T 38.9 @-8h; SBP 118 @-5h; {FEVER}; SpO2 97 @-1h; device RA @-1h; SBP 84 @-1h")
    low = next(r for r in found if "'value': 84," in str(r))
    first = next(r for r in found if r.get("valueQuantity", {}).get("unit") == "Cel")
    found = [{**r, "id": low["id"]} if r is first else r for r in found]
    cards = {card.id: f"{card.summary} {card.detail}" for card in answered(found).cards}
    assert "CRS at least grade 1" in cards[CardId.GRADE1_SUPPORTIVE]
    assert "Blood pressure 84" in cards[CardId.GRADE1_SUPPORTIVE]
    assert CardId.DATA_QUALITY in cards
