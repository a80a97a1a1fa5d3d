"""A push is no infusion: it never raises row H, and the driver names it."""

from __future__ import annotations

from typing import Any

import pytest

from cards.wording.grade_words import drivers
from fhir_mappings.codes.delivery_words import SaidOfDelivery, delivery
from fhir_mappings.facts.treatment import Delivery
from tests.support.tables import facts_of, name_of, patient, rows, shown_grade

SIGNS = "T 38.5 @-1h; SBP 118 @-1h; SpO2 97 @-1h; device RA @-1h"
UCUM = "http://unitsofmeasure.org"
WORD = {delivery: delivery.name.lower().replace("_", " ") for delivery in Delivery}


def given(number: int, row: dict[str, str]) -> dict[str, Any]:
    """A MedicationAdministration that holds what the cells of a row say."""
    dosage: dict[str, Any] = {key: {"text": row[key]} for key in ("route", "method") if row.get(key)}
    dosage |= {"text": row["text"]} if row.get("text") else {}
    if row.get("amount"):
        value, unit = row["amount"].split()
        dosage["dose"] = {"value": float(value), "unit": unit, "system": UCUM, "code": unit}
    if row.get("rate"):
        dosage["rateQuantity"] = {"value": float(row["rate"]), "unit": "ug/kg/min", "system": UCUM, "code": "ug/kg/min"}
    at = f"2026-03-06T{row['at']}:00+08:00"
    period = {"start": at} | ({"end": f"2026-03-06T{row['until']}:00+08:00"} if row.get("until") else {})
    when = {"effectivePeriod": period} if row.get("over") == "period" else {"effectiveDateTime": at}
    return {
        "resourceType": "MedicationAdministration", "id": f"m{number}", "status": row.get("status") or "completed",
        "subject": {"reference": "Patient/p"}, "medicationCodeableConcept": {"text": row["drug"]},
        "dosage": dosage, **when,
    }  # fmt: skip


PUSHES = rows("""
| drug           | amount  | rate | over   | until | status      | route       | method  | text                         | grade | because                                            |
| phenylephrine  | 0.1 mg  |      |        |       |             |             |         |                              | 1     | an amount below 2 mg alone                         |
| phenylephrine  | 100 ug  |      |        |       |             |             |         |                              | 1     | the same in micrograms                             |
| norepinephrine | 1.9 mg  |      |        |       |             |             |         |                              | 1     | of norepinephrine too                              |
| norepinephrine | 2 mg    |      |        |       |             |             |         |                              | ≥3    | 2 mg is not below 2 mg: a bag                      |
| norepinephrine | 4 mg    |      |        |       |             |             |         |                              | ≥3    | a bag, without a rate                              |
| norepinephrine |         |      |        |       |             |             |         |                              | ≥3    | neither amount nor rate                            |
| ephedrine      | 10 mg   |      |        |       |             |             |         |                              | 1     | ephedrine alone, whatever the amount               |
| metaraminol    | 5 mg    |      |        |       |             |             |         |                              | 1     | metaraminol alone, whatever the amount             |
| ephedrine      | 10 mg   | 0.1  |        |       |             |             |         |                              | 3     | ephedrine with a rate is an infusion               |
| phenylephrine  | 0.1 mg  | 0.5  |        |       |             |             |         |                              | 3     | a rate makes it an infusion                        |
| phenylephrine  | 0.1 mg  |      | period |       | in-progress |             |         |                              | 3     | an open period                                     |
| phenylephrine  | 0.1 mg  |      |        |       | in-progress |             |         |                              | 3     | in progress                                        |
| phenylephrine  | 10 mg   |      | period | 12:30 |             |             |         |                              | 3     | a period that holds now                            |
| phenylephrine  | 0.1 mg  |      | period | 11:31 |             |             |         |                              | 1     | a period of a minute, over                         |
| phenylephrine  |         |      |        |       |             |             | IV push |                              | 1     | the method says push, without an amount            |
| phenylephrine  | 10 mg   |      |        |       |             |             | IV Push |                              | 1     | the method says push, whatever the amount          |
| norepinephrine |         |      |        |       |             | IV push     |         |                              | 1     | the route says push                                |
| epinephrine    |         |      |        |       |             | IVP         |         |                              | 1     | by its abbreviation                                |
| epinephrine    |         |      |        |       |             |             |         | 10 mcg bolus                 | 1     | the text of the dosage says bolus                  |
| epinephrine    | 0.5 mg  |      |        |       |             | IM          |         |                              | 1     | into a muscle                                      |
| epinephrine    |         |      |        |       |             |             |         | 0.3 mg intramuscular, thigh  | 1     | into a muscle, by the text                         |
| epinephrine    |         |      |        |       |             |             |         | infiltration                 | 1     | locally                                            |
| epinephrine    |         |      |        |       |             | nebulised   |         |                              | 1     | inhaled                                            |
| norepinephrine | 0.5 mg  |      |        |       |             |             |         | continuous infusion          | 3     | the text says infusion                             |
| norepinephrine |         | 0.1  |        |       |             |             |         | titrate to MAP 65, may bolus | 3     | words of both leave it to the rate                 |
| norepinephrine |         | 0.1  |        |       |             |             |         | do not bolus                 | 3     | a bolus that is forbidden is none                  |
| norepinephrine |         | 0.1  |        |       |             |             |         | per local protocol           | 3     | a local protocol is no local drug                  |
| norepinephrine |         |      |        |       |             |             |         | Bolusgabe                    | 1     | German                                             |
| norepinephrine |         | 0.1  |        |       |             |             |         | Perfusor                     | 3     | German, an infusion                                |
| norepinephrine |         |      |        |       |             |             |         | IVD lente                    | 1     | French                                             |
| norepinephrine |         |      |        |       |             |             |         | bolo IV                      | 1     | Spanish                                            |
| norepinephrine |         |      |        |       |             |             |         | puşe                         | 1     | Turkish                                            |
| norepinephrine |         |      |        |       |             |             |         | 静注                         | 1     | Japanese                                           |
| norepinephrine |         | 0.1  |        |       |             |             |         | 持続静注                     | 3     | Japanese, an infusion                              |
| norepinephrine |         |      |        |       |             |             |         | 静脉推注                     | 1     | Chinese                                            |
| norepinephrine |         | 0.1  |        |       |             |             |         | 微量泵泵入                   | 3     | Chinese, an infusion                               |
| norepinephrine |         |      |        |       |             |             |         | 일시 정맥주사                | 1     | Korean                                             |
""")


