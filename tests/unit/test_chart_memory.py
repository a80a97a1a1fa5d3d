"""A chart that is asked about at many moments: what is remembered of one moment changes no answer at another."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from fhir_mappings.course_search import MappingContext
from fhir_mappings.facts.coverage import Completeness, Coverage, Kind
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.known_at.delays import Delays
from fhir_mappings.known_at.timeline import Timeline
from fhir_mappings.reading.chart_memory import ChartMemory
from fhir_mappings.reading.resource_pool import PatientRecord, ResourcePool
from fhir_mappings.settled_facts import settled_facts
from tests.support.desk import ZONE
from tests.support.evaluations import RULES, chart
from tests.support.fhir_wire import Resource
from tests.support.tables import name_of, rows

MOMENTS = 40
HOURS = 8


def last(resources: list[Resource], kind: str, text: str = "") -> Resource:
    return [r for r in resources if r["resourceType"] == kind and text in json.dumps(r)][-1]


def not_fhir(resources: list[Resource]) -> None:
    """An Observation that is read, and that the model refuses, as are then all of its code."""
    last(resources, "Observation", "8310-5")["bodySite"] = "armpit"


def drug_gone(resources: list[Resource]) -> None:
    """A reference to a drug that nobody holds."""
    last(resources, "MedicationAdministration", "medicationReference")["medicationReference"]["reference"] = "#none"


def no_time(resources: list[Resource]) -> None:
    del last(resources, "Observation", "8480-6")["effectiveDateTime"]


def another_unit(resources: list[Resource]) -> None:
    last(resources, "Observation", "26881-3")["valueQuantity"] |= {"unit": "[fur_us]", "code": "[fur_us]"}


def ahead(resources: list[Resource]) -> None:
    last(resources, "Observation", "59408-5")["effectiveDateTime"] = "2027-03-06T09:00:00+08:00"


CHARTS = rows("""
| scene | change       | because                                    |
| 1a    |              | two doses, then grade 4                    |
| 7     |              | a dose, and a course that goes on          |
| 3     |              | a high rise                                |
| 1a    | not_fhir     | a resource set aside after the first look  |
| 1a    | drug_gone    | a drug that nobody can name                |
| 1a    | no_time      | a reading without a time                   |
| 1a    | another_unit | a result in a unit of nobody               |
| 1a    | ahead        | a reading a year ahead                     |
""")


@pytest.mark.parametrize("row", CHARTS, ids=name_of)
def test_a_moment_says_the_same_with_and_without_the_moments_before_it(row: dict[str, str]) -> None:
    resources = chart(row["scene"], "a")
    if row["change"]:
        globals()[row["change"]](resources)
    pool = ResourcePool()
    for number, resource in enumerate(resources):
        pool.add(json.dumps(resource).encode(), str(number))
    record = PatientRecord(pool, dict.fromkeys(Kind, Coverage(Completeness.COMPLETE)))
    timeline = Timeline(record, RULES.terms, ZONE, None, Delays())
    start = datetime(2026, 3, 2, 9, tzinfo=ZONE)
    for at in (start + timedelta(hours=HOURS * n) for n in range(MOMENTS)):
        context = MappingContext(RULES.terms, Thresholds(), ZONE, "a", None, at)
        remembered, anew = timeline.at(at), timeline.at(at)
        anew.pool.memory = None
        assert settled_facts(remembered, context) == settled_facts(anew, context), at


def test_an_object_is_known_by_itself_and_what_is_asked_of_it() -> None:
    memory, asked = ChartMemory(), list[Any]()

    def read(of: object) -> int:
        asked.append(of)
        return len(asked)

    one, same = [1], [1]
    found = [memory.once("length", of, read) for of in (one, one, same)]
    assert (found, memory.once("height", one, read)) == ([1, 1, 2], 3)


def test_several_objects_are_read_anew_when_one_is_added() -> None:
    memory, made = ChartMemory(), list[int]()

    def read() -> int:
        made.append(1)
        return len(made)

    a, b = object(), object()
    assert [memory.once_for("series", of, read) for of in ((a,), (a,), (a, b), (b, a))] == [1, 1, 2, 3]
