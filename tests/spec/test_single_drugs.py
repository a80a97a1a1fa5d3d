"""What a site states of one drug: it holds of that drug and of no other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fhir_mappings.codes.site_value_sets import site_terminology
from fhir_mappings.codes.terminology import Terminology
from tests.support.tables import facts_of, name_of, patient, rows, shown_grade


def stating(**extension: Any) -> Terminology:
    """The packaged codes, and a site's own that states something of norepinephrine."""
    concept = {
        "code": "NORE", "display": "Norepinephrine drip",
        "extension": [{"url": "urn:crs-cds:ingredient", "valueString": "norepinephrine"}, extension],
    }  # fmt: skip
    document = {
        "resourceType": "ValueSet", "id": "vasopressor", "status": "active",
        "compose": {"include": [{"system": "urn:example:drugs", "concept": [concept]}]},
    }  # fmt: skip
    return site_terminology({"vasopressor.json": json.dumps(document).encode()})


CARRIED_8_H = stating(
    url="urn:crs-cds:carry-time", valueDuration={"value": 8, "system": "http://unitsofmeasure.org", "code": "h"}
)

CARRIED = rows("""
| chart                                                                        | carried 4 h       | norepinephrine 8 h | because                                                                |
| T 39 @-1h; SBP 118 @-1h; SpO2 97 @-1h; rate norepinephrine 0.1 @-3h          | 3                 | 3                  | within both times                                                      |
| T 39 @-1h; SBP 118 @-1h; SpO2 97 @-1h; rate norepinephrine 0.1 @-6h          | 3 pressor_stale   | 3                  | past the time of all vasopressors, within its own                      |
| T 39 @-1h; SBP 118 @-1h; SpO2 97 @-1h; rate epinephrine 0.1 @-6h             | 3 pressor_stale   | 3 pressor_stale    | of another drug nothing is stated                                      |
| T 39 @-1h; SBP 118 @-1h; SpO2 97 @-1h; rate norepinephrine 0.1 @-6h; rate epinephrine 0.1 @-1h | ≥3 pressor_stale | 4 | a stale one beside an active one is no second vasopressor; a running one is |
""")


@pytest.mark.parametrize("row", CARRIED, ids=name_of)
def test_norepinephrine_may_have_a_carry_time_of_its_own(row: dict[str, str]) -> None:
    def told(**terms: Any) -> str:
        facts = facts_of(patient(row["chart"]), **terms)
        stale = ["pressor_stale"] if "pressor_stale" in facts.flags else []
        return " ".join([shown_grade(facts), *stale])

    assert told() == row["carried 4 h"]
    assert told(terms=CARRIED_8_H) == row["norepinephrine 8 h"]
