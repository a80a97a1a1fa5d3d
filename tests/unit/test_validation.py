"""What is known of a resource from its bytes: worked out once, forgotten in turn, never another's."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from fhir_mappings.reading.fhir_types import FHIR_TYPES
from fhir_mappings.reading.resource_pool import ResourcePool
from fhir_mappings.reading.validation import FIRST, ValidationMemory, model_error, shape_of, validation_error
from tests.support.tables import rows

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
    bodies = [raw({**GOOD, "code": {"text": f"temperature {number}"}}) for number in range(3)]
    for body in (bodies[0], bodies[1], bodies[0], bodies[2]):
        assert memory.error("Observation", body) is None
    remembered = vars(memory)["_found"]
    digests = [hashlib.sha256(b"Observation " + shape_of(body)).digest() for body in bodies]
    assert [digest in remembered for digest in digests] == [True, False, True]


TOKENS = (
    0, 1, -1, 7, 38.9, 38.0, 0.0, 0.5, -0.5, 1.25, 10**9, 10**12, 1e400, float("nan"), True, None, "", " ", "7", "38.9", "x", "a b",
    "Patient/p1", "Patient/", "/p1", "Group/5", "#x", "2026-03-02T08:00:00Z", "2026-02-28T08:00:00+08:00",
    "2026-02-30T08:00:00Z", "2026-03-02T25:00:00Z", "2026-03-02T08:00Z", "2026-03-02", "2026", "1026-03-02T08:00:00Z",
    "2026-03-02T08:00:00", "2026-03-02T08:00:00+14:00", "2026-03-02T08:00:00+99:00", "2026-03-02t08:00:00z", "T: 38.5, so",
    [], [1], [38.5], {}, {"value": 1}, {"value": 38.5}, {"id": "x"}, {"reference": 5},
)  # fmt: skip
PLACES: dict[str, Callable[[Any], dict[str, Any]]] = {
    "id": lambda token: {"id": token},
    "meta": lambda token: {"meta": {"versionId": token, "lastUpdated": token}},
    "subject": lambda token: {"subject": {"reference": token}},
    "time": lambda token: {"effectiveDateTime": token},
    "instant": lambda token: {"issued": token},
    "period": lambda token: {"effectivePeriod": {"start": token}},
    "number": lambda token: {"valueQuantity": {"value": token}},
    "whole number": lambda token: {"valueQuantity": None, "valueInteger": token},
    "positive number": lambda token: {
        "valueQuantity": None,
        "valueSampledData": {"origin": {"value": 1}, "period": 1, "dimensions": token},
    },
    "identifier": lambda token: {"identifier": [{"value": token}]},
    "text": lambda token: {"code": {"text": token}},
    "coding": lambda token: {"code": {"coding": [{"code": token, "system": token}]}},
}


@pytest.mark.parametrize("place", PLACES)
def test_a_shape_that_is_remembered_says_what_the_model_would(place: str) -> None:
    """Each token stands first in one memory, then after all others: the answer is the model's either way."""
    bodies = [raw({k: v for k, v in {**GOOD, **PLACES[place](token)}.items() if v is not None}) for token in TOKENS]
    wanted = [model_error("Observation", body) for body in bodies]
    assert None in wanted
    assert len(set(wanted)) > 1
    for order in (bodies, bodies[::-1]):
        memory = ValidationMemory()
        found = {body: memory.error("Observation", body) for body in order}
        assert [found[body] for body in bodies] == wanted


def test_two_results_of_one_shape_are_validated_once() -> None:
    memory = ValidationMemory()
    later = {**GOOD, "id": "t2", "valueQuantity": {"value": 36.6}}
    assert [memory.error("Observation", raw(one)) for one in (GOOD, later)] == [None, None]
    assert len(memory) == 1


@pytest.mark.parametrize("resource_type", sorted(FIRST))
def test_what_the_models_are_built_with_is_valid(resource_type: str) -> None:
    """An invalid one would stop the model half way, and leave the rest of it to the first call."""
    assert model_error(resource_type, raw({"resourceType": resource_type, **FIRST[resource_type]})) is None


def test_the_types_are_those_of_fhir_resources() -> None:
    """Asked in a process of its own, where each model may be loaded."""
    script = (
        "import fhir.resources.R4B as r4b\n"
        "from fhir.resources.R4B import fhirtypes\n"
        "from fhir.resources.R4B.resource import Resource\n"
        "names = [n.removesuffix('Type') for n in dir(fhirtypes) if n.endswith('Type')]\n"
        "def model(name):\n"
        "    try: return r4b.get_fhir_model_class(name)\n"
        "    except Exception: return None\n"
        "found = [n for n in names if isinstance(model(n), type) and issubclass(model(n), Resource)]\n"
        "print(*sorted(set(found) - {'Resource', 'DomainResource'}))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603
    assert set(done.stdout.split()) == FHIR_TYPES


def test_entries_of_every_type_load_no_model_of_theirs() -> None:
    """A chart with one resource of each type, and one Observation that contains one of each."""
    script = (
        "import json, sys\n"
        "from fhir_mappings.reading.fhir_types import FHIR_TYPES\n"
        "from fhir_mappings.reading.resource_pool import ResourcePool\n"
        "from fhir_mappings.reading.validation import build_models, validation_error\n"
        "build_models()\n"
        "loaded = lambda: {m for m in sys.modules if m.startswith('fhir.resources.R4B.')}\n"
        "before, pool = loaded(), ResourcePool()\n"
        "for number, name in enumerate(sorted(FHIR_TYPES)):\n"
        "    pool.add(json.dumps({'resourceType': name, 'id': f'x{number}'}).encode(), name)\n"
        "    holding = {'resourceType': 'Observation', 'id': f'o{number}', 'status': 'final', 'code': {'text': 'x'},\n"
        "               'contained': [{'resourceType': 'Specimen', 'contained': [{'resourceType': name}]}]}\n"
        "    pool.add(json.dumps(holding).encode(), 'holding')\n"
        "    assert 'contained.0' in (validation_error(pool.get(f'Observation/o{number}')) or 'contained.0')\n"
        "print(len(loaded() - before))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603
    assert int(done.stdout) < 40, "the few that others often hold, with what is in them"


CONTAINED = rows("""
| contained                                  | valid | because                                            |
| [{"resourceType": "Medication"}]           | yes   | a drug                                             |
| [{"resourceType": "Account"}]              | yes   | of FHIR, though nobody reads it                    |
| [{"resourceType": "Nope"}]                 | no    | not of FHIR                                        |
| [{"resourceType": 5}]                      | no    | no name                                            |
| [5]                                        | no    | no resource                                        |
| 5                                          | no    | no list                                            |
| [{}]                                       | no    | no name                                            |
""")


@pytest.mark.parametrize("row", CONTAINED, ids=lambda row: row["because"])
def test_what_is_contained_must_be_of_fhir(row: dict[str, str]) -> None:
    pool = ResourcePool()
    pool.add(raw({**GOOD, "contained": json.loads(row["contained"])}), "here")
    found = pool.get("Observation/t1")
    assert found is not None
    assert (validation_error(found) is None) is (row["valid"] == "yes")


def test_a_resource_with_another_s_model_in_it_is_still_validated_by_what_is_read_of_it() -> None:
    pool = ResourcePool()
    pool.add(
        raw(
            {
                **GOOD,
                "status": "final",
                "code": {},
                "effectiveDateTime": "x",
                "contained": [{"resourceType": "Account"}],
            }
        ),
        "here",
    )
    found = pool.get("Observation/t1")
    assert found is not None
    assert validation_error(found) == "not valid FHIR at effectiveDateTime"
