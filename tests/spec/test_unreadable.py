"""What cannot be read, and clocks that are ahead.

The patient was well the day before (`T 36.8`, `SBP 118`, room air) and is not now: where what is now cannot be read, what
was before is not taken for it. A `field` without a `value` is not there.
"""

from __future__ import annotations

import json

import pytest

from cards.deciding.situation import verdicts
from fhir_mappings.codes.car_t_bytes import name_cells
from fhir_mappings.facts.coverage import Kind
from fhir_mappings.facts.patient import PatientFacts
from tests.support.broken_fields import way_of, with_broken
from tests.support.every_field import with_value
from tests.support.tables import (
    TERMS,
    T,
    answered,
    changed,
    facts_of,
    name_of,
    ordered_infusion,
    patient,
    rows,
    shown_cards,
    shown_grade,
)

WELL = "T 36.8 @-30h; T 38.2 @-8h; SBP 118 @-4h; SpO2 97 @-2h; device RA @-2h; il6 10 @D0 08:00; crp 10 @D0 08:00"


def broken(chart: str, word: str, field: str, value: str) -> PatientFacts:
    """The facts of a chart in which one field of the last resource of a kind holds another value, or nothing."""
    return facts_of(with_broken(chart, word, field, value))


def set_aside(facts: PatientFacts) -> str:
    return "; ".join(a.why for a in facts.set_aside) or "–"


def doses_of(facts: PatientFacts) -> str:
    at_least = "" if facts.tocilizumab.history_complete else "at least "
    return f"{at_least}{len(facts.tocilizumab.doses)}" if facts.course else "–"


SIGNS = rows("""
| now            | field                            | value                                                                    | grade | set aside                                          | because                                              |
| SBP 84 @-1h    | component.0.code.coding.0.code   | "低血压"                                                                    | ≥1    | code of a component does not say what was measured | a text where a LOINC code belongs                    |
| SBP 84 @-1h    | component.0.code.coding.0.system |                                                                          | ≥1    | code of a component does not say what was measured | a code without its system                            |
| SBP 84 @-1h    | component.0.code                 |                                                                          | ≥1    | code of a component does not say what was measured | a component without a code                           |
| SBP 84 @-1h    | component.0.code.coding.0.code   | "8462-4"                                                                 | ≥1    | panel without a systolic or mean pressure          | diastolic pressure alone says nothing of hypotension |
| SBP 84 @-1h    | component.0.valueQuantity        |                                                                          | ≥1    | no value                                           | a component without a value                          |
| SBP 84 @-1h    | component                        |                                                                          | ≥1    | panel without a systolic or mean pressure          | a panel without components                           |
| device NC @-1h | valueCodeableConcept             |                                                                          | ≥1    | –                                                  | a device without a name: not recognised              |
| device NC @-1h | code.coding.0.system             | "https://loinc.example"                                                  | ≥1    | code does not say what was measured                | a code of ours under another system                  |
| device NC @-1h | code.coding                      |                                                                          | ≥1    | code does not say what was measured                | no coding and no text                                |
| device NC @-1h | code                             | {"text": "Oxygen device"}                                                | 1     | –                                                  | a text alone: not what was asked for by code         |
| device NC @-1h | code                             | {"coding": [{"system": "LOCAL", "code": "O2"}], "text": "Oxygen device"} | 1     | –                                                  | nor a text beside a code of nobody knows what        |
| device NC @-1h | code                             | {"coding": [{"code": "3152-6"}], "text": "Oxygen device"}                | ≥1    | code does not say what was measured                | but beside a code of ours                            |
| device NC @-1h | code.coding.0.code               | "8867-4"                                                                 | 1     | –                                                  | a code of something else: not ours                   |
""")


@pytest.mark.parametrize("row", SIGNS, ids=name_of)
def test_a_sign_that_does_not_say_what_it_is_or_has_no_value(row: dict[str, str]) -> None:
    facts = broken(f"{WELL}; {row['now']}", row["now"].split()[0], row["field"], row["value"])
    assert (shown_grade(facts), set_aside(facts)) == (row["grade"], row["set aside"])


DRUGS = rows("""
| now                                                         | of             | field                     | value   | grade | set aside                                   | because                                    |
| rate norepinephrine 0.1 @-3h; rate norepinephrine 0.05 @-1h | norepinephrine | dosage.rateQuantity.value | -0.05   | ≥3    | norepinephrine: rate is no number from 0 on | a negative rate is no stop                 |
| rate norepinephrine 0.1 @-3h; rate norepinephrine 0.05 @-1h | norepinephrine | dosage.rateQuantity.value |         | ≥3    | norepinephrine: rate is no number from 0 on | nor is a rate without its number           |
| rate norepinephrine 0.1 @-3h; rate norepinephrine 0.05 @-1h | norepinephrine | status                    | "läuft" | ≥3    | norepinephrine: status is none of FHIR's    | nor is a status that FHIR has not          |
| start norepinephrine 0.1 @-50h                              | norepinephrine | status                    | "läuft" | ≥1    | norepinephrine: status is none of FHIR's    | begun two days ago it may still be running |
""")


