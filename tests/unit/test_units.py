"""Quantities and their units: each quantity is one of its own, and all that is known of a unit is known of it."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fhir_mappings.facts.measures import Measure
from fhir_mappings.reading.fhir_structs import Quantity
from fhir_mappings.reading.plausible_ranges import PLAUSIBLE
from fhir_mappings.reading.unit_table import (
    codes_of,
    conversions_of,
    own_spellings,
    spellings,
    spellings_of,
    unit_names,
)
from fhir_mappings.reading.units import UnitError, converted, measured, own_unit
from fhir_mappings.reading.value_texts import quantity_in
from tests.support.tables import name_of, rows
from tests.support.unit_factors import FILE, NO_UCUM, by_ucumvert, factors_text
from tests.support.unit_spellings import NOT_READ, READ

UCUM = "http://unitsofmeasure.org"
BY_UCUM = [(measure, code) for measure in Measure if measure not in NO_UCUM for code in codes_of(measure)]


def test_no_two_quantities_are_one_though_they_share_a_unit() -> None:
    """Python makes two members of an enum with one value the same member, under either name."""
    assert list(Measure.__members__) == [measure.name for measure in Measure]
    assert len({measure.value[0] for measure in Measure}) == len(Measure)


@pytest.mark.parametrize("measure", Measure, ids=lambda measure: measure.name)
def test_every_quantity_can_be_read_in_its_own_unit_and_has_a_plausible_range(measure: Measure) -> None:
    low, high = PLAUSIBLE[measure]
    assert low < high
    assert converted(high, measure.unit, measure) == high
    assert converted(max(low, Decimal(0)), measure.unit, measure) == low


def spelling(row: dict[str, str]) -> str:
    return f"{row['measure']} in {row['unit']}: {row['because']}"


@pytest.mark.parametrize("row", READ, ids=spelling)
def test_a_unit_is_read_as_hospitals_write_it(row: dict[str, str]) -> None:
    unit = row["unit"].replace("\\\\", "\\")
    assert converted(Decimal(row["value"]), unit, Measure[row["measure"]]) == Decimal(row["is"])


@pytest.mark.parametrize("row", NOT_READ, ids=spelling)
def test_a_unit_that_is_in_no_table_is_never_guessed(row: dict[str, str]) -> None:
    with pytest.raises(UnitError):
        converted(Decimal(row["value"]), row["unit"], Measure[row["measure"]])


def test_the_tables_of_spellings_are_long_enough() -> None:
    assert len(READ) >= 120
    assert len(NOT_READ) >= 40
    assert {row["measure"] for row in READ} == set(Measure.__members__)


@pytest.mark.parametrize("measure", Measure, ids=lambda measure: measure.name)
def test_no_spelling_of_a_measure_has_two_readings(measure: Measure) -> None:
    """The table is made from words, and refuses a spelling that stands for two units."""
    known = spellings(measure)
    assert {known.code_of(code) for code in codes_of(measure)} == set(codes_of(measure))
    assert own_spellings().code_of("nmol/l") == "nmol/L"


@pytest.mark.parametrize(
    ("units", "spelled"),
    [
        ({"mg": ["quint"], "g": ["Quint"]}, "quint"),
        ({"mg/L": ["mg per deciliter"], "mg/dL": []}, "mg/deciliter"),
        ({"mg/h": [], "mg/d": ["mg/hour"]}, "mg/hour"),
    ],
)
def test_a_spelling_with_two_readings_is_refused(units: dict[str, list[str]], spelled: str) -> None:
    with pytest.raises(ValueError, match=f"{spelled} stands for"):
        spellings_of(units)


@pytest.mark.parametrize(("measure", "code"), BY_UCUM, ids=lambda part: getattr(part, "name", part))
@pytest.mark.parametrize("value", ["1", "7.5", "100.4"])
def test_a_factor_is_that_of_ucumvert(measure: Measure, code: str, value: str) -> None:
    """Its Decimals have 28 digits; a factor that the specification rounds has the digits that it states."""
    ours, theirs = conversions_of(measure)[code].of(Decimal(value)), by_ucumvert(Decimal(value), code, measure)
    close = Decimal("1e-6") if code in unit_names()["rounded"] else Decimal("1e-24")
    assert abs(ours - theirs) <= close * abs(theirs)


def test_the_factors_are_not_stale() -> None:
    assert FILE.read_text(encoding="utf-8") == factors_text(), "run: make docs"


def test_a_worker_needs_no_library_of_units() -> None:
    locked = (Path(__file__).parents[2] / "requirements" / "run.txt").read_text(encoding="utf-8")
    assert "ucumvert" not in locked
    assert "pint" not in locked


CHOSEN = rows("""
| system               | code      | unit    | is    | because                                                      |
| UCUM                 | mg/L      | mg/L    | 15    | both the same                                                |
| UCUM                 | mg/L      | mg per liter | 15 | in words beside it                                          |
| UCUM                 | mg/L      | Scheme  | 15    | the code counts beside a unit that does not read             |
|                      | mg/L      |         | 15    | a code without a system                                      |
| UCUM                 |           | mg/dL   | 150   | no code                                                      |
| UCUM                 | gibberish | mg/dL   | 150   | a code that does not read                                    |
| urn:oid:2.16.840.1.113883.6.8 | mg/dL | mg/dL | 150 | UCUM by its OID                                            |
| https://unitsofmeasure.org/ | mg/dL |      | 150   | UCUM by another address                                      |
| http://snomed.info/sct | 258796002 | mg/L  | 15    | a code of another system                                     |
| http://snomed.info/sct | mg/L     | mg/dL  | 150   | a code of another system counts not, whatever it looks like  |
| http://snomed.info/sct | mg/L     |        |       | not even alone                                               |
| UCUM                 | mg/L      | mg/dL   |       | the two contradict each other, and both may be               |
| UCUM                 | g         | furlong |       | neither reads                                                |
|                      |           |         |       | no unit at all                                               |
""")


@pytest.mark.parametrize("row", CHOSEN, ids=name_of)
def test_code_or_unit(row: dict[str, str]) -> None:
    system = UCUM if row["system"] == "UCUM" else row["system"] or None
    quantity = Quantity(Decimal(15), unit=row["unit"] or None, code=row["code"] or None, system=system)
    if row["is"]:
        assert measured(quantity, Measure.CRP) == Decimal(row["is"])
    else:
        with pytest.raises(UnitError):
            measured(quantity, Measure.CRP)


BARE = rows("""
| measure     | value | is   | because                                   |
| TEMPERATURE | 38.9  | 38.9 | no Fahrenheit is so low                   |
| TEMPERATURE | 102   | 38.9 | no Celsius is so high                     |
| TEMPERATURE | 60    |      | neither                                   |
| PRESSURE    | 118   | 118  | no kilopascals are so many                |
| PRESSURE    | 16    |      | millimetres of mercury, or kilopascals    |
| SATURATION  | 97    | 97   | no fraction                               |
| SATURATION  | 0.97  | 97   | no percentage                             |
| FIO2        | 0.4   | 0.4  | no percentage                             |
| FIO2        | 40    | 0.4  | no fraction                               |
| WEIGHT      | 62    |      | kilograms, or pounds                      |
| FLOW        | 8     |      | litres, or millilitres                    |
| CYTOKINE    | 7.5   |      | any                                       |
| COUNT       | 0.4   |      | any                                       |
| MASS        | 496   |      | any                                       |
""")


@pytest.mark.parametrize("row", BARE, ids=lambda row: f"{row['measure']} {row['value']}: {row['because']}")
def test_a_sign_without_a_unit_counts_where_it_can_have_only_one(row: dict[str, str]) -> None:
    quantity = Quantity(Decimal(row["value"]))
    if row["is"]:
        assert round(measured(quantity, Measure[row["measure"]]), 1) == Decimal(row["is"])
    else:
        with pytest.raises(UnitError):
            measured(quantity, Measure[row["measure"]])


REASONS = rows("""
| measure     | value | unit   | code  | why                                                    |
| CYTOKINE    | 7.5   | furlong |      | unit "furlong" cannot be converted to pg/mL             |
| CYTOKINE    | 7.5   |        |       | unit is missing                                        |
| TEMPERATURE | 60    | °C     |       | value outside 25 to 45 Cel                             |
| CRP         | 15    | mg/dL  | mg/L  | unit "mg/dL" and code "mg/L" differ                    |
| WEIGHT      | 62    | 斤     |       | unit "斤" cannot be converted to kg                    |
""")


@pytest.mark.parametrize("row", REASONS, ids=lambda row: row["why"])
def test_the_reason_quotes_the_unit(row: dict[str, str]) -> None:
    quantity = Quantity(Decimal(row["value"]), unit=row["unit"] or None, code=row["code"] or None)
    with pytest.raises(UnitError) as error:
        measured(quantity, Measure[row["measure"]])
    assert error.value.why == row["why"]


def test_two_statements_of_which_one_is_impossible_are_no_contradiction() -> None:
    """101.5 is no temperature in Celsius, whatever the code says."""
    fahrenheit = Quantity(Decimal("101.3"), unit="°F", code="Cel", system=UCUM)
    assert measured(fahrenheit, Measure.TEMPERATURE) == Decimal("38.5")


def test_a_long_text_is_no_unit_and_is_cut_in_the_reason() -> None:
    with pytest.raises(UnitError) as error:
        converted(Decimal(1), "mg " * 5000, Measure.MASS)
    assert len(error.value.why) < 200


OWN = rows("""
| unit       | own       | because                          |
| nmol/L     | nmol/L    | an amount of substance           |
| NMOL/L     | nmol/L    | in capitals                      |
| IU/mL      | [IU]/mL   | international units              |
| [IU]/mL    | [IU]/mL   | as UCUM writes them              |
| [arb'U]/mL | [arb'U]/mL | arbitrary units                  |
| U/ml       | U/mL      | units of an assay                |
| pg/mL      |           | this one converts                |
| furlong    |           | nothing                          |
""")


@pytest.mark.parametrize("row", OWN, ids=name_of)
def test_a_unit_that_nothing_converts_has_one_spelling(row: dict[str, str]) -> None:
    assert own_unit(Quantity(Decimal(1), unit=row["unit"]), Measure.CYTOKINE) == (row["own"] or None)


TEXTS = rows("""
| text           | value | comparator | unit   | because                                    |
| 38,9 °C        | 38.9  |            | °C     | a decimal comma                            |
| 38.9           | 38.9  |            |        | a number alone                             |
| ３８．９℃      | 38.9  |            | ℃      | wide signs                                 |
| <1.5           | 1.5   | <          |        | below a limit                              |
| < 1.5 pg/mL    | 1.5   | <          | pg/mL  | with a unit                                |
| ≥ 10           | 10    | >=         |        | one sign for two                           |
| &lt;0.5 mg/dL  | 0.5   | <          | mg/dL  | escaped on its way                         |
| >5000          | 5000  | >          |        | above a limit                              |
| 0,512 mg/dl    | 0.512 |            | mg/dl  | no thousands begin with 0                  |
| 0.4 10^9/L     | 0.4   |            | 10^9/L | a unit that begins with a number           |
| 8 L/min        | 8     |            | L/min  | a flow                                     |
| -5             | -5    |            |        | below zero                                 |
| 46,5 (H)       | 46.5  |            |        | the mark of a high result                  |
| 46.5 pg/mL ↑   | 46.5  |            | pg/mL  | the same as an arrow                       |
| 7.5* (low)     | 7.5   |            |        | two marks                                  |
| 2 L            | 2     |            | L      | a letter outside brackets is a unit        |
| 46.5 (was 7)   | 46.5  |            | (was 7) | words in brackets are no mark             |
| 1,234          |       |            |        | thousands, or a decimal                    |
| 1.234 pg/mL    |       |            |        | the same in Germany                        |
| 2-4 L/min      |       |            |        | a range                                    |
| 120/80 mmHg    |       |            |        | two numbers                                |
| 12 345         |       |            |        | a blank for thousands                      |
| about 40       |       |            |        | words                                      |
| see comment    |       |            |        | no number                                  |
""")


@pytest.mark.parametrize("row", TEXTS, ids=name_of)
def test_a_value_in_a_text(row: dict[str, str]) -> None:
    if not row["value"]:
        with pytest.raises(UnitError):
            quantity_in(row["text"])
        return
    found: Any = quantity_in(row["text"])
    assert (found.value, found.comparator or "", found.unit or "") == (
        Decimal(row["value"]),
        row["comparator"],
        row["unit"],
    )


def test_every_name_of_the_file_is_of_a_measure() -> None:
    names = unit_names()
    assert set(names["measures"]) == set(Measure.__members__)
    assert json.loads(FILE.read_text(encoding="utf-8")).keys() == names["measures"].keys()
