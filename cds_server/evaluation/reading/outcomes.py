"""Outcomes that FHIR seldom holds, from a CSV: `patient,event,date,value,course`."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path

from cds_server.evaluation.reading.grouping import id_now
from cds_server.evaluation.rows.cohort import OutcomeRow, Outcomes
from fhir_mappings.facts.time_and_range import Moment
from fhir_mappings.reading.fhir_time import BadTimeError, moment

COLUMNS = ("patient", "event")
# event → the values that it may have; none named is any, or none
EVENTS: Mapping[str, frozenset[str]] = {
    "severe-infection": frozenset(),
    "icans": frozenset("01234"),
    "crs-grade": frozenset("012345"),
    "death": frozenset(),
    "death-of-crs": frozenset(),
    "icu": frozenset(),
    "relapse": frozenset(),
    "response": frozenset({"CR", "PR", "NR"}),
    "sct": frozenset(),
    "last-seen": frozenset(),
}
OWN = "x-"  # a column of Table 1
BURDEN = "x-burden"
DEATHS = frozenset({"death", "death-of-crs"})
DATED = frozenset({*DEATHS, "icu", "relapse", "last-seen"})
MOST_BAD = 0.05
_MOST_NAMED = 5


class OutcomesError(Exception):
    """A file of outcomes that cannot be used. The message names lines and fields, no value."""


@dataclass(frozen=True)
class OutcomesOfPatient:
    """The dated transfers to intensive care by course, and the death, the end of its day where it is known by date."""

    icu: Mapping[int, tuple[datetime, ...]] = field(default_factory=dict)
    died: datetime | None = None


@dataclass(frozen=True)
class SuppliedOutcomes:
    """The outcomes by the ids of the export, and the lines that could not be used."""

    supplied: frozenset[str]
    rows: tuple[tuple[str, OutcomeRow], ...]  # patient id, and the row, in which the id is not yet hashed
    bad: tuple[tuple[int, str], ...]

    def by_patient(self) -> dict[str, OutcomesOfPatient]:
        """The outcomes that the second look at a chart needs, of each patient who has any."""
        icu: dict[str, dict[int, tuple[datetime, ...]]] = {}
        deaths: dict[str, datetime] = {}
        for patient, row in self.rows:
            if row.event == "icu" and row.at is not None:
                of_patient = icu.setdefault(patient, {})
                of_patient[row.course] = (*of_patient.get(row.course, ()), row.at)
            if row.event in DEATHS and row.until is not None:
                deaths[patient] = min(row.until, deaths.get(patient, row.until))
        return {name: OutcomesOfPatient(icu.get(name, {}), deaths.get(name)) for name in {*icu, *deaths}}


def read_outcomes(
    file: Path, zone: tzinfo | None, patients: frozenset[str], aliases: Mapping[str, str]
) -> SuppliedOutcomes:
    """The outcomes in a file, for the patients of the export. A line may name an id that was merged into another; those
    are `aliases`. Raises OutcomesError."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            reader = csv.DictReader(opened)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise OutcomesError(f"{file.name}: the first line must name the column {missing[0]}.")
            lines = [(reader.line_num, _of_id_now(line, aliases)) for line in reader]
    except OSError as error:
        raise OutcomesError(f"{file.name} cannot be read ({error.strerror}).") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise OutcomesError(f"{file.name} cannot be read as a CSV in UTF-8.") from error
    rows, bad = list[tuple[str, OutcomeRow]](), list[tuple[int, str]]()
    for number, line in lines:
        why = "".join(_faults(line, zone, patients))
        if why:
            bad.append((number, why))
        else:
            rows.append((line["patient"] or "", _row(line, number, zone)))
    return _usable(file.name, rows, bad)