@pytest.mark.parametrize("row", DRUGS, ids=name_of)
def test_a_vasopressor_whose_rate_or_status_cannot_be_read(row: dict[str, str]) -> None:
    facts = broken(f"{WELL}; {row['now']}", row["of"], row["field"], row["value"])
    assert (shown_grade(facts), set_aside(facts)) == (row["grade"], row["set aside"])


def test_a_dose_whose_status_cannot_be_read_is_neither_given_nor_not_given() -> None:
    facts = broken(f"{WELL}; toci 560 @-5h", "Intravenous route", "status", '"gegeben"')
    assert (len(facts.tocilizumab.doses), facts.tocilizumab.history_complete) == (0, False)
    assert set_aside(facts) == "tocilizumab: status is none of FHIR's"


ONE_ID = rows("""
| first          | second                     | grade             | doses      | because                                                     |
| T 38.9 @-1h    | T 36.8 @-30m               | unknown, 2 if CRS | 0          | two temperatures: either may be the one of the other's time |
| toci 496 @-5h  | give paracetamol 1000 @-4h | unknown, 2 if CRS | at least 0 | a dose and another drug                                     |
| toci 496 @-30h | toci 496 @-5h              | unknown, 2 if CRS | at least 0 | two doses: which of them was given is not known             |
| il6 60 @-3h    | il6 60 @-3h                | unknown, 2 if CRS | 0          | the same twice is one                                       |
""")


@pytest.mark.parametrize("row", ONE_ID, ids=name_of)
def test_two_resources_under_one_id(row: dict[str, str]) -> None:
    signs = "SBP 84 @-4h; SpO2 97 @-2h; device RA @-2h; il6 10 @D0 08:00"
    found = patient(f"{signs}; {row['first']}; {row['second']}")
    first, second = [r for r in found if r["resourceType"] != "Medication"][-2:]
    facts = facts_of([*(r for r in found if r is not second), changed(second, id=first["id"])])
    same = row["first"] == row["second"]
    assert {*set_aside(facts).split("; ")} == {"–" if same else "two resources that differ have this id"}
    assert (shown_grade(facts), doses_of(facts)) == (row["grade"], row["doses"])


def test_copies_that_differ_in_what_is_not_read_are_one() -> None:
    """A name beside the patient's reference, a version, another order of the fields: the sample is the same."""
    found = patient("T 38.9 @-1h; SBP 84 @-4h; SpO2 97 @-2h; device RA @-2h; il6 10 @D0 08:00")
    fever = next(r for r in found if r.get("valueQuantity", {}).get("value") == 38.9)
    copy = {**fever, "subject": {**fever["subject"], "display": "A name"}, "meta": {"versionId": "2"}}
    facts = facts_of([*found, copy, dict(reversed(copy.items()))])
    assert (set_aside(facts), shown_grade(facts)) == ("–", shown_grade(facts_of(found)))


INFUSION = rows("""
| field                            | value                       | cards        | set aside                                      | because                                 |
| status                           | ["completed"]               | data-quality | wrong type at status                           | its status cannot be read               |
| effectivePeriod.start            | 5                           | data-quality | wrong type at effectivePeriod.start            | nor its time                            |
| effectivePeriod.start            | "2026-02-30T10:00:00+08:00" | data-quality | tisagenlecleucel: time is impossible           | an impossible time                      |
| medicationCodeableConcept.text   | 5                           | data-quality | wrong type at medicationCodeableConcept.text   | a name that is no text, beside the code |
| medicationCodeableConcept.coding | null                        | data-quality | wrong type at medicationCodeableConcept.coding | no code, beside the name                |
| medicationCodeableConcept        | {"text": ["saline"]}        | –            | wrong type at medicationCodeableConcept.text   | nothing in it names CAR-T cells         |
""")


@pytest.mark.parametrize("row", INFUSION, ids=name_of)
def test_an_infusion_that_cannot_be_read_is_said_to_a_user_who_looks_at_the_chart(row: dict[str, str]) -> None:
    found = patient(WELL)
    infusion = next(n for n, r in enumerate(found) if r["resourceType"] == "MedicationAdministration")
    found[infusion] = with_value(found[infusion], way_of(row["field"]), json.loads(row["value"]))
    assert (shown_cards(answered(found)), set_aside(facts_of(found))) == (row["cards"], row["set aside"])


