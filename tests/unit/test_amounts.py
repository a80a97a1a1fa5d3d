"""Strengths of products, doses stated in several ways, and rates, in milligrams of one drug."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import Drug, DrugClass
from fhir_mappings.medications.amounts import Content, amount_mg, hourly_rate
from fhir_mappings.medications.stated_doses import stated_dose, statement_in, statement_of, statements_of
from fhir_mappings.medications.strengths import Strength, named_strength, stated_strength
from fhir_mappings.reading import fhir_structs as fs
from tests.support.tables import name_of, rows

T = Thresholds()
UCUM = "http://unitsofmeasure.org"
STEROID, TOCILIZUMAB = Drug(DrugClass.STEROID, "methylprednisolone"), Drug(DrugClass.TOCILIZUMAB, "tocilizumab")


def quantity(text: str) -> fs.Quantity:
    value, _, unit = text.partition(" ")
    return fs.Quantity(Decimal(value), unit=unit or None)


def decimal(text: str) -> Decimal | None:
    return Decimal(text) if text else None


NAMED = rows("""
| name                                                             | mL   | item | because                                             |
| tocilizumab 20 MG/ML Injection                                   | 20   |      | RxNorm's clinical drug                              |
| 20 ML tocilizumab 20 MG/ML Injection [Actemra]                   | 20   | 400  | with its quantity: one vial                         |
| tocilizumab 162 mg/0.9 mL auto-injector                          | 180  | 162  | a syringe                                           |
| Tocilizumab 400mg/20ml solution for infusion vials               | 20   | 400  | NHS dm+d                                            |
| RoActemra 20 mg/ml Konzentrat zur Herstellung einer Infusionslösung | 20 |     | German                                              |
| アクテムラ点滴静注用400mg                                        |      | 400  | Japanese: a vial                                    |
| Methylprednisolone 2 MG Oral Tablet                              |      | 2    | a tablet                                            |
| methylPREDNISolone 4 mg tablet                                   |      | 4    | in small letters                                    |
| prednisone 5 mg per tablet                                       |      | 5    | in words                                            |
| Urbason solubile forte 250 mg                                    |      | 250  | a vial of powder                                    |
| メドロール錠2mg                                                  |      | 2    | Japanese                                            |
| 甲泼尼龙片 4mg                                                   |      | 4    | Chinese                                             |
| メチルプレドニゾロン 500mg/瓶                                    |      | 500  | for each vial                                       |
| Solu-Medrol 1 g powder for injection                             |      | 1000 | grams                                               |
| Dexamethasone 3.3mg/1ml solution for injection ampoules          | 3.3  | 3.3  | an ampoule of one millilitre                        |
| Decadron 4 mg/mL 5 mL vial                                       | 4    | 20   | the vial beside the strength                        |
| prednisolone 15 MG/5 ML Oral Solution                            | 3    |      | five millilitres are no bottle                      |
| methylprednisolone 1000 mg in sodium chloride 0.9% 250 mL        | 4    | 1000 | a bag                                               |
| Solu-Medrol 40 mg/mL injection 125 mg                            | 40   |      | the dose of an order beside it                      |
| methylprednisolone 500 mg IV every 12 h                          |      |      | an order, not a product                             |
| tocilizumab 560 mg IV                                            |      |      | an order, not a product                             |
| ソル・メドロール静注用1,000mg                                    |      |      | thousands, or a decimal                             |
| methylprednisolone 1.000 mg Pulver                               |      |      | the same in German                                  |
| dexamethasone 0.1 % eye drops                                    |      |      | a percentage                                        |
| hydrocortisone 100 mg/m2                                         |      |      | by the surface                                      |
| tocilizumab 8 mg/kg (max 800 mg)                                 |      |      | by weight                                           |
| acetaminophen 325 MG / oxycodone 5 MG Oral Tablet                |      |      | two drugs                                           |
| dexamethasone 4 mg or 2 mg tablet                                |      |      | two strengths                                       |
| budesonide 200 mcg/puff                                          |      |      | a spray                                             |
""")


@pytest.mark.parametrize("row", NAMED, ids=lambda row: row["name"])
def test_the_strength_that_a_name_states(row: dict[str, str]) -> None:
    found = named_strength((row["name"],))
    assert (found.mg_per_ml, found.mg_per_item) == (decimal(row["mL"]), decimal(row["item"])), row["because"]


STRENGTHS = rows("""
| numerator | denominator | mL  | item | because                                  |
| 400 mg    | 20 mL       | 20  |      | millilitres                              |
| 4 mg      | 1 ML        | 4   |      | capitals                                 |
| 1 g       | 250 ml      | 4   |      | grams                                    |
| 2 mg      | 1 {tablet}  |     | 2    | a tablet                                 |
| 2 mg      | 1 TAB       |     | 2    | its code                                 |
| 2 mg      | 1 Tbl.      |     | 2    | German                                   |
| 500 mg    | 1 1         |     | 500  | one of it, as the French guide writes it |
| 500 mg    | 1           |     | 500  | the same without a unit                  |
| 500 mg    | 0 mL        |     |      | nothing in nothing                       |
| 8 mg      | 1 kg        |     |      | by weight                                |
| 20 %      | 1 mL        |     |      | a percentage                             |
""")


@pytest.mark.parametrize("row", STRENGTHS, ids=name_of)
def test_the_strength_of_an_ingredient(row: dict[str, str]) -> None:
    ratio = fs.Ratio(quantity(row["numerator"]), quantity(row["denominator"]))
    assert stated_strength(ratio) == Strength(decimal(row["mL"]), decimal(row["item"]))


AMOUNTS = rows("""
| amount    | is  | because                                          |
| 40 mg     | 40  | a mass                                           |
| 0.04 G    | 40  | grams                                            |
| 10 mL     | 40  | 4 mg in each                                     |
| 2 tablets | 4   | 2 mg in each                                     |
| 0.5 TAB   | 1   | half of one                                      |
| 8 mg/kg   |     | by weight                                        |
| 40 units  |     | of what?                                         |
| 40        |     | without a unit                                   |
| -40 mg    |     | below nothing                                    |
""")


@pytest.mark.parametrize("row", AMOUNTS, ids=name_of)
def test_an_amount_in_milligrams(row: dict[str, str]) -> None:
    content = Content(STEROID, Strength(Decimal(4), Decimal(2)))
    assert amount_mg(quantity(row["amount"]), content) == decimal(row["is"])


def test_a_unit_and_a_code_of_two_kinds_are_no_amount() -> None:
    content = Content(STEROID, Strength(Decimal(4), Decimal(2)))
    assert amount_mg(fs.Quantity(Decimal(10), unit="mL", code="mg", system=UCUM), content) is None
    assert amount_mg(fs.Quantity(Decimal(10), unit="mg", code="{tbl}", system=UCUM), content) is None


def test_an_amount_of_a_mixture_of_ours_is_by_the_own_strength_alone() -> None:
    shared = Content(STEROID, Strength(Decimal(4)), shared=True)
    assert amount_mg(quantity("40 mg"), shared) is None
    assert amount_mg(quantity("10 mL"), shared) == 40


DOSES = rows("""
| stated                                             | mg    | mg/kg | differ          | not compared | because                                              |
| calculated 496 mg; ordered 8 mg/kg; admin-amount 24.8 mL | 496 | 8   |                 |              | three ways to say one dose                           |
| 496 mg; 496 mg                                     | 496   |       |                 |              | the same twice                                       |
| calculated 496 mg; ordered 500 mg                  | 500   |       |                 |              | near: what is ordered counts                         |
| admin-amount 24.8 mL; calculated 496 mg            | 496   |       |                 |              | a mass counts before what it is made from            |
| calculated 496 mg; ordered 800 mg                  |       |       | 800 mg, 496 mg  |              | two that differ                                      |
| 100 mg; 105 mg                                     | 100   |       |                 |              | exactly 5 %                                          |
| 100 mg; 105.1 mg                                   |       |       | 100 mg, 105.1 mg |             | just more                                            |
| 496 mg; 50 mL                                      |       |       | 496 mg, 50 mL   |              | 50 mL of 20 mg/mL are 1000 mg                        |
| 8 mg/kg; 12 mg/kg                                  |       |       | 8 mg/kg, 12 mg/kg |            | two by weight                                        |
| 496 mg; 1 {vial}                                   | 496   |       |                 | 1 {vial}     | nothing says what a vial holds                       |
| 496 mg; 40 units                                   | 496   |       |                 | 40 units     | nor what a unit is                                   |
| 24.8 mL                                            | 496   |       |                 |              | millilitres alone                                    |
| 1 {vial}                                           |       |       |                 |              | nothing that can be read                             |
|                                                    |       |       |                 |              | nothing stated                                       |
""")


@pytest.mark.parametrize("row", DOSES, ids=name_of)
def test_a_dose_stated_in_several_ways(row: dict[str, str]) -> None:
    rates = []
    for said in filter(None, row["stated"].split("; ")):
        kind, _, amount = said.partition(" ") if said[0].isalpha() else ("", "", said)
        rates.append(fs.DoseAndRate(fs.CodeableConcept(text=kind) if kind else None, quantity(amount)))
    dose = stated_dose(statements_of(rates), Content(TOCILIZUMAB, Strength(Decimal(20))), T)
    assert (dose.mg, dose.mg_per_kg) == (decimal(row["mg"]), decimal(row["mg/kg"]))
    assert ", ".join(dose.differ) == row["differ"]
    assert ", ".join(dose.not_compared) == row["not compared"]
    assert dose.is_stated is bool(row["stated"])


def test_millilitres_are_compared_by_the_products_own_strength_alone() -> None:
    """The bag of a dose may hold more millilitres than its concentrate."""
    rates = [fs.DoseAndRate(dose_quantity=quantity(amount)) for amount in ("496 mg", "100 mL")]
    dose = stated_dose(statements_of(rates), Content(TOCILIZUMAB), T)
    assert (dose.mg, dose.not_compared) == (496, ("100 mL",))


def test_the_millilitres_of_a_bag_are_not_compared() -> None:
    """What 496 mg are dissolved in is not all that the bag holds."""
    bag = named_strength(("tocilizumab 496 mg in sodium chloride 0.9 % 100 mL IVPB",))
    rates = [fs.DoseAndRate(dose_quantity=quantity(amount)) for amount in ("496 mg", "124.8 mL")]
    dose = stated_dose(statements_of(rates), Content(TOCILIZUMAB, bag), T)
    assert (dose.mg, dose.differ, dose.not_compared) == (496, (), ("124.8 mL",))


def test_a_range_and_a_limit_are_no_dose() -> None:
    between = fs.DoseAndRate(dose_range=fs.Range(quantity("4 mg/kg"), quantity("8 mg/kg")))
    above = fs.Quantity(Decimal(560), ">", "mg")
    content = Content(TOCILIZUMAB)
    assert stated_dose(statements_of([between]), content, T).said == ("4 mg/kg to 8 mg/kg",)
    assert not stated_dose(statements_of([between]), content, T).is_read
    assert not stated_dose([statement_of(above)], content, T).is_read


WORDS = rows("""
| text                                        | mg   | stated | because                                |
| 500 mg IV every 12 h                        | 500  | yes    | a mass                                 |
| Take 1 tablet by mouth daily                | 2    | yes    | a tablet of 2 mg                       |
| 2 Tabletten morgens                         | 4    | yes    | two of them                            |
| 10 mg (1 tablet)                            | 10   | yes    | the mass counts                        |
| 1 錠 朝食後                                 | 2    | yes    | Japanese                               |
| 60 mg, then 40 mg                           |      | yes    | two masses                             |
| 1 mg/kg                                     |      | yes    | by weight                              |
| 2 tablets of 4 mg                           |      | yes    | a mass of each, or of both             |
| per protocol                                |      | no     | no amount                              |
| every 12 h                                  |      | no     | a time is no amount                    |
""")


@pytest.mark.parametrize("row", WORDS, ids=name_of)
def test_a_dose_that_stands_in_words_alone(row: dict[str, str]) -> None:
    content = Content(STEROID, Strength(None, Decimal(2)))
    dose = stated_dose(statement_in(row["text"]), content, T)
    assert dose.mg == decimal(row["mg"])
    assert dose.is_stated is (row["stated"] == "yes")


RATES = rows("""
| rate           | mg/h  | mg/kg/h | because                               |
| 20 mg/h        | 20    |         | a mass for each hour                  |
| 20 MG/HR       | 20    |         | capitals                              |
| 480 mg/24 h    | 20    |         | a day                                 |
| 480 mg/d       | 20    |         | the same                              |
| 480 mg/(24.h)  | 20    |         | UCUM                                  |
| 0.48 g/24h     | 20    |         | grams                                 |
| 1 mg/min       | 60    |         | a minute                              |
| 5 mL/h         | 20    |         | 4 mg in each millilitre               |
| 5 ml/Std.      | 20    |         | German                                |
| 0.12 L/24 h    | 20    |         | litres                                |
| 5.4 mg/kg/h    |       | 5.4     | by weight                             |
| 5.4 mg/(kg.h)  |       | 5.4     | UCUM                                  |
| 20 gtt/min     |       |         | drops                                 |
| 20             |       |         | without a unit                        |
""")


@pytest.mark.parametrize("row", RATES, ids=name_of)
def test_the_rate_of_an_infusion(row: dict[str, str]) -> None:
    content = Content(STEROID, Strength(Decimal(4)))
    found = hourly_rate(fs.Dosage(rate_quantity=quantity(row["rate"])), content)
    assert (found.mg, found.mg_per_kg) == (decimal(row["mg/h"]), decimal(row["mg/kg/h"]))


RATIOS = rows("""
| amount    | time   | mg/h | mg/kg/h | because                     |
| 1000 mg   | 24 h   | 41.67 |        | a mass in a time            |
| 480 mg    | 1 d    | 20   |         | a day                       |
| 250 mL    | 24 h   | 41.67 |        | 1000 mg in 250 mL           |
| 30 mg/kg  | 60 min |      | 30      | by weight                   |
| 480 mg    |        |      |         | in what time?               |
| 480 mg    | 0 h    |      |         | in no time                  |
| 480 mg    | 1 kg   |      |         | no time                     |
""")


@pytest.mark.parametrize("row", RATIOS, ids=name_of)
def test_a_rate_stated_as_a_ratio(row: dict[str, str]) -> None:
    below = quantity(row["time"]) if row["time"] else None
    found = hourly_rate(
        fs.Dosage(rate_ratio=fs.Ratio(quantity(row["amount"]), below)), Content(STEROID, Strength(Decimal(4)))
    )
    assert found.mg is None if not row["mg/h"] else round(found.mg or 0, 2) == Decimal(row["mg/h"])
    assert found.mg_per_kg == decimal(row["mg/kg/h"])


def test_a_rate_of_millilitres_without_a_strength_is_not_known() -> None:
    found = hourly_rate(fs.Dosage(rate_quantity=quantity("5 mL/h")), Content(STEROID))
    assert (found.mg, found.mg_per_kg) == (None, None)


def test_a_rate_of_a_mixture_of_ours_is_by_the_own_strength_alone() -> None:
    shared = Content(STEROID, Strength(Decimal(4)), shared=True)
    assert hourly_rate(fs.Dosage(rate_quantity=quantity("20 mg/h")), shared).mg is None
    assert hourly_rate(fs.Dosage(rate_quantity=quantity("5 mL/h")), shared).mg == 20