def in_their_courses(
    found: SuppliedOutcomes, name: str, days0: Mapping[str, Mapping[int, date]], zone: tzinfo | None
) -> SuppliedOutcomes:
    """The outcomes without those that lie outside the course that they name. `name` is that of the file, `days0` the
    day 0 of each course by patient id. Raises OutcomesError."""
    rows, bad = list[tuple[str, OutcomeRow]](), [*found.bad]
    for patient, row in found.rows:
        why = _outside(row, days0.get(patient, {}), zone)
        if why:
            bad.append((row.line, why))
        else:
            rows.append((patient, row))
    return _usable(name, rows, sorted(bad))


def _outside(row: OutcomeRow, days0: Mapping[int, date], zone: tzinfo | None) -> str:
    """The reason why an outcome is not of its course; "" where it is, and where nothing is known of that course."""
    day0, following = days0.get(row.course), days0.get(row.course + 1)
    if row.at is None or day0 is None:
        return ""
    on = row.at.astimezone(zone or UTC).date()
    if on < day0:
        return "date lies before the course"
    return "date lies in a later course of the patient" if following is not None and on >= following else ""


def _usable(name: str, rows: Sequence[tuple[str, OutcomeRow]], bad: Sequence[tuple[int, str]]) -> SuppliedOutcomes:
    """The outcomes of a file. Raises OutcomesError where too many lines of it are bad."""
    lines = len(rows) + len(bad)
    if len(bad) > MOST_BAD * lines:
        named = "; ".join(f"line {number}: {why}" for number, why in bad[:_MOST_NAMED])
        raise OutcomesError(f"{name}: {len(bad)} of {lines} lines cannot be used: {named}.")
    return SuppliedOutcomes(frozenset(row.event for _, row in rows), tuple(rows), tuple(bad))


def _of_id_now(line: dict[str, str | None], aliases: Mapping[str, str]) -> dict[str, str | None]:
    return line | {"patient": id_now((line.get("patient") or "").strip(), aliases)}


def _faults(line: Mapping[str, str | None], zone: tzinfo | None, patients: frozenset[str]) -> Iterator[str]:
    """The first thing that is wrong with a line, as a sentence without its values."""
    event, value = (line.get("event") or "").strip(), (line.get("value") or "").strip()
    course, date = (line.get("course") or "1").strip(), (line.get("date") or "").strip()
    if line["patient"] not in patients:
        yield "patient is not in the export"
    elif event not in EVENTS and not event.startswith(OWN):
        yield f"event is none of {', '.join(EVENTS)} or x-<name>"
    elif EVENTS.get(event) and value not in EVENTS[event]:
        yield f"value of {event} must be one of {', '.join(sorted(EVENTS[event]))}"
    elif event == BURDEN and not _is_share(value):
        yield f"value of {event} must be % of blasts, 0 to 100"
    elif not course.isascii() or not course.isdecimal() or int(course) < 1:
        yield "course must be a number from 1 on"
    elif date and _moment(date, zone) is None:
        yield "date must be a FHIR date or dateTime"
    elif event in DATED and not date:
        yield f"date is missing, which {event} needs"


def _is_share(text: str) -> bool:
    try:
        return 0 <= float(text) <= 100
    except ValueError:
        return False


def _row(line: Mapping[str, str | None], number: int, zone: tzinfo | None) -> OutcomeRow:
    at = _moment((line.get("date") or "").strip(), zone)
    return OutcomeRow(
        "", int((line.get("course") or "1").strip() or 1), (line["event"] or "").strip(),
        at.earliest if at is not None else None, (line.get("value") or "").strip(), number,
        at.latest if at is not None else None,
    )  # fmt: skip


def _moment(text: str, zone: tzinfo | None) -> Moment | None:
    """The time that a date stands for, in the zone of the site."""
    try:
        return moment(text, zone or UTC)
    except BadTimeError:
        return None


NO_OUTCOMES = SuppliedOutcomes(frozenset(), (), ())


def hashed(found: SuppliedOutcomes, name_of: Mapping[str, str]) -> Outcomes:
    """The outcomes with the names that patients have in the tables."""
    rows = tuple(replace(row, patient=name_of[patient]) for patient, row in found.rows)
    return Outcomes(found.supplied, rows)
