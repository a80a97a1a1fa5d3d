"""One task of the engine: the patients of one bucket, written as rows, in a process of its own or elsewhere."""

from __future__ import annotations

import os
import resource
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from cds_server.evaluation.courses import Look
from cds_server.evaluation.patient import patient_rows
from cds_server.evaluation.protocol import Protocol
from cds_server.evaluation.reading.charts import Bucket, Chart, is_constructed
from cds_server.evaluation.reading.outcomes import OutcomesOfPatient
from cds_server.operations.log_lines import where_it_failed
from cds_server.site_rules import SiteRules, site_rules
from fhir_mappings.facts.coverage import Coverage, Kind
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.fhir_time import moment_or_none
from fhir_mappings.reading.resources import Resource

TABLES = ("courses", "markers", "grade_days", "charted_grades", "moments", "cards", "episodes", "events")
SUMMARY = "summary.json"
_encode = msgspec.json.Encoder(decimal_format="string").encode
MIB = 1024 * 1024


@dataclass(frozen=True)
class RulesFrom:
    """The files of one set of rules, so that a process elsewhere reads the same."""

    thresholds: Path | None
    value_sets: Path | None
    protocol: Path | None = None


class OtherRulesError(Exception):
    """A process that reads other rules than the run was begun with. The message is one sentence."""


@dataclass(frozen=True)
class Job:
    """Everything that the tasks of one run have in common; it goes to every process. `hashes` are of the `rules`."""

    folder: Path
    results: Path
    buckets: int
    aliases: Mapping[str, str]
    deleted: frozenset[str]
    coverage: Mapping[Kind, Coverage]
    rules: tuple[RulesFrom, ...]
    hashes: tuple[str, ...]
    protocol: Protocol
    zone: tzinfo | None
    exported_at: datetime
    salt: bytes
    outcomes: Mapping[str, OutcomesOfPatient] = field(default_factory=dict)
    only: frozenset[str] | None = None


@dataclass
class Summary:
    """The counts of one bucket. `constructed` are the patients that are marked as test data; `seconds` are of the whole
    task, `mebibytes` the most that its process ever held."""

    bucket: int
    patients: int = 0
    constructed: int = 0
    courses: int = 0
    without_course: int = 0
    moments: int = 0
    seconds: float = 0.0
    mebibytes: float = 0.0
    known_by: dict[str, int] = field(default_factory=dict)
    inventory: dict[str, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


@lru_cache(maxsize=4)
def _rules(files: RulesFrom) -> SiteRules:
    return site_rules(files.thresholds, files.value_sets, files.protocol)


def _rules_of(job: Job) -> list[SiteRules]:
    """Every set of rules of a run. Raises OtherRulesError: on another machine a file may be another."""
    found = [_rules(one) for one in job.rules]
    if tuple(one.hash for one in found) != job.hashes:
        raise OtherRulesError("a worker reads other rules than this machine: give both the same files and version.")
    return found


def run_bucket(job: Job, number: int) -> Summary:
    """Evaluate the patients of a bucket and write their rows, all or nothing: a task that is killed leaves none."""
    started = time.monotonic()
    rules = _rules_of(job)
    look = Look(job.protocol, rules[0], job.zone, job.exported_at)
    bucket = Bucket(job.folder, number, job.buckets, job.aliases, set(job.deleted))
    summary = Summary(number)
    with _Tables(job.results, number) as tables:
        for chart in bucket.charts(job.coverage):
            if job.only is not None and chart.patient not in job.only:
                continue
            _evaluate(chart, job, look, rules, summary, tables)
        summary.seconds = round(time.monotonic() - started, 3)
        summary.mebibytes = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _RSS_UNIT, 1)
        tables.finish(summary)
    return summary


_RSS_UNIT = MIB if sys.platform == "darwin" else 1024


def _evaluate(chart: Chart, job: Job, look: Look, rules: list[SiteRules], summary: Summary, tables: _Tables) -> None:
    _count(chart, summary, look)
    summary.patients += 1
    summary.constructed += is_constructed(chart)
    try:
        found = patient_rows(chart, look, rules[1:], job.salt, job.outcomes.get(chart.patient, OutcomesOfPatient()))
    except Exception as error:  # one chart does not end a night's run; the report counts it and says where
        summary.failed.append(where_it_failed(error))
        return
    summary.courses += found.courses
    summary.without_course += not found.courses
    summary.moments += found.moments
    for (name, by), count in found.known_by.items():
        _add(summary.known_by, f"{name}|{by.value}", count)
    for table, rows in found.tables.items():
        tables.add(table, rows)


def _count(chart: Chart, summary: Summary, look: Look) -> None:
    """The resources of a chart by type and month, and those of them that could not be read."""
    zone = look.zone or look.exported_at.tzinfo
    for one in chart.record.pool:
        at = moment_or_none(_time_of(one), zone) if zone is not None else None
        _add(summary.inventory, f"{one.type}|{at:%Y-%m}" if at is not None else f"{one.type}|")
    for reference in chart.record.pool.broken:
        _add(summary.inventory, f"{reference.partition('/')[0]}|set-aside")


def _add(counts: dict[str, int], name: str, count: int = 1) -> None:
    """Count in place: the tables grow with the patients of a bucket, and a copy for each would too."""
    counts[name] = counts.get(name, 0) + count


def _time_of(one: Resource[Any]) -> str | None:
    data = one.data
    if isinstance(data, fs.Observation | fs.MedicationAdministration):
        return data.effective_date_time or (data.effective_period.start if data.effective_period else None)
    if isinstance(data, fs.Procedure):
        return data.performed_date_time or (data.performed_period.start if data.performed_period else None)
    if isinstance(data, fs.MedicationRequest | fs.ServiceRequest):
        return data.authored_on
    return data.recorded_date if isinstance(data, fs.Condition) else None


class _Tables:
    """The files of one bucket. They appear under their name once all of them are written."""

    def __init__(self, results: Path, number: int) -> None:
        self._done = results / f"{number}"
        self._part = results / f"{number}.{os.getpid()}.part"

    def __enter__(self) -> _Tables:
        self._part.mkdir()
        self._files = {name: (self._part / f"{name}.ndjson").open("wb") for name in TABLES}
        return self

    def add(self, table: str, rows: list[Any]) -> None:
        for row in rows:
            self._files[table].write(_encode(row) + b"\n")

    def finish(self, summary: Summary) -> None:
        for file in self._files.values():
            file.close()
        (self._part / SUMMARY).write_bytes(_encode(summary))
        if not self._done.exists():  # another process may have done the same bucket after this one was given up
            self._part.rename(self._done)

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()
        shutil.rmtree(self._part, ignore_errors=True)