@pytest.mark.parametrize("row", PUSHES, ids=name_of)
def test_a_push_never_raises_row_h(row: dict[str, str]) -> None:
    facts = facts_of([*patient(SIGNS), given(1, {"at": "11:30", **row})])
    assert shown_grade(facts) == row["grade"]


NAMED = rows("""
| first         | at    | second        | at 2  | third       | at 3  | drivers                                                             | because                          |
| phenylephrine | 08:00 |               |       |             |       | 1 push of phenylephrine at 08:00, T up to 38.5 °C                   | one                              |
| phenylephrine | 08:00 | phenylephrine | 09:10 |             |       | 2 pushes of phenylephrine since 08:00, T up to 38.5 °C              | two, since the first             |
| phenylephrine | 08:00 | phenylephrine | 09:10 | epinephrine | 11:00 | 2 pushes of phenylephrine since 08:00, 1 push of epinephrine at 11:00, T up to 38.5 °C | each drug     |
""")


@pytest.mark.parametrize("row", NAMED, ids=name_of)
def test_the_driver_names_the_pushes(row: dict[str, str]) -> None:
    drugs = [(row["first"], row["at"]), (row["second"], row["at 2"]), (row["third"], row["at 3"])]
    pushes = [given(n, {"drug": drug, "at": at, "amount": "100 ug"}) for n, (drug, at) in enumerate(drugs) if drug]
    grade = facts_of([*patient(SIGNS), *pushes]).grade
    assert grade is not None
    assert drivers(grade) == row["drivers"]


def test_a_push_beside_an_infusion_is_no_second_vasopressor() -> None:
    push = given(1, {"drug": "phenylephrine", "at": "11:30", "amount": "100 ug"})
    assert shown_grade(facts_of([*patient(f"{SIGNS}; rate norepinephrine 0.1 @-1h"), push])) == "3"


DELIVERIES = rows("""
| text                                       | delivery   |
| IV push over 1 minute                      | push       |
| slow IVP                                   | push       |
| Continuous IV infusion                     | infusion   |
| 0.05 mcg/kg/min                            | infusion   |
| bolus then infusion                        | not stated |
| pushchair                                  | not stated |
| IV                                         | not stated |
| never bolus                                | not stated |
| subcutaneous                               | elsewhere  |
| Dauerinfusion über Perfusor                | infusion   |
| kein Bolus                                 | not stated |
| seringue électrique                        | infusion   |
| pas de bolus                               | not stated |
| perfusión continua                         | infusion   |
| infusione continua                         | infusion   |
| bomba infusora                             | infusion   |
| bolusinjectie                              | push       |
| bolusdos                                   | push       |
| støtdose                                   | push       |
| boluksena                                  | push       |
| w bolusie                                  | push       |
| nitrožilní injekce                         | push       |
| ワンショット静注                           | push       |
| 点滴静注                                   | infusion   |
| 筋肉内注射                                 | elsewhere  |
| 근육주사                                   | elsewhere  |
| 지속 점적                                  | infusion   |
| 静滴                                       | infusion   |
| 靜脈推注                                   | push       |
| 肌肉注射                                   | elsewhere  |
""")


@pytest.mark.parametrize("row", DELIVERIES, ids=lambda row: row["text"])
def test_the_words_of_a_delivery(row: dict[str, str]) -> None:
    assert WORD[delivery(SaidOfDelivery(texts=(row["text"],)))] == row["delivery"]


def test_a_method_that_is_coded_as_a_push_is_one() -> None:
    assert delivery(SaidOfDelivery(method=(("http://snomed.info/sct", "420620005"),))) is Delivery.PUSH
