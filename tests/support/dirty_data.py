"""Prefetch broken one field at a time, as interfaces, mappings and keyboards break it.

No break makes a value that could be true: nobody can see that 38.9 was meant to be 37.9, or a year another year.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle
from typing import Any

from tests.support.every_field import MISSING, Way, pattern, places, value_at, with_value
from tests.support.fhir_wire import Resource

MARKUP = "<script>alert(1)</script><img src=x onerror=alert(1)> **[x](https://evil.example/a)** `x` | www.evil.example"
LANGUAGES = {"German": "Messwert nicht verfügbar", "Chinese": "数值不可用"}
WRONG_TYPES = (True, {}, [None], {"value": []}, 5)
TIMES = {
    "an impossible date": "2026-02-30T09:30:00+08:00",
    "an impossible hour": "2026-03-06T25:61:00+08:00",
    "no offset": "2026-03-06T09:30:00",
    "a year": "2026",
    "a German date": "06.03.2026 09:30",
    "a Chinese date": "2026年3月6日",
    "zeros": "0000-00-00",
    "the last second": "9999-12-31T23:59:59Z",
    "milliseconds": 1772760600000,
}
# a number as it stands in JSON text, for those that json.dumps would not write so
LITERALS = {f"«{name}»": name for name in ("1e400", "-1e400", "1e-400", "NaN", "Infinity")} | {"«digits»": "9" * 5000}
NUMBERS: Mapping[str, Callable[[Any], Any]] = {
    "negative": lambda value: -value,
    "more than there is": lambda _: 10**14,
    "10^400": lambda _: 10**400,
    "with a comma": lambda value: str(value).replace(".", ",") + ",0",
    "the text NaN": lambda _: "NaN",
    **{mark: lambda _, mark=mark: mark for mark in LITERALS},  # type: ignore[misc]
}
UNITS = {"another unit": "[fur_us]", "a German unit": "Grad Celsius", "a Chinese unit": "摄氏度"}
TIMED = ("effectiveDateTime", "start", "end", "authoredOn", "recordedDate", "performedDateTime", "birthDate")
WITH_FIRST = ("il6Crp", "recentAdministrations")
MEASURED = ("valueQuantity", "dose", "rateQuantity", "doseQuantity")


@dataclass(frozen=True)
class Broken:
    """One broken prefetch: the field, as key, what the entry is and the way to it, and how it is broken."""

    field: str
    how: str
    prefetch: dict[str, Any]


def json_text(body: Any) -> str:
    """JSON with the numbers that Python has not."""
    text = json.dumps(body, ensure_ascii=False)
    for mark, literal in LITERALS.items():
        text = text.replace(f'"{mark}"', literal)
    return text


def broken_bundles(prefetch: dict[str, Any], now: datetime, keys: Container[str]) -> Iterator[Broken]:
    """Prefetch broken under some keys: each field of each kind of entry in each way, and each resource with the id of another, twice, and in a circle.

    Of entries with the same code the last is broken, and of laboratory results and drugs the first too: a baseline.
    """
    wrong_types, languages = cycle(WRONG_TYPES), cycle(LANGUAGES.items())
    for field, path in fields_of(prefetch).items():
        if path[0] not in keys:
            continue
        value = value_at(prefetch, path)
        for how, new in _ways(value, path, now, next(wrong_types), next(languages)):
            if new is MISSING or json.dumps(new) != json.dumps(value):
                yield Broken(field, how, with_value(prefetch, path, new))
        if path[-1] == "resource":
            yield from _with_ids_and_circles(prefetch, field, path)


def what(resource: Resource) -> str:
    """What a resource is of: its first code, else its text, else its type."""
    concept = resource.get("code") or resource.get("medicationCodeableConcept") or {}
    codes = [coding.get("code") for coding in concept.get("coding", ())]
    return next((code for code in codes if code), concept.get("text") or resource["resourceType"])


def fields_of(prefetch: Mapping[str, Any]) -> dict[str, Way]:
    """One way to each field of those entries, and to each field of the bundles."""
    of_code: dict[tuple[str, str], list[int]] = {}
    for key, found in prefetch.items():
        for number, entry in enumerate((found or {}).get("entry", ())):
            of_code.setdefault((key, what(entry["resource"])), []).append(number)
    fields: dict[str, Way] = {}
    for path in places(prefetch):
        key, *inner = path
        name = [str(key)]
        if inner[:1] == ["entry"] and len(inner) > 1:
            code = what(prefetch[str(key)]["entry"][inner[1]]["resource"])
            numbers = of_code[str(key), code]
            first = inner[1] == numbers[0] and key in WITH_FIRST
            if not (first or inner[1] == numbers[-1]):
                continue
            name.append(f"{code} {'last' if inner[1] == numbers[-1] else 'first'}")
        fields.setdefault(": ".join([*name, ".".join(pattern(tuple(inner)))]), path)
    return fields


def _ways(
    value: Any, path: Way, now: datetime, wrong_type: Any, language: tuple[str, str]
) -> Iterator[tuple[str, Any]]:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    yield from (
        ("missing", MISSING),
        ("null", None),
        ("a wrong type", [] if is_number and wrong_type == 5 else wrong_type),
    )
    if isinstance(value, dict | list):
        yield "empty", type(value)()
    elif is_number:
        yield from ((how, change(value)) for how, change in NUMBERS.items())
    elif isinstance(value, str):
        yield from (("empty", ""), language, ("markup", MARKUP), ("100 kB", "x" * 100_000))
    if path[-1] in TIMED:
        yield from ((how, time) for how, time in TIMES.items() if (how, path[-1]) != ("a year", "birthDate"))
        yield "two days ahead", (now + timedelta(days=2)).isoformat()
    if path[-1] in ("unit", "code") and path[-2] in MEASURED:
        yield from UNITS.items()


def _with_ids_and_circles(prefetch: dict[str, Any], field: str, path: Way) -> Iterator[Broken]:
    """The resource's id on all others of its type, the same entry twice, and references that lead back to it."""
    resource = value_at(prefetch, path)
    itself = f"{resource['resourceType']}/{resource['id']}"
    entries = prefetch[str(path[0])]["entry"]
    others = [n for n, e in enumerate(entries) if e["resource"]["id"] != resource["id"]]
    for how, other in (("its id on the first other", others[:1]), ("its id on the last other", others[-1:])):
        for number in other:
            yield Broken(field, how, with_value(prefetch, (*path[:-2], number, "resource", "id"), resource["id"]))
    for how, again in (("twice", [*entries, *entries]), ("first once more", [entries[path[2]], *entries])):
        yield Broken(field, how, with_value(prefetch, path[:-2], again))
    circles: dict[str, dict[str, Any]] = {
        "a member of itself": {"hasMember": [{"reference": itself}]},
        "derived from itself": {"derivedFrom": [{"reference": itself}]},
        "part of itself": {"partOf": [{"reference": itself}]},
        "contained in itself": {"contained": [{**resource, "contained": [{"reference": "#self"}], "id": "self"}]},
    }
    if resource["resourceType"] == "MedicationAdministration":
        plain = {k: v for k, v in resource.items() if not k.startswith("medication")}
        medication = {"resourceType": "Medication", "id": "m", "ingredient": [{"itemReference": {"reference": "#m"}}]}
        for how, reference in (("its own drug", itself), ("a drug made of itself", "#m")):
            circle = {**plain, "medicationReference": {"reference": reference}, "contained": [medication]}
            yield Broken(field, how, with_value(prefetch, path, circle))
    for how, more in circles.items():
        yield Broken(field, how, with_value(prefetch, path, {**resource, **more}))
