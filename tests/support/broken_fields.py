"""One field of a chart's resource with another value, or without one."""

from __future__ import annotations

import json
from typing import Any

from tests.support.every_field import MISSING, Way, value_at, with_value
from tests.support.fhir_wire import Resource
from tests.support.tables import patient

CODES = {
    "SBP": "85354-9", "device": "3152-6", "T": "8310-5", "il6": "26881-3", "crp": "1988-5", "weight": "29463-7",
    "anc": "751-8", "ice": "ICE", "SpO2": "59408-5", "culture": "600-7",
}  # fmt: skip


def last_of(found: list[Resource], word: str) -> int:
    """The place of the last resource that a word of the charts made."""
    marks = (f'"{CODES.get(word, word)}"', '"effective')
    return max(n for n, r in enumerate(found) if all(mark in json.dumps(r) for mark in marks))


def way_of(field: str) -> Way:
    return tuple(int(step) if step.isdigit() else step for step in field.split("."))


def with_broken(chart: str, word: str, field: str, value: str) -> list[Resource]:
    """A chart in which one field of the last resource of a kind holds another value (JSON), or nothing."""
    found = patient(chart)
    place = last_of(found, word)
    new: Any = json.loads(value) if value else MISSING
    assert new is MISSING or new != value_at(found[place], way_of(field))
    found[place] = with_value(found[place], way_of(field), new)
    return found