def test_a_procedure_that_does_not_say_what_was_done_is_no_silence_where_it_names_car_t_cells() -> None:
    code = {"coding": [{"system": "CPT", "code": "38228"}]}
    done = {"resourceType": "Procedure", "id": "x", "status": "completed", "subject": {"reference": "Patient/p"},
            "code": code, "performedDateTime": "2026-03-02T10:00:00+08:00"}  # fmt: skip
    assert shown_cards(answered([*patient("T 39 @-1h", infused=False), done])) == "data-quality"


CELLS_UNREAD = rows("""
| text                                   | cards        | because                                             |
| CAR-T                                  | data-quality | the name alone                                      |
| CAR T                                  | data-quality | without a hyphen                                    |
| CAR-T cell infusion                    | data-quality | in words                                            |
| Infusion of CAR T cells, autologous    | data-quality | inside a sentence                                   |
| CART19                                 | data-quality | by the target                                       |
| Kymriah                                | data-quality | a product                                           |
| varnimcabtagene autoleucel             | data-quality | a product that no table lists                       |
| chimeric antigen receptor T cells      | data-quality | spelled out                                         |
| Chimärer Antigenrezeptor T-Zellen      | data-quality | in German                                           |
| CAR-T-Zelltherapie                     | data-quality | in one German word                                  |
| キメラ抗原受容体T細胞療法              | data-quality | in Japanese                                         |
| 嵌合抗原受体T细胞回输                  | data-quality | in Chinese                                          |
| tisagenlecleucl                        | data-quality | one letter off                                      |
| CAR-T infusion consult                 | data-quality | it may be one                                       |
| CAR-T consult                          | –            | what happens around it is none                      |
| crash cart                             | –            | another cart                                        |
| cART                                   | –            | a treatment of HIV                                  |
| sodium chloride                        | –            | another drug                                        |
""")
BROKEN_WAYS = {
    "a code that is a number": lambda text: {"coding": [{"code": 5}], "text": text},
    "a coding that is a text": lambda text: {"coding": text},
    "a coding that is no object": lambda text: {"coding": [text, 7]},
    "no coding": lambda text: {"coding": None, "text": text},
    "a display of many": lambda text: {"coding": [{"display": [text]}]},
}


@pytest.mark.parametrize("way", BROKEN_WAYS)
@pytest.mark.parametrize("row", CELLS_UNREAD, ids=name_of)
def test_an_infusion_whose_coding_is_broken_is_never_silent(row: dict[str, str], way: str) -> None:
    found = patient(WELL)
    infusion = next(n for n, r in enumerate(found) if r["resourceType"] == "MedicationAdministration")
    found[infusion] = changed(found[infusion], medicationCodeableConcept=BROKEN_WAYS[way](row["text"]))
    assert shown_cards(answered(found)) == row["cards"]


@pytest.mark.parametrize("escaped", [True, False])
@pytest.mark.parametrize("row", CELLS_UNREAD, ids=name_of)
def test_the_words_of_an_infusion_are_found_in_bytes(row: dict[str, str], *, escaped: bool) -> None:
    sent = json.dumps({"text": row["text"], "note": 'a "quoted" \\ word'}, ensure_ascii=escaped).encode()
    assert name_cells(sent, TERMS) == (row["cards"] != "–")
    assert name_cells(sent[:-20], TERMS) == (row["cards"] != "–"), "cut short"


WEIGHED = rows("""
| type               | code                                                                                    | says                           | because                                                    |
| AllergyIntolerance | {"text": 5}                                                                             | Could not be read: allergies.  | an allergy whose name cannot be read may be to tocilizumab |
| AllergyIntolerance | {}                                                                                      | Could not be read: allergies.  | so may one without a name                                  |
| AllergyIntolerance | {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "托珠单抗"}]} | Could not be read: allergies.  | or with a text where a code belongs                        |
| AllergyIntolerance | {"text": "penicillin"}                                                                  | –                              | one to something else is no doubt                          |
| Condition          | {"coding": [{"code": "A41.9"}]}                                                         | Could not be read: conditions. | a diagnosis without its system may be an infection         |
| Condition          | {"text": "gout"}                                                                        | –                              | another diagnosis is no doubt                              |
""")


@pytest.mark.parametrize("row", WEIGHED, ids=name_of)
def test_what_is_to_be_weighed_and_cannot_be_read_is_said_where_tocilizumab_is_offered(row: dict[str, str]) -> None:
    patient_is = {name: {"reference": "Patient/p"} for name in ("patient", "subject")}
    more = {"resourceType": row["type"], "id": "x", "code": json.loads(row["code"]), **patient_is}
    found = answered([*patient(f"{WELL}; il6 60 @-3h; T 38.9 @-1h; SBP 84 @-1h; weight 62 @-2h"), more])
    offering = next(card for card in found.cards if card.id == "toci-recommended")
    assert offering.suggestions
    said = [
        part for part in ("Could not be read: allergies.", "Could not be read: conditions.") if part in offering.detail
    ]
    assert "; ".join(said) == row["says"].replace("–", "")


