"""Orders of corticosteroids in the words of the tables."""

from __future__ import annotations

import re
from typing import Any

from example_patients.stories.chart import Resource
from tests.support.tables import moment_of

_ORDER = re.compile(r"(?P<drug>\w+) (?P<mg>\d+) every (?P<hours>\d+)( ×(?P<count>\d+))? @(?P<at>.+)")


def steroid_order(text: str, id_: str = "steroid", status: str = "active") -> Resource:
    """`dexamethasone 10 every 6 ×4 @-7h` as a MedicationRequest."""
    match = _ORDER.fullmatch(text)
    assert match is not None, text
    repeat: dict[str, Any] = {"frequency": 1, "period": int(match["hours"]), "periodUnit": "h"}
    if match["count"]:
        repeat["count"] = int(match["count"])
    quantity = {"value": int(match["mg"]), "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}
    return {
        "resourceType": "MedicationRequest", "id": id_, "status": status, "intent": "order",
        "subject": {"reference": "Patient/p"}, "authoredOn": moment_of(match["at"]).isoformat(),
        "medicationCodeableConcept": {"text": match["drug"]},
        "dosageInstruction": [{"timing": {"repeat": repeat}, "doseAndRate": [{"doseQuantity": quantity}]}],
    }  # fmt: skip
