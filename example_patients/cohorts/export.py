"""A cohort as a folder: one NDJSON file a type, as Bulk Data gives it, with outcomes and a protocol beside them."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from example_patients.stories.chart import Resource

OUTCOME_FIELDS = ("patient", "event", "date", "value", "course")


@dataclass(frozen=True)
class Outcome:
    """A line of `outcomes.csv`; `date` may have a time, and is None for what has no date."""

    patient: str
    event: str
    date: date | None = None
    value: str = ""
    course: int = 1


@dataclass(frozen=True)
class Cohort:
    """The resources of a cohort, its outcomes, its protocol as TOML, and further files by name."""

    resources: tuple[Resource, ...]
    protocol: str
    outcomes: tuple[Outcome, ...] = ()
    more: dict[str, str] = field(default_factory=dict)


def write_cohort(cohort: Cohort, folder: Path) -> int:
    """Write a cohort into a folder and return the number of its patients. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    by_type: dict[str, list[Resource]] = defaultdict(list)
    for resource in cohort.resources:
        by_type[resource["resourceType"]].append(resource)
    for name, of_type in by_type.items():
        (folder / f"{name}.ndjson").write_text(ndjson(of_type), encoding="utf-8")
    if cohort.outcomes:
        with (folder / "outcomes.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(OUTCOME_FIELDS)
            writer.writerows(
                (o.patient, o.event, o.date.isoformat() if o.date else "", o.value, o.course) for o in cohort.outcomes
            )
    (folder / "protocol.toml").write_text(cohort.protocol, encoding="utf-8")
    for name, text in cohort.more.items():
        (folder / name).write_text(text, encoding="utf-8")
    return len({resource["id"] for resource in by_type["Patient"]})


def ndjson(resources: Iterable[Resource]) -> str:
    return "".join(json.dumps(resource, ensure_ascii=False) + "\n" for resource in resources)