ORDERS = rows("""
| field                     | value        | grade | says | because                                                      |
| status                    | "draußen"    | 2     | yes  | an order that may be active may be what is suggested         |
| status                    | "completed"  | 2     | –    | one that is done is not                                      |
| medicationCodeableConcept | {}           | 2     | yes  | an active order of nobody knows what may be it too           |
| authoredOn                | "06.03.2026" | ≥2    | –    | a vasopressor ordered at a time nobody knows may be of today |
""")


@pytest.mark.parametrize("row", ORDERS, ids=name_of)
def test_an_active_order_of_norepinephrine_that_cannot_be_read(row: dict[str, str]) -> None:
    order = with_value(ordered_infusion("norepinephrine"), way_of(row["field"]), json.loads(row["value"]))
    found = [*patient(f"{WELL}; il6 60 @-3h; T 38.9 @-1h; SBP 84 @-1h; weight 62 @-2h"), order]
    offering = next(card for card in answered(found).cards if card.id == "toci-recommended")
    says = "Could not be read: active orders. What is suggested here may be ordered already." in offering.detail
    assert (shown_grade(facts_of(found)), says) == (row["grade"], row["says"] == "yes")


def test_orders_that_were_not_read_are_said_on_each_card_that_orders() -> None:
    found = patient(f"{WELL}; il6 60 @-3h; T 38.9 @-1h; SBP 84 @-1h; weight 62 @-2h")
    offering = next(c for c in answered(found, unread=[Kind.MEDICATION_ORDERS]).cards if c.id == "toci-recommended")
    assert "Could not be read: active orders." in offering.detail


AHEAD = rows("""
| chart                                     | grade             | il6     | doses      | cards                                       | set aside    | because                                                            |
| il6 60 @+2m; T 38.9 @-1h; SBP 84 @-1h     | 2                 | high    | 0          | toci-recommended (w), crs-grade             | –            | a result two minutes ahead counts                                  |
| il6 60 @+48h; T 38.9 @-1h; SBP 84 @-1h    | 2                 | unknown | 0          | toci-guideline (w), data-quality, crs-grade | future_dated | one two days ahead does not                                        |
| T 38.9 @+2m; SBP 84 @-1h                  | 2                 | unknown | 0          | toci-guideline (w), crs-grade  | –            | a temperature two minutes ahead is fever now                       |
| T 38.9 @+48h; SBP 84 @-1h                 | unknown, 2 if CRS | unknown | 0          | crs-grade-unknown (w), data-quality, crs-grade | future_dated | one two days ahead is none                                         |
| toci 496 @+2m; T 38.9 @-1h; SBP 84 @-1h   | 2                 | unknown | 1          | reassess-window, crs-grade                  | –            | a dose two minutes ahead was given now                             |
| toci 496 @+48h; T 38.9 @-1h; SBP 84 @-1h  | ≥2                | unknown | at least 0 | toci-guideline (w), data-quality, crs-grade | future_dated | one two days ahead was given at a time that nobody knows: no order |
| car-t tisagenlecleucel @+2m; T 38.9 @-1h  | unknown, 0 if CRS | unknown | 0          | crs-grade-unknown, crs-grade                | –            | an infusion two minutes ahead is the day's                         |
| car-t tisagenlecleucel @+48h; T 38.9 @-1h | no course         | unknown | –          | data-quality                                | future_dated | one two days ahead has not happened, and is said                   |
""")


@pytest.mark.parametrize("row", AHEAD, ids=name_of)
def test_a_clock_that_is_ahead(row: dict[str, str]) -> None:
    before = "T 38.9 @-40h; SBP 118 @-20h; SpO2 97 @-2h; device RA @-2h; weight 62 @-20h; il6 10 @D0 08:00"
    found = patient(f"{before}; {row['chart']}", infused="car-t" not in row["chart"])
    facts, cards = facts_of(found), answered(found)
    offered = any("ocilizumab" in s.label for card in cards.cards for s in card.suggestions)
    doses = doses_of(facts)
    assert [shown_grade(facts), verdicts(facts, T).il6.category, doses, shown_cards(cards), set_aside(facts)] == [
        row[name] for name in ("grade", "il6", "doses", "cards", "set aside")
    ]
    assert offered is (facts.grade is not None and facts.grade.grade == 2 and doses == "0")
