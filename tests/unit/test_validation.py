"""What is known of a resource from its bytes: worked out once, forgotten in turn, never another's."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from fhir_mappings.reading.validation import FIRST, ValidationMemory, model_error

GOOD: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "t1",
    "status": "final",
    "code": {"text": "temperature"},
    "subject": {"reference": "Patient/p1"},
    "valueQuantity": {"value": 38.9},
}
BAD = {**GOOD, "valueQuantity": {"value": "Ms Example, 38.9"}}
OTHER_FIELD = {**GOOD, "Ms Example": 1}


def raw(resource: dict[str, Any]) -> bytes:
    return json.dumps(resource).encode()


@pytest.mark.parametrize(
    ("resource", "says"),
    [
        (GOOD, None),
        (BAD, "not valid FHIR at valueQuantity.value"),
        (OTHER_FIELD, "not valid FHIR at an unknown field"),
    ],
    ids=["valid", "a value of the wrong type", "a field that FHIR does not know"],
)
def test_the_second_answer_is_the_first_and_names_no_value(resource: dict[str, Any], says: str | None) -> None:
    memory = ValidationMemory()
    assert [memory.error("Observation", raw(resource)) for _ in range(2)] == [says, says]
    assert len(memory) == 1
    assert "Ms Example" not in repr(vars(memory))


def test_one_other_byte_is_another_resource() -> None:
    memory = ValidationMemory()
    assert memory.error("Observation", raw(GOOD)) is None
    assert memory.error("Observation", raw(GOOD).replace(b'"final"', b"4")) == "not valid FHIR at status"


def test_the_same_bytes_as_another_type_are_another_resource() -> None:
    memory = ValidationMemory()
    assert memory.error("Observation", raw(GOOD)) is None
    assert memory.error("Condition", raw(GOOD)) is not None


def test_what_was_not_asked_for_longest_is_forgotten_first() -> None:
    memory = ValidationMemory(limit=2)
    bodies = [raw({**GOOD, "id": f"t{number}"}) for number in range(3)]
    for body in (bodies[0], bodies[1], bodies[0], bodies[2]):
        assert memory.error("Observation", body) is None
    remembered = vars(memory)["_found"]
    assert [hashlib.sha256(b"Observation " + body).digest() in remembered for body in bodies] == [True, False, True]


@pytest.mark.parametrize("resource_type", sorted(FIRST))
def test_what_the_models_are_built_with_is_valid(resource_type: str) -> None:
    """An invalid one would stop the model half way, and leave the rest of it to the first call."""
    assert model_error(resource_type, raw({"resourceType": resource_type, **FIRST[resource_type]})) is None
