"""What cannot be read, and clocks that are ahead.

The patient was well the day before (`T 36.8`, `SBP 118`, room air) and is not now: where what is now cannot be read, what
was before is not taken for it. A `field` without a `value` is not there.
"""

from __future__ import annotations

import json

import pytest

from example_patients.chart import Resource
from fhir_mappings.clinical_facts import PatientFacts
from tests.every_field import MISSING, Way, value_at, with_value
from tests.spec.tables import facts_of, name_of, patient, rows, shown_grade

WELL = "T 36.8 @-30h; T 38.2 @-8h; SBP 118 @-4h; SpO2 97 @-2h; device RA @-2h; il6 10 @D0 08:00; crp 10 @D0 08:00"
CODES = {"T": "8310-5", "SBP": "85354-9", "device": "3152-6", "il6": "26881-3"}


def last_of(found: list[Resource], word: str) -> int:
    """The place of the last resource that a word of the charts made."""
    return max(n for n, r in enumerate(found) if f'"{CODES[word]}"' in json.dumps(r))


def way_of(field: str) -> Way:
    return tuple(int(step) if step.isdigit() else step for step in field.split("."))


def broken(chart: str, word: str, field: str, value: str) -> PatientFacts:
    """The facts of a chart in which one field of the last resource of a kind holds another value, or nothing."""
    found = patient(chart)
    place = last_of(found, word)
    new = json.loads(value) if value else MISSING
    assert new is MISSING or new != value_at(found[place], way_of(field))
    found[place] = with_value(found[place], way_of(field), new)
    return facts_of(found)


def set_aside(facts: PatientFacts) -> str:
    return "; ".join(a.why for a in facts.set_aside) or "–"


SIGNS = rows("""
| now         | field                    | value                       | grade             | set aside                                          | because                                              |
| SBP 84 @-1h | component.0.code.coding.0.code | "低血压"              | ≥1                | code of a component does not say what was measured | a text where a LOINC code belongs                    |
| SBP 84 @-1h | component.0.code.coding.0.system |                     | ≥1                | code of a component does not say what was measured | a code without its system                            |
| SBP 84 @-1h | component.0.code         |                             | ≥1                | code of a component does not say what was measured | a component without a code                           |
| SBP 84 @-1h | component.0.code.coding.0.code | "8462-4"              | ≥1                | panel without a systolic or mean pressure          | diastolic pressure alone says nothing of hypotension |
| SBP 84 @-1h | component.0.valueQuantity |                            | ≥1                | no value                                           | a component without a value                          |
| SBP 84 @-1h | component                |                             | ≥1                | panel without a systolic or mean pressure          | a panel without components                           |
| device NC @-1h | valueCodeableConcept  |                             | ≥1                | –                                                  | a device without a name: not recognised              |
| device NC @-1h | code.coding.0.system  | "https://loinc.org"         | ≥1                | code does not say what was measured                | a code of ours under another system                  |
| device NC @-1h | code.coding           |                             | ≥1                | code does not say what was measured                | no coding and no text                                |
| device NC @-1h | code                  | {"text": "Oxygen device"}   | 1                 | –                                                  | a text alone: not what was asked for by code         |
| device NC @-1h | code.coding.0.code    | "8867-4"                    | 1                 | –                                                  | a code of something else: not ours                   |
""")


@pytest.mark.parametrize("row", SIGNS, ids=name_of)
def test_a_sign_that_does_not_say_what_it_is_or_has_no_value(row: dict[str, str]) -> None:
    facts = broken(f"{WELL}; {row['now']}", row["now"].split()[0], row["field"], row["value"])
    assert (shown_grade(facts), set_aside(facts)) == (row["grade"], row["set aside"])
